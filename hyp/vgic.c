/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's interrupts. struct vgic is the truth; a list register is a cache of one interrupt's state,
 * and while it holds one (in_lr) its pending and active state are there. Three moves, each in one place:
 * insert() puts an interrupt in, release() notes that the guest completed it, withdraw() takes it out.
 *
 * Lock: vgic.lock guards all of it; it is the last in the order (console and device locks come before).
 * GICH registers are banked: only the core itself touches them. What another core needs of them it asks
 * for by a kick and waits with the lock released (vgic_claim), answering the others' requests meanwhile.
 *
 * Source: IHI 0048B 3.2 (states), 5.2 (list registers), 5.3 (GICH).
 */
#include "vgic.h"
#include <string.h>
#include "../drivers/hw/gicv2.h"
#include "self.h"

#define HW_PRIVATE (1u << INTID_VTIMER | 1u << INTID_PTIMER)

struct vgic vgic;

/* Interrupts whose group the distributor forwards (4.3.1). */
static uint32_t forwarded(const struct irq_bank *bank)
{
	return (vgic.ctlr & 1 ? ~bank->group1 : 0) | (vgic.ctlr & 2 ? bank->group1 : 0);
}

/* Pending, and nothing but a list register is missing. */
static inline uint32_t deliverable(const struct irq_bank *bank)
{
	return irq_bank_pending(bank) & bank->enabled & forwarded(bank) &
	       ~(bank->active | bank->in_lr | bank->claimed);
}

/* The core that gets an SPI: the lowest in its target mask; CPUS_MAX if none. */
static unsigned int target_of(const struct irq_bank *bank, unsigned int bit)
{
	uint8_t mask = bank->target[bit];

	return mask == 0 ? CPUS_MAX : (unsigned int)__builtin_ctz(mask);
}

/* The core whose list registers an interrupt goes to: an active one's is where it was acknowledged. */
static unsigned int home_of(unsigned int cpu, unsigned int word, unsigned int bit)
{
	const struct irq_bank *bank = vgic_bank(cpu, word);

	if (word == 0) {
		return cpu;
	}
	return (bank->active >> bit & 1) != 0 ? bank->owner[bit] : target_of(bank, bit);
}

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
	if ((vc->lr_eoi >> i & 1) != 0) {
		vc->lr_eoi &= ~(1u << i);
		gich_write_lr(i, 0); /* EISR stays set until then (5.3.6) */
	}
	if (vc->lr[i].intid >= 32 && (irq_bank_pending(bank) & bit) != 0) {
		unsigned int target = target_of(bank, vc->lr[i].intid & 31);

		if (target < vgic.cpu_count) {
			vgic.cpu[target].spi_words |= 1u << (vc->lr[i].intid / 32 - 1);
			if (target != cpu) {
				gic_kick(vgic.gic_mask[target]);
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
	gich_write_lr(i, lr);
}

#define RANK_ACTIVE 0x100u

/* The best interrupt that waits for a list register of this core. */
struct candidate {
	unsigned int word, n;
	uint32_t rank; /* lower is better; active ones come after all pending ones */
	bool active_out; /* some active interrupt is in no list register */
};

static void consider(unsigned int cpu, unsigned int word, struct candidate *best)
{
	const struct irq_bank *bank = vgic_bank(cpu, word);
	uint32_t ready = deliverable(bank);
	uint32_t waiting = ready | (bank->active & ~bank->claimed);
	bool mine = false;

	while (waiting != 0) {
		unsigned int n = (unsigned int)__builtin_ctz(waiting);
		bool active = (ready >> n & 1) == 0;
		uint32_t rank = bank->priority[n] | (active ? RANK_ACTIVE : 0);

		waiting &= waiting - 1;
		if (home_of(cpu, word, n) != cpu) {
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
 * All list registers are taken and @rank waits: gives up one that holds less. First a pending one of lower
 * priority; if none is pending at all, the active one of lowest priority: its EOI will be counted in
 * GICH_HCR.EOICount (5.3.1) and folded in by complete_evicted(). Returns false if everything in there
 * goes first.
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
 * The guest ended interrupts that no list register held (with EOImode 1 its GICC_DIR traps instead). Running priorities nest, so each EOI was for the
 * highest priority among the active ones out here (4.4.5: EOIs come in the reverse order of IARs).
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

				if (home_of(cpu, word, n) == cpu &&
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

/* An interrupt came again while a list register holds it: merged if not yet taken, else sent again after its EOI. */
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
			vc->sgi_source[record->intid] &= (uint8_t)~(1u << record->source);
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

/* The rare part of a refresh: requests of other cores, wires that fell, interrupts that came again. */
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

void vgic_refresh(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t all = (1u << vgic.lr_count) - 1;
	uint32_t hcr = vgic.ctlr != 0 ? GICH_HCR_EN : 0;
	uint32_t done;
	struct candidate best;

	if ((vc->hcr & GICH_HCR_LRENPIE) != 0) {
		complete_evicted(cpu);
	}
	done = gich_empty() & vc->lr_used;
	if (vc->lr_eoi != 0) { /* with LR_EOI they don't count as empty (5.3.7) */
		done |= gich_ended() & vc->lr_eoi;
	}
	for (; done != 0; done &= done - 1) {
		release(cpu, (unsigned int)__builtin_ctz(done));
	}
	if (vc->recheck) {
		reconsider(cpu);
	}
	for (;;) {
		best = best_candidate(cpu);
		if (best.rank == UINT32_MAX ||
		    (vc->lr_used == all && !make_room(cpu, best.rank))) {
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
	set_hcr(vc, hcr);
}

void vgic_refresh_unlocked(unsigned int cpu)
{
	spin_lock(&vgic.lock);
	vgic_refresh(cpu);
	spin_unlock(&vgic.lock);
}

/* What a change to the interrupts in @mask asks of which core; returns the others that need a kick. */
static uint32_t notify_cores(unsigned int cpu, unsigned int word, uint32_t mask)
{
	struct irq_bank *bank = vgic_bank(cpu, word);
	uint32_t ready = deliverable(bank) & mask;
	uint32_t waiting = (ready | bank->active) & mask;
	uint32_t held = bank->in_lr & mask;
	uint32_t kicks = 0;

	for (; held != 0; held &= held - 1) {
		unsigned int owner = bank->owner[__builtin_ctz(held)];

		vgic.cpu[owner].recheck = true;
		kicks |= 1u << owner;
	}
	for (; word != 0 && waiting != 0; waiting &= waiting - 1) {
		unsigned int target = home_of(cpu, word, (unsigned int)__builtin_ctz(waiting));

		if (target < vgic.cpu_count) {
			vgic.cpu[target].spi_words |= 1u << (word - 1);
			kicks |= 1u << target;
		}
	}
	return kicks & ~(1u << cpu);
}

static void kick(uint32_t cpu_set)
{
	uint32_t targets = 0;

	for (; cpu_set != 0; cpu_set &= cpu_set - 1) {
		targets |= vgic.gic_mask[__builtin_ctz(cpu_set)];
	}
	if (targets != 0) {
		gic_kick(targets);
	}
}

void vgic_changed(unsigned int cpu, unsigned int word, uint32_t mask)
{
	uint32_t kicks = notify_cores(cpu, word, mask);

	vgic_refresh(cpu);
	kick(kicks);
}

void vgic_changed_all(unsigned int cpu)
{
	vgic_refresh(cpu);
	kick(((1u << vgic.cpu_count) - 1) & ~(1u << cpu));
}

/*
 * Nothing is inserted while it is claimed, so the loop ends once each owner has looked; an owner that waits
 * for us at the same time is answered by the refresh in the loop.
 */
void vgic_claim(unsigned int cpu, unsigned int word, uint32_t mask)
{
	struct irq_bank *bank = vgic_bank(cpu, word);

	while ((bank->in_lr & mask) != 0) {
		bank->claimed |= mask;
		kick(notify_cores(cpu, word, mask));
		vgic_refresh(cpu);
		if ((bank->in_lr & mask) != 0) {
			spin_unlock(&vgic.lock);
			spin_lock(&vgic.lock);
		}
	}
	bank->claimed &= ~mask;
}

void vgic_forward(unsigned int cpu, uint32_t intid)
{
	spin_lock(&vgic.lock);
	vgic.cpu[cpu].private.latched |= 1u << intid;
	vgic_refresh(cpu);
	spin_unlock(&vgic.lock);
}

void vgic_set_line(uint32_t intid, bool level)
{
	const unsigned int cpu = cpu_self(), word = intid / 32;
	const uint32_t bit = 1u << intid % 32;
	struct irq_bank *bank = vgic_bank(cpu, word);

	if (word == 0 || word >= vgic.words) {
		return;
	}
	spin_lock(&vgic.lock);
	if (((bank->level & bit) != 0) != level) {
		bank->level ^= bit;
		if (level) {
			bank->latched |= bank->edge & bit;
		}
		vgic_changed(cpu, word, bit);
	}
	spin_unlock(&vgic.lock);
}

void vgic_send_sgi(unsigned int cpu, unsigned int sgi, uint32_t targets)
{
	const uint32_t bit = 1u << sgi;
	uint32_t kicks = 0;

	for (; targets != 0; targets &= targets - 1) {
		unsigned int target = (unsigned int)__builtin_ctz(targets);
		struct vgic_cpu *vc = &vgic.cpu[target];

		vc->sgi_source[sgi] |= (uint8_t)(1u << cpu);
		vc->private.latched |= bit;
		vc->recheck |= (vc->private.in_lr & bit) != 0;
		kicks |= 1u << target;
	}
	if ((kicks & 1u << cpu) != 0) {
		vgic_refresh(cpu);
	}
	kick(kicks & ~(1u << cpu));
}

bool vgic_pending(unsigned int cpu)
{
	bool pending = false;

	spin_lock(&vgic.lock);
	for (uint32_t used = vgic.cpu[cpu].lr_used; used != 0; used &= used - 1) {
		pending |= (gich_read_lr((unsigned int)__builtin_ctz(used)) & LR_PENDING) != 0;
	}
	spin_unlock(&vgic.lock);
	return pending;
}

bool vgic_dir_access(void *device, struct mmio_access *access)
{
	const unsigned int cpu = cpu_self(), word = (access->value & IAR_INTID) / 32;
	const uint32_t bit = 1u << (access->value & 31);
	struct irq_bank *bank;

	(void)device;
	if (!access->is_write || access->offset != 0 || word >= vgic.words) {
		access->value = 0;
		return true;
	}
	spin_lock(&vgic.lock);
	bank = vgic_bank(cpu, word);
	vgic_claim(cpu, word, bit);
	if ((bank->active & bank->hw & bit) != 0) {
		gicc_deactivate(word * 32 + access->value % 32);
	}
	bank->active &= ~bit;
	vgic_changed(cpu, word, bit);
	spin_unlock(&vgic.lock);
	return true;
}

static void reset_bank(struct irq_bank *bank, uint8_t target)
{
	memset(bank, 0, sizeof(*bank));
	memset(bank->target, target, sizeof(bank->target));
}

void vgic_reset(unsigned int words, unsigned int cores, unsigned int lr_count)
{
	vgic.ctlr = 0;
	vgic.words = words;
	vgic.cpu_count = cores;
	vgic.lr_count = lr_count < VGIC_LRS_MAX ? lr_count : VGIC_LRS_MAX;
	memset(vgic.cpu, 0, sizeof(vgic.cpu));
	for (unsigned int i = 0; i < cores; i++) {
		struct irq_bank *private = &vgic.cpu[i].private;

		reset_bank(private, (uint8_t)(1u << i));
		private->enabled = 0xffff; /* SGIs, always (4.3.5) */
		private->edge = 0xffff;
		private->hw = HW_PRIVATE;
	}
	for (unsigned int word = 1; word < VGIC_WORDS_MAX; word++) {
		reset_bank(&vgic.spi[word - 1], cores == 1 ? 1 : 0);
	}
}

static void withdraw_all(unsigned int cpu)
{
	for (uint32_t used = vgic.cpu[cpu].lr_used; used != 0; used &= used - 1) {
		withdraw(cpu, (unsigned int)__builtin_ctz(used));
	}
	gich_reset();
	vgic.cpu[cpu].hcr = 0;
}

void vgic_leave_cpu(unsigned int cpu)
{
	spin_lock(&vgic.lock);
	withdraw_all(cpu);
	gic_private_enable(HW_PRIVATE, false);
	spin_unlock(&vgic.lock);
}

void vgic_enter_cpu(unsigned int cpu)
{
	struct irq_bank *private = &vgic.cpu[cpu].private;

	spin_lock(&vgic.lock);
	withdraw_all(cpu);
	private->latched &= ~HW_PRIVATE;
	private->active &= ~HW_PRIVATE;
	gicc_deactivate(INTID_VTIMER);
	gicc_deactivate(INTID_PTIMER);
	gic_private_enable(private->enabled & HW_PRIVATE, true);
	vgic_refresh(cpu);
	spin_unlock(&vgic.lock);
}
