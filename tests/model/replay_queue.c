/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does to drivers/virtio what a simulation of queue.pml tells on standard input, step by step, and
 * compares the indices on both sides, the interrupt, and whether the driver has to notify.
 * Arguments: whether VIRTIO_F_RING_PACKED and VIRTIO_F_EVENT_IDX are negotiated.
 */
#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/mock_model.h"

#define SIZE   8u
#define LAP    4u  /* a packed queue's size: the model counts two laps */
#define ALWAYS 15u /* the model's word for it */

/* Of a packed queue (virtio 1.2 2.8.1, 2.8.10). */
#define FLAG_AVAIL    0x0080u
#define FLAG_USED     0x8000u
#define EVENT_DISABLE 0x10000u
#define EVENT_DESC    0x20000u

static uint16_t head[SIZE], last_used;
static unsigned int heads, compared, line_number;
static uint32_t added;
static bool packed, event;

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

/* A place in a packed ring, from where both laps begin: wrap counters begin with 1. */
static uint32_t ring_place(uint32_t slot, bool wrap)
{
	return slot + (wrap ? 0 : LAP);
}

/* What the device wants to be told of, and has used, in the model's words. */
static uint32_t device_event(void)
{
	const uint32_t word = guest_load32(USED(0));

	if (!packed) {
		return event ? guest_load16(USED(0) + 4 + 8 * SIZE) % SIZE : 0;
	}
	return !event               ? 0
	       : word >= EVENT_DESC ? ring_place(word & 0x7fff, (word >> 15 & 1) != 0)
				    : ALWAYS;
}

static uint32_t device_used(void)
{
	return packed ? ring_place(queues[0].used_index, queues[0].used_wrap)
		      : guest_used_index(0) % SIZE;
}

/* A driver notifies if the device asked for what is added now (virtio 1.2 2.7.10, 2.8.10). */
static bool add_packed(void)
{
	const uint32_t here = added++ % (2 * LAP), asked = device_event();

	guest_desc(DESC(0), here % LAP, BUFFERS, 16, here % LAP,
		   here < LAP ? FLAG_AVAIL : FLAG_USED);
	return !event || asked == ALWAYS || asked == here;
}

static bool add_split(void)
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

/* The driver's wish: nothing, or what it waits for next. */
static void wish(bool listens)
{
	const uint32_t here = last_used % (2 * LAP);
	uint32_t word = EVENT_DISABLE;

	if (!packed) {
		guest_store16(AVAIL(0) + 4 + 2 * SIZE, last_used);
		return;
	}
	if (listens) {
		word = event ? EVENT_DESC | (here < LAP ? 1u << 15 : 0) | here % LAP : 0;
	}
	memcpy(guest_at(AVAIL(0)), &word, sizeof(word));
}

static void compare(const char *told)
{
	char state[64];

	snprintf(state, sizeof(state), "%u %u %u %u %u %u\n",
		 packed ? ring_place(queues[0].last_avail, queues[0].avail_wrap)
			: queues[0].last_avail % SIZE,
		 device.in_flight, device_used(), device_event(), rd(INTERRUPT_STATUS), mock_line);
	if (strcmp(state, told) != 0) {
		fprintf(stderr, "model %scode  %s", told, state);
		disagree("the code's state is not the model's");
	}
	compared++;
}

static void step(const char *line)
{
	static bool notifies;

	if (strcmp(line, "add\n") == 0) {
		notifies = packed ? add_packed() : add_split();
	} else if (strcmp(line, "notify\n") == 0) {
		if (!notifies) {
			disagree("the model notifies, and the code asked for nothing");
		}
		notifies = false;
		wr(QUEUE_NOTIFY, 0);
	} else if (strcmp(line, "complete\n") == 0) {
		complete();
	} else if (strcmp(line, "interrupt\n") == 0) {
		wr(INTERRUPT_ACK, rd(INTERRUPT_STATUS));
	} else if (strcmp(line, "reap\n") == 0) {
		last_used++;
	} else if (strcmp(line, "mute\n") == 0 || strcmp(line, "listen\n") == 0) {
		wish(line[0] == 'l');
	} else if (strncmp(line, "state ", 6) == 0) {
		if (notifies) {
			disagree("the code asks for a notification, and the model makes none");
		}
		compare(line + 6);
	}
}

int main(int argc, char **argv)
{
	char line[128];

	if (argc != 3) {
		return 2;
	}
	packed = argv[1][0] == '1';
	event = argv[2][0] == '1';
	place = (struct virtio_place){.memory = &memory, .irq = mock_irq};
	virtio_init(&device, &requests, &place, queues, 1, 0);
	driver_negotiate(&device, VIRTIO_F_VERSION_1 | (event ? VIRTIO_F_EVENT_IDX : 0) |
					  (packed ? VIRTIO_F_RING_PACKED : 0));
	driver_queue(&device, 0, packed ? LAP : SIZE);
	wr(STATUS, RUNNING);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line_number++;
		step(line);
	}
	printf("%u\n", compared);
	return 0;
}
