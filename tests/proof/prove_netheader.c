/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header in front of a frame: any bytes, cut into segments in any way.
 * @sources drivers/virtio/net_header.c
 * @run -DSIZE=12 -eva-precision 2
 * @run -DSIZE=10 -eva-precision 2
 * @plant drivers/virtio/net_header.c s/chain->count == 0/chain->count > 200/
 */
#include "drivers/virtio/net_header.h"

#define SEGMENTS 4u
#define HALF     0x10000u

static volatile uint8_t ram[2 * HALF];
static struct io_segment segments[NET_HEADER_ROOM + SEGMENTS];
static uint8_t header[NET_HEADER];

void main(void)
{
	struct virtio_chain chain = {.segment = segments + NET_HEADER_ROOM, .count = (uint16_t)(1 + up_to(SEGMENTS - 1))};

	/*@ split chain.count; */
	chain.readable = chain.count;
	for (unsigned i = 0; i < SEGMENTS; i++) {
		chain.segment[i].at = (uint8_t *)ram + up_to(HALF - 1);
		chain.segment[i].length = 1 + up_to(HALF - 1);
	}
	if (maybe()) {
		if (net_header_take(&chain, header, SIZE)) {
			net_header_check(header, any(), any());
		}
	} else if (SIZE == NET_HEADER_LEGACY && chain.segment[0].length > NET_HEADER_LEGACY) {
		net_header_widen(&chain, header);
	}
}
