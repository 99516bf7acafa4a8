/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's GICv2: take-over of what the firmware left. */
#include "gicv2.h"

#define GICD_CTLR       0x000
#define GICD_TYPER      0x004
#define GICD_IGROUPR    0x080
#define GICD_ISENABLER  0x100
#define GICD_ICENABLER  0x180
#define GICD_ICPENDR    0x280
#define GICD_ICACTIVER  0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR  0x800
#define GICD_ICFGR      0xc00

#define GICC_CTLR         0x000
#define GICC_PMR          0x004
#define GICC_HPPIR        0x018
#define GICC_CTLR_ENABLE  (1u << 0)
#define GICC_CTLR_EOIMODE (1u << 9)

#define GICH_VTR  0x004
#define GICH_VMCR 0x008
#define GICH_APR  0x0f0

#define VMCR_OPEN (31u << 27 | 1u) /* every priority, group 0 enabled */

#define GICV_IAR  0x00c
#define GICV_EOIR 0x010

#define PROPAGATION                                                                                \
	1000u /* reads of a register, far more than a wire's change takes to be seen               \
	       */

#define PRIORITY_ALL 0xa0a0a0a0u
/* Virtual binary points at their minimum for 5 priority bits, all else zero (5.3.4, 4.4.3). */
#define VMCR_RESET (2u << 21 | 3u << 18)

static void write_words(uint32_t offset, uint32_t words, uint32_t value)
{
	for (uint32_t i = 0; i < words; i++) {
		mmio_write(GICD_VA + offset + 4 * i, value);
	}
}

uint32_t gic_init_distributor(void)
{
	uint32_t words, self;

	mmio_write(GICD_VA + GICD_CTLR, 0);
	words = (mmio_read(GICD_VA + GICD_TYPER) & 0x1f) + 1;
	self = mmio_read(GICD_VA +
			 GICD_ITARGETSR); /* read-only: this core, or 0 if there is only one */
	write_words(GICD_ICENABLER + 4, words - 1, ~0u);
	write_words(GICD_ICPENDR + 4, words - 1, ~0u);
	write_words(GICD_ICACTIVER + 4, words - 1, ~0u);
	write_words(GICD_IPRIORITYR + 32, 8 * (words - 1), PRIORITY_ALL);
	write_words(GICD_ITARGETSR + 32, 8 * (words - 1), self);
	write_words(GICD_ICFGR + 8, 2 * (words - 1), 0);
	mmio_write(GICD_VA + GICD_CTLR, 1);
	return words * 32;
}

void gich_reset(void)
{
	unsigned int count = (mmio_read(GICH_VA + GICH_VTR) & 0x3f) + 1;

	gich_write_hcr(0);
	for (unsigned int i = 0; i < count; i++) {
		gich_write_lr(i, 0);
	}
	mmio_write(GICH_VA + GICH_APR, 0);
	mmio_write(GICH_VA + GICH_VMCR, VMCR_RESET);
}

unsigned int gic_init_cpu(uint32_t *cpu_mask)
{
	*cpu_mask = mmio_read(GICD_VA + GICD_ITARGETSR) & 0xff;
	if (*cpu_mask == 0) {
		*cpu_mask = 1;
	}
	mmio_write(GICD_VA + GICD_ICENABLER, ~0u);
	mmio_write(GICD_VA + GICD_ICPENDR, ~0u);
	mmio_write(GICD_VA + GICD_ICACTIVER, ~0u);
	write_words(GICD_IPRIORITYR, 8, PRIORITY_ALL);
	mmio_write(GICD_VA + GICD_ICFGR + 4, 0); /* private peripherals are level-sensitive */
	mmio_write(GICC_VA + GICC_PMR, 0xf0);
	mmio_write(GICC_VA + GICC_CTLR, GICC_CTLR_ENABLE | GICC_CTLR_EOIMODE);
	gich_reset();
	mmio_write(GICD_VA + GICD_ISENABLER, 1u << KICK_SGI);
	return (mmio_read(GICH_VA + GICH_VTR) & 0x3f) + 1;
}

static bool is_highest_pending(uint32_t intid)
{
	for (unsigned int i = 0; i < PROPAGATION; i++) {
		if ((mmio_read(GICC_VA + GICC_HPPIR) & IAR_INTID) == intid) {
			return true;
		}
	}
	return false;
}

bool gic_looks_again(uint32_t intid)
{
	bool again = true;

	gic_enable(0, 1u << intid, true);
	if (is_highest_pending(intid)) {
		gicc_eoi(gicc_acknowledge());
		mmio_write(GICH_VA + GICH_VMCR, VMCR_OPEN);
		gich_write_hcr(GICH_HCR_EN);
		gich_write_lr(0, LR_HW | LR_PENDING | intid << LR_PINTID_SHIFT | intid);
		dsb();
		mmio_write(GICV_VA + GICV_EOIR, mmio_read(GICV_VA + GICV_IAR));
		dsb();
		again = is_highest_pending(intid);
	}
	gic_enable(0, 1u << intid, false);
	gicc_deactivate(intid);
	gich_reset();
	return again;
}

void gic_enable_spi(uint32_t intid)
{
	mmio_write(GICD_VA + GICD_ISENABLER + intid / 32 * 4, 1u << intid % 32);
}

void gic_configure(uint32_t word, uint32_t mask, uint32_t edge)
{
	for (unsigned int half = 0; half < 2; half++) {
		const uintptr_t at = GICD_VA + GICD_ICFGR + 8 * word + 4 * half;
		uint32_t value = mmio_read(at);

		for (unsigned int i = 0; i < 16; i++) {
			const uint32_t bit = 1u << (16 * half + i), field = 2u << 2 * i;

			if ((mask & bit) != 0) {
				value = (edge & bit) != 0 ? value | field : value & ~field;
			}
		}
		mmio_write(at, value);
	}
}

void gic_target(uint32_t intid, uint32_t cores)
{
	*(volatile uint8_t *)(GICD_VA + GICD_ITARGETSR + intid) = (uint8_t)cores;
}
