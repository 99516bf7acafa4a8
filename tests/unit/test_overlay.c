/* SPDX-License-Identifier: BSD-2-Clause */
/* The overlay against an array that says what it should hold: runs of store and disk below in any
 * mixture, busy and failing disks, a full store, several requests at once. */
#include "suite.h"
#include "drivers/block/overlay.h"
#include "mock_block.h"

#define CHUNKS     (MOCK_SECTORS / OVERLAY_CHUNK)
#define MAP_BYTES  (4 * (CHUNKS + 1))
#define SLOT_BYTES (OVERLAY_CHUNK * BLOCK_SECTOR + 4)

#define READS 24u /* more than the overlay takes */

struct transfer {
	struct block_request request; /* first */
	struct io_segment segment[4];
	uint8_t buffer[96 * BLOCK_SECTOR];
	enum io_status status; /* IO_BUSY: not in flight */
	unsigned int ends;
};

static struct transfer one;
static struct mock_block mock;
static struct overlay overlay;
static _Alignas(4) uint8_t store[MAP_BYTES + CHUNKS * SLOT_BYTES];
static uint8_t model[MOCK_SECTORS * BLOCK_SECTOR];
static bool undefined[MOCK_SECTORS];
static struct io_listener listener;
static unsigned int batches;

static void note_batch(void *device)
{
	(void)device;
	batches++;
}

static void create(unsigned int slots)
{
	memset(&overlay, 0xa5, sizeof(overlay));
	memset(store, 0xa5, sizeof(store));
	mock.listeners = NULL;
	assert_null(
		overlay_init(&overlay, &mock.backend, store, MAP_BYTES + slots * SLOT_BYTES + 3));
	listener = (struct io_listener){.batch = note_batch};
	overlay.backend.ops->listen(&overlay.backend, &listener);
}

static int set_up(void **state)
{
	(void)state;
	mock_block_init(&mock);
	mock.backend.read_only = true;
	mock.answer = IO_OK;
	memcpy(model, mock.disk, sizeof(model));
	memset(undefined, 0, sizeof(undefined));
	one.ends = batches = 0;
	create(CHUNKS);
	return 0;
}

/* --- a request --- */

static void note_end(struct io_request *io, enum io_status status, uint32_t length)
{
	struct transfer *transfer = (struct transfer *)io;

	assert_int_equal(overlay.lock.owner, overlay.lock.next);
	assert_int_equal(transfer->status, IO_PENDING);
	assert_int_equal(length, status == IO_OK ? transfer->request.sectors * BLOCK_SECTOR : 0);
	transfer->status = status;
	transfer->ends++;
}

/* Cuts the buffer at @cut and @cut + 1 bytes, if there is room for that. */
static enum io_status submit(struct transfer *transfer, enum block_operation operation,
			     uint64_t sector, uint32_t sectors, uint32_t cut)
{
	uint32_t length = sectors * BLOCK_SECTOR;

	transfer->request = (struct block_request){.io.done = note_end,
						   .operation = operation,
						   .sector = sector,
						   .sectors = sectors,
						   .segment = transfer->segment,
						   .count = 1};
	transfer->segment[0] = (struct io_segment){transfer->buffer, length};
	if (cut > 0 && cut + 1 < length) {
		transfer->segment[0].length = cut;
		transfer->segment[1] = (struct io_segment){transfer->buffer + cut, 1};
		transfer->segment[2] =
			(struct io_segment){transfer->buffer + cut + 1, length - cut - 1};
		transfer->request.count = 3;
	}
	transfer->status = overlay.backend.ops->submit(&overlay.backend, &transfer->request);
	memset(transfer->segment, 0x77, sizeof(transfer->segment)); /* ours again */
	return transfer->status;
}

static enum io_status write_sectors(uint64_t sector, uint32_t sectors, uint8_t value)
{
	memset(one.buffer, value, sectors * BLOCK_SECTOR);
	if (submit(&one, BLOCK_WRITE, sector, sectors, 700) == IO_OK) {
		memset(model + sector * BLOCK_SECTOR, value, sectors * BLOCK_SECTOR);
		memset(undefined + sector, false, sectors);
	}
	return one.status;
}

static enum io_status zero_sectors(uint64_t sector, uint32_t sectors)
{
	if (submit(&one, BLOCK_WRITE_ZEROES, sector, sectors, 0) == IO_OK) {
		memset(model + sector * BLOCK_SECTOR, 0, sectors * BLOCK_SECTOR);
		memset(undefined + sector, false, sectors);
	}
	return one.status;
}

static enum io_status discard_sectors(uint64_t sector, uint32_t sectors)
{
	if (submit(&one, BLOCK_DISCARD, sector, sectors, 0) == IO_OK) {
		memset(undefined + sector, true, sectors);
	}
	return one.status;
}

static void assert_read(const struct transfer *read)
{
	uint32_t i;

	assert_int_equal(read->status, IO_OK);
	for (i = 0; i < read->request.sectors; i++) {
		uint64_t sector = read->request.sector + i;

		if (!undefined[sector]) {
			assert_memory_equal(read->buffer + i * BLOCK_SECTOR,
					    model + sector * BLOCK_SECTOR, BLOCK_SECTOR);
		}
	}
}

/* All of the disk, by reads of different lengths and cuts. */
static void assert_disk(void)
{
	uint64_t sector = 0;
	uint32_t sectors;

	for (; sector < MOCK_SECTORS; sector += sectors) {
		sectors = (uint32_t)(sector % 90 + 1);
		if (sectors > MOCK_SECTORS - sector) {
			sectors = (uint32_t)(MOCK_SECTORS - sector);
		}
		submit(&one, BLOCK_READ, sector, sectors, (uint32_t)sector * 37 % 2000);
		assert_read(&one);
	}
	/* What is below is as it was. */
	for (sector = 0; sector < sizeof(mock.disk); sector++) {
		assert_int_equal(mock.disk[sector], mock_block_byte(sector));
	}
}

/* --- one request at a time --- */

static void says_what_it_can(void **state)
{
	(void)state;
	assert_int_equal(overlay.backend.sectors, MOCK_SECTORS);
	assert_false(overlay.backend.read_only);
	assert_false(overlay.backend.writeback);
	assert_int_equal(overlay.backend.segments_max, 12);
	assert_int_equal(overlay.slot_count, CHUNKS);
	assert_memory_equal(overlay.backend.id, mock.backend.id, BLOCK_ID_LENGTH);
	assert_int_equal(submit(&one, BLOCK_FLUSH, 0, 0, 0), IO_OK);
	mock.backend.segments_max = 1000;
	create(1);
	assert_int_equal(overlay.backend.segments_max, OVERLAY_SEGMENTS);
	assert_int_equal(overlay.slot_count, 1);
	assert_non_null(overlay_init(&overlay, &mock.backend, store, MAP_BYTES - 4));
	mock.backend.sectors = UINT64_MAX;
	assert_non_null(overlay_init(&overlay, &mock.backend, store, sizeof(store)));
}

/* What nothing was written to goes below in place, as it came. */
static void untouched_disk(void **state)
{
	(void)state;
	mock.answer = IO_PENDING;
	assert_int_equal(submit(&one, BLOCK_READ, 20, 64, 100), IO_PENDING);
	assert_int_equal(mock.count, 1);
	assert_ptr_equal(mock.pending[0].request, &one.request);
	mock_block_end(&mock, 0, IO_ERROR);
	assert_int_equal(one.status, IO_ERROR);
	mock_block_batch(&mock);
	assert_int_equal(batches, 1);
}

static void written_and_read(void **state)
{
	(void)state;
	write_sectors(5, 1, 1);
	write_sectors(30, 40, 2);
	write_sectors(MOCK_SECTORS - 1, 1, 3);
	assert_int_equal(mock.submitted, 0); /* no read before a write */
	assert_disk();
	write_sectors(5, 30, 4);
	assert_disk();
	mock.submitted = 0;
	submit(&one, BLOCK_READ, 5, 65, 1);
	assert_read(&one);
	assert_int_equal(mock.submitted, 0);
}

static void zeroes(void **state)
{
	(void)state;
	write_sectors(40, 4, 5);
	assert_int_equal(zero_sectors(10, 60), IO_OK); /* parts, and chunk 1 whole */
	assert_disk();
	write_sectors(33, 2, 6); /* into the chunk of zeroes */
	zero_sectors(34, 1);
	assert_disk();
	zero_sectors(0, MOCK_SECTORS);
	assert_disk();
	mock.submitted = 0;
	assert_disk();
	assert_int_equal(mock.submitted, 0);
	zero_sectors(3, 7); /* of zeroes: nothing changes */
	assert_disk();
	assert_int_equal(overlay.map[0], UINT32_MAX);
}

static void discards_give_room_back(void **state)
{
	unsigned int i;

	(void)state;
	create(2);
	for (i = 0; i < 4; i++) {
		assert_int_equal(write_sectors(0, 5, 1), IO_OK);
		assert_int_equal(write_sectors(40, 5, 2), IO_OK);
		assert_int_equal(write_sectors(70, 1, 3), IO_ERROR);
		assert_int_equal(discard_sectors(0, 3), IO_OK);
		assert_disk();
		assert_int_equal(write_sectors(70, 1, 3), IO_ERROR);
		assert_int_equal(discard_sectors(3, 70), IO_OK);
		assert_disk();
		assert_int_equal(write_sectors(70, 1, 3), IO_OK);
		assert_int_equal(write_sectors(100, 1, 4), IO_OK);
		assert_int_equal(zero_sectors(64, 64), IO_OK);
		assert_disk();
	}
}

static void full_store(void **state)
{
	(void)state;
	create(2);
	assert_int_equal(write_sectors(0, 1, 1), IO_OK);
	assert_int_equal(write_sectors(32, 1, 2), IO_OK);
	assert_int_equal(write_sectors(64, 1, 3), IO_ERROR);
	assert_int_equal(zero_sectors(64, 1), IO_ERROR);
	assert_disk();
	assert_int_equal(zero_sectors(64, 32), IO_OK); /* needs no room */
	assert_int_equal(write_sectors(64, 1, 4), IO_ERROR);
	assert_int_equal(write_sectors(1, 31, 5), IO_OK);
	assert_disk();
	create(0);
	memcpy(model, mock.disk, sizeof(model));
	assert_int_equal(write_sectors(0, 1, 1), IO_ERROR);
	assert_disk();
}

/* --- a disk below that takes its time --- */

static void runs_go_below_in_place(void **state)
{
	(void)state;
	write_sectors(11, 1, 1);
	write_sectors(14, 2, 2);
	mock.answer = IO_PENDING;
	/* 10 | 11 | 12 13 | 14 15 | 16, the buffer cut in sector 12 */
	assert_int_equal(submit(&one, BLOCK_READ, 10, 7, 1100), IO_PENDING);
	assert_int_equal(mock.count, 1);
	assert_ptr_equal(mock.pending[0].segment[0].at, one.buffer);
	assert_int_equal(mock.pending[0].segment[0].length, 512);
	mock_block_end(&mock, 0, IO_OK);
	assert_int_equal(mock.count, 1);
	assert_int_equal(mock.pending[0].copy.sector, 12);
	assert_int_equal(mock.pending[0].copy.sectors, 2);
	assert_int_equal(mock.pending[0].copy.count, 3);
	assert_ptr_equal(mock.pending[0].segment[0].at, one.buffer + 1024);
	assert_int_equal(mock.pending[0].segment[0].length, 76);
	assert_int_equal(mock.pending[0].segment[2].length, 947);
	mock_block_end(&mock, 0, IO_OK);
	assert_int_equal(one.status, IO_PENDING);
	mock_block_end(&mock, 0, IO_OK);
	assert_int_equal(one.ends, 1);
	assert_read(&one);
}

static void a_run_that_fails(void **state)
{
	unsigned int failing, i;

	(void)state;
	write_sectors(11, 1, 1);
	for (failing = 0; failing < 2; failing++) {
		mock.answer = IO_PENDING;
		submit(&one, BLOCK_READ, 10, 3, 0);
		for (i = 0; i < failing; i++) {
			mock_block_end(&mock, 0, IO_OK);
		}
		mock_block_end(&mock, 0, IO_ERROR);
		assert_int_equal(one.status, IO_ERROR);
		assert_int_equal(mock.count, 0);
	}
	mock.answer = IO_ERROR;
	assert_int_equal(submit(&one, BLOCK_READ, 10, 3, 0), IO_ERROR);
	mock.answer = IO_OK;
	assert_disk();
}

/* --- anything, many at once --- */

static uint32_t any(uint32_t below)
{
	static uint32_t state = 12345;

	state = state * 1664525 + 1013904223;
	return (state >> 8) % below;
}

static struct transfer reads[READS];

/* A change to what is being read leaves open what the read gets. */
static bool is_being_read(uint64_t sector, uint32_t sectors)
{
	unsigned int i;

	for (i = 0; i < READS; i++) {
		const struct block_request *request = &reads[i].request;

		if (reads[i].status == IO_PENDING && sector < request->sector + request->sectors &&
		    request->sector < sector + sectors) {
			return true;
		}
	}
	return false;
}

static void change_any(uint8_t value)
{
	uint32_t sectors = any(6) == 0 ? any(96) + 1 : any(10) + 1;
	uint64_t sector = any(MOCK_SECTORS - sectors + 1);

	if (is_being_read(sector, sectors)) {
		return;
	}
	switch (any(6)) {
	case 0:
		assert_int_equal(discard_sectors(sector, sectors), IO_OK);
		break;
	case 1:
		assert_int_equal(zero_sectors(sector, sectors), IO_OK);
		break;
	default:
		assert_int_equal(write_sectors(sector, sectors, value), IO_OK);
		break;
	}
}

/* Returns whether the overlay took it. */
static bool read_any(struct transfer *read)
{
	uint32_t sectors = any(90) + 1;

	submit(read, BLOCK_READ, any(MOCK_SECTORS - sectors + 1), sectors,
	       any(2) ? any(sectors) * BLOCK_SECTOR : any(sectors * BLOCK_SECTOR));
	if (read->status == IO_OK) {
		assert_read(read);
	}
	return read->status != IO_BUSY;
}

static void end_any(void)
{
	unsigned int failing = any(20) == 0, i;
	uint32_t before[READS];

	if (mock.count == 0) {
		return;
	}
	for (i = 0; i < READS; i++) {
		before[i] = reads[i].ends;
	}
	mock_block_end(&mock, any(mock.count), failing ? IO_ERROR : IO_OK);
	for (i = 0; i < READS; i++) {
		if (reads[i].ends != before[i]) {
			if (reads[i].status != IO_ERROR || !failing) {
				assert_read(&reads[i]);
			}
		}
	}
}

static void end_all(void)
{
	mock.room = MOCK_PENDING;
	mock_block_batch(&mock);
	while (mock.count > 0) {
		end_any();
		mock_block_batch(&mock);
	}
}

static void anything(void **state)
{
	unsigned int step, i, busy = 0, left = 0;
	const struct overlay_read *read;

	(void)state;
	mock.answer = IO_PENDING;
	memset(reads, 0, sizeof(reads));
	for (step = 0; step < 20000; step++) {
		struct transfer *chosen = &reads[any(READS)];

		switch (any(8)) {
		case 0:
		case 1:
			change_any((uint8_t)step);
			break;
		case 2:
		case 3:
		case 4:
			if (chosen->status != IO_PENDING) {
				busy += !read_any(chosen);
			}
			break;
		case 5:
			mock.room = any(4);
			mock_block_batch(&mock);
			break;
		default:
			end_any();
			break;
		}
		if (step % 1000 == 999) {
			end_all();
		}
	}
	assert_true(busy > 100);
	for (i = 0; i < READS; i++) {
		assert_int_not_equal(reads[i].status, IO_PENDING);
	}
	for (read = overlay.free; read; read = read->next) {
		left++;
	}
	assert_int_equal(left, OVERLAY_READS);
	mock.answer = IO_OK;
	assert_disk();
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_what_it_can),
		TEST(untouched_disk),
		TEST(written_and_read),
		TEST(zeroes),
		TEST(discards_give_room_back),
		TEST(full_store),
		TEST(runs_go_below_in_place),
		TEST(a_run_that_fails),
		TEST(anything),
	};

	return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
