/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The split virtqueue: rings anywhere, whose words change at each look; chains are taken, undone and
 * handed back in any order.
 * @sources +drivers/virtio/queue.c +drivers/virtio/split.c
 * @run -DSIZE=8 -DRAM=256 -DFORMAT=1 -eva-interprocedural-splits -eva-precision 1 -eva-split-return auto -eva-domains bitwise
 * @argued ordered user_assertion
 *   A chain is handed out when a descriptor without NEXT was added, so there is one; and a readable one is added where
 *   all before it are readable, or the ring is broken (virtqueue_add). Seen by test_virtqueue, test_virtqueue_packed and
 *   the reference models of fuzz_virtqueue and fuzz_virtqueue_packed.
 * @unreached virtqueue_running
 *   It is running(), which virtqueue_pop() begins with; prove_transport calls it.
 * @plant drivers/guestmem.h s/offset > size - length/offset > size/
 * @plant drivers/virtio/split.c s/chain->count == queue->size/chain->count > queue->size/
 * @plant drivers/virtio/split.c s/index < table.entries/index <= table.entries/
 */
#include "drivers/virtio/ring.h"

static volatile uint8_t ram[RAM];
static struct guest_memory memory = {0x40000000, RAM, (uint8_t *)ram};
static struct virtio_device device;
static struct virtqueue queue;
static struct io_segment segments[SIZE];

/* Where a ring or a table may lie depends on its length: one length after the other. */
static void *one_length(const struct guest_memory *from, uint64_t ipa, uint32_t length)
{
	void *at;

	if (length > RAM) {
		return guest_memory_at(from, ipa, length);
	}
	/*@ split length; */
	at = guest_memory_at(from, ipa, length);
	/*@ split at == 0; */
	return at;
}

#define guest_memory_at one_length
#include "drivers/virtio/queue.c"
#undef guest_memory_at

/* What succeeded and what failed are told apart for good. */
static const char *enter(const struct virtqueue *from, struct table *table,
			 const volatile uint32_t *word, uint32_t flags)
{
	const char *fault = virtqueue_enter(from, table, word, flags);

	/*@ split fault == 0; */
	return fault;
}

static const char *add(const struct virtqueue *from, struct virtio_chain *chain,
		       const volatile uint32_t *word, uint32_t flags)
{
	const char *fault = virtqueue_add(from, chain, word, flags);

	/*@ split fault == 0; */
	return fault;
}

#define virtqueue_enter enter
#define virtqueue_add   add
#include "drivers/virtio/split.c"
#define chain_walk  packed_chain_walk
#define avail_rearm packed_avail_rearm
#include "drivers/virtio/packed.c"

void virtio_break(struct virtio_device *broken)
{
	broken->live = false;
}

static void ordered(const struct virtio_chain *chain)
{
	/*@ assert 1 <= chain->count && chain->readable <= chain->count; */
}

static void take(void)
{
	struct virtio_chain chain = {.segment = segments};

	if (!virtqueue_pop(&queue, &chain)) {
		return;
	}
	/*@ assert count: chain.count <= SIZE; */
	ordered(&chain);
	if (maybe()) {
		virtqueue_unpop(&queue, &chain);
	} else {
		virtqueue_push(&queue, chain.head, any());
	}
}

void main(void)
{
	/*@ widen_hints global:"all", SIZE; */
	device.place.memory = &memory;
	device.live = true;
	device.driver_features[0] = any();
	device.driver_features[1] = FORMAT;
	queue.device = &device;
	queue.size = SIZE;
	for (unsigned i = 0; i < VIRTQUEUE_ADDRESSES; i++) {
		queue.address[i] = any();
	}
	if (virtqueue_enable(&queue)) {
		return;
	}
	while (maybe()) {
		take();
		virtqueue_should_notify(&queue);
	}
}
