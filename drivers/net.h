/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface between a network card that the guest sees and what carries its frames. */
#ifndef DRIVERS_NET_H
#define DRIVERS_NET_H

#include <stdbool.h>
#include "io.h"

#define NET_MAC 6u /* bytes */

/*
 * In front of each frame, in both directions: struct virtio_net_hdr of a device with VERSION_1
 * (virtio 1.2, 5.1.6), little-endian. The segments of a frame begin with it.
 */
#define NET_HEADER 12u /* bytes */

/*
 * Features are virtio-net's own bits (virtio 1.2, 5.1.3), of these: a backend offers what it has, a
 * device starts it with what its driver accepted of them.
 */
#define NET_F_CSUM       (1ull << 0)
#define NET_F_GUEST_CSUM (1ull << 1)
#define NET_F_MTU        (1ull << 3)
#define NET_F_MAC        (1ull << 5)
#define NET_F_GUEST_TSO4 (1ull << 7)
#define NET_F_GUEST_TSO6 (1ull << 8)
#define NET_F_GUEST_ECN  (1ull << 9)
#define NET_F_GUEST_UFO  (1ull << 10)
#define NET_F_HOST_TSO4  (1ull << 11)
#define NET_F_HOST_TSO6  (1ull << 12)
#define NET_F_HOST_ECN   (1ull << 13)
#define NET_F_HOST_UFO   (1ull << 14)
#define NET_F_MRG_RXBUF  (1ull << 15) /* a frame may fill several buffers */
#define NET_F_STATUS     (1ull << 16)

struct net_backend;

/* One card uses a backend: its listener, and nobody else's. */
struct net_events {
	struct io_listener listener;        /* batch(): after done() of frames and buffers */
	void (*link_changed)(void *device); /* net_backend.link_up is the new state */
};

struct net_ops {
	/* The driver is there. @features: a subset of the backend's. */
	void (*start)(struct net_backend *backend, uint64_t features);
	/*
	 * It is gone: all frames and buffers are given up at once, nothing touches their memory any
	 * more. Returns how many done() will not be called for; of the others it is on its way on
	 * another core, and start() comes after it.
	 */
	uint32_t (*stop)(struct net_backend *backend);
	/*
	 * A frame, or an empty buffer of at least NET_HEADER + 1 bytes. The array of segments is
	 * the submitter's again at return, the memory at done(). Buffers are filled in the order in
	 * which they came; done()'s length is what one got, the header included; num_buffers in the
	 * header says how many buffers a frame fills, 1 without NET_F_MRG_RXBUF. IO_ERROR of a
	 * buffer: it is empty.
	 */
	enum io_status (*transmit)(struct net_backend *backend, struct io_request *request,
				   const struct io_segment *segment, uint16_t count);
	enum io_status (*receive)(struct net_backend *backend, struct io_request *request,
				  const struct io_segment *segment, uint16_t count);
};

struct net_backend {
	const struct net_ops *ops;
	uint64_t features;
	uint8_t mac[NET_MAC];  /* if NET_F_MAC */
	uint16_t mtu;          /* if NET_F_MTU */
	uint16_t segments_max; /* of one frame or buffer, the header's included */
	bool link_up;
	struct net_events *events; /* set before start() */
};

#endif
