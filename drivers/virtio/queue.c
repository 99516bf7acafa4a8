/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtqueues, whatever their format: when they run, and the checks of what descriptors name. Lock:
 * the device's.
 */
#include "ring.h"

/* An IPA and where we see it agree modulo a page, so aligned is aligned on both sides. */
void *virtqueue_ring(const struct virtqueue *queue, enum virtqueue_address low, uint32_t alignment,
		     uint32_t length)
{
	uint64_t ipa = (uint64_t)queue->address[low + 1] << 32 | queue->address[low];

	return ipa % alignment == 0 ? guest_memory_at(queue->device->place.memory, ipa, length)
				    : NULL;
}

const char *virtqueue_enable(struct virtqueue *queue)
{
	const char *fault;

	if (queue->size == 0) {
		return "QueueNum is not a size that the queue can have";
	}
	queue->desc_at = virtqueue_ring(queue, VIRTQUEUE_DESC_LOW, 16, queue->size * DESC_SIZE);
	if (!queue->desc_at) {
		return "the descriptor table is not in RAM or not 16-byte aligned";
	}
	queue->packed = virtqueue_negotiated(queue, VIRTIO_F_RING_PACKED);
	fault = queue->packed ? packed_enable(queue) : split_enable(queue);
	queue->ready = !fault;
	return fault;
}

/* virtio 1.2 2.7.5.3, 2.8.7. The WRITE flag of what names a table means nothing (2.7.5.3.2). */
const char *virtqueue_enter(const struct virtqueue *queue, struct table *table,
			    const volatile uint32_t *word, uint32_t flags)
{
	const uint32_t low = word[0], high = word[1], length = word[2];

	if (!virtqueue_negotiated(queue, VIRTIO_F_INDIRECT_DESC)) {
		return "an indirect descriptor, which was not negotiated";
	}
	if (table->indirect) {
		return "an indirect descriptor inside an indirect table or, packed, a chain";
	}
	if (flags & DESC_NEXT) {
		return "an indirect descriptor with the NEXT flag";
	}
	if (length == 0 || length % DESC_SIZE != 0) {
		return "an indirect table whose length is not a multiple of 16 bytes";
	}
	/* The specification asks for no alignment; drivers give 8 bytes or more, we need 4. */
	if (low % 4 != 0) {
		return "an indirect table that is not 4-byte aligned";
	}
	table->at =
		guest_memory_at(queue->device->place.memory, (uint64_t)high << 32 | low, length);
	if (!table->at) {
		return "an indirect table that is not in RAM";
	}
	table->entries = length / DESC_SIZE;
	table->indirect = true;
	return NULL;
}

/* What was taken can be handed back, even if nothing more may be taken. */
static inline __attribute__((__always_inline__)) bool usable(const struct virtqueue *queue)
{
	return queue->ready && queue->device->live;
}

static inline __attribute__((__always_inline__)) bool running(const struct virtqueue *queue)
{
	return usable(queue) && !queue->device->draining;
}

bool virtqueue_running(const struct virtqueue *queue)
{
	return running(queue);
}

bool virtqueue_broken(struct virtqueue *queue, const char *fault)
{
	queue->device->fault = fault;
	virtio_break(queue->device);
	return false;
}

bool virtqueue_pop(struct virtqueue *queue, struct virtio_chain *chain)
{
	if (!running(queue)) {
		return false;
	}
	chain->count = 0;
	chain->readable = 0;
	chain->length = 0;
	return queue->packed ? packed_pop(queue, chain) : split_pop(queue, chain);
}

void virtqueue_unpop(struct virtqueue *queue, const struct virtio_chain *chain)
{
	if (!usable(queue)) {
		return;
	}
	if (queue->packed) {
		packed_unpop(queue, chain->head);
	} else {
		split_unpop(queue);
	}
}

void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t written)
{
	if (!usable(queue)) {
		return;
	}
	if (queue->packed) {
		packed_push(queue, head, written);
	} else {
		split_push(queue, head, written);
	}
}

bool virtqueue_should_notify(struct virtqueue *queue)
{
	const uint16_t pushed = queue->pushed;

	if (pushed == 0 || !usable(queue)) {
		return false;
	}
	queue->pushed = 0;
	/* The driver sees what was pushed before we read its wish, or both sides could wait. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return queue->packed ? packed_wants_interrupt(queue, pushed)
			     : split_wants_interrupt(queue, pushed);
}
