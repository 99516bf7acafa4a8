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
#include "vgic_state.h"
#include "../drivers/hw/gicv2.h"

static void set_hcr(struct vgic_cpu *vc, uint32_t hcr)
{
	if (vc->hcr != hcr) {
		vc->hcr = hcr;
		gich_write_hcr(hcr);
	}
}

static struct irq_bank *record_bank(unsigned int cpu, const struct lr_record *record, uint32_t *bit)
{
	*bit = 1u << (record->intid & 31);
	return vgic_bank(cpu, record->intid / 32);
}

/* The list register is empty: the guest completed the interrupt. */
static void release(unsigned int cpu, unsigned int i)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t bit;
	struct irq_bank *bank = record_bank(cpu, &vc->lr[i], &bit);

	bank->in_lr &= ~bit;
	vc->lr_used &= ~(1u << i);
	vc->lr_spi &= ~(1u << i);
	if ((vc->lr_eoi >> i & 1) != 0) {
		vc->lr_eoi &= ~(1u << i);
		gich_write_lr(i, 0); /* EISR stays set until then (5.3.6) */
	}
	if (vc->lr[i].intid >= 32 && (irq_bank_pending(bank) & bit) != 0) {
		unsigned int target = vgic_target(bank, vc->lr[i].intid & 31);

		if (target < CPUS_MAX) {
			vgic.cpu[target].spi_words |= 1u << (vc->lr[i].intid / 32 - 1);
			if (target != cpu) {
				vgic_kick(1u << target);
			}
		}
	}
}

/* Takes an interrupt out of its list register, state and all. */
static void withdraw(unsigned int cpu, unsigned int i)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	struct lr_record *record = &vc->lr[i];
	uint32_t lr = gich_read_lr(i), bit;
	struct irq_bank *bank = record_bank(cpu, record, &bit);

	gich_write_lr(i, 0);
	bank->in_lr &= ~bit;
	vc->lr_used &= ~(1u << i);
	vc->lr_eoi &= ~(1u << i);
	vc->lr_spi &= ~(1u << i);
	if ((lr & LR_PENDING) != 0 && record->latched) {
		bank->latched |= bit;
		if (record->intid < 16) {
			vc->sgi_source[record->intid] |= (uint8_t)(1u << record->source);
		}
	}
	if ((lr & LR_ACTIVE) != 0) {
		bank->active |= bit;
	}
	if (record->intid >= 32) {
		vc->spi_words |= 1u << (record->intid / 32 - 1);
	}
}

static void insert(unsigned int cpu, unsigned int i, unsigned int word, unsigned int n)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	struct irq_bank *bank = vgic_bank(cpu, word);
	struct lr_record *record = &vc->lr[i];
	const uint32_t bit = 1u << n;
	const uint32_t intid = word * 32 + n;
	uint32_t lr = intid | (uint32_t)bank->priority[n] >> 3 << 23;
	bool eoi = false;

	record->intid = (uint16_t)intid;
	record->priority = bank->priority[n];
	record->latched = (bank->latched & bit) != 0;
	lr |= (bank->active & bit) != 0 ? LR_ACTIVE : LR_PENDING;
	if ((bank->group1 & bit) != 0) {
		lr |= LR_GROUP1;
	}
	if ((bank->hw & bit) != 0) {
		lr |= LR_HW | intid << LR_PINTID_SHIFT;
		bank->latched &= ~bit;
	} else if (intid < 16) {
		if ((bank->active & bit) == 0) {
			record->source = (uint8_t)__builtin_ctz(vc->sgi_source[n]);
			vc->sgi_source[n] &= (uint8_t)(vc->sgi_source[n] - 1);
			lr |= (uint32_t)record->source << LR_CPUID_SHIFT;
		}
		if (vc->sgi_source[n] != 0) {
			eoi = true;
		} else {
			bank->latched &= ~bit;
		}
	} else {
		if ((bank->active & bit) == 0) {
			bank->latched &= ~bit;
		}
		eoi = (bank->edge & bit) == 0 || (bank->latched & bit) != 0;
	}
	if (eoi) {
		lr |= LR_EOI;
		vc->lr_eoi |= 1u << i;
	}
	bank->active &= ~bit;
	bank->in_lr |= bit;
	bank->owner[n] = (uint8_t)cpu;
	vc->lr_used |= 1u << i;
	vc->lr_spi |= (word != 0 ? 1u : 0u) << i;
	gich_write_lr(i, lr);
}

#define RANK_ACTIVE 0x100u

/* The best interrupt that waits for a list register of this core. */
struct candidate {
	unsigned int word, n;
	uint32_t rank;   /* lower is better; active ones come after all pending ones */
	bool active_out; /* some active interrupt is in no list register */
};

static void consider(unsigned int cpu, unsigned int word, struct candidate *best)
{
	const struct irq_bank *bank = vgic_bank(cpu, word);
	uint32_t ready = irq_bank_deliverable(bank);
	uint32_t waiting = ready | (bank->active & ~bank->claimed);
	bool mine = false;

	while (waiting != 0) {
		unsigned int n = (unsigned int)__builtin_ctz(waiting);
		bool active = (ready >> n & 1) == 0;
		uint32_t rank = bank->priority[n] | (active ? RANK_ACTIVE : 0);

		waiting &= waiting - 1;
		if (vgic_home(cpu, word, n) != cpu) {
			continue;
		}
		mine = true;
		best->active_out |= active;
		if (rank < best->rank) {
			best->word = word;
			best->n = n;
			best->rank = rank;
		}
	}
	if (word != 0 && !mine) {
		vgic.cpu[cpu].spi_words &= ~(1u << (word - 1));
	}
}

static struct candidate best_candidate(unsigned int cpu)
{
	struct candidate best = {.rank = UINT32_MAX};
	uint32_t words = vgic.cpu[cpu].spi_words;

	consider(cpu, 0, &best);
	while (words != 0) {
		consider(cpu, (unsigned int)__builtin_ctz(words) + 1, &best);
		words &= words - 1;
	}
	return best;
}

/*
 * All list registers are taken and @rank waits: gives up one that holds less. First a pending one
 * of lower priority; if none is pending at all, the active one of lowest priority: its EOI will be
 * counted in GICH_HCR.EOICount (5.3.1) and folded in by complete_evicted(). Returns false if
 * everything in there goes first.
 */
static bool make_room(unsigned int cpu, uint32_t rank)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	unsigned int worst_pending = VGIC_LRS_MAX, worst_active = VGIC_LRS_MAX;
	bool any_pending = false;

	for (unsigned int i = 0; i < vgic.lr_count; i++) {
		uint32_t lr = gich_read_lr(i);
		unsigned int *worst = (lr & LR_ACTIVE) != 0 ? &worst_active : &worst_pending;

		any_pending |= (lr & LR_PENDING) != 0;
		if (*worst == VGIC_LRS_MAX || vc->lr[i].priority >= vc->lr[*worst].priority) {
			*worst = i;
		}
	}
	if (worst_pending < VGIC_LRS_MAX && vc->lr[worst_pending].priority > rank) {
		withdraw(cpu, worst_pending);
		return true;
	}
	if (!any_pending && worst_active < VGIC_LRS_MAX && rank < RANK_ACTIVE) {
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
	struct lr_record *record = &vc->lr[i];
	uint32_t bit, lr = gich_read_lr(i);
	struct irq_bank *bank = record_bank(cpu, record, &bit);

	if ((lr & (LR_PENDING | LR_ACTIVE)) == 0) {
		release(cpu, i);
		return;
	}
	if ((lr & LR_PENDING) != 0) {
		record->latched = true;
		if (record->intid < 16) {
			vc->sgi_source[record->intid] &= (uint8_t) ~(1u << record->source);
		}
		if (record->intid >= 16 || vc->sgi_source[record->intid] == 0) {
			bank->latched &= ~bit;
			return;
		}
	}
	if ((lr & (LR_EOI | LR_HW)) == 0) {
		vc->lr_eoi |= 1u << i;
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
		bank = record_bank(cpu, &vc->lr[i], &bit);
		lr = gich_read_lr(i);
		if ((bank->claimed & bit) != 0) {
			withdraw(cpu, i);
		} else if ((bank->latched & bit) != 0) {
			repend(cpu, i);
		} else if ((lr & (LR_PENDING | LR_ACTIVE)) == LR_PENDING && !vc->lr[i].latched &&
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
static uint32_t fill(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t all = (1u << vgic.lr_count) - 1;
	uint32_t hcr = vgic.ctlr != 0 ? GICH_HCR_EN : 0;
	struct candidate best;

	for (;;) {
		best = best_candidate(cpu);
		if (best.rank == UINT32_MAX || (vc->lr_used == all && !make_room(cpu, best.rank))) {
			break;
		}
		insert(cpu, (unsigned int)__builtin_ctz(~vc->lr_used), best.word, best.n);
	}
	if (best.rank < RANK_ACTIVE) {
		hcr |= GICH_HCR_NPIE;
	}
	if (best.active_out) {
		hcr |= GICH_HCR_LRENPIE;
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

		if (vc->lr[i].intid / 32 == word && (mask >> (vc->lr[i].intid & 31) & 1) != 0) {
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
