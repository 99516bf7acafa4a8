/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits of the guest: from the syndrome to who answers. All state is the core's own. */
#include "trap.h"
#include "console.h"
#include "errata.h"
#include "inject.h"
#include "irq.h"
#include "mmio.h"
#include "print.h"
#include "timer.h"
#include "vcpu.h"
#include "vgic.h"
#include "boot/early.h"
#include "../drivers/hw/gicv2.h"

/* An access of one register to where stage 2 maps nothing has these as FSC_TRANSLATION and HSR_ISV.
 */
#define HSR_DESCRIBED (HSR_ISV | HSR_S1PTW | HSR_FSC_CLASS)

/* ARM DDI 0406C A8.3: the condition passes with these flags. Rare, so kept out of line. */
static __attribute__((cold, noinline)) bool condition_passes(uint32_t condition, uint32_t cpsr)
{
	const bool n = cpsr >> 31 & 1, z = cpsr >> 30 & 1, c = cpsr >> 29 & 1, v = cpsr >> 28 & 1;
	bool pass;

	switch (condition >> 1) {
	case 0:
		pass = z;
		break;
	case 1:
		pass = c;
		break;
	case 2:
		pass = n;
		break;
	case 3:
		pass = v;
		break;
	case 4:
		pass = c && !z;
		break;
	case 5:
		pass = n == v;
		break;
	case 6:
		pass = !z && n == v;
		break;
	default:
		return true;
	}
	return pass != (condition & 1);
}

/* ITAdvance (A2.5.2); IT[1:0] are bits 26:25 of the CPSR, IT[7:2] bits 15:10. */
void advance_it(struct guest_regs *regs)
{
	uint32_t it = (regs->cpsr >> 25 & 3) | (regs->cpsr >> 8 & 0xfc);

	it = (it & 7) == 0 ? 0 : (it & 0xe0) | (it << 1 & 0x1f);
	regs->cpsr = (regs->cpsr & ~PSR_IT) | (it & 3) << 25 | (it & 0xfc) << 8;
}

static uint32_t length_of(uint32_t hsr)
{
	return 2 + hsr / HSR_IL % 2 * 2;
}

static void trap_unknown(struct guest_regs *regs, uint32_t hsr)
{
	if (hsr >> HSR_EC_SHIFT >= 0x10 || !condition_fails(regs, hsr)) {
		inject_undefined(regs);
	}
}

bool condition_fails(struct guest_regs *regs, uint32_t hsr)
{
	if ((hsr & HSR_CV) == 0 || (hsr & HSR_COND) >= 0x00e00000u ||
	    condition_passes(FIELD_GET(HSR_COND, hsr), regs->cpsr)) {
		return false;
	}
	skip_instruction(regs, length_of(hsr));
	return true;
}

/* WFI and WFE don't trap; should an implementation do so all the same, they are hints. */
static void trap_wait(struct guest_regs *regs, uint32_t hsr)
{
	if (!condition_fails(regs, hsr)) {
		skip_instruction(regs, length_of(hsr));
	}
}

/*
 * Accesses to the unmapped instructions' space, and permission faults, which only a walk of the
 * guest's own tables could cause: nothing is there.
 */
static void trap_prefetch_abort(struct guest_regs *regs, uint32_t hsr)
{
	inject_prefetch_abort(regs, read_HIFAR(),
			      (hsr & HSR_S1PTW) != 0 ? ABORT_EXTERNAL_WALK : ABORT_EXTERNAL);
}

/* The guest's access reached the bus and failed there, later: a virtual asynchronous abort (B1.9.9,
 * HCR.VA). */
static void pass_async_abort(void)
{
	write_HCR(read_HCR() | HCR_VA);
	isb();
}

/*
 * What nothing answers: faults other than "nothing mapped", and those that the syndrome doesn't
 * describe. Permission faults are writes to flash, and HPFAR says nothing of them (B3.13.3).
 */
static __attribute__((cold, noinline)) void trap_other_abort(struct guest_regs *regs, uint32_t hsr)
{
	if ((hsr & HSR_FSC) == FSC_ASYNC_EXTERNAL || (hsr & HSR_FSC) == FSC_ASYNC_PARITY) {
		pass_async_abort();
	} else if ((hsr & HSR_S1PTW) != 0) {
		inject_data_abort(regs, read_HDFAR(), ABORT_EXTERNAL_WALK, (hsr & HSR_WNR) != 0);
	} else if ((hsr & HSR_FSC_CLASS) != FSC_TRANSLATION &&
		   (hsr & HSR_FSC_CLASS) != FSC_PERMISSION) {
		inject_data_abort(regs, read_HDFAR(), ABORT_EXTERNAL, (hsr & HSR_WNR) != 0);
	} else {
		emulate_transfer(regs, hsr);
	}
}

/*
 * An access to the device that the syndrome describes. Returns false if nothing is there, or not
 * aligned so.
 */
static __attribute__((cold, noinline)) bool access_described(struct guest_regs *regs, uint32_t hsr)
{
	const uint64_t ipa = (uint64_t)(read_HPFAR() & HPFAR_FIPA) << 8 | (read_HDFAR() & 0xfff);
	const uint32_t size = 1u << FIELD_GET(HSR_SAS, hsr), unused = 32 - 8 * size;
	const unsigned int n = FIELD_GET(HSR_SRT, hsr);
	uint32_t value;

	if ((hsr & HSR_WNR) != 0) {
		return mmio_write_ipa(ipa, size, guest_register(regs, n) << unused >> unused);
	}
	if (!mmio_read_ipa(ipa, size, &value)) {
		return false;
	}
	value <<= unused;
	set_guest_register(regs, n,
			   (hsr & HSR_SSE) != 0 ? (uint32_t)((int32_t)value >> unused)
						: value >> unused);
	return true;
}

/*
 * The same of a word, from or to r0 to r7, by an instruction of 4 bytes; no Thumb store, see
 * wrong_register(). Returns false if it is to be looked at again.
 */
always_inline bool access_word(struct guest_regs *regs, uint32_t hsr)
{
	const uint32_t va = read_HDFAR(), n = FIELD_GET(HSR_SRT, hsr) & 7;
	const uint32_t key = (read_HPFAR() & HPFAR_FIPA) | (va >> MMIO_KEY_SHIFT & 0xf);
	uint32_t offset;
	const struct mmio_region *region =
		mmio_find(key, va & ((1u << MMIO_KEY_SHIFT) - 1), &offset);

	if (region == NULL || va % 4 != 0) {
		return false;
	}
	if (__builtin_expect((hsr & HSR_WNR) != 0, 0)) {
		if ((regs->cpsr & PSR_T) != 0) {
			return false;
		}
		mmio_region_write(region, offset, 4, regs->r[n]);
	} else {
		regs->r[n] = mmio_region_read(region, offset, 4);
	}
	skip_instruction(regs, 4);
	return true;
}

/* Whether the syndrome may name a wrong register for this Thumb instruction. */
static __attribute__((cold, noinline)) bool wrong_register(uint32_t hsr)
{
	return (hsr & HSR_WNR) != 0 && (errata_of(read_MIDR()) & ERRATA_766422) != 0;
}

/* A write of a word to a transport that the guest reads with no exit; else, for instance, to flash.
 */
static __attribute__((noinline)) void trap_shown_write(struct guest_regs *regs, uint32_t hsr)
{
	const uint32_t va = read_HDFAR();
	const struct mmio_region *region = mmio_shown[va / MMIO_SHOWN_BYTES % MMIO_SHOWN];
	const bool thumb = (regs->cpsr & PSR_T) != 0;

	if (region == NULL || va % 4 != 0 || (thumb && wrong_register(hsr))) {
		emulate_transfer(regs, hsr);
		return;
	}
	mmio_region_write(region, va % MMIO_SHOWN_BYTES, 4,
			  guest_register(regs, FIELD_GET(HSR_SRT, hsr)));
	skip_instruction(regs, length_of(hsr));
}

static __attribute__((cold, noinline)) void trap_rarer_abort(struct guest_regs *regs, uint32_t hsr)
{
	if ((hsr & HSR_DESCRIBED) != (HSR_ISV | FSC_TRANSLATION) ||
	    ((regs->cpsr & PSR_T) != 0 && wrong_register(hsr))) {
		trap_other_abort(regs, hsr);
	} else if (access_described(regs, hsr)) {
		skip_instruction(regs, length_of(hsr));
	} else {
		inject_data_abort(regs, read_HDFAR(), ABORT_EXTERNAL, (hsr & HSR_WNR) != 0);
	}
}

/*
 * An access of one register that the syndrome describes (B3.13.6, ISS of EC 0x24). The first way is
 * the last for what nearly all are: a word, r0 to r7, an instruction of 4 bytes.
 */
static void trap_data_abort(struct guest_regs *regs, uint32_t hsr)
{
	const uint32_t shape = hsr & (HSR_DESCRIBED | HSR_IL | HSR_SAS | HSR_SRT_8);

	if (shape == (HSR_ISV | HSR_IL | HSR_SAS_WORD | FSC_TRANSLATION)) {
		if (access_word(regs, hsr)) {
			return;
		}
	} else if ((shape & ~(HSR_IL | HSR_SRT_8)) == (HSR_ISV | FSC_PERMISSION | HSR_SAS_WORD)) {
		trap_shown_write(regs, hsr);
		return;
	}
	trap_rarer_abort(regs, hsr);
}

/* Each row, and trap_unknown for all else: what nobody may do is UNDEFINED. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
const trap_handler trap_handlers[64] = {
	[0x00 ... 0x3f] = trap_unknown,
	[0x01] = trap_wait,
	[0x03] = trap_cp15,
	[0x04] = trap_cp15_64,
	[0x05] = trap_cp14,
	[0x0c] = trap_cp14_64,
	[0x12] = trap_hvc,
	[0x13] = trap_smc,
	[0x20] = trap_prefetch_abort,
	[0x24] = trap_data_abort,
};
#pragma GCC diagnostic pop

/* An SPI is bivy's own, or the guest's: returns true if the guest is to deactivate it. Out of the
 * way of the others. */
static __attribute__((noinline)) bool take_spi(unsigned int cpu, uint32_t intid)
{
	if (irq_handle(intid) || !vgic_forward_spi(cpu, intid)) {
		return false;
	}
	timer_watch_spi(cpu);
	return true;
}

/*
 * One physical interrupt. The guest's own stay active until it ends them (EOImode 1, HW list
 * registers). A parked core has no list registers in use, and takes in what came meanwhile when it
 * enters the guest.
 */
always_inline void take_interrupt(unsigned int cpu, bool parked)
{
	const uint32_t iar = gicc_acknowledge(), intid = iar & IAR_INTID;

	if (intid >= INTID_SPURIOUS) {
		return;
	}
	gicc_eoi(iar);
	if ((intid == INTID_VTIMER || intid == INTID_PTIMER) && !parked) {
		timer_forward(cpu, intid);
		return;
	}
	if (intid == KICK_SGI || intid == board.maintenance_intid) {
		dsb(); /* what the sender wrote before its kick is seen after the acknowledge
			  (A3.8.3) */
		if (!parked) {
			vgic_refresh(cpu);
		}
	} else if (intid == board.hyp_timer_intid) {
		timer_irq(cpu);
	} else if (take_spi(cpu, intid)) {
		return;
	}
	gicc_deactivate(iar);
}

void irq_take(void)
{
	take_interrupt(this_cpu()->index, true);
}

void trap_irq(struct guest_regs *regs)
{
	const struct cpu *cpu = this_cpu();

	(void)regs;
	take_interrupt(cpu->index, false);
	if (__atomic_load_n(&cpu->must_park, __ATOMIC_RELAXED)) {
		vcpu_park();
	}
}

_Noreturn void hyp_panic(const struct guest_regs *regs, unsigned int vector)
{
	static const char *const vectors[] = {"reset", "undefined instruction", "HVC in HYP mode",
					      "prefetch abort", "data abort"};

	console_write_last("\r\n", 2);
	panic("%s at %08lx in HYP mode, HSR %08lx, HDFAR %08lx, HIFAR %08lx, HPFAR %08lx, CPSR "
	      "%08lx, LR %08lx\r\n"
	      "  r0 %08lx %08lx %08lx %08lx  r4 %08lx %08lx %08lx %08lx  r8 %08lx %08lx %08lx "
	      "%08lx  r12 %08lx",
	      vectors[vector], regs->pc, read_HSR(), read_HDFAR(), read_HIFAR(), read_HPFAR(),
	      regs->cpsr, regs->lr, regs->r[0], regs->r[1], regs->r[2], regs->r[3], regs->r[4],
	      regs->r[5], regs->r[6], regs->r[7], regs->r[8], regs->r[9], regs->r[10], regs->r[11],
	      regs->r[12]);
}
