/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LAN9118: registers that say anything, in any order with frames, buffers, interrupts, ticks, starts and stops; a card
 * that does the same while it is told. Frames on their way through the FIFOs are prove_lanfifo's.
 * @sources drivers/hw/lan9118.c drivers/hw/lan9118_chip.c
 * @run -eva-precision 1 -eva-slevel 0 -eva-slevel-function take_frame:20,lan9118_init:20 -eva-split-return-function take_frame:0,lan9118_init:0
 * @small drivers/hw/lan9118.h s/(LAN9118_BUFFERS) *64u/\1 4u/
 * @small drivers/hw/lan9118.h s/(LAN9118_SEGMENTS) 16u/\1 2u/
 * @argued take_frames initialization
 *   take_frame() has set the length wherever it returns a request. Seen by test_lan9118.
 * @plant drivers/hw/lan9118.c s/lan->filled % LAN9118_BUFFERS/lan->filled/
 */
#include "registers.h"
#include "cursor.h"
#include "drivers/hw/lan9118_chip.h"

static struct lan9118 lan;
static uint8_t room[4096];

void lan_push(const struct lan9118 *chip, const struct io_segment *segment, uint32_t length)
{
	/*@ assert fits: length <= 1518; */
}

void lan_pull(const struct lan9118 *chip, const struct io_segment *segment, uint32_t length)
{
	/*@ assert fits: length <= NET_HEADER + 2560; */
	/*@ assert there: \valid_read(segment + (0 .. LAN9118_SEGMENTS - 1)); */
}

static void card(void);

static void done(struct io_request *request, enum io_status status, uint32_t length)
{
	/*@ assert ended: status <= IO_UNSUPPORTED; */
	card();
}

static void batch(void *device)
{
	card();
}

static struct io_request request = {done};
static struct net_events events = {{.batch = batch}, batch};

static void card(void)
{
	struct net_backend *backend = &lan.backend;
	struct io_segment segment[LAN9118_SEGMENTS];
	const uint16_t count = (uint16_t)(1 + up_to(LAN9118_SEGMENTS - 1));

	/*@ split count; */
	for (unsigned int i = 0; i < LAN9118_SEGMENTS; i++) {
		segment[i] = (struct io_segment){room, 1 + up_to(sizeof(room) - 1)};
	}
	switch (up_to(4)) {
	case 0:
		backend->ops->transmit(backend, &request, segment, count);
		break;
	case 1:
		backend->ops->receive(backend, &request, segment, count);
		break;
	case 2:
		backend->ops->stop(backend);
		break;
	case 3:
		backend->ops->start(backend, any());
		break;
	default:
		break;
	}
}

void main(void)
{
	if (!lan9118_init(&lan, REGISTERS)) {
		return;
	}
	lan9118_tick(&lan);
	lan.backend.events = &events;
	while (maybe()) {
		switch (up_to(2)) {
		case 0:
			card();
			break;
		case 1:
			lan9118_irq(&lan);
			break;
		default:
			lan9118_tick(&lan);
		}
	}
}
