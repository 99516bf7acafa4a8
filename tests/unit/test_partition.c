/* SPDX-License-Identifier: BSD-2-Clause */
/* Partitions: what goes through one, how it is found in MBR, logical chain and GPT, and what
 * damaged or hostile tables come to. */
#include "suite.h"
#include "drivers/lock.h"
#include "drivers/block/partition.h"
#include "mock_block.h"
#include "mock_table.h"

static struct mock_block mock;
static struct partition partition;
static struct partition_search search;
static struct table_disk disk;
static struct table_gpt gpt, backup;
static unsigned int ends;
static const char *fault;

static void note_end(struct partition_search *ended, const char *sentence)
{
	assert_ptr_equal(ended, &search);
	assert_int_equal(search.lock.owner, search.lock.next);
	ends++;
	fault = sentence;
}

static int set_up(void **state)
{
	(void)state;
	mock_block_init(&mock);
	mock.answer = IO_OK;
	memset(mock.disk, 0, sizeof(mock.disk));
	memset(&search, 0xa5, sizeof(search));
	disk = (struct table_disk){mock.disk, MOCK_SECTORS, 512};
	ends = 0;
	return 0;
}

static void find(uint32_t number)
{
	ends = 0;
	partition_find(&search, &mock.backend, number, note_end);
}

static void assert_found(uint32_t number, uint64_t start, uint64_t sectors)
{
	find(number);
	assert_int_equal(ends, 1);
	assert_null(fault);
	assert_int_equal(search.start, start);
	assert_int_equal(search.sectors, sectors);
}

static void assert_fault(uint32_t number, const char *part_of_sentence)
{
	find(number);
	assert_int_equal(ends, 1);
	assert_non_null(fault);
	if (!strstr(fault, part_of_sentence)) {
		fail_msg("\"%s\" does not say \"%s\"", fault, part_of_sentence);
	}
}

/* --- what goes through a partition --- */

static bool done_called;
static enum io_status done_status;

static void note_done(struct io_request *request, enum io_status status, uint32_t length)
{
	(void)request;
	(void)length;
	done_called = true;
	done_status = status;
}

static void batch_nothing(void *device)
{
	(void)device;
}

static struct block_request request_for(enum block_operation operation, uint64_t sector,
					uint32_t sectors, const struct io_segment *segment)
{
	return (struct block_request){.io.done = note_done,
				      .operation = operation,
				      .sector = sector,
				      .sectors = sectors,
				      .segment = segment,
				      .count = 1};
}

static enum io_status submit(struct block_request *request)
{
	return partition.backend.ops->submit(&partition.backend, request);
}

static void partition_adds_its_start(void **state)
{
	static uint8_t buffer[1024];
	const struct io_segment segment = {buffer, sizeof(buffer)};
	struct block_request request = request_for(BLOCK_WRITE, 8, 2, &segment);

	(void)state;
	memset(buffer, 0x33, sizeof(buffer));
	assert_null(partition_init(&partition, &mock.backend, 100, 10));
	assert_int_equal(partition.backend.sectors, 10);
	mock.answer = IO_PENDING;
	mock.room = 0;
	assert_int_equal(submit(&request), IO_BUSY);
	mock.room = 2;
	assert_int_equal(submit(&request), IO_PENDING);
	done_called = false;
	mock_block_end(&mock, 0, IO_OK);
	assert_true(done_called);
	assert_int_equal(done_status, IO_OK);
	assert_int_equal(mock.disk[108 * 512 - 1], 0);
	assert_int_equal(mock.disk[108 * 512], 0x33);
	assert_int_equal(mock.disk[110 * 512 - 1], 0x33);
	assert_int_equal(mock.disk[110 * 512], 0);
}

static void partition_keeps_its_bounds(void **state)
{
	static uint8_t buffer[1024];
	const struct io_segment segment = {buffer, sizeof(buffer)};
	const uint64_t outside[] = {9, 10, 11, UINT64_MAX, UINT64_MAX - 100};
	struct block_request flush = {
		.io.done = note_done, .operation = BLOCK_FLUSH, .sector = UINT64_MAX};
	unsigned int i;

	(void)state;
	assert_null(partition_init(&partition, &mock.backend, 100, 10));
	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		struct block_request request = request_for(BLOCK_READ, outside[i], 2, &segment);

		assert_int_equal(submit(&request), IO_ERROR);
	}
	assert_int_equal(mock.submitted, 0);
	assert_int_equal(submit(&flush), IO_OK);
	assert_int_equal(mock.submitted, 1);
}

static void partition_says_what_the_disk_says(void **state)
{
	struct io_listener listener = {.batch = batch_nothing};
	char id[BLOCK_ID_LENGTH] = {0};

	(void)state;
	mock.backend.id = id;
	mock.backend.physical_exponent = 3;
	mock.backend.alignment_offset = 1;
	assert_null(partition_init(&partition, &mock.backend, 63, 10));
	assert_int_equal(partition.backend.alignment_offset, 2); /* 65 is 8n + 1 */
	assert_int_equal(partition.backend.discard_max, mock.backend.discard_max);
	memset(id, 'x', sizeof(id)); /* told after start-up */
	assert_memory_equal(partition.backend.id, id, BLOCK_ID_LENGTH);
	partition.backend.ops->listen(&partition.backend, &listener);
	assert_ptr_equal(mock.listeners, &listener);
	mock.backend.physical_exponent = 20;
	assert_null(partition_init(&partition, &mock.backend, 63, 10));
	assert_int_equal(partition.backend.physical_exponent, 0);
	assert_int_equal(partition.backend.alignment_offset, 0);
	mock.backend.block_size = 4096;
	mock.backend.physical_exponent = 1;
	mock.backend.alignment_offset = 0;
	assert_null(partition_init(&partition, &mock.backend, 24, 8));
	assert_int_equal(partition.backend.alignment_offset, 1);
}

static void ranges_that_are_none(void **state)
{
	(void)state;
	assert_null(partition_init(&partition, &mock.backend, 0, MOCK_SECTORS));
	assert_non_null(partition_init(&partition, &mock.backend, 0, 0));
	assert_non_null(partition_init(&partition, &mock.backend, 1, MOCK_SECTORS));
	assert_non_null(partition_init(&partition, &mock.backend, MOCK_SECTORS, 1));
	assert_non_null(partition_init(&partition, &mock.backend, UINT64_MAX, 2));
	assert_non_null(partition_init(&partition, &mock.backend, 2, UINT64_MAX));
	mock.backend.block_size = 4096;
	assert_non_null(partition_init(&partition, &mock.backend, 4, 8));
	assert_non_null(partition_init(&partition, &mock.backend, 8, 4));
	assert_null(partition_init(&partition, &mock.backend, 8, 8));
}

/* --- MBR --- */

/* Primaries 1 and 3; an extended one from 50 on with the logicals 5, 6 and 7. */
static void make_mbr(void)
{
	table_mbr(&disk, 0, 0, 0x83, 10, 20);
	table_mbr(&disk, 0, 2, 0x82, 30, 5);
	table_mbr(&disk, 0, 1, 0x0f, 50, 100);
	table_mbr(&disk, 50, 0, 0x83, 2, 8);
	table_mbr(&disk, 50, 1, 0x05, 20, 30);
	table_mbr(&disk, 70, 0, 0x05, 60, 30);
	table_mbr(&disk, 70, 1, 0x83, 1, 10);
	table_mbr(&disk, 110, 0, 0x07, 3, 4);
}

static void primary_and_logical(void **state)
{
	(void)state;
	make_mbr();
	assert_found(1, 10, 20);
	assert_found(3, 30, 5);
	assert_found(5, 52, 8);
	assert_found(6, 71, 10);
	assert_found(7, 113, 4);
	assert_fault(2, "no such"); /* the extended one holds others */
	assert_fault(4, "no such");
	assert_fault(8, "no such");
	assert_fault(0, "no such");
	assert_fault(UINT32_MAX, "no such");
}

static void mbr_of_large_blocks(void **state)
{
	(void)state;
	mock.backend.block_size = disk.block_size = 4096;
	disk.blocks /= 8;
	table_mbr(&disk, 0, 0, 0x83, 2, 3);
	table_mbr(&disk, 0, 1, 0x85, 10, 5);
	table_mbr(&disk, 10, 0, 0x83, 1, 2);
	assert_found(1, 16, 24);
	assert_found(5, 88, 16);
	mock.backend.block_size = 8192;
	assert_fault(1, "larger than 4 KiB");
}

static void partition_behind_the_disk(void **state)
{
	(void)state;
	table_mbr(&disk, 0, 0, 0x83, 255, 1);
	table_mbr(&disk, 0, 1, 0x83, 255, 2);
	table_mbr(&disk, 0, 2, 0x83, UINT32_MAX, UINT32_MAX);
	table_mbr(&disk, 0, 3, 0x05, 20, 10);
	table_mbr(&disk, 20, 0, 0x83, UINT32_MAX - 5, 10);
	assert_found(1, 255, 1);
	assert_fault(2, "ends behind");
	assert_fault(3, "ends behind");
	assert_fault(5, "ends behind");
}

static void chains_without_end(void **state)
{
	(void)state;
	table_mbr(&disk, 0, 0, 0x05, 50, 100);
	table_mbr(&disk, 50, 0, 0x05, 10, 1);
	table_mbr(&disk, 60, 0, 0x05, 0, 1);
	assert_fault(5, "no such");
	assert_in_range(mock.submitted, 10, 200);
	table_mbr(&disk, 50, 0, 0x05, UINT32_MAX, 1); /* a link to nowhere */
	assert_fault(5, "chain of logical partitions is damaged");
	table_mbr(&disk, 50, 0, 0x05, 11, 1); /* a link to a block that is no table */
	assert_fault(5, "chain of logical partitions is damaged");
}

static void no_table(void **state)
{
	(void)state;
	assert_fault(1, "no partition table");
	mock.answer = IO_ERROR;
	assert_fault(1, "can't be read");
}

/* --- GPT --- */

static void make_gpt(uint32_t count, uint32_t entry_size)
{
	uint32_t blocks = count * entry_size / disk.block_size;

	gpt = (struct table_gpt){1, 2, count, entry_size};
	backup = (struct table_gpt){disk.blocks - 1, disk.blocks - 1 - blocks, count, entry_size};
	table_gpt_entry(&disk, &gpt, 0, 40, 49);
	table_gpt_entry(&disk, &gpt, 2, 60, 60);
	table_gpt_entry(&disk, &gpt, count - 1, 70, 99);
	memcpy(table_block(&disk, backup.entries), table_block(&disk, gpt.entries),
	       (size_t)count * entry_size);
	table_gpt_header(&disk, &gpt);
	table_gpt_header(&disk, &backup);
}

static void assert_gpt(void)
{
	assert_found(1, 40, 10);
	assert_found(3, 60, 1);
	assert_found(gpt.count, 70, 30);
	assert_fault(2, "no such");
	assert_fault(gpt.count + 1, "no such");
	assert_fault(UINT32_MAX, "no such");
}

static void gpt_as_usual(void **state)
{
	(void)state;
	make_gpt(128, 128);
	table_mbr(&disk, 0, 1, 0x83, 5, 5); /* a hybrid: the GPT counts */
	assert_gpt();
}

static void gpt_with_large_entries(void **state)
{
	uint32_t size;

	(void)state;
	for (size = 128; size <= 4096; size *= 2) {
		memset(mock.disk, 0, sizeof(mock.disk));
		make_gpt(8, size);
		assert_gpt();
	}
}

static void gpt_of_large_blocks(void **state)
{
	(void)state;
	mock.backend.block_size = disk.block_size = 4096;
	disk.blocks /= 8;
	gpt = (struct table_gpt){1, 2, 64, 128};
	table_gpt_entry(&disk, &gpt, 63, 7, 9);
	table_gpt_header(&disk, &gpt);
	assert_found(64, 56, 24);
}

static void gpt_with_a_bad_primary(void **state)
{
	static const uint32_t damage[] = {0, 8, 20, 24, 56, 72, 80, 84, 88};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		make_gpt(128, 128);
		table_block(&disk, 1)[damage[i]] ^= 1;
		assert_gpt();
		/* Nor may it be the backup's for the asking. */
		table_block(&disk, disk.blocks - 1)[damage[i]] ^= 1;
		assert_fault(1, "the backup too");
	}
	make_gpt(128, 128);
	table_block(&disk, 2)[5 * 128] ^= 1; /* an entry that nobody asked for */
	table_gpt_entry(&disk, &gpt, 0, 41, 42);
	assert_gpt();
	table_block(&disk, backup.entries)[5 * 128] ^= 1;
	assert_fault(1, "the backup too");
}

/* A header with the right checksum which says what can't be. */
static void gpt_that_lies(void **state)
{
	static const struct {
		uint32_t at, size;
		uint64_t value;
	} lie[] = {
		{12, 4, 91},         {12, 4, 513},        {12, 4, UINT32_MAX}, {24, 8, 2},
		{72, 8, UINT64_MAX}, {72, 8, 256},        {72, 8, 250},        {80, 4, 0},
		{80, 4, UINT32_MAX}, {80, 4, 8193},       {84, 4, 64},         {84, 4, 0},
		{84, 4, 8192},       {84, 4, UINT32_MAX}, {84, 4, 192},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
		make_gpt(128, 128);
		table_store(table_block(&disk, 1) + lie[i].at, lie[i].size, lie[i].value);
		if (lie[i].at >= 80 && lie[i].value <= 192) { /* and the entries' too */
			table_store(table_block(&disk, 1) + 88, 4,
				    crc32_update(0, table_block(&disk, 2),
						 128 * (uint32_t)lie[i].value));
		}
		table_gpt_sign(&disk, &gpt);
		memset(table_block(&disk, disk.blocks - 1), 0, 512);
		mock.submitted = 0;
		assert_fault(1, "the backup too");
		assert_in_range(mock.submitted, 3, 10);
	}
}

static void gpt_partition_outside(void **state)
{
	static const uint64_t range[][2] = {
		{200, 256},          {256, 256},      {10, 8},
		{0, UINT64_MAX - 1}, {UINT64_MAX, 1}, {1ull << 55, (1ull << 55) + 1},
	};
	unsigned int i;

	(void)state;
	make_gpt(128, 128);
	for (i = 0; i < sizeof(range) / sizeof(range[0]); i++) {
		table_gpt_entry(&disk, &gpt, 1, range[i][0], range[i][1]);
		table_gpt_header(&disk, &gpt);
		assert_fault(2, "ends behind");
	}
	table_gpt_entry(&disk, &gpt, 1, 10, 9);
	table_gpt_header(&disk, &gpt);
	assert_fault(2, "no such");
}

/* --- a backend that takes its time --- */

static void search_by_interrupts(void **state)
{
	unsigned int reads = 0;

	(void)state;
	make_gpt(128, 128);
	mock.answer = IO_PENDING;
	find(3);
	while (ends == 0) {
		assert_int_equal(mock.count, 1);
		assert_true(++reads < 20);
		mock_block_end(&mock, 0, IO_OK);
		mock_block_batch(&mock);
	}
	assert_null(fault);
	assert_int_equal(search.start, 60);
	assert_int_equal(reads, 2 + 4);
	assert_int_equal(mock.count, 0);
}

/* And it leaves no trace: the next one may be on the same disk. */
static void search_in_a_busy_backend(void **state)
{
	(void)state;
	make_gpt(128, 128);
	mock.room = 0;
	assert_fault(1, "can't be read");
	mock.room = 3;
	mock.answer = IO_PENDING;
	find(1);
	mock.room = UINT32_MAX; /* none, once this one has ended */
	mock_block_end(&mock, 0, IO_OK);
	assert_non_null(strstr(fault, "the backup too"));
	mock.room = 1;
	mock.answer = IO_OK;
	assert_found(1, 40, 10);
	assert_null(mock.listeners);
}

static void errors_on_the_way(void **state)
{
	unsigned int failing, i;

	(void)state;
	make_gpt(128, 128);
	mock.answer = IO_PENDING;
	for (failing = 1; failing < 6; failing++) {
		find(1);
		for (i = 0; ends == 0; i++) {
			mock_block_end(&mock, 0, i == failing ? IO_ERROR : IO_OK);
		}
		assert_null(fault); /* the backup has it */
		assert_int_equal(search.start, 40);
	}
	find(1);
	mock_block_end(&mock, 0, IO_OK);
	while (ends == 0) {
		mock_block_end(&mock, 0, IO_UNSUPPORTED);
	}
	assert_non_null(strstr(fault, "the backup too"));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(partition_adds_its_start),
		TEST(partition_keeps_its_bounds),
		TEST(partition_says_what_the_disk_says),
		TEST(ranges_that_are_none),
		TEST(primary_and_logical),
		TEST(mbr_of_large_blocks),
		TEST(partition_behind_the_disk),
		TEST(chains_without_end),
		TEST(no_table),
		TEST(gpt_as_usual),
		TEST(gpt_with_large_entries),
		TEST(gpt_of_large_blocks),
		TEST(gpt_with_a_bad_primary),
		TEST(gpt_that_lies),
		TEST(gpt_partition_outside),
		TEST(search_by_interrupts),
		TEST(search_in_a_busy_backend),
		TEST(errors_on_the_way),
	};

	return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
