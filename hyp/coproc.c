/* SPDX-License-Identifier: BSD-2-Clause */
/* System registers that trap (HCR.TAC, TIDCP, HSTR.T15, HDCR): real, harmless, or UNDEFINED. The
 * core's own. */
#include "inject.h"
#include "trap.h"

/* ISS of MCR and MRC traps (ARM DDI 0406C B3.13.6). */
#define ISS_OPC2 0x000e0000u
#define ISS_OPC1 0x0001c000u
#define ISS_CRN  0x00003c00u
#define ISS_RT   0x000001e0u
#define ISS_CRM  0x0000001eu
#define ISS_READ (1u << 0)

#define ISS_KEY(crn, opc1, crm, opc2) ((opc2) << 17 | (opc1) << 14 | (crn) << 10 | (crm) << 1)
#define ISS_REGISTER                  (ISS_OPC2 | ISS_OPC1 | ISS_CRN | ISS_CRM)

/* An MRC to R15 is one to the flags (ARM DDI 0406C A8.8.108). */
static void answer(struct guest_regs *regs, uint32_t hsr, uint32_t value)
{
	const uint32_t rt = FIELD_GET(ISS_RT, hsr);

	if ((hsr & ISS_READ) != 0 && rt == 15) {
		regs->cpsr = (regs->cpsr & ~PSR_NZCV) | (value & PSR_NZCV);
	} else if ((hsr & ISS_READ) != 0) {
		set_guest_register(regs, rt, value);
	}
	skip_instruction(regs, (hsr & HSR_IL) != 0 ? 4 : 2);
}

/*
 * ACTLR and L2CTLR read as they are, all else in the implementation-defined space reads as zero;
 * writes there are ignored (what they would change is every core's and bivy's, too).
 */
void trap_cp15(struct guest_regs *regs, uint32_t hsr)
{
	const uint32_t crn = FIELD_GET(ISS_CRN, hsr);

	if (condition_fails(regs, hsr)) {
		return;
	}
	if ((hsr & ISS_REGISTER) == ISS_KEY(1, 0, 0, 1)) {
		answer(regs, hsr, read_ACTLR());
	} else if ((hsr & ISS_REGISTER) == ISS_KEY(9, 1, 0, 2)) {
		answer(regs, hsr, read_L2CTLR());
	} else if (crn == 9 || crn == 10 || crn == 11 || crn == 15) {
		answer(regs, hsr, 0);
	} else {
		inject_undefined(regs);
	}
}

/* Only c15 traps here (HSTR.T15): implementation defined. */
void trap_cp15_64(struct guest_regs *regs, uint32_t hsr)
{
	if (condition_fails(regs, hsr)) {
		return;
	}
	if (FIELD_GET(ISS_CRM, hsr) != 15) {
		inject_undefined(regs);
		return;
	}
	trap_cp14_64(regs, hsr);
}

/* Debug registers (HDCR.TDRA, TDOSA, TDA): no breakpoints, no channel, as DBGDIDR = 0 says; trace
 * is absent. */
void trap_cp14(struct guest_regs *regs, uint32_t hsr)
{
	if (condition_fails(regs, hsr)) {
		return;
	}
	if (FIELD_GET(ISS_OPC1, hsr) != 0) {
		inject_undefined(regs);
		return;
	}
	answer(regs, hsr, 0);
}

void trap_cp14_64(struct guest_regs *regs, uint32_t hsr)
{
	if (condition_fails(regs, hsr)) {
		return;
	}
	if ((hsr & ISS_READ) != 0) {
		set_guest_register(regs, hsr >> 5 & 0xf, 0);
		set_guest_register(regs, hsr >> 10 & 0xf, 0);
	}
	skip_instruction(regs, (hsr & HSR_IL) != 0 ? 4 : 2);
}
