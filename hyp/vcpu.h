/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's processors: one on each core, running or parked. */
#ifndef HYP_VCPU_H
#define HYP_VCPU_H

#include <stdbool.h>
#include <stdint.h>
#include "cpu.h"

/* Hyp Configuration Register (ARM DDI 0406C B4.1.68). */
#define HCR_VM    (1u << 0)
#define HCR_SWIO  (1u << 1)
#define HCR_FMO   (1u << 3)
#define HCR_IMO   (1u << 4)
#define HCR_AMO   (1u << 5)
#define HCR_VA    (1u << 8)
#define HCR_FB    (1u << 9)
#define HCR_TSC   (1u << 19)
#define HCR_TIDCP (1u << 20)
#define HCR_TAC   (1u << 21)

/* What vcpu_on() and vcpu_state() answer: PSCI's own values (DEN0022D 5.2.2, 5.1.8). */
#define PSCI_SUCCESS            0
#define PSCI_NOT_SUPPORTED      (-1)
#define PSCI_INVALID_PARAMETERS (-2)
#define PSCI_DENIED             (-3)
#define PSCI_ALREADY_ON         (-4)
#define PSCI_ON_PENDING         (-5)
#define PSCI_INVALID_ADDRESS    (-9)

#define AFFINITY_ON         0
#define AFFINITY_OFF        1
#define AFFINITY_ON_PENDING 2

/* HYP mode's controls of this core: what the guest may do itself and what traps. Once a core. */
void vcpu_init_cpu(void);

/* The vCPU with this affinity, or -1. Guests' vCPUs have the MPIDR of their core. */
int vcpu_find(uint32_t mpidr);

/*
 * Starts a vCPU at @entry (IPA, bit 0: Thumb) with r0 = @context, as PSCI's CPU_ON. From any core.
 * Returns a PSCI value.
 */
int32_t vcpu_on(unsigned int index, uint32_t entry, uint32_t context);

/* AFFINITY_ON and so on. */
int32_t vcpu_state(unsigned int index);

/*
 * Leaves the guest on this core and waits, in HYP mode, for vcpu_on(); then enters it. A core
 * starts its life here. The stack above is dropped.
 */
_Noreturn void vcpu_park(void);

/* The boot core enters the loaded guest for the first time. */
_Noreturn void vcpu_boot(void);

/* Asks all cores to park, and the boot core, once they have, to start the guest anew from the
 * bundle. */
void vcpu_restart_all(void);

/* Set by a core once it is ready in HYP mode, for the boot core, which waits for it. */
void vcpu_set_online(unsigned int index);
bool vcpu_is_online(unsigned int index);

#endif
