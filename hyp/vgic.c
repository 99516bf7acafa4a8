/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's interrupts. struct vgic is the truth, list registers (vgic_lr.c) are a cache of it.
 *
 * Lock: vgic.lock guards all of it; it is the last in the order (console and device locks come before).
 * GICH registers are banked: only the core itself touches them. What another core needs of them it asks
 * for by a kick and waits with the lock released (vgic_claim), answering the others' requests meanwhile.
 *
 * Source: IHI 0048B 3.2 (states of an interrupt).
 */
#include "vgic_state.h"
#include <string.h>
#include "../drivers/hw/gicv2.h"
#include "self.h"

#define HW_PRIVATE (1u << INTID_VTIMER | 1u << INTID_PTIMER)

struct vgic vgic;

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
	uint32_t ready = irq_bank_deliverable(bank) & mask;
	uint32_t waiting = (ready | bank->active) & mask;
	uint32_t held = bank->in_lr & mask;
	uint32_t kicks = 0;

	for (; held != 0; held &= held - 1) {
		unsigned int owner = bank->owner[__builtin_ctz(held)];

		vgic.cpu[owner].recheck = true;
		kicks |= 1u << owner;
	}
	for (; word != 0 && waiting != 0; waiting &= waiting - 1) {
		unsigned int target = vgic_home(cpu, word, (unsigned int)__builtin_ctz(waiting));

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

void vgic_leave_cpu(unsigned int cpu)
{
	spin_lock(&vgic.lock);
	vgic_withdraw_all(cpu);
	gic_private_enable(HW_PRIVATE, false);
	spin_unlock(&vgic.lock);
}

void vgic_enter_cpu(unsigned int cpu)
{
	struct irq_bank *private = &vgic.cpu[cpu].private;

	spin_lock(&vgic.lock);
	vgic_withdraw_all(cpu);
	private->latched &= ~HW_PRIVATE;
	private->active &= ~HW_PRIVATE;
	gicc_deactivate(INTID_VTIMER);
	gicc_deactivate(INTID_PTIMER);
	gic_private_enable(private->enabled & HW_PRIVATE, true);
	vgic_refresh(cpu);
	spin_unlock(&vgic.lock);
}
