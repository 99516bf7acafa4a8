/* SPDX-License-Identifier: BSD-2-Clause */
/* Long-descriptor translation tables, for both stages (ARM DDI 0406C B3.6). */
#ifndef HYP_PAGETABLE_H
#define HYP_PAGETABLE_H

#include <stdbool.h>
#include <stdint.h>

#define PT_ENTRIES  512u
#define PT_XN       (1ull << 54)
#define PT_AF       (1ull << 10)
#define PT_SH_INNER (3ull << 8)

/* Attributes of stage 1 (HMAIR0 as head.S sets it); AP[1] is RES1 in HYP mode. */
#define S1_BASE   (PT_AF | 1ull << 6)
#define S1_RO     (1ull << 7)
#define S1_NORMAL (S1_BASE | PT_SH_INNER | 1ull << 2)
#define S1_CODE   (S1_NORMAL | S1_RO)
#define S1_CONST  (S1_NORMAL | S1_RO | PT_XN)
#define S1_DATA   (S1_NORMAL | PT_XN)
#define S1_DEVICE (S1_BASE | PT_XN)

/* Attributes of stage 2: MemAttr in 5:2, HAP in 7:6 (B3.6.2). */
#define S2_RW     (3ull << 6)
#define S2_RO     (1ull << 6)
#define S2_NORMAL (PT_AF | PT_SH_INNER | S2_RW | 0xfull << 2)
#define S2_ROM    (PT_AF | PT_SH_INNER | S2_RO | 0xfull << 2)
#define S2_SHOWN  (PT_AF | PT_XN | S2_RO | 0x1ull << 2)
#define S2_DEVICE (PT_AF | PT_XN | S2_RW | 0x1ull << 2)

/* Where new tables come from: pages of a pool, handed out once. */
struct pt_pool {
	uint64_t (*tables)[PT_ENTRIES]; /* as seen by whoever runs now */
	unsigned int used, limit;
	uint32_t to_pa; /* PA - address as seen, modulo 2^32 */
};

/*
 * Maps [@input, @input + @size) to @pa by the largest blocks that alignment allows, from level 1
 * down.
 * @root: level 1 table(s), enough for @input. @input, @pa, @size: multiples of 4 KiB.
 * Existing mappings are never overwritten. Returns 0, -EINVAL if something is no multiple, -EEXIST
 * if something is mapped there already, or -ENOMEM if the pool is empty; then part of the range may
 * be mapped. Context: before the range is used by any core, or with no entry valid before (no break
 * needed, B3.10.1).
 */
int pt_map(struct pt_pool *pool, uint64_t *root, uint64_t input, uint64_t pa, uint64_t size,
	   uint64_t attributes);

/*
 * The entry that maps @input, at whatever level, or NULL; *@level gets 1 to 3.
 */
uint64_t *pt_find(const struct pt_pool *pool, uint64_t *root, uint64_t input, unsigned int *level);

#endif
