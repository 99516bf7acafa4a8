/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of hyp/pagetable.c: what pt_map() writes, read by a walker that knows nothing of it (ARM
 * DDI 0406C B3.6), against a plain list of what was mapped.
 */
#include "suite.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "hyp/pagetable.h"

#define TABLES 48u
#define LIMIT  (1ull << 40)
#define PAGE   0x1000ull
#define MEBI2  0x200000ull
#define GIBI   0x40000000ull
#define RANGES 24u
#define TO_PA  0x7c5000u

/* On the host too they must lie below 4 GiB, and their PAs as well. */
static uint64_t (*tables)[PT_ENTRIES];
static uint64_t *root;
static struct pt_pool pool;

static struct range {
	uint64_t input, pa, size;
} ranges[RANGES];

static int map_tables(void **state)
{
	void *memory = MAP_FAILED;

	(void)state;
	for (uintptr_t at = 0x20000000; memory == MAP_FAILED && at < 0xc0000000; at += 0x10000000) {
		memory = mmap((void *)at, (TABLES + 2) * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	}
	if (memory == MAP_FAILED) {
		return -1;
	}
	tables = memory;
	root = tables[TABLES];
	return 0;
}

static int start(void **state)
{
	(void)state;
	memset(tables, 0, (TABLES + 2) * PAGE);
	memset(ranges, 0, sizeof(ranges));
	pool.tables = tables;
	pool.used = 0;
	pool.limit = TABLES;
	pool.to_pa = TO_PA;
	return 0;
}

/* Where @input goes, with its attributes, as hardware reads the tables; UINT64_MAX if nowhere. */
static uint64_t walk(uint64_t input, uint64_t *attributes, uint64_t *block)
{
	const uint64_t *table = root;
	uint64_t index = input / GIBI, size = GIBI, entry, below;

	for (unsigned int level = 1; level <= 3; level++) {
		entry = table[index];
		if ((entry & 1) == 0) {
			assert_int_equal(entry, 0);
			return UINT64_MAX;
		}
		if (((entry & 2) == 0) ==
		    (level != 3)) { /* a block; at level 3 a page has both bits */
			*attributes = entry & ~0xfffffff003ull & ~(0xfffffff000ull & (size - 1));
			*block = size;
			assert_int_equal(entry & 0xfffffff000ull & (size - 1), 0);
			return (entry & 0xfffffff000ull) + input % size;
		}
		assert_int_not_equal(level, 3);
		assert_int_equal(entry & ~0xfffffff000ull, 3);
		below = (entry & 0xfffffff000ull) - TO_PA - (uintptr_t)tables;
		assert_in_range(below, 0, (TABLES - 1) * PAGE);
		table = tables[below / PAGE];
		size /= 512;
		index = input / size % 512;
	}
	return UINT64_MAX;
}

static const struct range *range_of(uint64_t input)
{
	for (unsigned int i = 0; i < RANGES; i++) {
		if (input >= ranges[i].input && input - ranges[i].input < ranges[i].size) {
			return &ranges[i];
		}
	}
	return NULL;
}

static void check(uint64_t input)
{
	uint64_t attributes = 0, block = 0, pa;
	unsigned int level = 0;
	const struct range *range;
	uint64_t *entry;

	if (input >= LIMIT) {
		return;
	}
	pa = walk(input, &attributes, &block);
	range = range_of(input);
	entry = pt_find(&pool, root, input, &level);
	if (range == NULL) {
		assert_int_equal(pa, UINT64_MAX);
		assert_null(entry);
		return;
	}
	assert_int_equal(pa, range->pa + (input - range->input));
	assert_int_equal(attributes, S2_NORMAL);
	assert_non_null(entry);
	assert_int_equal(block, level == 1 ? GIBI : level == 2 ? MEBI2 : PAGE);
}

static void check_edges(const struct range *range)
{
	check(range->input - PAGE);
	check(range->input);
	check(range->input + range->size / 2);
	check(range->input + range->size - 1);
	check(range->input + range->size);
}

static int map(uint64_t input, uint64_t pa, uint64_t size)
{
	return pt_map(&pool, root, input, pa, size, S2_NORMAL);
}

static uint64_t block_at(uint64_t input)
{
	uint64_t attributes, block = 0;

	walk(input, &attributes, &block);
	return block;
}

static void test_largest_blocks(void **state)
{
	(void)state;
	ranges[0] = (struct range){GIBI - MEBI2 - PAGE, 5 * GIBI - MEBI2 - PAGE,
				   GIBI + 2 * MEBI2 + 2 * PAGE};
	assert_int_equal(map(ranges[0].input, ranges[0].pa, ranges[0].size), 0);
	check_edges(&ranges[0]);
	assert_int_equal(block_at(GIBI - MEBI2 - PAGE), PAGE);
	assert_int_equal(block_at(GIBI - MEBI2), MEBI2);
	assert_int_equal(block_at(GIBI), GIBI);
	assert_int_equal(block_at(2 * GIBI), MEBI2);
	assert_int_equal(block_at(2 * GIBI + MEBI2), PAGE);
	assert_int_equal(pool.used, 4);
}

static void test_offsets_limit_blocks(void **state)
{
	(void)state;
	assert_int_equal(map(0, MEBI2, MEBI2), 0);
	assert_int_equal(block_at(0), MEBI2);
	assert_int_equal(map(MEBI2, PAGE, MEBI2), 0);
	assert_int_equal(block_at(MEBI2), PAGE);
	assert_int_equal(map(GIBI, MEBI2, GIBI), 0);
	assert_int_equal(block_at(GIBI), MEBI2);
}

static void test_both_ends_of_the_space(void **state)
{
	(void)state;
	ranges[0] = (struct range){LIMIT - PAGE, 0, PAGE};
	ranges[1] = (struct range){LIMIT - 2 * GIBI, LIMIT - GIBI, GIBI};
	ranges[2] = (struct range){0, LIMIT - 2 * PAGE, 2 * PAGE};
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(map(ranges[i].input, ranges[i].pa, ranges[i].size), 0);
	}
	for (unsigned int i = 0; i < 3; i++) {
		check_edges(&ranges[i]);
	}
}

static void test_overlap_is_refused(void **state)
{
	(void)state;
	assert_int_equal(map(GIBI, GIBI, GIBI), 0);
	assert_int_equal(map(GIBI + 5 * PAGE, 0, PAGE), -EEXIST);
	assert_int_equal(map(GIBI + MEBI2, 0, MEBI2), -EEXIST);
	assert_int_equal(map(GIBI, GIBI, GIBI), -EEXIST);
	assert_int_equal(map(0, 0, PAGE), 0);
	assert_int_equal(map(0, 0, MEBI2), -EEXIST);
	assert_int_equal(map(0, 0, GIBI), -EEXIST);
	assert_int_equal(map(0, 0, PAGE), -EEXIST);
	assert_int_equal(map(2 * GIBI + MEBI2, 0, MEBI2), 0);
	assert_int_equal(map(2 * GIBI + MEBI2 + 7 * PAGE, 0, PAGE), -EEXIST);
	ranges[0] = (struct range){GIBI, GIBI, GIBI};
	ranges[1] = (struct range){0, 0, PAGE};
	check_edges(&ranges[0]);
	check_edges(&ranges[1]);
}

static void test_exhausted_pool(void **state)
{
	(void)state;
	pool.limit = 1;
	assert_int_equal(map(0, 0, PAGE), -ENOMEM);
	assert_int_equal(pool.used, 1);
	assert_int_equal(map(MEBI2, 0, MEBI2), 0); /* the table that there is serves still */
	assert_int_equal(map(GIBI, 0, GIBI), 0);
	assert_int_equal(map(2 * GIBI, 0, MEBI2), -ENOMEM);
	ranges[0] = (struct range){MEBI2, 0, MEBI2};
	ranges[1] = (struct range){GIBI, 0, GIBI};
	check_edges(&ranges[0]);
	check_edges(&ranges[1]);
}

static uint64_t chance(uint64_t limit)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (x >> 3) % limit;
}

static bool overlaps(const struct range *range)
{
	for (unsigned int i = 0; i < RANGES; i++) {
		if (ranges[i].size != 0 && range->input < ranges[i].input + ranges[i].size &&
		    ranges[i].input < range->input + range->size) {
			return true;
		}
	}
	return false;
}

static struct range random_range(void)
{
	static const uint64_t units[] = {PAGE, MEBI2, GIBI};
	const uint64_t unit = units[chance(3)], align = units[chance(3)];
	struct range range = {
		.input = chance(6 * GIBI / align) * align,
		.pa = chance(64 * GIBI / align) * align,
		.size = (1 + chance(3)) * unit + chance(3) * PAGE,
	};

	if (chance(2) != 0) { /* a constant offset, as RAM has */
		range.pa = range.input + 3 * GIBI;
	}
	return range;
}

/* A refused range may be mapped in part: what it wrote is checked only to be nothing of the
 * others'. */
static void test_random_ranges(void **state)
{
	for (unsigned int round = 0; round < 400; round++) {
		start(state);
		for (unsigned int i = 0; i < RANGES; i++) {
			struct range range = random_range();

			if (overlaps(&range)) {
				continue;
			}
			if (map(range.input, range.pa, range.size) != 0) {
				assert_int_equal(pool.used, pool.limit);
				break;
			}
			ranges[i] = range;
			for (unsigned int k = 0; k <= i; k++) {
				if (ranges[k].size != 0) {
					check_edges(&ranges[k]);
				}
			}
			check(chance(8 * GIBI));
		}
	}
}

static void test_random_overlaps_are_refused(void **state)
{
	for (unsigned int round = 0; round < 400; round++) {
		struct range other;

		start(state);
		ranges[0] = random_range();
		if (map(ranges[0].input, ranges[0].pa, ranges[0].size) != 0) {
			continue;
		}
		other = random_range();
		if (overlaps(&other)) {
			assert_int_not_equal(map(other.input, other.pa, other.size), 0);
		} else if (map(other.input, other.pa, other.size) != 0) {
			assert_int_equal(pool.used, pool.limit);
		}
		check(ranges[0].input);
		check(ranges[0].input + ranges[0].size - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_largest_blocks, start),
		cmocka_unit_test_setup(test_offsets_limit_blocks, start),
		cmocka_unit_test_setup(test_both_ends_of_the_space, start),
		cmocka_unit_test_setup(test_overlap_is_refused, start),
		cmocka_unit_test_setup(test_exhausted_pool, start),
		cmocka_unit_test_setup(test_random_ranges, start),
		cmocka_unit_test_setup(test_random_overlaps_are_refused, start),
	};

	return cmocka_run_group_tests(tests, map_tables, NULL);
}
