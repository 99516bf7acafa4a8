/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzer of hyp/pagetable.c: the input maps ranges; a list of them says what each address must then
 * lead to, by which size of block, and whether the next range is still free. The tables are read
 * here as the hardware does it (ARM DDI 0406C B3.6.1).
 */
#define _GNU_SOURCE
#include "bytes.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "hyp/pagetable.h"

#define RANGES 64u
#define TABLES 256u
#define AT     ((void *)0x30000000) /* tables are 32-bit addresses */

static const uint64_t block[] = {1ull << 30, 1ull << 21, 1ull << 12};

struct range {
	uint64_t input, pa, attributes;
	uint64_t end;       /* of what is mapped */
	uint64_t asked_end; /* of what was to be */
};

static struct memory {
	uint64_t root[1024]; /* 40 bits of input */
	uint64_t tables[TABLES][PT_ENTRIES];
} * memory;

static struct pt_pool pool;
static struct range ranges[RANGES];
static unsigned int count;

static const struct range *range_of(uint64_t input)
{
	for (unsigned int i = 0; i < count; i++) {
		if (input >= ranges[i].input && input < ranges[i].end) {
			return &ranges[i];
		}
	}
	return NULL;
}

/* The level whose block the manual's rules and "the largest" leave for @input. */
static unsigned int level_of(const struct range *range, uint64_t input)
{
	unsigned int level = 1;

	for (; level < 3; level++) {
		const uint64_t size = block[level - 1], start = input & ~(size - 1);

		if (((range->input ^ range->pa) & (size - 1)) == 0 && start >= range->input &&
		    start + size <= range->asked_end) {
			break;
		}
	}
	return level;
}

/* The entry that the hardware ends at, 0 for a fault. */
static uint64_t walk(uint64_t input, unsigned int *level)
{
	const uint64_t *table = memory->root;
	uint64_t entry = table[input >> 30];

	for (*level = 1; *level < 3 && (entry & 3) == 3;
	     entry = table[input >> (39 - 9 * *level) & 511]) {
		table = (const uint64_t *)(uintptr_t)((uint32_t)(entry & 0xfffffff000) -
						      pool.to_pa);
		if ((const void *)table < (void *)memory->tables ||
		    (const void *)table >= (void *)memory->tables[pool.used]) {
			fprintf(stderr, "an entry leads to no table\n");
			abort();
		}
		++*level;
	}
	return (entry & 3) == (*level == 3 ? 3 : 1) ? entry : 0;
}

static void check(uint64_t at)
{
	const uint64_t input = at & 0xffffffffff;
	const struct range *range = range_of(input);
	unsigned int level = 0, found_level = 0;
	const uint64_t entry = walk(input, &level);
	const uint64_t *found = pt_find(&pool, memory->root, input, &found_level);
	uint64_t start;

	if (range == NULL) {
		AGREE(entry, 0);
		AGREE(found != NULL, false);
		return;
	}
	AGREE(level, level_of(range, input));
	AGREE(found_level, level);
	start = input & ~(block[level - 1] - 1);
	AGREE(entry,
	      (range->pa + (start - range->input)) | range->attributes | (level == 3 ? 3 : 1));
	AGREE(*found, entry);
}

static void check_range(const struct range *range)
{
	check(range->input);
	check(range->input - 0x1000);
	check(range->end - 1);
	check(range->end);
}

static uint64_t first_taken(const struct range *wanted)
{
	uint64_t first = wanted->asked_end;

	for (unsigned int i = 0; i < count; i++) {
		const uint64_t from =
			ranges[i].input > wanted->input ? ranges[i].input : wanted->input;

		if (from < first && from < ranges[i].end) {
			first = from;
		}
	}
	return first;
}

/* A number of 4 KiB pages next to a border of some level. */
static uint64_t take_pages(struct bytes *in, uint64_t limit)
{
	const uint8_t kind = take8(in);
	const uint64_t pages = (uint64_t)(kind >> 6) << 18 | (uint64_t)(kind >> 4 & 3) << 9;

	return (pages + (kind & 7) - (uint64_t)((kind & 8) != 0 ? 4 : 0)) % limit;
}

/* Returns false if there is no room for more. */
static bool map(struct bytes *in)
{
	static const uint64_t kinds[] = {S1_CODE, S1_DATA, S2_NORMAL, S2_DEVICE};
	struct range range = {.input = take_pages(in, 4 << 18) << 12,
			      .pa = take_pages(in, 1 << 28) << 12,
			      .attributes = kinds[take8(in) & 3]};
	const uint64_t limit = ((range.input ^ range.pa) & (block[1] - 1)) == 0 ? 1 << 20 : 1 << 11;
	const uint64_t size = take_pages(in, limit) << 12; /* that of pages is short: time */
	const uint64_t stray = (take8(in) & 31) == 0 ? take8(in) & 0xfff : 0;
	uint64_t taken;
	int result;

	if (stray != 0) {
		AGREE(pt_map(&pool, memory->root, range.input | stray, range.pa, size,
			     range.attributes),
		      -EINVAL);
		AGREE(pt_map(&pool, memory->root, range.input, range.pa | stray, size,
			     range.attributes),
		      -EINVAL);
		AGREE(pt_map(&pool, memory->root, range.input, range.pa, size | stray,
			     range.attributes),
		      -EINVAL);
	}
	range.end = range.asked_end = range.input + size;
	taken = first_taken(&range);
	result = pt_map(&pool, memory->root, range.input, range.pa, size, range.attributes);
	if (result == -ENOMEM) {
		AGREE(pool.used, pool.limit);
	} else {
		AGREE(result, taken < range.end ? -EEXIST : 0);
	}
	if (result != 0) { /* part of it may be mapped */
		unsigned int level;

		for (range.end = range.input; range.end < taken && walk(range.end, &level) != 0;) {
			range.end += block[level - 1];
		}
	}
	ranges[count++] = range;
	return result != -ENOMEM;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct bytes in = {input, length};

	if (memory == NULL) {
		memory = mmap(AT, sizeof(*memory), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (memory != AT) {
			abort();
		}
	}
	memset(memory->root, 0, sizeof(memory->root));
	memset(memory->tables, 0, sizeof(memory->tables[0]) * pool.used);
	pool = (struct pt_pool){memory->tables, 0, (take8(&in) & 3) == 0 ? 4 : TABLES,
				take32(&in) & ~0xfffu};
	for (count = 0; in.left > 0 && count < RANGES && map(&in);) {
		check_range(&ranges[count - 1]);
		check(take_pages(&in, 1 << 28) << 12 | 0x123);
	}
	for (unsigned int i = 0; i < count; i++) {
		check_range(&ranges[i]);
	}
	return 0;
}
