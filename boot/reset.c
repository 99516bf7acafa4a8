/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The head of an image that nothing comes before: every core enters it from reset in Secure SVC
 * mode, opens to Non-secure state what only Secure state can, and goes to HYP mode. Core 0 then
 * starts bivy as a boot loader would, the others wait until bivy wants them. tools/mkreset puts the
 * image together; where it is in flash, core 0 copies it to RAM, which the guest gets: all cores
 * that are sent here must be in the tree, so that bivy takes them. A program of its own, not part
 * of bivy.bin. MMU and caches are off: all memory is Strongly-ordered. No lock: the cores share
 * nothing that changes.
 */
#include <stddef.h>
#include <string.h>
#include "hyp/arch.h"
#include "hyp/config.h"
#include "hyp/errata.h"

/* Parts of the image, as tools/mkreset lays it out. */
#define TREE   0x010000u
#define BIVY   0x100000u
#define BUNDLE 0x200000u

#define STACK     0x2000 /* bytes of a core's, below the image's place in RAM */
#define SYS_FLAGS 0x30   /* of a Versatile Express (ARM DUI 0447), zero after reset */

#define GICD_IGROUPR  0x80
#define IGROUPR_WORDS 32
#define GICC_PMR      0x04

#define SCR_NS_FW_AW_HCE 0x131u /* ARM DDI 0406C B4.1.129 */
#define HSCTLR_OFF                                                                                 \
	0x30c50878u /* RES1 bits, CP15BEN: MMU and caches off, little-endian, ARM (B4.1.74) */
#define NSACR_OPEN 0x40c00u /* floating point (B4.1.111); NS_SMP of the Cortex-A7 and A15 */
#define ACTLR_SMP  (1u << 6)

CP15_WRITE(CNTFRQ, 0, c14, c0, 0)
CP15(NSACR, 0, c1, c1, 2)

#pragma GCC visibility push(hidden)
extern char image_start[];
#pragma GCC visibility pop

void reset(void);
_Noreturn void reset_core(uint32_t place, uint32_t mpidr);

/*
 * The words behind the branch: where the image is to be in RAM, which mkreset fills in; and what
 * its tree tells cores to poll, if the image is there already.
 */
__attribute__((naked, section(".head"))) void reset(void)
{
	asm volatile("b	1f\n"
		     "2:	.word	0, 0\n"
		     "1:	cpsid	aif\n"
		     "	mrc	p15, 0, r1, c0, c0, 5\n"
		     "	and	r2, r1, #3\n"
		     "	ubfx	r3, r1, #8, #2\n"
		     "	add	r2, r2, r3, lsl #2\n" /* up to four clusters of four */
		     "	ldr	r0, 2b\n"
		     "	sub	sp, r0, r2, lsl %0\n"
		     "	b	reset_core\n"
		     :
		     : "i"(__builtin_ctz(STACK)));
}

/* All interrupts are Non-secure, which state may mask by any priority (IHI 0048B 4.3.4, 4.4.2). */
static void open_gic(const struct board *board)
{
	for (uint32_t i = 0; i < IGROUPR_WORDS; i++) {
		mmio_write((uint32_t)board->gicd.base + GICD_IGROUPR + 4 * i, ~0u);
	}
	mmio_write((uint32_t)board->gicc.base + GICC_PMR, 0xff);
}

/*
 * A core takes part in coherency before its caches are on (Cortex-A15, ARM DDI 0438, ACTLR.SMP).
 * What else ACTLR has against errata is set here, too.
 */
static void open_core(const struct board *board)
{
	const uint32_t errata = errata_of(read_MIDR());

	write_NSACR(NSACR_OPEN);
	write_ACTLR(read_ACTLR() | ACTLR_SMP | ((errata & ERRATA_ICIALLU) != 0 ? ACTLR_IBE : 0) |
		    ((errata & ERRATA_773022) != 0 ? ACTLR_LOOP_BUFFER_OFF : 0));
	if (board->timer_frequency != 0) { /* else as it is at reset, UNKNOWN on silicon */
		write_CNTFRQ(board->timer_frequency);
	}
}

/*
 * Only in Monitor mode SCR.NS may be set at no risk, and only with it set may an exception return
 * lead to HYP mode (ARM DDI 0406C B4.1.129, B1.3.2). The stack goes along. A reset into Secure
 * state need not have set HSCTLR, which is there with SCR.NS.
 */
static void enter_hyp(void)
{
	asm volatile("mov	r3, sp\n"
		     "	cps	#0x16\n"
		     "	mcr	p15, 0, %0, c1, c1, 0\n"
		     "	isb\n"
		     "	mcr	p15, 4, %2, c1, c0, 0\n"
		     "	msr	spsr_cxsf, %1\n"
		     "	adr	r2, 1f\n"
		     "	movs	pc, r2\n"
		     "1:	mov	sp, r3\n"
		     :
		     : "r"(SCR_NS_FW_AW_HCE), "r"(PSR_A | PSR_I | PSR_F | PSR_HYP), "r"(HSCTLR_OFF)
		     : "r2", "r3", "lr", "cc", "memory");
}

/* The word that bivy will write for this core; 0: it won't. */
static uint32_t release_of(const struct board *board, uint32_t mpidr)
{
	const struct board_device *sysreg = board_device(board, BOARD_SYSREG);

	for (unsigned int i = 0; i < board->cpu_count; i++) {
		if (board->cpu_mpidr[i] == mpidr && board->cpu_release[i] != 0) {
			return (uint32_t)board->cpu_release[i];
		}
	}
	return sysreg != NULL ? (uint32_t)sysreg->base + SYS_FLAGS : 0;
}

/* The word comes first: whoever wrote it may have sent its event before this core was there to get
 * it. */
static _Noreturn void hold(uint32_t word)
{
	uint32_t entry;

	while (word == 0 || (entry = mmio_read(word)) == 0) {
		asm volatile("wfe");
	}
	((void (*)(void))entry)();
	__builtin_unreachable();
}

static _Noreturn void start(uint32_t place, const struct board *board)
{
	const uint32_t tree = place + TREE;

	if (place != (uint32_t)image_start) {
		memcpy((void *)place, image_start, BUNDLE + (size_t)board->bundle.size);
	}
	dsb(); /* written before it may be fetched (B2.2.9) */
	write_ICIALLU(0);
	write_BPIALL(0);
	dsb();
	isb();
	((void (*)(uint32_t, uint32_t, uint32_t))(place + BIVY))(0, ~0u, tree);
	__builtin_unreachable();
}

/* A tree that can't be used, or a core without HYP mode: bivy says so. */
_Noreturn void reset_core(uint32_t place, uint32_t mpidr)
{
	struct config_error error;
	struct board board;
	const bool known = board_read(image_start + TREE, BIVY - TREE, &board, &error) == 0;
	uint32_t cpsr;

	asm volatile("mrs %0, cpsr" : "=r"(cpsr));
	if (FIELD_GET(0xf000u, read_ID_PFR1()) != 0 && (cpsr & PSR_MODE) == PSR_SVC) {
		if (known) {
			open_gic(&board);
		}
		open_core(&board);
		enter_hyp();
	}
	if ((mpidr & MPIDR_AFFINITY) != 0) {
		hold(release_of(&board, mpidr & MPIDR_AFFINITY));
	}
	start(place, &board);
}
