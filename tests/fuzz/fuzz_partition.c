/* SPDX-License-Identifier: BSD-2-Clause */
/* The search for a partition on disks of any content: what it finds is on the disk, and is what a
 * second reading of the tables says; it ends, and reads nothing twice as much as it may. */
#include "drivers/lock.h"
#include "drivers/block/partition.h"
#include "drivers/block/ramdisk.h"
#include "tests/unit/mock_table.h"
#include "bytes.h"

#define SECTORS   128u
#define READS_MAX 400u

static uint8_t sectors[SECTORS * BLOCK_SECTOR];
static struct table_disk disk;
static struct ramdisk ramdisk;
static struct block_backend slow;
static struct partition_search search;
static const char *fault;
static unsigned int ends, reads;

/* What a second reading found. */
static struct {
	bool found;
	uint64_t start, count; /* blocks */
} ref;

static enum io_status count_reads(struct block_backend *backend, struct block_request *request)
{
	(void)backend;
	reads++;
	AGREE(request->operation, BLOCK_READ);
	AGREE(request->sectors > 0 && request->sectors <= 8, true);
	AGREE(request->sector < SECTORS && request->sectors <= SECTORS - request->sector, true);
	AGREE(request->sectors * BLOCK_SECTOR % disk.block_size, 0);
	return ramdisk.backend.ops->submit(&ramdisk.backend, request);
}

static void note_end(struct partition_search *ended, const char *sentence)
{
	(void)ended;
	ends++;
	fault = sentence;
}

static uint64_t load(const uint8_t *at, unsigned int size)
{
	uint64_t value = 0;

	while (size-- > 0) {
		value = value << 8 | at[size];
	}
	return value;
}

static void ref_take(uint64_t start, uint64_t count)
{
	ref.found = count != 0 && start < disk.blocks && count <= disk.blocks - start;
	ref.start = start;
	ref.count = count;
}

/* Returns false if the header or the entries are damaged. */
static bool ref_gpt(uint64_t at, uint32_t number)
{
	uint8_t header[4096];
	uint64_t count, size, entries;
	const uint8_t *entry;
	uint8_t any = 0;
	unsigned int i;

	if (at >= disk.blocks) {
		return false;
	}
	memcpy(header, table_block(&disk, at), disk.block_size);
	count = load(header + 80, 4);
	size = load(header + 84, 4);
	entries = load(header + 72, 8);
	memset(header + 16, 0, 4);
	if (memcmp(header, "EFI PART", 8) != 0 || load(header + 24, 8) != at ||
	    load(header + 12, 4) < 92 || load(header + 12, 4) > disk.block_size ||
	    crc32_update(0, header, (uint32_t)load(header + 12, 4)) !=
		    load(table_block(&disk, at) + 16, 4) ||
	    size < 128 || size > 4096 || __builtin_popcountll(size) != 1 || count == 0 ||
	    count * size > 1 << 20 || entries >= disk.blocks ||
	    (count * size + disk.block_size - 1) / disk.block_size > disk.blocks - entries ||
	    crc32_update(0, table_block(&disk, entries), (uint32_t)(count * size)) !=
		    load(header + 88, 4)) {
		return false;
	}
	if (number > count) {
		return true;
	}
	entry = table_block(&disk, entries) + (number - 1) * size;
	for (i = 0; i < 16; i++) {
		any |= entry[i];
	}
	if (any) {
		ref_take(load(entry + 32, 8), load(entry + 40, 8) - load(entry + 32, 8) + 1);
	}
	return true;
}

static bool ref_is(const uint8_t *entry, bool extended)
{
	bool is = entry[4] == 5 || entry[4] == 15 || entry[4] == 0x85;

	return entry[4] != 0 && load(entry + 12, 4) != 0 && is == extended;
}

static const uint8_t *ref_extended(uint64_t table)
{
	const uint8_t *entry = table_block(&disk, table) + 446;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (ref_is(entry + 16 * i, true)) {
			return entry + 16 * i;
		}
	}
	return NULL;
}

static void ref_mbr(uint32_t number)
{
	const uint8_t *extended = ref_extended(0);
	uint64_t base, table;
	uint32_t seen = 4;
	unsigned int links, i;

	if (number <= 4) {
		const uint8_t *entry = sectors + 446 + 16 * (number - 1);

		if (ref_is(entry, false)) {
			ref_take(load(entry + 8, 4), load(entry + 12, 4));
		}
		return;
	}
	for (links = 0, base = 0; extended && links < 128; links++) {
		table = base + load(extended + 8, 4);
		if (links == 0) {
			base = table;
		}
		if (table >= disk.blocks || load(table_block(&disk, table) + 510, 2) != 0xaa55) {
			return;
		}
		for (i = 0; i < 4; i++) {
			const uint8_t *entry = table_block(&disk, table) + 446 + 16 * i;

			if (ref_is(entry, false) && ++seen == number) {
				ref_take(table + load(entry + 8, 4), load(entry + 12, 4));
				return;
			}
		}
		extended = ref_extended(table);
	}
}

static void ref_find(uint32_t number)
{
	unsigned int i;

	ref.found = false;
	if (number == 0 || load(sectors + 510, 2) != 0xaa55) {
		return;
	}
	for (i = 0; i < 4; i++) {
		if (sectors[446 + 16 * i + 4] == 0xee) {
			if (!ref_gpt(1, number)) {
				ref_gpt(disk.blocks - 1, number);
			}
			return;
		}
	}
	ref_mbr(number);
}

static uint32_t any_block(struct bytes *in)
{
	uint8_t kind = take8(in);

	return kind < 250 ? kind % (uint32_t)disk.blocks : take32(in);
}

static void make_mbr(struct bytes *in)
{
	static const uint8_t type[] = {0, 0x83, 5, 0x0f, 0x85, 7, 5, 0x83};
	unsigned int i;

	for (i = take8(in) % 16; i > 0; i--) {
		uint32_t block = i == 1 ? 0 : any_block(in) % (uint32_t)disk.blocks;
		uint8_t kind = take8(in);

		table_mbr(&disk, block, kind & 3, type[kind >> 2 & 7], any_block(in),
			  any_block(in));
	}
}

static void make_gpt(struct bytes *in, bool backup)
{
	uint8_t kind = take8(in);
	struct table_gpt gpt = {backup ? disk.blocks - 1 : 1, backup ? disk.blocks / 2 : 2,
				1u + kind % 16, 128u << (kind >> 4 & 1)};
	unsigned int i;

	for (i = take8(in) % 4; i > 0; i--) {
		uint64_t first = any_block(in);

		table_gpt_entry(&disk, &gpt, take8(in) % gpt.count, first, first + any_block(in));
	}
	table_gpt_header(&disk, &gpt);
	if (kind & 0x40) { /* a lie, and the checksum of it */
		table_store(table_block(&disk, gpt.header) + 72 + 4 * (take8(in) % 4), 4,
			    take_length(in));
		table_gpt_sign(&disk, &gpt);
	}
}

static void make_disk(struct bytes *in)
{
	uint8_t kind = take8(in);
	unsigned int i;

	memset(sectors, 0, sizeof(sectors));
	ramdisk_init(&ramdisk, sectors, SECTORS);
	slow = ramdisk.backend;
	slow.block_size = 512u << (kind & 3);
	disk = (struct table_disk){sectors, SECTORS * BLOCK_SECTOR / slow.block_size,
				   slow.block_size};
	if (kind & 4) {
		make_mbr(in);
	}
	if (kind & 8) {
		make_gpt(in, false);
	}
	if (kind & 16) {
		make_gpt(in, true);
	}
	for (i = kind & 32 ? take8(in) % 32 : 0; i > 0; i--) {
		sectors[take16(in) % sizeof(sectors)] = take8(in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	static const struct block_ops ops = {.submit = count_reads};
	struct bytes in = {input, length};
	unsigned int i;

	make_disk(&in);
	slow.ops = &ops;
	for (i = 0; i < 4; i++) {
		uint32_t number = take8(&in) % 20;

		number = number == 19 ? take32(&in) : number;
		ends = reads = 0;
		partition_find(&search, &slow, number, note_end);
		ref_find(number);
		AGREE(ends, 1);
		AGREE(reads <= READS_MAX, true);
		AGREE(fault == NULL, ref.found);
		if (ref.found) {
			AGREE(search.start, ref.start * disk.block_size / BLOCK_SECTOR);
			AGREE(search.sectors, ref.count * disk.block_size / BLOCK_SECTOR);
		}
	}
	return 0;
}
