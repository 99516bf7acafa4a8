/* SPDX-License-Identifier: BSD-2-Clause */
/* The interface between the clock that the guest sees and the board's. */
#ifndef DRIVERS_RTC_H
#define DRIVERS_RTC_H

#include <stdint.h>

struct rtc_backend;

struct rtc_ops {
	/* Seconds since 1970-01-01 00:00 UTC, if anybody ever set the board's clock. */
	uint32_t (*seconds)(struct rtc_backend *backend);
	void (*set)(struct rtc_backend *backend, uint32_t seconds);
	/* tick() is called in @seconds or sooner, once; 0: it is not needed any more. */
	void (*tick_in)(struct rtc_backend *backend, uint32_t seconds);
};

struct rtc_backend {
	const struct rtc_ops *ops;
	/* Set by the device before the first use; called with the device's lock held. */
	void (*tick)(void *device);
	void *device;
};

#endif
