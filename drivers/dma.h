/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a device that masters the bus finds what we see at a pointer. */
#ifndef DRIVERS_DMA_H
#define DRIVERS_DMA_H

#include <stdint.h>

#if defined(__arm__)
/* PA - address, by GiB: bivy's own data, then the window onto RAM. Constant before any driver. */
extern uint64_t dma_offset[4];

/* @at: in the guest's RAM or in bivy's own data. Returns the PA. */
static inline uint64_t dma_address(const volatile void *at)
{
	const uint32_t va = (uint32_t)(uintptr_t)at;

	return dma_offset[va >> 30] + va;
}

#else /* tests on the host bring their own */
uint64_t dma_address(const volatile void *at);
#endif

#endif
