/* SPDX-License-Identifier: BSD-2-Clause */
/* A running virtqueue with nothing around it, for its suites. */
#ifndef TESTS_MOCK_QUEUE_H
#define TESTS_MOCK_QUEUE_H

#include "suite.h"
#include "mock_guest.h"

#define SIZE  8u
#define EVENT ((uint32_t)VIRTIO_F_EVENT_IDX)
#define INDIR ((uint32_t)VIRTIO_F_INDIRECT_DESC)

static struct guest_memory memory;
static struct virtio_device device;
static struct virtqueue queues[1], *const queue = queues;
static struct io_segment segment[VIRTIO_QUEUE_SIZE_MAX];
static struct virtio_chain chain;
static unsigned int breaks;

/* The transport is not part of this suite. */
void virtio_break(struct virtio_device *broken)
{
	breaks++;
	broken->live = false;
}

static inline void set_rings(uint64_t desc, uint64_t avail, uint64_t used, uint16_t size)
{
	uint64_t ring[3] = {desc, avail, used};
	unsigned int i;

	for (i = 0; i < 6; i++) {
		queue->address[i] = (uint32_t)(ring[i / 2] >> (i % 2 ? 32 : 0));
	}
	queue->size = size;
	queue->ready = false;
}

/* A running queue with empty rings and the features in @features. */
static inline void start(uint32_t features)
{
	memset(mock_at, 0, RAM_SIZE);
	memset(&device, 0, sizeof(device));
	memset(queues, 0, sizeof(queues));
	memset(segment, 0xa5, sizeof(segment));
	memory = (struct guest_memory){RAM_BASE, RAM_SIZE, mock_at};
	device.place.memory = &memory;
	device.queue = queues;
	device.queue_count = 1;
	device.driver_features[0] = features;
	queue->device = &device;
	chain.segment = segment;
	breaks = 0;
	set_rings(DESC(0), AVAIL(0), USED(0), SIZE);
	assert_null(virtqueue_enable(queue));
	device.live = true;
}

static inline int set_up(void **state)
{
	(void)state;
	start(0);
	return 0;
}

static inline void offer(uint16_t head)
{
	guest_offer(0, SIZE, head);
}

static inline void assert_broken(const char *part_of_sentence)
{
	assert_false(virtqueue_pop(queue, &chain));
	assert_int_equal(breaks, 1);
	assert_non_null(device.fault);
	if (!strstr(device.fault, part_of_sentence)) {
		fail_msg("\"%s\" does not say \"%s\"", device.fault, part_of_sentence);
	}
	/* And it stays that way, silently. */
	assert_false(virtqueue_pop(queue, &chain));
	virtqueue_push(queue, 0, 0);
	assert_int_equal(guest_used_index(0), queue->used_index);
	assert_false(virtqueue_should_notify(queue));
	assert_int_equal(breaks, 1);
}

static inline void assert_segment(unsigned int i, uint32_t ipa, uint32_t length)
{
	assert_ptr_equal(segment[i].at, guest_at(ipa));
	assert_int_equal(segment[i].length, length);
}

#endif
