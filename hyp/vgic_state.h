/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the virtual GIC share among themselves. For the lock see vgic.c. */
#ifndef HYP_VGIC_STATE_H
#define HYP_VGIC_STATE_H

#include "vgic.h"

/*
 * The frame of every change to the interrupts of bank @word. vgic_begin() takes vgic.lock unless
 * the bank is private; vgic_end() releases it, refreshes this core, @cpu, and kicks others, as far
 * as the changes to the interrupts in @mask concern them. @cores: more of them that must look.
 */
static inline void vgic_begin(unsigned int word)
{
	if (word != 0) {
		spin_lock(&vgic.lock);
	}
}

void vgic_end_change(unsigned int cpu, unsigned int word, uint32_t mask, uint32_t cores);

static inline void vgic_end(unsigned int cpu, unsigned int word, uint32_t mask, uint32_t cores)
{
	if ((mask | cores) != 0) {
		vgic_end_change(cpu, word, mask, cores);
	} else if (word != 0) {
		spin_unlock(&vgic.lock);
	}
}

/*
 * Takes the interrupts in @mask out of every list register, so that their state is all here, until
 * vgic_end(). Between vgic_begin() and vgic_end(); may release and retake the lock.
 */
void vgic_claim(unsigned int cpu, unsigned int word, uint32_t mask);

/*
 * An SGI from this core to the cores in @targets (bit = core's index); they must look. @sgi: 0
 * to 15. vgic_open_inbox() takes in what other cores sent to this one.
 */
uint32_t vgic_send_sgi(unsigned int cpu, unsigned int sgi, uint32_t targets);
void vgic_open_inbox(unsigned int cpu);

/* GICD_CTLR; all cores must look afterwards. vgic.lock held. */
void vgic_set_ctlr(uint32_t value);

/* Sends the kick SGI to the cores in @cores (bit = core's index). */
void vgic_kick(uint32_t cores);

static inline struct irq_bank *vgic_bank(unsigned int cpu, unsigned int word)
{
	return vgic.cpu[cpu].bank[word];
}

static inline uint32_t irq_bank_pending(const struct irq_bank *bank)
{
	return bank->latched | (bank->level & ~bank->edge);
}

/* Enabled, and of a group that the distributor forwards (4.3.1). */
static inline uint32_t irq_bank_open(const struct irq_bank *bank)
{
	return bank->enabled &
	       (vgic.forward0 ^ ((vgic.forward0 ^ vgic.forward1) & bank->group1));
}

/* Pending, and nothing but a list register is missing. */
static inline uint32_t irq_bank_deliverable(const struct irq_bank *bank)
{
	return irq_bank_pending(bank) & irq_bank_open(bank) &
	       ~(bank->active | bank->in_lr | bank->claimed);
}

/* The core that gets a pending SPI: the lowest in its target mask; CPUS_MAX if none. */
static inline unsigned int vgic_target(const struct irq_bank *bank, unsigned int bit)
{
	uint8_t mask = bank->target[bit];

	return mask == 0 ? CPUS_MAX : (unsigned int)__builtin_ctz(mask);
}

/* Takes the interrupts in @mask of bank @word out of this core's list registers. The lock held if
 * @word is not 0. */
void vgic_withdraw(unsigned int cpu, unsigned int word, uint32_t mask);

/* Takes all out of them and leaves the virtual interface as after reset. Lock not held. */
void vgic_withdraw_all(unsigned int cpu);

#endif
