/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI 1.1 as DEN0022D has it, by HVC and SMC, on all cores. */
#include "gic.h"

#define SMCCC_VERSION	    0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define TRNG_VERSION	    0x84000050u
#define NOT_SUPPORTED	    0xffffffffu
#define INVALID_PARAMETERS  0xfffffffeu
#define ALREADY_ON	    0xfffffffcu
#define INVALID_ADDRESS	    0xfffffff7u
#define ON		    0u
#define OFF		    1u
#define NOBODY		    0x00ffffffu

static uint32_t call(uint32_t function, uint32_t a1, uint32_t a2)
{
	return (uint32_t)hvc(function, a1, a2, 0);
}

static bool comes_to(unsigned int core, uint32_t state)
{
	for (unsigned int i = 0; i < 10000; i++) {
		if (call(PSCI_AFFINITY_INFO, cores[core].mpidr, 0) == state) {
			return true;
		}
		delay(100);
	}
	return false;
}

static void features(void)
{
	static const uint32_t offered[] = {PSCI_VERSION, PSCI_CPU_SUSPEND, PSCI_CPU_OFF, PSCI_CPU_ON,
					   PSCI_AFFINITY_INFO, PSCI_MIGRATE_INFO_TYPE, PSCI_SYSTEM_OFF,
					   PSCI_SYSTEM_RESET, PSCI_FEATURES, SMCCC_VERSION};

	equal("PSCI_VERSION is 1.1", call(PSCI_VERSION, 0, 0), 0x10001);
	equal("PSCI_VERSION by SMC", (uint32_t)smc(PSCI_VERSION, 0, 0, 0), 0x10001);
	equal("MIGRATE_INFO_TYPE: nothing to migrate", call(PSCI_MIGRATE_INFO_TYPE, 0, 0), 2);
	for (unsigned int i = 0; i < sizeof(offered) / sizeof(offered[0]); i++) {
		equal("PSCI_FEATURES of what is offered", call(PSCI_FEATURES, offered[i], 0), 0);
	}
	equal("PSCI_FEATURES of MIGRATE", call(PSCI_FEATURES, 0x84000005, 0), NOT_SUPPORTED);
	equal("MIGRATE", call(0x84000005, 0, 0), NOT_SUPPORTED);
	equal("a PSCI function that does not exist", call(0x8400001f, 0, 0), NOT_SUPPORTED);
	equal("a 64-bit PSCI function", call(0xc4000003, 0, 0), NOT_SUPPORTED);
	equal("SMCCC_VERSION is 1.2", call(SMCCC_VERSION, 0, 0), 0x10002);
	equal("SMCCC_ARCH_FEATURES of itself", call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES, 0), 0);
	equal("SMCCC_ARCH_FEATURES of anything", call(SMCCC_ARCH_FEATURES, 0x80007fff, 0), NOT_SUPPORTED);
	equal("TRNG_VERSION without entropy", call(TRNG_VERSION, 0, 0), NOT_SUPPORTED);
}

static void refusals(void)
{
	const uint32_t entry = (uint32_t)(uintptr_t)secondary_entry;

	equal("CPU_ON of this core", call(PSCI_CPU_ON, cores[0].mpidr, entry), ALREADY_ON);
	equal("CPU_ON of nobody", call(PSCI_CPU_ON, NOBODY, entry), INVALID_PARAMETERS);
	equal("AFFINITY_INFO of nobody", call(PSCI_AFFINITY_INFO, NOBODY, 0), INVALID_PARAMETERS);
	equal("AFFINITY_INFO of level 4", call(PSCI_AFFINITY_INFO, cores[0].mpidr, 4), INVALID_PARAMETERS);
	equal("AFFINITY_INFO of this core", call(PSCI_AFFINITY_INFO, cores[0].mpidr, 0), ON);
	equal("AFFINITY_INFO of this cluster", call(PSCI_AFFINITY_INFO, cores[0].mpidr, 1), ON);
	equal("CPU_SUSPEND with reserved bits", call(PSCI_CPU_SUSPEND, 0x80000000, entry), INVALID_PARAMETERS);
	if (core_count > 1) {
		equal("CPU_ON at an address without RAM", call(PSCI_CPU_ON, cores[1].mpidr, 0x1000), INVALID_ADDRESS);
		equal("AFFINITY_INFO of a core that is off", call(PSCI_AFFINITY_INFO, cores[1].mpidr, 0), OFF);
	}
}

static void turn_off(void *argument)
{
	(void)argument;
	hvc(PSCI_CPU_OFF, 0, 0, 0);
}

static void nothing(void *argument)
{
	(void)argument;
}

/* Each core off and on again, many times; it must come in at its entry each time, as after reset. */
static void off_and_on(void)
{
	for (unsigned int core = 1; core < core_count; core++) {
		bool good = true;
		uint32_t before;

		run_on(core, nothing, NULL);
		equal("AFFINITY_INFO of a core that runs", call(PSCI_AFFINITY_INFO, cores[core].mpidr, 0), ON);
		equal("CPU_ON of a core that runs",
		      call(PSCI_CPU_ON, cores[core].mpidr, (uint32_t)(uintptr_t)secondary_entry), ALREADY_ON);
		before = cores[core].entries;
		for (unsigned int i = 0; i < 100 && good; i++) {
			start_job(core, turn_off, NULL);
			good = comes_to(core, OFF);
			start_job(core, nothing, NULL);
			good = good && job_done(core, 5000);
		}
		result("CPU_OFF and CPU_ON 100 times", good && cores[core].entries == before + 100,
		       "core %u came in %u times", core, cores[core].entries - before);
		equal("a core enters in SVC mode, masked", cores[core].entry_cpsr & 0x1ff, PSR_SVC | PSR_AIF);
		equal("a core enters with MMU and caches off", cores[core].entry_sctlr & 0x1005, 0);
	}
}

/* A timer whose interrupt the GIC doesn't even forward to the guest ends no wait natively; a due one must here. */
static void suspend(void)
{
	const uint64_t start = read_CNTVCT();

	gic_reset();
	gic_cpu_on();
	write32(GICD_ISENABLER, 1u << 27);
	write_CNTV_TVAL(read_CNTFRQ() / 100);
	write_CNTV_CTL(1);
	while ((read_CNTV_CTL() & 4) == 0) {
		equal("bug: wake test inverted (CPU_SUSPEND returns)", call(PSCI_CPU_SUSPEND, 0, 0), 0);
	}
	result("CPU_SUSPEND waits for the timer", read_CNTVCT() - start >= read_CNTFRQ() / 100, "it was early");
	write_CNTV_CTL(0);
}

void payload(void)
{
	features();
	refusals();
	suspend();
	off_and_on();
}
