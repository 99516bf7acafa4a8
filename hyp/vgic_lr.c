/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list registers of this core. Each caches one interrupt's state: while it does (in_lr), pending and
 * active are there. Three moves, each in one place: insert() puts a pending interrupt in, release() notes
 * that the guest completed it, withdraw() takes it out. vgic_refresh() decides which.
 *
 * An interrupt that leaves while active (withdraw) does not come back: it is taken. Its end is
 * counted in GICH_HCR.EOICount (5.3.1) and found by complete_taken(); with EOImode 1 GICC_DIR traps.
 *
 * Lock: all of this is the core's own; vgic.lock besides where an SPI may be meant.
 * Source: IHI 0048B 5.2 (list registers), 5.3 (GICH).
 */
#include <stddef.h>
#include "field.h"
#include "vgic_state.h"
#include "../drivers/hw/gicv2.h"

/* A record is what was last written to the list register, and this note in a bit that it doesn't have. */
#define LR_LATCHED (1u << 20) /* was pending by the latch, not by the wire alone */
#define LR_STATE   (LR_PENDING | LR_ACTIVE)

#define always_inline static inline __attribute__((always_inline))

/* The bank and the bit of the interrupt in list register @i. */
always_inline struct irq_bank *lr_bank(const struct vgic_cpu *vc, unsigned int i, uint32_t *bit)
{
	const uint32_t intid = vc->lr[i] & LR_INTID;

	*bit = 1u << (intid & 31);
	return vc->bank[intid / 32];
}

/* An SPI ended, and may be pending again: then its core must look. */
static void repeat_spi(unsigned int cpu, unsigned int word, unsigned int n)
{
	const struct irq_bank *bank = vgic_bank(cpu, word);
	const unsigned int target = vgic_target(bank, n);

	if ((irq_bank_pending(bank) >> n & 1) != 0 && target < CPUS_MAX) {
		vgic.cpu[target].spi_words |= 1u << (word - 1);
		if (target != cpu) {
			vgic_kick(1u << target);
		}
	}
}

/* The list register is empty: the guest completed the interrupt. */
always_inline void release(unsigned int cpu, unsigned int i)
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
	if ((vc->lr_spi >> i & 1) != 0) {
		vc->lr_spi &= ~(1u << i);
		repeat_spi(cpu, (vc->lr[i] & LR_INTID) / 32, vc->lr[i] & 31);
	}
}

static void take_out_active(unsigned int cpu, struct irq_bank *bank, unsigned int n, uint32_t record)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];

	bank->active |= 1u << n;
	bank->taken |= 1u << n;
	bank->owner[n] = (uint8_t)cpu;
	bank->running[n] = (uint8_t)(FIELD_GET(LR_PRIORITY, record) << 3);
	if (vc->taken == 0) {
		vc->taken = 1; /* this core may not refresh before it goes on; earlier ends were of nothing here */
		vc->hcr |= GICH_HCR_LRENPIE;
		gich_write_hcr(vc->hcr);
	}
	if ((gich_read_vmcr() & VMCR_EOIMODE) != 0) {
		vgic_trap_dir();
	}
}

/* Takes an interrupt out of its list register, state and all. */
static void withdraw(unsigned int cpu, unsigned int i)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t record = vc->lr[i], intid = record & LR_INTID, lr = gich_read_lr(i);
	uint32_t bit;
	struct irq_bank *bank = lr_bank(vc, i, &bit);

	gich_write_lr(i, 0);
	bank->in_lr &= ~bit;
	vc->lr_used &= ~(1u << i);
	vc->lr_eoi &= ~(1u << i);
	vc->lr_spi &= ~(1u << i);
	if ((lr & LR_PENDING) != 0 && (record & LR_LATCHED) != 0) {
		bank->latched |= bit;
		if (intid < 16) {
			vc->sgi_source[intid] |= (uint8_t)(1u << FIELD_GET(LR_CPUID, record));
		}
	}
	if ((lr & LR_ACTIVE) != 0) {
		take_out_active(cpu, bank, intid & 31, record);
	}
	if (intid >= 32) {
		vc->spi_words |= 1u << (intid / 32 - 1);
	}
}

/*
 * The part of a list register that depends on the kind of interrupt; what goes in leaves the latch. With
 * LR_EOI the guest's end of it is told, to see whether it is pending again.
 */
always_inline uint32_t take_pending(struct vgic_cpu *vc, struct irq_bank *bank, unsigned int word, unsigned int n)
{
	const uint32_t bit = 1u << n, latched = bank->latched & bit;
	uint32_t source;

	bank->latched &= ~bit;
	if ((bank->hw & bit) != 0) {
		return LR_PENDING | LR_LATCHED | LR_HW | n << LR_PINTID_SHIFT;
	}
	if (word == 0 && n < 16) {
		source = (uint32_t)__builtin_ctz(vc->sgi_source[n]) << LR_CPUID_SHIFT;
		vc->sgi_source[n] &= (uint8_t)(vc->sgi_source[n] - 1);
		if (vc->sgi_source[n] != 0) {
			bank->latched |= bit;
			return source | LR_PENDING | LR_LATCHED | LR_EOI;
		}
		return source | LR_PENDING | LR_LATCHED;
	}
	return LR_PENDING | (latched != 0 ? LR_LATCHED : 0) | ((bank->edge & bit) == 0 ? LR_EOI : 0);
}

always_inline void insert(unsigned int cpu, unsigned int i, unsigned int word, unsigned int n)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	struct irq_bank *bank = word == 0 ? &vc->private : vc->bank[word];
	const uint32_t bit = 1u << n;
	uint32_t lr = take_pending(vc, bank, word, n);

	lr |= word * 32 + n;
	lr |= (uint32_t)bank->priority[n] << 20;
	if ((bank->group1 & bit) != 0) {
		lr |= LR_GROUP1;
	}
	if ((lr & (LR_EOI | LR_HW)) == LR_EOI) {
		vc->lr_eoi |= 1u << i;
	}
	if (word != 0) {
		bank->owner[n] = (uint8_t)cpu;
		vc->lr_spi |= 1u << i;
	}
	bank->in_lr |= bit;
	vc->lr_used |= 1u << i;
	vc->lr[i] = lr;
	gich_write_lr(i, lr & ~LR_LATCHED);
}

/* The best of what waits for a list register of this core: the lowest priority value. */
struct candidate {
	unsigned int word, n;
	uint32_t priority;
	unsigned int count; /* of all that wait */
};

always_inline void consider(unsigned int cpu, unsigned int word, struct candidate *best)
{
	const struct irq_bank *bank = vgic_bank(cpu, word);
	uint32_t ready = irq_bank_deliverable(bank);
	bool mine = false;

	for (; ready != 0; ready &= ready - 1) {
		unsigned int n = (unsigned int)__builtin_ctz(ready);

		if (word != 0 && vgic_target(bank, n) != cpu) {
			continue;
		}
		mine = true;
		best->count++;
		if (bank->priority[n] < best->priority) {
			best->word = word;
			best->n = n;
			best->priority = bank->priority[n];
		}
	}
	if (word != 0 && !mine) {
		vgic.cpu[cpu].spi_words &= ~(1u << (word - 1));
	}
}

static struct candidate best_candidate(unsigned int cpu)
{
	struct candidate best = {.priority = UINT32_MAX};

	consider(cpu, 0, &best);
	for (uint32_t words = vgic.cpu[cpu].spi_words; words != 0; words &= words - 1) {
		consider(cpu, (unsigned int)__builtin_ctz(words) + 1, &best);
	}
	return best;
}

/*
 * All list registers are full and something of @priority waits: gives up one that holds less. First a
 * pending one of lower priority; if none is pending at all, the active one of lowest priority. Returns
 * false if everything in there goes first.
 */
static bool make_room(unsigned int cpu, uint32_t priority)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	unsigned int worst_pending = VGIC_LRS_MAX, worst_active = VGIC_LRS_MAX;

	for (unsigned int i = 0; i < vgic.lr_count; i++) {
		unsigned int *worst = (gich_read_lr(i) & LR_ACTIVE) != 0 ? &worst_active : &worst_pending;

		if (*worst == VGIC_LRS_MAX || (vc->lr[i] & LR_PRIORITY) >= (vc->lr[*worst] & LR_PRIORITY)) {
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

/* Fills list registers, best first. Returns true if something had to stay out. */
static bool fill(unsigned int cpu)
{
	const struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t all = (1u << vgic.lr_count) - 1;
	struct candidate best;

	do {
		best = best_candidate(cpu);
		if (best.count == 0) {
			return false;
		}
		if (vc->lr_used == all) {
			if (!make_room(cpu, best.priority)) {
				return true;
			}
			best.count++; /* what made room waits now itself */
		}
		insert(cpu, (unsigned int)__builtin_ctz(~vc->lr_used), best.word, best.n);
	} while (best.count > 1);
	return false;
}

/* Among this core's taken interrupts the one with the highest running priority. Returns NULL if there is none. */
static struct irq_bank *highest_taken(unsigned int cpu, unsigned int *word, unsigned int *n)
{
	struct irq_bank *found = NULL;

	for (unsigned int w = 0; w < vgic.words; w++) {
		struct irq_bank *bank = vgic_bank(cpu, w);

		for (uint32_t taken = bank->taken; taken != 0; taken &= taken - 1) {
			unsigned int k = (unsigned int)__builtin_ctz(taken);

			if ((w == 0 || bank->owner[k] == cpu) &&
			    (found == NULL || bank->running[k] < found->running[*n])) {
				found = bank;
				*word = w;
				*n = k;
			}
		}
	}
	return found;
}

/*
 * The guest ended interrupts that no list register held. Running priorities nest, so each end was of the
 * highest one that is taken (4.4.5: EOIs come in the reverse order of acknowledges).
 */
static void complete_taken(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t count = gich_read_hcr() / GICH_HCR_EOICOUNT_1;
	struct irq_bank *bank;
	unsigned int word = 0, n = 0;

	if (count == 0) {
		return;
	}
	gich_write_hcr(vc->hcr);
	for (; count != 0 && (bank = highest_taken(cpu, &word, &n)) != NULL; count--) {
		bank->taken &= ~(1u << n);
		if ((bank->active & bank->hw & 1u << n) != 0) {
			gicc_deactivate(n);
		}
		bank->active &= ~(1u << n);
		if (word != 0) {
			repeat_spi(cpu, word, n);
		}
	}
}

/* An interrupt came again while a list register holds it: merged if not yet acknowledged, else sent after its end. */
static void repend(unsigned int cpu, unsigned int i, uint32_t lr)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t intid = vc->lr[i] & LR_INTID;
	uint32_t bit;
	struct irq_bank *bank = lr_bank(vc, i, &bit);

	if ((lr & LR_PENDING) != 0) {
		vc->lr[i] |= LR_LATCHED;
		if (intid < 16) {
			vc->sgi_source[intid] &= (uint8_t)~(1u << FIELD_GET(LR_CPUID, lr));
		}
		if (intid >= 16 || vc->sgi_source[intid] == 0) {
			bank->latched &= ~bit;
			return;
		}
	}
	if ((lr & (LR_EOI | LR_HW)) == 0) {
		vc->lr_eoi |= 1u << i;
		vc->lr[i] |= LR_EOI;
		gich_write_lr(i, lr | LR_EOI);
	}
}

/* Something changed about interrupts in our list registers: claims, wires that fell, what came again, GICD_CTLR. */
static void reconsider(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];

	__atomic_store_n(&vc->recheck, 0, __ATOMIC_RELAXED);
	for (uint32_t used = vc->lr_used; used != 0; used &= used - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(used);
		uint32_t bit, lr = gich_read_lr(i);
		struct irq_bank *bank = lr_bank(vc, i, &bit);
		uint32_t wanted = irq_bank_open(bank) &
				  ((vc->lr[i] & LR_LATCHED) != 0 ? ~0u : irq_bank_pending(bank));

		if ((lr & LR_STATE) == 0) {
			release(cpu, i);
		} else if ((bank->claimed & bit) != 0 ||
			   ((lr & LR_STATE) == LR_PENDING && (wanted & bit) == 0)) {
			withdraw(cpu, i);
		} else if ((bank->latched & bit) != 0) {
			repend(cpu, i, lr);
		}
	}
}

/* Everything that a core may have to do, besides what release_completed() did. */
static void refresh_all(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t hcr = GICH_HCR_EN;
	unsigned int word, n;

	if (vc->taken != 0) {
		complete_taken(cpu);
		vc->taken = highest_taken(cpu, &word, &n) != NULL;
	}
	if ((__atomic_load_n(&vc->recheck, __ATOMIC_RELAXED) |
	     (vc->private.latched & vc->private.in_lr)) != 0) {
		reconsider(cpu);
	}
	hcr |= fill(cpu) ? GICH_HCR_NPIE : 0;
	hcr |= vc->taken != 0 ? GICH_HCR_LRENPIE : 0;
	if (vc->hcr != hcr) {
		vc->hcr = hcr;
		gich_write_hcr(hcr);
	}
}

always_inline void release_completed(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t done = 0;

	if (vc->lr_used != 0) {
		done = gich_empty() & vc->lr_used;
	}
	if (vc->lr_eoi != 0) { /* with LR_EOI they don't count as empty (5.3.7) */
		done |= gich_ended() & vc->lr_eoi;
	}
	while (done != 0) {
		unsigned int i = 31 - (unsigned int)__builtin_clz(done);

		done &= ~(1u << i);
		release(cpu, i);
	}
}

static void refresh_shared(unsigned int cpu)
{
	vgic_open_inbox(cpu);
	spin_lock(&vgic.lock);
	release_completed(cpu);
	refresh_all(cpu);
	spin_unlock(&vgic.lock);
}

/*
 * The usual case touches private interrupts alone, with at most one that waits and room for it. Whatever
 * another core wants of this one comes with a kick, so what is missed here is found then.
 */
void vgic_refresh(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t ready;

	if ((__atomic_load_n(&vc->spi_words, __ATOMIC_RELAXED) |
	     __atomic_load_n(&vc->inbox_senders, __ATOMIC_RELAXED) |
	     __atomic_load_n(&vc->recheck, __ATOMIC_RELAXED) | vc->lr_spi | (vc->hcr ^ GICH_HCR_EN)) != 0) {
		refresh_shared(cpu);
		return;
	}
	release_completed(cpu);
	ready = irq_bank_deliverable(&vc->private);
	if (ready == 0 && vc->private.latched == 0) {
		return;
	}
	if (ready == 0 || (ready & (ready - 1)) != 0 || vc->lr_used == (1u << vgic.lr_count) - 1) {
		refresh_shared(cpu); /* an SPI may have come meanwhile: not without the lock */
		return;
	}
	insert(cpu, (unsigned int)__builtin_ctz(~vc->lr_used), 0, 31 - (unsigned int)__builtin_clz(ready));
}

void vgic_withdraw(unsigned int cpu, unsigned int word, uint32_t mask)
{
	const struct vgic_cpu *vc = &vgic.cpu[cpu];

	for (uint32_t used = vc->lr_used; used != 0; used &= used - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(used);
		uint32_t intid = vc->lr[i] & LR_INTID;

		if (intid / 32 == word && (mask >> (intid & 31) & 1) != 0) {
			withdraw(cpu, i);
		}
	}
}

void vgic_withdraw_all(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];

	spin_lock(&vgic.lock);
	for (unsigned int word = 0; word < vgic.words; word++) {
		vgic_withdraw(cpu, word, ~0u);
	}
	for (unsigned int word = 0; vc->taken != 0 && word < vgic.words; word++) {
		struct irq_bank *bank = vc->bank[word];

		for (uint32_t taken = bank->taken; taken != 0; taken &= taken - 1) {
			if (word == 0 || bank->owner[__builtin_ctz(taken)] == cpu) {
				bank->taken &= ~(taken & -taken);
			}
		}
	}
	vc->taken = 0;
	spin_unlock(&vgic.lock);
	gich_reset();
	vc->hcr = 0;
}
