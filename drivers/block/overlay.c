/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copy-on-write without copying: the store knows by sector what was written, so a write needs
 * nothing of the disk below, and ends at once. A read is cut into runs of the store and runs of the
 * disk below; those go there in place, one after the other.
 * Lock: the overlay's own, inside that of the device, outside that of the lower backend.
 */
#include <string.h>
#include "overlay.h"

#define CHUNK_BYTES (OVERLAY_CHUNK * BLOCK_SECTOR)

/* In the map, besides 1 and up for a slot. */
#define NO_SLOT  0u
#define ALL_ZERO UINT32_MAX

/* Of discards and write zeroes, sectors: short enough to be done with interrupts masked. */
#define CHANGE_MAX (1u << 17)

_Static_assert(OVERLAY_CHUNK == 32, "the sectors of a slot are the bits of a word");

enum place { BELOW, STORED, ZERO };

static uint8_t *sector_at(const struct overlay *overlay, uint32_t slot, uint32_t within)
{
	return overlay->slots + (slot - 1) * CHUNK_BYTES + within * BLOCK_SECTOR;
}

static enum place sector_find(const struct overlay *overlay, uint64_t sector, uint8_t **at)
{
	uint32_t slot = overlay->map[sector / OVERLAY_CHUNK];
	uint32_t within = sector % OVERLAY_CHUNK;

	if (slot == ALL_ZERO) {
		return ZERO;
	}
	if (slot == NO_SLOT || !(overlay->written[slot - 1] >> within & 1)) {
		return BELOW;
	}
	*at = sector_at(overlay, slot, within);
	return STORED;
}

/* How many of the sectors, from the first on, are those of the disk below. */
static uint32_t run_below(const struct overlay *overlay, uint64_t sector, uint32_t sectors)
{
	uint8_t *at;
	uint32_t run = 0;

	while (run < sectors && sector_find(overlay, sector + run, &at) == BELOW) {
		run++;
	}
	return run;
}

static uint32_t slot_take(struct overlay *overlay)
{
	uint32_t slot = overlay->free_slot;

	if (slot != NO_SLOT) {
		overlay->free_slot = overlay->written[slot - 1];
	} else if (overlay->slots_begun < overlay->slot_count) {
		slot = ++overlay->slots_begun;
	}
	return slot;
}

static void slot_give(struct overlay *overlay, uint32_t *entry)
{
	overlay->written[*entry - 1] = overlay->free_slot;
	overlay->free_slot = *entry;
	*entry = NO_SLOT;
}

/* The slot of a chunk, a new one if it has none. NO_SLOT: the store is full. */
static uint32_t slot_of(struct overlay *overlay, uint32_t *entry)
{
	bool zero = *entry == ALL_ZERO;
	uint32_t slot;

	if (*entry != NO_SLOT && !zero) {
		return *entry;
	}
	slot = slot_take(overlay);
	if (slot != NO_SLOT) {
		*entry = slot;
		overlay->written[slot - 1] = zero ? UINT32_MAX : 0;
		if (zero) {
			memset(sector_at(overlay, slot, 0), 0, CHUNK_BYTES);
		}
	}
	return slot;
}

static void chunk_discard(struct overlay *overlay, uint32_t *entry, uint32_t mask)
{
	if (*entry == NO_SLOT || *entry == ALL_ZERO) {
		return;
	}
	overlay->written[*entry - 1] &= ~mask;
	if (overlay->written[*entry - 1] == 0) {
		slot_give(overlay, entry);
	}
}

/*
 * Changes @count sectors from the @first of a chunk on. @from: what is written, NULL: zeroes.
 * Returns false if the store is full.
 */
static bool chunk_write(struct overlay *overlay, uint32_t *entry, uint32_t first, uint32_t count,
			struct segment_cursor *from)
{
	uint32_t mask = UINT32_MAX >> (OVERLAY_CHUNK - count) << first;
	uint32_t slot;

	if (!from && count == OVERLAY_CHUNK) {
		chunk_discard(overlay, entry, mask);
		*entry = ALL_ZERO;
		return true;
	}
	if (!from && *entry == ALL_ZERO) {
		return true;
	}
	slot = slot_of(overlay, entry);
	if (slot == NO_SLOT) {
		return false;
	}
	if (from) {
		segments_get(from, sector_at(overlay, slot, first), count * BLOCK_SECTOR);
	} else {
		memset(sector_at(overlay, slot, first), 0, count * BLOCK_SECTOR);
	}
	overlay->written[slot - 1] |= mask;
	return true;
}

/* Write, write zeroes and discard, chunk by chunk. */
static enum io_status overlay_change(struct overlay *overlay, const struct block_request *request)
{
	struct segment_cursor cursor = {request->segment, request->count, 0};
	struct segment_cursor *from = request->operation == BLOCK_WRITE ? &cursor : NULL;
	uint64_t sector = request->sector;
	uint32_t left, count;

	for (left = request->sectors; left > 0; left -= count, sector += count) {
		uint32_t *entry = &overlay->map[sector / OVERLAY_CHUNK];
		uint32_t first = sector % OVERLAY_CHUNK;

		count = OVERLAY_CHUNK - first < left ? OVERLAY_CHUNK - first : left;
		if (request->operation == BLOCK_DISCARD) {
			chunk_discard(overlay, entry,
				      UINT32_MAX >> (OVERLAY_CHUNK - count) << first);
		} else if (!chunk_write(overlay, entry, first, count, from)) {
			return IO_ERROR;
		}
	}
	return IO_OK;
}

/*
 * Submits the next @sectors of a read to the disk below. They end inside of a segment perhaps,
 * which is shorter as long as the lower backend looks at it.
 */
static enum io_status read_below(struct overlay_read *read, uint32_t sectors)
{
	struct block_backend *lower = read->overlay->lower;
	struct segment_cursor *cursor = &read->cursor;
	struct io_segment *first = &read->segment[cursor->segment - read->segment], *last = first;
	uint32_t part = sectors * BLOCK_SECTOR, beyond;
	enum io_status status;

	first->at += cursor->offset;
	first->length -= cursor->offset;
	cursor->offset = 0;
	for (; part > last->length; last++) {
		part -= last->length;
	}
	beyond = last->length - part;
	last->length = part;
	read->below.sector = read->sector;
	read->below.sectors = sectors;
	read->below.segment = first;
	read->below.count = (uint16_t)(last - first + 1);
	status = lower->ops->submit(lower, &read->below);
	last->length += beyond;
	if (status != IO_BUSY) {
		cursor->segment = last + (beyond == 0);
		cursor->count = (uint16_t)(cursor->count - (cursor->segment - first));
		cursor->offset = beyond == 0 ? 0 : part;
		read->sector += sectors;
		read->left -= sectors;
	}
	return status;
}

static enum io_status read_run(struct overlay_read *read)
{
	uint32_t below = run_below(read->overlay, read->sector, read->left);
	uint8_t *at = NULL;

	if (below > 0) {
		return read_below(read, below);
	}
	sector_find(read->overlay, read->sector, &at);
	segments_put(&read->cursor, at, BLOCK_SECTOR);
	read->sector++;
	read->left--;
	return IO_OK;
}

/* @status: how its last run ended. Returns how all of it ended, IO_PENDING: not yet. */
static enum io_status read_go_on(struct overlay_read *read, enum io_status status)
{
	struct overlay *overlay = read->overlay;
	struct overlay_read **list = &overlay->free;

	while (status == IO_OK && read->left > 0) {
		status = read_run(read);
	}
	if (status == IO_PENDING) {
		return status;
	}
	if (status == IO_BUSY) {
		list = &overlay->held;
		status = IO_PENDING;
	}
	read->next = *list;
	*list = read;
	return status;
}

static void read_resume(struct overlay_read *read, enum io_status status)
{
	struct overlay *overlay = read->overlay;
	struct block_request *request = read->request;

	spin_lock(&overlay->lock);
	status = read_go_on(read, status);
	spin_unlock(&overlay->lock);
	if (status != IO_PENDING) {
		request->io.done(&request->io, status,
				 status == IO_OK ? request->sectors * BLOCK_SECTOR : 0);
	}
}

static void below_done(struct io_request *io, enum io_status status, uint32_t length)
{
	(void)length; /* a read that is done filled all of it */
	read_resume((struct overlay_read *)io, status);
}

static enum io_status overlay_read(struct overlay *overlay, struct block_request *request)
{
	struct overlay_read *read = overlay->free;

	if (run_below(overlay, request->sector, request->sectors) == request->sectors) {
		return overlay->lower->ops->submit(overlay->lower, request);
	}
	if (!read) {
		return IO_BUSY;
	}
	overlay->free = read->next;
	read->request = request;
	read->sector = request->sector;
	read->left = request->sectors;
	read->cursor = (struct segment_cursor){read->segment, request->count, 0};
	memcpy(read->segment, request->segment, request->count * sizeof(read->segment[0]));
	return read_go_on(read, IO_OK);
}

static enum io_status overlay_submit(struct block_backend *backend, struct block_request *request)
{
	struct overlay *overlay = (struct overlay *)backend;
	enum io_status status = IO_OK; /* of a flush: the store lasts as long as the guest */

	spin_lock(&overlay->lock);
	if (request->operation == BLOCK_READ) {
		status = overlay_read(overlay, request);
	} else if (request->operation != BLOCK_FLUSH) {
		status = overlay_change(overlay, request);
	}
	spin_unlock(&overlay->lock);
	return status;
}

static void overlay_listen(struct block_backend *backend, struct io_listener *listener)
{
	struct overlay *overlay = (struct overlay *)backend;

	listener->next = overlay->listeners;
	overlay->listeners = listener;
}

static void overlay_batch(void *device)
{
	struct overlay *overlay = device;
	struct overlay_read *read, *next;
	struct io_listener *listener;

	spin_lock(&overlay->lock);
	read = overlay->held;
	overlay->held = NULL;
	spin_unlock(&overlay->lock);
	for (; read; read = next) {
		next = read->next;
		read_resume(read, IO_OK);
	}
	for (listener = overlay->listeners; listener; listener = listener->next) {
		listener->batch(listener->device);
	}
}

static const struct block_ops overlay_ops = {overlay_submit, overlay_listen};

/* The lower one's, but for what the store does. */
static void backend_fill(struct block_backend *backend, const struct block_backend *lower)
{
	*backend = *lower;
	backend->ops = &overlay_ops;
	if (backend->segments_max > OVERLAY_SEGMENTS) {
		backend->segments_max = OVERLAY_SEGMENTS;
	}
	backend->read_only = false;
	backend->writeback = false;
	backend->discard_max = CHANGE_MAX;
	backend->discard_alignment = OVERLAY_CHUNK;
	backend->write_zeroes_max = CHANGE_MAX;
	backend->write_zeroes_may_unmap = true;
}

void overlay_clear(struct overlay *overlay)
{
	memset(overlay->map, 0,
	       (size_t)(overlay->lower->sectors / OVERLAY_CHUNK + 1) * sizeof(uint32_t));
	overlay->slots_begun = 0;
	overlay->free_slot = NO_SLOT;
}

const char *overlay_init(struct overlay *overlay, struct block_backend *lower, void *store,
			 size_t size)
{
	const uint64_t chunks = lower->sectors / OVERLAY_CHUNK + 1;
	size_t left;
	unsigned int i;

	if (chunks > size / sizeof(uint32_t)) {
		return "the memory for its changes is too small for a disk of this size";
	}
	left = size - (size_t)chunks * sizeof(uint32_t);
	*overlay = (struct overlay){.lower = lower, .map = store};
	backend_fill(&overlay->backend, lower);
	overlay->slot_count = (uint32_t)(left / (CHUNK_BYTES + sizeof(uint32_t)));
	overlay->written = overlay->map + chunks;
	overlay->slots = (uint8_t *)(overlay->written + overlay->slot_count);
	overlay_clear(overlay);
	for (i = 0; i < OVERLAY_READS; i++) {
		struct overlay_read *read = &overlay->read[i];

		read->overlay = overlay;
		read->below.io.done = below_done;
		read->below.operation = BLOCK_READ;
		read->next = overlay->free;
		overlay->free = read;
	}
	overlay->listener = (struct io_listener){.batch = overlay_batch, .device = overlay};
	lower->ops->listen(lower, &overlay->listener);
	return NULL;
}
