/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network card: hands the driver's frames and buffers to the backend in place.
 *
 * A frame's header is the driver's word and goes on as a checked copy of ours. Of a buffer only the
 * length that the backend tells is checked. Lock: the device's guards all; done(), batch() and
 * link_changed() come from outside and take it.
 */
#include "net.h"
#include "net_header.h"
#include <string.h>

#define DEVICE_ID 1u

#define FRAME_MIN 14u /* bytes: an Ethernet header */
#define FRAME_MAX 65550u

/* Configuration space (virtio 1.2, 5.1.4): there are no MQ and no speed. */
enum { CONFIG_STATUS = 6, CONFIG_MTU = 10, CONFIG_SIZE = 12 };

enum { QUEUE_RECEIVE, QUEUE_TRANSMIT };
#define SLOTS (VIRTIO_NET_QUEUES * VIRTIO_NET_QUEUE_SIZE)

#define HOST_TSO  (NET_F_HOST_TSO4 | NET_F_HOST_TSO6)
#define GUEST_TSO (NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6)
#define FEATURES                                                                                   \
	(NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_MTU | NET_F_MAC | GUEST_TSO | NET_F_GUEST_ECN |     \
	 NET_F_GUEST_UFO | HOST_TSO | NET_F_HOST_ECN | NET_F_HOST_UFO | NET_F_MRG_RXBUF |          \
	 NET_F_STATUS)

/* Features that count only with one of others (virtio 1.2, 5.1.3.1), in order. */
static const struct {
	uint32_t features, need;
} dependencies[] = {
	{HOST_TSO | NET_F_HOST_UFO, NET_F_CSUM},
	{GUEST_TSO | NET_F_GUEST_UFO, NET_F_GUEST_CSUM},
	{NET_F_HOST_ECN, HOST_TSO},
	{NET_F_GUEST_ECN, GUEST_TSO},
};

_Static_assert(offsetof(struct virtio_net, device) == 0, "net_of() casts");
_Static_assert(offsetof(struct virtio_net_slot, request) == 0, "request_done() casts");

static struct virtio_net *net_of(struct virtio_device *device)
{
	return (struct virtio_net *)device;
}

static unsigned int queue_of(const struct virtio_net *net, const struct virtio_net_slot *slot)
{
	return slot >= &net->slot[VIRTIO_NET_QUEUE_SIZE] ? QUEUE_TRANSMIT : QUEUE_RECEIVE;
}

static enum io_status chain_refuse(struct virtio_net *net, const char *sentence)
{
	net->device.fault = sentence;
	virtio_break(&net->device);
	return IO_ERROR;
}

/* Bytes of the header on the driver's side. */
static uint32_t header_size(const struct virtio_net *net)
{
	bool modern = net->device.driver_features[1] & (uint32_t)(VIRTIO_F_VERSION_1 >> 32);

	return modern || (net->features & NET_F_MRG_RXBUF) ? NET_HEADER : NET_HEADER_LEGACY;
}

static uint32_t chain_length(const struct virtio_chain *chain)
{
	uint32_t length = 0;
	uint16_t i;

	for (i = 0; i < chain->count; i++) {
		length += chain->segment[i].length;
	}
	return length;
}

static void slot_free(struct virtio_net *net, struct virtio_net_slot *slot)
{
	unsigned int index = queue_of(net, slot);

	slot->next = net->free[index];
	net->free[index] = slot;
}

/* IO_ERROR: the frame is dropped, or the device is broken. */
static enum io_status frame_send(struct virtio_net *net, struct virtio_net_slot *slot,
				 struct virtio_chain chain)
{
	struct net_backend *backend = net->backend;
	struct io_segment *segment;
	uint32_t length;

	if (chain.readable != chain.count) {
		return chain_refuse(net, "a writable buffer in the network card's transmit queue");
	}
	if (!net_header_take(&chain, slot->header, header_size(net))) {
		return chain_refuse(net, "a frame that is shorter than its header");
	}
	length = chain_length(&chain);
	if (length < FRAME_MIN || length > FRAME_MAX || chain.count >= backend->segments_max ||
	    !net_header_check(slot->header, net->features, length)) {
		return IO_ERROR;
	}
	segment = chain.segment - 1;
	*segment = (struct io_segment){slot->header, NET_HEADER};
	return backend->ops->transmit(backend, &slot->request, segment,
				      (uint16_t)(chain.count + 1));
}

/* Anything but IO_PENDING: the backend did not take the buffer. */
static enum io_status buffer_give(struct virtio_net *net, struct virtio_net_slot *slot,
				  struct virtio_chain chain)
{
	struct net_backend *backend = net->backend;
	uint32_t size = header_size(net);

	if (chain.readable != 0) {
		return chain_refuse(net, "a readable buffer in the network card's receive queue");
	}
	slot->length = chain_length(&chain) + NET_HEADER - size;
	if (slot->length <= NET_HEADER) {
		return chain_refuse(net, "a receive buffer with no room for a frame");
	}
	if (size < NET_HEADER) {
		net_header_widen(&chain, slot->header);
	}
	if (chain.count > backend->segments_max) {
		return chain_refuse(net, "a receive buffer in too many pieces for the backend");
	}
	return backend->ops->receive(backend, &slot->request, chain.segment, chain.count);
}

/* What the driver is told of a buffer that came back: bytes on its side, 0: nothing is in it. */
static uint32_t buffer_used(const struct virtio_net *net, const struct virtio_net_slot *slot,
			    enum io_status status, uint32_t length)
{
	/* Only the first of a frame's buffers begins with a header. */
	uint32_t least = net->features & NET_F_MRG_RXBUF ? 1 : NET_HEADER + 1;

	if (status != IO_OK || length < least || length > slot->length) {
		return 0;
	}
	return length - (NET_HEADER - header_size(net));
}

static void slot_end(struct virtio_net *net, struct virtio_net_slot *slot, enum io_status status,
		     uint32_t length)
{
	unsigned int index = queue_of(net, slot);
	uint32_t used = 0;

	if (index == QUEUE_RECEIVE) {
		used = buffer_used(net, slot, status, length);
		net->received += used != 0;
	} else if (status == IO_OK) {
		net->sent++;
	} else {
		net->dropped++;
	}
	slot_free(net, slot);
	virtqueue_push(&net->queue[index], slot->head, used);
}

/* Returns false if the queue must wait for batch(): there is no room, or a buffer was not taken. */
static bool chain_submit(struct virtio_net *net, unsigned int index, struct virtio_net_slot *slot,
			 const struct virtio_chain *chain)
{
	enum io_status status = index == QUEUE_TRANSMIT ? frame_send(net, slot, *chain)
							: buffer_give(net, slot, *chain);

	if (status != IO_PENDING && (status == IO_BUSY || index == QUEUE_RECEIVE)) {
		virtqueue_unpop(&net->queue[index], chain);
		return false;
	}
	slot->head = chain->head;
	net->free[index] = slot->next;
	if (status == IO_PENDING) {
		net->outstanding++;
	} else {
		slot_end(net, slot, status, 0);
	}
	return true;
}

/*
 * Hands chains to the backend until the queue is empty, or slots or backend are full: then batch()
 * calls again. A call takes no more than a queue's worth, however fast the driver adds more.
 */
static void queue_run(struct virtio_net *net, unsigned int index)
{
	struct virtqueue *queue = &net->queue[index];
	struct virtio_chain chain = {.segment = &net->segment[NET_HEADER_ROOM]};
	uint32_t left = VIRTIO_NET_QUEUE_SIZE;

	while (left > 0 && net->started && net->free[index] && virtqueue_pop(queue, &chain)) {
		left--;
		if (!chain_submit(net, index, net->free[index], &chain)) {
			break;
		}
	}
	if (left == 0 && net->free[index]) {
		virtio_defer(queue);
	} else {
		virtio_signal(queue);
	}
}

static void queues_run(struct virtio_net *net)
{
	queue_run(net, QUEUE_RECEIVE);
	queue_run(net, QUEUE_TRANSMIT);
}

static void backend_start(struct virtio_net *net)
{
	if (net->wanted && net->late == 0) {
		net->started = true;
		net->backend->ops->start(net->backend, net->features);
	}
}

/* The backend was stopped while this done() was on its way: its slot is free already. */
static void late_done(struct virtio_net *net)
{
	net->late--;
	backend_start(net);
	queues_run(net);
}

static void request_done(struct io_request *request, enum io_status status, uint32_t length)
{
	struct virtio_net_slot *slot = (struct virtio_net_slot *)request;
	struct virtio_net *net = slot->net;

	spin_lock(net->device.place.lock);
	if (net->late != 0) {
		late_done(net);
	} else {
		net->outstanding--;
		slot_end(net, slot, status, length);
	}
	spin_unlock(net->device.place.lock);
}

static void net_batch(void *opaque)
{
	struct virtio_net *net = opaque;

	spin_lock(net->device.place.lock);
	queues_run(net);
	spin_unlock(net->device.place.lock);
}

static void net_link_changed(void *opaque)
{
	struct virtio_net *net = opaque;

	spin_lock(net->device.place.lock);
	virtio_config_changed(&net->device);
	spin_unlock(net->device.place.lock);
}

/* --- model --- */

static void net_started(struct virtio_device *device)
{
	struct virtio_net *net = net_of(device);
	uint64_t features = device->driver_features[0] & device->features;
	unsigned int i;

	for (i = 0; i < sizeof(dependencies) / sizeof(dependencies[0]); i++) {
		if (!(features & dependencies[i].need)) {
			features &= ~(uint64_t)dependencies[i].features;
		}
	}
	net->features = features;
	net->wanted = true;
	backend_start(net);
}

static void net_reset(struct virtio_device *device)
{
	struct virtio_net *net = net_of(device);
	unsigned int i;

	if (net->started) {
		net->late = net->outstanding - net->backend->ops->stop(net->backend);
		net->outstanding = 0;
	}
	net->started = false;
	net->wanted = false;
	memset(net->free, 0, sizeof(net->free));
	for (i = 0; i < SLOTS; i++) {
		slot_free(net, &net->slot[i]);
	}
}

static void net_notify(struct virtio_device *device, uint16_t queue)
{
	queue_run(net_of(device), queue);
}

static uint8_t net_config_read(struct virtio_device *device, uint32_t offset)
{
	const struct net_backend *backend = net_of(device)->backend;

	if (offset < NET_MAC) {
		return backend->mac[offset];
	}
	if (offset >= CONFIG_MTU) {
		return (uint8_t)(backend->mtu >> 8 * (offset - CONFIG_MTU));
	}
	return offset == CONFIG_STATUS && backend->link_up;
}

static const struct virtio_model net_model = {
	.device_id = DEVICE_ID,
	.queue_size = VIRTIO_NET_QUEUE_SIZE,
	.config_size = CONFIG_SIZE,
	.reset = net_reset,
	.started = net_started,
	.stopped = net_reset, /* buffers wait for as long as no frame comes; no driver goes on */
	.notify = net_notify,
	.config_read = net_config_read,
};

void virtio_net_init(struct virtio_net *net, struct net_backend *backend,
		     const struct virtio_place *place)
{
	unsigned int i;

	memset(net, 0, sizeof(*net));
	net->backend = backend;
	for (i = 0; i < SLOTS; i++) {
		net->slot[i].net = net;
		net->slot[i].request.done = request_done;
	}
	net->events = (struct net_events){{.batch = net_batch, .device = net}, net_link_changed};
	backend->events = &net->events;
	virtio_init(&net->device, &net_model, place, net->queue, VIRTIO_NET_QUEUES,
		    backend->features & FEATURES);
}
