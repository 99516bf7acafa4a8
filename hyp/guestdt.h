/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's device tree, completed for this boot. Pure. */
#ifndef HYP_GUESTDT_H
#define HYP_GUESTDT_H

#include "passthrough.h"

struct guestdt_facts {
	uint64_t ram_base, ram_size;       /* IPA and bytes that the guest really has */
	uint64_t initrd_start, initrd_end; /* IPA; equal: no initrd */
	const char *bootargs;              /* NULL: leave the tree's own */
	unsigned int cpu_count;
	uint32_t cpu_mpidr[CPUS_MAX];
	const uint8_t *seed;              /* NULL: no entropy source, then no seed is written */
	const struct passthrough *passed; /* NULL, or nodes of the board's tree for this one */
	uint32_t seed_size; /* bytes: up to 8 go to kaslr-seed, the rest to rng-seed */
};

/*
 * Copies @source into @target (@target_size bytes) and completes it: /memory, /cpus (nodes are made
 * from the facts; nodes of CPUs that do not exist are deleted), /chosen (linux,initrd-start and
 * -end, bootargs, kaslr-seed, rng-seed), status = "disabled" on every node whose registers nothing
 * emulates (below the GIC they are left out), and adds the nodes that are passed through.
 * @source: 4-byte aligned, not over @target. @target: 8-byte aligned; as much of it is cleared as
 * four times the source, 16 KiB and what is passed take. Returns 0 or a negative errno with *error
 * filled. *size gets the bytes used.
 */
int guestdt_complete(const void *source, void *target, uint32_t target_size,
		     const struct guestdt_facts *facts, uint32_t *size, struct config_error *error);

#endif
