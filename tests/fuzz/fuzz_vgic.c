/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes as steps of a guest on the virtual GIC, against the reference GICv2
 * (tests/unit/vgic_steps.c). */
#include "tests/unit/vgic_hw.h"
#include "tests/unit/vgic_steps.h"
#include "bytes.h"

#define STEPS_MAX 400u

_Noreturn void hw_fail(const char *message)
{
	fprintf(stderr, "%s\n", message);
	steps_show_history();
	abort();
}

static uint8_t next_byte(void *source)
{
	return take8(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct bytes bytes = {input, length};
	const uint8_t shape = take8(&bytes);
	const struct steps steps = {
		.next = next_byte,
		.source = &bytes,
		.words = 2,
		.cores = 1u + (shape & 3),
		.lrs = (shape & 4) != 0 ? 4 : 2 + (shape >> 6),
	};

	/* Set-up takes some 50 bytes, a step 3 to 8. */
	steps_run(&steps, length / 4 < STEPS_MAX ? (unsigned int)length / 4 : STEPS_MAX);
	return 0;
}
