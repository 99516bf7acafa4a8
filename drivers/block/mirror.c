/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that a disk keeps. One request at a time, of at most PIECE bytes, straight from and to the
 * memory. Lock: its owner's, around all of it; a disk's interrupt takes it here.
 */
#include "mirror.h"

#define PIECE 0x10000u /* bytes */

static void done(struct io_request *io, enum io_status status, uint32_t length);

/* The part of the operation that @mirror->request was has ended. */
static void step(struct mirror *mirror, enum io_status status)
{
	mirror->in_flight = false;
	mirror->status = status;
	if (mirror->from < mirror->to) {
		mirror->from += mirror->segment.length;
	} else {
		mirror->flush = false;
	}
}

static enum io_status submit(struct mirror *mirror)
{
	const uint32_t left = mirror->to - mirror->from;

	mirror->segment.at = mirror->at + mirror->from;
	mirror->segment.length = left < PIECE ? left : PIECE;
	mirror->request = (struct block_request){
		.io.done = done,
		.operation = left != 0 ? mirror->operation : BLOCK_FLUSH,
		.sector = left != 0 ? mirror->from / BLOCK_SECTOR : 0,
		.sectors = mirror->segment.length / BLOCK_SECTOR,
		.segment = &mirror->segment,
		.count = left != 0,
	};
	return mirror->disk->ops->submit(mirror->disk, &mirror->request);
}

/* Goes on until a request is in flight, or the disk is busy, or nothing is left to do. */
static enum io_status proceed(struct mirror *mirror)
{
	while (mirror->status == IO_OK && (mirror->from < mirror->to || mirror->flush)) {
		const enum io_status status = submit(mirror);

		if (status == IO_PENDING || status == IO_BUSY) {
			mirror->in_flight = status == IO_PENDING;
			return IO_PENDING;
		}
		step(mirror, status);
	}
	mirror->busy = false;
	return mirror->status;
}

static void done(struct io_request *io, enum io_status status, uint32_t length)
{
	struct mirror *mirror =
		(struct mirror *)((uint8_t *)io - offsetof(struct mirror, request.io));

	(void)length;
	spin_lock(mirror->lock);
	step(mirror, status);
	spin_unlock(mirror->lock);
}

static void batch(void *opaque)
{
	struct mirror *mirror = opaque;
	enum io_status status;

	spin_lock(mirror->lock);
	if (mirror->busy && !mirror->in_flight) {
		status = proceed(mirror);
		if (status != IO_PENDING) {
			mirror->ended(mirror, status);
		}
	}
	spin_unlock(mirror->lock);
}

const char *mirror_open(struct mirror *mirror, uint32_t size)
{
	struct block_backend *disk = mirror->disk;

	if (disk->sectors < size / BLOCK_SECTOR || disk->block_size > PIECE) {
		return "the disk is too small, or its blocks are larger than 64 KiB";
	}
	if (disk->read_only) {
		return "the disk can only be read";
	}
	mirror->listener = (struct io_listener){.batch = batch, .device = mirror};
	disk->ops->listen(disk, &mirror->listener);
	return NULL;
}

enum io_status mirror_begin(struct mirror *mirror, enum block_operation operation, uint32_t from,
			    uint32_t to)
{
	uint32_t block;

	if (mirror->disk == NULL) {
		return IO_OK;
	}
	block = mirror->disk->block_size;
	mirror->operation = operation;
	mirror->from = from & ~(block - 1);
	mirror->to = (to + block - 1) & ~(block - 1);
	mirror->flush = operation == BLOCK_WRITE && mirror->disk->writeback;
	mirror->status = IO_OK;
	mirror->busy = true;
	return proceed(mirror);
}
