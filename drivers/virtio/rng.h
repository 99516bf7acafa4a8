/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entropy device that the guest sees (virtio 1.2, 5.4). Pure.
 * Lock: the device's own (virtio_place) guards all of it.
 */
#ifndef DRIVERS_VIRTIO_RNG_H
#define DRIVERS_VIRTIO_RNG_H

#include "../entropy.h"
#include "virtio.h"

#define VIRTIO_RNG_QUEUE_SIZE 8  /* entries, and requests that the backend gets at once */
#define VIRTIO_RNG_BYTES      64 /* of one request: a source may be asked in HYP mode, so few */

struct virtio_rng_slot {
	struct io_request request; /* first */
	struct virtio_rng *rng;
	uint32_t length; /* bytes asked for */
	uint16_t head;   /* of the chain */
	bool busy;       /* the backend has it */
};

struct virtio_rng {
	struct virtio_device device; /* first: the model's functions get a pointer to it */
	struct virtqueue queue;
	struct entropy_backend *backend;
	struct io_listener listener;
	struct virtio_rng_slot slot[VIRTIO_RNG_QUEUE_SIZE];
	struct io_segment segment[VIRTIO_RNG_QUEUE_SIZE]; /* scratch */
};

/*
 * @backend: outlives the device, and may have others that listen. The registers are virtio_mmio_ops
 * with &rng->device. Context: before any vCPU runs.
 */
void virtio_rng_init(struct virtio_rng *rng, struct entropy_backend *backend,
		     const struct virtio_place *place);

#endif
