/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's GICv2: distributor, CPU interface and virtual interface control (IHI
 * 0048B 4.3, 4.4, 5.3). */
#ifndef DRIVERS_HW_GICV2_H
#define DRIVERS_HW_GICV2_H

#include <stdbool.h>
#include <stdint.h>

/* Where stage 1 puts the registers, so that an access is an immediate address. */
#define GICD_VA 0x00400000u
#define GICC_VA 0x00401000u
#define GICH_VA 0x00403000u
#define GICV_VA 0x00405000u

#define INTID_SPI      32u
#define INTID_SPURIOUS 1020u /* and above */
#define IAR_INTID      0x3ffu
#define KICK_SGI       0u
#define GIC_OTHERS                                                                                 \
	0x100u /* of gic_kick(): all cores but this (GICD_SGIR.TargetListFilter, 4.3.15) */

#define GICH_HCR_EN         (1u << 0)
#define GICH_HCR_LRENPIE    (1u << 2)
#define GICH_HCR_NPIE       (1u << 3)
#define GICH_HCR_EOICOUNT   0xf8000000u
#define GICH_HCR_EOICOUNT_1 0x08000000u

#define VMCR_CBPR    (1u << 4)
#define VMCR_EOIMODE (1u << 9)
#define VMCR_ABP     (7u << 18)
#define VMCR_BP      (7u << 21)

#define LR_INTID        0x000003ffu
#define LR_CPUID        0x00001c00u
#define LR_CPUID_SHIFT  10
#define LR_EOI          (1u << 19)
#define LR_PINTID_SHIFT 10
#define LR_PRIORITY     0x0f800000u
#define LR_PENDING      (1u << 28)
#define LR_ACTIVE       (1u << 29)
#define LR_GROUP1       (1u << 30)
#define LR_HW           (1u << 31)

#if defined(__arm__)
#include "../../hyp/arch.h"

/* Acknowledges the highest pending interrupt of this core: the value for gicc_eoi() (4.4.4). */
static inline uint32_t gicc_acknowledge(void)
{
	return mmio_read(GICC_VA + 0x00c);
}

/* Drops its priority; it stays active until gicc_deactivate(), or the guest's EOI if a HW list
 * register has it. */
static inline void gicc_eoi(uint32_t iar)
{
	mmio_write(GICC_VA + 0x010, iar);
}

static inline void gicc_deactivate(uint32_t iar)
{
	mmio_write(GICC_VA + 0x1000, iar);
}

/* Sends the kick SGI to the cores in @targets, after all stores before are visible to them
 * (A3.8.3). */
static inline void gic_kick(uint32_t targets)
{
	dsb();
	mmio_write(GICD_VA + 0xf00, targets << 16 | KICK_SGI);
}

static inline void gich_write_lr(unsigned int i, uint32_t value)
{
	mmio_write(GICH_VA + 0x100 + 4 * i, value);
}

/* Nothing of it may be acknowledged any more once the guest goes on: complete before that (A3.8.3).
 */
static inline void gich_clear_lr(unsigned int i)
{
	gich_write_lr(i, 0);
	dsb();
}

static inline uint32_t gich_read_lr(unsigned int i)
{
	return mmio_read(GICH_VA + 0x100 + 4 * i);
}

/* Bit i: list register i holds no interrupt, and no end of one that is to be told (5.3.7). */
static inline uint32_t gich_empty(void)
{
	return mmio_read(GICH_VA + 0x030);
}

/* Bit i: the guest ended the interrupt in list register i, which asked for that by LR_EOI (5.3.6).
 */
static inline uint32_t gich_ended(void)
{
	return mmio_read(GICH_VA + 0x020);
}

static inline void gich_write_hcr(uint32_t value)
{
	mmio_write(GICH_VA + 0x000, value);
}

static inline uint32_t gich_read_hcr(void)
{
	return mmio_read(GICH_VA + 0x000);
}

static inline uint32_t gich_read_vmcr(void)
{
	return mmio_read(GICH_VA + 0x008);
}

/* Active Priorities Register (5.3.9): bit n is set while the guest runs an interrupt of group
 * priority 8 * n. */
static inline uint32_t gich_read_apr(void)
{
	return mmio_read(GICH_VA + 0x0f0);
}

/*
 * The distributor's registers with one bit an interrupt (4.3.5 to 4.3.9): the interrupts in @mask
 * of 32 * @word to 32 * @word + 31. Word 0 is this core's own private ones. gic_pend() makes them
 * pending by software, or takes that back.
 */
static inline void gic_enable(uint32_t word, uint32_t mask, bool enable)
{
	mmio_write(GICD_VA + (enable ? 0x100 : 0x180) + 4 * word, mask);
}

static inline void gic_pend(uint32_t word, uint32_t mask, bool pending)
{
	mmio_write(GICD_VA + (pending ? 0x200 : 0x280) + 4 * word, mask);
}

static inline uint32_t gic_pending(uint32_t word)
{
	return mmio_read(GICD_VA + 0x200 + 4 * word);
}

static inline void gic_deactivate(uint32_t word, uint32_t mask)
{
	mmio_write(GICD_VA + 0x380 + 4 * word, mask);
}

#else /* tests on the host bring their own */
void gicc_deactivate(uint32_t iar);
void gic_kick(uint32_t targets);
void gich_write_lr(unsigned int i, uint32_t value);
void gich_clear_lr(unsigned int i);
uint32_t gich_read_lr(unsigned int i);
uint32_t gich_empty(void);
uint32_t gich_ended(void);
void gich_write_hcr(uint32_t value);
uint32_t gich_read_hcr(void);
uint32_t gich_read_vmcr(void);
uint32_t gich_read_apr(void);
void gic_enable(uint32_t word, uint32_t mask, bool enable);
void gic_pend(uint32_t word, uint32_t mask, bool pending);
uint32_t gic_pending(uint32_t word);
void gic_deactivate(uint32_t word, uint32_t mask);
#endif

/*
 * Takes over the distributor: every SPI disabled, inactive, not pending, to the boot core, level.
 * Returns the number of INTIDs, a multiple of 32 up to 1,024 (4.3.2). Once, on the boot core.
 */
uint32_t gic_init_distributor(void);

/*
 * Takes over this core's part: private interrupts, CPU interface with EOImode 1, virtual interface
 * with empty list registers. Returns the number of list registers, 1 to 64 (5.3.2).
 * @cpu_mask gets this core's bit in GICD_ITARGETSR.
 */
unsigned int gic_init_cpu(uint32_t *cpu_mask);

/* The virtual interface as after reset (5.3): nothing active, priority mask 0, interface disabled.
 */
void gich_reset(void);

/*
 * True if a private interrupt whose wire is still high fires again once a HW list register's end
 * has deactivated it (4.3.2, 5.2.2), as it must. QEMU's GIC (seen in 7.2) looks only at its next
 * event, whichever that is; until then a guest's timer that expired again before its end is lost.
 * Tried out with @intid, whose wire is high, on this core, which runs no guest yet. Leaves it
 * disabled, and the virtual interface as after reset.
 */
bool gic_looks_again(uint32_t intid);

/* The SPIs in @mask of @word are triggered as the bits of @edge say: 1: by an edge (4.3.13). */
void gic_configure(uint32_t word, uint32_t mask, uint32_t edge);

/* An SPI goes to the cores in @cores, bits as in GICD_ITARGETSR (4.3.12); to none. */
void gic_target(uint32_t intid, uint32_t cores);

/* Lets an SPI of a physical device through to the boot core. @intid: 32 to 1019. */
void gic_enable_spi(uint32_t intid);

#endif
