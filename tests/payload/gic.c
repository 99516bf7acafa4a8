/* SPDX-License-Identifier: BSD-2-Clause */
/* The GICv2 as a guest sees it: set-up, and the handler that logs. */
#include "gic.h"

struct gic_log gic_logs[CORES_MAX];

void interrupt(uint32_t fiq)
{
	struct gic_log *log = gic_log();
	const uint32_t iar = read32(GICC_IAR);

	if ((iar & 0x3ff) >= 1020) {
		log->spurious++;
		return;
	}
	if (log->count < LOG_MAX) {
		log->taken[log->count] = (struct taken){iar, read32(GICC_RPR), fiq};
	}
	log->count++;
	if (log->hook != NULL) {
		log->hook(iar);
	} else {
		write32(GICC_EOIR, iar);
	}
}

void gic_forget(void)
{
	struct gic_log *log = gic_log();

	log->count = 0;
	log->spurious = 0;
	log->hook = NULL;
}

void gic_cpu_on(void)
{
	irq_disable();
	write32(GICC_PMR, 0xf8);
	write32(GICC_BPR, 0);
	write32(GICC_CTLR, GICC_CTLR_GRP0);
	gic_forget();
}

void gic_reset(void)
{
	const uint32_t mask = ((1u << SPI_COUNT) - 1) << SPI_FIRST % 32;
	const uint32_t word = SPI_FIRST / 32 * 4;

	write32(GICD_ICENABLER + word, mask);
	write32(GICD_ICPENDR + word, mask);
	write32(GICD_ICACTIVER + word, mask);
	write32(GICD_IGROUPR + word, 0);
	write32(GICD_ICFGR + SPI_FIRST / 4, 0xaaaaaaaa);
	for (uint32_t i = 0; i < SPI_COUNT; i++) {
		write8(GICD_IPRIORITYR + SPI_FIRST + i, 0xa0);
		write8(GICD_ITARGETSR + SPI_FIRST + i, 1);
	}
	for (uint32_t sgi = 0; sgi < 16; sgi++) {
		write8(GICD_IPRIORITYR + sgi, 0xa0);
		write8(GICD_CPENDSGIR + sgi, 0xff);
	}
	write32(GICD_CTLR, 1);
	gic_cpu_on();
}

void gic_enable(uint32_t intid, uint32_t priority)
{
	write8(GICD_IPRIORITYR + intid, priority);
	gic_set(GICD_ISENABLER, intid);
}

void gic_take(void)
{
	irq_enable();
	asm volatile("isb");
	delay(300);
	irq_disable();
}

bool gic_wait(unsigned int core, uint32_t count)
{
	return wait_for(&gic_logs[core].count, count, LIVENESS);
}
