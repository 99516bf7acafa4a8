/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader of device trees: what it refuses, that it stays inside, what it finds. */
#include "suite.h"
#include "tree.h"
#include "hyp/dt.h"
#include "hyp/refuse.h"

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

static void put_word(uint8_t *tree, size_t at, uint32_t value)
{
	value = cpu_to_fdt32(value);
	memcpy(tree + at, &value, 4);
}

static int open_exact(const void *bytes, size_t size, struct config_error *error)
{
	void *copy = tree_exact(bytes, size);
	struct dt dt;
	int result;

	error_fill(error);
	result = dt_open(&dt, copy, size, WHAT, error);
	free(copy);
	return result;
}

/* A tree whose structure block is given word by word, with its strings "a" and "reg" at 0 and 2. */
static size_t raw_tree(uint8_t *tree, const uint32_t *word, size_t words)
{
	static const char strings[] = "a\0reg";
	size_t i, at = 56;

	memset(tree, 0, 56);
	for (i = 0; i < words; i++, at += 4) {
		put_word(tree, at, word[i]);
	}
	memcpy(tree + at, strings, sizeof(strings));
	put_word(tree, 0, 0xd00dfeed);
	put_word(tree, 4, (uint32_t)(at + sizeof(strings)));
	put_word(tree, 8, 56);
	put_word(tree, 12, (uint32_t)at);
	put_word(tree, 16, 40);
	put_word(tree, 20, 17);
	put_word(tree, 24, 16);
	put_word(tree, 32, sizeof(strings));
	put_word(tree, 36, (uint32_t)(4 * words));
	return at + sizeof(strings);
}

#define B     1, 0 /* a node begins, its name is empty */
#define E     2
#define P     3
#define N     4
#define X     9
#define NAMED 1, 0x62000000 /* a node "b" begins */

/* clang-format off */
static const struct structure {
	const char *what, *part; /* part NULL: it is sound */
	uint32_t word[16];
	size_t words;
} structures[] = {
	{"the smallest tree", NULL, {B, E, X}, 4},
	{"with NOPs everywhere", NULL, {N, B, N, P, 0, 0, N, NAMED, N, E, E, N, X, N}, 16},
	{"nothing", "no end", {0}, 0},
	{"only an end", "within a node", {X}, 1},
	{"no end", "no end", {B, E}, 3},
	{"a node that stays open", "within a node", {B, X}, 3},
	{"a child that stays open", "within a node", {B, NAMED, E, X}, 6},
	{"an end too many", "never began", {B, E, E, X}, 5},
	{"an end first", "never began", {E, B, E, X}, 5},
	{"two roots", "second root", {B, E, B, E, X}, 7},
	{"a root with a name", "has a name", {NAMED, E, X}, 4},
	{"a property before the root", "outside the root", {P, 0, 0, B, E, X}, 7},
	{"a property behind the root", "outside the root", {B, E, P, 0, 0, X}, 7},
	{"a property behind a child", "after a child", {B, NAMED, E, P, 0, 0, E, X}, 10},
	{"an unknown token", "unknown token", {B, 5, E, X}, 5},
	{"a name without end", "name of a node", {1, 0x62626262}, 2},
	{"a name cut off", "name of a node", {B, 1}, 3},
	{"a property cut off", "goes beyond", {B, P, 4}, 4},
	{"a property too long", "goes beyond", {B, P, 9, 0, E, X}, 7},
	{"a property of -12 bytes", "goes beyond", {B, P, 0xfffffff4, 0, E, X}, 7},
	{"a property of -8 bytes", "goes beyond", {B, P, 0xfffffff8, 0, E, X}, 7},
	{"a property of -1 byte", "goes beyond", {B, P, 0xffffffff, 0, E, X}, 7},
	{"a property of 2^31 bytes", "goes beyond", {B, P, 0x80000000, 0, E, X}, 7},
	{"a name behind the strings", "name of a property", {B, P, 0, 6, E, X}, 7},
	{"a name far behind", "name of a property", {B, P, 0, 0xffffffff, E, X}, 7},
};
/* clang-format on */

static unsigned int count_nodes(const void *tree, size_t size)
{
	void *copy = tree_exact(tree, size);
	struct config_error error;
	unsigned int count = 0;
	struct dt_at at;
	struct dt dt;

	assert_int_equal(dt_open(&dt, copy, size, WHAT, &error), 0);
	dt_root(&at, &dt);
	do {
		assert_false(dt_has(&dt, dt_node(&at), "reg"));
		count++;
	} while (dt_next(&at));
	assert_true(dt_has(&dt, at.node[0], "a") == (count > 1));
	free(copy);
	return count;
}

static void test_structure(void **state)
{
	uint8_t tree[256];
	struct config_error error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(structures) / sizeof(structures[0]); i++) {
		const struct structure *row = &structures[i];
		size_t size = raw_tree(tree, row->word, row->words);
		int result = open_exact(tree, size, &error);

		if (row->part != NULL) {
			assert_refused(result, &error, row->what, row->part);
		} else if (result != 0) {
			fail_msg("%s: %s", row->what, error.text);
		} else {
			assert_int_equal(count_nodes(tree, size), row->words > 4 ? 2 : 1);
		}
	}
}

/* clang-format off */
static const struct header {
	const char *what, *part;
	size_t at;
	uint32_t value;
} headers[] = {
	{"magic", "does not begin", 0, 0xd00dfeee},
	{"an all-zero magic", "does not begin", 0, 0},
	{"too long", "cut off", 4, 0x7fffffff},
	{"longer than 2 GiB", "cut off", 4, 0xffffffff},
	{"no bytes", "outside", 4, 0},
	{"39 bytes", "outside", 4, 39},
	{"structure in the header", "outside", 8, 4},
	{"structure behind the end", "outside", 8, 0x10000000},
	{"structure wraps", "outside", 8, 0xfffffff0},
	{"structure unaligned", "not aligned", 8, 57},
	{"strings behind the end", "outside", 12, 0x10000000},
	{"strings in the header", "outside", 12, 8},
	{"reservations unaligned", "not aligned", 16, 42},
	{"reservations behind the end", "outside", 16, 0x7fffffff},
	{"reservations in the header", "outside", 16, 0},
	{"version 16", "version 16", 20, 16},
	{"version 1", "version 1;", 20, 1},
	{"a version to come", "version", 24, 18},
	{"strings too long", "outside", 32, 0x7fffffff},
	{"strings wrap", "outside", 32, 0xffffffff},
	{"structure too long", "outside", 36, 0x7ffffffc},
	{"structure's size unaligned", "not aligned", 36, 17},
	{"no structure", "no end", 36, 0},
};
/* clang-format on */

static void test_header(void **state)
{
	struct config_error error;
	size_t i, size;

	(void)state;
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		uint8_t *tree = tree_exact(guest, guest_size);

		put_word(tree, headers[i].at, headers[i].value);
		assert_refused(open_exact(tree, guest_size, &error), &error, headers[i].what,
			       headers[i].part);
		assert_string_equal(error.node, "");
		free(tree);
	}
	for (size = 0; size < guest_size; size += size < 64 ? 1 : 64) {
		assert_refused(open_exact(guest, size, &error), &error, "truncated", "cut off");
	}
}

static void test_misaligned(void **state)
{
	uint8_t *bytes = malloc(guest_size + 4);
	struct config_error error;
	struct dt dt;
	unsigned int i;

	(void)state;
	for (i = 1; i < 4; i++) {
		memcpy(bytes + i, guest, guest_size);
		assert_refused(dt_open(&dt, bytes + i, guest_size, WHAT, &error), &error,
			       "misaligned", "multiple of 4");
	}
	free(bytes);
}

/* Reservations that never end, up to the last byte of the tree. */
static void test_reservations(void **state)
{
	uint8_t tree[256];
	static const uint32_t word[] = {B, E, X};
	struct config_error error;
	struct range range;
	struct dt dt;
	size_t size = raw_tree(tree, word, 4);

	(void)state;
	memset(tree + size, 1, sizeof(tree) - size);
	put_word(tree, 4, 128);
	put_word(tree, 16, 80);
	assert_refused(open_exact(tree, 128, &error), &error, "reservations", "no end");
	assert_int_equal(dt_open(&dt, board, board_size, WHAT, &error), 0);
	assert_true(dt_reservation(&dt, 0, &range));
	assert_int_equal(range.base, 0x40000000);
	assert_int_equal(range.size, 0x100000);
	assert_true(dt_reservation(&dt, 1, &range));
	assert_false(dt_reservation(&dt, 2, &range));
}

/* @count nodes, each in the one before it if @deep, else all below the root. */
static uint8_t *many_nodes(uint32_t count, bool deep, size_t *size)
{
	uint8_t *tree = malloc((size_t)count * 64 + 1024);
	int limit = (int)count * 64 + 1024;
	uint32_t i;

	assert_int_equal(fdt_create(tree, limit), 0);
	assert_int_equal(fdt_finish_reservemap(tree), 0);
	for (i = 0; i < count; i++) {
		assert_int_equal(fdt_begin_node(tree, i == 0 ? "" : "node"), 0);
		if (!deep && i > 0) {
			assert_int_equal(fdt_end_node(tree), 0);
		}
	}
	for (i = deep ? count : 1; i > 0; i--) {
		assert_int_equal(fdt_end_node(tree), 0);
	}
	assert_int_equal(fdt_finish(tree), 0);
	*size = fdt_totalsize(tree);
	return tree;
}

static void test_bounds(void **state)
{
	/* clang-format off */
	static const struct {
		uint32_t count;
		bool deep;
		const char *part;
	} row[] = {
		{DT_NODES_MAX, false, NULL},
		{DT_NODES_MAX + 1, false, "more than 4096 nodes"},
		{10000, false, "more than 4096 nodes"},
		{DT_DEPTH_MAX, true, NULL},
		{DT_DEPTH_MAX + 1, true, "more than 32 deep"},
		{1000, true, "more than 32 deep"},
	};
	/* clang-format on */
	struct config_error error;
	size_t i, size;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint8_t *tree = many_nodes(row[i].count, row[i].deep, &size);
		int result = open_exact(tree, size, &error);

		if (row[i].part != NULL) {
			assert_refused(result, &error, row[i].deep ? "deep" : "many", row[i].part);
		} else {
			assert_int_equal(result, 0);
		}
		free(tree);
	}
}

/* A property's name may have 63 bytes, and no name is looked for beyond that. */
static void test_long_names(void **state)
{
	char name[256];
	struct config_error error;
	unsigned int length;

	(void)state;
	for (length = DT_NAME_MAX - 1; length <= DT_NAME_MAX + 2; length++) {
		uint8_t tree[1024];
		int result;

		memset(name, 'p', length);
		name[length] = '\0';
		assert_int_equal(fdt_create_empty_tree(tree, sizeof(tree)), 0);
		assert_int_equal(fdt_setprop(tree, 0, name, NULL, 0), 0);
		result = open_exact(tree, sizeof(tree), &error);
		if (length <= DT_NAME_MAX) {
			assert_int_equal(result, 0);
		} else {
			assert_refused(result, &error, "long name", "too long");
		}
	}
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

static void test_walk(void **state)
{
	struct dt_at at;
	char path[96];
	unsigned int count = 0;

	(void)state;
	find(&at, "/");
	dt_path(&at, path, sizeof(path));
	assert_string_equal(path, "/");
	do { /* the same nodes as libfdt's, in the same order */
		int offset = fdt_path_offset(guest, (dt_path(&at, path, sizeof(path)), path));

		assert_int_equal(offset, (int)dt_node(&at));
		assert_int_equal(fdt_node_depth(guest, offset), at.depth);
		count++;
	} while (dt_next(&at));
	assert_int_equal(count, 32);
	find(&at, "/cpus");
	assert_true(dt_skip(&at));
	assert_string_equal(dt_name(&guest_dt, dt_node(&at)), "psci");
	find(&at, "/pcie");
	assert_false(dt_skip(&at));
}

static void test_find(void **state)
{
	struct dt_at at;

	(void)state;
	find(&at, "//bus/inner//virtio_mmio@3000/");
	assert_string_equal(dt_name(&guest_dt, dt_node(&at)), "virtio_mmio@3000");
	assert_int_equal(at.depth, 3);
	assert_false(dt_find(&at, &guest_dt, "/virtio_mmio@", 13));
	assert_false(dt_find(&at, &guest_dt, "/virtio_mmi", 11));
	assert_false(dt_find(&at, &guest_dt, "/inner", 6));
	assert_false(dt_find(&at, &guest_dt, "cpus", 4));
	assert_false(dt_find(&at, &guest_dt, "xcpus", 5));
	assert_false(dt_find(&at, &guest_dt, "/", 0));
	assert_false(dt_find(&at, &guest_dt, "", 0));
	assert_false(dt_find(&at, &guest_dt, "/pcie/pci/x", 11));
}

static void test_path_is_cut(void **state)
{
	struct dt_at at;
	char path[24], tiny[5];

	(void)state;
	find(&at, "/bus/inner/virtio_mmio@2000");
	dt_path(&at, path, sizeof(path));
	assert_string_equal(path, "...ner/virtio_mmio@2000");
	dt_path(&at, tiny, sizeof(tiny));
	assert_string_equal(tiny, "...0");
}

static void test_properties(void **state)
{
	struct dt_at at;
	uint32_t length, cell;
	uint64_t number;

	(void)state;
	find(&at, "/psci");
	assert_true(dt_compatible(&guest_dt, dt_node(&at), "arm,psci"));
	assert_true(dt_compatible(&guest_dt, dt_node(&at), "arm,psci-1.0"));
	assert_false(dt_compatible(&guest_dt, dt_node(&at), "arm,psci-1."));
	assert_false(dt_compatible(&guest_dt, dt_node(&at), "psci"));
	assert_true(dt_is(&guest_dt, dt_node(&at), "method", "smc"));
	assert_false(dt_is(&guest_dt, dt_node(&at), "method", "sm"));
	assert_null(dt_string(&guest_dt, dt_node(&at), "compatible"));
	assert_null(dt_string(&guest_dt, dt_node(&at), "cpu_on"));
	assert_null(dt_get(&guest_dt, dt_node(&at), "nothing", &length));
	assert_true(dt_cell(&guest_dt, dt_node(&at), "cpu_on", &cell));
	assert_int_equal(cell, 0x84000003);
	find(&at, "/chosen");
	assert_true(dt_number(&guest_dt, dt_node(&at), "kaslr-seed", &number));
	assert_int_equal(number, 0x100000002);
	assert_false(dt_number(&guest_dt, dt_node(&at), "rng-seed", &number));
	assert_false(dt_cell(&guest_dt, dt_node(&at), "kaslr-seed", &cell));
}

/* Every function on every node of trees with spoilt bytes: none leaves the tree, all come back. */
static void test_spoilt(void **state)
{
	uint32_t random = 1, i, accepted = 0;
	struct config_error error;
	struct range range;
	struct dt_at at;
	struct dt dt;
	uint32_t intid;
	char path[64];

	(void)state;
	for (i = 0; i < 20000; i++) {
		uint8_t *tree = tree_exact(guest, guest_size);

		tree_spoil(tree, guest_size, &random);
		error_fill(&error);
		if (dt_open(&dt, tree, guest_size, WHAT, &error) != 0) {
			assert_refused(-1, &error, "spoilt", "the tree ");
		} else {
			accepted++;
			dt_stdout(&at, &dt);
			dt_root(&at, &dt);
			do {
				dt_reg(&at, 0, &range);
				dt_reg(&at, 1, &range);
				dt_interrupt(&at, 0, 1, &intid);
				dt_is_gic(&dt, dt_node(&at));
				dt_string(&dt, dt_node(&at), "model");
				dt_path(&at, path, sizeof(path));
			} while (dt_next(&at));
		}
		free(tree);
	}
	print_message("%u of %u spoilt trees had a sound structure\n", accepted, i);
	assert_true(accepted > 1000 && accepted < 19000);
}

static void test_sentence(void **state)
{
	struct config_error error;
	struct dt_at at;
	char small[4];
	char longest[400];

	(void)state;
	assert_int_equal(refuse(&error, "%s|%u|%u|%llx|%llx|%llx|[", "a\nb\x1b", 0u, 4294967295u,
				0ull, 0x40000000ull, 0xffffffffffffffffull),
			 -22);
	assert_string_equal(error.text, "a?b?|0|4294967295|0x0|0x40000000|0xffffffffffffffff|[");
	assert_string_equal(error.node, "");
	assert_string_equal(error.property, "");
	memset(longest, 'x', sizeof(longest));
	longest[399] = '\0';
	refuse(&error, "%s", longest);
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
	copy_printable(small, sizeof(small), "abcdef");
	assert_string_equal(small, "abc");
	find(&at, "/bus/inner");
	assert_int_equal(dt_refuse(&at, longest, "no %s", "way"), -22);
	assert_string_equal(last.node, "/bus@c000000/inner");
	assert_int_equal(strlen(last.property), sizeof(last.property) - 1);
	assert_string_equal(last.text, "no way");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_structure),   cmocka_unit_test(test_header),
		cmocka_unit_test(test_misaligned),  cmocka_unit_test(test_reservations),
		cmocka_unit_test(test_bounds),      cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_walk),        cmocka_unit_test(test_find),
		cmocka_unit_test(test_path_is_cut), cmocka_unit_test(test_properties),
		cmocka_unit_test(test_spoilt),      cmocka_unit_test(test_sentence),
	};

	return cmocka_run_group_tests_name("dt", tests, load, unload);
}
