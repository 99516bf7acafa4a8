/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio devices that the guest sees: transport and interface of a device model. Pure. */
#ifndef DRIVERS_VIRTIO_H
#define DRIVERS_VIRTIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "../guestmem.h"
#include "../irq_line.h"
#include "../lock.h"
#include "../mmio.h"
#include "queue.h"

/* Device status (virtio 1.2, 2.1). */
#define VIRTIO_STATUS_ACKNOWLEDGE 0x01u
#define VIRTIO_STATUS_DRIVER      0x02u
#define VIRTIO_STATUS_DRIVER_OK   0x04u
#define VIRTIO_STATUS_FEATURES_OK 0x08u
#define VIRTIO_STATUS_NEEDS_RESET 0x40u
#define VIRTIO_STATUS_FAILED      0x80u

/* InterruptStatus (virtio 1.2, 4.2.2). */
#define VIRTIO_INTERRUPT_USED   0x1u
#define VIRTIO_INTERRUPT_CONFIG 0x2u

/* Features that belong to no device type (virtio 1.2, chapter 6). */
#define VIRTIO_F_ANY_LAYOUT    (1ull << 27)
#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX     (1ull << 29)
#define VIRTIO_F_VERSION_1     (1ull << 32)
#define VIRTIO_F_RING_PACKED   (1ull << 34)

struct virtio_device;

/*
 * A model: what it is, and what it does when the transport tells it something. reset and notify are
 * always there, config_read if config_size is not 0. Called with the device's lock held.
 */
struct virtio_model {
	uint32_t device_id;  /* virtio 1.2, chapter 5; 0: an empty transport, nothing else counts */
	uint16_t queue_size; /* QueueNumMax: entries, a power of two, up to VIRTIO_QUEUE_SIZE_MAX */
	uint32_t config_size; /* bytes of configuration space; beyond it reads as zero */
	/* Forget all chains, in_flight is 0; virtio_init() calls it too. */
	void (*reset)(struct virtio_device *device);
	/* The driver is ready, the features are what it accepted. May be NULL. */
	void (*started)(struct virtio_device *device);
	/* A queue was let go of: nothing may touch its chains any more. NULL: in_flight says so. */
	void (*stopped)(struct virtio_device *device);
	/* There may be chains in @queue, which is running. */
	void (*notify)(struct virtio_device *device, uint16_t queue);
	uint8_t (*config_read)(struct virtio_device *device, uint32_t offset);
};

/* What a device gets from whoever puts it into the guest's machine. */
struct virtio_place {
	const struct guest_memory *memory; /* outlives the device */
	struct irq_line irq;
	struct spinlock *lock; /* the device's; held whenever its model is called */
	bool legacy;           /* version 1 of the transport (virtio 1.2, 4.2.4) */
};

struct virtio_device {
	const struct virtio_model *model;
	const struct virtio_registers *registers; /* the transport's own (mmio.c) */
	struct virtio_place place;
	struct virtqueue *queue; /* queue_count of them, its owner's */
	uint16_t queue_count;
	uint64_t features; /* offered besides those of chapter 6, which the transport adds */
	uint32_t status, interrupt_status, config_generation;
	uint32_t device_features_sel, driver_features_sel, queue_sel;
	uint32_t page_size;          /* legacy: GuestPageSize, bytes */
	uint32_t driver_features[2]; /* low and high word */
	/*
	 * The model's count of requests that a backend still has: while it is not 0, the driver
	 * can't have its memory back, and what stops a queue only begins (draining, see
	 * virtio_reset()).
	 */
	uint32_t in_flight;
	/* Where the driver reads its registers and configuration in our place; NULL: nowhere. */
	volatile uint32_t *shown;
	bool live;         /* DRIVER_OK, legacy: or a queue in use, and nothing broken */
	bool draining;     /* no queue runs until in_flight is 0 and the write came again */
	bool deferred;     /* chains wait until the driver acknowledges its interrupt */
	bool again;        /* the last write has to be made again; whoever sees it clears it */
	const char *fault; /* for the log, which takes it: why the device needs a reset */
};

/* False if the driver's formats are those of before VERSION_1. */
static inline bool virtio_is_modern(const struct virtio_device *device)
{
	return !device->place.legacy;
}

/* The model of a transport with nothing behind it. */
extern const struct virtio_model virtio_empty;

/*
 * @queue: @queue_count of them, which outlive the device, as @model does; @features: what it offers
 * of its own. The interrupt line is low afterwards.
 */
void virtio_init(struct virtio_device *device, const struct virtio_model *model,
		 const struct virtio_place *place, struct virtqueue *queue, uint16_t queue_count,
		 uint64_t features);

/*
 * The transport's registers (virtio 1.2, 4.2.2 and 4.2.4); the device is a struct virtio_device.
 * What the specification forbids reads as zero and is ignored when written.
 */
extern const struct mmio_ops virtio_mmio_ops;

#define VIRTIO_MMIO_BYTES 0x200u /* of a transport, with its configuration space */

/*
 * Writes what each register reads as to @at, VIRTIO_MMIO_BYTES of memory. If device->shown is set
 * to it, the device keeps it so: whatever the driver reads there is what virtio_mmio_ops would
 * return. A field of the configuration space that changes has to lie within an aligned word; who
 * reads several meanwhile is told to read them again, by ConfigGeneration or the interrupt. Lock
 * held.
 */
void virtio_mmio_show(struct virtio_device *device, volatile uint32_t *at);

/*
 * Puts device and model back to where virtio_init() left them, as writing 0 to Status does. Returns
 * false if requests are in flight: only that no new ones are started is done then, and it has to be
 * called again once interrupts have been taken. A driver that resets makes the same write again:
 * virtio_mmio_ops sets device->again.
 */
bool virtio_reset(struct virtio_device *device);

/* Interrupts the driver if it wants to hear of what was pushed to @queue; once after a batch. */
void virtio_signal(struct virtqueue *queue);

/*
 * Instead of virtio_signal(), by a model that stops although there may be more chains and no event
 * of its backend will make it go on. A driver with EVENT_IDX need not notify again: it gets an
 * interrupt, wanted or not, and notify() is called for all queues when it acknowledges that.
 */
void virtio_defer(struct virtqueue *queue);

/* Tells the driver that the configuration space has changed (virtio 1.2, 2.5.1). */
void virtio_config_changed(struct virtio_device *device);

/*
 * Marks the device broken (virtio 1.2, 2.1.2): DEVICE_NEEDS_RESET, a configuration interrupt, no
 * more queue work until the driver resets it. Set device->fault before, to say why.
 */
void virtio_break(struct virtio_device *device);

#endif
