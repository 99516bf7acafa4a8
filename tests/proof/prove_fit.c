/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bundle: any tree (trees.h) in front of any bytes, of which an image's are shown to be in the bundle where they are
 * found. What is hashed, compared and shown is what was found.
 * @sources +hyp/fit.c
 * @run -DPROPERTY=4 -eva-precision=1 -eva-warn-undefined-pointer-comparison=none -eva-split-return-function dt_get:0 -eva-slevel-function check_hash:100 -eva-slevel-function read_disks:200 -eva-slevel-function find_data:500
 * @run -DPROPERTY=32 -eva-precision=1 -eva-warn-undefined-pointer-comparison=none -eva-split-return-function dt_get:0 -eva-slevel-function check_hash:100 -eva-slevel-function read_disks:200 -eva-slevel-function find_data:500
 * @split hyp/fit.c position if (position < dt->size)
 * @split hyp/fit.c start result = read_disk(
 * @assert hyp/fit.c position+image->size<=reading->size image->data = reading->base
 * @split hyp/fit.c length if (length == 0
 * @split hyp/fit.c bundle->disk_count for (unsigned int i = 0; i < bundle->disk_count
 * @plant hyp/fit.c s/length != expected/false/
 * @plant hyp/fit.c s/bundle->disk_count == FIT_DISKS_MAX/false/
 * @plant hyp/fit.c s/position > reading->size [|][|]//
 * @plant hyp/fit.c s/image->size > reading->size - position/false/
 * @plant hyp/fit.c s/ [|][|] names.length - 1. != '.0'//
 */
/* These answers depend on more than the others. */
#define dt_get  any_get
#define dt_cell any_cell
#define dt_open any_open
#include "tests/proof/trees.h"
#undef dt_get
#undef dt_cell
#undef dt_open

#define BUNDLE 12u /* bytes, with the tree */

int dt_open(struct dt *dt, const void *tree, uint64_t limit, const char *what,
	    struct config_error *error)
{
	const int result = any_open(dt, tree, limit, what, error);

	dt->size = up_to(BUNDLE);
	return result;
}

/* Where data begin is said to be at most twice the bundle: what adds to it has 64 bits. */
bool dt_cell(const struct dt *dt, uint32_t node, const char *name, uint32_t *value)
{
	*value = strlen(name) == sizeof("data-size") - 1 ? any() : up_to(2 * BUNDLE);
	return maybe();
}

/* What the code says of a list that it has checked stays so while it asks for other properties. */
const uint8_t *dt_get(const struct dt *dt, uint32_t node, const char *name, uint32_t *length)
{
	static uint8_t list[6];

	if (name[0] != 'l') {
		return any_get(dt, node, name, length);
	}
	Frama_C_make_unknown((char *)list, sizeof(list));
	*length = up_to(sizeof(list));
	return list;
}

uint32_t crc32_update(uint32_t crc, const void *bytes, uint32_t length)
{
	return any();
}

void sha256(const void *bytes, uint32_t length, uint8_t digest[32])
{
	Frama_C_make_unknown((char *)digest, 32);
}

#include "hyp/fit.c"

void main(void)
{
	static uint8_t bytes[BUNDLE];
	struct fit_bundle bundle;
	struct config_error error;

	if (fit_read(bytes, BUNDLE, maybe(), &bundle, &error) == 0) {
		/*@ assert bundle.disk_count <= FIT_DISKS_MAX; */
	}
}
