/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated devices by address. A table that the middle bits of the address index says which device it most
 * likely is; only where two devices fall on the same place, or nothing is there, all of them are looked at. Pure.
 */
#include "mmio.h"
#include <errno.h>
#include <stddef.h>

#define LIKELY_BLOCKS 256 /* of 512 bytes each: 128 KiB, then the same places again */

/* In units of 256 bytes, called keys: those of a 40-bit address have 32 bits. */
struct mmio_region {
	uint32_t first, count; /* keys; count 0: no region */
	mmio_handler handler;
	void *device;
	struct spinlock *lock;
};

static struct mmio_region regions[MMIO_REGIONS_MAX];
static unsigned int region_count;
static uint16_t likely[LIKELY_BLOCKS]; /* bytes from regions[0] to a region; 0 where there is none, too */

static inline unsigned int block_of(uint32_t key)
{
	return (key / 2 + key / 8192) % LIKELY_BLOCKS; /* devices like to be 16 MiB apart */
}

void mmio_clear(void)
{
	for (; region_count != 0; region_count--) {
		regions[region_count - 1].count = 0;
	}
}

int mmio_add(uint64_t base, uint32_t size, mmio_handler handler, void *device, struct spinlock *lock)
{
	const uint32_t first = (uint32_t)(base >> MMIO_KEY_SHIFT), count = size >> MMIO_KEY_SHIFT;

	if (size == 0 || ((base | size) & ((1u << MMIO_KEY_SHIFT) - 1)) != 0 || base > (1ull << 40) - size) {
		return -EINVAL;
	}
	for (unsigned int i = 0; i < region_count; i++) {
		if (first - regions[i].first < regions[i].count || regions[i].first - first < count) {
			return -EEXIST;
		}
	}
	if (region_count == MMIO_REGIONS_MAX) {
		return -ENOSPC;
	}
	for (uint32_t key = 0; key < count && key < 2 * LIKELY_BLOCKS; key++) {
		likely[block_of(first + key)] = (uint16_t)(region_count * sizeof(regions[0]));
	}
	regions[region_count++] = (struct mmio_region){first, count, handler, device, lock};
	return 0;
}

/* The slow way to the region of @key, NULL if there is none. */
static __attribute__((noinline)) const struct mmio_region *search(uint32_t key)
{
	for (unsigned int i = 0; i < region_count; i++) {
		if (key - regions[i].first < regions[i].count) {
			return &regions[i];
		}
	}
	return NULL;
}

static bool locked_access(const struct mmio_region *region, struct mmio_access *access)
{
	bool done;

	spin_lock(region->lock);
	done = region->handler(region->device, access);
	spin_unlock(region->lock);
	return done;
}

bool mmio_dispatch_page(uint32_t page, struct mmio_access *access)
{
	const uint32_t key = page << (12 - MMIO_KEY_SHIFT) | access->offset >> MMIO_KEY_SHIFT;
	const struct mmio_region *region =
		(const void *)((const char *)regions + likely[block_of(key)]);

	if (key - region->first >= region->count) {
		region = search(key);
		if (region == NULL) {
			return false;
		}
	}
	if ((access->offset & (access->size - 1u)) != 0) {
		return false;
	}
	access->offset = (key - region->first) << MMIO_KEY_SHIFT | (access->offset & 0xff);
	return region->lock != NULL ? locked_access(region, access)
				    : region->handler(region->device, access);
}
