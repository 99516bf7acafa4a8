/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio transport over MMIO, version 2 (virtio 1.2, 4.2.2) and version 1, legacy (4.2.4): its
 * registers. Lock: the device's own.
 */
#include "transport.h"

#define REGISTERS_END 0x100u /* the configuration space begins here */

#define MAGIC  0x74726976u /* "virt" */
#define VENDOR 0x79766962u /* "bivy" */

#define FIELD(name) offsetof(struct virtio_device, name)

/* A register. NULL: reads as zero, ignores writes. @argument: the row's own. */
struct row {
	uint32_t (*read)(struct virtio_device *device, uint32_t argument);
	void (*write)(struct virtio_device *device, uint32_t argument, uint32_t value);
	uint32_t argument;
};

/*
 * The selected queue while it may be set up, until it is ready: from FEATURES_OK to DRIVER_OK, and
 * for a legacy driver whenever it likes.
 */
static struct virtqueue *queue_in_setup(struct virtio_device *device)
{
	const uint32_t setup = virtio_is_modern(device) ? VIRTIO_STATUS_FEATURES_OK : 0;
	struct virtqueue *queue = virtio_queue_at(device, device->queue_sel);
	uint32_t phase = device->status & VIRTIO_STATUS_NEEDS_RESET;

	if (setup != 0) {
		phase |= device->status & (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK);
	}
	return queue && !queue->ready && phase == setup ? queue : NULL;
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
	virtio_mmio_refresh(device);
}

static uint32_t device_id_read(struct virtio_device *device, uint32_t argument)
{
	(void)argument;
	return device->model->device_id;
}

static uint32_t device_features_read(struct virtio_device *device, uint32_t argument)
{
	(void)argument;
	return virtio_features(device, device->device_features_sel);
}

static void driver_features_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	(void)argument;
	virtio_features_write(device, device->driver_features_sel, value);
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
	const struct virtqueue *queue = virtio_queue_at(device, device->queue_sel);

	(void)argument;
	return queue && queue->ready;
}

static void queue_ready_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	struct virtqueue *queue = virtio_queue_at(device, device->queue_sel);

	(void)argument;
	if (!value && queue) {
		virtio_queue_stop(device, queue);
	} else if (queue_in_setup(device)) {
		virtio_queue_start(device, queue);
	}
	virtio_mmio_refresh(device);
}

static void queue_align_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	struct virtqueue *queue = queue_in_setup(device);

	(void)argument;
	if (queue) {
		queue->align = value;
	}
}

static uint32_t queue_pfn_read(struct virtio_device *device, uint32_t argument)
{
	const struct virtqueue *queue = virtio_queue_at(device, device->queue_sel);

	(void)argument;
	return queue && queue->ready ? queue->pfn : 0;
}

/*
 * virtio 1.2 2.7.2: one piece of memory, the used ring from the next multiple of the alignment. No
 * value makes an address overflow, and virtqueue_enable() checks it.
 */
static void rings_place(struct virtqueue *queue, uint64_t desc)
{
	const uint64_t avail = desc + queue->size * DESC_SIZE;
	const uint64_t avail_end = avail + queue->size * 2u + 6;
	const uint64_t align = queue->align;
	const uint64_t ring[] = {desc, avail, (avail_end + align - 1) & -align};

	_Static_assert(sizeof(ring) == sizeof(queue->address), "low and high words, little-endian");
	__builtin_memcpy(queue->address, ring, sizeof(ring));
}

/*
 * A driver that lets go of a queue in use has the device reset, as QEMU does: its model may hold
 * chains of it, and would hand them back to a later one.
 */
static void queue_pfn_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	struct virtqueue *queue = virtio_queue_at(device, device->queue_sel);

	(void)argument;
	if (!value && queue && queue->ready) {
		if (device->live || device->in_flight != 0) {
			virtio_status_write(device, 0);
		} else {
			queue->ready = false;
		}
	} else if (value && queue_in_setup(device)) {
		queue->pfn = value;
		rings_place(queue, (uint64_t)value * device->page_size);
		virtio_queue_start(device, queue);
	}
	virtio_mmio_refresh(device);
}

static void queue_notify_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	(void)argument;
	virtio_queue_notify(device, value);
}

static void interrupt_ack_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	(void)argument;
	virtio_interrupt_ack(device, value);
}

static void status_write(struct virtio_device *device, uint32_t argument, uint32_t value)
{
	(void)argument;
	virtio_status_write(device, value);
	virtio_mmio_refresh(device);
}

/* virtio 1.2 4.2.2, by offset / 4. QueueReset is not here, its feature is not offered. */
/* clang-format off */
static const struct row rows[REGISTERS_END / 4] = {
	[0x000 / 4] = {constant_read,        NULL,                  MAGIC                     },
	[0x004 / 4] = {constant_read,        NULL,                  2                         },
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

/* virtio 1.2 4.2.4, by offset / 4. Its feature words are one, its configuration has no generation. */
static const struct row legacy_rows[] = {
	[0x000 / 4] = {constant_read,        NULL,                  MAGIC                     },
	[0x004 / 4] = {constant_read,        NULL,                  1                         },
	[0x008 / 4] = {device_id_read,       NULL,                  0                         },
	[0x00c / 4] = {constant_read,        NULL,                  VENDOR                    },
	[0x010 / 4] = {device_features_read, NULL,                  0                         },
	[0x014 / 4] = {NULL,                 field_write,           FIELD(device_features_sel)},
	[0x020 / 4] = {NULL,                 driver_features_write, 0                         },
	[0x024 / 4] = {NULL,                 field_write,           FIELD(driver_features_sel)},
	[0x028 / 4] = {NULL,                 field_write,           FIELD(page_size)          },
	[0x030 / 4] = {NULL,                 field_write,           FIELD(queue_sel)          },
	[0x034 / 4] = {queue_num_max_read,   NULL,                  0                         },
	[0x038 / 4] = {NULL,                 queue_num_write,       0                         },
	[0x03c / 4] = {NULL,                 queue_align_write,     0                         },
	[0x040 / 4] = {queue_pfn_read,       queue_pfn_write,       0                         },
	[0x050 / 4] = {NULL,                 queue_notify_write,    0                         },
	[0x060 / 4] = {field_read,           NULL,                  FIELD(interrupt_status)   },
	[0x064 / 4] = {NULL,                 interrupt_ack_write,   0                         },
	[0x070 / 4] = {field_read,           status_write,          FIELD(status)             },
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

struct virtio_registers {
	const struct row *row;
	uint32_t count;
};

/* An empty transport has a magic and a version. */
const struct virtio_registers *virtio_registers_of(const struct virtio_device *device)
{
	static const struct virtio_registers empty = {rows, 2};
	static const struct virtio_registers modern = {rows, sizeof(rows) / sizeof(rows[0])};
	static const struct virtio_registers legacy = {legacy_rows,
						       sizeof(legacy_rows) / sizeof(rows[0])};

	if (device->model->device_id == 0) {
		return &empty;
	}
	return virtio_is_modern(device) ? &modern : &legacy;
}

/* The row of a register; all zero where nothing answers. virtio 1.2 4.2.2.2: 32-bit accesses only.
 */
static inline __attribute__((__always_inline__)) const struct row *
row_at(const struct virtio_device *device, uint32_t offset, uint32_t size)
{
	static const struct row none;

	return size == 4 && offset / 4 < device->registers->count
		       ? &device->registers->row[offset / 4]
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
		return; /* no model's configuration can be written */
	}
	row = row_at(device, offset, size);
	if (row->write) {
		row->write(device, row->argument, value);
	}
}

/* ConfigGeneration is not among them, as it changes with the configuration only. */
void virtio_mmio_refresh(struct virtio_device *device)
{
	/* DeviceFeatures, QueueNumMax, QueuePFN, QueueReady, InterruptStatus, Status */
	static const uint8_t changing[] = {0x10, 0x34, 0x40, 0x44, VIRTIO_INTERRUPT_STATUS, 0x70};
	unsigned int i;

	for (i = 0; device->shown && i < sizeof(changing); i++) {
		device->shown[changing[i] / 4] = transport_read(device, changing[i], 4);
	}
}

void virtio_mmio_show(struct virtio_device *device, volatile uint32_t *at)
{
	uint32_t offset;

	for (offset = 0; offset < VIRTIO_MMIO_BYTES; offset += 4) {
		at[offset / 4] = transport_read(device, offset, 4);
	}
}

const struct mmio_ops virtio_mmio_ops = {.read = transport_read, .write = transport_write};
