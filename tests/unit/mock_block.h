/* SPDX-License-Identifier: BSD-2-Clause */
/* A block backend for tests: an array of sectors; ends requests at once, or later in any order and
 * as told; is busy when told. Holds its users to what drivers/block.h asks of them. */
#ifndef TESTS_MOCK_BLOCK_H
#define TESTS_MOCK_BLOCK_H

#include <stdlib.h>
#include <string.h>
#include "drivers/block.h"

#define MOCK_SECTORS  256u
#define MOCK_PENDING  512u
#define MOCK_SEGMENTS 16u

#define MUST(condition) ((condition) ? (void)0 : abort())

struct mock_pending {
	struct block_request *request;
	struct block_request copy;
	struct io_segment segment[MOCK_SEGMENTS];
};

struct mock_block {
	struct block_backend backend;
	struct io_listener *listeners;
	struct spinlock *submitter; /* held in submit, if not NULL */
	enum io_status answer;      /* IO_PENDING: ended by mock_block_end() */
	unsigned int room;          /* requests that it takes before it is busy */
	unsigned int submitted;     /* that it took, ever */
	unsigned int count;
	struct mock_pending pending[MOCK_PENDING];
	uint8_t disk[MOCK_SECTORS * BLOCK_SECTOR];
};

static inline void mock_block_do(struct mock_block *mock, const struct block_request *request)
{
	uint8_t *at = mock->disk + request->sector * BLOCK_SECTOR;
	uint16_t i;

	if (request->operation == BLOCK_WRITE_ZEROES) {
		memset(at, 0, request->sectors * BLOCK_SECTOR);
	} else if (request->operation == BLOCK_DISCARD) {
		memset(at, 0xdd, request->sectors * BLOCK_SECTOR);
	}
	for (i = 0; request->operation <= BLOCK_WRITE && i < request->count; i++) {
		const struct io_segment *segment = &request->segment[i];

		if (request->operation == BLOCK_READ) {
			memcpy(segment->at, at, segment->length);
		} else {
			memcpy(at, segment->at, segment->length);
		}
		at += segment->length;
	}
}

static inline void mock_block_check(const struct mock_block *mock,
				    const struct block_request *request)
{
	const struct block_backend *backend = &mock->backend;
	uint64_t length = 0;
	uint16_t i;

	MUST(request->io.done);
	MUST(request->sectors <= backend->sectors);
	MUST(request->operation == BLOCK_FLUSH ||
	     (request->sectors > 0 && request->sector <= backend->sectors - request->sectors));
	switch (request->operation) {
	case BLOCK_READ:
	case BLOCK_WRITE:
		MUST(request->count <= backend->segments_max);
		for (i = 0; i < request->count; i++) {
			MUST(request->segment[i].length > 0);
			length += request->segment[i].length;
		}
		MUST(length == (uint64_t)request->sectors * BLOCK_SECTOR);
		break;
	case BLOCK_FLUSH:
		MUST(backend->writeback && request->sectors == 0);
		break;
	case BLOCK_DISCARD:
		MUST(request->sectors <= backend->discard_max);
		break;
	case BLOCK_WRITE_ZEROES:
		MUST(request->sectors <= backend->write_zeroes_max);
		break;
	default:
		abort();
	}
}

static inline enum io_status mock_block_submit(struct block_backend *backend,
					       struct block_request *request)
{
	struct mock_block *mock = (struct mock_block *)backend;
	struct mock_pending *pending = &mock->pending[mock->count];

	MUST(!mock->submitter || mock->submitter->owner != mock->submitter->next);
	mock_block_check(mock, request);
	if (mock->room == 0) {
		return IO_BUSY;
	}
	mock->submitted++;
	mock->room--;
	if (mock->answer != IO_PENDING) {
		mock->room++;
		if (mock->answer == IO_OK) {
			mock_block_do(mock, request);
		}
		return mock->answer;
	}
	MUST(mock->count < MOCK_PENDING);
	pending->request = request;
	pending->copy = *request;
	if (request->operation <= BLOCK_WRITE) {
		memcpy(pending->segment, request->segment,
		       request->count * sizeof(pending->segment[0]));
	}
	pending->copy.segment = NULL;
	mock->count++;
	return IO_PENDING;
}

static inline void mock_block_listen(struct block_backend *backend, struct io_listener *listener)
{
	struct mock_block *mock = (struct mock_block *)backend;

	listener->next = mock->listeners;
	mock->listeners = listener;
}

static const struct block_ops mock_block_ops = {mock_block_submit, mock_block_listen};

/* Ends the @n-th pending request; those behind it move up. */
static inline void mock_block_end(struct mock_block *mock, unsigned int n, enum io_status status)
{
	struct mock_pending pending = mock->pending[n];

	MUST(n < mock->count);
	pending.copy.segment = pending.segment;
	if (status == IO_OK) {
		mock_block_do(mock, &pending.copy);
	}
	mock->count--;
	mock->room++;
	memmove(&mock->pending[n], &mock->pending[n + 1],
		(mock->count - n) * sizeof(mock->pending[0]));
	pending.request->io.done(&pending.request->io, status,
				 status == IO_OK && pending.copy.operation == BLOCK_READ
					 ? pending.copy.sectors * BLOCK_SECTOR
					 : 0);
}

static inline void mock_block_batch(struct mock_block *mock)
{
	struct io_listener *listener;

	for (listener = mock->listeners; listener; listener = listener->next) {
		listener->batch(listener->device);
	}
}

/* Ends everything well that is pending, the first first. */
static inline void mock_block_end_all(struct mock_block *mock)
{
	while (mock->count > 0) {
		mock_block_end(mock, 0, IO_OK);
	}
	mock_block_batch(mock);
}

/* Each byte of sector n is as this says. */
static inline uint8_t mock_block_byte(size_t at)
{
	return (uint8_t)(at / BLOCK_SECTOR * 7 + at % 251 + 1);
}

static inline void mock_block_init(struct mock_block *mock)
{
	size_t i;

	memset(mock, 0, offsetof(struct mock_block, pending));
	mock->answer = IO_PENDING;
	mock->room = MOCK_PENDING;
	mock->backend = (struct block_backend){
		.ops = &mock_block_ops,
		.sectors = MOCK_SECTORS,
		.block_size = BLOCK_SECTOR,
		.physical_exponent = 3,
		.alignment_offset = 1,
		.minimum_io = 8,
		.optimal_io = 64,
		.segments_max = 12,
		.writeback = true,
		.discard_max = 100,
		.discard_alignment = 8,
		.write_zeroes_max = 50,
		.write_zeroes_may_unmap = true,
		.id = "mock-disk-0123456789",
	};
	for (i = 0; i < sizeof(mock->disk); i++) {
		mock->disk[i] = mock_block_byte(i);
	}
}

#endif
