/* SPDX-License-Identifier: BSD-2-Clause */
/* HYP mode's own address space. */
#ifndef HYP_STAGE1_H
#define HYP_STAGE1_H

#include <stdint.h>
#include "config.h"

/* HYP mode of this core gets its vectors and leaves the boot tables: from here on only what was
 * mapped on purpose is there. */
void stage1_activate(void);

/* Registers of a physical device: Device memory, never executable. @va: in DEVICE_VA's range; page
 * aligned. */
void stage1_map_device(uint32_t va, uint64_t pa, uint32_t size);

/* Maps [@start, @end) (PA, page aligned, inside RAM) into the window. Boot core, once, after
 * stage1_activate(). */
void stage1_map_window(uint64_t start, uint64_t end);

/* Where HYP sees RAM at @pa, which lies in the window. */
void *window_at(uint64_t pa);

/* Next free page tables for stage 2, from the common pool. */
struct pt_pool *table_allocator(void);

#endif
