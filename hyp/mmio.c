/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulated devices by address: a sorted table, searched by halves. Pure. */
#include "mmio.h"
#include <errno.h>
#include <stddef.h>

struct mmio_region {
	uint32_t first, last; /* keys: IPA / 256 of the first and the last byte */
	mmio_handler handler;
	void *device;
	struct spinlock *lock;
};

static struct mmio_region regions[MMIO_REGIONS_MAX + 1]; /* the last is never in use: lower_bound() may point there */
static unsigned int region_count;

static uint32_t key_of(uint64_t ipa)
{
	return (uint32_t)(ipa >> MMIO_KEY_SHIFT);
}

/* The first region that ends at @key or above. */
static unsigned int lower_bound(uint32_t key)
{
	unsigned int low = 0, high = region_count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (regions[middle].last < key) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

void mmio_clear(void)
{
	region_count = 0;
}

int mmio_add(uint64_t base, uint32_t size, mmio_handler handler, void *device, struct spinlock *lock)
{
	const uint32_t first = key_of(base), last = key_of(base + size - 1);
	unsigned int at = lower_bound(first);

	if (size == 0 || ((base | size) & ((1u << MMIO_KEY_SHIFT) - 1)) != 0 || base > (1ull << 40) - size) {
		return -EINVAL;
	}
	if (region_count == MMIO_REGIONS_MAX) {
		return -ENOSPC;
	}
	if (at < region_count && regions[at].first <= last) {
		return -EEXIST;
	}
	for (unsigned int i = region_count++; i > at; i--) {
		regions[i] = regions[i - 1];
	}
	regions[at] = (struct mmio_region){first, last, handler, device, lock};
	return 0;
}

bool mmio_dispatch(uint64_t ipa, struct mmio_access *access)
{
	const uint32_t key = key_of(ipa);
	const struct mmio_region *region = &regions[lower_bound(key)];
	bool done;

	if (region == &regions[region_count] || key < region->first || (ipa & (access->size - 1u)) != 0) {
		return false;
	}
	access->offset = (uint32_t)ipa - (region->first << MMIO_KEY_SHIFT);
	if (region->lock == NULL) {
		return region->handler(region->device, access);
	}
	spin_lock(region->lock);
	done = region->handler(region->device, access);
	spin_unlock(region->lock);
	return done;
}
