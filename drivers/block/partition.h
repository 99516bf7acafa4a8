/* SPDX-License-Identifier: BSD-2-Clause */
/* A part of a disk as a disk of its own, and the search for it in the partition table. Pure. */
#ifndef DRIVERS_BLOCK_PARTITION_H
#define DRIVERS_BLOCK_PARTITION_H

#include "../block.h"
#include "../lock.h"

struct partition {
	struct block_backend backend; /* first: its functions get a pointer to it */
	struct block_backend *parent;
	uint64_t start; /* sector of the parent */
};

/*
 * @parent: outlives the partition; @start, @sectors: what it is of it.
 * Returns NULL, or a sentence if that is not inside of the parent, or not whole blocks.
 */
const char *partition_init(struct partition *partition, struct block_backend *parent,
			   uint64_t start, uint64_t sectors);

#define PARTITION_BUFFER 4096u /* bytes; no disk with larger blocks is searched */

struct partition_search;

/*
 * @fault: NULL, and start and sectors are set; or a sentence about the disk, which it calls "it".
 * Called without the search's lock, from partition_find() or from the backend's interrupt. The
 * search may be used again after it.
 */
typedef void partition_ended(struct partition_search *search, const char *fault);

struct partition_search {
	struct block_request request; /* first: done() gets a pointer to it */
	struct block_backend *backend;
	partition_ended *ended;
	uint64_t start, sectors; /* the result; and of the extended partition, in blocks */
	struct spinlock lock;    /* guards all of it during a search */
	/* What comes when a block was read, or could not be. Returns false at the end. */
	bool (*step)(struct partition_search *search, bool read);
	const char *fault;
	uint32_t number;
	uint32_t block_shift; /* a block is 1 << this sectors */
	union {
		struct {
			uint32_t seen, links; /* logical partitions, tables */
		} mbr;
		struct {
			uint64_t entries_at; /* the block that comes next */
			uint32_t passed, length, entry_size, entries_crc, crc; /* bytes */
			bool backup;
		} gpt;
	};
	_Alignas(64) uint8_t buffer[PARTITION_BUFFER];
};

/*
 * Searches the GPT, or else the MBR, by one request at a time. It does not listen to the backend:
 * what that is too busy for counts as not readable.
 * @search: not in a search; @number: as Linux counts, from 1; logical partitions are those from 5.
 * Source: UEFI 2.10, chapter 5.
 */
void partition_find(struct partition_search *search, struct block_backend *backend, uint32_t number,
		    partition_ended *ended);

#endif
