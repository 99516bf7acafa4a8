/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the virtual GIC share among themselves. For the lock see vgic.c. */
#ifndef HYP_VGIC_STATE_H
#define HYP_VGIC_STATE_H

#include "field.h"
#include "vgic.h"

/* What is noted about a list register's interrupt in a bit that list registers don't have
 * (vgic_lr.c). */
#define LR_LATCHED (1u << 20) /* was pending by the latch, not by the wire alone */

/*
 * The frame of every change to interrupts of @bank. vgic_begin() takes vgic.lock unless the bank is
 * private; vgic_end() releases it, refreshes this core and kicks others, as far as the changes to
 * the interrupts in @mask concern them.
 */
static inline void vgic_begin(const struct irq_bank *bank)
{
	if (bank->word != 0) {
		spin_lock(&vgic.lock);
	}
}

void vgic_end_change(struct irq_bank *bank, uint32_t mask);

static inline void vgic_end(struct irq_bank *bank, uint32_t mask)
{
	if (mask != 0) {
		vgic_end_change(bank, mask);
	} else if (bank->word != 0) {
		spin_unlock(&vgic.lock);
	}
}

/* The cores in @cores (bit = core's index) must look what has changed: this one, @cpu, at once. No
 * lock held. */
void vgic_look(unsigned int cpu, uint32_t cores);

/*
 * Takes the interrupts in @mask out of every list register, so that their state is all here, until
 * vgic_end(). Between vgic_begin() and vgic_end(); may release and retake the lock.
 */
void vgic_claim(struct irq_bank *bank, uint32_t mask);

/*
 * An SGI from this core to the cores in @targets (bit = core's index). @sgi: 0 to 15.
 * vgic_open_inbox() takes in what other cores sent to this one.
 */
void vgic_send_sgi(unsigned int cpu, unsigned int sgi, uint32_t targets);
void vgic_open_inbox(unsigned int cpu);

/*
 * The short ways, without a search, for interrupts whose last list register is still theirs. Each
 * returns false, with nothing done, if it can't be gone. @vc: this core's; not for HW interrupts.
 * The lock is held if the bank is not private. vgic_pend_again(): it becomes pending. @cause:
 * LR_LATCHED (with an SGI's source in LR_CPUID), or LR_EOI for a wire, whose end must be told.
 * vgic_wire_fell(): the wire of a level-sensitive one, so that its end needs not be told.
 */
bool vgic_pend_again(struct vgic_cpu *vc, struct irq_bank *bank, unsigned int n, uint32_t cause);
bool vgic_wire_fell(struct vgic_cpu *vc, struct irq_bank *bank, unsigned int n);

/* An SPI ended, and may be pending again: then its core must look. vgic.lock held. */
void vgic_repeat_spi(unsigned int cpu, const struct irq_bank *bank, unsigned int n);

/*
 * An active interrupt left its list register, whose record was @record. vgic_complete_taken() finds
 * those that ended meanwhile; vgic_forget_taken() is for a core that stops. The lock as for
 * vgic_withdraw(); for the latter two always held.
 */
void vgic_take(unsigned int cpu, struct irq_bank *bank, unsigned int n, uint32_t record);
void vgic_complete_taken(unsigned int cpu);
void vgic_forget_taken(unsigned int cpu);

/*
 * The guest's own physical interrupts in @mask, active or latched here, are not any more: the
 * physical side ends, and what was latched is pending there again, for whoever is its
 * target by now, or until it is enabled. vgic.lock held if the bank is not private.
 */
void vgic_give_back(struct irq_bank *bank, uint32_t mask);

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
	return bank->enabled & (vgic.forward0 ^ ((vgic.forward0 ^ vgic.forward1) & bank->group1));
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

/* Takes the interrupts in @mask out of this core's list registers. The lock held if the bank is not
 * private. */
void vgic_withdraw(unsigned int cpu, const struct irq_bank *bank, uint32_t mask);

/* Takes all out of them and leaves the virtual interface as after reset. Lock not held. */
void vgic_withdraw_all(unsigned int cpu);

#endif
