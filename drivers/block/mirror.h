/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that a disk keeps: filled from it once, what changes is written through to it. Pure. */
#ifndef DRIVERS_BLOCK_MIRROR_H
#define DRIVERS_BLOCK_MIRROR_H

#include "../block.h"
#include "../lock.h"

struct mirror {
	/* The owner's, set before mirror_open(): */
	uint8_t *at;
	struct block_backend *disk; /* NULL: nobody keeps it */
	struct spinlock *lock;
	/* An operation that mirror_begin() left pending has ended; the lock is held. */
	void (*ended)(struct mirror *mirror, enum io_status status);

	/* The mirror's own: */
	struct io_listener listener;
	struct block_request request;
	struct io_segment segment;
	enum block_operation operation;
	uint32_t from, to; /* bytes that are still to be moved */
	bool flush;        /* and then the disk is to be flushed */
	bool busy;         /* an operation has not ended yet */
	bool in_flight;    /* a request of it is with the disk */
	enum io_status status;
};

/*
 * Begins to listen to the disk. @size: bytes of the memory, a multiple of 64 KiB.
 * Returns NULL, or why the disk can't keep it. Start-up.
 */
const char *mirror_open(struct mirror *mirror, uint32_t size);

/*
 * BLOCK_READ: fills the bytes from @from to @to from the disk; BLOCK_WRITE: writes them, and what
 * the disk's blocks have around them, and flushes the disk. Lock: held. One operation at a time.
 * Returns IO_PENDING if ended() will be called, else how it ended; with no disk IO_OK.
 */
enum io_status mirror_begin(struct mirror *mirror, enum block_operation operation, uint32_t from,
			    uint32_t to);

#endif
