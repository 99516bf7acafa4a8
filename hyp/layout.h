/* SPDX-License-Identifier: BSD-2-Clause */
/* Constants that C, assembly and the linker script share. */
#ifndef HYP_LAYOUT_H
#define HYP_LAYOUT_H

/*
 * HYP's virtual addresses (stage 1):
 *   0x00000000  not mapped
 *   0x00200000  bivy itself, 4 KiB pages, W^X
 *   0x00400000  registers of physical devices, see stage1_map_device()
 *   0x40000000  the window onto RAM, 3 GiB at most: PA at a constant offset
 */
#define HYP_VA         0x00200000
#define DEVICE_VA      0x00400000
#define DEVICE_VA_SIZE 0x00200000
#define WINDOW_VA      0x40000000

#define PAGE_SIZE  0x1000
#define KEEP_SIZE  0x100000                /* RAM that bivy keeps for itself */
#define SHOWN_PAGE (KEEP_SIZE - PAGE_SIZE) /* in there, behind the image: see devices.c */

#define STACK_SIZE  0x2000                   /* of one core */
#define STACK_SLOT  (STACK_SIZE + PAGE_SIZE) /* with its guard page below */
#define STACK_COUNT 8                        /* CPUS_MAX */

/* struct cpu, as head.S knows it. */
#define CPU_SHIFT 4 /* logarithm of its size */
#define CPU_MPIDR 8

/* UART that early errors go to when the board's tree names none: PL011 of QEMU virt. */
#define FALLBACK_UART 0x09000000

#endif
