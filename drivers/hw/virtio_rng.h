/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's virtio entropy source (virtio 1.2, 5.4) as an entropy backend. */
#ifndef DRIVERS_HW_VIRTIO_RNG_H
#define DRIVERS_HW_VIRTIO_RNG_H

#include "../entropy.h"
#include "virtio.h"

#define HW_RNG_DESCRIPTORS 8u

struct hw_rng {
	struct hw_virtio device; /* first */
	struct entropy_backend backend;
	struct hw_slot slot[HW_RNG_DESCRIPTORS];
	uint8_t ring[HW_RING_BYTES(HW_RNG_DESCRIPTORS)] __attribute__((aligned(HW_RING_ALIGN)));
};

/*
 * Takes over the device at @registers, whose DeviceID is 4. @rng: a struct hw_rng, zero. Returns
 * false if it can't be used. Boot core, at start-up.
 */
bool hw_rng_init(void *rng, uintptr_t registers);

#endif
