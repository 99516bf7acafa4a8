/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The split virtqueue, the driver's side. Lock: the device's (virtio.h). Nothing that matters is
 * kept in memory that the device can reach: descriptors and available ring are only ever written.
 */
#include "virtqueue.h"
#include <stddef.h>
#include <string.h>
#include "access.h"
#include "../dma.h"
#include "../tick.h"

#define DESC_NEXT  1u
#define DESC_WRITE 2u

/* Half-words of the rings (virtio 1.2, 2.7.6, 2.7.8). */
#define RING_INDEX   1u
#define AVAIL_RING   2u
#define USED_FLAGS   0u
#define NO_NOTIFY    1u
#define AVAIL_EVENT  (2u + 4u * queue->size) /* in the used ring */
#define USED_EVENT   (2u + queue->size)      /* in the available ring */
#define USED_ENTRIES 1u                      /* words */

void hw_queue_clear(struct hw_queue *queue, bool event_idx)
{
	memset(queue->ring, 0, HW_RING_BYTES(queue->size));
	for (uint16_t i = 0; i < queue->size; i++) {
		queue->slot[i].request = NULL;
		queue->slot[i].next = (uint16_t)(i + 1);
	}
	queue->avail = (volatile uint16_t *)(void *)(queue->ring + 16u * queue->size);
	queue->used = (volatile uint16_t *)(void *)(queue->ring + HW_RING_USED(queue->size));
	queue->event_idx = event_idx;
	queue->free = 0;
	queue->free_count = queue->size;
	queue->in_flight = 0;
	queue->avail_index = 0;
	queue->used_index = 0;
}

void hw_chain_add(struct hw_queue *queue, const volatile void *at, uint32_t length, bool writable)
{
	const uint16_t i = queue->free, next = queue->slot[i].next;
	const uint16_t flags = (uint16_t)(writable * DESC_WRITE);
	volatile uint32_t *const desc = (volatile uint32_t *)(void *)queue->ring + 4u * i;
	const uint64_t pa = dma_address(at);

	desc[0] = (uint32_t)pa;
	desc[1] = (uint32_t)(pa >> 32);
	desc[2] = length;
	desc[3] = DESC_NEXT | flags | (uint32_t)next << 16;
	queue->last = i;
	queue->last_flags = flags;
	queue->free = next;
	queue->count++;
	if (writable) {
		queue->writable += length;
	}
}

/* The barriers: virtio 1.2, 2.7.13.3.1 and 2.7.13.4.1. */
bool hw_chain_submit(struct hw_queue *queue, struct io_request *request)
{
	struct hw_slot *slot = &queue->slot[queue->head];
	const uint16_t index = queue->avail_index;

	slot->request = request;
	slot->writable = queue->writable;
	slot->last = queue->last;
	slot->count = queue->count;
	slot->started = tick_count;
	queue->in_flight++;
	queue->free_count = (uint16_t)(queue->free_count - queue->count);
	((volatile uint32_t *)(void *)queue->ring)[4u * queue->last + 3] = queue->last_flags;
	queue->avail[AVAIL_RING + (index & (queue->size - 1u))] = queue->head;
	dma_barrier();
	queue->avail_index++;
	queue->avail[RING_INDEX] = queue->avail_index;
	dma_barrier();
	return queue->event_idx ? queue->used[AVAIL_EVENT] == index
				: (queue->used[USED_FLAGS] & NO_NOTIFY) == 0;
}

static uint16_t used_waiting(const struct hw_queue *queue)
{
	return (uint16_t)(queue->used[RING_INDEX] - queue->used_index);
}

enum hw_taken hw_queue_take(struct hw_queue *queue, uint16_t *head, uint32_t *length)
{
	uint16_t waiting = used_waiting(queue);
	const volatile uint32_t *entry;
	const struct hw_slot *slot;
	uint32_t id;

	if (waiting == 0) {
		/* Ask to be told of the next one, then look for what came before that
		 * (virtio 1.2, 2.7.14). */
		queue->avail[USED_EVENT] = queue->used_index;
		dma_barrier();
		waiting = used_waiting(queue);
		if (waiting == 0) {
			return HW_NOTHING;
		}
	}
	dma_barrier(); /* the entry, and what the device wrote, after the index (A3.8.3) */
	entry = (const volatile uint32_t *)queue->used + USED_ENTRIES +
		2u * (queue->used_index & (queue->size - 1u));
	id = entry[0];
	*length = entry[1];
	slot = &queue->slot[id];
	if (id >= queue->size || waiting > queue->in_flight || slot->request == NULL ||
	    *length > slot->writable) {
		return HW_LIE;
	}
	*head = (uint16_t)id;
	queue->used_index++;
	return HW_TAKEN;
}

void hw_chain_free(struct hw_queue *queue, uint16_t head)
{
	struct hw_slot *slot = &queue->slot[head];

	slot->request = NULL;
	queue->slot[slot->last].next = queue->free;
	queue->free = head;
	queue->free_count = (uint16_t)(queue->free_count + slot->count);
	queue->in_flight--;
}
