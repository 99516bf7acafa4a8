/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal's answer about its size: any bytes are typed.
 * @sources hyp/winsize.c
 * @plant hyp/winsize.c s/held_count < WINSIZE_HELD/held_count <= WINSIZE_HELD/
 * @plant hyp/winsize.c s/\*at < winsize->held_count &&/*at <= winsize->held_count \&\&/
 */
#include "hyp/winsize.h"

static struct winsize winsize;

void main(void)
{
	unsigned int give;

	/*@ dynamic_split winsize.held_count; */
	while (maybe()) {
		winsize_take(&winsize, (uint8_t)any(), &give);
		/*@ assert give <= WINSIZE_HELD; */
		/*@ assert winsize.held_count < WINSIZE_HELD; */
	}
}
