/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transport of the board's virtio devices, and the life of their requests. Lock: the device's,
 * inside of those of the models; it is released around everything that is told to them.
 *
 * A device that breaks the rules, or lets a request wait too long, is reset, since nothing else
 * keeps it from the memory of its requests; these end with an error and the device starts anew.
 * While a core is on its way to a done(), the device does not start: so that an old end can't be
 * taken for that of a new request.
 */
#include "virtio.h"
#include <stddef.h>
#include "access.h"
#include "../dma.h"
#include "../tick.h"
#include "../virtio/virtio.h"

/* virtio 1.2, 4.2.2 and, of legacy devices alone, 4.2.4. */
#define MAGIC               0x000u
#define VERSION             0x004u
#define DEVICE_FEATURES     0x010u
#define DEVICE_FEATURES_SEL 0x014u
#define DRIVER_FEATURES     0x020u
#define DRIVER_FEATURES_SEL 0x024u
#define GUEST_PAGE_SIZE     0x028u /* legacy */
#define QUEUE_SEL           0x030u
#define QUEUE_NUM_MAX       0x034u
#define QUEUE_NUM           0x038u
#define QUEUE_ALIGN         0x03cu /* legacy */
#define QUEUE_PFN           0x040u /* legacy */
#define QUEUE_READY         0x044u
#define QUEUE_NOTIFY        0x050u
#define INTERRUPT_STATUS    0x060u
#define INTERRUPT_ACK       0x064u
#define STATUS              0x070u
#define QUEUE_DESC          0x080u /* a low and a high word each */
#define QUEUE_DRIVER        0x090u
#define QUEUE_DEVICE        0x0a0u
#define CONFIG_GENERATION   0x0fcu
#define CONFIG              0x100u

#define MAGIC_VALUE 0x74726976u
#define RESET_READS 1000u /* of Status: far more than a register takes to settle */

#define HELLO (VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER)

static uint32_t get(const struct hw_virtio *device, uint32_t offset)
{
	return mmio_read(device->registers + offset);
}

static void put(const struct hw_virtio *device, uint32_t offset, uint32_t value)
{
	mmio_write(device->registers + offset, value);
}

static void put_address(const struct hw_virtio *device, uint32_t offset, const void *at)
{
	const uint64_t pa = dma_address(at);

	put(device, offset, (uint32_t)pa);
	put(device, offset + 4, (uint32_t)(pa >> 32));
}

/* Returns false if it does not confirm (virtio 1.2, 2.4.2). */
static bool reset(const struct hw_virtio *device)
{
	put(device, STATUS, 0);
	for (unsigned int i = 0; i < RESET_READS; i++) {
		if (get(device, STATUS) == 0) {
			dma_barrier(); /* what it wrote before is seen after */
			return true;
		}
	}
	return false;
}

static uint64_t features_offered(const struct hw_virtio *device)
{
	uint64_t features;

	put(device, DEVICE_FEATURES_SEL, 1);
	features = device->legacy ? 0 : (uint64_t)get(device, DEVICE_FEATURES) << 32;
	put(device, DEVICE_FEATURES_SEL, 0);
	return features | get(device, DEVICE_FEATURES);
}

uint64_t hw_virtio_open(struct hw_virtio *device, uintptr_t registers)
{
	uint32_t version;

	device->registers = registers;
	device->state = HW_OFF;
	version = get(device, VERSION);
	device->legacy = version == 1;
	if (get(device, MAGIC) != MAGIC_VALUE || version - 1 > 1 || !reset(device)) {
		return 0;
	}
	put(device, STATUS, HELLO);
	device->state = HW_STOPPED;
	return features_offered(device);
}

/* virtio 1.2, 3.1.1. */
static bool negotiate(struct hw_virtio *device, uint64_t *features)
{
	const uint64_t offered = features_offered(device);
	const uint64_t needed = device->wanted | (device->legacy ? 0 : VIRTIO_F_VERSION_1);

	*features = needed | (offered & VIRTIO_F_EVENT_IDX);
	if ((needed & ~offered) != 0) {
		return false;
	}
	put(device, DRIVER_FEATURES_SEL, 0);
	put(device, DRIVER_FEATURES, (uint32_t)*features);
	if (device->legacy) {
		put(device, GUEST_PAGE_SIZE, HW_RING_ALIGN);
		return true;
	}
	put(device, DRIVER_FEATURES_SEL, 1);
	put(device, DRIVER_FEATURES, (uint32_t)(*features >> 32));
	put(device, STATUS, HELLO | VIRTIO_STATUS_FEATURES_OK);
	return (get(device, STATUS) & VIRTIO_STATUS_FEATURES_OK) != 0;
}

/* virtio 1.2, 4.2.3.2 and 4.2.4. */
static bool set_up_queue(struct hw_virtio *device, unsigned int index, bool event_idx)
{
	struct hw_queue *queue = &device->queue[index];
	const uint64_t frame = dma_address(queue->ring) / HW_RING_ALIGN;
	uint32_t max;

	put(device, QUEUE_SEL, index);
	max = get(device, QUEUE_NUM_MAX);
	if (max == 0 || get(device, device->legacy ? QUEUE_PFN : QUEUE_READY) != 0) {
		return false;
	}
	while (queue->size > max) {
		queue->size /= 2;
	}
	hw_queue_clear(queue, event_idx);
	put(device, QUEUE_NUM, queue->size);
	if (device->legacy) {
		put(device, QUEUE_ALIGN, HW_RING_ALIGN);
		put(device, QUEUE_PFN, (uint32_t)frame);
		return frame <= UINT32_MAX;
	}
	put_address(device, QUEUE_DESC, queue->ring);
	put_address(device, QUEUE_DRIVER, queue->ring + 16u * queue->size);
	put_address(device, QUEUE_DEVICE, queue->ring + HW_RING_USED(queue->size));
	dma_barrier();
	put(device, QUEUE_READY, 1);
	return true;
}

static bool set_up(struct hw_virtio *device)
{
	uint32_t status = HELLO | (device->legacy ? 0 : VIRTIO_STATUS_FEATURES_OK);
	uint64_t features;

	if (!reset(device)) {
		return false;
	}
	put(device, STATUS, HELLO);
	if (!negotiate(device, &features)) {
		return false;
	}
	for (unsigned int i = 0; i < device->queue_count; i++) {
		if (!set_up_queue(device, i, (features & VIRTIO_F_EVENT_IDX) != 0)) {
			return false;
		}
	}
	dma_barrier();
	put(device, STATUS, status | VIRTIO_STATUS_DRIVER_OK);
	return true;
}

static void start_if_idle(struct hw_virtio *device)
{
	if (device->state != HW_STARTING || device->users != 0) {
		return;
	}
	device->state = HW_RUNNING;
	if (!set_up(device)) {
		reset(device);
		device->state = HW_OFF;
	}
}

void hw_virtio_start(struct hw_virtio *device)
{
	if (device->state != HW_OFF) {
		device->state = HW_STARTING;
		start_if_idle(device);
	}
}

uint32_t hw_virtio_stop(struct hw_virtio *device)
{
	uint32_t given_up = 0;

	if (device->state != HW_OFF) {
		device->state = reset(device) ? HW_STOPPED : HW_OFF;
	}
	for (unsigned int i = 0; i < device->queue_count; i++) {
		given_up += device->queue[i].in_flight;
		device->queue[i].in_flight = 0;
	}
	return given_up;
}

uint32_t hw_virtio_config(const struct hw_virtio *device, uint32_t offset, unsigned int size)
{
	return mmio_read_size(device->registers + CONFIG + offset, size);
}

uint32_t hw_virtio_generation(const struct hw_virtio *device)
{
	return device->legacy ? 0 : get(device, CONFIG_GENERATION);
}

void hw_virtio_submit(struct hw_virtio *device, unsigned int queue, struct io_request *request)
{
	device->counters.requests++;
	if (hw_chain_submit(&device->queue[queue], request)) {
		put(device, QUEUE_NOTIFY, queue);
	}
	if (device->queue[queue].timed) {
		tick_start();
	}
}

void hw_virtio_listen(struct hw_virtio *device, struct io_listener *listener)
{
	listener->next = device->listener;
	device->listener = listener;
}

/* How the chain ended. *length: bytes written, in and out. */
static enum io_status finish(struct hw_virtio *device, const struct hw_slot *slot, uint32_t *length)
{
	return device->kind->finish != NULL ? device->kind->finish(device, slot, length) : IO_OK;
}

/* Ends a request, without the lock, which is held before and after. */
static void end(struct hw_virtio *device, struct io_request *request, enum io_status status,
		uint32_t length)
{
	device->counters.errors += status != IO_OK;
	spin_unlock(&device->lock);
	request->done(request, status, status == IO_OK ? length : 0);
	spin_lock(&device->lock);
}

static void end_all(struct hw_virtio *device, struct hw_queue *queue)
{
	for (uint16_t i = 0; i < queue->size && device->state == HW_ENDING; i++) {
		struct hw_slot *slot = &queue->slot[i];
		struct io_request *request = slot->request;
		uint32_t length = 0;

		if (request != NULL) {
			finish(device, slot, &length);
			slot->request = NULL;
			queue->in_flight--;
			end(device, request, IO_ERROR, 0);
		}
	}
}

/* @lies: it broke the rules; else it only took too long. */
static void fail(struct hw_virtio *device, bool lies)
{
	const bool sound = reset(device);

	device->lies = (uint8_t)(device->lies + lies);
	device->state = HW_ENDING;
	for (unsigned int i = 0; i < device->queue_count; i++) {
		end_all(device, &device->queue[i]);
	}
	if (!sound || device->lies >= HW_LIES_MAX) {
		device->state = HW_OFF;
	} else if (device->state == HW_ENDING) {
		device->state = HW_STARTING;
	}
}

/* Each turn ends a request in flight. */
static void take_all(struct hw_virtio *device, struct hw_queue *queue)
{
	while (device->state == HW_RUNNING) {
		struct io_request *request;
		enum io_status status;
		enum hw_taken taken;
		uint32_t length;
		uint16_t head;

		taken = hw_queue_take(queue, &head, &length);
		if (taken == HW_NOTHING) {
			return;
		}
		if (taken == HW_LIE) {
			fail(device, true);
			return;
		}
		device->idle = 0;
		request = queue->slot[head].request;
		status = finish(device, &queue->slot[head], &length);
		hw_chain_free(queue, head);
		end(device, request, status, length);
	}
}

static void enter(struct hw_virtio *device)
{
	spin_lock(&device->lock);
	device->users++;
}

static void leave(struct hw_virtio *device)
{
	device->users--;
	start_if_idle(device);
	spin_unlock(&device->lock);
	for (struct io_listener *listener = device->listener; listener != NULL;
	     listener = listener->next) {
		listener->batch(listener->device);
	}
}

/* A wire that nothing lowers: the guest on this core would not run any more. */
static void give_up_if_idle(struct hw_virtio *device)
{
	if (++device->idle == 0) {
		device->lies = HW_LIES_MAX;
		fail(device, true);
	}
}

bool hw_virtio_irq(void *argument)
{
	struct hw_virtio *device = argument;
	uint32_t causes;
	bool config, on;

	enter(device);
	device->counters.interrupts++;
	causes = get(device, INTERRUPT_STATUS);
	put(device, INTERRUPT_ACK, causes);
	get(device, INTERRUPT_STATUS); /* no write to a device has to arrive before (A3.5.6) */
	dma_barrier();                 /* what comes after we looked raises it again */
	config = device->state == HW_RUNNING && (causes & VIRTIO_INTERRUPT_CONFIG) != 0;
	device->idle = config ? 0 : device->idle;
	if (config && (get(device, STATUS) & VIRTIO_STATUS_NEEDS_RESET) != 0) {
		fail(device, true);
	}
	for (unsigned int i = 0; i < device->queue_count; i++) {
		take_all(device, &device->queue[i]);
	}
	give_up_if_idle(device);
	on = device->state != HW_OFF;
	leave(device);
	if (config && device->kind->config_changed != NULL) {
		device->kind->config_changed(device);
	}
	return on;
}

/* Whether a timed request is in flight; *late: one that is so for too long. */
static bool waits(const struct hw_virtio *device, bool *late)
{
	bool waiting = false;

	for (unsigned int i = 0; i < device->queue_count; i++) {
		const struct hw_queue *queue = &device->queue[i];

		if (!queue->timed || queue->in_flight == 0) {
			continue;
		}
		waiting = true;
		for (uint16_t j = 0; j < queue->size; j++) {
			*late |= queue->slot[j].request != NULL &&
				 (uint8_t)(tick_count - queue->slot[j].started) > HW_TIMEOUT;
		}
	}
	return waiting;
}

/*
 * What ended without its interrupt is not late. Only where there are time-outs: on two cores at
 * once the ends of a card's buffers, whose order counts, might overtake each other.
 */
bool hw_virtio_tick(void *argument)
{
	struct hw_virtio *device = argument;
	bool late = false, waiting = false;

	enter(device);
	for (unsigned int i = 0; i < device->queue_count; i++) {
		if (device->queue[i].timed) {
			take_all(device, &device->queue[i]);
		}
	}
	if (device->state == HW_RUNNING) {
		waiting = waits(device, &late);
	}
	if (late) {
		device->counters.timeouts++;
		fail(device, false);
	}
	leave(device);
	return waiting;
}
