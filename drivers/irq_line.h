/* SPDX-License-Identifier: BSD-2-Clause */
/* The interrupt output of an emulated device. */
#ifndef DRIVERS_IRQ_LINE_H
#define DRIVERS_IRQ_LINE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A wire to the guest's interrupt controller. set() tells the level of the wire; telling the same
 * level again is harmless and cheap; the distributor makes an edge or a level of it, as the guest
 * configured.
 */
struct irq_line {
	void (*set)(uint32_t intid, bool level);
	uint32_t intid; /* 32 to 1019 */
};

static inline void irq_line_set(const struct irq_line *line, bool level)
{
	line->set(line->intid, level);
}

#endif
