/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio device whose model only takes notes, for the suites of the transport. */
#ifndef TESTS_MOCK_MODEL_H
#define TESTS_MOCK_MODEL_H

#include "mock_transport.h"

#define QUEUES      2u
#define QUEUE_SIZE  16u
#define CONFIG_SIZE 10u

#define MODEL_FEATURES ((1ull << 5) | (1ull << 37))
#define FEATURES                                                                                   \
	(MODEL_FEATURES | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1 |       \
	 VIRTIO_F_RING_PACKED)

static struct guest_memory memory = {RAM_BASE, RAM_SIZE, mock_ram};
static struct virtio_device device;
static struct virtqueue queues[QUEUES];
static struct virtio_place place;
static uint32_t shown[VIRTIO_MMIO_BYTES / 4];
static unsigned int resets, notifies[QUEUES];
static uint8_t config[CONFIG_SIZE];

static inline void note_reset(struct virtio_device *reset)
{
	assert_ptr_equal(reset, &device);
	resets++;
}

static inline void note_notify(struct virtio_device *notified, uint16_t queue)
{
	assert_ptr_equal(notified, &device);
	assert_in_range(queue, 0, 1);
	notifies[queue]++;
}

static inline uint8_t read_config(struct virtio_device *from, uint32_t offset)
{
	assert_ptr_equal(from, &device);
	assert_in_range(offset, 0, CONFIG_SIZE - 1);
	return config[offset];
}

static const struct virtio_model model = {
	.device_id = 42,
	.queue_size = QUEUE_SIZE,
	.config_size = CONFIG_SIZE,
	.reset = note_reset,
	.notify = note_notify,
	.config_read = read_config,
};

static inline int set_up(void **state)
{
	unsigned int i;

	(void)state;
	memset(mock_ram, 0, sizeof(mock_ram));
	memset(&device, 0xa5, sizeof(device));
	mock_line = false;
	place = (struct virtio_place){.memory = &memory, .irq = mock_irq};
	virtio_init(&device, &model, &place, queues, QUEUES, MODEL_FEATURES);
	mock_line_rose = 0;
	resets = 0;
	memset(notifies, 0, sizeof(notifies));
	for (i = 0; i < CONFIG_SIZE; i++) {
		config[i] = (uint8_t)(0x11 * (i + 1));
	}
	virtio_mmio_show(&device, shown);
	device.shown = shown;
	return 0;
}

static inline uint32_t rd(uint32_t offset)
{
	return reg_read(&device, offset);
}

static inline void wr(uint32_t offset, uint32_t value)
{
	reg_write(&device, offset, value);
}

static inline void start(void)
{
	driver_start(&device, 0, QUEUE_SIZE);
	assert_int_equal(rd(STATUS), RUNNING);
	memset(notifies, 0, sizeof(notifies));
}

#endif
