/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a node's registers and interrupts are, and which node is the console. */
#include "suite.h"
#include "tree.h"
#include "hyp/dt.h"

#define WHAT "the tree"

static uint8_t *guest, *board;
static size_t guest_size, board_size;

static int load(void **state)
{
	(void)state;
	guest = tree_load("guest.dtb", &guest_size);
	board = tree_load("board.dtb", &board_size);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	free(guest);
	free(board);
	return 0;
}

static struct dt guest_dt;
static struct config_error last;

static void find(struct dt_at *at, const char *path)
{
	assert_int_equal(dt_open(&guest_dt, guest, guest_size, WHAT, &last), 0);
	if (!dt_find(at, &guest_dt, path, (uint32_t)strlen(path))) {
		fail_msg("%s not found", path);
	}
}

static void test_reg(void **state)
{
	/* clang-format off */
	static const struct {
		const char *path;
		unsigned int index;
		int result;
		uint64_t base, size;
	} row[] = {
		{"/pl011@9000000", 0, 0, 0x09000000, 0x1000},
		{"/pl011@9000000", 1, -2, 0, 0},
		{"/flash@0", 1, 0, 0x04000000, 0x04000000},
		{"/bus/inner/virtio_mmio@2000", 0, 0, 0x0c002000, 0x200},
		{"/bus/i2c/sensor@48", 0, -6, 0, 0},
		{"/pcie", 0, 0, 0x4010000000, 0x10000000},
		{"/pcie/pci@1,0", 0, -6, 0, 0},
		{"/cpus/cpu@1", 0, -6, 0, 0},
		{"/intc@8000000/v2m@8020000", 0, 0, 0x08020000, 0x1000},
		{"/", 0, -2, 0, 0},
	};
	/* clang-format on */
	struct range range;
	struct dt_at at;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		find(&at, row[i].path);
		assert_int_equal(dt_reg(&at, row[i].index, &range), row[i].result);
		if (row[i].result == 0) {
			assert_int_equal(range.base, row[i].base);
			assert_int_equal(range.size, row[i].size);
		}
	}
}

/* What `reg` and `ranges` say after a change, for the transport on the inner bus. */
static void test_bad_reg(void **state)
{
	static const char device[] = "/bus@c000000/inner/virtio_mmio@2000";
	/* clang-format off */
	static const struct {
		const char *what;
		struct change change;
		int result;
	} row[] = {
		{"half an entry", CELLS(device, "reg", 0x2000), -22},
		{"three bytes", BYTES(device, "reg", "abc"), -22},
		{"no bytes", EMPTY(device, "reg"), -2},
		{"outside of ranges", CELLS(device, "reg", 0x11000, 0x200), -6},
		{"out of its range at the end", CELLS(device, "reg", 0x10f00, 0x200), -6},
		{"no cells", CELLS("/bus@c000000/inner", "#address-cells", 0), -22},
		{"five cells", CELLS("/bus@c000000/inner", "#address-cells", 5), -22},
		{"2^31 cells", CELLS("/bus@c000000/inner", "#address-cells", 0x80000000), -22},
		{"two cells that hold four", CELLS("/bus@c000000/inner", "#size-cells", 2), -22},
		{"no size", CELLS("/bus@c000000/inner", "#size-cells", 0), -22},
		{"cells of eight bytes", CELLS("/bus@c000000/inner", "#size-cells", 0, 1), -22},
		{"three cells", CELLS("/bus@c000000/inner", "#address-cells", 3), -6},
		{"no ranges", DROP("/bus@c000000/inner", "ranges"), -6},
		{"no outer ranges", DROP("/bus@c000000", "ranges"), -6},
		{"half a range", CELLS("/bus@c000000", "ranges", 0, 0, 0x0b000000), -22},
		{"a range of no bytes", CELLS("/bus@c000000", "ranges", 0x2000, 0, 0x0c000000, 0), -6},
		{"a range that wraps", CELLS("/bus@c000000", "ranges", 0, 0xffffffff, 0xffffff00, 0x10000), -22},
		{"a reg that wraps", CELLS("/bus@c000000", "ranges", 0, 0xffffffff, 0xffffdf00, 0x10000), -22},
		{"a bus of three cells", CELLS("/bus@c000000", "#address-cells", 3), -6},
	};
	/* clang-format on */
	struct config_error error;
	struct range range;
	struct dt_at at;
	struct dt dt;
	size_t i, size;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		void *tree = tree_changed(guest, &row[i].change, 1, &size);

		assert_int_equal(dt_open(&dt, tree, size, WHAT, &error), 0);
		assert_true(dt_find(&at, &dt, device, sizeof(device) - 1));
		if (dt_reg(&at, 0, &range) != row[i].result) {
			fail_msg("%s: %d", row[i].what, dt_reg(&at, 0, &range));
		}
		free(tree);
	}
}

static void test_interrupt(void **state)
{
	/* clang-format off */
	static const struct {
		const char *what;
		struct change change;
		unsigned int index;
		int result;
		uint32_t intid;
	} row[] = {
		{"as it is", DROP("/pl011@9000000", "clocks"), 0, 0, 33},
		{"the last SPI", CELLS("/pl011@9000000", "interrupts", 0, 987, 4), 0, 0, 1019},
		{"beyond it", CELLS("/pl011@9000000", "interrupts", 0, 988, 4), 0, -22, 0},
		{"the last PPI", CELLS("/pl011@9000000", "interrupts", 1, 15, 4), 0, 0, 31},
		{"beyond that", CELLS("/pl011@9000000", "interrupts", 1, 16, 4), 0, -22, 0},
		{"wraps", CELLS("/pl011@9000000", "interrupts", 0, 0xffffffff, 4), 0, -22, 0},
		{"type 2", CELLS("/pl011@9000000", "interrupts", 2, 1, 4), 0, -22, 0},
		{"two cells", CELLS("/pl011@9000000", "interrupts", 0, 1), 0, -22, 0},
		{"no cells", EMPTY("/pl011@9000000", "interrupts"), 0, -2, 0},
		{"a second", CELLS("/pl011@9000000", "interrupts", 0, 1, 4, 0, 7, 4), 1, 0, 39},
		{"no third", CELLS("/pl011@9000000", "interrupts", 0, 1, 4, 0, 7, 4), 2, -2, 0},
		{"none", DROP("/pl011@9000000", "interrupts"), 0, -2, 0},
		{"elsewhere", CELLS("/pl011@9000000", "interrupt-parent", 99), 0, -6, 0},
		{"to itself", CELLS("/pl011@9000000", "interrupt-parent", 0), 0, -6, 0},
		{"root elsewhere", CELLS("/", "interrupt-parent", 99), 0, -6, 0},
		{"nowhere", DROP("/", "interrupt-parent"), 0, -6, 0},
		{"a broken parent", CELLS("/", "interrupt-parent", 1, 1), 0, -6, 0},
	};
	/* clang-format on */
	struct config_error error;
	struct dt_at at;
	struct dt dt;
	size_t i, size;
	uint32_t intid, gic;

	(void)state;
	find(&at, "/intc");
	gic = dt_phandle(&guest_dt, dt_node(&at));
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		void *tree = tree_changed(guest, &row[i].change, 1, &size);

		assert_int_equal(dt_open(&dt, tree, size, WHAT, &error), 0);
		assert_true(dt_find(&at, &dt, "/pl011", 6));
		intid = 0;
		if (dt_interrupt(&at, row[i].index, gic, &intid) != row[i].result) {
			fail_msg("%s: %d", row[i].what,
				 dt_interrupt(&at, row[i].index, gic, &intid));
		}
		if (row[i].result == 0) {
			assert_int_equal(intid, row[i].intid);
		}
		free(tree);
	}
}

/* Through the map of a bus further up. */
static void test_interrupt_map(void **state)
{
#define UART "/bus@8000000/motherboard-bus@8000000/fpga@300000000/uart@a0000"
#define BUS  "/bus@8000000"
	/* clang-format off */
	static const struct {
		const char *what;
		struct change change[2];
		unsigned int index;
		int result;
		uint32_t intid;
	} row[] = {
		{"as it is", {DROP("/", "model")}, 0, 0, 47},
		{"the second", {DROP("/", "model")}, 1, 0, 58},
		{"no third", {DROP("/", "model")}, 2, -2, 0},
		{"masked", {CELLS(UART, "interrupts", 64 + 7)}, 0, 0, 69},
		{"not in the map", {CELLS(UART, "interrupts", 8)}, 0, -6, 0},
		{"no cells", {EMPTY(UART, "interrupts")}, 0, -2, 0},
		{"three bytes", {BYTES(UART, "interrupts", "abc")}, 0, -22, 0},
		{"without a mask the address counts", {DROP(BUS, "interrupt-map-mask")}, 0, -6, 0},
		{"and is right", {DROP(BUS, "interrupt-map-mask"), CELLS(BUS, "interrupt-map", 0xa0000, 5, 1, 0, 15, 4)}, 0, 0, 47},
		{"half a mask", {CELLS(BUS, "interrupt-map-mask", 0), CELLS(UART, "interrupts", 64 + 7)}, 0, -6, 0},
		{"no such node to have an address", {DROP(UART, "reg"), CELLS(BUS, "interrupt-map-mask", ~0u, 63)}, 0, 0, 47},
		{"leads to a PPI", {CELLS(BUS, "interrupt-map", 0, 5, 1, 1, 9, 4)}, 0, 0, 25},
		{"leads to no INTID", {CELLS(BUS, "interrupt-map", 0, 5, 1, 0, 988, 4)}, 0, -22, 0},
		{"leads elsewhere", {CELLS(BUS, "interrupt-map", 0, 5, 99, 0, 15, 4)}, 0, -6, 0},
		{"leads elsewhere before", {CELLS(BUS, "interrupt-map", 0, 4, 99, 0, 15, 4, 0, 5, 1, 0, 15, 4)}, 0, -6, 0},
		{"is cut off", {CELLS(BUS, "interrupt-map", 0, 5, 1, 0, 15)}, 0, -6, 0},
		{"is cut off behind it", {CELLS(BUS, "interrupt-map", 0, 5, 1, 0, 15, 4, 0)}, 0, 0, 47},
		{"is empty", {EMPTY(BUS, "interrupt-map")}, 0, -6, 0},
		{"a GIC with an address", {CELLS("/interrupt-controller@2c001000", "#address-cells", 1),
					   CELLS(BUS, "interrupt-map", 0, 5, 1, 77, 0, 15, 4)}, 0, 0, 47},
		{"a GIC with five", {CELLS("/interrupt-controller@2c001000", "#address-cells", 5)}, 0, -6, 0},
		{"no cells for it", {DROP(BUS, "#interrupt-cells")}, 0, -22, 0},
		{"none", {CELLS(BUS, "#interrupt-cells", 0)}, 0, -22, 0},
		{"2^30 cells", {CELLS(BUS, "#interrupt-cells", 0x40000001)}, 0, -22, 0},
		{"five address cells", {CELLS(BUS, "#address-cells", 5)}, 0, -22, 0},
		{"the bus is passed by", {CELLS(UART, "interrupt-parent", 1), CELLS(UART, "interrupts", 0, 3, 4)}, 0, 0, 35},
	};
	/* clang-format on */
	struct config_error error;
	struct dt_at at;
	struct dt dt;
	size_t i, size, vexpress_size;
	uint32_t intid;
	uint8_t *vexpress = tree_load("vexpress.dtb", &vexpress_size);

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		void *tree = tree_changed(vexpress, row[i].change, 2, &size);

		assert_int_equal(dt_open(&dt, tree, size, WHAT, &error), 0);
		assert_true(dt_find(&at, &dt, UART, sizeof(UART) - 1));
		intid = 0;
		if (dt_interrupt(&at, row[i].index, 1, &intid) != row[i].result ||
		    (row[i].result == 0 && intid != row[i].intid)) {
			fail_msg("%s: %d, %u", row[i].what,
				 dt_interrupt(&at, row[i].index, 1, &intid), intid);
		}
		free(tree);
	}
	free(vexpress);
}

static void test_stdout(void **state)
{
	/* clang-format off */
	static const struct {
		const char *what, *node; /* NULL: none */
		struct change change;
	} row[] = {
		{"an alias with options", "serial@20000", STRING("/chosen", "stdout-path", "serial0:115200n8")},
		{"an alias", "serial@20000", STRING("/chosen", "stdout-path", "serial0")},
		{"a path", "serial@10000", STRING("/chosen", "stdout-path", "/soc/serial@10000")},
		{"a path with options", "serial@10000", STRING("/chosen", "stdout-path", "/soc/serial@10000:9600")},
		{"an unknown alias", NULL, STRING("/chosen", "stdout-path", "serial1")},
		{"the start of an alias", NULL, STRING("/chosen", "stdout-path", "serial")},
		{"aliases that name each other", NULL, STRING("/chosen", "stdout-path", "loop0")},
		{"an unknown path", NULL, STRING("/chosen", "stdout-path", "/soc/serial@3")},
		{"nothing", NULL, STRING("/chosen", "stdout-path", "")},
		{"only options", NULL, STRING("/chosen", "stdout-path", ":115200")},
		{"no end", NULL, BYTES("/chosen", "stdout-path", "/soc/serial@10000")},
		{"two strings", NULL, STRING("/chosen", "stdout-path", "serial0\0serial0")},
		{"no property", NULL, DROP("/chosen", "stdout-path")},
		{"no chosen", NULL, DROP("/chosen", NULL)},
		{"no aliases", NULL, DROP("/aliases", NULL)},
		{"an alias without end", NULL, BYTES("/aliases", "serial0", "/soc/serial@20000")},
	};
	/* clang-format on */
	struct config_error error;
	struct dt_at at;
	struct dt dt;
	size_t i, size;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		void *tree = tree_changed(board, &row[i].change, 1, &size);

		assert_int_equal(dt_open(&dt, tree, size, WHAT, &error), 0);
		if (dt_stdout(&at, &dt) != (row[i].node != NULL)) {
			fail_msg("%s", row[i].what);
		}
		if (row[i].node != NULL) {
			assert_string_equal(dt_name(&dt, dt_node(&at)), row[i].node);
		}
		free(tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reg),       cmocka_unit_test(test_bad_reg),
		cmocka_unit_test(test_interrupt), cmocka_unit_test(test_interrupt_map),
		cmocka_unit_test(test_stdout),
	};

	return cmocka_run_group_tests_name("dtmap", tests, load, unload);
}
