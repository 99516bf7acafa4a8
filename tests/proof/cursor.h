/* SPDX-License-Identifier: BSD-2-Clause */
/* In front of what copies to and from segments, what prove_segments shows of that. */
#ifndef TESTS_PROOF_CURSOR_H
#define TESTS_PROOF_CURSOR_H

#include "drivers/block/segments.h"

/* Whoever gets the segments may read and write all of them. */
static void check_segments(const struct io_segment *segment, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		/*@ assert not_empty: segment[i].length >= 1; */
		/*@ assert begins: \valid(segment[i].at); */
		/*@ assert ends: \valid(segment[i].at + (segment[i].length - 1)); */
	}
}

/* Any way on, to a place in a segment or to the end. */
static uint32_t move_on(struct segment_cursor *cursor, uint32_t length)
{
	const uint16_t passed = (uint16_t)up_to(cursor->count);

	/*@ split cursor->count; */
	check_segments(cursor->segment, cursor->count);
	/*@ split passed; */
	cursor->segment += passed;
	cursor->count = (uint16_t)(cursor->count - passed);
	cursor->offset = passed == 0 ? cursor->offset : 0;
	if (cursor->count == 0) {
		return up_to(length);
	}
	cursor->offset += up_to(length);
	/*@ admit inside: cursor->offset < cursor->segment->length; */
	return length;
}

uint32_t segments_get(struct segment_cursor *from, void *to, uint32_t length)
{
	/*@ assert room: length == 0 || \valid((char *)to + (0 .. length - 1)); */
	Frama_C_make_unknown((char *)to, length);
	return move_on(from, length);
}

uint32_t segments_put(struct segment_cursor *to, const void *from, uint32_t length)
{
	/*@ assert there: from == \null || length == 0 || \valid_read((char *)from + (0 .. length - 1)); */
	return move_on(to, length);
}

#endif
