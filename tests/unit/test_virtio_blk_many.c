/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio disk with many requests at once: any order of ends, busy backends, drivers that do not
 * flush, resets, hostile drivers. */
#include "mock_blk.h"

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

static enum io_status submit_ends(struct block_backend *backend, struct block_request *request)
{
	(void)backend;
	(void)request;
	return IO_OK;
}

/* What a backend in RAM copies is done with interrupts masked, so not all of it in one call. */
static void large_requests_in_pieces(void **state)
{
	static const struct block_ops ops = {submit_ends, mock_block_listen};
	uint16_t n;

	(void)state;
	mock.backend.ops = &ops;
	mock.backend.sectors = mock.backend.write_zeroes_max = 1u << 20;
	offer(0, 0, T_FLUSH, 0, 0, 0);
	for (n = 1; n < 5; n++) {
		offer_range(n, T_WRITE_ZEROES, 0, VIRTIO_BLK_AT_ONCE / 2, 0);
	}
	kick(0);
	assert_unused(0, 3);
	assert_true(interrupted()); /* and by its acknowledgement it goes on */
	assert_unused(0, 5);
	assert_used(0, 4, 4, OK, 1);
	mock.backend.ops = &mock_block_ops;
	for (n = 0; n < 5; n++) {
		offer_range(n, T_WRITE_ZEROES, 0, VIRTIO_BLK_AT_ONCE, 0);
	}
	mock.backend.sectors = MOCK_SECTORS;
	kick(0);
	assert_unused(0, 10); /* what is refused costs nothing */
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
		TEST(ends_in_any_order),
		TEST(ends_at_once),
		TEST(busy_backend),
		TEST(busy_backend_is_shared),
		TEST(more_than_the_pool_holds),
		TEST(endless_driver),
		TEST(large_requests_in_pieces),
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

	return cmocka_run_group_tests_name("virtio_blk_many", tests, NULL, NULL);
}
