/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it takes to give nodes of the board's tree to the guest. Pure. No lock: the boot core makes
 * it before the guest runs.
 */
#include "passthrough.h"
#include <errno.h>
#include "dtref.h"
#include "refuse.h"

#define PAGE      0x1000ull
#define IPA_LIMIT (1ull << 40) /* ARM DDI 0406C B3.6.1 */
#define FIRST_SPI 32u

#define CONTROLLERS_MAX 4 /* between a device and the GIC */

/* Nodes that come along with who refers to them: no registers, no secrets, no state. */
static const char *const fixed[] = {"fixed-clock", "fixed-factor-clock", "regulator-fixed"};

/* Devices that never read or write RAM by themselves. */
static const char *const slaves[] = {"arm,pl011", "arm,pl031", "arm,pl061", "arm,sp804",
				     "arm,sp805"};

static const char unreadable[] = "the board's device tree is wrong here: this can't be read";

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct resolving {
	struct passthrough *passed;
	const struct guest_config *config;
	const struct board *board;
	uint32_t intid_limit;
};

static bool is_one_of(const struct dt_at *at, const char *const *compatible, unsigned int count)
{
	while (count > 0 && !dt_compatible(at->dt, dt_node(at), compatible[count - 1])) {
		count--;
	}
	return count > 0;
}

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
	if (is_one_of(&provider, fixed, COUNT(fixed))) {
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

static int add_interrupt_map(struct resolving *r, const struct dt_at *at)
{
	struct interrupt_map_entry entry;
	uint32_t length, i = 0, size;
	const uint8_t *map = dt_get(at->dt, dt_node(at), "interrupt-map", &length);
	int result = 0;

	for (; i < length && result == 0; i += size) {
		size = dtref_map_entry(at, map, length, i, &entry);
		if (size == 0) {
			return dt_refuse(at, "interrupt-map", unreadable);
		}
		result = add_interrupt(r, at, "interrupt-map", entry.parent,
				       map + i + size - entry.specifier, entry.specifier);
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

/* Registers */

static struct range pages_of(const struct range *range)
{
	const uint64_t base = range->base & ~(PAGE - 1);

	return (struct range){base, ((range->base + range->size + PAGE - 1) & ~(PAGE - 1)) - base};
}

static bool share_a_page(const struct range *pages, const struct range *other)
{
	const struct range those = pages_of(other);

	return other->size != 0 && pages->base < those.base + those.size &&
	       those.base < pages->base + pages->size;
}

/* bivy itself reads the board's clock for one that it emulates. */
static bool has_clock(const struct guest_config *config)
{
	unsigned int i = 0;

	while (i < config->device_count && config->device[i].kind != DEVICE_PL031) {
		i++;
	}
	return i < config->device_count;
}

/* What of the board is in these pages that the guest must not reach; NULL: nothing. */
static const char *keeper_of(const struct resolving *r, const struct range *pages)
{
	const struct board *board = r->board;
	const struct range uart = {board->uart_base, board->uart_size};
	const struct board_device *clock = board_device(board, BOARD_CLOCK);
	const struct range rtc = {clock != NULL ? clock->base : 0,
				  clock != NULL && has_clock(r->config) ? PAGE : 0};
	const struct board_device *control = board_device(board, BOARD_SYSREG);
	const struct range sysreg = {control != NULL ? control->base : 0,
				     control != NULL ? PAGE : 0};
	const struct {
		const char *name;
		const struct range *range;
	} kept[] = {{"the board's RAM", &board->ram},
		    {"GICD", &board->gicd},
		    {"GICC", &board->gicc},
		    {"GICH", &board->gich},
		    {"GICV", &board->gicv},
		    {"bivy's UART", &uart},
		    {"the board's power control", &sysreg},
		    {"the clock of the guest's arm,pl031", &rtc}};

	for (unsigned int i = 0; i < COUNT(kept); i++) {
		if (share_a_page(pages, kept[i].range)) {
			return kept[i].name;
		}
	}
	return NULL;
}

/* The same, or what the guest finds there already. */
static const char *owner_of(const struct resolving *r, const struct range *pages)
{
	const char *owner = keeper_of(r, pages);
	struct range window;

	for (unsigned int i = 0; i < r->config->device_count + 3 && owner == NULL; i++) {
		const char *what = config_window(r->config, r->board, i, &window);

		owner = share_a_page(pages, &window) ? what : NULL;
	}
	return owner;
}

/* Adds pages; those that they touch become one with them. */
static int add_pages(struct passthrough *passed, const struct dt_at *at, struct range pages)
{
	for (unsigned int i = 0; i < passed->range_count;) {
		const struct range *other = &passed->range[i];
		uint64_t end = other->base + other->size;

		if (!share_a_page(&pages, other)) {
			i++;
			continue;
		}
		end = end > pages.base + pages.size ? end : pages.base + pages.size;
		pages.base = pages.base < other->base ? pages.base : other->base;
		pages.size = end - pages.base;
		passed->range[i] = passed->range[--passed->range_count];
		i = 0;
	}
	if (passed->range_count == PASSTHROUGH_RANGES_MAX) {
		return dt_refuse(at, "reg",
				 "more ranges of registers than bivy has room for; "
				 "shorten bivy,passthrough");
	}
	passed->range[passed->range_count++] = pages;
	return 0;
}

static int add_range(struct resolving *r, const struct dt_at *at, const struct range *range)
{
	struct range pages;
	const char *owner;

	if (range->size == 0) {
		return 0;
	}
	if (range->base >= IPA_LIMIT || range->size > IPA_LIMIT - range->base) {
		return dt_refuse(at, "reg",
				 "it has addresses beyond 1 TiB, which no guest can reach");
	}
	pages = pages_of(range);
	owner = owner_of(r, &pages);
	if (owner != NULL) {
		return dt_refuse(at, "reg",
				 "its registers at %llx share a page with %s; it can't be passed "
				 "through",
				 (unsigned long long)range->base, owner);
	}
	return add_pages(r->passed, at, pages);
}

/* Whether a bus has the same addresses as its parent, by its @property, ranges or dma-ranges. */
static bool is_identity(const struct dt_at *at, unsigned int level, const char *property)
{
	const struct dt *dt = at->dt;
	const uint32_t child = dt_address_cells(dt, at->node[level]),
		       parent = dt_address_cells(dt, at->node[level - 1]),
		       entry = 4 * (child + parent + dt_size_cells(dt, at->node[level]));
	uint32_t length = 0, i = 0;
	const uint8_t *value = dt_get(dt, at->node[level], property, &length);

	while (i < length && child - 1 <= 1 && parent - 1 <= 1 && length - i >= entry &&
	       dt_cells(value + i, child) == dt_cells(value + i + 4 * child, parent)) {
		i += entry;
	}
	return value == NULL || i == length;
}

static bool is_untranslated(const struct dt_at *at, const char *property)
{
	unsigned int level = at->depth - 1;

	while (level > 0 && is_identity(at, level, property)) {
		level--;
	}
	return level == 0;
}

/*
 * `ranges` as graft_write() can take it to the guest's root: an empty one where the parents
 * translate nothing either. Those of a PCI host are windows to map, whatever space they are.
 */
static int add_windows(struct resolving *r, const struct dt_at *at, bool top)
{
	const struct dt *dt = at->dt;
	const uint32_t child = dt_address_cells(dt, dt_node(at)),
		       size = dt_size_cells(dt, dt_node(at));
	const uint32_t parent = dt_address_cells(dt, at->node[at->depth - 1]);
	const uint32_t entry = 4 * (child + parent + size);
	const bool pci = dt_is(dt, dt_node(at), "device_type", "pci");
	uint32_t length;
	const uint8_t *ranges = dt_get(dt, dt_node(at), "ranges", &length);
	int result = 0;

	if (!top && !pci) {
		return 0;
	}
	if (length == 0) {
		return ranges == NULL || !top || is_untranslated(at, "ranges")
			       ? 0
			       : dt_refuse(at, "ranges", "name the nodes below this bus instead");
	}
	if (child - 1 > 2 || parent - 1 > 1 || size - 1 > 1 || length % entry != 0) {
		return dt_refuse(at, "ranges", unreadable);
	}
	for (uint32_t i = 0; i < length && result == 0; i += entry) {
		const uint8_t *to = ranges + i + 4 * child;
		struct range window = {dt_cells(to, parent), dt_cells(to + 4 * parent, size)};

		if (dt_to_root(at, at->depth - 1, &window) != 0) {
			return dt_refuse(at, "ranges", "this leads nowhere");
		}
		result = pci ? add_range(r, at, &window) : 0;
	}
	return result;
}

/* Bus addresses of a master that differ from the processor's would miss the guest's RAM. */
static int check_master(struct resolving *r, const struct dt_at *at)
{
	if (is_one_of(at, slaves, COUNT(slaves))) {
		return 0;
	}
	r->passed->masters = true;
	return is_untranslated(at, "dma-ranges")
		       ? 0
		       : dt_refuse(at, NULL,
				   "its bus has other addresses for RAM than the "
				   "processor (dma-ranges)");
}

static int add_registers(struct resolving *r, const struct dt_at *at)
{
	struct range range;
	unsigned int i = 0;
	int result, added = 0;

	while ((result = dt_reg(at, i, &range)) == 0 && added == 0) {
		added = add_range(r, at, &range);
		i++;
	}
	if (added != 0) {
		return added;
	}
	if (result == -EINVAL) {
		return dt_refuse(at, "reg", unreadable);
	}
	return i == 0 ? 0 : check_master(r, at);
}

/* Nodes */

static int add_needs(struct resolving *r, const struct dt_at *at, bool top)
{
	struct dt_property property;
	uint32_t position = 0;
	int result;

	add_crossbar(r, at);
	result = add_registers(r, at) ?: add_windows(r, at, top)
					  ?: add_interrupts(r, at)
					  ?: add_interrupt_map(r, at);

	while (result == 0 && dt_each(at->dt, dt_node(at), &position, &property)) {
		result = add_references(r, at, &property);
	}
	return result;
}

/* Whether a node below a passed one is to be left out, as bivy has what it is. */
static bool leave_out(struct resolving *r, const struct dt_at *at)
{
	struct passthrough *passed = r->passed;
	struct range range;
	bool kept = false;

	for (unsigned int i = 0; !kept && dt_reg(at, i, &range) == 0; i++) {
		range = pages_of(&range);
		kept = keeper_of(r, &range) != NULL && passed->left_count < PASSTHROUGH_LEFT_MAX;
	}
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
