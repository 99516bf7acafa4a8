/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers of devices that master the bus, for drivers that are also tested on the host. */
#ifndef DRIVERS_HW_ACCESS_H
#define DRIVERS_HW_ACCESS_H

#include <stdint.h>

#if defined(__arm__)
#include "../../hyp/arch.h"

/* @size: 1, 2 or 4 bytes. */
static inline uint32_t mmio_read_size(uintptr_t at, unsigned int size)
{
	return size == 1   ? *(const volatile uint8_t *)at
	       : size == 2 ? *(const volatile uint16_t *)at
			   : mmio_read(at);
}

/* @size: 1 or 4 bytes. */
static inline void mmio_write_size(uintptr_t at, unsigned int size, uint32_t value)
{
	if (size == 1) {
		*(volatile uint8_t *)at = (uint8_t)value;
	} else {
		mmio_write(at, value);
	}
}

/*
 * Accesses before it, to memory and to registers, come first for every observer: the device may be
 * outside of the inner shareable domain (ARM DDI 0406C A3.8.3).
 */
static inline void dma_barrier(void)
{
	asm volatile("dmb sy" ::: "memory");
}

#else /* tests on the host bring their own */
uint32_t mmio_read(uintptr_t address);
void mmio_write(uintptr_t address, uint32_t value);
uint32_t mmio_read_size(uintptr_t at, unsigned int size);
void mmio_write_size(uintptr_t at, unsigned int size, uint32_t value);
void dma_barrier(void);
#endif
#endif
