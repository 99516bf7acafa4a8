/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hardware under hyp/vgic.c, for the host: list registers, the guest's CPU interface (GICV),
 * maintenance interrupts, kicks and the physical side of the private interrupts that the guest owns
 * (IHI 0048B 4.4, 5.3). Priorities have 5 bits, as those of QEMU and of most parts.
 */
#ifndef TESTS_VGIC_HW_H
#define TESTS_VGIC_HW_H

#include "vgic_lock.h"
#include <stdbool.h>
#include <stdint.h>
#include "hyp/vgic.h"
#include "drivers/hw/gicv2.h"

#define HW_SPURIOUS 1023u
#define HW_GROUP1   1022u /* the highest pending one is for GICV_AIAR (4.4.4) */

/* The guest's distributor (4.1.2). */
#define CTLR      0x000u
#define ISENABLER 0x100u
#define ICENABLER 0x180u
#define ISPENDR   0x200u
#define ICPENDR   0x280u
#define ISACTIVER 0x300u
#define ICACTIVER 0x380u
#define IGROUPR   0x080u
#define PRIORITYR 0x400u
#define TARGETSR  0x800u
#define ICFGR     0xc00u
#define SGIR      0xf00u
#define CPENDSGIR 0xf10u
#define SPENDSGIR 0xf20u

#define GICV_GRP0   (1u << 0)
#define GICV_GRP1   (1u << 1)
#define GICV_ACKCTL (1u << 2)

struct hw_core {
	uint32_t lr[VGIC_LRS_MAX];
	uint32_t hcr, apr, ctlr, pmr, bpr, abpr;
	uint32_t ppi_wire, ppi_latched, ppi_enabled, ppi_active; /* physical; bit = INTID */
	bool kicked;
};

/* An SPI that the guest owns physically, in the board's distributor. */
struct hw_spi {
	bool owned, wire, pending, enabled, edge;
	uint8_t active, cores; /* masks: by core's index; by bits of GICD_ITARGETSR */
};

#define HW_INTIDS 160u

struct hw {
	struct hw_core core[CPUS_MAX];
	struct hw_spi spi[HW_INTIDS];   /* by INTID */
	uint32_t owned[HW_INTIDS / 32]; /* those of them; bit n of word w: INTID 32 * w + n */
	bool active_by_core; /* as QEMU has it: an SPI that is active on one core can fire on
				another */
	unsigned int cores, lrs, self;
	bool dir_trapped; /* vgic_trap_dir() was called */
	bool exact;       /* they take kicks alone, and only while one waits in vgic_claim() */
	bool nested;      /* other cores run while one waits for the lock */
	unsigned int waits;
	uint32_t timing;      /* decides about the order of what other cores do */
	uint32_t rounds;      /* interrupts that hw_drain() delivered */
	void (*window)(void); /* NULL, or what guests on other cores do when an access first frees
				 the lock */
	void (*fired)(unsigned int cpu,
		      uint32_t intid);    /* NULL, or told of each physical interrupt */
	void (*returned)(uint32_t intid); /* NULL, or told of each SPI that bivy makes pending */
};

extern struct hw hw;

/* Something that must not happen; the program that tests brings it. */
_Noreturn void hw_fail(const char *message);

/* Everything as after reset, all @cores run their guest, with its GICV at its reset state. */
void hw_reset(unsigned int words, unsigned int cores, unsigned int lrs);

/* The guest gets this SPI physically. */
void hw_own(uint32_t intid);

/* The guest's CPU interface: groups enabled, priority mask open. */
void hw_open(unsigned int cpu, uint32_t ctlr);

/* What GICV_IAR (@alias: GICV_AIAR) would return, and the read itself. */
uint32_t hw_peek(unsigned int cpu, bool alias);
uint32_t hw_acknowledge(unsigned int cpu, bool alias);

/* GICV_EOIR and GICV_DIR with what the acknowledge returned. */
void hw_eoi(unsigned int cpu, uint32_t iar);
void hw_dir(unsigned int cpu, uint32_t iar);

/* Group priority of @priority: what of it counts against the running one. */
uint32_t hw_group_priority(const struct hw_core *core, uint32_t priority, bool group1);

/* One access of the guest on @cpu to its distributor. */
uint32_t hw_read(unsigned int cpu, uint32_t offset, unsigned int size);
void hw_write(unsigned int cpu, uint32_t offset, unsigned int size, uint32_t value);

/* A device's wire, driven from @cpu, or by the device itself if the guest owns it physically; the
 * timer wire of @cpu itself. */
void hw_wire(unsigned int cpu, uint32_t intid, bool level);
void hw_timer(unsigned int cpu, uint32_t intid, bool level);

/* The vCPU stops, or starts from reset. */
void hw_leave(unsigned int cpu);
void hw_enter(unsigned int cpu);

/* True if no physical interrupt waits for @cpu. */
bool hw_is_quiet(unsigned int cpu);

/* Delivers one physical interrupt to @cpu, if any waits; all of all cores until none is left. */
void hw_interrupt(unsigned int cpu);
void hw_drain(void);

/* A maintenance interrupt waits for @cpu; it is taken, before the core's next instruction. */
bool hw_maintenance(unsigned int cpu);
void hw_maintain(unsigned int cpu);

/* No list register is what the architecture forbids, or what bivy must not put there. */
void hw_check(void);

#endif
