/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio disk: takes requests apart, hands them to the backend in place, tells how they ended.
 * Lock: the device's own (place.lock). The transport holds it; done() and batch() take it.
 */
#include "blk.h"
#include "../block/segments.h"

#define DEVICE_ID 2u

/* Types of requests (virtio 1.2, 5.2.6). */
#define T_IN           0u
#define T_OUT          1u
#define T_FLUSH        4u
#define T_GET_ID       8u
#define T_DISCARD      11u
#define T_WRITE_ZEROES 13u

#define RANGE_UNMAP 0x1u

struct header {
	uint32_t type, reserved;
	uint64_t sector;
};

/* Of DISCARD and WRITE_ZEROES: what is changed. */
struct range {
	uint64_t sector;
	uint32_t sectors, flags;
};

/* What lies in a chain between header and status byte, in one direction. */
struct payload {
	struct io_segment *segment;
	uint16_t count;
	uint32_t length; /* bytes */
};

struct message {
	struct payload readable, writable;
	uint8_t *status;
};

_Static_assert(sizeof(struct header) == 16, "virtio 1.2, 5.2.6");
_Static_assert(sizeof(struct range) == 16, "virtio 1.2, 5.2.6");
_Static_assert(IO_OK == 0 && IO_ERROR == 1 && IO_UNSUPPORTED == 2,
	       "they are the status byte (virtio 1.2, 5.2.6)");
_Static_assert(offsetof(struct virtio_blk, device) == 0, "blk_of() casts");
_Static_assert(offsetof(struct virtio_blk_request, block.io) == 0, "blk_done() casts");

static struct virtio_blk *blk_of(struct virtio_device *device)
{
	return (struct virtio_blk *)device;
}

/*
 * The header, however it is cut, and where the rest of the chain begins. Most often it is a buffer
 * of its own. Each word is read once. Returns NULL if there is none.
 */
static struct io_segment *header_get(const struct virtio_chain *chain, struct header *header)
{
	struct segment_cursor cursor = {chain->segment, chain->readable, 0};
	const volatile struct header *at = (const void *)chain->segment->at;
	struct io_segment *next;

	if (chain->readable != 0 && chain->segment->length == sizeof(*header) &&
	    (uintptr_t)at % sizeof(uint32_t) == 0) {
		header->type = at->type;
		header->sector = at->sector;
		return chain->segment + 1;
	}
	if (segments_get(&cursor, header, sizeof(*header)) != sizeof(*header)) {
		return NULL;
	}
	next = chain->segment + (chain->readable - cursor.count);
	if (cursor.offset > 0) {
		next->at += cursor.offset;
		next->length -= cursor.offset;
	}
	return next;
}

/*
 * Header and status byte are where the bytes are counted, however these are cut (virtio 1.2 2.7.4).
 * Cuts them off the chain's segments. Returns NULL, or what is wrong.
 */
static const char *message_read(const struct virtio_chain *chain, struct header *header,
				struct message *message)
{
	struct io_segment *const first = header_get(chain, header), *segment;
	struct io_segment *const writable = chain->segment + chain->readable;
	struct io_segment *const last = chain->segment + chain->count - 1;
	uint32_t readable = 0;

	if (!first) {
		return "a block request of less than a header";
	}
	if (last < writable) {
		return "a block request without a status byte";
	}
	last->length--;
	message->status = last->at + last->length;
	for (segment = first; segment < writable; segment++) {
		readable += segment->length;
	}
	message->readable = (struct payload){first, (uint16_t)(writable - first), readable};
	message->writable =
		(struct payload){writable, (uint16_t)(last - writable + (last->length != 0)),
				 chain->length - (uint32_t)sizeof(*header) - readable - 1};
	return NULL;
}

/* Submits what changes or reads sectors, if they are there and whole blocks. */
static enum io_status sectors_submit(struct virtio_blk_request *request,
				     enum block_operation operation)
{
	struct block_backend *backend = request->blk->backend;
	struct block_request *block = &request->block;
	uint32_t within_block = backend->block_size / BLOCK_SECTOR - 1;

	if (block->sector > backend->sectors || block->sectors > backend->sectors - block->sector ||
	    ((block->sector | block->sectors) & within_block)) {
		return IO_ERROR;
	}
	if (block->sectors == 0) {
		return IO_OK;
	}
	block->operation = operation;
	/* virtio 1.2 5.2.6.2: a driver that did not negotiate FLUSH relies on ended writes. */
	request->flush_after = operation != BLOCK_READ &&
			       !(request->blk->device.driver_features[0] & VIRTIO_BLK_F_FLUSH);
	return backend->ops->submit(backend, block);
}

static enum io_status transfer(struct virtio_blk_request *request, uint64_t sector,
			       struct payload payload, enum block_operation operation)
{
	if (payload.length % BLOCK_SECTOR != 0 ||
	    payload.count > request->blk->backend->segments_max) {
		return IO_ERROR;
	}
	request->block.sector = sector;
	request->block.sectors = payload.length / BLOCK_SECTOR;
	request->block.segment = payload.segment;
	request->block.count = payload.count;
	return sectors_submit(request, operation);
}

/* @max: sectors, 0: the operation is not there. */
static enum io_status range_change(struct virtio_blk_request *request, struct payload payload,
				   uint32_t max, enum block_operation operation)
{
	struct segment_cursor cursor = {payload.segment, payload.count, 0};
	struct range range;

	if (max == 0 || request->blk->read_only) {
		return IO_UNSUPPORTED;
	}
	if (payload.length != sizeof(range)) {
		return IO_ERROR;
	}
	segments_get(&cursor, &range, sizeof(range));
	if (range.flags & ~(operation == BLOCK_WRITE_ZEROES ? RANGE_UNMAP : 0)) {
		return IO_UNSUPPORTED;
	}
	if (range.sectors > max) {
		return IO_ERROR;
	}
	request->block.sector = range.sector;
	request->block.sectors = range.sectors;
	request->block.unmap = range.flags & RANGE_UNMAP;
	return sectors_submit(request, operation);
}

static enum io_status flush(struct virtio_blk_request *request)
{
	struct block_backend *backend = request->blk->backend;

	request->block.operation = BLOCK_FLUSH;
	request->block.sectors = 0;
	request->block.count = 0;
	return backend->writeback ? backend->ops->submit(backend, &request->block) : IO_OK;
}

static enum io_status id_get(struct virtio_blk_request *request, struct payload payload)
{
	struct segment_cursor cursor = {payload.segment, payload.count, 0};

	request->filled = segments_put(&cursor, request->blk->backend->id, BLOCK_ID_LENGTH);
	return IO_OK;
}

static enum io_status message_submit(struct virtio_blk_request *request,
				     const struct header *header, const struct message *message)
{
	const struct block_backend *backend = request->blk->backend;

	if (header->type == T_IN) {
		request->filled = request->room;
		return transfer(request, header->sector, message->writable, BLOCK_READ);
	}
	switch (header->type) {
	case T_OUT:
		return request->blk->read_only
			       ? IO_ERROR
			       : transfer(request, header->sector, message->readable, BLOCK_WRITE);
	case T_FLUSH:
		return flush(request);
	case T_GET_ID:
		return id_get(request, message->writable);
	case T_DISCARD:
		return range_change(request, message->readable, backend->discard_max,
				    BLOCK_DISCARD);
	case T_WRITE_ZEROES:
		return range_change(request, message->readable, backend->write_zeroes_max,
				    BLOCK_WRITE_ZEROES);
	default:
		return IO_UNSUPPORTED;
	}
}

/* The used length counts the bytes from the first on, without a gap (virtio 1.2 2.7.8.2). */
static void request_end(struct virtio_blk_request *request, enum io_status status)
{
	struct virtio_blk *blk = request->blk;
	uint32_t written = status == IO_OK ? request->filled : 0;

	*request->status = (uint8_t)status;
	virtqueue_push(&blk->device.queue[request->queue], request->head,
		       written + (written == request->room));
	request->next = blk->free;
	blk->free = request;
}

/* @status: what the backend said of it, now or in done(). Ends it unless more is to come. */
static void request_settle(struct virtio_blk_request *request, enum io_status status)
{
	struct virtio_blk *blk = request->blk;

	if (status == IO_OK && request->flush_after) {
		status = flush(request);
		request->flush_after = status == IO_BUSY;
	}
	if (status <= IO_UNSUPPORTED) {
		request_end(request, status);
		return;
	}
	blk->device.in_flight++;
	if (status == IO_BUSY) {
		request->next = blk->held;
		blk->held = request;
	}
}

/* Returns false if the queue has to wait. */
static bool chain_start(struct virtio_blk *blk, uint16_t queue, struct virtio_chain *chain)
{
	struct virtio_blk_request *request = blk->free;
	struct header header; /* our copy */
	struct message message;
	const char *fault = message_read(chain, &header, &message);
	enum io_status status;

	if (fault) {
		blk->device.fault = fault;
		virtio_break(&blk->device);
		return false;
	}
	request->queue = queue;
	request->head = chain->head;
	request->status = message.status;
	request->room = message.writable.length;
	request->filled = 0;
	request->flush_after = false;
	request->block.count = 0;
	request->block.sectors = 0;
	status = message_submit(request, &header, &message);
	blk->at_once += status == IO_OK ? request->block.sectors : 0;
	if (status == IO_BUSY) {
		virtqueue_unpop(&blk->device.queue[queue], chain);
		blk->stalled = true;
		return false;
	}
	blk->free = request->next;
	if (status == IO_PENDING) {
		blk->device.in_flight++;
	} else {
		request_settle(request, status);
	}
	return true;
}

/*
 * Starts what waits in the queue. A call is bounded: other cores may add to it all the time, and a
 * backend that copies does so here, with interrupts masked.
 */
static void blk_notify(struct virtio_device *device, uint16_t index)
{
	struct virtio_blk *blk = blk_of(device);
	struct virtqueue *queue = &device->queue[index];
	struct virtio_chain chain = {.segment = blk->segment};
	bool more = true;
	unsigned int i;

	blk->at_once = 0;
	for (i = 0; more && i < VIRTIO_BLK_QUEUE_SIZE && blk->at_once < VIRTIO_BLK_AT_ONCE; i++) {
		if (blk->free) {
			more = virtqueue_pop(queue, &chain) && chain_start(blk, index, &chain);
		} else {
			blk->stalled = true;
			more = false;
		}
	}
	if (more) {
		virtio_defer(queue);
	} else {
		virtio_signal(queue);
	}
}

static void blk_done(struct io_request *io, enum io_status status, uint32_t length)
{
	struct virtio_blk_request *request = (struct virtio_blk_request *)io;
	struct spinlock *lock = request->blk->device.place.lock;

	(void)length; /* a read that is done filled all of it */
	spin_lock(lock);
	request->blk->device.in_flight--;
	request_settle(request, status);
	spin_unlock(lock);
}

/* Each is tried once; what is busy again is in the list again. */
static void held_retry(struct virtio_blk *blk)
{
	struct virtio_blk_request *request = blk->held, *next;

	for (blk->held = NULL; request; request = next) {
		next = request->next;
		blk->device.in_flight--;
		request_settle(request, IO_OK);
	}
}

/* The queues take turns at being first, or the last would starve behind a busy backend. */
static void blk_batch(void *device)
{
	struct virtio_blk *blk = device;
	uint16_t queues = blk->device.queue_count;
	bool stalled;
	uint32_t i;

	spin_lock(blk->device.place.lock);
	held_retry(blk);
	stalled = blk->stalled;
	blk->stalled = false;
	blk->turn += stalled;
	for (i = 0; i < queues; i++) {
		if (stalled) {
			blk_notify(&blk->device, (uint16_t)((blk->turn + i) % queues));
		} else {
			virtio_signal(&blk->device.queue[i]);
		}
	}
	spin_unlock(blk->device.place.lock);
}

static void blk_reset(struct virtio_device *device)
{
	struct virtio_blk *blk = blk_of(device);
	unsigned int i;

	blk->stalled = false;
	blk->held = NULL;
	blk->free = NULL;
	for (i = 0; i < VIRTIO_BLK_REQUESTS; i++) {
		struct virtio_blk_request *request = &blk->request[i];

		request->block.io.done = blk_done;
		request->blk = blk;
		request->next = blk->free;
		blk->free = request;
	}
}

static uint8_t blk_config_read(struct virtio_device *device, uint32_t offset)
{
	return ((const uint8_t *)&blk_of(device)->config)[offset];
}

static const struct virtio_model blk_model = {
	.device_id = DEVICE_ID,
	.queue_size = VIRTIO_BLK_QUEUE_SIZE,
	.config_size = sizeof(struct virtio_blk_config),
	.reset = blk_reset,
	.notify = blk_notify,
	.config_read = blk_config_read,
};

void virtio_blk_init(struct virtio_blk *blk, struct block_backend *backend, bool read_only,
		     struct virtqueue *queue, uint16_t queues, const struct virtio_place *place)
{
	blk->backend = backend;
	blk->read_only = read_only || backend->read_only;
	blk->turn = 0;
	blk->listener = (struct io_listener){.batch = blk_batch, .device = blk};
	virtio_blk_config_fill(&blk->config, backend, queues);
	virtio_init(&blk->device, &blk_model, place, queue, queues,
		    virtio_blk_features(blk, queues));
	backend->ops->listen(backend, &blk->listener);
}
