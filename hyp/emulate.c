/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and stores on emulated devices whose syndrome says nothing (HSR.ISV = 0): the instruction
 * is read from the guest, decoded (decode.c) and performed, transfer by transfer. The state is the
 * core's own; what the guest's other cores do to its tables or code meanwhile changes only what the
 * guest gets.
 */
#include "inject.h"
#include "decode.h"
#include "mmio.h"
#include "trap.h"
#include "vm.h"

/* Physical Address Register after an address translation (ARM DDI 0406C B4.1.112). */
#define PAR_F    (1u << 0)
#define PAR_SS   (1u << 1)
#define PAR_LPAE (1u << 11)

/*
 * The stage 1 translation of the guest's own tables, with their permissions. The guest's PAR is
 * kept. Returns false on a fault.
 */
static bool va_to_ipa(uint32_t va, bool user, bool is_write, uint64_t *ipa)
{
	const uint64_t saved = read_PAR();
	uint64_t par;

	if (user) {
		is_write ? write_ATS1CUW(va) : write_ATS1CUR(va);
	} else {
		is_write ? write_ATS1CPW(va) : write_ATS1CPR(va);
	}
	isb();
	par = read_PAR();
	write_PAR(saved);
	if ((par & PAR_F) != 0) {
		return false;
	}
	if ((par & PAR_LPAE) != 0) {
		*ipa = (par & 0xfffffff000ull) | (va & 0xfff);
	} else if ((par & PAR_SS) != 0) {
		*ipa = (par & 0xff000000u) | (par & 0x00ff0000u) << 16 | (va & 0x00ffffff);
	} else {
		*ipa = (par & 0xfffff000u) | (va & 0xfff);
	}
	return true;
}

static bool is_user(const struct guest_regs *regs)
{
	return (regs->cpsr & PSR_MODE) == PSR_USR;
}

/* A halfword of the guest's code. */
static bool fetch_halfword(const struct guest_regs *regs, uint32_t va, uint32_t *value)
{
	uint64_t ipa;
	const volatile uint16_t *at;

	if (!va_to_ipa(va, is_user(regs), false, &ipa)) {
		return false;
	}
	at = guest_memory_at(&vm.memory, ipa, 2);
	if (at == NULL) { /* flash */
		return mmio_read_ipa(ipa, 2, value);
	}
	*value = *at;
	return true;
}

/* The instruction at PC as decode_transfer() wants it. Returns false if it can't be read (any
 * more). */
static bool fetch(const struct guest_regs *regs, uint32_t *insn)
{
	const bool thumb = (regs->cpsr & PSR_T) != 0;
	uint32_t first, second;

	if (!fetch_halfword(regs, regs->pc, &first)) {
		return false;
	}
	if (thumb && first >> 11 < 0x1d) {
		*insn = first;
		return true;
	}
	if (!fetch_halfword(regs, regs->pc + 2, &second)) {
		return false;
	}
	*insn = thumb ? first << 16 | second : second << 16 | first;
	return true;
}

/* One access at @va, to a device or, for a list that begins or ends in RAM, there. */
static bool access_va(const struct guest_regs *regs, const struct transfer *t, uint32_t va,
		      bool is_write, uint32_t *value)
{
	uint64_t ipa;
	uint8_t *at;

	if ((va & (t->size - 1u)) != 0 ||
	    !va_to_ipa(va, is_user(regs) || t->unprivileged, is_write, &ipa)) {
		return false;
	}
	at = guest_memory_at(&vm.memory, ipa, t->size);
	if (at == NULL) {
		return is_write ? mmio_write_ipa(ipa, t->size, *value)
				: mmio_read_ipa(ipa, t->size, value);
	}
	for (uint32_t i = 0; i < t->size; i++) {
		if (is_write) {
			at[i] = (uint8_t)(*value >> 8 * i);
		} else {
			*value = (i == 0 ? 0 : *value) | (uint32_t)at[i] << 8 * i;
		}
	}
	return true;
}

static uint32_t extend(const struct transfer *t, uint32_t value)
{
	const uint32_t shift = 32 - 8u * t->size;

	value <<= shift;
	return t->sign_extend ? (uint32_t)((int32_t)value >> shift) : value >> shift;
}

static uint32_t transfer_mode(const struct guest_regs *regs, const struct transfer *t)
{
	return t->user_registers ? PSR_USR : regs->cpsr & PSR_MODE;
}

static uint32_t truncate(const struct transfer *t, uint32_t value)
{
	return t->size == 4 ? value : value & ((1u << 8 * t->size) - 1);
}

/*
 * Performs transfer @i. What is loaded stays in @loaded until all transfers went well: an
 * instruction that aborts can be run again (ARM DDI 0406C B1.9.8).
 */
static bool perform(struct guest_regs *regs, const struct transfer *t, unsigned int i, uint32_t r15,
		    uint32_t loaded[16])
{
	const uint32_t va = t->va + i * t->size;
	const unsigned int n = t->reg[i];
	uint32_t value;

	if (t->store) {
		value = truncate(t,
				 n == 15 ? r15 : banked_register(regs, n, transfer_mode(regs, t)));
		return access_va(regs, t, va, true, &value);
	}
	if (!access_va(regs, t, va, false, &loaded[i])) {
		return false;
	}
	value = t->swap ? truncate(t, guest_register(regs, t->reg[1])) : 0;
	return !t->swap || access_va(regs, t, va, true, &value);
}

/* The registers as the instruction reads them. */
static void read_registers(const struct guest_regs *regs, uint32_t r[16])
{
	for (unsigned int n = 0; n < 15; n++) {
		r[n] = guest_register(regs, n);
	}
	r[15] = regs->pc + ((regs->cpsr & PSR_T) != 0 ? 4 : 8);
}

/* BXWritePC (A2.3.2) for a loaded PC. */
static void branch(struct guest_regs *regs, uint32_t target)
{
	regs->cpsr = (regs->cpsr & ~PSR_T) | ((target & 1) != 0 ? PSR_T : 0);
	regs->pc = target & ~((target & 1) != 0 ? 1u : 3u);
}

void emulate_transfer(struct guest_regs *regs, uint32_t hsr)
{
	struct transfer t;
	uint32_t r[16], loaded[16], insn;
	bool jumps = false;

	if ((hsr & HSR_CM) != 0) { /* cache maintenance of a device: nothing is cached */
		skip_instruction(regs, 4);
		return;
	}
	if (!fetch(regs, &insn)) {
		return; /* another core changed the mapping: the guest runs into its own fault */
	}
	read_registers(regs, r);
	if (!decode_transfer(insn, r, regs->cpsr, &t)) {
		inject_data_abort(regs, read_HDFAR(), ABORT_EXTERNAL, (hsr & HSR_WNR) != 0);
		return;
	}
	for (unsigned int i = 0; i < t.count; i++) {
		if (!perform(regs, &t, i, r[15], loaded)) {
			inject_data_abort(regs, t.va + i * t.size, ABORT_EXTERNAL, t.store);
			return;
		}
	}
	for (unsigned int i = 0; i < t.count && !t.store; i++) {
		if (t.reg[i] == 15) {
			jumps = true;
		} else {
			set_banked_register(regs, t.reg[i], transfer_mode(regs, &t),
					    extend(&t, loaded[i]));
		}
	}
	if (t.exclusive && t.store) {
		set_guest_register(regs, t.status, 0);
	}
	if (t.writeback) {
		set_guest_register(regs, t.base, t.writeback_value);
	}
	skip_instruction(regs, t.length);
	if (jumps) {
		branch(regs, loaded[t.count - 1]); /* the PC is the last of a list */
	}
}
