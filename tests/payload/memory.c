/* SPDX-License-Identifier: BSD-2-Clause */
/* All of the RAM that the tree promises is there, each place its own. MMU and caches are off. */
#include "payload.h"

#define BASE 0x40000000u
#define FREE 0x48000000u /* the payload and the tree are below */
#define STEP 0x100000u

/* The size that follows BASE in the tree, in cells of two words. */
static uint32_t memory_size(void)
{
	const uint32_t *word = (const uint32_t *)(const void *)tree;
	const uint32_t *end = word + __builtin_bswap32(word[1]) / 4 - 4;

	for (; word < end; word++) {
		if (word[0] == 0 && word[1] == __builtin_bswap32(BASE) && word[2] == 0) {
			return __builtin_bswap32(word[3]);
		}
	}
	return 0;
}

void payload(void)
{
	const uint32_t last = BASE + memory_size() - 4;
	uint32_t at, wrong = 0;

	for (at = last; at > FREE; at -= STEP) {
		write32(at, ~at);
	}
	for (at = last; at > FREE; at -= STEP) {
		wrong += read32(at) != ~at;
	}
	result("memory keeps what is written", wrong == 0 && last > FREE, "%u places don't", wrong);
	print("%u MiB of memory\n", (last - BASE + 4) >> 20);
}
