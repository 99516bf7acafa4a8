/* SPDX-License-Identifier: BSD-2-Clause */
/* The loopback: copies a frame into the buffers that wait, or drops it, as a network does. */
#include "loopback.h"
#include <stddef.h>
#include <string.h>

#define NUM_BUFFERS 10u /* its offset in the header (virtio 1.2, 5.1.6) */

_Static_assert(offsetof(struct net_loopback, backend) == 0, "loopback_of() casts");

/* A place in a row of segments. */
struct cursor {
	const struct io_segment *segment;
	uint32_t offset; /* in the first */
};

static struct net_loopback *loopback_of(struct net_backend *backend)
{
	return (struct net_loopback *)backend;
}

static uint32_t segments_length(const struct io_segment *segment, uint16_t count)
{
	uint32_t length = 0;

	for (uint16_t i = 0; i < count; i++) {
		length += segment[i].length;
	}
	return length;
}

/* How much is left of the segment, at most @length. */
static uint32_t cursor_room(const struct cursor *cursor, uint32_t length)
{
	uint32_t room = cursor->segment->length - cursor->offset;

	return room < length ? room : length;
}

static void cursor_move(struct cursor *cursor, uint32_t length)
{
	cursor->offset += length;
	if (cursor->offset == cursor->segment->length) {
		cursor->segment++;
		cursor->offset = 0;
	}
}

/* Both rows have @length bytes; the guest may have named the same memory in both. */
static void cursor_copy(struct cursor *to, struct cursor *from, uint32_t length)
{
	while (length > 0) {
		uint32_t part = cursor_room(to, cursor_room(from, length));

		memmove(to->segment->at + to->offset, from->segment->at + from->offset, part);
		cursor_move(to, part);
		cursor_move(from, part);
		length -= part;
	}
}

static struct net_loopback_buffer *buffer_at(struct net_loopback *loopback, uint32_t n)
{
	return &loopback->buffer[n % NET_LOOPBACK_BUFFERS];
}

/* How many of the buffers that wait hold @length bytes; 0: they don't. */
static uint32_t buffers_needed(struct net_loopback *loopback, uint32_t length)
{
	uint64_t room = 0;
	uint32_t n;

	for (n = loopback->filled; n != loopback->posted; n++) {
		const struct net_loopback_buffer *buffer = buffer_at(loopback, n);

		room += segments_length(buffer->segment, buffer->count);
		if (room >= length) {
			return n + 1 - loopback->filled;
		}
		if (!loopback->merge) {
			break;
		}
	}
	return 0;
}

/* The first of @count buffers begins with a header of ours; the frame's says nothing (no
 * NET_F_CSUM). */
static void buffers_fill(struct net_loopback *loopback, uint32_t count, struct cursor frame,
			 uint32_t length)
{
	uint8_t header[NET_HEADER] = {[NUM_BUFFERS] = (uint8_t)count,
				      [NUM_BUFFERS + 1] = (uint8_t)(count >> 8)};
	struct io_segment header_segment = {header, NET_HEADER};
	struct cursor from = {&header_segment, 0};
	uint32_t header_left = NET_HEADER;

	for (; count > 0; count--) {
		struct net_loopback_buffer *buffer = buffer_at(loopback, loopback->filled++);
		struct cursor to = {buffer->segment, 0};
		uint32_t room = segments_length(buffer->segment, buffer->count) - header_left;
		uint32_t part = room < length ? room : length;

		cursor_copy(&to, &from, header_left);
		cursor_copy(&to, &frame, part);
		buffer->length = header_left + part;
		length -= part;
		header_left = 0;
	}
}

static enum io_status loopback_transmit(struct net_backend *backend, struct io_request *request,
					const struct io_segment *segment, uint16_t count)
{
	struct net_loopback *loopback = loopback_of(backend);
	struct cursor frame = {segment, 0};
	uint32_t length = segments_length(segment, count), left = NET_HEADER, needed;

	(void)request;
	while (left > 0) {
		uint32_t part = cursor_room(&frame, left);

		cursor_move(&frame, part);
		left -= part;
	}
	spin_lock(&loopback->lock);
	needed = buffers_needed(loopback, length);
	if (needed != 0) {
		buffers_fill(loopback, needed, frame, length - NET_HEADER);
		loopback->frames++;
		loopback->copied += length - NET_HEADER;
	} else {
		loopback->dropped++;
	}
	spin_unlock(&loopback->lock);
	return IO_OK;
}

static enum io_status loopback_receive(struct net_backend *backend, struct io_request *request,
				       const struct io_segment *segment, uint16_t count)
{
	struct net_loopback *loopback = loopback_of(backend);
	enum io_status status = IO_BUSY;

	spin_lock(&loopback->lock);
	if (loopback->posted - loopback->ended < NET_LOOPBACK_BUFFERS) {
		struct net_loopback_buffer *buffer = buffer_at(loopback, loopback->posted++);

		buffer->request = request;
		buffer->count = count;
		memcpy(buffer->segment, segment, count * sizeof(*segment));
		status = IO_PENDING;
	}
	spin_unlock(&loopback->lock);
	return status;
}

static void loopback_start(struct net_backend *backend, uint64_t features)
{
	loopback_of(backend)->merge = features & NET_F_MRG_RXBUF;
}

static uint32_t loopback_stop(struct net_backend *backend)
{
	struct net_loopback *loopback = loopback_of(backend);
	uint32_t given_up;

	spin_lock(&loopback->lock);
	given_up = loopback->posted - loopback->ended;
	loopback->posted = 0;
	loopback->filled = 0;
	loopback->ended = 0;
	spin_unlock(&loopback->lock);
	return given_up;
}

void net_loopback_init(struct net_loopback *loopback, const uint8_t mac[NET_MAC])
{
	static const struct net_ops ops = {
		.start = loopback_start,
		.stop = loopback_stop,
		.transmit = loopback_transmit,
		.receive = loopback_receive,
	};

	memset(loopback, 0, sizeof(*loopback));
	loopback->backend.ops = &ops;
	loopback->backend.features = NET_F_MAC | NET_F_STATUS | NET_F_MRG_RXBUF;
	memcpy(loopback->backend.mac, mac, NET_MAC);
	loopback->backend.segments_max = NET_LOOPBACK_SEGMENTS;
	loopback->backend.link_up = true;
}

void net_loopback_run(struct net_loopback *loopback)
{
	const struct io_listener *listener = &loopback->backend.events->listener;
	unsigned int left = NET_LOOPBACK_BUFFERS;

	spin_lock(&loopback->lock);
	if (loopback->running) {
		spin_unlock(&loopback->lock); /* by another core: the order of buffers is its own */
		return;
	}
	loopback->running = true;
	for (; left > 0 && loopback->ended != loopback->filled; left--) {
		const struct net_loopback_buffer *buffer = buffer_at(loopback, loopback->ended++);
		struct io_request *request = buffer->request;
		uint32_t length = buffer->length;

		spin_unlock(&loopback->lock);
		request->done(request, IO_OK, length);
		spin_lock(&loopback->lock);
	}
	loopback->running = false;
	spin_unlock(&loopback->lock);
	listener->batch(listener->device);
}
