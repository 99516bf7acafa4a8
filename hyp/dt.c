/* SPDX-License-Identifier: BSD-2-Clause */
/* A reader of flattened device trees that trusts nothing in them. Pure. */
#include <errno.h>
#include "dt.h"
#include "refuse.h"

/* Devicetree Specification v0.3, 5.2 and 5.4.1. */
#define DT_MAGIC      0xd00dfeed
#define DT_HEADER     40 /* bytes */
#define DT_BEGIN_NODE 1
#define DT_END_NODE   2
#define DT_PROP       3
#define DT_NOP        4
#define DT_END        9

/* Word numbers in the header. */
enum {
	HEAD_MAGIC,
	HEAD_SIZE,
	HEAD_STRUCTURE,
	HEAD_STRINGS,
	HEAD_RESERVATIONS,
	HEAD_VERSION,
	HEAD_COMPATIBLE,
	HEAD_BOOT_CPU,
	HEAD_STRINGS_SIZE,
	HEAD_STRUCTURE_SIZE
};

/* A tree on its way through dt_open(). */
struct check {
	const struct dt *dt;
	uint32_t structure_size, strings_size;
	uint32_t at; /* the token under check, bytes into the structure block */
	uint32_t next;
	unsigned int depth; /* nodes open */
	unsigned int nodes;
	bool closed; /* the last thing seen in the open node was the end of a child */
};

static uint32_t round_up_4(uint32_t value)
{
	return (value + 3) & ~3u;
}

/*
 * Whether one of the word's bytes is 0. Names of nodes are passed by words: they begin at one, and
 * the board's tree is read with the caches off, where each load takes as long.
 */
static bool has_nul(uint32_t word)
{
	return ((word - 0x01010101) & ~word & 0x80808080) != 0;
}

static const char *check_property(struct check *check)
{
	uint32_t left = check->structure_size - check->at;
	const uint8_t *token = check->dt->structure + check->at;
	uint32_t name, i;

	if (check->depth == 0) {
		return "a property stands outside the root node";
	}
	if (check->closed) {
		return "a property stands after a child node";
	}
	if (left < 12 || dt_word(token + 4) > left - 12) {
		return "a property goes beyond the structure block";
	}
	check->next = check->at + 12 + round_up_4(dt_word(token + 4));
	name = dt_word(token + 8);
	for (i = name; i < check->strings_size && i - name <= DT_NAME_MAX; i++) {
		if (check->dt->strings[i] == '\0') {
			return NULL;
		}
	}
	return "the name of a property is too long or outside the strings block";
}

static const char *check_begin(struct check *check)
{
	const uint8_t *structure = check->dt->structure;
	uint32_t name = check->at + 4, last = name; /* the word that ends the name */

	if (check->depth == 0 && check->nodes > 0) {
		return "there is a second root node";
	}
	if (++check->nodes > DT_NODES_MAX) {
		return "there are more than 4096 nodes; leave out those that are not needed";
	}
	if (++check->depth > DT_DEPTH_MAX) {
		return "nodes are nested more than 32 deep";
	}
	check->closed = false;
	while (last < check->structure_size && !has_nul(dt_word(structure + last))) {
		last += 4;
	}
	if (last == check->structure_size) {
		return "the name of a node goes beyond the structure block";
	}
	if (check->depth == 1 && structure[name] != '\0') {
		return "the root node has a name";
	}
	check->next = last + 4;
	return NULL;
}

static const char *check_end(struct check *check)
{
	if (check->depth == 0) {
		return "a node ends that never began";
	}
	check->depth--;
	check->closed = true;
	return NULL;
}

/* Returns NULL for a sound structure block; else what is wrong, at check->at. */
static const char *check_structure(struct check *check)
{
	const char *wrong = NULL;

	for (; wrong == NULL && check->at < check->structure_size; check->at = check->next) {
		uint32_t token = dt_word(check->dt->structure + check->at);

		check->next = check->at + 4;
		if (token == DT_PROP) {
			wrong = check_property(check);
		} else if (token == DT_BEGIN_NODE) {
			wrong = check_begin(check);
		} else if (token == DT_END_NODE) {
			wrong = check_end(check);
		} else if (token == DT_END) {
			return check->depth == 0 && check->nodes > 0 ? NULL
								     : "it ends within a node";
		} else if (token != DT_NOP) {
			wrong = "there is an unknown token";
		}
		if (wrong != NULL) {
			return wrong;
		}
	}
	return "the structure block has no end";
}

/* Bytes of the reservations, two 64-bit words each, the last of size 0; 0: no end in @left bytes.
 */
static uint32_t reservations_size(const struct dt *dt, uint32_t left)
{
	uint32_t i;

	for (i = 0; left - i >= 16; i += 16) {
		if ((dt_word(dt->reservations + i + 8) | dt_word(dt->reservations + i + 12)) == 0) {
			return i + 16;
		}
	}
	return 0;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static int check_header(const uint32_t *head, uint64_t limit, const char *what,
			struct config_error *error)
{
	if (((uintptr_t)head & 3) != 0) {
		return refuse(error, "%s is not at a multiple of 4 bytes; pack it anew, aligned",
			      what);
	}
	if (limit < DT_HEADER) {
		return refuse(error, "%s is cut off: its header alone takes 40 bytes", what);
	}
	if (dt_word(head + HEAD_MAGIC) != DT_MAGIC) {
		return refuse(error, "%s does not begin as device trees do: %x is not 0xd00dfeed",
			      what, (unsigned int)dt_word(head + HEAD_MAGIC));
	}
	if (dt_word(head + HEAD_VERSION) < 17 || dt_word(head + HEAD_COMPATIBLE) > 17) {
		return refuse(error, "%s is of version %u; make one of version 17 (dtc -V 17)",
			      what, (unsigned int)dt_word(head + HEAD_VERSION));
	}
	if (dt_word(head + HEAD_SIZE) > limit) {
		return refuse(error, "%s is cut off: it should have %x bytes, and has at most %llx",
			      what, (unsigned int)dt_word(head + HEAD_SIZE),
			      (unsigned long long)limit);
	}
	return 0;
}

/* Whether @bytes at @offset lie in a tree of @size bytes, behind its header. */
static bool block_inside(uint32_t size, uint32_t offset, uint32_t bytes)
{
	return offset >= DT_HEADER && offset <= size && bytes <= size - offset;
}

/* Finds the three blocks and checks them. Returns NULL if they are sound, else what is wrong. */
static const char *check_blocks(struct check *check, struct dt *dt, const uint32_t *head)
{
	uint32_t structure = dt_word(head + HEAD_STRUCTURE), strings = dt_word(head + HEAD_STRINGS);
	uint32_t reservations = dt_word(head + HEAD_RESERVATIONS);

	dt->size = dt_word(head + HEAD_SIZE);
	check->structure_size = dt_word(head + HEAD_STRUCTURE_SIZE);
	check->strings_size = dt_word(head + HEAD_STRINGS_SIZE);
	if (dt->size > INT32_MAX || !block_inside(dt->size, reservations, 0) ||
	    !block_inside(dt->size, structure, check->structure_size) ||
	    !block_inside(dt->size, strings, check->strings_size)) {
		return "the header names a block outside of the tree";
	}
	if (((reservations | structure | check->structure_size) & 3) != 0) {
		return "the header names a block that is not aligned";
	}
	dt->structure = (const uint8_t *)head + structure;
	dt->strings = (const char *)head + strings;
	dt->reservations = (const uint8_t *)head + reservations;
	dt->used = check->structure_size + check->strings_size;
	dt->end = reservations_size(dt, dt->size - reservations);
	if (dt->end == 0) {
		return "the list of reserved memory has no end";
	}
	dt->end = larger(reservations + dt->end,
			 larger(structure + check->structure_size, strings + check->strings_size));
	return check_structure(check);
}

int dt_open(struct dt *dt, const void *tree, uint64_t limit, const char *what,
	    struct config_error *error)
{
	struct check check = {.dt = dt};
	int result = check_header(tree, limit, what, error);
	const char *wrong;

	dt->error = error;
	if (result != 0) {
		return result;
	}
	wrong = check_blocks(&check, dt, tree);
	if (wrong != NULL) {
		return refuse(error, "%s is broken, %x bytes into its structure: %s", what,
			      (unsigned int)check.at, wrong);
	}
	return 0;
}

bool dt_reservation(const struct dt *dt, uint32_t index, struct range *range)
{
	range->base = dt_cells(dt->reservations + 16 * (size_t)index, 2);
	range->size = dt_cells(dt->reservations + 16 * (size_t)index + 8, 2);
	return range->size != 0;
}

const char *dt_name(const struct dt *dt, uint32_t node)
{
	return (const char *)dt->structure + node + 4;
}

/* Offset of the first token after the node's name. */
static uint32_t node_body(const struct dt *dt, uint32_t node)
{
	uint32_t last = node + 4;

	while (!has_nul(dt_word(dt->structure + last))) {
		last += 4;
	}
	return last + 4;
}

static uint32_t after_property(const struct dt *dt, uint32_t position)
{
	return position + 12 + round_up_4(dt_word(dt->structure + position + 4));
}

void dt_root(struct dt_at *at, const struct dt *dt)
{
	at->dt = dt;
	at->depth = 0;
	at->node[0] = 0;
	while (dt_word(dt->structure + at->node[0]) == DT_NOP) {
		at->node[0] += 4;
	}
}

bool dt_next(struct dt_at *at)
{
	uint32_t position = node_body(at->dt, dt_node(at));

	for (;;) {
		uint32_t token = dt_word(at->dt->structure + position);

		if (token == DT_BEGIN_NODE) {
			at->node[++at->depth] = position;
			return true;
		}
		if (token == DT_PROP) {
			position = after_property(at->dt, position);
		} else if (token == DT_END_NODE && at->depth == 0) {
			return false;
		} else {
			at->depth -= token == DT_END_NODE;
			position += 4;
		}
	}
}

bool dt_skip(struct dt_at *at)
{
	unsigned int depth = at->depth;

	do {
		if (!dt_next(at)) {
			return false;
		}
	} while (at->depth > depth);
	return true;
}

bool dt_each(const struct dt *dt, uint32_t node, uint32_t *position, struct dt_property *property)
{
	uint32_t at = *position != 0 ? *position : node_body(dt, node);
	const uint8_t *token;

	while (dt_word(dt->structure + at) == DT_NOP) {
		at += 4;
	}
	token = dt->structure + at;
	if (dt_word(token) != DT_PROP) {
		return false;
	}
	property->length = dt_word(token + 4);
	property->name = dt->strings + dt_word(token + 8);
	property->value = token + 12;
	*position = after_property(dt, at);
	return true;
}

bool dt_same(const char *a, const char *b)
{
	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	return *a == *b;
}

bool dt_begins(const char *string, const char *prefix)
{
	while (*string == *prefix && *prefix != '\0') {
		string++;
		prefix++;
	}
	return *prefix == '\0';
}

uint32_t dt_length(const char *string)
{
	uint32_t length = 0;

	while (string[length] != '\0') {
		length++;
	}
	return length;
}

const uint8_t *dt_get(const struct dt *dt, uint32_t node, const char *name, uint32_t *length)
{
	struct dt_property property;
	uint32_t position = 0;

	while (dt_each(dt, node, &position, &property)) {
		if (dt_same(property.name, name)) {
			*length = property.length;
			return property.value;
		}
	}
	*length = 0;
	return NULL;
}

bool dt_has(const struct dt *dt, uint32_t node, const char *name)
{
	uint32_t length;

	return dt_get(dt, node, name, &length) != NULL;
}

const char *dt_string(const struct dt *dt, uint32_t node, const char *name)
{
	uint32_t length, i = 0;
	const char *value = (const char *)dt_get(dt, node, name, &length);

	while (i < length && value[i] != '\0') {
		i++;
	}
	return value != NULL && i + 1 == length ? value : NULL;
}

bool dt_number(const struct dt *dt, uint32_t node, const char *name, uint64_t *value)
{
	uint32_t length;
	const uint8_t *cells = dt_get(dt, node, name, &length);

	if (cells == NULL || (length != 4 && length != 8)) {
		return false;
	}
	*value = dt_cells(cells, length / 4);
	return true;
}

bool dt_cell(const struct dt *dt, uint32_t node, const char *name, uint32_t *value)
{
	uint32_t length;
	const uint8_t *cells = dt_get(dt, node, name, &length);

	if (cells == NULL || length != 4) {
		return false;
	}
	*value = dt_word(cells);
	return true;
}

bool dt_is(const struct dt *dt, uint32_t node, const char *name, const char *string)
{
	const char *value = dt_string(dt, node, name);

	return value != NULL && dt_same(value, string);
}

bool dt_compatible(const struct dt *dt, uint32_t node, const char *string)
{
	uint32_t length, start = 0, i;
	const char *list = (const char *)dt_get(dt, node, "compatible", &length);

	for (i = 0; i < length; i++) {
		if (list[i] == '\0') {
			if (dt_same(list + start, string)) {
				return true;
			}
			start = i + 1;
		}
	}
	return false;
}

bool dt_enabled(const struct dt *dt, uint32_t node)
{
	return !dt_has(dt, node, "status") || dt_is(dt, node, "status", "okay") ||
	       dt_is(dt, node, "status", "ok");
}

bool dt_is_gic(const struct dt *dt, uint32_t node)
{
	return dt_has(dt, node, "interrupt-controller") &&
	       (dt_compatible(dt, node, "arm,cortex-a15-gic") ||
		dt_compatible(dt, node, "arm,cortex-a7-gic") ||
		dt_compatible(dt, node, "arm,gic-400") ||
		dt_compatible(dt, node, "arm,cortex-a9-gic"));
}

uint32_t dt_phandle(const struct dt *dt, uint32_t node)
{
	uint32_t phandle;

	if (dt_cell(dt, node, "phandle", &phandle) ||
	    dt_cell(dt, node, "linux,phandle", &phandle)) {
		return phandle;
	}
	return 0;
}

static uint32_t count_of_cells(const struct dt *dt, uint32_t node, const char *name,
			       uint32_t absent)
{
	uint32_t count;

	if (!dt_has(dt, node, name)) {
		return absent;
	}
	return dt_cell(dt, node, name, &count) && count <= 4 ? count : DT_NONE;
}

uint32_t dt_address_cells(const struct dt *dt, uint32_t node)
{
	return count_of_cells(dt, node, "#address-cells", 2);
}

uint32_t dt_size_cells(const struct dt *dt, uint32_t node)
{
	return count_of_cells(dt, node, "#size-cells", 1);
}
