/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hyp/pagetable.c against a list of ranges: the tables are read here as the hardware does it (ARM
 * DDI 0406C B3.6.1), leaf by leaf, and must map what the list says, no more, by no smaller blocks.
 */
#include "suite.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include "hyp/pagetable.h"

#define KIB_4 0x1000ull
#define MIB_2 0x200000ull
#define GIB_1 0x40000000ull

#define ROOT_ENTRIES 1024u /* two tables, concatenated: 40 bits of input */
#define TABLES       600u
#define AT           ((void *)0x20000000) /* tables are 32-bit addresses */
#define RANGES       400u

struct range {
	uint64_t input, pa, size, attributes;
};

static struct memory {
	uint64_t root[ROOT_ENTRIES];
	uint64_t tables[TABLES][PT_ENTRIES];
} * memory;

static struct pt_pool pool;
static struct range ranges[RANGES];
static unsigned int range_count;

static uint64_t end_of(const struct range *range)
{
	return range->input + range->size;
}

/* --- the reference --- */

/* The range that maps @input, or NULL. Mostly the one of the last call. */
static const struct range *range_at(uint64_t input)
{
	static unsigned int last;

	for (unsigned int i = 0; i < range_count; i++) {
		const struct range *range = &ranges[(last + i) % range_count];

		if (input >= range->input && input < end_of(range)) {
			last = (last + i) % range_count;
			return range;
		}
	}
	return NULL;
}

static uint64_t first_overlap(const struct range *with)
{
	uint64_t first = UINT64_MAX;

	for (unsigned int i = 0; i < range_count; i++) {
		const uint64_t from = ranges[i].input > with->input ? ranges[i].input : with->input;

		if (from < end_of(with) && from < end_of(&ranges[i]) && from < first) {
			first = from;
		}
	}
	return first;
}

static const uint64_t *table_of(uint64_t entry)
{
	const uint32_t seen = (uint32_t)(entry & 0xfffffff000) - pool.to_pa;

	assert_int_equal(entry & 0xffffff0000000fff, 3);
	assert_int_equal(entry & 0xff00000000, 0);
	assert_in_range(seen, (uintptr_t)memory->tables, (uintptr_t)memory->tables[pool.used] - 1);
	return (const uint64_t *)(uintptr_t)seen;
}

/* What the hardware would do with @input. Returns the bytes of the leaf, 0: a fault. */
static uint64_t walk(uint64_t input, uint64_t *entry)
{
	*entry = memory->root[input / GIB_1];
	if ((*entry & 3) != 3) {
		return (*entry & 1) * GIB_1;
	}
	*entry = table_of(*entry)[input / MIB_2 % 512];
	if ((*entry & 3) != 3) {
		return (*entry & 1) * MIB_2;
	}
	*entry = table_of(*entry)[input / KIB_4 % 512];
	return (*entry & 3) == 3 ? KIB_4 : 0;
}

static bool fits(const struct range *range, uint64_t input, uint64_t size)
{
	const uint64_t start = input & ~(size - 1);

	return start >= range->input && start + size <= end_of(range) &&
	       ((range->input ^ range->pa) & (size - 1)) == 0;
}

static void check_leaf(uint64_t input, uint64_t size, uint64_t entry)
{
	const struct range *range = range_at(input);
	unsigned int level;

	assert_non_null(range);
	assert_true(input + size <= end_of(range));
	assert_int_equal(entry & 3, size == KIB_4 ? 3 : 1);
	assert_int_equal(entry & 0xfffffff000 & (size - 1), 0);
	assert_int_equal((entry & ~3ull) - range->attributes, input - range->input + range->pa);
	assert_false(size < GIB_1 && fits(range, input, GIB_1));
	assert_false(size < MIB_2 && fits(range, input, MIB_2));
	assert_int_equal(*pt_find(&pool, memory->root, input + size - 1, &level), entry);
	assert_int_equal(level, size == GIB_1 ? 1 : size == MIB_2 ? 2 : 3);
}

/* All entries of a table and of those below; returns the bytes that they map, and counts tables. */
static uint64_t check_table(const uint64_t *table, unsigned int entries, uint64_t base,
			    uint64_t block, unsigned int *tables)
{
	uint64_t mapped = 0;

	for (unsigned int i = 0; i < entries; i++) {
		const uint64_t input = base + i * block;

		if (table[i] == 0) {
			continue;
		}
		if (block != KIB_4 && (table[i] & 3) == 3) {
			++*tables;
			mapped += check_table(table_of(table[i]), PT_ENTRIES, input, block / 512,
					      tables);
		} else {
			check_leaf(input, block, table[i]);
			mapped += block;
		}
	}
	return mapped;
}

/* Exactly the ranges are mapped, with no table that nothing leads to. */
static void check_all(void)
{
	unsigned int tables = 0;
	uint64_t wanted = 0;

	for (unsigned int i = 0; i < range_count; i++) {
		wanted += ranges[i].size;
	}
	assert_int_equal(check_table(memory->root, ROOT_ENTRIES, 0, GIB_1, &tables), wanted);
	assert_int_equal(tables, pool.used);
}

static int map(uint64_t input, uint64_t pa, uint64_t size, uint64_t attributes)
{
	const struct range range = {input, pa, size, attributes};
	const int result = pt_map(&pool, memory->root, input, pa, size, attributes);

	if (result == 0) {
		assert_true(first_overlap(&range) == UINT64_MAX);
		assert_in_range(range_count, 0, RANGES - 1);
		ranges[range_count++] = range;
	}
	return result;
}

static int set_up(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(*memory));
	pool = (struct pt_pool){.tables = memory->tables, .limit = TABLES, .to_pa = 0x40000000};
	range_count = 0;
	return 0;
}

static int get_memory(void **state)
{
	(void)state;
	memory = mmap(AT, sizeof(*memory), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	return memory == AT ? 0 : -1;
}

/* --- blocks --- */

static void largest_blocks(void **state)
{
	static const struct {
		uint64_t input, pa, size, found;
		unsigned int level, tables;
	} all[] = {
		{0x40000000, 0x80000000, GIB_1, 0x40000000, 1, 0},
		{0x40000000, 0x80000000, 3 * GIB_1, 0xc0000000, 1, 0},
		{0x40200000, 0x80200000, MIB_2, 0x40200000, 2, 1},
		{0x40000000, 0x80200000, GIB_1, 0x7fe00000, 2, 1}, /* the PA stands for less */
		{0x40200000, 0x80200000, GIB_1, 0x40200000, 2, 2}, /* across the next GiB */
		{0x40001000, 0x80001000, KIB_4, 0x40001000, 3, 2},
		{0x40000000, 0x80001000, MIB_2, 0x401ff000, 3, 2},
		{0x401ff000, 0x801ff000, 2 * KIB_4 + MIB_2, 0x40200000, 2, 3},
		{0x3ffff000, 0x7ffff000, 2 * KIB_4 + GIB_1, 0x40000000, 1, 4},
		{0x3fe00000, 0x0, MIB_2 + KIB_4, 0x40000000, 3, 3},
	};
	unsigned int level;

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		set_up(state);
		assert_int_equal(map(all[i].input, all[i].pa, all[i].size, S2_NORMAL), 0);
		check_all();
		assert_non_null(pt_find(&pool, memory->root, all[i].found, &level));
		assert_int_equal(level, all[i].level);
		assert_int_equal(pool.used, all[i].tables);
	}
}

static void attributes_are_kept(void **state)
{
	static const uint64_t all[] = {S1_CODE, S1_CONST, S1_DATA, S1_DEVICE, S2_NORMAL, S2_DEVICE};
	uint64_t entry;

	(void)state;
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const uint64_t input = (2 * i + 1) * GIB_1 - MIB_2 - KIB_4;

		assert_int_equal(map(input, input, GIB_1 + MIB_2 + KIB_4, all[i]), 0);
		assert_int_equal(walk(input, &entry), KIB_4);
		assert_int_equal(entry, input | all[i] | 3);
		assert_int_equal(walk(input + KIB_4, &entry), MIB_2);
		assert_int_equal(entry, (input + KIB_4) | all[i] | 1);
		assert_int_equal(walk(input + KIB_4 + MIB_2, &entry), GIB_1);
		assert_int_equal(entry, (input + KIB_4 + MIB_2) | all[i] | 1);
	}
	check_all();
}

/* Every page of a range, and the ones around it, each by a walk of its own. */
static void every_page(void **state)
{
	const uint64_t start = 0x7fdfd000, size = GIB_1 + 2 * MIB_2 + 5 * KIB_4;
	uint64_t entry, leaf;

	(void)state;
	assert_int_equal(map(start, 0x1001fd000, size, S2_DEVICE), 0);
	check_all();
	for (uint64_t input = start - GIB_1; input < start + size + GIB_1; input += KIB_4) {
		leaf = walk(input, &entry);
		if (input < start || input >= start + size) {
			assert_int_equal(leaf, 0);
		} else {
			assert_true(leaf != 0);
			assert_int_equal((entry & 0xfffffff000 & ~(leaf - 1)) + input % leaf,
					 input - start + 0x1001fd000);
		}
	}
}

static void nothing_to_map(void **state)
{
	(void)state;
	assert_int_equal(pt_map(&pool, memory->root, 0x1000, 0x1000, 0, S2_NORMAL), 0);
	check_all();
}

/* All 40 bits: the second of the concatenated tables (B3.6.5), and PAs above 4 GiB. */
static void concatenated_root(void **state)
{
	unsigned int level;

	(void)state;
	assert_int_equal(map(0x7fffffe000, 0xff00000000, 4 * KIB_4, S2_NORMAL), 0);
	assert_int_equal(map(0x8000200000, 0x8000200000, MIB_2, S2_NORMAL), 0);
	assert_int_equal(map(0xffc0000000, 0xffc0000000, GIB_1, S2_NORMAL), 0);
	assert_int_equal(map(0x0, 0xff80000000, GIB_1, S2_NORMAL), 0);
	check_all();
	assert_true(memory->root[0] != 0 && memory->root[511] != 0 && memory->root[512] != 0);
	assert_ptr_equal(pt_find(&pool, memory->root, 0xffffffffff, &level), &memory->root[1023]);
	assert_int_equal(level, 1);
	assert_null(pt_find(&pool, memory->root, 0x8000000000 + MIB_2 - KIB_4, &level));
}

/* --- pt_find() --- */

static void find_gives_the_entry_itself(void **state)
{
	uint64_t *entry, *page, read;
	unsigned int level;

	(void)state;
	assert_int_equal(map(0x401ff000, 0x801ff000, KIB_4 + MIB_2, S2_NORMAL), 0);
	page = pt_find(&pool, memory->root, 0x401ff000, &level);
	assert_int_equal(level, 3);
	assert_ptr_equal(pt_find(&pool, memory->root, 0x401fffff, &level), page);
	assert_int_equal(walk(0x401ff000, &read), KIB_4);
	assert_int_equal(*page, read);
	entry = pt_find(&pool, memory->root, 0x403fffff, &level);
	assert_int_equal(level, 2);
	*entry = 0;
	assert_int_equal(walk(0x40200000, &read), 0);
	assert_int_equal(walk(0x401ff000, &read), KIB_4);
}

static void find_where_nothing_is(void **state)
{
	static const uint64_t holes[] = {0x0,        0x3fffffff, 0x40000000, 0x401fefff,
					 0x40400000, 0x7fffffff, 0x80000000, 0xffffffffff};
	unsigned int level;

	(void)state;
	assert_int_equal(map(0x401ff000, 0x801ff000, KIB_4 + MIB_2, S2_NORMAL), 0);
	for (unsigned int i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		assert_null(pt_find(&pool, memory->root, holes[i], &level));
	}
	assert_int_equal(pool.used, 2); /* looking makes no tables */
}

/* --- refusals --- */

static void overlaps_are_refused(void **state)
{
	static const struct {
		uint64_t input, size;
	} all[] = {
		{0x40000000, GIB_1}, /* over tables */
		{0x40200000, MIB_2}, /* over a block */
		{0x40400000, MIB_2}, /* over a table of pages */
		{0x403ff000, KIB_4}, /* a page of a block */
		{0x40405000, KIB_4}, /* a page over itself */
		{0x80000000, GIB_1}, /* 1 GiB over itself */
		{0x80600000, MIB_2}, /* 2 MiB in it */
		{0xbffff000, KIB_4}, /* a page in it */
	};

	(void)state;
	assert_int_equal(map(0x40200000, 0x40200000, MIB_2, S2_NORMAL), 0);
	assert_int_equal(map(0x40405000, 0x40405000, KIB_4, S2_NORMAL), 0);
	assert_int_equal(map(0x80000000, 0x80000000, GIB_1, S2_NORMAL), 0);
	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(map(all[i].input, all[i].input, all[i].size, S2_DEVICE), -EEXIST);
		assert_int_equal(map(all[i].input, 0, all[i].size, S2_NORMAL), -EEXIST);
		check_all();
	}
	assert_int_equal(map(0x401ff000, 0x1000, KIB_4, S2_NORMAL), 0); /* next to them */
	assert_int_equal(map(0x40404000, 0x2000, KIB_4, S2_NORMAL), 0);
	assert_int_equal(map(0x40406000, 0x3000, KIB_4, S2_NORMAL), 0);
	assert_int_equal(map(0xc0000000, 0, GIB_1, S2_NORMAL), 0);
	check_all();
}

static void exhaustion(void **state)
{
	uint64_t entry;

	(void)state;
	pool.limit = 0;
	assert_int_equal(map(0x40000000, 0, GIB_1, S2_NORMAL), 0);
	assert_int_equal(map(0x80000000, 0, MIB_2, S2_NORMAL), -ENOMEM);
	assert_int_equal(map(0x80001000, 0, KIB_4, S2_NORMAL), -ENOMEM);
	pool.limit = 1;
	assert_int_equal(map(0x80000000, 0, MIB_2, S2_NORMAL), 0);
	assert_int_equal(map(0x80201000, 0, KIB_4, S2_NORMAL), -ENOMEM);
	assert_int_equal(map(0x80200000, 0x200000, MIB_2, S2_NORMAL), 0);
	check_all();
	pool.limit = 2;
	assert_int_equal(map(0x80401000, 0x400000, KIB_4, S2_NORMAL), 0);
	assert_int_equal(map(0x80402000, 0, MIB_2, S2_NORMAL), -ENOMEM); /* as far as it went */
	assert_int_equal(walk(0x805ff000, &entry), KIB_4);
	assert_int_equal(walk(0x80600000, &entry), 0);
	assert_int_equal(pool.used, 2);
	for (unsigned int i = 2; i < TABLES; i++) {
		assert_int_equal(memory->tables[i][0], 0);
	}
}

/* --- anything --- */

static uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

/* Few places, so that ranges meet; of all alignments, and so that input and PA differ in theirs. */
static struct range random_range(uint32_t *x)
{
	static const uint64_t units[] = {KIB_4, KIB_4, MIB_2, GIB_1}, ends[] = {0, 0x7f80000000};
	const uint32_t kind = 1 + next_random(x) % 3;
	const uint64_t unit = units[kind], fine = units[kind - next_random(x) % 2];
	struct range range = {.attributes = (next_random(x) & 1) != 0 ? S2_NORMAL : S2_DEVICE};

	range.input = ends[next_random(x) % 2] + next_random(x) % 4 * GIB_1 +
		      next_random(x) % 6 * MIB_2 + next_random(x) % 512 * KIB_4;
	range.input &= ~(unit - 1);
	range.size = (1 + next_random(x) % 3) * unit;
	range.size += next_random(x) % 4 == 0 ? next_random(x) % 700 * KIB_4 : 0;
	range.pa = (range.input + next_random(x) % 5 * fine) & 0xffffffffff;
	return range;
}

/* A refused range may be mapped up to where it met another: then that is a range, too. */
static void add_refused(const struct range *range)
{
	struct range part = *range;
	uint64_t entry, size;

	part.size = 0;
	while (part.size < range->size && range_at(range->input + part.size) == NULL &&
	       (size = walk(range->input + part.size, &entry)) != 0) {
		part.size += size;
	}
	assert_true(range->input + part.size <= first_overlap(range));
	if (part.size != 0) {
		ranges[range_count++] = part;
	}
}

static void random_ranges(void **state)
{
	unsigned int refused = 0, mapped = 0;

	for (uint32_t seed = 1; seed <= 40; seed++) {
		uint32_t x = seed * 2654435761u;

		set_up(state);
		pool.to_pa = seed % 2 == 0 ? 0 : 0xf0000000; /* below where it is seen, too */
		for (unsigned int i = 0; i < 60; i++) {
			const struct range range = random_range(&x);
			const bool meets = first_overlap(&range) != UINT64_MAX;
			const int result = map(range.input, range.pa, range.size, range.attributes);

			assert_int_equal(result, meets ? -EEXIST : 0);
			if (meets) {
				add_refused(&range);
			}
			*(meets ? &refused : &mapped) += 1;
			if (i % 8 == 0) {
				check_all();
			}
		}
		check_all();
	}
	assert_true(refused > 200 && mapped > 200);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(largest_blocks),
		TEST(attributes_are_kept),
		TEST(every_page),
		TEST(nothing_to_map),
		TEST(concatenated_root),
		TEST(find_gives_the_entry_itself),
		TEST(find_where_nothing_is),
		TEST(overlaps_are_refused),
		TEST(exhaustion),
		TEST(random_ranges),
	};

	return cmocka_run_group_tests_name("pagetable", tests, get_memory, NULL);
}
