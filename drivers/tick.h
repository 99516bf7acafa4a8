/* SPDX-License-Identifier: BSD-2-Clause */
/* Time for time-outs: a tick once a second while anyone waits for something that may never come. */
#ifndef DRIVERS_TICK_H
#define DRIVERS_TICK_H

#include <stdint.h>

/* Ticks so far, modulo 256. */
extern uint8_t tick_count;

/*
 * Ticks come until nobody who is asked at one says that he still waits. Any core and context; costs
 * little while they come. The first one is a second away.
 */
void tick_start(void);

#endif
