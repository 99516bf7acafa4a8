/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk in memory: each request ends in submit.
 * No lock: after start-up only the sectors change, and requests that overlap race on any disk.
 */
#include <string.h>
#include "ramdisk.h"
#include "segments.h"

/* A request is done with interrupts masked, so it is no longer than reads and writes usually are.
 */
#define WRITE_ZEROES_MAX 2048u

static enum io_status ramdisk_submit(struct block_backend *backend, struct block_request *request)
{
	uint8_t *at = ((struct ramdisk *)backend)->at + (size_t)request->sector * BLOCK_SECTOR;
	struct segment_cursor cursor = {request->segment, request->count, 0};
	uint32_t length = request->sectors * BLOCK_SECTOR;

	switch (request->operation) {
	case BLOCK_READ:
		segments_put(&cursor, at, length);
		return IO_OK;
	case BLOCK_WRITE:
		segments_get(&cursor, at, length);
		return IO_OK;
	case BLOCK_WRITE_ZEROES:
		memset(at, 0, length);
		return IO_OK;
	default:
		return IO_UNSUPPORTED;
	}
}

static void ramdisk_listen(struct block_backend *backend, struct io_listener *listener)
{
	(void)backend; /* it never has anything to tell */
	(void)listener;
}

static const struct block_ops ramdisk_ops = {.submit = ramdisk_submit, .listen = ramdisk_listen};

void ramdisk_init(struct ramdisk *disk, uint8_t *at, uint64_t sectors)
{
	static const char id[BLOCK_ID_LENGTH] = "bivy RAM disk";

	*disk = (struct ramdisk){
		.backend = {.ops = &ramdisk_ops,
			    .sectors = sectors,
			    .block_size = BLOCK_SECTOR,
			    .segments_max = UINT16_MAX,
			    .write_zeroes_max = WRITE_ZEROES_MAX,
			    .id = id},
		.at = at,
	};
}
