/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's virtio network cards. Lock: the device's (virtio.h). */
#include "virtio_net.h"
#include <stddef.h>

#define F_KNOWN                                                                                    \
	(NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_MTU | NET_F_MAC | NET_F_GUEST_TSO4 |                \
	 NET_F_GUEST_TSO6 | NET_F_GUEST_ECN | NET_F_GUEST_UFO | NET_F_HOST_TSO4 |                  \
	 NET_F_HOST_TSO6 | NET_F_HOST_ECN | NET_F_HOST_UFO | NET_F_MRG_RXBUF | NET_F_STATUS)

/* The configuration space (virtio 1.2, 5.1.4). */
#define MAC     0u
#define STATUS  6u
#define MTU     10u
#define LINK_UP 1u

/*
 * A legacy device without NET_F_MRG_RXBUF has a header of 10 bytes, without num_buffers
 * (virtio 1.2, 5.1.6.1): a gap in each chain, where its part of the header would be.
 */
#define GAP       10u
#define GAP_BYTES (NET_HEADER - GAP)

enum { QUEUE_RECEIVE, QUEUE_TRANSMIT };

_Static_assert(offsetof(struct hw_card, device) == 0, "card_of() and the casts of its events");

static struct hw_card *card_of(struct net_backend *backend)
{
	return (struct hw_card *)((uint8_t *)backend - offsetof(struct hw_card, backend));
}

static bool has_gap(const struct hw_virtio *device)
{
	return device->legacy && (device->wanted & NET_F_MRG_RXBUF) == 0;
}

/*
 * The bytes of the segment, which begins @position bytes into the frame, from @from up to @to; both
 * count from the frame's start.
 */
static void add_part(struct hw_queue *queue, const struct io_segment *segment, uint32_t position,
		     uint32_t from, uint32_t to, bool writable)
{
	const uint32_t end = position + segment->length;

	from = from > position ? from : position;
	to = to < end ? to : end;
	if (from < to) {
		hw_chain_add(queue, segment->at + (from - position), to - from, writable);
	}
}

/* The device does not write num_buffers, which is 1. */
static void fill_gap(const struct io_segment *segment, uint32_t position)
{
	for (uint32_t i = 0; i < GAP_BYTES; i++) {
		if (GAP + i - position < segment->length) {
			segment->at[GAP + i - position] = i == 0;
		}
	}
}

static void add_with_gap(struct hw_queue *queue, const struct io_segment *segment, uint16_t count,
			 bool writable)
{
	uint32_t position = 0;

	for (uint16_t i = 0; i < count; i++) {
		add_part(queue, &segment[i], position, 0, GAP, writable);
		add_part(queue, &segment[i], position, NET_HEADER, UINT32_MAX, writable);
		if (writable) {
			fill_gap(&segment[i], position);
		}
		position += segment[i].length;
	}
}

static void add_whole(struct hw_queue *queue, const struct io_segment *segment, uint16_t count,
		      bool writable)
{
	for (uint16_t i = 0; i < count; i++) {
		hw_chain_add(queue, segment[i].at, segment[i].length, writable);
	}
}

static enum io_status submit(struct net_backend *backend, unsigned int index,
			     struct io_request *request, const struct io_segment *segment,
			     uint16_t count)
{
	struct hw_virtio *device = &card_of(backend)->device;
	struct hw_queue *queue = &device->queue[index];
	enum io_status status;

	spin_lock(&device->lock);
	status = hw_virtio_room(device, index, count + (uint32_t)has_gap(device));
	if (status == IO_OK) {
		hw_chain_begin(queue);
		(has_gap(device) ? add_with_gap : add_whole)(queue, segment, count,
							     index == QUEUE_RECEIVE);
		hw_virtio_submit(device, index, request);
		status = IO_PENDING;
	}
	spin_unlock(&device->lock);
	return status;
}

static enum io_status card_transmit(struct net_backend *backend, struct io_request *request,
				    const struct io_segment *segment, uint16_t count)
{
	return submit(backend, QUEUE_TRANSMIT, request, segment, count);
}

static enum io_status card_receive(struct net_backend *backend, struct io_request *request,
				   const struct io_segment *segment, uint16_t count)
{
	return submit(backend, QUEUE_RECEIVE, request, segment, count);
}

static bool link_up(const struct hw_card *card)
{
	return (card->backend.features & NET_F_STATUS) == 0 ||
	       (hw_virtio_config(&card->device, STATUS, 2) & LINK_UP) != 0;
}

static void card_start(struct net_backend *backend, uint64_t features)
{
	struct hw_virtio *device = &card_of(backend)->device;

	spin_lock(&device->lock);
	device->wanted = features & backend->features;
	device->listener = &backend->events->listener;
	backend->link_up = link_up(card_of(backend));
	hw_virtio_start(device);
	spin_unlock(&device->lock);
}

static uint32_t card_stop(struct net_backend *backend)
{
	struct hw_virtio *device = &card_of(backend)->device;
	uint32_t given_up;

	spin_lock(&device->lock);
	given_up = hw_virtio_stop(device);
	spin_unlock(&device->lock);
	return given_up;
}

static const struct net_ops card_ops = {
	.start = card_start,
	.stop = card_stop,
	.transmit = card_transmit,
	.receive = card_receive,
};

/*
 * A buffer has its header at least, unless it goes on with a frame that another one began; the gap
 * counts as written.
 */
static enum io_status card_finish(struct hw_virtio *device, const struct hw_slot *slot,
				  uint32_t *length)
{
	const uint32_t least = (device->wanted & NET_F_MRG_RXBUF) != 0 ? 1 : NET_HEADER;

	if (has_gap(device) && *length >= GAP) {
		*length += GAP_BYTES;
	}
	return slot->writable == 0 || *length >= least ? IO_OK : IO_ERROR;
}

static void card_config_changed(struct hw_virtio *device)
{
	struct hw_card *card = (struct hw_card *)device;
	struct net_events *events = card->backend.events;
	const bool up = link_up(card);

	if (up != card->backend.link_up) {
		card->backend.link_up = up;
		events->link_changed(events->listener.device);
	}
}

static const struct hw_kind card_kind = {
	.finish = card_finish,
	.config_changed = card_config_changed,
};

bool hw_card_init(void *opaque, uintptr_t registers)
{
	struct hw_card *card = opaque;
	struct hw_virtio *device = &card->device;
	struct net_backend *backend = &card->backend;

	device->kind = &card_kind;
	device->queue_count = 2;
	for (unsigned int i = 0; i < 2; i++) {
		device->queue[i].ring = card->ring[i];
		device->queue[i].slot = card->slot[i];
		device->queue[i].size = HW_CARD_DESCRIPTORS;
	}
	device->queue[QUEUE_TRANSMIT].timed = true;
	backend->ops = &card_ops;
	backend->features = hw_virtio_open(device, registers) & F_KNOWN;
	backend->segments_max = HW_CARD_DESCRIPTORS / 2;
	for (unsigned int i = 0; i < NET_MAC && (backend->features & NET_F_MAC) != 0; i++) {
		backend->mac[i] = (uint8_t)hw_virtio_config(device, MAC + i, 1);
	}
	if ((backend->features & NET_F_MTU) != 0) {
		backend->mtu = (uint16_t)hw_virtio_config(device, MTU, 2);
	}
	backend->link_up = link_up(card);
	return device->state != HW_OFF;
}
