/* SPDX-License-Identifier: BSD-2-Clause */
/* The PrimeCell real-time clock PL031 (ARM DDI 0224) that the guest sees. Pure. */
#ifndef DRIVERS_EMUL_PL031_H
#define DRIVERS_EMUL_PL031_H

#include <stdbool.h>
#include "../irq_line.h"
#include "../mmio.h"
#include "../rtc.h"

struct emul_pl031 {
	struct rtc_backend *backend;
	struct irq_line irq;
	uint32_t match, load; /* MR, LR: seconds */
	bool armed;           /* the clock has yet to reach match */
	bool raised, enabled; /* RIS, IMSC */
};

/* @backend outlives the device and is this device's alone. */
void pl031_init(struct emul_pl031 *rtc, struct rtc_backend *backend, struct irq_line irq);

/* As at power-on, but for the time, which goes on; the interrupt line is low. */
void pl031_reset(struct emul_pl031 *rtc);

/* The registers; the device is a struct emul_pl031. */
extern const struct mmio_ops pl031_ops;

#endif
