/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs one load or store after another on a bare QEMU virt, for decode_exec.py: each case brings
 * the instruction, the registers and 64 words of memory, and takes them away as the instruction
 * leaves them. Cases come as a file that QEMU loads, and go as a file by semihosting.
 */
	.syntax	unified
	.arch	armv7ve
	.arm

	/* One case, as decode_exec.py packs it. */
	.equ	CASE_ENTRY, 0	/* address of the slot, bit 0: Thumb */
	.equ	CASE_INSN, 4	/* in memory order, a nop after a 16-bit instruction */
	.equ	CASE_PRELUDE, 8	/* runs before: a nop, or a load-exclusive at [r0] */
	.equ	CASE_R0, 12	/* for the prelude */
	.equ	CASE_FLAGS, 16	/* of CPSR */
	.equ	CASE_OUTCOME, 20 /* comes back: 0, or the mode that a fault was taken to */
	.equ	CASE_STATE, 24	/* in and out: r0-r14, SP_usr, LR_usr, a gap, memory */
	.equ	STATE_WORDS, 15 + 2 + 1 + 64
	.equ	CASE_SIZE, CASE_STATE + 4 * STATE_WORDS
	.equ	CASES, 0x44000000 /* a count, then the cases */

	.text
	.global	_start, low_arm, low_thumb, high_arm, high_thumb, memory, after
_start:
	ldr	sp, =stack_top
	ldr	r0, =vectors
	mcr	p15, 0, r0, c12, c0, 0	/* VBAR */
	mrc	p15, 0, r0, c1, c0, 0
	orr	r0, r0, #1 << 10	/* SCTLR.SW: SWP is allowed */
	mcr	p15, 0, r0, c1, c0, 0
	isb
	ldr	r4, =CASES
	ldr	r5, [r4], #4
next:	subs	r5, r5, #1
	bmi	finish
	bl	run
	add	r4, r4, #CASE_SIZE
	b	next

	/* SYS_OPEN "results.bin" for writing, SYS_WRITE all but the count, SYS_EXIT */
finish:	mov	r0, #0x01
	ldr	r1, =open_arguments
	svc	0x123456
	ldr	r1, =write_arguments
	ldr	r2, =CASES + 4
	sub	r3, r4, r2
	stm	r1, {r0, r2, r3}
	mov	r0, #0x05
	svc	0x123456
	mov	r0, #0x18
	ldr	r1, =0x20026		/* ADP_Stopped_ApplicationExit */
	svc	0x123456
	b	.

	/* r4: the case. Everything that the instruction needs lies within reach of the PC. */
run:	push	{r4-r11, lr}
	str	sp, saved_sp
	ldr	r0, [r4, #CASE_ENTRY]
	str	r0, entry
	ldr	r0, [r4, #CASE_INSN]
	str	r0, low_arm
	str	r0, low_thumb
	str	r0, high_arm
	str	r0, high_thumb
	ldr	r0, [r4, #CASE_PRELUDE]
	str	r0, prelude
	mov	r0, #0
	str	r0, outcome
	adr	r0, state
	add	r1, r4, #CASE_STATE
	bl	copy
	adr	r0, user
	ldm	r0, {sp, lr}^
	nop
	ldr	r0, [r4, #CASE_FLAGS]
	msr	cpsr_f, r0
	ldr	r0, [r4, #CASE_R0]
	isb
prelude:
	nop
	adr	lr, state
	ldm	lr, {r0-r14}
	ldr	pc, entry

	.macro	slots side
\side\()_arm:
	.word	0
	b	after
\side\()_thumb:
	.word	0
	.short	0x4778, 0xbf00		/* bx pc: the next word is Arm code */
	b	after
	.endm

entry:	.word	0
saved_sp: .word	0
outcome: .word	0

	/* A literal of either sign reaches the memory from one of the slots. */
	slots	low
	.balign	8
state:	.space	15 * 4
user:	.space	3 * 4
memory:	.space	64 * 4
	slots	high

after:	.irp	number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
	str	r\number, state + 4 * \number
	.endr
	adr	r0, user
	stm	r0, {sp, lr}^
	nop
leave:	ldr	sp, saved_sp
	pop	{r4-r11, lr}
	ldr	r0, outcome
	str	r0, [r4, #CASE_OUTCOME]
	add	r0, r4, #CASE_STATE
	adr	r1, state
copy:	mov	r2, #STATE_WORDS
1:	ldr	r3, [r1], #4
	str	r3, [r0], #4
	subs	r2, r2, #1
	bne	1b
	bx	lr

	.pool
	.balign	32
vectors:
	.rept	8
	b	fault
	.endr
fault:	mrs	r0, cpsr
	and	r0, r0, #0x1f
	str	r0, outcome
	cps	#0x13
	b	leave

	.data
	.balign	4
name:	.asciz	"results.bin"
	.balign	4
open_arguments: .word name, 4 /* "w" */, 11
write_arguments: .space 12
	.bss
	.balign	8
	.space	4096
stack_top:
