/* SPDX-License-Identifier: BSD-2-Clause */
/* The wall clock: the board's PL031, or one that starts at 1970 with each start of the board. */
#ifndef HYP_CLOCK_H
#define HYP_CLOCK_H

#include "../drivers/lock.h"
#include "../drivers/rtc.h"

/* For the one device that shows it, whose lock is @lock. Boot core, once, at start-up. */
struct rtc_backend *clock_open(struct spinlock *lock);

#endif
