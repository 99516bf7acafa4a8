/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console: any chains, and a terminal that takes and has what it likes.
 * @sources drivers/virtio/console.c
 * @run -eva-precision 1 -eva-split-return auto
 * @argued send_more mem_access
 *   A chain is sent when sending is set, by send_begin() alone, which has set the chain's segments before; and
 *   sent_segments, 0 then, stays below count. Seen by test_virtio_console.
 * @argued take user_assertion
 *   sent_bytes stays below the segment's length: it grows by what the terminal took of the rest if that was less than
 *   all (send_more). Seen by test_virtio_console, and by fuzz_virtio with the sanitizers.
 * @plant drivers/virtio/console.c s/\.segment = console->received_segment/.segment = 0/
 */
#include "drivers/virtio/console.h"
#include "rings.h"
#include "terminal.h"

static struct virtio_console console;

void main(void)
{
	const struct virtio_place place = PLACE;

	virtio_console_init(&console, &backend, &place);
	while (maybe()) {
		virtio_console_events.readable(&console);
		virtio_console_events.writable(&console);
		virtio_console_events.resized(&console, (uint16_t)any(), (uint16_t)any());
		virtio_console_receives(&console);
		transport_calls(&console.device);
	}
}
