/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How large is the terminal? A terminal that is sent WINSIZE_QUERY answers, among what is typed,
 * with ESC [ rows ; columns R (ECMA-48, CPR). Pure; the owner's lock.
 */
#ifndef HYP_WINSIZE_H
#define HYP_WINSIZE_H

#include <stdbool.h>
#include <stdint.h>

/* Save the cursor, go as far as it goes, where is it?, restore it. */
#define WINSIZE_QUERY "\0337\033[999;999H\033[6n\0338"
#define WINSIZE_HELD  10 /* bytes of the longest answer, with up to three digits each */

struct winsize {
	bool asked;         /* WINSIZE_QUERY was sent, the answer has not come yet */
	uint8_t held_count; /* bytes of what may become the answer */
	uint8_t held[WINSIZE_HELD];
	uint16_t rows, columns; /* of the last answer, 1 to 999 */
};

/*
 * Takes a byte of input while @asked. Returns true if it was the last one of the answer: rows and
 * columns are new, nothing is held. Otherwise it is held, or it was not of an answer: then *give is
 * how many bytes of held, which has it, too, are input like any other.
 */
bool winsize_take(struct winsize *winsize, uint8_t byte, unsigned int *give);

#endif
