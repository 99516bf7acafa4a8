/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk in memory. Pure. */
#ifndef DRIVERS_BLOCK_RAMDISK_H
#define DRIVERS_BLOCK_RAMDISK_H

#include "../block.h"

struct ramdisk {
	struct block_backend backend; /* first: its functions get a pointer to it */
	uint8_t *at;
};

/* @at: the first of @sectors sectors, which outlive the disk. */
void ramdisk_init(struct ramdisk *disk, uint8_t *at, uint64_t sectors);

#endif
