/* SPDX-License-Identifier: BSD-2-Clause */
/* System instructions that bivy traps: their results, conditions, and UNDEFINED as the architecture
 * has it. */
#include "payload.h"

#define THUMB_LR 2u
#define ARM_LR   4u

/* What an UNDEFINED instruction at @at must leave behind (ARM DDI 0406C B1.9.2). */
static bool undefined_at(const struct context *c, const char *at, uint32_t cpsr)
{
	const uint32_t lr = (uint32_t)at + ((cpsr & PSR_T) != 0 ? THUMB_LR : ARM_LR);

	return c->kind == KIND_UNDEFINED && c->pc == lr && c->cpsr == cpsr &&
	       (c->taken_cpsr & (PSR_T | PSR_I | 0x1fu)) == (PSR_I | PSR_UND);
}

/* The instruction at the start of @code is UNDEFINED in @mode, Arm or Thumb. */
static void is_undefined(const char *name, const char *code, uint32_t cpsr)
{
	struct context *c = prepare(code, cpsr);

	execute();
	result(name, undefined_at(c, code, cpsr),
	       "kind %u, LR 0x%x for code at 0x%x, SPSR 0x%x, CPSR 0x%x", c->kind, c->pc, code,
	       c->cpsr, c->taken_cpsr);
}

/* The code runs to its end; r0 afterwards. */
static uint32_t runs(const char *name, const char *code, const char *end, uint32_t cpsr)
{
	struct context *c = prepare(code, cpsr);

	execute();
	result(name, reached(c, end), "kind %u, LR 0x%x for code at 0x%x", c->kind, c->pc, code);
	return c->r[0];
}

/* It may be there or UNDEFINED (implementation defined); the guest goes on properly. */
static void runs_or_undefined(const char *name, const char *code, const char *end, uint32_t cpsr)
{
	struct context *c = prepare(code, cpsr);

	execute();
	result(name, reached(c, end) || undefined_at(c, code, cpsr),
	       "kind %u, LR 0x%x for code at 0x%x", c->kind, c->pc, code);
}

#define SVC_ARM   (PSR_SVC | PSR_AIF)
#define SVC_THUMB (PSR_SVC | PSR_AIF | PSR_T)

ARM_CODE(actlr_read, "mrc p15, 0, r0, c1, c0, 1");
ARM_CODE(actlr_write, "mcr p15, 0, r0, c1, c0, 1");
ARM_CODE(actlr_flags, "mrc p15, 0, APSR_nzcv, c1, c0, 1");
ARM_CODE(l2ctlr_read, "mrc p15, 1, r0, c9, c0, 2");
ARM_CODE(l2ctlr_write, "mcr p15, 1, r0, c9, c0, 2");
ARM_CODE(dcisw, "mov r0, #0\nmcr p15, 0, r0, c7, c6, 2");
ARM_CODE(dccsw, "mov r0, #0\nmcr p15, 0, r0, c7, c10, 2");
ARM_CODE(dccisw, "mov r0, #0\nmcr p15, 0, r0, c7, c14, 2");
ARM_CODE(pmcr_read, "mrc p15, 0, r0, c9, c12, 0");
ARM_CODE(pmccntr_read, "mrc p15, 0, r0, c9, c13, 0");
ARM_CODE(pmcr_write, "mov r0, #6\nmcr p15, 0, r0, c9, c12, 0");
ARM_CODE(tcmtr_read, "mrc p15, 0, r0, c0, c0, 2");
ARM_CODE(aidr_read, "mrc p15, 1, r0, c0, c0, 7");
ARM_CODE(id_isar_read, "mrc p15, 0, r0, c0, c2, 4");
ARM_CODE(c9_read, "mrc p15, 0, r0, c9, c1, 0");
ARM_CODE(c9_write, "mcr p15, 0, r0, c9, c1, 0");
ARM_CODE(c10_read, "mrc p15, 0, r0, c10, c0, 0");
ARM_CODE(c11_read, "mrc p15, 0, r0, c11, c0, 0");
ARM_CODE(c15_read, "mrc p15, 0, r0, c15, c1, 0");
ARM_CODE(c15_write, "mcr p15, 0, r0, c15, c1, 0");
ARM_CODE(c15_read_64, "mrrc p15, 0, r0, r1, c15");
ARM_CODE(cbar_read, "mrc p15, 4, r0, c15, c0, 0");
THUMB_CODE(actlr_read_thumb, "mrc p15, 0, r0, c1, c0, 1");
THUMB_CODE(c15_read_thumb, "mrc p15, 0, r0, c15, c1, 0");

static void implementation_defined(void)
{
	uint32_t value = runs("ACTLR read", actlr_read, actlr_read_end, SVC_ARM);

	runs("ACTLR write", actlr_write, actlr_write_end, SVC_ARM);
	equal("ACTLR is the same after a write",
	      runs("ACTLR read again", actlr_read, actlr_read_end, SVC_ARM), value);
	equal("ACTLR read in Thumb state",
	      runs("ACTLR read, Thumb", actlr_read_thumb, actlr_read_thumb_end, SVC_THUMB), value);
	runs("ACTLR read to the flags", actlr_flags, actlr_flags_end,
	     PSR_SYS | PSR_AIF | 0xf0000000u);
	equal("they are its upper bits", this_core()->context.cpsr >> 28, value >> 28);
	value = runs("L2CTLR read", l2ctlr_read, l2ctlr_read_end, SVC_ARM);
	result("L2CTLR has the number of cores",
	       (value >> 24 & 3) + 1 >= (core_count < 4 ? core_count : 4), "0x%x", value);
	runs("L2CTLR write", l2ctlr_write, l2ctlr_write_end, SVC_ARM);
	runs("DCISW", dcisw, dcisw_end, SVC_ARM);
	runs("DCCSW", dccsw, dccsw_end, SVC_ARM);
	runs("DCCISW", dccisw, dccisw_end, SVC_ARM);
	runs("PMCR read", pmcr_read, pmcr_read_end, SVC_ARM);
	runs("PMCR write", pmcr_write, pmcr_write_end, SVC_ARM);
	runs("PMCCNTR read", pmccntr_read, pmccntr_read_end, SVC_ARM);
	runs("TCMTR read", tcmtr_read, tcmtr_read_end, SVC_ARM);
	runs("AIDR read", aidr_read, aidr_read_end, SVC_ARM);
	runs("ID_ISAR4 read", id_isar_read, id_isar_read_end, SVC_ARM);
	runs_or_undefined("c9 read", c9_read, c9_read_end, SVC_ARM);
	runs_or_undefined("c9 write", c9_write, c9_write_end, SVC_ARM);
	runs_or_undefined("c10 read", c10_read, c10_read_end, SVC_ARM);
	runs_or_undefined("c11 read", c11_read, c11_read_end, SVC_ARM);
	runs_or_undefined("c15 read", c15_read, c15_read_end, SVC_ARM);
	runs_or_undefined("c15 write", c15_write, c15_write_end, SVC_ARM);
	runs_or_undefined("c15 read, Thumb", c15_read_thumb, c15_read_thumb_end, SVC_THUMB);
	runs_or_undefined("c15 read of 64 bits", c15_read_64, c15_read_64_end, SVC_ARM);
	runs_or_undefined("CBAR read", cbar_read, cbar_read_end, SVC_ARM);
	is_undefined("ACTLR read in User mode", actlr_read, PSR_USR | PSR_AIF);
	is_undefined("c15 read in User mode", c15_read, PSR_USR | PSR_AIF);
}

ARM_CODE(dbgdidr, "mrc p14, 0, r0, c0, c0, 0");
ARM_CODE(dbgdscr, "mrc p14, 0, r0, c0, c1, 0");
ARM_CODE(dbgdscr_flags, "mrc p14, 0, APSR_nzcv, c0, c1, 0");
ARM_CODE(dbgdtr_write, "mcr p14, 0, r0, c0, c5, 0");
ARM_CODE(dbgbvr_write, "mcr p14, 0, r0, c0, c1, 4");
ARM_CODE(dbgbcr_read, "mrc p14, 0, r0, c0, c1, 5");
ARM_CODE(dbgoslar, "mcr p14, 0, r0, c1, c0, 4");
ARM_CODE(dbgoslsr, "mrc p14, 0, r0, c1, c1, 4");
ARM_CODE(dbgdrar, "mrc p14, 0, r0, c1, c0, 0");
ARM_CODE(dbgdrar_64, "mrrc p14, 0, r0, r1, c1");
ARM_CODE(dbgprcr, "mrc p14, 0, r0, c1, c4, 4");
ARM_CODE(dbgauthstatus, "mrc p14, 0, r0, c7, c14, 6");
ARM_CODE(jidr, "mrc p14, 7, r0, c0, c0, 0");
ARM_CODE(trace, "mrc p14, 1, r0, c0, c0, 0");
THUMB_CODE(dbgdidr_thumb, "mrc p14, 0, r0, c0, c0, 0");

/* QEMU has only some of these natively. */
static void debug_registers(void)
{
	struct context *c;

	runs("DBGDIDR read", dbgdidr, dbgdidr_end, SVC_ARM);
	runs("DBGDIDR read, Thumb", dbgdidr_thumb, dbgdidr_thumb_end, SVC_THUMB);
	runs("DBGDSCR read", dbgdscr, dbgdscr_end, SVC_ARM);
	runs_or_undefined("DBGDTR write", dbgdtr_write, dbgdtr_write_end, SVC_ARM);
	runs("DBGBVR write", dbgbvr_write, dbgbvr_write_end, SVC_ARM);
	runs("DBGBCR read", dbgbcr_read, dbgbcr_read_end, SVC_ARM);
	runs("DBGOSLAR write", dbgoslar, dbgoslar_end, SVC_ARM);
	runs("DBGOSLSR read", dbgoslsr, dbgoslsr_end, SVC_ARM);
	runs("DBGDRAR read", dbgdrar, dbgdrar_end, SVC_ARM);
	runs("DBGDRAR read of 64 bits", dbgdrar_64, dbgdrar_64_end, SVC_ARM);
	runs_or_undefined("DBGPRCR read", dbgprcr, dbgprcr_end, SVC_ARM);
	runs_or_undefined("DBGAUTHSTATUS read", dbgauthstatus, dbgauthstatus_end, SVC_ARM);
	runs_or_undefined("JIDR read", jidr, jidr_end, SVC_ARM);
	runs_or_undefined("trace register read", trace, trace_end, SVC_ARM);
	c = prepare(dbgdscr_flags, SVC_ARM | 0xf0000000u);
	execute();
	result("DBGDSCR read to the flags", reached(c, dbgdscr_flags_end), "kind %u", c->kind);
	equal("it says that no channel is full", c->cpsr >> 28 & 6, 0);
}

ARM_CODE(cp0, "mrc p0, 0, r0, c0, c0, 0");
ARM_CODE(cp7, "mcr p7, 0, r0, c0, c0, 0");
ARM_CODE(cp9_64, "mrrc p9, 0, r0, r1, c0");
ARM_CODE(cp5_cdp, "cdp p5, 0, c0, c0, c0, 0");
ARM_CODE(cp6_ldc, "mov r0, sp\nldc p6, c0, [r0]");
THUMB_CODE(cp0_thumb, "mrc p0, 0, r0, c0, c0, 0");
ARM_CODE(vfp_off, ".inst 0xeef10a10"); /* vmrs r0, fpscr */
ARM_CODE(cp15_unknown, "mrc p15, 3, r0, c1, c5, 7");
ARM_CODE(cp15_hyp, "mrc p15, 4, r0, c1, c1, 0");
THUMB_CODE(cp15_hyp_thumb, "mrc p15, 4, r0, c1, c1, 0");
ARM_CODE(hyp_vector, "mcr p15, 4, r0, c12, c0, 0");
ARM_CODE(eret_code, ".inst 0xe160006e");
ARM_CODE(undefined_arm, ".inst 0xe7f000f0");
THUMB_CODE(undefined_wide, ".inst.w 0xf7f0a000");
ARM_CODE(hvc_code, ".inst 0xe1400070");
ARM_CODE(smc_code, ".inst 0xe1600070");
ARM_CODE(hyp_sp, ".inst 0xe10f0300"); /* mrs r0, SP_hyp */

static void undefined(void)
{
	is_undefined("coprocessor 0", cp0, SVC_ARM);
	is_undefined("coprocessor 0, User mode", cp0, PSR_USR | PSR_AIF);
	is_undefined("coprocessor 0, Thumb", cp0_thumb, SVC_THUMB);
	is_undefined("coprocessor 0, FIQ mode, big-endian", cp0, PSR_FIQ | PSR_AIF | PSR_E);
	is_undefined("coprocessor 7", cp7, SVC_ARM);
	is_undefined("coprocessor 9 by MRRC", cp9_64, SVC_ARM);
	is_undefined("coprocessor 5 by CDP", cp5_cdp, SVC_ARM);
	is_undefined("VFP while CPACR says no", vfp_off, SVC_ARM);
	is_undefined("a CP15 register that is not there", cp15_unknown, SVC_ARM);
	is_undefined("HCR", cp15_hyp, SVC_ARM);
	is_undefined("HCR, Thumb", cp15_hyp_thumb, SVC_THUMB);
	is_undefined("HVBAR", hyp_vector, SVC_ARM);
	is_undefined("UDF", undefined_arm, SVC_ARM);
	is_undefined("UDF.W", undefined_wide, SVC_THUMB);
	is_undefined("HVC in User mode", hvc_code, PSR_USR | PSR_AIF);
	is_undefined("SMC in User mode", smc_code, PSR_USR | PSR_AIF);
}

/* A first IRQ mask: CPSR.A and F are as they were, I is set (B1.9.2). */
static void masks_at_undefined(void)
{
	struct context *c = prepare(cp0, PSR_SYS);

	execute();
	equal("UNDEFINED sets I, and leaves A and F",
	      c->taken_cpsr & (PSR_AIF | PSR_T | PSR_E | 0x1f), PSR_I | PSR_UND);
	equal("SPSR has what CPSR was", c->cpsr, PSR_SYS);
}

static void calls(void)
{
	static const uint32_t unknown[] = {0,
					   0x12345678,
					   0x8400001f,
					   0x84000050,
					   0xbf00ff01,
					   0xffffffff,
					   0xc4000003 /* SMC64 */,
					   0x86000000 /* hypervisor service */};
	struct context *c;

	for (unsigned int i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		if (under_bivy) {
			equal("unknown function by HVC: not supported",
			      (uint32_t)hvc(unknown[i], 0, 0, 0), ~0u);
			equal("unknown function by SMC: not supported",
			      (uint32_t)smc(unknown[i], 0, 0, 0), ~0u);
		}
	}
	c = prepare(hvc_code, SVC_ARM);
	c->r[0] = PSCI_VERSION;
	execute();
	result("HVC goes on behind itself", reached(c, hvc_code_end), "kind %u, LR 0x%x", c->kind,
	       c->pc);
	for (unsigned int i = 4; i < 15; i++) {
		result("HVC keeps r4 to r14", c->r[i] == 0x08080808u * i, "r%u is 0x%x", i,
		       c->r[i]);
	}
	if (under_bivy) {
		c = prepare(smc_code, SVC_ARM);
		c->r[0] = PSCI_VERSION;
		execute();
		result("SMC goes on behind itself", reached(c, smc_code_end), "kind %u, LR 0x%x",
		       c->kind, c->pc);
	}
}

/* cond mrc ACTLR; cond mov r1, #1; the end: what the first did to r0, the second did to r1. */
static uint32_t conditional[3];

static void condition(uint32_t cond, uint32_t instruction, const char *name)
{
	bool good = true;

	conditional[0] = cond << 28 | instruction;
	conditional[1] = cond << 28 | 0x03a01001;
	conditional[2] = 0xe7f000f0;
	asm volatile("dsb\n\tmcr p15, 0, %0, c7, c5, 0\n\tdsb\n\tisb" ::"r"(0) : "memory");
	for (uint32_t flags = 0; flags < 16 && good; flags++) {
		struct context *c = prepare((const char *)conditional, SVC_ARM | flags << 28);

		c->r[0] = 0xdeadbeef;
		execute();
		good = reached(c, (const char *)&conditional[2]) &&
		       (c->r[0] != 0xdeadbeef) == (c->r[1] == 1);
		if (!good) {
			result(name, false, "condition %u, flags %u: kind %u, r0 0x%x, r1 0x%x",
			       cond, flags, c->kind, c->r[0], c->r[1]);
		}
	}
	if (good) {
		result(name, true, "");
	}
}

#define MRC_ACTLR   0x0e110f30u
#define MRC_DBGDIDR 0x0e100e10u
#define SMC         0x01600070u

THUMB_CODE(it_block, "itete eq\n"
		     "mrceq p15, 0, r0, c1, c0, 1\n"
		     "mrcne p15, 0, r1, c1, c0, 1\n"
		     "moveq r2, #2\n"
		     "movne r3, #3\n");
THUMB_CODE(it_trap_last, "ittt ne\n"
			 "movne r2, #2\n"
			 "movne r3, #3\n"
			 "mrcne p15, 0, r0, c1, c0, 1\n"
			 "mov r4, #4\n");
THUMB_CODE(it_undefined, "itt eq\n"
			 "mrceq p0, 0, r0, c0, c0, 0\n"
			 "moveq r2, #2\n");

static void it_blocks(void)
{
	struct context *c = prepare(it_block, SVC_THUMB | PSR_Z);

	execute();
	result("IT block around a trapped instruction that runs",
	       reached(c, it_block_end) && c->r[1] == 0x08080808 && c->r[2] == 2 &&
		       c->r[3] == 3u * 0x08080808,
	       "kind %u, LR 0x%x, r1 0x%x, r2 0x%x, r3 0x%x", c->kind, c->pc, c->r[1], c->r[2],
	       c->r[3]);
	c = prepare(it_block, SVC_THUMB);
	execute();
	result("IT block around a trapped instruction that does not run",
	       reached(c, it_block_end) && c->r[0] == 0 && c->r[2] == 2u * 0x08080808 &&
		       c->r[3] == 3,
	       "kind %u, LR 0x%x, r0 0x%x, r2 0x%x, r3 0x%x", c->kind, c->pc, c->r[0], c->r[2],
	       c->r[3]);
	c = prepare(it_trap_last, SVC_THUMB);
	execute();
	result("IT block ends with a trapped instruction",
	       reached(c, it_trap_last_end) && c->r[2] == 2 && c->r[3] == 3 && c->r[4] == 4 &&
		       (!under_bivy || (c->cpsr & 0x0600fc00) == 0), /* QEMU leaves stale bits */
	       "kind %u, LR 0x%x, SPSR 0x%x, r2 0x%x, r3 0x%x, r4 0x%x", c->kind, c->pc, c->cpsr,
	       c->r[2], c->r[3], c->r[4]);
	c = prepare(it_undefined, SVC_THUMB | PSR_Z);
	execute();
	result("UNDEFINED in an IT block: LR, and IT in SPSR",
	       c->kind == KIND_UNDEFINED && c->pc == (uint32_t)it_undefined + 2 + THUMB_LR &&
		       (c->cpsr & 0x0600fc00) == 0x00000400 && (c->taken_cpsr & 0x0600fc00) == 0,
	       "kind %u, LR 0x%x, SPSR 0x%x, CPSR 0x%x", c->kind, c->pc, c->cpsr, c->taken_cpsr);
	c = prepare(it_undefined, SVC_THUMB);
	execute();
	result("UNDEFINED in an IT block that does not run", reached(c, it_undefined_end),
	       "kind %u, LR 0x%x", c->kind, c->pc);
}

/* Thirty-two doubles before and after exits of each kind. The old port lost d16 to d31. */
static void vfp_registers(void)
{
	static uint64_t before[32], after[32];
	uint64_t *at = before;
	uint32_t cpacr;

	for (unsigned int i = 0; i < 32; i++) {
		before[i] = 0x0123456789abcdefull * (i + 1);
	}
	asm volatile("mrc p15, 0, %0, c1, c0, 2" : "=r"(cpacr));
	asm volatile(".fpu neon-vfpv4\n\tmcr p15, 0, %1, c1, c0, 2\n\tisb\n\t"
		     "mov r3, #0x40000000\n\tvmsr fpexc, r3\n\t"
		     "vldm %0!, {d0-d15}\n\tvldm %0, {d16-d31}"
		     : "+r"(at)
		     : "r"(cpacr | 0xf << 20)
		     : "r3", "memory");
	hvc(PSCI_VERSION, 0, 0, 0);
	read32(0x08000004);
	print("VFP registers across exits\n");
	delay(1000);
	at = after;
	asm volatile("vstm %0!, {d0-d15}\n\tvstm %0, {d16-d31}\n\tmov r3, #0\n\tvmsr fpexc, r3\n\t"
		     "mcr p15, 0, %1, c1, c0, 2\n\tisb"
		     : "+r"(at)
		     : "r"(cpacr)
		     : "r3", "memory");
	for (unsigned int i = 0; i < 32; i++) {
		if (before[i] != after[i]) {
			result("bug: d16 to d31 unsaved", false, "d%u", i);
			return;
		}
	}
	result("bug: d16 to d31 unsaved", true, "");
}

void payload(void)
{
	equal("MIDR is a Cortex-A's", read_MIDR() & 0xff00ff00u, 0x4100c000);
	equal("MPIDR has bit 31", read_MPIDR() >> 31, 1);
	equal("MPIDR is core 0", read_MPIDR() & 0xffffff, 0);
	implementation_defined();
	debug_registers();
	undefined();
	masks_at_undefined();
	calls();
	for (uint32_t cond = 0; cond < 15; cond++) {
		condition(cond, MRC_ACTLR, "condition of a trapped MRC");
		condition(cond, MRC_DBGDIDR, "condition of a trapped debug register");
		if (under_bivy) {
			condition(cond, SMC, "condition of SMC");
		}
	}
	it_blocks();
	vfp_registers();
}
