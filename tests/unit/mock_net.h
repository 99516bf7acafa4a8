/* SPDX-License-Identifier: BSD-2-Clause */
/* A network backend for tests: keeps what it is given until it is told how that ends. */
#ifndef TESTS_MOCK_NET_H
#define TESTS_MOCK_NET_H

#include <assert.h>
#include <stddef.h>
#include <string.h>
#include "drivers/lock.h"
#include "drivers/net.h"

#define MOCK_NET_KEEPS    256u
#define MOCK_NET_SEGMENTS 24u

struct mock_net_request {
	struct io_request *request;
	uint16_t count;
	struct io_segment segment[MOCK_NET_SEGMENTS];
};

struct mock_net_list {
	unsigned int count;
	struct mock_net_request request[MOCK_NET_KEEPS];
};

struct mock_net {
	struct net_backend backend; /* first */
	struct spinlock lock;       /* the device's */
	bool started;
	unsigned int starts, stops;
	uint64_t features; /* started with */
	unsigned int late; /* of those kept, how many stop() leaves to be done */
	/* Instead of IO_PENDING: what submitting gets. */
	enum io_status transmit_status, receive_status;
	void (*on_transmit)(void);
	struct mock_net_list frames, buffers; /* last: what they count is all that is in them */
};

static inline struct mock_net *mock_net_of(struct net_backend *backend)
{
	return (struct mock_net *)backend;
}

static inline bool mock_net_locked(const struct mock_net *mock)
{
	return mock->lock.owner != mock->lock.next;
}

static inline void mock_net_start(struct net_backend *backend, uint64_t features)
{
	struct mock_net *mock = mock_net_of(backend);

	assert(!mock->started && mock->late == 0);
	mock->started = true;
	mock->starts++;
	mock->features = features;
}

/* The late ones are the last frames. */
static inline uint32_t mock_net_stop(struct net_backend *backend)
{
	struct mock_net *mock = mock_net_of(backend);
	uint32_t given_up = mock->frames.count - mock->late + mock->buffers.count;

	assert(mock->started && mock->late <= mock->frames.count);
	mock->started = false;
	mock->stops++;
	mock->frames.count = 0;
	mock->buffers.count = 0;
	return given_up;
}

static inline enum io_status mock_net_keep(struct mock_net *mock, struct mock_net_list *list,
					   enum io_status status, struct io_request *request,
					   const struct io_segment *segment, uint16_t count)
{
	struct mock_net_request *kept = &list->request[list->count];

	assert(mock->started && mock_net_locked(mock));
	assert(count > 0 && count <= mock->backend.segments_max);
	if (status == IO_PENDING) {
		assert(list->count < MOCK_NET_KEEPS);
		list->count++;
		kept->request = request;
		kept->count = count;
		memcpy(kept->segment, segment, count * sizeof(*segment));
	}
	return status;
}

static inline enum io_status mock_net_transmit(struct net_backend *backend,
					       struct io_request *request,
					       const struct io_segment *segment, uint16_t count)
{
	struct mock_net *mock = mock_net_of(backend);

	if (mock->on_transmit) {
		mock->on_transmit();
	}
	return mock_net_keep(mock, &mock->frames, mock->transmit_status, request, segment, count);
}

static inline enum io_status mock_net_receive(struct net_backend *backend,
					      struct io_request *request,
					      const struct io_segment *segment, uint16_t count)
{
	struct mock_net *mock = mock_net_of(backend);

	return mock_net_keep(mock, &mock->buffers, mock->receive_status, request, segment, count);
}

static inline void mock_net_init(struct mock_net *mock, uint64_t features)
{
	static const struct net_ops ops = {
		.start = mock_net_start,
		.stop = mock_net_stop,
		.transmit = mock_net_transmit,
		.receive = mock_net_receive,
	};

	memset(mock, 0, offsetof(struct mock_net, frames));
	mock->frames.count = 0;
	mock->buffers.count = 0;
	mock->backend = (struct net_backend){.ops = &ops,
					     .features = features,
					     .mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56},
					     .mtu = 1500,
					     .segments_max = MOCK_NET_SEGMENTS,
					     .link_up = true};
	mock->transmit_status = IO_PENDING;
	mock->receive_status = IO_PENDING;
}

/* Ends request @i of @list. */
static inline void mock_net_end(struct mock_net *mock, struct mock_net_list *list, unsigned int i,
				enum io_status status, uint32_t length)
{
	struct io_request *request = list->request[i].request;

	assert(i < list->count && !mock_net_locked(mock));
	list->count--;
	memmove(&list->request[i], &list->request[i + 1],
		(list->count - i) * sizeof(list->request[0]));
	request->done(request, status, length);
	assert(!mock_net_locked(mock));
}

static inline void mock_net_batch(struct mock_net *mock)
{
	const struct io_listener *listener = &mock->backend.events->listener;

	listener->batch(listener->device);
	assert(!mock_net_locked(mock));
}

/* Where byte @at of a request is; NULL: behind its end. */
static inline uint8_t *mock_net_byte(const struct mock_net_request *request, uint32_t at)
{
	unsigned int i;

	for (i = 0; i < request->count; i++) {
		if (at < request->segment[i].length) {
			return request->segment[i].at + at;
		}
		at -= request->segment[i].length;
	}
	return NULL;
}

/* Copies as much of a frame as there is room for. Returns its whole length. */
static inline uint32_t mock_net_copy(const struct mock_net_request *request, uint8_t *to,
				     uint32_t room)
{
	uint32_t i;

	for (i = 0; mock_net_byte(request, i) != NULL; i++) {
		if (i < room) {
			to[i] = *mock_net_byte(request, i);
		}
	}
	return i;
}

#endif
