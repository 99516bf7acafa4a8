/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated devices by address. A table that the middle bits of the address index says which
 * device it most likely is; only where two devices fall on the same place, or nothing is there, all
 * of them are looked at. Pure.
 */
#include "mmio.h"
#include <errno.h>

static struct mmio_region regions[MMIO_REGIONS_MAX];
static unsigned int region_count;
static const struct mmio_region nothing; /* count 0: no key is in it */

const struct mmio_region *mmio_likely[MMIO_LIKELY];
const struct mmio_region *mmio_shown[MMIO_SHOWN];

void mmio_clear(void)
{
	region_count = 0;
	for (unsigned int i = 0; i < MMIO_LIKELY; i++) {
		mmio_likely[i] = &nothing;
	}
}

int mmio_add(uint64_t base, uint32_t size, const struct mmio_ops *ops, void *device,
	     struct spinlock *lock)
{
	const uint32_t first = (uint32_t)(base >> MMIO_KEY_SHIFT), count = size >> MMIO_KEY_SHIFT;

	if (size == 0 || ((base | size) & ((1u << MMIO_KEY_SHIFT) - 1)) != 0 ||
	    base > (1ull << 40) - size) {
		return -EINVAL;
	}
	for (unsigned int i = 0; i < region_count; i++) {
		if (first - regions[i].first < regions[i].count ||
		    regions[i].first - first < count) {
			return -EEXIST;
		}
	}
	if (region_count == MMIO_REGIONS_MAX) {
		return -ENOSPC;
	}
	/* Flash would take all places, and is read with no access coming here. */
	for (uint32_t key = 0; key < count && count <= 2 * MMIO_LIKELY; key++) {
		mmio_likely[mmio_place(first + key)] = &regions[region_count];
	}
	regions[region_count++] = (struct mmio_region){first, count, *ops, device, lock};
	return 0;
}

const struct mmio_region *mmio_search(uint32_t key)
{
	for (unsigned int i = 0; i < region_count; i++) {
		if (key - regions[i].first < regions[i].count) {
			return &regions[i];
		}
	}
	return NULL;
}

void mmio_show(uint64_t page)
{
	for (unsigned int i = 0; i < MMIO_SHOWN; i++) {
		const uint32_t key = (uint32_t)((page + i * MMIO_SHOWN_BYTES) >> MMIO_KEY_SHIFT);
		const struct mmio_region *region = mmio_search(key);

		mmio_shown[i] = region != NULL && region->first == key &&
						region->count == MMIO_SHOWN_BYTES >> MMIO_KEY_SHIFT
					? region
					: NULL;
	}
}

/* The region and the offset of an access; NULL if it can't be answered. */
static const struct mmio_region *locate(uint64_t ipa, uint32_t size, uint32_t *offset)
{
	const uint32_t key = (uint32_t)(ipa >> MMIO_KEY_SHIFT),
		       low = (uint32_t)ipa & ((1u << MMIO_KEY_SHIFT) - 1);

	return (low & (size - 1)) != 0 ? NULL : mmio_find(key, low, offset);
}

bool mmio_read_ipa(uint64_t ipa, uint32_t size, uint32_t *value)
{
	uint32_t offset;
	const struct mmio_region *region = locate(ipa, size, &offset);

	if (region == NULL) {
		return false;
	}
	*value = mmio_region_read(region, offset, size);
	return true;
}

bool mmio_write_ipa(uint64_t ipa, uint32_t size, uint32_t value)
{
	uint32_t offset;
	const struct mmio_region *region = locate(ipa, size, &offset);

	if (region == NULL) {
		return false;
	}
	mmio_region_write(region, offset, size, value);
	return true;
}
