/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface between the guest's entropy device and a source of real entropy. */
#ifndef DRIVERS_ENTROPY_H
#define DRIVERS_ENTROPY_H

#include "io.h"

struct entropy_backend;

struct entropy_ops {
	/*
	 * Fills the segment, or a part from its start, at least 1 byte if IO_OK: done()'s length,
	 * or of IO_OK at once what it leaves in segment->length.
	 */
	enum io_status (*submit)(struct entropy_backend *backend, struct io_request *request,
				 struct io_segment *segment);
	void (*listen)(struct entropy_backend *backend, struct io_listener *listener);
};

struct entropy_backend {
	const struct entropy_ops *ops;
};

#endif
