/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packed virtqueue (virtio 1.2, 2.8): one ring, in which a used descriptor takes the place of
 * available ones, wherever their chain was. So what a chain needs when it is handed back, its
 * buffer ID and how many descriptors it takes, is kept here, by the chain's head. Lock: the
 * device's.
 */
#include "ring.h"

/* More flags of a descriptor (2.8.1), in the upper half of its last word. */
#define DESC_AVAIL 0x0080u
#define DESC_USED  0x8000u

/* An event suppression structure is one word (2.8.10): offset, wrap counter, flags. */
#define EVENT_OFFSET  0x7fffu
#define EVENT_WRAP    15
#define EVENT_FLAGS   16
#define EVENT_DISABLE 1u
#define EVENT_DESC    2u

const char *packed_enable(struct virtqueue *queue)
{
	uint16_t i;

	queue->avail_at = virtqueue_ring(queue, VIRTQUEUE_DRIVER_LOW, 4, 4);
	queue->used_at = virtqueue_ring(queue, VIRTQUEUE_DEVICE_LOW, 4, 4);
	if (!queue->avail_at || !queue->used_at) {
		return "an event suppression area is not in RAM or not 4-byte aligned";
	}
	queue->avail_wrap = true;
	queue->used_wrap = true;
	for (i = 0; i < queue->size; i++) {
		queue->taken[i].id = (uint16_t)(i + 1);
	}
	return NULL;
}

/* The last word of a descriptor of the ring. Pairs with the driver's barrier before its flags. */
static uint32_t last_word(const struct virtqueue *queue, uint32_t slot)
{
	return __atomic_load_n(&queue->desc_at[slot * DESC_WORDS + 3], __ATOMIC_ACQUIRE);
}

/* 2.8.1: available if AVAIL is the wrap counter and USED is not. */
static bool is_available(const struct virtqueue *queue, uint32_t last)
{
	const uint32_t state = last >> 16 & (DESC_AVAIL | DESC_USED);

	return state == (queue->avail_wrap ? DESC_AVAIL : DESC_USED);
}

/* The ring is empty: ask for a notification. The caller looks again for what came before it. */
static void avail_rearm(const struct virtqueue *queue)
{
	uint32_t event = 0;

	if (virtqueue_negotiated(queue, VIRTIO_F_EVENT_IDX)) {
		event = queue->last_avail | (uint32_t)queue->avail_wrap << EVENT_WRAP |
			EVENT_DESC << EVENT_FLAGS;
	}
	queue->used_at[0] = event;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* 2.8.7: all of the table is the chain, in order; of the flags only WRITE counts. */
static const char *table_walk(const struct virtqueue *queue, struct virtio_chain *chain,
			      const volatile uint32_t *indirect, uint32_t flags)
{
	struct table table = {.indirect = chain->count != 0};
	const char *fault = virtqueue_enter(queue, &table, indirect, flags);
	uint32_t i;

	if (!fault && table.entries > queue->size) {
		fault = "an indirect table longer than the queue";
	}
	for (i = 0; !fault && i < table.entries; i++) {
		const volatile uint32_t *word = table.at + i * DESC_WORDS;

		flags = word[3] >> 16;
		fault = flags & DESC_INDIRECT ? virtqueue_enter(queue, &table, word, flags)
					      : virtqueue_add(queue, chain, word, flags);
	}
	return fault;
}

/*
 * Fills the chain in, and what is to be kept of it. @last: of its first descriptor. Returns NULL or
 * a sentence.
 */
static const char *chain_walk(const struct virtqueue *queue, struct virtio_chain *chain,
			      uint32_t last, struct virtqueue_taken *taken)
{
	uint32_t slot = queue->last_avail;
	uint16_t count = 0;

	while (queue->held + count < queue->size) {
		const volatile uint32_t *word = queue->desc_at + slot * DESC_WORDS;
		const uint32_t flags = last >> 16;
		const char *fault = flags & DESC_INDIRECT
					    ? table_walk(queue, chain, word, flags)
					    : virtqueue_add(queue, chain, word, flags);

		count++;
		if (fault || !(flags & DESC_NEXT)) {
			*taken = (struct virtqueue_taken){(uint16_t)last, count};
			return fault;
		}
		slot = slot + 1 == queue->size ? 0 : slot + 1;
		last = last_word(queue, slot);
	}
	return "more descriptors than the queue holds";
}

/* From @slot to @by descriptors further; @wrap: its wrap counter. */
static uint16_t advance(const struct virtqueue *queue, uint32_t slot, uint16_t by, bool *wrap)
{
	slot += by;
	if (slot >= queue->size) {
		slot -= queue->size;
		*wrap = !*wrap;
	}
	return (uint16_t)slot;
}

bool packed_pop(struct virtqueue *queue, struct virtio_chain *chain)
{
	uint32_t last = last_word(queue, queue->last_avail);
	struct virtqueue_taken taken;
	const char *fault;

	if (!is_available(queue, last)) {
		avail_rearm(queue);
		last = last_word(queue, queue->last_avail);
		if (!is_available(queue, last)) {
			return false;
		}
	}
	fault = chain_walk(queue, chain, last, &taken);
	if (fault) {
		return virtqueue_broken(queue, fault);
	}
	/* Each chain has a descriptor, so there is a free head as long as held is below size. */
	chain->head = queue->free;
	queue->free = queue->taken[chain->head].id;
	queue->taken[chain->head] = taken;
	queue->held = (uint16_t)(queue->held + taken.descriptors);
	queue->last_avail =
		advance(queue, queue->last_avail, taken.descriptors, &queue->avail_wrap);
	return true;
}

/* Forgets the chain and returns what was kept of it. */
static struct virtqueue_taken release(struct virtqueue *queue, uint16_t head)
{
	const struct virtqueue_taken taken = queue->taken[head];

	queue->taken[head].id = queue->free;
	queue->free = head;
	queue->held = (uint16_t)(queue->held - taken.descriptors);
	return taken;
}

void packed_unpop(struct virtqueue *queue, uint16_t head)
{
	const struct virtqueue_taken taken = release(queue, head);
	const uint16_t others = (uint16_t)(queue->size - taken.descriptors);

	/* Back is all the way round less one lap. */
	queue->avail_wrap = !queue->avail_wrap;
	queue->last_avail = advance(queue, queue->last_avail, others, &queue->avail_wrap);
}

void packed_push(struct virtqueue *queue, uint16_t head, uint32_t written)
{
	const struct virtqueue_taken taken = release(queue, head);
	volatile uint32_t *word = queue->desc_at + queue->used_index * DESC_WORDS;
	const uint32_t flags =
		(queue->used_wrap ? DESC_AVAIL | DESC_USED : 0) | (written != 0 ? DESC_WRITE : 0);

	word[2] = written;
	queue->used_index = advance(queue, queue->used_index, taken.descriptors, &queue->used_wrap);
	queue->pushed = (uint16_t)(queue->pushed + taken.descriptors);
	/* The length, and all data, before the flags, with the ID. */
	__atomic_store_n(&word[3], taken.id | flags << 16, __ATOMIC_RELEASE);
}

bool packed_wants_interrupt(const struct virtqueue *queue, uint16_t pushed)
{
	const uint32_t event = *(const volatile uint32_t *)queue->avail_at;
	const uint32_t flags = event >> EVENT_FLAGS & 3;
	const uint32_t lap = (event >> EVENT_WRAP & 1) != queue->used_wrap ? queue->size : 0;

	if (flags != EVENT_DESC || !virtqueue_negotiated(queue, VIRTIO_F_EVENT_IDX)) {
		return flags != EVENT_DISABLE;
	}
	return queue->used_index + lap - (event & EVENT_OFFSET) - 1 < pushed;
}
