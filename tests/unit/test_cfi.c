/* SPDX-License-Identifier: BSD-2-Clause */
/* The flash that the guest sees: commands, status, what is shown when; and the disk that keeps it.
 */
#include "suite.h"
#include "drivers/emul/cfi.h"
#include "mock_block.h"

#define SIZE   (4 * CFI_SECTOR)
#define READY  0x00800080u
#define FAILED 0x00b000b0u /* ready, program and erase error: a wrong sequence */

static uint8_t array[SIZE];
static uint8_t sectors[SIZE]; /* the disk of big_submit() */
static struct emul_cfi flash;
static struct spinlock lock;
static struct mock_block mock;
static bool shown;
static unsigned int shows, cleaned_from, cleaned_to;

static void show(struct emul_cfi *which, bool is)
{
	assert_ptr_equal(which, &flash);
	assert_int_not_equal(is, shown);
	shown = is;
	shows++;
}

static void clean(const void *start, uint32_t size)
{
	cleaned_from = (unsigned int)((const uint8_t *)start - array);
	cleaned_to = cleaned_from + size;
}

/* The mock's disk is 128 KiB; this one is as large as the flash, and otherwise it. */
static enum io_status big_submit(struct block_backend *backend, struct block_request *request)
{
	struct block_request within = *request;
	enum io_status status;

	within.sector = 0;
	if (request->operation == BLOCK_FLUSH || mock.answer != IO_OK) {
		status = mock_block_submit(backend, request);
	} else {
		status = mock_block_submit(backend, &within);
	}
	if (status == IO_OK && request->operation == BLOCK_WRITE) {
		memcpy(sectors + request->sector * BLOCK_SECTOR, request->segment->at,
		       request->segment->length);
	} else if (status == IO_OK && request->operation == BLOCK_READ) {
		memcpy(request->segment->at, sectors + request->sector * BLOCK_SECTOR,
		       request->segment->length);
	}
	return status;
}

static const struct block_ops big_ops = {big_submit, mock_block_listen};

static int set_up(void **state)
{
	static const struct cfi_host host = {show, clean};

	(void)state;
	memset(array, 0xff, sizeof(array));
	memset(sectors, 0, sizeof(sectors));
	memset(&flash, 0, sizeof(flash));
	mock_block_init(&mock);
	mock.backend.ops = &big_ops;
	mock.backend.sectors = SIZE / BLOCK_SECTOR;
	mock.answer = IO_OK;
	mock.submitter = &lock;
	shown = false;
	cleaned_from = cleaned_to = 0;
	flash.array.at = array;
	flash.array.lock = &lock;
	flash.host = &host;
	flash.size = SIZE;
	cfi_init(&flash);
	shows = 0;
	return 0;
}

static int set_up_kept(void **state)
{
	set_up(state);
	flash.array.disk = &mock.backend;
	assert_null(mirror_open(&flash.array, SIZE));
	return 0;
}

static uint32_t read_at(uint32_t offset, uint32_t size)
{
	uint32_t value;

	spin_lock(&lock);
	value = cfi_ops.read(&flash, offset, size);
	spin_unlock(&lock);
	return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

static void write_at(uint32_t offset, uint32_t size, uint32_t value)
{
	spin_lock(&lock);
	cfi_ops.write(&flash, offset, size, value);
	spin_unlock(&lock);
}

static void command(uint32_t offset, uint32_t value)
{
	write_at(offset, 4, value * 0x10001);
}

static void reads_the_array(void **state)
{
	(void)state;
	assert_true(shown);
	array[SIZE - 1] = 0x12;
	array[SIZE - 2] = 0x34;
	assert_int_equal(read_at(SIZE - 4, 4), 0x1234ffff);
	assert_int_equal(read_at(SIZE - 2, 2), 0x1234);
	assert_int_equal(read_at(SIZE - 1, 1), 0x12);
	assert_int_equal(shows, 0);
}

static void answers_queries(void **state)
{
	static const struct {
		uint8_t at, value;
	} rows[] = {
		{0x0f, 0},    {0x10, 'Q'},  {0x11, 'R'},  {0x12, 'Y'},  {0x13, 1},    {0x14, 0},
		{0x15, 0x31}, {0x16, 0},    {0x1a, 0},    {0x1b, 0x45}, {0x1c, 0x55}, {0x1d, 0},
		{0x1f, 0x0a}, {0x20, 0x0a}, {0x21, 0x0a}, {0x24, 0x0c}, {0x26, 0},    {0x27, 19},
		{0x28, 2},    {0x29, 0},    {0x2a, 8},    {0x2b, 0},    {0x2c, 1},    {0x2d, 3},
		{0x2e, 0},    {0x2f, 0},    {0x30, 2},    {0x31, 'P'},  {0x32, 'R'},  {0x33, 'I'},
		{0x34, '1'},  {0x35, '1'},  {0x36, 0},    {0x37, 0},    {0xff, 0},
	};
	unsigned int i;

	(void)state;
	command(0x55 * 4, 0x98);
	assert_false(shown);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(read_at(rows[i].at * 4u, 4), rows[i].value * 0x10001u);
		assert_int_equal(read_at(rows[i].at * 4u + 2, 2), rows[i].value);
		assert_int_equal(read_at(rows[i].at * 4u + 1, 1), 0);
	}
	flash.size = 64u << 20;
	assert_int_equal(read_at(0x27 * 4, 4), 0x00190019);
	assert_int_equal(read_at(0x2d * 4, 4), 0x00ff00ff);
	flash.size = 128u << 20;
	assert_int_equal(read_at(0x2d * 4, 4), 0x00ff00ff);
	assert_int_equal(read_at(0x2e * 4, 4), 0x00010001);
	command(0, 0x90);
	assert_int_equal(read_at(0, 4), 0x00890089);
	assert_int_equal(read_at(4, 4), 0x00180018);
	assert_int_equal(read_at(8, 4), 0);
	assert_int_equal(shows, 1);
	command(0, 0xff);
	assert_true(shown);
	assert_int_equal(read_at(0x40, 4), 0xffffffff);
}

static void programs_only_clear_bits(void **state)
{
	(void)state;
	command(8, 0x40);
	assert_false(shown);
	write_at(8, 4, 0x12345678);
	assert_int_equal(read_at(0, 4), READY);
	assert_int_equal(cleaned_from, 8);
	assert_int_equal(cleaned_to, 12);
	command(8, 0x10);
	write_at(10, 2, 0xff0f);
	command(8, 0x40);
	write_at(8, 1, 0x0f);
	assert_int_equal(read_at(0, 4), READY);
	command(0, 0xff);
	assert_true(shown);
	assert_int_equal(read_at(8, 4), 0x12045608);
	assert_int_equal(read_at(4, 4), 0xffffffff);
	assert_int_equal(read_at(12, 4), 0xffffffff);
}

static void erases_a_sector(void **state)
{
	(void)state;
	memset(array, 0, sizeof(array));
	command(2 * CFI_SECTOR - 4, 0x20);
	command(2 * CFI_SECTOR - 4, 0xd0);
	assert_int_equal(read_at(0, 4), READY);
	assert_int_equal(array[CFI_SECTOR - 1], 0);
	assert_int_equal(array[CFI_SECTOR], 0xff);
	assert_int_equal(array[2 * CFI_SECTOR - 1], 0xff);
	assert_int_equal(array[2 * CFI_SECTOR], 0);
	assert_int_equal(cleaned_from, CFI_SECTOR);
	assert_int_equal(cleaned_to, 2 * CFI_SECTOR);
	command(0, 0x20);
	command(0, 0xff);
	assert_int_equal(read_at(0, 4), FAILED);
	assert_int_equal(array[0], 0);
	command(0, 0x50);
	assert_int_equal(read_at(0, 4), READY);
}

static void locks_are_accepted(void **state)
{
	static const uint32_t seconds[] = {0x01, 0xd0};
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		command(0, 0x60);
		command(0, seconds[i]);
		assert_int_equal(read_at(0, 4), READY);
	}
	command(0, 0x60);
	command(0, 0x20);
	assert_int_equal(read_at(0, 4), FAILED);
	command(0, 0x70);
	assert_int_equal(read_at(0, 4), FAILED);
	command(0, 0x77); /* no command */
	assert_true(shown);
}

static void fill(uint32_t offset, uint32_t words, uint32_t first)
{
	uint32_t i;

	command(offset, 0xe8);
	assert_int_equal(read_at(offset, 4), READY);
	command(offset, words - 1);
	for (i = 0; i < words; i++) {
		write_at(offset + 4 * i, 4, first + i);
	}
}

static void programs_by_buffer(void **state)
{
	uint32_t i;

	(void)state;
	fill(CFI_BUFFER, CFI_BUFFER / 4, 0xabcd0000);
	assert_int_equal(array[CFI_BUFFER], 0xff);
	command(CFI_BUFFER, 0xd0);
	command(0, 0xff);
	for (i = 0; i < CFI_BUFFER / 4; i++) {
		assert_int_equal(read_at(CFI_BUFFER + 4 * i, 4), 0xabcd0000 + i);
	}
	assert_int_equal(read_at(CFI_BUFFER - 4, 4), 0xffffffff);
	assert_int_equal(read_at(2 * CFI_BUFFER, 4), 0xffffffff);
	/* What is not filled in stays. */
	fill(4 * CFI_BUFFER + 8, 1, 0x11223344);
	command(0, 0xd0);
	command(0, 0xff);
	assert_int_equal(read_at(4 * CFI_BUFFER + 8, 4), 0x11223344);
	assert_int_equal(read_at(4 * CFI_BUFFER + 4, 4), 0xffffffff);
	assert_int_equal(read_at(4 * CFI_BUFFER + 12, 4), 0xffffffff);
}

static void refuses_wrong_buffers(void **state)
{
	(void)state;
	fill(0, 2, 0);
	command(0, 0xff); /* instead of the confirmation */
	assert_int_equal(read_at(0, 4), FAILED);
	command(0, 0x50);
	command(0, 0xe8);
	command(0, CFI_BUFFER / 4); /* one too many */
	assert_int_equal(read_at(0, 4), FAILED);
	command(0, 0x50);
	command(0, 0xe8);
	command(0, 1);
	write_at(CFI_BUFFER - 4, 4, 0);
	write_at(CFI_BUFFER, 4, 0); /* another buffer's place */
	assert_int_equal(read_at(0, 4), FAILED);
	command(0, 0x50);
	command(0, 0xe8);
	command(0, 1);
	write_at(CFI_BUFFER, 4, 0);
	write_at(CFI_BUFFER - 4, 4, 0);
	assert_int_equal(read_at(0, 4), FAILED);
	command(0, 0xff);
	assert_int_equal(read_at(0, 4), 0xffffffff);
	assert_int_equal(read_at(CFI_BUFFER, 4), 0xffffffff);
}

static void the_disk_gets_what_changed(void **state)
{
	(void)state;
	command(0, 0x40);
	write_at(0x1234 & ~3u, 4, 0);
	assert_int_equal(read_at(0, 4), READY);
	assert_int_equal(mock.submitted, 2); /* a sector, and a flush */
	assert_memory_equal(sectors + 0x1200, array + 0x1200, 0x200);
	assert_int_equal(sectors[0x11ff], 0);
	assert_int_equal(sectors[0x1400], 0);
	command(CFI_SECTOR, 0x20);
	command(CFI_SECTOR, 0xd0);
	assert_int_equal(mock.submitted, 2 + 4 + 1);
	assert_memory_equal(sectors + CFI_SECTOR, array + CFI_SECTOR, CFI_SECTOR);
	assert_int_equal(sectors[2 * CFI_SECTOR], 0);
}

/* The block of the disk around a change, and no flush where none is needed. */
static void blocks_of_the_disk(void **state)
{
	(void)state;
	mock.backend.block_size = 4096;
	mock.backend.writeback = false;
	command(0, 0x40);
	write_at(0x1ffc, 4, 0);
	assert_int_equal(mock.submitted, 1);
	assert_memory_equal(sectors + 0x1000, array + 0x1000, 0x1000);
	assert_int_equal(sectors[0x2000] | sectors[0xfff], 0);
}

static void busy_until_it_lasts(void **state)
{
	(void)state;
	mock.answer = IO_PENDING;
	command(0, 0x40);
	write_at(0, 4, 0);
	assert_int_equal(read_at(0, 4), 0);
	command(0, 0xff); /* not heard */
	assert_false(shown);
	assert_int_equal(read_at(0, 4), 0);
	spin_lock(&lock);
	assert_false(cfi_reset(&flash));
	spin_unlock(&lock);
	mock.submitter = NULL;
	assert_int_equal(mock.pending[0].copy.operation, BLOCK_WRITE);
	assert_int_equal(mock.pending[0].copy.sectors, 1);
	mock_block_end(&mock, 0, IO_OK);
	assert_int_equal(read_at(0, 4), 0);
	mock_block_batch(&mock);
	assert_int_equal(mock.count, 1);
	assert_int_equal(mock.pending[0].copy.operation, BLOCK_FLUSH);
	mock_block_batch(&mock); /* somebody else's */
	assert_int_equal(mock.count, 1);
	assert_int_equal(read_at(0, 4), 0);
	mock_block_end(&mock, 0, IO_OK);
	mock_block_batch(&mock);
	assert_int_equal(read_at(0, 4), READY);
	assert_int_equal(mock.submitted, 2);
	spin_lock(&lock);
	assert_true(cfi_reset(&flash));
	spin_unlock(&lock);
	assert_true(shown);
}

static void waits_for_a_busy_disk(void **state)
{
	(void)state;
	mock.room = 0;
	command(0, 0x20);
	command(0, 0xd0);
	assert_int_equal(read_at(0, 4), 0);
	mock_block_batch(&mock);
	assert_int_equal(read_at(0, 4), 0);
	mock.room = 100;
	mock_block_batch(&mock);
	assert_int_equal(read_at(0, 4), READY);
	assert_int_equal(mock.submitted, 5);
}

static void tells_what_the_disk_refused(void **state)
{
	(void)state;
	mock.answer = IO_ERROR;
	command(0, 0x40);
	write_at(0, 4, 0);
	assert_int_equal(read_at(0, 4), 0x00900090);
	assert_int_equal(mock.submitted, 1);
	command(0, 0x50);
	command(0, 0x20);
	command(0, 0xd0);
	assert_int_equal(read_at(0, 4), 0x00a000a0);
	command(0, 0x50);
	mock.answer = IO_PENDING; /* and the flush fails */
	mock.submitter = NULL;
	command(0, 0x40);
	write_at(0, 4, 0);
	mock_block_end(&mock, 0, IO_OK);
	mock_block_batch(&mock);
	mock_block_end(&mock, 0, IO_ERROR);
	mock_block_batch(&mock);
	assert_int_equal(read_at(0, 4), 0x00900090);
	command(0, 0x50);
	mock_block_batch(&mock); /* somebody else's */
	assert_int_equal(read_at(0, 4), READY);
	mock.answer = IO_OK; /* the next one is none the worse */
	command(0, 0x40);
	write_at(0, 4, 0);
	assert_int_equal(read_at(0, 4), READY);
}

static void fills_from_the_disk(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < SIZE; i++) {
		sectors[i] = (uint8_t)(i * 7 + i / 253);
	}
	spin_lock(&lock);
	assert_int_equal(mirror_begin(&flash.array, BLOCK_READ, 0, SIZE), IO_OK);
	spin_unlock(&lock);
	assert_memory_equal(array, sectors, SIZE);
	assert_int_equal(mock.submitted, SIZE / 0x10000); /* no flush */
}

static void disks_that_do_not_do(void **state)
{
	(void)state;
	mock.backend.read_only = true;
	assert_non_null(mirror_open(&flash.array, SIZE));
	mock.backend.read_only = false;
	mock.backend.sectors--;
	assert_non_null(mirror_open(&flash.array, SIZE));
	mock.backend.sectors++;
	mock.backend.block_size = 0x20000;
	assert_non_null(mirror_open(&flash.array, SIZE));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)
#define KEPT(name) cmocka_unit_test_setup(name, set_up_kept)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_the_array),          TEST(answers_queries),
		TEST(programs_only_clear_bits), TEST(erases_a_sector),
		TEST(locks_are_accepted),       TEST(programs_by_buffer),
		TEST(refuses_wrong_buffers),    KEPT(the_disk_gets_what_changed),
		KEPT(blocks_of_the_disk),       KEPT(busy_until_it_lasts),
		KEPT(waits_for_a_busy_disk),    KEPT(tells_what_the_disk_refused),
		KEPT(fills_from_the_disk),      KEPT(disks_that_do_not_do),
	};

	return cmocka_run_group_tests_name("cfi", tests, NULL, NULL);
}
