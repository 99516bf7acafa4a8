/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's tree on its way to the guest: any tree (trees.h), completed by any facts, whatever libfdt's writer says.
 * @sources hyp/guestdt.c
 * @run -DPROPERTY=4 -Ibuild/libfdt-src -eva-precision=1 -eva-interprocedural-splits -eva-split-return=auto -eva-slevel-function=guestdt_complete:500,check_facts:500,config_node:4
 * @split hyp/guestdt.c kaslr if (facts->bootargs != NULL) {
 * @plant hyp/guestdt.c s/facts->cpu_count > CPUS_MAX/false/
 * @plant hyp/guestdt.c s/int shift = 20/int shift = 24/
 * @plant hyp/guestdt.c s/index < 0 [|][|] //
 */
#include "tests/proof/trees.h"
#include "hyp/guestdt.h"
#include "hyp/graft.h"
#include <libfdt.h>

#define ROOM 64

/* All of libfdt's writer that is called: it takes what it may read, and fails when it likes. */
/*@ assigns \result \from \nothing; */
int fdt_create_with_flags(void *buf, int bufsize, uint32_t flags);
/*@ assigns \result \from \nothing; */
int fdt_add_reservemap_entry(void *fdt, uint64_t addr, uint64_t size);
/*@ assigns \result \from \nothing; */
int fdt_finish_reservemap(void *fdt);
/*@ assigns \result \from \nothing; */
int fdt_end_node(void *fdt);
/*@ assigns \result \from \nothing; */
int fdt_finish(void *fdt);

int fdt_begin_node(void *fdt, const char *name)
{
	strlen(name);
	return (int)any();
}

int fdt_property(void *fdt, const char *name, const void *val, int len)
{
	strlen(name);
	/*@ assert len >= 0; */
	/*@ assert len == 0 || \valid_read((const char *)val + (0 .. len - 1)); */
	/*@ assert len == 0 || \initialized((const char *)val + (0 .. len - 1)); */
	return (int)any();
}

/* Kinds of nodes are config.c's (prove_config.c); graft.c, not proved, is taken to write no more than it begins. */
enum guest_node config_node(const struct dt_at *at)
{
	bool root = false;

	if (at->depth == 0) {
		root = true;
	}
	/*@ split root; */
	return root ? NODE_PLAIN : (enum guest_node)up_to(NODE_UNEMULATED);
}

int graft_prepare(struct graft *graft, const struct passthrough *passed, const struct dt *guest,
		  void *target)
{
	return (int)any();
}

int graft_own(struct graft *graft, const struct dt_at *at, const struct dt_property *property)
{
	return (int)any();
}

int graft_write(struct graft *graft)
{
	return (int)any();
}

void main(void)
{
	static uint64_t source[ROOM / 8], target[ROOM / 8];
	static uint8_t seed[40];
	static struct passthrough passed;
	struct config_error error;
	uint32_t size;
	struct guestdt_facts facts = {.ram_base = any64(),
				      .ram_size = any64(),
				      .initrd_start = any64(),
				      .initrd_end = any64(),
				      .bootargs = maybe() ? any_string() : NULL,
				      .cpu_count = any(),
				      .seed = maybe() ? seed : NULL,
				      .passed = maybe() ? &passed : NULL,
				      .seed_size = up_to(sizeof(seed))};

	for (unsigned int i = 0; i < CPUS_MAX; i++) {
		facts.cpu_mpidr[i] = any();
	}
	Frama_C_make_unknown((char *)source, ROOM);
	Frama_C_make_unknown((char *)target, ROOM);
	guestdt_complete(source, target, any(), &facts, &size, &error);
}
