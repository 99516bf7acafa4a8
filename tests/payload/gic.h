/* SPDX-License-Identifier: BSD-2-Clause */
/* The GICv2 as a guest sees it, and a log of the interrupts that each core took. */
#ifndef PAYLOAD_GIC_H
#define PAYLOAD_GIC_H

#include "payload.h"

#define GICD_CTLR       0x08000000u
#define GICD_TYPER      0x08000004u
#define GICD_IIDR       0x08000008u
#define GICD_IGROUPR    0x08000080u
#define GICD_ISENABLER  0x08000100u
#define GICD_ICENABLER  0x08000180u
#define GICD_ISPENDR    0x08000200u
#define GICD_ICPENDR    0x08000280u
#define GICD_ISACTIVER  0x08000300u
#define GICD_ICACTIVER  0x08000380u
#define GICD_IPRIORITYR 0x08000400u
#define GICD_ITARGETSR  0x08000800u
#define GICD_ICFGR      0x08000c00u
#define GICD_SGIR       0x08000f00u
#define GICD_CPENDSGIR  0x08000f10u
#define GICD_SPENDSGIR  0x08000f20u

#define GICC_CTLR  0x08010000u
#define GICC_PMR   0x08010004u
#define GICC_BPR   0x08010008u
#define GICC_IAR   0x0801000cu
#define GICC_EOIR  0x08010010u
#define GICC_RPR   0x08010014u
#define GICC_HPPIR 0x08010018u
#define GICC_ABPR  0x0801001cu
#define GICC_AIAR  0x08010020u
#define GICC_AEOIR 0x08010024u
#define GICC_DIR   0x08011000u

#define GICC_CTLR_GRP0    (1u << 0)
#define GICC_CTLR_GRP1    (1u << 1)
#define GICC_CTLR_FIQ     (1u << 3)
#define GICC_CTLR_EOIMODE (1u << 9)

#define SGIR_LIST(cores) ((uint32_t)(cores) << 16)
#define SGIR_OTHERS      (1u << 24)
#define SGIR_SELF        (2u << 24)

#define INTID_UART   33u
#define INTID_VTIMER 27u
#define INTID_PTIMER 30u
#define SPI_FIRST    80u /* 16 SPIs that belong to no device, here and on QEMU's virt */
#define SPI_COUNT    16u

#define LOG_MAX 64

struct taken {
	uint32_t iar, rpr, fiq;
};

/* One core's interrupts since gic_forget(). */
struct gic_log {
	volatile uint32_t count, spurious;
	struct taken taken[LOG_MAX];
	void (*hook)(uint32_t iar); /* ends the interrupt; NULL: EOIR at once */
};

extern struct gic_log gic_logs[CORES_MAX];

static inline struct gic_log *gic_log(void)
{
	return &gic_logs[this_core()->index];
}

static inline void write8(uint32_t address, uint32_t value)
{
	*(volatile uint8_t *)address = (uint8_t)value;
}

static inline uint32_t read8(uint32_t address)
{
	return *(volatile uint8_t *)address;
}

/* A bit of one of the registers that have one for each interrupt. */
static inline void gic_set(uint32_t base, uint32_t intid)
{
	write32(base + intid / 32 * 4, 1u << intid % 32);
}

static inline bool gic_test(uint32_t base, uint32_t intid)
{
	return (read32(base + intid / 32 * 4) >> intid % 32 & 1) != 0;
}

/* This core's interface on, all priorities, EOImode 0; its log empty. */
void gic_cpu_on(void);
/* Distributor on; the SPIs of the tests edge-triggered, to core 0, priority 0xa0, not enabled. */
void gic_reset(void);
void gic_forget(void);
void gic_enable(uint32_t intid, uint32_t priority);
/* Lets this core take what is pending. */
void gic_take(void);
/* Waits until @core has taken @count interrupts. */
bool gic_wait(unsigned int core, uint32_t count);

#endif
