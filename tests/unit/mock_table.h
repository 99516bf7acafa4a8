/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes partition tables, for tests: little-endian stores into an array of sectors. */
#ifndef TESTS_MOCK_TABLE_H
#define TESTS_MOCK_TABLE_H

#include <string.h>
#include "drivers/block.h"
#include "drivers/crc32.h"

/* A disk in memory and the size of its blocks, in bytes. */
struct table_disk {
	uint8_t *at;
	uint64_t blocks;
	uint32_t block_size;
};

static inline void table_store(uint8_t *at, unsigned int size, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < size; i++) {
		at[i] = (uint8_t)(value >> (8 * i));
	}
}

static inline uint8_t *table_block(const struct table_disk *disk, uint64_t block)
{
	return disk->at + block * disk->block_size;
}

/* Entry @i, from 0, of the MBR or the logical table in @block. */
static inline void table_mbr(const struct table_disk *disk, uint64_t block, unsigned int i,
			     uint8_t type, uint32_t start, uint32_t size)
{
	uint8_t *entry = table_block(disk, block) + 446 + 16 * i;

	entry[4] = type;
	table_store(entry + 8, 4, start);
	table_store(entry + 12, 4, size);
	table_block(disk, block)[510] = 0x55;
	table_block(disk, block)[511] = 0xaa;
}

/* Where a GPT keeps its parts. */
struct table_gpt {
	uint64_t header, entries; /* blocks */
	uint32_t count, entry_size;
};

static inline void table_gpt_entry(const struct table_disk *disk, const struct table_gpt *gpt,
				   unsigned int i, uint64_t first, uint64_t last)
{
	uint8_t *entry = table_block(disk, gpt->entries) + (uint64_t)i * gpt->entry_size;

	memset(entry, 0x5a, 32);
	table_store(entry + 32, 8, first);
	table_store(entry + 40, 8, last);
}

/* The header's checksum again, after a change. */
static inline void table_gpt_sign(const struct table_disk *disk, const struct table_gpt *gpt)
{
	uint8_t *header = table_block(disk, gpt->header);
	uint32_t size = header[12] | (uint32_t)header[13] << 8;

	table_store(header + 16, 4, 0);
	table_store(header + 16, 4, crc32_update(0, header, size));
}

static inline void table_gpt_header(const struct table_disk *disk, const struct table_gpt *gpt)
{
	uint8_t *header = table_block(disk, gpt->header);
	const uint8_t *entries = table_block(disk, gpt->entries);

	memcpy(header, "EFI PART\0\0\1\0", 12);
	table_store(header + 12, 4, 92);
	table_store(header + 24, 8, gpt->header);
	table_store(header + 72, 8, gpt->entries);
	table_store(header + 80, 4, gpt->count);
	table_store(header + 84, 4, gpt->entry_size);
	table_store(header + 88, 4, crc32_update(0, entries, gpt->count * gpt->entry_size));
	table_gpt_sign(disk, gpt);
	table_mbr(disk, 0, 0, 0xee, 1, UINT32_MAX);
}

#endif
