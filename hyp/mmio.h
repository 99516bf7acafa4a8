/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulated devices by address. */
#ifndef HYP_MMIO_H
#define HYP_MMIO_H

#include <stdbool.h>
#include <stdint.h>
#include "../drivers/mmio.h"
#include "lock.h"

#define MMIO_REGIONS_MAX 72
#define MMIO_KEY_SHIFT                                                                             \
	8 /* regions start and end at multiples of 256 bytes, so that a key has 32 bits */

/*
 * Adds a device at [@base, @base + @size), IPA. @lock: taken around the handler, or NULL if it
 * locks itself. Returns 0, -EEXIST if it overlaps another, -ENOSPC, or -EINVAL for a size or base
 * that is no multiple of 256. Context: before any vCPU runs; the table is constant afterwards, so
 * accesses need no lock.
 */
int mmio_add(uint64_t base, uint32_t size, mmio_handler handler, void *device,
	     struct spinlock *lock);

/* Forgets all devices. */
void mmio_clear(void);

/*
 * Finds the device and lets it answer. @page: IPA / 4,096. @access: all but the offset filled in, which is
 * that from the start of the page and becomes that from the start of the device.
 * Returns false if nothing is there, the access is not naturally aligned, or the device refuses: the guest
 * gets an abort.
 */
bool mmio_dispatch_page(uint32_t page, struct mmio_access *access);

/* The same by address, below 2^40. */
static inline bool mmio_dispatch(uint64_t ipa, struct mmio_access *access)
{
	access->offset = (uint32_t)ipa & 0xfff;
	return mmio_dispatch_page((uint32_t)(ipa >> 12), access);
}

#endif
