/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two cores print without end, each for itself; the timer of a third one goes on meanwhile. How
 * fast is the host's affair: the claim is that each of them gets further while the others do.
 */
#include "gic.h"

#define UART_DR  0x09000000u
#define UART_FR  0x09000018u
#define FR_TXFF  (1u << 5)
#define TALKER_A 1u
#define TALKER_B 2u
#define KEEPER   3u
#define ROUNDS   20u
#define TICKS    5u /* in a round, in which each talker ends a line, too */

static volatile uint32_t stop, lines[CORES_MAX];

static void chatter(void *argument)
{
	volatile uint32_t *own_lines = argument;

	while (stop == 0) {
		for (const char *c = "0123456789 0123456789 0123456789 0123456789\r\n"; *c != '\0';
		     c++) {
			while ((read32(UART_FR) & FR_TXFF) != 0) {
			}
			write32(UART_DR, (uint8_t)*c);
		}
		*own_lines += 1;
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

/* What each core has done. */
struct progress {
	uint32_t ticks, a, b;
};

static struct progress since(struct progress start)
{
	return (struct progress){gic_logs[KEEPER].count - start.ticks, lines[TALKER_A] - start.a,
				 lines[TALKER_B] - start.b};
}

static bool round_passes(struct progress *done)
{
	const struct progress start = since((struct progress){0, 0, 0});
	const uint64_t end = read_CNTVCT() + (uint64_t)(read_CNTFRQ() / 1000) * LIVENESS;

	do {
		delay(1000);
		*done = since(start);
	} while ((done->ticks < TICKS || done->a == 0 || done->b == 0) && read_CNTVCT() < end);
	return done->ticks >= TICKS && done->a != 0 && done->b != 0;
}

void payload(void)
{
	struct progress done;
	uint32_t round = 0;

	gic_reset();
	run_on(KEEPER, keep_time, NULL);
	start_job(TALKER_A, chatter, (void *)&lines[TALKER_A]);
	start_job(TALKER_B, chatter, (void *)&lines[TALKER_B]);
	while (round < ROUNDS && round_passes(&done)) {
		round++;
	}
	stop = 1;
	result("the talkers end", job_done(TALKER_A, LIVENESS) && job_done(TALKER_B, LIVENESS),
	       "after %u and %u lines", lines[TALKER_A], lines[TALKER_B]);
	result("a timer and two talkers go on together", round == ROUNDS,
	       "in %u ms of round %u: %u ticks, %u and %u lines", LIVENESS, round, done.ticks,
	       done.a, done.b);
}
