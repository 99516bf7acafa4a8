/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two formats of virtqueues share: descriptors, indirect tables, chains. Pure. */
#ifndef DRIVERS_VIRTIO_RING_H
#define DRIVERS_VIRTIO_RING_H

#include "virtio.h"

/*
 * A descriptor is 4 words: IPA, low and high, length in bytes, and two half-words: split: flags,
 * then next; packed: buffer ID, then flags. All is little-endian.
 */
#define DESC_SIZE  16u
#define DESC_WORDS 4u

#define DESC_NEXT     0x1u
#define DESC_WRITE    0x2u
#define DESC_INDIRECT 0x4u

/* An indirect table, or a queue's own. */
struct table {
	const volatile uint32_t *at;
	uint32_t entries;
	bool indirect;
};

static inline bool virtqueue_negotiated(const struct virtqueue *queue, uint64_t feature)
{
	const uint32_t *features = queue->device->driver_features;

	return ((features[0] & (uint32_t)feature) | (features[1] & (uint32_t)(feature >> 32))) != 0;
}

/* Where we see a ring of @length bytes; NULL: not in RAM, or not aligned. */
void *virtqueue_ring(const struct virtqueue *queue, enum virtqueue_address low, uint32_t alignment,
		     uint32_t length);

/*
 * Both read the first three words of the descriptor at @word, each once, so that what is checked is
 * what is used. @flags: its flags, in the lower half.
 */

/* Adds its buffer, for which there is room. Returns NULL or a sentence. */
static inline __attribute__((__always_inline__)) const char *
virtqueue_add(const struct virtqueue *queue, struct virtio_chain *chain,
	      const volatile uint32_t *word, uint32_t flags)
{
	const uint32_t low = word[0], high = word[1], length = word[2];
	struct io_segment *segment = &chain->segment[chain->count];

	if (length == 0) {
		return "a descriptor of zero bytes";
	}
	if (length > UINT32_MAX - chain->length) {
		return "a chain of 4 GiB or more";
	}
	segment->at =
		guest_memory_at(queue->device->place.memory, (uint64_t)high << 32 | low, length);
	segment->length = length;
	if (!segment->at) {
		return "a buffer that is not in RAM";
	}
	if (!(flags & DESC_WRITE)) {
		if (chain->readable != chain->count) {
			return "a device-readable buffer behind a device-writable one";
		}
		chain->readable++;
	}
	chain->count++;
	chain->length += length;
	return NULL;
}

/* Goes from where the walk stood to the table that it names. Returns NULL or a sentence. */
const char *virtqueue_enter(const struct virtqueue *queue, struct table *table,
			    const volatile uint32_t *word, uint32_t flags);

/* The driver broke the ring: so is the device, and @fault, a sentence, says why. Returns false. */
bool virtqueue_broken(struct virtqueue *queue, const char *fault);

/*
 * The formats. virtqueue_enable() has set packed and desc_at; the queue runs when a chain is taken,
 * and @chain is empty then.
 */
const char *split_enable(struct virtqueue *queue);
bool split_pop(struct virtqueue *queue, struct virtio_chain *chain);
void split_unpop(struct virtqueue *queue);
void split_push(struct virtqueue *queue, uint16_t head, uint32_t written);
bool split_wants_interrupt(const struct virtqueue *queue, uint16_t pushed);

const char *packed_enable(struct virtqueue *queue);
bool packed_pop(struct virtqueue *queue, struct virtio_chain *chain);
void packed_unpop(struct virtqueue *queue, uint16_t head);
void packed_push(struct virtqueue *queue, uint16_t head, uint32_t written);
bool packed_wants_interrupt(const struct virtqueue *queue, uint16_t pushed);

#endif
