/* SPDX-License-Identifier: BSD-2-Clause */
/* What the vectors call, and what the handlers of traps share. */
#ifndef HYP_TRAP_H
#define HYP_TRAP_H

#include <stdbool.h>
#include <stdint.h>
#include "cpu.h"

/* Hyp Syndrome Register (ARM DDI 0406C B3.13.6). */
#define HSR_EC_SHIFT       26
#define HSR_IL             (1u << 25)
#define HSR_CV             (1u << 24)
#define HSR_COND           0x00f00000u
#define HSR_ISV            (1u << 24)
#define HSR_SAS            0x00c00000u
#define HSR_SAS_WORD       0x00800000u
#define HSR_SSE            (1u << 21)
#define HSR_SRT            0x000f0000u
#define HSR_SRT_8          0x00080000u /* set: r8 or above */
#define HSR_CM             (1u << 8)
#define HSR_S1PTW          (1u << 7)
#define HSR_WNR            (1u << 6)
#define HSR_FSC            0x0000003fu
#define HSR_FSC_CLASS      0x0000003cu
#define FSC_TRANSLATION    0x04u
#define FSC_PERMISSION     0x0cu
#define FSC_ASYNC_EXTERNAL 0x11u
#define FSC_ASYNC_PARITY   0x19u

#define HPFAR_FIPA 0xfffffff0u /* IPA[39:12] (B4.1.72) */

/*
 * Called by vectors.S with the guest's registers on this core's stack; interrupts are masked in HYP
 * mode. Traps go to their handler by HSR.EC.
 */
typedef void (*trap_handler)(struct guest_regs *regs, uint32_t hsr);
extern const trap_handler trap_handlers[64];
void trap_irq(struct guest_regs *regs);
_Noreturn void hyp_panic(const struct guest_regs *regs, unsigned int vector);

/* Three sets of vectors in a row: without, with BPIALL, with ICIALLU at each exit. @errata:
 * errata_at_exit(). */
extern char hyp_vectors[];
#define VECTORS_AT(errata) ((errata) == ERRATA_ICIALLU ? 96u : (errata)*32)

/*
 * Leaves a handler of this core's trap: the guest executes the trapped instruction again, after the
 * interrupts that are pending. Context: no lock held, nothing of what the instruction does to
 * registers done.
 */
_Noreturn void trap_again(void);

/* Takes one physical interrupt, if one is pending, on a core that is parked in HYP mode. */
void irq_take(void);

void advance_it(struct guest_regs *regs);

/*
 * For traps whose syndrome has a condition, as those of coprocessors and WFI do (B3.13.6): true if
 * it fails; the instruction is then skipped.
 */
bool condition_fails(struct guest_regs *regs, uint32_t hsr);

/* Past the trapped instruction: PC and, in Thumb state, the IT bits. @length: 2 or 4 bytes. */
static inline void skip_instruction(struct guest_regs *regs, uint32_t length)
{
	regs->pc += length;
	if ((regs->cpsr & PSR_T) != 0) {
		advance_it(regs);
	}
}

/*
 * Register @n (0 to 15) as an instruction in @mode (PSR_USR and so on) names it; below, as the
 * trapped instruction does. 15 is LR: where PC traps as a register other than MRC's flags
 * (coproc.c), it is UNPREDICTABLE (ARM DDI 0406C A8.8.107).
 */
uint32_t banked_register(const struct guest_regs *regs, unsigned int n, uint32_t mode);
void set_banked_register(struct guest_regs *regs, unsigned int n, uint32_t mode, uint32_t value);

/* SP, LR and SPSR of every mode, and FIQ's r8 to r12, are zero. */
void banked_registers_reset(void);

static inline uint32_t guest_register(const struct guest_regs *regs, unsigned int n)
{
	return n < 8 ? regs->r[n] : banked_register(regs, n, regs->cpsr & PSR_MODE);
}

static inline void set_guest_register(struct guest_regs *regs, unsigned int n, uint32_t value)
{
	if (n < 8) {
		regs->r[n] = value;
	} else {
		set_banked_register(regs, n, regs->cpsr & PSR_MODE, value);
	}
}

/* A load or store whose syndrome says nothing: decodes and performs it, or injects an abort
 * (emulate.c). */
void emulate_transfer(struct guest_regs *regs, uint32_t hsr);

/* Traps of CP14 and CP15 (coproc.c). */
void trap_cp15(struct guest_regs *regs, uint32_t hsr);
void trap_cp15_64(struct guest_regs *regs, uint32_t hsr);
void trap_cp14(struct guest_regs *regs, uint32_t hsr);
void trap_cp14_64(struct guest_regs *regs, uint32_t hsr);

/* HVC, SMC (psci.c). */
void trap_hvc(struct guest_regs *regs, uint32_t hsr);
void trap_smc(struct guest_regs *regs, uint32_t hsr);

#endif
