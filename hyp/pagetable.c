/* SPDX-License-Identifier: BSD-2-Clause */
/* Long-descriptor translation tables, for both stages. Pure; also runs before the MMU is on. */
#include "pagetable.h"
#include <errno.h>
#include <stddef.h>

#define PT_TABLE    3ull /* a table at levels 1 and 2, a page at level 3 (B3.6.1) */
#define PT_BLOCK    1ull
#define PT_PAGE     3ull
#define PT_SMALLEST 0x1000ull /* bytes that an entry of level 3 maps */
#define PT_ADDRESS  0x000000fffffff000ull

static unsigned int level_shift(unsigned int level)
{
	return 39 - 9 * level; /* 1 GiB, 2 MiB, 4 KiB */
}

static uint64_t *next_table(const struct pt_pool *pool, uint64_t entry)
{
	return (uint64_t *)(uintptr_t)((uint32_t)(entry & PT_ADDRESS) - pool->to_pa);
}

static uint64_t *table_below(struct pt_pool *pool, uint64_t *entry)
{
	uint64_t *table;

	if (*entry == 0) {
		if (pool->used == pool->limit) {
			return NULL;
		}
		table = pool->tables[pool->used++];
		*(volatile uint64_t *)entry = (uint32_t)((uintptr_t)table + pool->to_pa) | PT_TABLE;
	}
	return next_table(pool, *entry);
}

static uint64_t *entry_of(uint64_t *table, unsigned int level, uint64_t input)
{
	return &table[(input >> level_shift(level)) & (level == 1 ? ~0u : PT_ENTRIES - 1)];
}

/* The level of the largest block that fits an address, or several in one, and a size. */
static unsigned int level_for(uint64_t addresses, uint64_t size)
{
	unsigned int level = 1;

	while (level < 3 && (size >> level_shift(level) == 0 ||
			     (addresses & ((1ull << level_shift(level)) - 1)) != 0)) {
		level++;
	}
	return level;
}

/* Finds the entry of @input at @level, and makes the tables above it. */
static int make_entry(struct pt_pool *pool, uint64_t *root, uint64_t input, unsigned int level,
		      uint64_t **entry)
{
	uint64_t *table = root;

	for (unsigned int above = 1; above < level; above++) {
		uint64_t *next = entry_of(table, above, input);

		if ((*next & PT_TABLE) == PT_BLOCK) {
			return -EEXIST;
		}
		table = table_below(pool, next);
		if (table == NULL) {
			return -ENOMEM;
		}
	}
	*entry = entry_of(table, level, input);
	return 0;
}

int pt_map(struct pt_pool *pool, uint64_t *root, uint64_t input, uint64_t pa, uint64_t size,
	   uint64_t attributes)
{
	if (((input | pa | size) & (PT_SMALLEST - 1)) != 0) {
		return -EINVAL;
	}
	while (size != 0) {
		const unsigned int level = level_for(input | pa, size);
		const uint64_t block = 1ull << level_shift(level), table = block * PT_ENTRIES;
		const uint64_t type = level == 3 ? PT_PAGE : PT_BLOCK;
		uint64_t *entry;
		int error = make_entry(pool, root, input, level, &entry);

		if (error != 0) {
			return error;
		}
		do { /* to the end of what one table covers */
			if (*entry != 0) {
				return -EEXIST;
			}
			*(volatile uint64_t *)entry++ = pa | attributes | type;
			input += block;
			pa += block;
			size -= block;
		} while (size >= block && (input & (table - 1)) != 0);
	}
	return 0;
}

uint64_t *pt_find(const struct pt_pool *pool, uint64_t *root, uint64_t input, unsigned int *level)
{
	uint64_t *table = root;

	for (*level = 1;; (*level)++) {
		uint64_t *entry = entry_of(table, *level, input);

		if (*entry == 0) {
			return NULL;
		}
		if (*level == 3 || (*entry & PT_TABLE) == PT_BLOCK) {
			return entry;
		}
		table = next_table(pool, *entry);
	}
}
