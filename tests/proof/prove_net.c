/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network card, and a backend that takes what it likes, and ends it when and how it likes. What becomes of headers
 * is prove_netheader's. One run is of one chain, however it is cut, and looks at what the backend gets. The other is of what
 * happens to a card with any past: its lists hold any of its slots; chains there are one buffer of ONE_SHAPE bytes.
 * @sources +drivers/virtio/net.c
 * @run -DSEGMENTS=3 -eva-precision 1 -eva-slevel 1000 -eva-interprocedural-splits -eva-split-return-function virtqueue_pop:0
 * @run -DONE_SHAPE=1526 -DSEGMENTS=1 -eva-precision 1 -eva-slevel 100 -eva-slevel-function queue_run:3000 -eva-split-return-function virtqueue_pop:0
 * @small drivers/virtio/net.h s/(VIRTIO_NET_QUEUE_SIZE) 256/\1 4/
 * @split drivers/virtio/net.c index struct virtqueue *queue = &net->queue[index]
 * @plant drivers/virtio/net.c s/chain.count > backend->segments_max/false/
 * @plant drivers/virtio/net.c s/chain.count >= backend->segments_max/false/
 * @plant drivers/virtio/net.c s/net->started && net->free.index. && /net->started \&\& /
 */
#include "rings.h"
#include "cursor.h"
#include "drivers/virtio/net.c"

#ifdef ONE_SHAPE
#define MOST 2 /* segments that the backend takes */
#else
#define MOST SEGMENTS
#endif

static struct virtio_net net;

/* By bytes, so that Eva keeps to the header of each slot that it may be. */
static void any_header(uint8_t *header)
{
	/*@ loop unroll NET_HEADER; */
	for (unsigned int i = 0; i < NET_HEADER; i++) {
		header[i] = (uint8_t)any();
	}
}

/* Any part of the first segments goes. */
bool net_header_take(struct virtio_chain *chain, uint8_t *header, uint32_t size)
{
#ifdef ONE_SHAPE
	any_header(header);
	chain->segment->at += size;
	chain->segment->length -= size;
#else
	struct segment_cursor cursor = {chain->segment, chain->count, 0};

	segments_get(&cursor, header, NET_HEADER);
	chain->segment += chain->count - cursor.count;
	chain->count = cursor.count;
	if (chain->count != 0) {
		/*@ split cursor.offset; */
		/*@ admit inside: cursor.offset < chain->segment->length; */
		chain->segment->at += cursor.offset;
		chain->segment->length -= cursor.offset;
	}
#endif
	return maybe();
}

bool net_header_check(uint8_t *header, uint64_t features, uint32_t length)
{
	any_header(header);
	return maybe();
}

void net_header_widen(struct virtio_chain *chain, uint8_t *header)
{
#ifdef ONE_SHAPE
	const uint16_t more = 1;
#else
	const uint16_t more = (uint16_t)(1 + up_to(NET_HEADER_ROOM - 1));
#endif

	/*@ split more; */
	for (unsigned int i = 0; i < more; i++) {
		*--chain->segment = (struct io_segment){header + NET_HEADER_LEGACY,
							NET_HEADER - NET_HEADER_LEGACY};
		chain->count++;
	}
}

static enum io_status take(struct net_backend *backend, struct io_request *request,
			   const struct io_segment *segment, uint16_t count)
{
	/*@ assert several: count <= backend->segments_max; */
#ifndef ONE_SHAPE
	check_segments(segment, count);
#endif
	return (enum io_status)up_to(IO_BUSY);
}

static void start(struct net_backend *backend, uint64_t features)
{
}

static uint32_t stop(struct net_backend *backend)
{
	return up_to(2 * VIRTIO_NET_QUEUE_SIZE);
}

static const struct net_ops ops = {.start = start, .stop = stop, .transmit = take, .receive = take};

static void one_chain(void)
{
	struct virtio_chain chain = {.segment = &net.segment[NET_HEADER_ROOM]};
	const uint32_t index = up_to(1);

	if (virtqueue_pop(&net.queue[index], &chain)) {
		/*@ split index; */
		/*@ split chain.count; */
		chain_submit(&net, index, net.free[index], &chain);
	}
}

static struct virtio_net_slot *any_slot(unsigned int queue)
{
	return maybe() ? &net.slot[queue * VIRTIO_NET_QUEUE_SIZE + up_to(VIRTIO_NET_QUEUE_SIZE - 1)]
		       : 0;
}

static void any_past(void)
{
	/*@ loop unroll 2 * VIRTIO_NET_QUEUE_SIZE; */
	for (unsigned i = 0; i < 2 * VIRTIO_NET_QUEUE_SIZE; i++) {
		net.slot[i].next = any_slot(i / VIRTIO_NET_QUEUE_SIZE);
		net.slot[i].length = any();
		net.slot[i].head = (uint16_t)up_to(VIRTIO_QUEUE_SIZE_MAX - 1);
	}
	net.free[0] = any_slot(0);
	net.free[1] = any_slot(1);
	net.features = any();
	net.wanted = maybe();
	net.started = maybe();
	net.outstanding = any();
	net.late = any();
}

void main(void)
{
	const struct virtio_place place = PLACE;
	struct net_backend backend = {.ops = &ops,
				      .features = any(),
				      .mtu = (uint16_t)any(),
				      .segments_max = MOST,
				      .link_up = maybe()};

	Frama_C_make_unknown((char *)backend.mac, NET_MAC);
	virtio_net_init(&net, &backend, &place);
#ifdef ONE_SHAPE
	any_past();
	if (maybe()) {
		net.events.link_changed(&net);
	} else {
		device_calls(&net.device, &net.slot[up_to(2 * VIRTIO_NET_QUEUE_SIZE - 1)].request,
			     &net.events.listener);
	}
#else
	one_chain();
#endif
}
