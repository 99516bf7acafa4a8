/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue (virtio 1.2, 2.7), the driver's side: the device may lie in all it writes. */
#ifndef DRIVERS_HW_VIRTQUEUE_H
#define DRIVERS_HW_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include "../io.h"

/* Alignment of the rings and of the used ring in them; also the page of legacy devices. */
#define HW_RING_ALIGN      64u
#define HW_RING_USED(size) ((18u * (size) + 6 + HW_RING_ALIGN - 1) & ~(HW_RING_ALIGN - 1))
#define HW_RING_BYTES(size)                                                                        \
	((HW_RING_USED(size) + 8u * (size) + 6 + HW_RING_ALIGN - 1) & ~(HW_RING_ALIGN - 1))

/* What belongs to a descriptor. All but next counts for the head of a chain in flight. */
struct hw_slot {
	struct io_request *request; /* NULL: not in flight */
	uint32_t writable;          /* bytes in the chain that the device may write */
	uint16_t next;              /* in the chain, or in the free list */
	uint16_t last, count;       /* of the chain */
	uint8_t started;            /* tick_count then */
};

struct hw_queue {
	uint8_t *ring; /* HW_RING_BYTES(size), aligned; the device reads and writes it */
	volatile uint16_t *avail, *used; /* where the rings begin in there */
	struct hw_slot *slot;            /* size of them */
	uint16_t size;                   /* entries, a power of two up to 256 */
	bool timed;                      /* its requests may take no longer than some seconds */
	bool event_idx;                  /* negotiated */
	uint16_t free, free_count;       /* descriptors */
	uint16_t in_flight;              /* chains */
	uint16_t avail_index, used_index;
	uint16_t head, last, count; /* the chain in the making */
	uint16_t last_flags;        /* of its last descriptor */
	uint32_t writable;
};

enum hw_taken { HW_NOTHING, HW_TAKEN, HW_LIE };

/* Empty rings and nothing in flight, while the device is reset. */
void hw_queue_clear(struct hw_queue *queue, bool event_idx);

/*
 * A chain is made by one begin, which chooses queue->head, an add for each segment, those that the
 * device reads first, and a submit. The caller has seen that free_count is enough.
 */
static inline void hw_chain_begin(struct hw_queue *queue)
{
	queue->head = queue->free;
	queue->count = 0;
	queue->writable = 0;
}

void hw_chain_add(struct hw_queue *queue, const volatile void *at, uint32_t length, bool writable);
/* Returns whether the device wants to be notified of it. */
bool hw_chain_submit(struct hw_queue *queue, struct io_request *request);

/*
 * Takes a chain that the device is through with out of the ring; its slot stays for the caller, who
 * gives it to hw_chain_free(). With HW_NOTHING the device has been asked for an interrupt. HW_LIE:
 * what the device says can't be; *head and *length are undefined.
 */
enum hw_taken hw_queue_take(struct hw_queue *queue, uint16_t *head, uint32_t *length);
void hw_chain_free(struct hw_queue *queue, uint16_t head);

#endif
