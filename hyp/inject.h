/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions that the guest takes because of what it did (ARM DDI 0406C B1.8, B1.9). */
#ifndef HYP_INJECT_H
#define HYP_INJECT_H

#include <stdbool.h>
#include <stdint.h>
#include "cpu.h"

enum abort_kind {
	ABORT_EXTERNAL,      /* synchronous external abort: nothing is there, or it refuses */
	ABORT_EXTERNAL_WALK, /* the same on a translation table walk */
	ABORT_ALIGNMENT,
};

/* regs->pc is the address of the offending instruction, in all three. It returns to the guest's
 * vector. */
void inject_undefined(struct guest_regs *regs);
void inject_data_abort(struct guest_regs *regs, uint32_t va, enum abort_kind kind, bool is_write);
void inject_prefetch_abort(struct guest_regs *regs, uint32_t va, enum abort_kind kind);

#endif
