/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a device that masters the bus finds what we see at a pointer. */
#ifndef DRIVERS_DMA_H
#define DRIVERS_DMA_H

#include <stdint.h>

/* @at: in the guest's RAM or in bivy's own data. Returns the PA. */
uint64_t dma_address(const volatile void *at);

#endif
