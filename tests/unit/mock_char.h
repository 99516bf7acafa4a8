/* SPDX-License-Identifier: BSD-2-Clause */
/* A char backend for tests: so much room, so much to be read, and everything that was written. */
#ifndef TESTS_MOCK_CHAR_H
#define TESTS_MOCK_CHAR_H

#include <string.h>
#include "drivers/char.h"

#define MOCK_CHAR_SIZE 65536

struct mock_char {
	struct char_backend backend; /* first */
	uint8_t out[MOCK_CHAR_SIZE]; /* all that was written */
	size_t out_length;
	size_t room; /* bytes that it takes before it is full */
	const uint8_t *in;
	size_t in_length; /* bytes left of in */
	size_t refused;   /* write() calls that took less than was offered */
	void (*on_write)(void);
	void (*on_read)(void);
};

static inline size_t mock_char_write(struct char_backend *backend, const uint8_t *bytes,
				     size_t length)
{
	struct mock_char *mock = (struct mock_char *)backend;
	size_t taken = length < mock->room ? length : mock->room;

	if (taken > MOCK_CHAR_SIZE - mock->out_length) {
		taken = MOCK_CHAR_SIZE - mock->out_length;
	}
	memcpy(mock->out + mock->out_length, bytes, taken);
	mock->out_length += taken;
	mock->room -= taken;
	mock->refused += taken < length;
	if (mock->on_write) {
		mock->on_write();
	}
	return taken;
}

static inline size_t mock_char_read(struct char_backend *backend, uint8_t *bytes, size_t length)
{
	struct mock_char *mock = (struct mock_char *)backend;
	size_t got = length < mock->in_length ? length : mock->in_length;

	if (got != 0) {
		memcpy(bytes, mock->in, got);
		mock->in += got;
		mock->in_length -= got;
	}
	if (mock->on_read) {
		mock->on_read();
	}
	return got;
}

static inline size_t mock_char_read_ready(struct char_backend *backend)
{
	return ((struct mock_char *)backend)->in_length;
}

/* Empties the mock; it has no end of room. */
static inline void mock_char_init(struct mock_char *mock)
{
	static const struct char_ops ops = {
		.write = mock_char_write,
		.read = mock_char_read,
		.read_ready = mock_char_read_ready,
	};

	memset(mock, 0, sizeof(*mock));
	mock->backend.ops = &ops;
	mock->room = MOCK_CHAR_SIZE;
}

static inline void mock_char_feed(struct mock_char *mock, const void *bytes, size_t length)
{
	mock->in = bytes;
	mock->in_length = length;
}

#endif
