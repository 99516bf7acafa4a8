/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests on one to four cores, on hyp/vgic*.c and on the reference GICv2 (vgic_steps.c). A
 * generator decides their steps; the input changes its decisions, and says where it starts. So a
 * short input is a whole guest already, and one byte more or less another one that differs from
 * some step on.
 */
#include "bytes.h"
#include "tests/unit/vgic_hw.h"
#include "tests/unit/vgic_steps.h"

#define STEPS           100u /* at least */
#define BYTES_OF_A_STEP 4u   /* about */

struct decisions {
	struct bytes in;
	uint32_t x; /* of the generator, not 0 */
};

_Noreturn void hw_fail(const char *message)
{
	steps_show_history();
	fprintf(stderr, "%s\n", message);
	abort();
}

static uint8_t next_decision(void *source)
{
	struct decisions *decisions = source;
	uint32_t x = decisions->x;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	decisions->x = x;
	return (uint8_t)(x >> 11) ^ take8(&decisions->in);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct decisions decisions = {.in = {input, length}};
	const uint8_t machine = take8(&decisions.in), avoid = take8(&decisions.in);
	const struct steps steps = {.next = next_decision,
				    .source = &decisions,
				    .words = 2 + (machine >> 7),
				    .cores = 1 + (machine & 3),
				    .lrs = 1 + (machine >> 2 & 3),
				    .avoid = (machine & 16) != 0 ? avoid : 0,
				    .own_spis = (machine & 32) != 0,
				    .active_by_core = (machine & 64) != 0};

	decisions.x = take16(&decisions.in) * 2654435761u + 88675123u;
	if (decisions.x == 0) {
		decisions.x = 1;
	}
	steps_run(&steps, STEPS + (unsigned int)length / BYTES_OF_A_STEP);
	return 0;
}
