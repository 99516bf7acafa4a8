/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's virtio devices over MMIO (virtio 1.2, 4.2), version 2 and the legacy version 1, as
 * their driver sees them: what disks, cards and entropy sources have in common.
 */
#ifndef DRIVERS_HW_VIRTIO_H
#define DRIVERS_HW_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>
#include "../lock.h"
#include "virtqueue.h"

#define HW_TIMEOUT    10u /* ticks (drivers/tick.h): a request that takes longer has failed */
#define HW_LIES_MAX   3u  /* after as many the device stays off */
#define HW_QUEUES_MAX 2u

enum hw_state {
	HW_OFF,      /* it can't be used, or no more: requests fail */
	HW_STOPPED,  /* reset, nothing in flight */
	HW_STARTING, /* it runs as soon as nobody is busy with it: requests are IO_BUSY */
	HW_ENDING,   /* reset, requests get their end: others are IO_BUSY */
	HW_RUNNING,
};

/* Since the start; read by tests, from outside (tests/soak). */
struct hw_counters {
	uint32_t requests, interrupts;
	uint32_t errors;   /* requests that did not end with IO_OK */
	uint32_t timeouts; /* of them, which the device never ended: the first of each reset */
};

struct hw_virtio;

struct hw_kind {
	/*
	 * How a chain ended that the device is through with; NULL: with IO_OK. @slot: its head's;
	 * *length: what the device says it wrote, and what done() gets. The lock is held.
	 */
	enum io_status (*finish)(struct hw_virtio *device, const struct hw_slot *slot,
				 uint32_t *length);
	/* The configuration has changed; NULL: never mind. No lock is held. */
	void (*config_changed)(struct hw_virtio *device);
};

/* The lock guards all of it and the queues; done(), batch() and config_changed() come without. */
struct hw_virtio {
	struct spinlock lock;
	enum hw_state state;
	uintptr_t registers; /* 0: this structure is nobody's */
	const struct hw_kind *kind;
	uint64_t wanted; /* features of its kind that are used: all offered */
	bool legacy;
	uint8_t lies;
	uint8_t idle;  /* interrupts since one that brought something; 256: it is off */
	uint8_t users; /* cores that give its requests their end */
	uint8_t queue_count;
	struct hw_queue queue[HW_QUEUES_MAX];
	struct io_listener *listener;
	struct hw_counters counters;
};

/*
 * Resets the device at @registers and says hello. queue (ring, slot, size and timed), queue_count
 * and kind are set by the caller. Returns the features that it offers, 0 if it can't be used.
 */
uint64_t hw_virtio_open(struct hw_virtio *device, uintptr_t registers);

/*
 * Lets it run with the features in device->wanted, at once or, if another core is still busy with
 * the past, then. Queues are as long as the device's, at most as before. The lock is held. What
 * goes wrong makes it HW_OFF.
 */
void hw_virtio_start(struct hw_virtio *device);

/*
 * Resets it: it touches no memory any more. Returns how many requests are given up: of the others
 * done() has been called, or is about to be on another core. The lock is held.
 */
uint32_t hw_virtio_stop(struct hw_virtio *device);

/*
 * A field of the configuration space, @size of 1, 2 or 4 bytes. What is longer, or in several
 * fields, is right if hw_virtio_generation() was the same before and after (virtio 1.2, 2.5.1).
 */
uint32_t hw_virtio_config(const struct hw_virtio *device, uint32_t offset, unsigned int size);
uint32_t hw_virtio_generation(const struct hw_virtio *device);

/* Whether a chain of @count descriptors may be begun: IO_OK, IO_BUSY or IO_ERROR. Lock held. */
static inline enum io_status hw_virtio_room(const struct hw_virtio *device, unsigned int queue,
					    uint32_t count)
{
	if (device->state == HW_RUNNING && count <= device->queue[queue].free_count) {
		return IO_OK;
	}
	return device->state <= HW_STOPPED || count > device->queue[queue].size ? IO_ERROR
										: IO_BUSY;
}

/* Gives the chain begun in @queue to the device. The lock is held. */
void hw_virtio_submit(struct hw_virtio *device, unsigned int queue, struct io_request *request);

void hw_virtio_listen(struct hw_virtio *device, struct io_listener *listener);

/*
 * Its interrupt, which returns false if it must not come any more, as the device is off; and its
 * tick (drivers/tick.h), which returns whether it waits for its device. @device: a struct
 * hw_virtio. No lock held.
 */
bool hw_virtio_irq(void *device);
bool hw_virtio_tick(void *device);

#endif
