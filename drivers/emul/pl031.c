/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PL031 that the guest sees: the backend's time, and an alarm. A guest that sets the time sets
 * the backend's, so that it lasts where the board keeps it.
 *
 * Lock: its owner's, around all of it. Source: ARM DDI 0224B, chapter 3.
 */
#include "pl031.h"
#include <stddef.h>

#define DR   0x000
#define MR   0x004
#define LR   0x008
#define CR   0x00c
#define IMSC 0x010
#define RIS  0x014
#define MIS  0x018
#define ICR  0x01c
#define ID   0xfe0 /* PeriphID0 to 3, PCellID0 to 3 */

#define TICK_MAX 0x7fffffffu /* seconds: an alarm beyond that has passed */

/* Finds out whether the clock has reached the match register, tells the wire, asks for a tick then.
 */
static void settle(struct emul_pl031 *rtc)
{
	const uint32_t left = rtc->match - rtc->backend->ops->seconds(rtc->backend);

	if (rtc->armed && left - 1 >= TICK_MAX) {
		rtc->armed = false;
		rtc->raised = true;
	}
	irq_line_set(&rtc->irq, rtc->raised && rtc->enabled);
	rtc->backend->ops->tick_in(rtc->backend, rtc->armed && rtc->enabled ? left : 0);
}

/* The match register or the time has changed: it may be now, later, or have passed. */
static void arm(struct emul_pl031 *rtc)
{
	const uint32_t left = rtc->match - rtc->backend->ops->seconds(rtc->backend);

	rtc->armed = left <= TICK_MAX;
}

static void tick(void *device)
{
	settle(device);
}

static uint32_t pl031_read(void *device, uint32_t offset, uint32_t size)
{
	static const uint8_t id[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
	struct emul_pl031 *rtc = device;

	(void)size;
	settle(rtc);
	if (offset >= ID) {
		return offset / 4 - ID / 4 < sizeof(id) ? id[offset / 4 - ID / 4] : 0;
	}
	switch (offset & ~3u) {
	case DR:
		return rtc->backend->ops->seconds(rtc->backend);
	case MR:
		return rtc->match;
	case LR:
		return rtc->load;
	case CR:
		return 1; /* it runs, always (3.3.4) */
	case IMSC:
		return rtc->enabled;
	case RIS:
		return rtc->raised;
	case MIS:
		return rtc->raised && rtc->enabled;
	default:
		return 0;
	}
}

static void pl031_write(void *device, uint32_t offset, uint32_t size, uint32_t value)
{
	struct emul_pl031 *rtc = device;

	(void)size;
	settle(rtc);
	switch (offset) {
	case MR:
		rtc->match = value;
		arm(rtc);
		break;
	case LR:
		rtc->load = value;
		rtc->backend->ops->set(rtc->backend, value);
		arm(rtc);
		break;
	case IMSC:
		rtc->enabled = (value & 1) != 0;
		break;
	case ICR:
		rtc->raised &= (value & 1) == 0;
		break;
	default:
		return;
	}
	settle(rtc);
}

const struct mmio_ops pl031_ops = {.read = pl031_read, .write = pl031_write};

void pl031_reset(struct emul_pl031 *rtc)
{
	rtc->match = 0;
	rtc->load = 0;
	rtc->armed = false;
	rtc->raised = false;
	rtc->enabled = false;
	settle(rtc);
}

void pl031_init(struct emul_pl031 *rtc, struct rtc_backend *backend, struct irq_line irq)
{
	rtc->backend = backend;
	rtc->irq = irq;
	backend->tick = tick;
	backend->device = rtc;
	pl031_reset(rtc);
}
