/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list registers of this core. Each caches one interrupt's state: while it does (in_lr),
 * pending and active are there. Three moves, each in one place: insert() puts a pending interrupt
 * in, release() takes out what the guest completed, withdraw() what it did not. vgic_refresh()
 * decides which. A list register is not released before another interrupt needs it: most often the
 * next one to come is the same (vgic_pend_again).
 *
 * A record (vgic_cpu.lr) is what was last written to the list register, as pending, and LR_LATCHED.
 *
 * An interrupt that leaves while active (withdraw) does not come back: it is taken (vgic_taken.c).
 *
 * Lock: all of this is the core's own; vgic.lock besides where an SPI may be meant.
 * Source: IHI 0048B 5.2 (list registers), 5.3 (GICH).
 */
#include <stddef.h>
#include "vgic_state.h"
#include "../drivers/hw/gicv2.h"

#define LR_STATE (LR_PENDING | LR_ACTIVE)

/* The bank and the bit of the interrupt in list register @i. */
always_inline struct irq_bank *lr_bank(const struct vgic_cpu *vc, unsigned int i, uint32_t *bit)
{
	const uint32_t intid = vc->lr[i] & LR_INTID;

	*bit = 1u << (intid & 31);
	return vc->bank[intid / 32];
}

/* The list register is empty, the guest completed the interrupt: another one may have it. */
static void release(unsigned int cpu, unsigned int i)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t bit;
	struct irq_bank *bank = lr_bank(vc, i, &bit);

	bank->in_lr &= ~bit;
	vc->lr_used &= ~(1u << i);
	if ((vc->lr_eoi >> i & 1) != 0) {
		vc->lr_eoi &= ~(1u << i);
		gich_write_lr(i, 0); /* EISR stays set until then (5.3.6) */
	}
	if (bank->word != 0) {
		vgic_repeat_spi(cpu, bank, vc->lr[i] & 31);
	}
}

/* Takes an interrupt out of its list register, state and all. */
static void withdraw(unsigned int cpu, unsigned int i)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t record = vc->lr[i], intid = record & LR_INTID, lr = gich_read_lr(i);
	uint32_t bit;
	struct irq_bank *bank = lr_bank(vc, i, &bit);

	gich_clear_lr(i);
	bank->in_lr &= ~bit;
	vc->lr_used &= ~(1u << i);
	vc->lr_eoi &= ~(1u << i);
	if ((lr & LR_PENDING) != 0 && (record & LR_LATCHED) != 0) {
		bank->latched |= bit;
		if (intid < 16) {
			vc->sgi_source[intid] |= (uint8_t)(1u << FIELD_GET(LR_CPUID, record));
		}
	}
	if ((lr & LR_ACTIVE) != 0) {
		vgic_take(cpu, bank, intid & 31, record);
	}
	if (bank->word != 0) {
		vc->spi_words |= 1u << (bank->word - 1);
	}
}

/*
 * The part of a list register that depends on the kind of interrupt; what goes in leaves the latch.
 * With LR_EOI the guest's end of it is told, to see whether it is pending again.
 */
always_inline uint32_t take_pending(struct vgic_cpu *vc, struct irq_bank *bank, unsigned int n)
{
	const uint32_t bit = 1u << n, latched = bank->latched & bit;
	uint32_t source;

	bank->latched &= ~bit;
	if ((bank->hw & bit) != 0) {
		return LR_PENDING | LR_LATCHED | LR_HW | (bank->word * 32 + n) << LR_PINTID_SHIFT;
	}
	if (bank->word == 0 && n < 16) {
		source = (uint32_t)__builtin_ctz(vc->sgi_source[n]) << LR_CPUID_SHIFT;
		vc->sgi_source[n] &= (uint8_t)(vc->sgi_source[n] - 1);
		if (vc->sgi_source[n] != 0) {
			bank->latched |= bit;
			return source | LR_PENDING | LR_LATCHED | LR_EOI;
		}
		return source | LR_PENDING | LR_LATCHED;
	}
	return LR_PENDING | (latched != 0 ? LR_LATCHED : 0) |
	       ((bank->level & ~bank->edge & bit) != 0 ? LR_EOI : 0);
}

always_inline void insert(unsigned int cpu, unsigned int i, struct irq_bank *bank, unsigned int n)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t bit = 1u << n;
	uint32_t lr = take_pending(vc, bank, n);

	lr |= bank->word * 32 + n;
	lr |= (uint32_t)bank->priority[n] << 20;
	if ((bank->group1 & bit) != 0) {
		lr |= LR_GROUP1;
	}
	if ((lr & (LR_EOI | LR_HW)) == LR_EOI) {
		vc->lr_eoi |= 1u << i;
	}
	bank->in_lr |= bit;
	bank->owner[n] = (uint8_t)cpu;
	bank->list[n] = (uint8_t)i;
	vc->lr_used |= 1u << i;
	vc->lr[i] = lr;
	gich_write_lr(i, lr & ~LR_LATCHED);
}

/* The best of what waits for a list register of this core: the lowest priority value. */
struct candidate {
	struct irq_bank *bank;
	unsigned int n;
	uint32_t priority;
	unsigned int count; /* of all that wait */
};

always_inline void consider(unsigned int cpu, struct irq_bank *bank, struct candidate *best)
{
	uint32_t ready = irq_bank_deliverable(bank);
	bool mine = false;

	for (; ready != 0; ready &= ready - 1) {
		unsigned int n = (unsigned int)__builtin_ctz(ready);

		if (bank->word != 0 && vgic_target(bank, n) != cpu) {
			continue;
		}
		mine = true;
		best->count++;
		if (bank->priority[n] < best->priority) {
			best->bank = bank;
			best->n = n;
			best->priority = bank->priority[n];
		}
	}
	if (bank->word != 0 && !mine) {
		vgic.cpu[cpu].spi_words &= ~(1u << (bank->word - 1));
	}
}

static struct candidate best_candidate(unsigned int cpu)
{
	struct candidate best = {.priority = UINT32_MAX};

	consider(cpu, &vgic.cpu[cpu].private, &best);
	for (uint32_t words = vgic.cpu[cpu].spi_words; words != 0; words &= words - 1) {
		consider(cpu, &vgic.spi[__builtin_ctz(words)], &best);
	}
	return best;
}

/*
 * All list registers are full and something of @priority waits: gives up one that holds less. First
 * a pending one of lower priority; if none is pending at all, the active one of lowest priority.
 * Returns false if everything in there goes first.
 */
static bool make_room(unsigned int cpu, uint32_t priority)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	unsigned int worst_pending = VGIC_LRS_MAX, worst_active = VGIC_LRS_MAX;

	for (unsigned int i = 0; i < vgic.lr_count; i++) {
		unsigned int *worst =
			(gich_read_lr(i) & LR_ACTIVE) != 0 ? &worst_active : &worst_pending;

		if (*worst == VGIC_LRS_MAX ||
		    (vc->lr[i] & LR_PRIORITY) >= (vc->lr[*worst] & LR_PRIORITY)) {
			*worst = i;
		}
	}
	if (worst_pending == VGIC_LRS_MAX) {
		withdraw(cpu, worst_active);
		return true;
	}
	if (FIELD_GET(LR_PRIORITY, vc->lr[worst_pending]) << 3 > priority) {
		withdraw(cpu, worst_pending);
		return true;
	}
	return false;
}

/* All list registers are used: releases one that is empty, if there is one. vgic.lock held. */
static bool release_one(unsigned int cpu)
{
	const uint32_t empty = gich_empty() & vgic.cpu[cpu].lr_used;

	if (empty == 0) {
		return false;
	}
	release(cpu, (unsigned int)__builtin_ctz(empty));
	return true;
}

/* Fills list registers, best first. Returns true if something had to stay out. */
static bool fill(unsigned int cpu)
{
	const struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t all = (1u << vgic.lr_count) - 1;
	struct candidate best;

	do {
		best = best_candidate(cpu);
		if (best.bank == NULL) {
			return false;
		}
		if (vc->lr_used == all && !release_one(cpu)) {
			if (!make_room(cpu, best.priority)) {
				return true;
			}
			best.count++; /* what made room waits now itself */
		}
		insert(cpu, (unsigned int)__builtin_ctz(~vc->lr_used), best.bank, best.n);
	} while (best.count > 1);
	vgic.cpu[cpu].spi_words = 0; /* that was the last one that waited for this core */
	return false;
}

/*
 * What came again while a list register holds the interrupt: merged if not yet acknowledged; else,
 * as a wire that is still high and an SGI of another source, it waits for its end, which is to be
 * told then. Nothing is ever pending and active in there: GICH_MISR.NP (5.3.5) need not say whether
 * that counts as pending. @lr: the list register's content.
 */
static void merge(struct vgic_cpu *vc, struct irq_bank *bank, unsigned int i, uint32_t lr)
{
	const uint32_t intid = vc->lr[i] & LR_INTID, bit = 1u << (intid & 31);
	uint32_t eoi = 0;

	if ((lr & LR_HW) != 0) {
		return;
	}
	if ((lr & LR_PENDING) != 0 && (bank->latched & bit) != 0) {
		vc->lr[i] |= LR_LATCHED;
		if (intid < 16) {
			vc->sgi_source[intid] &= (uint8_t) ~(1u << FIELD_GET(LR_CPUID, lr));
		}
		if (intid >= 16 || vc->sgi_source[intid] == 0) {
			bank->latched &= ~bit;
		}
	}
	if ((irq_bank_pending(bank) & bit) != 0) {
		eoi = LR_EOI;
	}
	if ((lr & LR_EOI) != eoi) {
		vc->lr_eoi ^= 1u << i;
		vc->lr[i] ^= LR_EOI;
		gich_write_lr(i, lr ^ LR_EOI);
	}
}

/*
 * Something changed about the interrupt in list register @i: claimed, its wire fell, it came again,
 * GICD_CTLR. Returns false if GICD_CTLR withholds it.
 */
static bool reconsider(unsigned int cpu, unsigned int i)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t bit, lr = gich_read_lr(i);
	struct irq_bank *bank = lr_bank(vc, i, &bit);
	const bool open = (irq_bank_open(bank) & bit) != 0;
	const bool stays =
		open && ((vc->lr[i] & LR_LATCHED) != 0 || (irq_bank_pending(bank) & bit) != 0);

	if ((lr & LR_STATE) == 0) {
		release(cpu, i);
	} else if ((bank->claimed & bit) != 0 || ((lr & LR_PENDING) != 0 && !stays)) {
		withdraw(cpu, i);
	} else {
		merge(vc, bank, i, lr);
		return open;
	}
	return true;
}

static void reconsider_all(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];

	__atomic_store_n(&vc->recheck, 0, __ATOMIC_RELAXED);
	vc->odd = 0;
	for (uint32_t used = vc->lr_used; used != 0; used &= used - 1) {
		if (!reconsider(cpu, (unsigned int)__builtin_ctz(used))) {
			vc->odd = 1;
		}
	}
}

/* Everything that a core may have to do. vgic.lock held. */
static void refresh_all(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t hcr = GICH_HCR_EN;

	if (vc->lr_eoi != 0) {
		for (uint32_t ended = gich_ended() & vc->lr_eoi; ended != 0; ended &= ended - 1) {
			release(cpu, (unsigned int)__builtin_ctz(ended));
		}
	}
	if (vc->taken != 0) {
		vgic_complete_taken(cpu);
	}
	if ((__atomic_load_n(&vc->recheck, __ATOMIC_RELAXED) | vc->odd |
	     (vc->private.latched & vc->private.in_lr)) != 0) {
		reconsider_all(cpu);
	}
	hcr |= fill(cpu) ? GICH_HCR_NPIE : 0;
	hcr |= vc->taken != 0 ? GICH_HCR_LRENPIE : 0;
	vc->odd |= hcr ^ GICH_HCR_EN;
	if (vc->hcr != hcr) {
		vc->hcr = hcr;
		gich_write_hcr(hcr);
	}
}

/* There is a list register for another interrupt, or has just been made. */
static bool has_room(unsigned int cpu)
{
	bool room = true;

	if (vgic.cpu[cpu].lr_used == (1u << vgic.lr_count) - 1) {
		spin_lock(&vgic.lock);
		room = release_one(cpu);
		spin_unlock(&vgic.lock);
	}
	return room;
}

/* What a core that is away had in its list registers, nobody else could claim: it ignores kicks. */
static void refresh_shared(unsigned int cpu)
{
	spin_lock(&vgic.lock);
	if (vgic.cpu[cpu].runs) {
		refresh_all(cpu);
	}
	spin_unlock(&vgic.lock);
}

/*
 * The usual case touches private interrupts alone, with at most one that waits and room for it.
 * Whatever another core wants of this one comes with a kick, so what is missed here is found then.
 */
void vgic_refresh(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t ready, again;

	if (__atomic_load_n(&vc->inbox_senders, __ATOMIC_RELAXED) != 0) {
		vgic_open_inbox(cpu);
	}
	if ((__atomic_load_n(&vc->spi_words, __ATOMIC_RELAXED) |
	     __atomic_load_n(&vc->recheck, __ATOMIC_RELAXED) | vc->lr_eoi | vc->odd) != 0) {
		refresh_shared(cpu);
		return;
	}
	ready = irq_bank_deliverable(&vc->private);
	again = vc->private.latched & vc->private.in_lr; /* its list register must tell its end */
	if ((ready | again) == 0) {
		return;
	}
	if (again != 0 || (ready & (ready - 1)) != 0 || !has_room(cpu)) {
		refresh_shared(cpu); /* an SPI may have come meanwhile: not without the lock */
		return;
	}
	insert(cpu, (unsigned int)__builtin_ctz(~vc->lr_used), &vc->private,
	       31 - (unsigned int)__builtin_clz(ready));
}

/*
 * If the interrupt fired again, the guest has ended it: its list register is empty and may be
 * written unread, since the physical side of a HW interrupt is active for as long as the virtual
 * one is (5.2.2). Only a guest that sets and clears the active state itself can make it otherwise;
 * it gets the one interrupt that is due.
 */
void vgic_forward(unsigned int cpu, uint32_t intid)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const unsigned int i = vc->private.list[intid];

	if ((vc->private.in_lr >> intid & 1) != 0 && vc->odd == 0) {
		gich_write_lr(i, vc->lr[i] & ~LR_LATCHED);
		return;
	}
	vc->private.latched |= 1u << intid;
	vgic_refresh(cpu);
}

/* If the guest has ended the SPI in its last list register, this core's: that has it once more, or
 * is released. */
static bool forward_again(struct vgic_cpu *vc, struct irq_bank *bank, unsigned int n)
{
	const unsigned int i = bank->list[n];

	if ((bank->in_lr >> n & 1) == 0 || bank->owner[n] != vc->index ||
	    (gich_read_lr(i) & LR_STATE) != 0) {
		return false;
	}
	if (vc->odd != 0 || (bank->claimed >> n & 1) != 0) {
		release(vc->index, i);
		return false;
	}
	gich_write_lr(i, vc->lr[i] & ~LR_LATCHED);
	return true;
}

/*
 * The same for an SPI. What fires on a core that is not the target any more was on its way when
 * that changed: the distributor gets it back. One that fires while it is still
 * active here (only the guest's own settings can make it so) stays pending there.
 */
bool vgic_forward_spi(unsigned int cpu, uint32_t intid)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t n = intid & 31, bit = 1u << n;
	struct irq_bank *bank = vc->bank[intid / 32];

	if (intid < INTID_SPI || bank == NULL || (bank->hw & bit) == 0) {
		return false;
	}
	spin_lock(&vgic.lock);
	if (!forward_again(vc, bank, n)) {
		if (((bank->in_lr | bank->active | bank->latched) & bit) != 0) {
			gic_pend(bank->word, bit, true);
		} else {
			bank->latched |= bit;
			vc->spi_words |= 1u << (bank->word - 1);
			if (vgic_target(bank, n) != cpu) {
				vgic_give_back(bank, bit);
			}
		}
	}
	spin_unlock(&vgic.lock);
	if (vc->runs) {
		vgic_refresh(cpu);
	}
	return true;
}

/* Interrupt @n's list register is this core's, all that is pending of it is in there, and nothing
 * else waits. */
always_inline bool is_simple(const struct vgic_cpu *vc, const struct irq_bank *bank, unsigned int n)
{
	return ((bank->in_lr & ~bank->latched) >> n & 1) != 0 && bank->owner[n] == vc->index &&
	       vc->odd == 0;
}

bool vgic_pend_again(struct vgic_cpu *vc, struct irq_bank *bank, unsigned int n, uint32_t cause)
{
	const unsigned int i = bank->list[n];
	uint32_t lr, record;

	if (!is_simple(vc, bank, n)) {
		return false;
	}
	record = vc->lr[i];
	if ((record & LR_EOI) != 0) {
		return false;
	}
	lr = gich_read_lr(i);
	if ((lr & LR_STATE) == 0) {
		record &= ~(LR_LATCHED | LR_CPUID);
	} else if ((lr & LR_ACTIVE) != 0 || ((record ^ cause) & LR_CPUID) != 0) {
		return false;
	}
	record |= cause;
	vc->lr[i] = record;
	if ((cause & LR_EOI) != 0) {
		vc->lr_eoi |= 1u << i;
	}
	gich_write_lr(i, record & ~LR_LATCHED);
	return true;
}

bool vgic_wire_fell(struct vgic_cpu *vc, struct irq_bank *bank, unsigned int n)
{
	const unsigned int i = bank->list[n];
	uint32_t lr;

	if ((bank->in_lr >> n & 1) == 0) {
		return true;
	}
	if (!is_simple(vc, bank, n)) {
		return false;
	}
	lr = gich_read_lr(i);
	if ((lr & LR_PENDING) != 0) {
		return false;
	}
	vc->lr[i] &= ~LR_EOI;
	vc->lr_eoi &= ~(1u << i);
	gich_write_lr(i, lr & ~LR_EOI);
	return true;
}

void vgic_withdraw(unsigned int cpu, const struct irq_bank *bank, uint32_t mask)
{
	const struct vgic_cpu *vc = &vgic.cpu[cpu];

	for (uint32_t used = vc->lr_used; used != 0; used &= used - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(used);
		uint32_t intid = vc->lr[i] & LR_INTID;

		if (intid / 32 == bank->word && (mask >> (intid & 31) & 1) != 0) {
			withdraw(cpu, i);
		}
	}
}

void vgic_withdraw_all(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];

	spin_lock(&vgic.lock);
	for (unsigned int word = 0; word < vgic.words; word++) {
		vgic_withdraw(cpu, vc->bank[word], ~0u);
	}
	vgic_forget_taken(cpu);
	spin_unlock(&vgic.lock);
	gich_reset();
	vc->hcr = 0;
	vc->odd = 1;
}
