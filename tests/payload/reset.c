/* SPDX-License-Identifier: BSD-2-Clause */
/* SYSTEM_RESET three times. Boots are counted in RAM that no part of the bundle is loaded to. */
#include "payload.h"

#define COUNT_AT 0x42000000u
#define MAGIC    0xb1b70000u

static uint32_t loaded = 1; /* in the image: must be as the bundle has it after each start */

static void spin(void *argument)
{
	(void)argument;
	for (;;) {
	}
}

void payload(void)
{
	const uint32_t boots =
		(read32(COUNT_AT) & 0xffff0000) == MAGIC ? (read32(COUNT_AT) & 0xffff) + 1 : 1;

	write32(COUNT_AT, MAGIC | boots);
	equal("the image is as it was loaded", loaded, 1);
	equal("interrupts, MMU and caches are as after reset", read_SCTLR() & 0x3005, 0);
	for (unsigned int core = 1; core < core_count; core++) {
		equal("other cores are off", (uint32_t)hvc(PSCI_AFFINITY_INFO, core, 0, 0), 1);
		start_job(core, spin, NULL);
		wait_for(&cores[core].entries, 1, LIVENESS);
	}
	loaded = 2;
	if (boots <= 3) {
		print("resetting, boot %u\n", boots);
		hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
		result("SYSTEM_RESET does not return", false, "it did");
	}
}
