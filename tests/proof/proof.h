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
#define __atomic_load_n(at, order)         (*(at))
#define __atomic_store_n(at, value, order) (*(at) = (value))
#define __atomic_thread_fence(order)       ((void)0)
#define __atomic_compare_exchange_n(at, expected, value, weak, order, failure)                     \
	(*(at) == *(expected) ? (*(at) = (value), true) : (*(expected) = *(at), false))
#define __builtin_expect(value, expected) (value)
#define __builtin_memcpy                  memcpy
#define _Alignas(bytes)

/* Must not be called, which is to be proved. */
/*@ requires reached: \false;
    assigns \nothing; */
void proof_unreachable(void);
#define __builtin_unreachable() proof_unreachable()

static inline int proof_ctz(uint32_t value)
{
	int zeroes = 0;

	/*@ assert defined: value != 0; */
	/*@ loop unroll 32; */
	while (zeroes < 31 && !(value >> zeroes & 1)) {
		zeroes++;
	}
	return zeroes;
}
#define __builtin_ctz(value) proof_ctz(value)

/* One core: taking a lock twice, or letting go of one that is free, is an alarm. */
#define DRIVERS_LOCK_H
struct spinlock {
	uint16_t owner, next;
};

static inline void spin_lock(struct spinlock *lock)
{
	/*@ assert free: lock->owner == 0; */
	lock->owner = 1;
}

static inline void spin_unlock(struct spinlock *lock)
{
	/*@ assert held: lock->owner == 1; */
	lock->owner = 0;
}

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
