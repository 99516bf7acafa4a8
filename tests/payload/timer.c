/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's virtual and physical timer on each core (ARM DDI 0406C B8). */
#include "gic.h"

#define ENABLE 1u
#define IMASK  2u
#define STATUS 4u

struct timer {
	const char *name;
	uint32_t intid;
	uint64_t (*now)(void);
	void (*write_tval)(uint32_t value);
	uint32_t (*read_tval)(void);
	void (*write_ctl)(uint32_t value);
	uint32_t (*read_ctl)(void);
};

static const struct timer timers[] = {
	{"virtual timer", INTID_VTIMER, read_CNTVCT, write_CNTV_TVAL, read_CNTV_TVAL,
	 write_CNTV_CTL, read_CNTV_CTL},
	{"physical timer", INTID_PTIMER, read_CNTPCT, write_CNTP_TVAL, read_CNTP_TVAL,
	 write_CNTP_CTL, read_CNTP_CTL},
};

static const struct timer *volatile running;
static volatile uint32_t rearm; /* how often the handler sets it again; then it switches it off */

/* Stays pending for the level: the handler reprograms it, or is called again. */
static void tick(uint32_t iar)
{
	if (rearm != 0) {
		rearm--;
		running->write_tval(read_CNTFRQ() / 1000);
	} else {
		running->write_ctl(0);
	}
	write32(GICC_EOIR, iar);
}

static uint32_t repeats;

static void leave_up(uint32_t iar)
{
	if (repeats-- == 0) {
		running->write_ctl(0);
	}
	write32(GICC_EOIR, iar);
}

static bool wait_here(uint32_t count)
{
	return wait_for(&gic_log()->count, count, LIVENESS);
}

/* QEMU's timers are late when the machine is busy. */
static bool comes_up(const struct timer *t)
{
	for (uint32_t i = 0; i < LIVENESS && (t->read_ctl() & STATUS) == 0; i++) {
		delay(1000);
	}
	return (t->read_ctl() & STATUS) != 0;
}

static void one_timer(const struct timer *t)
{
	struct gic_log *log = gic_log();
	const uint32_t ms = read_CNTFRQ() / 1000;
	uint64_t start;

	running = t;
	gic_cpu_on();
	t->write_ctl(0);
	gic_enable(t->intid, 0x80);
	log->hook = tick;
	rearm = 0;
	irq_enable();
	t->write_tval(ms);
	t->write_ctl(ENABLE | IMASK);
	delay(5000);
	equal("masked in the timer: does not fire", log->count, 0);
	result("but its status says that it would", comes_up(t), "%s", t->name);
	t->write_ctl(ENABLE);
	result("unmasked: fires", wait_here(1), "%s", t->name);
	rearm = 20;
	start = t->now();
	t->write_tval(ms);
	t->write_ctl(ENABLE);
	result("fires once for each reprogramming", wait_here(22), "%s: %u", t->name, log->count);
	delay(3000);
	equal("and no more", log->count, 22);
	result("not before its time", t->now() - start >= (uint64_t)ms * 21, "%s", t->name);
	t->write_tval(0x7fffffff);
	result("TVAL counts down", (int32_t)t->read_tval() > 0 && t->read_tval() <= 0x7fffffff,
	       "%s", t->name);

	log->count = 22;
	log->hook = leave_up;
	repeats = 5;
	t->write_tval(ms);
	t->write_ctl(ENABLE);
	result("stays up until it is reprogrammed", wait_here(22 + 6), "%s: %u", t->name,
	       log->count - 22);
	delay(2000);
	equal("then it falls", log->count, 22 + 6);

	gic_set(GICD_ICENABLER, t->intid);
	log->count = 28;
	log->hook = tick;
	t->write_tval(ms);
	t->write_ctl(ENABLE);
	delay(5000);
	equal("disabled in the distributor: does not fire", log->count, 28);
	result("but is pending there", comes_up(t) && gic_test(GICD_ISPENDR, t->intid), "%s",
	       t->name);
	gic_set(GICD_ISENABLER, t->intid);
	result("enabled: fires", wait_here(29), "%s", t->name);

	/* WFI wakes, with interrupts enabled and with them masked. */
	rearm = 5; /* one that comes just before the WFI, on a busy host, is not the last */
	t->write_tval(10 * ms);
	t->write_ctl(ENABLE);
	while (log->count == 29) {
		wfi();
	}
	result("WFI until it fires", wait_here(29 + 6), "%s: %u", t->name, log->count - 29);
	irq_disable();
	log->count = 30;
	t->write_tval(10 * ms);
	t->write_ctl(ENABLE);
	start = t->now();
	while ((t->read_ctl() & STATUS) == 0) {
		wfi();
	}
	equal("WFI wakes with interrupts masked, and none is taken", log->count, 30);
	irq_enable();
	result("it is taken when they are not", wait_here(31), "%s", t->name);
	irq_disable();
	gic_set(GICD_ICENABLER, t->intid);
}

static void all_timers(void *argument)
{
	(void)argument;
	for (unsigned int i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		one_timer(&timers[i]);
	}
}

static void counters(void)
{
	uint64_t last = 0, apart = 0;
	bool ordered = true;

	for (uint32_t i = 0; i < 10000; i++) {
		uint64_t p = read_CNTPCT(), v = read_CNTVCT();

		ordered = ordered && p >= last && v >= p;
		apart = v - p > apart ? v - p : apart;
		last = v;
	}
	result("CNTPCT and CNTVCT are the same counter", ordered, "ordered %u", ordered);
	result("CNTFRQ", read_CNTFRQ() >= 1000000, "%u", read_CNTFRQ());
}

static uint64_t there;

static void read_counter(void *argument)
{
	(void)argument;
	there = read_CNTVCT();
}

void payload(void)
{
	gic_reset();
	counters();
	all_timers(NULL);
	for (unsigned int core = 1; core < core_count; core++) {
		uint64_t before = read_CNTVCT(), after;

		run_on(core, read_counter, NULL);
		after = read_CNTVCT();
		result("the cores' counters agree", before <= there && there <= after, "core %u",
		       core);
		run_on(core, all_timers, NULL);
	}
}
