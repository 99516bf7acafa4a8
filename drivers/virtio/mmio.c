/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio transport over MMIO, version 2 (virtio 1.2, 4.2): registers, status, interrupt. */
#include "ring.h"

#define REGISTERS_END 0x100u /* the configuration space begins here */

#define MAGIC   0x74726976u /* "virt" */
#define VERSION 2u
#define VENDOR  0x79766962u /* "bivy" */

#define STATUS_OF_DRIVER                                                                           \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK |              \
	 VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_FAILED)

#define FEATURES                                                                                   \
	(VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED)

#define FIELD(name) offsetof(struct virtio_device, name)

/* A register. NULL: reads as zero, ignores writes. @argument: the row's own. */
struct row {
	uint32_t (*read)(struct virtio_device *device, uint32_t argument);
	void (*write)(struct virtio_device *device, uint32_t argument, uint32_t value);
	uint32_t argument;
};

const struct virtio_model virtio_empty = {.device_id = 0};

static void interrupt_raise(struct virtio_device *device, uint32_t cause)
{
	device->interrupt_status |= cause;
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
	if (device->status & VIRTIO_STATUS_DRIVER_OK) {
		interrupt_raise(device, VIRTIO_INTERRUPT_CONFIG);
	}
}

void virtio_break(struct virtio_device *device)
{
	device->status |= VIRTIO_STATUS_NEEDS_RESET;
	device->live = false;
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
		device->queue[i] = (struct virtqueue){.device = device};
	}
	if (device->model->device_id != 0) {
		irq_line_set(&device->place.irq, false);
		device->model->reset(device);
	}
	return true;
}

void virtio_init(struct virtio_device *device, const struct virtio_model *model,
		 const struct virtio_place *place, struct virtqueue *queue, uint16_t queue_count,
		 uint64_t features)
{
	device->model = model;
	device->place = *place;
	device->queue = queue;
	device->queue_count = queue_count;
	device->features = features;
	device->config_generation = 0;
	device->in_flight = 0;
	device->again = false;
	virtio_reset(device);
}

/* The one bound on a queue number that the guest wrote. */
static struct virtqueue *queue_at(struct virtio_device *device, uint32_t index)
{
	return index < device->queue_count ? &device->queue[index] : NULL;
}

/* The selected queue while it may be set up: from FEATURES_OK to DRIVER_OK, until it is ready. */
static struct virtqueue *queue_in_setup(struct virtio_device *device)
{
	struct virtqueue *queue = queue_at(device, device->queue_sel);
	uint32_t phase = device->status & (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK |
					   VIRTIO_STATUS_NEEDS_RESET);

	return queue && !queue->ready && phase == VIRTIO_STATUS_FEATURES_OK ? queue : NULL;
}

static uint32_t constant_read(struct virtio_device *device, uint32_t argument)
{
	(void)device;
	return argument;
}

/* @argument: offset of the field in struct virtio_device. */
static uint32_t field_read(struct virtio_device *device, uint32_t argument)
{
	return *(uint32_t *)((char *)device + argument);
}

static void field_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	*(uint32_t *)((char *)device + argument) = value;
}

static uint32_t device_id_read(struct virtio_device *device, uint32_t argument)
{
	(void)argument;
	return device->model->device_id;
}

static uint32_t features_offered(const struct virtio_device *device, uint32_t word)
{
	uint64_t features = device->features | FEATURES;

	return word < 2 ? (uint32_t)(features >> (32 * word)) : 0;
}

static uint32_t device_features_read(struct virtio_device *device, uint32_t argument)
{
	(void)argument;
	return features_offered(device, device->device_features_sel);
}

static void driver_features_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	(void)argument;
	if (device->driver_features_sel < 2 && !(device->status & VIRTIO_STATUS_FEATURES_OK)) {
		device->driver_features[device->driver_features_sel] = value;
	}
}

static uint32_t queue_num_max_read(struct virtio_device *device, uint32_t argument)
{
	(void)argument;
	return device->queue_sel < device->queue_count ? device->model->queue_size : 0;
}

static void queue_num_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	struct virtqueue *queue = queue_in_setup(device);

	(void)argument;
	if (queue) {
		const bool any = virtqueue_negotiated(queue, VIRTIO_F_RING_PACKED);
		const bool valid = any || (value & (value - 1)) == 0;

		queue->size = valid && value <= device->model->queue_size ? (uint16_t)value : 0;
	}
}

static void queue_address_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	struct virtqueue *queue = queue_in_setup(device);

	if (queue) {
		queue->address[argument] = value;
	}
}

static uint32_t queue_ready_read(struct virtio_device *device, uint32_t argument)
{
	const struct virtqueue *queue = queue_at(device, device->queue_sel);

	(void)argument;
	return queue && queue->ready;
}

static void queue_notify_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	const struct virtqueue *queue = queue_at(device, value);

	(void)argument;
	if (queue && virtqueue_running(queue)) {
		device->model->notify(device, (uint16_t)value);
	}
}

static void queues_look(struct virtio_device *device)
{
	uint32_t i;

	for (i = 0; i < device->queue_count; i++) {
		queue_notify_write(device, 0, i);
	}
}

/* What the driver told the other queues while this one was drained did not count. */
static void queue_stop(struct virtio_device *device, struct virtqueue *queue)
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
	if (waited) {
		queues_look(device);
	}
}

static void queue_ready_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	struct virtqueue *queue = queue_at(device, device->queue_sel);

	(void)argument;
	if (!value && queue) {
		queue_stop(device, queue);
	} else if (queue_in_setup(device)) {
		device->fault = virtqueue_enable(queue);
		if (device->fault) {
			virtio_break(device);
		}
	}
}

static void interrupt_ack_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	(void)argument;
	device->interrupt_status &= ~value;
	irq_line_set(&device->place.irq, device->interrupt_status != 0);
	if (device->deferred) {
		device->deferred = false;
		queues_look(device);
	}
}

/* virtio 1.2 2.2.2 and 6.1: a subset of the offer, with VERSION_1. */
static bool features_acceptable(const struct virtio_device *device)
{
	return !(device->driver_features[0] & ~features_offered(device, 0)) &&
	       !(device->driver_features[1] & ~features_offered(device, 1)) &&
	       (device->driver_features[1] & (uint32_t)(VIRTIO_F_VERSION_1 >> 32));
}

/* Bits are only ever added (virtio 1.2 2.1.1), except that 0 resets, at any moment. */
static void status_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	uint32_t added = value & STATUS_OF_DRIVER & ~device->status;

	(void)argument;
	if (value == 0) {
		device->again = !virtio_reset(device);
		return;
	}
	if ((added & VIRTIO_STATUS_FEATURES_OK) && !features_acceptable(device)) {
		added &= ~VIRTIO_STATUS_FEATURES_OK;
	}
	if (!((device->status | added) & VIRTIO_STATUS_FEATURES_OK)) {
		added &= ~VIRTIO_STATUS_DRIVER_OK;
	}
	device->status |= added;
	if (added & VIRTIO_STATUS_DRIVER_OK) {
		if (device->model->started) {
			device->model->started(device);
		}
		/* Notifications before DRIVER_OK did not count, buffers may be there. */
		device->live = !(device->status & VIRTIO_STATUS_NEEDS_RESET);
		queues_look(device);
	}
}

/* virtio 1.2 4.2.2, by offset / 4. QueueReset is not here, its feature is not offered. */
/* clang-format off */
static const struct row rows[REGISTERS_END / 4] = {
	[0x000 / 4] = {constant_read,        NULL,                  MAGIC                     },
	[0x004 / 4] = {constant_read,        NULL,                  VERSION                   },
	[0x008 / 4] = {device_id_read,       NULL,                  0                         },
	[0x00c / 4] = {constant_read,        NULL,                  VENDOR                    },
	[0x010 / 4] = {device_features_read, NULL,                  0                         },
	[0x014 / 4] = {NULL,                 field_write,           FIELD(device_features_sel)},
	[0x020 / 4] = {NULL,                 driver_features_write, 0                         },
	[0x024 / 4] = {NULL,                 field_write,           FIELD(driver_features_sel)},
	[0x030 / 4] = {NULL,                 field_write,           FIELD(queue_sel)          },
	[0x034 / 4] = {queue_num_max_read,   NULL,                  0                         },
	[0x038 / 4] = {NULL,                 queue_num_write,       0                         },
	[0x044 / 4] = {queue_ready_read,     queue_ready_write,     0                         },
	[0x050 / 4] = {NULL,                 queue_notify_write,    0                         },
	[0x060 / 4] = {field_read,           NULL,                  FIELD(interrupt_status)   },
	[0x064 / 4] = {NULL,                 interrupt_ack_write,   0                         },
	[0x070 / 4] = {field_read,           status_write,          FIELD(status)             },
	[0x080 / 4] = {NULL,                 queue_address_write,   VIRTQUEUE_DESC_LOW        },
	[0x084 / 4] = {NULL,                 queue_address_write,   VIRTQUEUE_DESC_HIGH       },
	[0x090 / 4] = {NULL,                 queue_address_write,   VIRTQUEUE_DRIVER_LOW      },
	[0x094 / 4] = {NULL,                 queue_address_write,   VIRTQUEUE_DRIVER_HIGH     },
	[0x0a0 / 4] = {NULL,                 queue_address_write,   VIRTQUEUE_DEVICE_LOW      },
	[0x0a4 / 4] = {NULL,                 queue_address_write,   VIRTQUEUE_DEVICE_HIGH     },
	/* SHMLen and SHMBase: no shared memory */
	[0x0b0 / 4] = {constant_read,        NULL,                  UINT32_MAX                },
	[0x0b4 / 4] = {constant_read,        NULL,                  UINT32_MAX                },
	[0x0b8 / 4] = {constant_read,        NULL,                  UINT32_MAX                },
	[0x0bc / 4] = {constant_read,        NULL,                  UINT32_MAX                },
	[0x0fc / 4] = {field_read,           NULL,                  FIELD(config_generation)  },
};
/* clang-format on */

static uint32_t config_read(struct virtio_device *device, uint32_t offset, uint32_t size)
{
	const struct virtio_model *model = device->model;
	uint32_t value = 0;
	uint32_t i;

	for (i = 0; i < size && offset + i < model->config_size; i++) {
		value |= (uint32_t)model->config_read(device, offset + i) << (8 * i);
	}
	return value;
}

static void config_write(struct virtio_device *device, uint32_t offset, uint32_t size,
			 uint32_t value)
{
	const struct virtio_model *model = device->model;
	uint32_t i;

	for (i = 0; model->config_write && i < size && offset + i < model->config_size; i++) {
		model->config_write(device, offset + i, (uint8_t)(value >> (8 * i)));
	}
}

/*
 * The row of a register; all zero where nothing answers. virtio 1.2 4.2.2.2: 32-bit accesses only.
 * An empty transport has a magic and a version.
 */
static const struct row *row_at(const struct virtio_device *device, uint32_t offset, uint32_t size)
{
	static const struct row none;

	return size == 4 && (device->model->device_id != 0 || offset <= 0x004) ? &rows[offset / 4]
									       : &none;
}

static uint32_t transport_read(void *opaque, uint32_t offset, uint32_t size)
{
	struct virtio_device *device = opaque;
	const struct row *row;

	if (offset >= REGISTERS_END) {
		return config_read(device, offset - REGISTERS_END, size);
	}
	row = row_at(device, offset, size);
	return row->read ? row->read(device, row->argument) : 0;
}

static void transport_write(void *opaque, uint32_t offset, uint32_t size, uint32_t value)
{
	struct virtio_device *device = opaque;
	const struct row *row;

	if (offset >= REGISTERS_END) {
		config_write(device, offset - REGISTERS_END, size, value);
		return;
	}
	row = row_at(device, offset, size);
	if (row->write) {
		row->write(device, row->argument, value);
	}
}

const struct mmio_ops virtio_mmio_ops = {.read = transport_read, .write = transport_write};
