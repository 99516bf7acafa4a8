/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences: how they are put together, and how a reader of trees and bundles says no. Pure. */
#include <errno.h>
#include <stddef.h>
#include "refuse.h"

struct output {
	char *text;
	size_t size, length;
};

static void put(struct output *out, char c)
{
	if (out->length + 1 < out->size) {
		out->text[out->length++] = c;
	}
}

static void put_string(struct output *out, const char *string)
{
	for (; *string != '\0'; string++) {
		put(out, printable(*string));
	}
}

/* Without a division: a Cortex-A9 has no instruction for it, and is to get its sentence. */
static void put_number(struct output *out, uint64_t value, bool hex, unsigned int width)
{
	char digits[20];
	unsigned int count = 0;
	uint32_t low = (uint32_t)value, high = hex ? (uint32_t)(value >> 32) : 0;

	do {
		const uint32_t tenth = (uint32_t)(low * 0xcccccccdull >> 35);

		digits[count++] = "0123456789abcdef"[hex ? low & 0xf : low - 10 * tenth];
		low = hex ? low >> 4 | high << 28 : tenth;
		high >>= 4;
	} while (low != 0 || high != 0);
	for (; width > count; width--) {
		put(out, '0');
	}
	while (count != 0) {
		put(out, digits[--count]);
	}
}

size_t format(char *text, size_t size, const char *prefix, const char *pattern, va_list arguments)
{
	struct output out = {text, size, 0};

	for (; *pattern != '\0'; pattern++) {
		unsigned int width = 0;
		uint64_t value;
		bool wide;

		if (*pattern != '%') {
			put(&out, *pattern);
			continue;
		}
		for (pattern++; *pattern >= '0' && *pattern <= '9'; pattern++) {
			width = width * 10 + (unsigned int)(*pattern - '0');
		}
		wide = pattern[0] == 'l' && pattern[1] == 'l';
		while (*pattern == 'l') {
			pattern++;
		}
		if (*pattern == 's') {
			put_string(&out, va_arg(arguments, const char *));
			continue;
		}
		value = wide ? va_arg(arguments, uint64_t) : va_arg(arguments, uint32_t);
		if (*pattern == 'x') {
			put_string(&out, prefix);
		} else if (*pattern == 'd' && (int32_t)value < 0) {
			put(&out, '-');
			value = (uint32_t)-value;
		}
		put_number(&out, value, *pattern == 'x', width);
	}
	text[out.length] = '\0';
	return out.length;
}

void copy_printable(char *to, size_t size, const char *text)
{
	struct output out = {to, size, 0};

	put_string(&out, text);
	to[out.length] = '\0';
}

int refuse_property(struct config_error *error, const char *property, const char *pattern,
		    va_list arguments)
{
	copy_printable(error->property, sizeof(error->property), property != NULL ? property : "");
	format(error->text, sizeof(error->text), "0x", pattern, arguments);
	return -EINVAL;
}

int refuse(struct config_error *error, const char *pattern, ...)
{
	va_list arguments;

	error->node[0] = '\0';
	va_start(arguments, pattern);
	refuse_property(error, NULL, pattern, arguments);
	va_end(arguments);
	return -EINVAL;
}
