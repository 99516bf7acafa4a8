/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of the physical SPIs that are bivy's own. No lock: it is filled before the guest runs
 * and constant afterwards.
 */
#include "irq.h"
#include "print.h"
#include "../drivers/hw/gicv2.h"

#define HANDLERS_MAX 16u

static struct {
	bool (*handler)(void *argument);
	void *argument;
} row[1 + HANDLERS_MAX];

static uint8_t row_of[INTID_SPURIOUS]; /* 0: none */
static uint8_t row_count;

bool irq_attach(uint32_t intid, bool (*handler)(void *argument), void *argument)
{
	if (row_of[intid] != 0 || row_count == HANDLERS_MAX) {
		return false;
	}
	row_of[intid] = ++row_count;
	row[row_count].handler = handler;
	row[row_count].argument = argument;
	gic_enable_spi(intid);
	return true;
}

bool irq_handle(uint32_t intid)
{
	const uint8_t i = row_of[intid];

	if (i != 0 && !row[i].handler(row[i].argument)) {
		gic_enable(intid / 32, 1u << intid % 32, false);
		say("the board's device with interrupt %lu failed and is off", intid);
	}
	return i != 0;
}
