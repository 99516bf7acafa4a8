/* SPDX-License-Identifier: BSD-2-Clause */
/* bivy's start once the MMU is on: board, cores, guest. */
#include <string.h>
#include "arch.h"
#include "console.h"
#include "cache.h"
#include "cpu.h"
#include "power.h"
#include "print.h"
#include "stage1.h"
#include "stage2.h"
#include "timer.h"
#include "trap.h"
#include "vcpu.h"
#include "vgic.h"
#include "vm.h"
#include "boot/early.h"
#include "../drivers/hw/gicv2.h"

#define CORE_START_MS 1000
#define COUNTER_TRIES 1000000

_Noreturn void hyp_main(void);
_Noreturn void secondary_main(unsigned int index);

static void map_gic(void)
{
	if (board.gicd.size == 0 || board.gicc.size == 0) {
		stop("this board has no GICv2; bivy needs one with virtualization extensions");
	}
	if (board.gich.size == 0 || board.gicv.size == 0) {
		stop("this board's GICv2 has no GICH and GICV registers (QEMU: -M "
		     "virt,virtualization=on,gic-version=2)");
	}
	stage1_map_device(GICD_VA, board.gicd.base, PAGE_SIZE);
	stage1_map_device(GICC_VA, board.gicc.base, 2 * PAGE_SIZE);
	stage1_map_device(GICH_VA, board.gich.base, PAGE_SIZE);
	stage1_map_device(GICV_VA, board.gicv.base, PAGE_SIZE);
}

/* What each core does for itself, with its own registers. */
static void init_core(unsigned int index)
{
	uint32_t mask;
	unsigned int lr_count;

	cpus[index].vgic = &vgic.cpu[index];
	write_HTPIDR((uintptr_t)&cpus[index]);
	lr_count = gic_init_cpu(&mask);
	vgic.lr_count = lr_count < VGIC_LRS_MAX ? lr_count : VGIC_LRS_MAX;
	vgic.gic_mask[index] = (uint8_t)mask;
	gic_enable(0, 1u << board.maintenance_intid, true);
	vcpu_init_cpu();
	vcpu_set_online(index);
}

_Noreturn void secondary_main(unsigned int index)
{
	stage1_activate();
	init_core(index);
	timer_init_cpu();
	vcpu_park();
}

/* The boot core is index 0; those of its kind follow in the board's order, then the others. */
static void number_cores(void)
{
	const uint32_t self = read_MPIDR() & MPIDR_AFFINITY;
	unsigned int boot = 0;

	while (boot < board.cpu_count - 1 && board.cpu_mpidr[boot] != self) {
		boot++;
	}
	cpus[0].mpidr = self;
	cpu_count = 1;
	for (unsigned int i = 0; i < 2 * board.cpu_count; i++) {
		const unsigned int core = i % board.cpu_count;
		const bool alike = board.cpu_kind[core] == board.cpu_kind[boot];

		if (board.cpu_mpidr[core] != self && alike == (i < board.cpu_count) &&
		    cpu_count < CPUS_MAX) {
			cpus[cpu_count].index = cpu_count;
			cpus[cpu_count++].mpidr = board.cpu_mpidr[core];
		}
		if (i < board.cpu_count) {
			cpu_alike = cpu_count;
		}
	}
	for (unsigned int i = cpu_count; i < CPUS_MAX; i++) {
		cpus[i].mpidr = ~0u; /* no core's */
	}
}

static void start_core(unsigned int index)
{
	const uint32_t entry = image_pa + (uint32_t)(secondary_start - _image_start);
	const uint64_t limit = read_CNTPCT() + (uint64_t)(read_CNTFRQ() / 1000) * CORE_START_MS;
	int32_t result = power_start(cpus[index].mpidr, entry);

	if (result != PSCI_SUCCESS) {
		say("core %lx does not start: CPU_ON of the board answered %ld; the guest goes "
		    "without",
		    cpus[index].mpidr, result);
		return;
	}
	while (!vcpu_is_online(index) && read_CNTPCT() < limit) {
	}
	if (!vcpu_is_online(index)) {
		say("core %lx did not come up within %d ms; the guest goes without",
		    cpus[index].mpidr, CORE_START_MS);
	}
}

/* All that waits relies on it. A tick is less than a thousand instructions. */
static void check_timer(void)
{
	const uint64_t start = read_CNTPCT();

	if (read_CNTFRQ() == 0) {
		stop("this board's firmware has not set CNTFRQ, the timer's frequency, which only "
		     "it can; bivy needs one that does");
	}
	for (unsigned int i = 0; read_CNTPCT() == start; i++) {
		if (i == COUNTER_TRIES) {
			stop("this board's counter stands still; its firmware has to start it");
		}
	}
}

static const char *plural(unsigned int count)
{
	return count == 1 ? "" : "s";
}

_Noreturn void hyp_main(void)
{
	unsigned int online = 0;

	stage1_activate();
	console_init(&board);
	say("on %s, %d core%s, RAM %llu MiB at %llx", board.model, board.cpu_count,
	    plural(board.cpu_count), board.ram.size >> 20, board.ram.base);
	if (board.ram_elsewhere >> 20 != 0) {
		say("%llu MiB of RAM are elsewhere or above 4 GiB and not used",
		    board.ram_elsewhere >> 20);
	}
	map_gic();
	check_timer();
	number_cores();
	vgic.words = gic_init_distributor() / 32;
	if (vgic.words == VGIC_WORDS_MAX) {
		vgic.words--; /* with 992 to 1019, which no one has */
	}
	init_core(0);
	timer_init();
	stage1_map_window(board.window.base, board.window.base + board.window.size);
	power_init();
	board_trng_init();
	vm_create();
	cache_flush(cpus, sizeof(cpus)); /* they look for themselves before their caches are on */
	/* One that is held without PSCI can't stay in RAM that may become the guest's. */
	for (unsigned int i = 1; i < (board.psci ? vgic.cpu_count : cpu_count); i++) {
		start_core(i);
	}
	for (unsigned int i = 0; i < vgic.cpu_count; i++) {
		online += vcpu_is_online(i);
	}
	say("kept %d KiB at %llx for itself%s%llu%s", KEEP_SIZE >> 10, (uint64_t)image_pa,
	    vm.keeps_bundle ? ", and " : "; bundle of ", vm.bundle.size >> 10,
	    vm.keeps_bundle ? " KiB of bundle to restart the guest from"
			    : " KiB given to the guest");
	if (vm.kept.size != 0) {
		say("kept %llu MiB at %llx for the guest's overlays and flash", vm.kept.size >> 20,
		    vm.kept.base);
	}
	vm_load();
	say("the guest gets %d core%s, RAM %llu MiB at %llx, %d device%s; Ctrl-] chooses its "
	    "console",
	    online, plural(online), vm.memory.size >> 20, vm.memory.base, vm.config.device_count,
	    plural(vm.config.device_count));
	console_start_interrupts();
	vcpu_boot();
}
