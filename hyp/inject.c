/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions that the guest takes because of what it did. The state is the core's own. */
#include "inject.h"

#define SCTLR_V   (1u << 13)
#define SCTLR_EE  (1u << 25)
#define SCTLR_TE  (1u << 30)
#define TTBCR_EAE (1u << 31)
#define FSR_LPAE  (1u << 9)
#define FSR_WNR   (1u << 11)

#define BANKED_WRITE(name)                                                                         \
	static void write_banked_##name(uint32_t value)                                            \
	{                                                                                          \
		asm volatile("msr " #name ", %0" : : "r"(value) : "memory");                       \
	}

BANKED_WRITE(lr_und)
BANKED_WRITE(spsr_und)
BANKED_WRITE(lr_abt)
BANKED_WRITE(spsr_abt)

/* Where the guest's vector is and what its CPSR is there (B1.8.1, B1.8.3); J, IT and the mode
 * change. */
static void enter(struct guest_regs *regs, uint32_t mode, uint32_t mask, uint32_t vector)
{
	const uint32_t sctlr = read_SCTLR();
	uint32_t cpsr = regs->cpsr & ~(PSR_MODE | PSR_IT | PSR_J | PSR_T | PSR_E);

	cpsr |= mode | mask;
	cpsr |= (sctlr & SCTLR_TE) != 0 ? PSR_T : 0;
	cpsr |= (sctlr & SCTLR_EE) != 0 ? PSR_E : 0;
	regs->cpsr = cpsr;
	regs->pc = ((sctlr & SCTLR_V) != 0 ? 0xffff0000u : read_VBAR()) + vector;
}

void inject_undefined(struct guest_regs *regs)
{
	write_banked_lr_und(regs->pc + ((regs->cpsr & PSR_T) != 0 ? 2 : 4));
	write_banked_spsr_und(regs->cpsr);
	enter(regs, PSR_UND, PSR_I, 0x04);
}

/* Fault status in the format that TTBCR.EAE chooses (B3.13.3, B3.13.4). */
static uint32_t fault_status(enum abort_kind kind)
{
	static const uint8_t short_status[] = {0x08, 0x0c, 0x01};
	static const uint8_t long_status[] = {0x10, 0x15, 0x21};

	if ((read_TTBCR() & TTBCR_EAE) != 0) {
		return FSR_LPAE | long_status[kind];
	}
	return short_status[kind];
}

void inject_data_abort(struct guest_regs *regs, uint32_t va, enum abort_kind kind, bool is_write)
{
	write_DFAR(va);
	write_DFSR(fault_status(kind) | (is_write ? FSR_WNR : 0));
	write_banked_lr_abt(regs->pc + 8);
	write_banked_spsr_abt(regs->cpsr);
	enter(regs, PSR_ABT, PSR_I | PSR_A, 0x10);
}

void inject_prefetch_abort(struct guest_regs *regs, uint32_t va, enum abort_kind kind)
{
	write_IFAR(va);
	write_IFSR(fault_status(kind));
	write_banked_lr_abt(regs->pc + 4);
	write_banked_spsr_abt(regs->cpsr);
	enter(regs, PSR_ABT, PSR_I | PSR_A, 0x0c);
}
