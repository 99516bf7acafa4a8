/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of hyp/print.c and of format() in hyp/refuse.c; processor and console have stand-ins here.
 */
#define HYP_CPU_H
#include "suite.h"
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

static jmp_buf stopped;

static inline void wfi(void)
{
	longjmp(stopped, 1);
}

#include "hyp/print.c"

static char console[1024];
static size_t console_length;
static bool last;

static void write_console(const char *bytes, size_t count)
{
	assert_true(count < sizeof(console) - console_length);
	memcpy(console + console_length, bytes, count);
	console_length += count;
	console[console_length] = '\0';
}

void console_write_own(const char *bytes, size_t count)
{
	last = false;
	write_console(bytes, count);
}

void console_write_last(const char *bytes, size_t count)
{
	last = true;
	write_console(bytes, count);
}

static char text[40];
static size_t length;

static void print(size_t size, const char *pattern, ...)
{
	va_list arguments;

	memset(text, '#', sizeof(text));
	va_start(arguments, pattern);
	length = format(text, size, "", pattern, arguments);
	va_end(arguments);
	assert_true(length < size);
	assert_int_equal(strlen(text), length);
	for (size_t i = length + 1; i < sizeof(text); i++) {
		assert_int_equal(text[i], '#');
	}
}

static void test_each_conversion(void **state)
{
	(void)state;
	print(40, "%s|%d|%u|%x", "w\xf6rd\n", (int32_t)-7, 42u, 0xc0ffeeu);
	assert_string_equal(text, "w?rd?|-7|42|c0ffee");
	print(40, "%s%s", "", "end");
	assert_string_equal(text, "end");
	print(40, "plain");
	assert_string_equal(text, "plain");
}

static void test_extremes(void **state)
{
	(void)state;
	print(40, "%d %d %u", INT32_MIN, INT32_MAX, UINT32_MAX);
	assert_string_equal(text, "-2147483648 2147483647 4294967295");
	print(40, "%u %x %d", 0u, 0u, 0);
	assert_string_equal(text, "0 0 0");
	print(40, "%llx %llx", 0xfedcba9876543210ull, 0x100000000ull);
	assert_string_equal(text, "fedcba9876543210 100000000");
}

static void test_widths_fill_with_zeros(void **state)
{
	(void)state;
	print(40, "%08x %02x %04u %016llx", 0x1234u, 0x123u, 7u, 0xabull);
	assert_string_equal(text, "00001234 123 0007 00000000000000ab");
	print(40, "%08lx", 0x8000u);
	assert_string_equal(text, "00008000");
}

static void test_what_does_not_fit_is_cut(void **state)
{
	(void)state;
	for (size_t size = 1; size <= 20; size++) {
		print(size, "%s %08x", "0123456789", 0xffffffffu);
		assert_int_equal(length, size - 1 < 19 ? size - 1 : 19);
		assert_memory_equal(text, "0123456789 ffffffff", length);
	}
}

static void assert_said(const char *expected, bool is_last)
{
	assert_string_equal(console, expected);
	assert_int_equal(last, is_last);
	console_length = 0;
}

static void test_lines_of_bivy_s(void **state)
{
	char longest[400];

	(void)state;
	say("%u cores", 4u);
	assert_said("bivy: 4 cores\r\n", false);
	memset(longest, 'x', sizeof(longest));
	longest[399] = '\0';
	say("%s", longest);
	assert_int_equal(console_length, LINE_MAX - 1);
	longest[console_length - 8] = '\0';
	assert_memory_equal(console, "bivy: ", 6);
	assert_memory_equal(console + 6, longest, console_length - 8);
	assert_string_equal(console + console_length - 2, "\r\n");
	console_length = 0;
}

static void test_stops(void **state)
{
	static const struct config_error nowhere = {.text = "there is no bundle"};
	static const struct config_error somewhere = {"/memory", "reg", "the bundle is wrong"};

	(void)state;
	if (setjmp(stopped) == 0) {
		stop("no %s", "way");
	}
	assert_said("bivy: no way\r\nbivy: stopped\r\n", true);
	if (setjmp(stopped) == 0) {
		panic("%x", 0xbadu);
	}
	assert_said("bivy: bad\r\nbivy: this is a bug in bivy; stopped\r\n", true);
	if (setjmp(stopped) == 0) {
		stop_error("the bundle", &nowhere);
	}
	assert_said("bivy: the bundle: there is no bundle\r\nbivy: stopped\r\n", true);
	if (setjmp(stopped) == 0) {
		stop_error("the bundle", &somewhere);
	}
	assert_said("bivy: /memory: reg: the bundle is wrong\r\nbivy: stopped\r\n", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_conversion),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_widths_fill_with_zeros),
		cmocka_unit_test(test_what_does_not_fit_is_cut),
		cmocka_unit_test(test_lines_of_bivy_s),
		cmocka_unit_test(test_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
