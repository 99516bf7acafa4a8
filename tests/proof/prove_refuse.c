/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sentences: any values, strings of any bytes, in texts with too little room.
 * @sources +hyp/refuse.c
 * @argued put_number mem_access
 *   low - 10 * tenth is the last digit: low * 0xcccccccd >> 35 is low / 10 for all 32 bits, as GCC divides, too.
 * @argued put_number initialization
 *   Digits are written from 0 on and read from the last one down: tests/unit/test_print.c.
 * @plant hyp/refuse.c s/length \+ 1 < out->size/length < out->size/
 * @plant hyp/refuse.c s/to.out.length. = /to[size] = /
 */
#include "hyp/refuse.c"

static size_t formatted(char *text, size_t size, const char *pattern, ...)
{
	va_list arguments;
	size_t length;

	va_start(arguments, pattern);
	length = format(text, size, "0x", pattern, arguments);
	va_end(arguments);
	return length;
}

void main(void)
{
	static char string[40], text[24];
	struct config_error error;
	size_t length;

	Frama_C_make_unknown(string, sizeof(string) - 1);
	length = formatted(text, sizeof(text), "%s %u %08lx %llx %d", string, any(), any(),
			   (uint64_t)any() << 32 | any(), (int)any());
	/*@ assert length < sizeof(text); */
	copy_printable(text, sizeof(text), string);
	refuse(&error, "%s is of %llx and %u", string, (unsigned long long)any() << 32 | any(),
	       any());
}
