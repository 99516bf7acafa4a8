/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol of SD cards: a row of commands, each of which is sent when the one before has its
 * answer. Sections are those of the SD Physical Layer Simplified Specification 6.00. One request at
 * a time. What goes wrong ends it with IO_ERROR, once the card is in its transfer state again; a
 * card that doesn't come back there is identified anew. Lock: the card's, inside of those of the
 * models; it is not held while they are told.
 */
#include "sd.h"
#include <string.h>
#include "../tick.h"

/* Of SD_IF_COND: 2.7 to 3.6 V, and a pattern that comes back (4.3.13). */
#define IF_COND 0x1aau

/* OCR (5.1). */
#define OCR_READY (1u << 31)
#define OCR_HIGH  (1u << 30) /* capacity; addresses are sectors */
#define OCR_VOLTS 0xff8000u  /* 2.7 to 3.6 V */

#define RCA_MASK 0xffff0000u

/* Card status (4.10.1). */
#define STATUS_RANGE  (1u << 31)
#define STATUS_ERRORS 0xfff98008u /* and a card that is locked */
#define STATUS_READY  0x1f00u     /* the state, and that it takes data */
#define STATUS_TRAN   0x0900u     /* the transfer state, and it does */

/* CSD (5.3), in words from its first bit. */
#define CSD_STRUCTURE(csd)   ((csd)[0] >> 30)
#define CSD_READ_BL_LEN(csd) ((csd)[1] >> 16 & 15)
#define CSD_C_SIZE_1(csd)    (((csd)[1] & 0x3ff) << 2 | (csd)[2] >> 30)
#define CSD_C_SIZE_MULT(csd) ((csd)[2] >> 15 & 7)
#define CSD_C_SIZE_2(csd)    (((csd)[1] & 0x3f) << 16 | (csd)[2] >> 16)
#define CSD_WRITE_PROTECT    (3u << 12) /* for good, or for now */
#define SECTOR_SHIFT         9u

/* What is sent. The argument is or-ed with the card's address (RCA) where that is marked. */
#define ADDRESSED (1u << 8)
#define R1        PL180_ANSWER

static const struct {
	uint16_t argument;
	uint16_t command;
} rows[] = {
	[SD_GO_IDLE] = {0, 0},
	[SD_IF_COND] = {IF_COND, 8 | R1},
	[SD_APP_OP_COND] = {0, 55 | R1},
	[SD_OP_COND] = {0, 41 | R1},
	[SD_CID] = {0, 2 | PL180_LONG},
	[SD_RCA] = {0, 3 | R1},
	[SD_CSD] = {0, 9 | PL180_LONG | ADDRESSED},
	[SD_SELECT] = {0, 7 | R1 | ADDRESSED},
	[SD_BLOCK_LENGTH] = {PL180_BLOCK, 16 | R1},
	[SD_APP_WIDTH] = {0, 55 | R1 | ADDRESSED},
	[SD_WIDTH] = {2, 6 | R1}, /* four wires */
	[SD_READ] = {0, 18 | R1},
	[SD_WRITE] = {0, 25 | R1},
	[SD_STOP] = {0, 12 | R1},
	[SD_STATUS] = {0, 13 | R1 | ADDRESSED},
};

/* The step's command. */
static void send(struct hw_sd *card, enum hw_sd_step step, uint32_t argument)
{
	const uint32_t command = rows[step].command;

	card->step = step;
	pl180_send(&card->mci, command & ~ADDRESSED,
		   argument | rows[step].argument | ((command & ADDRESSED) != 0 ? card->rca : 0));
}

/* The card is not there, or not in order. */
static void lose(struct hw_sd *card)
{
	pl180_quiet(&card->mci);
	card->known = false;
	card->failed = true;
	card->step = SD_IDLE;
}

static void identify(struct hw_sd *card)
{
	card->started = tick_count;
	pl180_clock(&card->mci, false);
	send(card, SD_GO_IDLE, 0);
}

/* The next chunk of the request. */
static void begin(struct hw_sd *card)
{
	const bool reading = card->request->operation == BLOCK_READ;
	const uint32_t sectors = card->sectors < HW_SD_CHUNK ? card->sectors : HW_SD_CHUNK;

	card->started = tick_count;
	card->mci.left = sectors * BLOCK_SECTOR;
	if (reading) {
		pl180_data(&card->mci, card->mci.left, true);
	}
	send(card, reading ? SD_READ : SD_WRITE, (uint32_t)card->sector << card->shift);
	card->sector += sectors;
	card->sectors -= sectors;
}

/* Sets what the first card is like; returns whether one that came later is the same. */
static bool read_csd(struct hw_sd *card)
{
	struct block_backend *backend = &card->backend;
	const uint32_t csd[4] = {pl180_answer(&card->mci, 0), pl180_answer(&card->mci, 1),
				 pl180_answer(&card->mci, 2), pl180_answer(&card->mci, 3)};
	const uint32_t length = CSD_READ_BL_LEN(csd);
	const uint64_t sectors = CSD_STRUCTURE(csd) == 1 ? (CSD_C_SIZE_2(csd) + 1ull) << 10
				 : CSD_STRUCTURE(csd) == 0 && length - SECTOR_SHIFT <= 2
					 ? (CSD_C_SIZE_1(csd) + 1ull) << (CSD_C_SIZE_MULT(csd) + 2 +
									  length - SECTOR_SHIFT)
					 : 0;

	if (backend->sectors == 0) {
		backend->sectors = sectors;
		backend->read_only = (csd[3] & CSD_WRITE_PROTECT) != 0;
	}
	card->off |= backend->sectors != sectors;
	return sectors != 0 && !card->off;
}

/* A card that has been here keeps its CID. */
static bool same_cid(struct hw_sd *card)
{
	for (unsigned int i = 0; i < 4; i++) {
		const uint32_t word = pl180_answer(&card->mci, i);

		card->off |= card->backend.sectors != 0 && card->cid[i] != word;
		card->cid[i] = word;
	}
	return !card->off;
}

/* How a command of the identification ended; returns whether it goes on. */
static bool identifying(struct hw_sd *card, enum pl180_event event)
{
	const uint32_t answer = pl180_answer(&card->mci, 0);
	const bool good = event == PL180_ANSWERED;

	switch (card->step) {
	case SD_IF_COND: /* unknown to cards of version 1 */
		card->features = OCR_VOLTS | (good ? OCR_HIGH : 0);
		return good ? (answer & 0xfff) == IF_COND : event == PL180_SILENT;
	case SD_OP_COND: /* without a checksum (4.9.4) */
		card->shift = (answer & OCR_HIGH) != 0 ? 0 : SECTOR_SHIFT;
		if ((answer & OCR_READY) == 0) {
			card->step = SD_IF_COND; /* ask again */
		}
		return event != PL180_SILENT;
	case SD_CID:
		return good && same_cid(card);
	case SD_RCA:
		card->rca = answer & RCA_MASK;
		return good;
	case SD_CSD:
		return good && read_csd(card);
	default:
		return good && (card->step < SD_SELECT || (answer & STATUS_ERRORS) == 0);
	}
}

static void identify_on(struct hw_sd *card, enum pl180_event event)
{
	const enum hw_sd_step last = card->mci.wide ? SD_WIDTH : SD_BLOCK_LENGTH;

	if (!identifying(card, event)) {
		lose(card);
	} else if (card->step != last) {
		send(card, card->step + 1, card->step == SD_APP_OP_COND ? card->features : 0);
	} else {
		pl180_clock(&card->mci, true);
		card->known = true;
		card->step = SD_IDLE;
		if (card->request != NULL) {
			begin(card);
		}
	}
}

/* How a command of a request ended, or its data. */
static void serve_on(struct hw_sd *card, enum pl180_event event)
{
	const uint32_t answer = pl180_answer(&card->mci, 0);
	/* A card that reads ahead may complain at its end (4.3.3). */
	const uint32_t ignored = card->step == SD_STOP && card->mci.reading ? STATUS_RANGE : 0;
	const bool good = event == PL180_ANSWERED ? (answer & STATUS_ERRORS & ~ignored) == 0
						  : event == PL180_DONE;

	card->failed |= !good;
	if (card->step <= SD_WRITE && good) {
		if (card->step == SD_WRITE) {
			pl180_data(&card->mci, card->mci.left, false);
		}
		pl180_watch(&card->mci);
		card->step = SD_MOVE;
	} else if (card->step <= SD_MOVE) {
		if (!good) {
			pl180_drop(&card->mci);
		}
		send(card, SD_STOP, 0);
	} else if (card->step == SD_STOP) {
		send(card, SD_STATUS, 0);
	} else if (event != PL180_ANSWERED) {
		lose(card);
	} else if ((answer & STATUS_READY) != STATUS_TRAN) {
		/* Asked at a slow clock, a busy card costs some hundred interrupts a second. */
		pl180_clock(&card->mci, false);
		send(card, SD_STATUS, 0);
	} else {
		pl180_clock(&card->mci, true);
		card->step = SD_IDLE;
		if (!card->failed && card->sectors != 0) {
			begin(card);
		}
	}
}

/* Ends what was done with the lock held. */
static bool leave(struct hw_sd *card)
{
	struct block_request *over = card->step == SD_IDLE ? card->request : NULL;
	const enum io_status status = card->failed ? IO_ERROR : IO_OK;
	const bool on = !card->off;

	if (over != NULL) {
		card->request = NULL;
	}
	spin_unlock(&card->lock);
	if (over == NULL) {
		return on;
	}
	over->io.done(&over->io, status,
		      status == IO_OK && over->operation == BLOCK_READ
			      ? over->sectors * BLOCK_SECTOR
			      : 0);
	for (struct io_listener *listener = card->listener; listener != NULL;
	     listener = listener->next) {
		listener->batch(listener->device);
	}
	return on;
}

bool hw_sd_irq(void *argument)
{
	struct hw_sd *card = argument;
	enum pl180_event event;

	spin_lock(&card->lock);
	event = pl180_event(&card->mci);
	card->idle = event == PL180_NOTHING ? (uint8_t)(card->idle + 1) : 1;
	if (card->idle == 0) {
		card->off = true;
		lose(card);
	} else if (event > PL180_MOVED) {
		if (card->step < SD_READ) {
			identify_on(card, event);
		} else {
			serve_on(card, event);
		}
	}
	return leave(card);
}

bool hw_sd_tick(void *argument)
{
	struct hw_sd *card = argument;
	bool waiting;

	spin_lock(&card->lock);
	if (card->step != SD_IDLE && (uint8_t)(tick_count - card->started) > HW_SD_TIMEOUT) {
		lose(card);
	}
	waiting = card->step != SD_IDLE;
	leave(card);
	return waiting;
}

static enum io_status submit_locked(struct hw_sd *card, struct block_request *request)
{
	if (card->off) {
		return IO_ERROR;
	}
	if (card->step != SD_IDLE) {
		return IO_BUSY;
	}
	card->request = request;
	card->failed = false;
	card->sector = request->sector;
	card->sectors = request->sectors;
	memcpy(card->segment, request->segment, request->count * sizeof(card->segment[0]));
	card->mci.cursor = (struct segment_cursor){card->segment, request->count, 0};
	if (card->known) {
		begin(card);
	} else {
		identify(card);
	}
	return IO_PENDING;
}

static enum io_status sd_submit(struct block_backend *backend, struct block_request *request)
{
	struct hw_sd *card = (struct hw_sd *)backend;
	enum io_status status;

	if (request->operation > BLOCK_WRITE) {
		return IO_UNSUPPORTED;
	}
	spin_lock(&card->lock);
	status = submit_locked(card, request);
	spin_unlock(&card->lock);
	if (status == IO_PENDING) {
		tick_start();
	}
	return status;
}

static void sd_listen(struct block_backend *backend, struct io_listener *listener)
{
	struct hw_sd *card = (struct hw_sd *)backend;

	listener->next = card->listener;
	card->listener = listener;
}

void hw_sd_init(struct hw_sd *card, uintptr_t registers, void (*pause)(void))
{
	static const struct block_ops ops = {.submit = sd_submit, .listen = sd_listen};
	static const char id[BLOCK_ID_LENGTH] = "SD card";

	card->backend = (struct block_backend){
		.ops = &ops, .block_size = BLOCK_SECTOR, .segments_max = HW_SD_SEGMENTS, .id = id};
	card->mci.registers = registers;
	pl180_power(&card->mci, pause);
}

void hw_sd_identify(struct hw_sd *card)
{
	spin_lock(&card->lock);
	identify(card);
	spin_unlock(&card->lock);
	tick_start();
}
