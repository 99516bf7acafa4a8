/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of hyp/mmio.c: which device answers an address, what is refused, and the lock around an
 * access. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "hyp/mmio.h"

#define LIMIT (1ull << 40) /* IPA have 40 bits */

/* A device that remembers its last access. */
struct device {
	unsigned int calls, writes;
	uint32_t offset, size, value;
	uint32_t answer;
	struct spinlock *lock; /* if not NULL: must be held by whoever calls */
};

static struct device devices[MMIO_REGIONS_MAX];

static struct device *note(void *opaque, uint32_t offset, uint32_t size)
{
	struct device *device = opaque;

	device->calls++;
	device->offset = offset;
	device->size = size;
	if (device->lock != NULL) {
		assert_int_equal((uint16_t)(device->lock->next - device->lock->owner), 1);
	}
	return device;
}

static uint32_t answer_read(void *opaque, uint32_t offset, uint32_t size)
{
	return note(opaque, offset, size)->answer;
}

static void answer_write(void *opaque, uint32_t offset, uint32_t size, uint32_t value)
{
	struct device *device = note(opaque, offset, size);

	device->writes++;
	device->value = value;
}

static const struct mmio_ops answer = {.read = answer_read, .write = answer_write};

static int setup(void **state)
{
	(void)state;
	memset(devices, 0, sizeof(devices));
	mmio_clear();
	return 0;
}

static int add(uint64_t base, uint32_t size, struct device *device)
{
	return mmio_add(base, size, &answer, device, NULL);
}

static bool read_at(uint64_t ipa, uint8_t size)
{
	uint32_t value;

	return mmio_read_ipa(ipa, size, &value);
}

/* A read that only @device sees, at @offset. */
static void expect_device(uint64_t ipa, uint8_t size, struct device *device, uint32_t offset)
{
	unsigned int before = device->calls;

	assert_true(read_at(ipa, size));
	assert_int_equal(device->calls, before + 1);
	assert_int_equal(device->offset, offset);
	assert_int_equal(device->size, size);
}

static void nothing_answers_in_an_empty_table(void **state)
{
	(void)state;
	assert_false(read_at(0, 4));
	assert_false(read_at(LIMIT - 4, 4));
}

static void a_region_answers_from_its_first_to_its_last_byte(void **state)
{
	(void)state;
	assert_int_equal(add(0x9000000, 0x1000, &devices[0]), 0);
	expect_device(0x9000000, 4, &devices[0], 0);
	expect_device(0x9000000, 1, &devices[0], 0);
	expect_device(0x9000102, 2, &devices[0], 0x102);
	expect_device(0x9000ffc, 4, &devices[0], 0xffc);
	expect_device(0x9000ffe, 2, &devices[0], 0xffe);
	expect_device(0x9000fff, 1, &devices[0], 0xfff);
	assert_false(read_at(0x8ffffff, 1));
	assert_false(read_at(0x8fffffc, 4));
	assert_false(read_at(0x9001000, 4));
	assert_false(read_at(0x9001000, 1));
	assert_false(read_at(0, 4));
	assert_false(read_at(LIMIT - 4, 4));
	assert_int_equal(devices[0].calls, 6);
}

static void the_smallest_regions_lie_next_to_each_other(void **state)
{
	(void)state;
	assert_int_equal(add(0x200, 0x100, &devices[2]), 0);
	assert_int_equal(add(0x000, 0x100, &devices[0]), 0);
	assert_int_equal(add(0x100, 0x100, &devices[1]), 0);
	for (uint32_t ipa = 0; ipa < 0x300; ipa++) {
		expect_device(ipa, 1, &devices[ipa >> 8], ipa & 0xff);
	}
	assert_false(read_at(0x300, 1));
}

/* Beyond 4 GiB neither the search nor the offset may lose a bit. */
static void addresses_have_40_bits(void **state)
{
	(void)state;
	assert_int_equal(add(0x12340000, 0x1000, &devices[0]), 0);
	assert_int_equal(add(0x112340000, 0x1000, &devices[1]), 0);
	assert_int_equal(add(0xff12340000, 0x1000, &devices[2]), 0);
	assert_int_equal(add(LIMIT - 0x100, 0x100, &devices[3]), 0);
	expect_device(0x12340010, 4, &devices[0], 0x10);
	expect_device(0x112340ffc, 4, &devices[1], 0xffc);
	expect_device(0xff12340010, 4, &devices[2], 0x10);
	expect_device(LIMIT - 1, 1, &devices[3], 0xff);
	assert_false(read_at(0x212340010, 4));
	assert_int_equal(add(0x80000000, 0xffffff00, &devices[4]), -EEXIST);
	assert_int_equal(add(0x200000000, 0xffffff00, &devices[4]), 0);
	expect_device(0x2fffffefc, 4, &devices[4], 0xfffffefc);
}

static void overlaps_are_refused_and_change_nothing(void **state)
{
	static const struct {
		uint64_t base;
		uint32_t size;
	} clash[] = {
		{0x2000, 0x1000}, /* the same */
		{0x2400, 0x100},  /* inside */
		{0x1000, 0x4000}, /* around */
		{0x1f00, 0x200},  /* over its start */
		{0x2f00, 0x200},  /* over its end */
		{0x2000, 0x100},  /* its first bytes */
		{0x2f00, 0x100},  /* its last bytes */
		{0x0, 0x10000},   /* around all */
		{0x3000, 0x3100}, /* fits below the next, but for its last bytes */
	};

	(void)state;
	assert_int_equal(add(0x2000, 0x1000, &devices[0]), 0);
	assert_int_equal(add(0x6000, 0x1000, &devices[1]), 0);
	for (size_t i = 0; i < sizeof(clash) / sizeof(clash[0]); i++) {
		assert_int_equal(add(clash[i].base, clash[i].size, &devices[2]), -EEXIST);
	}
	expect_device(0x2400, 4, &devices[0], 0x400);
	expect_device(0x6ffc, 4, &devices[1], 0xffc);
	assert_false(read_at(0x3000, 4));
	assert_int_equal(add(0x3000, 0x3000, &devices[2]), 0);
	expect_device(0x5ffc, 4, &devices[2], 0x2ffc);
}

static void odd_bases_and_sizes_are_refused(void **state)
{
	(void)state;
	assert_int_equal(add(0x1000, 0, &devices[0]), -EINVAL);
	assert_int_equal(add(0, 0, &devices[0]), -EINVAL);
	assert_int_equal(add(0x1080, 0x100, &devices[0]), -EINVAL);
	assert_int_equal(add(0x1001, 0x100, &devices[0]), -EINVAL);
	assert_int_equal(add(0x1000, 0x80, &devices[0]), -EINVAL);
	assert_int_equal(add(0x1000, 0x101, &devices[0]), -EINVAL);
	assert_int_equal(add(LIMIT - 0x100, 0x200, &devices[0]), -EINVAL);
	assert_int_equal(add(LIMIT, 0x100, &devices[0]), -EINVAL);
	assert_false(read_at(0x1000, 4));
	assert_false(read_at(0, 4));
}

static void unaligned_accesses_never_reach_the_device(void **state)
{
	(void)state;
	assert_int_equal(add(0x1000, 0x100, &devices[0]), 0);
	for (uint32_t offset = 0; offset < 0x100; offset++) {
		assert_int_equal(read_at(0x1000 + offset, 1), true);
		assert_int_equal(read_at(0x1000 + offset, 2), offset % 2 == 0);
		assert_int_equal(read_at(0x1000 + offset, 4), offset % 4 == 0);
	}
	assert_int_equal(devices[0].calls, 0x100 + 0x80 + 0x40);
	/* across an end, from outside and from inside */
	assert_false(read_at(0xffe, 4));
	assert_false(read_at(0xfff, 2));
	assert_false(read_at(0x10ff, 2));
	assert_false(read_at(0x10fe, 4));
}

static void the_device_gets_and_gives_the_value(void **state)
{
	uint32_t value = 0;

	(void)state;
	assert_int_equal(add(0x1000, 0x100, &devices[0]), 0);
	assert_true(mmio_write_ipa(0x1004, 4, 0xa5a5a5a5));
	assert_int_equal(devices[0].writes, 1);
	assert_int_equal(devices[0].offset, 4);
	assert_int_equal(devices[0].value, 0xa5a5a5a5);
	devices[0].answer = 0xdeadbeef;
	assert_true(mmio_read_ipa(0x1008, 4, &value));
	assert_int_equal(value, 0xdeadbeef);
	assert_int_equal(devices[0].writes, 1);
	assert_false(mmio_write_ipa(0x1006, 4, 0));
	assert_false(mmio_write_ipa(0x1100, 4, 0));
	assert_false(mmio_read_ipa(0x1100, 4, &value));
	assert_int_equal(value, 0xdeadbeef);
	assert_int_equal(devices[0].calls, 2);
}

static void the_lock_is_held_by_the_device_and_nobody_else(void **state)
{
	struct spinlock lock = {0};

	(void)state;
	devices[0].lock = &lock;
	assert_int_equal(mmio_add(0x1000, 0x100, &answer, &devices[0], &lock), 0);
	assert_true(read_at(0x1000, 4));
	assert_int_equal(lock.owner, lock.next);
	assert_true(mmio_write_ipa(0x1000, 4, 1));
	assert_int_equal(lock.owner, lock.next);
	assert_false(read_at(0x1001, 4));
	assert_false(read_at(0x2000, 4));
	assert_int_equal(lock.owner, lock.next);
	assert_int_equal(devices[0].calls, 2);
}

/* Regions of 0x1000 bytes at 0x3000 * n, added in an order that is neither up nor down. */
static void a_full_table_finds_each_of_its_regions(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < MMIO_REGIONS_MAX; i++) {
		uint32_t n = i * 29 % MMIO_REGIONS_MAX;

		assert_int_equal(add(0x3000ull * n, 0x1000, &devices[n]), 0);
	}
	assert_int_equal(add(0xf0000000, 0x1000, &devices[0]), -ENOSPC);
	for (uint32_t n = 0; n < MMIO_REGIONS_MAX; n++) {
		expect_device(0x3000ull * n, 4, &devices[n], 0);
		expect_device(0x3000ull * n + 0xfff, 1, &devices[n], 0xfff);
		assert_false(read_at(0x3000ull * n + 0x1000, 4));
		assert_false(read_at(0x3000ull * n + 0x2ffc, 4));
	}
	assert_false(read_at(0xf0000000, 4));
	mmio_clear();
	assert_false(read_at(0, 4));
	assert_int_equal(add(0x800, 0x1000, &devices[0]), 0);
	expect_device(0x800, 4, &devices[0], 0);
}

/* Random regions in 64 KiB, against an array that says for each 256 bytes whose they are. */
static void what_is_shown_is_found_by_its_place_in_the_page(void **state)
{
	(void)state;
	add(0x0a000000, 0x200, &devices[0]);
	add(0x0a000400, 0x200, &devices[1]);
	add(0x0a000600, 0x100, &devices[2]); /* too short */
	add(0x0a000900, 0x200, &devices[3]); /* not in a place */
	add(0x0a000c00, 0x400, &devices[4]); /* too long */
	add(0x0a001200, 0x200, &devices[5]); /* of the next page */
	mmio_show(0x0a000000);
	for (unsigned int i = 0; i < MMIO_SHOWN; i++) {
		const struct mmio_region *region = mmio_shown[i];

		assert_ptr_equal(region != NULL ? region->device : NULL, i == 0   ? &devices[0]
									 : i == 2 ? &devices[1]
										  : NULL);
	}
}

static void random_tables_agree_with_a_map(void **state)
{
	(void)state;
	srand(1);
	for (unsigned int round = 0; round < 300; round++) {
		struct device *owner[256] = {0};

		mmio_clear();
		for (unsigned int i = 0; i < MMIO_REGIONS_MAX; i++) {
			unsigned int first = (unsigned int)rand() % 256;
			unsigned int count = 1 + (unsigned int)rand() % 8, free_slots = 0;

			count = count < 256 - first ? count : 256 - first;
			for (unsigned int slot = first; slot < first + count; slot++) {
				free_slots += owner[slot] == NULL;
			}
			assert_int_equal(add(first << 8, count << 8, &devices[i]),
					 free_slots == count ? 0 : -EEXIST);
			for (unsigned int slot = first; free_slots == count && slot < first + count;
			     slot++) {
				owner[slot] = &devices[i];
			}
		}
		for (unsigned int slot = 0; slot < 256; slot++) {
			unsigned int before = owner[slot] != NULL ? owner[slot]->calls : 0;

			assert_int_equal(read_at(slot << 8 | 0xfc, 4), owner[slot] != NULL);
			assert_true(owner[slot] == NULL || owner[slot]->calls == before + 1);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_answers_in_an_empty_table, setup),
		cmocka_unit_test_setup(a_region_answers_from_its_first_to_its_last_byte, setup),
		cmocka_unit_test_setup(the_smallest_regions_lie_next_to_each_other, setup),
		cmocka_unit_test_setup(addresses_have_40_bits, setup),
		cmocka_unit_test_setup(overlaps_are_refused_and_change_nothing, setup),
		cmocka_unit_test_setup(odd_bases_and_sizes_are_refused, setup),
		cmocka_unit_test_setup(unaligned_accesses_never_reach_the_device, setup),
		cmocka_unit_test_setup(the_device_gets_and_gives_the_value, setup),
		cmocka_unit_test_setup(the_lock_is_held_by_the_device_and_nobody_else, setup),
		cmocka_unit_test_setup(a_full_table_finds_each_of_its_regions, setup),
		cmocka_unit_test_setup(what_is_shown_is_found_by_its_place_in_the_page, setup),
		cmocka_unit_test_setup(random_tables_agree_with_a_map, setup),
	};

	return cmocka_run_group_tests_name("mmio", tests, NULL, NULL);
}
