/* SPDX-License-Identifier: BSD-2-Clause */
/* What the transport's registers do to the device behind them. Pure. */
#ifndef DRIVERS_VIRTIO_TRANSPORT_H
#define DRIVERS_VIRTIO_TRANSPORT_H

#include "ring.h"

/* The one bound on a queue number that the guest wrote; NULL: there is none. */
static inline struct virtqueue *virtio_queue_at(const struct virtio_device *device, uint32_t index)
{
	return index < device->queue_count ? &device->queue[index] : NULL;
}

/* What the device offers in features word @word. */
uint32_t virtio_features(const struct virtio_device *device, uint32_t word);

/* What the driver accepts of features word @word. */
void virtio_features_write(struct virtio_device *device, uint32_t word, uint32_t value);

void virtio_status_write(struct virtio_device *device, uint32_t value);

/* Makes the queue, which is not ready, so; if it can't be, the device is broken. */
void virtio_queue_start(struct virtio_device *device, struct virtqueue *queue);

/* Lets go of a queue, or sets device->again. */
void virtio_queue_stop(struct virtio_device *device, struct virtqueue *queue);

#define VIRTIO_INTERRUPT_STATUS 0x060u /* the register that changes with each request */

/* Keeps what the driver sees in device->shown true, of all registers but ConfigGeneration. */
void virtio_mmio_refresh(struct virtio_device *device);

/* Which registers the device has, by what it is and its version. */
const struct virtio_registers *virtio_registers_of(const struct virtio_device *device);

void virtio_queue_notify(struct virtio_device *device, uint32_t index);

/* The driver's acknowledgement of @causes. */
void virtio_interrupt_ack(struct virtio_device *device, uint32_t causes);

#endif
