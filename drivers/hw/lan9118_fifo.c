/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames on their way through the LAN9118's FIFOs, a word at a time where memory is aligned as they
 * are (LAN_OFFSET). Lock: the chip's, held.
 */
#include "lan9118_chip.h"

#define TX_FIRST     (1u << 13)
#define TX_LAST      (1u << 12)
#define HEADER_WORDS (NET_HEADER / 4)

typedef uint32_t __attribute__((may_alias)) word_t;

static bool has_word(const uint8_t *at, uint32_t left)
{
	return left >= 4 && (uintptr_t)at % 4 == 0;
}

void lan_push(const struct lan9118 *lan, const struct io_segment *segment, uint32_t length)
{
	uint32_t skip = NET_HEADER, used = LAN_OFFSET, word = 0;

	/* Commands A and B (3.12.2): the first segment and the last at once. */
	lan_put(lan, LAN_TX_DATA, LAN_OFFSET << 16 | TX_FIRST | TX_LAST | length);
	lan_put(lan, LAN_TX_DATA, length);
	for (length += skip; length > 0; segment++) {
		const uint32_t header = skip < segment->length ? skip : segment->length;
		const uint8_t *at = segment->at + header;
		uint32_t left = segment->length - header;

		length -= segment->length;
		skip -= header;
		while (left > 0) {
			for (; used == 0 && has_word(at, left); at += 4, left -= 4) {
				lan_put(lan, LAN_TX_DATA, *(const word_t *)at);
			}
			for (; left > 0 && used < 4; left--) {
				word |= (uint32_t)*at++ << 8 * used++;
			}
			if (used == 4) {
				lan_put(lan, LAN_TX_DATA, word);
				used = word = 0;
			}
		}
	}
	if (used != 0) {
		lan_put(lan, LAN_TX_DATA, word);
	}
}

/* Words 0 to 3 of a buffer are ours but for the frame's first bytes: num_buffers is 1. */
static uint32_t next_word(const struct lan9118 *lan, uint32_t index)
{
	if (index < HEADER_WORDS) {
		return 0;
	}
	return index == HEADER_WORDS ? (lan_get(lan, LAN_RX_DATA) & 0xffff0000) | 1
				     : lan_get(lan, LAN_RX_DATA);
}

void lan_pull(const struct lan9118 *lan, const struct io_segment *segment, uint32_t length)
{
	uint32_t index = 0, used = LAN_OFFSET, word = next_word(lan, index++);

	for (; length > 0; segment++) {
		uint32_t left = segment->length < length ? segment->length : length;
		uint8_t *at = segment->at;

		length -= left;
		while (left > 0) {
			for (; used == 4 && has_word(at, left); at += 4, left -= 4) {
				*(word_t *)at = next_word(lan, index++);
			}
			if (left > 0 && used == 4) {
				word = next_word(lan, index++);
				used = 0;
			}
			for (; left > 0 && used < 4; left--) {
				*at++ = (uint8_t)(word >> 8 * used++);
			}
		}
	}
}
