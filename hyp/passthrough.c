/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it takes to give nodes of the board's tree to the guest. Pure. No lock: the boot core makes
 * it before the guest runs.
 */
#include "passthrough.h"
#include <errno.h>
#include "dtref.h"
#include "passing.h"
#include "refuse.h"

#define FIRST_SPI 32u

#define CONTROLLERS_MAX 4 /* between a device and the GIC */

/* Nodes that come along with who refers to them: no registers, no secrets, no state. */
static const char *const fixed[] = {"fixed-clock", "fixed-factor-clock", "regulator-fixed"};

static bool is_inside(const struct dt_at *at, const struct dt_at *of)
{
	return at->depth >= of->depth && at->node[of->depth] == dt_node(of);
}

static bool is_passed(const struct passthrough *passed, const struct dt_at *at)
{
	unsigned int i = 0;

	while (i < passed->node_count && !is_inside(at, &passed->node[i])) {
		i++;
	}
	return i < passed->node_count;
}

static int add_node(struct passthrough *passed, const struct dt_at *at)
{
	if (passed->node_count == PASSTHROUGH_NODES_MAX) {
		return dt_refuse(at, NULL,
				 "bivy,passthrough: one node more than bivy has room for, with the "
				 "clocks and regulators; shorten the list");
	}
	passed->node[passed->node_count++] = *at;
	return 0;
}

/* What @at refers to in @property must be in the guest's tree, too. */
static int need(struct resolving *r, const struct dt_at *at, const char *property, uint32_t phandle)
{
	struct passthrough *passed = r->passed;
	struct dt_at provider;
	char path[64];

	if (dtref_is_hole(phandle)) {
		return 0;
	}
	if (!dt_find_phandle(&provider, &passed->dt, phandle)) {
		return dt_refuse(at, property, "it refers to phandle %x, which no node has",
				 (unsigned int)phandle);
	}
	if (is_passed(passed, &provider)) {
		return 0;
	}
	if (provider.depth > 0 && is_one_of(&provider, fixed, COUNT(fixed))) {
		return add_node(passed, &provider);
	}
	dt_path(&provider, path, sizeof(path));
	return dt_refuse(at, property,
			 "it needs %s, which the guest does not have; add that to bivy,passthrough",
			 path);
}

/* Interrupts */

/* Who has the SPI already; NULL: nobody. */
static const char *spi_owner(const struct resolving *r, uint32_t intid)
{
	for (unsigned int i = 0; i < r->config->device_count; i++) {
		if (r->config->device[i].intid == intid) {
			return r->config->device[i].node;
		}
	}
	return intid == r->board->uart_intid ? "bivy's UART" : NULL;
}

static void own_spi(struct resolving *r, uint32_t intid)
{
	r->passed->spi[intid / 32] |= 1u << intid % 32;
}

/* @cells: three of the GIC's, as dt_interrupt() knows them. */
static int add_spi(struct resolving *r, const struct dt_at *at, const uint8_t *cells)
{
	const uint32_t intid = dt_word(cells + 4) + FIRST_SPI;
	const char *owner = spi_owner(r, intid);

	if (dt_word(cells) != 0 || intid < FIRST_SPI || intid >= r->intid_limit) {
		return dt_refuse(at, NULL,
				 "it has an interrupt that is no SPI of this board; a "
				 "guest can have no others");
	}
	if (owner != NULL) {
		return dt_refuse(at, NULL, "its SPI %u is that of %s",
				 (unsigned int)(intid - FIRST_SPI), owner);
	}
	own_spi(r, intid);
	return 0;
}

/* Its inputs come out as whatever SPIs the guest chooses: all that nobody has. */
static bool is_crossbar(const struct dt_at *at)
{
	return dt_compatible(at->dt, dt_node(at), "ti,irq-crossbar");
}

static void add_crossbar(struct resolving *r, const struct dt_at *at)
{
	uint32_t count = 0;

	if (is_crossbar(at)) {
		dt_cell(at->dt, dt_node(at), "ti,max-irqs", &count);
	}
	for (uint32_t i = FIRST_SPI; i < r->intid_limit && i - FIRST_SPI < count; i++) {
		if (spi_owner(r, i) == NULL) {
			own_spi(r, i);
		}
	}
}

/* A controller before the GIC that hands on what its inputs are called there: wake-up logic. */
static bool hands_on(const struct dt_at *at)
{
	uint32_t cells = 0;

	dt_cell(at->dt, dt_node(at), "#interrupt-cells", &cells);
	return cells == 3 && !is_crossbar(at) && !dt_has(at->dt, dt_node(at), "gpio-controller");
}

/* An interrupt of so many bytes at a controller. */
static int add_interrupt(struct resolving *r, const struct dt_at *at, const char *property,
			 uint32_t parent, const uint8_t *cells, uint32_t size)
{
	struct dt_at controller;

	for (unsigned int i = 0; parent != r->passed->gic; i++) {
		const int result = need(r, at, property, parent);

		if (result != 0 || i == CONTROLLERS_MAX ||
		    !dt_find_phandle(&controller, at->dt, parent) || !hands_on(&controller)) {
			return result;
		}
		parent = dt_interrupt_parent(&controller);
	}
	return size == 12 ? add_spi(r, at, cells) : 0;
}

static int add_interrupts(struct resolving *r, const struct dt_at *at)
{
	const uint32_t parent = dt_interrupt_parent(at);
	uint32_t length;
	const uint8_t *cells = dt_get(at->dt, dt_node(at), "interrupts", &length);
	int result = 0;

	for (uint32_t i = 0; cells != NULL && i < length && result == 0; i += 12) {
		result = add_interrupt(r, at, "interrupts", parent, cells + i,
				       length - i < 12 ? 0 : 12);
	}
	return result;
}

static int add_interrupt_map(struct resolving *r, const struct dt_at *at,
			     const struct dt_property *map)
{
	struct interrupt_map_entry entry;
	uint32_t i = 0, size;
	int result = 0;

	for (; i < map->length && result == 0; i += size) {
		size = dtref_map_entry(at, map->value, map->length, i, &entry);
		if (size == 0) {
			return dt_refuse(at, map->name, UNREADABLE);
		}
		result = add_interrupt(r, at, map->name, entry.parent,
				       map->value + i + size - entry.specifier, entry.specifier);
	}
	return result;
}

/* One property's references, the SPIs of `interrupts-extended` among them. */
static int add_references(struct resolving *r, const struct dt_at *at,
			  const struct dt_property *property)
{
	uint32_t i = 0, stride;
	int result = 0;

	for (; property->length - i >= 4 && i < property->length && result == 0; i += stride) {
		const uint32_t phandle = dt_word(property->value + i);

		stride = dtref_stride(at->dt, property->name, phandle);
		if (stride == 0) {
			return 0;
		}
		result = add_interrupt(r, at, property->name, phandle, property->value + i + 4,
				       property->length - i < stride ? 0 : stride - 4);
	}
	return result;
}

/* Each property, as graft.c copies each: a broken tree may have two of one name. */
static int add_property(struct resolving *r, const struct dt_at *at, bool top,
			const struct dt_property *property)
{
	if (dt_same(property->name, "interrupt-map")) {
		return add_interrupt_map(r, at, property);
	}
	if (dt_same(property->name, "ranges") || dt_same(property->name, "dma-ranges")) {
		return passing_windows(r, at, top, property);
	}
	return add_references(r, at, property);
}

/* Nodes */

static int add_needs(struct resolving *r, const struct dt_at *at, bool top)
{
	struct dt_property property;
	uint32_t position = 0;
	int result;

	add_crossbar(r, at);
	result = passing_registers(r, at) ?: add_interrupts(r, at);
	while (result == 0 && dt_each(at->dt, dt_node(at), &position, &property)) {
		result = add_property(r, at, top, &property);
	}
	return result;
}

/* Whether a node below a passed one is to be left out, as bivy has what it is. */
static bool leave_out(struct resolving *r, const struct dt_at *at)
{
	struct passthrough *passed = r->passed;
	const bool kept = passed->left_count < PASSTHROUGH_LEFT_MAX && passing_is_kept(r, at);

	if (kept) {
		passed->left[passed->left_count++] = dt_node(at);
	}
	return kept;
}

bool passthrough_has(const struct passthrough *passed, const struct dt_at *at)
{
	unsigned int i = 0;

	while (i < passed->left_count && passed->left[i] != dt_node(at)) {
		i++;
	}
	return i == passed->left_count && dt_enabled(at->dt, dt_node(at));
}

/* A node and all below it, but what is switched off there, or bivy's. */
static int add_subtree(struct resolving *r, const struct dt_at *top)
{
	struct dt_at at = *top;
	int result = 0;
	bool more = true;

	do {
		const bool is_top = at.depth == top->depth;
		const bool on = dt_enabled(at.dt, dt_node(&at)) && (is_top || !leave_out(r, &at));

		if (on) {
			result = add_needs(r, &at, is_top);
		}
		more = on ? dt_next(&at) : dt_skip(&at);
	} while (result == 0 && more && at.depth > top->depth);
	return result;
}

/* A string of the list: @name of @length bytes. */
static int add_listed(struct resolving *r, const char *name, uint32_t length)
{
	struct passthrough *passed = r->passed;
	struct range range;
	struct dt_at at;

	if (!dt_find_named(&at, &passed->dt, name, length) || at.depth == 0) {
		return refuse(passed->dt.error,
			      "bivy,passthrough: this board has no node or alias %s", name);
	}
	for (unsigned int i = 0; i < passed->node_count; i++) {
		if (is_inside(&at, &passed->node[i]) || is_inside(&passed->node[i], &at)) {
			return dt_refuse(&at, NULL,
					 "bivy,passthrough has it twice, or what it is a part of");
		}
	}
	if (!dt_enabled(at.dt, dt_node(&at))) {
		return dt_refuse(&at, "status", "this board has it switched off");
	}
	if (dt_has(at.dt, dt_node(&at), "reg") && dt_reg(&at, 0, &range) != 0) {
		return dt_refuse(&at, "reg",
				 "its registers are on a bus of their own; pass that "
				 "through, with all that is on it");
	}
	return add_node(passed, &at);
}

int passthrough_resolve(struct passthrough *passed, const void *tree, uint32_t limit,
			const struct guest_config *config, const struct board *board,
			uint32_t intid_limit, struct config_error *error)
{
	struct resolving r = {passed, config, board, intid_limit};
	uint32_t length;
	struct dt_at gic;
	int result;

	*passed = (struct passthrough){0};
	if (config->passthrough_size == 0) {
		return 0;
	}
	result = dt_open(&passed->dt, tree, limit, "the board's device tree", error);
	if (result == 0 && dt_find_gic(&gic, &passed->dt)) {
		passed->gic = dt_phandle(gic.dt, dt_node(&gic));
	}
	for (uint32_t i = 0; i < config->passthrough_size && result == 0; i += length + 1) {
		length = dt_length(config->passthrough + i);
		result = add_listed(&r, config->passthrough + i, length);
	}
	passed->listed = passed->node_count;
	for (unsigned int i = 0; i < passed->node_count && result == 0; i++) { /* more may come */
		result = add_subtree(&r, &passed->node[i]);
	}
	if (result == 0 && passed->masters && config->reset == RESET_RESTART) {
		result =
			refuse(error, "bivy,reset = \"restart\" is not possible with passed "
				      "devices that master the bus, which nothing stops meanwhile; "
				      "make it \"board\"");
	}
	return result;
}
