/* SPDX-License-Identifier: BSD-2-Clause */
/* What config_read() makes of a guest's tree, and every way in which it and config_check() refuse
 * one. */
#include "suite.h"
#include "tree.h"
#include "hyp/dt.h"

#define PL011  "/pl011@9000000"
#define SLOT0  "/virtio_mmio@a000000"
#define SLOT1  "/virtio_mmio@a000200"
#define GIC    "/intc@8000000"
#define MEMORY "/memory@40000000"

static uint8_t *tree;
static size_t tree_size;

static const struct board board = {
	.ram = {0x40000000, 0x20000000},
	.gicv = {0x08040000, 0x2000},
	.cpu_count = 4,
	.cpu_mpidr = {0, 1, 2, 3},
};

static int load(void **state)
{
	(void)state;
	tree = tree_load("guest.dtb", &tree_size);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	free(tree);
	return 0;
}

/* config_read() and config_check() of the tree with changes. */
static int read_changed(const struct change *change, unsigned int count,
			struct guest_config *config, struct config_error *error)
{
	size_t size;
	void *changed = tree_changed(tree, change, count, &size);
	int result;

	error_fill(error);
	result = config_read(changed, (uint32_t)size, config, error);
	if (result == 0) {
		error->node[0] = error->property[0] = '\0';
		result = config_check(config, &board, 96, error);
	}
	free(changed);
	return result;
}

static void test_facts(void **state)
{
	/* clang-format off */
	static const struct {
		enum device_kind kind;
		uint64_t base;
		uint32_t size, intid;
		const char *node;
	} expected[] = {
		{DEVICE_PL011, 0x09000000, 0x1000, 33, PL011},
		{DEVICE_VIRTIO_CONSOLE, 0x0a000000, 0x200, 48, SLOT0},
		{DEVICE_VIRTIO_NONE, 0x0a000200, 0x200, 49, SLOT1},
		{DEVICE_VIRTIO_NONE, 0x0c002000, 0x200, 50, "/bus@c000000/inner/virtio_mmio@2000"},
		{DEVICE_PL031, 0x09010000, 0x1000, 34, "/pl031@9010000"},
	};
	/* clang-format on */
	struct guest_config config;
	struct config_error error;
	unsigned int i;

	(void)state;
	assert_int_equal(config_read(tree, (uint32_t)tree_size, &config, &error), 0);
	assert_int_equal(config.ram_base, 0x40000000);
	assert_int_equal(config.ram_size, 0x10000000);
	assert_int_equal(config.gicd_base, 0x08000000);
	assert_int_equal(config.gicc_base, 0x08010000);
	assert_int_equal(config.gicc_size, 0x2000);
	assert_int_equal(config.cpu_count, 2);
	assert_int_equal(config.cpu_mpidr[1], 1);
	assert_int_equal(config.reset, RESET_RESTART);
	assert_int_equal(config.device_count, 5);
	for (i = 0; i < 5; i++) {
		assert_int_equal(config.device[i].kind, expected[i].kind);
		assert_int_equal(config.device[i].base, expected[i].base);
		assert_int_equal(config.device[i].size, expected[i].size);
		assert_int_equal(config.device[i].intid, expected[i].intid);
		assert_string_equal(config.device[i].node, expected[i].node);
	}
	/* v2m, flash, fw-cfg, pcie */
	assert_int_equal(config.disabled_count, 4);
	assert_int_equal(config_check(&config, &board, 96, &error), 0);
}

static struct change text_change(const char *name, const char *text)
{
	return (struct change){SLOT1, name, CHANGE_BYTES, text, (int)strlen(text) + 1, {0}};
}

/* One virtio device: what its properties ask for. */
static void test_backends(void **state)
{
	static const struct {
		const char *virtio, *backend;
		struct backend_config expected;
	} row[] = {
		/* clang-format off */
		{"console", "uart", {BACKEND_UART, 0, 0, 0, 0}},
		{"console", NULL, {BACKEND_ANY, 0, 0, 0, 0}},
		{"block", "virtio0", {BACKEND_VIRTIO, 0, 0, 0, 0}},
		{"block", "virtio31", {BACKEND_VIRTIO, 31, 0, 0, 0}},
		{"block", "ram1", {BACKEND_RAM, 1, 0, 0, 0}},
		{"block", "virtio0:part2", {BACKEND_VIRTIO, 0, 2, 0, 0}},
		{"block", "ram0:part255", {BACKEND_RAM, 0, 255, 0, 0}},
		{"block", "virtio1:0x100000+0x200000", {BACKEND_VIRTIO, 1, 0, 0x100000, 0x200000}},
		{"block", "virtio1:0+512", {BACKEND_VIRTIO, 1, 0, 0, 512}},
		{"block", "ram0:0x7ffffffffffffe00+0x7FFFFFFFFFFFFE00", {BACKEND_RAM, 0, 0, 0x7ffffffffffffe00, 0x7ffffffffffffe00}},
		{"block", "sd1:part2", {BACKEND_SD, 1, 2, 0, 0}},
		{"net", "virtio2", {BACKEND_VIRTIO, 2, 0, 0, 0}},
		{"net", "eth0", {BACKEND_ETHERNET, 0, 0, 0, 0}},
		{"net", "loopback", {BACKEND_LOOPBACK, 0, 0, 0, 0}},
		{"rng", NULL, {BACKEND_ANY, 0, 0, 0, 0}},
		{"rng", "firmware", {BACKEND_FIRMWARE, 0, 0, 0, 0}},
		/* clang-format on */
	};
	struct guest_config config;
	struct config_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const char *backend = row[i].backend;
		const struct change change[] = {
			text_change("bivy,virtio", row[i].virtio),
			backend != NULL ? text_change("bivy,backend", backend)
					: (struct change)EMPTY(SLOT1, "bivy,legacy"),
		};
		const struct device_config *device = &config.device[2];

		if (read_changed(change, 2, &config, &error) != 0) {
			fail_msg("%s %s: %s", row[i].virtio, row[i].backend, error.text);
		}
		assert_string_equal(device->node, SLOT1);
		assert_int_equal(device->backend.kind, row[i].expected.kind);
		assert_int_equal(device->backend.number, row[i].expected.number);
		assert_int_equal(device->backend.part, row[i].expected.part);
		assert_int_equal(device->backend.start, row[i].expected.start);
		assert_int_equal(device->backend.length, row[i].expected.length);
		assert_int_equal(device->legacy, row[i].backend == NULL);
	}
}

static void test_disk_options(void **state)
{
	const struct change change[] = {
		STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "ram0"),
		CELLS(SLOT1, "bivy,overlay", 64), EMPTY(SLOT1, "bivy,read-only")};
	struct guest_config config;
	struct config_error error;

	(void)state;
	assert_int_equal(read_changed(change, 4, &config, &error), 0);
	assert_int_equal(config.device[2].kind, DEVICE_VIRTIO_BLOCK);
	assert_int_equal(config.device[2].overlay, 64);
	assert_true(config.device[2].read_only);
	assert_int_equal(read_changed(change, 2, &config, &error), 0);
	assert_int_equal(config.device[2].overlay, 0);
	assert_false(config.device[2].read_only);
	assert_int_equal(config_check_disks(&config, 1, &error), 0);
	assert_refused(config_check_disks(&config, 0, &error), &error, "no disk",
		       "has the backend ram0, and the bundle has 0 disks");
}

/* Two banks, which have no interrupts to share; and where a kernel goes. */
static void test_flash(void **state)
{
	static const struct {
		uint64_t load, base, size;
	} kernel[] = {
		{0, 0, 0x200000},
		{0x1fffff, 0, 0x200000},
		{0x200000, 0x40000000, 0x123000},
		{0x03ffffff, 0x40000000, 0x123000},
		{0x04000000, 0x04000000, 0x4000000},
		{0x07ffffff, 0x04000000, 0x4000000},
		{0x08000000, 0x40000000, 0x123000},
		{0x40010000, 0x40000000, 0x123000},
	};
	const struct change change[] = {STRING("/flash@0", "bivy,backend", "none"),
					CELLS("/flash@0", "reg", 0, 0, 0, 0x200000),
					STRING("/flash@4000000", "compatible", "cfi-flash"),
					STRING("/flash@4000000", "bivy,backend", "virtio1:part2"),
					CELLS("/flash@4000000", "reg", 0, 0x04000000, 0, 0x4000000),
					CELLS("/flash@4000000", "bank-width", 4)};
	struct guest_config config;
	struct config_error error;
	unsigned int banks = 0;

	(void)state;
	assert_int_equal(read_changed(change, 6, &config, &error), 0);
	for (unsigned int i = 0; i < config.device_count; i++) {
		if (config.device[i].kind == DEVICE_FLASH) {
			assert_int_equal(config.device[i].intid, 0);
			assert_int_equal(config.device[i].backend.kind, config.device[i].base == 0
										? BACKEND_NONE
										: BACKEND_VIRTIO);
			assert_int_equal(config.device[i].backend.part,
					 config.device[i].base == 0 ? 0 : 2);
			banks++;
		}
	}
	assert_int_equal(banks, 2);
	for (unsigned int i = 0; i < sizeof(kernel) / sizeof(kernel[0]); i++) {
		const struct range place = config_kernel_range(&config, 0x123000, kernel[i].load);

		assert_int_equal(place.base, kernel[i].base);
		assert_int_equal(place.size, kernel[i].size);
	}
}

static void test_accepted(void **state)
{
	static const struct {
		const char *what;
		struct change change[2];
	} row[] = {
		/* clang-format off */
		{"memory of size 0", {CELLS(MEMORY, "reg", 0, 0x40000000, 0, 0)}},
		{"memory without device_type", {DROP(MEMORY, "device_type")}},
		{"memory without an address", {DROP(MEMORY, NULL), CELLS("/memory", "reg", 0, 0x40000000, 0, 0)}},
		{"what only sounds like memory", {EMPTY("/memory-controller@1", "reg")}},
		{"nor this", {EMPTY("/mem@1", "reg"), EMPTY("/memoryless", "reg")}},
		{"memory up to 1 TiB", {CELLS(MEMORY, "reg", 0xff, 0xf0000000, 0, 0x10000000)}},
		{"a device up to 1 TiB", {CELLS(SLOT1, "reg", 0xff, 0xfffffe00, 0, 0x200)}},
		{"properties that are nearly ours", {EMPTY("/chosen", "bivouac"), EMPTY("/chosen", "xivy,reset")}},
		{"as much memory as the board has", {CELLS(MEMORY, "reg", 0, 0x40000000, 0, 0x20000000)}},
		{"memory above 4 GiB", {CELLS(MEMORY, "reg", 0x80, 0, 0, 0x10000000)}},
		{"memory at 0", {CELLS(MEMORY, "reg", 0, 0x10000000, 0, 0)}},
		{"no CPUs", {DROP("/cpus", NULL)}},
		{"an empty /cpus", {DROP("/cpus/cpu@0", NULL), DROP("/cpus/cpu@1", NULL)}},
		{"no backend", {DROP(PL011, "bivy,backend")}},
		{"a sleeping CPU", {STRING("/cpus/cpu@1", "status", "disabled")}},
		{"a 4 KiB GICC", {CELLS(GIC, "reg", 0, 0x08000000, 0, 0x1000, 0, 0x08010000, 0, 0x1000)}},
		{"a Cortex-A9's GIC", {STRING(GIC, "compatible", "arm,cortex-a9-gic")}},
		{"a GIC-400", {STRING(GIC, "compatible", "arm,gic-400")}},
		{"a second GIC that is off", {STRING("/gic2", "compatible", "arm,gic-400"), STRING("/gic2", "status", "disabled")}},
		{"a device that is off", {STRING(PL011, "status", "disabled"), DROP(PL011, "reg")}},
		{"a timer of two kinds", {STRING("/timer", "compatible", "arm,armv8-timer\0arm,armv7-timer")}},
		{"no reset", {DROP("/", "bivy,reset")}},
		{"reset of the board", {STRING("/", "bivy,reset", "board")}},
		{"an unknown node", {STRING("/thing", "compatible", "a,thing")}},
		{"the last SPI of the GIC", {CELLS(PL011, "interrupts", 0, 63, 4)}},
		{"a device up to the next one", {CELLS(SLOT0, "reg", 0, 0x0a000000, 0, 0x200)}},
		/* clang-format on */
	};
	struct guest_config config;
	struct config_error error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (read_changed(row[i].change, 2, &config, &error) != 0) {
			fail_msg("%s: %s: %s: %s", row[i].what, error.node, error.property,
				 error.text);
		}
	}
}

static const struct refusal {
	const char *what, *node, *property, *part;
	struct change change[5];
} refusals[] = {
	/* clang-format off */
	{"a slip in the root", "/", "bivy,rest", "no such property here", {STRING("/", "bivy,rest", "restart")}},
	{"a slip in a device", SLOT0, "bivy,virto", "no such property here", {STRING(SLOT0, "bivy,virto", "console")}},
	{"only the prefix", "/chosen", "bivy,", "no such property here", {EMPTY("/chosen", "bivy,")}},
	{"ours in the wrong place", "/chosen", "bivy,reset", "no such property here", {STRING("/chosen", "bivy,reset", "board")}},
	{"virtio on a PL011", PL011, "bivy,virtio", "no such property here", {STRING(PL011, "bivy,virtio", "console")}},
	{"a UART behind flash", "/flash@0", "bivy,backend", "a backend that it can have", {STRING("/flash@0", "bivy,backend", "uart")}},
	{"two banks of flash in one", "/flash@0", "reg", "a node of its own", {STRING("/flash@0", "bivy,backend", "none")}},
	{"a flash of 3 MiB", "/flash@0", "reg", "8 to 128 MiB", {STRING("/flash@0", "bivy,backend", "none"), CELLS("/flash@0", "reg", 0, 0, 0, 0x300000)}},
	{"a flash of 1 MiB", "/flash@0", "reg", "8 to 128 MiB", {STRING("/flash@0", "bivy,backend", "none"), CELLS("/flash@0", "reg", 0, 0, 0, 0x100000)}},
	{"a flash of 256 MiB", "/flash@0", "reg", "8 to 128 MiB", {STRING("/flash@0", "bivy,backend", "none"), CELLS("/flash@0", "reg", 0x80, 0, 0, 0x10000000)}},
	{"a flash at 1 MiB", "/flash@0", "reg", "multiple of 2 MiB", {STRING("/flash@0", "bivy,backend", "none"), CELLS("/flash@0", "reg", 0, 0x100000, 0, 0x200000)}},
	{"a flash of 16 bits", "/flash@0", "bank-width", "<4>", {STRING("/flash@0", "bivy,backend", "none"), CELLS("/flash@0", "reg", 0, 0, 0, 0x200000), CELLS("/flash@0", "bank-width", 2)}},
	{"a flash over RAM", "", "", "overlaps the memory", {STRING("/flash@0", "bivy,backend", "none"), CELLS("/flash@0", "reg", 0, 0x40000000, 0, 0x200000)}},
	{"an unknown reset", "/", "bivy,reset", "\"restart\"", {STRING("/", "bivy,reset", "reboot")}},
	{"a reset that is no string", "/", "bivy,reset", "\"restart\"", {CELLS("/", "bivy,reset", 1)}},
	{"an unknown virtio device", SLOT0, "bivy,virtio", "bivy has \"console\"", {STRING(SLOT0, "bivy,virtio", "gpu")}},
	{"an empty virtio device", SLOT0, "bivy,virtio", "bivy has \"console\"", {EMPTY(SLOT0, "bivy,virtio")}},
	{"an unknown backend", SLOT0, "bivy,backend", "can have \"uart\"", {STRING(SLOT0, "bivy,backend", "uart0")}},
	{"an unknown backend of a PL011", PL011, "bivy,backend", "can have \"uart\"", {STRING(PL011, "bivy,backend", "file")}},
	{"a backend of nothing", SLOT1, "bivy,backend", "empty transport", {STRING(SLOT1, "bivy,backend", "uart")}},
	{"a backend's number beyond all", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio32")}},
	{"no number", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio")}},
	{"two numbers", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0 1")}},
	{"a partition 0", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:part0")}},
	{"a partition 256", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:part256")}},
	{"no partition", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:part")}},
	{"no length", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:512")}},
	{"a length 0", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:0+0")}},
	{"an odd start", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:1+512")}},
	{"an odd length", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:512+513")}},
	{"a range that ends in text", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:0+512x")}},
	{"a number too large", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:0x8000000000000000+512")}},
	{"a number far too large", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:0x10000000000000000+512")}},
	{"no range", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:")}},
	{"no backend's name", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "")}},
	{"hexadecimal without digits", SLOT1, "bivy,backend", "can have \"virtio0\"", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "virtio0:0x+512")}},
	{"a disk on a UART", SLOT1, "bivy,backend", "needs a backend", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "uart")}},
	{"a disk on nothing", SLOT1, "bivy,backend", "needs a backend", {STRING(SLOT1, "bivy,virtio", "block")}},
	{"a partition of a card", SLOT1, "bivy,backend", "only a disk", {STRING(SLOT1, "bivy,virtio", "net"), STRING(SLOT1, "bivy,backend", "virtio0:part1")}},
	{"a backend that is a number", SLOT1, "bivy,backend", "no such backend", {STRING(SLOT1, "bivy,virtio", "net"), CELLS(SLOT1, "bivy,backend", 1)}},
	{"no overlay", SLOT1, "bivy,overlay", "1 to 2048", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "ram0"), CELLS(SLOT1, "bivy,overlay", 0)}},
	{"an overlay too large", SLOT1, "bivy,overlay", "1 to 2048", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "ram0"), CELLS(SLOT1, "bivy,overlay", 2049)}},
	{"an overlay of text", SLOT1, "bivy,overlay", "1 to 2048", {STRING(SLOT1, "bivy,virtio", "block"), STRING(SLOT1, "bivy,backend", "ram0"), STRING(SLOT1, "bivy,overlay", "much")}},
	{"no GIC", "", "", "no interrupt controller", {DROP(GIC, NULL)}},
	{"a GICv3", "", "", "no interrupt controller", {STRING(GIC, "compatible", "arm,gic-v3")}},
	{"a GIC that is off", "", "", "no interrupt controller", {STRING(GIC, "status", "disabled")}},
	{"two GICs", GIC, "", "the second", {STRING("/gic2", "compatible", "arm,gic-400"), EMPTY("/gic2", "interrupt-controller"), CELLS("/gic2", "reg", 0, 0x07000000, 0, 0x1000, 0, 0x07001000, 0, 0x1000), CELLS("/gic2", "phandle", 77), CELLS("/gic2", "#interrupt-cells", 3)}},
	{"a GIC without GICC", GIC, "reg", "two ranges", {CELLS(GIC, "reg", 0, 0x08000000, 0, 0x10000)}},
	{"a GIC without registers", GIC, "reg", "two ranges", {DROP(GIC, "reg")}},
	{"a GICC too small", GIC, "reg", "two ranges", {CELLS(GIC, "reg", 0, 0x08000000, 0, 0x1000, 0, 0x08010000, 0, 0x100)}},
	{"a GICD unaligned", GIC, "reg", "two ranges", {CELLS(GIC, "reg", 0, 0x08000100, 0, 0x1000, 0, 0x08010000, 0, 0x1000)}},
	{"a GICC beyond 1 TiB", GIC, "reg", "two ranges", {CELLS(GIC, "reg", 0, 0x08000000, 0, 0x1000, 0xff, 0xfffff000, 0, 0x2000)}},
	{"a GIC without phandle", GIC, "#interrupt-cells", "phandle", {DROP(GIC, "phandle")}},
	{"a GIC of two cells", GIC, "#interrupt-cells", "<3>", {CELLS(GIC, "#interrupt-cells", 2)}},
	{"no timer", "", "", "no timer", {DROP("/timer", NULL)}},
	{"a timer that is off", "", "", "no timer", {STRING("/timer", "status", "disabled")}},
	{"timers swapped", "/timer", "interrupts", "PPIs <1 13 4>", {CELLS("/timer", "interrupts", 1, 13, 4, 1, 11, 4, 1, 14, 4, 1, 10, 4)}},
	{"timers that are SPIs", "/timer", "interrupts", "PPIs <1 13 4>", {CELLS("/timer", "interrupts", 0, 13, 4, 0, 14, 4, 0, 11, 4, 0, 10, 4)}},
	{"one timer", "/timer", "interrupts", "PPIs <1 13 4>", {CELLS("/timer", "interrupts", 1, 14, 4)}},
	{"no memory", "", "", "no memory", {DROP(MEMORY, NULL)}},
	{"memory without reg", MEMORY, "reg", "can't be read", {DROP(MEMORY, "reg")}},
	{"memory in pieces", MEMORY, "reg", "can't be read", {CELLS(MEMORY, "reg", 0, 0x40000000)}},
	{"two ranges of memory", MEMORY, "reg", "one contiguous", {CELLS(MEMORY, "reg", 0, 0x40000000, 0, 0x1000, 0, 0x50000000, 0, 0x1000)}},
	{"two memory nodes", MEMORY, "reg", "one contiguous", {STRING("/memory@80000000", "device_type", "memory"), CELLS("/memory@80000000", "reg", 0, 0x80000000, 0, 0x1000)}},
	{"memory at 1 MiB", MEMORY, "reg", "2 MiB", {CELLS(MEMORY, "reg", 0, 0x40100000, 0, 0x1000)}},
	{"memory at 1 TiB", MEMORY, "reg", "1 TiB", {CELLS(MEMORY, "reg", 0x100, 0, 0, 0x1000)}},
	{"memory of 2^63 bytes", MEMORY, "reg", "0x8000000000000000 bytes", {CELLS(MEMORY, "reg", 0, 0x40000000, 0x80000000, 0)}},
	{"memory that wraps", MEMORY, "reg", "can't be read", {CELLS(MEMORY, "reg", 0xffffffff, 0xffe00000, 0, 0x40000000)}},
	{"memory of 2^64 - 1 bytes", MEMORY, "reg", "can't be read", {CELLS(MEMORY, "reg", 0, 0x40000000, 0xffffffff, 0xffffffff)}},
	{"memory of half a page", MEMORY, "reg", "multiple of 4 KiB", {CELLS(MEMORY, "reg", 0, 0x40000000, 0, 0x10000800)}},
	{"memory of 4 GiB", MEMORY, "reg", "at most 3 GiB", {CELLS(MEMORY, "reg", 0, 0x40000000, 1, 0)}},
	{"memory over 1 TiB", MEMORY, "reg", "below 1 TiB", {CELLS(MEMORY, "reg", 0xff, 0xff000000, 0, 0x2000000)}},
	{"more memory than the board", "", "", "board has 0x20000000", {CELLS(MEMORY, "reg", 0, 0x40000000, 0, 0x20001000)}},
	{"all memory, over 1 TiB", "", "", "beyond 1 TiB", {CELLS(MEMORY, "reg", 0xff, 0xf0000000, 0, 0)}},
	{"no cells", GIC, "reg", "two ranges", {CELLS("/", "#address-cells", 0)}},
	{"one cell", GIC, "reg", "two ranges", {CELLS("/", "#address-cells", 1)}},
	{"CPUs of two cells", "/cpus/cpu@0", "reg", "#address-cells = <1>", {CELLS("/cpus", "#address-cells", 2)}},
	{"CPUs with a size", "/cpus/cpu@0", "reg", "#size-cells = <0>", {DROP("/cpus", "#size-cells")}},
	{"a CPU without number", "/cpus/cpu@1", "reg", "MPIDR", {DROP("/cpus/cpu@1", "reg")}},
	{"a CPU with bit 31", "/cpus/cpu@1", "reg", "MPIDR", {CELLS("/cpus/cpu@1", "reg", 0x80000001)}},
	{"a CPU twice", "/cpus/cpu@1", "reg", "the number 0x0", {CELLS("/cpus/cpu@1", "reg", 0)}},
	{"a device without registers", PL011, "reg", "0x1000 bytes", {DROP(PL011, "reg")}},
	{"a PL011 too small", PL011, "reg", "0x1000 bytes", {CELLS(PL011, "reg", 0, 0x09000000, 0, 0x800)}},
	{"a PL011 unaligned", PL011, "reg", "0x1000 bytes", {CELLS(PL011, "reg", 0, 0x09000200, 0, 0x1000)}},
	{"a transport too small", SLOT1, "reg", "0x200 bytes", {CELLS(SLOT1, "reg", 0, 0x0a000200, 0, 0x100)}},
	{"a transport unaligned", SLOT1, "reg", "0x200 bytes", {CELLS(SLOT1, "reg", 0, 0x0a000300, 0, 0x200)}},
	{"a device of 4 GiB", SLOT1, "reg", "0x200 bytes", {CELLS(SLOT1, "reg", 0, 0x0a000200, 1, 0)}},
	{"a device over 1 TiB", SLOT1, "reg", "0x200 bytes", {CELLS(SLOT1, "reg", 0xff, 0xfffffe00, 0, 0x400)}},
	{"a device on a lost bus", "/bus@c000000/inner/virtio_mmio@2000", "reg", "ranges", {DROP("/bus@c000000", "ranges")}},
	{"a device outside its bus", "/bus@c000000/inner/virtio_mmio@2000", "reg", "ranges", {CELLS("/bus@c000000", "ranges", 0, 0, 0x0c000000, 0x1000)}},
	{"no interrupt", PL011, "interrupts", "needs an SPI", {DROP(PL011, "interrupts")}},
	{"a PPI", PL011, "interrupts", "needs an SPI", {CELLS(PL011, "interrupts", 1, 1, 4)}},
	{"another controller", PL011, "interrupts", "needs an SPI", {CELLS(PL011, "interrupt-parent", 77)}},
	{"itself as a controller", PL011, "interrupts", "needs an SPI", {CELLS(PL011, "phandle", 77), CELLS(PL011, "interrupt-parent", 77)}},
	{"interrupts in pieces", PL011, "interrupts", "needs an SPI", {CELLS(PL011, "interrupts", 0, 1)}},
	{"an SPI beyond the GIC", "", "", "ends at SPI 63", {CELLS(PL011, "interrupts", 0, 64, 4)}},
	{"the first SPI twice", "", "", "share SPI 1;", {CELLS(SLOT1, "interrupts", 0, 1, 1)}},
	{"an SPI twice", "", "", "share SPI 16", {CELLS(SLOT1, "interrupts", 0, 16, 1)}},
	{"devices that overlap", "", "", "overlaps " SLOT0, {CELLS(SLOT1, "reg", 0, 0x0a000000, 0, 0x200)}},
	{"devices that overlap by one word", "", "", "overlaps " SLOT0, {CELLS(SLOT0, "reg", 0, 0x0a000000, 0, 0x204)}},
	{"a device over RAM", "", "", "overlaps the memory", {CELLS(PL011, "reg", 0, 0x4ffff000, 0, 0x1000)}},
	{"a device over all the RAM there is", "", "", "overlaps the memory", {CELLS(PL011, "reg", 0, 0x5ffff000, 0, 0x1000), CELLS(MEMORY, "reg", 0, 0x40000000, 0, 0)}},
	{"a device over GICD", "", "", "distributor", {CELLS(PL011, "reg", 0, 0x08000000, 0, 0x1000)}},
	{"a device over GICC", "", "", "CPU interface", {CELLS(PL011, "reg", 0, 0x08011000, 0, 0x1000)}},
	{"GICC over GICD", "", "", "distributor", {CELLS(GIC, "reg", 0, 0x08000000, 0, 0x1000, 0, 0x08000000, 0, 0x1000)}},
	{"GICD over RAM", "", "", "overlaps the memory", {CELLS(GIC, "reg", 0, 0x40000000, 0, 0x1000, 0, 0x08000000, 0, 0x1000)}},
	{"registers that can't be read", "/flash@0", "reg", "can't be read", {CELLS("/flash@0", "reg", 0, 0, 0)}},
	{"registers that wrap", "/flash@0", "reg", "can't be read", {CELLS("/flash@0", "reg", 0xffffffff, 0xfffff000, 0, 0x2000)}},
	/* clang-format on */
};

static void test_refusals(void **state)
{
	struct guest_config config;
	struct config_error error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *row = &refusals[i];
		int result = read_changed(row->change, 5, &config, &error);

		assert_refused(result, &error, row->what, row->part);
		if (strcmp(error.node, row->node) != 0 ||
		    strcmp(error.property, row->property) != 0) {
			fail_msg("%s: at %s: %s", row->what, error.node, error.property);
		}
	}
	print_message("%zu trees refused, each with its place and its sentence\n", i);
}

/* A tree with @count more nodes /NAME@i, made by @make. */
static uint8_t *repeat(unsigned int count, const struct change *pattern, unsigned int changes,
		       size_t *size)
{
	uint8_t *room = malloc(TREE_ROOM), *copy;
	struct change change;
	char path[40];
	unsigned int i, j;

	assert_int_equal(fdt_open_into(tree, room, TREE_ROOM), 0);
	for (i = 0; i < count; i++) {
		for (j = 0; j < changes; j++) {
			change = pattern[j];
			snprintf(path, sizeof(path), "%s%x", pattern[j].path, i);
			change.path = path;
			change.cell[1] += change.size == 16 ? i * 0x200 : change.size == 12 ? i : 0;
			change.cell[0] += change.size == 4 ? i : 0;
			tree_change(room, &change);
		}
	}
	fdt_pack(room);
	*size = fdt_totalsize(room);
	copy = tree_exact(room, *size);
	free(room);
	return copy;
}

static void test_too_many(void **state)
{
	static const struct change slot[] = {
		STRING("/more@", "compatible", "virtio,mmio"),
		CELLS("/more@", "reg", 0, 0x20000000, 0, 0x200),
		CELLS("/more@", "interrupts", 0, 100, 1),
	};
	static const struct change cpu[] = {
		STRING("/cpus/more@", "device_type", "cpu"),
		CELLS("/cpus/more@", "reg", 0x100),
	};
	struct guest_config config;
	struct config_error error;
	size_t size;
	uint8_t *more;

	(void)state;
	more = repeat(CONFIG_DEVICES_MAX - 5, slot, 3, &size);
	assert_int_equal(config_read(more, (uint32_t)size, &config, &error), 0);
	assert_int_equal(config.device_count, CONFIG_DEVICES_MAX);
	assert_int_equal(config_check(&config, &board, 1024, &error), 0);
	free(more);
	more = repeat(CONFIG_DEVICES_MAX - 4, slot, 3, &size);
	assert_refused(config_read(more, (uint32_t)size, &config, &error), &error, "devices",
		       "at most 64");
	free(more);
	more = repeat(CPUS_MAX - 2, cpu, 2, &size);
	assert_int_equal(config_read(more, (uint32_t)size, &config, &error), 0);
	assert_int_equal(config.cpu_count, CPUS_MAX);
	assert_refused(config_check(&config, &board, 1024, &error), &error, "CPUs",
		       "8 CPUs, and the board 4");
	free(more);
	more = repeat(CPUS_MAX - 1, cpu, 2, &size);
	assert_refused(config_read(more, (uint32_t)size, &config, &error), &error, "CPUs", "ninth");
	free(more);
}

/* Values at the very edge, for which the board of the other tests is too small. */
static void test_edges(void **state)
{
	static const struct change change[] = {
		CELLS(MEMORY, "reg", 0, 0x40000000, 0, 0xc0000000),
		CELLS(GIC, "reg", 0, 0x08000000, 0, 0x1000, 0, 0x08010000, 0, 0x2000),
		CELLS(SLOT1, "reg", 1, 0, 0, 0xfffffe00),
	};
	struct board large = board;
	struct guest_config config;
	struct config_error error;
	size_t size;
	void *changed = tree_changed(tree, change, 3, &size);

	(void)state;
	large.ram.size = 0x100000000;
	assert_int_equal(config_read(changed, (uint32_t)size, &config, &error), 0);
	assert_int_equal(config_check(&config, &large, 1020, &error), 0);
	assert_int_equal(config.ram_size, GUEST_RAM_MAX);
	assert_int_equal(config.gicc_size, 0x2000);
	assert_int_equal(config.device[2].size, 0xfffffe00);
	free(changed);
}

static void test_board_too_small(void **state)
{
	struct board small = board;
	struct guest_config config;
	struct config_error error;

	(void)state;
	assert_int_equal(config_read(tree, (uint32_t)tree_size, &config, &error), 0);
	small.gicv.size = 0x1000;
	assert_refused(config_check(&config, &small, 96, &error), &error, "GICV",
		       "GICV only 0x1000");
	small = board;
	small.cpu_mpidr[1] = 0x101;
	assert_refused(config_check(&config, &small, 96, &error), &error, "a CPU that is not there",
		       "names CPU 0x1, which this board does not have");
	small = board;
	small.cpu_count = 1;
	assert_refused(config_check(&config, &small, 96, &error), &error, "CPUs",
		       "2 CPUs, and the board 1");
}

/* Truncated at every 64 bytes, and with spoilt bytes: what is accepted keeps to the bounds. */
static void test_hostile(void **state)
{
	uint32_t random = 3, i, accepted = 0;
	struct guest_config config;
	struct config_error error;
	size_t size;

	(void)state;
	for (size = 0; size < tree_size; size += 64) {
		void *cut = tree_exact(tree, size);

		assert_refused(config_read(cut, (uint32_t)size, &config, &error), &error,
			       "truncated", "the guest's device tree is cut off");
		free(cut);
	}
	for (i = 0; i < 30000; i++) {
		uint8_t *spoilt = tree_exact(tree, tree_size);
		int result;

		tree_spoil(spoilt, tree_size, &random);
		error_fill(&error);
		result = config_read(spoilt, (uint32_t)tree_size, &config, &error);
		result = result == 0 ? config_check(&config, &board, 96, &error) : result;
		if (result != 0) {
			assert_refused(result, &error, "spoilt", "");
		} else {
			assert_in_range(config.device_count, 0, CONFIG_DEVICES_MAX);
			assert_in_range(config.cpu_count, 0, 4);
			assert_int_equal(config.ram_base % 0x200000, 0);
			assert_in_range(config.ram_size, 0, 0x20000000);
			accepted++;
		}
		free(spoilt);
	}
	print_message("%u of %u spoilt trees were accepted\n", accepted, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),           cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_backends),        cmocka_unit_test(test_disk_options),
		cmocka_unit_test(test_refusals),        cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_board_too_small), cmocka_unit_test(test_edges),
		cmocka_unit_test(test_hostile),         cmocka_unit_test(test_flash),
	};

	return cmocka_run_group_tests_name("config", tests, load, unload);
}
