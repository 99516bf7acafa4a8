/* SPDX-License-Identifier: BSD-2-Clause */
/* What of the board a guest gets (hyp/passthrough.c), and its nodes in the guest's tree (graft.c).
 */
#include "suite.h"
#include <errno.h>
#include "tree.h"
#include "hyp/guestdt.h"

#define GIC "/soc/interrupt-controller@100000"

static uint8_t *board_tree, *guest_tree;
static size_t board_size, guest_size;
static struct passthrough passed;
static struct config_error error;
static uint64_t target[TREE_ROOM / 8];

static int load(void **state)
{
	(void)state;
	board_tree = tree_load("passboard.dtb", &board_size);
	guest_tree = tree_load("passguest.dtb", &guest_size);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	free(board_tree);
	free(guest_tree);
	return 0;
}

/* A list of nodes, and up to two changes to each tree. */
struct attempt {
	const char *list;
	uint32_t size;
	struct change board[2], guest[2];
	const char *sentence; /* part of the refusal */
};

#define LIST(strings) .list = (strings), .size = sizeof(strings)

/* Both trees of the last attempt live as long as what was read from them. */
static uint8_t *changed_board, *changed_guest;

static void forget(void)
{
	free(changed_board);
	free(changed_guest);
	changed_board = changed_guest = NULL;
}

static int resolve(const struct attempt *attempt)
{
	struct change list[3] = {
		{"/", "bivy,passthrough", CHANGE_BYTES, attempt->list, (int)attempt->size, {0}},
		attempt->guest[0],
		attempt->guest[1]};
	struct guest_config config;
	struct board board;
	size_t size;

	forget();
	error_fill(&error);
	changed_board = tree_changed(board_tree, attempt->board, 2, &board_size);
	changed_guest = tree_changed(guest_tree, list, 3, &size);
	assert_int_equal(board_read(changed_board, (uint32_t)board_size, &board, &error), 0);
	assert_int_equal(config_read(changed_guest, (uint32_t)size, &config, &error), 0);
	return passthrough_resolve(&passed, changed_board, (uint32_t)board_size, &config, &board,
				   128, &error);
}

static int graft(void)
{
	const struct guestdt_facts facts = {
		.ram_base = 0x40000000, .ram_size = 0x10000000, .cpu_count = 1, .passed = &passed};
	uint32_t size;

	return guestdt_complete(changed_guest, target, sizeof(target), &facts, &size, &error);
}

static void pass(const struct attempt *attempt)
{
	if (resolve(attempt) != 0 || graft() != 0) {
		fail_msg("%s: %s: %s", error.node, error.property, error.text);
	}
}

static bool covers(uint64_t base, uint64_t size)
{
	for (unsigned int i = 0; i < passed.range_count; i++) {
		if (passed.range[i].base == base && passed.range[i].size == size) {
			return true;
		}
	}
	return false;
}

static bool owns(uint32_t spi)
{
	return (passed.spi[(32 + spi) / 32] >> spi % 32 & 1) != 0;
}

static void assert_cells(const char *path, const char *name, unsigned int count,
			 const uint32_t *cells)
{
	int length = 0, node = fdt_path_offset(target, path);
	const fdt32_t *value = fdt_getprop(target, node, name, &length);

	if (node < 0 || value == NULL || length != (int)(4 * count)) {
		fail_msg("%s (%d) %s: %d", path, node, name, length);
	}
	for (unsigned int i = 0; i < count; i++) {
		if (fdt32_ld(value + i) != cells[i]) {
			fail_msg("%s %s: cell %u is %#x", path, name, i, fdt32_ld(value + i));
		}
	}
}

#define ASSERT_CELLS(path, name, ...)                                                              \
	assert_cells(path, name, sizeof((const uint32_t[]){__VA_ARGS__}) / 4,                      \
		     (const uint32_t[]){__VA_ARGS__})

static uint32_t board_phandle(const char *path)
{
	return fdt_get_phandle(board_tree, fdt_path_offset(board_tree, path));
}

static bool has(const char *path, const char *name)
{
	const int node = fdt_path_offset(target, path);

	assert_true(node >= 0);
	return fdt_getprop(target, node, name, NULL) != NULL;
}

static void test_registers_and_interrupts(void **state)
{
	(void)state;
	pass(&(struct attempt){LIST("/soc/dev@4100\0gpio0")});
	assert_int_equal(passed.range_count, 3);
	assert_true(covers(0x1c003000, 0x1000));
	assert_true(covers(0x1c004000, 0x2000)); /* two that share a page are one */
	assert_true(covers(0x1c008000, 0x1000));
	assert_true(owns(20) && owns(63) && owns(30) && owns(7));
	for (unsigned int word = 0, count = 0; word < PASSTHROUGH_SPI_WORDS; word++) {
		count += (unsigned int)__builtin_popcount(passed.spi[word]);
		assert_true(count <= 4);
	}
	assert_true(passed.masters);
	assert_int_equal(passed.listed, 2);
	assert_int_equal(passed.node_count, 4); /* a clock and a regulator came along */
}

static void test_graft(void **state)
{
	const uint32_t clk = board_phandle("/clock"), gpio = board_phandle("/soc/gpio@3000");

	(void)state;
	pass(&(struct attempt){LIST("/soc/dev@4100\0gpio0")});
	ASSERT_CELLS("/dev@4100", "reg", 0, 0x1c005100, 0, 0x100, 0, 0x1c004f00, 0, 0x200, 0,
		     0x1c008000, 0, 0x10);
	ASSERT_CELLS("/dev@4100", "interrupt-parent", board_phandle(GIC));
	ASSERT_CELLS("/dev@4100", "interrupts", 0, 20, 4, 0, 63, 1);
	ASSERT_CELLS("/dev@4100", "clocks", clk, 0, clk);
	ASSERT_CELLS("/dev@4100", "interrupts-extended", board_phandle(GIC), 0, 30, 4, gpio, 1, 2);
	ASSERT_CELLS("/dev@4100", "vdd-supply", board_phandle("/regulator"));
	ASSERT_CELLS("/passed-regulator", "gpio", gpio, 5, 0);
	ASSERT_CELLS("/passed-clock", "phandle", clk);
	ASSERT_CELLS("/clock", "clock-frequency", 1);
	ASSERT_CELLS("/gpio@3000", "phandle", gpio);
	assert_true(has("/dev@4100/port", "vendor,text"));
	assert_true(has("/dev@4100", "dma-coherent"));           /* its bus's */
	assert_true(has("/passed-clock", "clock-output-names")); /* some drivers look for it */
	assert_true(fdt_path_offset(target, "/dev@4100/spare") < 0);
}

/* The board's nodes may refer to each other by any property, so that it's the guest's own phandles
 * that change. */
static void test_own_phandles(void **state)
{
	const uint32_t shift = fdt_get_max_phandle(board_tree);

	(void)state;
	pass(&(struct attempt){LIST("gpio0"),
			       .guest = {CELLS("/timer", "clocks", 0x78, 0, 0x77),
					 CELLS("/timer", "interrupt-map", 1, 0x77, 0, 3, 4)},
			       .board = {CELLS("/soc/gpio@3000", "vendor,refers", 1, 0x77)}});
	ASSERT_CELLS("/gpio@3000", "vendor,refers", 1, 0x77);
	ASSERT_CELLS("/intc@8000000", "phandle", board_phandle(GIC));
	ASSERT_CELLS("/virtio@1c009000", "interrupt-parent", board_phandle(GIC));
	ASSERT_CELLS("/timer", "clocks", 0x78 + shift, 0, board_phandle(GIC));
}

static void test_identical_bus_addresses(void **state)
{
	(void)state;
	pass(&(struct attempt){
		LIST("/soc/i2c@e000"),
		.board = {CELLS("/soc", "dma-ranges", 0x80000000, 0, 0x80000000, 0x80000000)}});
	assert_true(passed.masters);
}

static unsigned int count_nodes(const void *tree)
{
	unsigned int count = 0;

	for (int node = 0; node >= 0; node = fdt_next_node(tree, node, NULL)) {
		count++;
	}
	return count;
}

/* The node, its clock, and nothing that follows it in the board's tree. */
static void test_no_more_than_asked_for(void **state)
{
	unsigned int count;

	(void)state;
	pass(&(struct attempt){LIST("gpio0")});
	count = count_nodes(target);
	assert_true(fdt_path_offset(target, "/dev@4100") < 0);
	pass(&(struct attempt){LIST("gpio0\0/soc/bus@d000")});
	assert_int_equal(count_nodes(target), count + 2); /* with the device on it */
	assert_true(fdt_path_offset(target, "/i2c@e000") < 0);
}

static void test_nodes_without_registers(void **state)
{
	(void)state;
	pass(&(struct attempt){LIST("/keys\0gpio0")});
	assert_false(passed.masters);
	ASSERT_CELLS("/keys/power", "gpios", board_phandle("/soc/gpio@3000"), 3, 0);
}

static void test_pci_host(void **state)
{
	(void)state;
	pass(&(struct attempt){LIST("/pcie@30000000")});
	assert_true(covers(0x4010000000, 0x10000000));
	assert_true(covers(0x30000000, 0x1000000));
	assert_true(covers(0x3eff0000, 0x10000));
	assert_true(owns(50) && owns(51));
	/* the guest's controller has no address cells, the board's has one */
	ASSERT_CELLS("/pcie@30000000", "interrupt-map", 0, 0, 0, 1, board_phandle(GIC), 0, 50, 4, 0,
		     0, 0, 2, board_phandle(GIC), 0, 51, 4);
	ASSERT_CELLS("/pcie@30000000", "ranges", 0x01000000, 0, 0, 0, 0x3eff0000, 0, 0x10000,
		     0x02000000, 0, 0x30000000, 0, 0x30000000, 0, 0x1000000);
	ASSERT_CELLS("/pcie@30000000", "dma-ranges", 0x02000000, 0, 0, 0, 0, 1, 0);
	assert_false(has("/pcie@30000000", "msi-map"));
}

/* Unit addresses of the guest's controller stand in the map, as zeros. */
static void test_pci_host_of_an_addressed_controller(void **state)
{
	(void)state;
	pass(&(struct attempt){LIST("/pcie@30000000"),
			       .guest = {CELLS("/intc@8000000", "#address-cells", 1)}});
	ASSERT_CELLS("/pcie@30000000", "interrupt-map", 0, 0, 0, 1, board_phandle(GIC), 0, 0, 50, 4,
		     0, 0, 0, 2, board_phandle(GIC), 0, 0, 51, 4);
}

static void test_bus(void **state)
{
	(void)state;
	pass(&(struct attempt){LIST("/soc/bus@d000")});
	assert_int_equal(passed.range_count, 1);
	assert_true(covers(0x1c00d000, 0x1000));
	assert_true(owns(40));
	assert_false(passed.masters);
	ASSERT_CELLS("/bus@d000", "ranges", 0x10, 0, 0x1c00d000, 0x1000);
	ASSERT_CELLS("/bus@d000/dev@10", "reg", 0x10, 0x20);
}

/* What bivy has itself is left out of a bus, and what is below it. */
static void test_left_out(void **state)
{
	(void)state;
	pass(&(struct attempt){LIST("/soc/bus@d000"),
			       .board = {CELLS("/soc/serial@2000", "reg", 0xd800, 0x100),
					 CELLS("/soc/bus@d000/dev@10", "reg", 0x810, 0x20)}});
	assert_int_equal(passed.left_count, 1);
	assert_int_equal(passed.range_count, 0);
	assert_false(owns(40));
	assert_true(fdt_path_offset(target, "/bus@d000") >= 0);
	assert_true(fdt_path_offset(target, "/bus@d000/dev@10") < 0);
}

/* Controllers before the GIC hand SPIs on; a crossbar makes SPIs of its inputs, as the guest says.
 */
static void test_controllers(void **state)
{
	(void)state;
	pass(&(struct attempt){LIST("/wakeup\0/soc/asleep@10000")});
	assert_true(owns(33) && !owns(32));
	ASSERT_CELLS("/asleep@10000", "interrupt-parent", board_phandle("/wakeup"));
	pass(&(struct attempt){LIST("/wakeup\0/crossbar\0/soc/crossed@11000")});
	assert_true(owns(0) && owns(79) && owns(40) && !owns(80));
	assert_false(owns(6) || owns(16)); /* bivy's UART, and the guest's virtio device */
	assert_refused(resolve(&(struct attempt){LIST("/soc/asleep@10000")}), &error, "asleep",
		       "it needs /wakeup");
	/* one that leads to itself */
	pass(&(struct attempt){
		LIST("/wakeup\0/soc/asleep@10000"),
		.board = {CELLS("/wakeup", "interrupt-parent", board_phandle("/wakeup"))}});
	assert_false(owns(33));
}

static void test_nothing_to_pass(void **state)
{
	static const struct attempt nothing = {.guest = {DROP("/", "bivy,passthrough")}};

	(void)state;
	assert_int_equal(resolve(&nothing), 0);
	assert_int_equal(passed.node_count, 0);
}

static void test_guest_of_one_cell(void **state)
{
	static const struct change one[] = {
		CELLS("/", "#address-cells", 1), CELLS("/", "#size-cells", 1),
		CELLS("/memory@40000000", "reg", 0x40000000, 0x10000000),
		CELLS("/intc@8000000", "reg", 0x08000000, 0x1000, 0x08010000, 0x2000),
		CELLS("/virtio@1c009000", "reg", 0x1c009000, 0x200)};
	size_t size;
	uint8_t *before = guest_tree;

	(void)state;
	guest_tree = tree_changed(before, one, 5, &size);
	pass(&(struct attempt){LIST("gpio0")});
	ASSERT_CELLS("/gpio@3000", "reg", 0x1c003000, 0x1000);
	assert_int_equal(resolve(&(struct attempt){LIST("/pcie@30000000")}), 0);
	assert_refused(graft(), &error, "one cell", "#address-cells and #size-cells of 2");
	free(guest_tree);
	guest_tree = before;
}

static void test_refusals(void **state)
{
	static const struct attempt attempts[] = {
		{LIST("/soc/none"), .sentence = "no node or alias /soc/none"},
		{LIST("none0"), .sentence = "no node or alias none0"},
		{LIST("/"), .sentence = "no node or alias /"},
		{LIST("gpio0\0/soc/gpio@3000"), .sentence = "has it twice"},
		{LIST("/soc/bus@d000/dev@10\0/soc/bus@d000"), .sentence = "has it twice"},
		{LIST("/soc/off@b000"), .sentence = "switched off"},
		{LIST("/soc/needy@a000"), .sentence = "it needs /clock-controller@1d000000"},
		{LIST("/keys"), .sentence = "it needs /soc/gpio@3000"},
		{LIST("/soc/dev@4100"), .sentence = "it needs /soc/gpio@3000"},
		{LIST("/soc/ppi@c000"), .sentence = "no SPI of this board"},
		{LIST("/soc/serial@2000"), .sentence = "bivy's UART"},
		{LIST("/soc/serial2@2800"), .sentence = "bivy's UART"},
		{LIST("/soc/interrupt-controller@100000"), .sentence = "with GICD"},
		{LIST("/memory@40000000"), .sentence = "the board's RAM"},
		{LIST("/soc/i2c@e000/eeprom@50"), .sentence = "on a bus of their own"},
		{LIST("/soc/flat@f000"), .sentence = "name the nodes below"},
		{LIST("gpio0"), .board = {CELLS("/soc/gpio@3000", "reg", 0x9800, 0x100)},
		 .sentence = "page with /virtio@1c009000"},
		{LIST("gpio0"), .board = {CELLS("/soc/gpio@3000", "interrupts", 0, 16, 4)},
		 .sentence = "its SPI 16 is that of /virtio@1c009000"},
		{LIST("gpio0"), .board = {CELLS("/soc/gpio@3000", "interrupts", 0, 6, 4)},
		 .sentence = "its SPI 6 is that of bivy's UART"},
		{LIST("gpio0"), .board = {CELLS("/soc/gpio@3000", "interrupts", 0, 96, 4)},
		 .sentence = "no SPI of this board"},
		{LIST("gpio0"), .board = {CELLS("/soc/gpio@3000", "interrupts", 0, 0xffffffff, 4)},
		 .sentence = "no SPI of this board"},
		{LIST("gpio0"), .board = {CELLS("/soc/gpio@3000", "clocks", 0x1234)},
		 .sentence = "phandle 0x1234, which no node has"},
		{LIST("gpio0"), .board = {CELLS("/soc/gpio@3000", "reg", 0xfffffff0, 0x100)},
		 .sentence = "on a bus of their own"},
		{LIST("/pcie@30000000"),
		 .board = {CELLS("/pcie@30000000", "reg", 0xff, 0xffff0000, 0, 0x20000)},
		 .sentence = "beyond 1 TiB"},
		{LIST("/pcie@30000000"), .board = {CELLS("/pcie@30000000", "ranges", 1, 2, 3)},
		 .sentence = "can't be read"},
		{LIST("/wakeup"),
		 .board = {CELLS("/wakeup", "#address-cells", 5),
			   CELLS("/wakeup", "dma-ranges", 0, 0, 0, 0)},
		 .sentence = "can't be read"},
		{LIST("/pcie@30000000"),
		 .board = {CELLS("/pcie@30000000", "interrupt-map", 0, 0, 0, 1)},
		 .sentence = "can't be read"},
		{LIST("/pcie@30000000"),
		 .board = {CELLS("/pcie@30000000", "ranges", 0x02000000, 0, 0x40000000, 0,
				 0x40000000, 0, 0x1000000)},
		 .sentence = "the board's RAM"},
		{LIST("/soc/i2c@e000"),
		 .board = {CELLS("/soc", "dma-ranges", 0, 0, 0x80000000, 0x1000000)},
		 .sentence = "other addresses for RAM"},
		{LIST("/soc/i2c@e000"),
		 .board = {CELLS("/soc", "dma-ranges", 0x80000000, 0, 0x80000000, 0x1000000, 0)},
		 .sentence = "other addresses for RAM"},
		{LIST("/soc/i2c@e000"), .guest = {STRING("/", "bivy,reset", "restart")},
		 .sentence = "make it \"board\""},
		{LIST("gpio0"),
		 .board = {STRING("/soc/gpio@3000", "compatible", "arm,vexpress-sysreg")},
		 .sentence = "the board's power control"},
		{LIST("gpio0"), .board = {STRING("/soc/gpio@3000", "compatible", "arm,pl031")},
		 .guest = {STRING("/virtio@1c009000", "compatible", "arm,pl031"),
			   CELLS("/virtio@1c009000", "reg", 0, 0x1c009000, 0, 0x1000)},
		 .sentence = "the clock of the guest's arm,pl031"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		assert_refused(resolve(&attempts[i]), &error, attempts[i].list,
			       attempts[i].sentence);
	}
}

/* More clocks, or more pages of registers, than there is room for; as many as that are passed. */
static void test_room(void **state)
{
	uint8_t *const before = board_tree, *const room = malloc(TREE_ROOM);
	fdt32_t clocks[PASSTHROUGH_NODES_MAX], reg[2 * PASSTHROUGH_RANGES_MAX + 2];
	const struct attempt attempt = {LIST("gpio0")};
	char name[16];
	int node, length;

	(void)state;
	assert_int_equal(fdt_open_into(before, room, TREE_ROOM), 0);
	board_tree = room;
	for (uint32_t i = 0; i < PASSTHROUGH_NODES_MAX; i++) {
		snprintf(name, sizeof(name), "clock%u", i);
		node = fdt_add_subnode(room, 0, name);
		assert_int_equal(fdt_setprop_string(room, node, "compatible", "fixed-clock"), 0);
		assert_int_equal(fdt_setprop_u32(room, node, "#clock-cells", 0), 0);
		assert_int_equal(fdt_setprop_u32(room, node, "phandle", 0x100 + i), 0);
		clocks[i] = cpu_to_fdt32(0x100 + i);
	}
	for (length = (int)sizeof(clocks) - 4; length <= (int)sizeof(clocks); length += 4) {
		node = fdt_path_offset(room, "/soc/gpio@3000");
		assert_int_equal(fdt_setprop(room, node, "clocks", clocks, length), 0);
		assert_int_equal(resolve(&attempt), length < (int)sizeof(clocks) ? 0 : -EINVAL);
	}
	assert_refused(-1, &error, "clocks", "one node more than bivy has room for");
	assert_int_equal(fdt_delprop(room, node, "clocks"), 0);
	for (uint32_t i = 0; i <= PASSTHROUGH_RANGES_MAX; i++) {
		reg[2 * i] = cpu_to_fdt32(0x200000 + 0x2000 * i);
		reg[2 * i + 1] = cpu_to_fdt32(0x1000);
	}
	for (length = (int)sizeof(reg) - 8; length <= (int)sizeof(reg); length += 8) {
		node = fdt_path_offset(room, "/soc/gpio@3000");
		assert_int_equal(fdt_setprop(room, node, "reg", reg, length), 0);
		assert_int_equal(resolve(&attempt), length < (int)sizeof(reg) ? 0 : -EINVAL);
	}
	assert_refused(-1, &error, "reg", "more ranges of registers than bivy has room for");
	board_tree = before;
	free(room);
}

/* A clock of the board's that bivy does not read; a range of no bytes; cells of a fixed number. */
static void test_odd_but_passed(void **state)
{
	const uint32_t gpio = board_phandle("/soc/gpio@3000");
	const uint32_t gic = board_phandle("/soc/interrupt-controller@100000");
	const struct attempt attempts[] = {
		{LIST("gpio0"),
		 .board = {CELLS("/soc/gpio@3000", "interrupts-extended", gic, 0, 31, 4)}},
		{LIST("gpio0"), .board = {STRING("/soc/gpio@3000", "compatible", "arm,pl031")}},
		{LIST("gpio0"),
		 .board = {CELLS("/soc/gpio@3000", "reg", 0x3000, 0, 0x3000, 0x1000)}},
		{LIST("gpio0"), .board = {CELLS("/soc/gpio@3000", "gpio-ranges", gpio, gpio, 1, 8),
					  CELLS("/soc/gpio@3000", "syscon", gpio, gpio)}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		pass(&attempts[i]);
		assert_int_equal(passed.range_count, 1);
		assert_true(covers(0x1c003000, 0x1000));
		assert_int_equal(owns(31), i == 0);
	}
	ASSERT_CELLS("/gpio@3000", "gpio-ranges", gpio, gpio, 1, 8);
	ASSERT_CELLS("/gpio@3000", "syscon", gpio, gpio);
}

/* An entry of a PCI host's interrupt map that ends before its last cell. */
static void test_map_cut_off(void **state)
{
	const uint32_t gic = board_phandle("/soc/interrupt-controller@100000");
	const struct attempt attempt = {
		LIST("/pcie@30000000"),
		.board = {CELLS("/pcie@30000000", "interrupt-map", 0, 0, 0, 1, gic, 0, 0, 50)}};

	(void)state;
	assert_refused(resolve(&attempt), &error, "interrupt-map", "can't be read");
}

/* A number of address cells whose bytes, in all entries of a map, come to none in 32 bits. */
static void test_absurd_address_cells(void **state)
{
	(void)state;
	pass(&(struct attempt){LIST("/pcie@30000000"),
			       .guest = {CELLS("/intc@8000000", "#address-cells", 0x20000000)}});
	ASSERT_CELLS("/pcie@30000000", "interrupt-map", 0, 0, 0, 1, board_phandle(GIC), 0, 50, 4, 0,
		     0, 0, 2, board_phandle(GIC), 0, 51, 4);
}

/* A root that says it is what the node refers to. */
static void test_root_as_clock(void **state)
{
	const struct attempt attempt = {LIST("gpio0"),
					.board = {CELLS("/", "phandle", board_phandle("/clock")),
						  STRING("/", "compatible", "fixed-clock")}};

	(void)state;
	assert_refused(resolve(&attempt), &error, "root", "it needs /, which");
}

/* A node with a second property of one name, which no look-up finds and every copy takes along. */
static void test_twice(void **state)
{
	static const char *const names[] = {"ranges", "dma-ranges", "interrupt-map"};
	uint8_t *const before = board_tree;
	const size_t size = board_size;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		char other[16] = "X", *found;
		const struct change changes[] = {BYTES("/wakeup", other, "beyond"),
						 EMPTY("/wakeup", names[i])};

		strcpy(other + 1, names[i] + 1);
		board_tree = tree_changed(before, changes, 2, &board_size);
		found = memmem(board_tree, board_size, other, strlen(other));
		*found = names[i][0];
		assert_refused(resolve(&(struct attempt){LIST("/wakeup")}), &error, names[i],
			       "can't be read");
		free(board_tree);
	}
	board_tree = before;
	board_size = size;
}

static void test_refused_grafts(void **state)
{
	static const struct attempt attempts[] = {
		{LIST("gpio0"), .guest = {ADD("/gpio@3000")}, .sentence = "a node of this name"},
		{LIST("gpio0\0/soc/bus@d000/gpio@3000"), .board = {ADD("/soc/bus@d000/gpio@3000")},
		 .sentence = "two of these nodes have the name gpio@3000"},
		{LIST("gpio0"), .guest = {CELLS("/clock", "phandle", 0xfffffffd)},
		 .sentence = "phandles"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		if (resolve(&attempts[i]) != 0) {
			fail_msg("%s", error.text);
		}
		assert_refused(graft(), &error, attempts[i].list, attempts[i].sentence);
	}
}

#define SEVENTEEN                                                                                  \
	"1\0002\0003\0004\0005\0006\0007\0008\0009\00010\00011\00012\00013\00014\00015\00016\0001" \
	"7\0"

/* The list itself, as config_read() takes it. */
static void test_lists(void **state)
{
	static const struct change changes[] = {
		BYTES("/", "bivy,passthrough", "/soc"),
		EMPTY("/", "bivy,passthrough"),
		BYTES("/", "bivy,passthrough", SEVENTEEN),
		STRING("/timer", "bivy,passthrough", "/soc"),
	};
	static const char *const sentences[] = {"list of strings", "list of strings", "at most 16",
						"no such property here"};
	struct guest_config config;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		size_t size;
		uint8_t *tree = tree_changed(guest_tree, &changes[i], 1, &size);

		error_fill(&error);
		assert_refused(config_read(tree, (uint32_t)size, &config, &error), &error,
			       sentences[i], sentences[i]);
		free(tree);
	}
}

/* A board's tree with words spoilt: refused or passed, never read beyond its end. */
static void test_spoilt(void **state)
{
	static const struct attempt all = {
		LIST("/soc/dev@4100\0gpio0\0/pcie@30000000\0/soc/bus@d000\0/keys")};
	const size_t whole = board_size;
	uint8_t *before = board_tree;
	struct guest_config config;
	uint32_t random = 1;
	unsigned int accepted = 0;
	struct board board;

	(void)state;
	pass(&all);
	assert_int_equal(config_read(changed_guest, fdt_totalsize(changed_guest), &config, &error),
			 0);
	assert_int_equal(board_read(before, (uint32_t)fdt_totalsize(before), &board, &error), 0);
	for (unsigned int i = 0; i < 4000; i++) {
		uint8_t *spoilt = tree_exact(before, fdt_totalsize(before));

		tree_spoil(spoilt, fdt_totalsize(before), &random);
		if (passthrough_resolve(&passed, spoilt, fdt_totalsize(before), &config, &board,
					128, &error) == 0 &&
		    graft() == 0) {
			accepted++;
		}
		free(spoilt);
	}
	board_size = whole;
	assert_in_range(accepted, 100, 3900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers_and_interrupts),
		cmocka_unit_test(test_graft),
		cmocka_unit_test(test_identical_bus_addresses),
		cmocka_unit_test(test_nodes_without_registers),
		cmocka_unit_test(test_pci_host),
		cmocka_unit_test(test_bus),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_controllers),
		cmocka_unit_test(test_own_phandles),
		cmocka_unit_test(test_nothing_to_pass),
		cmocka_unit_test(test_guest_of_one_cell),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_refused_grafts),
		cmocka_unit_test(test_no_more_than_asked_for),
		cmocka_unit_test(test_pci_host_of_an_addressed_controller),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_odd_but_passed),
		cmocka_unit_test(test_map_cut_off),
		cmocka_unit_test(test_absurd_address_cells),
		cmocka_unit_test(test_root_as_clock),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_spoilt),
	};

	return cmocka_run_group_tests_name("passthrough", tests, load, unload);
}
