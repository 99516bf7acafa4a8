/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's banks of flash: their memory, what keeps it, and when the guest sees it. */
#ifndef HYP_FLASH_H
#define HYP_FLASH_H

#include "config.h"
#include "../drivers/emul/cfi.h"

/*
 * Makes a bank: erased, or filled from its backend, and shown to the guest. @lock: its device's.
 * Stops with a sentence if it can't. Boot core, before the guest runs.
 */
struct emul_cfi *flash_create(const struct device_config *device, struct spinlock *lock);

/* Where HYP sees @size bytes of flash at @ipa; NULL: they aren't all in one bank. */
uint8_t *flash_at(uint64_t ipa, uint64_t size);

#endif
