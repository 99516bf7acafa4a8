/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The search for a partition: a row of steps, each of which looks at what it had read and asks for
 * more. All that it reads is hostile: search_read() is the one bound on addresses, mbr.links and
 * ENTRIES_MAX are those on lengths.
 * Lock: the search's own, inside of which the backend takes its.
 */
#include <string.h>
#include "partition.h"
#include "../crc32.h"

/* The MBR, and the tables in the chain of logical partitions (UEFI 2.10, 5.2.1). */
#define MBR_ENTRIES     446u
#define MBR_ENTRY       16u
#define MBR_SIGNATURE   510u
#define ENTRY_TYPE      4u
#define ENTRY_START     8u
#define ENTRY_SIZE      12u
#define TYPE_PROTECTIVE 0xeeu
#define LINKS_MAX       128u

/* The GPT's header (UEFI 2.10, 5.3.2) and entries (5.3.3), little-endian. */
#define HEADER_SIZE        12u
#define HEADER_CRC         16u
#define HEADER_LBA         24u
#define HEADER_ENTRIES     72u
#define HEADER_COUNT       80u
#define HEADER_ENTRY_SIZE  84u
#define HEADER_ENTRIES_CRC 88u
#define HEADER_END         92u
#define ENTRY_FIRST        32u
#define ENTRY_LAST         40u
#define ENTRY_MIN          128u
#define ENTRIES_MAX        (1u << 20) /* bytes */

static const char no_such[] = "it has no such partition";

static uint32_t load32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint64_t load64(const uint8_t *at)
{
	return load32(at) | (uint64_t)load32(at + 4) << 32;
}

static uint64_t blocks_of(const struct partition_search *search)
{
	return search->backend->sectors >> search->block_shift;
}

/* Ends the search. */
static bool search_fail(struct partition_search *search, const char *fault)
{
	search->fault = fault;
	return false;
}

static bool search_found(struct partition_search *search, uint64_t block, uint64_t blocks)
{
	uint64_t total = blocks_of(search);

	if (blocks == 0) {
		return search_fail(search, no_such);
	}
	if (block > total || blocks > total - block) {
		return search_fail(search, "its partition ends behind it");
	}
	search->start = block << search->block_shift;
	search->sectors = blocks << search->block_shift;
	return false;
}

/* Asks for blocks; if they do not exist, that is as if they could not be read. */
static bool search_read(struct partition_search *search, uint64_t block, uint32_t blocks,
			bool (*step)(struct partition_search *search, bool read))
{
	uint64_t total = blocks_of(search);
	bool exists = block < total && blocks <= total - block;

	search->request.sector = block << search->block_shift;
	search->request.sectors = exists ? blocks << search->block_shift : 0;
	search->step = step;
	return true;
}

static bool signature_is_there(const struct partition_search *search)
{
	return search->buffer[MBR_SIGNATURE] == 0x55 && search->buffer[MBR_SIGNATURE + 1] == 0xaa;
}

static const uint8_t *mbr_entry(const struct partition_search *search, uint32_t i)
{
	return search->buffer + MBR_ENTRIES + i * MBR_ENTRY;
}

static bool is_extended(const uint8_t *entry)
{
	uint8_t type = entry[ENTRY_TYPE];

	return type == 0x05 || type == 0x0f || type == 0x85;
}

static bool is_used(const uint8_t *entry)
{
	return entry[ENTRY_TYPE] != 0 && load32(entry + ENTRY_SIZE) != 0;
}

/* The first extended entry of the table in the buffer, NULL if there is none. */
static const uint8_t *extended_entry(const struct partition_search *search)
{
	uint32_t i;

	for (i = 0; i < 4; i++) {
		const uint8_t *entry = mbr_entry(search, i);

		if (is_used(entry) && is_extended(entry)) {
			return entry;
		}
	}
	return NULL;
}

/*
 * A table of the chain: logical partitions count from the table itself, the next table from the
 * start of the extended partition.
 */
static bool logical_step(struct partition_search *search, bool read)
{
	uint64_t table = search->request.sector >> search->block_shift;
	const uint8_t *link;
	uint32_t i;

	if (!read || !signature_is_there(search)) {
		return search_fail(search, "its chain of logical partitions is damaged");
	}
	for (i = 0; i < 4; i++) {
		const uint8_t *entry = mbr_entry(search, i);

		if (is_used(entry) && !is_extended(entry) && ++search->mbr.seen == search->number) {
			return search_found(search, table + load32(entry + ENTRY_START),
					    load32(entry + ENTRY_SIZE));
		}
	}
	link = extended_entry(search);
	if (!link || ++search->mbr.links == LINKS_MAX) {
		return search_fail(search, no_such);
	}
	return search_read(search, search->start + load32(link + ENTRY_START), 1, logical_step);
}

static bool mbr_search(struct partition_search *search)
{
	const uint8_t *entry;

	if (search->number <= 4) {
		entry = mbr_entry(search, search->number - 1);
		return search_found(
			search, load32(entry + ENTRY_START),
			is_used(entry) && !is_extended(entry) ? load32(entry + ENTRY_SIZE) : 0);
	}
	entry = extended_entry(search);
	if (!entry) {
		return search_fail(search, no_such);
	}
	search->mbr.seen = 4;
	search->mbr.links = 0;
	search->start = load32(entry + ENTRY_START);
	return search_read(search, search->start, 1, logical_step);
}

static bool gpt_header_step(struct partition_search *search, bool read);

/* The backup's header is the last block of the disk. */
static bool gpt_backup(struct partition_search *search)
{
	if (search->gpt.backup) {
		return search_fail(search, "its GPT is damaged, and the backup too");
	}
	search->gpt.backup = true;
	return search_read(search, blocks_of(search) - 1, 1, gpt_header_step);
}

static bool gpt_entries_step(struct partition_search *search, bool read);

static bool gpt_entries_read(struct partition_search *search)
{
	uint32_t left = search->gpt.length - search->gpt.passed;
	uint32_t part = left < PARTITION_BUFFER ? left : PARTITION_BUFFER;
	uint32_t block_size = search->backend->block_size;

	return search_read(search, search->gpt.entries_at, (part + block_size - 1) / block_size,
			   gpt_entries_step);
}

/* Keeps what was asked for when it passes; it counts once all of them have the right checksum. */
static bool gpt_entries_step(struct partition_search *search, bool read)
{
	static const uint8_t unused[16];
	uint32_t left = search->gpt.length - search->gpt.passed;
	uint32_t part = left < PARTITION_BUFFER ? left : PARTITION_BUFFER;
	uint64_t offset =
		(uint64_t)(search->number - 1) * search->gpt.entry_size - search->gpt.passed;
	/* The mask changes nothing, but says that an entry lies in the buffer whole. */
	const uint8_t *entry = search->buffer + (offset < part ? offset & -(uint64_t)ENTRY_MIN : 0);

	if (!read) {
		return gpt_backup(search);
	}
	if (offset < part && memcmp(entry, unused, sizeof(unused)) != 0) {
		search->start = load64(entry + ENTRY_FIRST);
		search->sectors = load64(entry + ENTRY_LAST) - search->start + 1;
	}
	search->gpt.crc = crc32_update(search->gpt.crc, search->buffer, part);
	search->gpt.passed += part;
	search->gpt.entries_at += search->request.sectors >> search->block_shift;
	if (search->gpt.passed < search->gpt.length) {
		return gpt_entries_read(search);
	}
	if (search->gpt.crc != search->gpt.entries_crc) {
		return gpt_backup(search);
	}
	return search_found(search, search->start, search->sectors);
}

/* The header in the buffer is whole, and at its place. Its checksum is cleared. */
static bool gpt_header_good(struct partition_search *search)
{
	uint8_t *header = search->buffer;
	uint32_t size = load32(header + HEADER_SIZE), crc = load32(header + HEADER_CRC);

	if (memcmp(header, "EFI PART", 8) != 0 || size < HEADER_END ||
	    size > search->backend->block_size ||
	    load64(header + HEADER_LBA) != search->request.sector >> search->block_shift) {
		return false;
	}
	memset(header + HEADER_CRC, 0, sizeof(crc));
	return crc32_update(0, header, size) == crc;
}

static bool gpt_header_step(struct partition_search *search, bool read)
{
	const uint8_t *header = search->buffer;
	uint32_t entry_size = load32(header + HEADER_ENTRY_SIZE);
	uint64_t length = (uint64_t)load32(header + HEADER_COUNT) * entry_size;

	/* A power of two, so that no entry lies across the end of the buffer. */
	if (!read || !gpt_header_good(search) || entry_size < ENTRY_MIN ||
	    entry_size > PARTITION_BUFFER || (entry_size & (entry_size - 1)) != 0 ||
	    length > ENTRIES_MAX) {
		return gpt_backup(search);
	}
	search->gpt.entries_at = load64(header + HEADER_ENTRIES);
	search->gpt.entries_crc = load32(header + HEADER_ENTRIES_CRC);
	search->gpt.entry_size = entry_size;
	search->gpt.length = (uint32_t)length;
	search->gpt.passed = 0;
	search->gpt.crc = 0;
	search->start = search->sectors = 0;
	return gpt_entries_read(search);
}

static bool first_step(struct partition_search *search, bool read)
{
	uint32_t i;

	if (!read) {
		return search_fail(search, "its first block can't be read");
	}
	if (!signature_is_there(search)) {
		return search_fail(search, "it has no partition table");
	}
	for (i = 0; i < 4; i++) {
		if (mbr_entry(search, i)[ENTRY_TYPE] == TYPE_PROTECTIVE) {
			search->gpt.backup = false;
			return search_read(search, 1, 1, gpt_header_step);
		}
	}
	return mbr_search(search);
}

static enum io_status search_submit(struct partition_search *search)
{
	const struct io_segment segment = {search->buffer, search->request.sectors * BLOCK_SECTOR};

	if (search->request.sectors == 0) {
		return IO_ERROR;
	}
	search->request.segment = &segment;
	return search->backend->ops->submit(search->backend, &search->request);
}

/* @status: of the request that ended. A busy backend is as one that can't read. */
static void search_go_on(struct partition_search *search, enum io_status status)
{
	bool more;

	spin_lock(&search->lock);
	do {
		more = search->step(search, status == IO_OK);
		if (more) {
			status = search_submit(search);
		}
	} while (more && status != IO_PENDING);
	spin_unlock(&search->lock);
	if (!more) {
		search->ended(search, search->fault);
	}
}

static void search_done(struct io_request *io, enum io_status status, uint32_t length)
{
	(void)length; /* a read that is done filled all of it */
	search_go_on((struct partition_search *)io, status);
}

static bool begin_step(struct partition_search *search, bool read)
{
	(void)read;
	return search_read(search, 0, 1, first_step);
}

void partition_find(struct partition_search *search, struct block_backend *backend, uint32_t number,
		    partition_ended *ended)
{
	if (number == 0 || backend->block_size > PARTITION_BUFFER) {
		ended(search, number == 0 ? no_such : "its blocks are larger than 4 KiB");
		return;
	}
	search->lock = (struct spinlock){0};
	search->backend = backend;
	search->block_shift = (uint32_t)__builtin_ctz(backend->block_size / BLOCK_SECTOR);
	search->request =
		(struct block_request){.io.done = search_done, .operation = BLOCK_READ, .count = 1};
	search->number = number;
	search->ended = ended;
	search->fault = NULL;
	search->step = begin_step;
	search_go_on(search, IO_OK);
}
