/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's virtio network cards (virtio 1.2, 5.1) as net backends; frames stay where they are.
 */
#ifndef DRIVERS_HW_VIRTIO_NET_H
#define DRIVERS_HW_VIRTIO_NET_H

#include "../net.h"
#include "virtio.h"

#define HW_CARD_DESCRIPTORS 256u

struct hw_card {
	struct hw_virtio device; /* first */
	struct net_backend backend;
	struct hw_slot slot[2][HW_CARD_DESCRIPTORS];
	uint8_t ring[2][HW_RING_BYTES(HW_CARD_DESCRIPTORS)] __attribute__((aligned(HW_RING_ALIGN)));
};

/*
 * Takes over the device at @registers, whose DeviceID is 1. @card: a struct hw_card, zero. It does
 * not run before its start(). Returns false if it can't be used. Boot core, at start-up.
 */
bool hw_card_init(void *card, uintptr_t registers);

#endif
