/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The split virtqueue (virtio 1.2, 2.7): takes chains from the available ring, puts them into the
 * used ring. Lock: the device's.
 */
#include "ring.h"

#define AVAIL_NO_INTERRUPT 0x1u

/* Offsets in the available ring, in half-words. */
#define AVAIL_FLAGS 0u
#define AVAIL_INDEX 1u
#define AVAIL_RING  2u

/* Offsets in the used ring, in words. Flags, always 0, and index are stored together. */
#define USED_INDEX 0u
#define USED_RING  1u

const char *split_enable(struct virtqueue *queue)
{
	uint32_t size = queue->size;

	queue->avail_at = virtqueue_ring(queue, VIRTQUEUE_DRIVER_LOW, 2, size * 2 + 6);
	if (!queue->avail_at) {
		return "the available ring is not in RAM or not 2-byte aligned";
	}
	queue->used_at = virtqueue_ring(queue, VIRTQUEUE_DEVICE_LOW, 4, size * 8 + 6);
	if (!queue->used_at) {
		return "the used ring is not in RAM or not 4-byte aligned";
	}
	return NULL;
}

/* Fills the chain in and returns NULL, or a sentence. Reads at most queue->size + 2 descriptors. */
static const char *chain_walk(const struct virtqueue *queue, struct virtio_chain *chain)
{
	struct table table = {queue->desc_at, queue->size, false};
	uint32_t index = chain->head;

	while (index < table.entries) {
		const volatile uint32_t *word = table.at + index * DESC_WORDS;
		const uint32_t last = word[3];
		const char *fault;

		if (last & DESC_INDIRECT) {
			fault = virtqueue_enter(queue, &table, word, last);
			index = 0;
		} else if (chain->count == queue->size) {
			return "a chain longer than the queue, or a loop";
		} else {
			fault = virtqueue_add(queue, chain, word, last);
			index = last >> 16;
		}
		if (fault || !(last & (DESC_INDIRECT | DESC_NEXT))) {
			return fault;
		}
	}
	return "a descriptor index beyond the table";
}

/* Chains that wait, by the driver's word. Pairs with its barrier before it moves the index. */
static uint16_t avail_waiting(const struct virtqueue *queue)
{
	uint16_t index = __atomic_load_n(&queue->avail_at[AVAIL_INDEX], __ATOMIC_ACQUIRE);

	return (uint16_t)(index - queue->last_avail);
}

/* The queue is empty: ask for a notification (virtio 1.2 2.7.10), look for what came before it. */
static uint16_t avail_rearm(struct virtqueue *queue)
{
	volatile uint16_t *avail_event =
		(volatile uint16_t *)(queue->used_at + USED_RING + 2u * queue->size);

	if (!virtqueue_negotiated(queue, VIRTIO_F_EVENT_IDX)) {
		return 0;
	}
	*avail_event = queue->last_avail;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return avail_waiting(queue);
}

bool split_pop(struct virtqueue *queue, struct virtio_chain *chain)
{
	const char *fault;
	uint16_t waiting = avail_waiting(queue);

	if (waiting == 0) {
		waiting = avail_rearm(queue);
	}
	if (waiting == 0) {
		return false;
	}
	chain->head = queue->avail_at[AVAIL_RING + (queue->last_avail & (queue->size - 1u))];
	fault = waiting > queue->size ? "an available index more than the queue's size ahead"
				      : chain_walk(queue, chain);
	if (fault) {
		return virtqueue_broken(queue, fault);
	}
	queue->last_avail++;
	return true;
}

void split_unpop(struct virtqueue *queue)
{
	queue->last_avail--;
}

void split_push(struct virtqueue *queue, uint16_t head, uint32_t written)
{
	volatile uint32_t *entry =
		queue->used_at + USED_RING + 2u * (queue->used_index & (queue->size - 1u));
	uint32_t index;

	entry[0] = head;
	entry[1] = written;
	queue->used_index++;
	queue->pushed++;
	/* virtio 1.2 2.7.8.2: the entry, and all data, before the index. */
	index = (uint32_t)queue->used_index << 16;
	__atomic_store_n(&queue->used_at[USED_INDEX], index, __ATOMIC_RELEASE);
}

bool split_wants_interrupt(const struct virtqueue *queue, uint16_t pushed)
{
	uint16_t used_event;

	if (!virtqueue_negotiated(queue, VIRTIO_F_EVENT_IDX)) {
		return !(queue->avail_at[AVAIL_FLAGS] & AVAIL_NO_INTERRUPT);
	}
	used_event = queue->avail_at[AVAIL_RING + queue->size];
	return (uint16_t)(queue->used_index - used_event - 1) < pushed;
}
