/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all requests to a backend have in common: memory in pieces, how it ended, who is told.
 *
 * A device's model submits with its own lock held; the backend takes its own inside. A backend
 * calls done() and batch() from its interrupt, or from its time-out, with none of its locks held
 * and never from within submit: so the order of locks is always device, backend.
 */
#ifndef DRIVERS_IO_H
#define DRIVERS_IO_H

#include <stdint.h>

/* One contiguous piece of memory, which a device may read and write in place. */
struct io_segment {
	uint8_t *at;
	uint32_t length; /* bytes, at least 1 */
};

enum io_status {
	IO_OK,          /* all of it is done */
	IO_ERROR,       /* it failed; what it wrote is undefined */
	IO_UNSUPPORTED, /* the backend has no such operation */
	IO_PENDING,     /* of submit only: done() will be called, once */
	IO_BUSY,        /* of submit only: no room, nothing was taken; batch() will be called */
};

/* Its owner keeps it, from submit to done(), and finds by it what it belongs to. */
struct io_request {
	/* @status: IO_OK, IO_ERROR or IO_UNSUPPORTED; @length: bytes written to its segments. */
	void (*done)(struct io_request *request, enum io_status status, uint32_t length);
};

/* A device that uses a backend. */
struct io_listener {
	/* After some done(): tell the driver; and submit again what was IO_BUSY. */
	void (*batch)(void *device);
	void *device;
	struct io_listener *next; /* the backend's */
};

#endif
