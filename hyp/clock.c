/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wall clock as a backend, with the alarm by ticks. Lock: the device's, around all of it.
 * Source: ARM DDI 0224B 3.3 (the registers of a PL031).
 */
#include "clock.h"
#include <stdbool.h>
#include <stddef.h>
#include "arch.h"
#include "layout.h"
#include "stage1.h"
#include "timer.h"
#include "boot/early.h"
#include "../drivers/tick.h"

#define RTC_VA (DEVICE_VA + 0x8000)
#define DR     0x00
#define LR     0x08
#define CR     0x0c

static struct {
	struct rtc_backend backend;
	struct spinlock *lock;
	bool physical;
	uint32_t start; /* seconds when CNTPCT was 0, if not physical */
	bool waiting;   /* for an alarm: the device looks at each tick whether it is time */
} rtc;

static uint32_t counted(void)
{
	return (uint32_t)(read_CNTPCT() / read_CNTFRQ());
}

static uint32_t rtc_seconds(struct rtc_backend *backend)
{
	(void)backend;
	return rtc.physical ? mmio_read(RTC_VA + DR) : rtc.start + counted();
}

static void rtc_set(struct rtc_backend *backend, uint32_t seconds)
{
	(void)backend;
	if (rtc.physical) {
		mmio_write(RTC_VA + LR, seconds);
	} else {
		rtc.start = seconds - counted();
	}
}

static void rtc_tick_in(struct rtc_backend *backend, uint32_t seconds)
{
	(void)backend;
	rtc.waiting = seconds != 0;
	if (rtc.waiting) {
		tick_start();
	}
}

static bool clock_tick(void *unused)
{
	bool waiting;

	(void)unused;
	spin_lock(rtc.lock);
	if (rtc.waiting) {
		rtc.backend.tick(rtc.backend.device);
	}
	waiting = rtc.waiting;
	spin_unlock(rtc.lock);
	return waiting;
}

struct rtc_backend *clock_open(struct spinlock *lock)
{
	static const struct rtc_ops ops = {rtc_seconds, rtc_set, rtc_tick_in};
	const struct board_device *clock = board_device(&board, BOARD_CLOCK);

	rtc.lock = lock;
	rtc.backend.ops = &ops;
	if (clock != NULL) {
		stage1_map_device(RTC_VA, clock->base, PAGE_SIZE);
		mmio_write(RTC_VA + CR, 1);
		rtc.physical = true;
	}
	tick_attach(clock_tick, NULL);
	return &rtc.backend;
}
