/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device's life, whatever its registers: features, status, interrupt, its queues' start
 * and end (virtio 1.2, chapters 2 and 3). Lock: the device's own, held by all callers.
 */
#include "transport.h"

/* FEATURES_OK of a legacy driver is never acceptable, as it can't have VERSION_1. */
#define STATUS_OF_DRIVER                                                                           \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK |              \
	 VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_FAILED)

#define FEATURES_OF_BOTH (VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)
#define FEATURES         (FEATURES_OF_BOTH | VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED)
#define LEGACY_FEATURES  (FEATURES_OF_BOTH | VIRTIO_F_ANY_LAYOUT)

#define FEATURES_ARE_FIXED (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_NEEDS_RESET)

#define LEGACY_ALIGN 4096u /* QueueAlign of a driver that writes none: the PCI transport's */

const struct virtio_model virtio_empty = {.device_id = 0};

static void interrupt_status_set(struct virtio_device *device, uint32_t status)
{
	device->interrupt_status = status;
	if (device->shown) {
		device->shown[VIRTIO_INTERRUPT_STATUS / 4] = status;
	}
}

static void interrupt_raise(struct virtio_device *device, uint32_t cause)
{
	interrupt_status_set(device, device->interrupt_status | cause);
	irq_line_set(&device->place.irq, true);
}

void virtio_signal(struct virtqueue *queue)
{
	if (virtqueue_should_notify(queue)) {
		interrupt_raise(queue->device, VIRTIO_INTERRUPT_USED);
	}
}

void virtio_defer(struct virtqueue *queue)
{
	queue->device->deferred = true;
	interrupt_raise(queue->device, VIRTIO_INTERRUPT_USED);
}

void virtio_config_changed(struct virtio_device *device)
{
	device->config_generation++;
	if (device->shown) {
		virtio_mmio_show(device, device->shown);
	}
	if (device->status & VIRTIO_STATUS_DRIVER_OK) {
		interrupt_raise(device, VIRTIO_INTERRUPT_CONFIG);
	}
}

void virtio_break(struct virtio_device *device)
{
	device->status |= VIRTIO_STATUS_NEEDS_RESET;
	device->live = false;
	virtio_mmio_refresh(device);
	if (device->status & VIRTIO_STATUS_DRIVER_OK) {
		interrupt_raise(device, VIRTIO_INTERRUPT_CONFIG);
	}
}

/* Returns true once no request is in flight; until then, none is started. */
static bool drained(struct virtio_device *device)
{
	device->draining = device->in_flight != 0;
	return !device->draining;
}

bool virtio_reset(struct virtio_device *device)
{
	const bool legacy = device->place.legacy;
	unsigned int i;

	if (!drained(device)) {
		return false;
	}
	device->live = false;
	device->deferred = false;
	device->status = 0;
	device->interrupt_status = 0;
	device->device_features_sel = 0;
	device->driver_features_sel = 0;
	device->queue_sel = 0;
	device->driver_features[0] = 0;
	device->driver_features[1] = 0;
	device->fault = NULL;
	for (i = 0; i < device->queue_count; i++) {
		device->queue[i] = (struct virtqueue){
			.device = device,
			.size = legacy ? device->model->queue_size : 0,
			.align = LEGACY_ALIGN,
		};
	}
	if (device->model->device_id != 0) {
		irq_line_set(&device->place.irq, false);
		device->model->reset(device);
	}
	virtio_mmio_refresh(device);
	return true;
}

void virtio_init(struct virtio_device *device, const struct virtio_model *model,
		 const struct virtio_place *place, struct virtqueue *queue, uint16_t queue_count,
		 uint64_t features)
{
	device->model = model;
	device->place = *place;
	device->registers = virtio_registers_of(device);
	device->queue = queue;
	device->queue_count = queue_count;
	device->features = features;
	device->config_generation = 0;
	device->page_size = 0; /* Linux writes it once, before it resets */
	device->in_flight = 0;
	device->again = false;
	device->shown = NULL;
	virtio_reset(device);
}

uint32_t virtio_features(const struct virtio_device *device, uint32_t word)
{
	const bool modern = virtio_is_modern(device);
	uint64_t features = device->features | (modern ? FEATURES : LEGACY_FEATURES);

	return word < (modern ? 2 : 1) ? (uint32_t)(features >> (32 * word)) : 0;
}

/*
 * A modern driver's choice is judged, and fixed, by FEATURES_OK. A legacy driver's is what it may
 * be, and fixed once the device works by it.
 */
void virtio_features_write(struct virtio_device *device, uint32_t word, uint32_t value)
{
	const bool modern = virtio_is_modern(device);
	const bool fixed = device->live || (device->status & FEATURES_ARE_FIXED);

	if (word < 2 && !fixed) {
		device->driver_features[word] =
			modern ? value : value & virtio_features(device, word);
	}
}

/* virtio 1.2 2.2.2 and 6.1: a subset of the offer, with VERSION_1. */
static bool features_acceptable(const struct virtio_device *device)
{
	return !(device->driver_features[0] & ~virtio_features(device, 0)) &&
	       !(device->driver_features[1] & ~virtio_features(device, 1)) &&
	       (device->driver_features[1] & (uint32_t)(VIRTIO_F_VERSION_1 >> 32));
}

/* From now on the queues are used. */
static void go_live(struct virtio_device *device)
{
	if (device->live || (device->status & VIRTIO_STATUS_NEEDS_RESET)) {
		return;
	}
	if (device->model->started) {
		device->model->started(device);
	}
	device->live = true;
}

static void queues_look(struct virtio_device *device)
{
	uint16_t i;

	for (i = 0; i < device->queue_count; i++) {
		if (virtqueue_running(&device->queue[i])) {
			device->model->notify(device, i);
		}
	}
}

/* Legacy drivers use queues before DRIVER_OK (virtio 1.2 3.1.2); QEMU serves them, too. */
void virtio_queue_notify(struct virtio_device *device, uint32_t index)
{
	const struct virtqueue *queue = virtio_queue_at(device, index);

	if (!queue || !queue->ready) {
		return;
	}
	if (!virtio_is_modern(device)) {
		go_live(device);
	}
	if (device->live && !device->draining) {
		device->model->notify(device, (uint16_t)index);
	}
}

/* Bits are only ever added (virtio 1.2 2.1.1), except that 0 resets, at any moment. */
void virtio_status_write(struct virtio_device *device, uint32_t value)
{
	uint32_t added = value & STATUS_OF_DRIVER & ~device->status;

	if (value == 0) {
		device->again = !virtio_reset(device);
		return;
	}
	if ((added & VIRTIO_STATUS_FEATURES_OK) && !features_acceptable(device)) {
		added &= ~VIRTIO_STATUS_FEATURES_OK;
	}
	if (virtio_is_modern(device) && !((device->status | added) & VIRTIO_STATUS_FEATURES_OK)) {
		added &= ~VIRTIO_STATUS_DRIVER_OK;
	}
	device->status |= added;
	if (added & VIRTIO_STATUS_DRIVER_OK) {
		/* Notifications before did not count, buffers may be there. */
		go_live(device);
		queues_look(device);
	}
}

void virtio_queue_start(struct virtio_device *device, struct virtqueue *queue)
{
	device->fault = virtqueue_enable(queue);
	if (device->fault) {
		virtio_break(device);
	}
}

/* What the driver told the other queues while this one was drained did not count. */
void virtio_queue_stop(struct virtio_device *device, struct virtqueue *queue)
{
	const bool waited = device->draining;

	if (!queue->ready) {
		return;
	}
	device->again = !drained(device);
	if (device->again) {
		return;
	}
	queue->ready = false;
	if (device->model->stopped) {
		device->model->stopped(device);
	}
	if (waited) {
		queues_look(device);
	}
}

/* A cause that came after the driver read InterruptStatus is an edge of its own. */
void virtio_interrupt_ack(struct virtio_device *device, uint32_t causes)
{
	interrupt_status_set(device, device->interrupt_status & ~causes);
	irq_line_set(&device->place.irq, false);
	if (device->interrupt_status != 0) {
		irq_line_set(&device->place.irq, true);
	}
	if (device->deferred) {
		device->deferred = false;
		queues_look(device);
	}
}
