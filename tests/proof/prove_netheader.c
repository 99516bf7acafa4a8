/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header in front of a frame, and a legacy buffer's: any bytes, cut in any way into up to SEGMENTS pieces, each at the
 * end of a memory of its own.
 * @sources drivers/virtio/net_header.c
 * @run -DSIZE=NET_HEADER -eva-precision 1 -eva-slevel 20000
 * @run -DSIZE=NET_HEADER_LEGACY -eva-precision 1 -eva-slevel 20000
 * @plant drivers/virtio/net_header.c s/chain->count == 0/chain->count > 200/
 * @plant drivers/virtio/net_header.c s/left >= from/left > from/
 * @plant drivers/virtio/net.c s/slot->length <= NET_HEADER/false/
 */
#include "rings.h"
#include "drivers/virtio/net.c"

#define PIECES 2u
#define ROOM   (NET_HEADER + 2) /* of a piece: beyond the header nothing is new */

static volatile uint8_t piece[PIECES][ROOM];
static struct virtio_net net;

static enum io_status receive(struct net_backend *backend, struct io_request *request,
			      const struct io_segment *segment, uint16_t count)
{
	for (unsigned int i = 0; i < count; i++) {
		/*@ assert not_empty: segment[i].length >= 1; */
		/*@ assert whole: \valid(segment[i].at + (0 .. segment[i].length - 1)); */
	}
	return IO_PENDING;
}

void main(void)
{
	const struct net_ops ops = {.receive = receive};
	struct net_backend backend = {.ops = &ops, .segments_max = PIECES + NET_HEADER_ROOM};
	struct virtio_chain chain = {.segment = &net.segment[NET_HEADER_ROOM],
				     .count = (uint16_t)(1 + up_to(PIECES - 1))};
	struct virtio_net_slot *slot = &net.slot[0];

	/*@ split chain.count; */
	net.backend = &backend;
	net.device.place.legacy = SIZE == NET_HEADER_LEGACY;
	for (unsigned int i = 0; i < chain.count; i++) {
		chain.segment[i].length = 1 + up_to(ROOM - 1);
		/*@ split chain.segment[i].length; */
		chain.segment[i].at = (uint8_t *)piece[i] + ROOM - chain.segment[i].length;
	}
	if (maybe()) {
		chain.readable = chain.count;
		if (net_header_take(&chain, slot->header, SIZE)) {
			net_header_check(slot->header, any(), any());
		}
	} else {
		chain.readable = 0;
		buffer_give(&net, slot, chain);
	}
}
