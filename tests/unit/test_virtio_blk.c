/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio disk from the driver to the backend: what requests do, in any cut and any order, and
 * what wrong ones don't. */
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

static void driver_run(uint64_t features, uint32_t size)
{
	driver_start(&blk.device, features, size);
	assert_int_equal(reg_read(&blk.device, STATUS), RUNNING);
	mock_line_rose = 0;
}

static uint32_t features(void)
{
	reg_write(&blk.device, DEVICE_FEATURES_SEL, 0);
	return reg_read(&blk.device, DEVICE_FEATURES) & 0xffffff;
}

static void create(bool read_only)
{
	mock.listeners = NULL;
	mock_line = false;
	virtio_blk_init(&blk, &mock.backend, read_only, queues, QUEUES,
			&(struct virtio_place){.memory = &memory, .irq = mock_irq, .lock = &lock});
	driver_run(features() & F_FLUSH, SIZE);
}

static int set_up(void **state)
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
static void write_locked(uint32_t offset, uint32_t value)
{
	spin_lock(&lock);
	reg_write(&blk.device, offset, value);
	spin_unlock(&lock);
}

static void kick(uint32_t queue)
{
	write_locked(QUEUE_NOTIFY, queue);
}

static void header_store(uint32_t at, uint32_t type, uint64_t sector)
{
	uint32_t words[4] = {type, 0x12345678, (uint32_t)sector, (uint32_t)(sector >> 32)};

	memcpy(guest_at(at), words, sizeof(words));
}

/* Request @n of @queue, with @length bytes at PLACE(n), which the device writes or not. */
static void offer(uint32_t queue, uint16_t n, uint32_t type, uint64_t sector, uint32_t length,
		  uint32_t write)
{
	uint16_t first = (uint16_t)(3 * n), last = (uint16_t)(first + 2);

	header_store(HEADER(n), type, sector);
	*(uint8_t *)guest_at(ENDING(n)) = NOT_YET;
	guest_desc(DESC(queue), first, HEADER(n), 16, NEXT, length ? first + 1u : last);
	guest_desc(DESC(queue), first + 1u, PLACE(n), length, NEXT | write, last);
	guest_desc(DESC(queue), last, ENDING(n), 1, WRITE, 0);
	guest_offer(queue, SIZE, first);
}

static void offer_range(uint16_t n, uint32_t type, uint64_t sector, uint32_t sectors,
			uint32_t flags)
{
	uint32_t words[4] = {(uint32_t)sector, (uint32_t)(sector >> 32), sectors, flags};

	memcpy(guest_at(PLACE(n)), words, sizeof(words));
	offer(0, n, type, 0, sizeof(words), 0);
}

static int ending(uint16_t n)
{
	return *(const uint8_t *)guest_at(ENDING(n));
}

/* Used entry @entry of @queue is request @n, which ended so. */
static void assert_used(uint32_t queue, uint32_t entry, uint16_t n, int status, uint32_t length)
{
	assert_true(guest_used_index(queue) > entry);
	assert_int_equal(guest_used_id(queue, entry % SIZE), 3 * n);
	assert_int_equal(guest_used_length(queue, entry % SIZE), length);
	assert_int_equal(ending(n), status);
}

static void assert_unused(uint32_t queue, uint32_t entries)
{
	assert_int_equal(guest_used_index(queue), entries);
}

static void assert_sectors(uint32_t ipa, uint64_t sector, uint32_t length)
{
	assert_memory_equal(guest_at(ipa), mock.disk + sector * BLOCK_SECTOR, length);
}

static bool interrupted(void)
{
	bool was = reg_read(&blk.device, INTERRUPT_STATUS) & VIRTIO_INTERRUPT_USED;

	reg_write(&blk.device, INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	return was;
}

/* --- what it says of itself --- */

static void identity(void **state)
{
	static const uint8_t expected[64] = {
		[1] = MOCK_SECTORS >> 8,
		[12] = 12,
		[21] = 2,
		[24] = 3,
		[25] = 1,
		[26] = 8,
		[28] = 64,
		[34] = 2,
		[36] = 100,
		[40] = 1,
		[44] = 8,
		[48] = 50,
		[52] = 1,
		[56] = 1,
	};
	unsigned int i;

	(void)state;
	assert_int_equal(reg_read(&blk.device, DEVICE_ID), 2);
	assert_int_equal(reg_read(&blk.device, QUEUE_NUM_MAX), 256);
	assert_int_equal(features(), F_ALWAYS | F_FLUSH | F_MQ | F_DISCARD | F_WRITE_ZEROES);
	for (i = 0; i < sizeof(expected); i++) {
		assert_int_equal(bus_read(&blk.device, CONFIG + i, 1), expected[i]);
	}
	reg_write(&blk.device, CONFIG, 77);
	assert_int_equal(reg_read(&blk.device, CONFIG), MOCK_SECTORS);
}

static void features_are_the_backend_s(void **state)
{
	(void)state;
	mock.backend.segments_max = 1000;
	create(true);
	assert_int_equal(features(), F_ALWAYS | F_FLUSH | F_MQ | F_RO);
	assert_int_equal(reg_read(&blk.device, CONFIG + 12), 254);
	mock.backend.read_only = true;
	mock.backend.writeback = false;
	virtio_blk_init(&blk, &mock.backend, false, queues, 1,
			&(struct virtio_place){.memory = &memory, .irq = mock_irq, .lock = &lock});
	assert_int_equal(features(), F_ALWAYS | F_RO);
	mock.backend.read_only = false;
	mock.backend.discard_max = mock.backend.write_zeroes_max = 0;
	virtio_blk_init(&blk, &mock.backend, false, queues, 1,
			&(struct virtio_place){.memory = &memory, .irq = mock_irq, .lock = &lock});
	assert_int_equal(features(), F_ALWAYS);
}

/* --- what requests do --- */

static void reads(void **state)
{
	(void)state;
	offer(0, 0, T_IN, 5, 1024, WRITE);
	kick(0);
	assert_int_equal(mock.count, 1);
	assert_ptr_equal(mock.pending[0].segment[0].at, guest_at(PLACE(0))); /* in place */
	assert_int_equal(ending(0), NOT_YET);
	assert_unused(0, 0);
	mock_block_end_all(&mock);
	assert_used(0, 0, 0, OK, 1025);
	assert_sectors(PLACE(0), 5, 1024);
	assert_int_equal(*(uint8_t *)guest_at(PLACE(0) + 1024), 0);
	assert_true(interrupted());
}

static void writes(void **state)
{
	(void)state;
	memset(guest_at(PLACE(1)), 0x77, 512);
	offer(0, 1, T_OUT, MOCK_SECTORS - 1, 512, 0);
	kick(0);
	assert_unused(0, 0);
	mock_block_end_all(&mock);
	assert_used(0, 0, 1, OK, 1);
	assert_sectors(PLACE(1), MOCK_SECTORS - 1, 512);
	assert_int_equal(mock.disk[sizeof(mock.disk) - 513],
			 mock_block_byte(sizeof(mock.disk) - 513));
}

static void flush_ends_when_the_backend_s_has(void **state)
{
	(void)state;
	offer(0, 0, T_FLUSH, 0, 0, 0);
	kick(0);
	assert_int_equal(mock.pending[0].copy.operation, BLOCK_FLUSH);
	mock_block_batch(&mock);
	assert_unused(0, 0);
	assert_false(interrupted());
	mock_block_end_all(&mock);
	assert_used(0, 0, 0, OK, 1);
	mock.backend.writeback = false; /* nothing to do then */
	offer(0, 0, T_FLUSH, 0, 0, 0);
	kick(0);
	assert_int_equal(mock.count, 0);
	assert_used(0, 1, 0, OK, 1);
}

static void id(void **state)
{
	(void)state;
	offer(0, 0, T_GET_ID, 0, 20, WRITE);
	offer(0, 1, T_GET_ID, 0, 7, WRITE);
	offer(0, 2, T_GET_ID, 0, 30, WRITE);
	memset(guest_at(PLACE(2)), 0x55, 30);
	kick(0);
	assert_used(0, 0, 0, OK, 21);
	assert_memory_equal(guest_at(PLACE(0)), mock.backend.id, 20);
	assert_used(0, 1, 1, OK, 8);
	assert_memory_equal(guest_at(PLACE(1)), "mock-di\0", 8);
	assert_used(0, 2, 2, OK, 20);
	assert_int_equal(*(uint8_t *)guest_at(PLACE(2) + 20), 0x55);
}

static void ranges(void **state)
{
	(void)state;
	offer_range(0, T_WRITE_ZEROES, 10, 50, 1);
	offer_range(1, T_DISCARD, 100, 100, 0);
	kick(0);
	assert_int_equal(mock.count, 2);
	assert_true(mock.pending[0].copy.unmap);
	assert_false(mock.pending[1].copy.unmap);
	mock_block_end_all(&mock);
	assert_used(0, 0, 0, OK, 1);
	assert_used(0, 1, 1, OK, 1);
	assert_int_equal(mock.disk[10 * 512 - 1], mock_block_byte(10 * 512 - 1));
	assert_int_equal(mock.disk[10 * 512], 0);
	assert_int_equal(mock.disk[60 * 512 - 1], 0);
	assert_int_equal(mock.disk[60 * 512], mock_block_byte(60 * 512));
	assert_int_equal(mock.disk[100 * 512], 0xdd);
	assert_int_equal(mock.disk[200 * 512 - 1], 0xdd);
}

static void ranges_that_are_refused(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t type, sectors, flags;
		int status;
	} row[] = {
		{0, T_WRITE_ZEROES, 51, 0, IOERR},
		{0, T_WRITE_ZEROES, 1, 2, UNSUPP},
		{0, T_DISCARD, 101, 0, IOERR},
		{0, T_DISCARD, 1, 1, UNSUPP},
		{MOCK_SECTORS, T_DISCARD, 1, 0, IOERR},
		{UINT64_MAX, T_WRITE_ZEROES, 2, 0, IOERR},
		{0, 14 /* SECURE_ERASE */, 1, 0, UNSUPP},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		offer_range(1, row[i].type, row[i].sector, row[i].sectors, row[i].flags);
		kick(0);
		assert_used(0, i, 1, row[i].status, 1);
	}
	offer_range(0, T_DISCARD, 0, 1, 0);
	guest_desc(DESC(0), 1, PLACE(0), 32, NEXT, 2); /* two ranges */
	kick(0);
	assert_used(0, i++, 0, IOERR, 1);
	offer_range(0, T_DISCARD, 0, 0, 0); /* nothing to do */
	kick(0);
	assert_used(0, i, 0, OK, 1);
	assert_int_equal(mock.submitted, 0);
	assert_int_equal(reg_read(&blk.device, STATUS), RUNNING);
}

static void reads_and_writes_that_are_refused(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t type, length;
	} row[] = {
		{0, T_IN, 511},
		{0, T_OUT, 513},
		{MOCK_SECTORS, T_IN, 512},
		{MOCK_SECTORS - 1, T_OUT, 1024},
		{MOCK_SECTORS + 1, T_IN, 512},
		{UINT64_MAX, T_OUT, 512},
		{1ull << 32, T_IN, 512},
		{1ull << 55, T_OUT, 512},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		bool in = row[i].type == T_IN;

		offer(0, 1, row[i].type, row[i].sector, row[i].length, in ? WRITE : 0);
		kick(0);
		assert_used(0, i, 1, IOERR, in ? 0 : 1);
	}
	assert_int_equal(mock.submitted, 0);
	offer(0, 1, T_IN, MOCK_SECTORS, 0, WRITE);
	kick(0);
	assert_used(0, i, 1, OK, 1);
}

static void unknown_types(void **state)
{
	static const uint32_t type[] = {2, 3, 5, 6, 7, 9, 10, 12, 14, 15, 1u << 31, UINT32_MAX};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(type) / sizeof(type[0]); i++) {
		offer(0, 0, type[i], 0, 512, WRITE);
		kick(0);
		assert_used(0, i, 0, UNSUPP, 0);
	}
	assert_int_equal(mock.submitted, 0);
}

static void read_only_disk(void **state)
{
	(void)state;
	create(true);
	offer(0, 0, T_OUT, 0, 512, 0);
	offer_range(1, T_DISCARD, 0, 1, 0);
	offer_range(2, T_WRITE_ZEROES, 0, 1, 0);
	kick(0);
	assert_int_equal(mock.submitted, 0);
	assert_used(0, 0, 0, IOERR, 1);
	assert_used(0, 1, 1, UNSUPP, 1);
	assert_used(0, 2, 2, UNSUPP, 1);
	offer(0, 3, T_IN, 0, 512, WRITE);
	kick(0);
	mock_block_end_all(&mock);
	assert_used(0, 3, 3, OK, 513);
}

static void blocks_of_4_kib(void **state)
{
	(void)state;
	mock.backend.block_size = 4096;
	create(false);
	offer(0, 0, T_IN, 4, 4096, WRITE);
	offer(0, 1, T_IN, 8, 512, WRITE);
	offer(0, 2, T_IN, 8, 4096, WRITE);
	kick(0);
	assert_used(0, 0, 0, IOERR, 0);
	assert_used(0, 1, 1, IOERR, 0);
	mock_block_end_all(&mock);
	assert_used(0, 2, 2, OK, 4097);
}

/* --- any cut of header, sectors and status byte --- */

static void header_of_single_bytes(void **state)
{
	unsigned int i;

	(void)state;
	mock.backend.segments_max = 1;
	driver_run(F_FLUSH, 32);
	header_store(HEADER(0), T_IN, 9);
	for (i = 0; i < 16; i++) {
		guest_desc(DESC(0), i, HEADER(0) + i, 1, NEXT, i + 1);
	}
	guest_desc(DESC(0), 16, PLACE(0), 513, WRITE, 0);
	guest_offer(0, 32, 0);
	kick(0);
	mock_block_end_all(&mock);
	assert_unused(0, 1);
	assert_int_equal(guest_used_length(0, 0), 513);
	assert_sectors(PLACE(0), 9, 512);
	assert_int_equal(*(uint8_t *)guest_at(PLACE(0) + 512), OK);
}

static void header_and_sectors_in_one(void **state)
{
	(void)state;
	header_store(PLACE(0), T_OUT, 3);
	memset(guest_at(PLACE(0) + 16), 0x42, 300);
	memset(guest_at(PLACE(1)), 0x43, 212);
	guest_desc(DESC(0), 0, PLACE(0), 316, NEXT, 1);
	guest_desc(DESC(0), 1, PLACE(1), 212, NEXT, 2);
	guest_desc(DESC(0), 2, ENDING(0), 1, WRITE, 0);
	guest_offer(0, SIZE, 0);
	kick(0);
	mock_block_end_all(&mock);
	assert_used(0, 0, 0, OK, 1);
	assert_memory_equal(mock.disk + 3 * 512, guest_at(PLACE(0) + 16), 300);
	assert_memory_equal(mock.disk + 3 * 512 + 300, guest_at(PLACE(1)), 212);
}

static void header_cut_off_in_the_middle(void **state)
{
	(void)state;
	header_store(PLACE(0), T_OUT, 3);
	memset(guest_at(PLACE(0) + 16), 0x42, 512);
	guest_desc(DESC(0), 0, PLACE(0), 5, NEXT, 1);
	guest_desc(DESC(0), 1, PLACE(0) + 5, 11 + 100, NEXT, 2);
	guest_desc(DESC(0), 2, PLACE(0) + 116, 412, NEXT, 3);
	guest_desc(DESC(0), 3, ENDING(0), 1, WRITE, 0);
	guest_offer(0, SIZE, 0);
	kick(0);
	mock_block_end_all(&mock);
	assert_used(0, 0, 0, OK, 1);
	assert_sectors(PLACE(0) + 16, 3, 512);
}

/* A read with bytes behind the header, a write with bytes before the status byte: no one's. */
static void bytes_that_mean_nothing(void **state)
{
	(void)state;
	offer(0, 0, T_IN, 2, 512, WRITE);
	guest_desc(DESC(0), 0, HEADER(0), 30, NEXT, 1);
	offer(0, 1, T_OUT, 4, 512, 0);
	guest_desc(DESC(0), 5, ENDING(1) - 1, 2, WRITE, 0);
	*(uint8_t *)guest_at(ENDING(1) - 1) = 0x99;
	kick(0);
	mock_block_end(&mock, 1, IO_OK);
	assert_int_equal(*(uint8_t *)guest_at(ENDING(1) - 1), 0x99);
	mock_block_end_all(&mock);
	assert_used(0, 0, 1, OK, 0); /* not even the first byte was written */
	assert_used(0, 1, 0, OK, 513);
}

static void more_segments_than_the_backend_takes(void **state)
{
	unsigned int i;

	(void)state;
	header_store(HEADER(0), T_IN, 0);
	guest_desc(DESC(0), 0, HEADER(0), 16, NEXT, 1);
	for (i = 1; i < 14; i++) {
		guest_desc(DESC(0), i, PLACE(0) + 512 * i, 512, NEXT | WRITE, i + 1);
	}
	guest_desc(DESC(0), 14, ENDING(0), 1, WRITE, 0);
	guest_offer(0, SIZE, 0);
	kick(0);
	assert_used(0, 0, 0, IOERR, 0);
	guest_desc(DESC(0), 12, PLACE(0) + 512 * 12, 512, NEXT | WRITE, 14);
	guest_offer(0, SIZE, 0);
	kick(0);
	mock_block_end_all(&mock);
	assert_used(0, 1, 0, OK, 12 * 512 + 1);
}

/* --- many at once --- */

static void ends_in_any_order(void **state)
{
	(void)state;
	offer(0, 0, T_IN, 1, 512, WRITE);
	offer(0, 1, T_IN, 2, 512, WRITE);
	kick(0);
	offer(1, 2, T_IN, 3, 512, WRITE);
	offer(1, 3, T_IN, 4, 512, WRITE);
	kick(1);
	mock_block_end(&mock, 3, IO_ERROR);
	mock_block_end(&mock, 1, IO_OK);
	mock_block_end(&mock, 1, IO_UNSUPPORTED);
	assert_int_equal(mock_line_rose, 0); /* told in batch() */
	mock_block_batch(&mock);
	assert_int_equal(mock_line_rose, 1);
	assert_used(0, 0, 1, OK, 513);
	assert_sectors(PLACE(1), 2, 512);
	assert_used(1, 0, 3, IOERR, 0);
	assert_used(1, 1, 2, UNSUPP, 0);
	assert_int_equal(ending(0), NOT_YET);
	mock_block_end_all(&mock);
	assert_used(0, 1, 0, OK, 513);
	assert_int_equal(blk.device.in_flight, 0);
}

static void ends_at_once(void **state)
{
	static const int status[] = {OK, IOERR, UNSUPP};
	uint16_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		mock.answer = (enum io_status)i;
		offer(0, i, T_IN, i, 512, WRITE);
		kick(0);
		assert_used(0, i, i, status[i], i ? 0 : 513);
		assert_true(interrupted());
	}
	assert_int_equal(blk.device.in_flight, 0);
}

static void busy_backend(void **state)
{
	uint16_t n;

	(void)state;
	mock.room = 2;
	for (n = 0; n < 5; n++) {
		offer(0, n, T_IN, 10u + n, 512, WRITE);
	}
	kick(0);
	kick(0);
	assert_int_equal(mock.count, 2);
	mock_block_end(&mock, 0, IO_OK);
	assert_int_equal(mock.count, 1);
	mock_block_batch(&mock);
	assert_int_equal(mock.count, 2);
	mock.room = 5;
	mock_block_batch(&mock);
	mock_block_end_all(&mock);
	for (n = 0; n < 5; n++) {
		assert_used(0, n, n, OK, 513);
		assert_sectors(PLACE(n), 10u + n, 512);
	}
	assert_int_equal(mock.submitted, 5);
}

/* The first queue always has more, the second gets its turn nevertheless. */
static void busy_backend_is_shared(void **state)
{
	unsigned int i;

	(void)state;
	mock.room = 1;
	offer(0, 0, T_IN, 0, 512, WRITE);
	offer(0, 1, T_IN, 0, 512, WRITE);
	kick(0);
	offer(1, 4, T_IN, 0, 512, WRITE);
	kick(1);
	for (i = 0; i < 3 && guest_used_index(1) == 0; i++) {
		offer(0, (uint16_t)(i % 2), T_IN, 0, 512, WRITE);
		mock_block_end(&mock, 0, IO_OK);
		mock_block_batch(&mock);
	}
	assert_int_equal(guest_used_index(1), 1);
}

/* 2 queues of 256 indirect chains: the pool ends before, and they wait in the queues. */
static void more_than_the_pool_holds(void **state)
{
	unsigned int i, n;

	(void)state;
	driver_run(VIRTIO_F_INDIRECT_DESC | F_FLUSH, 256);
	header_store(HEADER(0), T_FLUSH, 0);
	guest_desc(TABLE(0), 0, HEADER(0), 16, NEXT, 1);
	guest_desc(TABLE(0), 1, ENDING(0), 1, WRITE, 0);
	for (n = 0; n < QUEUES; n++) {
		for (i = 0; i < 256; i++) {
			guest_desc(DESC(n), i, TABLE(0), 32, INDIRECT, 0);
			guest_offer(n, 256, (uint16_t)i);
		}
		kick(n);
	}
	assert_int_equal(mock.count, VIRTIO_BLK_REQUESTS);
	assert_int_equal(blk.device.in_flight, VIRTIO_BLK_REQUESTS);
	assert_null(blk.free);
	mock_block_end_all(&mock);
	assert_int_equal(mock.count, 256);
	mock_block_end_all(&mock);
	assert_int_equal(guest_used_index(0), 256);
	assert_int_equal(guest_used_index(1), 256);
	assert_int_equal(blk.device.in_flight, 0);
}

/* What ends at once, and is made available again meanwhile, does not keep a core in HYP mode. */
static enum io_status submit_and_offer(struct block_backend *backend, struct block_request *request)
{
	(void)backend;
	(void)request;
	guest_offer(0, SIZE, 0);
	return IO_OK;
}

static void endless_driver(void **state)
{
	static const struct block_ops ops = {submit_and_offer, mock_block_listen};

	(void)state;
	mock.backend.ops = &ops;
	offer(0, 0, T_IN, 0, 512, WRITE);
	kick(0);
	assert_int_equal(guest_used_index(0), VIRTIO_BLK_QUEUE_SIZE);
	assert_true(mock_line);
	mock.backend.ops = &mock_block_ops;
	mock.answer = IO_OK;
	write_locked(INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	assert_int_equal(guest_used_index(0), VIRTIO_BLK_QUEUE_SIZE + 1);
}

/* --- a driver that does not flush --- */

static void writes_last_without_flush(void **state)
{
	(void)state;
	driver_run(0, SIZE);
	offer(0, 0, T_OUT, 0, 512, 0);
	offer_range(1, T_WRITE_ZEROES, 8, 1, 0);
	offer(0, 2, T_IN, 2, 512, WRITE);
	kick(0);
	mock_block_end(&mock, 2, IO_OK);
	assert_used(0, 0, 2, OK, 513);
	mock_block_end(&mock, 0, IO_OK);
	mock_block_end(&mock, 0, IO_OK);
	mock_block_batch(&mock);
	assert_unused(0, 1);
	assert_int_equal(mock.count, 2);
	assert_int_equal(mock.pending[0].copy.operation, BLOCK_FLUSH);
	mock_block_end(&mock, 1, IO_ERROR);
	assert_used(0, 1, 1, IOERR, 1);
	mock_block_end_all(&mock);
	assert_used(0, 2, 0, OK, 1);
	offer(0, 3, T_OUT, 0, 512, 0); /* no flush after an error */
	kick(0);
	mock_block_end(&mock, 0, IO_ERROR);
	assert_used(0, 3, 3, IOERR, 1);
	assert_int_equal(blk.device.in_flight, 0);
}

static void flush_that_has_to_wait(void **state)
{
	(void)state;
	driver_run(0, SIZE);
	offer(0, 0, T_OUT, 0, 512, 0);
	offer(0, 1, T_OUT, 1, 512, 0);
	kick(0);
	mock.room = UINT32_MAX; /* and none after the end */
	mock_block_end(&mock, 0, IO_OK);
	mock.room = UINT32_MAX;
	mock_block_end(&mock, 0, IO_OK);
	mock_block_batch(&mock); /* still busy */
	assert_int_equal(mock.count, 0);
	assert_int_equal(blk.device.in_flight, 2);
	assert_unused(0, 0);
	mock.room = 1;
	mock_block_batch(&mock);
	assert_int_equal(mock.count, 1);
	mock_block_end_all(&mock);
	mock_block_end_all(&mock);
	assert_unused(0, 2);
	assert_int_equal(ending(0), OK);
	assert_int_equal(ending(1), OK);
	assert_int_equal(blk.device.in_flight, 0);
}

static void no_flush_where_nothing_is_lost(void **state)
{
	(void)state;
	mock.backend.writeback = false;
	create(false);
	offer(0, 0, T_OUT, 0, 512, 0);
	kick(0);
	mock_block_end_all(&mock);
	assert_used(0, 0, 0, OK, 1);
	assert_int_equal(mock.submitted, 1);
}

/* --- resets and hostile drivers --- */

static void reset_waits_for_the_backend(void **state)
{
	uint16_t n;

	(void)state;
	mock.room = 2;
	for (n = 0; n < 3; n++) {
		offer(0, n, T_IN, n, 512, WRITE);
	}
	kick(0);
	write_locked(STATUS, 0);
	assert_true(blk.device.again);
	mock_block_end(&mock, 1, IO_OK);
	mock_block_batch(&mock);
	assert_int_equal(mock.count, 1); /* nothing new is started */
	write_locked(STATUS, 0);
	assert_true(blk.device.again);
	mock_block_end(&mock, 0, IO_ERROR);
	mock_block_batch(&mock);
	write_locked(STATUS, 0);
	assert_false(blk.device.again);
	assert_int_equal(reg_read(&blk.device, STATUS), 0);
	driver_run(F_FLUSH, SIZE);
	offer(0, 0, T_IN, 7, 512, WRITE);
	kick(0);
	mock_block_end_all(&mock);
	assert_used(0, 0, 0, OK, 513);
	assert_unused(0, 1);
	for (n = 0; blk.free; n++) {
		blk.free = blk.free->next;
	}
	assert_int_equal(n, VIRTIO_BLK_REQUESTS);
}

static void queue_that_stops(void **state)
{
	(void)state;
	offer(0, 0, T_IN, 0, 512, WRITE);
	kick(0);
	offer(1, 1, T_IN, 1, 512, WRITE);
	kick(1);
	reg_write(&blk.device, QUEUE_SEL, 0);
	write_locked(QUEUE_READY, 0);
	assert_true(blk.device.again);
	offer(1, 2, T_IN, 1, 512, WRITE);
	kick(1);
	mock_block_end_all(&mock);
	assert_used(0, 0, 0, OK, 513);
	assert_used(1, 0, 1, OK, 513);
	write_locked(QUEUE_READY, 0);
	assert_false(blk.device.again);
	assert_int_equal(mock.count, 1);
	mock_block_end_all(&mock);
	assert_used(1, 1, 2, OK, 513);
}

static void assert_broken(const char *part_of_sentence)
{
	assert_int_equal(reg_read(&blk.device, STATUS), RUNNING | NEEDS_RESET);
	assert_non_null(strstr(blk.device.fault, part_of_sentence));
	assert_int_equal(mock.submitted, 1);
	/* What is in flight ends without a trace. */
	mock_block_end_all(&mock);
	assert_unused(0, 0);
	assert_int_equal(blk.device.in_flight, 0);
	driver_run(F_FLUSH, SIZE);
	offer(0, 1, T_IN, 1, 512, WRITE);
	kick(0);
	mock_block_end_all(&mock);
	assert_used(0, 0, 1, OK, 513);
}

static void no_header(void **state)
{
	(void)state;
	offer(0, 0, T_IN, 0, 512, WRITE);
	offer(0, 1, T_IN, 0, 512, WRITE);
	guest_desc(DESC(0), 3, HEADER(1), 15, NEXT, 4);
	kick(0);
	assert_broken("less than a header");
}

static void no_readable_bytes(void **state)
{
	(void)state;
	offer(0, 0, T_IN, 0, 512, WRITE);
	offer(0, 1, T_IN, 0, 512, WRITE);
	guest_desc(DESC(0), 3, HEADER(1), 16, NEXT | WRITE, 4);
	kick(0);
	assert_broken("less than a header");
}

static void no_status_byte(void **state)
{
	(void)state;
	offer(0, 0, T_IN, 0, 512, WRITE);
	offer(0, 1, T_OUT, 0, 512, 0);
	guest_desc(DESC(0), 4, PLACE(1), 512, 0, 0);
	kick(0);
	assert_broken("without a status byte");
}

/* What the driver scribbles after the request was taken changes nothing. */
static void request_is_read_once(void **state)
{
	(void)state;
	offer(0, 0, T_IN, 6, 512, WRITE);
	kick(0);
	header_store(HEADER(0), T_OUT, 200);
	guest_desc(DESC(0), 1, PLACE(1), 4096, 0, 0);
	guest_desc(DESC(0), 2, 0, 0, 0, 0);
	mock_block_end_all(&mock);
	assert_used(0, 0, 0, OK, 513);
	assert_sectors(PLACE(0), 6, 512);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(identity),
		TEST(features_are_the_backend_s),
		TEST(reads),
		TEST(writes),
		TEST(flush_ends_when_the_backend_s_has),
		TEST(id),
		TEST(ranges),
		TEST(ranges_that_are_refused),
		TEST(reads_and_writes_that_are_refused),
		TEST(unknown_types),
		TEST(read_only_disk),
		TEST(blocks_of_4_kib),
		TEST(header_of_single_bytes),
		TEST(header_and_sectors_in_one),
		TEST(header_cut_off_in_the_middle),
		TEST(bytes_that_mean_nothing),
		TEST(more_segments_than_the_backend_takes),
		TEST(ends_in_any_order),
		TEST(ends_at_once),
		TEST(busy_backend),
		TEST(busy_backend_is_shared),
		TEST(more_than_the_pool_holds),
		TEST(endless_driver),
		TEST(writes_last_without_flush),
		TEST(flush_that_has_to_wait),
		TEST(no_flush_where_nothing_is_lost),
		TEST(reset_waits_for_the_backend),
		TEST(queue_that_stops),
		TEST(no_header),
		TEST(no_readable_bytes),
		TEST(no_status_byte),
		TEST(request_is_read_once),
	};

	return cmocka_run_group_tests_name("virtio_blk", tests, NULL, NULL);
}
