/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entropy device: the backend fills the guest's buffers in place, as far as it can; a driver
 * that wants more asks again (virtio 1.2, 5.4.6). Lock: the device's; done() and batch() take it.
 */
#include "rng.h"
#include <string.h>

#define DEVICE_ID 4u

_Static_assert(offsetof(struct virtio_rng, device) == 0, "rng_notify() casts");
_Static_assert(offsetof(struct virtio_rng_slot, request) == 0, "request_done() casts");

static struct virtio_rng_slot *slot_find(struct virtio_rng *rng)
{
	unsigned int i;

	for (i = 0; i < VIRTIO_RNG_QUEUE_SIZE; i++) {
		if (!rng->slot[i].busy) {
			return &rng->slot[i];
		}
	}
	return NULL;
}

static void slot_end(struct virtio_rng *rng, const struct virtio_rng_slot *slot,
		     enum io_status status, uint32_t length)
{
	bool good = status == IO_OK && length <= slot->length;

	virtqueue_push(&rng->queue, slot->head, good ? length : 0);
}

/* Returns false if the backend has no room: batch() will be called. */
static bool chain_submit(struct virtio_rng *rng, struct virtio_rng_slot *slot,
			 const struct virtio_chain *chain)
{
	struct io_segment segment = chain->segment[0];
	enum io_status status;

	if (segment.length > VIRTIO_RNG_BYTES) {
		segment.length = VIRTIO_RNG_BYTES;
	}
	slot->length = segment.length;
	slot->head = chain->head;
	status = rng->backend->ops->submit(rng->backend, &slot->request, &segment);
	if (status == IO_BUSY) {
		virtqueue_unpop(&rng->queue, chain);
		return false;
	}
	slot->busy = status == IO_PENDING;
	if (slot->busy) {
		rng->device.in_flight++;
	} else {
		slot_end(rng, slot, status, segment.length);
	}
	return true;
}

/*
 * Until the queue is empty, or slots or backend are full. A call takes no more than a queue's
 * worth, however fast the driver adds more.
 */
static void queue_run(struct virtio_rng *rng)
{
	struct virtio_chain chain = {.segment = rng->segment};
	struct virtio_rng_slot *slot;
	unsigned int left = VIRTIO_RNG_QUEUE_SIZE;

	while ((slot = slot_find(rng)) && left > 0 && virtqueue_pop(&rng->queue, &chain)) {
		left--;
		if (chain.readable != 0) {
			rng->device.fault = "a readable buffer in the entropy device's queue";
			virtio_break(&rng->device);
		} else if (!chain_submit(rng, slot, &chain)) {
			break;
		}
	}
	if (slot && left == 0) {
		virtio_defer(&rng->queue);
	} else {
		virtio_signal(&rng->queue);
	}
}

static void request_done(struct io_request *request, enum io_status status, uint32_t length)
{
	struct virtio_rng_slot *slot = (struct virtio_rng_slot *)request;
	struct virtio_rng *rng = slot->rng;

	spin_lock(rng->device.place.lock);
	slot->busy = false;
	rng->device.in_flight--;
	slot_end(rng, slot, status, length);
	spin_unlock(rng->device.place.lock);
}

static void rng_batch(void *opaque)
{
	struct virtio_rng *rng = opaque;

	spin_lock(rng->device.place.lock);
	queue_run(rng);
	spin_unlock(rng->device.place.lock);
}

/* Nothing is in flight then. */
static void rng_reset(struct virtio_device *device)
{
	(void)device;
}

static void rng_notify(struct virtio_device *device, uint16_t queue)
{
	(void)queue;
	queue_run((struct virtio_rng *)device);
}

static const struct virtio_model rng_model = {
	.device_id = DEVICE_ID,
	.queue_size = VIRTIO_RNG_QUEUE_SIZE,
	.reset = rng_reset,
	.notify = rng_notify,
};

void virtio_rng_init(struct virtio_rng *rng, struct entropy_backend *backend,
		     const struct virtio_place *place)
{
	unsigned int i;

	memset(rng, 0, sizeof(*rng));
	rng->backend = backend;
	rng->listener = (struct io_listener){.batch = rng_batch, .device = rng};
	for (i = 0; i < VIRTIO_RNG_QUEUE_SIZE; i++) {
		rng->slot[i].rng = rng;
		rng->slot[i].request.done = request_done;
	}
	virtio_init(&rng->device, &rng_model, place, &rng->queue, 1, 0);
	backend->ops->listen(backend, &rng->listener);
}
