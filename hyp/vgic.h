/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's GICv2: the state of each interrupt, and the list registers that cache it. Pure but
 * for gicv2.h. */
#ifndef HYP_VGIC_H
#define HYP_VGIC_H

#include <stdbool.h>
#include <stdint.h>
#include "config.h"
#include "../drivers/lock.h"
#include "../drivers/mmio.h"

#define VGIC_WORDS_MAX                                                                             \
	32 /* the last is never there: 1020 to 1023 are no INTIDs (IHI 0048B 2.2.1) */
#define VGIC_LRS_MAX 16
#define INTID_VTIMER 27u
#define INTID_PTIMER 30u

/* 32 interrupts: bit n of each mask is INTID 32 * word + n. */
struct irq_bank {
	uint32_t word;
	uint32_t enabled;
	uint32_t latched; /* pending by an edge, ISPENDR, an SGI, or (hw) a physical interrupt */
	uint32_t level;   /* the wire, as the device drives it; private ones have none */
	uint32_t active;  /* only what no list register holds */
	uint32_t taken;   /* acknowledged, in no list register any more, its end still to come */
	uint32_t group1;
	uint32_t edge;    /* configuration: edge-triggered */
	uint32_t hw;      /* owned by the guest physically: list registers carry the HW bit, and the
			     physical interrupt is active while it is latched or active here */
	uint32_t in_lr;   /* a list register of some core is its own, and has its state, if only
			     "inactive" */
	uint32_t claimed; /* must stay out of list registers, see vgic_claim() */
	uint32_t claimers; /* cores that wait for that */
	union {
		uint8_t priority[32];
		uint32_t priority_word[8];
	};
	union {
		uint8_t target[32]; /* SPIs: mask of cores */
		uint32_t target_word[8];
	};
	uint8_t owner[32];   /* if in_lr or taken: the core */
	uint8_t list[32];    /* if in_lr: the list register */
	uint8_t running[32]; /* if taken: the group priority / 8 with which it was acknowledged */
};

struct vgic_cpu {
	uint32_t index;                        /* of the core */
	struct irq_bank *bank[VGIC_WORDS_MAX]; /* by word; NULL beyond the last INTID */
	uint32_t spi_words;     /* bit n: bank n + 1 may hold something for this core */
	uint32_t inbox_senders; /* atomic: mask of cores with something in inbox */
	uint32_t recheck;       /* not 0: something changed about an interrupt in one of our list
				   registers */
	uint32_t lr_used;       /* bit i: list register i has a record */
	uint32_t lr_eoi;        /* bit i: its LR_EOI is set */
	uint32_t hcr;           /* last value of GICH_HCR, without EOICount */
	uint32_t odd;   /* not 0: GICH_HCR has more than EN, or GICD_CTLR withholds what a list
			   register has */
	bool runs;      /* its vCPU: list registers may be used */
	uint32_t taken; /* 0: none of the taken interrupts is this core's */
	uint32_t lr[VGIC_LRS_MAX]; /* records of the list registers, see vgic_lr.c */
	uint32_t inbox[CPUS_MAX];  /* atomic: SGIs (bit = number) that each core sent */
	uint8_t sgi_source[16];    /* mask of cores from which the SGI is pending */
	struct irq_bank private;
} __attribute__((aligned(512))); /* a shift away from its index */

struct vgic {
	struct spinlock lock;        /* see vgic.c for what it guards */
	uint32_t ctlr;               /* GICD_CTLR */
	uint32_t forward0, forward1; /* all ones if group 0, 1 is forwarded */
	unsigned int words;          /* INTIDs / 32 */
	unsigned int cpu_count;
	unsigned int lr_count;
	struct vgic_cpu cpu[CPUS_MAX];
	struct irq_bank spi[VGIC_WORDS_MAX - 1];
	uint8_t gic_mask[CPUS_MAX]; /* each core's bit in the physical distributor, for kicks */
};

extern struct vgic vgic;

/* State after reset. @words: INTIDs / 32, up to 31; @lr_count: list registers. No core runs the
 * guest meanwhile. */
void vgic_reset(unsigned int words, unsigned int cores, unsigned int lr_count);

/* This core, @cpu, is about to run its vCPU from reset: the virtual interface as after reset, then
 * what is pending. */
void vgic_enter_cpu(unsigned int cpu);

/* This core stops running its vCPU: what its list registers hold is kept here, the guest's timers
 * are silent. */
void vgic_leave_cpu(unsigned int cpu);

/*
 * Brings this core's list registers up to date: takes in what other cores sent, frees what the
 * guest completed, fills with what is pending. At a kick, a maintenance interrupt, after a change.
 * @cpu: this core. Context: vgic.lock not held; taken only if SPIs are concerned.
 */
void vgic_refresh(unsigned int cpu);

/* A physical private interrupt that the guest owns fired on this core. @intid: 16 to 31. */
void vgic_forward(unsigned int cpu, uint32_t intid);

/*
 * The guest owns this SPI physically: its distributor's settings of it are the physical ones. After
 * each vgic_reset(), once vgic.gic_mask of the boot core is known; the physical side is reset too.
 */
void vgic_own_spi(uint32_t intid);

/*
 * A physical SPI fired on this core: acknowledged, its priority dropped. Returns false if the guest
 * does not own it. @cpu: this core, which may be parked. vgic.lock not held.
 */
bool vgic_forward_spi(unsigned int cpu, uint32_t intid);

/* The wire of an emulated device; see struct irq_line. From any core, vgic.lock not held. */
void vgic_set_line(uint32_t intid, bool level);

/*
 * @cpu is this core. vgic_pending(): some interrupt is pending, so that WFI would return at once.
 * vgic_holds_physical(): a physical interrupt of the guest, a timer's or an SPI, may be active.
 */
bool vgic_pending(unsigned int cpu);
bool vgic_holds_physical(unsigned int cpu);

/* The guest's distributor registers; no device (vgicd.c). */
extern const struct mmio_ops vgicd_ops;

/*
 * With EOImode 1 the guest may deactivate in any order. From the first time that its active
 * interrupts outnumber the list registers, stage 2 traps GICC_DIR for good, and vgic_dir_ops
 * answer (stage2.c).
 */
void vgic_trap_dir(void);

/* The guest's GICC_DIR page once stage 2 does not map it; no device. */
extern const struct mmio_ops vgic_dir_ops;

#endif
