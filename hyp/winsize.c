/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the terminal's answer about its size in the input. */
#include "winsize.h"

#define NUMBER_MAX 999u

/* Takes a number from held[*at] on; 0: there is none, or it is too large. */
static uint16_t number(const struct winsize *winsize, unsigned int *at)
{
	unsigned int value = 0;

	while (*at < winsize->held_count && winsize->held[*at] >= '0' &&
	       winsize->held[*at] <= '9' && value <= NUMBER_MAX) {
		value = value * 10 + winsize->held[(*at)++] - '0';
	}
	return value <= NUMBER_MAX ? (uint16_t)value : 0;
}

enum match { NO_MATCH, BEGINS, IS_ANSWER };

static enum match match(struct winsize *winsize)
{
	static const uint8_t start[] = {0x1b, '['};
	uint16_t value[2];
	unsigned int at;

	for (at = 0; at < sizeof(start); at++) {
		if (at == winsize->held_count) {
			return BEGINS;
		}
		if (winsize->held[at] != start[at]) {
			return NO_MATCH;
		}
	}
	for (unsigned int i = 0; i < 2; i++) {
		value[i] = number(winsize, &at);
		if (at == winsize->held_count) {
			return BEGINS;
		}
		if (value[i] == 0 || winsize->held[at++] != (i == 0 ? ';' : 'R')) {
			return NO_MATCH;
		}
	}
	winsize->rows = value[0];
	winsize->columns = value[1];
	return IS_ANSWER;
}

bool winsize_take(struct winsize *winsize, uint8_t byte, unsigned int *give)
{
	enum match found;

	winsize->held[winsize->held_count++] = byte;
	found = match(winsize);
	*give = 0;
	if (found == BEGINS && winsize->held_count < WINSIZE_HELD) {
		return false;
	}
	if (found != IS_ANSWER) {
		*give = winsize->held_count;
	}
	winsize->asked = found != IS_ANSWER;
	winsize->held_count = 0;
	return found == IS_ANSWER;
}
