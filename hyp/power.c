/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the board starts its other cores and goes off. Firmware with PSCI is asked; without it, held
 * cores poll a word for the address to go to (`enable-method = "spin-table"`, or SYS_FLAGS of a
 * Versatile Express), and a Versatile Express's controller switches power (ARM DUI 0447,
 * SYS_CFGCTRL). The ROM of a TI AM572x holds its second core (SPRUHZ6, Initialization, and Linux's
 * omap-headsmp.S): never run. No lock: one core starts the others, and whoever switches off is the
 * last to act.
 */
#include "power.h"
#include "arch.h"
#include "cache.h"
#include "console.h"
#include "cpu.h"
#include "layout.h"
#include "stage1.h"
#include "vcpu.h"
#include "boot/early.h"
#include "../drivers/hw/gicv2.h"

#define SYSREG_VA  (DEVICE_VA + DEVICE_VA_SIZE - PAGE_SIZE)
#define RELEASE_VA (SYSREG_VA - CPUS_MAX * PAGE_SIZE) /* a page for each core's word */

#define AUX_CORE_BOOT_0 0x800 /* which core goes */
#define AUX_CORE_BOOT_1 0x804 /* and where to */
#define CORE_1          0x20

#define SYS_FLAGS        0x30 /* writing it sets bits */
#define SYS_CFGCTRL      0xa4
#define CFGCTRL_WRITE    0xc0000000u /* start, write; of the motherboard */
#define CFGCTRL_SHUTDOWN (8u << 20)
#define CFGCTRL_REBOOT   (9u << 20)

#define PSCI_SYSTEM_OFF   0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u

/* Constant after power_init(); NULL: there is none. */
static const struct board_device *sysreg, *wakeup;

/* TI's ROM leaves its core in Non-secure SVC mode, and enters HYP mode at r0 by its call 0x102. */
__attribute__((naked, target("arm"))) static void enter_by_rom(void)
{
	asm volatile("adr	r3, 1f\n"
		     "	ldr	r0, [r3]\n"
		     "	add	r0, r0, r3\n"
		     "	mov	r12, #0x100\n"
		     "	add	r12, r12, #2\n"
		     "	smc	#0\n"
		     "	b	.\n"
		     "1:	.word	secondary_start - 1b\n");
}

/* r4 to r7 are kept by SMCCC 1.1 and later alone (DEN0028 2.6). */
void smc_call(uint32_t r[4])
{
	register uint32_t r0 asm("r0") = r[0], r1 asm("r1") = r[1];
	register uint32_t r2 asm("r2") = r[2], r3 asm("r3") = r[3];

	asm volatile("smc #0"
		     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
		     :
		     : "r4", "r5", "r6", "r7", "r8", "r12", "lr", "memory");
	r[0] = r0;
	r[1] = r1;
	r[2] = r2;
	r[3] = r3;
}

void power_init(void)
{
	sysreg = board_device(&board, BOARD_SYSREG);
	if (sysreg != NULL) {
		stage1_map_device(SYSREG_VA, sysreg->base, PAGE_SIZE);
	}
	wakeup = board.psci ? NULL : board_device(&board, BOARD_WAKEUP);
}

/* Where core @i of the board's waits for an address; 0: nowhere. */
static uint64_t release_of(unsigned int i)
{
	if (board.cpu_release[i] == 0 && wakeup != NULL) {
		return wakeup->base + AUX_CORE_BOOT_1;
	}
	if (board.cpu_release[i] == 0 && !board.psci && sysreg != NULL) {
		return sysreg->base + SYS_FLAGS;
	}
	return board.cpu_release[i];
}

/*
 * The word is Device memory here, so that a core with its caches off sees it; of what firmware left
 * in caches, nothing may come over it, and no core that polls with its caches on may keep it (ARM
 * DDI 0406C A3.5.7). The core waits by WFE or by WFI, with its CPU interface open.
 */
static void release(uint64_t word, uintptr_t page, uint32_t entry)
{
	const uintptr_t va = page + word % PAGE_SIZE;

	stage1_map_device(page, word, PAGE_SIZE);
	cache_flush((const void *)va, sizeof(entry));
	if (wakeup != NULL) {
		mmio_write(va, image_pa + ((uint32_t)enter_by_rom - (uint32_t)_image_start));
		mmio_write(va - AUX_CORE_BOOT_1 + AUX_CORE_BOOT_0, CORE_1);
	} else {
		mmio_write(va, entry);
	}
	cache_flush((const void *)va, sizeof(entry));
	gic_kick(GIC_OTHERS);
	asm volatile("sev");
}

int32_t power_start(uint32_t mpidr, uint32_t entry)
{
	uint32_t r[4] = {board.psci_cpu_on, mpidr, entry, 0};
	unsigned int i = 0;

	while (board.cpu_mpidr[i] != mpidr) {
		i++;
	}
	if (release_of(i) != 0) {
		release(release_of(i), RELEASE_VA + i * PAGE_SIZE, entry);
		return PSCI_SUCCESS;
	}
	if (!board.psci) {
		return PSCI_NOT_SUPPORTED;
	}
	smc_call(r);
	return (int32_t)r[0];
}

/* A second is enough for the controller to act. */
static void switch_power(uint32_t psci, uint32_t function)
{
	const uint64_t limit = read_CNTPCT() + read_CNTFRQ();
	uint32_t r[4] = {psci};

	console_drain();
	if (board.psci) {
		smc_call(r);
	} else if (sysreg != NULL) {
		mmio_write(SYSREG_VA + SYS_CFGCTRL, CFGCTRL_WRITE | function);
		while (read_CNTPCT() < limit) {
		}
	}
}

void power_off(void)
{
	switch_power(PSCI_SYSTEM_OFF, CFGCTRL_SHUTDOWN);
}

void power_reset(void)
{
	switch_power(PSCI_SYSTEM_RESET, CFGCTRL_REBOOT);
}
