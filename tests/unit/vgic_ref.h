/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A GICv2 without list registers, as a reference: each interrupt is a state machine (IHI
 * 0048B 3.2.4), each CPU interface a stack of running priorities. Where the manual leaves a choice
 * it makes bivy's:
 *  - an SPI for several cores is the lowest one's (the 1-of-N model lets any of them take it);
 *  - an SGI that is active is not signalled again for another source before it is deactivated;
 *  - a physical interrupt that reached the core stays pending when its wire falls, as by an edge,
 *    and a second edge before the first is acknowledged counts then;
 *  - an end that only GICH_HCR counts (5.3.1) is known at the core's maintenance interrupt, which
 * comes before its next instruction. Until then the guest can't have told another core of it, so
 * that core's write of GICD_ISACTIVER may come before the end as well as after it.
 */
#ifndef TESTS_VGIC_REF_H
#define TESTS_VGIC_REF_H

#include <stdbool.h>
#include <stdint.h>

#define REF_CORES 8u
#define REF_IRQS  1024u

struct ref_irq {
	bool enabled, group1, edge, level, latched, active, hw;
	bool physical; /* SPI with hw: pending in the board's distributor, by a latch */
	bool fresh;    /* SPI with hw: fired since settled */
	bool twice;    /* fired while latched: not yet seen where that goes */
	uint8_t priority, target, sources, owner;
	bool again;            /* came again while pending, and its core may not yet know */
	uint8_t again_sources; /* the same for each source of an SGI */
	bool raced;            /* and was then acknowledged: one more may come, or not */
	uint8_t raced_sources;
	bool stale_end;        /* its end came from a core that it is not active on any more */
	uint8_t maybe_sources; /* pending at some moment since settled */
	bool maybe[REF_CORES]; /* deliverable to that core at some moment since it settled */
};

struct ref_core {
	struct ref_irq private[32];
	uint32_t ctlr, pmr, bpr, abpr, apr, wire;
	uint32_t uncounted; /* INTID that it ended with no list register and before bivy knows; 0:
			       none */
	bool on;
};

struct ref {
	unsigned int words, cores;
	uint32_t ctlr;
	struct ref_core core[REF_CORES];
	struct ref_irq spi[REF_IRQS];
};

extern struct ref ref;

void ref_reset(unsigned int words, unsigned int cores);
struct ref_irq *ref_irq(unsigned int cpu, uint32_t intid);
bool ref_is_pending(unsigned int cpu, uint32_t intid);

/* The guest's access to the distributor. */
uint32_t ref_read(unsigned int cpu, uint32_t offset, unsigned int size);
void ref_write(unsigned int cpu, uint32_t offset, unsigned int size, uint32_t value);

void ref_wire(uint32_t intid, bool level);
void ref_fired(unsigned int cpu, uint32_t intid);

/* The guest gets this SPI physically; what had fired is pending in the board's distributor again.
 */
void ref_own(uint32_t intid);
void ref_returned(uint32_t intid);

/* True if a GIC in this state may return @iar for a read of GICC_IAR (@alias: GICC_AIAR). */
bool ref_may_return(unsigned int cpu, bool alias, uint32_t iar);

/* One such answer, the one of the lowest INTID and source. */
uint32_t ref_expected(unsigned int cpu, bool alias);

/* True if a core may get @iar that may not yet know of what changed since ref_settled(). */
bool ref_might_return(unsigned int cpu, uint32_t iar);
void ref_settled(void);

/* @sources (of an SGI) or else the interrupt is pending in bivy: then here too, if a race allows
 * both. */
void ref_take_raced(unsigned int cpu, uint32_t intid, uint8_t sources);

/* It is not active in bivy: then not here either, if it was ended as stale. */
void ref_take_stale(unsigned int cpu, uint32_t intid);

/* @iar was returned; was ended; was deactivated. */
void ref_acknowledge(unsigned int cpu, uint32_t iar);
void ref_priority_drop(unsigned int cpu);
void ref_deactivate(unsigned int cpu, uint32_t iar);

void ref_leave(unsigned int cpu);
void ref_enter(unsigned int cpu);

#endif
