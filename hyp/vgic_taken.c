/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taken interrupts: acknowledged by the guest, and out of their list register before their end.
 * Their end is counted in GICH_HCR.EOICount (5.3.1) and found by vgic_complete_taken(); with
 * EOImode 1 GICC_DIR traps.
 *
 * Lock: as in vgic_lr.c. Source: IHI 0048B 5.3.1, 4.4.5.
 */
#include <stddef.h>
#include "vgic_state.h"
#include "../drivers/hw/gicv2.h"

/* Bit of GICH_APR for an interrupt of this priority and group (5.3.9; the binary
 * points: 3.3.3, 4.4.3). */
static uint8_t running_bit(uint32_t priority, bool group1)
{
	const uint32_t vmcr = gich_read_vmcr();
	const uint32_t low = group1 && (vmcr & VMCR_CBPR) == 0 ? FIELD_GET(VMCR_ABP, vmcr)
							       : FIELD_GET(VMCR_BP, vmcr) + 1;

	return (uint8_t)(low > 7 ? 0 : (priority & ~0u << low) >> 3);
}

void vgic_take(unsigned int cpu, struct irq_bank *bank, unsigned int n, uint32_t record)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];

	bank->active |= 1u << n;
	bank->taken |= 1u << n;
	bank->owner[n] = (uint8_t)cpu;
	bank->running[n] =
		running_bit(FIELD_GET(LR_PRIORITY, record) << 3, (record & LR_GROUP1) != 0);
	if (vc->taken == 0) {
		vc->taken = 1; /* this core may not refresh before it goes on; earlier ends were of
				  nothing here */
		vc->hcr |= GICH_HCR_LRENPIE;
		vc->odd = 1;
		gich_write_hcr(vc->hcr);
	}
	if ((gich_read_vmcr() & VMCR_EOIMODE) != 0) {
		vgic_trap_dir();
	}
}

/* The taken interrupt whose end is the likeliest: the smallest of these. */
#define STILL_RUNS 0x40u /* GICH_APR still has its priority */
#define NOT_ACTIVE 0x20u /* the guest has deactivated it by the distributor */

static uint32_t rank(const struct irq_bank *bank, unsigned int n, uint32_t apr)
{
	return ((apr >> bank->running[n] & 1) != 0 ? STILL_RUNS : 0) |
	       ((bank->active >> n & 1) == 0 ? NOT_ACTIVE : 0) | bank->running[n];
}

/* Returns the bank of this core's taken interrupt of the smallest rank, or NULL. *least gets the
 * rank. */
static struct irq_bank *best_taken(unsigned int cpu, uint32_t apr, unsigned int *n, uint32_t *least)
{
	struct irq_bank *found = NULL;

	for (unsigned int word = 0; word < vgic.words; word++) {
		struct irq_bank *bank = vgic_bank(cpu, word);

		for (uint32_t taken = bank->taken; taken != 0; taken &= taken - 1) {
			unsigned int k = (unsigned int)__builtin_ctz(taken);

			if (bank->owner[k] == cpu &&
			    (found == NULL || rank(bank, k, apr) < *least)) {
				found = bank;
				*n = k;
				*least = rank(bank, k, apr);
			}
		}
	}
	return found;
}

static void end_taken(unsigned int cpu, struct irq_bank *bank, unsigned int n)
{
	const uint32_t bit = 1u << n;

	bank->taken &= ~bit;
	vgic_give_back(bank, bank->active & bit);
	bank->active &= ~bit;
	if (bank->word != 0) {
		vgic_repeat_spi(cpu, bank, n);
	}
}

/*
 * The guest ended interrupts that no list register held: those whose priority GICH_APR has no more,
 * the highest first, as running priorities nest (4.4.5). What neither runs nor is active was ended
 * in some other way, for instance by a kernel that starts over and clears both.
 */
void vgic_complete_taken(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	const uint32_t apr = gich_read_apr();
	uint32_t count = gich_read_hcr() / GICH_HCR_EOICOUNT_1, least = 0;
	struct irq_bank *bank;
	unsigned int n = 0;

	if (count != 0) {
		gich_write_hcr(vc->hcr);
	}
	while ((bank = best_taken(cpu, apr, &n, &least)) != NULL &&
	       (count != 0 || (least & (STILL_RUNS | NOT_ACTIVE)) == NOT_ACTIVE)) {
		end_taken(cpu, bank, n);
		count -= count != 0;
	}
	vc->taken = bank != NULL;
}

void vgic_forget_taken(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];

	for (unsigned int word = 0; vc->taken != 0 && word < vgic.words; word++) {
		struct irq_bank *bank = vc->bank[word];

		for (uint32_t taken = bank->taken; taken != 0; taken &= taken - 1) {
			if (bank->owner[__builtin_ctz(taken)] == cpu) {
				bank->taken &= ~(taken & -taken);
			}
		}
	}
	vc->taken = 0;
}
