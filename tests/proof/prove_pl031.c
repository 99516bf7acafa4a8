/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock: any registers in any order, whatever time it is.
 * @sources drivers/emul/pl031.c
 * @plant drivers/emul/pl031.c s/offset >= ID/offset >= CR/; s/< sizeof.id. [?]/!= 0 ?/
 */
#include "drivers/emul/pl031.h"

static uint32_t seconds(struct rtc_backend *backend)
{
	(void)backend;
	return any();
}

static void set(struct rtc_backend *backend, uint32_t time)
{
	(void)backend;
	(void)time;
}

static const struct rtc_ops clock_ops = {.seconds = seconds, .set = set, .tick_in = set};
static struct rtc_backend clock = {.ops = &clock_ops};
static struct emul_pl031 rtc;

static void wire(uint32_t intid, bool level)
{
	/*@ assert intid == 34; */
	(void)level;
}

void main(void)
{
	pl031_init(&rtc, &clock, (struct irq_line){wire, 34});
	while (up_to(1)) {
		switch (up_to(3)) {
		case 0:
			pl031_ops.read(&rtc, up_to(0xfff), any());
			break;
		case 1:
			pl031_ops.write(&rtc, up_to(0xfff), any(), any());
			break;
		case 2:
			clock.tick(clock.device);
			break;
		default:
			pl031_reset(&rtc);
		}
	}
}
