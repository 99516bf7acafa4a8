/* SPDX-License-Identifier: BSD-2-Clause */
/* What a trapped access to an emulated device looks like, and who answers it. */
#ifndef DRIVERS_MMIO_H
#define DRIVERS_MMIO_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One access of the guest, of 1, 2 or 4 bytes and naturally aligned (the dispatcher splits or refuses
 * all others). It never crosses the end of the device's region.
 */
struct mmio_access {
	uint32_t offset; /* bytes from the start of the device's region */
	uint32_t value;	 /* written: zero-extended; read: the handler sets it, upper bytes ignored */
	uint8_t size;	 /* 1, 2 or 4 bytes */
	bool is_write;
};

/*
 * Answers one access.
 * Returns false if the device refuses it: the guest then gets a synchronous external abort.
 * Context: HYP mode, interrupts masked, the lock of the device held if its region names one.
 */
typedef bool (*mmio_handler)(void *device, struct mmio_access *access);

#endif
