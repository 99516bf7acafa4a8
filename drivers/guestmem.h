/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's RAM as devices see it: one contiguous range at a constant offset. */
#ifndef DRIVERS_GUESTMEM_H
#define DRIVERS_GUESTMEM_H

#include <stddef.h>
#include <stdint.h>

struct guest_memory {
	uint64_t base; /* IPA of the first byte */
	uint64_t size; /* bytes, at most 3 GiB */
	uint8_t *at;   /* where the hypervisor (or the test) sees the first byte */
};

/*
 * The one bounds check between a guest address and a pointer.
 * @ipa: IPA of the first byte; @length: bytes, may be 0.
 * Returns NULL unless the whole range lies in the guest's RAM; no overflow of @ipa + @length
 * passes.
 */
static inline __attribute__((__always_inline__)) void *
guest_memory_at(const struct guest_memory *memory, uint64_t ipa, uint32_t length)
{
	const uint32_t size = (uint32_t)memory->size;
	const uint64_t offset = ipa - memory->base; /* below the base: far more than any size */

	uint8_t *at;

	if (length > size || offset > size - length) {
		return NULL;
	}
	at = memory->at + (uint32_t)offset;
	if (!at) {
		__builtin_unreachable(); /* so that the caller's look at it is this one */
	}
	return at;
}

#endif
