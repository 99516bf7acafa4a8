/* SPDX-License-Identifier: BSD-2-Clause */
/* Copying between a row of segments and one piece of memory. Pure; no state, no lock. */
#include <string.h>
#include "segments.h"

/* Takes at most *length contiguous bytes, which become *length. Not at the end. */
static uint8_t *piece_take(struct segment_cursor *cursor, uint32_t *length)
{
	uint8_t *piece = cursor->segment->at + cursor->offset;
	uint32_t left = cursor->segment->length - cursor->offset;

	if (*length < left) {
		cursor->offset += *length;
		return piece;
	}
	*length = left;
	cursor->offset = 0;
	cursor->segment++;
	cursor->count--;
	return piece;
}

uint32_t segments_get(struct segment_cursor *from, void *to, uint32_t length)
{
	uint32_t copied = 0;

	while (copied < length && from->count > 0) {
		uint32_t part = length - copied;
		const uint8_t *piece = piece_take(from, &part);

		memcpy((uint8_t *)to + copied, piece, part);
		copied += part;
	}
	return copied;
}

uint32_t segments_put(struct segment_cursor *to, const void *from, uint32_t length)
{
	uint32_t copied = 0;

	while (copied < length && to->count > 0) {
		uint32_t part = length - copied;
		uint8_t *piece = piece_take(to, &part);

		if (from) {
			memcpy(piece, (const uint8_t *)from + copied, part);
		} else {
			memset(piece, 0, part);
		}
		copied += part;
	}
	return copied;
}
