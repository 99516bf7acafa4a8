/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's completed tree: what the facts say is in it, the rest is as it was. */
#include "suite.h"
#include "tree.h"
#include "hyp/dt.h"
#include "hyp/guestdt.h"

static uint8_t *source;
static size_t source_size;
static uint64_t target[TREE_ROOM / 8];
static uint32_t size;

static const uint8_t seed[40] = "the first eight, and what is behind them";

static const struct guestdt_facts facts = {
	.ram_base = 0x40000000,
	.ram_size = 0x123400000,
	.initrd_start = 0x48000000,
	.initrd_end = 0x48012345,
	.bootargs = "console=hvc0",
	.cpu_count = 2,
	.cpu_mpidr = {0, 1},
	.seed = seed,
	.seed_size = sizeof(seed),
};

static int load(void **state)
{
	(void)state;
	source = tree_load("guest.dtb", &source_size);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	free(source);
	return 0;
}

static void complete(const void *from, const struct guestdt_facts *with)
{
	struct config_error error;
	struct dt dt;

	memset(target, 0xa5, sizeof(target));
	if (guestdt_complete(from, target, sizeof(target), with, &size, &error) != 0) {
		fail_msg("%s: %s: %s", error.node, error.property, error.text);
	}
	assert_int_equal(size, fdt_totalsize(target));
	assert_int_equal(fdt_check_header(target), 0);
	assert_int_equal(dt_open(&dt, target, size, "the new tree", &error), 0);
}

static int node_at(const char *path)
{
	return fdt_path_offset(target, path);
}

static void assert_cells(const char *path, const char *name, unsigned int count,
			 const uint32_t *cells)
{
	int length, node = node_at(path);
	const fdt32_t *value = fdt_getprop(target, node, name, &length);
	unsigned int i;

	if (value == NULL || length != (int)(4 * count)) {
		fail_msg("%s %s: %d", path, name, length);
	}
	for (i = 0; i < count; i++) {
		assert_int_equal(fdt32_ld(value + i), cells[i]);
	}
}

#define ASSERT_CELLS(path, name, ...)                                                              \
	assert_cells(path, name, sizeof((const uint32_t[]){__VA_ARGS__}) / 4,                      \
		     (const uint32_t[]){__VA_ARGS__})

static void assert_text(const char *path, const char *name, const char *text)
{
	const char *value = fdt_getprop(target, node_at(path), name, NULL);

	if (value == NULL) {
		fail_msg("%s has no %s", path, name);
	}
	assert_string_equal(value, text);
}

static void assert_none(const char *path, const char *name)
{
	int length;

	assert_true(node_at(path) >= 0);
	assert_null(fdt_getprop(target, node_at(path), name, &length));
	assert_int_equal(length, -FDT_ERR_NOTFOUND);
}

static void test_facts(void **state)
{
	(void)state;
	complete(source, &facts);
	ASSERT_CELLS("/memory@40000000", "reg", 0, 0x40000000, 1, 0x23400000);
	assert_text("/memory@40000000", "device_type", "memory");
	ASSERT_CELLS("/chosen", "linux,initrd-start", 0, 0x48000000);
	ASSERT_CELLS("/chosen", "linux,initrd-end", 0, 0x48012345);
	assert_text("/chosen", "bootargs", "console=hvc0");
	assert_text("/chosen", "stdout-path", "/pl011@9000000");
	ASSERT_CELLS("/chosen", "kaslr-seed", 0x74686520, 0x66697273);
	assert_memory_equal(fdt_getprop(target, node_at("/chosen"), "rng-seed", NULL), seed + 8,
			    sizeof(seed) - 8);
	assert_text("/cpus/cpu@0", "kept", "untouched");
	assert_true(node_at("/cpus/cpu-map/socket0/cluster0/core1") > 0);
	assert_text("/flash@0", "status", "disabled");
	assert_text("/fw-cfg@9020000", "status", "disabled");
	assert_text("/pcie@10000000", "status", "disabled");
	assert_none("/pl011@9000000", "status");
	assert_none("/bus@c000000", "status");
	assert_none("/timer", "status");
	assert_none("/apb-pclk", "status");
	assert_none("/reserved-memory/pool@4f000000", "status");
	assert_none("/bus@c000000/i2c/sensor@48", "status");
	assert_true(node_at("/intc@8000000") > 0);
	assert_int_equal(node_at("/intc@8000000/v2m@8020000"), -FDT_ERR_NOTFOUND);
}

/* Each property of the source, other than those that the facts replace, is there with the same
 * bytes. */
static void test_rest_is_kept(void **state)
{
	static const char *const replaced[] = {
		"reg",      "bootargs", "linux,initrd-start", "linux,initrd-end", "kaslr-seed",
		"rng-seed", "status"};
	int node, property, length, copy, kept = 0;
	char path[128];
	size_t i;

	(void)state;
	complete(source, &facts);
	for (node = 0; node >= 0; node = fdt_next_node(source, node, NULL)) {
		assert_int_equal(fdt_get_path(source, node, path, sizeof(path)), 0);
		copy = node_at(path);
		if (strstr(path, "v2m") != NULL) {
			continue;
		}
		assert_true(copy >= 0);
		fdt_for_each_property_offset (property, source, node) {
			const char *name;
			const void *value = fdt_getprop_by_offset(source, property, &name, &length),
				   *other;
			int other_length;

			other = fdt_getprop(target, copy, name, &other_length);
			assert_non_null(other);
			if (length == other_length && memcmp(value, other, (size_t)length) == 0) {
				kept++;
				continue;
			}
			for (i = 0; i < sizeof(replaced) / sizeof(replaced[0]) &&
				    strcmp(name, replaced[i]) != 0;
			     i++) {
			}
			if (i == sizeof(replaced) / sizeof(replaced[0])) {
				fail_msg("%s %s has changed", path, name);
			}
		}
	}
	assert_true(kept > 90);
}

static void test_cpus(void **state)
{
	struct guestdt_facts with = facts;
	int node, count = 0;

	(void)state;
	with.cpu_count = 1;
	with.cpu_mpidr[0] = 1;
	complete(source, &with);
	assert_int_equal(node_at("/cpus/cpu@0"), -FDT_ERR_NOTFOUND);
	assert_int_equal(node_at("/cpus/cpu-map"), -FDT_ERR_NOTFOUND);
	assert_true(node_at("/cpus/cpu@1") > 0);
	with.cpu_count = 4;
	with.cpu_mpidr[0] = 0xabcdef;
	with.cpu_mpidr[1] = 0;
	with.cpu_mpidr[2] = 0x10203;
	with.cpu_mpidr[3] = 0x100;
	complete(source, &with);
	assert_text("/cpus/cpu@0", "kept", "untouched");
	assert_none("/cpus/cpu@0", "enable-method");
	assert_int_equal(node_at("/cpus/cpu@1"), -FDT_ERR_NOTFOUND);
	ASSERT_CELLS("/cpus/cpu@abcdef", "reg", 0xabcdef);
	ASSERT_CELLS("/cpus/cpu@10203", "reg", 0x10203);
	ASSERT_CELLS("/cpus/cpu@100", "reg", 0x100);
	assert_text("/cpus/cpu@100", "enable-method", "psci");
	assert_text("/cpus/cpu@100", "device_type", "cpu");
	assert_text("/cpus/cpu@100", "compatible", "arm,cortex-a15");
	ASSERT_CELLS("/cpus", "#address-cells", 1);
	ASSERT_CELLS("/cpus", "#size-cells", 0);
	fdt_for_each_subnode (node, target, node_at("/cpus")) {
		count++;
	}
	assert_int_equal(count, 4);
}

static void complete_changed(const struct change *change, unsigned int count,
			     const struct guestdt_facts *with)
{
	size_t changed_size;
	void *changed = tree_changed(source, change, count, &changed_size);

	complete(changed, with);
	free(changed);
}

static void test_missing_nodes(void **state)
{
	(void)state;
	complete_changed((const struct change[]){DROP("/cpus", NULL), DROP("/chosen", NULL)}, 2,
			 &facts);
	ASSERT_CELLS("/cpus", "#address-cells", 1);
	ASSERT_CELLS("/cpus/cpu@1", "reg", 1);
	assert_text("/chosen", "bootargs", "console=hvc0");
	ASSERT_CELLS("/chosen", "linux,initrd-end", 0, 0x48012345);
	complete_changed((const struct change[]){DROP("/cpus/cpu@0", NULL),
						 DROP("/cpus/cpu@1", NULL),
						 DROP("/cpus", "#address-cells")},
			 3, &facts);
	ASSERT_CELLS("/cpus", "#address-cells", 1);
	ASSERT_CELLS("/cpus/cpu@0", "reg", 0);
	complete_changed((const struct change[]){DROP("/memory@40000000", "device_type")}, 1,
			 &facts);
	assert_text("/memory@40000000", "device_type", "memory");
}

static void test_sparse_facts(void **state)
{
	struct guestdt_facts with = facts;

	(void)state;
	with.bootargs = NULL;
	with.initrd_end = with.initrd_start;
	with.seed = NULL;
	complete(source, &with);
	assert_text("/chosen", "bootargs", "from the tree");
	assert_none("/chosen", "linux,initrd-start");
	assert_none("/chosen", "linux,initrd-end");
	assert_none("/chosen", "kaslr-seed"); /* the same numbers at each boot are no seed */
	assert_none("/chosen", "rng-seed");
	with.seed = seed;
	with.seed_size = 8;
	complete(source, &with);
	assert_true(fdt_getprop(target, node_at("/chosen"), "kaslr-seed", NULL) != NULL);
	assert_none("/chosen", "rng-seed");
	with.seed_size = 7;
	complete(source, &with);
	assert_none("/chosen", "kaslr-seed");
	assert_memory_equal(fdt_getprop(target, node_at("/chosen"), "rng-seed", NULL), seed, 7);
}

/* A root of one cell each; its children's reg is not read, so it need not fit. */
static void test_one_cell(void **state)
{
	static const struct change change[] = {
		CELLS("/", "#address-cells", 1),
		CELLS("/", "#size-cells", 1),
		CELLS("/memory@40000000", "reg", 0x40000000, 0),
	};
	struct guestdt_facts with = facts;
	struct config_error error;
	size_t changed_size;
	void *changed = tree_changed(source, change, 3, &changed_size);

	(void)state;
	with.ram_size = 0xc0000000;
	complete(changed, &with);
	ASSERT_CELLS("/memory@40000000", "reg", 0x40000000, 0xc0000000);
	ASSERT_CELLS("/chosen", "linux,initrd-start", 0x48000000);
	with.ram_size = 0x100000000;
	assert_refused(guestdt_complete(changed, target, sizeof(target), &with, &size, &error),
		       &error, "size", "does not fit one cell");
	with = facts;
	with.ram_size = 0x1000000;
	with.ram_base = 0x100000000;
	assert_refused(guestdt_complete(changed, target, sizeof(target), &with, &size, &error),
		       &error, "base", "does not fit one cell");
	free(changed);
}

static void test_reservations(void **state)
{
	uint8_t room[8192];
	uint64_t base, length;

	(void)state;
	assert_int_equal(fdt_open_into(source, room, sizeof(room)), 0);
	assert_int_equal(fdt_add_mem_rsv(room, 0x4e000000, 0x1000), 0);
	complete(room, &facts);
	assert_int_equal(fdt_num_mem_rsv(target), 1);
	assert_int_equal(fdt_get_mem_rsv(target, 0, &base, &length), 0);
	assert_int_equal(base, 0x4e000000);
	assert_int_equal(length, 0x1000);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *what, *part;
		struct change change;
	} row[] = {
		/* clang-format off */
		{"no memory", "no memory node", DROP("/memory@40000000", NULL)},
		{"no cells", "must be 1 or 2", CELLS("/", "#address-cells", 0)},
		{"three cells", "must be 1 or 2", CELLS("/", "#address-cells", 3)},
		{"no size", "must be 1 or 2", CELLS("/", "#size-cells", 0)},
		/* clang-format on */
	};
	struct guestdt_facts with = facts;
	struct config_error error;
	size_t i, changed_size;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		void *changed = tree_changed(source, &row[i].change, 1, &changed_size);

		assert_refused(
			guestdt_complete(changed, target, sizeof(target), &facts, &size, &error),
			&error, row[i].what, row[i].part);
		free(changed);
	}
	with.cpu_count = CPUS_MAX + 1;
	assert_refused(guestdt_complete(source, target, sizeof(target), &with, &size, &error),
		       &error, "CPUs", "can't be completed");
	assert_refused(guestdt_complete(source, (uint8_t *)target + 4, 8192, &facts, &size, &error),
		       &error, "aligned", "can't be completed");
}

/* However little room there is, the target is not left, and the sentence says that it is too small.
 */
static void test_room(void **state)
{
	struct config_error error;
	uint32_t room;

	(void)state;
	complete(source, &facts);
	for (room = 0; room <= size; room += room + 64 < size ? 64 : 1) {
		uint64_t *small = malloc(room);
		uint32_t used;
		int result = guestdt_complete(source, small, room, &facts, &used, &error);

		if (room == size) {
			assert_int_equal(result, 0);
		} else {
			assert_refused(result, &error, "room", "does not fit");
		}
		free(small);
	}
}

/* 3,000 nodes that all have to be switched off: no quadratic cost, and nothing lost. */
/* Makes @count of a node with a name of a letter and four digits; libfdt would look at all for each
 * one. */
static void repeat(uint8_t *tree, int node, uint32_t count)
{
	const uint32_t length = (uint32_t)(fdt_next_node(tree, node, NULL) - node);
	const uint32_t more = (count - 1) * length, strings = fdt_off_dt_strings(tree);
	char *at = (char *)tree + fdt_off_dt_struct(tree) + node;
	char digits[5];

	memmove(at + more, at, (size_t)((char *)tree + strings + fdt_size_dt_strings(tree) - at));
	for (uint32_t i = 0; i < count; i++) {
		memcpy(at + i * length, at + more, length);
		snprintf(digits, sizeof(digits), "%04u", i % 10000);
		memcpy(at + i * length + FDT_TAGSIZE + 1, digits, 4);
	}
	fdt_set_off_dt_strings(tree, strings + more);
	fdt_set_size_dt_struct(tree, fdt_size_dt_struct(tree) + more);
}

static void test_many_nodes(void **state)
{
	uint8_t *room = malloc(TREE_ROOM * 4);
	uint64_t *large = malloc(TREE_ROOM * 8);
	struct config_error error;
	const fdt32_t reg[4] = {0, cpu_to_fdt32(0x20000000), 0, cpu_to_fdt32(0x1000)};
	unsigned int off = 0;
	int node;

	(void)state;
	assert_int_equal(fdt_open_into(source, room, TREE_ROOM * 4), 0);
	node = fdt_add_subnode(room, 0, "n0000");
	assert_int_equal(fdt_setprop(room, node, "reg", reg, sizeof(reg)), 0);
	assert_int_equal(fdt_setprop_string(room, node, "compatible", "a"), 0);
	repeat(room, node, 3000);
	fdt_pack(room);
	assert_int_equal(guestdt_complete(room, large, TREE_ROOM * 8, &facts, &size, &error), 0);
	for (node = 0; node >= 0; node = fdt_next_node(large, node, NULL)) {
		const char *status = fdt_getprop(large, node, "status", NULL);

		off += status != NULL && strcmp(status, "disabled") == 0;
	}
	assert_int_equal(off, 3000 + 3 + 1); /* one was switched off in the source */
	free(large);
	free(room);
}

/* Trees with spoilt bytes give a sound tree or a sentence. */
static void test_spoilt(void **state)
{
	uint32_t random = 11, i, accepted = 0;
	struct config_error error;
	struct dt dt;

	(void)state;
	for (i = 0; i < 20000; i++) {
		uint8_t *spoilt = tree_exact(source, source_size);

		tree_spoil(spoilt, source_size, &random);
		fdt_set_totalsize(spoilt, (uint32_t)source_size);
		error_fill(&error);
		if (guestdt_complete(spoilt, target, sizeof(target), &facts, &size, &error) != 0) {
			assert_refused(-1, &error, "spoilt", "");
		} else {
			assert_int_equal(dt_open(&dt, target, size, "the new tree", &error), 0);
			assert_true(node_at("/cpus") > 0 && node_at("/chosen") > 0);
			accepted++;
		}
		free(spoilt);
	}
	print_message("%u of %u spoilt trees were completed\n", accepted, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),        cmocka_unit_test(test_rest_is_kept),
		cmocka_unit_test(test_cpus),         cmocka_unit_test(test_missing_nodes),
		cmocka_unit_test(test_sparse_facts), cmocka_unit_test(test_one_cell),
		cmocka_unit_test(test_reservations), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_room),         cmocka_unit_test(test_many_nodes),
		cmocka_unit_test(test_spoilt),
	};

	return cmocka_run_group_tests_name("guestdt", tests, load, unload);
}
