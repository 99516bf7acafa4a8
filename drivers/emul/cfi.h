/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bank of NOR flash that the guest sees: two chips of 16 bits side by side, with the Common Flash
 * Interface (JEDEC JESD68.01) and Intel's command set 0x0001, as QEMU's -M virt has. Pure.
 */
#ifndef DRIVERS_EMUL_CFI_H
#define DRIVERS_EMUL_CFI_H

#include <stdbool.h>
#include "../block/mirror.h"
#include "../mmio.h"

#define CFI_SECTOR 0x40000u /* bytes of both chips that are erased together */
#define CFI_BUFFER 512u     /* bytes that one buffered program writes at most */

struct emul_cfi;

struct cfi_host {
	/* The guest can read the array with no access coming here (@array), or not any more. */
	void (*show)(struct emul_cfi *flash, bool array);
	/* The array has changed here: a reader without caches is to see it. */
	void (*clean)(const void *start, uint32_t size);
};

struct emul_cfi {
	struct mirror array; /* at, disk and lock are the owner's */
	const struct cfi_host *host;
	uint32_t size;   /* bytes, a power of two, at least CFI_SECTOR */
	uint8_t reading; /* what reads return */
	uint8_t setup;   /* the command whose next cycle is awaited, 0: none */
	uint8_t status;
	uint8_t failure;       /* bits of the status, if the disk can't keep the last change */
	uint32_t words_left;   /* of a buffered program */
	uint32_t buffer_start; /* its place in the array, NOWHERE: not told yet */
	uint8_t buffer[CFI_BUFFER];
};

/* @flash: array.at, array.disk, array.lock, host and size are set. The array is shown. */
void cfi_init(struct emul_cfi *flash);

/*
 * As at power-on; the array keeps what it holds. Returns false, and nothing has changed, while the
 * disk has not ended the last write. Lock: held.
 */
bool cfi_reset(struct emul_cfi *flash);

/* The bank; the device is a struct emul_cfi. */
extern const struct mmio_ops cfi_ops;

#endif
