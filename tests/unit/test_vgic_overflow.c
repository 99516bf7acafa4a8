/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of hyp/vgic*.c: more interrupts than list registers hold. */
#include "vgic_guest.h"

/* More than the list registers hold */

static void test_overflow_in_priority_order(void **state)
{
	(void)state;
	start(1);
	for (uint32_t i = 0; i < 30; i++) {
		set_up_edge(32 + i, 0, 0xf0 - i * 8);
		pulse(32 + i);
	}
	for (uint32_t i = 30; i-- > 0;) {
		expect_and_finish(0, 32 + i);
	}
	expect(0, HW_SPURIOUS);
}

static void test_overflow_of_equal_priority_loses_none(void **state)
{
	uint32_t seen = 0;

	(void)state;
	start(1);
	for (uint32_t i = 0; i < 32; i++) {
		set_up_edge(32 + i, 0, 0xa0);
		pulse(32 + i);
	}
	for (uint32_t i = 0; i < 32; i++) {
		uint32_t iar;

		hw_drain();
		iar = hw_acknowledge(0, false);
		assert_in_range(iar, 32, 63);
		assert_int_equal(seen >> (iar - 32) & 1, 0);
		seen |= 1u << (iar - 32);
		finish(0, iar);
	}
	assert_int_equal(seen, ~0u);
	expect(0, HW_SPURIOUS);
}

static void test_a_higher_one_displaces_a_lower_one(void **state)
{
	(void)state;
	start(1);
	for (uint32_t i = 0; i < 5; i++) {
		set_up_edge(32 + i, 0, i == 4 ? 0x10 : 0x80 + i * 8);
	}
	for (uint32_t i = 0; i < 5; i++) {
		pulse(32 + i);
	}
	expect_and_finish(0, 36);
	for (uint32_t i = 0; i < 4; i++) {
		expect_and_finish(0, 32 + i);
	}
}

static void test_priority_raised_while_it_waits_outside(void **state)
{
	(void)state;
	start(1);
	for (uint32_t i = 0; i < 6; i++) {
		set_up_edge(32 + 4 * i, 0, 0x80 + i * 8);
		pulse(32 + 4 * i);
	}
	hw_write(0, PRIORITYR + 52, 1, 0x10);
	expect_and_finish(0, 52);
	expect_and_finish(0, 32);
}

static void test_nested_deeper_than_list_registers(void **state)
{
	(void)state;
	for (unsigned int depth = 5; depth <= 12; depth++) {
		start(1);
		nest(depth);
		for (uint32_t i = depth; i-- > 0;) {
			assert_true(has_bit(0, ISACTIVER, 32 + i));
			finish(0, 32 + i);
			assert_false(has_bit(0, ISACTIVER, 32 + i));
		}
		for (uint32_t i = 0; i < depth; i++) {
			pulse(32 + i);
			expect_and_finish(0, 32 + i);
		}
		assert_false(hw.dir_trapped);
	}
}

static void test_nested_timer_is_deactivated_by_its_counted_end(void **state)
{
	(void)state;
	start(1);
	hw_write(0, PRIORITYR + TIMER, 1, 0xf8 - 8);
	set_bit(0, ISENABLER, TIMER);
	hw_timer(0, TIMER, true);
	expect(0, TIMER);
	hw_timer(0, TIMER, false);
	for (uint32_t i = 0; i < 6; i++) {
		set_up_edge(32 + i, 0, 0xd0 - i * 0x10);
		pulse(32 + i);
		expect(0, 32 + i);
	}
	for (uint32_t i = 6; i-- > 0;) {
		finish(0, 32 + i);
	}
	finish(0, TIMER);
	assert_int_equal(hw.core[0].ppi_active, 0);
	hw_timer(0, TIMER, true);
	expect(0, TIMER);
}

static void test_eoimode1_deactivates_in_any_order(void **state)
{
	static const uint8_t order[] = {3, 0, 5, 1, 4, 2};

	(void)state;
	start(1);
	hw_open(0, GICV_GRP0 | VMCR_EOIMODE);
	for (uint32_t i = 0; i < 6; i++) {
		set_up_edge(32 + i, 0, 0xa0);
		pulse(32 + i);
		expect(0, 32 + i);
		finish(0, 32 + i);
	}
	assert_true(hw.dir_trapped);
	for (unsigned int i = 0; i < 6; i++) {
		assert_true(has_bit(0, ISACTIVER, 32u + order[i]));
		pulse(32u + order[i]);
		expect(0, HW_SPURIOUS);
		hw_dir(0, 32u + order[i]);
		expect(0, 32u + order[i]);
		finish(0, 32u + order[i]);
		hw_dir(0, 32u + order[i]);
		assert_false(has_bit(0, ISACTIVER, 32u + order[i]));
	}
}

static void test_eoimode1_within_the_list_registers_needs_no_trap(void **state)
{
	(void)state;
	start(1);
	hw_open(0, GICV_GRP0 | VMCR_EOIMODE);
	for (uint32_t i = 0; i < 4; i++) {
		set_up_edge(32 + i, 0, 0xa0);
	}
	for (uint32_t i = 0; i < 4; i++) {
		pulse(32 + i);
		expect(0, 32 + i);
		finish(0, 32 + i);
	}
	for (uint32_t i = 0; i < 4; i++) {
		hw_dir(0, 32 + i);
	}
	assert_false(hw.dir_trapped);
	assert_int_equal(hw_read(0, ISACTIVER + 4, 4), 0);
}

/* Pending ones take the list registers that a read of ISACTIVER emptied of active ones. */
static void test_eoimode1_active_one_put_out_by_a_read(void **state)
{
	(void)state;
	start(1);
	hw_open(0, GICV_GRP0 | VMCR_EOIMODE);
	set_up_edge(32, 0, 0xa0);
	pulse(32);
	expect_and_finish(0, 32);
	for (uint32_t i = 1; i < 8; i++) {
		set_up_edge(32 + i, 0, 0xa0);
		pulse(32 + i);
	}
	assert_true(has_bit(0, ISACTIVER, 32));
	hw_dir(0, 32);
	hw_drain();
	assert_false(has_bit(0, ISACTIVER, 32));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overflow_in_priority_order),
		cmocka_unit_test(test_overflow_of_equal_priority_loses_none),
		cmocka_unit_test(test_a_higher_one_displaces_a_lower_one),
		cmocka_unit_test(test_priority_raised_while_it_waits_outside),
		cmocka_unit_test(test_nested_deeper_than_list_registers),
		cmocka_unit_test(test_nested_timer_is_deactivated_by_its_counted_end),
		cmocka_unit_test(test_eoimode1_deactivates_in_any_order),
		cmocka_unit_test(test_eoimode1_within_the_list_registers_needs_no_trap),
		cmocka_unit_test(test_eoimode1_active_one_put_out_by_a_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
