/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences, and how a reader of trees and bundles says no: a place, and one of them. Pure. */
#ifndef HYP_REFUSE_H
#define HYP_REFUSE_H

#include <stdarg.h>
#include <stddef.h>
#include "config.h"

/*
 * Formats into @text (@size bytes), always terminated. Knows %s, whose unprintable bytes become
 * '?', %d, %u, %x, %08x-style widths with leading zeros, l for 32 bits and ll for 64 bits (%llx,
 * %llu up to 2^32 - 1). @prefix goes before what %x writes. Returns the length without the
 * terminator, less than @size.
 */
size_t format(char *text, size_t size, const char *prefix, const char *pattern, va_list arguments);

/*
 * Fills @error with a sentence and no place, and returns @code, so that `return refuse(...)` does
 * it all.
 * @pattern is format()'s, with 0x for hexadecimal numbers. A text that is too long is cut.
 */
int refuse(struct config_error *error, const char *pattern, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with the caller's variable arguments; @property may be NULL. Leaves error->node alone.
 */
int refuse_property(struct config_error *error, const char *property, const char *pattern,
		    va_list arguments) __attribute__((format(printf, 3, 0)));

static inline char printable(char c)
{
	return c >= ' ' && c <= '~' ? c : '?';
}

/* Copies @text to @to (@size bytes with the NUL), cut if too long, unprintable bytes as '?'. */
void copy_printable(char *to, size_t size, const char *text);

#endif
