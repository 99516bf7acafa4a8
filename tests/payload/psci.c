/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI and SMCCC: DEN0022D, DEN0028. QEMU alone has version 1.1, too, but not all of it. */
#include "gic.h"

#define NOT_SUPPORTED      0xffffffffu
#define INVALID_PARAMETERS 0xfffffffeu
#define ALREADY_ON         0xfffffffcu
#define INVALID_ADDRESS    0xfffffff7u

#define ON  0u
#define OFF 1u

static int32_t (*conduit)(uint32_t function, uint32_t a1, uint32_t a2, uint32_t a3) = hvc;

static uint32_t call(uint32_t function, uint32_t a1, uint32_t a2, uint32_t a3)
{
	return (uint32_t)conduit(function, a1, a2, a3);
}

static uint32_t state(unsigned int core)
{
	return call(PSCI_AFFINITY_INFO, cores[core].mpidr, 0, 0);
}

static bool becomes(unsigned int core, uint32_t wanted)
{
	for (uint32_t i = 0; i < LIVENESS; i++) {
		if (state(core) == wanted) {
			return true;
		}
		delay(1000);
	}
	return false;
}

static void versions(void)
{
	static const uint32_t functions[] = {
		PSCI_VERSION,    PSCI_CPU_SUSPEND,   PSCI_CPU_OFF,
		PSCI_CPU_ON,     PSCI_AFFINITY_INFO, PSCI_MIGRATE_INFO_TYPE,
		PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET,  PSCI_FEATURES};

	result("PSCI_VERSION is 1.0 or later", call(PSCI_VERSION, 0, 0, 0) >= 0x10000, "0x%x",
	       call(PSCI_VERSION, 0, 0, 0));
	for (unsigned int i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		result("PSCI_FEATURES knows it",
		       (int32_t)call(PSCI_FEATURES, functions[i], 0, 0) >= 0, "0x%x", functions[i]);
	}
	equal("PSCI_FEATURES of what is not there", call(PSCI_FEATURES, 0x8400001f, 0, 0),
	      NOT_SUPPORTED);
	equal("MIGRATE_INFO_TYPE: no migration needed", call(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0), 2);
	if (under_bivy) {
		equal("PSCI 1.1", call(PSCI_VERSION, 0, 0, 0), 0x10001);
		equal("SMCCC 1.2", call(0x80000000, 0, 0, 0), 0x10002);
		equal("PSCI_FEATURES knows SMCCC_VERSION", call(PSCI_FEATURES, 0x80000000, 0, 0),
		      0);
		equal("SMCCC_ARCH_FEATURES of itself", call(0x80000001, 0x80000001, 0, 0), 0);
		equal("SMCCC_ARCH_FEATURES of SMCCC_VERSION", call(0x80000001, 0x80000000, 0, 0),
		      0);
	}
}

/* What bivy does not have, quietly: among others a source of random numbers (DEN0098) that it can't
 * vouch for. */
static void absent(void)
{
	static const struct {
		const char *name;
		uint32_t function;
	} calls[] = {
		{"MIGRATE", 0x84000005},
		{"MIGRATE_INFO_UP_CPU", 0x84000007},
		{"CPU_FREEZE", 0x8400000b},
		{"SYSTEM_SUSPEND", 0x8400000e},
		{"SYSTEM_RESET2", 0x84000012},
		{"TRNG_VERSION", 0x84000050},
		{"TRNG_FEATURES", 0x84000051},
		{"TRNG_GET_UUID", 0x84000052},
		{"TRNG_RND", 0x84000053},
		{"CPU_ON of 64 bits", 0xc4000003},
		{"TRNG_RND of 64 bits", 0xc4000053},
		{"SMCCC_ARCH_SOC_ID", 0x80000002},
		{"a call of the hypervisor's vendor", 0x8600ff01},
		{"a call of a trusted OS", 0xb2000000},
		{"a yielding call", 0x04000003},
		{"function 0", 0},
		{"function -1", 0xffffffff},
	};

	for (unsigned int i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		equal(calls[i].name, call(calls[i].function, 1, (uint32_t)secondary_entry, 0),
		      NOT_SUPPORTED);
		equal("and PSCI_FEATURES says so", call(PSCI_FEATURES, calls[i].function, 0, 0),
		      NOT_SUPPORTED);
	}
	equal("SMCCC_ARCH_FEATURES says so", call(0x80000001, 0x80000002, 0, 0), NOT_SUPPORTED);
}

/* All other registers, and the flags, are the caller's (DEN0028 2.5, 2.6 in 32-bit state: r4 to
 * r14). */
static void registers_are_kept(uint32_t function)
{
	uint32_t r4, r12, flags;

	asm volatile(".arch_extension virt\n"
		     "mov	r4, #0x44\n"
		     "mov	r12, #0x1c\n"
		     "msr	APSR_nzcvq, #0xf8000000\n"
		     "mov	r0, %3\n"
		     "hvc	#0\n"
		     ".arch_extension sec\n"
		     "mov	r0, %3\n"
		     "smc	#0\n"
		     "mrs	%2, APSR\n"
		     "mov	%0, r4\n"
		     "mov	%1, r12\n"
		     : "=&r"(r4), "=&r"(r12), "=&r"(flags)
		     : "r"(function)
		     : "r0", "r1", "r2", "r3", "r4", "r12", "cc", "memory");
	equal("a call keeps r4", r4, 0x44);
	equal("a call keeps r12", r12, 0x1c);
	equal("a call keeps the flags", flags & 0xf8000000, 0xf8000000);
}

/*
 * DEN0028 7.4: 0: call it; 1: no need to; NOT_SUPPORTED. A Cortex-A12 and A17 forget their branches
 * by BPIALL, a Cortex-A15 by ICIALLU with ACTLR.IBE, which QEMU's has not.
 */
static void workaround_1(void)
{
	const uint32_t part = read_MIDR() >> 4 & 0xfff, actlr = read_ACTLR();
	const uint32_t expected = part == 0xc0d || part == 0xc0e ? 0
				  : part != 0xc0f                ? 1
				  : (actlr & 1) != 0             ? 0
								 : NOT_SUPPORTED;

	equal("SMCCC_ARCH_FEATURES of WORKAROUND_1", call(0x80000001, 0x80008000, 0, 0), expected);
	equal("PSCI_FEATURES doesn't know it", call(PSCI_FEATURES, 0x80008000, 0, 0),
	      NOT_SUPPORTED);
	registers_are_kept(0x80008000);
}

static void bad_calls(void)
{
	equal("CPU_ON of a core that is not there",
	      call(PSCI_CPU_ON, 77, (uint32_t)secondary_entry, 0), INVALID_PARAMETERS);
	equal("CPU_ON of the calling core", call(PSCI_CPU_ON, 0, (uint32_t)secondary_entry, 0),
	      ALREADY_ON);
	equal("AFFINITY_INFO of a core that is not there", call(PSCI_AFFINITY_INFO, 77, 0, 0),
	      INVALID_PARAMETERS);
	equal("AFFINITY_INFO of this core", call(PSCI_AFFINITY_INFO, 0, 0, 0), ON);
	if (!under_bivy) {
		return;
	}
	equal("AFFINITY_INFO, level 7", call(PSCI_AFFINITY_INFO, 0, 7, 0), INVALID_PARAMETERS);
	equal("AFFINITY_INFO of this cluster", call(PSCI_AFFINITY_INFO, 0, 1, 0), ON);
	equal("CPU_SUSPEND with reserved bits", call(PSCI_CPU_SUSPEND, 0x80000000, 0, 0),
	      INVALID_PARAMETERS);
	if (core_count > 1) {
		equal("CPU_ON where nothing is", call(PSCI_CPU_ON, 1, 0xe0000000, 0),
		      INVALID_ADDRESS);
		equal("CPU_ON in bivy's memory", call(PSCI_CPU_ON, 1, 0x47f00000, 0),
		      INVALID_ADDRESS);
		equal("the core stays off", state(1), OFF);
	}
}

static void nothing(void *argument)
{
	(void)argument;
}

static void cores_on(void)
{
	for (unsigned int core = 1; core < core_count; core++) {
		equal("a core is off at first", state(core), OFF);
		run_on(core, nothing, NULL);
		equal("it is on", state(core), ON);
		equal("it entered once", cores[core].entries, 1);
		equal("in SVC, masked, Arm", cores[core].entry_cpsr & (PSR_AIF | PSR_T | 0x1f),
		      PSR_AIF | PSR_SVC);
		equal("with MMU and caches off", cores[core].entry_sctlr & 0x1005, 0);
		equal("its MPIDR", cores[core].mpidr, core);
		equal("CPU_ON again", call(PSCI_CPU_ON, core, (uint32_t)secondary_entry, 0),
		      ALREADY_ON);
	}
}

static void go_off(void *argument)
{
	struct core *core = this_core();

	(void)argument;
	write_SCTLR(read_SCTLR() | 1u << 13); /* must be gone the next time */
	asm volatile("mcr p15, 0, %0, c13, c0, 2" ::"r"(0x12345678));
	__atomic_store_n(&core->job, NULL, __ATOMIC_RELEASE);
	call(PSCI_CPU_OFF, 0, 0, 0);
	result("CPU_OFF does not return", false, "core %u", core->index);
}

/* Every other time by the Thumb entry. */
static void off_and_on(void)
{
	static uint32_t entered = 1; /* so far, each core */
	uint32_t bad = 0, rounds = 100, last = 0, seen = OFF;

	for (uint32_t i = 0; i < rounds && bad == 0; i++) {
		for (unsigned int core = 1; core < core_count; core++) {
			run_on(core, go_off, NULL);
		}
		for (unsigned int core = 1; core < core_count; core++) {
			if (!becomes(core, OFF)) {
				bad |= 1;
				seen = state(core);
			}
			if ((i & 1) != 0) {
				uint32_t entry = (uint32_t)secondary_entry_thumb | 1;

				bad |= call(PSCI_CPU_ON, core, entry, (uint32_t)&cores[core]) == 0
					       ? 0
					       : 2;
			}
			run_on(core, nothing, NULL);
			bad |= cores[core].entries == entered + i + 1 ? 0 : 4;
			bad |= (cores[core].entry_sctlr >> 13 & 1) == 0 ? 0 : 8;
			last = core;
		}
	}
	entered += rounds;
	result("CPU_OFF and CPU_ON, 100 times", bad == 0,
	       "0x%x (1: not off, 2: CPU_ON refused, 4: entered otherwise than once, 8: SCTLR is "
	       "old), core %u, entry %u, state %u",
	       bad, last, cores[last].entries, seen);
}

/* Suspended until an SGI or the timer; both with interrupts masked, as Linux does it. */
static volatile uint32_t suspended;

static void suspend(void *argument)
{
	(void)argument;
	gic_cpu_on();
	write8(GICD_IPRIORITYR + 4, 0x80);
	suspended = 1;
	if (call(PSCI_CPU_SUSPEND, 0, 0, 0) == 0) {
		suspended = 2;
	}
	gic_take();
	suspended = 3;
}

static void suspend_and_sgi(void)
{
	write32(GICD_CTLR, 1);
	start_job(1, suspend, NULL);
	wait_for(&suspended, 1, LIVENESS);
	delay(20000);
	equal("CPU_SUSPEND sleeps", suspended, 1);
	write32(GICD_SGIR, SGIR_LIST(2) | 4);
	result("bug: wake test inverted (an SGI ends CPU_SUSPEND)",
	       wait_for(&suspended, 3, LIVENESS), "state %u", suspended);
	equal("and the SGI is there", gic_logs[1].count, 1);
	job_done(1, LIVENESS);
}

static void stop_timer(uint32_t iar)
{
	write_CNTV_CTL(0);
	write32(GICC_EOIR, iar);
}

static void suspend_and_timer(void)
{
	uint64_t start = read_CNTVCT();
	uint32_t ms = read_CNTFRQ() / 1000;

	gic_reset();
	gic_log()->hook = stop_timer;
	gic_enable(INTID_VTIMER, 0x80);
	write_CNTV_TVAL(20 * ms);
	write_CNTV_CTL(1);
	equal("CPU_SUSPEND until the timer", call(PSCI_CPU_SUSPEND, 0, 0, 0), 0);
	result("it slept", read_CNTVCT() - start >= 19 * ms, "too short");
	gic_take();
	equal("and the timer's interrupt is there", gic_log()->count, 1);
	write_CNTV_TVAL(0);
	write_CNTV_CTL(1);
	delay(1000);
	equal("CPU_SUSPEND with one pending returns", call(PSCI_CPU_SUSPEND, 0, 0, 0), 0);
	if (under_bivy) { /* a power-down state is taken as standby (DEN0022D 5.4.1), so the call
			     returns here */
		equal("and so it does to power down",
		      call(PSCI_CPU_SUSPEND, 0x10000, (uint32_t)secondary_entry, 0), 0);
	}
	gic_take();
	equal("which is still to come", gic_log()->count, 2);
}

void payload(void)
{
	versions();
	bad_calls();
	if (under_bivy) {
		absent();
		registers_are_kept(0x84000000);
		workaround_1();
		conduit = smc; /* HVC and SMC alike */
		versions();
		bad_calls();
		absent();
		conduit = hvc;
	}
	cores_on();
	if (under_bivy) { /* QEMU's own says OFF a little too early */
		off_and_on();
		conduit = smc;
		off_and_on();
		conduit = hvc;
	}
	gic_reset();
	if (under_bivy || core_count == 1) {
		suspend_and_timer();
	}
	if (core_count > 1 && under_bivy) {
		suspend_and_sgi();
	}
}
