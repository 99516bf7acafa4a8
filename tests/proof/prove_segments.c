/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying between segments and memory: every cut of up to SEGMENTS pieces, each at the end of a memory of its own, from any
 * place in the first on, and every length up to LENGTH. What cursor.h says of it is shown here.
 * @sources drivers/block/segments.c
 * @run -eva-precision 1 -eva-slevel 20000
 * @plant drivers/block/segments.c s/length < left/length <= left/
 * @plant drivers/block/segments.c s/copied < length \&\& from->count > 0/copied < length/
 * @plant drivers/block/segments.c s/part = length - copied/part = length/
 */
#include "drivers/block/segments.h"

#define SEGMENTS 2u
#define LENGTH   4u
#define ROOM     (LENGTH + 1) /* of a segment: beyond LENGTH nothing is new */

static uint8_t memory[SEGMENTS][ROOM], other[LENGTH];
static struct io_segment segment[SEGMENTS];

static void check(const struct segment_cursor *cursor, uint32_t copied, uint32_t length)
{
	/*@ assert all: copied == length || copied < length && cursor->count == 0; */
	/*@ assert inside: cursor->count == 0 || cursor->offset < cursor->segment->length; */
}

void main(void)
{
	struct segment_cursor cursor = {segment, (uint16_t)up_to(SEGMENTS), 0};
	const uint32_t length = up_to(LENGTH);
	uint8_t *at;

	/*@ split cursor.count; */
	/*@ split length; */
	at = other + LENGTH - length;
	for (unsigned int i = 0; i < cursor.count; i++) {
		segment[i].length = 1 + up_to(ROOM - 1);
		/*@ split segment[i].length; */
		segment[i].at = memory[i] + ROOM - segment[i].length;
	}
	cursor.offset = cursor.count == 0 ? 0 : up_to(segment[0].length - 1);
	/*@ split cursor.offset; */
	if (maybe()) {
		check(&cursor, segments_get(&cursor, at, length), length);
	} else {
		check(&cursor, segments_put(&cursor, maybe() ? at : NULL, length), length);
	}
}
