/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames through the LAN9118's FIFOs: every length up to LENGTH beyond the header, cut in any way into up to PIECES pieces,
 * each at the end of a memory of its own.
 * @sources drivers/hw/lan9118_fifo.c
 * @run -eva-precision 1 -eva-slevel 20000
 * @plant drivers/hw/lan9118_fifo.c s/left > 0 && used < 4/used < 4/
 */
#include "registers.h"
#include "drivers/hw/lan9118_chip.h"

#define LENGTH 6u
#define PIECES 2u
#define ROOM   (NET_HEADER + LENGTH)

static uint8_t piece[PIECES][ROOM + 1];
static struct io_segment segment[PIECES];

void main(void)
{
	struct lan9118 lan = {.registers = REGISTERS};
	const uint32_t length = NET_HEADER + up_to(LENGTH);
	uint32_t left;

	/*@ split length; */
	left = length;
	for (unsigned int i = 0; i < PIECES && left > 0; i++) {
		uint32_t part = i == PIECES - 1 ? left : 1 + up_to(left - 1);

		/*@ split part; */
		segment[i] = (struct io_segment){piece[i] + ROOM - part, part};
		left -= part;
	}
	if (maybe()) {
		lan_push(&lan, segment, length - NET_HEADER);
	} else {
		lan_pull(&lan, segment, length);
	}
}
