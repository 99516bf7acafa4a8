/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 (FIPS 180-4) of a piece of memory, whoever computes it. Pure. */
#ifndef HYP_SHA256_H
#define HYP_SHA256_H

#include <stdint.h>

/* Writes the hash of @length bytes to @digest. */
void sha256(const void *bytes, uint32_t length, uint8_t digest[32]);

#endif
