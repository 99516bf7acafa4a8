/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network card that the guest sees (virtio 1.2, 5.1): one pair of queues, no control queue.
 * Pure. Lock: the device's own (virtio_place) guards all of it.
 */
#ifndef DRIVERS_VIRTIO_NET_H
#define DRIVERS_VIRTIO_NET_H

#include "../net.h"
#include "net_header.h"
#include "virtio.h"

#define VIRTIO_NET_QUEUES     2
#define VIRTIO_NET_QUEUE_SIZE 256 /* entries of each queue */

/* A frame or a buffer while the backend has it. */
struct virtio_net_slot {
	struct io_request request; /* first */
	struct virtio_net *net;
	struct virtio_net_slot *next; /* free, too */
	uint32_t length;              /* bytes that the backend may write, header included */
	uint16_t head;                /* of the chain */
	uint8_t header[NET_HEADER];   /* of a frame; of a legacy buffer its end */
};

struct virtio_net {
	struct virtio_device device; /* first: the model's functions get a pointer to it */
	struct virtqueue queue[VIRTIO_NET_QUEUES];
	struct net_backend *backend;
	struct net_events events;
	uint64_t features;    /* of NET_F_*: what the backend was started with */
	bool wanted;          /* the driver is there */
	bool started;         /* the backend is started */
	uint32_t outstanding; /* requests that the backend has */
	uint32_t late;        /* done() still to come for requests from before a reset */
	struct virtio_net_slot *free[VIRTIO_NET_QUEUES];
	struct virtio_net_slot slot[VIRTIO_NET_QUEUES * VIRTIO_NET_QUEUE_SIZE];
	struct io_segment segment[NET_HEADER_ROOM + VIRTIO_NET_QUEUE_SIZE]; /* scratch: a chain */
	uint32_t sent;     /* frames that the backend took and ended well */
	uint32_t received; /* buffers that it filled */
	uint32_t dropped;  /* frames that were malformed, or that it ended badly */
};

/*
 * @backend: outlives the card, which becomes its only user; its features, MAC and MTU are the
 * card's. The card's registers are virtio_mmio_ops with &net->device. No payload is ever copied.
 * Context: before any vCPU runs.
 */
void virtio_net_init(struct virtio_net *net, struct net_backend *backend,
		     const struct virtio_place *place);

#endif
