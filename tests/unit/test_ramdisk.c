/* SPDX-License-Identifier: BSD-2-Clause */
/* The disk in memory, and the copying between sectors and segments that it is made of. */
#include "suite.h"
#include <string.h>
#include "drivers/block/ramdisk.h"
#include "drivers/block/segments.h"

#define SECTORS 8u

static uint8_t disk[SECTORS * BLOCK_SECTOR];
static uint8_t buffer[SECTORS * BLOCK_SECTOR];
static struct ramdisk ramdisk;

static int set_up(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(disk); i++) {
		disk[i] = (uint8_t)(i % 253 + 1);
	}
	memset(buffer, 0, sizeof(buffer));
	ramdisk_init(&ramdisk, disk, SECTORS);
	return 0;
}

static enum io_status submit(enum block_operation operation, uint64_t sector, uint32_t sectors,
			     const struct io_segment *segment, uint16_t count)
{
	struct block_request request = {.operation = operation,
					.sector = sector,
					.sectors = sectors,
					.segment = segment,
					.count = count};

	return ramdisk.backend.ops->submit(&ramdisk.backend, &request);
}

static void reads_into_pieces(void **state)
{
	const struct io_segment piece[] = {{buffer + 600, 1}, {buffer, 600}, {buffer + 601, 423}};

	(void)state;
	assert_int_equal(submit(BLOCK_READ, 2, 2, piece, 3), IO_OK);
	assert_int_equal(buffer[600], disk[1024]);
	assert_memory_equal(buffer, disk + 1025, 600);
	assert_memory_equal(buffer + 601, disk + 1625, 423);
	assert_int_equal(buffer[1024], 0);
}

static void writes_from_pieces(void **state)
{
	const struct io_segment piece[] = {{buffer, 511}, {buffer + 1000, 1}};

	(void)state;
	buffer[510] = 77;
	buffer[1000] = 78;
	assert_int_equal(submit(BLOCK_WRITE, 7, 1, piece, 2), IO_OK);
	assert_int_equal(disk[7 * 512 + 510], 77);
	assert_int_equal(disk[7 * 512 + 511], 78);
	assert_int_equal(disk[7 * 512 - 1], (7 * 512 - 1) % 253 + 1);
}

static void writes_zeroes(void **state)
{
	(void)state;
	assert_int_equal(submit(BLOCK_WRITE_ZEROES, 1, 2, NULL, 0), IO_OK);
	assert_int_equal(disk[511], 511 % 253 + 1);
	assert_memory_equal(disk + 512, buffer, 1024);
	assert_int_equal(disk[1536], 1536 % 253 + 1);
}

static void says_what_it_can(void **state)
{
	(void)state;
	assert_int_equal(ramdisk.backend.sectors, SECTORS);
	assert_int_equal(ramdisk.backend.block_size, 512);
	assert_false(ramdisk.backend.writeback);
	assert_int_equal(ramdisk.backend.discard_max, 0);
	assert_int_equal(submit(BLOCK_DISCARD, 0, 1, NULL, 0), IO_UNSUPPORTED);
	ramdisk.backend.ops->listen(&ramdisk.backend, NULL);
}

/* Every cut of 6 bytes in 3 segments, taken in two steps. */
static void cursors_stop_at_the_end(void **state)
{
	unsigned int first, second, step;

	(void)state;
	for (first = 1; first < 5; first++) {
		for (second = 1; first + second < 6; second++) {
			const struct io_segment piece[] = {{disk, first},
							   {disk + 100, second},
							   {disk + 200, 6 - first - second}};

			for (step = 0; step <= 6; step++) {
				struct segment_cursor get = {piece, 3, 0}, put = {piece, 3, 0};
				uint8_t byte[8] = "abcdefg", back[8] = {0};

				assert_int_equal(segments_put(&put, byte, step), step);
				assert_int_equal(segments_put(&put, byte + step, 8), 6 - step);
				assert_int_equal(put.count, 0);
				assert_int_equal(segments_get(&get, back, step), step);
				assert_int_equal(segments_get(&get, back + step, 8 - step),
						 6 - step);
				assert_string_equal((char *)back, "abcdef");
				assert_int_equal(segments_put(&put, NULL, 1), 0);
				put = (struct segment_cursor){piece, 3, 0};
				assert_int_equal(segments_put(&put, NULL, 7), 6);
				assert_int_equal(disk[0] | disk[100] | disk[200], 0);
			}
		}
	}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_into_pieces), TEST(writes_from_pieces),      TEST(writes_zeroes),
		TEST(says_what_it_can),  TEST(cursors_stop_at_the_end),
	};

	return cmocka_run_group_tests_name("ramdisk", tests, NULL, NULL);
}
