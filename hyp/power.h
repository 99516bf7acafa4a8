/* SPDX-License-Identifier: BSD-2-Clause */
/* How the board starts its other cores and goes off: by its firmware's PSCI, or as its tree says.
 */
#ifndef HYP_POWER_H
#define HYP_POWER_H

#include <stdint.h>

/* Maps what the functions below need. Boot core, once, after stage1_activate(). */
void power_init(void);

/*
 * Makes the core with this affinity go to PA @entry; other cores that are held may go there, too.
 * Boot core, at start-up, the GIC taken over. Returns a PSCI value.
 */
int32_t power_start(uint32_t mpidr, uint32_t entry);

/* What is on its way to the console goes first. Both return only if the board can't. */
void power_off(void);
void power_reset(void);

/* A call of the board's firmware by SMC, arguments and answer in r0 to r3 (SMCCC, DEN0028 2.6). */
void smc_call(uint32_t r[4]);

#endif
