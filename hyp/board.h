/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's device tree while it is read. */
#ifndef HYP_BOARD_H
#define HYP_BOARD_H

#include "dt.h"

#define IPA_LIMIT (1ull << 40) /* ARM DDI 0406C B3.6.1: 40-bit addresses */
#define PAGE      0x1000ull

struct reading {
	struct dt dt;
	struct board *board;
	struct range tree; /* where the tree itself lies */
	uint32_t gic;      /* phandle */
};

/*
 * Adds the node's banks to the board's RAM, which is the largest run of neighbours; @run: the last
 * one, at first empty. Returns 0; -EINVAL: refused.
 */
int board_add_banks(struct reading *reading, const struct dt_at *at, struct range *run);

/* Takes what the tree reserves out of RAM. Returns 0; -EINVAL: refused. */
int board_reserve(struct reading *reading);

#endif
