/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's virtio disks as block backends: what they can do, what requests look like on the
 * wire. */
#include "mock_hw_virtio.h"
#include "drivers/hw/virtio_blk.h"

#define F_ALL (1ull << 2 | 1ull << 5 | 1ull << 6 | 1ull << 9 | 1ull << 10 | 1ull << 13 | 1ull << 14)

static struct hw_disk disk;
static uint8_t memory[8][512];

static struct test_request {
	struct block_request block;
	unsigned int ends;
	enum io_status status;
	uint32_t length;
} request[128];

static void done(struct io_request *io, enum io_status status, uint32_t length)
{
	struct test_request *ended = (struct test_request *)io;

	assert_unlocked(&disk.device);
	ended->ends++;
	ended->status = status;
	ended->length = length;
}

static void set_config(unsigned int offset, uint64_t value, unsigned int size)
{
	memcpy(mock.config + offset, &value, size);
}

static void fill_config(void)
{
	set_config(0, 0x300000001ull, 8);
	set_config(12, 126, 4);
	set_config(20, 4096, 4);
	set_config(24, 3, 1);
	set_config(25, 1, 1);
	set_config(26, 8, 2);
	set_config(28, 64, 4);
	set_config(36, 0x1000, 4);
	set_config(44, 16, 4);
	set_config(48, 0x2000, 4);
	set_config(56, 1, 1);
}

static void prepare(uint32_t version, uint64_t features)
{
	unsigned int i;

	mock_begin(version, features);
	fill_config();
	memset(&disk, 0, sizeof(disk));
	memset(request, 0, sizeof(request));
	for (i = 0; i < 128; i++) {
		request[i].block.io.done = done;
	}
}

/* The device answers the chain: @status in its last byte, @length written. */
static void answer(const struct mock_chain *chain, uint8_t status, uint32_t length)
{
	*chain->segment[chain->count - 1].at = status;
	mock_push(0, chain->head, length);
}

static void answer_id(const char *id)
{
	struct mock_chain chain;

	assert_true(mock_pop(0, &chain));
	assert_int_equal(chain.count, 3);
	assert_int_equal(*(uint32_t *)(void *)chain.segment[0].at, 8);
	assert_int_equal(chain.segment[1].length, BLOCK_ID_LENGTH);
	memcpy(chain.segment[1].at, id, strlen(id));
	answer(&chain, 0, 21);
	hw_virtio_irq(&disk.device);
}

static int set_up(void **state)
{
	(void)state;
	prepare(2, F_ALL & ~(1ull << 5));
	assert_true(hw_disk_init(&disk, REGISTERS));
	answer_id("DISK-0001");
	return 0;
}

static enum io_status submit(unsigned int i, enum block_operation operation, uint64_t sector,
			     uint32_t sectors)
{
	struct io_segment segment[8];
	unsigned int j;

	for (j = 0; j < 8; j++) {
		segment[j] = (struct io_segment){memory[j], 512};
	}
	request[i].block.operation = operation;
	request[i].block.sector = sector;
	request[i].block.sectors = sectors;
	request[i].block.segment = segment;
	request[i].block.count = operation <= BLOCK_WRITE ? (uint16_t)sectors : 0;
	return disk.backend.ops->submit(&disk.backend, &request[i].block);
}

static void assert_ended(unsigned int i, enum io_status status, uint32_t length)
{
	assert_int_equal(request[i].ends, 1);
	assert_int_equal(request[i].status, status);
	assert_int_equal(request[i].length, length);
}

static void abilities(void **state)
{
	const struct block_backend *backend = &disk.backend;

	(void)state;
	assert_true(backend->sectors == 0x300000001ull);
	assert_int_equal(backend->block_size, 4096);
	assert_int_equal(backend->physical_exponent, 3);
	assert_int_equal(backend->alignment_offset, 1);
	assert_int_equal(backend->minimum_io, 8);
	assert_int_equal(backend->optimal_io, 64);
	assert_int_equal(backend->segments_max, 126);
	assert_false(backend->read_only);
	assert_true(backend->writeback);
	assert_int_equal(backend->discard_max, 0x1000);
	assert_int_equal(backend->discard_alignment, 16);
	assert_int_equal(backend->write_zeroes_max, 0x2000);
	assert_true(backend->write_zeroes_may_unmap);
	assert_memory_equal(backend->id, "DISK-0001\0\0\0\0\0\0\0\0\0\0\0", BLOCK_ID_LENGTH);
	assert_int_equal(disk.device.counters.errors, 0);
}

static void abilities_of_a_simple_one(void **state)
{
	const struct block_backend *backend = &disk.backend;

	(void)state;
	prepare(1, 1ull << 5 | 1ull << 28);
	assert_true(hw_disk_init(&disk, REGISTERS));
	assert_int_equal(mock.driver_features, 1ull << 5);
	assert_int_equal(backend->block_size, 512);
	assert_int_equal(backend->segments_max, 1);
	assert_true(backend->read_only);
	assert_false(backend->writeback);
	assert_int_equal(backend->discard_max + backend->write_zeroes_max, 0);
	assert_int_equal(backend->minimum_io + backend->optimal_io, 0);
}

static void abilities_out_of_bounds(void **state)
{
	(void)state;
	prepare(2, F_ALL);
	set_config(12, 1000000, 4);
	assert_true(hw_disk_init(&disk, REGISTERS));
	assert_int_equal(disk.backend.segments_max, 254);
	prepare(2, F_ALL);
	set_config(12, 0x10000, 4);
	mock.num_max = 64;
	assert_true(hw_disk_init(&disk, REGISTERS));
	assert_int_equal(disk.backend.segments_max, 62);
	prepare(2, F_ALL);
	set_config(20, 511, 4);
	assert_false(hw_disk_init(&disk, REGISTERS));
	prepare(2, F_ALL);
	set_config(20, 1536, 4);
	assert_false(hw_disk_init(&disk, REGISTERS));
	prepare(2, F_ALL);
	set_config(0, 1ull << 55, 8);
	assert_false(hw_disk_init(&disk, REGISTERS));
	assert_int_equal(mock.status, 0);
	assert_int_equal(submit(0, BLOCK_READ, 0, 1), IO_ERROR);
	prepare(2, F_ALL);
	mock.num_max = 2;
	assert_false(hw_disk_init(&disk, REGISTERS));
}

/* It is read again until its generation stands still, and not for ever. */
static void configuration_that_changes(void **state)
{
	(void)state;
	prepare(2, F_ALL & ~(1ull << 6));
	mock.changing = 3;
	assert_true(hw_disk_init(&disk, REGISTERS));
	assert_int_equal(disk.backend.sectors & 0xff, mock.config[0]);
	assert_int_equal(disk.backend.sectors >> 32 & 0xff, mock.config[4]);
	prepare(2, F_ALL & ~(1ull << 6));
	mock.changing = 1000000;
	hw_disk_init(&disk, REGISTERS);
	assert_true(mock.changing > 999000);
}

static void assert_header(const struct mock_chain *chain, uint32_t type, uint64_t sector)
{
	uint32_t expected[4] = {type, 0, (uint32_t)sector, (uint32_t)(sector >> 32)};

	assert_int_equal(chain->segment[0].length, 16);
	assert_false(chain->segment[0].writable);
	assert_memory_equal(chain->segment[0].at, expected, 16);
	assert_int_equal(chain->segment[chain->count - 1].length, 1);
	assert_true(chain->segment[chain->count - 1].writable);
	assert_false(chain->count > 2 && chain->segment[1].writable != (type == 0));
}

static void reads_and_writes(void **state)
{
	struct mock_chain chain;
	unsigned int i, j;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(submit(i, i == 0 ? BLOCK_READ : BLOCK_WRITE, 0x123456789a, 5),
				 IO_PENDING);
		assert_true(mock_pop(0, &chain));
		assert_header(&chain, i, 0x123456789a);
		assert_int_equal(chain.count, 7);
		for (j = 0; j < 5; j++) {
			assert_ptr_equal(chain.segment[1 + j].at, memory[j]);
			assert_int_equal(chain.segment[1 + j].length, 512);
			assert_int_equal(chain.segment[1 + j].writable, i == 0);
		}
		answer(&chain, 0, i == 0 ? 2561 : 1);
		hw_virtio_irq(&disk.device);
		assert_ended(i, IO_OK, i == 0 ? 2560 : 0);
	}
}

static void flush(void **state)
{
	struct mock_chain chain;

	(void)state;
	assert_int_equal(submit(0, BLOCK_FLUSH, 77, 0), IO_PENDING);
	assert_true(mock_pop(0, &chain));
	assert_int_equal(chain.count, 2);
	assert_header(&chain, 4, 0);
	answer(&chain, 0, 0); /* some legacy devices say no length */
	hw_virtio_irq(&disk.device);
	assert_ended(0, IO_OK, 0);
}

static void discard_and_zeroes(void **state)
{
	static const struct {
		enum block_operation operation;
		bool unmap;
		uint32_t type, flags;
	} row[] = {
		{BLOCK_DISCARD, false, 11, 0},
		{BLOCK_DISCARD, true, 11, 0},
		{BLOCK_WRITE_ZEROES, false, 13, 0},
		{BLOCK_WRITE_ZEROES, true, 13, 1},
	};
	struct mock_chain chain;
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		const uint32_t range[4] = {5, 1, 0xabcd, row[i].flags};

		request[i].block.unmap = row[i].unmap;
		assert_int_equal(submit(i, row[i].operation, 0x100000005ull, 0xabcd), IO_PENDING);
		assert_true(mock_pop(0, &chain));
		assert_int_equal(chain.count, 3);
		assert_header(&chain, row[i].type, 0);
		assert_int_equal(chain.segment[1].length, 16);
		assert_memory_equal(chain.segment[1].at, range, 16);
	}
}

static void ends_as_the_device_says(void **state)
{
	static const struct {
		uint8_t byte;
		enum io_status status;
	} row[] = {{1, IO_ERROR}, {2, IO_UNSUPPORTED}, {3, IO_ERROR}, {0, IO_OK}, {0xff, IO_ERROR}};
	struct mock_chain chain;
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		submit(i, BLOCK_READ, 0, 1);
		assert_true(mock_pop(0, &chain));
		if (row[i].byte != 0xff) {
			answer(&chain, row[i].byte, 513);
		} else {
			mock_push(0, chain.head, 513); /* nothing written at all */
		}
		hw_virtio_irq(&disk.device);
		assert_ended(i, row[i].status, row[i].status == IO_OK ? 512 : 0);
	}
	assert_int_equal(disk.device.counters.errors, 4);
}

#define IN_FLIGHT (HW_DISK_DESCRIPTORS / 3)

/*
 * As many as there are descriptors for, each with a header and a status byte of its own; after a
 * reset all are there again.
 */
static void many_in_flight(void **state)
{
	struct mock_chain chain[IN_FLIGHT];
	unsigned int i, j;

	(void)state;
	for (i = 0; i < IN_FLIGHT; i++) {
		assert_int_equal(submit(i, BLOCK_WRITE, i, 1), IO_PENDING);
	}
	assert_int_equal(submit(i, BLOCK_WRITE, i, 1), IO_BUSY);
	for (i = 0; i < IN_FLIGHT; i++) {
		assert_true(mock_pop(0, &chain[i]));
		assert_header(&chain[i], 1, i);
		for (j = 0; j < i; j++) {
			assert_ptr_not_equal(chain[i].segment[0].at, chain[j].segment[0].at);
			assert_ptr_not_equal(chain[i].segment[2].at, chain[j].segment[2].at);
		}
	}
	answer(&chain[40], 1, 1);
	answer(&chain[7], 0, 1);
	hw_virtio_irq(&disk.device);
	assert_ended(40, IO_ERROR, 0);
	assert_ended(7, IO_OK, 0);
	assert_int_equal(submit(IN_FLIGHT, BLOCK_WRITE, 0, 1), IO_PENDING);
	assert_int_equal(submit(IN_FLIGHT + 1, BLOCK_WRITE, 0, 1), IO_PENDING);
	assert_int_equal(submit(IN_FLIGHT + 2, BLOCK_WRITE, 0, 1), IO_BUSY);
	mock_push(0, 0xffff, 1);
	hw_virtio_irq(&disk.device);
	for (i = 0; i < IN_FLIGHT + 2; i++) {
		assert_int_equal(request[i].ends, 1);
		request[i].ends = 0;
	}
	for (i = 0; i < IN_FLIGHT; i++) {
		assert_int_equal(submit(i, BLOCK_WRITE, i, 1), IO_PENDING);
	}
}

static void no_id(void **state)
{
	struct mock_chain chain;

	(void)state;
	prepare(2, F_ALL);
	assert_true(hw_disk_init(&disk, REGISTERS));
	assert_true(mock_pop(0, &chain));
	memset(chain.segment[1].at, 'x', BLOCK_ID_LENGTH);
	answer(&chain, 2, 1);
	hw_virtio_irq(&disk.device);
	assert_int_equal(disk.backend.id[0], '\0');
	assert_int_equal(disk.backend.id[BLOCK_ID_LENGTH - 1], '\0');
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(abilities),
		TEST(abilities_of_a_simple_one),
		TEST(abilities_out_of_bounds),
		TEST(configuration_that_changes),
		TEST(reads_and_writes),
		TEST(flush),
		TEST(discard_and_zeroes),
		TEST(ends_as_the_device_says),
		TEST(many_in_flight),
		TEST(no_id),
	};

	return cmocka_run_group_tests_name("hw_virtio_blk", tests, NULL, NULL);
}
