/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does to drivers/virtio what a simulation of queue.pml tells on standard input, step by step, and
 * compares the indices on both sides, the interrupt, and whether the driver has to notify.
 * Argument: whether VIRTIO_F_EVENT_IDX is negotiated.
 */
#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/mock_model.h"

#define SIZE 8u

static uint16_t head[SIZE], last_used;
static unsigned int heads, compared, line_number;
static bool event;

static _Noreturn void disagree(const char *what)
{
	fprintf(stderr, "line %u: %s\n", line_number, what);
	exit(1);
}

static void take_all(struct virtio_device *from, uint16_t index)
{
	struct io_segment segment[SIZE];
	struct virtio_chain chain = {.segment = segment};

	while (virtqueue_pop(&from->queue[index], &chain)) {
		head[heads++] = chain.head;
		from->in_flight++;
	}
}

static void forget(struct virtio_device *from)
{
	(void)from;
	heads = 0;
}

static const struct virtio_model requests = {
	.device_id = 42,
	.queue_size = SIZE,
	.reset = forget,
	.notify = take_all,
};

/* A driver notifies if the device asked for it between the last time and now (virtio 1.2 2.7.10).
 */
static bool add(void)
{
	const uint16_t added = guest_load16(AVAIL(0) + 2);
	const uint16_t asked = guest_load16(USED(0) + 4 + 8 * SIZE);

	guest_desc(DESC(0), added % SIZE, BUFFERS, 16, 0, 0);
	guest_offer(0, SIZE, added % SIZE);
	return !event || asked == added;
}

static void complete(void)
{
	device.in_flight--;
	virtqueue_push(&queues[0], head[0], 0);
	heads--;
	memmove(head, head + 1, heads * sizeof(head[0]));
	virtio_signal(&queues[0]);
}

static void interrupt(void)
{
	wr(INTERRUPT_ACK, rd(INTERRUPT_STATUS));
}

static void reap(void)
{
	last_used++;
	guest_store16(AVAIL(0) + 4 + 2 * SIZE, last_used);
}

static void compare(const char *told)
{
	char state[64];

	snprintf(state, sizeof(state), "%u %u %u %u %u %u\n", queues[0].last_avail % SIZE,
		 device.in_flight, guest_used_index(0) % SIZE,
		 event ? guest_load16(USED(0) + 4 + 8 * SIZE) % SIZE : 0, rd(INTERRUPT_STATUS),
		 mock_line);
	if (strcmp(state, told) != 0) {
		fprintf(stderr, "model %scode  %s", told, state);
		disagree("the code's state is not the model's");
	}
	compared++;
}

int main(int argc, char **argv)
{
	char line[128];
	bool notifies = false;

	if (argc != 2) {
		return 2;
	}
	event = argv[1][0] == '1';
	place = (struct virtio_place){.memory = &memory, .irq = mock_irq};
	virtio_init(&device, &requests, &place, queues, 1, 0);
	driver_negotiate(&device, VIRTIO_F_VERSION_1 | (event ? VIRTIO_F_EVENT_IDX : 0));
	driver_queue(&device, 0, SIZE);
	wr(STATUS, RUNNING);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line_number++;
		if (strcmp(line, "add\n") == 0) {
			notifies = add();
		} else if (strcmp(line, "notify\n") == 0) {
			if (!notifies) {
				disagree("the model notifies, and the code asked for nothing");
			}
			notifies = false;
			wr(QUEUE_NOTIFY, 0);
		} else if (strcmp(line, "complete\n") == 0) {
			complete();
		} else if (strcmp(line, "interrupt\n") == 0) {
			interrupt();
		} else if (strcmp(line, "reap\n") == 0) {
			reap();
		} else if (strncmp(line, "state ", 6) == 0) {
			if (notifies) {
				disagree("the code asks for a notification, and the model makes "
					 "none");
			}
			compare(line + 6);
		}
	}
	printf("%u\n", compared);
	return 0;
}
