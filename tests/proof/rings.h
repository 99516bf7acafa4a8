/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In front of a device model, what prove_queue and prove_transport show of what is behind it: chains
 * that lie in RAM, whose bytes change at each look, and a transport that calls what it may.
 */
#ifndef TESTS_PROOF_RINGS_H
#define TESTS_PROOF_RINGS_H

#include "drivers/virtio/virtio.h"

#define HALF 0x10000u
#ifndef SEGMENTS
#define SEGMENTS 4 /* of a chain, at most */
#endif

static volatile uint8_t ram[2 * HALF];
static struct guest_memory memory = {0x40000000, sizeof(ram), (uint8_t *)ram};
static struct spinlock device_lock;
static const struct virtio_model *model;

static void wire(uint32_t intid, bool level)
{
	/*@ assert wired: intid == 48; */
}

void virtio_break(struct virtio_device *device)
{
	device->live = false;
}

void virtio_signal(struct virtqueue *queue)
{
	/*@ assert queued: \valid(queue->device); */
}

void virtio_defer(struct virtqueue *queue)
{
	queue->device->deferred = true;
}

void virtio_config_changed(struct virtio_device *device)
{
	device->config_generation++;
}

void virtio_init(struct virtio_device *device, const struct virtio_model *of,
		 const struct virtio_place *place, struct virtqueue *queue, uint16_t queue_count,
		 uint64_t features)
{
	model = of;
	device->model = of;
	device->place = *place;
	device->queue = queue;
	device->queue_count = queue_count;
	device->features = features;
	device->in_flight = 0;
	for (unsigned i = 0; i < queue_count; i++) {
		queue[i].device = device;
	}
	of->reset(device);
}

bool virtqueue_running(const struct virtqueue *queue)
{
	return maybe();
}

/*
 * A guest's buffer begins in one half of the RAM here, and is no longer than the other. Where what a chain is like was shown
 * by another run, all chains have SEGMENTS buffers: the first of ONE_SHAPE bytes, the others of one.
 */
bool virtqueue_pop(struct virtqueue *queue, struct virtio_chain *chain)
{
	if (maybe()) {
		return false;
	}
#ifdef ONE_SHAPE
	chain->count = SEGMENTS;
	chain->readable = (uint16_t)up_to(1);
#else
	chain->count = (uint16_t)(1 + up_to(SEGMENTS - 1));
	chain->readable = (uint16_t)up_to(chain->count);
#endif
	chain->head = (uint16_t)up_to(VIRTIO_QUEUE_SIZE_MAX - 1);
	chain->length = any();
	/*@ loop unroll SEGMENTS; */
	for (unsigned i = 0; i < SEGMENTS; i++) {
		chain->segment[i].at = (uint8_t *)ram + up_to(HALF - 1);
#ifdef ONE_SHAPE
		chain->segment[i].length = i == 0 ? ONE_SHAPE : 1;
#else
		chain->segment[i].length = 1 + up_to(HALF - 1);
#endif
	}
	return true;
}

void virtqueue_unpop(struct virtqueue *queue, const struct virtio_chain *chain)
{
	/*@ assert queued: \valid(queue->device); */
}

void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t written)
{
	/*@ assert head: head < VIRTIO_QUEUE_SIZE_MAX; */
}

/* What the transport asks of the model, in any order. */
static void transport_calls(struct virtio_device *device)
{
	spin_lock(&device_lock);
	device->driver_features[0] = any();
	device->live = true;
	switch (up_to(5)) {
	case 0:
		if (device->in_flight == 0) {
			model->reset(device);
		}
		break;
	case 1:
		if (model->started) {
			model->started(device);
		}
		break;
	case 2:
		if (model->stopped) {
			model->stopped(device);
		}
		break;
	case 3:
		if (model->config_size != 0) {
			model->config_read(device, up_to(model->config_size - 1));
		}
		break;
	default:
		model->notify(device, (uint16_t)up_to(device->queue_count - 1u));
	}
	spin_unlock(&device_lock);
}

/* What happens to a device: one of its requests ends, its backend has told all, or the driver is there. */
static void device_calls(struct virtio_device *device, struct io_request *request,
			 const struct io_listener *listener)
{
	switch (up_to(2)) {
	case 0:
		request->done(request, (enum io_status)up_to(IO_UNSUPPORTED), any());
		break;
	case 1:
		listener->batch(listener->device);
		break;
	default:
		transport_calls(device);
	}
}

#define PLACE                                                                                      \
	{                                                                                          \
		&memory, {wire, 48}, &device_lock, maybe()                                         \
	}

#endif
