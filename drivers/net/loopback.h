/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network backend that gives each frame back as one that was received. For tests, as it copies:
 * what is sent is not the memory that receives. Pure. Lock: its own guards all but the backend's
 * constants; done() and batch() are called without it.
 */
#ifndef DRIVERS_NET_LOOPBACK_H
#define DRIVERS_NET_LOOPBACK_H

#include "../lock.h"
#include "../net.h"

#define NET_LOOPBACK_BUFFERS  256u
#define NET_LOOPBACK_SEGMENTS 8u

struct net_loopback_buffer {
	struct io_request *request;
	uint32_t length; /* bytes that are in it */
	uint16_t count;
	struct io_segment segment[NET_LOOPBACK_SEGMENTS];
};

struct net_loopback {
	struct net_backend backend; /* first */
	struct spinlock lock;
	bool merge;   /* NET_F_MRG_RXBUF */
	bool running; /* net_loopback_run() is under way */
	/* A ring, by counts of what went in, was filled and was given back: ended <= filled <=
	 * posted. */
	uint32_t posted, filled, ended;
	struct net_loopback_buffer buffer[NET_LOOPBACK_BUFFERS];
	uint32_t frames;  /* given back */
	uint32_t dropped; /* no buffers, or too small ones */
	uint64_t copied;  /* bytes of payload */
};

/* @mac: the card's. */
void net_loopback_init(struct net_loopback *loopback, const uint8_t mac[NET_MAC]);

/*
 * Tells the card of the frames that came back since the last call. Context: no lock of the card's
 * held, after each access of its driver.
 */
void net_loopback_run(struct net_loopback *loopback);

#endif
