/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue: takes chains from the available ring, puts them into the used ring. */
#include "virtio.h"

/* A descriptor is 4 words: address, length, then flags and next in one. All is little-endian. */
#define DESC_SIZE     16u
#define DESC_NEXT     0x1u
#define DESC_WRITE    0x2u
#define DESC_INDIRECT 0x4u

#define AVAIL_NO_INTERRUPT 0x1u

/* Offsets in the available ring, in half-words. */
#define AVAIL_FLAGS 0u
#define AVAIL_INDEX 1u
#define AVAIL_RING  2u

/* Offsets in the used ring, in words. Flags, always 0, and index are stored together. */
#define USED_INDEX 0u
#define USED_RING  1u

struct descriptor {
	uint64_t address; /* IPA */
	uint32_t length;  /* bytes */
	uint16_t flags, next;
};

/* Where a walk stands: in the queue's own table, or in the indirect one that ended it. */
struct table {
	const volatile uint32_t *at;
	uint32_t entries;
	bool indirect;
};

static bool negotiated(const struct virtqueue *queue, uint64_t feature)
{
	return (queue->device->driver_features[0] & (uint32_t)feature) != 0;
}

/* An IPA and where we see it agree modulo a page, so aligned is aligned on both sides. */
static void *ring_at(const struct virtqueue *queue, enum virtqueue_address low, uint32_t alignment,
		     uint32_t length)
{
	uint64_t ipa = (uint64_t)queue->address[low + 1] << 32 | queue->address[low];

	return ipa % alignment == 0 ? guest_memory_at(queue->device->place.memory, ipa, length)
				    : NULL;
}

const char *virtqueue_enable(struct virtqueue *queue)
{
	uint32_t size = queue->size;

	if (size == 0) {
		return "QueueNum is not a power of two up to QueueNumMax";
	}
	queue->desc_at = ring_at(queue, VIRTQUEUE_DESC_LOW, 16, size * DESC_SIZE);
	if (!queue->desc_at) {
		return "the descriptor table is not in RAM or not 16-byte aligned";
	}
	queue->avail_at = ring_at(queue, VIRTQUEUE_DRIVER_LOW, 2, size * 2 + 6);
	if (!queue->avail_at) {
		return "the available ring is not in RAM or not 2-byte aligned";
	}
	queue->used_at = ring_at(queue, VIRTQUEUE_DEVICE_LOW, 4, size * 8 + 6);
	if (!queue->used_at) {
		return "the used ring is not in RAM or not 4-byte aligned";
	}
	queue->ready = true;
	return NULL;
}

/* What was taken can be handed back, even if nothing more may be taken. */
static bool usable(const struct virtqueue *queue)
{
	return queue->ready && queue->device->live;
}

bool virtqueue_running(const struct virtqueue *queue)
{
	return usable(queue) && !queue->device->draining;
}

/* The only reader of descriptors: each word once, so that what is checked is what is used. */
static struct descriptor descriptor_read(const struct table *table, uint32_t index)
{
	const volatile uint32_t *word = table->at + index * (DESC_SIZE / 4);
	uint32_t low = word[0];
	uint32_t high = word[1];
	uint32_t length = word[2];
	uint32_t flags_next = word[3];

	return (struct descriptor){
		.address = (uint64_t)high << 32 | low,
		.length = length,
		.flags = (uint16_t)flags_next,
		.next = (uint16_t)(flags_next >> 16),
	};
}

/* virtio 1.2 2.7.5.3. The WRITE flag of what names a table means nothing (2.7.5.3.2). */
static const char *table_enter(const struct virtqueue *queue, struct table *table,
			       const struct descriptor *desc)
{
	if (!negotiated(queue, VIRTIO_F_INDIRECT_DESC)) {
		return "an indirect descriptor, which was not negotiated";
	}
	if (table->indirect) {
		return "an indirect descriptor inside an indirect table";
	}
	if (desc->flags & DESC_NEXT) {
		return "an indirect descriptor with the NEXT flag";
	}
	if (desc->length == 0 || desc->length % DESC_SIZE != 0) {
		return "an indirect table whose length is not a multiple of 16 bytes";
	}
	/* The specification asks for no alignment; drivers give 8 bytes or more, we need 4. */
	if (desc->address % 4 != 0) {
		return "an indirect table that is not 4-byte aligned";
	}
	table->at = guest_memory_at(queue->device->place.memory, desc->address, desc->length);
	if (!table->at) {
		return "an indirect table that is not in RAM";
	}
	table->entries = desc->length / DESC_SIZE;
	table->indirect = true;
	return NULL;
}

static const char *segment_add(const struct virtqueue *queue, struct virtio_chain *chain,
			       const struct descriptor *desc)
{
	struct io_segment *segment = &chain->segment[chain->count];

	if (desc->length == 0) {
		return "a descriptor of zero bytes";
	}
	segment->at = guest_memory_at(queue->device->place.memory, desc->address, desc->length);
	segment->length = desc->length;
	if (!segment->at) {
		return "a buffer that is not in RAM";
	}
	if (!(desc->flags & DESC_WRITE)) {
		if (chain->readable != chain->count) {
			return "a device-readable buffer behind a device-writable one";
		}
		chain->readable++;
	}
	chain->count++;
	return NULL;
}

/* Fills the chain in and returns NULL, or a sentence. Reads at most queue->size + 2 descriptors. */
static const char *chain_walk(const struct virtqueue *queue, struct virtio_chain *chain)
{
	struct table table = {queue->desc_at, queue->size, false};
	uint32_t index = chain->head;
	uint64_t total = 0;

	while (index < table.entries) {
		struct descriptor desc = descriptor_read(&table, index);
		const char *fault;

		if (desc.flags & DESC_INDIRECT) {
			fault = table_enter(queue, &table, &desc);
			index = 0;
		} else if (chain->count == queue->size) {
			return "a chain longer than the queue, or a loop";
		} else {
			fault = segment_add(queue, chain, &desc);
			total += desc.length;
			index = desc.next;
		}
		if (!fault && total > UINT32_MAX) {
			fault = "a chain of 4 GiB or more";
		}
		if (fault || !(desc.flags & (DESC_INDIRECT | DESC_NEXT))) {
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

	if (!negotiated(queue, VIRTIO_F_EVENT_IDX)) {
		return 0;
	}
	*avail_event = queue->last_avail;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return avail_waiting(queue);
}

bool virtqueue_pop(struct virtqueue *queue, struct virtio_chain *chain)
{
	const char *fault = NULL;
	uint16_t waiting;

	if (!virtqueue_running(queue)) {
		return false;
	}
	waiting = avail_waiting(queue);
	if (waiting == 0) {
		waiting = avail_rearm(queue);
	}
	if (waiting == 0) {
		return false;
	}
	chain->head = queue->avail_at[AVAIL_RING + (queue->last_avail & (queue->size - 1u))];
	chain->count = 0;
	chain->readable = 0;
	if (waiting > queue->size) {
		fault = "an available index more than the queue's size ahead";
	} else {
		fault = chain_walk(queue, chain);
	}
	if (fault) {
		queue->device->fault = fault;
		virtio_break(queue->device);
		return false;
	}
	queue->last_avail++;
	return true;
}

void virtqueue_unpop(struct virtqueue *queue, const struct virtio_chain *chain)
{
	(void)chain;
	if (usable(queue)) {
		queue->last_avail--;
	}
}

void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t written)
{
	volatile uint32_t *entry;
	uint32_t index;

	if (!usable(queue)) {
		return;
	}
	entry = queue->used_at + USED_RING + 2u * (queue->used_index & (queue->size - 1u));
	entry[0] = head;
	entry[1] = written;
	queue->used_index++;
	/* virtio 1.2 2.7.8.2: the entry, and all data, before the index. */
	index = (uint32_t)queue->used_index << 16;
	__atomic_store_n(&queue->used_at[USED_INDEX], index, __ATOMIC_RELEASE);
}

bool virtqueue_should_notify(struct virtqueue *queue)
{
	uint16_t pushed = (uint16_t)(queue->used_index - queue->signalled);
	uint16_t used_event;

	if (pushed == 0 || !usable(queue)) {
		return false;
	}
	queue->signalled = queue->used_index;
	/* The driver sees the index before we read its wish, or both sides could wait. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!negotiated(queue, VIRTIO_F_EVENT_IDX)) {
		return !(queue->avail_at[AVAIL_FLAGS] & AVAIL_NO_INTERRUPT);
	}
	used_event = queue->avail_at[AVAIL_RING + queue->size];
	return (uint16_t)(queue->used_index - used_event - 1) < pushed;
}
