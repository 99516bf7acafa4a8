/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulated devices by address: a sorted table, searched by halves. Pure. */
#include "mmio.h"
#include <errno.h>
#include <stddef.h>

struct mmio_region {
	uint32_t first; /* key of the first byte: IPA / 256 */
	mmio_handler handler;
	void *device;
	struct spinlock *lock;
};

/*
 * last[i] is the key of the last byte of regions[i], in rising order. A power of two of them is searched;
 * those behind the last region have the highest key.
 */
static uint32_t last[MMIO_REGIONS_MAX];
static struct mmio_region regions[MMIO_REGIONS_MAX];
static unsigned int region_count;
static unsigned int half; /* of the searched power of two, or 0 */

/* The first region that ends at @key or above; beyond the last region, one that starts above @key. */
static inline unsigned int find(uint32_t key)
{
	unsigned int at = 0;

	for (unsigned int step = half; step != 0; step /= 2) {
		if (last[at + step - 1] < key) {
			at += step;
		}
	}
	return at;
}

void mmio_clear(void)
{
	region_count = 0;
	half = 0;
	for (unsigned int i = 0; i < MMIO_REGIONS_MAX; i++) {
		last[i] = UINT32_MAX;
		regions[i].first = UINT32_MAX;
	}
}

int mmio_add(uint64_t base, uint32_t size, mmio_handler handler, void *device, struct spinlock *lock)
{
	const uint32_t first_key = (uint32_t)(base >> MMIO_KEY_SHIFT);
	const uint32_t last_key = (uint32_t)((base + size - 1) >> MMIO_KEY_SHIFT);
	unsigned int at = find(first_key);

	if (size == 0 || ((base | size) & ((1u << MMIO_KEY_SHIFT) - 1)) != 0 || base > (1ull << 40) - size) {
		return -EINVAL;
	}
	if (region_count == MMIO_REGIONS_MAX - 1) { /* find() needs one that starts above all keys */
		return -ENOSPC;
	}
	if (regions[at].first <= last_key) {
		return -EEXIST;
	}
	for (unsigned int i = region_count++; i > at; i--) {
		regions[i] = regions[i - 1];
		last[i] = last[i - 1];
	}
	regions[at] = (struct mmio_region){first_key, handler, device, lock};
	last[at] = last_key;
	while (2 * half < region_count + 1) {
		half = half == 0 ? 1 : 2 * half;
	}
	return 0;
}

bool mmio_dispatch_page(uint32_t page, struct mmio_access *access)
{
	const uint32_t key = page << (12 - MMIO_KEY_SHIFT) | access->offset >> MMIO_KEY_SHIFT;
	const struct mmio_region *region = &regions[find(key)];
	bool done;

	if (key < region->first || (access->offset & (access->size - 1u)) != 0) {
		return false;
	}
	access->offset = (key - region->first) << MMIO_KEY_SHIFT | (access->offset & 0xff);
	if (region->lock == NULL) {
		return region->handler(region->device, access);
	}
	spin_lock(region->lock);
	done = region->handler(region->device, access);
	spin_unlock(region->lock);
	return done;
}
