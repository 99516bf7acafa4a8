/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface between an emulated serial device and where its characters go and come from. */
#ifndef DRIVERS_CHAR_H
#define DRIVERS_CHAR_H

#include <stddef.h>
#include <stdint.h>

struct char_backend;

/* What a device asks of its backend. None of these waits. */
struct char_ops {
	/* Takes up to @length bytes, returns how many it took (0: full; writable() will be called).
	 */
	size_t (*write)(struct char_backend *backend, const uint8_t *bytes, size_t length);
	/* Hands out up to @length received bytes, returns how many. */
	size_t (*read)(struct char_backend *backend, uint8_t *bytes, size_t length);
	/* Received bytes that wait to be read. */
	size_t (*read_ready)(struct char_backend *backend);
};

/* What a backend tells its device, with the device's lock held: bytes arrived, or room came back.
 */
struct char_events {
	void (*readable)(void *device);
	void (*writable)(void *device);
	/* The terminal has this size; NULL: the device has no use for it. */
	void (*resized)(void *device, uint16_t rows, uint16_t columns);
};

struct char_backend {
	const struct char_ops *ops;
};

#endif
