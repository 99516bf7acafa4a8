/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disk, and a backend that takes what it likes, and ends it when and how it likes. One run is of one chain, however it
 * is cut, and looks at what the backend gets. The other is of what happens to a disk with any past: its lists hold any of
 * its requests, each of which has begun once; chains there have one shape (ONE_SHAPE bytes, and one for the status).
 * @sources +drivers/virtio/blk.c drivers/virtio/blk_config.c
 * @run -DSEGMENTS=3 -eva-precision 1 -eva-slevel 1000 -eva-interprocedural-splits -eva-split-return-function virtqueue_pop:0
 * @run -DONE_SHAPE=16 -DSEGMENTS=2 -eva-precision 1 -eva-slevel 0 -eva-auto-loop-unroll 4 -eva-slevel-function message_read:300 -eva-slevel-function virtqueue_pop:10 -eva-slevel-function header_get:300 -eva-slevel-function chain_start:300 -eva-slevel-function blk_notify:50 -eva-split-return-function message_read:0 -eva-split-return-function virtqueue_pop:0
 * @small drivers/virtio/blk.h s/(VIRTIO_BLK_REQUESTS) .*256/\1 4/
 * @small drivers/virtio/queue.h s/(VIRTIO_QUEUE_SIZE_MAX) 256/\1 8/
 * @split drivers/virtio/blk.c chain->count struct virtio_blk_request *request = blk->free;
 * @split drivers/virtio/blk.c chain->readable struct header header;
 * @split drivers/virtio/blk.c first==0 if (!first) {
 * @split drivers/virtio/blk.c cursor.offset next = chain->segment + (
 * @admit drivers/virtio/blk.c cursor.offset<next->length if (cursor.offset > 0)
 * @split drivers/virtio/blk.c last->length==0 for (segment = first;
 * @plant drivers/virtio/blk.c s/if \(last < writable/if (false/
 * @plant drivers/virtio/blk.c s/payload.count > request->blk->backend->segments_max/false/
 * @plant drivers/virtio/blk.c s/next->length -= cursor.offset/next->length -= 0/
 * @plant drivers/virtio/blk.c s/\(\(blk->turn \+ i\) % queues\)/(blk->turn + i)/
 */
#include "rings.h"
#ifdef ONE_SHAPE
#include "drivers/block/segments.c"
#else
#include "cursor.h"
#endif
#include "drivers/virtio/blk.c"

#define QUEUES  2
#define SECTORS (1ull << 33)

static struct virtio_blk blk;
static struct virtqueue queue[QUEUES];
static char id[BLOCK_ID_LENGTH];

static enum io_status submit(struct block_backend *backend, struct block_request *request)
{
#ifndef ONE_SHAPE
	if (request->operation != BLOCK_FLUSH) {
		/*@ assert there: request->sector <= SECTORS; */
	}
	if (request->operation <= BLOCK_WRITE) {
		/*@ assert several: request->count <= backend->segments_max; */
		check_segments(request->segment, request->count);
	}
#endif
	request->sector = any();
	return (enum io_status)up_to(IO_BUSY);
}

static void listen(struct block_backend *backend, struct io_listener *listener)
{
}

static const struct block_ops ops = {submit, listen};

static void one_chain(void)
{
	struct virtio_chain chain = {.segment = blk.segment};

	if (virtqueue_pop(&queue[0], &chain)) {
		chain_start(&blk, 0, &chain);
	}
}

static struct virtio_blk_request *any_request(void)
{
	return maybe() ? &blk.request[up_to(VIRTIO_BLK_REQUESTS - 1)] : 0;
}

/* Whatever chains have come and gone: what a request knows of its own, and lists of any of them. */
static void any_past(void)
{
	/*@ loop unroll VIRTIO_BLK_REQUESTS; */
	for (unsigned i = 0; i < VIRTIO_BLK_REQUESTS; i++) {
		struct virtio_blk_request *request = &blk.request[i];

		request->next = any_request();
		request->status = (uint8_t *)ram + up_to(sizeof(ram) - 1);
		request->queue = (uint16_t)up_to(QUEUES - 1);
		request->head = (uint16_t)up_to(VIRTIO_QUEUE_SIZE_MAX - 1);
		request->room = any();
		request->filled = any();
		request->flush_after = maybe();
	}
	blk.free = any_request();
	blk.held = any_request();
	blk.stalled = maybe();
	blk.turn = (uint16_t)any();
}

void main(void)
{
	const struct virtio_place place = PLACE;
	struct block_backend backend = {.ops = &ops,
					.sectors = SECTORS,
					.block_size = BLOCK_SECTOR << up_to(7),
					.physical_exponent = (uint8_t)any(),
					.alignment_offset = (uint8_t)any(),
					.minimum_io = (uint16_t)any(),
					.optimal_io = any(),
					.segments_max = 2,
					.read_only = maybe(),
					.writeback = maybe(),
					.discard_max = any(),
					.discard_alignment = any(),
					.write_zeroes_max = any(),
					.write_zeroes_may_unmap = maybe(),
					.id = id};

	virtio_blk_init(&blk, &backend, maybe(), queue, QUEUES, &place);
#ifdef ONE_SHAPE
	any_past();
	device_calls(&blk.device, &blk.request[up_to(VIRTIO_BLK_REQUESTS - 1)].block.io,
		     &blk.listener);
#else
	one_chain();
#endif
}
