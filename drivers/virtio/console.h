/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio console (virtio 1.2, 5.3): one port between the guest and a char backend. Pure. */
#ifndef DRIVERS_VIRTIO_CONSOLE_H
#define DRIVERS_VIRTIO_CONSOLE_H

#include "../char.h"
#include "virtio.h"

#define VIRTIO_CONSOLE_QUEUES     2
#define VIRTIO_CONSOLE_QUEUE_SIZE 64 /* entries of each queue */

struct virtio_console {
	struct virtio_device device; /* first: the model's functions get a pointer to it */
	struct virtqueue queue[VIRTIO_CONSOLE_QUEUES];
	struct char_backend *backend;
	uint16_t rows, columns;   /* of the terminal, as far as is known */
	bool sending;             /* the backend has not yet taken all of the chain in sent */
	uint16_t sent_segments;   /* taken whole */
	uint32_t sent_bytes;      /* taken of the segment after those */
	struct virtio_chain sent; /* of the transmit queue */
	struct io_segment sent_segment[VIRTIO_CONSOLE_QUEUE_SIZE];
	struct io_segment received_segment[VIRTIO_CONSOLE_QUEUE_SIZE]; /* scratch */
};

/*
 * @backend: outlives the console. Its registers are virtio_mmio_ops with
 * &console->device. The backend's events are virtio_console_events with the console itself.
 */
void virtio_console_init(struct virtio_console *console, struct char_backend *backend,
			 const struct virtio_place *place);

extern const struct char_events virtio_console_events;

/* True if the guest's driver is there and can be given characters. */
bool virtio_console_receives(const struct virtio_console *console);

#endif
