/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packed virtqueue written a second time from virtio 1.2 2.8, slowly, byte by byte, to compare
 * with. Places in the ring are counted from the start and never wrap.
 */
#ifndef TESTS_FUZZ_REFERENCE_PACKED_H
#define TESTS_FUZZ_REFERENCE_PACKED_H

#include "reference_queue.h"

struct reference_packed {
	uint8_t *ram;
	uint64_t desc, driver, device;
	uint32_t num;
	uint64_t next, used; /* places */
	uint16_t unasked;    /* places used since last asked */
	unsigned int out;    /* descriptors that the device has */
	bool indirect, event_index, broken;
};

struct reference_buffer {
	uint16_t id;
	unsigned int descriptors, count;
	struct reference_piece piece[REFERENCE_SIZE_MAX];
};

static inline bool packed_rings_good(const struct reference_packed *q)
{
	return q->num != 0 && q->desc % 16 == 0 && q->driver % 4 == 0 && q->device % 4 == 0 &&
	       reference_in_ram(q->desc, 16 * (uint64_t)q->num) && reference_in_ram(q->driver, 4) &&
	       reference_in_ram(q->device, 4);
}

/* The wrap counter starts at 1 and changes with each lap. */
static inline unsigned int packed_wrap(const struct reference_packed *q, uint64_t place)
{
	return (unsigned int)(place / q->num + 1) & 1;
}

static inline uint64_t packed_at(const struct reference_packed *q, uint64_t place)
{
	return q->desc + 16 * (place % q->num);
}

static inline bool packed_available(const struct reference_packed *q)
{
	uint64_t flags = reference_load(q->ram, packed_at(q, q->next) + 14, 2);
	unsigned int wrap = packed_wrap(q, q->next);

	return (flags >> 7 & 1) == wrap && (flags >> 15 & 1) != wrap;
}

/* Adds what the descriptor at @ipa says. */
static inline bool packed_piece(const struct reference_packed *q, struct reference_buffer *buffer,
				uint64_t ipa)
{
	uint64_t address = reference_load(q->ram, ipa, 8);
	uint64_t length = reference_load(q->ram, ipa + 8, 4);
	bool write = reference_load(q->ram, ipa + 14, 2) & 2;

	if (length == 0 || !reference_in_ram(address, length) || buffer->count == q->num) {
		return false;
	}
	buffer->piece[buffer->count++] =
		(struct reference_piece){(uint32_t)address, (uint32_t)length, write};
	return true;
}

static inline bool packed_table(const struct reference_packed *q, struct reference_buffer *buffer,
				uint64_t ipa)
{
	uint64_t table = reference_load(q->ram, ipa, 8);
	uint64_t length = reference_load(q->ram, ipa + 8, 4), i;

	if (!q->indirect || buffer->count != 0 || reference_load(q->ram, ipa + 14, 2) & 1 ||
	    length == 0 || length % 16 || table % 4 || !reference_in_ram(table, length)) {
		return false;
	}
	for (i = 0; i < length; i += 16) {
		if (reference_load(q->ram, table + i + 14, 2) & 4 ||
		    !packed_piece(q, buffer, table + i)) {
			return false;
		}
	}
	return true;
}

static inline bool packed_follow(const struct reference_packed *q, struct reference_buffer *buffer)
{
	uint64_t place = q->next, total = 0, flags, ipa;
	bool writes = false;
	unsigned int n;

	buffer->count = buffer->descriptors = 0;
	do {
		if (q->out + buffer->descriptors == q->num) {
			return false;
		}
		ipa = packed_at(q, place++);
		flags = reference_load(q->ram, ipa + 14, 2);
		buffer->id = (uint16_t)reference_load(q->ram, ipa + 12, 2);
		buffer->descriptors++;
		if (flags & 4 ? !packed_table(q, buffer, ipa) : !packed_piece(q, buffer, ipa)) {
			return false;
		}
	} while (flags & 1);
	for (n = 0; n < buffer->count; n++) {
		if (writes && !buffer->piece[n].write) {
			return false;
		}
		writes = buffer->piece[n].write;
		total += buffer->piece[n].length;
	}
	return total < 0x100000000;
}

/* Returns whether there was a buffer; q->broken says if there was something worse. */
static inline bool reference_packed_pop(struct reference_packed *q, struct reference_buffer *buffer)
{
	if (q->broken) {
		return false;
	}
	if (!packed_available(q)) {
		/* Tell me of the next one; the areas may lie on top of each other: look again. */
		reference_store(q->ram, q->device, 2,
				q->event_index ? (q->next % q->num) | packed_wrap(q, q->next) << 15
					       : 0);
		reference_store(q->ram, q->device + 2, 2, q->event_index ? 2 : 0);
		if (!packed_available(q)) {
			return false;
		}
	}
	if (!packed_follow(q, buffer)) {
		q->broken = true;
		return false;
	}
	q->next += buffer->descriptors;
	q->out += buffer->descriptors;
	return true;
}

static inline void reference_packed_unpop(struct reference_packed *q,
					  const struct reference_buffer *buffer)
{
	if (!q->broken) {
		q->next -= buffer->descriptors;
		q->out -= buffer->descriptors;
	}
}

static inline void reference_packed_push(struct reference_packed *q,
					 const struct reference_buffer *buffer, uint32_t written)
{
	uint64_t ipa = packed_at(q, q->used);

	if (q->broken) {
		return;
	}
	reference_store(q->ram, ipa + 8, 4, written);
	reference_store(q->ram, ipa + 12, 2, buffer->id);
	reference_store(q->ram, ipa + 14, 2,
			(packed_wrap(q, q->used) ? 0x8080u : 0) | (written ? 2 : 0));
	q->used += buffer->descriptors;
	q->out -= buffer->descriptors;
	q->unasked = (uint16_t)(q->unasked + buffer->descriptors);
}

/* The event's wrap counter means this lap or, if it differs, the one before. */
static inline bool reference_packed_should_notify(struct reference_packed *q)
{
	uint64_t event, flags, before;
	int64_t place;

	if (q->broken || q->unasked == 0) {
		return false;
	}
	before = q->used - q->unasked;
	q->unasked = 0;
	event = reference_load(q->ram, q->driver, 2);
	flags = reference_load(q->ram, q->driver + 2, 2) & 3;
	if (flags != 2 || !q->event_index) {
		return flags != 1;
	}
	place = (int64_t)(q->used / q->num * q->num + (event & 0x7fff));
	if (event >> 15 != packed_wrap(q, q->used)) {
		place -= q->num;
	}
	return place >= (int64_t)before && place < (int64_t)q->used;
}

#endif
