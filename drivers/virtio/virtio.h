/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio devices that the guest sees: the transport, the queue, and the interface of a device model. Pure. */
#ifndef DRIVERS_VIRTIO_H
#define DRIVERS_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../guestmem.h"
#include "../irq_line.h"
#include "../mmio.h"

#define VIRTIO_QUEUES_MAX     2
#define VIRTIO_QUEUE_SIZE_MAX 256 /* entries, a power of two */

struct virtio_device;

/* A split virtqueue (virtio 1.2, 2.7). All addresses are IPAs that were checked when the queue was enabled. */
struct virtqueue {
	struct virtio_device *device;
	uint64_t desc, driver, device_area; /* IPA, as written to the transport */
	uint8_t *desc_at, *avail_at, *used_at; /* the checked rings, NULL while not ready */
	uint16_t size;			    /* entries, as the driver chose */
	uint16_t last_avail, used_index;
	bool ready;
};

/* One contiguous piece of a request, already checked to lie in the guest's RAM. */
struct virtio_segment {
	uint8_t *at;
	uint32_t length; /* bytes */
	bool device_writes;
};

/*
 * A model: what it is, and what it does when the transport tells it something. No function pointer may be NULL
 * except config_write. Called with the lock of the device held.
 */
struct virtio_model {
	uint32_t device_id;	 /* virtio 1.2, chapter 5; 0: an empty transport */
	uint16_t queue_count;	 /* up to VIRTIO_QUEUES_MAX */
	uint64_t features;	 /* offered besides VERSION_1, which the transport adds */
	uint32_t config_size;	 /* bytes of configuration space; beyond it reads as zero */
	void (*reset)(struct virtio_device *device);
	void (*notify)(struct virtio_device *device, uint16_t queue);
	uint8_t (*config_read)(struct virtio_device *device, uint32_t offset);
	void (*config_write)(struct virtio_device *device, uint32_t offset, uint8_t value);
};

struct virtio_device {
	const struct virtio_model *model;
	const struct guest_memory *memory;
	struct irq_line irq;
	uint32_t status, interrupt_status, config_generation;
	uint32_t device_features_sel, driver_features_sel, queue_sel;
	uint64_t driver_features;
	struct virtqueue queue[VIRTIO_QUEUES_MAX];
};

void virtio_init(struct virtio_device *device, const struct virtio_model *model,
		 const struct guest_memory *memory, struct irq_line irq);

/* The transport's registers (virtio 1.2, 4.2.2, version 2): an mmio_handler whose device is a struct virtio_device. */
bool virtio_mmio_access(void *device, struct mmio_access *access);

/* Marks the device broken (virtio 1.2, 2.1.2): DEVICE_NEEDS_RESET, a configuration interrupt, no more queue work. */
void virtio_break(struct virtio_device *device);

#endif
