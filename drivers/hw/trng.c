/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware's TRNG: asked in the call itself, it answers with 96 bits or that it has run dry. */
#include "trng.h"
#include <stddef.h>
#include <string.h>

#define PSCI_VERSION  0x84000000u
#define PSCI_FEATURES 0x8400000au
#define SMCCC_VERSION 0x80000000u
#define TRNG_VERSION  0x84000050u
#define TRNG_RND32    0x84000053u

#define PSCI_1_0  0x00010000
#define SMCCC_1_1 0x00010001
#define TRNG_1_0  0x00010000
#define RND_BYTES 12u /* of one TRNG_RND32 */

_Static_assert(offsetof(struct trng, backend) == 0, "trng_submit() casts");

static int32_t call1(smccc_call *call, uint32_t function, uint32_t argument)
{
	uint32_t r[4] = {function, argument, 0, 0};

	call(r);
	return (int32_t)r[0];
}

/* @bytes: up to RND_BYTES. The answer is in r3, then r2, then r1 (DEN0098, TRNG_RND). */
static bool rnd(smccc_call *call, uint8_t *to, uint32_t bytes)
{
	uint32_t r[4] = {TRNG_RND32, 8 * bytes, 0, 0};
	uint32_t i;

	call(r);
	for (i = 0; r[0] == 0 && i < bytes; i++) {
		to[i] = (uint8_t)(r[3 - i / 4] >> i % 4 * 8);
	}
	return r[0] == 0;
}

static enum io_status trng_submit(struct entropy_backend *backend, struct io_request *request,
				  struct io_segment *segment)
{
	smccc_call *call = ((struct trng *)backend)->call;
	uint32_t filled = 0;

	(void)request;
	while (filled < segment->length) {
		uint32_t left = segment->length - filled;
		uint32_t bytes = left < RND_BYTES ? left : RND_BYTES;

		if (!rnd(call, segment->at + filled, bytes)) {
			break;
		}
		filled += bytes;
	}
	segment->length = filled;
	return filled != 0 ? IO_OK : IO_ERROR;
}

static void trng_listen(struct entropy_backend *backend, struct io_listener *listener)
{
	(void)backend;
	(void)listener;
}

bool trng_init(struct trng *trng, smccc_call *call)
{
	static const struct entropy_ops ops = {.submit = trng_submit, .listen = trng_listen};

	*trng = (struct trng){{&ops}, NULL};
	if (call1(call, PSCI_VERSION, 0) >= PSCI_1_0 &&
	    call1(call, PSCI_FEATURES, SMCCC_VERSION) >= 0 &&
	    call1(call, SMCCC_VERSION, 0) >= SMCCC_1_1 &&
	    call1(call, TRNG_VERSION, 0) >= TRNG_1_0) {
		trng->call = call;
	}
	return trng->call != NULL;
}

bool trng_answer(const struct trng *trng, uint32_t r[4])
{
	if (!trng->call || r[0] - TRNG_VERSION > TRNG_RND32 - TRNG_VERSION) {
		return false;
	}
	r[2] = 0;
	r[3] = 0;
	trng->call(r);
	return true;
}
