/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk that may be written over one that is only read: what changes stays in RAM. Pure. */
#ifndef DRIVERS_BLOCK_OVERLAY_H
#define DRIVERS_BLOCK_OVERLAY_H

#include "../block.h"
#include "../lock.h"
#include "segments.h"

#define OVERLAY_CHUNK    32u /* sectors; RAM is taken in this unit */
#define OVERLAY_READS    16u /* at once, of those that the store has a part of */
#define OVERLAY_SEGMENTS 64u /* of a request */

struct overlay;

/* A read that goes on run by run, in the store and below. */
struct overlay_read {
	struct block_request below; /* first: done() gets a pointer to it */
	struct overlay *overlay;
	struct overlay_read *next;     /* in the list that it is in */
	struct block_request *request; /* whose it is */
	uint64_t sector;               /* the next one */
	uint32_t left;                 /* sectors, from that one */
	struct segment_cursor cursor;  /* where that one goes */
	struct io_segment segment[OVERLAY_SEGMENTS];
};

struct overlay {
	struct block_backend backend; /* first: its functions get a pointer to it */
	struct block_backend *lower;
	struct io_listener listener;   /* to the lower one */
	struct io_listener *listeners; /* to this one */
	struct spinlock lock;          /* guards the rest */
	struct overlay_read *free;     /* reads that nobody uses */
	struct overlay_read *held;     /* those that found the lower one busy */
	uint32_t *map;                 /* by chunk of the disk: its slot, or what overlay.c says */
	uint32_t *written; /* by slot: bit n: sector n is here; or the next free slot's number */
	uint8_t *slots;    /* of a chunk each */
	uint32_t slot_count;
	uint32_t slots_begun; /* the first ones, which have been used already */
	uint32_t free_slot;   /* of these; by its number in the map */
	struct overlay_read read[OVERLAY_READS];
};

/*
 * @lower: outlives the overlay and is only read; @store: @size bytes, 4-byte aligned, which outlive
 * it too. To be called once.
 * Returns NULL, or a sentence if the store can't hold even the map of such a disk (4 bytes for each
 * chunk).
 */
const char *overlay_init(struct overlay *overlay, struct block_backend *lower, void *store,
			 size_t size);

/* Forgets all that was written. No request is in flight. */
void overlay_clear(struct overlay *overlay);

#endif
