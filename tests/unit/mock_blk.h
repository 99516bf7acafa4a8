/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio disk over a mock backend, and a driver that offers it requests, for its suites. */
#ifndef TESTS_MOCK_BLK_H
#define TESTS_MOCK_BLK_H

#include "mock_transport.h"
#include "drivers/virtio/blk.h"
#include "mock_block.h"

#define SIZE   16u
#define QUEUES 2u

#define T_IN           0u
#define T_OUT          1u
#define T_FLUSH        4u
#define T_GET_ID       8u
#define T_DISCARD      11u
#define T_WRITE_ZEROES 13u

#define F_RO           (1u << 5)
#define F_FLUSH        (1u << 9)
#define F_MQ           (1u << 12)
#define F_DISCARD      (1u << 13)
#define F_WRITE_ZEROES (1u << 14)
#define F_ALWAYS       (1u << 2 | 1u << 6 | 1u << 10)

#define OK      0
#define IOERR   1
#define UNSUPP  2
#define NOT_YET 0xee

/* Of request n, which has descriptors 3n to 3n + 2. */
#define HEADER(n) (BUFFERS + 0x20u * (n))
#define ENDING(n) (BUFFERS + 0x1000u + (n))
#define PLACE(n)  (BUFFERS + 0x2000u + 0x2000u * (n))

static struct guest_memory memory = {RAM_BASE, RAM_SIZE, mock_ram};
static struct spinlock lock;
static struct virtio_blk blk;
static struct virtqueue queues[QUEUES];
static struct mock_block mock;

static inline void driver_run(uint64_t features, uint32_t size)
{
	driver_start(&blk.device, features, size);
	assert_int_equal(reg_read(&blk.device, STATUS), RUNNING);
	mock_line_rose = 0;
}

static inline uint32_t features(void)
{
	reg_write(&blk.device, DEVICE_FEATURES_SEL, 0);
	return reg_read(&blk.device, DEVICE_FEATURES) & 0xffffff;
}

static inline void create(bool read_only)
{
	mock.listeners = NULL;
	mock_line = false;
	virtio_blk_init(&blk, &mock.backend, read_only, queues, QUEUES,
			&(struct virtio_place){.memory = &memory, .irq = mock_irq, .lock = &lock});
	driver_run(features() & F_FLUSH, SIZE);
}

static inline int set_up(void **state)
{
	(void)state;
	mock_block_init(&mock);
	mock.submitter = &lock;
	lock = (struct spinlock){0};
	memset(&blk, 0xa5, sizeof(blk));
	create(false);
	return 0;
}

/* The transport's accesses, as the hypervisor makes them. */
static inline void write_locked(uint32_t offset, uint32_t value)
{
	spin_lock(&lock);
	reg_write(&blk.device, offset, value);
	spin_unlock(&lock);
}

static inline void kick(uint32_t queue)
{
	write_locked(QUEUE_NOTIFY, queue);
}

static inline void header_store(uint32_t at, uint32_t type, uint64_t sector)
{
	uint32_t words[4] = {type, 0x12345678, (uint32_t)sector, (uint32_t)(sector >> 32)};

	memcpy(guest_at(at), words, sizeof(words));
}

/* Request @n of @queue, with @length bytes at PLACE(n), which the device writes or not. */
static inline void offer(uint32_t queue, uint16_t n, uint32_t type, uint64_t sector,
			 uint32_t length, uint32_t write)
{
	uint16_t first = (uint16_t)(3 * n), last = (uint16_t)(first + 2);

	header_store(HEADER(n), type, sector);
	*(uint8_t *)guest_at(ENDING(n)) = NOT_YET;
	guest_desc(DESC(queue), first, HEADER(n), 16, NEXT, length ? first + 1u : last);
	guest_desc(DESC(queue), first + 1u, PLACE(n), length, NEXT | write, last);
	guest_desc(DESC(queue), last, ENDING(n), 1, WRITE, 0);
	guest_offer(queue, SIZE, first);
}

static inline void offer_range(uint16_t n, uint32_t type, uint64_t sector, uint32_t sectors,
			       uint32_t flags)
{
	uint32_t words[4] = {(uint32_t)sector, (uint32_t)(sector >> 32), sectors, flags};

	memcpy(guest_at(PLACE(n)), words, sizeof(words));
	offer(0, n, type, 0, sizeof(words), 0);
}

static inline int ending(uint16_t n)
{
	return *(const uint8_t *)guest_at(ENDING(n));
}

/* Used entry @entry of @queue is request @n, which ended so. */
static inline void assert_used(uint32_t queue, uint32_t entry, uint16_t n, int status,
			       uint32_t length)
{
	assert_true(guest_used_index(queue) > entry);
	assert_int_equal(guest_used_id(queue, entry % SIZE), 3 * n);
	assert_int_equal(guest_used_length(queue, entry % SIZE), length);
	assert_int_equal(ending(n), status);
}

static inline void assert_unused(uint32_t queue, uint32_t entries)
{
	assert_int_equal(guest_used_index(queue), entries);
}

static inline void assert_sectors(uint32_t ipa, uint64_t sector, uint32_t length)
{
	assert_memory_equal(guest_at(ipa), mock.disk + sector * BLOCK_SECTOR, length);
}

static inline bool interrupted(void)
{
	bool was = reg_read(&blk.device, INTERRUPT_STATUS) & VIRTIO_INTERRUPT_USED;

	reg_write(&blk.device, INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	return was;
}

#endif
