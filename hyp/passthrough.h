/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's devices that the guest gets as they are (bivy,passthrough). Pure. */
#ifndef HYP_PASSTHROUGH_H
#define HYP_PASSTHROUGH_H

#include "dt.h"

#define PASSTHROUGH_NODES_MAX  40 /* the list, and fixed clocks and regulators that it refers to */
#define PASSTHROUGH_RANGES_MAX 128
#define PASSTHROUGH_LEFT_MAX   8
#define PASSTHROUGH_SPI_WORDS  32

/* Constant once it is made. */
struct passthrough {
	struct dt dt;        /* the board's tree */
	uint32_t gic;        /* phandle of the board's interrupt controller, 0 if it has none */
	unsigned int listed; /* these come first; the others are fixed clocks and regulators */
	unsigned int node_count;
	struct dt_at node[PASSTHROUGH_NODES_MAX]; /* each with all that is below it */
	unsigned int range_count;
	struct range
		range[PASSTHROUGH_RANGES_MAX]; /* IPA = PA: whole pages, apart from each other */
	uint32_t spi[PASSTHROUGH_SPI_WORDS];   /* bit n of word w: INTID 32 * w + n */
	bool masters;                          /* a node may read and write RAM by itself */
	unsigned int left_count;
	uint32_t left[PASSTHROUGH_LEFT_MAX]; /* nodes below others that are bivy's own */
};

/*
 * Finds the nodes of config->passthrough in the board's tree, and what the guest needs to drive
 * them: every page of their registers (and the windows of a PCI host), their SPIs, and the nodes
 * that they refer to. Of those, fixed clocks and regulators come along; others must be in the list.
 * MSIs and IOMMUs are not passed: a device without them does with its plain interrupts.
 * @tree: the board's, 4-byte aligned; at most @limit bytes are read, also later, as *passed keeps
 * offsets. @error: also for graft_write() later. @intid_limit: number of INTIDs.
 * Returns 0 or -EINVAL with *error filled: a node that is not there or not whole, registers where
 * bivy, RAM or another of the guest's devices is, an interrupt that is not the guest's to have.
 */
int passthrough_resolve(struct passthrough *passed, const void *tree, uint32_t limit,
			const struct guest_config *config, const struct board *board,
			uint32_t intid_limit, struct config_error *error);

/* Whether a node below a passed one goes to the guest, too. */
bool passthrough_has(const struct passthrough *passed, const struct dt_at *at);

#endif
