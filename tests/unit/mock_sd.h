/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PL180 or PL181 and an SD card as their driver sees them. They look whether it keeps the order
 * of things (DDI 0205B 2.2, SD 4.2, 4.3), and fail where the test wants it.
 */
#ifndef TESTS_MOCK_SD_H
#define TESTS_MOCK_SD_H

#include "suite.h"
#include <stdbool.h>
#include <string.h>
#include "drivers/hw/access.h"
#include "drivers/hw/sd.h"
#include "drivers/tick.h"

#define REGISTERS    0xf0000000u
#define DISK         1024u /* sectors that the card really has */
#define COMMANDS     4096u
#define NEVER        (~0u)
#define ERROR_BIT    (1u << 19)
#define OUT_OF_RANGE (1u << 31)

enum state { IDLE, READY, IDENT, STBY, TRAN, DATA, RCV, PRG };

enum fault { NONE, SILENT, GARBLED, ERROR_BITS, LOST_INTERRUPT };

static struct {
	/* The test's. */
	bool present, version_1, narrow, reads_ahead;
	uint32_t high; /* OCR_HIGH or 0 */
	uint32_t cid[4], csd[4];
	unsigned int starting;    /* ACMD41 that find it busy */
	unsigned int programming; /* CMD13 that find it busy after a write */
	unsigned int fifo_words, trickle;
	enum fault fault;
	uint32_t fault_command;     /* with 64 for an ACMD */
	unsigned int fault_skip;    /* such commands that are right before */
	uint32_t data_error;        /* bit of MCIStatus */
	unsigned int data_error_at; /* words of data */
	unsigned int pull_at;       /* words of data after which there is no card */
	/* The controller. */
	uint32_t power, clock, argument, command, response[4], status, mask, length, ctrl;
	unsigned int counter; /* bytes of MCIDataCnt */
	uint32_t fifo[128];
	unsigned int fill;
	unsigned int fifo_accesses; /* since the interrupt */
	/* The card. */
	enum state state;
	uint32_t rca, pending; /* error bits */
	bool app, wide;
	unsigned int busy;
	bool told_busy;
	uint64_t at; /* byte */
	/* What came, with 64 for an ACMD. */
	uint8_t sent[COMMANDS];
	unsigned int count, words, pauses, ticks_started;
} mock;

static uint8_t disk[DISK * BLOCK_SECTOR];
uint8_t tick_count;

void tick_start(void)
{
	mock.ticks_started++;
}

static inline void mock_pause(void)
{
	mock.pauses++;
}

/* --- the card --- */

static inline uint32_t r1(uint32_t errors)
{
	const uint32_t status = errors | mock.pending | (uint32_t)mock.state << 9 |
				(mock.state == TRAN ? 1u << 8 : 0);

	mock.pending = 0;
	return status;
}

/* A state, and the one that follows. */
static inline bool moves(enum state from, enum state to)
{
	const bool legal = mock.state == from;

	mock.response[0] = r1(0);
	if (legal) {
		mock.state = to;
	}
	return legal;
}

static inline bool addressed(void)
{
	return mock.argument >> 16 == mock.rca && mock.rca != 0;
}

static inline bool transfer(bool reading)
{
	mock.at = mock.high ? mock.argument * 512ull : mock.argument;
	assert_true(mock.at % 512 == 0 && mock.at + mock.length <= sizeof(disk));
	assert_true(!reading || (mock.ctrl & 1)); /* data may come at once */
	return moves(TRAN, reading ? DATA : RCV);
}

static inline bool stop(void)
{
	const enum state was = mock.state;

	if (was != DATA && was != RCV) {
		return false;
	}
	mock.response[0] = r1(was == DATA && mock.reads_ahead ? OUT_OF_RANGE : 0);
	mock.state = was == RCV && mock.programming != 0 ? PRG : TRAN;
	mock.busy = mock.programming;
	return true;
}

static inline bool send_status(void)
{
	if (!addressed()) {
		return false;
	}
	mock.response[0] = r1(0);
	mock.told_busy = mock.state != TRAN;
	if (mock.state == PRG && --mock.busy == 0) {
		mock.state = TRAN;
	}
	return true;
}

static inline bool long_answer(const uint32_t *words)
{
	memcpy(mock.response, words, sizeof(mock.response));
	mock.response[3] &= ~1u;
	return true;
}

static inline bool op_cond(void)
{
	assert_int_equal(mock.argument, mock.version_1 ? 0xff8000u : 0x40ff8000u);
	mock.response[0] = 0xff8000u | (mock.starting == 0 ? 1u << 31 | mock.high : 0);
	if (mock.state != IDLE) {
		return false;
	}
	if (mock.starting == 0) {
		mock.state = READY;
	} else {
		mock.starting--;
	}
	return true;
}

/* Whether it answers. */
static inline bool card_command(uint32_t command)
{
	const bool fast = (mock.clock & 0xff) < 119;

	mock.told_busy = mock.told_busy && command == 13; /* then it is asked again, but slowly */
	assert_int_equal(fast, command == 12 || command == 18 || command == 25 ||
				       (command == 13 && !mock.told_busy));
	switch (command) {
	case 0:
		mock.state = IDLE;
		mock.rca = 0;
		mock.wide = false;
		return true;
	case 8:
		mock.response[0] = mock.argument;
		mock.pending |= mock.version_1 ? 1u << 22 : 0;
		return mock.state == IDLE && !mock.version_1;
	case 55:
		mock.response[0] = r1(1u << 5);
		mock.app = mock.argument >> 16 == mock.rca;
		return mock.app;
	case 64 + 41:
		return op_cond();
	case 2:
		return moves(READY, IDENT) && long_answer(mock.cid);
	case 3:
		mock.rca = 0x4567;
		return moves(IDENT, STBY) && (mock.response[0] = mock.rca << 16 | 0x520);
	case 9:
		return addressed() && mock.state == STBY && long_answer(mock.csd);
	case 7:
		return addressed() && moves(STBY, TRAN);
	case 16:
		assert_int_equal(mock.argument, 512);
		return moves(TRAN, TRAN);
	case 64 + 6:
		mock.wide = mock.argument == 2;
		return moves(TRAN, TRAN);
	case 12:
		return stop();
	case 13:
		return send_status();
	default:
		return (command == 18 || command == 25) && transfer(command == 18);
	}
}

/* --- the controller --- */

#define CMD_CRC     (1u << 0)
#define CMD_TIMEOUT (1u << 2)
#define CMD_END     (1u << 6)
#define CMD_SENT    (1u << 7)
#define DATA_ENDED  (1u << 8)

static inline uint32_t faulty(uint32_t command, uint32_t flags)
{
	if (mock.fault == NONE || command != mock.fault_command || mock.fault_skip-- != 0) {
		return flags;
	}
	switch (mock.fault) {
	case SILENT:
		flags = CMD_TIMEOUT;
		break;
	case GARBLED:
		flags = CMD_CRC;
		break;
	case ERROR_BITS:
		mock.response[0] ^= command == 8 ? 1 : ERROR_BIT;
		break;
	default:
		flags = 0;
	}
	mock.fault = NONE;
	return flags;
}

static inline void run_command(void)
{
	const uint32_t index = mock.command & 63;
	const uint32_t command = index + (mock.app && (index == 6 || index == 41) ? 64 : 0);
	bool answers;

	mock.app = false;
	assert_int_equal(mock.power, 3);
	assert_in_range(mock.count, 0, COMMANDS - 1);
	mock.sent[mock.count++] = (uint8_t)command;
	assert_int_equal(mock.command >> 6 & 3, command == 0                   ? 0
						: command == 2 || command == 9 ? 3
									       : 1);
	mock.command = 0;
	mock.status |= mock.counter == 0 ? DATA_ENDED : 0; /* as QEMU's */
	answers = mock.present && card_command(command);
	mock.status |= faulty(command, command == 0         ? CMD_SENT
				       : !answers           ? CMD_TIMEOUT
				       : command == 64 + 41 ? CMD_CRC
							    : CMD_END);
}

static inline bool reading(void)
{
	return (mock.ctrl & 2) != 0;
}

/* A word between the card and the FIFO. */
static inline void run_word(void)
{
	if (mock.words == mock.pull_at) {
		mock.present = false;
	}
	if (mock.words++ == mock.data_error_at || !mock.present) {
		mock.status |= mock.present ? mock.data_error : 1u << 3;
		mock.ctrl &= ~1u;
		return;
	}
	assert_int_equal((mock.clock >> 11 & 1), mock.wide);
	if (reading()) {
		memcpy(&mock.fifo[mock.fill++], disk + mock.at, 4);
	} else {
		memcpy(disk + mock.at, &mock.fifo[0], 4);
		memmove(mock.fifo, mock.fifo + 1, --mock.fill * sizeof(mock.fifo[0]));
	}
	mock.at += 4;
	mock.counter -= 4;
	if (mock.counter == 0) {
		mock.status |= DATA_ENDED;
		mock.ctrl &= ~1u;
	}
}

/* Lets time go by; returns whether something happened. */
static inline bool mock_run(void)
{
	bool any = mock.command != 0;

	if (any) {
		run_command();
	}
	for (unsigned int i = 0; i < mock.trickle && (mock.ctrl & 1); i++) {
		if (reading() ? mock.state != DATA || mock.fill == mock.fifo_words
			      : mock.fill == 0) {
			break;
		}
		run_word();
		any = true;
	}
	return any;
}

static inline uint32_t mock_status(void)
{
	const bool active = mock.counter != 0 || mock.fill != 0;
	uint32_t status = mock.status;

	if (reading()) {
		status |= mock.fill >= mock.fifo_words / 2 ? 1u << 15 : 0;
		status |= mock.fill == mock.fifo_words ? 1u << 17 : 0;
	} else if (active && (mock.ctrl & 1)) {
		status |= mock.fill <= mock.fifo_words / 2 ? 1u << 14 : 0;
		status |= mock.fill == 0 ? 1u << 18 : 0;
	}
	return status;
}

static inline bool mock_interrupts(void)
{
	return (mock_status() & mock.mask) != 0;
}

uint32_t mmio_read(uintptr_t address)
{
	const uint32_t offset = (uint32_t)(address - REGISTERS);
	uint32_t word;

	switch (offset) {
	case 0x014:
	case 0x018:
	case 0x01c:
	case 0x020:
		return mock.response[(offset - 0x014) / 4];
	case 0x034:
		return mock_status();
	case 0x080:
		assert_in_range(mock.fill, 1, mock.fifo_words);
		word = mock.fifo[0];
		memmove(mock.fifo, mock.fifo + 1, --mock.fill * sizeof(mock.fifo[0]));
		mock.fifo_accesses++;
		return word;
	case 0xfe0:
		return mock.narrow ? 0x80 : 0x81;
	default:
		fail_msg("read of register %x", offset);
		return 0;
	}
}

static inline void data_begins(uint32_t value)
{
	assert_false(mock.ctrl & value & 1);
	mock.ctrl = value;
	mock.fill = 0;
	if (value & 1) {
		assert_int_equal(value & ~2u, 0x91);
		assert_in_range(mock.length, 512, 65535);
		assert_int_equal(mock.length % 512, 0);
		assert_true((value & 2) || mock.state == RCV);
		mock.counter = mock.length;
	}
}

void mmio_write(uintptr_t address, uint32_t value)
{
	const uint32_t offset = (uint32_t)(address - REGISTERS);

	switch (offset) {
	case 0x000:
		mock.power = value;
		return;
	case 0x004:
		assert_true(value & 1u << 8);
		assert_true(!mock.narrow || !(value & 1u << 11));
		mock.clock = value;
		return;
	case 0x008:
		mock.argument = value;
		return;
	case 0x00c:
		assert_true(value == 0 || mock.command == 0);
		mock.command = value & 1u << 10 ? value : 0;
		return;
	case 0x024:
		assert_in_range(value, 6250000, NEVER - 1); /* 0.25 s at 25 MHz */
		return;
	case 0x028:
		mock.length = value;
		return;
	case 0x02c:
		data_begins(value);
		return;
	case 0x038:
		mock.status &= ~(value & 0x7ff);
		return;
	case 0x03c:
		mock.mask = value;
		return;
	case 0x040:
		assert_int_equal(value, 0);
		return;
	case 0x080:
		assert_in_range(mock.fill, 0, mock.fifo_words - 1);
		mock.fifo[mock.fill++] = value;
		mock.fifo_accesses++;
		return;
	default:
		fail_msg("write of register %x", offset);
	}
}

uint32_t mmio_read_size(uintptr_t at, unsigned int size)
{
	assert_int_equal(size, 4);
	return mmio_read(at);
}

void dma_barrier(void)
{
}

/* An SDHC card of DISK sectors, and a PL181. */
static inline void mock_begin(void)
{
	memset(&mock, 0, sizeof(mock));
	mock.present = true;
	mock.high = 1u << 30;
	mock.csd[0] = 1u << 30;
	for (uint32_t i = 0; i < 4; i++) {
		mock.cid[i] = 0x11111110u * (i + 1);
	}
	mock.fifo_words = 16;
	mock.trickle = 16;
	mock.data_error_at = mock.pull_at = NEVER;
	for (uint32_t i = 0; i < sizeof(disk); i++) {
		disk[i] = (uint8_t)(i * 7 + i / 512);
	}
}

/* SDSC of @sectors, a power of two from 4 to DISK. */
static inline void mock_standard(uint32_t sectors)
{
	mock.high = 0;
	mock.csd[0] = 0;
	mock.csd[1] = 9u << 16 | (sectors / 4 - 1) >> 2;
	mock.csd[2] = (sectors / 4 - 1) << 30;
}

#endif
