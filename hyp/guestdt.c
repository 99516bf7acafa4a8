/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the guest's device tree for this boot: the bundle's, completed. Pure. */
#include <errno.h>
#include <libfdt.h>
#include "dt.h"
#include "graft.h"
#include "guestdt.h"
#include "refuse.h"

/*
 * One pass over the source, node by node, into libfdt's sequential writer, so that the cost is
 * linear whatever the tree looks like. Names of properties are not shared in the new tree (looking
 * for equal ones would be quadratic); GROWTH and ROOM bound what it may take, because fdt_create()
 * clears it all.
 */
#define GROWTH 4
#define ROOM   0x4000 /* bytes */

#define KASLR_SEED 8 /* bytes */

struct completion {
	struct dt dt;
	const struct guestdt_facts *facts;
	void *target;
	int result;             /* the first error of libfdt */
	unsigned int cpus_made; /* bit i: the new tree has facts->cpu_mpidr[i] */
	bool cpus_differ;       /* from the source's: then its cpu-map is wrong */
	bool has_cpus, has_chosen, has_memory;
	bool in_cpus;                       /* /cpus is open in the new tree */
	uint32_t address_cells, size_cells; /* of the root */
	struct graft graft;
};

static void put(struct completion *c, const char *name, const void *value, uint32_t length)
{
	if (c->result == 0) {
		c->result = fdt_property(c->target, name, value, (int)length);
	}
}

static void put_string(struct completion *c, const char *name, const char *value)
{
	put(c, name, value, dt_length(value) + 1);
}

static void put_cell(struct completion *c, const char *name, uint32_t value)
{
	uint32_t cell = cpu_to_fdt32(value);

	put(c, name, &cell, sizeof(cell));
}

/* Writes a number as @count cells, 1 or 2, to @cells. Returns how many. */
static uint32_t to_cells(uint32_t *cells, uint64_t value, uint32_t count)
{
	if (count == 2) {
		*cells++ = cpu_to_fdt32((uint32_t)(value >> 32));
	}
	*cells = cpu_to_fdt32((uint32_t)value);
	return count;
}

static void put_address(struct completion *c, const char *name, uint64_t value)
{
	uint32_t cells[2];

	put(c, name, cells, 4 * to_cells(cells, value, c->address_cells));
}

static void begin_node(struct completion *c, const char *name)
{
	if (c->result == 0) {
		c->result = fdt_begin_node(c->target, name);
	}
}

static void end_node(struct completion *c)
{
	if (c->result == 0) {
		c->result = fdt_end_node(c->target);
	}
}

static void put_memory(struct completion *c)
{
	uint32_t cells[4], count;

	count = to_cells(cells, c->facts->ram_base, c->address_cells);
	count += to_cells(cells + count, c->facts->ram_size, c->size_cells);
	put(c, "reg", cells, 4 * count);
	put_string(c, "device_type", "memory");
}

static void put_chosen(struct completion *c)
{
	const struct guestdt_facts *facts = c->facts;
	uint32_t kaslr = facts->seed_size >= KASLR_SEED ? KASLR_SEED : 0;

	if (facts->bootargs != NULL) {
		put_string(c, "bootargs", facts->bootargs);
	}
	if (facts->initrd_start != facts->initrd_end) {
		put_address(c, "linux,initrd-start", facts->initrd_start);
		put_address(c, "linux,initrd-end", facts->initrd_end);
	}
	if (facts->seed != NULL && kaslr != 0) {
		put(c, "kaslr-seed", facts->seed, kaslr);
	}
	if (facts->seed != NULL && facts->seed_size > kaslr) {
		put(c, "rng-seed", facts->seed + kaslr, facts->seed_size - kaslr);
	}
}

static void put_cpus(struct completion *c)
{
	put_cell(c, "#address-cells", 1);
	put_cell(c, "#size-cells", 0);
}

/* The CPUs of the facts that the source has no node for. */
static void make_cpus(struct completion *c)
{
	unsigned int i;

	for (i = 0; i < c->facts->cpu_count; i++) {
		uint32_t mpidr = c->facts->cpu_mpidr[i];
		char name[] = "cpu@000000";
		int shift = 20, at = 4;

		if ((c->cpus_made & 1u << i) != 0) {
			continue;
		}
		while (shift > 0 && mpidr >> shift == 0) {
			shift -= 4;
		}
		for (; shift >= 0; shift -= 4) {
			name[at++] = "0123456789abcdef"[mpidr >> shift & 15];
		}
		name[at] = '\0';
		begin_node(c, name);
		put_string(c, "device_type", "cpu");
		put_string(c, "compatible", "arm,cortex-a15");
		put_cell(c, "reg", mpidr);
		put_string(c, "enable-method", "psci");
		end_node(c);
	}
}

/* The index in the facts of a source's CPU, or -1 if this boot has no such CPU. */
static int cpu_index(const struct completion *c, uint32_t node)
{
	uint32_t mpidr;
	unsigned int i;

	if (dt_cell(&c->dt, node, "reg", &mpidr)) {
		for (i = 0; i < c->facts->cpu_count; i++) {
			if (c->facts->cpu_mpidr[i] == mpidr) {
				return (int)i;
			}
		}
	}
	return -1;
}

static bool cpus_differ(const struct completion *c)
{
	unsigned int found = 0;
	struct dt_at at;
	bool more;

	more = dt_find(&at, &c->dt, "/cpus", 5) && dt_next(&at);
	for (; more && at.depth > 1; more = dt_skip(&at)) {
		if (config_node(&at) == NODE_CPU) {
			if (cpu_index(c, dt_node(&at)) < 0) {
				return true;
			}
			found++;
		}
	}
	return found != c->facts->cpu_count;
}

/*
 * Whether a node of the source goes to the new tree. What a GIC has below it, such as a frame for
 * message interrupts, is left out altogether: Linux reads its registers whatever its status says.
 */
static bool wanted(struct completion *c, const struct dt_at *at, enum guest_node kind)
{
	if (kind == NODE_CPU) {
		int index = cpu_index(c, dt_node(at));

		if (index < 0 || (c->cpus_made & 1u << index) != 0) {
			return false;
		}
		c->cpus_made |= 1u << index;
		return true;
	}
	if (kind == NODE_UNEMULATED && dt_is_gic(at->dt, at->node[at->depth - 1])) {
		return false;
	}
	return !(c->cpus_differ && c->in_cpus && dt_same(dt_name(at->dt, dt_node(at)), "cpu-map"));
}

/* Whether a property of the source gives way to what the facts say. */
static bool replaced(const struct completion *c, enum guest_node kind, const char *name)
{
	switch (kind) {
	case NODE_MEMORY:
		return dt_same(name, "reg") || dt_same(name, "device_type");
	case NODE_CPUS:
		return dt_same(name, "#address-cells") || dt_same(name, "#size-cells");
	case NODE_CHOSEN:
		return dt_same(name, "linux,initrd-start") || dt_same(name, "linux,initrd-end") ||
		       dt_same(name, "kaslr-seed") || dt_same(name, "rng-seed") ||
		       (c->facts->bootargs != NULL && dt_same(name, "bootargs"));
	case NODE_UNEMULATED:
		return dt_same(name, "status");
	default:
		return false;
	}
}

/* Begins a node in the new tree and writes its properties: the new ones, then the source's. */
static void copy_node(struct completion *c, const struct dt_at *at, enum guest_node kind)
{
	struct dt_property property;
	uint32_t position = 0;

	begin_node(c, dt_name(at->dt, dt_node(at)));
	if (kind == NODE_MEMORY) {
		c->has_memory = true;
		put_memory(c);
	} else if (kind == NODE_CHOSEN) {
		c->has_chosen = true;
		put_chosen(c);
	} else if (kind == NODE_CPUS) {
		c->has_cpus = c->in_cpus = true;
		put_cpus(c);
	} else if (kind == NODE_UNEMULATED) {
		put_string(c, "status", "disabled");
	}
	while (dt_each(at->dt, dt_node(at), &position, &property)) {
		if (replaced(c, kind, property.name)) {
			continue;
		}
		if (c->facts->passed == NULL) {
			put(c, property.name, property.value, property.length);
		} else if (c->result == 0) {
			c->result = graft_own(&c->graft, at, &property);
		}
	}
}

/* Ends the nodes that are open below @depth. */
static void close_nodes(struct completion *c, unsigned int *open, unsigned int depth)
{
	while (*open > depth) {
		if (*open == 2 && c->in_cpus) {
			make_cpus(c);
			c->in_cpus = false;
		}
		end_node(c);
		--*open;
	}
}

static void copy_tree(struct completion *c)
{
	unsigned int open = 0; /* nodes */
	struct dt_at at;
	bool more = true;

	for (dt_root(&at, &c->dt); more && c->result == 0;) {
		enum guest_node kind = config_node(&at);

		close_nodes(c, &open, at.depth);
		if (wanted(c, &at, kind)) {
			copy_node(c, &at, kind);
			open++;
			more = dt_next(&at);
		} else {
			more = dt_skip(&at);
		}
	}
	close_nodes(c, &open, 1);
	if (!c->has_cpus) {
		begin_node(c, "cpus");
		put_cpus(c);
		make_cpus(c);
		end_node(c);
	}
	if (!c->has_chosen) {
		begin_node(c, "chosen");
		put_chosen(c);
		end_node(c);
	}
	if (c->facts->passed != NULL && c->result == 0) {
		c->result = graft_write(&c->graft);
	}
	close_nodes(c, &open, 0);
}

static void start(struct completion *c, uint32_t target_size)
{
	const struct passthrough *passed = c->facts->passed;
	uint64_t used = (uint64_t)c->dt.used + (passed != NULL ? passed->dt.used : 0);
	uint64_t most = used * GROWTH + ROOM;
	struct range range;
	uint32_t i;

	c->result = fdt_create_with_flags(c->target, (int)(target_size < most ? target_size : most),
					  FDT_CREATE_FLAG_NO_NAME_DEDUP);
	for (i = 0; c->result == 0 && dt_reservation(&c->dt, i, &range); i++) {
		c->result = fdt_add_reservemap_entry(c->target, range.base, range.size);
	}
	if (c->result == 0) {
		c->result = fdt_finish_reservemap(c->target);
	}
}

static int check_facts(struct completion *c, uint32_t target_size)
{
	const struct guestdt_facts *facts = c->facts;
	struct dt_at root;

	dt_root(&root, &c->dt);
	c->address_cells = dt_address_cells(&c->dt, dt_node(&root));
	c->size_cells = dt_size_cells(&c->dt, dt_node(&root));
	if (c->address_cells - 1 > 1 || c->size_cells - 1 > 1) {
		return dt_refuse(&root, "#address-cells",
				 "the root's #address-cells and #size-cells must be 1 or 2");
	}
	if ((c->address_cells == 1 &&
	     (facts->ram_base > UINT32_MAX || facts->initrd_end > UINT32_MAX)) ||
	    (c->size_cells == 1 && facts->ram_size > UINT32_MAX)) {
		return dt_refuse(&root, "#address-cells",
				 "the guest's memory, %llx bytes at %llx, does not fit one cell; "
				 "make #address-cells and #size-cells of the root 2",
				 (unsigned long long)facts->ram_size,
				 (unsigned long long)facts->ram_base);
	}
	if (((uintptr_t)c->target & 7) != 0 || target_size > INT32_MAX ||
	    facts->cpu_count > CPUS_MAX) {
		return refuse(c->dt.error, "the guest's device tree can't be completed at %x",
			      (unsigned int)(uintptr_t)c->target);
	}
	return 0;
}

int guestdt_complete(const void *source, void *target, uint32_t target_size,
		     const struct guestdt_facts *facts, uint32_t *size, struct config_error *error)
{
	struct completion c = {.facts = facts, .target = target};
	int result = dt_open(&c.dt, source, INT32_MAX, "the guest's device tree", error);

	result = result ?: check_facts(&c, target_size);
	if (result == 0 && facts->passed != NULL) {
		result = graft_prepare(&c.graft, facts->passed, &c.dt, target);
	}
	if (result != 0) {
		return result;
	}
	c.cpus_differ = cpus_differ(&c);
	start(&c, target_size);
	copy_tree(&c);
	if ((c.result ?: fdt_finish(target)) != 0) {
		return refuse(error,
			      "the guest's device tree does not fit %x bytes when it is "
			      "completed; make it smaller",
			      (unsigned int)target_size);
	}
	if (!c.has_memory) {
		return refuse(error, "the guest's device tree has no memory node; add memory@... "
				     "with device_type = \"memory\"");
	}
	if (fdt_totalsize(target) < fdt_totalsize(source) && fdt_totalsize(source) <= target_size) {
		fdt_set_totalsize(target, fdt_totalsize(source)); /* room for boot loaders */
	}
	*size = fdt_totalsize(target);
	return 0;
}
