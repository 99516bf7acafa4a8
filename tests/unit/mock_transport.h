/* SPDX-License-Identifier: BSD-2-Clause */
/* A driver's use of the virtio transport for tests: registers by name, and the steps of
 * virtio 1.2 3.1.1. */
#ifndef TESTS_MOCK_TRANSPORT_H
#define TESTS_MOCK_TRANSPORT_H

#include "suite.h"
#include "mock_guest.h"

enum {
	MAGIC = 0x000,
	VERSION = 0x004,
	DEVICE_ID = 0x008,
	VENDOR_ID = 0x00c,
	DEVICE_FEATURES = 0x010,
	DEVICE_FEATURES_SEL = 0x014,
	DRIVER_FEATURES = 0x020,
	DRIVER_FEATURES_SEL = 0x024,
	QUEUE_SEL = 0x030,
	QUEUE_NUM_MAX = 0x034,
	QUEUE_NUM = 0x038,
	QUEUE_READY = 0x044,
	QUEUE_NOTIFY = 0x050,
	INTERRUPT_STATUS = 0x060,
	INTERRUPT_ACK = 0x064,
	STATUS = 0x070,
	QUEUE_DESC = 0x080,
	QUEUE_DRIVER = 0x090,
	QUEUE_DEVICE = 0x0a0,
	SHM_SEL = 0x0ac,
	SHM_LENGTH = 0x0b0,
	SHM_BASE = 0x0b8,
	QUEUE_RESET = 0x0c0,
	CONFIG_GENERATION = 0x0fc,
	CONFIG = 0x100,
};

#define ACKNOWLEDGE VIRTIO_STATUS_ACKNOWLEDGE
#define DRIVER      VIRTIO_STATUS_DRIVER
#define DRIVER_OK   VIRTIO_STATUS_DRIVER_OK
#define FEATURES_OK VIRTIO_STATUS_FEATURES_OK
#define NEEDS_RESET VIRTIO_STATUS_NEEDS_RESET
#define FAILED      VIRTIO_STATUS_FAILED

#define READY_TO_RUN (ACKNOWLEDGE | DRIVER | FEATURES_OK)
#define RUNNING      (READY_TO_RUN | DRIVER_OK)

static bool mock_line;              /* the interrupt's level */
static unsigned int mock_line_rose; /* times it went from low to high */
static uint32_t mock_line_intid;

static inline void mock_line_set(uint32_t intid, bool level)
{
	mock_line_intid = intid;
	mock_line_rose += level && !mock_line;
	mock_line = level;
}

static const struct irq_line mock_irq = {mock_line_set, 47};

static inline uint32_t bus_read(struct virtio_device *device, uint32_t offset, uint8_t size)
{
	return virtio_mmio_ops.read(device, offset, size);
}

/* What the driver sees with no exit is what it would read. */
static inline void check_shown(struct virtio_device *device)
{
	for (uint32_t offset = 0; device->shown && offset < VIRTIO_MMIO_BYTES; offset += 4) {
		assert_int_equal(device->shown[offset / 4], bus_read(device, offset, 4));
	}
}

static inline void bus_write(struct virtio_device *device, uint32_t offset, uint8_t size,
			     uint32_t value)
{
	check_shown(device); /* what came since the last write is there, too */
	virtio_mmio_ops.write(device, offset, size, value);
	check_shown(device);
}

static inline uint32_t reg_read(struct virtio_device *device, uint32_t offset)
{
	return bus_read(device, offset, 4);
}

static inline void reg_write(struct virtio_device *device, uint32_t offset, uint32_t value)
{
	bus_write(device, offset, 4, value);
}

static inline void driver_features(struct virtio_device *device, uint64_t features)
{
	reg_write(device, DRIVER_FEATURES_SEL, 0);
	reg_write(device, DRIVER_FEATURES, (uint32_t)features);
	reg_write(device, DRIVER_FEATURES_SEL, 1);
	reg_write(device, DRIVER_FEATURES, (uint32_t)(features >> 32));
}

/* Up to FEATURES_OK, as a driver must; the caller looks whether the device kept it. */
static inline void driver_negotiate(struct virtio_device *device, uint64_t features)
{
	reg_write(device, STATUS, 0);
	reg_write(device, STATUS, ACKNOWLEDGE);
	reg_write(device, STATUS, ACKNOWLEDGE | DRIVER);
	driver_features(device, features);
	reg_write(device, STATUS, READY_TO_RUN);
}

static inline void driver_queue(struct virtio_device *device, uint32_t n, uint32_t size)
{
	reg_write(device, QUEUE_SEL, n);
	reg_write(device, QUEUE_NUM, size);
	reg_write(device, QUEUE_DESC, DESC(n));
	reg_write(device, QUEUE_DESC + 4, 0);
	reg_write(device, QUEUE_DRIVER, AVAIL(n));
	reg_write(device, QUEUE_DRIVER + 4, 0);
	reg_write(device, QUEUE_DEVICE, USED(n));
	reg_write(device, QUEUE_DEVICE + 4, 0);
	reg_write(device, QUEUE_READY, 1);
}

/* The whole way to DRIVER_OK with both queues, of @size entries, in fresh memory. */
static inline void driver_start(struct virtio_device *device, uint64_t features, uint32_t size)
{
	memset(mock_at, 0, RAM_SIZE);
	driver_negotiate(device, features | VIRTIO_F_VERSION_1);
	driver_queue(device, 0, size);
	driver_queue(device, 1, size);
	reg_write(device, STATUS, RUNNING);
}

#endif
