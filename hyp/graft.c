/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies the board's nodes below the root of the guest's tree, but for what is switched off.
 * Inside of one nothing changes but phandles; where a node meets its bus (reg, ranges,
 * interrupt-parent) it meets the root now.
 */
#include "graft.h"
#include <libfdt.h>
#include "dtref.h"
#include "refuse.h"

static uint32_t renumber(const struct graft *graft, uint32_t phandle)
{
	if (phandle == graft->passed->gic) {
		return graft->gic;
	}
	return dtref_is_hole(phandle) ? phandle : phandle + graft->phandle_offset;
}

static const char *graft_name(const struct graft *graft, unsigned int i)
{
	return dt_name(&graft->passed->dt, dt_node(&graft->passed->node[i]));
}

static uint32_t highest_phandle(const struct dt *dt)
{
	uint32_t highest = 0;
	struct dt_at at;

	dt_root(&at, dt);
	do {
		const uint32_t phandle = dt_phandle(dt, dt_node(&at));

		highest = phandle > highest && phandle != ~0u ? phandle : highest;
	} while (dt_next(&at));
	return highest;
}

/* A node of the list keeps its name. */
static int check_names(const struct graft *graft, const struct dt_at *root)
{
	const struct passthrough *passed = graft->passed;
	struct dt_at at = *root;
	unsigned int i;
	bool more;

	for (more = dt_next(&at); more; more = dt_skip(&at)) {
		for (i = 0; i < passed->listed; i++) {
			if (dt_same(dt_name(at.dt, dt_node(&at)), graft_name(graft, i))) {
				return dt_refuse(&at, NULL,
						 "bivy,passthrough brings a node of this name; "
						 "remove this one");
			}
		}
	}
	for (i = 0; i < passed->listed * passed->listed; i++) {
		const unsigned int a = i / passed->listed, b = i % passed->listed;

		if (a < b && dt_same(graft_name(graft, a), graft_name(graft, b))) {
			return dt_refuse(root, "bivy,passthrough",
					 "two of these nodes have the name %s; pass one of them",
					 graft_name(graft, a));
		}
	}
	return 0;
}

int graft_prepare(struct graft *graft, const struct passthrough *passed, const struct dt *guest,
		  void *target)
{
	struct dt_at root, at;

	graft->passed = passed;
	graft->target = target;
	dt_root(&root, guest);
	graft->address_cells = dt_address_cells(guest, dt_node(&root));
	graft->size_cells = dt_size_cells(guest, dt_node(&root));
	graft->phandle_offset = highest_phandle(guest);
	if (highest_phandle(&passed->dt) >= ~0u - graft->phandle_offset) {
		return dt_refuse(&root, "bivy,passthrough",
				 "the phandles of this tree and of the board's are too large");
	}
	if (dt_find_gic(&at, guest)) {
		graft->gic = dt_phandle(guest, dt_node(&at));
		graft->gic_address_cells = 0;
		dt_cell(guest, dt_node(&at), "#address-cells", &graft->gic_address_cells);
	}
	for (unsigned int i = 0; i < passed->range_count; i++) {
		const uint64_t end = passed->range[i].base + passed->range[i].size;

		if (end > 1ull << 32 && (graft->address_cells == 1 || graft->size_cells == 1)) {
			return dt_refuse(&root, "#address-cells",
					 "what is passed through needs #address-cells and "
					 "#size-cells of 2 here, for its addresses beyond 4 GiB");
		}
	}
	return check_names(graft, &root);
}

/* Room for a property of so many cells. Returns NULL with *result filled if there is none. */
static fdt32_t *begin(const struct graft *graft, const char *name, uint32_t cells, int *result)
{
	void *value = NULL;

	*result = fdt_property_placeholder(graft->target, name, (int)(4 * cells), &value);
	return *result == 0 ? value : NULL;
}

static int put_cell(const struct graft *graft, const char *name, uint32_t value)
{
	int result;
	fdt32_t *to = begin(graft, name, 1, &result);

	if (to != NULL) {
		*to = cpu_to_fdt32(value);
	}
	return result;
}

static fdt32_t *to_cells(fdt32_t *to, uint64_t value, uint32_t count)
{
	if (count == 2) {
		*to++ = cpu_to_fdt32((uint32_t)(value >> 32));
	}
	*to++ = cpu_to_fdt32((uint32_t)value);
	return to;
}

static const uint8_t *copy_cells(fdt32_t **to, const uint8_t *from, uint32_t bytes)
{
	for (; bytes != 0; bytes -= 4, from += 4) {
		*(*to)++ = cpu_to_fdt32(dt_word(from));
	}
	return from;
}

/* `reg` of the topmost node, as the guest's root counts cells. */
static int put_reg(const struct graft *graft, const struct dt_at *at)
{
	struct range range;
	uint32_t count = 0;
	fdt32_t *to;
	int result;

	while (dt_reg(at, count, &range) == 0) {
		count++;
	}
	to = begin(graft, "reg", count * (graft->address_cells + graft->size_cells), &result);
	for (uint32_t i = 0; i < count && to != NULL; i++) {
		dt_reg(at, i, &range);
		to = to_cells(to, range.base, graft->address_cells);
		to = to_cells(to, range.size, graft->size_cells);
	}
	return result;
}

/*
 * `ranges` or `dma-ranges` of the topmost node: its children's addresses to the root's. An empty
 * one says that they are the same.
 */
static int put_ranges(const struct graft *graft, const struct dt_at *at,
		      const struct dt_property *property)
{
	const struct dt *dt = at->dt;
	const bool dma = property->name[0] == 'd';
	const uint32_t child = dt_address_cells(dt, dt_node(at));
	const uint32_t parent = dt_address_cells(dt, at->node[at->depth - 1]);
	const uint32_t size = dt_size_cells(dt, dt_node(at));
	const uint32_t entry = 4 * (child + parent + size), count = property->length / entry;
	const uint8_t *from = property->value;
	struct range range;
	fdt32_t *to;
	int result;

	to = begin(graft, property->name, count * (child + graft->address_cells + size), &result);
	for (uint32_t i = 0; i < count && to != NULL; i++) {
		from = copy_cells(&to, from, 4 * child);
		range = (struct range){dt_cells(from, parent), dt_cells(from + 4 * parent, size)};
		if (!dma) {
			dt_to_root(at, at->depth - 1, &range);
		}
		to = to_cells(to, range.base, graft->address_cells);
		from = copy_cells(&to, from + 4 * parent, 4 * size);
	}
	return result;
}

static int put_map(const struct graft *graft, const struct dt_at *at,
		   const struct dt_property *property)
{
	const uint8_t *from = property->value;
	struct interrupt_map_entry entry;
	uint32_t cells = 0, i, size;
	fdt32_t *to = NULL;
	int result = 0;

	for (unsigned int pass = 0; pass < 2 && result == 0; pass++) { /* count, then write */
		if (pass == 1) {
			to = begin(graft, property->name, cells, &result);
		}
		for (i = 0; i < property->length && result == 0; i += size) {
			uint32_t address;

			size = dtref_map_entry(at, from, property->length, i, &entry);
			address = entry.parent == graft->passed->gic ? 4 * graft->gic_address_cells
								     : entry.address;
			cells += (entry.child + 4 + address + entry.specifier) / 4;
			if (to == NULL) {
				continue;
			}
			copy_cells(&to, from + i, entry.child);
			*to++ = cpu_to_fdt32(renumber(graft, entry.parent));
			for (; address != 0; address -= 4) {
				*to++ = 0; /* a GIC's children have none */
			}
			copy_cells(&to, from + i + size - entry.specifier, entry.specifier);
		}
	}
	return result;
}

/* Any other property, with what it refers to as it is numbered in the guest's tree. */
static int put_copy(const struct graft *graft, const struct dt_property *property)
{
	const bool own =
		dt_same(property->name, "phandle") || dt_same(property->name, "linux,phandle");
	uint32_t stride, i = 0;
	void *value;
	int result = fdt_property_placeholder(graft->target, property->name, (int)property->length,
					      &value);

	for (uint32_t b = 0; b < property->length && result == 0; b++) {
		((uint8_t *)value)[b] = property->value[b];
	}
	for (; i < property->length && property->length - i >= 4 && result == 0; i += stride) {
		const uint32_t phandle = dt_word(property->value + i);

		stride = own ? property->length
			     : dtref_stride(&graft->passed->dt, property->name, phandle);
		if (stride == 0) {
			return 0;
		}
		*(fdt32_t *)((uint8_t *)value + i) = cpu_to_fdt32(renumber(graft, phandle));
	}
	return result;
}

static int put_property(const struct graft *graft, const struct dt_at *at, bool top,
			const struct dt_property *property)
{
	const char *name = property->name;

	if (dtref_is_dropped(name) ||
	    (top && (dt_same(name, "interrupt-parent") || dt_same(name, "dma-coherent")))) {
		return 0;
	}
	if (top && dt_same(name, "reg")) {
		return put_reg(graft, at);
	}
	if (top && (dt_same(name, "ranges") || dt_same(name, "dma-ranges")) &&
	    property->length != 0) {
		return put_ranges(graft, at, property);
	}
	if (dt_same(name, "interrupt-map")) {
		return put_map(graft, at, property);
	}
	return put_copy(graft, property);
}

/* What the topmost node inherits where it stands on the board. */
static int put_inherited(const struct graft *graft, const struct dt_at *at)
{
	const uint32_t parent = dt_interrupt_parent(at);
	int result = parent != 0 ? put_cell(graft, "interrupt-parent", renumber(graft, parent)) : 0;

	for (unsigned int level = at->depth; level > 0 && result == 0; level--) {
		if (dt_has(at->dt, at->node[level], "dma-coherent")) {
			return fdt_property(graft->target, "dma-coherent", "", 0);
		}
	}
	return result;
}

static int put_properties(const struct graft *graft, const struct dt_at *at, bool top)
{
	struct dt_property property;
	uint32_t position = 0;
	int result = top ? put_inherited(graft, at) : 0;

	while (result == 0 && dt_each(at->dt, dt_node(at), &position, &property)) {
		result = put_property(graft, at, top, &property);
	}
	return result;
}

/* A node that only came along has a name of its own, as the guest's tree may have one like it. */
static int begin_node(const struct graft *graft, const char *name, bool along)
{
	char own[64] = "passed-";
	unsigned int i = 7;

	if (!along) {
		return fdt_begin_node(graft->target, name);
	}
	for (; *name != '\0' && i < sizeof(own) - 1; i++) {
		own[i] = *name++;
	}
	own[i] = '\0';
	return fdt_begin_node(graft->target, own);
}

static int put_subtree(const struct graft *graft, const struct dt_at *top, bool along)
{
	unsigned int open = 0; /* nodes */
	struct dt_at at = *top;
	bool more = true;
	int result = 0;

	while (result == 0 && more) {
		for (; open > at.depth - top->depth && result == 0; open--) {
			result = fdt_end_node(graft->target);
		}
		if (result == 0 && dt_enabled(at.dt, dt_node(&at))) {
			result =
				begin_node(graft, dt_name(at.dt, dt_node(&at)), along && open == 0);
			if (result == 0) {
				result = put_properties(graft, &at, open == 0);
			}
			open++;
			more = dt_next(&at) && at.depth > top->depth;
		} else {
			more = dt_skip(&at) && at.depth > top->depth;
		}
	}
	for (; open > 0 && result == 0; open--) {
		result = fdt_end_node(graft->target);
	}
	return result;
}

int graft_write(struct graft *graft)
{
	int result = 0;

	for (unsigned int i = 0; i < graft->passed->node_count && result == 0; i++) {
		result = put_subtree(graft, &graft->passed->node[i], i >= graft->passed->listed);
	}
	return result;
}
