/* SPDX-License-Identifier: BSD-2-Clause */
/* Recognises a kernel image: which bytes go where, and where it starts. Pure. */
#include <errno.h>
#include <stddef.h>
#include "fit.h"
#include "refuse.h"
#include "../drivers/crc32.h"

/* Linux, Documentation/arm/booting.rst and arch/arm/boot/compressed/head.S: the zImage header. */
#define ZIMAGE_MAGIC_AT 0x24
#define ZIMAGE_START_AT 0x28
#define ZIMAGE_END_AT   0x2c
#define ZIMAGE_MAGIC    0x016f2818
#define LOAD_OFFSET     0x10000 /* where QEMU's virt machine puts a kernel, from the start of RAM */

/* U-Boot, include/image.h: the legacy header, big-endian. */
#define UIMAGE_MAGIC          0x27051956
#define UIMAGE_HEADER         64
#define UIMAGE_CRC_AT         4
#define UIMAGE_SIZE_AT        12
#define UIMAGE_LOAD_AT        16
#define UIMAGE_ENTRY_AT       20
#define UIMAGE_DATA_CRC_AT    24
#define UIMAGE_ARCH_AT        29 /* 2: Arm */
#define UIMAGE_TYPE_AT        30 /* 1: standalone, 2: kernel */
#define UIMAGE_COMPRESSION_AT 31

#define UIMAGE_NO_LOAD 14 /* a kernel that runs anywhere, entry relative to load */

/* System V ABI, ELF header and program header; ELF for the Arm Architecture (IHI 0044). */
#define ELF_MAGIC        0x464c457f
#define ELF_HEADER       52
#define ELF_TYPE_AT      16 /* 2: executable, and in the upper half 40: Arm */
#define ELF_ENTRY_AT     24
#define ELF_PHOFF_AT     28
#define ELF_PHENTSIZE_AT 42 /* and in the upper half the number of program headers */
#define ELF_PH_SIZE      32
#define ELF_PT_LOAD      1

struct reading {
	const struct fit_image *image;
	struct kernel_layout *layout;
	struct config_error *error;
	uint64_t ram_base, ram_size;
};

static uint32_t little(const struct fit_image *image, uint32_t at)
{
	const uint8_t *byte = image->data + at;

	return byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
}

static uint32_t big(const struct fit_image *image, uint32_t at)
{
	return __builtin_bswap32(little(image, at));
}

/* Adds a segment; both ranges are checked by check_segments(). */
static void add_segment(struct kernel_layout *layout, uint64_t ipa, uint64_t memory_size,
			uint32_t file_offset, uint32_t file_size)
{
	struct kernel_segment *segment = &layout->segment[layout->segment_count++];

	segment->ipa = ipa;
	segment->memory_size = memory_size;
	segment->file_offset = file_offset;
	segment->file_size = file_size;
}

static uint64_t default_load(const struct reading *reading)
{
	return reading->image->has_load ? reading->image->load : reading->ram_base + LOAD_OFFSET;
}

/* zImage and raw images: all of it, to where the FIT says. */
static int read_plain(struct reading *reading)
{
	const struct fit_image *image = reading->image;
	uint64_t load = default_load(reading);
	bool header = image->size >= ZIMAGE_END_AT + 4;

	reading->layout->kind = KERNEL_RAW;
	if (header && little(image, ZIMAGE_MAGIC_AT) == ZIMAGE_MAGIC) {
		reading->layout->kind = KERNEL_ZIMAGE;
		if (little(image, ZIMAGE_END_AT) - little(image, ZIMAGE_START_AT) > image->size) {
			return refuse(reading->error,
				      "the kernel is a %s of %u bytes, of which only %u are "
				      "there: it is cut off",
				      "zImage",
				      (unsigned int)(little(image, ZIMAGE_END_AT) -
						     little(image, ZIMAGE_START_AT)),
				      (unsigned int)image->size);
		}
	} else if (image->size >= 2 && image->data[0] == 0x1f && image->data[1] == 0x8b) {
		return refuse(
			reading->error,
			"the kernel is compressed by gzip; unpack it and make the bundle again");
	}
	reading->layout->entry = load;
	add_segment(reading->layout, load, image->size, 0, image->size);
	return 0;
}

/* The header's checksum is made with its own field zero. */
static uint32_t uimage_crc(const struct fit_image *image)
{
	static const uint8_t zero[4];
	uint32_t crc = crc32_update(0, image->data, UIMAGE_CRC_AT);

	crc = crc32_update(crc, zero, 4);
	return crc32_update(crc, image->data + UIMAGE_CRC_AT + 4,
			    UIMAGE_HEADER - UIMAGE_CRC_AT - 4);
}

static int read_uimage(struct reading *reading)
{
	const struct fit_image *image = reading->image;
	uint32_t size = big(image, UIMAGE_SIZE_AT);
	uint8_t type = image->data[UIMAGE_TYPE_AT];
	uint64_t load = big(image, UIMAGE_LOAD_AT), to = load;

	if (uimage_crc(image) != big(image, UIMAGE_CRC_AT)) {
		return refuse(reading->error,
			      "the kernel is a uImage whose %s does not match its checksum: it was "
			      "damaged",
			      "header");
	}
	if (image->data[UIMAGE_ARCH_AT] != 2 ||
	    (type != 1 && type != 2 && type != UIMAGE_NO_LOAD)) {
		return refuse(reading->error,
			      "the kernel is a uImage of architecture %u and type %u; 32-bit Arm "
			      "(2) and a kernel (2) are needed",
			      image->data[UIMAGE_ARCH_AT], type);
	}
	if (image->data[UIMAGE_COMPRESSION_AT] != 0) {
		return refuse(reading->error,
			      "the kernel is a compressed uImage; make it with mkimage -C none");
	}
	if (size == 0 || size > image->size - UIMAGE_HEADER) {
		return refuse(
			reading->error,
			"the kernel is a %s of %u bytes, of which only %u are there: it is cut off",
			"uImage", (unsigned int)size, (unsigned int)(image->size - UIMAGE_HEADER));
	}
	if (crc32_update(0, image->data + UIMAGE_HEADER, size) != big(image, UIMAGE_DATA_CRC_AT)) {
		return refuse(reading->error,
			      "the kernel is a uImage whose %s does not match its checksum: it was "
			      "damaged",
			      "data");
	}
	reading->layout->kind = KERNEL_UIMAGE;
	if (image->has_load || type == UIMAGE_NO_LOAD) {
		to = default_load(reading);
	}
	reading->layout->entry = to + (big(image, UIMAGE_ENTRY_AT) - load);
	add_segment(reading->layout, to, size, UIMAGE_HEADER, size);
	return 0;
}

/* Takes in one program header, at @at. The entry is an address of the segment's p_vaddr, as QEMU
 * has it. */
static int read_program_header(struct reading *reading, uint32_t at, uint32_t entry)
{
	const struct fit_image *image = reading->image;
	uint32_t offset = little(image, at + 4), va = little(image, at + 8),
		 pa = little(image, at + 12);
	uint32_t file_size = little(image, at + 16), memory_size = little(image, at + 20);

	if (little(image, at) != ELF_PT_LOAD || memory_size == 0) {
		return 0;
	}
	if (reading->layout->segment_count == KERNEL_SEGMENTS_MAX) {
		return refuse(reading->error, "the kernel is an ELF file with more than 8 segments "
					      "to load; link it into fewer");
	}
	if (file_size > memory_size || offset > image->size || file_size > image->size - offset) {
		return refuse(reading->error,
			      "the kernel is an ELF file whose segment for %x lies outside of "
			      "it: it is cut off",
			      (unsigned int)pa);
	}
	if (entry - va < memory_size) {
		reading->layout->entry = (uint64_t)pa + (entry - va);
	}
	add_segment(reading->layout, pa, memory_size, offset, file_size);
	return 0;
}

static int read_elf(struct reading *reading)
{
	const struct fit_image *image = reading->image;
	uint32_t entry = little(image, ELF_ENTRY_AT), table = little(image, ELF_PHOFF_AT);
	uint32_t count = little(image, ELF_PHENTSIZE_AT) >> 16, i;
	int result = 0;

	if (little(image, 4) << 16 != 0x01010000 || little(image, ELF_TYPE_AT) != (40 << 16 | 2)) {
		return refuse(reading->error, "the kernel is an ELF file, but not a 32-bit "
					      "little-endian executable for Arm");
	}
	if ((little(image, ELF_PHENTSIZE_AT) & 0xffff) != ELF_PH_SIZE || table > image->size ||
	    count > (image->size - table) / ELF_PH_SIZE) {
		return refuse(reading->error, "the kernel is an ELF file whose program headers lie "
					      "outside of it: it is cut off");
	}
	reading->layout->kind = KERNEL_ELF;
	reading->layout->thumb_entry = (entry & 1) != 0;
	reading->layout->entry = entry & ~1u;
	for (i = 0; i < count && result == 0; i++) {
		result = read_program_header(reading, table + i * ELF_PH_SIZE, entry & ~1u);
	}
	if (result == 0 && reading->layout->segment_count == 0) {
		return refuse(reading->error, "the kernel is an ELF file with nothing to load");
	}
	return result;
}

static bool inside(uint64_t base, uint64_t size, uint64_t from, uint64_t length)
{
	return from >= base && length <= size && from - base <= size - length;
}

static int check_segments(const struct reading *reading)
{
	const struct kernel_layout *layout = reading->layout;
	const struct kernel_segment *segment = layout->segment;
	unsigned int i, j;

	for (i = 0; i < layout->segment_count; i++) {
		if (!inside(reading->ram_base, reading->ram_size, segment[i].ipa,
			    segment[i].memory_size)) {
			return refuse(reading->error,
				      "the kernel's %llx bytes at %llx are not in the guest's RAM "
				      "or flash, %llx "
				      "bytes at %llx; change load in the bundle, or the memory",
				      (unsigned long long)segment[i].memory_size,
				      (unsigned long long)segment[i].ipa,
				      (unsigned long long)reading->ram_size,
				      (unsigned long long)reading->ram_base);
		}
		for (j = 0; j < i; j++) {
			if (segment[i].ipa < segment[j].ipa + segment[j].memory_size &&
			    segment[j].ipa < segment[i].ipa + segment[i].memory_size) {
				return refuse(reading->error,
					      "the kernel's segments at %llx and %llx overlap",
					      (unsigned long long)segment[j].ipa,
					      (unsigned long long)segment[i].ipa);
			}
		}
	}
	if (!inside(reading->ram_base, reading->ram_size, layout->entry, 4) ||
	    (!layout->thumb_entry && (layout->entry & 3) != 0)) {
		return refuse(reading->error,
			      "the kernel's entry %llx is not an instruction's address in the "
			      "guest's RAM or flash; change entry in the bundle",
			      (unsigned long long)layout->entry);
	}
	return 0;
}

int kernel_identify(const struct fit_image *kernel, uint64_t ram_base, uint64_t ram_size,
		    struct kernel_layout *layout, struct config_error *error)
{
	struct reading reading = {kernel, layout, error, ram_base, ram_size};
	int result;

	*layout = (struct kernel_layout){0};
	if (kernel->size >= UIMAGE_HEADER && big(kernel, 0) == UIMAGE_MAGIC) {
		result = read_uimage(&reading);
	} else if (kernel->size >= ELF_HEADER && little(kernel, 0) == ELF_MAGIC) {
		result = read_elf(&reading);
	} else {
		result = read_plain(&reading);
	}
	if (result != 0) {
		return result;
	}
	if (kernel->has_entry) {
		layout->entry = kernel->entry & ~1ull;
		layout->thumb_entry = (kernel->entry & 1) != 0;
	}
	return check_segments(&reading);
}
