/* SPDX-License-Identifier: BSD-2-Clause */
/* Which properties of a device tree refer to other nodes, and to which. Pure. */
#include "dtref.h"

#define ALL_CELLS 0x10000u /* what follows the phandle belongs to it, to the property's end */

/* Properties that refer to other nodes: by phandles, each with as many cells behind it as @cells of
 * the node says, or @count. A name with a '-' in front is the end of one. */
struct reference {
	const char *name;
	const char *cells;
	uint32_t count;
};

static const struct reference references[] = {
	{"interrupt-parent", NULL, 0},
	{"interrupts-extended", "#interrupt-cells", 0},
	{"clocks", "#clock-cells", 0},
	{"assigned-clocks", "#clock-cells", 0},
	{"assigned-clock-parents", "#clock-cells", 0},
	{"resets", "#reset-cells", 0},
	{"power-domains", "#power-domain-cells", 0},
	{"gpio", "#gpio-cells", 0},
	{"gpios", "#gpio-cells", 0},
	{"-gpios", "#gpio-cells", 0},
	{"-gpio", "#gpio-cells", 0},
	{"gpio-ranges", NULL, 3},
	{"pinctrl-0", NULL, 0},
	{"pinctrl-1", NULL, 0},
	{"-supply", NULL, 0},
	{"dmas", "#dma-cells", 0},
	{"phys", "#phy-cells", 0},
	{"phy-handle", NULL, 0},
	{"pwms", "#pwm-cells", 0},
	{"mboxes", "#mbox-cells", 0},
	{"hwlocks", "#hwlock-cells", 0},
	{"interconnects", "#interconnect-cells", 0},
	{"io-channels", "#io-channel-cells", 0},
	{"thermal-sensors", "#thermal-sensor-cells", 0},
	{"nvmem-cells", NULL, 0},
	{"memory-region", NULL, 0},
	{"remote-endpoint", NULL, 0},
	{"syscon", NULL, ALL_CELLS},
};

static const char *const dropped[] = {"msi-map", "msi-parent", "iommu-map", "iommus",
				      "clock-output-names"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct reference *find_reference(const char *property)
{
	const uint32_t length = dt_length(property);

	for (unsigned int i = 0; i < COUNT(references); i++) {
		const char *name = references[i].name;
		const uint32_t end = dt_length(name);

		if (dt_same(property, name) ||
		    (name[0] == '-' && end <= length && dt_same(property + length - end, name))) {
			return &references[i];
		}
	}
	return NULL;
}

bool dtref_is_dropped(const char *property)
{
	unsigned int i = 0;

	while (i < COUNT(dropped) && !dt_same(property, dropped[i])) {
		i++;
	}
	return i < COUNT(dropped);
}

/* A number of cells that a node says of itself; none said or nonsense: none. */
static uint32_t cells_of(const struct dt_at *at, const char *property)
{
	uint32_t count;

	return dt_cell(at->dt, dt_node(at), property, &count) && count <= 16 ? count : 0;
}

uint32_t dtref_stride(const struct dt *dt, const char *property, uint32_t phandle)
{
	const struct reference *reference = find_reference(property);
	struct dt_at at;

	if (reference == NULL) {
		return 0;
	}
	if (reference->cells == NULL || dtref_is_hole(phandle) ||
	    !dt_find_phandle(&at, dt, phandle)) {
		return 4 + 4 * reference->count;
	}
	return 4 + 4 * cells_of(&at, reference->cells);
}

uint32_t dtref_map_entry(const struct dt_at *at, const uint8_t *map, uint32_t length,
			 uint32_t offset, struct interrupt_map_entry *entry)
{
	struct dt_at parent;

	entry->child = 4 * (cells_of(at, "#address-cells") + cells_of(at, "#interrupt-cells"));
	if (length - offset < entry->child + 4) {
		return 0;
	}
	entry->parent = dt_word(map + offset + entry->child);
	if (!dt_find_phandle(&parent, at->dt, entry->parent)) {
		return 0;
	}
	entry->address = 4 * cells_of(&parent, "#address-cells");
	entry->specifier = 4 * cells_of(&parent, "#interrupt-cells");
	offset += entry->child + 4;
	if (length - offset < entry->address + entry->specifier) {
		return 0;
	}
	return entry->child + 4 + entry->address + entry->specifier;
}
