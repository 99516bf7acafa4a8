/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtqueue with any rings, anywhere, changing between calls, against the reference. */
#include "drivers/virtio/virtio.h"
#include "bytes.h"
#include "reference_queue.h"

#define INDIRECT_TABLE 0x1800u /* from RAM_BASE, where one is likely */

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static uint8_t reference_ram[RAM_SIZE];
static const struct guest_memory memory = {RAM_BASE, RAM_SIZE, ram};
static struct virtio_device device;
static struct virtqueue queues[1], *const queue = queues;
static struct reference_queue reference;
static struct reference_chain expected;

/* Exactly as long as the contract says, behind a red zone. */
static struct io_segment *segments;

void virtio_break(struct virtio_device *broken)
{
	broken->live = false;
}

static uint64_t take_ring(struct bytes *in, uint32_t usual)
{
	uint8_t kind = take8(in);

	return kind < 200   ? RAM_BASE + usual
	       : kind < 240 ? RAM_BASE + take16(in) % (2 * RAM_SIZE)
			    : (uint64_t)take32(in) << 32 | take32(in);
}

/* A descriptor that has a chance, in the queue's table or in what may be an indirect one. */
static void poke_descriptor(struct bytes *in)
{
	uint8_t kind = take8(in);
	uint64_t table = kind & 1 ? RAM_BASE + INDIRECT_TABLE : reference.desc;
	uint64_t at = table + 16 * (take8(in) % 20u);
	uint32_t usual = kind & 2 ? INDIRECT_TABLE : 0x1c00u + (kind >> 4);

	if (!reference_in_ram(at, 16)) {
		return;
	}
	reference_store(ram, at, 8, take_ring(in, usual));
	reference_store(ram, at + 8, 4, kind & 4 ? 16 * (kind >> 4) : take_length(in));
	reference_store(ram, at + 12, 2, kind & 8 ? take8(in) & 7 : 4 * (kind & 1) ^ 4);
	reference_store(ram, at + 14, 2, take8(in) % 20);
}

static void poke(struct bytes *in)
{
	uint8_t kind = take8(in);
	uint32_t offset;

	if (kind < 200) {
		poke_descriptor(in);
	} else {
		for (offset = take16(in) % (RAM_SIZE - 16); kind & 15; kind--) {
			ram[offset++] = take8(in);
		}
	}
	memcpy(reference_ram, ram, RAM_SIZE);
}

static void offer(struct bytes *in)
{
	uint64_t index = reference_load(ram, reference.avail + 2, 2);

	reference_store(ram, reference.avail + 4 + 2 * (index % reference.num), 2, take8(in) % 20);
	reference_store(ram, reference.avail + 2, 2, index + 1);
	memcpy(reference_ram, ram, RAM_SIZE);
}

/* A reset that keeps the rings, so that one bad chain is not the end of an input. */
static void mend(void)
{
	reference.broken = false;
	reference.last = (uint16_t)reference_load(ram, reference.avail + 2, 2);
	queue->last_avail = reference.last;
	device.live = true;
	device.fault = NULL;
}

static void pop(void)
{
	struct virtio_chain chain = {.segment = segments};
	bool got = virtqueue_pop(queue, &chain);
	unsigned int i, readable = 0;

	AGREE(got, reference_pop(&reference, &expected));
	AGREE(!device.live, reference.broken);
	AGREE(device.fault != NULL, reference.broken);
	if (!got) {
		return;
	}
	AGREE(chain.head, expected.head);
	AGREE(chain.count, expected.count);
	for (i = 0; i < expected.count; i++) {
		AGREE(segments[i].at - ram, expected.piece[i].ipa - RAM_BASE);
		AGREE(segments[i].length, expected.piece[i].length);
		readable += !expected.piece[i].write;
	}
	AGREE(chain.readable, readable);
}

static bool start(struct bytes *in)
{
	uint64_t ring[3];
	uint8_t features = take8(in);
	unsigned int i;

	memset(&device, 0, sizeof(device));
	memset(queues, 0, sizeof(queues));
	memset(&reference, 0, sizeof(reference));
	memset(ram, 0, RAM_SIZE);
	memset(reference_ram, 0, RAM_SIZE);
	device.place.memory = &memory;
	device.queue = queues;
	device.queue_count = 1;
	device.live = true;
	device.driver_features[0] = ((features & 1) ? (uint32_t)VIRTIO_F_INDIRECT_DESC : 0) |
				    ((features & 2) ? (uint32_t)VIRTIO_F_EVENT_IDX : 0);
	queue->device = &device;
	queue->size = (uint16_t)(1u << (features >> 2) % 9);
	ring[0] = take_ring(in, 0);
	ring[1] = take_ring(in, 0x1000);
	ring[2] = take_ring(in, 0x1400);
	for (i = 0; i < 6; i++) {
		queue->address[i] = (uint32_t)(ring[i / 2] >> (i % 2 ? 32 : 0));
	}
	reference.ram = reference_ram;
	reference.desc = ring[0];
	reference.avail = ring[1];
	reference.used = ring[2];
	reference.num = queue->size;
	reference.indirect = features & 1;
	reference.event_index = features & 2;
	AGREE(virtqueue_enable(queue) == NULL, reference_rings_good(&reference));
	return reference_rings_good(&reference);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct bytes in = {input, length};

	if (!start(&in)) {
		return 0;
	}
	segments = malloc(queue->size * sizeof(*segments));
	if (take8(&in) & 1) { /* near the wrap of all indices */
		queue->last_avail = queue->used_index = 0xfffe;
		reference.last = reference.used_index = reference.asked = 0xfffe;
		reference_store(ram, reference.avail + 2, 2, 0xfffe);
		memcpy(reference_ram, ram, RAM_SIZE);
	}
	while (in.left > 0) {
		uint8_t what = take8(&in);

		if (what < 100) {
			poke(&in);
		} else if (what < 160) {
			offer(&in);
		} else if (what < 200) {
			pop();
		} else if (what < 210) {
			virtqueue_unpop(queue, &(struct virtio_chain){0});
			reference.last = (uint16_t)(reference.last - !reference.broken);
		} else if (what < 240) {
			uint32_t written = take_length(&in);

			virtqueue_push(queue, what, written);
			reference_push(&reference, what, written);
		} else {
			AGREE(virtqueue_should_notify(queue), reference_should_notify(&reference));
			mend();
		}
		AGREE(queue->last_avail, reference.last);
		AGREE(queue->used_index, reference.used_index);
		AGREE(memcmp(ram, reference_ram, RAM_SIZE), 0);
	}
	free(segments);
	return 0;
}
