/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's own MMU for tests: everything one to one, and holes to play with, in both formats. */
#ifndef PAYLOAD_MMU_H
#define PAYLOAD_MMU_H

#include <stdint.h>

/* Short descriptors: 1 MiB sections, all of 4 GiB; a test changes what it wants and flushes. */
extern uint32_t short_table[4096];
extern uint32_t short_pages[256]; /* a second level table, all invalid */

#define SHORT_SECTION      0x00000c02u /* read, write for all; add memory type */
#define SHORT_SUPERSECTION 0x00040c02u
#define SHORT_DEVICE       0x00000004u
#define SHORT_NORMAL       0x00001000u
#define SHORT_PAGE         0x00000032u /* small page, read and write for all */
#define SHORT_TABLE        0x00000001u

/* Long descriptors: RAM and what is below one to one; 0x80000000 on is long_blocks, all invalid. */
extern uint64_t long_blocks[512]; /* 2 MiB each */

#define LONG_BLOCK  0x741ull /* normal memory, read and write for all */
#define LONG_DEVICE 0x745ull
#define LONG_TABLE  3ull

void mmu_short(void);    /* the whole table, and on */
void mmu_short_on(void); /* of this core, with the table as it is */
void mmu_long(void);
void mmu_off(void);
void mmu_flush(void);

#endif
