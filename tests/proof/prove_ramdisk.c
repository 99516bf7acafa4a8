/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disk in memory: any request that is within it (what the disk's model checks, prove_blk shows).
 * @sources drivers/block/ramdisk.c
 * @run -eva-precision 1
 * @plant drivers/block/ramdisk.c s/size_t.request->sector/size_t)(1 + request->sector)/
 */
#include "drivers/block/ramdisk.h"
#include "cursor.h"

#define SECTORS 6u

static uint8_t sectors[SECTORS * BLOCK_SECTOR], room[SECTORS * BLOCK_SECTOR];
static struct ramdisk disk;

void main(void)
{
	struct io_segment segment = {room, sizeof(room)};
	struct block_request request = {.operation =
						(enum block_operation)up_to(BLOCK_WRITE_ZEROES),
					.sector = up_to(SECTORS - 1),
					.segment = &segment,
					.count = 1};

	/*@ split request.sector; */
	request.sectors = 1 + up_to(SECTORS - 1 - (uint32_t)request.sector);
	/*@ split request.sectors; */
	ramdisk_init(&disk, sectors, SECTORS);
	disk.backend.ops->listen(&disk.backend, NULL);
	disk.backend.ops->submit(&disk.backend, &request);
}
