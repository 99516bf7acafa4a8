/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest: where its RAM is, and how it is loaded from the bundle. */
#ifndef HYP_VM_H
#define HYP_VM_H

#include <stdbool.h>
#include <stdint.h>
#include "config.h"
#include "../drivers/guestmem.h"

/* Constant once vm_create() is done, but for entry and tree, which belong to the boot core. */
struct vm {
	struct guest_config config;
	struct guest_memory memory;
	uint64_t ram_pa;     /* PA of the guest's first byte */
	struct range bundle; /* PA, at the end of the window */
	bool keeps_bundle;   /* to restart the guest from, or for its disks and flash */
	struct range kept;   /* PA: RAM for writes to overlaid disks, and for flash */
	uint32_t entry;      /* IPA of the first instruction, bit 0: Thumb */
	uint32_t tree;       /* IPA of the guest's device tree */
};

extern struct vm vm;

/* Reads the bundle, lays out RAM, stage 2 and devices. Boot core, once. Stops with a sentence if it
 * can't. */
void vm_create(void);

/* The bundle's disk @n, which the configuration check found there. After vm_create() began. */
struct fit_image;
const struct fit_image *vm_disk(unsigned int n);

/* PA of the RAM that is kept for a device of the configuration: its overlay, or its flash. */
uint64_t vm_kept(const struct device_config *device);

/* Puts kernel, initrd and tree into the guest's RAM. Boot core, before any vCPU runs. */
void vm_load(void);

/* Everything the guest sees as after reset, and loaded again from the bundle. Boot core, all others
 * parked. */
void vm_restart(void);

/* The emulated devices of the configuration (devices.c): once, and back to their state after reset.
 */
void devices_create(void);
void devices_reset(void);

/* Looks whether the board's firmware has a TRNG: once, before vm_create(). */
void board_trng_init(void);

/* The firmware's TRNG, which the guest reaches by calls of its own, too; NULL: there is none. */
struct entropy_backend *board_trng(void);

#endif
