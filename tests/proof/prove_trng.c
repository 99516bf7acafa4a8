/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware's TRNG: firmware that answers anything, and a guest that asks anything of it.
 * @sources drivers/hw/trng.c
 * @run -eva-precision 2 -eva-slevel 200
 * @plant drivers/hw/trng.c s/left < RND_BYTES [?] left : RND_BYTES/left/
 */
#include "drivers/hw/trng.h"

static struct trng trng;
static uint8_t room[64]; /* VIRTIO_RNG_BYTES */

static void call(uint32_t r[4])
{
	for (unsigned i = 0; i < 4; i++) {
		r[i] = any();
	}
}

void main(void)
{
	struct io_segment segment = {room, 1 + up_to(sizeof(room) - 1)};
	struct io_listener listener;
	uint32_t r[4] = {any(), any(), any(), any()};

	/*@ split segment.length; */
	trng_answer(&trng, r);
	trng_init(&trng, call);
	trng_answer(&trng, r);
	if (trng.call) {
		trng.backend.ops->listen(&trng.backend, &listener);
		trng.backend.ops->submit(&trng.backend, NULL, &segment);
		/*@ assert segment.length <= sizeof(room); */
	}
}
