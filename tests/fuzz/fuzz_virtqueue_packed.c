/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed virtqueue with any ring, anywhere, changing between calls, against the reference. */
#include "drivers/virtio/virtio.h"
#include "bytes.h"
#include "reference_packed.h"

#define DRIVER_AREA    0x1000u /* from RAM_BASE, where they usually are */
#define DEVICE_AREA    0x1010u
#define INDIRECT_TABLE 0x1800u
#define BUFFER         0x1c00u

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static uint8_t reference_ram[RAM_SIZE];
static const struct guest_memory memory = {RAM_BASE, RAM_SIZE, ram};
static struct virtio_device device;
static struct virtqueue queues[1], *const queue = queues;
static struct reference_packed reference;

/* Buffers that the device has, in the order in which they were taken. */
static struct {
	uint16_t head;
	struct reference_buffer buffer;
} out[REFERENCE_SIZE_MAX + 1];
static unsigned int out_count;
static unsigned int undoable; /* the last so many of them were taken last of all */

/* Exactly as long as the contract says, behind a red zone. */
static struct io_segment *segments;

void virtio_break(struct virtio_device *broken)
{
	broken->live = false;
}

static uint64_t take_area(struct bytes *in, uint32_t usual)
{
	uint8_t kind = take8(in);

	return kind < 230   ? RAM_BASE + usual
	       : kind < 245 ? RAM_BASE + take16(in) % (2 * RAM_SIZE)
			    : (uint64_t)take32(in) << 32 | take32(in);
}

/* Writes a descriptor with a chance; @state: its AVAIL and USED flags. */
static void poke_descriptor(struct bytes *in, uint64_t at, uint16_t state)
{
	uint8_t kind = take8(in);
	uint16_t flags = kind & 8 ? take8(in) & 7 : kind & 2 ? 4 : 0;

	if (!reference_in_ram(at, 16)) {
		return;
	}
	reference_store(ram, at, 8, take_area(in, flags & 4 ? INDIRECT_TABLE : BUFFER));
	reference_store(ram, at + 8, 4, kind & 4 ? take_length(in) : 16u * (1 + (kind >> 6)));
	reference_store(ram, at + 12, 2, kind & 1 ? take16(in) : kind);
	reference_store(ram, at + 14, 2, flags | state);
}

/* The next @count descriptors that the device looks at, mostly available, in a chain or not. */
static void offer(struct bytes *in, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		uint64_t place = reference.next + i;
		uint16_t state = packed_wrap(&reference, place) ? 0x0080 : 0x8000;

		poke_descriptor(in, packed_at(&reference, place), state);
	}
}

static void poke(struct bytes *in)
{
	uint8_t kind = take8(in);
	uint32_t offset = kind < 128 ? DRIVER_AREA : take16(in) % (RAM_SIZE - 16);

	if (kind < 40) {
		poke_descriptor(in, RAM_BASE + INDIRECT_TABLE + 16 * (kind % 4u), 0);
	} else if (kind < 100) { /* what the driver wants to hear of: something near */
		uint64_t place = reference.used + kind % 16 - 4;

		reference_store(ram, reference.driver, 2,
				(place % reference.num) | packed_wrap(&reference, place) << 15);
		reference_store(ram, reference.driver + 2, 2, kind < 80 ? 2 : kind % 4);
	} else {
		for (kind %= 16; kind > 0; kind--) {
			ram[offset++] = take8(in);
		}
	}
}

static void pop(void)
{
	struct virtio_chain chain = {.segment = segments};
	struct reference_buffer *buffer = &out[out_count].buffer;
	bool got = virtqueue_pop(queue, &chain);
	unsigned int i, readable = 0;

	AGREE(got, reference_packed_pop(&reference, buffer));
	if (!got) {
		return;
	}
	AGREE(chain.count, buffer->count);
	for (i = 0; i < buffer->count; i++) {
		AGREE(segments[i].at - ram, buffer->piece[i].ipa - RAM_BASE);
		AGREE(segments[i].length, buffer->piece[i].length);
		readable += !buffer->piece[i].write;
	}
	AGREE(chain.readable, readable);
	for (i = 0; i < out_count; i++) {
		AGREE(out[i].head != chain.head, true);
	}
	out[out_count++].head = chain.head;
	undoable++;
}

static void unpop(void)
{
	if (undoable != 0) {
		undoable--;
		out_count--;
		virtqueue_unpop(queue, &(struct virtio_chain){.head = out[out_count].head});
		reference_packed_unpop(&reference, &out[out_count].buffer);
	}
}

static void push(struct bytes *in)
{
	unsigned int n = out_count ? take8(in) % out_count : 0;
	uint32_t written = take_length(in);

	if (out_count == 0) {
		return;
	}
	virtqueue_push(queue, out[n].head, written);
	reference_packed_push(&reference, &out[n].buffer, written);
	out_count--;
	undoable = undoable < out_count - n ? undoable : out_count - n;
	memmove(&out[n], &out[n + 1], (out_count - n) * sizeof(out[0]));
}

static bool start(struct bytes *in)
{
	uint8_t features = take8(in);
	uint64_t area[3] = {take_area(in, 0), take_area(in, DRIVER_AREA),
			    take_area(in, DEVICE_AREA)};
	unsigned int i;

	memset(&device, 0, sizeof(device));
	memset(queues, 0, sizeof(queues));
	memset(ram, 0, RAM_SIZE);
	for (i = 0; i < 8; i++) {
		reference_store(ram, RAM_BASE + INDIRECT_TABLE + 16 * i, 8, RAM_BASE + BUFFER);
		reference_store(ram, RAM_BASE + INDIRECT_TABLE + 16 * i + 8, 4, 1 + i);
	}
	out_count = undoable = 0;
	device.place.memory = &memory;
	device.queue = queues;
	device.queue_count = 1;
	device.live = true;
	device.driver_features[0] = ((features & 1) ? (uint32_t)VIRTIO_F_INDIRECT_DESC : 0) |
				    ((features & 2) ? (uint32_t)VIRTIO_F_EVENT_IDX : 0);
	device.driver_features[1] = (uint32_t)(VIRTIO_F_RING_PACKED >> 32);
	queue->device = &device;
	queue->size = features & 4 ? 1 + (features >> 3) % 8 : take8(in);
	for (i = 0; i < 6; i++) {
		queue->address[i] = (uint32_t)(area[i / 2] >> (i % 2 ? 32 : 0));
	}
	reference = (struct reference_packed){
		.ram = reference_ram,
		.desc = area[0],
		.driver = area[1],
		.device = area[2],
		.num = queue->size,
		.indirect = features & 1,
		.event_index = features & 2,
	};
	AGREE(virtqueue_enable(queue) == NULL, packed_rings_good(&reference));
	AGREE(queue->ready, packed_rings_good(&reference));
	return queue->ready;
}

/* So that one bad chain is not the end of an input. */
static void mend(void)
{
	reference.broken = false;
	device.live = true;
	device.fault = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct bytes in = {input, length};

	if (!start(&in)) {
		return 0;
	}
	segments = malloc(queue->size * sizeof(*segments));
	while (in.left > 0) {
		uint8_t what = take8(&in);

		if (what < 40) {
			poke(&in);
		} else if (what < 100) {
			offer(&in, 1 + what % 3);
		}
		memcpy(reference_ram, ram, RAM_SIZE);
		if (what >= 60 && what < 170) { /* some descriptors were offered right before */
			pop();
		} else if (what >= 170 && what < 185) {
			unpop();
		} else if (what >= 185 && what < 230) {
			push(&in);
		} else if (what >= 230) {
			AGREE(virtqueue_should_notify(queue),
			      reference_packed_should_notify(&reference));
			mend();
		}
		AGREE(!device.live, reference.broken);
		AGREE(device.fault != NULL, reference.broken);
		AGREE(queue->last_avail, reference.next % reference.num);
		AGREE(queue->used_index, reference.used % reference.num);
		AGREE(queue->held, reference.out);
		AGREE(memcmp(ram, reference_ram, RAM_SIZE), 0);
	}
	free(segments);
	return 0;
}
