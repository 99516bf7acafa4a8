/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's RAM: its banks, less what is reserved. Pure; runs before the MMU. No lock. */
#include <errno.h>
#include "board.h"
#include "refuse.h"

#define LOADER_PADDING 0x10000 /* bytes that a boot loader adds to a tree */

/* Bytes below 4 GiB, which decide between ranges: the loader and bivy before the MMU use those. */
static uint64_t low(const struct range *range)
{
	const uint64_t most = range->base < LOW_RAM_END ? LOW_RAM_END - range->base : 0;

	return range->size < most ? range->size : most;
}

/* Adds one bank: the largest wins, and one that begins where the last ended makes that longer. */
static void add_bank(struct range *ram, struct range *run, struct range bank)
{
	if (run->size != 0 && run->base + run->size == bank.base) {
		run->size += bank.size;
	} else {
		*run = bank;
	}
	if (low(run) > low(ram) || (run->base == ram->base && run->size > ram->size)) {
		*ram = *run;
	}
}

int board_add_banks(struct reading *reading, const struct dt_at *at, struct range *run)
{
	struct range bank;
	unsigned int i;
	int result;

	for (i = 0; (result = dt_reg(at, i, &bank)) == 0; i++) {
		add_bank(&reading->board->ram, run, bank);
		reading->board->ram_elsewhere += bank.size;
	}
	if (result != -ENOENT) {
		return dt_refuse(at, "reg",
				 "this memory's addresses can't be read; check them "
				 "against #address-cells and #size-cells of its parent");
	}
	return 0;
}

static bool only_covers(const struct range *reserved, const struct range *what)
{
	return what->size != 0 && reserved->base / PAGE == what->base / PAGE &&
	       reserved->size <= what->size + PAGE + LOADER_PADDING;
}

/* Takes @reserved out of RAM, keeping the larger side. Loaders reserve the tree and the bundle. */
static void reserve(struct reading *reading, const struct range *reserved)
{
	struct range *ram = &reading->board->ram;
	uint64_t end = ram->base + ram->size, from = reserved->base;
	uint64_t to = reserved->size < UINT64_MAX - from ? from + reserved->size : UINT64_MAX;
	struct range below = *ram, above = {.base = to};

	if (only_covers(reserved, &reading->tree) ||
	    only_covers(reserved, &reading->board->bundle) || from >= end || to <= ram->base) {
		return;
	}
	below.size = from > ram->base ? from - ram->base : 0;
	above.size = to < end ? end - to : 0;
	*ram = low(&below) < low(&above) ? above : below;
}

int board_reserve(struct reading *reading)
{
	struct board *board = reading->board;
	const struct dt *dt = &reading->dt;
	struct range range;
	struct dt_at at;
	uint32_t i;
	int result;
	bool more;

	board->ram_elsewhere -= board->ram.size;
	for (i = 0; dt_reservation(dt, i, &range); i++) {
		reserve(reading, &range);
	}
	more = dt_find(&at, dt, "/reserved-memory", 16) && dt_next(&at);
	for (; more && at.depth > 1; more = dt_skip(&at)) {
		if (!dt_enabled(dt, dt_node(&at)) || dt_has(dt, dt_node(&at), "reusable")) {
			continue; /* anybody's until its device's driver wants it */
		}
		for (i = 0; (result = dt_reg(&at, i, &range)) == 0; i++) {
			reserve(reading, &range);
		}
		if (result != -ENOENT) {
			return dt_refuse(
				&at, "reg",
				"these addresses can't be read; /reserved-memory needs ranges, and "
				"the same #address-cells and #size-cells as the root");
		}
	}
	if (board->ram.size == 0) {
		return refuse(reading->dt.error, "all of the board's memory is reserved");
	}
	return 0;
}
