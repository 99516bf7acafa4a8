/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comes before everything in a proof: arbitrary values, and the compiler's builtins that Frama-C 25
 * does not know. Memory that others may change at any moment is volatile in the code: for Eva it has
 * any value at each read.
 */
#ifndef TESTS_PROOF_H
#define TESTS_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "__fc_builtin.h"

/* A sequential meaning: what the order of memory adds is not proved here. */
#define __atomic_load_n(at, order)            (*(at))
#define __atomic_store_n(at, value, order)    (*(at) = (value))
#define __atomic_thread_fence(order)          ((void)0)
#define __atomic_fetch_or(at, bits, order)    proof_replace(at, *(at) | (bits))
#define __atomic_exchange_n(at, value, order) proof_replace(at, value)
#define __atomic_compare_exchange_n(at, expected, value, weak, order, failure)                     \
	(*(at) == *(expected) ? (*(at) = (value), true) : (*(expected) = *(at), false))
#define __builtin_expect(value, expected) (value)
#define __builtin_memcpy                  memcpy
#define _Alignas(bytes)

static inline uint32_t proof_replace(uint32_t *at, uint32_t by)
{
	const uint32_t before = *at;

	*at = by;
	return before;
}

/* Must not be called, which is to be proved. */
/*@ requires reached: \false;
    assigns \nothing; */
void proof_unreachable(void);
#define __builtin_unreachable() proof_unreachable()

/*
 * What is required has functions of its own, without a body: the alarm is where they are called. (Of a body that a
 * false precondition kept from being looked at, Eva would think from then on that it never returns.)
 */
/*@ requires defined: value != 0;
    assigns \nothing; */
void proof_count(uint32_t value);

static inline int proof_ctz(uint32_t value)
{
	int zeroes = 0;

	/*@ loop unroll 32; */
	while (value >> zeroes > 1 && (value >> zeroes & 1) == 0) {
		zeroes++;
	}
	return zeroes;
}

static inline int proof_clz(uint32_t value)
{
	int zeroes = 0;

	/*@ loop unroll 32; */
	while (zeroes < 31 && value >> (31 - zeroes) == 0) {
		zeroes++;
	}
	return zeroes;
}
#define __builtin_ctz(value) (proof_count(value), proof_ctz(value))
#define __builtin_clz(value) (proof_count(value), proof_clz(value))

static inline uint32_t proof_bswap32(uint32_t value)
{
	return value << 24 | (value & 0xff00) << 8 | (value >> 8 & 0xff00) | value >> 24;
}
#define __builtin_bswap32(value)         proof_bswap32(value)
#define __builtin_assume_aligned(at, by) (at)

/* One core: taking a lock twice, or letting go of one that is free, is an alarm. */
#define DRIVERS_LOCK_H
struct spinlock {
	uint16_t owner, next;
};

/*@ requires free: owner == 0;
    assigns \nothing; */
void proof_lock(uint16_t owner);
/*@ requires held: owner == 1;
    assigns \nothing; */
void proof_unlock(uint16_t owner);

#define spin_lock(lock)   (proof_lock((lock)->owner), (void)((lock)->owner = 1))
#define spin_unlock(lock) (proof_unlock((lock)->owner), (void)((lock)->owner = 0))

/* 0 to UINT32_MAX. */
static inline uint32_t any(void)
{
	return Frama_C_unsigned_int_interval(0, UINT32_MAX);
}

/* 0 to @max. */
static inline uint32_t up_to(uint32_t max)
{
	return Frama_C_unsigned_int_interval(0, max);
}

static inline bool maybe(void)
{
	return Frama_C_unsigned_int_interval(0, 1) != 0;
}

/*
 * An instruction of the processor's may read anything. All of them call value what they read or write, and do nothing
 * else that the C code could see; those without one have this.
 */
static uint32_t value;
#define asm
#define volatile(...) (value = (uint64_t)any() << 32 | any())

#endif
