/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzzer of hyp/decode.c: whatever is accepted keeps the promises of struct transfer. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "hyp/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void expect(bool promise)
{
	if (!promise) {
		abort();
	}
}

static void check(const struct transfer *t, uint32_t insn, uint32_t spsr)
{
	bool thumb = (spsr >> 5 & 1) != 0, lists_base = false;
	unsigned int last = t->swap ? 2 : t->count;

	expect(t->length == (thumb && insn >> 16 == 0 ? 2 : 4));
	expect(t->size == 1 || t->size == 2 || t->size == 4);
	expect(t->count >= 1 && t->count <= 16 && (t->count == 1 || t->size == 4));
	expect(t->base < 16 && t->status < 15);
	for (unsigned int i = 0; i < last; i++) {
		expect(t->reg[i] < 16);
		expect(t->reg[i] != 15 || (t->size == 4 && !t->swap && !t->exclusive));
		lists_base |= t->reg[i] == t->base;
	}
	expect(!t->sign_extend || (!t->store && t->size < 4));
	expect(!t->writeback || (t->base != 15 && (t->store || !lists_base)));
	expect(!t->user_registers || (!t->writeback && !thumb));
	expect(!t->unprivileged || t->count == 1);
	expect(!(t->swap || t->exclusive) || (!t->writeback && t->base != 15));
	expect(!t->swap || (t->count == 1 && !t->store && !lists_base));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint32_t words[2 + 16] = {0};
	struct transfer transfer;

	memcpy(words, bytes, size < sizeof(words) ? size : sizeof(words));
	if (decode_transfer(words[0], &words[2], words[1], &transfer)) {
		check(&transfer, words[0], words[1]);
	}
	return 0;
}
