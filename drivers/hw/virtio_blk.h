/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's virtio disks (virtio 1.2, 5.2) as block backends; data stay where they are. */
#ifndef DRIVERS_HW_VIRTIO_BLK_H
#define DRIVERS_HW_VIRTIO_BLK_H

#include "../block.h"
#include "virtio.h"

#define HW_DISK_DESCRIPTORS 256u

/* What a request has besides its data (virtio 1.2, 5.2.6). */
struct hw_disk_header {
	uint32_t type, reserved;
	uint64_t sector;
	/* Of a discard and of write zeroes. */
	uint64_t range_sector;
	uint32_t range_sectors, range_flags;
};

struct hw_disk {
	struct hw_virtio device; /* first */
	struct block_backend backend;
	struct io_request identify; /* fills in id */
	char id[BLOCK_ID_LENGTH];   /* the backend's */
	/* By the head of the request's chain. */
	struct hw_disk_header header[HW_DISK_DESCRIPTORS];
	uint8_t status[HW_DISK_DESCRIPTORS];
	struct hw_slot slot[HW_DISK_DESCRIPTORS];
	uint8_t ring[HW_RING_BYTES(HW_DISK_DESCRIPTORS)] __attribute__((aligned(HW_RING_ALIGN)));
};

/*
 * Takes over the device at @registers, whose DeviceID is 2. @disk: a struct hw_disk, zero. The
 * backend's id comes by interrupt, soon. Returns false if the device can't be used. Boot core, at
 * start-up.
 */
bool hw_disk_init(void *disk, uintptr_t registers);

#endif
