/* SPDX-License-Identifier: BSD-2-Clause */
/* Device trees for tests: loaded, changed, and put where the sanitizer sees a byte read too many.
 */
#ifndef TESTS_TREE_H
#define TESTS_TREE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libfdt.h>
#include "hyp/config.h"

#define TREE_ROOM 0x40000 /* bytes that a tree under change may take */

/* A copy of @size bytes that ends where its memory ends. */
static inline void *tree_exact(const void *bytes, size_t size)
{
	void *copy = malloc(size);

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	return copy;
}

/* The file UNIT_DIR/trees/@name; its size in bytes in *size. */
static inline void *tree_load(const char *name, size_t *size)
{
	static char buffer[TREE_ROOM];
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/trees/%s", UNIT_DIR, name);
	file = fopen(path, "rb");
	if (file == NULL) {
		fail_msg("%s is missing", path);
	}
	*size = fread(buffer, 1, sizeof(buffer), file);
	fclose(file);
	return tree_exact(buffer, *size);
}

/* One change to a tree. A node that does not exist is made, but not its parent. */
struct change {
	const char *path;
	const char *property; /* NULL: the node itself */
	enum { CHANGE_BYTES = 1, CHANGE_CELLS, CHANGE_DROP, CHANGE_ADD } kind;
	const char *bytes;
	int size; /* bytes */
	uint32_t cell[20];
};

/* clang-format off */
#define CELLS(path, name, ...) \
	{path, name, CHANGE_CELLS, NULL, sizeof((const uint32_t[]){__VA_ARGS__}), {__VA_ARGS__}}
#define STRING(path, name, value) {path, name, CHANGE_BYTES, value, sizeof(value), {0}}
#define BYTES(path, name, value)  {path, name, CHANGE_BYTES, value, sizeof(value) - 1, {0}}
#define EMPTY(path, name)         {path, name, CHANGE_BYTES, "", 0, {0}}
#define DROP(path, name)          {path, name, CHANGE_DROP, NULL, 0, {0}}
#define ADD(path)                 {path, NULL, CHANGE_ADD, NULL, 0, {0}}
/* clang-format on */

static inline int tree_node(void *tree, const char *path)
{
	int node = fdt_path_offset(tree, path), parent;
	const char *name = strrchr(path, '/');

	if (node == -FDT_ERR_NOTFOUND) {
		parent = name == path ? 0 : fdt_path_offset_namelen(tree, path, (int)(name - path));
		assert_true(parent >= 0);
		node = fdt_add_subnode(tree, parent, name + 1);
	}
	if (node < 0) {
		fail_msg("%s: %s", path, fdt_strerror(node));
	}
	return node;
}

static inline void tree_change(void *tree, const struct change *change)
{
	uint32_t cells[20];
	int node = tree_node(tree, change->path), result = 0, i;

	if (change->kind == CHANGE_DROP) {
		result = change->property != NULL ? fdt_delprop(tree, node, change->property)
						  : fdt_del_node(tree, node);
	} else if (change->kind == CHANGE_BYTES) {
		result = fdt_setprop(tree, node, change->property, change->bytes, change->size);
	} else if (change->kind == CHANGE_CELLS) {
		for (i = 0; i < change->size / 4; i++) {
			cells[i] = cpu_to_fdt32(change->cell[i]);
		}
		result = fdt_setprop(tree, node, change->property, cells, change->size);
	}
	if (result != 0) {
		fail_msg("%s %s: %s", change->path, change->property ? change->property : "",
			 fdt_strerror(result));
	}
}

/* A copy of @tree with up to @count changes (a path of NULL ends them), exactly as large as it is.
 */
static inline void *tree_changed(const void *tree, const struct change *change, unsigned int count,
				 size_t *size)
{
	void *room = malloc(TREE_ROOM), *copy;
	unsigned int i;

	assert_non_null(room);
	assert_int_equal(fdt_open_into(tree, room, TREE_ROOM), 0);
	for (i = 0; i < count && change[i].path != NULL; i++) {
		tree_change(room, &change[i]);
	}
	assert_int_equal(fdt_pack(room), 0);
	*size = fdt_totalsize(room);
	copy = tree_exact(room, *size);
	free(room);
	return copy;
}

/* Asserts that a refusal is a whole sentence that has @part in it. */
static inline void assert_refused(int result, const struct config_error *error, const char *what,
				  const char *part)
{
	if (result >= 0) {
		fail_msg("%s: accepted", what);
	}
	if (strlen(error->text) < 20 || strlen(error->text) >= sizeof(error->text) - 1) {
		fail_msg("%s: not a whole sentence: %s", what, error->text);
	}
	if (strstr(error->text, part) == NULL) {
		fail_msg("%s: the sentence is: %s: %s: %s", what, error->node, error->property,
			 error->text);
	}
}

/* A refusal before the call: whatever stays of it was not written. */
static inline void error_fill(struct config_error *error)
{
	memset(error, 0, sizeof(*error));
	memset(error->node, 'n', sizeof(error->node) - 1);
}

/* xorshift32: the same numbers in every run. */
static inline uint32_t tree_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Spoils a few bytes or words of a tree, its header and its structure more often than the rest. */
static inline void tree_spoil(uint8_t *tree, size_t size, uint32_t *state)
{
	static const uint32_t value[] = {0,          1,          2,          3,          4,
					 9,          0xffffffff, 0x7fffffff, 0x80000000, 0xfffffff4,
					 0xfffffffc, 0x100,      0x1000};
	uint32_t count = 1 + tree_random(state) % 3;

	while (count-- > 0) {
		uint32_t at =
			tree_random(state) % (tree_random(state) % 4 == 0 ? 40 : (uint32_t)size);
		uint32_t word = cpu_to_fdt32(value[tree_random(state) % 13]);

		if (tree_random(state) % 2 == 0) {
			tree[at] = (uint8_t)tree_random(state);
		} else {
			memcpy(tree + (at & ~3u), &word,
			       size - (at & ~3u) < 4 ? size - (at & ~3u) : 4);
		}
	}
}

#endif
