/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HYP mode's vectors (ARM DDI 0406C B1.8.1) and the way into the guest. Every trap saves struct guest_regs
 * on the core's stack, calls a C function with its address, and returns to the guest.
 */
#include "layout.h"

	.arch_extension virt
	.arch_extension sec
	.arm
	.text

	.macro	guest_save
	push	{r0-r12, lr}
	mrs	r2, elr_hyp
	mrs	r3, spsr
	push	{r2, r3}
	mov	r0, sp
	.endm

	/* CLREX: no exclusive access spans a trap (A3.4.5). */
	.macro	guest_return
	pop	{r2, r3}
	msr	elr_hyp, r2
	msr	spsr_cxsf, r3
	pop	{r0-r12, lr}
	clrex
	eret
	.endm

	.balign 32
	.global	hyp_vectors
hyp_vectors:
	.irp	vector, fatal_0, fatal_1, fatal_2, fatal_3, fatal_4, trap_vector, irq_vector, irq_vector /* FIQ: none */
	b	\vector
	.endr

/*
 * The same where the guest's branches may mislead HYP mode's (errata.h): BPIALL or ICIALLU, which ignore their register,
 * before any branch. What SP, a multiple of 16 while the guest runs, is there tells a trap from an interrupt.
 */
	.irp	operation, 6, 0
	.balign	32
	.irp	number, 0, 1, 2, 3, 4
	b	fatal_\number
	.endr
	sub	sp, sp, #8
	mcr	p15, 0, r0, c7, c5, \operation
	isb
	tst	sp, #8
	beq	irq_vector
	add	sp, sp, #8
	b	trap_vector
	.endr

/* Whatever the guest does, its asynchronous aborts too (HCR.AMO, B1.9.9), comes here. */
trap_vector:
	guest_save
	mrc	p15, 4, r1, c5, c2, 0	/* HSR; EC is its upper six bits (B3.13.6) */
	ldr	r3, =trap_handlers
	lsr	r2, r1, #26
	adr	lr, 1f
	ldr	pc, [r3, r2, lsl #2]
1:	guest_return
irq_vector:
	guest_save
	bl	trap_irq
	guest_return

/* From HYP mode itself, or so badly wrong that nothing else can be said: tell and stop. */
	.irp	number, 0, 1, 2, 3, 4
fatal_\number:
	mov	r1, #\number
	b	hyp_fault
	.endr

/* The stack may be what's broken: use the emergency one. r1 = vector. */
hyp_fault:
	ldr	sp, =emergency_stack_end
	guest_save
	bl	hyp_panic
	b	.

/* _Noreturn void guest_enter(const struct guest_regs *regs, void *stack_top) */
	.type	guest_enter, %function
	.global	guest_enter
guest_enter:
	mov	sp, r1
	ldmia	r0!, {r2, r3}
	msr	elr_hyp, r2
	msr	spsr_cxsf, r3
	ldmia	r0, {r0-r12, lr}
	clrex
	eret

	.bss
	.balign	8
	.space	2048
emergency_stack_end:
