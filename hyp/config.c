/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the guest's device tree and checks it by itself. Pure. */
#include <errno.h>
#include <stddef.h>
#include "backend.h"
#include "dt.h"
#include "refuse.h"

#define IPA_LIMIT (1ull << 40) /* ARM DDI 0406C B3.6.1: 40-bit addresses */
#define PAGE      0x1000u
#define BLOCK     0x200000u /* stage 2 maps RAM by blocks of 2 MiB */
#define FLASH_MAX 0x8000000u
#define VIRTIO_MMIO_SIZE                                                                           \
	0x200u /* virtio 1.2, 4.2.2: registers to 0x100, then the configuration                    \
		*/
#define MPIDR_AFFINITY 0xffffffu
#define PHYSICAL_TIMER 30 /* INTIDs that Linux, FreeBSD and the boards agree on */
#define VIRTUAL_TIMER  27
#define FIRST_SPI      32

static const char unreadable[] =
	"these addresses can't be read; check them against #address-cells, #size-cells and ranges "
	"of the parents";

struct reading {
	struct dt dt;
	struct guest_config *config;
	uint32_t gic; /* phandle */
	unsigned int gics, memories, timers;
};

/* Whether the node, or the one above it that is the root's child, has this name. */
static bool named(const struct dt_at *at, const char *name)
{
	return at->depth > 0 && dt_same(dt_name(at->dt, at->node[1]), name);
}

static bool is_memory(const struct dt_at *at)
{
	const char *name = dt_name(at->dt, dt_node(at));

	return at->depth == 1 && (dt_is(at->dt, dt_node(at), "device_type", "memory") ||
				  dt_same(name, "memory") || dt_begins(name, "memory@"));
}

enum guest_node config_node(const struct dt_at *at)
{
	const struct dt *dt = at->dt;
	uint32_t node = dt_node(at);
	struct range reg;

	if (is_memory(at)) {
		return NODE_MEMORY;
	}
	if (at->depth == 1 && named(at, "chosen")) {
		return NODE_CHOSEN;
	}
	if (at->depth == 1 && named(at, "cpus")) {
		return NODE_CPUS;
	}
	if (at->depth == 2 && named(at, "cpus") && dt_is(dt, node, "device_type", "cpu")) {
		return NODE_CPU;
	}
	if (!dt_has(dt, node, "compatible") || !dt_enabled(dt, node) ||
	    named(at, "reserved-memory")) {
		return NODE_PLAIN;
	}
	if (dt_is_gic(dt, node)) {
		return NODE_GIC;
	}
	if (dt_compatible(dt, node, "arm,armv7-timer")) {
		return NODE_TIMER;
	}
	if (dt_compatible(dt, node, "virtio,mmio")) {
		return NODE_VIRTIO;
	}
	if (dt_compatible(dt, node, "arm,pl011")) {
		return NODE_PL011;
	}
	if (dt_compatible(dt, node, "arm,pl031")) {
		return NODE_PL031;
	}
	if (dt_compatible(dt, node, "cfi-flash") && dt_has(dt, node, "bivy,backend")) {
		return NODE_FLASH;
	}
	return dt_reg(at, 0, &reg) == 0 ? NODE_UNEMULATED : NODE_PLAIN;
}

/* Where a property of ours means something. */
enum owner { OWNER_ROOT = 1, OWNER_VIRTIO = 2, OWNER_OTHER = 4 };

static const struct own_property {
	const char *name;
	unsigned int owners;
} own_properties[] = {
	{"bivy,reset", OWNER_ROOT},       {"bivy,virtio", OWNER_VIRTIO},
	{"bivy,legacy", OWNER_VIRTIO},    {"bivy,backend", OWNER_VIRTIO | OWNER_OTHER},
	{"bivy,overlay", OWNER_VIRTIO},   {"bivy,read-only", OWNER_VIRTIO},
	{"bivy,passthrough", OWNER_ROOT},
};

static unsigned int owner_of(const struct dt_at *at)
{
	if (at->depth == 0) {
		return OWNER_ROOT;
	}
	if (dt_compatible(at->dt, dt_node(at), "virtio,mmio")) {
		return OWNER_VIRTIO;
	}
	return dt_compatible(at->dt, dt_node(at), "arm,pl011") ||
			       dt_compatible(at->dt, dt_node(at), "cfi-flash")
		       ? OWNER_OTHER
		       : 0;
}

static bool is_known(const char *name, unsigned int owner)
{
	for (unsigned int i = 0; i < sizeof(own_properties) / sizeof(own_properties[0]); i++) {
		if ((own_properties[i].owners & owner) != 0 &&
		    dt_same(own_properties[i].name, name)) {
			return true;
		}
	}
	return false;
}

/* A property of ours is known, and stands where it means something, or it is a slip of the pen. */
static int check_own_properties(const struct reading *reading, const struct dt_at *at)
{
	const struct dt *dt = &reading->dt;
	uint32_t position = 0, node = dt_node(at);
	struct dt_property property;

	while (dt_each(dt, node, &position, &property)) {
		if (dt_begins(property.name, "bivy,") && !is_known(property.name, owner_of(at))) {
			return dt_refuse(
				at, property.name,
				"bivy has no such property here; the README lists those of "
				"the root, of virtio,mmio, arm,pl011 and cfi-flash");
		}
	}
	return 0;
}

static int read_reset(struct reading *reading, const struct dt_at *at)
{
	const struct dt *dt = &reading->dt;

	if (!dt_has(dt, dt_node(at), "bivy,reset") ||
	    dt_is(dt, dt_node(at), "bivy,reset", "board")) {
		return 0;
	}
	if (!dt_is(dt, dt_node(at), "bivy,reset", "restart")) {
		return dt_refuse(at, "bivy,reset", "this must be \"board\" or \"restart\"");
	}
	reading->config->reset = RESET_RESTART;
	return 0;
}

static int read_passthrough(struct reading *reading, const struct dt_at *at)
{
	struct guest_config *config = reading->config;
	uint32_t strings = 0, length;
	const char *list = (const char *)dt_get(at->dt, dt_node(at), "bivy,passthrough", &length);

	for (uint32_t i = 0; i < length; i++) {
		strings += list[i] == '\0';
	}
	if (list != NULL && (length == 0 || list[length - 1] != '\0')) {
		return dt_refuse(at, "bivy,passthrough",
				 "this must be a list of strings, each the path or the alias of a "
				 "node of the board's device tree");
	}
	if (strings > PASSTHROUGH_LIST_MAX) {
		return dt_refuse(
			at, "bivy,passthrough",
			"a guest gets at most 16 of the board's nodes; name a bus with all "
			"that is below it");
	}
	config->passthrough = list;
	config->passthrough_size = length;
	return 0;
}

static int read_memory(struct reading *reading, const struct dt_at *at)
{
	struct guest_config *config = reading->config;
	struct range ram, more;

	if (dt_reg(at, 0, &ram) != 0) {
		return dt_refuse(at, "reg", unreadable);
	}
	if (++reading->memories > 1 || dt_reg(at, 1, &more) == 0) {
		return dt_refuse(
			at, "reg",
			"a guest has one contiguous range of memory, and this is the second");
	}
	if (ram.base % BLOCK != 0 || ram.base >= IPA_LIMIT) {
		return dt_refuse(
			at, "reg",
			"the memory begins at %llx, which is not a multiple of 2 MiB below 1 TiB",
			(unsigned long long)ram.base);
	}
	if (ram.size % PAGE != 0 || ram.size > GUEST_RAM_MAX || ram.size > IPA_LIMIT - ram.base) {
		return dt_refuse(at, "reg",
				 "the memory has %llx bytes; it must be a multiple of 4 KiB, at "
				 "most 3 GiB and end below 1 TiB (0: as much as there is)",
				 (unsigned long long)ram.size);
	}
	config->ram_base = ram.base;
	config->ram_size = ram.size;
	return 0;
}

static int read_cpu(struct reading *reading, const struct dt_at *at)
{
	struct guest_config *config = reading->config;
	uint32_t reg;
	unsigned int i;

	if (dt_address_cells(at->dt, at->node[1]) != 1 || dt_size_cells(at->dt, at->node[1]) != 0) {
		return dt_refuse(at, "reg",
				 "/cpus must have #address-cells = <1> and #size-cells = <0>");
	}
	if (!dt_cell(at->dt, dt_node(at), "reg", &reg) || reg > MPIDR_AFFINITY) {
		return dt_refuse(at, "reg",
				 "a CPU needs one cell, the affinity bits 23:0 of its MPIDR");
	}
	if (config->cpu_count == CPUS_MAX) {
		return dt_refuse(at, NULL, "a guest has at most 8 CPUs, and this is the ninth");
	}
	for (i = 0; i < config->cpu_count; i++) {
		if (config->cpu_mpidr[i] == reg) {
			return dt_refuse(at, "reg", "two CPUs have the number %x",
					 (unsigned int)reg);
		}
	}
	config->cpu_mpidr[config->cpu_count++] = reg;
	return 0;
}

/* Registers that a guest can have: @unit bytes or more, at a multiple of @unit, below 1 TiB. */
static bool usable(const struct range *reg, uint32_t unit)
{
	return reg->size >= unit && (reg->base & (unit - 1)) == 0 && reg->base < IPA_LIMIT &&
	       reg->size <= IPA_LIMIT - reg->base;
}

static int read_gic(struct reading *reading, const struct dt_at *at)
{
	struct guest_config *config = reading->config;
	uint32_t cells;
	struct range gicd, gicc;

	if (++reading->gics > 1) {
		return dt_refuse(at, NULL,
				 "a guest has one interrupt controller, and this is the second");
	}
	if (dt_reg(at, 0, &gicd) != 0 || dt_reg(at, 1, &gicc) != 0 || !usable(&gicd, PAGE) ||
	    !usable(&gicc, PAGE)) {
		return dt_refuse(at, "reg",
				 "the interrupt controller needs two ranges, GICD and GICC, each 4 "
				 "KiB or more at a multiple of 4 KiB below 1 TiB");
	}
	reading->gic = dt_phandle(at->dt, dt_node(at));
	if (reading->gic == 0 || !dt_cell(at->dt, dt_node(at), "#interrupt-cells", &cells) ||
	    cells != 3) {
		return dt_refuse(
			at, "#interrupt-cells",
			"the interrupt controller needs a phandle, and #interrupt-cells = <3>");
	}
	config->gicd_base = gicd.base;
	config->gicc_base = gicc.base;
	config->gicc_size = gicc.size >= 2ull * PAGE ? 2 * PAGE : PAGE;
	return 0;
}

static int check_timer(struct reading *reading, const struct dt_at *at)
{
	uint32_t physical, virtual;

	reading->timers++;
	if (dt_interrupt(at, 1, reading->gic, &physical) != 0 ||
	    dt_interrupt(at, 2, reading->gic, &virtual) != 0 || physical != PHYSICAL_TIMER ||
	    virtual != VIRTUAL_TIMER) {
		return dt_refuse(
			at, "interrupts",
			"the timer's interrupts must be the GIC's PPIs <1 13 4>, <1 14 4>, <1 11 "
			"4>, <1 10 4>, in this order");
	}
	return 0;
}

/* Of a bank of flash: blocks of stage 2 show it, and CFI tells a power of two. */
static int check_flash(const struct dt_at *at, const struct range *reg)
{
	uint32_t width;
	struct range second;

	if (reg->size < BLOCK || reg->size > FLASH_MAX || (reg->size & (reg->size - 1)) != 0 ||
	    reg->base % BLOCK != 0 || dt_reg(at, 1, &second) == 0) {
		return dt_refuse(at, "reg",
				 "a bank of flash has 2, 4, 8 to 128 MiB at a multiple of 2 MiB; "
				 "a second bank needs a node of its own");
	}
	if (!dt_cell(at->dt, dt_node(at), "bank-width", &width) || width != 4) {
		return dt_refuse(at, "bank-width", "this must be <4>: two chips of 16 bits");
	}
	return 0;
}

static int read_device(struct reading *reading, const struct dt_at *at)
{
	struct guest_config *config = reading->config;
	struct device_config *device;
	struct range reg;
	uint32_t unit;
	int result;

	if (config->device_count == CONFIG_DEVICES_MAX) {
		return dt_refuse(at, NULL,
				 "a guest has at most 64 emulated devices; remove nodes that it "
				 "does not need");
	}
	device = &config->device[config->device_count];
	result = device_read(at, device);
	if (result != 0) {
		return result;
	}
	unit = config_node(at) == NODE_VIRTIO ? VIRTIO_MMIO_SIZE : PAGE;
	if (dt_reg(at, 0, &reg) != 0 || !usable(&reg, unit) || reg.size > UINT32_MAX) {
		return dt_refuse(at, "reg",
				 "this device needs registers of %x bytes or more, at a multiple "
				 "of that, where its buses' ranges lead to the guest's memory map",
				 (unsigned int)unit);
	}
	if (device->kind == DEVICE_FLASH) {
		result = check_flash(at, &reg);
		if (result != 0) {
			return result;
		}
	} else if (dt_interrupt(at, 0, reading->gic, &device->intid) != 0 ||
		   device->intid < FIRST_SPI) {
		return dt_refuse(at, "interrupts",
				 "this device needs an SPI of the guest's interrupt controller, "
				 "for instance <0 16 1> for SPI 16, edge");
	}
	device->base = reg.base;
	device->size = (uint32_t)reg.size;
	dt_path(at, device->node, sizeof(device->node));
	config->device_count++;
	return 0;
}

static int read_node(struct reading *reading, const struct dt_at *at)
{
	int result = check_own_properties(reading, at);
	enum guest_node kind = config_node(at);
	struct range reg;

	if (result != 0) {
		return result;
	}
	if (at->depth == 0) {
		return read_reset(reading, at) ?: read_passthrough(reading, at);
	}
	if (kind == NODE_MEMORY) {
		return read_memory(reading, at);
	}
	if (kind == NODE_CPU) {
		return read_cpu(reading, at);
	}
	if (kind == NODE_TIMER) {
		return check_timer(reading, at);
	}
	if (kind == NODE_PL011 || kind == NODE_PL031 || kind == NODE_VIRTIO || kind == NODE_FLASH) {
		return read_device(reading, at);
	}
	if (kind == NODE_UNEMULATED) {
		reading->config->disabled_count++;
	} else if (kind == NODE_PLAIN && dt_reg(at, 0, &reg) == -EINVAL &&
		   dt_enabled(at->dt, dt_node(at))) {
		return dt_refuse(at, "reg", unreadable);
	}
	return 0;
}

static int check_present(const struct reading *reading)
{
	if (reading->memories == 0) {
		return refuse(reading->dt.error,
			      "the guest's device tree has no memory node; add memory@... "
			      "with device_type = \"memory\"");
	}
	if (reading->timers == 0) {
		return refuse(reading->dt.error, "the guest's device tree has no timer; add a node "
						 "with compatible = \"arm,armv7-timer\"");
	}
	return 0;
}

int config_read(const void *dtb, uint32_t limit, struct guest_config *config,
		struct config_error *error)
{
	struct reading reading = {.config = config};
	struct dt_at at;
	int result = dt_open(&reading.dt, dtb, limit, "the guest's device tree", error);

	*config = (struct guest_config){0};
	if (result != 0) {
		return result;
	}
	dt_root(&at, &reading.dt);
	do { /* first the GIC: every interrupt is checked against its phandle */
		result = dt_is_gic(at.dt, dt_node(&at)) && config_node(&at) == NODE_GIC
				 ? read_gic(&reading, &at)
				 : 0;
	} while (result == 0 && dt_next(&at));
	if (result == 0 && reading.gics == 0) {
		result = refuse(error, "the guest's device tree has no interrupt controller; add a "
				       "GICv2 (arm,cortex-a15-gic)");
	}
	if (result != 0) {
		return result;
	}
	dt_root(&at, &reading.dt);
	do {
		result = read_node(&reading, &at);
	} while (result == 0 && dt_next(&at));
	return result ?: check_present(&reading);
}

struct range config_kernel_range(const struct guest_config *config, uint64_t ram_size,
				 uint64_t load)
{
	for (unsigned int i = 0; i < config->device_count; i++) {
		const struct device_config *device = &config->device[i];

		if (device->kind == DEVICE_FLASH && load >= device->base &&
		    load - device->base < device->size) {
			return (struct range){device->base, device->size};
		}
	}
	return (struct range){config->ram_base, ram_size};
}
