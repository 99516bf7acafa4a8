/* SPDX-License-Identifier: BSD-2-Clause */
/* In front of a driver of the board's: a device whose registers say anything at each look, and time that passes. */
#ifndef TESTS_PROOF_REGISTERS_H
#define TESTS_PROOF_REGISTERS_H

#include "drivers/dma.h"
#include "drivers/hw/access.h"
#include "drivers/tick.h"

#define REGISTERS 0x10000000u
#define BYTES     0x1000u

uint8_t tick_count;

uint32_t mmio_read(uintptr_t address)
{
	/*@ assert there: REGISTERS <= address && address - REGISTERS < BYTES; */
	return any();
}

void mmio_write(uintptr_t address, uint32_t value)
{
	/*@ assert there: REGISTERS <= address && address - REGISTERS < BYTES; */
}

uint32_t mmio_read_size(uintptr_t at, unsigned int size)
{
	/*@ assert size: size == 1 || size == 2 || size == 4; */
	return size == 4   ? mmio_read(at)
	       : size == 2 ? (uint16_t)mmio_read(at)
			   : (uint8_t)mmio_read(at);
}

void mmio_write_size(uintptr_t at, unsigned int size, uint32_t value)
{
	/*@ assert size: size == 1 || size == 4; */
	mmio_write(at, value);
}

void dma_barrier(void)
{
}

uint64_t dma_address(const volatile void *at)
{
	return (uint64_t)up_to(0xff) << 32 | any();
}

void tick_start(void)
{
}

#endif
