/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's virtio entropy source. Lock: the device's (virtio.h). */
#include "virtio_rng.h"
#include <stddef.h>

static struct hw_rng *rng_of(struct entropy_backend *backend)
{
	return (struct hw_rng *)((uint8_t *)backend - offsetof(struct hw_rng, backend));
}

static enum io_status rng_submit(struct entropy_backend *backend, struct io_request *request,
				 struct io_segment *segment)
{
	struct hw_virtio *device = &rng_of(backend)->device;
	enum io_status status;

	spin_lock(&device->lock);
	status = hw_virtio_room(device, 0, 1);
	if (status == IO_OK) {
		hw_chain_begin(&device->queue[0]);
		hw_chain_add(&device->queue[0], segment->at, segment->length, true);
		hw_virtio_submit(device, 0, request);
		status = IO_PENDING;
	}
	spin_unlock(&device->lock);
	return status;
}

static void rng_listen(struct entropy_backend *backend, struct io_listener *listener)
{
	hw_virtio_listen(&rng_of(backend)->device, listener);
}

static const struct entropy_ops rng_ops = {.submit = rng_submit, .listen = rng_listen};

static enum io_status rng_finish(struct hw_virtio *device, const struct hw_slot *slot,
				 uint32_t *length)
{
	(void)device;
	(void)slot;
	return *length != 0 ? IO_OK : IO_ERROR;
}

static const struct hw_kind rng_kind = {.finish = rng_finish};

bool hw_rng_init(void *opaque, uintptr_t registers)
{
	struct hw_rng *rng = opaque;
	struct hw_virtio *device = &rng->device;

	device->kind = &rng_kind;
	device->queue_count = 1;
	device->queue[0] = (struct hw_queue){
		.ring = rng->ring, .slot = rng->slot, .size = HW_RNG_DESCRIPTORS, .timed = true};
	rng->backend.ops = &rng_ops;
	hw_virtio_open(device, registers);
	spin_lock(&device->lock);
	hw_virtio_start(device);
	spin_unlock(&device->lock);
	return device->state != HW_OFF;
}
