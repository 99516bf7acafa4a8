/* SPDX-License-Identifier: BSD-2-Clause */
/* What the guest can reach: RAM, flash, the GIC's virtual CPU interface, registers that are passed.
 */
#ifndef HYP_STAGE2_H
#define HYP_STAGE2_H

#include <stdbool.h>
#include <stdint.h>

/* Maps the guest's RAM at @ipa. Page aligned. Boot core, before the guest runs; so is the next. */
void stage2_map_ram(uint64_t ipa, uint64_t pa, uint64_t size);

/*
 * Lets the guest read and execute a bank of flash, or takes it away again; what it writes there
 * traps. 2 MiB aligned. Boot core for the first time, then any, with the bank's lock held.
 */
void stage2_show_flash(uint64_t ipa, uint64_t pa, uint64_t size);
void stage2_hide_flash(uint64_t ipa, uint64_t size);

/* Maps the GICV registers at the guest's GICC address. @size: 4 or 8 KiB. */
void stage2_map_gicc(uint64_t ipa, uint64_t gicv_pa, uint32_t size);

/*
 * Lets the guest read a page of bivy's as registers of its devices, as Device memory; what it
 * writes there traps. Boot core, before the guest runs. Returns false if something else is mapped
 * there.
 */
bool stage2_show_registers(uint64_t ipa, uint64_t pa);

/* Maps registers of the board's devices where they are. Page aligned. Stops if they are too many.
 */
void stage2_map_device(uint64_t base, uint64_t size);

/* Turns stage 2 on for this core and forgets what its TLBs held for the guest. */
void stage2_activate(void);

#endif
