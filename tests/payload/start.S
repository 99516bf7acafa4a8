/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry, vectors and the executor of test payloads: bare-metal guests for QEMU's -M virt, natively or
 * under bivy. Loaded like a zImage at 0x40010000, entered in SVC with the MMU off, r2 = device tree.
 */
#include "context.h"

	.syntax	unified
	.arch	armv7ve
	.arch_extension sec
	.arm
	.section .text.head, "ax"
	.global	_start
_start:
	.rept	8
	mov	r0, r0
	.endr
	b	1f
	.word	0x016f2818		/* zImage magic */
	.word	_start
	.word	_image_end
	.word	0x04030201

1:	cpsid	aif
	ldr	r3, =_bss_start
	ldr	r4, =_bss_end
	mov	r5, #0
2:	cmp	r3, r4
	strlo	r5, [r3], #4
	blo	2b
	mov	r4, r2
	ldr	r0, =cores
	bl	core_begin
	mov	r0, r4
	ldr	r1, =payload_main
	bx	r1

/* Another core, from CPU_ON: r0 = its struct core. */
	.global	secondary_entry
secondary_entry:
	cpsid	aif
	mrs	r1, cpsr
	str	r1, [r0, #CORE_ENTRY_CPSR]
	mrc	p15, 0, r1, c1, c0, 0
	str	r1, [r0, #CORE_ENTRY_SCTLR]
	bl	core_begin
	mrc	p15, 0, r0, c13, c0, 4
	ldr	r1, =secondary_main
	bx	r1

/* The same, entered in Thumb state (CPU_ON to an odd address). */
	.thumb
	.balign	4
	.global	secondary_entry_thumb
secondary_entry_thumb:
	bx	pc
	nop
	.arm
	b	secondary_entry

/* r0: struct core. Stacks of SVC and of SYS mode (interrupts run there), vectors. */
core_begin:
	mcr	p15, 0, r0, c13, c0, 4	/* TPIDRPRW */
	add	r1, r0, #CORE_STACKS + STACK_BYTES
	mov	sp, r1
	cps	#0x1f
	add	sp, r1, #STACK_BYTES
	cps	#0x13
	ldr	r1, =vectors
	mcr	p15, 0, r1, c12, c0, 0	/* VBAR */
	mrc	p15, 0, r1, c1, c0, 0
	orr	r1, r1, #1 << 10	/* SCTLR.SW: SWP is allowed */
	mcr	p15, 0, r1, c1, c0, 0
	isb
	bx	lr
	.ltorg

/*
 * void execute(void): loads the registers of this core's context, and goes to its pc with its cpsr, in
 * whatever mode that names. Any exception but an interrupt saves everything back and returns to the
 * caller. (Of the mode that took the exception, SP and LR are lost.)
 */
	.text
	.global	execute
execute:
	push	{r4-r12, lr}
	mrc	p15, 0, r0, c13, c0, 4
	str	sp, [r0, #CORE_SAVED_SP]
	ldr	r1, [r0, #CONTEXT_CPSR]
	and	r2, r1, #0x1f
	orr	r3, r2, #0xc0
	cmp	r2, #0x10
	orreq	r3, r3, #0x0f		/* User mode's registers are System mode's */
	msr	cpsr_c, r3
	add	r4, r0, #4 * 8
	ldm	r4, {r8-r14}
	cmp	r2, #0x17		/* by way of ABT, or of UND if it is to run in ABT */
	moveq	r3, #0xdb
	movne	r3, #0xd7
	msr	cpsr_c, r3
	mov	lr, r0
	msr	spsr_cxsf, r1
	ldm	lr, {r0-r12}
	ldr	lr, [lr, #CONTEXT_PC]
	movs	pc, lr

	.macro	take number
	mrc	p15, 0, sp, c13, c0, 4
	str	r0, [sp]
	mrs	r0, cpsr
	setend	le
	str	r0, [sp, #CONTEXT_TAKEN_CPSR]
	mov	r0, #\number
	b	took
	.endm

	/* Interrupts run in SYS mode, so that they nest. */
	.macro	interrupt_to number
	sub	lr, lr, #4
	srsdb	sp!, #0x1f
	cps	#0x1f
	push	{r0-r3, r12, lr}
	mov	r0, #\number
	ldr	r1, =interrupt
	blx	r1
	pop	{r0-r3, r12, lr}
	rfeia	sp!
	.endm

	/* One page, position independent but for interrupts: tests map it elsewhere, too. */
	.balign	4096
	.global	vectors, thumb_vectors
vectors:
	b	.
	b	undefined_vector
	b	svc_vector
	b	prefetch_vector
	b	data_vector
	b	.
	b	irq_vector
	b	fiq_vector

	.thumb
thumb_vectors:				/* for SCTLR.TE = 1 */
	b.w	.
	b.w	thumb_undefined
	b.w	thumb_svc
	b.w	thumb_prefetch
	b.w	thumb_data
	b.w	.
	b.w	.
	b.w	.
	.irp	name, undefined, svc, prefetch, data
	.thumb
	.balign	4
thumb_\name:
	bx	pc
	nop
	.arm
	b	\name\()_vector
	.endr

	.arm
undefined_vector:
	take	KIND_UNDEFINED
svc_vector:
	take	KIND_SVC
prefetch_vector:
	take	KIND_PREFETCH_ABORT
data_vector:
	take	KIND_DATA_ABORT
took:
	str	r0, [sp, #CONTEXT_KIND]
	str	lr, [sp, #CONTEXT_PC]
	mrs	r0, spsr
	str	r0, [sp, #CONTEXT_CPSR]
	str	r1, [sp, #4]
	mov	r1, sp
	add	sp, sp, #4 * 2
	stm	sp, {r2-r7}
	and	r2, r0, #0x1f
	orr	r3, r2, #0xc0
	cmp	r2, #0x10
	orreq	r3, r3, #0x0f
	msr	cpsr_c, r3
	add	r4, r1, #4 * 8
	stm	r4, {r8-r14}
	cpsid	aif, #0x13
	ldr	sp, [r1, #CORE_SAVED_SP]
	cmp	sp, #0
	addeq	sp, r1, #CORE_STACKS + STACK_BYTES
	ldreq	r2, =unexpected
	bxeq	r2
	mov	r2, #0
	str	r2, [r1, #CORE_SAVED_SP]
	pop	{r4-r12, lr}
	bx	lr
irq_vector:
	interrupt_to 0
fiq_vector:
	interrupt_to 1
	.ltorg
