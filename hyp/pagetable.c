/* SPDX-License-Identifier: BSD-2-Clause */
/* Long-descriptor translation tables, for both stages. Pure; also runs before the MMU is on. */
#include "pagetable.h"
#include <errno.h>
#include <stddef.h>

#define PT_TABLE   3ull /* a table at levels 1 and 2, a page at level 3 (B3.6.1) */
#define PT_BLOCK   1ull
#define PT_PAGE	   3ull
#define PT_ADDRESS 0x000000fffffff000ull

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
		*(volatile uint64_t *)entry = ((uintptr_t)table + pool->to_pa) | PT_TABLE;
	}
	return next_table(pool, *entry);
}

int pt_map(struct pt_pool *pool, uint64_t *root, uint64_t input, uint64_t pa, uint64_t size, uint64_t attributes)
{
	while (size != 0) {
		uint64_t *table = root;
		unsigned int level = 1;
		uint64_t *entry;
		uint64_t block;

		for (;;) {
			block = 1ull << level_shift(level);
			entry = &table[(input >> level_shift(level)) & (level == 1 ? ~0u : PT_ENTRIES - 1)];
			if (((input | pa) & (block - 1)) == 0 && size >= block) {
				break;
			}
			if ((*entry & PT_TABLE) == PT_BLOCK) {
				return -EEXIST;
			}
			table = table_below(pool, entry);
			if (table == NULL) {
				return -ENOMEM;
			}
			level++;
		}
		if (*entry != 0) {
			return -EEXIST;
		}
		*(volatile uint64_t *)entry = pa | attributes | (level == 3 ? PT_PAGE : PT_BLOCK);
		input += block;
		pa += block;
		size -= block;
	}
	return 0;
}

uint64_t *pt_find(const struct pt_pool *pool, uint64_t *root, uint64_t input, unsigned int *level)
{
	uint64_t *table = root;

	for (*level = 1;; (*level)++) {
		uint64_t *entry =
			&table[(input >> level_shift(*level)) & (*level == 1 ? ~0u : PT_ENTRIES - 1)];

		if (*entry == 0) {
			return NULL;
		}
		if (*level == 3 || (*entry & PT_TABLE) == PT_BLOCK) {
			return entry;
		}
		table = next_table(pool, *entry);
	}
}
