/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's GICv2 distributor, register by register (IHI 0048B 4.3). Lock: see vgic.c;
 * gicd_write() has it. */
#include <stddef.h>
#include "vgic_state.h"
#include "../drivers/hw/gicv2.h"
#include "self.h"

#define PRIORITY_BITS 0xf8f8f8f8u /* as many as the list registers have */
#define IIDR          0x0200043bu /* Arm, GIC-400 r0p0 */

/*
 * Reads get the bank of the interrupts that the register is about, and bytes from the start of the
 * block of registers; the lock is not held, as one word is read at once. Writes get besides the
 * bits that are written, @lanes, and their value, 0 outside; the lock is held if the bank is not
 * private. They return the interrupts for which list registers may have to change.
 */

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

static uint32_t write_control(struct irq_bank *bank, uint32_t offset, uint32_t lanes,
			      uint32_t value)
{
	(void)bank;
	if (offset == 0 && (lanes & 3) != 0) {
		spin_lock(&vgic.lock);
		vgic_set_ctlr(value & 3);
		spin_unlock(&vgic.lock);
		vgic_look(cpu_self(), (1u << vgic.cpu_count) - 1);
	}
	return 0;
}

/* One bit an interrupt */

static uint32_t read_group(struct irq_bank *bank, uint32_t offset)
{
	(void)offset;
	return bank->group1;
}

static uint32_t write_group(struct irq_bank *bank, uint32_t offset, uint32_t lanes, uint32_t value)
{
	const uint32_t changed = (bank->group1 ^ value) & lanes;

	(void)offset;
	vgic_claim(bank, changed);
	bank->group1 = (bank->group1 & ~changed) |
		       (value & changed); /* by another core meanwhile, perhaps */
	return changed;
}

static uint32_t read_enable(struct irq_bank *bank, uint32_t offset)
{
	(void)offset;
	return bank->enabled;
}

static __attribute__((noinline)) void enable_physical(const struct irq_bank *bank, uint32_t mask,
						      bool enable)
{
	gic_enable(bank->word, mask & bank->hw, enable);
}

static uint32_t write_set_enable(struct irq_bank *bank, uint32_t offset, uint32_t lanes,
				 uint32_t value)
{
	const uint32_t changed = value & ~bank->enabled;

	(void)offset;
	(void)lanes;
	bank->enabled |= changed;
	if ((changed & bank->hw) != 0) {
		enable_physical(bank, changed, true);
	}
	return changed;
}

/* Of private interrupts, SGIs can't be disabled, set or cleared here (4.3.5 to 4.3.8). */
static uint32_t except_sgis(const struct irq_bank *bank, uint32_t value)
{
	return bank->word == 0 ? value & 0xffff0000u : value;
}

static uint32_t write_clear_enable(struct irq_bank *bank, uint32_t offset, uint32_t lanes,
				   uint32_t value)
{
	const uint32_t changed = except_sgis(bank, value) & bank->enabled;

	(void)offset;
	(void)lanes;
	if ((changed & bank->hw) != 0) {
		enable_physical(bank, changed, false);
	}
	bank->enabled &= ~changed;
	vgic_claim(bank, changed);
	return changed;
}

/*
 * State that may be in list registers, of any core: all of the word comes out for the moment, so
 * that none goes in unseen while other cores answer.
 */
static uint32_t read_state(struct irq_bank *bank, bool active)
{
	uint32_t held, value;

	vgic_begin(bank);
	held = bank->in_lr;
	if (held != 0) {
		vgic_claim(bank, ~0u);
	}
	value = active ? bank->active : irq_bank_pending(bank);
	vgic_end(bank, held != 0 ? ~0u : 0);
	return value;
}

static uint32_t read_pending(struct irq_bank *bank, uint32_t offset)
{
	uint32_t pending = read_state(bank, false);

	(void)offset;
	return bank->hw == 0 ? pending : pending | (gic_pending(bank->word) & bank->hw);
}

static uint32_t read_active(struct irq_bank *bank, uint32_t offset)
{
	(void)offset;
	return read_state(bank, true);
}

/* The guest's own physical interrupts in @mask become pending where they come from, unless they are
 * already. */
static void pend_physical(struct irq_bank *bank, uint32_t mask)
{
	if (bank->word != 0) {
		vgic_claim(bank, mask); /* other cores' list registers can't be read */
	}
	mask &= ~bank->latched;
	for (uint32_t held = mask & bank->in_lr; held != 0; held &= held - 1) {
		const unsigned int n = (unsigned int)__builtin_ctz(held);

		if ((gich_read_lr(bank->list[n]) & LR_PENDING) != 0) {
			mask &= ~(1u << n);
		}
	}
	gic_pend(bank->word, mask, true);
}

static uint32_t write_set_pending(struct irq_bank *bank, uint32_t offset, uint32_t lanes,
				  uint32_t value)
{
	uint32_t changed = except_sgis(bank, value);

	(void)offset;
	(void)lanes;
	if ((changed & bank->hw) != 0) {
		pend_physical(bank, changed & bank->hw);
		if (bank->word != 0) {
			bank->latched |= changed & ~bank->hw;
			return changed;
		}
		changed &= ~bank->hw;
	}
	if (changed != 0 && (changed & (changed - 1)) == 0 &&
	    vgic_pend_again(vgic_self(), bank, (unsigned int)__builtin_ctz(changed), LR_LATCHED)) {
		return 0;
	}
	bank->latched |= changed;
	return changed;
}

static uint32_t write_clear_pending(struct irq_bank *bank, uint32_t offset, uint32_t lanes,
				    uint32_t value)
{
	const uint32_t changed = except_sgis(bank, value), physical = changed & bank->hw;

	(void)offset;
	(void)lanes;
	vgic_claim(bank, changed);
	if (physical != 0) {
		const uint32_t latched = physical & bank->latched;

		bank->latched &= ~physical;
		gic_pend(bank->word, physical, false);
		vgic_give_back(bank, latched);
	}
	bank->latched &= ~changed;
	return changed;
}

/* Nothing in a list register tells of the end of what is made active here: GICC_DIR must trap. */
static uint32_t write_set_active(struct irq_bank *bank, uint32_t offset, uint32_t lanes,
				 uint32_t value)
{
	(void)offset;
	(void)lanes;
	vgic_claim(bank, value);
	if ((value & ~bank->active) != 0) {
		vgic_trap_dir();
	}
	bank->active |= value;
	return value;
}

static uint32_t write_clear_active(struct irq_bank *bank, uint32_t offset, uint32_t lanes,
				   uint32_t value)
{
	(void)offset;
	(void)lanes;
	vgic_claim(bank, value);
	vgic_give_back(bank, value & bank->active);
	bank->active &= ~value;
	return value;
}

/* One byte an interrupt: the four of a word are interrupts n to n + 3 of their bank */

static uint32_t read_priority(struct irq_bank *bank, uint32_t offset)
{
	return bank->priority_word[offset % 32 / 4];
}

static uint32_t write_priority(struct irq_bank *bank, uint32_t offset, uint32_t lanes,
			       uint32_t value)
{
	uint32_t *priorities = &bank->priority_word[offset % 32 / 4];
	uint32_t changed = 0;

	value = (*priorities & ~lanes) | (value & PRIORITY_BITS);
	if (value != *priorities) {
		*priorities = value;
		changed = 0xfu << offset % 32 & (bank->in_lr | irq_bank_pending(bank));
		vgic_claim(bank, changed);
	}
	return changed;
}

static uint32_t read_target(struct irq_bank *bank, uint32_t offset)
{
	return vgic.cpu_count == 1
		       ? 0
		       : bank->target_word[offset % 32 / 4]; /* 4.3.12: RAZ/WI with one */
}

/* The guest's own SPIs in @mask go where the guest wants them from now on. */
static void target_physical(struct irq_bank *bank, uint32_t mask)
{
	for (uint32_t left = mask; left != 0; left &= left - 1) {
		const unsigned int n = (unsigned int)__builtin_ctz(left);
		const unsigned int target = vgic_target(bank, n);

		gic_target(bank->word * 32 + n, target < CPUS_MAX ? vgic.gic_mask[target] : 0);
	}
	vgic_give_back(bank, mask & ~bank->active);
}

static uint32_t write_target(struct irq_bank *bank, uint32_t offset, uint32_t lanes, uint32_t value)
{
	uint32_t *targets = &bank->target_word[offset % 32 / 4];
	const uint32_t cores = ((1u << vgic.cpu_count) - 1) * 0x01010101u;
	const uint32_t changed = 0xfu << offset % 32;

	if (bank->word == 0 || vgic.cpu_count == 1) {
		return 0;
	}
	vgic_claim(bank, changed);
	*targets = (*targets & ~lanes) | (value & cores);
	if ((changed & bank->hw) != 0) {
		target_physical(bank, changed & bank->hw);
	}
	return changed;
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

static uint32_t write_config(struct irq_bank *bank, uint32_t offset, uint32_t lanes, uint32_t value)
{
	uint32_t edge = 0, changed = 0;

	for (unsigned int i = 0; i < 16; i++) {
		edge |= (value >> (2 * i + 1) & 1) << i;
		changed |= (lanes >> (2 * i + 1) & 1) << i;
	}
	edge <<= (offset & 4) * 4;
	changed <<= (offset & 4) * 4;
	changed &= except_sgis(bank, (bank->edge ^ edge) & ~(bank->word == 0 ? bank->hw : 0));
	vgic_claim(bank, changed);
	bank->edge = (bank->edge & ~changed) | (edge & changed);
	if ((changed & bank->hw) != 0) {
		gic_configure(bank->word, changed & bank->hw, edge);
	}
	return changed;
}

/* Software generated interrupts (4.3.15 to 4.3.17): SGIR at 0x00, CPENDSGIR at 0x10, SPENDSGIR at
 * 0x20 */

static uint32_t write_sgir(uint32_t value)
{
	const unsigned int cpu = cpu_self();
	const uint32_t all = (1u << vgic.cpu_count) - 1, filter = value >> 24 & 3;
	uint32_t targets = 1u << cpu;

	if (filter == 0) {
		targets = value >> 16 & all;
	} else if (filter == 1) {
		targets ^= all;
	} else if (filter == 3) {
		targets = 0;
	}
	vgic_send_sgi(cpu, value & 0xf, targets);
	return 0;
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
	vgic_claim(bank, held);
	pending = (uint32_t)source[0] | (uint32_t)source[1] << 8 | (uint32_t)source[2] << 16 |
		  (uint32_t)source[3] << 24;
	vgic_end(bank, 0xfu << first);
	return pending;
}

/* @offset: a multiple of 4 from 0x10 to 0x2c. Rare, so kept out of the way of SGIR. */
static __attribute__((noinline)) uint32_t write_sgi_pending(struct irq_bank *bank, uint32_t offset,
							    uint32_t value)
{
	const unsigned int cpu = cpu_self(), first = offset & 0xc;

	vgic_open_inbox(cpu);
	vgic_claim(bank, 0xfu << first);
	for (unsigned int i = 0; i < 4; i++) {
		uint8_t sources = (uint8_t)(value >> 8 * i & ((1u << vgic.cpu_count) - 1));
		uint8_t *pending = &vgic.cpu[cpu].sgi_source[first + i];

		*pending = offset >= 0x20 ? (uint8_t)(*pending | sources)
					  : (uint8_t)(*pending & ~sources);
		bank->latched &= ~(1u << (first + i));
		bank->latched |= (*pending != 0 ? 1u : 0u) << (first + i);
	}
	return 0xfu << first;
}

static uint32_t write_sgi(struct irq_bank *bank, uint32_t offset, uint32_t lanes, uint32_t value)
{
	(void)lanes;
	if (offset == 0) {
		return write_sgir(value);
	}
	return offset >= 0x10 && offset < 0x30 ? write_sgi_pending(bank, offset, value) : 0;
}

/* Identification (4.3.18): PIDR4 to 7, PIDR0 to 3 (architecture version 2), CIDR0 to 3, from 0xfd0
 * on */
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

static uint32_t ignore(struct irq_bank *bank, uint32_t offset, uint32_t lanes, uint32_t value)
{
	(void)bank;
	(void)offset;
	(void)lanes;
	(void)value;
	return 0;
}

struct gicd_block {
	uint16_t mask; /* which bits of a register's offset count from the start of the block */
	uint8_t shift; /* so many bytes, as a power of two, serve 32 interrupts */
	uint32_t (*read)(struct irq_bank *bank, uint32_t offset);
	uint32_t (*write)(struct irq_bank *bank, uint32_t offset, uint32_t lanes, uint32_t value);
} __attribute__((aligned(16))); /* a shift away from its index */

#define PRIORITY                                                                                   \
	{                                                                                          \
		0x3fc, 5, read_priority, write_priority                                            \
	}
#define TARGET                                                                                     \
	{                                                                                          \
		0x3fc, 5, read_target, write_target                                                \
	}
#define CONFIG                                                                                     \
	{                                                                                          \
		0x0fc, 3, read_config, write_config                                                \
	}
#define NOTHING                                                                                    \
	{                                                                                          \
		0x0fc, 12, read_zero, ignore                                                       \
	}

/* The distributor by its 128-byte blocks. */
static const struct gicd_block blocks[32] = {
	{0x07c, 12, read_control, write_control},
	{0x07c, 2, read_group, write_group},
	{0x07c, 2, read_enable, write_set_enable},
	{0x07c, 2, read_enable, write_clear_enable},
	{0x07c, 2, read_pending, write_set_pending},
	{0x07c, 2, read_pending, write_clear_pending},
	{0x07c, 2, read_active, write_set_active},
	{0x07c, 2, read_active, write_clear_active},
	PRIORITY,
	PRIORITY,
	PRIORITY,
	PRIORITY,
	PRIORITY,
	PRIORITY,
	PRIORITY,
	PRIORITY,
	TARGET,
	TARGET,
	TARGET,
	TARGET,
	TARGET,
	TARGET,
	TARGET,
	TARGET,
	CONFIG,
	CONFIG,
	NOTHING,
	NOTHING,
	NOTHING,
	NOTHING,
	{0x07c, 12, read_sgi, write_sgi},
	{0x07c, 12, read_id, ignore},
};

static uint32_t gicd_read(void *device, uint32_t offset, uint32_t size)
{
	const struct gicd_block *block = &blocks[offset >> 7 & 31];
	const uint32_t from = offset & block->mask;
	struct irq_bank *bank = vgic_self()->bank[from >> block->shift];

	(void)device;
	(void)size;
	return bank == NULL ? 0
			    : block->read(bank, from) >>
				      (offset & 3) * 8; /* NULL: beyond the last INTID */
}

always_inline void write_lanes(uint32_t offset, uint32_t lanes, uint32_t value)
{
	const struct gicd_block *block = &blocks[offset >> 7 & 31];
	const uint32_t from = offset & block->mask;
	struct irq_bank *bank = vgic_self()->bank[from >> block->shift];

	if (bank != NULL) {
		vgic_begin(bank);
		vgic_end(bank, block->write(bank, from, lanes, value));
	}
}

/* A byte or a halfword. */
static __attribute__((noinline)) void write_part(uint32_t offset, uint32_t size, uint32_t value)
{
	const uint32_t shift = (offset & 3) * 8;

	write_lanes(offset, ((1u << size * 8) - 1) << shift, value << shift);
}

static void gicd_write(void *device, uint32_t offset, uint32_t size, uint32_t value)
{
	(void)device;
	if (size == 4) {
		write_lanes(offset, ~0u, value);
	} else {
		write_part(offset, size, value);
	}
}

const struct mmio_ops vgicd_ops = {.read = gicd_read, .write = gicd_write};
