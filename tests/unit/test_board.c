/* SPDX-License-Identifier: BSD-2-Clause */
/* What board_read() finds in a board's tree, and what it says of a board that it can't use. */
#include <sys/mman.h>
#include "suite.h"
#include "tree.h"
#include "hyp/dt.h"

static uint8_t *tree;
static size_t tree_size;

static int load(void **state)
{
	(void)state;
	tree = tree_load("board.dtb", &tree_size);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	free(tree);
	return 0;
}

/* board_read() of the tree with changes; asserts that it is accepted. */
static void read_changed(const struct change *change, unsigned int count, struct board *board)
{
	struct config_error error;
	size_t size;
	void *changed = tree_changed(tree, change, count, &size);

	if (board_read(changed, (uint32_t)size, board, &error) != 0) {
		fail_msg("%s: %s: %s", error.node, error.property, error.text);
	}
	free(changed);
}

static void test_facts(void **state)
{
	struct config_error error;
	struct board board;

	(void)state;
	assert_int_equal(board_read(tree, (uint32_t)tree_size, &board, &error), 0);
	assert_string_equal(board.model, "Board of the unit tests");
	assert_int_equal(board.uart_base, 0x1c020000);
	assert_int_equal(board.uart_size, 0x400);
	assert_int_equal(board.uart_intid, 38);
	assert_int_equal(board.uart_kind, UART_NS16550);
	assert_int_equal(board.uart_shift, 2);
	assert_true(board.uart_words);
	assert_int_equal(board.gicd.base, 0x1c001000);
	assert_int_equal(board.gicc.base, 0x1c002000);
	assert_int_equal(board.gich.base, 0x1c004000);
	assert_int_equal(board.gicv.base, 0x1c006000);
	assert_int_equal(board.gicv.size, 0x2000);
	assert_int_equal(board.maintenance_intid, 24);
	assert_int_equal(board.physical_timer_intid, 30);
	assert_int_equal(board.virtual_timer_intid, 27);
	assert_int_equal(board.bundle.base, 0x48000000);
	assert_int_equal(board.bundle.size, 0x00800000);
	assert_true(board.psci);
	assert_int_equal(board.psci_cpu_on, 0x95c1ba5e);
	assert_int_equal(board.cpu_count, 2); /* one sleeps and PSCI can wake it, two are out */
	assert_int_equal(board.cpu_mpidr[0], 0x100);
	assert_int_equal(board.cpu_mpidr[1], 0x101);
	assert_int_equal(board.cpu_kind[0], board.cpu_kind[1]);
	/* two neighbours, less the first and last megabyte, less all below the firmware's */
	assert_int_equal(board.ram.base, 0x50100000);
	assert_int_equal(board.ram.size, 0x6fe00000);
}

static void test_devices(void **state)
{
	static const struct board_device expected[] = {
		{0x1c020e00, 55, BOARD_VIRTIO},   {0x1c030000, 53, BOARD_VIRTIO},
		{0x1c030c00, 56, BOARD_VIRTIO},   {0x1c030e00, 52, BOARD_VIRTIO},
		{0x1c040000, 0, BOARD_CLOCK},     {0x1c050000, 41, BOARD_SD},
		{0x1c060000, 47, BOARD_ETHERNET},
	};
	struct config_error error;
	struct board board;
	unsigned int i;

	(void)state;
	assert_int_equal(board_read(tree, (uint32_t)tree_size, &board, &error), 0);
	assert_int_equal(board.device_count, sizeof(expected) / sizeof(expected[0]));
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_int_equal(board.device[i].base, expected[i].base);
		assert_int_equal(board.device[i].intid, expected[i].intid);
		assert_int_equal(board.device[i].kind, expected[i].kind);
	}
	/* A wire that a GIC does not understand. */
	read_changed((const struct change[]){DROP("/soc/ethernet@60000", "smsc,irq-active-high")},
		     1, &board);
	assert_int_equal(board.device_count, i - 1);
}

/* How the stdout's node says what is behind it, and where the registers are. */
static void test_uarts(void **state)
{
#define UART "/soc/serial@20000"
	static const struct {
		struct change change[3];
		uint8_t kind, shift, words;
	} rows[] = {
		{{STRING(UART, "compatible", "samsung,exynos4210-uart")}, UART_EXYNOS, 2, true},
		{{STRING(UART, "compatible", "nvidia,tegra124-uart\0nvidia,tegra20-uart"),
		  DROP(UART, "reg-shift"), DROP(UART, "reg-io-width")},
		 UART_NS16550,
		 2,
		 false},
		{{STRING(UART, "compatible", "ti,dra742-uart"), DROP(UART, "reg-shift"),
		  CELLS(UART, "reg-io-width", 1)},
		 UART_NS16550,
		 2,
		 false},
		{{STRING(UART, "compatible", "ns16550a"), DROP(UART, "reg-shift"),
		  CELLS(UART, "reg", 0x20f80, 0x10)},
		 UART_NS16550,
		 0,
		 true},
		{{CELLS(UART, "reg-shift", 3)}, UART_UNKNOWN, 0, false},
		{{CELLS(UART, "reg", 0x20f84, 0x10)}, UART_UNKNOWN, 0, false},
		{{STRING(UART, "compatible", "ns16550a ")}, UART_UNKNOWN, 0, false},
		{{DROP(UART, "compatible")}, UART_UNKNOWN, 0, false},
	};
	struct board board;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_changed(rows[i].change, 3, &board);
		assert_in_range(board.uart_base, 0x1c020000, 0x1c020fff); /* not the guest's */
		assert_int_equal(board.uart_kind, rows[i].kind);
		assert_int_equal(board.uart_shift, rows[i].shift);
		assert_int_equal(board.uart_words, rows[i].words);
	}
}

/* Which cores are of one kind. */
static void test_cpu_kinds(void **state)
{
	struct board board;

	(void)state;
	read_changed(
		(const struct change[]){STRING("/cpus/cpu@101", "compatible", "arm,cortex-a15")}, 1,
		&board);
	assert_int_not_equal(board.cpu_kind[0], board.cpu_kind[1]);
	read_changed((const struct change[]){DROP("/cpus/cpu@101", "compatible")}, 1, &board);
	assert_int_not_equal(board.cpu_kind[0], board.cpu_kind[1]);
}

/* Where U-Boot holds an Exynos 5250's cores; with PSCI, and on another SoC, nowhere. */
static void test_pen(void **state)
{
	const struct change change[] = {
		STRING("/", "compatible", "insignal,arndale\0samsung,exynos5250"),
		ADD("/soc/ram@22000"),
		STRING("/soc/ram@22000", "compatible", "samsung,exynos4210-sysram"),
		CELLS("/soc/ram@22000", "reg", 0x22000, 0x1000),
		DROP("/psci", "method"),
		STRING("/", "compatible", "samsung,exynos5422"),
	};
	struct board board;

	(void)state;
	read_changed(change, 4, &board);
	assert_int_equal(board.cpu_release[0], 0);
	read_changed(change, 5, &board);
	assert_false(board.psci);
	for (unsigned int i = 0; i < board.cpu_count; i++) {
		assert_int_equal(board.cpu_release[i], 0x1c022000);
	}
	read_changed(change, 6, &board);
	assert_int_equal(board.cpu_release[0], 0);
}

static void test_variants(void **state)
{
	struct board board;

	(void)state;
	read_changed((const struct change[]){DROP("/", "model")}, 1, &board);
	assert_string_equal(board.model, "a board without a name");
	read_changed((const struct change[]){STRING("/", "model", "a\x1b[31m\n")}, 1, &board);
	assert_string_equal(board.model, "a?[31m?");
	read_changed((const struct change[]){DROP("/chosen", "stdout-path")}, 1, &board);
	assert_int_equal(board.uart_base, 0x1c020000);
	read_changed((const struct change[]){DROP("/chosen", "stdout-path"),
					     DROP("/aliases", "serial0")},
		     2, &board);
	assert_int_equal(board.uart_base, 0x1c010000);
	assert_int_equal(board.uart_kind, UART_PL011);
	read_changed((const struct change[]){STRING("/chosen", "stdout-path", "serial7")}, 1,
		     &board);
	assert_int_equal(board.uart_base, 0x1c020000);
	read_changed((const struct change[]){DROP("/soc/serial@20000", "interrupts")}, 1, &board);
	assert_int_equal(board.uart_base, 0x1c020000);
	assert_int_equal(board.uart_intid, 0);
	read_changed((const struct change[]){DROP("/soc/serial@20000", "reg")}, 1, &board);
	assert_int_equal(board.uart_base, 0);
	read_changed((const struct change[]){DROP("/soc/interrupt-controller@1000", "interrupts")},
		     1, &board);
	assert_int_equal(board.maintenance_intid, 25);
	read_changed((const struct change[]){CELLS("/soc/interrupt-controller@1000",
						   "interrupt-parent", 77)},
		     1, &board);
	assert_int_equal(board.maintenance_intid, 25);
	read_changed((const struct change[]){CELLS("/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1,
						   11, 4, 1, 12, 4)},
		     1, &board);
	assert_int_equal(board.hyp_timer_intid, 28);
	read_changed((const struct change[]){CELLS("/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1,
						   11, 4)},
		     1, &board);
	assert_int_equal(board.hyp_timer_intid, 26);
}

static void test_vexpress(void **state)
{
	struct config_error error;
	struct board board;
	size_t size;
	uint8_t *vexpress = tree_load("vexpress.dtb", &size);

	(void)state;
	assert_int_equal(board_read(vexpress, (uint32_t)size, &board, &error), 0);
	assert_int_equal(board.uart_base, 0x1c0b0000);
	assert_int_equal(board.uart_intid, 69);
	assert_non_null(board_device(&board, BOARD_CLOCK));
	assert_int_equal(board_device(&board, BOARD_CLOCK)->base, 0x1c170000);
	assert_int_equal(board.ram.base, 0x80000000);
	assert_int_equal(board.cpu_count, 2);
	assert_non_null(board_device(&board, BOARD_SYSREG));
	assert_null(board_device(&board, BOARD_WAKEUP));
	assert_false(board.psci);
	read_changed((const struct change[]){STRING("/soc/ethernet@60000", "compatible",
						    "ti,omap5-wugen-mpu")},
		     1, &board);
	assert_non_null(board_device(&board, BOARD_WAKEUP));
	free(vexpress);
}

static void test_seed(void **state)
{
	static const char bytes[BOARD_SEED + 1] = {1, 2, 3, [BOARD_SEED - 1] = 4, 5};
	struct board board;

	(void)state;
	read_changed((const struct change[]){DROP("/", "model")}, 1, &board);
	assert_false(board.has_seed);
	read_changed(
		(const struct change[]){
			{"/chosen", "rng-seed", CHANGE_BYTES, bytes, BOARD_SEED - 1, {0}}},
		1, &board);
	assert_false(board.has_seed);
	read_changed(
		(const struct change[]){
			{"/chosen", "rng-seed", CHANGE_BYTES, bytes, BOARD_SEED + 1, {0}}},
		1, &board);
	assert_true(board.has_seed);
	assert_memory_equal(board.seed, bytes, BOARD_SEED);
}

static void test_psci(void **state)
{
	static const struct {
		const char *what;
		struct change change;
		bool psci;
		uint32_t cpu_on;
		unsigned int cpus;
	} row[] = {
		/* clang-format off */
		{"PSCI 0.1 has its own number", DROP("/", "model"), true, 0x95c1ba5e, 2},
		{"PSCI 0.1 without one", DROP("/psci", "cpu_on"), false, 0x84000003, 1},
		{"PSCI 0.2 has the standard's", STRING("/psci", "compatible", "arm,psci-0.2\0arm,psci"), true, 0x84000003, 2},
		{"PSCI 1.0", STRING("/psci", "compatible", "arm,psci-1.0"), true, 0x84000003, 2},
		{"by HVC", STRING("/psci", "method", "hvc"), false, 0x95c1ba5e, 1},
		{"no method", DROP("/psci", "method"), false, 0x95c1ba5e, 1},
		{"switched off", STRING("/psci", "status", "disabled"), false, 0x84000003, 1},
		{"none", DROP("/psci", NULL), false, 0x84000003, 1},
		/* clang-format on */
	};
	struct board board;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		read_changed(&row[i].change, 1, &board);
		if (board.psci != row[i].psci || board.cpu_count != row[i].cpus ||
		    (board.psci && board.psci_cpu_on != row[i].cpu_on)) {
			fail_msg("%s: %d %x %u", row[i].what, board.psci, board.psci_cpu_on,
				 board.cpu_count);
		}
	}
}

/* Of a core that sleeps: whether it counts, and where it waits. */
static void test_spin_table(void **state)
{
#define SLEEPER "/cpus/cpu@102"
	static const struct {
		const char *what;
		struct change change[2];
		unsigned int cpus;
		uint64_t release;
	} row[] = {
		/* clang-format off */
		{"one cell", {CELLS(SLEEPER, "cpu-release-addr", 0x5000fff8)}, 3, 0x5000fff8},
		{"two cells", {CELLS(SLEEPER, "cpu-release-addr", 1, 0x5000fff8)}, 3, 0x15000fff8},
		{"in use by another way", {CELLS(SLEEPER, "cpu-release-addr", 8), STRING(SLEEPER, "enable-method", "psci")}, 3, 0},
		{"no address", {DROP("/", "model")}, 2, 0},
		{"not aligned", {CELLS(SLEEPER, "cpu-release-addr", 0x5000fffa)}, 2, 0},
		{"beyond 1 TiB", {CELLS(SLEEPER, "cpu-release-addr", 0x100, 0)}, 2, 0},
		{"three cells", {CELLS(SLEEPER, "cpu-release-addr", 0, 0, 8)}, 2, 0},
		{"broken", {CELLS(SLEEPER, "cpu-release-addr", 0x5000fff8), STRING(SLEEPER, "status", "fail")}, 2, 0},
		/* clang-format on */
	};
	struct board board;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		read_changed(row[i].change, 2, &board);
		if (board.cpu_count != row[i].cpus || board.cpu_release[0] != 0 ||
		    board.cpu_release[2] != row[i].release) {
			fail_msg("%s: %u cores, %llx", row[i].what, board.cpu_count,
				 (unsigned long long)board.cpu_release[2]);
		}
	}
}

static void test_bundle(void **state)
{
	static const struct {
		const char *what;
		struct change change[2];
		uint64_t base, size;
	} row[] = {
		/* clang-format off */
		{"two cells", {CELLS("/chosen", "linux,initrd-start", 0, 0x48000000), CELLS("/chosen", "linux,initrd-end", 0, 0x48100000)}, 0x48000000, 0x100000},
		{"above 4 GiB", {CELLS("/chosen", "linux,initrd-start", 1, 0), CELLS("/chosen", "linux,initrd-end", 1, 4)}, 0x100000000, 4},
		{"no end", {DROP("/chosen", "linux,initrd-end")}, 0, 0},
		{"no start", {DROP("/chosen", "linux,initrd-start")}, 0, 0},
		{"empty", {CELLS("/chosen", "linux,initrd-end", 0x48000000)}, 0, 0},
		{"backwards", {CELLS("/chosen", "linux,initrd-end", 0x47000000)}, 0, 0},
		{"three cells", {CELLS("/chosen", "linux,initrd-end", 0, 0, 0x49000000)}, 0, 0},
		{"no chosen", {DROP("/chosen", NULL)}, 0, 0},
		/* clang-format on */
	};
	struct board board;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		read_changed(row[i].change, 2, &board);
		if (board.bundle.base != row[i].base || board.bundle.size != row[i].size) {
			fail_msg("%s", row[i].what);
		}
	}
}

/* Memory and reservations; all rows start without the tree's own reservations. */
static void test_ram(void **state)
{
	static const struct {
		const char *what;
		struct change change[3];
		uint64_t base, size;
	} row[] = {
		/* clang-format off */
		{"two neighbours are one", {DROP("/", "model")}, 0x40000000, 0x80000000},
		{"the larger of two", {CELLS("/memory@40000000", "reg", 0, 0x40000000, 0x10000000, 0, 0x60000000, 0x20000000)}, 0x60000000, 0x20000000},
		{"the first of equals", {CELLS("/memory@40000000", "reg", 0, 0x40000000, 0x10000000)}, 0x20000000, 0x10000000},
		{"neighbours in two nodes", {CELLS("/memory@40000000", "reg", 0, 0x30000000, 0x10000000)}, 0x20000000, 0x20000000},
		{"crosses 4 GiB", {CELLS("/memory@40000000", "reg", 0, 0xe0000000, 0x80000000)}, 0xe0000000, 0x80000000},
		{"goes on above 4 GiB", {CELLS("/memory@40000000", "reg", 0, 0xc0000000, 0x40000000, 1, 0, 0x80000000)}, 0xc0000000, 0xc0000000},
		{"most is below 4 GiB", {CELLS("/memory@40000000", "reg", 0, 0x40000000, 0x30000000, 0, 0xe0000000, 0x80000000)}, 0x40000000, 0x30000000},
		{"above 4 GiB", {CELLS("/memory@40000000", "reg", 1, 0, 0x80000000)}, 0x20000000, 0x10000000},
		{"in two above 4 GiB", {CELLS("/memory@40000000", "reg", 1, 0, 0x40000000, 8, 0, 0x40000000)}, 0x20000000, 0x10000000},
		{"switched off", {STRING("/memory@40000000", "status", "disabled")}, 0x20000000, 0x10000000},
		{"an empty bank", {CELLS("/memory@40000000", "reg", 0, 0x40000000, 0)}, 0x20000000, 0x10000000},
		{"reserved in the middle", {CELLS("/reserved-memory/a", "reg", 0, 0x60000000, 0x1000)}, 0x60001000, 0x5ffff000},
		{"reserved above the middle", {CELLS("/reserved-memory/a", "reg", 0, 0x90000000, 0x1000)}, 0x40000000, 0x50000000},
		{"reserved over the start", {CELLS("/reserved-memory/a", "reg", 0, 0x3ff00000, 0x200000)}, 0x40100000, 0x7ff00000},
		{"reserved across 4 GiB", {CELLS("/memory@40000000", "reg", 0, 0x80000000, 0xc0000000), CELLS("/reserved-memory/a", "reg", 0, 0xff000000, 0x2000000)}, 0x80000000, 0x7f000000},
		{"reserved low, and more above", {CELLS("/memory@40000000", "reg", 0, 0x80000000, 0xc0000000), CELLS("/reserved-memory/a", "reg", 0, 0x80000000, 0x1000000)}, 0x81000000, 0xbf000000},
		{"reserved high, and more above", {CELLS("/memory@40000000", "reg", 0, 0x80000000, 0xc0000000), CELLS("/reserved-memory/a", "reg", 0, 0xd0000000, 0x1000000)}, 0x80000000, 0x50000000},
		{"reserved over the end", {CELLS("/reserved-memory/a", "reg", 0, 0xbff00000, 0x200000)}, 0x40000000, 0x7ff00000},
		{"reserved beside it", {CELLS("/reserved-memory/a", "reg", 0, 0xc0000000, 0x200000)}, 0x40000000, 0x80000000},
		{"reserved below it", {CELLS("/reserved-memory/a", "reg", 0, 0x3f000000, 0x1000000)}, 0x40000000, 0x80000000},
		{"two pieces", {CELLS("/reserved-memory/a", "reg", 0, 0x50000000, 0x1000, 0, 0x58000000, 0x1000)}, 0x58001000, 0x67fff000},
		{"the bundle itself", {CELLS("/reserved-memory/a", "reg", 0, 0x48000000, 0x800000)}, 0x40000000, 0x80000000},
		{"the bundle in whole pages", {CELLS("/reserved-memory/a", "reg", 0, 0x48000000, 0x801000)}, 0x40000000, 0x80000000},
		{"the bundle and far more", {CELLS("/reserved-memory/a", "reg", 0, 0x48000000, 0x1000000)}, 0x49000000, 0x77000000},
		{"reusable", {CELLS("/reserved-memory/a", "reg", 0, 0x50000000, 0x1000), EMPTY("/reserved-memory/a", "reusable")}, 0x40000000, 0x80000000},
		{"allocated later", {CELLS("/reserved-memory/a", "size", 0x1000)}, 0x40000000, 0x80000000},
		/* clang-format on */
	};
	static const struct change bare[] = {
		DROP("/reserved-memory/firmware@50000000", NULL),
		DROP("/reserved-memory/dynamic", NULL),
		DROP("/reserved-memory/unused@60000000", NULL),
	};
	struct config_error error;
	struct board board;
	size_t i, size;
	uint8_t *base = tree_changed(tree, bare, 3, &size);

	(void)state;
	assert_int_equal(fdt_del_mem_rsv(base, 1), 0);
	assert_int_equal(fdt_del_mem_rsv(base, 0), 0);
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		void *changed = tree_changed(base, row[i].change, 3, &size);

		assert_int_equal(board_read(changed, (uint32_t)size, &board, &error), 0);
		if (board.ram.base != row[i].base || board.ram.size != row[i].size) {
			fail_msg("%s: %llx+%llx", row[i].what, (unsigned long long)board.ram.base,
				 (unsigned long long)board.ram.size);
		}
		free(changed);
	}
	free(base);
}

/* U-Boot reserves the tree that it hands over: that alone costs no RAM, if it is not much more. */
static void test_tree_is_reserved(void **state)
{
	static const struct {
		uint64_t padding, base, size;
	} row[] = {
		{0, 0x50100000, 0x6fe00000},
		{0x1000, 0x50100000, 0x6fe00000},
		{0x10000, 0x50100000, 0x6fe00000},
		{0x20000, 0x78060000, 0x47ea0000},
	};
	struct config_error error;
	struct board board;
	uint8_t *room = mmap((void *)(uintptr_t)0x78000000, TREE_ROOM, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	size_t i;

	(void)state;
	if ((uintptr_t)room != 0x78000000) {
		skip();
	}
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(fdt_open_into(tree, room, TREE_ROOM), 0);
		assert_int_equal(fdt_add_mem_rsv(room, 0x78000000, TREE_ROOM + row[i].padding), 0);
		assert_int_equal(board_read(room, TREE_ROOM, &board, &error), 0);
		assert_int_equal(board.ram.base, row[i].base);
		assert_int_equal(board.ram.size, row[i].size);
	}
	munmap(room, TREE_ROOM);
}

static const struct refusal {
	const char *what, *node, *part;
	struct change change[2];
} refusals[] = {
	/* clang-format off */
	{"no GIC", "", "no GICv2", {DROP("/soc/interrupt-controller@1000", NULL)}},
	{"a GICv3", "", "no GICv2", {STRING("/soc/interrupt-controller@1000", "compatible", "arm,gic-v3")}},
	{"the GIC is off", "", "no GICv2", {STRING("/soc/interrupt-controller@1000", "status", "disabled")}},
	{"the GIC is none", "", "no GICv2", {DROP("/soc/interrupt-controller@1000", "interrupt-controller")}},
	{"no GICH", "/soc/interrupt-controller@1000", "number 3", {CELLS("/soc/interrupt-controller@1000", "reg", 0x1000, 0x1000, 0x2000, 0x2000)}},
	{"no GICV", "/soc/interrupt-controller@1000", "number 4", {CELLS("/soc/interrupt-controller@1000", "reg", 0x1000, 0x1000, 0x2000, 0x2000, 0x4000, 0x2000)}},
	{"GICH unaligned", "/soc/interrupt-controller@1000", "number 3", {CELLS("/soc/interrupt-controller@1000", "reg", 0x1000, 0x1000, 0x2000, 0x2000, 0x4004, 0x2000, 0x6000, 0x2000)}},
	{"GICD too small", "/soc/interrupt-controller@1000", "number 1", {CELLS("/soc/interrupt-controller@1000", "reg", 0x1000, 0x100, 0x2000, 0x2000, 0x4000, 0x2000, 0x6000, 0x2000)}},
	{"the GIC's reg in pieces", "/soc/interrupt-controller@1000", "number 1", {CELLS("/soc/interrupt-controller@1000", "reg", 0x1000, 0x1000, 0x2000)}},
	{"the GIC on a lost bus", "/soc/interrupt-controller@1000", "number 1", {DROP("/soc", "ranges")}},
	{"maintenance is an SPI", "/soc/interrupt-controller@1000", "maintenance", {CELLS("/soc/interrupt-controller@1000", "interrupts", 0, 0, 4)}},
	{"maintenance is broken", "/soc/interrupt-controller@1000", "maintenance", {CELLS("/soc/interrupt-controller@1000", "interrupts", 9, 9, 4)}},
	{"no timer", "", "no timer", {DROP("/timer", NULL)}},
	{"an older timer", "", "no timer", {STRING("/timer", "compatible", "arm,cortex-a9-twd-timer")}},
	{"a timer with one interrupt", "/timer", "PPIs", {CELLS("/timer", "interrupts", 1, 13, 4)}},
	{"a timer with SPIs", "/timer", "PPIs", {CELLS("/timer", "interrupts", 0, 13, 4, 0, 14, 4, 0, 11, 4, 0, 10, 4)}},
	{"a timer with one SPI", "/timer", "PPIs", {CELLS("/timer", "interrupts", 1, 13, 4, 1, 14, 4, 0, 0, 4, 1, 10, 4)}},
	{"a timer with another SPI", "/timer", "PPIs", {CELLS("/timer", "interrupts", 1, 13, 4, 0, 0, 4, 1, 11, 4, 1, 10, 4)}},
	{"a timer elsewhere", "/timer", "PPIs", {CELLS("/timer", "interrupt-parent", 99)}},
	{"no CPUs", "", "no CPU", {DROP("/cpus", NULL)}},
	{"no CPU that runs", "", "no CPU", {STRING("/cpus/cpu@100", "status", "fail"), STRING("/cpus/cpu@101", "status", "fail")}},
	{"a CPU without a number", "/cpus/cpu@100", "MPIDR", {DROP("/cpus/cpu@100", "reg")}},
	{"a CPU with three cells", "/cpus/cpu@100", "MPIDR", {CELLS("/cpus/cpu@100", "reg", 0, 0, 1)}},
	{"no memory", "", "no memory", {DROP("/memory@40000000", NULL), DROP("/memory@20000000", NULL)}},
	{"memory in pieces", "/memory@40000000", "can't be read", {CELLS("/memory@40000000", "reg", 0, 0x40000000)}},
	{"memory wraps", "/memory@40000000", "can't be read", {CELLS("/memory@40000000", "reg", 0xffffffff, 0xfffff000, 0x80000000)}},
	{"no cells", "/soc/interrupt-controller@1000", "number 1", {CELLS("/", "#address-cells", 0)}},
	{"wrong cells", "/soc/interrupt-controller@1000", "number 1", {CELLS("/", "#address-cells", 1)}},
	{"all is reserved", "", "is reserved", {CELLS("/reserved-memory/a", "reg", 0, 0, 0xffffffff)}},
	{"reserved without ranges", "/reserved-memory/firmware@50000000", "ranges", {DROP("/reserved-memory", "ranges")}},
	{"reserved in pieces", "/reserved-memory/a", "ranges", {CELLS("/reserved-memory/a", "reg", 0, 0)}},
	/* clang-format on */
};

static void test_refusals(void **state)
{
	struct config_error error;
	struct board board;
	size_t i, size;

	(void)state;
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *row = &refusals[i];
		void *changed = tree_changed(tree, row->change, 2, &size);

		error_fill(&error);
		assert_refused(board_read(changed, (uint32_t)size, &board, &error), &error,
			       row->what, row->part);
		assert_string_equal(error.node, row->node);
		if (strcmp(row->what, "wrong cells") != 0 && strcmp(row->what, "no cells") != 0 &&
		    strcmp(row->what, "the GIC on a lost bus") != 0) {
			assert_int_equal(board.uart_base, 0x1c020000); /* where the sentence goes */
		}
		free(changed);
	}
}

static void test_many_cpus(void **state)
{
	struct change cpu[2] = {CELLS("/cpus/cpu@200", "reg", 0x200),
				STRING("/cpus/cpu@200", "device_type", "cpu")};
	struct board board;
	struct config_error error;
	char path[16];
	uint8_t *more = tree_exact(tree, tree_size), *next;
	uint32_t i;
	size_t size;

	(void)state;
	for (i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "/cpus/cpu@%x", 0x200 + i);
		cpu[0].path = cpu[1].path = path;
		cpu[0].cell[0] = 0x200 + i;
		next = tree_changed(more, cpu, 2, &size);
		free(more);
		more = next;
	}
	assert_int_equal(board_read(more, (uint32_t)size, &board, &error), 0);
	assert_int_equal(board.cpu_count, CPUS_MAX);
	free(more);
}

/* Truncated at every 64 bytes, and with spoilt bytes: a sentence each time, nothing read outside.
 */
static void test_hostile(void **state)
{
	uint32_t random = 7, i, accepted = 0;
	struct config_error error;
	struct board board;
	size_t size;

	(void)state;
	for (size = 0; size < tree_size; size += 64) {
		void *cut = tree_exact(tree, size);

		assert_refused(board_read(cut, (uint32_t)size, &board, &error), &error, "truncated",
			       "the board's device tree is cut off");
		free(cut);
	}
	for (i = 0; i < 20000; i++) {
		uint8_t *spoilt = tree_exact(tree, tree_size);

		tree_spoil(spoilt, tree_size, &random);
		error_fill(&error);
		if (board_read(spoilt, (uint32_t)tree_size, &board, &error) != 0) {
			assert_refused(-1, &error, "spoilt", "");
		} else {
			assert_in_range(board.cpu_count, 1, CPUS_MAX);
			assert_true(board.ram.size > 0 && board.ram.base < LOW_RAM_END &&
				    board.ram.base + board.ram.size > board.ram.base);
			accepted++;
		}
		free(spoilt);
	}
	print_message("%u of %u spoilt trees were accepted\n", accepted, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_vexpress),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_psci),
		cmocka_unit_test(test_uarts),
		cmocka_unit_test(test_spin_table),
		cmocka_unit_test(test_cpu_kinds),
		cmocka_unit_test(test_pen),
		cmocka_unit_test(test_bundle),
		cmocka_unit_test(test_seed),
		cmocka_unit_test(test_ram),
		cmocka_unit_test(test_tree_is_reserved),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_many_cpus),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("board", tests, load, unload);
}
