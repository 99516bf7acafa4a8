/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of hyp/vgic*.c: levels, edges, SGIs, and changes to what list registers hold. */
#include "vgic_guest.h"

/* Levels and edges */

static void test_level_comes_again_after_its_end(void **state)
{
	(void)state;
	start(1);
	set_up(32, 0, 0xa0);
	hw_wire(0, 32, true);
	for (unsigned int i = 0; i < 3; i++) {
		expect(0, 32);
		assert_true(has_bit(0, ISPENDR, 32)); /* active and pending */
		finish(0, 32);
	}
	expect(0, 32);
	hw_wire(0, 32, false);
	finish(0, 32);
	expect(0, HW_SPURIOUS);
}

static void test_level_comes_again_without_an_exit(void **state)
{
	(void)state;
	start(1);
	set_up(32, 0, 0xa0);
	hw_wire(0, 32, true);
	expect_and_finish(0, 32);
	expect_and_finish(0, 32);
}

static void test_level_dropped_before_acknowledge(void **state)
{
	(void)state;
	start(2);
	set_up(32, 1, 0xa0);
	hw_wire(0, 32, true);
	hw_drain();
	hw_wire(0, 32, false);
	assert_false(has_bit(0, ISPENDR, 32));
	expect(1, HW_SPURIOUS);
}

static void test_level_made_pending_by_software(void **state)
{
	(void)state;
	start(1);
	set_up(32, 0, 0xa0);
	hw_wire(0, 32, true);
	hw_drain();
	set_bit(0, ISPENDR, 32);
	hw_wire(0, 32, false);
	expect_and_finish(0, 32);
	expect(0, HW_SPURIOUS);
}

static void test_edges_merge_while_pending(void **state)
{
	(void)state;
	start(2);
	set_up_edge(32, 1, 0xa0);
	for (unsigned int i = 0; i < 3; i++) {
		pulse(32);
		hw_drain();
	}
	expect_and_finish(1, 32);
	expect(1, HW_SPURIOUS);
}

static void test_edge_while_active_comes_once_more(void **state)
{
	(void)state;
	start(2);
	set_up_edge(32, 1, 0xa0);
	pulse(32);
	expect(1, 32);
	pulse(32);
	pulse(32);
	hw_drain();
	assert_true(has_bit(0, ISPENDR, 32));
	finish(1, 32);
	expect_and_finish(1, 32);
	expect(1, HW_SPURIOUS);
}

/* The guest ends it after the edge, before its core heard of the edge. */
static void test_edge_races_with_the_end(void **state)
{
	(void)state;
	start(2);
	set_up_edge(32, 1, 0xa0);
	pulse(32);
	expect(1, 32);
	pulse(32);
	hw_eoi(1, 32);
	expect_and_finish(1, 32);
	expect(1, HW_SPURIOUS);
}

static void test_configuration_changes_what_is_pending(void **state)
{
	(void)state;
	start(2);
	set_up(32, 1, 0xa0);
	hw_wire(0, 32, true);
	hw_drain();
	set_edge(32);
	expect(1, HW_SPURIOUS);
	hw_write(0, ICFGR + 8, 4, 0);
	expect(1, 32);
}

/* SGIs */

static void test_sgi_of_two_sources_comes_twice(void **state)
{
	(void)state;
	start(3);
	hw_write(0, SGIR, 4, 1u << 18 | 5);
	hw_write(1, SGIR, 4, 1u << 18 | 5);
	hw_write(1, SGIR, 4, 1u << 18 | 5);
	hw_drain();
	assert_int_equal(hw_read(2, SPENDSGIR + 4, 4), 3u << 8);
	expect(2, 5);
	assert_int_equal(hw_read(2, CPENDSGIR + 5, 1), 2);
	finish(2, 5);
	expect_and_finish(2, 1u << 10 | 5);
	expect(2, HW_SPURIOUS);
}

static void test_sgi_filters(void **state)
{
	(void)state;
	start(3);
	hw_write(1, SGIR, 4, 7u << 16 | 1);
	hw_write(1, SGIR, 4, 1u << 24 | 7u << 16 | 2);
	hw_write(1, SGIR, 4, 2u << 24 | 7u << 16 | 3);
	hw_write(1, SGIR, 4, 3u << 24 | 7u << 16 | 4);
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		hw_drain();
		assert_int_equal(hw_read(cpu, ISPENDR, 4), cpu == 1 ? 1u << 1 | 1u << 3 : 3u << 1);
	}
}

static void test_sgi_again_while_active(void **state)
{
	(void)state;
	start(2);
	hw_write(0, SGIR, 4, 2u << 16 | 9);
	expect(1, 9);
	hw_write(0, SGIR, 4, 2u << 16 | 9);
	hw_drain();
	finish(1, 9);
	expect_and_finish(1, 9);
	expect(1, HW_SPURIOUS);
}

static void test_sgi_set_and_cleared_by_source(void **state)
{
	(void)state;
	start(2);
	hw_write(1, SPENDSGIR + 6, 1, 3);
	hw_write(1, CPENDSGIR + 6, 1, 1);
	expect_and_finish(1, 1u << 10 | 6);
	expect(1, HW_SPURIOUS);
	set_bit(1, ISPENDR, 6); /* has no effect on SGIs (4.3.7) */
	expect(1, HW_SPURIOUS);
}

/* Changes to what a list register holds, of this core (0) and of another (1) */

static void test_disable_what_is_in_a_list_register(void **state)
{
	(void)state;
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		start(2);
		set_up_edge(32, cpu, 0xa0);
		pulse(32);
		hw_drain();
		set_bit(0, ICENABLER, 32);
		assert_int_equal(hw_acknowledge(cpu, false), HW_SPURIOUS); /* at once, undrained */
		assert_true(has_bit(0, ISPENDR, 32));
		set_bit(0, ISENABLER, 32);
		expect_and_finish(cpu, 32);
		expect(cpu, HW_SPURIOUS);
	}
}

static void test_retarget_what_is_in_a_list_register(void **state)
{
	(void)state;
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		start(2);
		set_up_edge(32, cpu, 0xa0);
		pulse(32);
		hw_drain();
		set_target(32, !cpu);
		expect(cpu, HW_SPURIOUS);
		expect_and_finish(!cpu, 32);
		expect(cpu, HW_SPURIOUS);
	}
}

static void test_retarget_what_is_active(void **state)
{
	(void)state;
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		start(2);
		set_up(32, cpu, 0xa0);
		hw_wire(0, 32, true);
		expect(cpu, 32);
		set_target(32, !cpu);
		expect(!cpu, HW_SPURIOUS);
		finish(cpu, 32);
		expect(!cpu, 32);
		expect(cpu, HW_SPURIOUS);
	}
}

/* The end comes between the claim of the write to ITARGETSR and the return of the interrupt. */
static void test_retarget_while_its_core_ends_it(void **state)
{
	(void)state;
	start(2);
	set_up(32, 1, 0xa0);
	hw_wire(0, 32, true);
	expect(1, 32);
	set_target(32, 0);
	hw_eoi(1, 32);
	expect(0, 32);
}

static void test_end_while_another_core_claims(void **state)
{
	(void)state;
	start(2);
	set_up_edge(32, 1, 0xa0);
	pulse(32);
	expect(1, 32);
	hw_write(0, TARGETSR + 33, 1, 1); /* a neighbour's target: claims all four */
	hw_eoi(1, 32);
	hw_drain();
	assert_false(has_bit(0, ISACTIVER, 32));
	pulse(32);
	expect(1, 32);
}

static void test_clear_pending_in_a_list_register(void **state)
{
	(void)state;
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		start(2);
		set_up_edge(32, cpu, 0xa0);
		pulse(32);
		hw_drain();
		set_bit(0, ICPENDR, 32);
		assert_int_equal(hw_acknowledge(cpu, false), HW_SPURIOUS);
		expect(cpu, HW_SPURIOUS);
	}
}

static void test_clear_pending_leaves_a_level(void **state)
{
	(void)state;
	start(2);
	set_up(32, 1, 0xa0);
	hw_wire(0, 32, true);
	hw_drain();
	set_bit(0, ICPENDR, 32);
	expect(1, 32);
}

static void test_clear_active_instead_of_an_end(void **state)
{
	(void)state;
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		start(2);
		set_up_edge(32, cpu, 0xa0);
		set_up_edge(33, cpu, 0x40);
		pulse(32);
		expect(cpu, 32);
		set_bit(0, ICACTIVER, 32);
		assert_false(has_bit(0, ISACTIVER, 32));
		pulse(32);
		expect(cpu, HW_SPURIOUS); /* the running priority is still there */
		hw_eoi(cpu, 32);
		expect_and_finish(cpu, 32);
		pulse(33);
		expect_and_finish(cpu, 33);
	}
}

static void test_set_active_holds_it_back(void **state)
{
	(void)state;
	start(2);
	set_up_edge(32, 1, 0xa0);
	set_bit(0, ISACTIVER, 32);
	pulse(32);
	expect(1, HW_SPURIOUS);
	assert_true(has_bit(0, ISACTIVER, 32));
	assert_true(has_bit(1, ISPENDR, 32));
	set_bit(0, ICACTIVER, 32);
	expect_and_finish(1, 32);
	expect(1, HW_SPURIOUS);
}

static void test_set_active_ones_do_not_get_others_ends(void **state)
{
	(void)state;
	start(1);
	hw_write(0, ISACTIVER + 8, 4, 0xff); /* 64 to 71, of the highest priority */
	nest(8);
	unnest(8);
	assert_int_equal(hw_read(0, ISACTIVER + 8, 4), 0xff);
}

/* Of eight nested ones the guest clears the last by ICACTIVER, and still writes its EOIR. */
static void test_end_of_a_cleared_one_ends_no_other(void **state)
{
	(void)state;
	start(1);
	nest(8);
	set_bit(0, ICACTIVER, 39);
	unnest(8);
}

/* Reads that claim: what waits outside must be seen wherever it goes meanwhile. */
static void test_reads_see_what_moves_meanwhile(void **state)
{
	(void)state;
	start(2);
	for (uint32_t i = 0; i < 12; i++) {
		set_up_edge(32 + i, 1, 0xa0 - i * 8);
		pulse(32 + i);
	}
	for (unsigned int i = 0; i < 20; i++) {
		hw_drain();
		assert_int_equal(hw_read(0, ISPENDR + 4, 4), 0xfff);
	}
	for (uint32_t i = 12; i-- > 4;) {
		set_bit(0, ICPENDR, 32 + i);
	}
	for (uint32_t i = 0; i < 4; i++) {
		hw_drain();
		assert_int_equal(hw_read(0, ICPENDR + 4, 1), 0xf);
	}
}

static void test_reads_see_all_that_is_active(void **state)
{
	(void)state;
	start(2);
	for (uint32_t i = 0; i < 7; i++) {
		set_up_edge(32 + i, 1, 0xf0 - i * 0x10);
		pulse(32 + i);
		expect(1, 32 + i);
	}
	for (unsigned int i = 0; i < 20; i++) {
		hw_drain();
		assert_int_equal(hw_read(0, ISACTIVER + 4, 4), 0x7f);
	}
	for (uint32_t i = 7; i-- > 0;) {
		finish(1, 32 + i);
		assert_int_equal(hw_read(0, ISACTIVER + 4, 4), (1u << i) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_level_comes_again_after_its_end),
		cmocka_unit_test(test_level_comes_again_without_an_exit),
		cmocka_unit_test(test_level_dropped_before_acknowledge),
		cmocka_unit_test(test_level_made_pending_by_software),
		cmocka_unit_test(test_edges_merge_while_pending),
		cmocka_unit_test(test_edge_while_active_comes_once_more),
		cmocka_unit_test(test_edge_races_with_the_end),
		cmocka_unit_test(test_configuration_changes_what_is_pending),
		cmocka_unit_test(test_sgi_of_two_sources_comes_twice),
		cmocka_unit_test(test_sgi_filters),
		cmocka_unit_test(test_sgi_again_while_active),
		cmocka_unit_test(test_sgi_set_and_cleared_by_source),
		cmocka_unit_test(test_disable_what_is_in_a_list_register),
		cmocka_unit_test(test_retarget_what_is_in_a_list_register),
		cmocka_unit_test(test_retarget_what_is_active),
		cmocka_unit_test(test_retarget_while_its_core_ends_it),
		cmocka_unit_test(test_end_while_another_core_claims),
		cmocka_unit_test(test_clear_pending_in_a_list_register),
		cmocka_unit_test(test_clear_pending_leaves_a_level),
		cmocka_unit_test(test_clear_active_instead_of_an_end),
		cmocka_unit_test(test_set_active_holds_it_back),
		cmocka_unit_test(test_set_active_ones_do_not_get_others_ends),
		cmocka_unit_test(test_end_of_a_cleared_one_ends_no_other),
		cmocka_unit_test(test_reads_see_what_moves_meanwhile),
		cmocka_unit_test(test_reads_see_all_that_is_active),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
