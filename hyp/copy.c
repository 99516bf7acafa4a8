/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memcpy() and memmove(), instead of newlib's: an eighth of their size, and half the instructions
 * for a disk's block. Also run before the MMU is on, so no access is unaligned. No state, no lock.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PIECE 32u /* bytes that eight registers hold */

/* Copies @count pieces, one or more. @way: "ia" upwards, "db" downwards. Each is read, then
 * written. */
#if defined(__arm__)
#define COPY_PIECES(way, to, from, count)                                                          \
	asm volatile("1:	ldm" way "	%1!, {r3-r6, r8-r11}\n"                                 \
		     "	stm" way "	%0!, {r3-r6, r8-r11}\n"                                         \
		     "	subs	%2, %2, #1\n"                                                          \
		     "	bne	1b\n"                                                                   \
		     : "+r"(to), "+r"(from), "+r"(count)                                           \
		     :                                                                             \
		     : "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r11", "cc", "memory")
#else /* tests on the host bring their own */
#define COPY_PIECES(way, to, from, count) host_copy_pieces(way, &(to), &(from), &(count))
#endif

static bool aligned(const volatile uint8_t *to, const uint8_t *from)
{
	return (((uintptr_t)to | (uintptr_t)from) & 3) == 0;
}

/* Volatile, here and below: or the compiler would take the loop for a memcpy(). */
void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	volatile uint8_t *byte = to;
	const uint8_t *next = from;
	size_t pieces = size / PIECE;

	if (pieces != 0 && aligned(byte, next)) {
		COPY_PIECES("ia", byte, next, pieces);
		size %= PIECE;
	}
	while (size-- != 0) {
		*byte++ = *next++;
	}
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	volatile uint8_t *byte = (uint8_t *)to + size;
	const uint8_t *next = (const uint8_t *)from + size;

	if ((uintptr_t)to - (uintptr_t)from >= size) { /* upwards is right */
		return memcpy(to, from, size);
	}
	while (size != 0) {
		size_t pieces = size / PIECE;

		if (pieces != 0 && aligned(byte, next)) {
			COPY_PIECES("db", byte, next, pieces);
			size %= PIECE;
		} else {
			*--byte = *--next;
			size--;
		}
	}
	return to;
}
