/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads what bivy needs of the board from its device tree. Pure; runs before the MMU. No lock. */
#include <errno.h>
#include "board.h"
#include "refuse.h"

#define MPIDR_AFFINITY    0xffffff
#define PSCI_CPU_ON       0x84000003 /* DEN0022D 5.1.4 */
#define MAINTENANCE_INTID 25         /* GICv2 IHI 0048B 2.2.1, the recommended PPI */
#define HYP_TIMER_INTID   26         /* of the Cortex-A7 and A15 (DDI 0438 8.2.3) */
#define UART_SIZE         0x80       /* bytes of an 8250's registers, as far as any is used */

/* UARTs with drivers, and the distance of their registers, unless reg-shift says. */
static const struct {
	char compatible[24];
	uint8_t kind, shift;
} uarts[] = {
	{"arm,pl011", UART_PL011, 0},        {"snps,dw-apb-uart", UART_NS16550, 0},
	{"ns16550a", UART_NS16550, 0},       {"nvidia,tegra20-uart", UART_NS16550, 2},
	{"ti,dra742-uart", UART_NS16550, 2}, {"samsung,exynos4210-uart", UART_EXYNOS, 0},
};

static bool find_compatible(struct dt_at *at, const struct dt *dt, const char *compatible)
{
	dt_root(at, dt);
	do {
		if (dt_compatible(dt, dt_node(at), compatible) && dt_enabled(dt, dt_node(at))) {
			return true;
		}
	} while (dt_next(at));
	return false;
}

static void read_model(struct reading *reading)
{
	struct dt_at at;
	const char *model;

	dt_root(&at, &reading->dt);
	model = dt_string(&reading->dt, dt_node(&at), "model");
	copy_printable(reading->board->model, sizeof(reading->board->model),
		       model != NULL ? model : "a board without a name");
}

static void read_uart_kind(const struct dt *dt, uint32_t node, struct board *board)
{
	uint32_t shift, width = 1;

	for (unsigned int i = 0; i < sizeof(uarts) / sizeof(uarts[0]); i++) {
		if (!dt_compatible(dt, node, uarts[i].compatible)) {
			continue;
		}
		shift = uarts[i].shift;
		dt_cell(dt, node, "reg-shift", &shift);
		dt_cell(dt, node, "reg-io-width", &width);
		if (shift <= 2 && board->uart_base % PAGE <= PAGE - UART_SIZE) {
			board->uart_kind = uarts[i].kind;
			board->uart_shift = (uint8_t)shift;
			board->uart_words = width == 4 || board->uart_kind != UART_NS16550;
		}
		return;
	}
}

static void read_uart(struct reading *reading)
{
	struct board *board = reading->board;
	struct range reg;
	struct dt_at at;

	if (!dt_stdout(&at, &reading->dt) && !dt_find_named(&at, &reading->dt, "serial0", 7) &&
	    !find_compatible(&at, &reading->dt, "arm,pl011")) {
		return;
	}
	if (dt_reg(&at, 0, &reg) != 0 || reg.size > UINT32_MAX) {
		return;
	}
	board->uart_base = reg.base;
	board->uart_size = (uint32_t)reg.size;
	read_uart_kind(&reading->dt, dt_node(&at), board);
	if (dt_interrupt(&at, 0, reading->gic, &board->uart_intid) != 0) {
		board->uart_intid = 0;
	}
}

static int read_gic(struct reading *reading, const struct dt_at *gic)
{
	struct board *board = reading->board;
	struct range *const reg[4] = {&board->gicd, &board->gicc, &board->gich, &board->gicv};
	unsigned int i;
	int result;

	for (i = 0; i < 4; i++) {
		if (dt_reg(gic, i, reg[i]) != 0 || reg[i]->size < PAGE ||
		    reg[i]->base % PAGE != 0) {
			return dt_refuse(gic, "reg",
					 "the interrupt controller needs four register ranges "
					 "(GICD, GICC, GICH and GICV), and number %u is missing or "
					 "wrong; bivy needs a GICv2 with virtualization",
					 i + 1);
		}
	}
	result = dt_interrupt(gic, 0, reading->gic, &board->maintenance_intid);
	if (result == -ENOENT || result == -ENXIO) {
		board->maintenance_intid = MAINTENANCE_INTID;
	} else if (result != 0 || board->maintenance_intid >= 32) {
		return dt_refuse(gic, "interrupts",
				 "the maintenance interrupt must be a PPI, as <1 9 0xf04> is");
	}
	return 0;
}

static int read_timer(struct reading *reading)
{
	struct board *board = reading->board;
	struct dt_at at;

	if (!find_compatible(&at, &reading->dt, "arm,armv7-timer")) {
		return refuse(reading->dt.error, "the board's device tree has no timer "
						 "(arm,armv7-timer); bivy needs the Generic Timer");
	}
	if (dt_interrupt(&at, 1, reading->gic, &board->physical_timer_intid) != 0 ||
	    dt_interrupt(&at, 2, reading->gic, &board->virtual_timer_intid) != 0 ||
	    board->physical_timer_intid >= 32 || board->virtual_timer_intid >= 32) {
		return dt_refuse(&at, "interrupts",
				 "the timer's interrupts 1 (physical) and 2 (virtual) must be PPIs "
				 "of the board's interrupt controller");
	}
	if (dt_interrupt(&at, 3, reading->gic, &board->hyp_timer_intid) != 0 ||
	    board->hyp_timer_intid >= 32) {
		board->hyp_timer_intid = HYP_TIMER_INTID;
	}
	if (!dt_cell(&reading->dt, dt_node(&at), "clock-frequency", &board->timer_frequency)) {
		board->timer_frequency = 0;
	}
	return 0;
}

static void read_psci(struct reading *reading)
{
	const struct dt *dt = &reading->dt;
	uint32_t *cpu_on = &reading->board->psci_cpu_on;
	struct dt_at at;

	*cpu_on = PSCI_CPU_ON;
	if (find_compatible(&at, dt, "arm,psci-1.0") || find_compatible(&at, dt, "arm,psci-0.2")) {
		reading->board->psci = dt_is(dt, dt_node(&at), "method", "smc");
	} else if (find_compatible(&at, dt, "arm,psci")) {
		reading->board->psci = dt_is(dt, dt_node(&at), "method", "smc") &&
				       dt_cell(dt, dt_node(&at), "cpu_on", cpu_on);
	}
}

/* "disabled" also says that a core waits for its enable-method (Devicetree v0.3, 3.8.1). */
static bool can_start(const struct reading *reading, uint32_t node, uint64_t release)
{
	const struct dt *dt = &reading->dt;

	return dt_enabled(dt, node) || (release != 0 && dt_is(dt, node, "status", "disabled")) ||
	       (reading->board->psci && dt_is(dt, node, "status", "disabled") &&
		(!dt_has(dt, node, "enable-method") || dt_is(dt, node, "enable-method", "psci")));
}

/* Where a core polls for its address if nothing else starts it; 0: nowhere. */
static uint64_t release_of(const struct dt *dt, uint32_t node)
{
	uint64_t word;

	return dt_is(dt, node, "enable-method", "spin-table") &&
			       dt_number(dt, node, "cpu-release-addr", &word) && word % 4 == 0 &&
			       word < IPA_LIMIT
		       ? word
		       : 0;
}

/* A number for what its `compatible` says. */
static uint32_t kind_of(const struct dt *dt, uint32_t node)
{
	uint32_t length, kind = 0;
	const uint8_t *compatible = dt_get(dt, node, "compatible", &length);

	for (uint32_t i = 0; i < length; i++) {
		kind = 31 * kind + compatible[i];
	}
	return kind;
}

/* U-Boot holds the other cores of an Exynos 5250 until its RAM's first word has an address. */
static void read_pen(struct reading *reading)
{
	const struct dt *dt = &reading->dt;
	struct dt_at at;
	struct range reg;

	dt_root(&at, dt);
	if (!reading->board->psci && dt_compatible(dt, dt_node(&at), "samsung,exynos5250") &&
	    find_compatible(&at, dt, "samsung,exynos4210-sysram") && dt_reg(&at, 0, &reg) == 0 &&
	    reg.base % 4 == 0 && reg.base < IPA_LIMIT) {
		for (unsigned int i = 0; i < CPUS_MAX; i++) {
			reading->board->cpu_release[i] = reg.base;
		}
	}
}

static int read_cpus(struct reading *reading)
{
	const struct dt *dt = &reading->dt;
	struct board *board = reading->board;
	struct dt_at at;
	uint64_t reg, release;
	bool more = dt_find(&at, dt, "/cpus", 5) && dt_next(&at);

	for (; more && at.depth > 1 && board->cpu_count < CPUS_MAX; more = dt_skip(&at)) {
		release = release_of(dt, dt_node(&at));
		if (!dt_is(dt, dt_node(&at), "device_type", "cpu") ||
		    !can_start(reading, dt_node(&at), release)) {
			continue;
		}
		if (!dt_number(dt, dt_node(&at), "reg", &reg)) {
			return dt_refuse(&at, "reg",
					 "a CPU node needs one or two cells, the affinity bits of "
					 "its MPIDR");
		}
		board->cpu_release[board->cpu_count] = release;
		board->cpu_kind[board->cpu_count] = kind_of(dt, dt_node(&at));
		board->cpu_mpidr[board->cpu_count++] = (uint32_t)reg & MPIDR_AFFINITY;
	}
	if (board->cpu_count == 0) {
		return refuse(reading->dt.error,
			      "the board's device tree has no CPU that can be used under /cpus");
	}
	read_pen(reading);
	return 0;
}

/* What the loader left: where the bundle is, and entropy. */
static void read_chosen(struct reading *reading)
{
	const struct dt *dt = &reading->dt;
	struct board *board = reading->board;
	uint64_t start, end;
	uint32_t length, i;
	const uint8_t *seed;
	struct dt_at at;

	if (!dt_find(&at, dt, "/chosen", 7)) {
		return;
	}
	if (dt_number(dt, dt_node(&at), "linux,initrd-start", &start) &&
	    dt_number(dt, dt_node(&at), "linux,initrd-end", &end) && start < end) {
		board->bundle.base = start;
		board->bundle.size = end - start;
	}
	seed = dt_get(dt, dt_node(&at), "rng-seed", &length);
	board->has_seed = length >= BOARD_SEED;
	for (i = 0; board->has_seed && i < BOARD_SEED; i++) {
		board->seed[i] = seed[i];
	}
}

/* Devices with drivers, and the bytes of their registers that are used. No pointers: no MMU. */
static const struct device_row {
	char compatible[20];
	uint16_t size;
	enum board_kind kind;
} device_rows[] = {
	{"virtio,mmio", 0x200, BOARD_VIRTIO},
	{"arm,pl180", PAGE, BOARD_SD},
	{"arm,pl181", PAGE, BOARD_SD},
	{"smsc,lan9118", 0x100, BOARD_ETHERNET},
	{"smsc,lan9115", 0x100, BOARD_ETHERNET},
	{"arm,pl031", PAGE, BOARD_CLOCK},
	{"arm,vexpress-sysreg", PAGE, BOARD_SYSREG},
	{"ti,omap5-wugen-mpu", PAGE, BOARD_WAKEUP},
};

static const struct device_row *device_row(const struct dt *dt, uint32_t node)
{
	for (unsigned int i = 0; i < sizeof(device_rows) / sizeof(device_rows[0]); i++) {
		if (dt_compatible(dt, node, device_rows[i].compatible)) {
			return &device_rows[i];
		}
	}
	return NULL;
}

/*
 * What it takes to be of use: without dma-coherent a virtio device would not see what is in our
 * caches; a wire that is low when it means something is none for a GIC (IHI 0048B 1.4.2).
 */
static const char *needed_property(enum board_kind kind)
{
	return kind == BOARD_VIRTIO     ? "dma-coherent"
	       : kind == BOARD_ETHERNET ? "smsc,irq-active-high"
					: "reg";
}

/* One that bivy can't use is as good as none: a guest that asks for it gets the sentence. */
static void add_device(struct reading *reading, const struct dt_at *at,
		       const struct device_row *row)
{
	struct board *board = reading->board;
	struct board_device *slot;
	struct range reg;
	uint32_t intid = 0;

	if (board->device_count == BOARD_DEVICES_MAX || dt_reg(at, 0, &reg) != 0 ||
	    reg.size < row->size || reg.base % 4 != 0 || reg.base % PAGE > PAGE - row->size ||
	    reg.base >= IPA_LIMIT || !dt_has(at->dt, dt_node(at), needed_property(row->kind)) ||
	    (row->kind < BOARD_CLOCK &&
	     (dt_interrupt(at, 0, reading->gic, &intid) != 0 || intid < 32))) {
		return;
	}
	slot = &board->device[board->device_count++];
	for (; slot > board->device && slot[-1].base > reg.base; slot--) {
		*slot = slot[-1];
	}
	*slot = (struct board_device){reg.base, intid, row->kind};
}

/* Banks of RAM and devices, in one walk. */
static int read_ram_and_devices(struct reading *reading)
{
	const struct dt *dt = &reading->dt;
	struct range run = {0, 0};
	struct dt_at at;
	const struct device_row *row;
	bool memory;

	dt_root(&at, dt);
	while (dt_next(&at)) {
		memory = dt_is(dt, dt_node(&at), "device_type", "memory");
		row = memory ? NULL : device_row(dt, dt_node(&at));
		if ((!memory && row == NULL) || !dt_enabled(dt, dt_node(&at))) {
			continue;
		}
		if (row != NULL) {
			add_device(reading, &at, row);
		} else if (board_add_banks(reading, &at, &run) != 0) {
			return -EINVAL;
		}
	}
	if (reading->board->ram.size == 0) {
		return refuse(reading->dt.error,
			      "the board's device tree has no memory below 4 GiB");
	}
	return 0;
}

const struct board_device *board_device(const struct board *board, enum board_kind kind)
{
	for (unsigned int i = 0; i < board->device_count; i++) {
		if (board->device[i].kind == kind) {
			return &board->device[i];
		}
	}
	return NULL;
}

int board_read(const void *dtb, uint32_t limit, struct board *board, struct config_error *error)
{
	struct reading reading = {.board = board};
	struct dt_at gic;
	bool have_gic;
	int result;

	*board = (struct board){0};
	result = dt_open(&reading.dt, dtb, limit, "the board's device tree", error);
	if (result != 0) {
		return result;
	}
	reading.tree.base = (uintptr_t)dtb;
	reading.tree.size = reading.dt.size;
	board->tree_size = reading.dt.end;
	read_model(&reading);
	have_gic = dt_find_gic(&gic, &reading.dt);
	if (have_gic) {
		reading.gic = dt_phandle(&reading.dt, dt_node(&gic));
	}
	read_uart(&reading);
	read_chosen(&reading);
	read_psci(&reading);
	if (!have_gic) {
		return refuse(error, "the board's device tree has no GICv2 (arm,cortex-a15-gic, "
				     "arm,gic-400), which bivy needs");
	}
	return read_gic(&reading, &gic) ?: read_timer(&reading)
					?: read_cpus(&reading)
					?: read_ram_and_devices(&reading)
					?: board_reserve(&reading);
}
