/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 by libmd, whose sha2.c is fetched from Debian and built with -DSHA256_ONLY. Pure. */
#include <sys/types.h>
#include <sha2.h>
#include "sha256.h"

void sha256(const void *bytes, uint32_t length, uint8_t digest[32])
{
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, bytes, length);
	SHA256Final(digest, &context);
}
