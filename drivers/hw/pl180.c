/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of PL180 and PL181, and the processor's part in moving data. Lock: pl180.h. */
#include "pl180.h"
#include "access.h"

/* DDI 0205B, 3.2. */
#define POWER       0x000u
#define CLOCK       0x004u
#define ARGUMENT    0x008u
#define COMMAND     0x00cu
#define RESPONSE    0x014u
#define DATA_TIMER  0x024u
#define DATA_LENGTH 0x028u
#define DATA_CTRL   0x02cu
#define STATUS      0x034u
#define CLEAR       0x038u
#define MASK0       0x03cu
#define MASK1       0x040u
#define FIFO        0x080u
#define PERIPH_ID0  0xfe0u

#define POWER_UP 2u
#define POWER_ON 3u

/*
 * MCLK is not told, but 24 MHz on Versatile Express. Divided by 2 * (n + 1), it is 100 to 400 kHz
 * for identification and 6 to 24 MHz for data while MCLK is 24 to 96 MHz (SD 4.2.1, 6.7).
 */
#define CLOCK_SLOW   119u
#define CLOCK_FAST   1u
#define CLOCK_ENABLE (1u << 8)
#define CLOCK_WIDE   (1u << 11) /* PL181 */
#define ID0_PL181    0x81u

#define COMMAND_ENABLE (1u << 10)

#define DATA_ENABLE   (1u << 0)
#define DATA_FROM     (1u << 1) /* the card */
#define DATA_BLOCKS   (9u << 4) /* of 1 << 9 bytes */
#define DATA_PATIENCE 12500000u /* clocks of the card: half a second at 25 MHz (SD 4.6.2) */

#define COMMAND_CRC     (1u << 0)
#define COMMAND_TIMEOUT (1u << 2)
#define COMMAND_ENDS    0x0c5u /* these two, the answer's end, and sent without wanting one */
#define DATA_ERRORS     0x23au /* CRC, time-out, underrun, overrun, start bit */
#define DATA_END        (1u << 8)
#define TX_HALF_EMPTY   (1u << 14)
#define RX_HALF_FULL    (1u << 15)
#define RX_FULL         (1u << 17)
#define TX_EMPTY        (1u << 18)
#define CLEAR_ALL       0x7ffu

#define FIFO_WORDS 16u

static uint32_t get(const struct pl180 *mci, uint32_t offset)
{
	return mmio_read(mci->registers + offset);
}

static void put(const struct pl180 *mci, uint32_t offset, uint32_t value)
{
	mmio_write(mci->registers + offset, value);
}

static void set_mask(struct pl180 *mci, uint32_t mask)
{
	mci->mask = mask;
	put(mci, MASK0, mask);
}

void pl180_power(struct pl180 *mci, void (*pause)(void))
{
	pl180_quiet(mci);
	put(mci, MASK1, 0);
	mci->wide = (uint8_t)get(mci, PERIPH_ID0) == ID0_PL181;
	put(mci, POWER, POWER_UP);
	pause();
	pl180_clock(mci, false);
	put(mci, POWER, POWER_ON);
	pause();
}

void pl180_clock(const struct pl180 *mci, bool fast)
{
	put(mci, CLOCK,
	    CLOCK_ENABLE | (fast ? CLOCK_FAST : CLOCK_SLOW) | (fast && mci->wide ? CLOCK_WIDE : 0));
}

void pl180_send(struct pl180 *mci, uint32_t command, uint32_t argument)
{
	put(mci, CLEAR, CLEAR_ALL);
	put(mci, ARGUMENT, argument);
	set_mask(mci, COMMAND_ENDS);
	put(mci, COMMAND, COMMAND_ENABLE | command);
}

uint32_t pl180_answer(const struct pl180 *mci, unsigned int word)
{
	return get(mci, RESPONSE + 4 * word);
}

void pl180_data(struct pl180 *mci, uint32_t bytes, bool reading)
{
	mci->left = bytes;
	mci->reading = reading;
	put(mci, DATA_TIMER, DATA_PATIENCE);
	put(mci, DATA_LENGTH, bytes);
	put(mci, CLEAR, CLEAR_ALL); /* QEMU's says after each command that data have ended */
	put(mci, DATA_CTRL, DATA_ENABLE | DATA_BLOCKS | (reading ? DATA_FROM : 0));
}

void pl180_watch(struct pl180 *mci)
{
	set_mask(mci, DATA_ERRORS | DATA_END |
			      (mci->left == 0 ? 0
			       : mci->reading ? RX_HALF_FULL
					      : TX_HALF_EMPTY));
}

void pl180_drop(struct pl180 *mci)
{
	put(mci, DATA_CTRL, 0);
}

void pl180_quiet(struct pl180 *mci)
{
	set_mask(mci, 0);
	put(mci, COMMAND, 0);
	pl180_drop(mci);
}

/*
 * Bytes that can be moved. Blocks are whole rows of half a FIFO; where that is longer than told
 * (Versatile Express has 128 words), the rest is in it once the data have ended.
 */
static uint32_t ready(const struct pl180 *mci, uint32_t status)
{
	const uint32_t half = mci->reading ? RX_HALF_FULL : TX_HALF_EMPTY;
	const uint32_t whole = mci->reading ? RX_FULL | DATA_END : TX_EMPTY;
	const uint32_t bytes = (status & whole) != 0  ? FIFO_WORDS * 4
			       : (status & half) != 0 ? FIFO_WORDS * 2
						      : 0;

	return bytes < mci->left ? bytes : mci->left;
}

static void move(struct pl180 *mci, uint32_t bytes)
{
	uint32_t word[FIFO_WORDS];

	if (!mci->reading) {
		segments_get(&mci->cursor, word, bytes);
	}
	for (uint32_t i = 0; i < bytes / 4; i++) {
		if (mci->reading) {
			word[i] = get(mci, FIFO);
		} else {
			put(mci, FIFO, word[i]);
		}
	}
	if (mci->reading) {
		segments_put(&mci->cursor, word, bytes);
	}
	mci->left -= bytes;
}

/* The status is read again after data were moved: their end is there, or soon comes. */
static enum pl180_event data_event(struct pl180 *mci, uint32_t status)
{
	const uint32_t bytes = ready(mci, status);

	if ((status & DATA_ERRORS) != 0) {
		return PL180_FAILED;
	}
	if (bytes != 0) {
		move(mci, bytes);
		status = get(mci, STATUS);
		if (mci->left == 0) {
			pl180_watch(mci);
		}
	}
	return (status & DATA_END) == 0 ? PL180_MOVED
	       : mci->left == 0         ? PL180_DONE
	       : mci->reading           ? PL180_MOVED
					: PL180_FAILED;
}

enum pl180_event pl180_event(struct pl180 *mci)
{
	const uint32_t status = get(mci, STATUS);

	if ((status & mci->mask) == 0) {
		return PL180_NOTHING;
	}
	if (mci->mask != COMMAND_ENDS) {
		return data_event(mci, status);
	}
	set_mask(mci, 0);
	return (status & COMMAND_TIMEOUT) != 0 ? PL180_SILENT
	       : (status & COMMAND_CRC) != 0   ? PL180_GARBLED
					       : PL180_ANSWERED;
}
