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
 * registers have something to do. vgic.lock held if @word is not 0.
 */
static uint32_t affected_cores(unsigned int cpu, unsigned int word, uint32_t mask)
{
	struct irq_bank *bank = vgic_bank(cpu, word);
	uint32_t ready = irq_bank_deliverable(bank); /* all: a claim may just have ended */
	uint32_t held = bank->in_lr & mask;
	uint32_t cores = 0;

	for (; held != 0; held &= held - 1) {
		unsigned int owner = word == 0 ? cpu : bank->owner[__builtin_ctz(held)];

		__atomic_store_n(&vgic.cpu[owner].recheck, 1, __ATOMIC_RELAXED);
		cores |= 1u << owner;
	}
	if (word == 0) {
		return cores | (ready != 0 ? 1u << cpu : 0);
	}
	for (; ready != 0; ready &= ready - 1) {
		unsigned int target = vgic_target(bank, (unsigned int)__builtin_ctz(ready));

		if (target < CPUS_MAX) {
			vgic.cpu[target].spi_words |= 1u << (word - 1);
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

void vgic_end_change(unsigned int cpu, unsigned int word, uint32_t mask, uint32_t cores)
{
	if (mask != 0) {
		cores |= affected_cores(cpu, word, mask);
	}
	if (word != 0) {
		spin_unlock(&vgic.lock);
	}
	if ((cores >> cpu & 1) != 0 || vgic.cpu[cpu].taken != 0) {
		vgic_refresh(cpu); /* a claim may have taken an active one out: its end must be counted */
		cores &= ~(1u << cpu);
	}
	if (cores != 0) {
		vgic_kick(cores);
	}
}

/*
 * Nothing that is claimed is inserted, so the outer loop ends once each owner has looked; an owner
 * that waits for us at the same time is answered in the inner one.
 */
void vgic_claim(unsigned int cpu, unsigned int word, uint32_t mask)
{
	struct irq_bank *bank = vgic_bank(cpu, word);

	if ((bank->in_lr & mask) == 0) {
		return;
	}
	vgic_withdraw(cpu, word, mask);
	if ((bank->in_lr & mask) == 0) {
		return;
	}
	bank->claimers++;
	while ((bank->in_lr & mask) != 0) {
		bank->claimed |= mask;
		vgic_kick(affected_cores(cpu, word, bank->in_lr & mask) & ~(1u << cpu));
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

void vgic_forward(unsigned int cpu, uint32_t intid)
{
	vgic.cpu[cpu].private.latched |= 1u << intid;
	vgic_refresh(cpu);
}

void vgic_set_line(uint32_t intid, bool level)
{
	const unsigned int word = intid / 32;
	const uint32_t bit = 1u << intid % 32;
	struct irq_bank *bank;
	uint32_t changed = 0;

	if (word == 0 || word >= vgic.words) {
		return;
	}
	bank = vgic_bank(0, word);
	vgic_begin(word);
	if (((bank->level & bit) != 0) != level) {
		changed = bit;
		bank->level ^= bit;
		if (level) {
			bank->latched |= bank->edge & bit;
		}
	}
	vgic_end(cpu_self(), word, changed, 0);
}

static void pend_sgi(unsigned int cpu, unsigned int sgi, unsigned int source)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];

	vc->sgi_source[sgi] |= (uint8_t)(1u << source);
	vc->private.latched |= 1u << sgi;
}

uint32_t vgic_send_sgi(unsigned int cpu, unsigned int sgi, uint32_t targets)
{
	if ((targets >> cpu & 1) != 0) {
		pend_sgi(cpu, sgi, cpu);
	}
	for (uint32_t others = targets & ~(1u << cpu); others != 0; others &= others - 1) {
		struct vgic_cpu *vc = &vgic.cpu[__builtin_ctz(others)];

		__atomic_fetch_or(&vc->inbox[cpu], 1u << sgi, __ATOMIC_RELAXED);
		__atomic_fetch_or(&vc->inbox_senders, 1u << cpu, __ATOMIC_RELEASE);
	}
	return targets;
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
	bank = vgic_bank(cpu, word);
	vgic_begin(word);
	vgic_claim(cpu, word, bit);
	if ((bank->taken & bit) != 0 && (word == 0 || bank->owner[access->value & 31] == cpu)) {
		bank->taken &= ~bit;
	}
	if ((bank->active & bank->hw & bit) != 0) {
		gicc_deactivate(word * 32 + access->value % 32);
	}
	bank->active &= ~bit;
	vgic_end(cpu, word, bit, 0);
	return true;
}

static void reset_bank(struct irq_bank *bank, uint8_t target)
{
	memset(bank, 0, sizeof(*bank));
	memset(bank->target, target, sizeof(bank->target));
}

void vgic_set_ctlr(uint32_t value)
{
	vgic.ctlr = value;
	vgic.forward0 = (value & 1) != 0 ? ~0u : 0;
	vgic.forward1 = (value & 2) != 0 ? ~0u : 0;
	for (unsigned int i = 0; i < vgic.cpu_count; i++) {
		vgic.cpu[i].spi_words = ~0u >> (VGIC_WORDS_MAX - vgic.words + 1);
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
		reset_bank(&vgic.spi[word - 1], cores == 1 ? 1 : 0);
	}
	for (unsigned int i = 0; i < CPUS_MAX; i++) {
		struct irq_bank *private = &vgic.cpu[i].private;

		vgic.cpu[i].bank[0] = private;
		for (unsigned int word = 1; word < words; word++) {
			vgic.cpu[i].bank[word] = &vgic.spi[word - 1];
		}
		reset_bank(private, (uint8_t)(1u << i));
		private->enabled = 0xffff; /* SGIs, always (4.3.5) */
		private->edge = 0xffff;
		private->hw = HW_PRIVATE;
	}
}

void vgic_leave_cpu(unsigned int cpu)
{
	vgic_withdraw_all(cpu);
	gic_private_enable(HW_PRIVATE, false);
}

void vgic_enter_cpu(unsigned int cpu)
{
	struct irq_bank *private = &vgic.cpu[cpu].private;

	vgic_withdraw_all(cpu);
	private->latched &= ~HW_PRIVATE;
	private->active &= ~HW_PRIVATE;
	gicc_deactivate(INTID_VTIMER);
	gicc_deactivate(INTID_PTIMER);
	gic_private_enable(private->enabled & HW_PRIVATE, true);
	vgic_refresh(cpu);
}
