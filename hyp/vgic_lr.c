/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list registers of this core. Each caches one interrupt's state: while it does (in_lr),
 * pending and active are there. Three moves, each in one place: insert() puts an interrupt in,
 * release() notes that the guest completed it, withdraw() takes it out. vgic_refresh() decides
 * which.
 *
 * Lock: all of this is the core's own; vgic.lock besides where an SPI may be meant. Source: IHI
 * 0048B 5.2 (list registers), 5.3 (GICH).
 */
#include <stddef.h>
#include "field.h"
#include "vgic_state.h"
#include "../drivers/hw/gicv2.h"

/* A record is what was last written to the list register, and this note in a bit that it doesn't have. */
#define LR_LATCHED (1u << 20) /* was pending by the latch, not by the wire alone */

#define RANK_ACTIVE 0x100u

/* What waits for a list register of this core, and the best of it. */
struct candidate {
	unsigned int word, n;
	uint32_t rank;      /* lower is better; active ones come after all pending ones */
	unsigned int count; /* of all that wait */
	bool active_out;    /* an active one is among them */
};

static void set_hcr(struct vgic_cpu *vc, uint32_t hcr)
{
	if (vc->hcr != hcr) {
		vc->hcr = hcr;
		gich_write_hcr(hcr);
	}
}

/* The bank and the bit of the interrupt in list register @i. */
static inline struct irq_bank *lr_bank(unsigned int cpu, unsigned int i, uint32_t *bit)
{
	const uint32_t intid = vgic.cpu[cpu].lr[i] & LR_INTID;

	*bit = 1u << (intid & 31);
	return vgic_bank(cpu, intid / 32);
}

/* An SPI that the guest completed is pending again: its core must look. */
static void repeat_spi(unsigned int cpu, unsigned int i)
{
	const uint32_t intid = vgic.cpu[cpu].lr[i] & LR_INTID;
	const unsigned int target = vgic_target(vgic_bank(cpu, intid / 32), intid & 31);

	if (target < CPUS_MAX) {
		vgic.cpu[target].spi_words |= 1u << (intid / 32 - 1);
		if (target != cpu) {
			vgic_kick(1u << target);
		}
	}
}

/* The list register is empty: the guest completed the interrupt. */
static inline void release(unsigned int cpu, unsigned int i)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t bit;
	struct irq_bank *bank = lr_bank(cpu, i, &bit);

	bank->in_lr &= ~bit;
	vc->lr_used &= ~(1u << i);
	if ((vc->lr[i] & LR_EOI) != 0 && (vc->lr[i] & LR_HW) == 0) {
		vc->lr_eoi &= ~(1u << i);
		gich_write_lr(i, 0); /* EISR stays set until then (5.3.6) */
	}
	if (bank != &vc->private) {
		vc->lr_spi &= ~(1u << i);
		if ((irq_bank_pending(bank) & bit) != 0) {
			repeat_spi(cpu, i);
		}
	}
}

/* Takes an interrupt out of its list register, state and all. */
static void withdraw(unsigned int cpu, unsigned int i)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t record = vc->lr[i], intid = record & LR_INTID;
	uint32_t lr = gich_read_lr(i), bit;
	struct irq_bank *bank = lr_bank(cpu, i, &bit);

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
		bank->active |= bit;
		if (intid < 16) {
			vc->active_source[intid] = (uint8_t)FIELD_GET(LR_CPUID, record);
		}
	}
	if (intid >= 32) {
		vc->spi_words |= 1u << (intid / 32 - 1);
	}
}

/*
 * The part of a list register that depends on the kind of interrupt, for one that is not active; what goes
 * in leaves the latch. With LR_EOI the guest's end of it is told, to see whether it is pending again.
 */
static inline uint32_t take_pending(struct vgic_cpu *vc, struct irq_bank *bank, unsigned int word, unsigned int n)
{
	const uint32_t bit = 1u << n, latched = bank->latched & bit;
	uint32_t source;

	if (word == 0 && n < 16) {
		source = (uint32_t)__builtin_ctz(vc->sgi_source[n]) << LR_CPUID_SHIFT;
		vc->sgi_source[n] &= (uint8_t)(vc->sgi_source[n] - 1);
		if (vc->sgi_source[n] != 0) {
			return source | LR_PENDING | LR_LATCHED | LR_EOI;
		}
		bank->latched &= ~bit;
		return source | LR_PENDING | LR_LATCHED;
	}
	bank->latched &= ~bit;
	if ((bank->hw & bit) != 0) {
		return LR_PENDING | LR_LATCHED | LR_HW | n << LR_PINTID_SHIFT;
	}
	return LR_PENDING | (latched != 0 ? LR_LATCHED : 0) | ((bank->edge & bit) == 0 ? LR_EOI : 0);
}

/* The same for an active one: whatever is pending besides comes after its end. */
static uint32_t take_active(const struct vgic_cpu *vc, struct irq_bank *bank, unsigned int word, unsigned int n)
{
	const uint32_t bit = 1u << n;

	bank->active &= ~bit;
	if ((bank->hw & bit) != 0) {
		return LR_ACTIVE | LR_HW | n << LR_PINTID_SHIFT;
	}
	return LR_ACTIVE | (uint32_t)(word == 0 && n < 16 ? vc->active_source[n] : 0) << LR_CPUID_SHIFT |
	       (((bank->latched | ~bank->edge) & bit) != 0 ? LR_EOI : 0);
}

static inline void insert(unsigned int cpu, unsigned int i, unsigned int word, unsigned int n)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	struct irq_bank *bank = vgic_bank(cpu, word);
	const uint32_t bit = 1u << n;
	uint32_t lr = word * 32 + n;

	lr |= (uint32_t)bank->priority[n] << 20;
	lr |= (bank->active & bit) == 0 ? take_pending(vc, bank, word, n) : take_active(vc, bank, word, n);
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

static inline void rank(const struct irq_bank *bank, uint32_t ready, unsigned int word, unsigned int n,
			struct candidate *best)
{
	const bool active = (ready >> n & 1) == 0;
	const uint32_t value = bank->priority[n] | (active ? RANK_ACTIVE : 0);

	best->count++;
	best->active_out |= active;
	if (value < best->rank) {
		best->word = word;
		best->n = n;
		best->rank = value;
	}
}

static void consider_spis(unsigned int cpu, unsigned int word, struct candidate *best)
{
	const struct irq_bank *bank = vgic_bank(cpu, word);
	const uint32_t ready = irq_bank_deliverable(bank);
	uint32_t waiting = ready | (bank->active & ~bank->claimed);
	const unsigned int before = best->count;

	for (; waiting != 0; waiting &= waiting - 1) {
		unsigned int n = (unsigned int)__builtin_ctz(waiting);

		if (vgic_home(cpu, word, n) == cpu) {
			rank(bank, ready, word, n, best);
		}
	}
	if (best->count == before) {
		vgic.cpu[cpu].spi_words &= ~(1u << (word - 1));
	}
}

static inline void find_candidates(unsigned int cpu, struct candidate *best)
{
	const struct irq_bank *private = &vgic.cpu[cpu].private;
	const uint32_t ready = irq_bank_deliverable(private);
	uint32_t waiting = ready | private->active;

	*best = (struct candidate){.rank = UINT32_MAX};
	for (; waiting != 0; waiting &= waiting - 1) {
		rank(private, ready, 0, (unsigned int)__builtin_ctz(waiting), best);
	}
	for (uint32_t words = vgic.cpu[cpu].spi_words; words != 0; words &= words - 1) {
		consider_spis(cpu, (unsigned int)__builtin_ctz(words) + 1, best);
	}
}

/*
 * All list registers are taken and rank @wanted waits: gives up one that holds less. First a pending one
 * of lower priority; if none is pending at all, the active one of lowest priority: its EOI will be
 * counted in GICH_HCR.EOICount (5.3.1) and folded in by complete_evicted(). Returns false if
 * everything in there goes first.
 */
static bool make_room(unsigned int cpu, uint32_t wanted)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	unsigned int worst_pending = VGIC_LRS_MAX, worst_active = VGIC_LRS_MAX;
	bool any_pending = false;

	for (unsigned int i = 0; i < vgic.lr_count; i++) {
		uint32_t lr = gich_read_lr(i);
		unsigned int *worst = (lr & LR_ACTIVE) != 0 ? &worst_active : &worst_pending;

		any_pending |= (lr & LR_PENDING) != 0;
		if (*worst == VGIC_LRS_MAX || (vc->lr[i] & LR_PRIORITY) >= (vc->lr[*worst] & LR_PRIORITY)) {
			*worst = i;
		}
	}
	if (worst_pending < VGIC_LRS_MAX && FIELD_GET(LR_PRIORITY, vc->lr[worst_pending]) << 3 > wanted) {
		withdraw(cpu, worst_pending);
		return true;
	}
	if (!any_pending && worst_active < VGIC_LRS_MAX && wanted < RANK_ACTIVE) {
		if ((gich_read_vmcr() & VMCR_EOIMODE) != 0) {
			vgic_trap_dir();
		}
		withdraw(cpu, worst_active);
		return true;
	}
	return false;
}

/*
 * The guest ended interrupts that no list register held (with EOImode 1 its GICC_DIR traps
 * instead). Running priorities nest, so each EOI was for the highest priority among the active ones
 * out here (4.4.5: EOIs come in the reverse order of IARs).
 */
static void complete_evicted(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t count = gich_read_hcr() / GICH_HCR_EOICOUNT_1;

	if (count == 0) {
		return;
	}
	gich_write_hcr(vc->hcr);
	if ((gich_read_vmcr() & VMCR_EOIMODE) != 0) {
		return;
	}
	while (count-- != 0) {
		struct irq_bank *found = NULL;
		unsigned int best = 0;

		for (unsigned int word = 0; word < vgic.words; word++) {
			struct irq_bank *bank = vgic_bank(cpu, word);
			uint32_t active = bank->active;

			for (; active != 0; active &= active - 1) {
				unsigned int n = (unsigned int)__builtin_ctz(active);

				if (vgic_home(cpu, word, n) == cpu &&
				    (found == NULL || bank->priority[n] < found->priority[best])) {
					found = bank;
					best = n;
				}
			}
		}
		if (found == NULL) {
			return;
		}
		found->active &= ~(1u << best);
		if ((found->hw >> best & 1) != 0) {
			gicc_deactivate(best);
		}
	}
}

/* An interrupt came again while a list register holds it: merged if not yet taken, else sent again
 * after its EOI. */
static void repend(unsigned int cpu, unsigned int i)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t intid = vc->lr[i] & LR_INTID;
	uint32_t bit, lr = gich_read_lr(i);
	struct irq_bank *bank = lr_bank(cpu, i, &bit);

	if ((lr & (LR_PENDING | LR_ACTIVE)) == 0) {
		release(cpu, i);
		return;
	}
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

/* The rare part of a refresh: requests of other cores, wires that fell, interrupts that came again.
 */
static void reconsider(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];

	for (unsigned int i = 0; i < vgic.lr_count; i++) {
		uint32_t bit, lr;
		struct irq_bank *bank;

		if ((vc->lr_used >> i & 1) == 0) {
			continue;
		}
		bank = lr_bank(cpu, i, &bit);
		lr = gich_read_lr(i);
		if ((bank->claimed & bit) != 0) {
			withdraw(cpu, i);
		} else if ((bank->latched & bit) != 0) {
			repend(cpu, i);
		} else if ((lr & (LR_PENDING | LR_ACTIVE)) == LR_PENDING &&
			   (vc->lr[i] & LR_LATCHED) == 0 &&
			   (irq_bank_pending(bank) & bit) == 0) {
			withdraw(cpu, i);
		}
	}
	vc->recheck = false;
}

static void release_completed(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t done = gich_empty() & vc->lr_used;

	if (vc->lr_eoi != 0) { /* with LR_EOI they don't count as empty (5.3.7) */
		done |= gich_ended() & vc->lr_eoi;
	}
	for (; done != 0; done &= done - 1) {
		release(cpu, (unsigned int)__builtin_ctz(done));
	}
}

/* Fills list registers, best first. Returns what GICH_HCR must be for what had to stay out. */
static inline uint32_t fill(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t all = (1u << vgic.lr_count) - 1;
	uint32_t hcr = vgic.ctlr != 0 ? GICH_HCR_EN : 0;
	struct candidate best;
	bool made_room = false;

	for (find_candidates(cpu, &best); best.count != 0; find_candidates(cpu, &best)) {
		if (vc->lr_used == all) {
			if (!make_room(cpu, best.rank)) {
				hcr |= best.rank < RANK_ACTIVE ? GICH_HCR_NPIE : 0;
				hcr |= best.active_out ? GICH_HCR_LRENPIE : 0;
				break;
			}
			made_room = true;
		}
		insert(cpu, (unsigned int)__builtin_ctz(~vc->lr_used), best.word, best.n);
		if (best.count == 1 && !made_room) { /* what made room waits now itself */
			break;
		}
	}
	return hcr;
}

void vgic_refresh(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	bool shared;

	if (__atomic_load_n(&vc->inbox_senders, __ATOMIC_RELAXED) != 0) {
		vgic_open_inbox(cpu);
	}
	/* An SPI that comes for this core after this look comes with a kick. */
	shared = (__atomic_load_n(&vc->spi_words, __ATOMIC_RELAXED) | vc->lr_spi |
		  (vc->hcr & GICH_HCR_LRENPIE)) != 0;
	if (shared) {
		spin_lock(&vgic.lock);
	}
	if ((vc->hcr & GICH_HCR_LRENPIE) != 0) {
		complete_evicted(cpu);
	}
	release_completed(cpu);
	if (vc->recheck) {
		reconsider(cpu);
	}
	set_hcr(vc, fill(cpu));
	if (shared) {
		spin_unlock(&vgic.lock);
	}
}

void vgic_withdraw(unsigned int cpu, unsigned int word, uint32_t mask)
{
	const struct vgic_cpu *vc = &vgic.cpu[cpu];

	for (uint32_t used = vc->lr_used; used != 0; used &= used - 1) {
		unsigned int i = (unsigned int)__builtin_ctz(used);

		const uint32_t intid = vc->lr[i] & LR_INTID;

		if (intid / 32 == word && (mask >> (intid & 31) & 1) != 0) {
			withdraw(cpu, i);
		}
	}
}

void vgic_withdraw_all(unsigned int cpu)
{
	spin_lock(&vgic.lock);
	for (uint32_t used = vgic.cpu[cpu].lr_used; used != 0; used &= used - 1) {
		withdraw(cpu, (unsigned int)__builtin_ctz(used));
	}
	spin_unlock(&vgic.lock);
	gich_reset();
	vgic.cpu[cpu].hcr = 0;
}
