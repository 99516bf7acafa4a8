/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/emul/pl031.c: time, alarm, identification. */
#include "suite.h"
#include "drivers/emul/pl031.h"

enum { DR = 0x0, MR = 0x4, LR = 0x8, CR = 0xc, IMSC = 0x10, RIS = 0x14, MIS = 0x18, ICR = 0x1c };

static struct emul_pl031 rtc;
static uint32_t now, tick_at;
static bool ticking, line;

static uint32_t clock_seconds(struct rtc_backend *backend)
{
	(void)backend;
	return now;
}

static void clock_set(struct rtc_backend *backend, uint32_t seconds)
{
	(void)backend;
	now = seconds;
}

static void clock_tick_in(struct rtc_backend *backend, uint32_t seconds)
{
	(void)backend;
	ticking = seconds != 0;
	tick_at = now + seconds;
}

static const struct rtc_ops clock_ops = {clock_seconds, clock_set, clock_tick_in};
static struct rtc_backend backend = {.ops = &clock_ops};

static void line_set(uint32_t intid, bool level)
{
	assert_int_equal(intid, 34);
	line = level;
}

static int set_up(void **state)
{
	(void)state;
	now = 1000;
	line = true;
	pl031_init(&rtc, &backend, (struct irq_line){line_set, 34});
	return 0;
}

static uint32_t rd(uint32_t offset)
{
	return pl031_ops.read(&rtc, offset, 4);
}

static void wr(uint32_t offset, uint32_t value)
{
	pl031_ops.write(&rtc, offset, 4, value);
}

/* Seconds pass; a tick that was asked for comes. */
static void pass(uint32_t seconds)
{
	while (seconds-- != 0) {
		now++;
		if (ticking && now == tick_at) {
			ticking = false;
			backend.tick(backend.device);
		}
	}
}

static void as_after_reset(void **state)
{
	(void)state;
	assert_false(line);
	assert_false(ticking);
	assert_int_equal(rd(DR), 1000);
	assert_int_equal(rd(MR), 0);
	assert_int_equal(rd(LR), 0);
	assert_int_equal(rd(CR), 1);
	assert_int_equal(rd(IMSC), 0);
	assert_int_equal(rd(RIS), 0);
	assert_int_equal(rd(MIS), 0);
	assert_int_equal(rd(ICR), 0);
}

static void identification(void **state)
{
	static const uint8_t id[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(rd(0xfe0 + 4 * i), id[i]);
	}
	assert_int_equal(rd(0xfdc), 0);
	assert_int_equal(rd(0x20), 0);
	assert_int_equal(rd(0x1000), 0);
}

static void time_is_set_and_goes_on(void **state)
{
	(void)state;
	wr(LR, 5000);
	assert_int_equal(now, 5000);
	assert_int_equal(rd(LR), 5000);
	pass(3);
	assert_int_equal(rd(DR), 5003);
	wr(DR, 1);
	wr(CR, 0);
	assert_int_equal(rd(DR), 5003);
	pl031_reset(&rtc);
	assert_int_equal(rd(DR), 5003);
	assert_int_equal(rd(LR), 0);
}

static void alarm_comes_once(void **state)
{
	(void)state;
	wr(IMSC, 1);
	wr(MR, 1010);
	pass(9);
	assert_false(line);
	pass(1);
	assert_true(line);
	assert_int_equal(rd(RIS), 1);
	assert_int_equal(rd(MIS), 1);
	wr(ICR, 0);
	assert_true(line);
	wr(ICR, 1);
	assert_false(line);
	pass(5);
	assert_false(line);
	assert_int_equal(rd(RIS), 0);
}

static void masked_alarm_needs_no_tick_and_is_remembered(void **state)
{
	(void)state;
	wr(MR, 1002);
	assert_false(ticking);
	pass(5);
	assert_int_equal(rd(RIS), 1);
	assert_int_equal(rd(MIS), 0);
	assert_false(line);
	wr(IMSC, 1);
	assert_true(line);
	wr(IMSC, 0);
	assert_false(line);
	assert_int_equal(rd(IMSC), 0);
	assert_int_equal(rd(RIS), 1);
}

static void alarm_at_this_second(void **state)
{
	(void)state;
	wr(IMSC, 1);
	wr(MR, 1000);
	assert_true(line);
	wr(ICR, 1);
	assert_false(line);
	assert_false(ticking);
}

static void alarm_in_the_past_never_comes(void **state)
{
	(void)state;
	wr(IMSC, 1);
	wr(MR, 999);
	assert_false(ticking);
	pass(100);
	assert_int_equal(rd(RIS), 0);
}

static void time_set_past_the_alarm(void **state)
{
	(void)state;
	wr(IMSC, 1);
	wr(MR, 2000);
	wr(LR, 3000);
	assert_false(ticking);
	assert_false(line);
	wr(LR, 1995);
	assert_true(ticking);
	pass(5);
	assert_true(line);
	pl031_reset(&rtc);
	assert_false(line);
	assert_int_equal(rd(RIS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(as_after_reset, set_up),
		cmocka_unit_test_setup(identification, set_up),
		cmocka_unit_test_setup(time_is_set_and_goes_on, set_up),
		cmocka_unit_test_setup(alarm_comes_once, set_up),
		cmocka_unit_test_setup(masked_alarm_needs_no_tick_and_is_remembered, set_up),
		cmocka_unit_test_setup(alarm_at_this_second, set_up),
		cmocka_unit_test_setup(alarm_in_the_past_never_comes, set_up),
		cmocka_unit_test_setup(time_set_past_the_alarm, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
