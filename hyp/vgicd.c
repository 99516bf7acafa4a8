/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's GICv2 distributor, register by register (IHI 0048B 4.3). Lock: see vgic.c;
 * vgicd_access() has it. */
#include "vgic_state.h"
#include "../drivers/hw/gicv2.h"
#include "self.h"

#define PRIORITY_BITS 0xf8u       /* as many as the list registers have */
#define IIDR          0x0200043bu /* Arm, GIC-400 r0p0 */

/* One aligned access, to one 32-bit register. */
struct gicd_access {
	unsigned int cpu;      /* that made it */
	unsigned int word;     /* bank of the interrupts that the register is about */
	struct irq_bank *bank; /* the same */
	uint32_t offset;       /* bytes from the start of the block of registers */
	uint32_t lanes;        /* the bits of the register that are written */
	uint32_t value;        /* 0 outside the lanes */
	uint32_t changed; /* out: interrupts of the bank for which list registers may have to change
			   */
	uint32_t cores;   /* out: cores that must look in any case */
};

/* Control, type, implementer */

static uint32_t read_control(struct gicd_access *a)
{
	switch (a->offset) {
	case 0x0:
		return vgic.ctlr;
	case 0x4:
		return (vgic.words - 1) | (vgic.cpu_count - 1) << 5;
	case 0x8:
		return IIDR;
	default:
		return 0;
	}
}

static void write_control(struct gicd_access *a)
{
	if (a->offset == 0 && (a->lanes & 3) != 0) {
		__atomic_store_n(&vgic.ctlr, a->value & 3, __ATOMIC_RELAXED);
		a->cores = (1u << vgic.cpu_count) - 1;
	}
}

/* One bit an interrupt */

static uint32_t read_group(struct gicd_access *a)
{
	return a->bank->group1;
}

static void write_group(struct gicd_access *a)
{
	struct irq_bank *bank = a->bank;
	uint32_t changed = (bank->group1 ^ a->value) & a->lanes;

	vgic_claim(a->cpu, a->word, changed);
	bank->group1 ^= changed;
	a->changed = changed;
}

static uint32_t read_enable(struct gicd_access *a)
{
	return a->bank->enabled;
}

static void write_set_enable(struct gicd_access *a)
{
	struct irq_bank *bank = a->bank;
	uint32_t changed = a->value & ~bank->enabled;

	bank->enabled |= changed;
	if (a->word == 0 && (changed & bank->hw) != 0) {
		gic_private_enable(changed & bank->hw, true);
	}
	a->changed = changed;
}

static void write_clear_enable(struct gicd_access *a)
{
	struct irq_bank *bank = a->bank;
	uint32_t changed = a->value & bank->enabled & (a->word == 0 ? 0xffff0000u : ~0u);

	if (a->word == 0 && (changed & bank->hw) != 0) {
		gic_private_enable(changed & bank->hw, false);
	}
	bank->enabled &= ~changed;
	vgic_claim(a->cpu, a->word, changed);
	a->changed = changed;
}

static uint32_t read_pending(struct gicd_access *a)
{
	const uint32_t held = a->bank->in_lr;
	uint32_t pending;

	vgic_claim(a->cpu, a->word, held);
	pending = irq_bank_pending(a->bank);
	a->changed = held;
	return a->bank->hw == 0 ? pending : pending | (gic_private_pending() & a->bank->hw);
}

static void write_set_pending(struct gicd_access *a)
{
	struct irq_bank *bank = a->bank;
	uint32_t set = a->value & (a->word == 0 ? 0xffff0000u : ~0u);

	bank->latched |= set;
	a->changed = set;
}

static void deactivate_physical(const struct irq_bank *bank, uint32_t mask)
{
	for (mask &= bank->hw; mask != 0; mask &= mask - 1) {
		gicc_deactivate((uint32_t)__builtin_ctz(mask));
	}
}

static void write_clear_pending(struct gicd_access *a)
{
	struct irq_bank *bank = a->bank;
	uint32_t clear = a->value & (a->word == 0 ? 0xffff0000u : ~0u);

	vgic_claim(a->cpu, a->word, clear);
	deactivate_physical(bank, clear & bank->latched);
	bank->latched &= ~clear;
	a->changed = clear;
}

static uint32_t read_active(struct gicd_access *a)
{
	const uint32_t held = a->bank->in_lr;
	uint32_t active;

	vgic_claim(a->cpu, a->word, held);
	active = a->bank->active;
	a->changed = held;
	return active;
}

static void write_set_active(struct gicd_access *a)
{
	vgic_claim(a->cpu, a->word, a->value);
	for (uint32_t set = a->value & ~a->bank->active; set != 0; set &= set - 1) {
		a->bank->owner[__builtin_ctz(set)] = (uint8_t)a->cpu;
	}
	a->bank->active |= a->value;
	a->changed = a->value;
}

static void write_clear_active(struct gicd_access *a)
{
	struct irq_bank *bank = a->bank;

	vgic_claim(a->cpu, a->word, a->value);
	deactivate_physical(bank, a->value & bank->active);
	bank->active &= ~a->value;
	a->changed = a->value;
}

/* One byte an interrupt: the four of a word are interrupts n to n + 3 of their bank */

static uint32_t read_bytes(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static bool write_bytes(uint8_t *bytes, struct gicd_access *a, uint32_t keep)
{
	uint32_t old = read_bytes(bytes), value = (old & ~a->lanes) | (a->value & keep);

	for (unsigned int i = 0; i < 4; i++) {
		bytes[i] = (uint8_t)(value >> 8 * i);
	}
	return value != old;
}

static uint32_t read_priority(struct gicd_access *a)
{
	return read_bytes(&a->bank->priority[a->offset % 32]);
}

static void write_priority(struct gicd_access *a)
{
	struct irq_bank *bank = a->bank;
	const uint32_t mask = 0xfu << a->offset % 32;

	if (write_bytes(&bank->priority[a->offset % 32], a, PRIORITY_BITS * 0x01010101u) &&
	    (bank->in_lr & mask) != 0) {
		vgic_claim(a->cpu, a->word, mask);
		a->changed = mask;
	}
}

static uint32_t read_target(struct gicd_access *a)
{
	if (vgic.cpu_count == 1) {
		return 0; /* 4.3.12: RAZ/WI with one processor */
	}
	return read_bytes(&a->bank->target[a->offset % 32]);
}

static void write_target(struct gicd_access *a)
{
	struct irq_bank *bank = a->bank;
	const uint32_t mask = 0xfu << a->offset % 32;

	if (a->word == 0 || vgic.cpu_count == 1) {
		return;
	}
	vgic_claim(a->cpu, a->word, mask);
	write_bytes(&bank->target[a->offset % 32], a, ((1u << vgic.cpu_count) - 1) * 0x01010101u);
	a->changed = mask;
}

/* Two bits an interrupt, of which the upper one counts: level or edge */

static uint32_t read_config(struct gicd_access *a)
{
	uint32_t edge = a->bank->edge >> (a->offset & 4) * 4, value = 0;

	for (unsigned int i = 0; i < 16; i++) {
		value |= (edge >> i & 1) << (2 * i + 1);
	}
	return value;
}

static void write_config(struct gicd_access *a)
{
	struct irq_bank *bank = a->bank;
	uint32_t edge = 0, mask = 0;

	for (unsigned int i = 0; i < 16; i++) {
		edge |= (a->value >> (2 * i + 1) & 1) << i;
		mask |= (a->lanes >> (2 * i + 1) & 1) << i;
	}
	edge <<= (a->offset & 4) * 4;
	mask <<= (a->offset & 4) * 4;
	mask &= (bank->edge ^ edge) & ~bank->hw & (a->word == 0 ? 0xffff0000u : ~0u);
	vgic_claim(a->cpu, a->word, mask);
	bank->edge ^= mask;
	a->changed = mask;
}

/* Software generated interrupts (4.3.15 to 4.3.17): SGIR at 0x00, CPENDSGIR at 0x10, SPENDSGIR at
 * 0x20 */

static void write_sgir(struct gicd_access *a)
{
	const uint32_t all = (1u << vgic.cpu_count) - 1;
	uint32_t targets;

	switch (a->value >> 24 & 3) {
	case 0:
		targets = a->value >> 16 & all;
		break;
	case 1:
		targets = all & ~(1u << a->cpu);
		break;
	case 2:
		targets = 1u << a->cpu;
		break;
	default:
		return;
	}
	a->cores = vgic_send_sgi(a->cpu, a->value & 0xf, targets);
}

static uint32_t read_sgi(struct gicd_access *a)
{
	struct vgic_cpu *vc = &vgic.cpu[a->cpu];
	uint32_t pending;

	if (a->offset < 0x10 || a->offset >= 0x30) {
		return 0;
	}
	vgic_open_inbox(a->cpu);
	vgic_claim(a->cpu, 0, vc->private.in_lr & 0xffff);
	pending = read_bytes(&vc->sgi_source[a->offset & 0xc]);
	a->changed = 0xffff;
	return pending;
}

static void write_sgi(struct gicd_access *a)
{
	struct vgic_cpu *vc = &vgic.cpu[a->cpu];
	const unsigned int first = a->offset & 0xc;

	if (a->offset == 0) {
		write_sgir(a);
	}
	if (a->offset < 0x10 || a->offset >= 0x30) {
		return;
	}
	vgic_open_inbox(a->cpu);
	vgic_claim(a->cpu, 0, 0xfu << first);
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t sources = (uint8_t)(a->value >> 8 * i & ((1u << vgic.cpu_count) - 1));
		uint8_t *pending = &vc->sgi_source[first + i];

		*pending = a->offset >= 0x20 ? (uint8_t)(*pending | sources)
					     : (uint8_t)(*pending & ~sources);
		vc->private.latched &= ~(1u << (first + i));
		vc->private.latched |= (*pending != 0 ? 1u : 0u) << (first + i);
	}
	a->changed = 0xfu << first;
}

/* Identification (4.3.18): PIDR4 to 7, PIDR0 to 3 (architecture version 2), CIDR0 to 3, from 0xfd0
 * on */
static uint32_t read_id(struct gicd_access *a)
{
	static const uint8_t id[] = {0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1};

	return a->offset < 0x50 ? 0 : id[(a->offset - 0x50) / 4];
}

static uint32_t read_zero(struct gicd_access *a)
{
	(void)a;
	return 0;
}

static void ignore(struct gicd_access *a)
{
	(void)a;
}

/* Blocks of registers: where they start, and how many bytes of them (as a power of two) serve 32
 * interrupts. */
static const struct gicd_block {
	uint16_t base;
	uint8_t shift;
	uint32_t (*read)(struct gicd_access *a);
	void (*write)(struct gicd_access *a);
} blocks[] = {
	{0x000, 12, read_control,  write_control      },
	{0x080, 2,  read_group,    write_group        },
	{0x100, 2,  read_enable,   write_set_enable   },
	{0x180, 2,  read_enable,   write_clear_enable },
	{0x200, 2,  read_pending,  write_set_pending  },
	{0x280, 2,  read_pending,  write_clear_pending},
	{0x300, 2,  read_active,   write_set_active   },
	{0x380, 2,  read_active,   write_clear_active },
	{0x400, 5,  read_priority, write_priority     },
	{0x800, 5,  read_target,   write_target       },
	{0xc00, 3,  read_config,   write_config       },
	{0xd00, 12, read_zero,     ignore             },
	{0xf00, 12, read_sgi,      write_sgi          },
	{0xf80, 12, read_id,       ignore             },
};

/* Index into blocks[] for each 128 bytes of the distributor. */
static const uint8_t block_of[32] = {0, 1, 2, 3, 4, 5, 6, 7, 8,  8,  8,  8,  8,  8,  8,  8,
				     9, 9, 9, 9, 9, 9, 9, 9, 10, 10, 11, 11, 11, 11, 12, 13};

bool vgicd_access(void *device, struct mmio_access *access)
{
	const struct gicd_block *block = &blocks[block_of[access->offset >> 7 & 31]];
	const unsigned int shift = (access->offset & 3) * 8;
	struct gicd_access a;

	(void)device;
	a.cpu = cpu_self();
	a.offset = (access->offset & 0xffc) - block->base;
	a.word = a.offset >> block->shift;
	if (a.word >= vgic.words) {
		access->value = 0;
		return true;
	}
	a.bank = vgic_bank(a.cpu, a.word);
	a.changed = 0;
	a.cores = 0;
	vgic_begin(a.word);
	if (access->is_write) {
		a.lanes = (access->size == 4 ? ~0u : (1u << access->size * 8) - 1) << shift;
		a.value = access->value << shift & a.lanes;
		block->write(&a);
	} else {
		access->value = block->read(&a) >> shift;
	}
	vgic_end(a.cpu, a.word, a.changed, a.cores);
	return true;
}
