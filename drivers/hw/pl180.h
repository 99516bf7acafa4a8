/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controllers PL180 and PL181 (ARM DDI 0172A, DDI 0205B): commands to a card, and data that the
 * processor moves through a FIFO of 16 words. Nothing waits: what was begun ends by an interrupt.
 * Lock: that of the card (sd.h), held in each function.
 */
#ifndef DRIVERS_HW_PL180_H
#define DRIVERS_HW_PL180_H

#include <stdbool.h>
#include "../block/segments.h"

#define PL180_BLOCK 512u /* bytes; data are whole ones */

/* With a command's number, what it is answered (MCICommand, DDI 0205B 3.3.4). */
#define PL180_ANSWER (1u << 6)
#define PL180_LONG   (1u << 7 | PL180_ANSWER) /* 136 bits, not 48 */

struct pl180 {
	uintptr_t registers;
	uint32_t mask;      /* MCIMask0: what may interrupt */
	uint32_t left;      /* bytes that the FIFO has still to bring or to take */
	bool reading, wide; /* wide: a PL181, which can use four wires */
	struct segment_cursor cursor;
};

enum pl180_event {
	PL180_NOTHING, /* the interrupt was for nothing */
	PL180_MOVED,   /* data, but not all */
	/* The end of a command. */
	PL180_ANSWERED,
	PL180_GARBLED, /* the answer's checksum is wrong, as it is where there is none */
	PL180_SILENT,  /* no answer came */
	/* The end of data. */
	PL180_DONE,
	PL180_FAILED,
};

/* Switches the card's supply on: @pause lets 1 ms go by, twice (SD 6.4.1). At start-up. */
void pl180_power(struct pl180 *mci, void (*pause)(void));

/* @fast: for data, with as many wires as it can use; else for identification. */
void pl180_clock(const struct pl180 *mci, bool fast);

/* Sends a command, which pl180_event() ends. The one before has ended. */
void pl180_send(struct pl180 *mci, uint32_t command, uint32_t argument);

/* A word of the answer, 0 to 3, the first bits in the first. */
uint32_t pl180_answer(const struct pl180 *mci, unsigned int word);

/*
 * Expects @bytes for the cursor's segments, before the command is sent that reads, or sends them,
 * after the answer to one that writes. At most 65535.
 */
void pl180_data(struct pl180 *mci, uint32_t bytes, bool reading);

/* After the command's end: pl180_event() moves the data and ends them. */
void pl180_watch(struct pl180 *mci);

/* Gives up the data; and, with the card, everything. */
void pl180_drop(struct pl180 *mci);
void pl180_quiet(struct pl180 *mci);

/* What the interrupt is about. Moves at most what the FIFO holds. */
enum pl180_event pl180_event(struct pl180 *mci);

#endif
