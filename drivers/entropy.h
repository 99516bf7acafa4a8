/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface between the guest's entropy device and a source of real entropy. */
#ifndef DRIVERS_ENTROPY_H
#define DRIVERS_ENTROPY_H

#include "io.h"

struct entropy_backend;

struct entropy_ops {
	/* Fills the segment, or a part from its start: done()'s length, at least 1 byte if IO_OK.
	 */
	enum io_status (*submit)(struct entropy_backend *backend, struct io_request *request,
				 const struct io_segment *segment);
	void (*listen)(struct entropy_backend *backend, struct io_listener *listener);
};

struct entropy_backend {
	const struct entropy_ops *ops;
};

#endif
