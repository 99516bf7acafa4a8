/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtqueues, split and packed (virtio 1.2, 2.7 and 2.8), the device's side: the rings are hostile
 * memory. Pure.
 */
#ifndef DRIVERS_VIRTIO_QUEUE_H
#define DRIVERS_VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include "../io.h"

#define VIRTIO_QUEUE_SIZE_MAX 256 /* entries, a power of two */

struct virtio_device;

/* Indices of address[] in struct virtqueue: the words of the three rings' addresses. */
enum virtqueue_address {
	VIRTQUEUE_DESC_LOW,
	VIRTQUEUE_DESC_HIGH,
	VIRTQUEUE_DRIVER_LOW,
	VIRTQUEUE_DRIVER_HIGH,
	VIRTQUEUE_DEVICE_LOW,
	VIRTQUEUE_DEVICE_HIGH,
	VIRTQUEUE_ADDRESSES
};

/* What a packed queue keeps of a chain until it is handed back; of a free head, the next in id. */
struct virtqueue_taken {
	uint16_t id;          /* the driver's buffer ID */
	uint16_t descriptors; /* that it takes in the ring */
};

struct virtqueue {
	struct virtio_device *device;
	/* Checked by virtqueue_enable(). Packed: the ring, both sides' event suppression. */
	volatile uint32_t *desc_at;        /* size * 16 bytes */
	const volatile uint16_t *avail_at; /* flags, idx, size entries, used_event */
	volatile uint32_t *used_at;        /* flags and idx, size entries of 2 words, avail_event */
	uint32_t address[VIRTQUEUE_ADDRESSES]; /* IPAs as the driver wrote them */
	uint16_t size;                         /* entries, a power of two if split; 0: not chosen */
	uint16_t last_avail; /* index of the next avail entry to take; packed: slot of the ring */
	uint16_t used_index; /* index of the next used entry to write; packed: slot of the ring */
	uint16_t pushed;     /* entries, or slots, since last asked whether to notify */
	bool ready;          /* QueueReady; legacy: QueuePFN is not 0 */
	uint32_t align, pfn; /* legacy: QueueAlign, bytes; QueuePFN, pages */
	bool packed;         /* what follows is of packed queues only */
	bool avail_wrap, used_wrap; /* wrap counters of last_avail and used_index */
	uint16_t held;              /* descriptors that were taken and not handed back */
	uint16_t free;              /* the first free head */
	struct virtqueue_taken taken[VIRTIO_QUEUE_SIZE_MAX]; /* by the head of a chain */
};

/*
 * A request: segments that the device reads, then those that it writes; under 4 GiB in all. They
 * are already checked to lie in the guest's RAM.
 */
struct virtio_chain {
	struct io_segment *segment; /* the caller's array, of the model's queue_size entries */
	uint16_t count;             /* segments, at least 1 */
	uint16_t readable;          /* the first of them which the device reads */
	uint16_t head;              /* what goes back in virtqueue_push() */
	uint32_t length;            /* bytes of all segments */
};

/*
 * Checks the size and the rings and makes the queue, whose indices are 0, ready: a packed one if
 * that was negotiated. Returns NULL, or a sentence that says what is wrong; the queue is not ready
 * then. Source: virtio 1.2 2.7, 2.8 (alignments).
 */
const char *virtqueue_enable(struct virtqueue *queue);

/* True while there may be chains to take: ready, DRIVER_OK, nothing broken, no reset under way. */
bool virtqueue_running(const struct virtqueue *queue);

/*
 * Takes the next available chain. Each word of a ring is read once.
 * @chain: segment is set by the caller, the rest is filled in.
 * Returns false if there is none or the queue is not running; also if the ring is broken: the
 * device is broken then (virtio_break) and its fault says why.
 */
bool virtqueue_pop(struct virtqueue *queue, struct virtio_chain *chain);

/*
 * Undoes the last virtqueue_pop(), whose chain can't be started now: the next one returns it again.
 * Several are undone last first. Nothing happens if the device may not touch the rings any more.
 */
void virtqueue_unpop(struct virtqueue *queue, const struct virtio_chain *chain);

/*
 * Hands a chain back, once. @head: of the chain; @written: bytes written to it. Nothing happens if
 * the device may not touch the rings any more. The driver hears of it by virtio_signal().
 */
void virtqueue_push(struct virtqueue *queue, uint16_t head, uint32_t written);

/*
 * Whether the driver wants an interrupt for what was pushed since the last call
 * (virtio 1.2 2.7.7, 2.8.10). Asking counts as telling it.
 */
bool virtqueue_should_notify(struct virtqueue *queue);

#endif
