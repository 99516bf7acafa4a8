/* SPDX-License-Identifier: BSD-2-Clause */
/* Maintenance of the data and instruction caches. */
#ifndef HYP_CACHE_H
#define HYP_CACHE_H

#include <stdint.h>

/*
 * Writes back and invalidates [@start, @start + @size) of HYP's addresses to the point of
 * coherency: for memory that the guest will use with its caches off. Broadcast to all cores (ARM
 * DDI 0406C B2.2.6).
 */
void cache_flush(const void *start, uint32_t size);

/*
 * Writes back and invalidates this core's own data caches by set and way, up to the level of
 * unification inner shareable (B2.2.6, CLIDR.LoUIS): before the core stops taking part in what the
 * guest does.
 */
void cache_flush_core(void);

/* The same for all levels up to the level of coherency: on the boot core, with the other cores
 * parked. */
void cache_flush_all(void);

#endif
