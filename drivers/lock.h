/* SPDX-License-Identifier: BSD-2-Clause */
/* Ticket lock: cores enter in the order in which they came, none starves. */
#ifndef DRIVERS_LOCK_H
#define DRIVERS_LOCK_H

#include <stdint.h>

/* Zero is unlocked. The assembly knows that owner is the lower half. */
struct spinlock {
	uint16_t owner, next;
};

#if defined(__arm__)

/*
 * The loads after it can't be made before it is held (ARM DDI 0406C A3.4.5, A3.8.3): DMB last. Its
 * turn has come once both halves of the word are equal. Waiting is a plain loop: what the locks
 * guard is too short for a core to fall asleep over.
 */
static inline void spin_lock(struct spinlock *lock)
{
	uint32_t word, taken, failed;

	asm volatile("1:	ldrex	%0, [%3]\n"
		     "	add	%1, %0, #0x10000\n"
		     "	strex	%2, %1, [%3]\n"
		     "	teq	%2, #0\n"
		     "	bne	1b\n"
		     "	teq	%0, %0, ror #16\n"
		     "	beq	3f\n"
		     "	lsr	%1, %0, #16\n"
		     "2:	ldrh	%0, [%3]\n"
		     "	teq	%0, %1\n"
		     "	bne	2b\n"
		     "3:	dmb	ish\n"
		     : "=&r"(word), "=&r"(taken), "=&r"(failed)
		     : "r"(lock)
		     : "cc", "memory");
}

static inline void spin_unlock(struct spinlock *lock)
{
	uint32_t next;

	asm volatile("	dmb	ish\n"
		     "	ldrh	%0, [%1]\n"
		     "	add	%0, %0, #1\n"
		     "	strh	%0, [%1]\n"
		     : "=&r"(next)
		     : "r"(lock)
		     : "memory");
}

#else /* tests on the host */

static inline void spin_lock(struct spinlock *lock)
{
	uint16_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket) {
	}
}

static inline void spin_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->owner, (uint16_t)(lock->owner + 1), __ATOMIC_RELEASE);
}

#endif
#endif
