/* SPDX-License-Identifier: BSD-2-Clause */
/* Which properties of a device tree refer to other nodes, and to which. Pure. */
#include "dtref.h"
#include "refuse.h"

#define ALL_CELLS 0x10000u /* what follows the phandle belongs to it, to the property's end */

/*
 * Properties that refer to other nodes, by phandles. A name with a '-' in front is the end of one.
 * So many cells follow a phandle: "clock" as #clock-cells of its node says, "3" three, "*" all.
 */
static const struct reference {
	const char *name, *cells;
} references[] = {
	{"interrupt-parent", ""},
	{"interrupts-extended", "interrupt"},
	{"clocks", "clock"},
	{"assigned-clocks", "clock"},
	{"assigned-clock-parents", "clock"},
	{"resets", "reset"},
	{"power-domains", "power-domain"},
	{"gpio", "gpio"},
	{"gpios", "gpio"},
	{"-gpios", "gpio"},
	{"-gpio", "gpio"},
	{"gpio-ranges", "3"},
	{"pinctrl-0", ""},
	{"pinctrl-1", ""},
	{"-supply", ""},
	{"dmas", "dma"},
	{"phys", "phy"},
	{"phy-handle", ""},
	{"pwms", "pwm"},
	{"mboxes", "mbox"},
	{"hwlocks", "hwlock"},
	{"interconnects", "interconnect"},
	{"io-channels", "io-channel"},
	{"thermal-sensors", "thermal-sensor"},
	{"nvmem-cells", ""},
	{"memory-region", ""},
	{"remote-endpoint", ""},
	{"syscon", "*"},
	{"-syscon", ""},
	{"-phandle", ""},
};

static const char *const dropped[] = {"msi-map", "msi-parent", "iommu-map", "iommus"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The cells behind each phandle of @property; NULL: it has none. */
static const char *find_reference(const char *property)
{
	const uint32_t length = dt_length(property);

	for (unsigned int i = 0; i < COUNT(references); i++) {
		const char *name = references[i].name;
		const uint32_t end = dt_length(name);

		if (dt_same(property, name) ||
		    (name[0] == '-' && end <= length && dt_same(property + length - end, name))) {
			return references[i].cells;
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

uint32_t dtref_cells(const struct dt_at *at, const char *property)
{
	uint32_t count;

	return dt_cell(at->dt, dt_node(at), property, &count) && count <= 16 ? count : 0;
}

uint32_t dtref_stride(const struct dt *dt, const char *property, uint32_t phandle)
{
	const char *cells = find_reference(property);
	char name[32] = "#";
	struct dt_at at;

	if (cells == NULL) {
		return 0;
	}
	if (*cells == '*' || *cells == '3') {
		return 4 + 4 * (*cells == '*' ? ALL_CELLS : 3);
	}
	if (*cells == '\0' || dtref_is_hole(phandle) || !dt_find_phandle(&at, dt, phandle)) {
		return 4;
	}
	copy_printable(name + 1, sizeof(name) - 1, cells);
	copy_printable(name + 1 + dt_length(cells), 7, "-cells");
	return 4 + 4 * dtref_cells(&at, name);
}

uint32_t dtref_map_entry(const struct dt_at *at, const uint8_t *map, uint32_t length,
			 uint32_t offset, struct interrupt_map_entry *entry)
{
	struct dt_at parent;

	entry->child =
		4 * (dtref_cells(at, "#address-cells") + dtref_cells(at, "#interrupt-cells"));
	if (length - offset < entry->child + 4) {
		return 0;
	}
	entry->parent = dt_word(map + offset + entry->child);
	if (!dt_find_phandle(&parent, at->dt, entry->parent)) {
		return 0;
	}
	entry->address = 4 * dtref_cells(&parent, "#address-cells");
	entry->specifier = 4 * dtref_cells(&parent, "#interrupt-cells");
	offset += entry->child + 4;
	if (length - offset < entry->address + entry->specifier) {
		return 0;
	}
	return entry->child + 4 + entry->address + entry->specifier;
}
