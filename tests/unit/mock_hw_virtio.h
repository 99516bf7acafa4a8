/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device over MMIO as bivy's drivers of physical devices see it, of either version. It
 * looks whether the driver keeps the order of things (virtio 1.2, 3.1.1, 4.2.3), and does with its
 * queues what the test says, right or wrong.
 */
#ifndef TESTS_MOCK_HW_VIRTIO_H
#define TESTS_MOCK_HW_VIRTIO_H

#include "suite.h"
#include <stdbool.h>
#include <string.h>
#include "drivers/dma.h"
#include "drivers/hw/access.h"
#include "drivers/hw/virtio.h"
#include "drivers/tick.h"
#include "drivers/virtio/virtio.h"

#define REGISTERS  0xf0000000u
#define QUEUES     2u
#define DMA_BASE   0x180000000ull /* what the device sees at dma_anchor; needs both words */
#define DESC_NEXT  1u
#define DESC_WRITE 2u

struct mock_segment {
	uint8_t *at;
	uint32_t length;
	bool writable;
};

struct mock_chain {
	uint16_t head;
	unsigned int count;
	struct mock_segment segment[256];
};

struct mock_ring {
	uint32_t num, align, ready; /* ready: QueueReady or QueuePFN */
	uint64_t address[3];        /* descriptors, driver, device */
	uint16_t last_avail, used_index;
	unsigned int notified;
};

static struct {
	/* The test's. */
	uint32_t version, num_max;
	uint64_t features;
	uint8_t config[64];
	bool refuses_features, stuck;
	unsigned int changing; /* reads of the configuration that still change its generation */
	/* The driver's. */
	uint64_t driver_features;
	uint32_t status, interrupt_status, posted, generation, queue_sel, page_size;
	uint32_t device_features_sel, driver_features_sel;
	struct mock_ring ring[QUEUES];
	unsigned int resets, ticks_started;
} mock;

static _Alignas(4096) uint8_t dma_anchor;
uint8_t tick_count;

uint64_t dma_address(const volatile void *at)
{
	return DMA_BASE + (uint64_t)((intptr_t)at - (intptr_t)&dma_anchor);
}

static inline void *mock_at(uint64_t pa)
{
	return (uint8_t *)&dma_anchor + (int64_t)(pa - DMA_BASE);
}

void tick_start(void)
{
	mock.ticks_started++;
}

static unsigned int barriers; /* until the device does something */
static void (*on_barrier)(void);

void dma_barrier(void)
{
	if (barriers != 0 && --barriers == 0) {
		on_barrier();
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void mock_reset(void)
{
	mock.resets++;
	mock.status = mock.stuck ? mock.status : 0;
	mock.interrupt_status = 0;
	mock.driver_features = 0;
	mock.page_size = 0;
	memset(mock.ring, 0, sizeof(mock.ring));
}

static inline void status_write(uint32_t value)
{
	if (value == 0) {
		mock_reset();
		return;
	}
	assert_int_equal(mock.status & ~value, 0); /* none is taken back */
	if (value & ~mock.status & VIRTIO_STATUS_FEATURES_OK) {
		assert_int_equal(mock.version, 2);
		value &= mock.refuses_features ? ~VIRTIO_STATUS_FEATURES_OK : ~0u;
	}
	if (value & VIRTIO_STATUS_DRIVER_OK) {
		assert_int_equal(mock.driver_features & ~mock.features, 0);
		assert_true(mock.version == 1 || value & VIRTIO_STATUS_FEATURES_OK);
	}
	mock.status = value;
}

/* Queues are set up after features and before the driver says that it is there. */
static inline struct mock_ring *ring_in_setup(void)
{
	assert_in_range(mock.queue_sel, 0, QUEUES - 1);
	assert_int_equal(mock.status, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER |
					      (mock.version == 2 ? VIRTIO_STATUS_FEATURES_OK : 0));
	assert_int_equal(mock.ring[mock.queue_sel].ready, 0);
	return &mock.ring[mock.queue_sel];
}

static inline void queue_enable(uint32_t value)
{
	struct mock_ring *ring = ring_in_setup();

	assert_in_range(ring->num, 1, mock.num_max);
	assert_int_equal(ring->num & (ring->num - 1), 0);
	if (mock.version == 1) {
		assert_true(mock.page_size != 0 && ring->align != 0);
		ring->address[0] = (uint64_t)value * mock.page_size;
		ring->address[1] = ring->address[0] + 16ull * ring->num;
		ring->address[2] = (ring->address[1] + 6 + 2ull * ring->num + ring->align - 1) &
				   ~(uint64_t)(ring->align - 1);
	}
	assert_int_equal(ring->address[0] % 16 + ring->address[1] % 2 + ring->address[2] % 4, 0);
	ring->ready = value;
}

void mmio_write(uintptr_t address, uint32_t value)
{
	uint32_t offset = (uint32_t)(address - REGISTERS);
	bool modern = mock.version == 2;

	switch (offset) {
	case 0x014:
		mock.device_features_sel = value;
		return;
	case 0x020:
		assert_int_equal(mock.status & VIRTIO_STATUS_DRIVER, VIRTIO_STATUS_DRIVER);
		mock.driver_features |= (uint64_t)value << (32 * mock.driver_features_sel);
		return;
	case 0x024:
		mock.driver_features_sel = value;
		return;
	case 0x028:
		assert_false(modern);
		mock.page_size = value;
		return;
	case 0x030:
		mock.queue_sel = value;
		return;
	case 0x038:
		ring_in_setup()->num = value;
		return;
	case 0x03c:
		assert_false(modern);
		ring_in_setup()->align = value;
		return;
	case 0x040:
	case 0x044:
		assert_int_equal(modern, offset == 0x044);
		queue_enable(value);
		return;
	case 0x050:
		assert_true(mock.status & VIRTIO_STATUS_DRIVER_OK);
		assert_in_range(value, 0, QUEUES - 1);
		mock.ring[value].notified++;
		return;
	case 0x064:
		mock.posted = value;
		return;
	case 0x070:
		status_write(value);
		return;
	default:
		assert_true(modern && offset >= 0x080 && offset < 0x0a8 && offset % 16 < 8);
		((uint32_t *)&ring_in_setup()->address[(offset - 0x080) / 16])[offset / 4 % 2] =
			value;
	}
}

/* A write to a device arrives with the next read at the latest; that of InterruptACK no sooner. */
static inline void mock_arrive(void)
{
	mock.interrupt_status &= ~mock.posted;
	mock.posted = 0;
}

uint32_t mmio_read(uintptr_t address)
{
	uint32_t offset = (uint32_t)(address - REGISTERS);

	mock_arrive();
	switch (offset) {
	case 0x000:
		return 0x74726976;
	case 0x004:
		return mock.version;
	case 0x010:
		assert_true(mock.version == 2 || mock.device_features_sel == 0);
		return (uint32_t)(mock.features >> (32 * mock.device_features_sel));
	case 0x034:
		return mock.num_max;
	case 0x040:
	case 0x044:
		assert_int_equal(mock.version, offset == 0x044 ? 2 : 1);
		return mock.ring[mock.queue_sel].ready;
	case 0x060:
		return mock.interrupt_status;
	case 0x070:
		return mock.status;
	case 0x0fc:
		assert_int_equal(mock.version, 2);
		return mock.generation;
	default:
		fail_msg("read of register %x", offset);
		return 0;
	}
}

uint32_t mmio_read_size(uintptr_t at, unsigned int size)
{
	uint32_t offset = (uint32_t)(at - REGISTERS - 0x100), value = 0;

	assert_int_equal(offset % size, 0);
	assert_in_range(offset, 0, sizeof(mock.config) - size);
	memcpy(&value, mock.config + offset, size);
	if (mock.changing != 0) {
		mock.changing--;
		mock.generation++;
		mock.config[offset]++;
	}
	return value;
}

/* --- what the device does with its queues --- */

static inline uint16_t *avail_ring(unsigned int queue)
{
	return mock_at(mock.ring[queue].address[1]);
}

static inline uint16_t *used_ring(unsigned int queue)
{
	return mock_at(mock.ring[queue].address[2]);
}

static inline bool mock_pop(unsigned int queue, struct mock_chain *chain)
{
	struct mock_ring *ring = &mock.ring[queue];
	const uint16_t *avail = avail_ring(queue);
	const uint32_t *desc;
	uint32_t index;

	assert_true(mock.status & VIRTIO_STATUS_DRIVER_OK);
	if (avail[1] == ring->last_avail) {
		return false;
	}
	index = chain->head = avail[2 + ring->last_avail++ % ring->num];
	chain->count = 0;
	do {
		assert_in_range(index, 0, ring->num - 1);
		assert_in_range(chain->count, 0, ring->num - 1);
		desc = (uint32_t *)mock_at(ring->address[0]) + 4 * index;
		chain->segment[chain->count].at = mock_at((uint64_t)desc[1] << 32 | desc[0]);
		chain->segment[chain->count].length = desc[2];
		chain->segment[chain->count++].writable = (desc[3] & DESC_WRITE) != 0;
		index = desc[3] >> 16;
	} while (desc[3] & DESC_NEXT);
	return true;
}

/* Any id and length that the test likes. */
static inline void mock_push(unsigned int queue, uint32_t id, uint32_t length)
{
	struct mock_ring *ring = &mock.ring[queue];
	uint16_t *used = used_ring(queue);
	uint32_t entry[2] = {id, length};

	memcpy(used + 2 + 4 * (ring->used_index % ring->num), entry, sizeof(entry));
	ring->used_index++;
	used[1] = ring->used_index;
	mock.interrupt_status |= VIRTIO_INTERRUPT_USED;
}

/* The driver's wish: an interrupt when the used index passes this. */
static inline uint16_t mock_used_event(unsigned int queue)
{
	return avail_ring(queue)[2 + mock.ring[queue].num];
}

/* The device asks to be notified of the chain with this index. */
static inline void mock_set_avail_event(unsigned int queue, uint16_t index)
{
	used_ring(queue)[2 + 4 * mock.ring[queue].num] = index;
}

/* A device of this version that offers @features besides what the version has. */
static inline void mock_begin(uint32_t version, uint64_t features)
{
	memset(&mock, 0, sizeof(mock));
	mock.version = version;
	mock.num_max = 256;
	mock.features = features | (version == 2 ? VIRTIO_F_VERSION_1 : 0);
	mock.status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER; /* a firmware's */
}

static inline void assert_unlocked(const struct hw_virtio *device)
{
	assert_int_equal(device->lock.owner, device->lock.next);
}

#endif
