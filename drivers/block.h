/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface between a disk that the guest sees and what keeps its sectors. */
#ifndef DRIVERS_BLOCK_H
#define DRIVERS_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include "io.h"

#define BLOCK_SECTOR    512u /* bytes; the unit of all addresses and sizes here */
#define BLOCK_ID_LENGTH 20u  /* bytes, padded with zeroes (virtio 1.2, 5.2.6) */

struct block_backend;

enum block_operation {
	BLOCK_READ,
	BLOCK_WRITE,
	BLOCK_FLUSH,        /* everything that ended before it was submitted lasts */
	BLOCK_DISCARD,      /* what is read there afterwards is undefined */
	BLOCK_WRITE_ZEROES, /* reads as zero afterwards */
};

struct block_request {
	struct io_request io;
	enum block_operation operation;
	bool unmap;       /* BLOCK_WRITE_ZEROES: the sectors may be discarded, too */
	uint64_t sector;  /* the first */
	uint32_t sectors; /* 0 for BLOCK_FLUSH only. Of reads and writes: what the segments hold */
	/* Of reads and writes. The array is the submitter's again after submit, the memory after
	 * done. */
	const struct io_segment *segment;
	uint16_t count;
};

struct block_ops {
	/*
	 * The submitter has checked that the sectors exist, count against segments_max, and the
	 * operation against the backend's abilities. A backend may change sector for its own use.
	 */
	enum io_status (*submit)(struct block_backend *backend, struct block_request *request);
	/* Once for each device, before its own first request; others may have begun. */
	void (*listen)(struct block_backend *backend, struct io_listener *listener);
};

/* What it can do. Constant after start-up. */
struct block_backend {
	const struct block_ops *ops;
	uint64_t sectors;
	uint32_t block_size;       /* bytes, a power of two from 512 */
	uint8_t physical_exponent; /* a physical block is block_size << this */
	uint8_t alignment_offset;  /* blocks before the first aligned one */
	uint16_t minimum_io;       /* blocks, 0: not known */
	uint32_t optimal_io;       /* blocks, 0: not known */
	uint16_t segments_max;     /* of one request */
	bool read_only;
	bool writeback;             /* writes may be lost before a flush: BLOCK_FLUSH is there */
	uint32_t discard_max;       /* sectors of one request; 0: no BLOCK_DISCARD */
	uint32_t discard_alignment; /* sectors */
	uint32_t write_zeroes_max;  /* sectors of one request; 0: no BLOCK_WRITE_ZEROES */
	bool write_zeroes_may_unmap;
	const char *id; /* BLOCK_ID_LENGTH bytes, which a disk may tell after start-up only */
};

#endif
