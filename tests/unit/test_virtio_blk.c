/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio disk, request by request: what it says of itself, what requests do in any cut, and
 * what wrong ones don't. */
#include "mock_blk.h"

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
	};

	return cmocka_run_group_tests_name("virtio_blk", tests, NULL, NULL);
}
