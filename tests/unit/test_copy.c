/* SPDX-License-Identifier: BSD-2-Clause */
/* hyp/copy.c: every small size, alignment and overlap, against copying by way of a buffer. */
#include "suite.h"
#include <string.h>

/* A piece as the assembly has it: the eight registers are read before they are written. */
static void host_copy_pieces(const char *way, volatile uint8_t **to, const uint8_t **from,
			     size_t *count)
{
	const ptrdiff_t step = way[0] == 'i' ? 32 : -32;

	assert_int_equal(((uintptr_t)*to | (uintptr_t)*from) & 3, 0);
	assert_int_not_equal(*count, 0);
	for (; *count != 0; --*count) {
		uint8_t piece[32];

		*from += step < 0 ? step : 0;
		*to += step < 0 ? step : 0;
		for (unsigned int i = 0; i < sizeof(piece); i++) {
			piece[i] = (*from)[i];
		}
		for (unsigned int i = 0; i < sizeof(piece); i++) {
			(*to)[i] = piece[i];
		}
		*from += step > 0 ? step : 0;
		*to += step > 0 ? step : 0;
	}
}

#define memcpy  own_memcpy
#define memmove own_memmove
void *own_memcpy(void *restrict to, const void *restrict from, size_t size);
void *own_memmove(void *to, const void *from, size_t size);
#include "../../hyp/copy.c"
#undef memcpy
#undef memmove

#define ROOM 256u

static void fill(uint8_t bytes[ROOM])
{
	for (unsigned int i = 0; i < ROOM; i++) {
		bytes[i] = (uint8_t)(i * 7 + 1);
	}
}

/* From @from to @to; all else stays. */
static void check(bool move, unsigned int to, unsigned int from, unsigned int size)
{
	uint8_t bytes[ROOM] __attribute__((aligned(8))), expected[ROOM], between[ROOM];
	void *returned;

	fill(bytes);
	fill(expected);
	memcpy(between, bytes + from, size);
	memcpy(expected + to, between, size);
	returned = move ? own_memmove(bytes + to, bytes + from, size)
			: own_memcpy(bytes + to, bytes + from, size);
	assert_ptr_equal(returned, bytes + to);
	assert_memory_equal(bytes, expected, ROOM);
}

static void copies_any_size_and_alignment(void **state)
{
	(void)state;
	for (unsigned int size = 0; size < 100; size++) {
		for (unsigned int i = 0; i < 16; i++) {
			check(false, 130 + i / 4, i % 4, size);
		}
	}
}

static void moves_over_itself(void **state)
{
	(void)state;
	for (unsigned int size = 0; size < 100; size++) {
		for (unsigned int to = 0; to < 80; to++) {
			for (unsigned int from = 37; from < 41; from++) {
				check(true, to, from, size);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_any_size_and_alignment),
		cmocka_unit_test(moves_over_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
