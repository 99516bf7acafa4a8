/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's own MMU for tests (ARM DDI 0406C B3.5, B3.6). */
#include "mmu.h"
#include "payload.h"

#define SCTLR_M     (1u << 0)
#define TTBCR_EAE   (1u << 31)
#define RAM_SECTION 0x400u

uint32_t short_table[4096] __attribute__((aligned(16384)));
uint32_t short_pages[256] __attribute__((aligned(1024)));
uint64_t long_blocks[512] __attribute__((aligned(4096)));
static uint64_t long_root[4] __attribute__((aligned(32)));

void mmu_flush(void)
{
	asm volatile("dsb" ::: "memory");
	write_TLBIALL(0);
	asm volatile("dsb\n\tisb" ::: "memory");
}

static void enable(uint32_t control, uint32_t root)
{
	write_TTBCR(control);
	write_TTBR0(root);
	mmu_flush();
	write_SCTLR(read_SCTLR() | SCTLR_M);
}

void mmu_short_on(void)
{
	write_DACR(1);
	enable(0, (uint32_t)short_table);
}

void mmu_short(void)
{
	for (uint32_t i = 0; i < 4096; i++) {
		short_table[i] = i << 20 | SHORT_SECTION |
				 (i >= RAM_SECTION && i < 0x800 ? SHORT_NORMAL : SHORT_DEVICE);
	}
	mmu_short_on();
}

void mmu_long(void)
{
	long_root[0] = LONG_DEVICE;
	long_root[1] = 0x40000000 | LONG_BLOCK;
	long_root[2] = (uint32_t)long_blocks | LONG_TABLE;
	write_MAIR0(0x00000444); /* index 0: normal, not cached; 1: device */
	enable(TTBCR_EAE, (uint32_t)long_root);
}

void mmu_off(void)
{
	write_SCTLR(read_SCTLR() & ~SCTLR_M);
	write_TTBCR(0);
	mmu_flush();
}
