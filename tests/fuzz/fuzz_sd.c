/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PL180 with a card that answers what it likes, mostly what gets on. The reference: a request
 * ends once, in time, and well only if all of its data went through the FIFO.
 */
#include <string.h>
#include "drivers/hw/access.h"
#include "drivers/hw/sd.h"
#include "drivers/tick.h"
#include "bytes.h"

#define REGISTERS 0xf0000000u
#define SEGMENTS  4u
#define SECTORS   70u

uint8_t tick_count;
static struct bytes *input;
static bool smooth; /* nothing odd for some time */
static struct hw_sd card;

/* What the controller was told. */
static struct {
	uint32_t command, mask, words; /* words: of data, still to come */
	bool reading;
	unsigned int accesses; /* to the FIFO, since the interrupt */
} mci;

/* The request in flight. */
static struct {
	struct block_request block;
	struct io_segment segment[SEGMENTS];
	bool in_flight, off;
	uint8_t *copy;  /* what is written, or has come */
	uint32_t words; /* of it that went through the FIFO */
} ref;

void tick_start(void)
{
}

void dma_barrier(void)
{
}

static bool odd(void)
{
	return !smooth && (take8(input) & 0x1f) == 0x1f;
}

static uint32_t answer(uint32_t word)
{
	static const uint32_t csd[4] = {1u << 30, 0, 0xffff0000, 0}; /* 65536 * 1024 sectors */
	const uint32_t command = mci.command & 63;

	if (odd()) {
		return take32(input);
	}
	return command == 8    ? 0x1aa
	       : command == 41 ? 0xc0ff8000
	       : command == 9  ? csd[word]
	       : command == 3  ? 0x45670500
			       : 0x900;
}

static uint32_t status(void)
{
	if (odd()) {
		return take32(input);
	}
	if ((mci.mask & 1u << 6) != 0) {
		return 1u << 6;
	}
	if (mci.words == 0) {
		return 1u << 8;
	}
	return mci.reading ? 1u << 15 : 1u << 14 | (uint32_t)smooth << 18;
}

uint32_t mmio_read(uintptr_t address)
{
	const uint32_t offset = (uint32_t)(address - REGISTERS);
	static uint32_t word;

	if (offset == 0x034) {
		return status();
	}
	if (offset == 0x080) {
		word = word * 1664525 + 1013904223;
		AGREE(mci.accesses++ < 16 && ref.in_flight && ref.words < ref.block.sectors * 128,
		      true);
		memcpy(ref.copy + 4 * ref.words++, &word, sizeof(word));
		mci.words -= mci.words != 0;
		return word;
	}
	return offset == 0xfe0 ? take8(input) : answer((offset - 0x014) / 4);
}

uint32_t mmio_read_size(uintptr_t at, unsigned int size)
{
	(void)size;
	return mmio_read(at);
}

void mmio_write(uintptr_t address, uint32_t value)
{
	switch ((uint32_t)(address - REGISTERS)) {
	case 0x00c:
		mci.command = value;
		break;
	case 0x028:
		mci.words = value / 4;
		break;
	case 0x02c:
		mci.reading = (value & 2) != 0;
		break;
	case 0x03c:
		mci.mask = value;
		break;
	case 0x080:
		AGREE(mci.accesses++ < 16 && ref.in_flight && ref.words < ref.block.sectors * 128,
		      true);
		AGREE(memcmp(ref.copy + 4 * ref.words++, &value, 4), 0);
		mci.words -= mci.words != 0;
		break;
	default:
		break;
	}
}

/* Compares the segments with what went through the FIFO, and frees all of it. */
static void compare(bool whole)
{
	const uint8_t *at = ref.copy;

	for (uint16_t i = 0; i < ref.block.count; i++) {
		if (whole) {
			AGREE(memcmp(ref.segment[i].at, at, ref.segment[i].length), 0);
		}
		at += ref.segment[i].length;
		free(ref.segment[i].at);
	}
	free(ref.copy);
}

static void done(struct io_request *io, enum io_status status_, uint32_t length)
{
	const bool reading = ref.block.operation == BLOCK_READ;

	AGREE(io == &ref.block.io && ref.in_flight, true);
	AGREE(status_ == IO_OK || status_ == IO_ERROR, true);
	AGREE(length, status_ == IO_OK && reading ? ref.block.sectors * BLOCK_SECTOR : 0);
	if (status_ == IO_OK) {
		AGREE(ref.words, ref.block.sectors * 128);
	}
	compare(status_ == IO_OK || !reading);
	ref.in_flight = false;
}

static void batch(void *device)
{
	(void)device;
}

static void make_request(void)
{
	const uint32_t sectors = 1 + take8(input) % SECTORS;
	uint32_t left = sectors * BLOCK_SECTOR, count = 1 + take8(input) % SEGMENTS;
	uint8_t *at;

	ref.block = (struct block_request){.io.done = done,
					   .operation = take8(input) & 1,
					   .sector = take16(input),
					   .sectors = sectors,
					   .segment = ref.segment,
					   .count = (uint16_t)count};
	ref.words = 0;
	ref.copy = at = malloc(left);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t part =
			i + 1 == count ? left : 1 + take16(input) % (left - (count - 1 - i));

		ref.segment[i] = (struct io_segment){malloc(part), part};
		memset(ref.segment[i].at, (int)(0x11 * i), part);
		memset(at, (int)(0x11 * i), part);
		at += part;
		left -= part;
	}
}

static void submit(void)
{
	static struct block_request other = {.operation = BLOCK_READ, .sectors = 1};
	struct block_request *block = ref.in_flight ? &other : &ref.block;
	const bool free_ = !ref.in_flight && !ref.off;
	enum io_status result;

	if (!ref.in_flight) {
		make_request();
		ref.in_flight = free_;
	}
	result = card.backend.ops->submit(&card.backend, block);
	AGREE(result, ref.off ? IO_ERROR : free_ ? IO_PENDING : IO_BUSY);
	if (ref.off && block == &ref.block) {
		compare(false);
	}
}

static void interrupt(void)
{
	mci.accesses = 0;
	if (!hw_sd_irq(&card)) {
		ref.off = true;
	}
}

static void tick(void)
{
	const uint32_t words = ref.words;

	tick_count++;
	if (!hw_sd_tick(&card)) {
		AGREE(ref.in_flight, false);
	}
	AGREE(ref.words, words);
}

static void pause(void)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct bytes all = {bytes, length};
	struct io_listener listener = {batch, NULL, NULL};

	input = &all;
	smooth = false;
	memset(&card, 0, sizeof(card));
	memset(&mci, 0, sizeof(mci));
	memset(&ref, 0, sizeof(ref));
	hw_sd_init(&card, REGISTERS, pause);
	card.backend.ops->listen(&card.backend, &listener);
	hw_sd_identify(&card);
	while (input->left != 0) {
		const uint8_t step = take8(input);

		if (step < 8 && card.backend.sectors != 0 &&
		    (ref.in_flight || card.step == SD_IDLE)) {
			submit();
		} else if (step == 9) {
			tick();
		} else {
			smooth = step >= 0x80;
			for (unsigned int j = step & 0x7f; j < 0x80; j += smooth ? 1 : 0x80) {
				interrupt();
			}
			smooth = false;
		}
	}
	for (unsigned int i = 0; i <= HW_SD_TIMEOUT; i++) {
		tick();
	}
	AGREE(ref.in_flight || card.step != SD_IDLE, false);
	return 0;
}
