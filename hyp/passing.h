/* SPDX-License-Identifier: BSD-2-Clause */
/* What passthrough.c and passregs.c share: nodes on their way to the guest. */
#ifndef HYP_PASSING_H
#define HYP_PASSING_H

#include "passthrough.h"

#define UNREADABLE   "the board's device tree is wrong here: this can't be read"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct resolving {
	struct passthrough *passed;
	const struct guest_config *config;
	const struct board *board;
	uint32_t intid_limit;
};

static inline bool is_one_of(const struct dt_at *at, const char *const *compatible,
			     unsigned int count)
{
	while (count > 0 && !dt_compatible(at->dt, dt_node(at), compatible[count - 1])) {
		count--;
	}
	return count > 0;
}

/* Adds the registers of a node. Returns 0; -EINVAL: refused. */
int passing_registers(struct resolving *r, const struct dt_at *at);

/* Of an entry of `ranges` or `dma-ranges`: of the address on a bus, on its parent; of the size. */
struct window_cells {
	uint32_t child, parent, size;
};

/* Reads those of the bus at @level, from 1. Returns bytes of an entry, 0 if it can't be read. */
uint32_t passing_entry(const struct dt_at *at, unsigned int level, struct window_cells *cells);

/*
 * Checks the `ranges` or `dma-ranges` of a node, and adds the windows of a PCI host. @top: it will
 * be below the root, where they have to make sense. Returns 0; -EINVAL: refused.
 */
int passing_windows(struct resolving *r, const struct dt_at *at, bool top,
		    const struct dt_property *ranges);

/* Whether bivy itself has what is in the pages of the node's registers. */
bool passing_is_kept(const struct resolving *r, const struct dt_at *at);

#endif
