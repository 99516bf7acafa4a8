/* SPDX-License-Identifier: BSD-2-Clause */
/* The bench payload's zImage header, its vectors, and the way to C of both cores. MMU and caches stay off. */
	.arch	armv7ve
	.arm

	.section .text.head, "ax"
	.global	_start
_start:
	.rept	8
	nop
	.endr
	b	1f
	.word	0x016f2818		/* zImage */
	.word	_start
	.word	_file_end
	.word	0x04030201

1:	cpsid	aif
	ldr	r0, =_bss_start
	ldr	r1, =_bss_end
	mov	r2, #0
2:	cmp	r0, r1
	strlo	r2, [r0], #4
	blo	2b
	ldr	r0, =vectors
	mcr	p15, 0, r0, c12, c0, 0	/* VBAR */
	isb
	ldr	sp, =stack_end
	bl	bench_main
	b	.

	/* The other core: from PSCI's CPU_ON. Its interrupts stay masked. */
	.global	other_start
other_start:
	cpsid	aif
	ldr	sp, =other_stack_end
	bl	other_main
	b	.

	/* Everything but an IRQ is a mistake: tell at which vector. */
	.balign	32
vectors:
	.irp	number, 0, 1, 2, 3, 4, 5
	b	unexpected_\number
	.endr
	/* The first instruction of the handler notes the time, in the one register that is free. */
#ifdef BY_COUNTER
	mcr	p15, 0, r0, c13, c0, 4
	mrrc	p15, 1, r0, sp, c14	/* CNTVCT */
	mcr	p15, 0, r0, c13, c0, 3	/* to TPIDRURO */
	mrc	p15, 0, r0, c13, c0, 4
#else
	mrc	p15, 0, sp, c9, c13, 0	/* PMCCNTR */
	mcr	p15, 0, sp, c13, c0, 4	/* to TPIDRPRW */
#endif
	ldr	sp, =irq_stack_end
	sub	lr, lr, #4
	push	{r0-r3, r12, lr}
	bl	irq_handler
	ldm	sp!, {r0-r3, r12, pc}^

	.irp	number, 0, 1, 2, 3, 4, 5
unexpected_\number:
	mov	r0, #\number
	mov	r1, lr
	ldr	sp, =stack_end
	b	unexpected
	.endr
	.ltorg

	.bss
	.balign	8
	.space	4096
stack_end:
	.space	1024
irq_stack_end:
	.space	1024
other_stack_end:
