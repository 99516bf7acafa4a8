/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CNTHP. No lock: tick.core and tick.next are written by the core that tick.core names, which a
 * core becomes by compare-and-swap; the list of who is asked is constant once cores run.
 */
#include "timer.h"
#include "print.h"
#include "self.h"
#include "boot/early.h"
#include "../drivers/hw/gicv2.h"
#include "../drivers/tick.h"

#define CNT_CTL_ENABLE 1u /* B4.1.26 */
#define TIMER_WATCH_HZ 100
#define NEVER          (~0ull)
#define NO_CORE        0u
#define WAITERS_MAX    12u

int32_t timer_watch;
uint8_t tick_count;

static struct {
	uint32_t core; /* 1 + index of the core whose timer ticks; NO_CORE: there are no ticks */
	uint64_t next; /* CNTPCT */
	unsigned int waiter_count;
	struct {
		bool (*tick)(void *argument);
		void *argument;
	} waiter[WAITERS_MAX];
} tick;

void timer_init(void)
{
	write_CNTHP_CVAL(0);
	write_CNTHP_CTL(CNT_CTL_ENABLE);
	isb();
	timer_watch = gic_looks_again(board.hyp_timer_intid)
			      ? 0
			      : (int32_t)(read_CNTFRQ() / TIMER_WATCH_HZ);
	timer_init_cpu();
}

void timer_init_cpu(void)
{
	write_CNTHP_CVAL(NEVER);
	write_CNTHP_CTL(CNT_CTL_ENABLE);
	isb();
	gic_enable(0, 1u << board.hyp_timer_intid, true);
}

static uint32_t watch_ticks(void)
{
	return (uint32_t)(timer_watch < 0 ? -timer_watch : timer_watch);
}

static bool ticks_here(unsigned int cpu)
{
	return __atomic_load_n(&tick.core, __ATOMIC_RELAXED) == cpu + 1;
}

/* CNTHP fires at @at, or at the next tick if that is this core's and earlier. */
static void set_timer(unsigned int cpu, uint64_t at)
{
	if (ticks_here(cpu) && tick.next < at) {
		at = tick.next;
	}
	write_CNTHP_CVAL(at);
	isb(); /* its wire falls before it is deactivated */
}

void timer_forward_ticking(unsigned int cpu, uint32_t intid)
{
	set_timer(cpu, read_CNTPCT() + watch_ticks());
	vgic_forward(cpu, intid);
}

/* What the guest has in a list register has to be looked after; that CNTHP fired made the GIC look.
 */
static void set_timer_anew(unsigned int cpu)
{
	const bool watch = timer_watch != 0 && vgic_holds_physical(cpu);

	set_timer(cpu, watch ? read_CNTPCT() + watch_ticks() : NEVER);
}

void timer_watch_spi(unsigned int cpu)
{
	if (timer_watch != 0) {
		set_timer_anew(cpu);
	}
}

void tick_start(void)
{
	const unsigned int cpu = cpu_self();
	uint32_t nobody = NO_CORE;

	if (__atomic_load_n(&tick.core, __ATOMIC_RELAXED) != NO_CORE ||
	    !__atomic_compare_exchange_n(&tick.core, &nobody, cpu + 1, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_RELAXED)) {
		return;
	}
	tick.next = read_CNTPCT() + read_CNTFRQ();
	timer_watch = -(int32_t)watch_ticks();
	set_timer_anew(cpu);
}

/*
 * Ticks end before the waiters are asked: who begins to wait meanwhile starts them again, or has
 * been asked.
 */
static void tick_all(void)
{
	bool waits = false;

	tick_count++;
	timer_watch = (int32_t)watch_ticks();
	__atomic_store_n(&tick.core, NO_CORE, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < tick.waiter_count; i++) {
		waits |= tick.waiter[i].tick(tick.waiter[i].argument);
	}
	if (waits) {
		tick_start();
	}
}

void timer_irq(unsigned int cpu)
{
	if (ticks_here(cpu) && read_CNTPCT() >= tick.next) {
		tick_all();
	}
	set_timer_anew(cpu);
}

void tick_attach(bool (*waiter)(void *argument), void *argument)
{
	if (tick.waiter_count == WAITERS_MAX) {
		panic("more than %u devices with time-outs", WAITERS_MAX);
	}
	tick.waiter[tick.waiter_count].tick = waiter;
	tick.waiter[tick.waiter_count++].argument = argument;
}
