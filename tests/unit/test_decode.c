/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of hyp/decode.c: the effect of every form, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "hyp/decode.h"
#include "tests/unit/decode_rows.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void set_registers(uint32_t r[16], uint32_t spsr)
{
	for (uint32_t i = 0; i < 16; i++) {
		r[i] = i << 12;
	}
	r[8] = 0x80000104;
	r[15] |= spsr == THUMB ? 2 : 0;
}

static void append(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, size - used, format, arguments);
	va_end(arguments);
}

static void describe(const struct transfer *t, char *text, size_t size)
{
	static const char *const name[] = {"r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
					   "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"};
	unsigned int listed = t->swap ? 2 : t->count;

	text[0] = '\0';
	append(text, size, "%s %u at %x:", t->store ? "store" : "load", t->size, t->va);
	for (unsigned int i = 0; i < listed; i++) {
		append(text, size, " %s", name[t->reg[i]]);
	}
	if (t->writeback) {
		append(text, size, ", %s = %x", name[t->base], t->writeback_value);
	}
	append(text, size, "%s%s%s%s%s", t->sign_extend ? ", signed" : "",
	       t->unprivileged ? ", as user" : "", t->user_registers ? ", user registers" : "",
	       t->swap ? ", swap" : "", t->exclusive ? ", exclusive" : "");
	if (t->exclusive && t->store) {
		append(text, size, " %s", name[t->status]);
	}
}

static void check_row(const struct row *row)
{
	struct transfer t;
	uint32_t r[16];
	char effect[160];
	unsigned int length = row->spsr == THUMB && row->insn >> 16 == 0 ? 2 : 4;

	set_registers(r, row->spsr);
	if (!decode_transfer(row->insn, r, row->spsr, &t)) {
		fail_msg("%08x %s: refused", row->insn, row->text);
	}
	describe(&t, effect, sizeof(effect));
	if (strcmp(effect, row->effect) != 0 || t.length != length) {
		fail_msg("%08x %s: \"%s\", %u bytes long, not \"%s\", %u", row->insn, row->text,
			 effect, t.length, row->effect, length);
	}
}

static void arm_forms_have_their_effect(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(arm_rows); i++) {
		check_row(&arm_rows[i]);
	}
}

static void thumb_forms_have_their_effect(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(thumb_rows); i++) {
		check_row(&thumb_rows[i]);
	}
}

static void others_are_refused(void **state)
{
	struct transfer t;
	uint32_t r[16];

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		set_registers(r, refused[i].spsr);
		if (decode_transfer(refused[i].insn, r, refused[i].spsr, &t)) {
			fail_msg("%08x %s: accepted", refused[i].insn, refused[i].text);
		}
	}
}

/* Whatever the condition, the decoding is the same; 0b1111 is another instruction set. */
static void conditions_are_left_to_the_caller(void **state)
{
	struct transfer always, t;
	uint32_t r[16];

	(void)state;
	set_registers(r, ARM);
	memset(&always, 0, sizeof(always));
	memset(&t, 0, sizeof(t));
	for (size_t i = 0; i < COUNT(arm_rows); i++) {
		uint32_t insn = arm_rows[i].insn & 0x0fffffff;

		assert_true(decode_transfer(insn | 0xe0000000, r, ARM, &always));
		for (uint32_t condition = 0; condition < 14; condition++) {
			assert_true(decode_transfer(insn | condition << 28, r, ARM, &t));
			assert_memory_equal(&t, &always, sizeof(t));
		}
		assert_false(decode_transfer(insn | 0xf0000000, r, ARM, &t));
	}
}

/* Literal, register, immediate, SP-relative, PUSH and POP, STM and LDM. */
static void thumb_halfwords_number_27630(void **state)
{
	struct transfer t;
	uint32_t r[16];
	unsigned int accepted = 0;

	(void)state;
	set_registers(r, THUMB);
	for (uint32_t insn = 0; insn < 0x10000; insn++) {
		accepted += decode_transfer(insn, r, THUMB, &t);
	}
	assert_int_equal(accepted, 2048 + 4096 + 12288 + 4096 + 1022 + 4080);
}

/* A first halfword below 0xe800 would be an instruction of its own. */
static void thumb_words_start_at_e800(void **state)
{
	struct transfer t;
	uint32_t r[16];

	(void)state;
	set_registers(r, THUMB);
	for (uint32_t insn = 0; insn < 0x10000; insn++) {
		for (unsigned int position = 16; position < 32; position++) {
			assert_false(decode_transfer(insn | 1u << position, r, THUMB, &t));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arm_forms_have_their_effect),
		cmocka_unit_test(thumb_forms_have_their_effect),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(conditions_are_left_to_the_caller),
		cmocka_unit_test(thumb_halfwords_number_27630),
		cmocka_unit_test(thumb_words_start_at_e800),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
