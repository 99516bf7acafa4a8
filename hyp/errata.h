/* SPDX-License-Identifier: BSD-2-Clause */
/* What bivy does at run time about the processor's errata; the README has those that are others' to
 * mend. */
#ifndef HYP_ERRATA_H
#define HYP_ERRATA_H

#include <stdint.h>

/* The guest's branches may mislead HYP mode's (CVE-2017-5715): what the exits do against it. */
#define ERRATA_BPIALL  1u
#define ERRATA_ICIALLU 2u /* forgets branches if ACTLR.IBE is set, which only Secure state can */
/* HSR.SRT of a Thumb store that stage 2 refuses may be wrong. */
#define ERRATA_766422 4u
/* The loop buffer may hold wrong instructions; ACTLR turns it off, in Secure state. */
#define ERRATA_773022 8u

/* Bits of the Cortex-A15's ACTLR (ARM DDI 0438I 4.3.28). */
#define ACTLR_IBE             (1u << 0)
#define ACTLR_LOOP_BUFFER_OFF (1u << 1)

/* The errata of a core. @midr: its Main ID Register (ARM DDI 0406C B4.1.105). */
uint32_t errata_of(uint32_t midr);

/*
 * ERRATA_BPIALL or ERRATA_ICIALLU: what the exits of this core have to do and can; 0: nothing.
 * @actlr: its ACTLR.
 */
uint32_t errata_at_exit(uint32_t midr, uint32_t actlr);

/* What SMCCC_ARCH_FEATURES says of SMCCC_ARCH_WORKAROUND_1 (DEN0028 7.4): 0: call it, 1: no need
 * to, -1: there is none. */
int32_t errata_workaround_1(uint32_t midr, uint32_t actlr);

#endif
