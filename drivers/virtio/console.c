/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio console: moves characters between the two queues and the backend; never waits. */
#include "console.h"

#define DEVICE_ID      3u
#define CONSOLE_F_SIZE (1ull << 0)
#define CALL_BYTES     2048u

enum { QUEUE_RECEIVE, QUEUE_TRANSMIT };

_Static_assert(offsetof(struct virtio_console, device) == 0, "console_of() casts");

static struct virtio_console *console_of(struct virtio_device *device)
{
	return (struct virtio_console *)device;
}

static void chain_refuse(struct virtio_console *console, const char *sentence)
{
	console->device.fault = sentence;
	virtio_break(&console->device);
}

/* Takes the next chain to send. Returns false if there is none. */
static bool send_begin(struct virtio_console *console)
{
	struct virtio_chain *chain = &console->sent;

	chain->segment = console->sent_segment;
	if (!virtqueue_pop(&console->device.queue[QUEUE_TRANSMIT], chain)) {
		return false;
	}
	if (chain->readable != chain->count) {
		chain_refuse(console, "a writable buffer in the console's transmit queue");
		return false;
	}
	console->sending = true;
	console->sent_segments = 0;
	console->sent_bytes = 0;
	return true;
}

/*
 * Goes on with the chain where it stands, for as many bytes as *room says. Returns false if there
 * is more of it.
 */
static bool send_more(struct virtio_console *console, uint32_t *room)
{
	const struct virtio_chain *chain = &console->sent;

	while (console->sent_segments < chain->count) {
		const struct io_segment *segment = &chain->segment[console->sent_segments];
		const uint32_t left = segment->length - console->sent_bytes;
		const uint32_t taken = (uint32_t)console->backend->ops->write(
			console->backend, segment->at + console->sent_bytes,
			left < *room ? left : *room);

		*room -= taken;
		console->sent_bytes += taken;
		if (taken < left) {
			return false;
		}
		console->sent_segments++;
		console->sent_bytes = 0;
	}
	return true;
}

/* A call moves at most as many chains as the queue holds, however fast the driver adds more. */
static void call_end(struct virtqueue *queue, bool more)
{
	if (more) {
		virtio_defer(queue);
	} else {
		virtio_signal(queue);
	}
}

/* The backend may be a UART that is never full: it gets no more than CALL_BYTES at once. */
static void transmit(struct virtio_console *console)
{
	struct virtqueue *queue = &console->device.queue[QUEUE_TRANSMIT];
	uint32_t room = CALL_BYTES;
	unsigned int i;

	for (i = 0; i < VIRTIO_CONSOLE_QUEUE_SIZE && virtqueue_running(queue); i++) {
		if (!console->sending && !send_begin(console)) {
			break;
		}
		if (!send_more(console, &room)) {
			break;
		}
		console->sending = false;
		virtqueue_push(queue, console->sent.head, 0);
	}
	call_end(queue, room == 0 || i == VIRTIO_CONSOLE_QUEUE_SIZE);
}

/* Returns the number of bytes that the backend had for the chain. */
static uint32_t chain_fill(struct virtio_console *console, const struct virtio_chain *chain)
{
	struct char_backend *backend = console->backend;
	uint32_t filled = 0;
	uint16_t i;

	for (i = 0; i < chain->count; i++) {
		const struct io_segment *segment = &chain->segment[i];
		size_t got = backend->ops->read(backend, segment->at, segment->length);

		filled += (uint32_t)got;
		if (got < segment->length) {
			break;
		}
	}
	return filled;
}

static void receive(struct virtio_console *console)
{
	struct virtqueue *queue = &console->device.queue[QUEUE_RECEIVE];
	struct virtio_chain chain = {.segment = console->received_segment};
	unsigned int i;

	for (i = 0; i < VIRTIO_CONSOLE_QUEUE_SIZE; i++) {
		if (console->backend->ops->read_ready(console->backend) == 0 ||
		    !virtqueue_pop(queue, &chain)) {
			break;
		}
		if (chain.readable != 0) {
			chain_refuse(console, "a readable buffer in the console's receive queue");
			break;
		}
		virtqueue_push(queue, chain.head, chain_fill(console, &chain));
	}
	call_end(queue, i == VIRTIO_CONSOLE_QUEUE_SIZE);
}

static void console_reset(struct virtio_device *device)
{
	console_of(device)->sending = false;
}

static void console_notify(struct virtio_device *device, uint16_t queue)
{
	if (queue == QUEUE_TRANSMIT) {
		transmit(console_of(device));
	} else {
		receive(console_of(device));
	}
}

/* struct virtio_console_config: cols, rows, and what belongs to features that are not offered. */
static uint8_t console_config_read(struct virtio_device *device, uint32_t offset)
{
	const struct virtio_console *console = console_of(device);
	const uint32_t word = (uint32_t)console->rows << 16 | console->columns;

	return (uint8_t)(word >> (8 * offset));
}

static const struct virtio_model console_model = {
	.device_id = DEVICE_ID,
	.queue_size = VIRTIO_CONSOLE_QUEUE_SIZE,
	.reset = console_reset,
	.notify = console_notify,
	.config_size = 4,
	.config_read = console_config_read,
};

void virtio_console_init(struct virtio_console *console, struct char_backend *backend,
			 const struct virtio_place *place)
{
	console->backend = backend;
	console->rows = 24;
	console->columns = 80;
	virtio_init(&console->device, &console_model, place, console->queue, VIRTIO_CONSOLE_QUEUES,
		    CONSOLE_F_SIZE);
}

bool virtio_console_receives(const struct virtio_console *console)
{
	return virtqueue_running(&console->device.queue[QUEUE_RECEIVE]);
}

static void console_readable(void *console)
{
	receive(console);
}

static void console_writable(void *console)
{
	transmit(console);
}

static void console_resized(void *opaque, uint16_t rows, uint16_t columns)
{
	struct virtio_console *console = opaque;

	if (console->rows != rows || console->columns != columns) {
		console->rows = rows;
		console->columns = columns;
		virtio_config_changed(&console->device);
	}
}

const struct char_events virtio_console_events = {
	.readable = console_readable,
	.writable = console_writable,
	.resized = console_resized,
};
