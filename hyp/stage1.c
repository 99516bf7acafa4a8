/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYP mode's own address space, as layout.h draws it. Entries are only ever added, before other
 * cores run or before anyone uses the range, so no TLB holds anything to invalidate (ARM DDI 0406C
 * B3.10.1).
 */
#include "stage1.h"
#include "arch.h"
#include "boot/early.h"
#include "pagetable.h"
#include "print.h"
#include "trap.h"
#include "../drivers/dma.h"

static struct pt_pool pool;
uint64_t dma_offset[4];

_Static_assert(WINDOW_VA == 1u << 30, "dma_offset begins with what is below");

struct pt_pool *table_allocator(void)
{
	if (pool.tables == NULL) {
		pool.tables = table_pool;
		pool.used = table_pool_used;
		pool.limit = PT_POOL_TABLES;
		pool.to_pa = image_pa - HYP_VA;
	}
	return &pool;
}

static void map(uint32_t va, uint64_t pa, uint64_t size, uint64_t attributes)
{
	int error = pt_map(table_allocator(), hyp_l1, va, pa, size, attributes);

	if (error != 0) {
		panic("stage 1: %llx at %08lx can't be mapped: error %d", pa, va, error);
	}
	dsb(); /* the walker sees the entries before the next access (B3.10.1) */
	isb();
}

void stage1_activate(void)
{
	write_HVBAR((uintptr_t)hyp_vectors);
	write_HTTBR(image_pa + (uint32_t)((uintptr_t)hyp_l1 - HYP_VA));
	isb();
	write_TLBIALLH(0);
	dsb();
	isb();
}

void stage1_map_device(uint32_t va, uint64_t pa, uint32_t size)
{
	map(va, pa & ~(uint64_t)(PAGE_SIZE - 1), size, S1_DEVICE);
}

void stage1_map_window(uint64_t start, uint64_t end)
{
	dma_offset[0] = (uint64_t)image_pa - HYP_VA;
	for (unsigned int i = 1; i < 4; i++) {
		dma_offset[i] = (start & ~(uint64_t)0x1fffff) - WINDOW_VA;
	}
	map((uint32_t)(start - dma_offset[1]), start, end - start, S1_DATA);
}

void *window_at(uint64_t pa)
{
	return (void *)(uintptr_t)(uint32_t)(pa - dma_offset[1]);
}
