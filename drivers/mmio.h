/* SPDX-License-Identifier: BSD-2-Clause */
/* How an emulated device answers trapped accesses. */
#ifndef DRIVERS_MMIO_H
#define DRIVERS_MMIO_H

#include <stdint.h>

/*
 * One access of the guest. @device: the device's own state; @offset: bytes from the start of its
 * region, a multiple of @size; @size: 1, 2 or 4 bytes. It never crosses the end of the region.
 * Devices don't refuse: what they don't have reads as zero and is ignored when written. Arguments
 * and not a structure, because they then stay in registers on the way from the trap to the device.
 * Context: HYP mode, interrupts masked, the lock of the device held if its region names one.
 */
struct mmio_ops {
	/* Returns the value; what is above @size bytes is ignored. */
	uint32_t (*read)(void *device, uint32_t offset, uint32_t size);
	/* @value: zero-extended. */
	void (*write)(void *device, uint32_t offset, uint32_t size, uint32_t value);
};

#endif
