/* SPDX-License-Identifier: BSD-2-Clause */
/* SD cards behind a PL180 or PL181: identification, data, errors at each point, removal, time-outs.
 */
#include "mock_sd.h"

#define TURNS      100000u /* more than any request takes */
#define SECTORS    200u    /* of the longest request: more than three commands */
#define GUARD      16u
#define ACMD(n)    (64 + (n))
#define TEST(test) cmocka_unit_test_setup(test, set_up)

static struct hw_sd card;
static uint8_t buffer[SECTORS * BLOCK_SECTOR + 2 * GUARD];
static struct io_listener listener;
static unsigned int batches;

static struct request {
	struct block_request block;
	unsigned int ends;
	enum io_status status;
	uint32_t length;
} request[2];

static struct request *next; /* done() submits it */

static void assert_unlocked(void)
{
	assert_int_equal(card.lock.owner, card.lock.next);
}

static void done(struct io_request *io, enum io_status status, uint32_t length)
{
	struct request *ended = (struct request *)io;

	assert_unlocked();
	ended->ends++;
	ended->status = status;
	ended->length = length;
	if (next != NULL) {
		struct request *now = next;

		next = NULL;
		assert_int_equal(card.backend.ops->submit(&card.backend, &now->block), IO_PENDING);
	}
}

static void batch(void *device)
{
	assert_ptr_equal(device, &card);
	assert_unlocked();
	batches++;
}

/* Everything that happens without a tick. */
static bool run(void)
{
	bool on = true;
	unsigned int turns = 0;

	while (mock_run() || mock_interrupts()) {
		assert_in_range(turns++, 0, TURNS);
		if (mock_interrupts()) {
			const bool moving = card.step == SD_MOVE;

			mock.fifo_accesses = 0;
			on = hw_sd_irq(&card);
			assert_in_range(mock.fifo_accesses, moving && card.step == SD_MOVE, 16);
			assert_unlocked();
		}
	}
	return on;
}

static void open_card(void)
{
	memset(&card, 0, sizeof(card));
	memset(request, 0, sizeof(request));
	next = NULL;
	batches = 0;
	tick_count = 250;
	hw_sd_init(&card, REGISTERS, mock_pause);
	assert_int_equal(mock.pauses, 2);
	assert_int_equal(mock.power, 3);
	listener = (struct io_listener){batch, &card, NULL};
	card.backend.ops->listen(&card.backend, &listener);
	hw_sd_identify(&card);
	assert_int_equal(mock.ticks_started, 1);
	run();
	mock.count = 0;
}

static int set_up(void **state)
{
	(void)state;
	mock_begin();
	open_card();
	assert_true(card.known);
	return 0;
}

static enum io_status submit(unsigned int i, enum block_operation operation, uint64_t sector,
			     const struct io_segment *segment, uint16_t count)
{
	uint32_t bytes = 0;

	for (uint16_t j = 0; j < count; j++) {
		bytes += segment[j].length;
	}
	request[i] = (struct request){.block = {.io.done = done,
						.operation = operation,
						.sector = sector,
						.sectors = bytes / BLOCK_SECTOR,
						.segment = segment,
						.count = count}};
	return card.backend.ops->submit(&card.backend, &request[i].block);
}

static enum io_status submit_one(enum block_operation operation, uint64_t sector, uint32_t sectors)
{
	const struct io_segment segment = {buffer + GUARD, sectors * BLOCK_SECTOR};

	return submit(0, operation, sector, &segment, 1);
}

static void assert_ended(unsigned int i, enum io_status status)
{
	const struct block_request *block = &request[i].block;

	assert_int_equal(request[i].ends, 1);
	assert_int_equal(request[i].status, status);
	assert_int_equal(request[i].length, status == IO_OK && block->operation == BLOCK_READ
						    ? block->sectors * BLOCK_SECTOR
						    : 0);
	assert_int_equal(card.step, SD_IDLE);
	assert_int_equal(mock.mask, 0);
}

/* A request of @sectors ends with @status; what it read is what the card has. */
static void transfer_ends(enum block_operation operation, uint64_t sector, uint32_t sectors,
			  enum io_status status)
{
	static uint8_t before[sizeof(buffer)];

	for (size_t i = 0; i < sizeof(buffer); i++) {
		buffer[i] = (uint8_t)(i * 11 + sector);
	}
	memcpy(before, buffer, sizeof(buffer));
	assert_int_equal(submit_one(operation, sector, sectors), IO_PENDING);
	run();
	assert_ended(0, status);
	if (status == IO_OK) {
		assert_memory_equal(buffer + GUARD, disk + sector * BLOCK_SECTOR,
				    sectors * BLOCK_SECTOR);
	}
	if (operation == BLOCK_WRITE) {
		assert_memory_equal(buffer, before, sizeof(buffer));
	}
	assert_memory_equal(buffer, before, GUARD);
	assert_memory_equal(buffer + GUARD + sectors * BLOCK_SECTOR,
			    before + GUARD + sectors * BLOCK_SECTOR, GUARD);
}

#define assert_sent(...)                                                                           \
	do {                                                                                       \
		static const uint8_t expected[] = {__VA_ARGS__};                                   \
		assert_int_equal(mock.count, sizeof(expected));                                    \
		assert_memory_equal(mock.sent, expected, sizeof(expected));                        \
	} while (0)

/* As many ticks as there are before a time-out, and the one that is it. */
static void ticks_pass(void)
{
	for (unsigned int i = 0; i < HW_SD_TIMEOUT; i++) {
		tick_count++;
		assert_true(hw_sd_tick(&card));
	}
	tick_count++;
	assert_false(hw_sd_tick(&card));
	assert_unlocked();
}

/* --- identification --- */

static void high_capacity(void **state)
{
	(void)state;
	mock.count = 0;
	card.known = false;
	transfer_ends(BLOCK_READ, 3, 1, IO_OK);
	assert_sent(0, 8, 55, ACMD(41), 2, 3, 9, 7, 16, 55, ACMD(6), 18, 12, 13);
	assert_int_equal(card.backend.sectors, DISK);
	assert_int_equal(card.backend.block_size, 512);
	assert_false(card.backend.read_only || card.backend.writeback);
	assert_int_equal(card.backend.discard_max + card.backend.write_zeroes_max, 0);
}

static void standard_capacity(void **state)
{
	(void)state;
	mock_begin();
	mock_standard(DISK / 2);
	open_card();
	assert_int_equal(card.backend.sectors, DISK / 2);
	transfer_ends(BLOCK_WRITE, DISK / 2 - 5, 5, IO_OK);
	transfer_ends(BLOCK_READ, DISK / 2 - 7, 7, IO_OK);
}

/* Knows no CMD8, and says so when it is asked the next time; takes its time; one wire. */
static void version_1(void **state)
{
	(void)state;
	mock_begin();
	mock_standard(DISK);
	mock.version_1 = mock.narrow = true;
	mock.starting = 3;
	open_card();
	assert_true(card.known);
	mock.starting = 1;
	card.known = false;
	transfer_ends(BLOCK_WRITE, 9, 2, IO_OK);
	assert_sent(0, 8, 55, ACMD(41), 55, ACMD(41), 2, 3, 9, 7, 16, 25, 12, 13);
	assert_false(mock.wide);
}

static void sizes(void **state)
{
	static const struct {
		uint32_t csd[3];
		uint64_t sectors; /* 0: can't be used */
	} row[] = {
		{{1u << 30, 0x3f, 0xffff0000}, 1ull << 32}, /* 2 TiB */
		{{1u << 30, 0xffffffc0, 0x0000ffff}, 1024},
		{{1u << 30, 0, 0x1dff0000}, 0x1e00ull << 10},
		{{0, 10u << 16 | 0x3ff, 0xc0038000}, 4096u << 10}, /* 2 GiB */
		{{0, 9u << 16 | 0x3ff, 0xc0038000}, 4096u << 9},
		{{0, 11u << 16, 0}, 16},
		{{0, 9u << 16, 0x40010000}, 32},
		{{0, 8u << 16 | 0x3ff, 0xc0038000}, 0},
		{{0, 12u << 16 | 0x3ff, 0xc0038000}, 0},
		{{2u << 30, 0x3f, 0xffff0000}, 0},
		{{3u << 30, 0x3f, 0xffff0000}, 0},
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		mock_begin();
		memcpy(mock.csd, row[i].csd, sizeof(row[i].csd));
		open_card();
		assert_int_equal(card.backend.sectors, row[i].sectors);
		assert_int_equal(card.known, row[i].sectors != 0);
	}
}

static void write_protected(void **state)
{
	(void)state;
	for (unsigned int bits = 0; bits < 4; bits++) {
		mock_begin();
		mock.csd[3] = ~(3u << 12) | bits << 12;
		open_card();
		assert_int_equal(card.backend.read_only, bits != 0);
	}
}

static void no_card(void **state)
{
	(void)state;
	mock_begin();
	mock.present = false;
	open_card();
	assert_false(card.known);
	assert_int_equal(card.step, SD_IDLE);
	assert_int_equal(mock.mask, 0);
}

static void never_ready(void **state)
{
	(void)state;
	mock_begin();
	mock.starting = 100;
	mock.fault = LOST_INTERRUPT;
	mock.fault_command = ACMD(41);
	mock.fault_skip = 50;
	open_card();
	assert_int_equal(card.step, SD_OP_COND);
	ticks_pass();
	assert_false(card.known);
}

/* @faults: those that it can't go on with, each its bit. */
static void fails_in_identification(void **state)
{
	static const struct {
		uint8_t command, faults;
	} row[] = {
		{8, 1u << GARBLED | 1u << ERROR_BITS},
		{55, 1u << SILENT | 1u << GARBLED},
		{ACMD(41), 1u << SILENT},
		{2, 1u << SILENT | 1u << GARBLED},
		{3, 1u << SILENT | 1u << GARBLED},
		{9, 1u << SILENT | 1u << GARBLED},
		{7, 1u << SILENT | 1u << GARBLED | 1u << ERROR_BITS},
		{16, 1u << SILENT | 1u << GARBLED | 1u << ERROR_BITS},
		{ACMD(6), 1u << SILENT | 1u << GARBLED | 1u << ERROR_BITS},
	};

	(void)state;
	for (unsigned int i = 0; i < 3 * sizeof(row) / sizeof(row[0]); i++) {
		const enum fault fault = SILENT + i % 3;

		if ((row[i / 3].faults >> fault & 1) != 0) {
			set_up(NULL);
			card.known = false;
			mock.fault = fault;
			mock.fault_command = row[i / 3].command;
			transfer_ends(BLOCK_READ, 3, 70, IO_ERROR);
			assert_int_equal(mock.fault, NONE);
			assert_false(card.known);
			transfer_ends(BLOCK_READ, 3, 70, IO_OK);
		}
	}
}

/* --- data --- */

static void any_length(void **state)
{
	(void)state;
	for (uint32_t sectors = 1; sectors <= SECTORS; sectors += sectors < 4 ? 1 : 49) {
		transfer_ends(BLOCK_WRITE, 5 * sectors % 800, sectors, IO_OK);
		transfer_ends(BLOCK_READ, 3 * sectors % 800, sectors, IO_OK);
	}
	mock.count = 0;
	mock.programming = 3;
	transfer_ends(BLOCK_WRITE, 17, 130, IO_OK);
	assert_sent(25, 12, 13, 13, 13, 13, 25, 12, 13, 13, 13, 13, 25, 12, 13, 13, 13, 13);
}

/* Pieces of all lengths, at all addresses. */
static void odd_segments(void **state)
{
	static const uint16_t lengths[] = {1, 2, 3, 5, 501, 511, 513, 64, 63, 385};
	const uint16_t count = sizeof(lengths) / sizeof(lengths[0]);
	struct io_segment segment[sizeof(lengths) / sizeof(lengths[0])];
	uint8_t *at = buffer;

	(void)state;
	for (uint16_t i = 0; i < count; i++) {
		at += 1 + i % 3;
		segment[i] = (struct io_segment){at, lengths[i]};
		at += lengths[i];
	}
	for (unsigned int write = 0; write < 2; write++) {
		uint64_t offset = 77 * BLOCK_SECTOR;

		for (size_t i = 0; i < sizeof(buffer); i++) {
			buffer[i] = (uint8_t)(i * 13);
		}
		submit(0, write ? BLOCK_WRITE : BLOCK_READ, 77, segment, count);
		for (uint16_t i = 0; i < count; i++) {
			segment[i].length = 0; /* they are the submitter's again */
		}
		run();
		assert_ended(0, IO_OK);
		for (uint16_t i = 0; i < count; i++) {
			segment[i].length = lengths[i];
			assert_memory_equal(segment[i].at, disk + offset, lengths[i]);
			assert_int_equal(segment[i].at[-1],
					 (uint8_t)((segment[i].at - 1 - buffer) * 13));
			offset += lengths[i];
		}
	}
}

/* Versatile Express has a FIFO of 128 words; others may be slow. */
static void any_fifo(void **state)
{
	(void)state;
	for (mock.fifo_words = 16; mock.fifo_words <= 128; mock.fifo_words *= 8) {
		for (mock.trickle = 1; mock.trickle <= 150; mock.trickle += 37) {
			transfer_ends(BLOCK_READ, 1, 70, IO_OK);
			transfer_ends(BLOCK_WRITE, 1, 66, IO_OK);
		}
	}
}

static void the_last_sectors(void **state)
{
	(void)state;
	mock.reads_ahead = true;
	transfer_ends(BLOCK_READ, DISK - 65, 65, IO_OK);
	transfer_ends(BLOCK_WRITE, DISK - 1, 1, IO_OK);
}

static void one_at_a_time(void **state)
{
	const struct io_segment segment = {buffer, BLOCK_SECTOR};

	(void)state;
	assert_int_equal(submit(0, BLOCK_READ, 1, &segment, 1), IO_PENDING);
	assert_int_equal(submit(1, BLOCK_READ, 2, &segment, 1), IO_BUSY);
	next = &request[1];
	run();
	assert_int_equal(request[0].ends, 1);
	assert_ended(1, IO_OK);
	assert_int_equal(batches, 2);
	assert_memory_equal(buffer, disk + 2 * BLOCK_SECTOR, BLOCK_SECTOR);
	for (enum block_operation other = BLOCK_FLUSH; other <= BLOCK_WRITE_ZEROES; other++) {
		assert_int_equal(submit(0, other, 1, &segment, 1), IO_UNSUPPORTED);
	}
}

/* --- what goes wrong --- */

static void fails_in_a_request(void **state)
{
	static const uint8_t commands[] = {18, 25, 12, 12, 13, 13};

	(void)state;
	for (unsigned int i = 0; i < sizeof(commands); i++) {
		const enum block_operation operation = i % 2 ? BLOCK_WRITE : BLOCK_READ;

		for (enum fault fault = SILENT; fault <= ERROR_BITS; fault++) {
			for (unsigned int skip = 0; skip < 3; skip++) {
				set_up(NULL);
				mock.fault = fault;
				mock.fault_command = commands[i];
				mock.fault_skip = skip;
				mock.programming = 1;
				transfer_ends(operation, 9, 150, IO_ERROR);
				assert_int_equal(mock.fault, NONE);
				assert_int_equal(batches, 1);
				transfer_ends(operation, 9, 150, IO_OK);
			}
		}
	}
}

static void data_errors(void **state)
{
	static const uint8_t bits[] = {1, 3, 4, 5, 9};

	(void)state;
	for (unsigned int i = 0; i < 5 * 2 * 4; i++) {
		set_up(NULL);
		mock.data_error = 1u << bits[i % 5];
		mock.data_error_at = 127 * (i / 10) + 64 * 128 * (i / 10 / 3);
		transfer_ends(i / 5 % 2 ? BLOCK_WRITE : BLOCK_READ, 3, 70, IO_ERROR);
		assert_int_equal(mock.count % 3, 0); /* no more data */
		assert_int_equal(mock.count / 3, 1 + (i / 10 == 3));
		mock.count = 0;
		transfer_ends(i / 5 % 2 ? BLOCK_READ : BLOCK_WRITE, 3, 2, IO_OK);
		assert_int_equal(mock.count, 3); /* it was not identified again */
	}
}

static void pulled(void **state)
{
	(void)state;
	for (unsigned int at = 0; at <= 128 * 70; at += 128 * 14) {
		set_up(NULL);
		mock.pull_at = at;
		transfer_ends(at % 3 ? BLOCK_READ : BLOCK_WRITE, 3, 71, IO_ERROR);
		transfer_ends(BLOCK_READ, 3, 2, IO_ERROR);
		transfer_ends(BLOCK_WRITE, 3, 2, IO_ERROR);
		mock.present = true;
		mock.state = IDLE;
		mock.rca = 0;
		mock.pull_at = NEVER;
		mock.starting = 2;
		transfer_ends(BLOCK_WRITE, 3, 71, IO_OK);
		transfer_ends(BLOCK_READ, 2, 71, IO_OK);
	}
}

static void replaced(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		set_up(NULL);
		mock.state = IDLE;
		mock.rca = 0;
		transfer_ends(BLOCK_READ, 3, 1, IO_ERROR); /* it doesn't know its address */
		if (i < 4) {
			mock.cid[i] ^= 2;
		} else {
			mock.csd[2] ^= 1u << 16;
		}
		mock.count = 0;
		assert_int_equal(submit_one(BLOCK_WRITE, 3, 1), IO_PENDING);
		assert_false(run());
		assert_ended(0, IO_ERROR);
		assert_int_equal(mock.count, i < 4 ? 5 : 7); /* nothing was written */
		mock_begin();
		assert_int_equal(submit_one(BLOCK_READ, 3, 1), IO_ERROR);
		assert_int_equal(mock.command, 0);
	}
}

static void interrupt_that_never_comes(void **state)
{
	static const uint8_t commands[] = {18, 12, 13, 25, 12, 13};

	(void)state;
	for (unsigned int i = 0; i < sizeof(commands); i++) {
		set_up(NULL);
		mock.fault = LOST_INTERRUPT;
		mock.fault_command = commands[i];
		assert_int_equal(submit_one(i < 3 ? BLOCK_READ : BLOCK_WRITE, 3, 1), IO_PENDING);
		run();
		assert_int_equal(request[0].ends, 0);
		ticks_pass();
		assert_ended(0, IO_ERROR);
		mock.count = 0;
		transfer_ends(BLOCK_WRITE, 3, 1, IO_OK);
		assert_int_equal(mock.sent[0], 0);
	}
}

/* Each command of a long request has its own time. */
static void slow_is_not_late(void **state)
{
	(void)state;
	submit_one(BLOCK_READ, 3, 190);
	for (unsigned int i = 0; i < TURNS && request[0].ends == 0; i++) {
		mock_run();
		if (mock_interrupts()) {
			hw_sd_irq(&card);
		}
		tick_count = (uint8_t)(250 + (190 - card.sectors) / 64 * HW_SD_TIMEOUT);
		hw_sd_tick(&card);
	}
	assert_ended(0, IO_OK);
}

static void programs_for_ever(void **state)
{
	(void)state;
	mock.programming = 1000;
	submit_one(BLOCK_WRITE, 3, 1);
	for (unsigned int i = 0; i < 300; i++) {
		mock_run();
		if (mock_interrupts()) {
			hw_sd_irq(&card);
		}
	}
	assert_int_equal(card.step, SD_STATUS);
	ticks_pass();
	assert_ended(0, IO_ERROR);
}

static void interrupts_without_cause(void **state)
{
	(void)state;
	for (unsigned int i = 1; i < 255; i++) {
		assert_true(hw_sd_irq(&card));
	}
	transfer_ends(BLOCK_READ, 3, 1, IO_OK);
	for (unsigned int i = 1; i < 255; i++) {
		assert_true(hw_sd_irq(&card));
	}
	assert_false(hw_sd_irq(&card));
	assert_int_equal(submit_one(BLOCK_READ, 3, 1), IO_ERROR);
}

/* The end of data that it has not taken yet. */
static void ends_too_soon(void **state)
{
	(void)state;
	submit_one(BLOCK_WRITE, 3, 1);
	mock_run();
	hw_sd_irq(&card);
	mock.status |= DATA_ENDED;
	mock.fifo_words = 0;
	hw_sd_irq(&card);
	assert_int_equal(card.step, SD_STOP);
	mock.fifo_words = 16;
	run();
	assert_ended(0, IO_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(high_capacity),
		TEST(standard_capacity),
		TEST(version_1),
		TEST(sizes),
		TEST(write_protected),
		TEST(no_card),
		TEST(never_ready),
		TEST(fails_in_identification),
		TEST(any_length),
		TEST(odd_segments),
		TEST(any_fifo),
		TEST(the_last_sectors),
		TEST(one_at_a_time),
		TEST(fails_in_a_request),
		TEST(data_errors),
		TEST(pulled),
		TEST(replaced),
		TEST(interrupt_that_never_comes),
		TEST(slow_is_not_late),
		TEST(programs_for_ever),
		TEST(interrupts_without_cause),
		TEST(ends_too_soon),
	};

	return cmocka_run_group_tests_name("sd", tests, NULL, NULL);
}
