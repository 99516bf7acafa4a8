/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's processors. Lock: states.lock guards state, entry, context and restarting; it is
 * taken with no other lock held. must_park of struct cpu and online are written under it, or before
 * others look, and read without.
 */
#include "vcpu.h"
#include <assert.h>
#include "cache.h"
#include "errata.h"
#include "../drivers/lock.h"
#include "print.h"
#include "stage2.h"
#include "trap.h"
#include "vgic.h"
#include "vm.h"
#include "boot/early.h"
#include "../drivers/hw/gicv2.h"

#define SCTLR_RESET                                                                                \
	0x00c50078u /* RES1 bits; MMU, caches, alignment checks off (ARM DDI 0406C B4.1.130) */
/* Neither FB nor BSU: a vCPU never leaves its core, so its local maintenance and barriers suffice.
 */
#define HCR_BIVY            (HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_TSC | HCR_TIDCP | HCR_TAC)
#define HSTR_T15            (1u << 15)
#define HCPTR_BIVY          0x001033ffu /* RES1 bits, TTA, TCP0 to 9: all but floating point (B4.1.66) */
#define HDCR_TDRA_TDOSA_TDA (7u << 9)
#define CNTHCTL_PL1_ALL     3u /* the guest's own timers and counters, physical ones too (B4.1.21) */
#define PMCR_N              0x0000f800u
#define PMCR_RESET          6u /* event counters and cycle counter to zero, disabled (B4.1.117) */

static_assert(STACK_COUNT == CPUS_MAX, "a stack for each core");

struct cpu cpus[CPUS_MAX];
unsigned int cpu_count, cpu_alike;

static struct {
	struct spinlock lock;
	bool restarting;
	struct {
		int8_t state; /* AFFINITY_ON and so on */
		bool parked;
		bool online;
		uint32_t entry, context;
	} cpu[CPUS_MAX];
} states;

_Noreturn void guest_enter(const struct guest_regs *regs, void *stack_top);

void vcpu_init_cpu(void)
{
	write_HVBAR((uintptr_t)hyp_vectors + VECTORS_AT(errata_at_exit(read_MIDR(), read_ACTLR())));
	write_HCR(HCR_BIVY);
	write_HSTR(HSTR_T15);
	write_HCPTR(HCPTR_BIVY);
	write_HDCR(HDCR_TDRA_TDOSA_TDA | FIELD_GET(PMCR_N, read_PMCR()));
	write_CNTHCTL(CNTHCTL_PL1_ALL);
	write_CNTVOFF(0);
	write_VPIDR(read_MIDR());
	write_VMPIDR(read_MPIDR());
	stage2_activate();
}

int vcpu_find(uint32_t mpidr)
{
	for (unsigned int i = 0; i < vgic.cpu_count; i++) {
		if (cpus[i].mpidr == mpidr && vcpu_is_online(i)) {
			return (int)i;
		}
	}
	return -1;
}

static void kick(unsigned int index)
{
	gic_kick(vgic.gic_mask[index]);
}

int32_t vcpu_on(unsigned int index, uint32_t entry, uint32_t context)
{
	int32_t result = PSCI_SUCCESS;

	spin_lock(&states.lock);
	if (states.cpu[index].state != AFFINITY_OFF || states.restarting) {
		result = states.cpu[index].state == AFFINITY_ON ? PSCI_ALREADY_ON : PSCI_ON_PENDING;
	} else {
		states.cpu[index].state = AFFINITY_ON_PENDING;
		states.cpu[index].entry = entry;
		states.cpu[index].context = context;
	}
	spin_unlock(&states.lock);
	if (result == PSCI_SUCCESS) {
		kick(index);
	}
	return result;
}

int32_t vcpu_state(unsigned int index)
{
	return __atomic_load_n(&states.cpu[index].state, __ATOMIC_RELAXED);
}

void vcpu_set_online(unsigned int index)
{
	__atomic_store_n(&states.cpu[index].state, AFFINITY_OFF, __ATOMIC_RELAXED);
	__atomic_store_n(&states.cpu[index].online, true, __ATOMIC_RELEASE);
}

bool vcpu_is_online(unsigned int index)
{
	return __atomic_load_n(&states.cpu[index].online, __ATOMIC_ACQUIRE);
}

void vcpu_restart_all(void)
{
	spin_lock(&states.lock);
	states.restarting = true;
	for (unsigned int i = 0; i < cpu_count; i++) {
		cpus[i].must_park = true;
	}
	spin_unlock(&states.lock);
	for (unsigned int i = 0; i < cpu_count; i++) {
		kick(i);
	}
}

/* System registers of PL1 as after reset (B1.9.1, the registers' own sections), and of this core's
 * timers. */
static void reset_registers(void)
{
	write_SCTLR(SCTLR_RESET);
	write_CPACR(0);
	write_TTBCR(0);
	write_TTBR0(0);
	write_TTBR1(0);
	write_DACR(0);
	write_DFSR(0);
	write_IFSR(0);
	write_ADFSR(0);
	write_AIFSR(0);
	write_DFAR(0);
	write_IFAR(0);
	write_PAR(0);
	write_PRRR(0);
	write_NMRR(0);
	write_VBAR(0);
	write_CONTEXTIDR(0);
	write_TPIDRURW(0);
	write_TPIDRURO(0);
	write_TPIDRPRW(0);
	write_CNTKCTL(0);
	write_CNTP_CTL(0);
	write_CNTV_CTL(0);
	write_PMUSERENR(0);
	write_PMINTENCLR(~0u);
	write_PMCNTENCLR(~0u);
	write_PMCR(PMCR_RESET);
	write_HCR(HCR_BIVY);
	banked_registers_reset();
	isb();
}

static char *stack_top(void)
{
	return _stacks + (this_cpu()->index + 1) * STACK_SLOT;
}

/* The vectors saved the guest's registers at the top of the stack. */
_Noreturn void trap_again(void)
{
	char *top = stack_top();

	guest_enter((struct guest_regs *)top - 1, top);
}

static _Noreturn void enter(uint32_t entry, uint32_t r0, uint32_t r1, uint32_t r2)
{
	struct guest_regs regs = {
		.pc = entry & ~1u,
		.cpsr = PSR_SVC | PSR_A | PSR_I | PSR_F | PSR_Z | ((entry & 1) != 0 ? PSR_T : 0),
		.r = {r0, r1, r2},
	};

	reset_registers();
	stage2_activate();
	vgic_enter_cpu(this_cpu()->index);
	guest_enter(&regs, stack_top());
}

/* The boot core's part of a restart, once all cores are parked. Returns false if some aren't yet.
 */
static bool restart_if_all_parked(void)
{
	bool all = true;

	spin_lock(&states.lock);
	for (unsigned int i = 0; i < cpu_count; i++) {
		all = all && (states.cpu[i].parked || !states.cpu[i].online);
	}
	if (all) {
		for (unsigned int i = 0; i < cpu_count; i++) {
			cpus[i].must_park = false;
			states.cpu[i].state = AFFINITY_OFF;
		}
		states.restarting = false;
		states.cpu[0].state = AFFINITY_ON;
		states.cpu[0].parked = false;
	}
	spin_unlock(&states.lock);
	return all;
}

/* Before a restart the guest's RAM must be clean behind all caches, those of each cluster, too. */
static void park_begin(unsigned int self)
{
	if (__atomic_load_n(&cpus[self].must_park, __ATOMIC_RELAXED)) {
		cache_flush_all();
	} else {
		cache_flush_core();
	}
	spin_lock(&states.lock);
	states.cpu[self].state = AFFINITY_OFF;
	states.cpu[self].parked = true;
	spin_unlock(&states.lock);
	kick(0);
}

_Noreturn void vcpu_park(void)
{
	const unsigned int self = this_cpu()->index;
	bool start = false;
	uint32_t entry = 0, context = 0;

	vgic_leave_cpu(self);
	park_begin(self);
	for (;;) {
		if (self == 0 && __atomic_load_n(&states.restarting, __ATOMIC_ACQUIRE) &&
		    restart_if_all_parked()) {
			vm_restart();
			enter(vm.entry, 0, ~0u, vm.tree);
		}
		spin_lock(&states.lock);
		if (states.cpu[self].state == AFFINITY_ON_PENDING && !states.restarting) {
			states.cpu[self].state = AFFINITY_ON;
			states.cpu[self].parked = false;
			entry = states.cpu[self].entry;
			context = states.cpu[self].context;
			start = true;
		}
		spin_unlock(&states.lock);
		if (start) {
			enter(entry, context, 0, 0);
		}
		wfi();
		irq_take();
	}
}

/* The first start of the guest, by the boot core. */
_Noreturn void vcpu_boot(void)
{
	states.cpu[0].state = AFFINITY_ON;
	enter(vm.entry, 0, ~0u, vm.tree);
}
