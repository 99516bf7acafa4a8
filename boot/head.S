/* SPDX-License-Identifier: BSD-2-Clause */
/* First instructions: the zImage header, and the way of each core from "MMU off, anywhere" to C at HYP_VA. */
#include "hyp/layout.h"

#define HSCTLR_ON 0x30cd187d /* RES1 bits, CP15BEN | WXN | I | C | M (ARM DDI 0406C B4.1.74) */
#define HTCR_4GIB 0x80803500 /* RES1 bits, T0SZ = 0, inner shareable, write-back walks (B4.1.75) */
#define HMAIR0_BIVY 0x0000ff04 /* index 0: Device, 1: Normal write-back (B4.1.69) */

	.arch_extension virt
	.arch_extension sec
	.arm
	.section .text.head, "ax"
	.global _start
_start:
	.rept	8
	mov	r0, r0
	.endr
	b	1f
	.word	0x016f2818		/* zImage magic */
	.word	0			/* start: position independent */
	.word	_image_file_size
	.word	0x04030201		/* endianness */

1:	cpsid	aif
	adr	r5, _start
	/* bss and stacks are used uncached from here on: no line that was left may fall on them later (B2.2.6). */
	ldr	r0, =_bss_start - HYP_VA
	ldr	r1, =_image_end - HYP_VA
	add	r0, r5, r0
	add	r1, r5, r1
	mrc	p15, 0, r3, c0, c0, 1	/* CTR: DminLine is the logarithm of words in a line */
	ubfx	r3, r3, #16, #4
	mov	r4, #4
	lsl	r4, r4, r3
2:	mcr	p15, 0, r0, c7, c14, 1	/* DCCIMVAC */
	add	r0, r0, r4
	cmp	r0, r1
	blo	2b
	dsb
	ldr	r6, =_stacks + STACK_SLOT - HYP_VA
	add	sp, r5, r6
	mov	r0, r2
	mrs	r1, cpsr
	bl	early_place		/* returns where bivy is from now on */
	add	sp, r0, r6
	ldr	r1, =moved - HYP_VA
	add	pc, r0, r1
moved:
	bl	early_map
	bl	mmu_on
	mov	r0, #0
	ldr	r1, =hyp_main
	bx	r1

/* Another core, from the firmware or wherever it was held: MMU off, HYP mode. */
	.global	secondary_start
secondary_start:
	cpsid	aif
	mrs	r0, cpsr
	and	r0, r0, #0x1f
	cmp	r0, #0x1a
	bne	.			/* not in HYP mode: never counted as present */
	bl	find_stack
	bl	mmu_on
	mov	r0, r4
	ldr	r1, =secondary_main
	bx	r1

/* r4 = this core's index in cpus[], sp = the end of its stack, r5 = _start. The MMU is off. */
find_stack:
	adr	r5, _start
	mrc	p15, 0, r1, c0, c0, 5	/* MPIDR */
	bic	r1, r1, #0xff000000
	ldr	r0, =cpus + CPU_MPIDR - HYP_VA
	add	r0, r5, r0
	mov	r4, #STACK_COUNT
1:	subs	r4, r4, #1
	bmi	.			/* a core that the tree does not name */
	ldr	r2, [r0, r4, lsl #CPU_SHIFT]
	cmp	r2, r1
	bne	1b
	ldr	r0, =_stacks + STACK_SLOT - HYP_VA
	add	r0, r5, r0
	mov	r1, #STACK_SLOT
	mla	sp, r4, r1, r0
	bx	lr

/*
 * Stage 1 of HYP mode on, with the tables that early_map made; they map this code one to one, too.
 * Stale entries of TLBs, branch predictor and instruction cache go first (ARM DDI 0406C B3.10.2, B2.2.6).
 * Returns to the caller's address in HYP_VA's range is up to the caller; sp becomes virtual.
 */
mmu_on:
	adr	r5, _start
	ldr	r0, =boot_l1 - HYP_VA
	add	r0, r5, r0
	mov	r1, #0
	mcrr	p15, 4, r0, r1, c2	/* HTTBR */
	ldr	r0, =HMAIR0_BIVY
	mcr	p15, 4, r0, c10, c2, 0	/* HMAIR0 */
	ldr	r0, =HTCR_4GIB
	mcr	p15, 4, r0, c2, c0, 2	/* HTCR */
	mcr	p15, 4, r0, c8, c7, 0	/* TLBIALLH */
	mcr	p15, 0, r0, c7, c5, 0	/* ICIALLU */
	mcr	p15, 0, r0, c7, c5, 6	/* BPIALL */
	dsb
	isb
	ldr	r0, =HSCTLR_ON
	mcr	p15, 4, r0, c1, c0, 0	/* HSCTLR */
	isb
	sub	sp, sp, r5
	add	sp, sp, #HYP_VA
	bx	lr
	.ltorg
