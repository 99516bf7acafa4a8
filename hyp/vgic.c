/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's interrupts. struct vgic is the truth, list registers (vgic_lr.c) are a cache of it.
 *
 * What belongs to whom: a core's private interrupts, its records of list registers and its GICH
 * registers are that core's alone and need no lock, so timers and SGIs of different cores never
 * meet. SPIs, and the spi_words and recheck of any core, are guarded by vgic.lock, the last in the
 * order (console and device locks come before). An SGI to another core goes through its inbox, by
 * atomic operations. What a core needs of another's list registers it asks for by a kick, and waits
 * with the lock released (vgic_claim), answering the others' requests meanwhile.
 *
 * An interrupt that the guest owns physically (hw: its timers, SPIs of passed devices) fires on the
 * core that the guest's distributor names, and stays active there until the guest's end of it in a
 * HW list register. Until it is in one it is latched; when the guest changes what matters to the
 * distributor, that gets it back (vgic_give_back).
 *
 * Source: IHI 0048B 3.2 (states of an interrupt).
 */
#include "vgic_state.h"
#include <string.h>
#include "../drivers/hw/gicv2.h"
#include "self.h"

#define HW_PRIVATE (1u << INTID_VTIMER | 1u << INTID_PTIMER)

struct vgic vgic;

/*
 * What a change to the interrupts in @mask asks of which cores: @cpu is among them if its list
 * registers have something to do. vgic.lock held if the bank is not private.
 */
static uint32_t affected_cores(unsigned int cpu, struct irq_bank *bank, uint32_t mask)
{
	uint32_t ready = irq_bank_deliverable(bank); /* all: a claim may just have ended */
	uint32_t held = bank->in_lr & mask;
	uint32_t cores = 0;

	for (; held != 0; held &= held - 1) {
		unsigned int owner = bank->owner[__builtin_ctz(held)];

		__atomic_store_n(&vgic.cpu[owner].recheck, 1, __ATOMIC_RELAXED);
		cores |= 1u << owner;
	}
	if (bank->word == 0) {
		return cores | (ready != 0 ? 1u << cpu : 0);
	}
	for (; ready != 0; ready &= ready - 1) {
		unsigned int target = vgic_target(bank, (unsigned int)__builtin_ctz(ready));

		if (target < CPUS_MAX) {
			vgic.cpu[target].spi_words |= 1u << (bank->word - 1);
			cores |= 1u << target;
		}
	}
	return cores;
}

void vgic_kick(uint32_t cores)
{
	uint32_t targets = 0;

	for (; cores != 0; cores &= cores - 1) {
		targets |= vgic.gic_mask[__builtin_ctz(cores)];
	}
	gic_kick(targets);
}

void vgic_look(unsigned int cpu, uint32_t cores)
{
	if ((cores >> cpu & 1) != 0 || vgic.cpu[cpu].taken != 0) {
		vgic_refresh(cpu); /* a claim may have taken an active one out: its end must be
				      counted */
		cores &= ~(1u << cpu);
	}
	if (cores != 0) {
		vgic_kick(cores);
	}
}

void vgic_repeat_spi(unsigned int cpu, const struct irq_bank *bank, unsigned int n)
{
	const unsigned int target = vgic_target(bank, n);

	if ((irq_bank_pending(bank) >> n & 1) != 0 && target < CPUS_MAX) {
		vgic.cpu[target].spi_words |= 1u << (bank->word - 1);
		if (target != cpu) {
			vgic_kick(1u << target);
		}
	}
}

void vgic_end_change(struct irq_bank *bank, uint32_t mask)
{
	const unsigned int cpu = cpu_self();
	uint32_t cores = affected_cores(cpu, bank, mask);

	if (bank->word != 0) {
		spin_unlock(&vgic.lock);
	}
	vgic_look(cpu, cores);
}

/*
 * Nothing that is claimed is inserted, so the outer loop ends once each owner has looked; an owner
 * that waits for us at the same time is answered in the inner one.
 */
void vgic_claim(struct irq_bank *bank, uint32_t mask)
{
	const unsigned int cpu = cpu_self();

	if ((bank->in_lr & mask) == 0) {
		return;
	}
	vgic_withdraw(cpu, bank, mask);
	if ((bank->in_lr & mask) == 0) {
		return;
	}
	bank->claimers++;
	while ((bank->in_lr & mask) != 0) {
		bank->claimed |= mask;
		vgic_kick(affected_cores(cpu, bank, bank->in_lr & mask) & ~(1u << cpu));
		spin_unlock(&vgic.lock);
		do {
			if (__atomic_load_n(&vgic.cpu[cpu].recheck, __ATOMIC_RELAXED) != 0) {
				vgic_refresh(cpu);
			}
		} while ((__atomic_load_n(&bank->in_lr, __ATOMIC_RELAXED) & mask) != 0);
		spin_lock(&vgic.lock);
	}
	if (--bank->claimers == 0) { /* the last of several that waited lets all of them in again */
		bank->claimed = 0;
	}
}

void vgic_set_line(uint32_t intid, bool level)
{
	const unsigned int word = intid / 32, n = intid % 32;
	const uint32_t bit = 1u << n;
	struct vgic_cpu *vc = vgic_self();
	struct irq_bank *bank;
	uint32_t changed = 0;

	if (word == 0 || word >= vgic.words) {
		return;
	}
	bank = vc->bank[word];
	vgic_begin(bank);
	if (((bank->level & bit) != 0) != level) {
		bank->level ^= bit;
		if (!level) {
			changed = (bank->edge & bit) != 0 || vgic_wire_fell(vc, bank, n) ? 0 : bit;
		} else if (!vgic_pend_again(vc, bank, n,
					    (bank->edge & bit) != 0 ? LR_LATCHED : LR_EOI)) {
			changed = bit;
			bank->latched |= bank->edge & bit;
		}
	}
	vgic_end(bank, changed);
}

/* An SGI for this core. Returns false if it waits for a list register. */
static bool pend_sgi(unsigned int cpu, unsigned int sgi, unsigned int source)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];

	if (vgic_pend_again(vc, &vc->private, sgi, LR_LATCHED | source << LR_CPUID_SHIFT)) {
		return true;
	}
	vc->sgi_source[sgi] |= (uint8_t)(1u << source);
	vc->private.latched |= 1u << sgi;
	return false;
}

void vgic_send_sgi(unsigned int cpu, unsigned int sgi, uint32_t targets)
{
	if ((targets >> cpu & 1) != 0 && pend_sgi(cpu, sgi, cpu)) {
		targets &= ~(1u << cpu);
	}
	for (uint32_t others = targets & ~(1u << cpu); others != 0; others &= others - 1) {
		struct vgic_cpu *vc = &vgic.cpu[__builtin_ctz(others)];

		__atomic_fetch_or(&vc->inbox[cpu], 1u << sgi, __ATOMIC_RELAXED);
		__atomic_fetch_or(&vc->inbox_senders, 1u << cpu, __ATOMIC_RELEASE);
	}
	if (targets != 0) {
		vgic_look(cpu, targets);
	}
}

void vgic_open_inbox(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t senders = __atomic_exchange_n(&vc->inbox_senders, 0, __ATOMIC_ACQUIRE);

	for (; senders != 0; senders &= senders - 1) {
		unsigned int source = (unsigned int)__builtin_ctz(senders);
		uint32_t sgis = __atomic_exchange_n(&vc->inbox[source], 0, __ATOMIC_RELAXED);

		for (; sgis != 0; sgis &= sgis - 1) {
			pend_sgi(cpu, (unsigned int)__builtin_ctz(sgis), source);
		}
	}
}

bool vgic_pending(unsigned int cpu)
{
	bool pending = false;

	for (uint32_t used = vgic.cpu[cpu].lr_used; used != 0; used &= used - 1) {
		pending |= (gich_read_lr((unsigned int)__builtin_ctz(used)) & LR_PENDING) != 0;
	}
	return pending;
}

bool vgic_holds_physical(unsigned int cpu)
{
	const struct vgic_cpu *vc = &vgic.cpu[cpu];
	bool held = ((vc->private.latched | vc->private.active) & HW_PRIVATE) != 0 ||
		    (vc->taken | vc->spi_words) != 0;

	for (uint32_t used = vc->lr_used; used != 0; used &= used - 1) {
		const uint32_t lr = gich_read_lr((unsigned int)__builtin_ctz(used));

		held |= (lr & LR_HW) != 0 && (lr & (LR_PENDING | LR_ACTIVE)) != 0;
	}
	return held;
}

static uint32_t dir_read(void *device, uint32_t offset, uint32_t size)
{
	(void)device;
	(void)offset;
	(void)size;
	return 0;
}

static void dir_write(void *device, uint32_t offset, uint32_t size, uint32_t value)
{
	const unsigned int cpu = cpu_self(), word = (value & IAR_INTID) / 32, n = value & 31;
	const uint32_t bit = 1u << n;
	struct irq_bank *bank;

	(void)device;
	if (offset != 0 || size != 4 || word >= vgic.words) {
		return;
	}
	bank = vgic_bank(cpu, word);
	vgic_begin(bank);
	vgic_claim(bank, bit);
	if ((bank->taken & bit) != 0 && bank->owner[n] == cpu) {
		bank->taken &= ~bit;
	}
	vgic_give_back(bank, bank->active & bit);
	bank->active &= ~bit;
	vgic_end(bank, bit);
}

const struct mmio_ops vgic_dir_ops = {.read = dir_read, .write = dir_write};

static void reset_bank(struct irq_bank *bank, unsigned int word, uint8_t target)
{
	memset(bank, 0, sizeof(*bank));
	bank->word = word;
	memset(bank->target, target, sizeof(bank->target));
}

void vgic_set_ctlr(uint32_t value)
{
	vgic.ctlr = value;
	vgic.forward0 = (value & 1) != 0 ? ~0u : 0;
	vgic.forward1 = (value & 2) != 0 ? ~0u : 0;
	for (unsigned int i = 0; i < vgic.cpu_count; i++) {
		vgic.cpu[i].spi_words = (1u << (vgic.words - 1)) - 1;
		__atomic_store_n(&vgic.cpu[i].recheck, 1, __ATOMIC_RELAXED);
	}
}

void vgic_reset(unsigned int words, unsigned int cores, unsigned int lr_count)
{
	vgic.ctlr = vgic.forward0 = vgic.forward1 = 0;
	vgic.words = words;
	vgic.cpu_count = cores;
	vgic.lr_count = lr_count < VGIC_LRS_MAX ? lr_count : VGIC_LRS_MAX;
	memset(vgic.cpu, 0, sizeof(vgic.cpu));
	for (unsigned int word = 1; word < VGIC_WORDS_MAX; word++) {
		reset_bank(&vgic.spi[word - 1], word, cores == 1 ? 1 : 0);
	}
	for (unsigned int i = 0; i < CPUS_MAX; i++) {
		struct irq_bank *private = &vgic.cpu[i].private;

		vgic.cpu[i].index = i;
		vgic.cpu[i].bank[0] = private;
		for (unsigned int word = 1; word < words; word++) {
			vgic.cpu[i].bank[word] = &vgic.spi[word - 1];
		}
		reset_bank(private, 0, (uint8_t)(1u << i));
		private->enabled = 0xffff; /* SGIs, always (4.3.5) */
		private->edge = 0xffff;
		private->hw = HW_PRIVATE;
	}
}

void vgic_own_spi(uint32_t intid)
{
	const uint32_t word = intid / 32, bit = 1u << intid % 32;
	struct irq_bank *bank = &vgic.spi[word - 1];

	bank->hw |= bit;
	gic_enable(word, bit, false);
	gic_pend(word, bit, false);
	gic_deactivate(word, bit);
	gic_configure(word, bit, 0);
	gic_target(intid, bank->target[intid % 32] != 0 ? vgic.gic_mask[0] : 0);
}

void vgic_give_back(struct irq_bank *bank, uint32_t mask)
{
	mask &= bank->hw;
	if (mask == 0) {
		return;
	}
	gic_pend(bank->word, mask & bank->latched, true);
	bank->latched &= ~mask;
	if (bank->word != 0) {
		gic_deactivate(bank->word, mask); /* whichever core acknowledged it */
		return;
	}
	for (; mask != 0; mask &= mask - 1) {
		gicc_deactivate((uint32_t)__builtin_ctz(mask));
	}
}

void vgic_leave_cpu(unsigned int cpu)
{
	vgic.cpu[cpu].runs = false;
	vgic_withdraw_all(cpu);
	gic_enable(0, HW_PRIVATE, false);
}

void vgic_enter_cpu(unsigned int cpu)
{
	struct irq_bank *private = &vgic.cpu[cpu].private;

	vgic_withdraw_all(cpu);
	vgic.cpu[cpu].runs = true;
	private->latched &= ~HW_PRIVATE;
	private->active &= ~HW_PRIVATE;
	gic_pend(0, HW_PRIVATE, false);
	gicc_deactivate(INTID_VTIMER);
	gicc_deactivate(INTID_PTIMER);
	gic_enable(0, private->enabled & HW_PRIVATE, true);
	vgic_refresh(cpu);
}
