/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual and the physical timer of each core: they fire, wake from WFI, stay silent when masked. */
#include "gic.h"

#define VTIMER 27u
#define PTIMER 30u
#define ENABLE 1u
#define MASK   2u
#define ISTATUS 4u

struct timer {
	uint32_t intid;
	const char *name;
	void (*set)(uint32_t ticks);
	void (*control)(uint32_t value);
	uint32_t (*status)(void);
};

static const struct timer timers[] = {
	{VTIMER, "virtual", write_CNTV_TVAL, write_CNTV_CTL, read_CNTV_CTL},
	{PTIMER, "physical", write_CNTP_TVAL, write_CNTP_CTL, read_CNTP_CTL},
};

static volatile uint32_t fired[CORES_MAX][2];

/* Stops the timer, as a driver does, or the level would bring the interrupt again. */
static void acknowledge(void)
{
	const uint32_t iar = read32(GICC_IAR), which = (iar & 0x3ff) == PTIMER;

	if ((iar & 0x3ff) < 1020) {
		timers[which].control(0);
		fired[this_core()->index][which]++;
		write32(GICC_EOIR, iar);
	}
}

static void one(const struct timer *timer, unsigned int which)
{
	volatile uint32_t *count = &fired[this_core()->index][which];
	const uint32_t tick = read_CNTFRQ() / 1000;
	uint64_t start;

	for (uint32_t i = 1; i <= 20; i++) {
		start = read_CNTVCT();
		timer->set(tick);
		timer->control(ENABLE);
		while (*count != i && read_CNTVCT() - start < 5000ull * tick) {
			wfi(); /* wakes although interrupts are masked */
			acknowledge();
		}
		if (*count != i || read_CNTVCT() - start < tick) {
			result(timer->name, false, "interrupt %u after %u ticks", i,
			       (uint32_t)(read_CNTVCT() - start));
			return;
		}
	}
	result("20 times 1 ms, woken from WFI", true, "");
	timer->set(tick / 10);
	timer->control(ENABLE | MASK);
	delay(2000);
	acknowledge();
	equal("a timer that is masked does not interrupt", *count, 20);
	equal("its status tells", timer->status() & ISTATUS, ISTATUS);
	timer->control(ENABLE);
	delay(2000);
	acknowledge();
	equal("unmasked it does", *count, 21);
	timer->control(0);
}

static void both(void *argument)
{
	uint64_t virtual, physical;

	(void)argument;
	gic_cpu_on();
	write32(GICD_ISENABLER, 1u << VTIMER | 1u << PTIMER);
	for (unsigned int which = 0; which < 2; which++) {
		one(&timers[which], which);
	}
	physical = read_CNTPCT();
	virtual = read_CNTVCT();
	result("the counters agree", virtual >= physical && virtual - physical < read_CNTFRQ(), "%x and %x",
	       (uint32_t)virtual, (uint32_t)physical);
}

void payload(void)
{
	gic_reset();
	both(NULL);
	for (unsigned int core = 1; core < core_count; core++) {
		run_on(core, both, NULL);
	}
}
