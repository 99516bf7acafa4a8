/* SPDX-License-Identifier: BSD-2-Clause */
/* How a reader of trees and bundles says no: a place, and a sentence. Pure. */
#ifndef HYP_REFUSE_H
#define HYP_REFUSE_H

#include <stdarg.h>
#include <stddef.h>
#include "config.h"

/*
 * Fills @error with a sentence and no place, and returns @code, so that `return refuse(...)` does
 * it all.
 * @format knows %s, %u (unsigned int) and %llx (unsigned long long, printed with 0x), nothing else.
 * What comes from a tree may hold any byte: all that is not printable ASCII becomes '?'. A text
 * that is too long is cut.
 */
int refuse(struct config_error *error, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with the caller's variable arguments; @property may be NULL. Leaves error->node alone.
 */
int refuse_property(struct config_error *error, const char *property, const char *format,
		    va_list arguments) __attribute__((format(printf, 3, 0)));

static inline char printable(char c)
{
	return c >= ' ' && c <= '~' ? c : '?';
}

/* Copies @text to @to (@size bytes with the NUL), cut if too long, unprintable bytes as '?'. */
void copy_printable(char *to, size_t size, const char *text);

#endif
