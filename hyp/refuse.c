/* SPDX-License-Identifier: BSD-2-Clause */
/* How a reader of trees and bundles says no: puts the sentence together. Pure. */
#include <errno.h>
#include <stddef.h>
#include "refuse.h"

struct text {
	char *at;
	size_t left; /* bytes, with the NUL */
};

static void add_char(struct text *text, char c)
{
	if (text->left > 1) {
		*text->at++ = printable(c);
		text->left--;
	}
	*text->at = '\0';
}

static void add_string(struct text *text, const char *string)
{
	while (*string != '\0') {
		add_char(text, *string++);
	}
}

static void add_hex(struct text *text, unsigned long long value)
{
	unsigned int shift = 60;

	add_string(text, "0x");
	while (shift > 0 && value >> shift == 0) {
		shift -= 4;
	}
	for (;; shift -= 4) {
		add_char(text, "0123456789abcdef"[(value >> shift) & 15]);
		if (shift == 0) {
			return;
		}
	}
}

/* Without a division: a Cortex-A9 has no instruction for it, and is to get its sentence. */
static void add_decimal(struct text *text, unsigned int value)
{
	char digits[10];
	unsigned int count = 0;

	do {
		const unsigned int tenth = (unsigned int)(value * 0xcccccccdull >> 35);

		digits[count++] = (char)('0' + value - 10 * tenth);
		value = tenth;
	} while (value != 0);
	while (count > 0) {
		add_char(text, digits[--count]);
	}
}

void copy_printable(char *to, size_t size, const char *text)
{
	struct text copy = {to, size};

	*to = '\0';
	add_string(&copy, text);
}

int refuse_property(struct config_error *error, const char *property, const char *format,
		    va_list arguments)
{
	struct text text = {error->text, sizeof(error->text)};

	copy_printable(error->property, sizeof(error->property), property != NULL ? property : "");
	error->text[0] = '\0';
	for (; *format != '\0'; format++) {
		if (*format != '%') {
			add_char(&text, *format);
		} else if (*++format == 's') {
			add_string(&text, va_arg(arguments, const char *));
		} else if (*format == 'u') {
			add_decimal(&text, va_arg(arguments, unsigned int));
		} else {
			format += 2; /* "llx" */
			add_hex(&text, va_arg(arguments, unsigned long long));
		}
	}
	return -EINVAL;
}

int refuse(struct config_error *error, const char *format, ...)
{
	va_list arguments;

	error->node[0] = '\0';
	va_start(arguments, format);
	refuse_property(error, NULL, format, arguments);
	va_end(arguments);
	return -EINVAL;
}
