/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel images: which bytes go where, where they start, and which are refused. */
#include "suite.h"
#include <stdlib.h>
#include <string.h>
#include "drivers/crc32.h"
#include "hyp/fit.h"

#define RAM      0x40000000ull
#define RAM_SIZE 0x10000000ull

static uint8_t bytes[512];
static struct kernel_layout layout;
static struct config_error error;

static void put(uint32_t at, uint32_t value)
{
	memcpy(bytes + at, &value, 4);
}

static void put_big(uint32_t at, uint32_t value)
{
	put(at, __builtin_bswap32(value));
}

/* Identifies @size bytes of `bytes`, in memory of their own, so that a byte too many is seen. */
static int identify(uint32_t size, const struct fit_image *addresses)
{
	struct fit_image image = {.size = size};
	uint8_t *copy = malloc(size);
	int result;

	if (addresses != NULL) {
		image = *addresses;
		image.size = size;
	}
	memcpy(copy, bytes, size);
	image.data = copy;
	memset(&error, 0, sizeof(error));
	result = kernel_identify(&image, RAM, RAM_SIZE, &layout, &error);
	free(copy);
	return result;
}

static void assert_accepted(uint32_t size, const struct fit_image *addresses, enum kernel_kind kind,
			    uint64_t entry)
{
	if (identify(size, addresses) != 0) {
		fail_msg("%s", error.text);
	}
	assert_int_equal(layout.kind, kind);
	assert_int_equal(layout.entry, entry);
}

static void assert_segment(unsigned int i, uint64_t ipa, uint64_t memory, uint32_t offset,
			   uint32_t size)
{
	assert_true(i < layout.segment_count);
	assert_int_equal(layout.segment[i].ipa, ipa);
	assert_int_equal(layout.segment[i].memory_size, memory);
	assert_int_equal(layout.segment[i].file_offset, offset);
	assert_int_equal(layout.segment[i].file_size, size);
}

static void assert_refused(uint32_t size, const struct fit_image *addresses, const char *part)
{
	if (identify(size, addresses) == 0) {
		fail_msg("accepted, not: %s", part);
	}
	if (strstr(error.text, part) == NULL || strlen(error.text) > sizeof(error.text) - 2) {
		fail_msg("%s, not: %s", error.text, part);
	}
}

static const struct fit_image elsewhere = {.has_load = true, .load = 0x41000000};
static const struct fit_image entered = {.has_entry = true, .entry = 0x40010040};
static const struct fit_image both = {
	.has_load = true, .load = 0x41000000, .has_entry = true, .entry = 0x41000081};

static void make_zimage(uint32_t size)
{
	memset(bytes, 0, sizeof(bytes));
	put(0x24, 0x016f2818);
	put(0x2c, size);
}

static void test_zimage(void **state)
{
	struct fit_image far = {.has_load = true, .load = 0x3fff0000};

	(void)state;
	make_zimage(256);
	assert_accepted(256, NULL, KERNEL_ZIMAGE, RAM + 0x10000);
	assert_int_equal(layout.segment_count, 1);
	assert_segment(0, RAM + 0x10000, 256, 0, 256);
	assert_false(layout.thumb_entry);
	assert_accepted(300, NULL, KERNEL_ZIMAGE, RAM + 0x10000); /* something may be appended */
	assert_segment(0, RAM + 0x10000, 300, 0, 300);
	assert_accepted(256, &elsewhere, KERNEL_ZIMAGE, 0x41000000);
	assert_segment(0, 0x41000000, 256, 0, 256);
	assert_accepted(256, &entered, KERNEL_ZIMAGE, 0x40010040);
	assert_accepted(256, &both, KERNEL_ZIMAGE, 0x41000080);
	assert_true(layout.thumb_entry);
	far.load = RAM;
	assert_accepted(256, &far, KERNEL_ZIMAGE, RAM);
	make_zimage(48);
	assert_accepted(48, NULL, KERNEL_ZIMAGE, RAM + 0x10000);
	assert_accepted(47, NULL, KERNEL_RAW, RAM + 0x10000);
	make_zimage(256);
	far.load = 0x3fff0000;
	assert_refused(255, NULL, "zImage of 256 bytes, of which only 255");
	assert_refused(256, &far, "not in the guest's RAM");
	far.load = RAM + RAM_SIZE - 255;
	assert_refused(256, &far, "not in the guest's RAM");
	far.load = RAM + RAM_SIZE - 256;
	assert_accepted(256, &far, KERNEL_ZIMAGE, RAM + RAM_SIZE - 256);
	far.load = 0xffffffffffffffc0;
	assert_refused(256, &far, "not in the guest's RAM");
	far = (struct fit_image){.has_entry = true, .entry = RAM + RAM_SIZE};
	assert_refused(256, &far, "entry 0x50000000 is not");
	far.entry = RAM + 2;
	assert_refused(256, &far, "entry 0x40000002 is not");
}

static void test_raw(void **state)
{
	uint32_t size;

	(void)state;
	memset(bytes, 0xea, sizeof(bytes));
	for (size = 1; size < 80; size++) {
		assert_accepted(size, NULL, KERNEL_RAW, RAM + 0x10000);
		assert_segment(0, RAM + 0x10000, size, 0, size);
	}
	bytes[0] = 0x1f;
	bytes[1] = 0x8b;
	assert_refused(64, NULL, "compressed by gzip");
	assert_refused(2, NULL, "compressed by gzip");
	assert_accepted(1, NULL, KERNEL_RAW, RAM + 0x10000);
}

/* A uImage of @size bytes behind its header, as mkimage makes it. */
static void make_uimage(uint32_t size, uint32_t load, uint32_t entry, uint8_t type)
{
	uint32_t i;

	for (i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)i;
	}
	put_big(0, 0x27051956);
	put(4, 0);
	put_big(12, size);
	put_big(16, load);
	put_big(20, entry);
	put_big(24, crc32_update(0, bytes + 64, size));
	bytes[28] = 5;
	bytes[29] = 2;
	bytes[30] = type;
	bytes[31] = 0;
}

static void seal_uimage(void)
{
	put(4, 0);
	put_big(4, crc32_update(0, bytes, 64));
}

static void test_uimage(void **state)
{
	(void)state;
	make_uimage(100, 0x40008000, 0x40008010, 2);
	seal_uimage();
	assert_accepted(164, NULL, KERNEL_UIMAGE, 0x40008010);
	assert_segment(0, 0x40008000, 100, 64, 100);
	assert_accepted(200, NULL, KERNEL_UIMAGE, 0x40008010);
	assert_segment(0, 0x40008000, 100, 64, 100);
	assert_accepted(164, &elsewhere, KERNEL_UIMAGE, 0x41000010);
	assert_segment(0, 0x41000000, 100, 64, 100);
	assert_accepted(164, &entered, KERNEL_UIMAGE, 0x40010040);
	make_uimage(100, 0x40008000, 0x40008010, 1);
	seal_uimage();
	assert_accepted(164, NULL, KERNEL_UIMAGE, 0x40008010);
	make_uimage(100, 0, 0x20, 14);
	seal_uimage();
	assert_accepted(164, NULL, KERNEL_UIMAGE, RAM + 0x10020);
	assert_segment(0, RAM + 0x10000, 100, 64, 100);
}

static void test_bad_uimage(void **state)
{
	(void)state;
	make_uimage(100, 0x40008000, 0x40008000, 2);
	assert_refused(164, NULL, "header does not match its checksum");
	seal_uimage();
	bytes[100] ^= 1;
	assert_refused(164, NULL, "data does not match its checksum");
	bytes[100] ^= 1;
	assert_refused(163, NULL, "100 bytes, of which only 99");
	assert_refused(64, NULL, "100 bytes, of which only 0");
	bytes[31] = 1;
	seal_uimage();
	assert_refused(164, NULL, "compressed uImage");
	bytes[31] = 0;
	bytes[29] = 22;
	seal_uimage();
	assert_refused(164, NULL, "architecture 22");
	bytes[29] = 2;
	bytes[30] = 4;
	seal_uimage();
	assert_refused(164, NULL, "type 4");
	make_uimage(0, 0x40008000, 0x40008000, 2);
	seal_uimage();
	assert_refused(64, NULL, "0 bytes");
	make_uimage(100, 0x3fff8000, 0x40008000, 2);
	seal_uimage();
	assert_refused(164, NULL, "not in the guest's RAM");
	make_uimage(100, 0x40008000, 0xc0008000, 2);
	seal_uimage();
	assert_refused(164, NULL, "entry 0xc0008000");
}

#define SEGMENT(i) (52u + 32u * (i))

static void make_segment(unsigned int i, uint32_t offset, uint32_t va, uint32_t pa, uint32_t file,
			 uint32_t memory)
{
	put(SEGMENT(i), 1);
	put(SEGMENT(i) + 4, offset);
	put(SEGMENT(i) + 8, va);
	put(SEGMENT(i) + 12, pa);
	put(SEGMENT(i) + 16, file);
	put(SEGMENT(i) + 20, memory);
}

static void make_elf(unsigned int segments, uint32_t entry)
{
	memset(bytes, 0, sizeof(bytes));
	put(0, 0x464c457f);
	put(4, 0x00010101);
	put(16, 40 << 16 | 2);
	put(20, 1);
	put(24, entry);
	put(28, 52);
	put(40, 32 << 16 | 52);
	put(44, segments);
}

static void test_elf(void **state)
{
	(void)state;
	make_elf(3, 0x40100008);
	make_segment(0, 0x100, 0x40100000, 0x40100000, 0x80, 0x1000);
	put(SEGMENT(1), 2); /* PT_DYNAMIC is not loaded */
	make_segment(2, 0x180, 0x40200000, 0x40200000, 0, 0x100);
	assert_accepted(512, NULL, KERNEL_ELF, 0x40100008);
	assert_int_equal(layout.segment_count, 2);
	assert_segment(0, 0x40100000, 0x1000, 0x100, 0x80);
	assert_segment(1, 0x40200000, 0x100, 0x180, 0);
	assert_false(layout.thumb_entry);
	assert_accepted(512, &entered, KERNEL_ELF, 0x40010040);
	put(24, 0x4010000b);
	assert_accepted(512, NULL, KERNEL_ELF, 0x4010000a);
	assert_true(layout.thumb_entry);
	make_elf(1, 0x40100008); /* headers and bytes up to the very end */
	make_segment(0, 0, 0x40100000, 0x40100000, 84, 84);
	assert_accepted(84, NULL, KERNEL_ELF, 0x40100008);
	/* linked at one address, loaded at another: QEMU enters at the physical one */
	make_elf(1, 0xc0100008);
	make_segment(0, 0x100, 0xc0100000, 0x40100000, 0x80, 0x1000);
	assert_accepted(512, NULL, KERNEL_ELF, 0x40100008);
	make_segment(0, 0x100, 0xc0100000, 0x40100000, 0, 0); /* an empty one is none */
	assert_refused(512, NULL, "nothing to load");
}

static void test_bad_elf(void **state)
{
	static const struct {
		uint32_t at, value;
		const char *part;
	} row[] = {
		{4, 0x00010102, "32-bit little-endian"},    /* 64 bits */
		{4, 0x00010201, "32-bit little-endian"},    /* big-endian */
		{16, 62 << 16 | 2, "32-bit little-endian"}, /* x86-64 */
		{16, 40 << 16 | 3, "32-bit little-endian"}, /* shared */
		{28, 0xffffffff, "program headers lie outside"},
		{28, 500, "program headers lie outside"},
		{40, 56 << 16, "program headers lie outside"},
		{44, 0xffff, "program headers lie outside"},
		{44, 0, "nothing to load"},
		{SEGMENT(0) + 4, 0x200, "outside of it"},
		{SEGMENT(0) + 4, 0xffffffff, "outside of it"},
		{SEGMENT(0) + 16, 0xffffffff, "outside of it"},
		{SEGMENT(0) + 16, 0x2000, "outside of it"},
		{SEGMENT(0) + 20, 0x10, "outside of it"},
		{SEGMENT(0) + 20, 0xffffffff, "not in the guest's RAM"},
		{SEGMENT(0) + 12, 0x3ffff001, "not in the guest's RAM"},
		{SEGMENT(0) + 12, 0xfffff000, "not in the guest's RAM"},
		{SEGMENT(1) + 12, 0x40100fff, "overlap"},
		{SEGMENT(1) + 12, 0x40100000, "overlap"},
		{24, 0x60000000, "entry 0x60000000"},
		{24, 0x40100002, "entry 0x40100002"},
		{24, 0xffffffff, "entry 0xfffffffe"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		make_elf(2, 0x40100008);
		make_segment(0, 0x100, 0x40100000, 0x40100000, 0x80, 0x1000);
		make_segment(1, 0x180, 0x40200000, 0x40200000, 0x10, 0x100);
		assert_accepted(512, NULL, KERNEL_ELF, 0x40100008);
		put(row[i].at, row[i].value);
		assert_refused(512, NULL, row[i].part);
	}
	for (i = 52; i < 512; i++) {
		make_elf(2, 0x40100008);
		make_segment(0, 0x100, 0x40100000, 0x40100000, 0x80, 0x1000);
		make_segment(1, 0x180, 0x40200000, 0x40200000, 0x80, 0x100);
		assert_refused((uint32_t)i, NULL, "cut off");
	}
	make_elf(9, 0x40100000);
	for (i = 0; i < 9; i++) {
		make_segment((unsigned int)i, 0, 0x40100000, 0x40100000 + (uint32_t)i * 16, 16, 16);
	}
	assert_refused(512, NULL, "more than 8 segments");
	put(44, 8);
	assert_accepted(512, NULL, KERNEL_ELF, 0x40100000 + 7 * 16);
}

/* Random headers behind each magic: whatever is accepted lies in the file and in RAM. */
static void test_random(void **state)
{
	static const uint32_t magic[] = {0x464c457f, 0x56190527, 0};
	uint32_t random = 9, i, j, accepted = 0;

	(void)state;
	for (i = 0; i < 200000; i++) {
		uint32_t size = 1 + i % sizeof(bytes);

		make_elf(2, 0x40100008);
		make_segment(0, 0x100, 0x40100000, 0x40100000, 0x80, 0x1000);
		make_segment(1, 0x180, 0x40200000, 0x40200000, 0x10, 0x100);
		put(0, magic[i % 3]);
		for (j = 0; j < 2; j++) {
			random = random * 1664525 + 1013904223;
			bytes[random >> 16 & (sizeof(bytes) / 4 - 1)] = (uint8_t)(random >> 8);
		}
		if (identify(size, NULL) != 0) {
			assert_true(strlen(error.text) > 20);
			continue;
		}
		accepted++;
		for (j = 0; j < layout.segment_count; j++) {
			const struct kernel_segment *segment = &layout.segment[j];

			assert_true(segment->file_offset <= size &&
				    segment->file_size <= size - segment->file_offset);
			assert_true(segment->file_size <= segment->memory_size);
			assert_true(segment->ipa >= RAM &&
				    segment->ipa + segment->memory_size <= RAM + RAM_SIZE);
		}
	}
	print_message("%u of %u random images were accepted\n", accepted, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zimage), cmocka_unit_test(test_raw),
		cmocka_unit_test(test_uimage), cmocka_unit_test(test_bad_uimage),
		cmocka_unit_test(test_elf),    cmocka_unit_test(test_bad_elf),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
