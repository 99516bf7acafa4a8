/* SPDX-License-Identifier: BSD-2-Clause */
/* What the code before the MMU leaves for the code after it. */
#ifndef BOOT_EARLY_H
#define BOOT_EARLY_H

#include <stdint.h>
#include "hyp/config.h"
#include "hyp/layout.h"
#include "hyp/pagetable.h"

#define PT_POOL_TABLES  40
#define BOARD_TREE_KEPT 0x28000u /* bytes */

/* Hidden: found relative to PC, without a GOT, before the MMU is on. */
#pragma GCC visibility push(hidden)
extern char _start[], _image_start[], _text_end[], _rodata_end[], _image_file_end[];
extern char _bss_start[], _bss_end[], _stacks[], _image_end[];
extern char secondary_start[];

extern struct board board;                       /* what the board's tree says */
extern uint32_t image_pa;                        /* PA of _image_start */
extern uint32_t board_tree[BOARD_TREE_KEPT / 4]; /* that tree, if board.tree_size is not more */
extern uint64_t boot_l1[4],
	hyp_l1[4]; /* level 1 of HYP's stage 1: while the MMU is switched on, and after */
extern uint64_t table_pool[PT_POOL_TABLES][PT_ENTRIES];
extern unsigned int table_pool_used;
#pragma GCC visibility pop

#endif
