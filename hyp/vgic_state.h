/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the virtual GIC share among themselves. Everything here wants vgic.lock held. */
#ifndef HYP_VGIC_STATE_H
#define HYP_VGIC_STATE_H

#include "vgic.h"

/* Takes the interrupts in @mask out of every list register, so that their state is all here. May
 * release and retake the lock. */
void vgic_claim(unsigned int cpu, unsigned int word, uint32_t mask);

/* After a change to @mask of bank @word: list registers of this core, a kick for others. */
void vgic_changed(unsigned int cpu, unsigned int word, uint32_t mask);

/* An SGI from this core to the cores in @targets (bit = core's index). @sgi: 0 to 15. */
void vgic_send_sgi(unsigned int cpu, unsigned int sgi, uint32_t targets);

/* Every core looks again, as after a write to GICD_CTLR. */
void vgic_changed_all(unsigned int cpu);

static inline struct irq_bank *vgic_bank(unsigned int cpu, unsigned int word)
{
	return word == 0 ? &vgic.cpu[cpu].private : &vgic.spi[word - 1];
}

static inline uint32_t irq_bank_pending(const struct irq_bank *bank)
{
	return bank->latched | (bank->level & ~bank->edge);
}

/* Interrupts whose group the distributor forwards (4.3.1). */
static inline uint32_t irq_bank_forwarded(const struct irq_bank *bank)
{
	return (vgic.ctlr & 1 ? ~bank->group1 : 0) | (vgic.ctlr & 2 ? bank->group1 : 0);
}

/* Pending, and nothing but a list register is missing. */
static inline uint32_t irq_bank_deliverable(const struct irq_bank *bank)
{
	return irq_bank_pending(bank) & bank->enabled & irq_bank_forwarded(bank) &
	       ~(bank->active | bank->in_lr | bank->claimed);
}

/* The core that gets an SPI: the lowest in its target mask; CPUS_MAX if none. */
static inline unsigned int vgic_target(const struct irq_bank *bank, unsigned int bit)
{
	uint8_t mask = bank->target[bit];

	return mask == 0 ? CPUS_MAX : (unsigned int)__builtin_ctz(mask);
}

/* The core whose list registers an interrupt goes to: an active one's is where it was acknowledged. */
static inline unsigned int vgic_home(unsigned int cpu, unsigned int word, unsigned int bit)
{
	const struct irq_bank *bank = vgic_bank(cpu, word);

	if (word == 0) {
		return cpu;
	}
	return (bank->active >> bit & 1) != 0 ? bank->owner[bit] : vgic_target(bank, bit);
}

/* Takes everything out of this core's list registers and leaves its virtual interface as after reset. */
void vgic_withdraw_all(unsigned int cpu);

#endif
