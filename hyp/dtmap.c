/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a node of a device tree is: its path, its registers' addresses, its interrupts. Pure. */
#include <errno.h>
#include "dt.h"
#include "refuse.h"

static bool name_matches(const char *node, const char *name, uint32_t length)
{
	bool unit = false;
	uint32_t i;

	for (i = 0; i < length; i++) {
		if (node[i] != name[i] || node[i] == '\0') {
			return false;
		}
		unit = unit || name[i] == '@';
	}
	return node[length] == '\0' || (!unit && node[length] == '@');
}

bool dt_child(struct dt_at *at, const char *name, uint32_t length)
{
	unsigned int depth = at->depth;

	if (!dt_next(at)) {
		return false;
	}
	while (at->depth > depth) {
		if (name_matches(dt_name(at->dt, dt_node(at)), name, length)) {
			return true;
		}
		if (!dt_skip(at)) {
			return false;
		}
	}
	return false;
}

bool dt_find(struct dt_at *at, const struct dt *dt, const char *path, uint32_t length)
{
	uint32_t i = 0, end;

	dt_root(at, dt);
	if (length == 0 || path[0] != '/') {
		return false;
	}
	while (i < length) {
		for (end = ++i; end < length && path[end] != '/'; end++) {
		}
		if (end > i && !dt_child(at, path + i, end - i)) {
			return false;
		}
		i = end;
	}
	return true;
}

/* The path that /aliases gives for the first @length bytes of @name, NULL if none. */
static const char *alias(const struct dt *dt, const char *name, uint32_t length)
{
	struct dt_property property;
	uint32_t position = 0;
	struct dt_at at;

	if (!dt_find(&at, dt, "/aliases", 8)) {
		return NULL;
	}
	while (dt_each(dt, dt_node(&at), &position, &property)) {
		if (dt_length(property.name) == length &&
		    name_matches(property.name, name, length)) {
			return dt_string(dt, dt_node(&at), property.name);
		}
	}
	return NULL;
}

bool dt_find_named(struct dt_at *at, const struct dt *dt, const char *name, uint32_t length)
{
	if (length != 0 && name[0] != '/') {
		name = alias(dt, name, length);
		if (name == NULL) {
			return false;
		}
		length = dt_length(name);
	}
	return dt_find(at, dt, name, length);
}

bool dt_find_phandle(struct dt_at *at, const struct dt *dt, uint32_t phandle)
{
	dt_root(at, dt);
	while (dt_phandle(dt, dt_node(at)) != phandle) {
		if (!dt_next(at)) {
			return false;
		}
	}
	return true;
}

bool dt_stdout(struct dt_at *at, const struct dt *dt)
{
	const char *path;
	uint32_t length = 0;

	if (!dt_find(at, dt, "/chosen", 7)) {
		return false;
	}
	path = dt_string(dt, dt_node(at), "stdout-path");
	if (path == NULL) {
		path = dt_string(dt, dt_node(at), "linux,stdout-path");
	}
	if (path == NULL) {
		return false;
	}
	while (path[length] != '\0' && path[length] != ':') {
		length++;
	}
	return dt_find_named(at, dt, path, length);
}

void dt_path(const struct dt_at *at, char *path, size_t size)
{
	size_t start = size - 1, i;
	unsigned int level;

	path[start] = '\0';
	for (level = at->depth; level > 0 && start > 0; level--) {
		const char *name = dt_name(at->dt, at->node[level]);
		uint32_t length = dt_length(name);

		while (length > 0 && start > 0) {
			path[--start] = printable(name[--length]);
		}
		if (start > 0) {
			path[--start] = '/';
		}
	}
	if (at->depth == 0) {
		path[--start] = '/';
	} else if (level > 0 || path[start] != '/') {
		path[start] = path[start + 1] = path[start + 2] = '.';
	}
	for (i = 0; start + i < size; i++) {
		path[i] = path[start + i];
	}
}

/* Whether a list has an entry @index, of @entry bytes. A Cortex-A9, which can't divide, comes here.
 */
static int check_list(uint32_t length, uint32_t entry, unsigned int index)
{
	uint32_t left = length, unit = entry;

	while (unit <= length >> 1) {
		unit <<= 1;
	}
	for (; unit >= entry; unit >>= 1) {
		left -= left >= unit ? unit : 0;
	}
	if (left != 0) {
		return -EINVAL;
	}
	return (uint64_t)entry * index >= length ? -ENOENT : 0;
}

/* Takes @range through the `ranges` of one bus, to the bus that is its parent. */
static int translate(const struct dt *dt, uint32_t bus, uint32_t parent, struct range *range)
{
	uint32_t child_cells = dt_address_cells(dt, bus), size_cells = dt_size_cells(dt, bus);
	uint32_t parent_cells = dt_address_cells(dt, parent);
	uint32_t length, entry, i;
	const uint8_t *ranges = dt_get(dt, bus, "ranges", &length);

	if (length == 0) {
		return 0;
	}
	if (child_cells - 1 > 1 || size_cells - 1 > 1 || parent_cells - 1 > 1) {
		return -ENXIO;
	}
	entry = 4 * (child_cells + parent_cells + size_cells);
	if (check_list(length, entry, 0) != 0) {
		return -EINVAL;
	}
	for (i = 0; i < length; i += entry) {
		uint64_t child = dt_cells(ranges + i, child_cells);
		uint64_t to = dt_cells(ranges + i + 4 * child_cells, parent_cells);
		uint64_t size = dt_cells(ranges + i + 4 * (child_cells + parent_cells), size_cells);
		uint64_t offset = range->base - child;

		if (range->base >= child && offset < size && range->size <= size - offset) {
			range->base = to + offset;
			return to <= UINT64_MAX - offset ? 0 : -EINVAL;
		}
	}
	return -ENXIO;
}

bool dt_find_gic(struct dt_at *at, const struct dt *dt)
{
	dt_root(at, dt);
	do {
		if (dt_is_gic(dt, dt_node(at)) && dt_enabled(dt, dt_node(at))) {
			return true;
		}
	} while (dt_next(at));
	return false;
}

/* Whether the node at @level and all above it, but the root, have `ranges`. */
static bool on_the_map(const struct dt_at *at, unsigned int level)
{
	while (level > 0 && dt_has(at->dt, at->node[level], "ranges")) {
		level--;
	}
	return level == 0;
}

int dt_to_root(const struct dt_at *at, unsigned int level, struct range *range)
{
	int result = on_the_map(at, level) ? 0 : -ENXIO;

	for (; level > 0 && result == 0; level--) {
		result = translate(at->dt, at->node[level], at->node[level - 1], range);
	}
	return result == 0 && range->size > UINT64_MAX - range->base ? -EINVAL : result;
}

int dt_reg(const struct dt_at *at, unsigned int index, struct range *range)
{
	const struct dt *dt = at->dt;
	uint32_t address_cells, size_cells, entry, length;
	int result;
	const uint8_t *reg = dt_get(dt, dt_node(at), "reg", &length);

	if (reg == NULL || at->depth == 0) {
		return -ENOENT;
	}
	if (!on_the_map(at, at->depth - 1)) {
		return -ENXIO;
	}
	address_cells = dt_address_cells(dt, at->node[at->depth - 1]);
	size_cells = dt_size_cells(dt, at->node[at->depth - 1]);
	if (address_cells > 2 && address_cells != DT_NONE) {
		return -ENXIO;
	}
	entry = 4 * (address_cells + size_cells);
	if (address_cells - 1 > 1 || size_cells - 1 > 1) {
		return -EINVAL;
	}
	result = check_list(length, entry, index);
	if (result != 0) {
		return result;
	}
	range->base = dt_cells(reg + index * entry, address_cells);
	range->size = dt_cells(reg + index * entry + 4 * address_cells, size_cells);
	return dt_to_root(at, at->depth - 1, range);
}

uint32_t dt_interrupt_parent(const struct dt_at *at)
{
	unsigned int level = at->depth;
	uint32_t parent = 0;

	while (level > 0 && !dt_has(at->dt, at->node[level], "interrupt-parent")) {
		level--;
	}
	return dt_cell(at->dt, at->node[level], "interrupt-parent", &parent) ? parent : 0;
}

/*
 * A node on the way up whose `interrupt-map` leads on from there (Devicetree Specification v0.3,
 * 2.4.3), with what is looked for in it. All sizes in bytes.
 */
struct nexus {
	const uint8_t *map, *mask, *address, *specifier;
	uint32_t map_size, mask_size, known; /* @known: bytes at @address */
	uint32_t address_size, specifier_size;
};

static bool find_nexus(const struct dt_at *at, struct nexus *nexus)
{
	const struct dt *dt = at->dt;
	unsigned int level = at->depth;
	uint32_t cells = 0, address;

	nexus->map = NULL;
	while (level > 0 && nexus->map == NULL &&
	       !dt_has(dt, at->node[level], "interrupt-parent")) {
		nexus->map = dt_get(dt, at->node[--level], "interrupt-map", &nexus->map_size);
	}
	if (nexus->map == NULL) {
		return false;
	}
	nexus->mask = dt_get(dt, at->node[level], "interrupt-map-mask", &nexus->mask_size);
	nexus->address = dt_get(dt, dt_node(at), "reg", &nexus->known);
	address = dt_address_cells(dt, at->node[level]);
	if (!dt_cell(dt, at->node[level], "#interrupt-cells", &cells) || cells - 1 > 3 ||
	    address == DT_NONE) {
		cells = address = 0;
	}
	nexus->specifier_size = 4 * cells;
	nexus->address_size = 4 * address;
	return true;
}

/* Whether the entry at @map is for the node's address and the specifier, as far as the mask goes.
 */
static bool leads_on(const struct nexus *nexus, const uint8_t *map)
{
	for (uint32_t i = 0; i < nexus->address_size + nexus->specifier_size; i += 4) {
		const uint32_t mask = i + 4 <= nexus->mask_size ? dt_word(nexus->mask + i) : ~0u;
		uint32_t wanted = 0;

		if (i >= nexus->address_size) {
			wanted = dt_word(nexus->specifier + i - nexus->address_size);
		} else if (i + 4 <= nexus->known) {
			wanted = dt_word(nexus->address + i);
		}
		if (((wanted ^ dt_word(map + i)) & mask) != 0) {
			return false;
		}
	}
	return true;
}

/* The GIC's three cells for the specifier; NULL if the map has none, or leads elsewhere before. */
static const uint8_t *map_to_gic(const struct dt *dt, const struct nexus *nexus, uint32_t gic)
{
	const uint32_t child = nexus->address_size + nexus->specifier_size;
	struct dt_at controller;
	uint32_t address = 0, entry;

	if (!dt_find_phandle(&controller, dt, gic) ||
	    (dt_cell(dt, dt_node(&controller), "#address-cells", &address) && address > 4)) {
		return NULL;
	}
	entry = child + 4 + 4 * address + 12;
	for (uint32_t i = 0; nexus->map_size - i >= entry; i += entry) {
		if (dt_word(nexus->map + i + child) != gic) {
			return NULL;
		}
		if (leads_on(nexus, nexus->map + i)) {
			return nexus->map + i + entry - 12;
		}
	}
	return NULL;
}

static int intid_of(const uint8_t *cells, uint32_t *intid)
{
	*intid = dt_word(cells + 4);
	if (dt_word(cells) == 0 && *intid < 988) {
		*intid += 32;
	} else if (dt_word(cells) == 1 && *intid < 16) {
		*intid += 16;
	} else {
		return -EINVAL;
	}
	return 0;
}

int dt_interrupt(const struct dt_at *at, unsigned int index, uint32_t gic, uint32_t *intid)
{
	uint32_t length, size;
	const uint8_t *cells = dt_get(at->dt, dt_node(at), "interrupts", &length);
	struct nexus nexus;
	bool mapped;
	int result;

	if (cells == NULL) {
		return -ENOENT;
	}
	mapped = find_nexus(at, &nexus);
	if (gic == 0 || (!mapped && dt_interrupt_parent(at) != gic)) {
		return -ENXIO;
	}
	size = mapped ? nexus.specifier_size : 12;
	result = size != 0 ? check_list(length, size, index) : -EINVAL;
	if (result != 0) {
		return result;
	}
	nexus.specifier = cells += size * index;
	if (mapped) {
		cells = map_to_gic(at->dt, &nexus, gic);
	}
	return cells != NULL ? intid_of(cells, intid) : -ENXIO;
}

int dt_refuse(const struct dt_at *at, const char *property, const char *format, ...)
{
	struct config_error *error = at->dt->error;
	va_list arguments;

	dt_path(at, error->node, sizeof(error->node));
	va_start(arguments, format);
	refuse_property(error, property, format, arguments);
	va_end(arguments);
	return -EINVAL;
}
