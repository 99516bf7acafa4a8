/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated devices by address: devices anywhere and of any size, more of them than there is room for; accesses
 * to any address of the 40 bits, of each size. A device is asked for what is aligned, with its lock held; that it lies
 * in the device tests/unit/test_mmio.c shows.
 * @sources +hyp/mmio.c
 * @run -eva-auto-loop-unroll=256 -eva-domains=cvalue,equality,gauges,symbolic-locations,bitwise
 * @plant hyp/mmio.c s/if .region_count == MMIO_REGIONS_MAX/if (region_count > MMIO_REGIONS_MAX/
 * @plant hyp/mmio.h s/distance >= region->count, 0/distance > region->count, 0/
 * @plant hyp/mmio.h s/% MMIO_LIKELY/% (MMIO_LIKELY + 1)/
 * @plant hyp/mmio.c s/\(low & .size - 1.\) != 0/false/
 */
#include "hyp/mmio.c"

static struct spinlock lock;

static void check(uint32_t offset, uint32_t size)
{
	/*@ assert aligned: offset % size == 0; */
	(void)offset;
	(void)size;
}

static uint32_t read(void *device, uint32_t offset, uint32_t size)
{
	check(offset, size);
	(void)device;
	return any();
}

static void write(void *device, uint32_t offset, uint32_t size, uint32_t value)
{
	check(offset, size);
	(void)device;
	(void)value;
}

static uint64_t any_ipa(void)
{
	return (uint64_t)up_to(0xff) << 32 | any();
}

void main(void)
{
	const struct mmio_ops ops = {read, write};
	uint32_t value;

	/* An entry that nobody filled has no keys, which is too subtle for Eva: it has functions here, too. */
	for (unsigned int i = 0; i < MMIO_REGIONS_MAX; i++) {
		regions[i].ops = ops;
	}
	mmio_clear();
	while (maybe()) {
		mmio_add((uint64_t)any() << 32 | any(), any(), &ops, NULL, maybe() ? &lock : NULL);
	}
	mmio_show(any_ipa());
	while (maybe()) {
		const uint32_t size = 1u << up_to(2);

		/*@ split size; */
		if (maybe()) {
			mmio_read_ipa(any_ipa(), size, &value);
		} else {
			mmio_write_ipa(any_ipa(), size, any());
		}
	}
}
