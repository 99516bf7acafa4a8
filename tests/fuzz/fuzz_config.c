/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzzer of the guest's tree (hyp/config.c, backend.c, dt.c): the input decides about a guest,
 * which is written as a tree by libfdt; what is read must be that guest, or be refused if a rule of
 * the README's forbids it. Then words of the tree are spoilt: what is accepted still keeps the
 * promises of config.h.
 */
#include "bytes.h"
#include <libfdt.h>
#include <string.h>
#include "hyp/config.h"

#define ROOM    0x4000u
#define GIC     7u /* phandle */
#define TIB     (1ull << 40)
#define DEVICES 12u

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char tree[ROOM];
static struct guest_config wanted;
static int refused; /* line of a rule here that the tree breaks, or 0 */

#define rule(kept) (refused = (kept) ? refused : __LINE__)

static void cells(const char *name, const uint32_t *value, unsigned int count)
{
	fdt32_t big[16];

	for (unsigned int i = 0; i < count; i++) {
		big[i] = cpu_to_fdt32(value[i]);
	}
	AGREE(fdt_property(tree, name, big, (int)(4 * count)), 0);
}

static void cell(const char *name, uint32_t value)
{
	cells(name, &value, 1);
}

static void ranges(uint64_t base, uint64_t size, uint64_t base2, uint64_t size2)
{
	const uint32_t reg[] = {
		(uint32_t)(base >> 32),  (uint32_t)base,  (uint32_t)(size >> 32),  (uint32_t)size,
		(uint32_t)(base2 >> 32), (uint32_t)base2, (uint32_t)(size2 >> 32), (uint32_t)size2};

	cells("reg", reg, size2 != 0 ? 8 : 4);
}

/* A multiple of @unit, mostly; sometimes at a border of what there is. */
static uint64_t take_amount(struct bytes *in, uint64_t unit)
{
	const uint64_t odd[] = {0,          unit / 2, unit + unit / 2,
				TIB - unit, TIB,      UINT64_MAX - unit + 1,
				0xffffffff, 1};
	const uint8_t kind = take8(in);

	return kind >= 248 ? odd[kind & 7] : unit * (1 + (kind & 31));
}

static void begin(const char *name, const char *compatible)
{
	AGREE(fdt_begin_node(tree, name), 0);
	if (compatible != NULL) {
		AGREE(fdt_property_string(tree, "compatible", compatible), 0);
	}
}

static void end(void)
{
	AGREE(fdt_end_node(tree), 0);
}

static void add_memory(struct bytes *in)
{
	const uint64_t base = take_amount(in, 2 << 20), size = take_amount(in, 16 << 20);
	const bool second = take8(in) == 255;

	begin("memory", NULL);
	ranges(base, size, base, second ? 0x1000 : 0);
	end();
	rule(!second && base % (2 << 20) == 0 && base < TIB && size % 0x1000 == 0 &&
	     size <= 3ull << 30 && size <= TIB - base);
	wanted.ram_base = base;
	wanted.ram_size = size;
}

static void add_gic(struct bytes *in)
{
	const uint64_t gicd = take_amount(in, 0x1000), gicd_size = take_amount(in, 0x1000);
	const uint64_t gicc = take_amount(in, 0x1000), gicc_size = take_amount(in, 0x1000);
	const uint32_t width = take8(in) == 255 ? 1 : 3;

	begin("intc", (take8(in) & 1) != 0 ? "arm,cortex-a15-gic" : "arm,gic-400");
	cell("#interrupt-cells", width);
	cell("phandle", GIC);
	AGREE(fdt_property(tree, "interrupt-controller", "", 0), 0);
	ranges(gicd, gicd_size, gicc, gicc_size);
	end();
	rule(width == 3 && gicd % 0x1000 == 0 && gicd_size >= 0x1000 && gicd < TIB &&
	     gicd_size <= TIB - gicd);
	rule(gicc % 0x1000 == 0 && gicc_size >= 0x1000 && gicc < TIB && gicc_size <= TIB - gicc);
	wanted.gicd_base = gicd;
	wanted.gicc_base = gicc;
	wanted.gicc_size = gicc_size < 0x2000 ? 0x1000 : 0x2000;
}

static void add_timer(struct bytes *in)
{
	uint32_t interrupts[12] = {1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4};
	const unsigned int spoilt = 255u - take8(in);

	if (spoilt < 12) {
		interrupts[spoilt] ^= 1;
		rule(spoilt < 3 || spoilt > 8 ||
		     spoilt % 3 == 2); /* only two are looked at, not their flags */
	}
	begin("timer", "arm,armv7-timer");
	cells("interrupts", interrupts, 12);
	end();
}

static void add_cpus(struct bytes *in)
{
	const unsigned int count = take8(in) % 10;
	char name[16];

	begin("cpus", NULL);
	cell("#address-cells", 1);
	cell("#size-cells", 0);
	for (unsigned int i = 0; i < count; i++) {
		const uint8_t odd = take8(in);
		const uint32_t reg = odd > 251 ? 0x1000000 : odd > 239 ? odd & 3 : i + 16u * odd;

		snprintf(name, sizeof(name), "cpu@%u", i);
		begin(name, NULL);
		AGREE(fdt_property_string(tree, "device_type", "cpu"), 0);
		cell("reg", reg);
		end();
		rule(reg <= 0xffffff && i < CPUS_MAX);
		for (unsigned int other = 0; other < i && other < CPUS_MAX; other++) {
			rule(wanted.cpu_mpidr[other] != reg);
		}
		if (i < CPUS_MAX) {
			wanted.cpu_mpidr[i] = reg;
		}
	}
	end();
	wanted.cpu_count = count;
}

/* Of bivy,backend: its text, what that means, and which devices can have it (bits: index in
 * virtio[]). */
static const struct {
	const char *text;
	struct backend_config config;
	unsigned int devices;
} backends[] = {
	{NULL, {BACKEND_ANY, 0, 0, 0, 0}, 1 | 8 | 16},
	{"uart", {BACKEND_UART, 0, 0, 0, 0}, 1 | 16},
	{"virtio3", {BACKEND_VIRTIO, 3, 0, 0, 0}, 2 | 4 | 8 | 32},
	{"virtio31:part255", {BACKEND_VIRTIO, 31, 255, 0, 0}, 2 | 32},
	{"sd1", {BACKEND_SD, 1, 0, 0, 0}, 2 | 32},
	{"ram0:0x400+1024", {BACKEND_RAM, 0, 0, 1024, 1024}, 2 | 32},
	{"ram0:0x1AE00+0x2000", {BACKEND_RAM, 0, 0, 0x1ae00, 0x2000}, 2 | 32},
	{"eth0", {BACKEND_ETHERNET, 0, 0, 0, 0}, 4},
	{"loopback", {BACKEND_LOOPBACK, 0, 0, 0, 0}, 4},
	{"firmware", {BACKEND_FIRMWARE, 0, 0, 0, 0}, 8},
	{"none", {BACKEND_NONE, 0, 0, 0, 0}, 32},
	{"virtio32", {0}, 0},
	{"virtio0:part256", {0}, 0},
	{"virtio0:part0", {0}, 0},
	{"ram0:512+0", {0}, 0},
	{"ram0:511+512", {0}, 0},
	{"ram0:512+513", {0}, 0},
	{"ram", {0}, 0},
	{"ram0x", {0}, 0},
	{"ram0:", {0}, 0},
	{"ram0:0xfffffffffffffe00+512", {0}, 0},
	{"loopback0", {0}, 0},
	{"", {0}, 0},
};

static const char *const virtio[] = {"console", "block", "net", "rng"};
static const enum device_kind kinds[] = {
	DEVICE_VIRTIO_CONSOLE, DEVICE_VIRTIO_BLOCK, DEVICE_VIRTIO_NET, DEVICE_VIRTIO_RNG,
	DEVICE_PL011,          DEVICE_FLASH,        DEVICE_PL031,      DEVICE_VIRTIO_NONE};

/* What stands behind the device; @what: index in kinds[]. */
static void add_backend(struct bytes *in, unsigned int what, struct device_config *device)
{
	static const uint32_t overlays[] = {0, 1, 2, 2047, 2048, 2049};
	const unsigned int first = what == 5 ? 1 : 0; /* a flash without is not bivy's */
	const uint8_t kind = take8(in), size = take8(in);
	const uint32_t overlay = size < COUNT(overlays) ? overlays[size] : size;
	unsigned int i = first + take8(in) % (COUNT(backends) - first);

	while (what < 6 && (kind & 15) != 15 && (backends[i].devices >> what & 1) == 0) {
		i = i + 1 == COUNT(backends) ? first : i + 1;
	}
	if (what < 6) {
		rule((backends[i].devices >> what & 1) != 0);
		device->backend = backends[i].config;
		if (backends[i].text != NULL) {
			AGREE(fdt_property_string(tree, "bivy,backend", backends[i].text), 0);
		}
	}
	if (what < 4) {
		AGREE(fdt_property_string(tree, "bivy,virtio", virtio[what]), 0);
	}
	if (what == 1 && kind >= 128) {
		cell("bivy,overlay", overlay);
		rule(overlay >= 1 && overlay <= 2048);
		device->overlay = overlay;
		device->read_only = (overlay & 1) != 0;
		if (device->read_only) {
			AGREE(fdt_property(tree, "bivy,read-only", "", 0), 0);
		}
	}
}

static void add_device(struct bytes *in, unsigned int number)
{
	const unsigned int what = take8(in) & 7;
	const bool is_virtio = what < 4 || what == 7, is_flash = what == 5;
	const uint32_t unit = is_virtio ? 0x200 : is_flash ? 2 << 20 : 0x1000, odd = take8(in);
	const uint64_t base = take_amount(in, unit), size = take_amount(in, unit);
	const uint32_t interrupt[] = {odd >= 248,
				      odd >= 240 && odd < 248 ? 984 + (odd & 7) : odd & 15, 4};
	const struct device_config blank = {.kind = kinds[what]};
	struct device_config *device = &wanted.device[number];
	char name[16];

	*device = blank;
	snprintf(name, sizeof(name), "device@%x", number);
	begin(name, is_virtio   ? "virtio,mmio"
		    : is_flash  ? "cfi-flash"
		    : what == 4 ? "arm,pl011"
				: "arm,pl031");
	ranges(base, size, 0, 0);
	rule(base % (is_flash ? 0x1000 : unit) == 0 && size >= unit && base < TIB &&
	     size <= TIB - base && size <= UINT32_MAX);
	if (is_flash) {
		cell("bank-width", 4);
		rule(base % unit == 0 && (size & (size - 1)) == 0 && size <= 128 << 20);
	} else {
		cells("interrupts", interrupt, 3);
		rule(interrupt[0] == 0 && interrupt[1] + 32 < 1020);
		device->intid = interrupt[1] + 32;
	}
	add_backend(in, what, device);
	if (is_virtio && (odd & 1) != 0) {
		AGREE(fdt_property(tree, "bivy,legacy", "", 0), 0);
		device->legacy = true;
	}
	end();
	device->base = base;
	device->size = (uint32_t)size;
	snprintf(device->node, sizeof(device->node), "/%s", name);
}

static void agree_device(const struct device_config *got, const struct device_config *want)
{
	AGREE(got->kind, want->kind);
	AGREE(got->backend.kind, want->backend.kind);
	AGREE(got->backend.number, want->backend.number);
	AGREE(got->backend.part, want->backend.part);
	AGREE(got->backend.start, want->backend.start);
	AGREE(got->backend.length, want->backend.length);
	AGREE(got->overlay, want->overlay);
	AGREE(got->read_only, want->read_only);
	AGREE(got->legacy, want->legacy);
	AGREE(got->base, want->base);
	AGREE(got->size, want->size);
	AGREE(got->intid, want->intid);
	AGREE(strcmp(got->node, want->node), 0);
}

static void agree(const struct guest_config *got)
{
	AGREE(got->ram_base, wanted.ram_base);
	AGREE(got->ram_size, wanted.ram_size);
	AGREE(got->gicd_base, wanted.gicd_base);
	AGREE(got->gicc_base, wanted.gicc_base);
	AGREE(got->gicc_size, wanted.gicc_size);
	AGREE(got->cpu_count, wanted.cpu_count);
	for (unsigned int i = 0; i < wanted.cpu_count; i++) {
		AGREE(got->cpu_mpidr[i], wanted.cpu_mpidr[i]);
	}
	AGREE(got->reset, wanted.reset);
	AGREE(got->disabled_count, wanted.disabled_count);
	AGREE(got->device_count, wanted.device_count);
	for (unsigned int i = 0; i < wanted.device_count; i++) {
		agree_device(&got->device[i], &wanted.device[i]);
	}
}

/* What config.h promises of any tree that is accepted. */
static void promises(const struct guest_config *config)
{
	AGREE(config->ram_base % (2 << 20), 0);
	AGREE(config->ram_size % 0x1000, 0);
	AGREE(config->ram_size > 3ull << 30, 0);
	AGREE((config->gicd_base | config->gicc_base) % 0x1000, 0);
	AGREE(config->gicc_size != 0x1000 && config->gicc_size != 0x2000, 0);
	AGREE(config->cpu_count > CPUS_MAX || config->device_count > CONFIG_DEVICES_MAX, 0);
	for (unsigned int i = 0; i < config->device_count; i++) {
		const struct device_config *device = &config->device[i];

		AGREE(device->kind >= DEVICE_KINDS, 0);
		AGREE(device->intid >= 1020 || (device->intid < 32 && device->kind != DEVICE_FLASH),
		      0);
		AGREE(device->base + device->size > TIB || device->size < 0x200, 0);
		AGREE(strnlen(device->node, sizeof(device->node)) == sizeof(device->node), 0);
	}
}

static void build(struct bytes *in)
{
	static const char *const resets[] = {NULL, "restart", "board", "reset"};
	const uint8_t kind = take8(in), odd = kind == 255 ? 3 : kind % 3;
	const unsigned int count = take8(in) % DEVICES;

	memset(&wanted, 0, sizeof(wanted));
	refused = 0;
	AGREE(fdt_create(tree, sizeof(tree)), 0);
	AGREE(fdt_finish_reservemap(tree), 0);
	begin("", NULL);
	cell("#address-cells", 2);
	cell("#size-cells", 2);
	cell("interrupt-parent", GIC);
	if ((odd & 3) != 0) {
		AGREE(fdt_property_string(tree, "bivy,reset", resets[odd & 3]), 0);
		rule((odd & 3) != 3);
		wanted.reset = (odd & 3) == 1 ? RESET_RESTART : RESET_BOARD;
	}
	add_memory(in);
	add_timer(in);
	add_cpus(in);
	for (unsigned int i = 0; i < count; i++) {
		add_device(in, wanted.device_count++);
	}
	add_gic(in);
	end();
	AGREE(fdt_finish(tree), 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct bytes in = {input, length};
	struct guest_config config;
	struct config_error error = {0};
	uint32_t size;
	void *exact;
	int result;

	build(&in);
	size = fdt_totalsize(tree);
	exact = malloc(size);
	memcpy(exact, tree, size);
	result = config_read(exact, size, &config, &error);
	if ((result != 0) != (refused != 0)) {
		fprintf(stderr, "rule of line %d; %s %s: %s\n", refused, error.node, error.property,
			error.text);
	}
	AGREE(result != 0, refused != 0);
	if (refused == 0) {
		agree(&config);
	} else {
		AGREE(strlen(error.text) < 20, 0);
	}
	for (unsigned int i = 0; i < 4; i++) {
		const uint32_t word = take_length(&in);

		memcpy((char *)exact + take16(&in) % (size / 4) * 4, &word, 4);
	}
	if (config_read(exact, size, &config, &error) == 0) {
		promises(&config);
	}
	free(exact);
	return 0;
}
