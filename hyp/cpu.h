/* SPDX-License-Identifier: BSD-2-Clause */
/* One physical core, which runs one vCPU and never another. */
#ifndef HYP_CPU_H
#define HYP_CPU_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "arch.h"
#include "config.h"
#include "layout.h"

/* The guest's registers as vectors.S saves them. r13 and r14 of other modes stay banked in the
 * hardware. */
struct guest_regs {
	uint32_t pc;    /* ELR_hyp */
	uint32_t cpsr;  /* SPSR_hyp */
	uint32_t r[13]; /* HYP mode sees r8 to r12 of User mode even if the guest was in FIQ mode */
	uint32_t lr;    /* LR_usr: HYP mode has no LR of its own */
};

struct vgic_cpu;

/* Written by its own core only, except where a field says otherwise. */
struct cpu {
	unsigned int index;
	struct vgic_cpu *vgic; /* its part of the virtual GIC */
	uint32_t mpidr;        /* affinity bits */
	bool must_park; /* other cores set it under vcpu.c's lock: this one is to leave the guest */
};

static_assert(sizeof(void *) != 4 || (sizeof(struct cpu) == 1 << CPU_SHIFT &&
				      offsetof(struct cpu, mpidr) == CPU_MPIDR),
	      "head.S knows another struct cpu");

extern struct cpu cpus[CPUS_MAX];
extern unsigned int cpu_count;
extern unsigned int cpu_alike; /* of them, of the boot core's kind; these are in front */

static inline struct cpu *this_cpu(void)
{
	return (struct cpu *)read_HTPIDR();
}

#endif
