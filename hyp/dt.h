/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader of flattened device trees that trusts nothing in them. Pure.
 *
 * dt_open() checks the whole tree once, in time linear in its size; after that the other functions
 * read it in place and none can leave it. libfdt 1.6.1 is not used for this: its fdt_check_full()
 * never ends on a property of length 0xfffffff4, its look-ups cost some 500 instructions for each
 * property that they pass (the board's tree is read with the caches off), and aliases that name
 * each other make it recurse.
 *
 * Needs no memory of its own; position independent; all loads are aligned.
 * Source: Devicetree Specification v0.3, chapters 2 and 5.
 */
#ifndef HYP_DT_H
#define HYP_DT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config.h"

#define DT_DEPTH_MAX 32 /* the root and 31 levels below it */
#define DT_NODES_MAX 4096
#define DT_NAME_MAX  63 /* bytes of a property's name; the specification allows 31 */
#define DT_NONE      UINT32_MAX

/* A tree that dt_open() accepted. */
struct dt {
	const uint8_t *structure;
	const char *strings;
	const uint8_t *reservations;
	uint32_t size; /* bytes of the whole tree, with the room that loaders leave in it */
	uint32_t used; /* bytes of its structure and strings */
	uint32_t end;  /* offset behind the last of its blocks */
	struct config_error *error;
};

/* A node and the way to it: the offsets of the root (node[0]) down to the node (node[depth]). */
struct dt_at {
	const struct dt *dt;
	uint32_t node[DT_DEPTH_MAX];
	unsigned int depth;
};

struct dt_property {
	const char *name;
	const uint8_t *value; /* 4-byte aligned */
	uint32_t length;      /* bytes */
};

/* The big-endian word at @at, which is 4-byte aligned. */
static inline uint32_t dt_word(const void *at)
{
	return __builtin_bswap32(*(const uint32_t *)__builtin_assume_aligned(at, 4));
}

/* The number that @count cells at @at make, 1 or 2. */
static inline uint64_t dt_cells(const uint8_t *at, uint32_t count)
{
	return count == 1 ? dt_word(at) : (uint64_t)dt_word(at) << 32 | dt_word(at + 4);
}

/*
 * Checks the tree at @tree, 4-byte aligned, of which @limit bytes may be read.
 * @what: how a sentence calls it, for instance "the guest's device tree".
 * @error: for the sentence, also of dt_refuse() later.
 * Returns 0; -EINVAL with *error filled.
 */
int dt_open(struct dt *dt, const void *tree, uint64_t limit, const char *what,
	    struct config_error *error);

/* Reads entry @index of the memory reservation block. Returns false beyond the last. */
bool dt_reservation(const struct dt *dt, uint32_t index, struct range *range);

/* Goes to the root; to the next node in the tree's order; past all below the current node. */
void dt_root(struct dt_at *at, const struct dt *dt);
bool dt_next(struct dt_at *at);
bool dt_skip(struct dt_at *at);

/*
 * Goes to the child of this @name, of which @length bytes count; "uart" also finds "uart@9000000".
 * dt_find: goes to the node of this absolute path. @at is undefined after false.
 */
bool dt_child(struct dt_at *at, const char *name, uint32_t length);
bool dt_find(struct dt_at *at, const struct dt *dt, const char *path, uint32_t length);

/* The same for a path, or an alias for one. */
bool dt_find_named(struct dt_at *at, const struct dt *dt, const char *name, uint32_t length);

/* Goes to the node that has this phandle. @at is undefined after false. */
bool dt_find_phandle(struct dt_at *at, const struct dt *dt, uint32_t phandle);

/* Goes to the node of /chosen stdout-path: a path or an alias; what follows a ':' is ignored. */
bool dt_stdout(struct dt_at *at, const struct dt *dt);

static inline uint32_t dt_node(const struct dt_at *at)
{
	return at->node[at->depth];
}

const char *dt_name(const struct dt *dt, uint32_t node);

/* Writes the node's path; one that is longer than @size - 1 bytes keeps its end, after "...". */
void dt_path(const struct dt_at *at, char *path, size_t size);

/* dt_each: *position is 0 at first. Returns false after the node's last property. */
bool dt_each(const struct dt *dt, uint32_t node, uint32_t *position, struct dt_property *property);
/* The value of a property and its length in bytes, NULL if the node has no such property. */
const uint8_t *dt_get(const struct dt *dt, uint32_t node, const char *name, uint32_t *length);
bool dt_has(const struct dt *dt, uint32_t node, const char *name);
/* A property that is one string with its NUL; else NULL. */
const char *dt_string(const struct dt *dt, uint32_t node, const char *name);
/* A property that is one cell or, of dt_number, one or two cells. Returns false if it is not. */
bool dt_cell(const struct dt *dt, uint32_t node, const char *name, uint32_t *value);
bool dt_number(const struct dt *dt, uint32_t node, const char *name, uint64_t *value);

bool dt_same(const char *a, const char *b);
bool dt_begins(const char *string, const char *prefix);
/* Bytes of a string, without its NUL. */
uint32_t dt_length(const char *string);
/* Whether a property is the string @string, and whether `compatible` has @string in its list. */
bool dt_is(const struct dt *dt, uint32_t node, const char *name, const char *string);
bool dt_compatible(const struct dt *dt, uint32_t node, const char *string);
/* No `status`, or "okay" or "ok". */
bool dt_enabled(const struct dt *dt, uint32_t node);
/* An interrupt controller that is a GICv2 (or a Cortex-A9's, which a guest can't tell). */
bool dt_is_gic(const struct dt *dt, uint32_t node);
/* Goes to the first such node that is enabled. */
bool dt_find_gic(struct dt_at *at, const struct dt *dt);
/* The node's phandle, 0 if it has none. */
uint32_t dt_phandle(const struct dt *dt, uint32_t node);

/* #address-cells and #size-cells of a node, 2 and 1 if it has none, DT_NONE if malformed. */
uint32_t dt_address_cells(const struct dt *dt, uint32_t node);
uint32_t dt_size_cells(const struct dt *dt, uint32_t node);

/*
 * Entry @index of `reg`, translated through the `ranges` of all parents up to the root.
 * Returns 0; -ENOENT: no such entry; -ENXIO: the root can't address it (a bus without ranges, or
 * with three cells); -EINVAL: malformed, or it wraps around.
 */
int dt_reg(const struct dt_at *at, unsigned int index, struct range *range);

/*
 * Takes @range, addresses of children of @at's node at @level, through the `ranges` of that node
 * and its parents up to the root. The errors are those of dt_reg().
 */
int dt_to_root(const struct dt_at *at, unsigned int level, struct range *range);

/* The phandle of the controller that `interrupts` go to: the node's own or inherited; 0 if none. */
uint32_t dt_interrupt_parent(const struct dt_at *at);

/*
 * Entry @index of `interrupts` as an INTID, 16 to 1019, of the GIC whose phandle is @gic: three
 * cells, or what one `interrupt-map` that leads to no one else makes three cells of. Returns 0;
 * -ENOENT: no such entry; -ENXIO: it goes to another controller; -EINVAL: malformed. Source: GICv2
 * IHI 0048B 2.2.1; the binding arm,gic: 0 n is SPI 32 + n, 1 n is PPI 16 + n.
 */
int dt_interrupt(const struct dt_at *at, unsigned int index, uint32_t gic, uint32_t *intid);

/* refuse() into the tree's error, with the node's path; @property may be NULL. See refuse.h. */
int dt_refuse(const struct dt_at *at, const char *property, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
