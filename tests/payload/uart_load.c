/* SPDX-License-Identifier: BSD-2-Clause */
/* Two cores print without end; the timer of a third one keeps its pace. */
#include "gic.h"

static volatile uint32_t stop, lines;

static void chatter(void *argument)
{
	(void)argument;
	while (stop == 0) {
		print("0123456789 0123456789 0123456789 0123456789 0123456789 0123456789\n");
		lines++;
	}
}

static void tick(uint32_t iar)
{
	write_CNTV_TVAL(read_CNTFRQ() / 100);
	write32(GICC_EOIR, iar);
}

static void keep_time(void *argument)
{
	(void)argument;
	gic_cpu_on();
	gic_log()->hook = tick;
	gic_enable(INTID_VTIMER, 0x80);
	write_CNTV_TVAL(read_CNTFRQ() / 100);
	write_CNTV_CTL(1);
	irq_enable();
}

void payload(void)
{
	uint32_t ticks;

	gic_reset();
	run_on(3, keep_time, NULL);
	start_job(1, chatter, NULL);
	start_job(2, chatter, NULL);
	delay(2000000);
	ticks = gic_logs[3].count;
	stop = 1;
	result("the talkers end", job_done(1, 20000) && job_done(2, 20000), "after %u lines", lines);
	result("they talked", lines > 20, "%u lines", lines);
	/* Of 200; the host may be busy. */
	result("the third core's timer went on", ticks >= 50, "%u ticks of 200", ticks);
}
