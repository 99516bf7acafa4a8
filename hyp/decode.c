/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding the load or store that faulted: a table of encodings for each instruction set. */
#include "decode.h"

#define SP     13u
#define LR     14u
#define PC     15u
#define SPSR_C (1u << 29)
#define SPSR_T (1u << 5)

/* What a decoding function reads: registers for the address, SPSR.C for an offset by RRX. */
struct input {
	uint32_t insn;
	const uint32_t *r;
	uint32_t spsr;
};

enum direction { STORE, LOAD, LOAD_SIGNED };

/*
 * A row matches if (insn & mask) == value; the first that does decides. decode() finds size, count,
 * store and sign_extend filled in from the row, and returns false for what is UNPREDICTABLE in it.
 */
struct form {
	uint32_t mask, value;
	bool (*decode)(const struct input *in, struct transfer *t);
	uint8_t size; /* bytes; 8: two words */
	enum direction direction;
};

/* The manual's insn<high:low>. */
static uint32_t bits(const struct input *in, unsigned int high, unsigned int low)
{
	return in->insn >> low & ((2u << (high - low)) - 1);
}

static bool bit(const struct input *in, unsigned int position)
{
	return bits(in, position, position) != 0;
}

static void set_reg(struct transfer *t, unsigned int index, uint32_t number)
{
	t->reg[index] = (uint8_t)number;
}

static bool uses(const struct transfer *t, uint32_t number)
{
	for (unsigned int i = 0; i < t->count; i++) {
		if (t->reg[i] == number) {
			return true;
		}
	}
	return false;
}

/*
 * Base register plus or minus an offset in bytes, A8.5; pre: before the access, else only after it.
 * Literals take Align(PC, 4). False if the base is written back and is the PC or transferred.
 */
static bool indexed(const struct input *in, struct transfer *t, uint32_t base, uint32_t offset,
		    bool pre, bool add, bool writeback)
{
	uint32_t address = base == PC ? in->r[PC] & ~3u : in->r[base];

	t->base = (uint8_t)base;
	t->writeback = writeback;
	t->writeback_value = add ? address + offset : address - offset;
	t->va = pre ? t->writeback_value : address;
	return !writeback || (base != PC && !uses(t, base));
}

static bool at_offset(const struct input *in, struct transfer *t, uint32_t base, uint32_t offset)
{
	return indexed(in, t, base, offset, true, true, false);
}

/* LDM and STM, A8.8.57 to 61 and A8.8.199 to 202: the lowest register is at the lowest address. */
static bool multiple(const struct input *in, struct transfer *t, uint32_t base, uint32_t list,
		     bool before, bool up, bool writeback)
{
	uint32_t address = in->r[base], span;

	t->count = 0;
	for (uint32_t number = 0; number < 16; number++) {
		if ((list >> number & 1) != 0) {
			set_reg(t, t->count++, number);
		}
	}
	span = 4u * t->count;
	t->base = (uint8_t)base;
	t->writeback = writeback;
	t->writeback_value = up ? address + span : address - span;
	t->va = (up ? address : address - span) + (before == up ? 4 : 0);
	return t->count != 0 && base != PC;
}

/* LDREX and STREX, A8.8.75 to 78 and A8.8.212 to 215; status: number of its register. */
static bool exclusive(const struct input *in, struct transfer *t, uint32_t status, uint32_t offset)
{
	uint32_t base = bits(in, 19, 16);

	t->exclusive = true;
	if (t->store) {
		t->status = (uint8_t)status;
		if (status == PC || status == base || uses(t, status)) {
			return false;
		}
	}
	return base != PC && !uses(t, PC) && at_offset(in, t, base, offset);
}

/* A register shifted by a constant, A8.4.3: imm5 in bits 11:7, type in bits 6:5. */
static uint32_t shifted(const struct input *in, uint32_t value)
{
	uint32_t amount = bits(in, 11, 7);
	uint32_t sign = (value >> 31) != 0 ? ~0u : 0;

	switch (bits(in, 6, 5)) {
	case 0: /* LSL */
		return value << amount;
	case 1: /* LSR; 0 means 32 */
		return amount != 0 ? value >> amount : 0;
	case 2: /* ASR; 0 means 32 */
		return amount != 0 ? value >> amount | sign << 1 << (31 - amount) : sign;
	default: /* ROR; 0 means RRX */
		return amount != 0 ? value >> amount | value << (32 - amount)
				   : value >> 1 | ((in->spsr & SPSR_C) != 0 ? 1u << 31 : 0);
	}
}

/* Rn, P, U and W of the Arm forms; post-indexed with W is LDRT and its like. */
static bool arm_indexed(const struct input *in, struct transfer *t, uint32_t offset)
{
	bool pre = bit(in, 24), add = bit(in, 23), w = bit(in, 21);

	t->unprivileged = !pre && w;
	return indexed(in, t, bits(in, 19, 16), offset, pre, add, !pre || w);
}

/* LDR, STR, LDRB, STRB and the T forms. Only LDR, STR and STRT may name the PC. */
static bool arm_single(const struct input *in, struct transfer *t)
{
	uint32_t offset = bits(in, 11, 0);

	set_reg(t, 0, bits(in, 15, 12));
	if (bit(in, 25)) {
		if (bits(in, 3, 0) == PC) {
			return false;
		}
		offset = shifted(in, in->r[bits(in, 3, 0)]);
	}
	return arm_indexed(in, t, offset) &&
	       (t->reg[0] != PC || (t->size == 4 && (t->store || !t->unprivileged)));
}

/* LDRH, STRH, LDRSB, LDRSH, their T forms, LDRD and STRD: imm8 in two halves, or a register. */
static bool arm_extra(const struct input *in, struct transfer *t)
{
	uint32_t low = bits(in, 3, 0), offset = bits(in, 11, 8) << 4 | low;
	bool is_register = !bit(in, 22), dual = t->count == 2;

	set_reg(t, 0, bits(in, 15, 12));
	if (dual) {
		if ((t->reg[0] & 1) != 0) {
			return false;
		}
		set_reg(t, 1, t->reg[0] | 1u);
	}
	if (is_register) {
		/* Bits 11:8 should be zero. Only LDRD must not overwrite its offset. */
		if (offset != low || low == PC || (dual && !t->store && uses(t, low))) {
			return false;
		}
		offset = in->r[low];
	}
	return !uses(t, PC) && arm_indexed(in, t, offset) && !(dual && t->unprivileged);
}

static bool arm_swap(const struct input *in, struct transfer *t)
{
	uint32_t base = bits(in, 19, 16), stored = bits(in, 3, 0);

	t->swap = true;
	set_reg(t, 0, bits(in, 15, 12));
	set_reg(t, 1, stored);
	return stored != PC && stored != base && t->reg[0] != PC && t->reg[0] != base &&
	       base != PC && at_offset(in, t, base, 0);
}

/* The D forms move an even register and the next, but not LR and PC. */
static bool arm_exclusive(const struct input *in, struct transfer *t)
{
	uint32_t number = t->store ? bits(in, 3, 0) : bits(in, 15, 12);

	set_reg(t, 0, number);
	if (t->count == 2) {
		set_reg(t, 1, number | 1);
		if ((number & 1) != 0) {
			return false;
		}
	}
	return exclusive(in, t, bits(in, 15, 12), 0);
}

/* With ^ the registers are User mode's, the base isn't written back, an LDM of PC is a return. */
static bool arm_multiple(const struct input *in, struct transfer *t)
{
	uint32_t base = bits(in, 19, 16);
	bool writeback = bit(in, 21);

	t->user_registers = bit(in, 22);
	if (!multiple(in, t, base, bits(in, 15, 0), bit(in, 24), bit(in, 23), writeback)) {
		return false;
	}
	if (t->user_registers && (writeback || (!t->store && uses(t, PC)))) {
		return false;
	}
	return t->store || !writeback || !uses(t, base);
}

/* LDR (literal): base PC; LDR and STR (immediate, T2): base SP. */
static bool thumb_word(const struct input *in, struct transfer *t)
{
	set_reg(t, 0, bits(in, 10, 8));
	return at_offset(in, t, bit(in, 15) ? SP : PC, bits(in, 7, 0) * 4);
}

static bool thumb_register(const struct input *in, struct transfer *t)
{
	set_reg(t, 0, bits(in, 2, 0));
	return at_offset(in, t, bits(in, 5, 3), in->r[bits(in, 8, 6)]);
}

static bool thumb_immediate(const struct input *in, struct transfer *t)
{
	set_reg(t, 0, bits(in, 2, 0));
	return at_offset(in, t, bits(in, 5, 3), bits(in, 10, 6) * t->size);
}

/* PUSH and POP: bit 8 adds LR to the one, PC to the other. */
static bool thumb_push_pop(const struct input *in, struct transfer *t)
{
	uint32_t list = bits(in, 7, 0) | bits(in, 8, 8) << (t->store ? 14 : 15);

	return multiple(in, t, SP, list, t->store, !t->store, true);
}

/* LDM keeps the base that it loads. */
static bool thumb_multiple(const struct input *in, struct transfer *t)
{
	uint32_t base = bits(in, 10, 8), list = bits(in, 7, 0);
	bool writeback = t->store || (list >> base & 1) == 0;

	return multiple(in, t, base, list, false, true, writeback);
}

/* Bits 24:23 say IA (01) or DB (10); the other two are SRS and RFE. */
static bool wide_multiple(const struct input *in, struct transfer *t)
{
	uint32_t base = bits(in, 19, 16);
	bool before = bit(in, 24), up = bit(in, 23), writeback = bit(in, 21);

	if (before == up || !multiple(in, t, base, bits(in, 15, 0), before, up, writeback)) {
		return false;
	}
	return t->count > 1 && !(uses(t, LR) && uses(t, PC)) && !(writeback && uses(t, base));
}

/* LDRD and STRD; a literal can't be written back, and a store has none. */
static bool wide_dual(const struct input *in, struct transfer *t)
{
	uint32_t base = bits(in, 19, 16);
	bool pre = bit(in, 24), add = bit(in, 23), w = bit(in, 21);

	set_reg(t, 0, bits(in, 15, 12));
	set_reg(t, 1, bits(in, 11, 8));
	if ((!pre && !w) || uses(t, SP) || uses(t, PC) ||
	    (t->store ? base == PC : t->reg[0] == t->reg[1])) {
		return false;
	}
	return indexed(in, t, base, bits(in, 7, 0) * 4, pre, add, w);
}

/* LDREX and STREX have an offset where the other forms have status and second register. */
static bool wide_exclusive(const struct input *in, struct transfer *t)
{
	bool plain = bits(in, 23, 21) == 2;
	uint32_t status = plain ? bits(in, 11, 8) : bits(in, 3, 0);

	set_reg(t, 0, bits(in, 15, 12));
	if (t->count == 2) {
		set_reg(t, 1, bits(in, 11, 8));
		if (!t->store && t->reg[0] == t->reg[1]) {
			return false;
		}
	}
	return !uses(t, SP) && !(t->store && status == SP) &&
	       exclusive(in, t, status, plain ? bits(in, 7, 0) * 4 : 0);
}

/* The addresses of A6.3.7 to 10: literal, imm12, imm8 with P, U and W, register shifted by imm2. */
static bool wide_address(const struct input *in, struct transfer *t)
{
	uint32_t base = bits(in, 19, 16), index = bits(in, 3, 0), imm8 = bits(in, 7, 0);
	bool pre = bit(in, 10), add = bit(in, 9), w = bit(in, 8);

	if (base == PC) {
		return !t->store && indexed(in, t, base, bits(in, 11, 0), true, bit(in, 23), false);
	}
	if (bit(in, 23)) {
		return at_offset(in, t, base, bits(in, 11, 0));
	}
	if (bit(in, 11)) {
		t->unprivileged = pre && add && !w;
		return (pre || w) && indexed(in, t, base, imm8, pre, add, w);
	}
	return bits(in, 10, 6) == 0 && index != SP && index != PC &&
	       at_offset(in, t, base, in->r[index] << bits(in, 5, 4));
}

/* LDR and STR may name SP, LDR alone PC, the T forms neither; smaller loads of PC are preloads. */
static bool wide_single(const struct input *in, struct transfer *t)
{
	set_reg(t, 0, bits(in, 15, 12));
	if (!wide_address(in, t)) {
		return false;
	}
	if (t->size != 4 || t->unprivileged) {
		return !uses(t, SP) && !uses(t, PC);
	}
	return !(t->store && uses(t, PC));
}

/* The last row of a table, which all else matches. */
static bool no_transfer(const struct input *in, struct transfer *t)
{
	(void)in;
	(void)t;
	return false;
}

/* A5.3 (single), A5.2.8 and 9 (extra, unprivileged), A5.2.10 (synchronization), A5.5 (block). */
static const struct form arm_forms[] = {
	{0x0e500000, 0x04000000, arm_single, 4, STORE},      /* STR */
	{0x0e500000, 0x04100000, arm_single, 4, LOAD},       /* LDR */
	{0x0e500000, 0x04400000, arm_single, 1, STORE},      /* STRB */
	{0x0e500000, 0x04500000, arm_single, 1, LOAD},       /* LDRB */
	{0x0e500010, 0x06000000, arm_single, 4, STORE},      /* STR, by a register */
	{0x0e500010, 0x06100000, arm_single, 4, LOAD},       /* LDR */
	{0x0e500010, 0x06400000, arm_single, 1, STORE},      /* STRB */
	{0x0e500010, 0x06500000, arm_single, 1, LOAD},       /* LDRB */
	{0x0e1000f0, 0x000000b0, arm_extra, 2, STORE},       /* STRH */
	{0x0e1000f0, 0x001000b0, arm_extra, 2, LOAD},        /* LDRH */
	{0x0e1000f0, 0x001000d0, arm_extra, 1, LOAD_SIGNED}, /* LDRSB */
	{0x0e1000f0, 0x001000f0, arm_extra, 2, LOAD_SIGNED}, /* LDRSH */
	{0x0e1000f0, 0x000000d0, arm_extra, 8, LOAD},        /* LDRD */
	{0x0e1000f0, 0x000000f0, arm_extra, 8, STORE},       /* STRD */
	{0x0ff00ff0, 0x01000090, arm_swap, 4, LOAD},         /* SWP */
	{0x0ff00ff0, 0x01400090, arm_swap, 1, LOAD},         /* SWPB */
	{0x0ff00ff0, 0x01800f90, arm_exclusive, 4, STORE},   /* STREX */
	{0x0ff00fff, 0x01900f9f, arm_exclusive, 4, LOAD},    /* LDREX */
	{0x0ff00ff0, 0x01a00f90, arm_exclusive, 8, STORE},   /* STREXD */
	{0x0ff00fff, 0x01b00f9f, arm_exclusive, 8, LOAD},    /* LDREXD */
	{0x0ff00ff0, 0x01c00f90, arm_exclusive, 1, STORE},   /* STREXB */
	{0x0ff00fff, 0x01d00f9f, arm_exclusive, 1, LOAD},    /* LDREXB */
	{0x0ff00ff0, 0x01e00f90, arm_exclusive, 2, STORE},   /* STREXH */
	{0x0ff00fff, 0x01f00f9f, arm_exclusive, 2, LOAD},    /* LDREXH */
	{0x0e100000, 0x08000000, arm_multiple, 4, STORE},    /* STM */
	{0x0e100000, 0x08100000, arm_multiple, 4, LOAD},     /* LDM */
	{0, 0, no_transfer, 0, STORE},
};

/*
 * 16-bit: A6.2 (literal), A6.2.4 (single), A6.2.5 (PUSH, POP), A6.2 (STM, LDM). 32-bit: A6.3.5
 * (multiple; SP, and PC in a store, should be zero), A6.3.6 (exclusive, then dual, whose encodings
 * with P = W = 0 they take), A6.3.7 to 10 (single).
 */
static const struct form thumb_forms[] = {
	{0xfffff800, 0x00004800, thumb_word, 4, LOAD},            /* LDR */
	{0xfffffe00, 0x00005000, thumb_register, 4, STORE},       /* STR */
	{0xfffffe00, 0x00005200, thumb_register, 2, STORE},       /* STRH */
	{0xfffffe00, 0x00005400, thumb_register, 1, STORE},       /* STRB */
	{0xfffffe00, 0x00005600, thumb_register, 1, LOAD_SIGNED}, /* LDRSB */
	{0xfffffe00, 0x00005800, thumb_register, 4, LOAD},        /* LDR */
	{0xfffffe00, 0x00005a00, thumb_register, 2, LOAD},        /* LDRH */
	{0xfffffe00, 0x00005c00, thumb_register, 1, LOAD},        /* LDRB */
	{0xfffffe00, 0x00005e00, thumb_register, 2, LOAD_SIGNED}, /* LDRSH */
	{0xfffff800, 0x00006000, thumb_immediate, 4, STORE},      /* STR */
	{0xfffff800, 0x00006800, thumb_immediate, 4, LOAD},       /* LDR */
	{0xfffff800, 0x00007000, thumb_immediate, 1, STORE},      /* STRB */
	{0xfffff800, 0x00007800, thumb_immediate, 1, LOAD},       /* LDRB */
	{0xfffff800, 0x00008000, thumb_immediate, 2, STORE},      /* STRH */
	{0xfffff800, 0x00008800, thumb_immediate, 2, LOAD},       /* LDRH */
	{0xfffff800, 0x00009000, thumb_word, 4, STORE},           /* STR */
	{0xfffff800, 0x00009800, thumb_word, 4, LOAD},            /* LDR */
	{0xfffffe00, 0x0000b400, thumb_push_pop, 4, STORE},       /* PUSH */
	{0xfffffe00, 0x0000bc00, thumb_push_pop, 4, LOAD},        /* POP */
	{0xfffff800, 0x0000c000, thumb_multiple, 4, STORE},       /* STM */
	{0xfffff800, 0x0000c800, thumb_multiple, 4, LOAD},        /* LDM */
	{0xfe50a000, 0xe8000000, wide_multiple, 4, STORE},        /* STM */
	{0xfe502000, 0xe8100000, wide_multiple, 4, LOAD},         /* LDM */
	{0xfff00000, 0xe8400000, wide_exclusive, 4, STORE},       /* STREX */
	{0xfff00f00, 0xe8500f00, wide_exclusive, 4, LOAD},        /* LDREX */
	{0xfff00ff0, 0xe8c00f40, wide_exclusive, 1, STORE},       /* STREXB */
	{0xfff00ff0, 0xe8c00f50, wide_exclusive, 2, STORE},       /* STREXH */
	{0xfff000f0, 0xe8c00070, wide_exclusive, 8, STORE},       /* STREXD */
	{0xfff00fff, 0xe8d00f4f, wide_exclusive, 1, LOAD},        /* LDREXB */
	{0xfff00fff, 0xe8d00f5f, wide_exclusive, 2, LOAD},        /* LDREXH */
	{0xfff000ff, 0xe8d0007f, wide_exclusive, 8, LOAD},        /* LDREXD */
	{0xfe500000, 0xe8400000, wide_dual, 8, STORE},            /* STRD */
	{0xfe500000, 0xe8500000, wide_dual, 8, LOAD},             /* LDRD */
	{0xff700000, 0xf8000000, wide_single, 1, STORE},          /* STRB */
	{0xff700000, 0xf8200000, wide_single, 2, STORE},          /* STRH */
	{0xff700000, 0xf8400000, wide_single, 4, STORE},          /* STR */
	{0xff700000, 0xf8100000, wide_single, 1, LOAD},           /* LDRB */
	{0xff700000, 0xf8300000, wide_single, 2, LOAD},           /* LDRH */
	{0xff700000, 0xf8500000, wide_single, 4, LOAD},           /* LDR */
	{0xff700000, 0xf9100000, wide_single, 1, LOAD_SIGNED},    /* LDRSB */
	{0xff700000, 0xf9300000, wide_single, 2, LOAD_SIGNED},    /* LDRSH */
	{0, 0, no_transfer, 0, STORE},
};

bool decode_transfer(uint32_t insn, const uint32_t r[16], uint32_t spsr, struct transfer *transfer)
{
	const struct input in = {.insn = insn, .r = r, .spsr = spsr};
	bool thumb = (spsr & SPSR_T) != 0;
	const struct form *form = thumb ? thumb_forms : arm_forms;

	if (!thumb && insn >> 28 == 15) {
		return false; /* A5.7: PLD, RFE, SRS, Advanced SIMD */
	}
	while ((insn & form->mask) != form->value) {
		form++;
	}
	*transfer = (struct transfer){
		.length = thumb && insn >> 16 == 0 ? 2 : 4,
		.size = form->size == 8 ? 4 : form->size,
		.count = form->size == 8 ? 2 : 1,
		.store = form->direction == STORE,
		.sign_extend = form->direction == LOAD_SIGNED,
	};
	return form->decode(&in, transfer);
}
