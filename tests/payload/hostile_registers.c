/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each coprocessor register that an encoding reaches, HYP mode's and the monitor's own, and calls
 * of each class: what a guest may not touch is UNDEFINED, nothing but the named register changes.
 * All cores at once, each with its share of the encodings (ARM DDI 0406C A5.6, B3.17, B9.3).
 */
#include "hostile.h"

#define MODE_MON      0x16u
#define MODE_HYP      0x1au
#define SMCCC_VERSION 0x80000000u
#define SMCCC_1_2     0x10002 /* QEMU's firmware, which answers an SMC that nobody traps, has none */

#define READ                    (1u << 20)
#define MCR(crn, op1, crm, op2) ((op1) << 21 | (crn) << 16 | (op2) << 5 | (crm))
#define MCR_BASE                0xee000010u
#define MCRR_BASE               0xec400000u
#define RT(n)                   ((n) << 12)
#define COPROCESSOR(n)          ((n) << 8)

/* What the payload itself stands on: these are written with what they hold. */
static bool is_precious(uint32_t registers)
{
	return registers == MCR(1u, 0u, 0u, 0u) ||  /* SCTLR */
	       registers == MCR(12u, 0u, 0u, 0u) || /* VBAR */
	       registers == MCR(13u, 0u, 0u, 0u) || /* FCSEIDR */
	       registers == MCR(13u, 0u, 0u, 4u);   /* TPIDRPRW */
}

/* HYP mode's registers, but for what QEMU takes for others, and the Secure ones (B3.17.2). */
static bool is_forbidden(uint32_t registers, uint32_t read)
{
	const uint32_t crn = registers >> 16 & 15, op1 = registers >> 21 & 7;
	const uint32_t crm = registers & 15, op2 = registers >> 5 & 7;

	if (op1 == 4) {
		return (0x71f6u >> crn & 1) != 0 || (crn == 10 && (crm == 2 || crm == 3));
	}
	/* SCR, SDER, NSACR if written, MVBAR */
	return op1 == 0 && ((crn == 1 && crm == 1 && (op2 < 2 || (op2 == 2 && read == 0))) ||
			    (crn == 12 && crm == 0 && op2 == 1));
}

/* Registers but @touched, a mask, are as prepare() left them. */
static bool others_kept(const struct context *c, uint32_t touched)
{
	for (unsigned int n = 0; n < 15; n++) {
		if ((touched >> n & 1) == 0 && c->r[n] != 0x08080808u * n) {
			return false;
		}
	}
	return true;
}

static void one_register(uint32_t coprocessor, uint32_t registers)
{
	static const uint32_t modes[] = {PSR_SVC, PSR_SVC, PSR_SYS, PSR_FIQ, PSR_IRQ};
	const bool precious = coprocessor == 15 && is_precious(registers);
	const uint32_t base = MCR_BASE | COPROCESSOR(coprocessor) | registers;

	for (uint32_t read = READ;; read = 0) {
		const uint32_t rt = !precious && read != 0 && below(4) == 0 ? 15 : below(8);
		const uint32_t words[2] = {base | READ | RT(rt), base | read | RT(rt)};
		const unsigned int count = precious ? 2 : 1;
		const uint32_t mode = PICK(modes);
		struct context *c = generate(precious ? words : &words[1], count, mode | PSR_AIF);

		if (rt < 8 && !precious && read == 0 && below(2) == 0) {
			c->r[rt] = nasty();
		}
		execute();
		check("a register is read, written, or UNDEFINED", ended(c, count) || undefined(c),
		      words[1], c->kind, c->pc);
		/* Rt = 15 is UNPREDICTABLE, and may be LR (A8.8.108) */
		check("nothing else changes", others_kept(c, rt == 15 ? 1u << 14 : 1u << rt),
		      words[1], mode, c->kind);
		if (coprocessor == 15 && is_forbidden(registers, read)) {
			check("HYP mode's and Secure registers are UNDEFINED", undefined(c),
			      words[1], c->kind, c->pc);
		}
		if (read == 0) {
			break;
		}
	}
}

/* A quarter each on four cores: all of CRn, opc1, CRm, opc2. */
static void all_registers(void *argument)
{
	const uint32_t coprocessor = *(uint32_t *)argument;

	for (uint32_t i = this_core()->index; i < 1u << 14; i += core_count) {
		one_register(coprocessor, MCR(i >> 10, i >> 7 & 7, i >> 3 & 15, i & 7));
	}
}

/* MCRR and MRRC of all coprocessors, and the other ones by each form. */
static void all_double_registers(void *argument)
{
	(void)argument;
	for (uint32_t i = this_core()->index; i < 1u << 13; i += core_count) {
		const uint32_t rt = below(4), rt2 = below(8) == 0 ? 15 : 4 + below(4);
		const uint32_t word = MCRR_BASE | (i & 1) << 20 | (14 + (i >> 1 & 1)) << 8 |
				      (i >> 2 & 15) << 4 | (i >> 6 & 15) | RT(rt) | rt2 << 16;
		struct context *c =
			generate_one(word, (below(2) != 0 ? PSR_SVC : PSR_SYS) | PSR_AIF);

		execute();
		/* with Rt2 = 15, UNPREDICTABLE, QEMU goes where the upper word says: nowhere */
		check("a register of 64 bits",
		      ended(c, 1) || undefined(c) || (rt2 == 15 && c->kind == KIND_PREFETCH_ABORT),
		      word, c->kind, c->pc);
		check("nothing but its two",
		      others_kept(c, 1u << rt | 1u << (rt2 == 15 ? 14 : rt2)), word, c->kind, 0);
	}
	for (uint32_t i = 0; i < 4000; i++) {
		/* CDP, MCR, MRC, MCRR, MRRC, LDC, STC of coprocessors 0 to 13 but the VFP's */
		static const uint32_t forms[] = {0xee000000, 0xec000000, 0xec400000, 0xed900000};
		const uint32_t random = any();
		const uint32_t word =
			PICK(forms) | (random & 0x001f00ff) | below(10) << 8 | RT(below(8));
		struct context *c = generate_one(word, SVC_MODE);

		c->r[0] = ARENA;
		execute();
		check("what no coprocessor answers is UNDEFINED", undefined(c), word, c->kind,
		      c->pc);
	}
}

/* MRS and MSR of banked registers: all of SYSm, R and op. HYP mode's and the monitor's (B9.2.3). */
static void banked_registers(void *argument)
{
	(void)argument;
	for (uint32_t i = 0; i < 128; i++) {
		const uint32_t sysm = i & 31, write = i >> 5 & 1, spsr = i >> 6;
		const uint32_t word =
			write ? 0xe120f200u | spsr << 22 | (sysm & 15) << 16 | sysm >> 4 << 8 | 2
			      : 0xe1000200u | spsr << 22 | (sysm & 15) << 16 | sysm >> 4 << 8 |
					RT(3u);
		struct context *c;

		if (!spsr && sysm == 5) { /* SP_usr, which interrupts use */
			continue;
		}
		c = generate_one(word, SVC_MODE);
		execute();
		check("a banked register", ended(c, 1) || undefined(c), word, c->kind, c->pc);
		check("others are kept", others_kept(c, 1u << 3 | 3u << 13), word, c->kind, 0);
		if (sysm >= 28 || (spsr && sysm == 30)) {
			check("those of HYP mode and the monitor are UNDEFINED", undefined(c), word,
			      c->kind, c->pc);
		}
	}
}

/* Ways into modes that the guest has not: they are UNPREDICTABLE, so only that it isn't there. */
static void modes(void *argument)
{
	static const uint32_t targets[] = {MODE_MON, MODE_HYP, 0x14, 0x15, 0x18,
					   0x1c,     0x1d,     0x1e, 0x00, 0x0f};
	static uint32_t frames[CORES_MAX][4];
	const uint32_t self = this_core()->index;

	(void)argument;
	for (uint32_t i = 0; i < 60; i++) {
		const uint32_t mode = targets[i % COUNT_OF(targets)];
		const uint32_t ways[6][3] = {
			{0xf1020000u | mode},       /* cps #mode */
			{0xf10e01c0u | mode},       /* cpsid aif, #mode */
			{0xe321f0c0u | mode},       /* msr cpsr_c, #mode */
			{0xe169f003u, 0xe1b0f00eu}, /* msr spsr_fc, r3; movs pc, lr */
			{0xe169f003u, 0xe160006eu}, /* msr spsr_fc, r3; eret */
			{0xf8910a00u},              /* rfeia r1 */
		};
		const uint32_t way = i / COUNT_OF(targets);
		const unsigned int count = way == 3 || way == 4 ? 2 : 1;
		struct context *c = generate(ways[way], count, SVC_MODE);

		c->r[3] = PSR_AIF | mode;
		c->r[14] = c->pc + 4 * count;
		frames[self][0] = c->r[14];
		frames[self][1] = c->r[3];
		c->r[1] = (uint32_t)frames[self];
		execute();
		check("the guest stays out of HYP mode and the monitor",
		      (c->cpsr & 0x1f) != MODE_HYP && (c->cpsr & 0x1f) != MODE_MON, ways[way][0],
		      c->cpsr, c->kind);
		c = generate_one(0xf8cd0500u | mode, SVC_MODE); /* srsia sp, #mode */
		c->r[13] = (uint32_t)frames[self];
		execute();
		check("SRS to there is harmless", ended(c, 1) || c->kind != 0, mode, c->kind,
		      c->pc);
	}
}

/* A call that must be answered with NOT_SUPPORTED, and change nothing else. */
static void one_call(uint32_t function)
{
	const uint32_t smc = below(2), thumb = 0;
	const uint32_t word =
		smc ? 0xe1600070u | below(16) : 0xe1400070u | below(0x1000) << 8 | below(16);
	struct context *c = generate_one(word, SVC_MODE | thumb);
	uint32_t before[15];

	for (unsigned int n = 1; n < 15; n++) {
		c->r[n] = nasty();
	}
	c->r[0] = function;
	memcpy(before, c->r, sizeof(before));
	execute();
	check("a call goes on behind itself", ended(c, 1), word, function, c->pc);
	check("an unknown function is not supported", c->r[0] == ~0u, word, function, c->r[0]);
	check("a call keeps r1 to r14", memcmp(&c->r[1], &before[1], sizeof(before) - 4) == 0, word,
	      function, c->r[1]);
	check("a call keeps the flags", (c->cpsr & 0xf80f0000) == 0, word, function, c->cpsr);
}

/* What bivy has, and what would end this test: all rows of PSCI, and SMCCC's first two. */
static bool is_known(uint32_t function)
{
	return function - PSCI_VERSION <= PSCI_FEATURES - PSCI_VERSION ||
	       function - 0x80000000u <= 1;
}

/* SMCCC's owners, fast and yielding, of 32 and 64 bits (DEN0028 2.5, table 2.1). */
static void call_classes(void *argument)
{
	static const uint32_t numbers[] = {0,      1,      2,      3,      4,     8,
					   9,      0xb,    0x12,   0x50,   0x53,  0x3fff,
					   0x8000, 0xff00, 0xff01, 0xff03, 0xffff};

	(void)argument;
	check("HVC and SMC are bivy's to answer",
	      hvc(SMCCC_VERSION, 0, 0, 0) == SMCCC_1_2 && smc(SMCCC_VERSION, 0, 0, 0) == SMCCC_1_2,
	      (uint32_t)hvc(SMCCC_VERSION, 0, 0, 0), (uint32_t)smc(SMCCC_VERSION, 0, 0, 0), 0);
	for (uint32_t top = this_core()->index; top < 256; top += core_count) {
		for (uint32_t i = 0; i < COUNT_OF(numbers) + 8; i++) {
			const uint32_t number =
				i < COUNT_OF(numbers) ? numbers[i] : any() & 0x00ffffff;

			if (!is_known(top << 24 | number)) {
				one_call(top << 24 | number);
			}
		}
	}
}

/* Known functions with arguments that they can't like; CPU_OFF and the like are of no use here. */
static void bad_arguments(void *argument)
{
	static const uint32_t functions[] = {PSCI_CPU_SUSPEND, PSCI_CPU_ON, PSCI_AFFINITY_INFO,
					     PSCI_FEATURES, 0x80000001};

	(void)argument;
	for (uint32_t i = 0; i < 2000; i++) {
		const uint32_t function = PICK(functions);
		const int32_t answer =
			(below(2) != 0 ? hvc : smc)(function,
						    function == PSCI_CPU_SUSPEND ? any() | 1u << 31
						    : below(2) != 0              ? below(8)
										 : nasty(),
						    nasty(), nasty());

		check("an answer of PSCI's", answer >= -9 && answer <= 2, function,
		      (uint32_t)answer, 0);
	}
}

void payload(void)
{
	uint32_t coprocessor = 15;

	hostile_begin();
	on_all(all_registers, &coprocessor);
	checked("all of CP15");
	coprocessor = 14;
	on_all(all_registers, &coprocessor);
	checked("all of CP14");
	on_all(all_double_registers, NULL);
	checked("registers of 64 bits, other coprocessors");
	on_all(banked_registers, NULL);
	checked("banked registers");
	on_all(modes, NULL);
	checked("HYP mode and the monitor are out of reach");
	on_all(call_classes, NULL);
	checked("calls of each class");
	on_all(bad_arguments, NULL);
	checked("bad arguments");
	hostile_end();
}
