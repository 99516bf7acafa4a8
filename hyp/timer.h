/* SPDX-License-Identifier: BSD-2-Clause */
/* CNTHP, each core's timer that is bivy's own: the watch over the guest's timers, and ticks. */
#ifndef HYP_TIMER_H
#define HYP_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include "arch.h"
#include "vgic.h"

/*
 * CNTHP ticks from a timer interrupt of the guest to the look after it; 0: the GIC needs none.
 * Negative while ticks come (drivers/tick.h), so that both are one test on the way of an interrupt.
 */
extern int32_t timer_watch;

/*
 * For a GIC that does not look again (gic_looks_again): a little later than each of the guest's
 * timer interrupts, until the guest has ended it, bivy's own timer makes the GIC look. Boot core,
 * before others run the guest.
 */
void timer_init(void);

/* The same, each core for itself. */
void timer_init_cpu(void);

/* timer_forward() while ticks come. */
void timer_forward_ticking(unsigned int cpu, uint32_t intid);

/* A timer interrupt of the guest came to this core: it goes to the guest, under watch. */
static inline void timer_forward(unsigned int cpu, uint32_t intid)
{
	if (__builtin_expect(timer_watch > 0, 1)) {
		write_CNTHP_TVAL((uint32_t)timer_watch);
	} else if (timer_watch != 0) {
		timer_forward_ticking(cpu, intid);
		return;
	}
	vgic_forward(cpu, intid);
}

/* The same once an SPI that the guest owns physically went to it. */
void timer_watch_spi(unsigned int cpu);

/* CNTHP's interrupt. No lock held. */
void timer_irq(unsigned int cpu);

/*
 * From here on @waiter is called with @argument at each tick, on any core, with no lock held, and
 * returns whether it still waits for something. At most 12. Boot core, at start-up.
 */
void tick_attach(bool (*waiter)(void *argument), void *argument);

#endif
