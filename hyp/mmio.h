/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulated devices by address. */
#ifndef HYP_MMIO_H
#define HYP_MMIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../drivers/mmio.h"
#include "../drivers/lock.h"

#define MMIO_REGIONS_MAX 72
/* Regions start and end at multiples of 256 bytes: an address in these units, a key, has 32 bits.
 */
#define MMIO_KEY_SHIFT 8
#define MMIO_LIKELY    256u

struct mmio_region {
	uint32_t first, count; /* keys; count 0: no region */
	struct mmio_ops ops;
	void *device;
	struct spinlock *lock; /* around each access; NULL: the device locks itself */
};

/*
 * Adds a device at [@base, @base + @size), IPA. Returns 0, -EEXIST if it overlaps another, -ENOSPC,
 * or -EINVAL for a size or base that is no multiple of 256. Context: before any vCPU runs; the
 * table is constant afterwards, so accesses need no lock.
 */
int mmio_add(uint64_t base, uint32_t size, const struct mmio_ops *ops, void *device,
	     struct spinlock *lock);

/* Forgets all devices. Before the first use, too. */
void mmio_clear(void);

/*
 * The devices of the page that the guest reads with no exit, by address; NULL: none. There is no
 * other page then of which writes alone trap: so that a permission fault is one there, as HPFAR
 * says nothing of it (ARM DDI 0406C B3.13.3). mmio_show() fills it in: @page: IPA. Context: as
 * mmio_add().
 */
#define MMIO_SHOWN_BYTES 0x200u /* of each; what is not as long, is not shown */
#define MMIO_SHOWN       8u
extern const struct mmio_region *mmio_shown[MMIO_SHOWN];
void mmio_show(uint64_t page);

/* Which device it most likely is, by mmio_place() of the key (mmio.c). */
extern const struct mmio_region *mmio_likely[MMIO_LIKELY];

/* The slow way to the region of @key; NULL if there is none. */
const struct mmio_region *mmio_search(uint32_t key);

/* Devices like to be 512 bytes or 16 MiB apart. */
static inline unsigned int mmio_place(uint32_t key)
{
	return (key / 2 + key / 8192) % MMIO_LIKELY;
}

/*
 * The region of an address, NULL if there is none. @key: its upper bits, @low: the address modulo
 * 256 bytes. *offset gets the bytes from the start of the region.
 */
static inline const struct mmio_region *mmio_find(uint32_t key, uint32_t low, uint32_t *offset)
{
	const struct mmio_region *region = mmio_likely[mmio_place(key)];
	uint32_t distance = key - region->first;

	if (__builtin_expect(distance >= region->count, 0)) {
		region = mmio_search(key);
		distance = region != NULL ? key - region->first : 0;
	}
	*offset = distance << MMIO_KEY_SHIFT | low;
	return region;
}

/* @offset: bytes, a multiple of @size. */
static inline uint32_t mmio_region_read(const struct mmio_region *region, uint32_t offset,
					uint32_t size)
{
	uint32_t value;

	if (region->lock == NULL) {
		return region->ops.read(region->device, offset, size);
	}
	spin_lock(region->lock);
	value = region->ops.read(region->device, offset, size);
	spin_unlock(region->lock);
	return value;
}

static inline void mmio_region_write(const struct mmio_region *region, uint32_t offset,
				     uint32_t size, uint32_t value)
{
	if (region->lock == NULL) {
		region->ops.write(region->device, offset, size, value);
		return;
	}
	spin_lock(region->lock);
	region->ops.write(region->device, offset, size, value);
	spin_unlock(region->lock);
}

/*
 * One access by address. @ipa: below 2^40; @size: 1, 2 or 4 bytes. Returns false if nothing is
 * there or the access is not naturally aligned: the guest gets an abort.
 */
bool mmio_read_ipa(uint64_t ipa, uint32_t size, uint32_t *value);
bool mmio_write_ipa(uint64_t ipa, uint32_t size, uint32_t value);

#endif
