/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands for hyp/dt.c and hyp/dtmap.c, and for refuse.c, in the proofs of what reads trees: any answer that dt.h lets them give to any
 * question: a value of a property with all of its bytes, a string with its NUL, a way to a node of at most
 * DT_DEPTH_MAX levels, numbers within their ranges. That they keep to it is not proved: it's what test_dt.c,
 * test_dtmap.c and fuzz_config.c are about. An answer depends on nothing, not even on the same question before, and what
 * a refusal leaves where the answer would be is arbitrary, too. A property has up to PROPERTY bytes, in as much memory: a run
 * proves that PROPERTY of them are not left; so there are runs for each size that matters.
 */
#ifndef TESTS_TREES_H
#define TESTS_TREES_H

#include "hyp/dt.h"

#ifndef TEXT
#define TEXT 8 /* bytes of a string, with the NUL */
#endif

/*@ assigns \result, *error \from \nothing;
    ensures \result == -22; */
int refuse(struct config_error *error, const char *pattern, ...);
/*@ requires \valid_read(at) && \initialized(&at->dt) && at->depth < DT_DEPTH_MAX;
    requires property == \null || \valid_read(property);
    assigns \result \from \nothing;
    ensures \result == -22; */
int dt_refuse(const struct dt_at *at, const char *property, const char *format, ...);

void copy_printable(char *to, size_t size, const char *text)
{
	/*@ assert size > 0 && \valid(to + (0 .. size - 1)); */
	strlen(text);
	Frama_C_make_unknown(to, size - 1);
	to[size - 1] = '\0';
}

static uint64_t any64(void)
{
	return (uint64_t)any() << 32 | any();
}

static const char *any_string(void)
{
	static char text[TEXT];

	Frama_C_make_unknown(text, TEXT - 1);
	return text;
}

/* Somewhere, from level @least on. */
static void go(struct dt_at *at, const struct dt *dt, unsigned int least)
{
	Frama_C_make_unknown((char *)at->node, sizeof(at->node));
	at->dt = dt;
	at->depth = up_to(DT_DEPTH_MAX - 1);
	if (at->depth < least) {
		at->depth = least;
	}
}

int dt_open(struct dt *dt, const void *tree, uint64_t limit, const char *what,
	    struct config_error *error)
{
	dt->error = error;
	dt->size = up_to(INT32_MAX);
	dt->used = any();
	dt->end = up_to(INT32_MAX);
	return maybe() ? 0 : -22;
}

bool dt_reservation(const struct dt *dt, uint32_t index, struct range *range)
{
	*range = (struct range){any64(), any64()};
	return maybe();
}

void dt_root(struct dt_at *at, const struct dt *dt)
{
	go(at, dt, 0);
	at->depth = 0;
}

bool dt_next(struct dt_at *at)
{
	const bool more = maybe();

	go(at, at->dt, more);
	return more;
}

bool dt_skip(struct dt_at *at)
{
	return dt_next(at);
}

const char *dt_name(const struct dt *dt, uint32_t node)
{
	return any_string();
}

static const uint8_t *any_value(uint32_t *length)
{
	static uint8_t value[PROPERTY];

	Frama_C_make_unknown((char *)value, PROPERTY);
	*length = up_to(PROPERTY);
	return value;
}

bool dt_each(const struct dt *dt, uint32_t node, uint32_t *position, struct dt_property *property)
{
	*position = any();
	property->name = any_string();
	property->value = any_value(&property->length);
	return maybe();
}

const uint8_t *dt_get(const struct dt *dt, uint32_t node, const char *name, uint32_t *length)
{
	const bool found = maybe();

	/*@ split found; */
	*length = 0;
	return found ? any_value(length) : NULL;
}

bool dt_has(const struct dt *dt, uint32_t node, const char *name)
{
	return maybe();
}

const char *dt_string(const struct dt *dt, uint32_t node, const char *name)
{
	return maybe() ? any_string() : NULL;
}

bool dt_number(const struct dt *dt, uint32_t node, const char *name, uint64_t *value)
{
	*value = any64();
	return maybe();
}

bool dt_cell(const struct dt *dt, uint32_t node, const char *name, uint32_t *value)
{
	*value = any();
	return maybe();
}

uint32_t dt_length(const char *string)
{
	return strlen(string);
}

bool dt_same(const char *a, const char *b)
{
	return strlen(a) <= SIZE_MAX - strlen(b) && maybe();
}

bool dt_begins(const char *string, const char *prefix)
{
	return strlen(string) >= strlen(prefix) && maybe();
}

bool dt_is(const struct dt *dt, uint32_t node, const char *name, const char *string)
{
	return strlen(string) != 0 && maybe();
}

bool dt_compatible(const struct dt *dt, uint32_t node, const char *string)
{
	return strlen(string) != 0 && maybe();
}

bool dt_enabled(const struct dt *dt, uint32_t node)
{
	return maybe();
}

bool dt_is_gic(const struct dt *dt, uint32_t node)
{
	return maybe();
}

uint32_t dt_phandle(const struct dt *dt, uint32_t node)
{
	return any();
}

uint32_t dt_address_cells(const struct dt *dt, uint32_t node)
{
	uint32_t cells = maybe() ? up_to(4) : DT_NONE;

	/*@ split cells; */
	return cells;
}

uint32_t dt_size_cells(const struct dt *dt, uint32_t node)
{
	uint32_t cells = maybe() ? up_to(4) : DT_NONE;

	/*@ split cells; */
	return cells;
}

static bool anywhere(struct dt_at *at, const struct dt *dt)
{
	go(at, dt, 0);
	return maybe();
}

bool dt_child(struct dt_at *at, const char *name, uint32_t length)
{
	/*@ assert length == 0 || \valid_read(name + (0 .. length - 1)); */
	return dt_next(at);
}

bool dt_find(struct dt_at *at, const struct dt *dt, const char *path, uint32_t length)
{
	/*@ assert length == 0 || \valid_read(path + (0 .. length - 1)); */
	return anywhere(at, dt);
}

bool dt_find_named(struct dt_at *at, const struct dt *dt, const char *name, uint32_t length)
{
	/*@ assert length == 0 || \valid_read(name + (0 .. length - 1)); */
	return anywhere(at, dt);
}

bool dt_find_phandle(struct dt_at *at, const struct dt *dt, uint32_t phandle)
{
	return anywhere(at, dt);
}

bool dt_stdout(struct dt_at *at, const struct dt *dt)
{
	return anywhere(at, dt);
}

bool dt_find_gic(struct dt_at *at, const struct dt *dt)
{
	return anywhere(at, dt);
}

void dt_path(const struct dt_at *at, char *path, size_t size)
{
	/*@ assert size >= 4 && \valid(path + (0 .. size - 1)); */
	Frama_C_make_unknown(path, size - 1);
	path[size - 1] = '\0';
}

static int any_error(void)
{
	return maybe() ? -22 : maybe() ? -2 : -6;
}

static int any_range(struct range *range)
{
	*range = (struct range){any64(), any64()};
	return maybe() ? 0 : any_error();
}

int dt_reg(const struct dt_at *at, unsigned int index, struct range *range)
{
	const int result = any_range(range);

	return at->depth == 0 ? -2 : result;
}

int dt_to_root(const struct dt_at *at, unsigned int level, struct range *range)
{
	/*@ assert level < DT_DEPTH_MAX; */
	return any_range(range);
}

uint32_t dt_interrupt_parent(const struct dt_at *at)
{
	return any();
}

int dt_interrupt(const struct dt_at *at, unsigned int index, uint32_t gic, uint32_t *intid)
{
	*intid = any();
	if (maybe()) {
		*intid = 16 + up_to(1003);
		return 0;
	}
	return any_error();
}
#endif
