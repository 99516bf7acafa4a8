/* SPDX-License-Identifier: BSD-2-Clause */
/* bivy's own messages: formatting and the ways to stop. */
#include "print.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "console.h"
#include "cpu.h"

#define LINE_MAX 320

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

static void put_number(struct output *out, uint64_t value, bool hex, unsigned int width)
{
	char digits[20];
	unsigned int count = 0;
	uint32_t low = (uint32_t)value, high = hex ? (uint32_t)(value >> 32) : 0;

	do {
		uint32_t digit = hex ? low & 0xf : low % 10;

		digits[count++] = "0123456789abcdef"[digit];
		low = hex ? low >> 4 | high << 28 : low / 10;
		high >>= 4;
	} while (low != 0 || high != 0);
	for (; width > count; width--) {
		put(out, '0');
	}
	while (count != 0) {
		put(out, digits[--count]);
	}
}

static void put_string(struct output *out, const char *string)
{
	while (*string != '\0') {
		put(out, *string++);
	}
}

size_t format(char *text, size_t size, const char *pattern, va_list arguments)
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
		if (*pattern == 'c') {
			put(&out, (char)value);
		} else if (*pattern == 'd' && (int32_t)value < 0) {
			put(&out, '-');
			put_number(&out, (uint32_t)-value, false, width);
		} else {
			put_number(&out, value, *pattern == 'x', width);
		}
	}
	text[out.length] = '\0';
	return out.length;
}

static void say_list(const char *pattern, va_list arguments, bool last)
{
	char line[LINE_MAX] = "bivy: ";
	size_t length = 6 + format(line + 6, sizeof(line) - 8, pattern, arguments);

	line[length++] = '\r';
	line[length++] = '\n';
	if (last) {
		console_write_last(line, length);
	} else {
		console_write_own(line, length);
	}
}

void say(const char *pattern, ...)
{
	va_list arguments;

	va_start(arguments, pattern);
	say_list(pattern, arguments, false);
	va_end(arguments);
}

static _Noreturn void halt(void)
{
	for (;;) {
		wfi();
	}
}

_Noreturn void stop(const char *pattern, ...)
{
	va_list arguments;

	va_start(arguments, pattern);
	say_list(pattern, arguments, true);
	va_end(arguments);
	console_write_last("bivy: stopped\r\n", 15);
	halt();
}

_Noreturn void stop_error(const char *what, const struct config_error *error)
{
	const bool named =
		strncmp(error->text, what, strlen(what)) == 0; /* the sentence begins with it */

	stop("%s%s%s%s%s%s%s", named ? "" : what, named ? "" : ": ", error->node,
	     error->node[0] != '\0' ? ": " : "", error->property,
	     error->property[0] != '\0' ? ": " : "", error->text);
}

_Noreturn void panic(const char *pattern, ...)
{
	va_list arguments;

	va_start(arguments, pattern);
	say_list(pattern, arguments, true);
	va_end(arguments);
	console_write_last("bivy: this is a bug in bivy; stopped\r\n", 38);
	halt();
}
