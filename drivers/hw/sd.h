/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An SD card (SD Physical Layer Simplified Specification 6.00) behind a PL180 or PL181 as a block
 * backend. A card that was pulled is identified anew by the next request, and used if it is the
 * same.
 */
#ifndef DRIVERS_HW_SD_H
#define DRIVERS_HW_SD_H

#include "../block.h"
#include "../lock.h"
#include "pl180.h"

#define HW_SD_SEGMENTS 64u
#define HW_SD_TIMEOUT  5u  /* ticks (drivers/tick.h) for identification, or for HW_SD_CHUNK */
#define HW_SD_CHUNK    64u /* sectors of one command */

/* What the card does; most are a command. */
enum hw_sd_step {
	SD_IDLE,
	/* Identification, in this order (SD 4.2, 4.3). */
	SD_GO_IDLE,
	SD_IF_COND,
	SD_APP_OP_COND,
	SD_OP_COND,
	SD_CID,
	SD_RCA,
	SD_CSD,
	SD_SELECT,
	SD_BLOCK_LENGTH,
	SD_APP_WIDTH,
	SD_WIDTH,
	/* A request. */
	SD_READ,
	SD_WRITE,
	SD_MOVE,
	SD_STOP,
	SD_STATUS,
};

/* The lock guards all of it but the backend, which is constant after start-up. */
struct hw_sd {
	struct block_backend backend; /* first. sectors is 0 until a card was identified */
	struct spinlock lock;
	struct pl180 mci;
	enum hw_sd_step step;
	bool known;      /* identified, and nothing against it since */
	bool off;        /* for good: another card, or a wire that nothing lowers */
	bool failed;     /* the request in flight */
	uint8_t started; /* tick_count */
	uint8_t idle;    /* interrupts for nothing since another one */
	uint8_t shift;   /* from a sector to the unit of the card's addresses */
	uint32_t features, rca, cid[4];
	struct block_request *request;             /* in flight; with SD_IDLE: over, to be told */
	uint64_t sector;                           /* comes next */
	uint32_t sectors;                          /* left */
	struct io_segment segment[HW_SD_SEGMENTS]; /* the request's */
	struct io_listener *listener;
};

/*
 * Takes over the controller at @registers. *card is zero. @pause lets at least 1 ms go by. Boot
 * core, at start-up.
 */
void hw_sd_init(struct hw_sd *card, uintptr_t registers, void (*pause)(void));

/* Identifies a card: step is SD_IDLE when it has ended; then known says whether there is one. */
void hw_sd_identify(struct hw_sd *card);

/* Interrupt, which returns false if it must not come any more, and tick, as hw_virtio_irq() and
 * hw_virtio_tick(). @card: a struct hw_sd. */
bool hw_sd_irq(void *card);
bool hw_sd_tick(void *card);

#endif
