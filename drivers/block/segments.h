/* SPDX-License-Identifier: BSD-2-Clause */
/* Copying between a row of segments and one piece of memory. Pure; no state, no lock. */
#ifndef DRIVERS_BLOCK_SEGMENTS_H
#define DRIVERS_BLOCK_SEGMENTS_H

#include "../io.h"

/* A place in a row of segments. */
struct segment_cursor {
	const struct io_segment *segment; /* the one that it is in */
	uint16_t count;                   /* segments left, with that one; 0: at the end */
	uint32_t offset;                  /* bytes of that one which are behind it, not all */
};

/*
 * Copies from the segments at the cursor, which moves on.
 * @length: bytes. Returns how many were copied, fewer if the segments end before.
 */
uint32_t segments_get(struct segment_cursor *from, void *to, uint32_t length);

/* The same into the segments. @from: NULL for zeroes. */
uint32_t segments_put(struct segment_cursor *to, const void *from, uint32_t length);

#endif
