/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the place of drivers/lock.h where vgic.c is tested with one thread that plays all cores:
 * what other cores do while a lock is free, hw_unlocked() does. Include it before anything of hyp/.
 */
#ifndef DRIVERS_LOCK_H
#define DRIVERS_LOCK_H

#include <stdint.h>
#include <stdlib.h>

struct spinlock {
	uint32_t held;
};

/* The lock has just been released (vgic_hw.c). */
void hw_unlocked(void);

static inline void spin_lock(struct spinlock *lock)
{
	if (lock->held != 0) {
		abort(); /* nobody else is there to release it */
	}
	lock->held = 1;
}

static inline void spin_unlock(struct spinlock *lock)
{
	if (lock->held == 0) {
		abort();
	}
	lock->held = 0;
	hw_unlocked();
}

#endif
