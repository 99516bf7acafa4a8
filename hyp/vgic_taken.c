/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Taken interrupts: acknowledged by the guest, and out of their list register before their end. Their end is
 * counted in GICH_HCR.EOICount (5.3.1) and found by vgic_complete_taken(); with EOImode 1 GICC_DIR traps.
 *
 * Lock: as in vgic_lr.c. Source: IHI 0048B 5.3.1, 4.4.5.
 */
#include <stddef.h>
#include "vgic_state.h"
#include "../drivers/hw/gicv2.h"

void vgic_take(unsigned int cpu, struct irq_bank *bank, unsigned int n, uint32_t record)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];

	bank->active |= 1u << n;
	bank->taken |= 1u << n;
	bank->owner[n] = (uint8_t)cpu;
	bank->running[n] = (uint8_t)(FIELD_GET(LR_PRIORITY, record) << 3);
	if (vc->taken == 0) {
		vc->taken = 1; /* this core may not refresh before it goes on; earlier ends were of nothing here */
		vc->hcr |= GICH_HCR_LRENPIE;
		vc->odd = 1;
		gich_write_hcr(vc->hcr);
	}
	if ((gich_read_vmcr() & VMCR_EOIMODE) != 0) {
		vgic_trap_dir();
	}
}

/* Among this core's taken interrupts the one with the highest running priority. Returns NULL if there is none. */
static struct irq_bank *highest_taken(unsigned int cpu, unsigned int *n)
{
	struct irq_bank *found = NULL;

	for (unsigned int w = 0; w < vgic.words; w++) {
		struct irq_bank *bank = vgic_bank(cpu, w);

		for (uint32_t taken = bank->taken; taken != 0; taken &= taken - 1) {
			unsigned int k = (unsigned int)__builtin_ctz(taken);

			if (bank->owner[k] == cpu && (found == NULL || bank->running[k] < found->running[*n])) {
				found = bank;
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
void vgic_complete_taken(unsigned int cpu)
{
	struct vgic_cpu *vc = &vgic.cpu[cpu];
	uint32_t count = gich_read_hcr() / GICH_HCR_EOICOUNT_1;
	struct irq_bank *bank;
	unsigned int n = 0;

	if (count != 0) {
		gich_write_hcr(vc->hcr);
	}
	for (; count != 0 && (bank = highest_taken(cpu, &n)) != NULL; count--) {
		bank->taken &= ~(1u << n);
		if ((bank->active & bank->hw & 1u << n) != 0) {
			gicc_deactivate(n);
		}
		bank->active &= ~(1u << n);
		if (bank->word != 0) {
			vgic_repeat_spi(cpu, bank, n);
		}
	}
	vc->taken = highest_taken(cpu, &n) != NULL;
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
