/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's Ethernet, a SMSC LAN9118 or one of its family (LAN9115 to 9118), as a net backend. */
#ifndef DRIVERS_HW_LAN9118_H
#define DRIVERS_HW_LAN9118_H

#include "../lock.h"
#include "../net.h"

#define LAN9118_BUFFERS  64u
#define LAN9118_SEGMENTS 16u

/* An empty buffer of the guest's. */
struct lan9118_buffer {
	struct io_request *request;
	uint32_t room; /* bytes, as far as they count */
	struct io_segment segment[LAN9118_SEGMENTS];
};

enum lan9118_state {
	LAN9118_OFF,     /* it can't be used, or no more: requests fail */
	LAN9118_STOPPED, /* nobody wants its frames */
	LAN9118_BROKEN,  /* the next tick resets it; frames are lost until then */
	LAN9118_RUNNING,
};

/* The lock guards all of it. */
struct lan9118 {
	struct net_backend backend; /* first */
	struct spinlock lock;
	enum lan9118_state state;
	uintptr_t registers;
	uint32_t enabled; /* causes of interrupts */
	uint32_t room;    /* bytes that the transmit FIFO has free, at least */
	uint32_t waiting; /* frames that the receive FIFO has, at least */
	uint8_t asked;    /* register of the PHY */
	bool half_duplex;
	uint8_t stalled; /* ticks that a frame waits for room, and one; 0: none does */
	uint8_t idle;    /* interrupts since one that brought something */
	/* A ring, by counts of what went in and was filled: filled <= posted. */
	uint16_t posted, filled;
	struct lan9118_buffer buffer[LAN9118_BUFFERS];
};

/*
 * Takes over the chip at @registers. *lan is zero. It does not run before its start(). Without
 * NET_F_MAC nobody has given it an address. Returns false if there is none, if its bus has 16 bits,
 * or it can't be used. Boot core, at start-up.
 */
bool lan9118_init(struct lan9118 *lan, uintptr_t registers);

/*
 * Its interrupt, which returns false if it must not come any more, as the chip is off; and its tick
 * (drivers/tick.h), which wants to come again. @lan: a struct lan9118. No lock held.
 */
bool lan9118_irq(void *lan);
bool lan9118_tick(void *lan);

#endif
