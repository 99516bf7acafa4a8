/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two formats of virtqueues share: descriptors, indirect tables, chains. Pure. */
#ifndef DRIVERS_VIRTIO_RING_H
#define DRIVERS_VIRTIO_RING_H

#include "virtio.h"

/* A descriptor is 4 words: address, length, then two half-words. All is little-endian. */
#define DESC_SIZE  16u
#define DESC_WORDS 4u

#define DESC_NEXT     0x1u
#define DESC_WRITE    0x2u
#define DESC_INDIRECT 0x4u

struct descriptor {
	uint64_t address; /* IPA */
	uint32_t length;  /* bytes */
	uint32_t last;    /* split: flags, then next; packed: buffer ID, then flags */
	uint16_t flags;
};

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

/* Reads the first three words at @word, each once; @last and @flags: of the fourth. */
static inline struct descriptor descriptor_read(const volatile uint32_t *word, uint32_t last,
						uint32_t flags)
{
	uint32_t low = word[0];
	uint32_t high = word[1];
	uint32_t length = word[2];

	return (struct descriptor){
		.address = (uint64_t)high << 32 | low,
		.length = length,
		.last = last,
		.flags = (uint16_t)flags,
	};
}

/* Where we see a ring of @length bytes; NULL: not in RAM, or not aligned. */
void *virtqueue_ring(const struct virtqueue *queue, enum virtqueue_address low, uint32_t alignment,
		     uint32_t length);

/* Adds the buffer of @desc. Returns NULL or a sentence; there is room for it. */
const char *virtqueue_add(const struct virtqueue *queue, struct virtio_chain *chain,
			  const struct descriptor *desc);

/* Goes from where the walk stood to the table that @desc names. Returns NULL or a sentence. */
const char *virtqueue_enter(const struct virtqueue *queue, struct table *table,
			    const struct descriptor *desc);

/*
 * The formats. virtqueue_enable() has set packed and desc_at; the queue runs when a chain is taken;
 * @chain is empty then, and *fault gets a sentence if the ring is broken.
 */
const char *split_enable(struct virtqueue *queue);
bool split_pop(struct virtqueue *queue, struct virtio_chain *chain, const char **fault);
void split_unpop(struct virtqueue *queue);
void split_push(struct virtqueue *queue, uint16_t head, uint32_t written);
bool split_wants_interrupt(const struct virtqueue *queue, uint16_t pushed);

const char *packed_enable(struct virtqueue *queue);
bool packed_pop(struct virtqueue *queue, struct virtio_chain *chain, const char **fault);
void packed_unpop(struct virtqueue *queue, uint16_t head);
void packed_push(struct virtqueue *queue, uint16_t head, uint32_t written);
bool packed_wants_interrupt(const struct virtqueue *queue, uint16_t pushed);

#endif
