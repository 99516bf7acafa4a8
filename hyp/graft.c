/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies the board's nodes below the root of the guest's tree, but for what is switched off. Inside
 * of one nothing changes, as its properties may refer to nodes by any name; it is the guest's own
 * phandles that get other numbers. Where a node meets its bus (reg, ranges, interrupt-parent) it
 * meets the root now.
 */
#include "graft.h"
#include <libfdt.h>
#include <string.h>
#include "dtref.h"
#include "passing.h"
#include "refuse.h"

/* A phandle of the guest's own tree in the new one. The GIC is what the board's nodes call theirs.
 */
static uint32_t renumber(const struct graft *graft, uint32_t phandle)
{
	if (dtref_is_hole(phandle)) {
		return phandle;
	}
	return phandle == graft->gic && graft->passed->gic != 0 ? graft->passed->gic
								: phandle + graft->phandle_offset;
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
	graft->result = 0;
	dt_root(&root, guest);
	graft->address_cells = dt_address_cells(guest, dt_node(&root));
	graft->size_cells = dt_size_cells(guest, dt_node(&root));
	graft->phandle_offset = highest_phandle(&passed->dt);
	if (highest_phandle(guest) >= ~0u - graft->phandle_offset) {
		return dt_refuse(&root, "bivy,passthrough",
				 "the phandles of this tree and of the board's are too large");
	}
	if (dt_find_gic(&at, guest)) {
		graft->gic = dt_phandle(guest, dt_node(&at));
		graft->gic_address_cells = dtref_cells(&at, "#address-cells");
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

/* Room for a property of so many bytes; NULL once an error was met. */
static void *begin(struct graft *graft, const char *name, uint32_t bytes)
{
	void *value = NULL;

	if (graft->result == 0) {
		graft->result = fdt_property_placeholder(graft->target, name, (int)bytes, &value);
	}
	return graft->result == 0 ? value : NULL;
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
	memcpy(*to, from, bytes);
	*to += bytes / 4;
	return from + bytes;
}

/* `reg` of the topmost node, as the guest's root counts cells. */
static void put_reg(struct graft *graft, const struct dt_at *at)
{
	struct range range;
	uint32_t count = 0;
	fdt32_t *to;

	while (dt_reg(at, count, &range) == 0) {
		count++;
	}
	to = begin(graft, "reg", 4 * count * (graft->address_cells + graft->size_cells));
	for (uint32_t i = 0; i < count && to != NULL && dt_reg(at, i, &range) == 0; i++) {
		to = to_cells(to, range.base, graft->address_cells);
		to = to_cells(to, range.size, graft->size_cells);
	}
}

/*
 * `ranges` or `dma-ranges` of the topmost node: its children's addresses to the root's. An empty
 * one says that they are the same.
 */
static void put_ranges(struct graft *graft, const struct dt_at *at,
		       const struct dt_property *property)
{
	const bool dma = property->name[0] == 'd';
	struct window_cells cells;
	const uint32_t entry = passing_entry(at, at->depth, &cells);
	const uint32_t count = entry != 0 ? property->length / entry : 0;
	const uint8_t *from = property->value;
	struct range range;
	fdt32_t *to = begin(graft, property->name,
			    4 * count * (cells.child + graft->address_cells + cells.size));

	for (uint32_t i = 0; i < count && to != NULL; i++) {
		from = copy_cells(&to, from, 4 * cells.child);
		range = (struct range){dt_cells(from, cells.parent),
				       dt_cells(from + 4 * cells.parent, cells.size)};
		if (!dma) {
			dt_to_root(at, at->depth - 1, &range);
		}
		to = to_cells(to, range.base, graft->address_cells);
		from = copy_cells(&to, from + 4 * cells.parent, 4 * cells.size);
	}
}

/* What leads to the board's GIC leads to the guest's, whose children may have no address. */
static void put_map(struct graft *graft, const struct dt_at *at, const struct dt_property *property)
{
	const uint8_t *from = property->value;
	struct interrupt_map_entry entry;
	uint32_t bytes = 0, i, size;
	fdt32_t *to = NULL;

	for (unsigned int pass = 0; pass < 2; pass++) { /* count, then write */
		if (pass == 1 && (to = begin(graft, property->name, bytes)) == NULL) {
			return;
		}
		for (i = 0; i < property->length; i += size) {
			uint32_t address;

			size = dtref_map_entry(at, from, property->length, i, &entry);
			if (size == 0) {
				return;
			}
			address = entry.parent == graft->passed->gic ? 4 * graft->gic_address_cells
								     : entry.address;
			bytes += entry.child + 4 + address + entry.specifier;
			if (to == NULL) {
				continue;
			}
			copy_cells(&to, from + i, entry.child);
			*to++ = cpu_to_fdt32(entry.parent);
			for (; address != 0; address -= 4) {
				*to++ = 0;
			}
			copy_cells(&to, from + i + size - entry.specifier, entry.specifier);
		}
	}
}

static uint8_t *put_copy(struct graft *graft, const struct dt_property *property)
{
	uint8_t *value = begin(graft, property->name, property->length);

	return value != NULL ? memcpy(value, property->value, property->length) : NULL;
}

/* Bytes of the reference at @i of the guest's property, 0: there is none; its phandle is at @*i. */
static uint32_t own_reference(const struct dt_at *at, const struct dt_property *property,
			      uint32_t *i)
{
	const char *name = property->name;
	struct interrupt_map_entry entry;
	uint32_t size;

	if (dt_same(name, "phandle") || dt_same(name, "linux,phandle")) {
		return property->length;
	}
	if (!dt_same(name, "interrupt-map")) {
		return dtref_stride(at->dt, name, dt_word(property->value + *i));
	}
	size = dtref_map_entry(at, property->value, property->length, *i, &entry);
	*i += size != 0 ? entry.child : 0;
	return size != 0 ? size - entry.child : 0;
}

int graft_own(struct graft *graft, const struct dt_at *at, const struct dt_property *property)
{
	uint8_t *value = put_copy(graft, property);
	uint32_t stride, i = 0;

	for (; value != NULL && i < property->length && property->length - i >= 4; i += stride) {
		stride = own_reference(at, property, &i);
		if (stride == 0) {
			break;
		}
		*(fdt32_t *)(value + i) =
			cpu_to_fdt32(renumber(graft, dt_word(property->value + i)));
	}
	return graft->result;
}

static void put_property(struct graft *graft, const struct dt_at *at, bool top,
			 const struct dt_property *property)
{
	const char *name = property->name;

	if (dtref_is_dropped(name) ||
	    (top && (dt_same(name, "interrupt-parent") || dt_same(name, "dma-coherent")))) {
		return;
	}
	if (top && dt_same(name, "reg")) {
		put_reg(graft, at);
	} else if (top && (dt_same(name, "ranges") || dt_same(name, "dma-ranges")) &&
		   property->length != 0) {
		put_ranges(graft, at, property);
	} else if (dt_same(name, "interrupt-map")) {
		put_map(graft, at, property);
	} else {
		put_copy(graft, property);
	}
}

/* What the topmost node inherits where it stands on the board. */
static void put_inherited(struct graft *graft, const struct dt_at *at)
{
	const uint32_t parent = dt_interrupt_parent(at);
	fdt32_t *to = parent != 0 ? begin(graft, "interrupt-parent", 4) : NULL;
	unsigned int level = at->depth;

	if (to != NULL) {
		*to = cpu_to_fdt32(parent);
	}
	while (level > 0 && !dt_has(at->dt, at->node[level], "dma-coherent")) {
		level--;
	}
	if (level > 0) {
		begin(graft, "dma-coherent", 0);
	}
}

static void put_properties(struct graft *graft, const struct dt_at *at, bool top)
{
	struct dt_property property;
	uint32_t position = 0;

	if (top) {
		put_inherited(graft, at);
	}
	while (dt_each(at->dt, dt_node(at), &position, &property)) {
		put_property(graft, at, top, &property);
	}
}

/* A node that only came along has a name of its own, as the guest's tree may have one like it. */
static void begin_node(struct graft *graft, const char *name, bool along)
{
	char own[64] = "passed-";

	if (along) {
		copy_printable(own + 7, sizeof(own) - 7, name);
		name = own;
	}
	if (graft->result == 0) {
		graft->result = fdt_begin_node(graft->target, name);
	}
}

static void end_nodes(struct graft *graft, unsigned int count)
{
	for (; count > 0 && graft->result == 0; count--) {
		graft->result = fdt_end_node(graft->target);
	}
}

static void put_subtree(struct graft *graft, const struct dt_at *top, bool along)
{
	unsigned int open = 0; /* nodes */
	struct dt_at at = *top;
	bool more = true;

	while (graft->result == 0 && more) {
		const unsigned int level = at.depth - top->depth;

		end_nodes(graft, open - level);
		open = level;
		if (passthrough_has(graft->passed, &at)) {
			begin_node(graft, dt_name(at.dt, dt_node(&at)), along && level == 0);
			put_properties(graft, &at, level == 0);
			open++;
			more = dt_next(&at);
		} else {
			more = dt_skip(&at);
		}
		more = more && at.depth > top->depth;
	}
	end_nodes(graft, open);
}

int graft_write(struct graft *graft)
{
	for (unsigned int i = 0; i < graft->passed->node_count; i++) {
		put_subtree(graft, &graft->passed->node[i], i >= graft->passed->listed);
	}
	return graft->result;
}
