/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and bus windows of the board's nodes that the guest gets, and what it must not reach.
 * Pure. No lock: see passthrough.c.
 */
#include <errno.h>
#include "passing.h"
#include "refuse.h"

#define PAGE      0x1000ull
#define IPA_LIMIT (1ull << 40) /* ARM DDI 0406C B3.6.1 */

/* Devices that never read or write RAM by themselves. */
static const char *const slaves[] = {"arm,pl011", "arm,pl031", "arm,pl061", "arm,sp804",
				     "arm,sp805"};

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

uint32_t passing_entry(const struct dt_at *at, unsigned int level, struct window_cells *cells)
{
	cells->child = dt_address_cells(at->dt, at->node[level]);
	cells->parent = dt_address_cells(at->dt, at->node[level - 1]);
	cells->size = dt_size_cells(at->dt, at->node[level]);
	return cells->child - 1 > 2 || cells->parent - 1 > 1 || cells->size - 1 > 1
		       ? 0
		       : 4 * (cells->child + cells->parent + cells->size);
}

/* Whether a bus has the same addresses as its parent, by its @property, ranges or dma-ranges. */
static bool is_identity(const struct dt_at *at, unsigned int level, const char *property)
{
	struct window_cells cells;
	const uint32_t entry = passing_entry(at, level, &cells);
	uint32_t length, i = 0;
	const uint8_t *value = dt_get(at->dt, at->node[level], property, &length);

	while (i < length && entry != 0 && cells.child <= 2 && length - i >= entry &&
	       dt_cells(value + i, cells.child) ==
		       dt_cells(value + i + 4 * cells.child, cells.parent)) {
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
int passing_windows(struct resolving *r, const struct dt_at *at, bool top,
		    const struct dt_property *ranges)
{
	const bool dma = ranges->name[0] == 'd';
	const bool pci = !dma && dt_is(at->dt, dt_node(at), "device_type", "pci");
	struct window_cells cells;
	const uint32_t entry = passing_entry(at, at->depth, &cells);
	int result = 0;

	if (!top && !pci) {
		return 0;
	}
	if (ranges->length == 0) {
		return !top || is_untranslated(at, ranges->name)
			       ? 0
			       : dt_refuse(at, ranges->name,
					   "name the nodes below this bus instead");
	}
	if (entry == 0 || ranges->length % entry != 0) {
		return dt_refuse(at, ranges->name, UNREADABLE);
	}
	for (uint32_t i = 0; i < ranges->length && result == 0; i += entry) {
		const uint8_t *to = ranges->value + i + 4 * cells.child;
		struct range window = {dt_cells(to, cells.parent),
				       dt_cells(to + 4 * cells.parent, cells.size)};

		if (!dma && dt_to_root(at, at->depth - 1, &window) != 0) {
			return dt_refuse(at, ranges->name, "this leads nowhere");
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

int passing_registers(struct resolving *r, const struct dt_at *at)
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
		return dt_refuse(at, "reg", UNREADABLE);
	}
	return i == 0 ? 0 : check_master(r, at);
}

bool passing_is_kept(const struct resolving *r, const struct dt_at *at)
{
	struct range range;
	bool kept = false;

	for (unsigned int i = 0; !kept && dt_reg(at, i, &range) == 0; i++) {
		range = pages_of(&range);
		kept = keeper_of(r, &range) != NULL;
	}
	return kept;
}
