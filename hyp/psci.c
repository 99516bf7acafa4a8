/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI 1.1 (DEN0022D) and SMCCC 1.2 (DEN0028) for the guest, by HVC and SMC alike, with the board's
 * TRNG (DEN0098) if there is one. Nothing is kept here: vcpu.c has the states.
 */
#include "errata.h"
#include "power.h"
#include "print.h"
#include "trap.h"
#include "vcpu.h"
#include "vgic.h"
#include "vm.h"
#include "boot/early.h"
#include "../drivers/hw/trng.h"

#define PSCI_BASE            0x84000000u
#define PSCI_1_1             0x00010001u
#define SMCCC_1_2            0x00010002u
#define SMCCC_VERSION        0x80000000u
#define SMCCC_ARCH_FEATURES  0x80000001u
#define SMCCC_WORKAROUND_1   0x80008000u
#define MIGRATE_NOT_REQUIRED 2
#define SUSPEND_STATE_MASK   0x0301ffffu /* original format (5.4.2); other bits must be zero */

typedef int32_t (*smccc_function)(const struct guest_regs *regs);

static struct trng trng; /* constant after board_trng_init() */

void board_trng_init(void)
{
	if (board.psci) {
		trng_init(&trng, smc_call);
	}
}

struct entropy_backend *board_trng(void)
{
	return trng.call != NULL ? &trng.backend : NULL;
}

static int32_t psci_version(const struct guest_regs *regs)
{
	(void)regs;
	return PSCI_1_1;
}

/*
 * A power-down state is given as standby, which 5.4.1 allows: the vCPU keeps its context, and the
 * call returns when an interrupt is there.
 */
static int32_t psci_cpu_suspend(const struct guest_regs *regs)
{
	if ((regs->r[1] & ~SUSPEND_STATE_MASK) != 0) {
		return PSCI_INVALID_PARAMETERS;
	}
	if (!vgic_pending(this_cpu()->index)) {
		wfi(); /* the physical interrupt that ends it is taken on the way back to the guest
			*/
	}
	return PSCI_SUCCESS;
}

static int32_t psci_cpu_off(const struct guest_regs *regs)
{
	(void)regs;
	vcpu_park();
}

static int32_t psci_cpu_on(const struct guest_regs *regs)
{
	const int index = vcpu_find(regs->r[1]);

	if (index < 0) {
		return PSCI_INVALID_PARAMETERS;
	}
	if (guest_memory_at(&vm.memory, regs->r[2] & ~1u, 2) == NULL) {
		return PSCI_INVALID_ADDRESS;
	}
	return vcpu_on((unsigned int)index, regs->r[2], regs->r[3]);
}

/* Affinity levels above 0 exist as far as a core with that affinity does: on if any of its cores
 * is. */
static int32_t psci_affinity_info(const struct guest_regs *regs)
{
	const uint32_t level = regs->r[2];
	int32_t result = PSCI_INVALID_PARAMETERS;

	if (level > 2) {
		return PSCI_INVALID_PARAMETERS;
	}
	for (unsigned int i = 0; i < vgic.cpu_count; i++) {
		if ((cpus[i].mpidr ^ regs->r[1]) >> 8 * level == 0) {
			int32_t state = vcpu_state(i);

			if (result < 0 || state == AFFINITY_ON || result == AFFINITY_OFF) {
				result = state;
			}
		}
	}
	return result;
}

static int32_t psci_migrate_info_type(const struct guest_regs *regs)
{
	(void)regs;
	return MIGRATE_NOT_REQUIRED;
}

static int32_t psci_system_off(const struct guest_regs *regs)
{
	(void)regs;
	power_off();
	say("the guest is off, and this board can't be powered off");
	vcpu_park();
}

static int32_t psci_system_reset(const struct guest_regs *regs)
{
	(void)regs;
	if (vm.config.reset == RESET_BOARD) {
		power_reset();
		say("this board can't be reset; the guest stays off (bivy,reset = "
		    "\"restart\" needs nothing of the board)");
		vcpu_park();
	}
	vcpu_restart_all();
	vcpu_park();
}

static int32_t psci_features(const struct guest_regs *regs);

/* By function number from PSCI_BASE; NULL: not supported. */
static const smccc_function psci_functions[] = {
	[0x00] = psci_version,    [0x01] = psci_cpu_suspend,   [0x02] = psci_cpu_off,
	[0x03] = psci_cpu_on,     [0x04] = psci_affinity_info, [0x06] = psci_migrate_info_type,
	[0x08] = psci_system_off, [0x09] = psci_system_reset,  [0x0a] = psci_features,
};

#define PSCI_FUNCTIONS (sizeof(psci_functions) / sizeof(psci_functions[0]))

static bool is_psci(uint32_t function)
{
	return function - PSCI_BASE < PSCI_FUNCTIONS &&
	       psci_functions[function - PSCI_BASE] != NULL;
}

static int32_t psci_features(const struct guest_regs *regs)
{
	return is_psci(regs->r[1]) || regs->r[1] == SMCCC_VERSION ? PSCI_SUCCESS
								  : PSCI_NOT_SUPPORTED;
}

static int32_t call(struct guest_regs *regs)
{
	const uint32_t function = regs->r[0];

	if (is_psci(function)) {
		return psci_functions[function - PSCI_BASE](regs);
	}
	if (function == SMCCC_VERSION) {
		return SMCCC_1_2;
	}
	if (function == SMCCC_ARCH_FEATURES &&
	    (regs->r[1] == SMCCC_VERSION || regs->r[1] == SMCCC_ARCH_FEATURES)) {
		return PSCI_SUCCESS;
	}
	/* The exit did already what is to be done, see vectors.S; what r0 is then is up to us. */
	if (function == SMCCC_WORKAROUND_1 ||
	    (function == SMCCC_ARCH_FEATURES && regs->r[1] == SMCCC_WORKAROUND_1)) {
		return errata_workaround_1(read_MIDR(), read_ACTLR());
	}
	return trng_answer(&trng, regs->r) ? (int32_t)regs->r[0] : PSCI_NOT_SUPPORTED;
}

/* ELR_hyp is already past an HVC (ARM DDI 0406C B1.8.9). */
void trap_hvc(struct guest_regs *regs, uint32_t hsr)
{
	(void)hsr;
	regs->r[0] = (uint32_t)call(regs);
}

/* An SMC is trapped before it runs (B1.14.3): the guest goes on behind it. */
void trap_smc(struct guest_regs *regs, uint32_t hsr)
{
	(void)hsr;
	skip_instruction(regs, 4);
	regs->r[0] = (uint32_t)call(regs);
}
