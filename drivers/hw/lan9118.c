/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMSC's LAN9118 (section numbers: its data sheet, DS00002266). Lock: the chip's own; it is
 * released around done(), batch() and link_changed().
 *
 * The chip does not master the bus: each frame is copied through its FIFOs, here. So a frame is
 * sent as far as the guest is concerned when transmit() returns, and the guest's buffers are in
 * nobody's hands but ours: a reset leaves them alone. Without a buffer frames stay in the chip,
 * which drops what it has no room for. So a flood takes what the guest gives it, and no more of the
 * boot core's time; and BUDGET frames at a time with a pause, for the guest's own interrupts.
 *
 * The card is promiscuous: without a control queue a guest has no way to say what it wants to hear.
 */
#include <stddef.h>
#include <string.h>
#include "lan9118_chip.h"
#include "../tick.h"

/* Bytes. */
#define FRAME_MIN  14u
#define FRAME_MAX  1518u /* with a VLAN's tag */
#define CRC        4u
#define LENGTH_MAX 2560u /* of what the chip receives, whole or not */
#define COUNTED    4096u /* more need not be counted in a buffer */

#define BUDGET  4u  /* frames that an interrupt brings: less than the FIFO has room for */
#define TIMEOUT 10u /* ticks without any room */

_Static_assert(offsetof(struct lan9118, backend) == 0, "lan_of() casts");
_Static_assert(0x10000 % LAN9118_BUFFERS == 0, "posted and filled wrap around");

static struct lan9118 *lan_of(struct net_backend *backend)
{
	return (struct lan9118 *)backend;
}

/* It stays off until the next tick, so that one that fails again and again costs little. */
static void fail(struct lan9118 *lan)
{
	lan_put(lan, LAN_INT_EN, 0);
	lan->state = LAN9118_BROKEN;
	lan->backend.link_up = false;
}

/* Bytes in a row of segments, exact up to COUNTED. */
static uint32_t count_bytes(const struct io_segment *segment, uint16_t count)
{
	uint32_t length = 0;

	for (uint16_t i = 0; i < count; i++) {
		length += segment[i].length < COUNTED ? segment[i].length : COUNTED;
	}
	return length;
}

/* --- sending --- */

static bool has_room(struct lan9118 *lan, uint32_t bytes)
{
	if (lan->room < bytes) {
		lan->room = lan_get_late(lan, LAN_TX_FIFO_INF) & 0xffff;
	}
	if (lan->room >= bytes) {
		lan->room -= bytes;
		lan->stalled = 0;
		return true;
	}
	lan->stalled |= lan->stalled == 0;
	lan->enabled |= LAN_INT_TX_ROOM;
	lan_put(lan, LAN_INT_STS, LAN_INT_TX_ROOM);
	lan_put(lan, LAN_INT_EN, lan->enabled);
	return false;
}

static enum io_status lan_transmit(struct net_backend *backend, struct io_request *request,
				   const struct io_segment *segment, uint16_t count)
{
	struct lan9118 *lan = lan_of(backend);
	const uint32_t length = count_bytes(segment, count) - NET_HEADER;
	enum io_status status = IO_ERROR;

	(void)request;
	spin_lock(&lan->lock);
	if (lan->state == LAN9118_RUNNING && length <= FRAME_MAX) {
		status = has_room(lan, 8 + LAN_OFFSET + length + 3) ? IO_OK : IO_BUSY;
	}
	if (status == IO_OK) {
		lan_push(lan, segment, length);
	}
	spin_unlock(&lan->lock);
	return status;
}

/* --- receiving --- */

static bool has_buffer(const struct lan9118 *lan)
{
	return lan->posted != lan->filled;
}

static enum io_status lan_receive(struct net_backend *backend, struct io_request *request,
				  const struct io_segment *segment, uint16_t count)
{
	struct lan9118 *lan = lan_of(backend);
	enum io_status status = IO_ERROR;

	spin_lock(&lan->lock);
	if ((uint16_t)(lan->posted - lan->filled) == LAN9118_BUFFERS) {
		status = IO_BUSY;
	} else if (lan->state >= LAN9118_BROKEN) {
		struct lan9118_buffer *buffer = &lan->buffer[lan->posted++ % LAN9118_BUFFERS];

		buffer->request = request;
		buffer->room = count_bytes(segment, count);
		memcpy(buffer->segment, segment, count * sizeof(*segment));
		if (lan->state == LAN9118_RUNNING && (lan->enabled & LAN_INT_RX_FRAMES) == 0) {
			lan->enabled |= LAN_INT_RX_FRAMES;
			lan_put(lan, LAN_INT_EN, lan->enabled | LAN_INT_SOFTWARE);
		}
		status = IO_PENDING;
	}
	spin_unlock(&lan->lock);
	return status;
}

/*
 * Takes a frame out of the chip (3.13.3). Returns the buffer that it fills, with *length; NULL if
 * it is broken or does not fit, and nobody wants it.
 */
static struct io_request *take_frame(struct lan9118 *lan, uint32_t *length)
{
	const struct lan9118_buffer *buffer = &lan->buffer[lan->filled % LAN9118_BUFFERS];
	const uint32_t status = lan_get(lan, LAN_RX_STATUS), size = status >> 16 & 0x3fff;
	uint32_t words = (LAN_OFFSET + size + 3) / 4;
	struct io_request *request = NULL;

	lan->waiting--;
	if (size > LENGTH_MAX) {
		fail(lan);
		return NULL;
	}
	*length = NET_HEADER + size - CRC;
	if ((status & LAN_RX_STATUS_ERROR) == 0 && size >= FRAME_MIN + CRC &&
	    *length <= buffer->room) {
		lan_pull(lan, buffer->segment, *length);
		words -= (LAN_OFFSET + size - CRC + 3) / 4;
		lan->filled++;
		request = buffer->request;
	}
	while (words-- > 0) {
		lan_get(lan, LAN_RX_DATA);
	}
	return request;
}

static bool has_frame(struct lan9118 *lan)
{
	if (lan->state != LAN9118_RUNNING || !has_buffer(lan)) {
		return false;
	}
	if (lan->waiting == 0) {
		lan->waiting = lan_get_late(lan, LAN_RX_FIFO_INF) >> 16 & 0xff;
	}
	return lan->waiting != 0;
}

/* Returns how many frames the chip gave. */
static unsigned int take_frames(struct lan9118 *lan)
{
	unsigned int taken;

	for (taken = 0; taken < BUDGET && has_frame(lan); taken++) {
		uint32_t length;
		struct io_request *request = take_frame(lan, &length);

		if (request != NULL) {
			spin_unlock(&lan->lock);
			request->done(request, IO_OK, length);
			spin_lock(&lan->lock);
		}
	}
	return taken;
}

/* --- events --- */

/* Causes are taken back before anyone looks what they tell of: what comes after raises them again.
 */
static uint32_t acknowledge(struct lan9118 *lan)
{
	const uint32_t causes = lan_get(lan, LAN_INT_STS) & (lan->enabled | LAN_INT_SOFTWARE);

	if ((causes & LAN_INT_TX_ROOM) != 0) {
		lan->enabled &= ~LAN_INT_TX_ROOM;
		lan->idle = 0;
	}
	lan_put(lan, LAN_INT_EN, lan->enabled);
	lan_put(lan, LAN_INT_STS, causes);
	if ((causes & LAN_INT_FAULTS) != 0) {
		fail(lan);
	}
	return causes;
}

/* What is left over waits for a buffer, or for the guest to have run a little. */
static void rearm(struct lan9118 *lan, unsigned int taken)
{
	uint32_t more = 0;

	if (!has_buffer(lan)) {
		lan->enabled &= ~LAN_INT_RX_FRAMES;
	} else if (taken == BUDGET) {
		more = LAN_INT_SOFTWARE;
		lan_put(lan, LAN_IRQ_CFG, LAN_IRQ_ON | LAN_IRQ_PAUSE | LAN_IRQ_PAUSE_NOW);
	}
	lan_put(lan, LAN_INT_EN, lan->enabled | more);
}

/* Without the lock. */
static void tell(const struct lan9118 *lan, bool batch, bool link)
{
	const struct net_events *events = lan->backend.events;

	if (batch) {
		events->listener.batch(events->listener.device);
	}
	if (link && events != NULL) {
		events->link_changed(events->listener.device);
	}
}

/* A wire that nothing lowers: the guest on this core would not run any more. */
static void give_up_if_idle(struct lan9118 *lan)
{
	if (++lan->idle == 0) {
		fail(lan);
		lan->state = LAN9118_OFF;
	}
}

bool lan9118_irq(void *argument)
{
	struct lan9118 *lan = argument;
	unsigned int taken = 0;
	bool room = false, up, changed, on;

	spin_lock(&lan->lock);
	up = lan->backend.link_up;
	if (lan->state == LAN9118_RUNNING) {
		room = (acknowledge(lan) & LAN_INT_TX_ROOM) != 0;
		taken = take_frames(lan);
	}
	if (lan->state == LAN9118_RUNNING) {
		rearm(lan, taken);
	}
	if (taken != 0) {
		lan->idle = 0;
	}
	give_up_if_idle(lan);
	changed = up != lan->backend.link_up;
	on = lan->state != LAN9118_OFF;
	spin_unlock(&lan->lock);
	tell(lan, room || taken != 0, changed);
	return on;
}

bool lan9118_tick(void *argument)
{
	struct lan9118 *lan = argument;
	bool up, changed, stalled, on;

	spin_lock(&lan->lock);
	up = lan->backend.link_up;
	stalled = lan->stalled != 0;
	if (lan->state == LAN9118_BROKEN) {
		lan_bring_up(lan);
		lan->stalled = 0;
	} else if (lan->state != LAN9118_OFF) {
		lan_hear_phy(lan);
	}
	if (lan->stalled != 0 && ++lan->stalled > TIMEOUT) {
		fail(lan);
	}
	changed = up != lan->backend.link_up;
	on = lan->state != LAN9118_OFF;
	spin_unlock(&lan->lock);
	tell(lan, stalled, changed);
	return on;
}

static void lan_start(struct net_backend *backend, uint64_t features)
{
	struct lan9118 *lan = lan_of(backend);

	(void)features;
	spin_lock(&lan->lock);
	if (lan->state != LAN9118_OFF) {
		lan->stalled = 0;
		lan->idle = 0;
		lan_bring_up(lan);
	}
	spin_unlock(&lan->lock);
}

static uint32_t lan_stop(struct net_backend *backend)
{
	struct lan9118 *lan = lan_of(backend);
	uint32_t given_up;

	spin_lock(&lan->lock);
	lan_put(lan, LAN_INT_EN, 0);
	if (lan->state != LAN9118_OFF) {
		lan->state = LAN9118_STOPPED;
	}
	given_up = (uint16_t)(lan->posted - lan->filled);
	lan->filled = lan->posted;
	spin_unlock(&lan->lock);
	return given_up;
}

bool lan9118_init(struct lan9118 *lan, uintptr_t registers)
{
	static const struct net_ops ops = {
		.start = lan_start,
		.stop = lan_stop,
		.transmit = lan_transmit,
		.receive = lan_receive,
	};

	lan->registers = registers;
	lan->backend.ops = &ops;
	lan->backend.features = NET_F_STATUS;
	lan->backend.segments_max = LAN9118_SEGMENTS;
	if (!lan_identify(lan)) {
		return false;
	}
	lan_bring_up(lan);
	if (lan->state != LAN9118_RUNNING) {
		lan->state = LAN9118_OFF;
		return false;
	}
	lan_stop(&lan->backend);
	tick_start();
	return true;
}
