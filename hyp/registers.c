/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's registers by number and mode (ARM DDI 0406C B1.3.2, banked access B9.3.9). The core's
 * own. */
#include <stddef.h>
#include "trap.h"

#define BANKED(name)                                                                               \
	static uint32_t read_banked_##name(void)                                                   \
	{                                                                                          \
		uint32_t value;                                                                    \
		asm volatile("mrs %0, " #name : "=r"(value));                                      \
		return value;                                                                      \
	}                                                                                          \
	static void write_banked_##name(uint32_t value)                                            \
	{                                                                                          \
		asm volatile("msr " #name ", %0" : : "r"(value) : "memory");                       \
	}

BANKED(sp_usr)
BANKED(sp_svc)
BANKED(lr_svc)
BANKED(sp_abt)
BANKED(lr_abt)
BANKED(sp_und)
BANKED(lr_und)
BANKED(sp_irq)
BANKED(lr_irq)
BANKED(sp_fiq)
BANKED(lr_fiq)
BANKED(r8_fiq)
BANKED(r9_fiq)
BANKED(r10_fiq)
BANKED(r11_fiq)
BANKED(r12_fiq)

struct bank {
	uint32_t (*read)(void);
	void (*write)(uint32_t value);
};

#define ROW(name)                                                                                  \
	{                                                                                          \
		read_banked_##name, write_banked_##name                                            \
	}

static const struct bank fiq_banks[] = {ROW(r8_fiq), ROW(r9_fiq), ROW(r10_fiq), ROW(r11_fiq),
					ROW(r12_fiq)};

/* SP and LR by mode; a mode without a row uses User's. LR_usr is in the frame. */
static const struct {
	uint8_t mode;
	struct bank sp, lr;
} mode_banks[] = {
	{PSR_SVC, ROW(sp_svc), ROW(lr_svc)}, {PSR_ABT, ROW(sp_abt), ROW(lr_abt)},
	{PSR_UND, ROW(sp_und), ROW(lr_und)}, {PSR_IRQ, ROW(sp_irq), ROW(lr_irq)},
	{PSR_FIQ, ROW(sp_fiq), ROW(lr_fiq)},
};

static const struct bank user_sp = ROW(sp_usr);

/* The bank of register @n in @mode; NULL if it is in the frame. @n: 0 to 15. */
static const struct bank *find_bank(unsigned int n, uint32_t mode)
{
	if (n < 13) {
		return n >= 8 && mode == PSR_FIQ ? &fiq_banks[n - 8] : NULL;
	}
	for (unsigned int i = 0; i < sizeof(mode_banks) / sizeof(mode_banks[0]); i++) {
		if (mode_banks[i].mode == mode) {
			return n == 13 ? &mode_banks[i].sp : &mode_banks[i].lr;
		}
	}
	return n == 13 ? &user_sp : NULL;
}

uint32_t banked_register(const struct guest_regs *regs, unsigned int n, uint32_t mode)
{
	const struct bank *bank = find_bank(n, mode);

	if (bank != NULL) {
		return bank->read();
	}
	return n > 12 ? regs->lr : regs->r[n];
}

void set_banked_register(struct guest_regs *regs, unsigned int n, uint32_t mode, uint32_t value)
{
	const struct bank *bank = find_bank(n, mode);

	if (bank != NULL) {
		bank->write(value);
	} else if (n > 12) {
		regs->lr = value;
	} else {
		regs->r[n] = value;
	}
}

void banked_registers_reset(void)
{
	for (unsigned int i = 0; i < sizeof(mode_banks) / sizeof(mode_banks[0]); i++) {
		mode_banks[i].sp.write(0);
		mode_banks[i].lr.write(0);
	}
	for (unsigned int i = 0; i < sizeof(fiq_banks) / sizeof(fiq_banks[0]); i++) {
		fiq_banks[i].write(0);
	}
	user_sp.write(0);
	asm volatile(
		"msr spsr_svc, %0\n\tmsr spsr_abt, %0\n\tmsr spsr_und, %0\n\tmsr spsr_irq, %0\n\t"
		"msr spsr_fiq, %0" ::"r"(0));
}
