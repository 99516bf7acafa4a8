/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of hyp/vgic*.c: what comes together, and guests that go their own way about an interrupt's
 * end. */
#include "vgic_guest.h"

static void send(unsigned int from, uint32_t intid)
{
	hw_write(from, SGIR, 4, 1u << 16 | intid);
}

static uint32_t sgi_of(unsigned int source, uint32_t intid)
{
	return source << 10 | intid;
}

/* Several senders, one inbox: core 0 sees what they sent in one refresh. */

static void test_two_sources_while_one_runs(void **state)
{
	(void)state;
	start(3);
	send(1, 5);
	expect(0, sgi_of(1, 5));
	send(1, 5);
	send(2, 5);
	hw_drain();
	finish(0, sgi_of(1, 5));
	expect_and_finish(0, sgi_of(1, 5));
	expect_and_finish(0, sgi_of(2, 5));
	expect(0, HW_SPURIOUS);
}

static void test_two_sources_while_one_waits(void **state)
{
	(void)state;
	start(3);
	send(1, 5);
	hw_drain();
	send(1, 5);
	send(2, 5);
	expect_and_finish(0, sgi_of(1, 5));
	expect_and_finish(0, sgi_of(2, 5));
	expect(0, HW_SPURIOUS);
}

static void test_the_other_source_while_one_runs_beside_a_third(void **state)
{
	(void)state;
	start(3);
	send(1, 5);
	expect(0, sgi_of(1, 5));
	send(2, 5);
	send(2, 6);
	hw_drain();
	finish(0, sgi_of(1, 5));
	expect_and_finish(0, sgi_of(2, 5));
	expect_and_finish(0, sgi_of(2, 6));
	expect(0, HW_SPURIOUS);
}

/* Two cores write one register while an interrupt of it must leave the list register of one of
 * them. */

static void core1_sets_group(void)
{
	hw.window = NULL;
	hw_write(1, IGROUPR + 4, 4, 1);
	hw.self = 0;
}

static void test_group_set_by_two_cores(void **state)
{
	(void)state;
	start(2);
	set_up_edge(32, 1, 0xa0);
	pulse(32);
	hw_drain();
	hw.window = core1_sets_group;
	hw_write(0, IGROUPR + 4, 4, 1);
	assert_int_equal(hw_read(0, IGROUPR + 4, 4), 1);
}

static void core1_sets_edge(void)
{
	hw.window = NULL;
	hw_write(1, ICFGR + 8, 4, 2);
	hw.self = 0;
}

static void test_edge_set_by_two_cores(void **state)
{
	(void)state;
	start(2);
	set_up(32, 1, 0xa0);
	hw_wire(0, 32, true);
	hw_drain();
	hw.window = core1_sets_edge;
	hw_write(0, ICFGR + 8, 4, 2);
	assert_int_equal(hw_read(0, ICFGR + 8, 4), 2);
}

/* A kernel that starts over, as kexec does: it clears what was active, and no end is ever written.
 */

static void start_over(void)
{
	hw_write(0, ICACTIVER, 4, ~0u);
	hw_write(0, ICACTIVER + 4, 4, ~0u);
	hw.core[0].apr = 0; /* by GICV_APR0 */
	hw_drain();
}

static void test_ends_after_a_new_start_are_of_the_new(void **state)
{
	(void)state;
	for (unsigned int depth = 1; depth <= 12; depth++) {
		start(1);
		nest(depth);
		start_over();
		assert_int_equal(hw_read(0, ISACTIVER + 4, 4), 0);
		nest_from(32, 10, 0xc0);
		unnest(10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_sources_while_one_runs),
		cmocka_unit_test(test_two_sources_while_one_waits),
		cmocka_unit_test(test_the_other_source_while_one_runs_beside_a_third),
		cmocka_unit_test(test_group_set_by_two_cores),
		cmocka_unit_test(test_edge_set_by_two_cores),
		cmocka_unit_test(test_ends_after_a_new_start_are_of_the_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
