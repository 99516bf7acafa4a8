/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes of the board's tree, written into the guest's. Pure. */
#ifndef HYP_GRAFT_H
#define HYP_GRAFT_H

#include "passthrough.h"

struct graft {
	const struct passthrough *passed;
	void *target;            /* of libfdt's sequential writer */
	int result;              /* the first error of libfdt, after which nothing is written */
	uint32_t phandle_offset; /* from the guest's own phandles to those in the new tree */
	uint32_t gic, gic_address_cells;    /* the guest's interrupt controller */
	uint32_t address_cells, size_cells; /* of the guest's root, 1 or 2 */
};

/*
 * Learns what has to fit from the guest's tree. Returns 0 or -EINVAL with the guest's error filled:
 * its root has a node of the same name, or phandles leave no room.
 */
int graft_prepare(struct graft *graft, const struct passthrough *passed, const struct dt *guest,
		  void *target);

/* Writes a property of the guest's own tree, at @at there. Returns 0 or libfdt's error. */
int graft_own(struct graft *graft, const struct dt_at *at, const struct dt_property *property);

/*
 * Writes the nodes where the root of the new tree is open: at the same addresses, with the same
 * SPIs. Returns 0 or libfdt's error (negative too).
 */
int graft_write(struct graft *graft);

#endif
