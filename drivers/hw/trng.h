/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The firmware's source of entropy (Arm DEN0098, SMCCC TRNG 1.0, 32-bit calls): a backend for the
 * guest's entropy device, and the same calls for the guest. No state after trng_init(): no lock.
 */
#ifndef DRIVERS_HW_TRNG_H
#define DRIVERS_HW_TRNG_H

#include <stdbool.h>
#include "../entropy.h"

/* Calls the firmware, r0 to r3 in @r; they are its answer afterwards (SMCCC 1.1). */
typedef void smccc_call(uint32_t r[4]);

struct trng {
	struct entropy_backend backend; /* first. Every submit ends at once */
	smccc_call *call;
};

/*
 * Looks for it as DEN0098 wants: PSCI 1.0 says whether there is SMCCC_VERSION, that whether there
 * may be calls of this kind. @call: of a firmware with PSCI. Returns false if there is none; then
 * all that trng_answer() says is NOT_SUPPORTED, and the backend must not be used.
 */
bool trng_init(struct trng *trng, smccc_call *call);

/*
 * Answers a guest's call @r, r0 to r3. Returns false if it is none of a TRNG, or the firmware has
 * none; @r is as it was then.
 */
bool trng_answer(const struct trng *trng, uint32_t r[4]);

#endif
