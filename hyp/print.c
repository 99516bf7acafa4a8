/* SPDX-License-Identifier: BSD-2-Clause */
/* bivy's own messages, and the ways to stop. */
#include "print.h"
#include <stdbool.h>
#include <stdint.h>
#include "console.h"
#include "cpu.h"
#include "dt.h"
#include "refuse.h"

#define LINE_MAX 320

static void say_list(const char *pattern, va_list arguments, bool last)
{
	char line[LINE_MAX] = "bivy: ";
	size_t length = 6 + format(line + 6, sizeof(line) - 8, "", pattern, arguments);

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

static _Noreturn void stop_list(const char *pattern, va_list arguments, const char *last)
{
	say_list(pattern, arguments, true);
	console_write_last(last, dt_length(last));
	for (;;) {
		wfi();
	}
}

_Noreturn void stop(const char *pattern, ...)
{
	va_list arguments;

	va_start(arguments, pattern);
	stop_list(pattern, arguments, "bivy: stopped\r\n");
}

_Noreturn void stop_error(const char *what, const struct config_error *error)
{
	const bool named = dt_begins(error->text, what); /* the sentence begins with it */

	stop("%s%s%s%s%s%s%s", named ? "" : what, named ? "" : ": ", error->node,
	     error->node[0] != '\0' ? ": " : "", error->property,
	     error->property[0] != '\0' ? ": " : "", error->text);
}

_Noreturn void panic(const char *pattern, ...)
{
	va_list arguments;

	va_start(arguments, pattern);
	stop_list(pattern, arguments, "bivy: this is a bug in bivy; stopped\r\n");
}
