/* SPDX-License-Identifier: BSD-2-Clause */
/* A fuzzer's input, taken from the front; zeros when there is no more. */
#ifndef TESTS_FUZZ_BYTES_H
#define TESTS_FUZZ_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct bytes {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t take8(struct bytes *bytes)
{
	if (bytes->left == 0) {
		return 0;
	}
	bytes->left--;
	return *bytes->at++;
}

static inline uint16_t take16(struct bytes *bytes)
{
	uint16_t low = take8(bytes);

	return (uint16_t)(low | take8(bytes) << 8);
}

static inline uint32_t take32(struct bytes *bytes)
{
	uint32_t low = take16(bytes);

	return low | (uint32_t)take16(bytes) << 16;
}

/* Mostly a small number, sometimes a huge or a random one: what bounds checks are for. */
static inline uint32_t take_length(struct bytes *bytes)
{
	uint8_t kind = take8(bytes);

	switch (kind >> 4) {
	case 0:
		return take32(bytes);
	case 1:
		return UINT32_MAX - (kind & 15);
	case 2:
		return take16(bytes);
	default:
		return kind & 63;
	}
}

/* What the model and the reference disagree about is a bug in one of them. */
#define AGREE(model, reference)                                                                    \
	do {                                                                                       \
		unsigned long long model_ = (unsigned long long)(model);                           \
		unsigned long long reference_ = (unsigned long long)(reference);                   \
		if (model_ != reference_) {                                                        \
			fprintf(stderr, "%s:%d: %s is %#llx, the reference says %#llx\n",          \
				__FILE__, __LINE__, #model, model_, reference_);                   \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

#endif
