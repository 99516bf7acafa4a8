/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest bundle, a FIT image (U-Boot's flattened image tree): kernel, initrd, tree. Pure. */
#ifndef HYP_FIT_H
#define HYP_FIT_H

#include <stdbool.h>
#include <stdint.h>
#include "config.h"

struct fit_image {
	const uint8_t *data; /* NULL: the bundle has no such image */
	uint32_t size;       /* bytes */
	bool has_load, has_entry;
	uint64_t load;  /* IPA */
	uint64_t entry; /* IPA */
};

#define FIT_DISKS_MAX 4

struct fit_bundle {
	struct fit_image kernel;              /* always there */
	struct fit_image fdt;                 /* always there */
	struct fit_image initrd;              /* may be missing */
	struct fit_image disk[FIT_DISKS_MAX]; /* of the configuration's loadables */
	unsigned int disk_count;
	char bootargs[1024]; /* of the configuration's bivy,bootargs; "" if absent */
	bool has_bootargs;
};

/*
 * Finds the images of the default configuration (or the only one) and verifies their hashes.
 * Accepts data inside the tree and external data (data-position, data-offset + data-size). Every
 * image must carry at least one hash node (sha256 or crc32); an unknown algorithm is refused.
 * @fit: the bundle, 4-byte aligned; @size: bytes known to be there; @disks_used: a guest may have
 * written to the disks, so that their hashes say nothing any more.
 * Returns 0 or a negative errno with *error filled.
 */
int fit_read(const void *fit, uint64_t size, bool disks_used, struct fit_bundle *bundle,
	     struct config_error *error);

/* What a kernel image is, where it goes and where it starts; see kernel_identify(). */
enum kernel_kind { KERNEL_ZIMAGE, KERNEL_RAW, KERNEL_UIMAGE, KERNEL_ELF };

struct kernel_segment {
	uint64_t ipa;         /* destination */
	uint64_t memory_size; /* bytes in memory; what is beyond file_size is zeroed */
	uint32_t file_offset; /* bytes from the start of the image */
	uint32_t file_size;   /* bytes to copy */
};

#define KERNEL_SEGMENTS_MAX 8

struct kernel_layout {
	enum kernel_kind kind;
	uint64_t entry;   /* IPA */
	bool thumb_entry; /* an ELF entry with bit 0 set */
	unsigned int segment_count;
	struct kernel_segment segment[KERNEL_SEGMENTS_MAX];
};

/*
 * Recognises the image and says which bytes go where. zImage (magic 0x016f2818 at 0x24) and raw
 * images go to the FIT's load address, else to @ram_base + 64 KiB, where QEMU puts them; entry is
 * the FIT's, else the load address. uImage: header's load and entry (both CRCs checked,
 * uncompressed only) unless the FIT says otherwise. ELF: 32-bit little-endian Arm, PT_LOAD by
 * p_paddr, e_entry (a virtual address within a segment becomes its physical one).
 * Checks each segment against [@ram_base, @ram_base + @ram_size), which may be flash as well, see
 * config_kernel_range().
 * Returns 0 or a negative errno with *error filled.
 */
int kernel_identify(const struct fit_image *kernel, uint64_t ram_base, uint64_t ram_size,
		    struct kernel_layout *layout, struct config_error *error);

#endif
