/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's GICv2 distributor, register by register (IHI 0048B 4.3). Lock: see vgic.c;
 * vgicd_access() has it. */
#include <stddef.h>
#include "vgic_state.h"
#include "../drivers/hw/gicv2.h"
#include "self.h"

#define PRIORITY_BITS 0xf8f8f8f8u       /* as many as the list registers have */
#define IIDR          0x0200043bu /* Arm, GIC-400 r0p0 */

/*
 * One aligned write, to one 32-bit register. Reads get the bank and the offset alone, without the lock: one
 * word is read at once.
 */
struct gicd_write {
	unsigned int cpu;      /* that made it */
	unsigned int word;     /* bank of the interrupts that the register is about */
	struct irq_bank *bank; /* the same */
	uint32_t offset;       /* bytes from the start of the block of registers */
	uint32_t lanes;	       /* the bits of the register that are written */
	uint32_t value;	       /* 0 outside the lanes */
	uint32_t changed;      /* out: interrupts of the bank for which list registers may have to change */
	uint32_t cores;	       /* out: cores that must look in any case */
};

/* Control, type, implementer */

static uint32_t read_control(struct irq_bank *bank, uint32_t offset)
{
	(void)bank;
	switch (offset) {
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

static void write_control(struct gicd_write *w)
{
	if (w->offset == 0 && (w->lanes & 3) != 0) {
		spin_lock(&vgic.lock);
		vgic_set_ctlr(w->value & 3);
		spin_unlock(&vgic.lock);
		w->cores = (1u << vgic.cpu_count) - 1;
	}
}

/* One bit an interrupt */

static uint32_t read_group(struct irq_bank *bank, uint32_t offset)
{
	(void)offset;
	return bank->group1;
}

static void write_group(struct gicd_write *w)
{
	w->changed = (w->bank->group1 ^ w->value) & w->lanes;
	vgic_claim(w->cpu, w->word, w->changed);
	w->bank->group1 ^= w->changed;
}

static uint32_t read_enable(struct irq_bank *bank, uint32_t offset)
{
	(void)offset;
	return bank->enabled;
}

static void write_set_enable(struct gicd_write *w)
{
	w->changed = w->value & ~w->bank->enabled;
	w->bank->enabled |= w->changed;
	if ((w->changed & w->bank->hw) != 0) {
		gic_private_enable(w->changed & w->bank->hw, true);
	}
}

/* Of private interrupts, SGIs can't be disabled, set or cleared here (4.3.5 to 4.3.8). */
static uint32_t except_sgis(const struct gicd_write *w)
{
	return w->word == 0 ? w->value & 0xffff0000u : w->value;
}

static void write_clear_enable(struct gicd_write *w)
{
	w->changed = except_sgis(w) & w->bank->enabled;
	if ((w->changed & w->bank->hw) != 0) {
		gic_private_enable(w->changed & w->bank->hw, false);
	}
	w->bank->enabled &= ~w->changed;
	vgic_claim(w->cpu, w->word, w->changed);
}

/*
 * State that may be in list registers, of any core: all of the word comes out for the moment, so that none goes
 * in unseen while other cores answer.
 */
static uint32_t read_state(struct irq_bank *bank, uint32_t offset, bool active)
{
	const unsigned int cpu = cpu_self(), word = offset / 4;
	uint32_t held, value;

	vgic_begin(word);
	held = bank->in_lr;
	if (held != 0) {
		vgic_claim(cpu, word, ~0u);
	}
	value = active ? bank->active : irq_bank_pending(bank);
	vgic_end(cpu, word, held != 0 ? ~0u : 0, 0);
	return value;
}

static uint32_t read_pending(struct irq_bank *bank, uint32_t offset)
{
	uint32_t pending = read_state(bank, offset, false);

	return bank->hw == 0 ? pending : pending | (gic_private_pending() & bank->hw);
}

static uint32_t read_active(struct irq_bank *bank, uint32_t offset)
{
	return read_state(bank, offset, true);
}

static void write_set_pending(struct gicd_write *w)
{
	w->changed = except_sgis(w);
	w->bank->latched |= w->changed;
}

static void deactivate_physical(const struct irq_bank *bank, uint32_t mask)
{
	for (mask &= bank->hw; mask != 0; mask &= mask - 1) {
		gicc_deactivate((uint32_t)__builtin_ctz(mask));
	}
}

static void write_clear_pending(struct gicd_write *w)
{
	w->changed = except_sgis(w);
	vgic_claim(w->cpu, w->word, w->changed);
	deactivate_physical(w->bank, w->changed & w->bank->latched);
	w->bank->latched &= ~w->changed;
}

/* Nothing in a list register tells of the end of what is made active here: GICC_DIR must trap. */
static void write_set_active(struct gicd_write *w)
{
	w->changed = w->value;
	vgic_claim(w->cpu, w->word, w->value);
	if ((w->value & ~w->bank->active) != 0) {
		vgic_trap_dir();
	}
	w->bank->active |= w->value;
}

static void write_clear_active(struct gicd_write *w)
{
	w->changed = w->value;
	vgic_claim(w->cpu, w->word, w->value);
	deactivate_physical(w->bank, w->value & w->bank->active);
	w->bank->active &= ~w->value;
}

/* One byte an interrupt: the four of a word are interrupts n to n + 3 of their bank */

static uint32_t read_priority(struct irq_bank *bank, uint32_t offset)
{
	return bank->priority_word[offset % 32 / 4];
}

static void write_priority(struct gicd_write *w)
{
	uint32_t *priorities = &w->bank->priority_word[w->offset % 32 / 4];
	const uint32_t value = (*priorities & ~w->lanes) | (w->value & PRIORITY_BITS);
	const uint32_t mask = 0xfu << w->offset % 32;

	if (value != *priorities) {
		*priorities = value;
		w->changed = mask & (w->bank->in_lr | irq_bank_pending(w->bank));
		vgic_claim(w->cpu, w->word, w->changed);
	}
}

static uint32_t read_target(struct irq_bank *bank, uint32_t offset)
{
	return vgic.cpu_count == 1 ? 0 : bank->target_word[offset % 32 / 4]; /* 4.3.12: RAZ/WI with one */
}

static void write_target(struct gicd_write *w)
{
	uint32_t *targets = &w->bank->target_word[w->offset % 32 / 4];
	const uint32_t cores = ((1u << vgic.cpu_count) - 1) * 0x01010101u;

	if (w->word == 0 || vgic.cpu_count == 1) {
		return;
	}
	w->changed = 0xfu << w->offset % 32;
	vgic_claim(w->cpu, w->word, w->changed);
	*targets = (*targets & ~w->lanes) | (w->value & cores);
}

/* Two bits an interrupt, of which the upper one counts: level or edge */

static uint32_t read_config(struct irq_bank *bank, uint32_t offset)
{
	uint32_t edge = bank->edge >> (offset & 4) * 4, value = 0;

	for (unsigned int i = 0; i < 16; i++) {
		value |= (edge >> i & 1) << (2 * i + 1);
	}
	return value;
}

static void write_config(struct gicd_write *w)
{
	uint32_t edge = 0, mask = 0;

	for (unsigned int i = 0; i < 16; i++) {
		edge |= (w->value >> (2 * i + 1) & 1) << i;
		mask |= (w->lanes >> (2 * i + 1) & 1) << i;
	}
	edge <<= (w->offset & 4) * 4;
	mask <<= (w->offset & 4) * 4;
	mask &= (w->bank->edge ^ edge) & ~w->bank->hw & (w->word == 0 ? 0xffff0000u : ~0u);
	vgic_claim(w->cpu, w->word, mask);
	w->bank->edge ^= mask;
	w->changed = mask;
}

/* Software generated interrupts (4.3.15 to 4.3.17): SGIR at 0x00, CPENDSGIR at 0x10, SPENDSGIR at
 * 0x20 */

static void write_sgir(struct gicd_write *w)
{
	const uint32_t all = (1u << vgic.cpu_count) - 1;
	uint32_t targets;

	switch (w->value >> 24 & 3) {
	case 0:
		targets = w->value >> 16 & all;
		break;
	case 1:
		targets = all & ~(1u << w->cpu);
		break;
	case 2:
		targets = 1u << w->cpu;
		break;
	default:
		return;
	}
	w->cores = vgic_send_sgi(w->cpu, w->value & 0xf, targets);
}

static uint32_t read_sgi(struct irq_bank *bank, uint32_t offset)
{
	const unsigned int cpu = cpu_self(), first = offset & 0xc;
	const uint8_t *source = &vgic.cpu[cpu].sgi_source[first];
	uint32_t held = bank->in_lr & 0xfu << first, pending;

	if (offset < 0x10 || offset >= 0x30) {
		return 0;
	}
	vgic_open_inbox(cpu);
	vgic_claim(cpu, 0, held);
	pending = (uint32_t)source[0] | (uint32_t)source[1] << 8 | (uint32_t)source[2] << 16 |
		  (uint32_t)source[3] << 24;
	vgic_end(cpu, 0, 0xfu << first, 0);
	return pending;
}

static void write_sgi(struct gicd_write *w)
{
	const unsigned int first = w->offset & 0xc;

	if (w->offset == 0) {
		write_sgir(w);
	}
	if (w->offset < 0x10 || w->offset >= 0x30) {
		return;
	}
	w->changed = 0xfu << first;
	vgic_open_inbox(w->cpu);
	vgic_claim(w->cpu, 0, w->changed);
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t sources = (uint8_t)(w->value >> 8 * i & ((1u << vgic.cpu_count) - 1));
		uint8_t *pending = &vgic.cpu[w->cpu].sgi_source[first + i];

		*pending = w->offset >= 0x20 ? (uint8_t)(*pending | sources) : (uint8_t)(*pending & ~sources);
		w->bank->latched &= ~(1u << (first + i));
		w->bank->latched |= (*pending != 0 ? 1u : 0u) << (first + i);
	}
}

/* Identification (4.3.18): PIDR4 to 7, PIDR0 to 3 (architecture version 2), CIDR0 to 3, from 0xfd0 on */
static uint32_t read_id(struct irq_bank *bank, uint32_t offset)
{
	static const uint8_t id[] = {0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1};

	(void)bank;
	return offset < 0x50 ? 0 : id[(offset - 0x50) / 4];
}

static uint32_t read_zero(struct irq_bank *bank, uint32_t offset)
{
	(void)bank;
	(void)offset;
	return 0;
}

static void ignore(struct gicd_write *w)
{
	(void)w;
}

struct gicd_block {
	uint16_t base; /* offset of the first register */
	uint8_t shift; /* so many bytes, as a power of two, serve 32 interrupts */
	uint32_t (*read)(struct irq_bank *bank, uint32_t offset);
	void (*write)(struct gicd_write *w);
};

#define PRIORITY {0x400, 5, read_priority, write_priority}
#define TARGET	 {0x800, 5, read_target, write_target}
#define CONFIG	 {0xc00, 3, read_config, write_config}
#define NOTHING	 {0xd00, 12, read_zero, ignore}

/* The distributor by its 128-byte blocks. */
static const struct gicd_block blocks[32] = {
	{0x000, 12, read_control, write_control},
	{0x080, 2, read_group, write_group},
	{0x100, 2, read_enable, write_set_enable},
	{0x180, 2, read_enable, write_clear_enable},
	{0x200, 2, read_pending, write_set_pending},
	{0x280, 2, read_pending, write_clear_pending},
	{0x300, 2, read_active, write_set_active},
	{0x380, 2, read_active, write_clear_active},
	PRIORITY, PRIORITY, PRIORITY, PRIORITY, PRIORITY, PRIORITY, PRIORITY, PRIORITY,
	TARGET, TARGET, TARGET, TARGET, TARGET, TARGET, TARGET, TARGET,
	CONFIG, CONFIG, NOTHING, NOTHING, NOTHING, NOTHING,
	{0xf00, 12, read_sgi, write_sgi},
	{0xf80, 12, read_id, ignore},
};

bool vgicd_access(void *device, struct mmio_access *access)
{
	const struct gicd_block *block = &blocks[access->offset >> 7 & 31];
	const unsigned int cpu = cpu_self(), shift = (access->offset & 3) * 8;
	const uint32_t offset = (access->offset & 0xffc) - block->base;
	const unsigned int word = offset >> block->shift;
	struct irq_bank *bank = vgic.cpu[cpu].bank[word];
	struct gicd_write w;

	(void)device;
	if (bank == NULL) { /* beyond the last INTID */
		access->value = 0;
		return true;
	}
	if (!access->is_write) {
		access->value = block->read(bank, offset) >> shift;
		return true;
	}
	w.cpu = cpu;
	w.word = word;
	w.bank = bank;
	w.offset = offset;
	w.lanes = (access->size == 4 ? ~0u : (1u << access->size * 8) - 1) << shift;
	if (word == 31 && block->shift == 2) {
		w.lanes &= 0x0fffffff; /* 1020 to 1023 are no interrupts (2.2.1) */
	}
	w.value = access->value << shift & w.lanes;
	w.changed = 0;
	w.cores = 0;
	vgic_begin(word);
	block->write(&w);
	vgic_end(cpu, word, w.changed, w.cores);
	return true;
}
