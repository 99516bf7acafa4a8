/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of hyp/vgic*.c on a model of the hardware: what each guest sees, case by case. */
#include "suite.h"
#include <stdio.h>
#include "vgic_hw.h"

#define CTLR	  0x000u
#define ISENABLER 0x100u
#define ICENABLER 0x180u
#define ISPENDR	  0x200u
#define ICPENDR	  0x280u
#define ISACTIVER 0x300u
#define ICACTIVER 0x380u
#define IGROUPR	  0x080u
#define PRIORITYR 0x400u
#define TARGETSR  0x800u
#define ICFGR	  0xc00u
#define SGIR	  0xf00u
#define CPENDSGIR 0xf10u
#define SPENDSGIR 0xf20u

#define TIMER 27u

_Noreturn void hw_fail(const char *message)
{
	fail_msg("%s", message);
	abort();
}

/* A guest on @cores with everything open, and a distributor that forwards group 0. */
static void start(unsigned int cores)
{
	hw_reset(3, cores, 4);
	for (unsigned int cpu = 0; cpu < cores; cpu++) {
		hw_open(cpu, GICV_GRP0);
	}
	hw_write(0, CTLR, 4, 1);
}

static void set_bit(unsigned int cpu, uint32_t block, uint32_t intid)
{
	hw_write(cpu, block + intid / 32 * 4, 4, 1u << intid % 32);
}

static bool has_bit(unsigned int cpu, uint32_t block, uint32_t intid)
{
	uint32_t value;

	hw_drain();
	value = hw_read(cpu, block + intid / 32 * 4, 4);
	hw_drain();
	return (value >> intid % 32 & 1) != 0;
}

static void set_edge(uint32_t intid)
{
	uint32_t offset = ICFGR + intid / 16 * 4;

	hw_write(0, offset, 4, hw_read(0, offset, 4) | 2u << intid % 16 * 2);
}

static void set_target(uint32_t intid, unsigned int cpu)
{
	hw_write(0, TARGETSR + intid, 1, 1u << cpu);
}

/* Level-sensitive, enabled, to @cpu. */
static void set_up(uint32_t intid, unsigned int cpu, uint32_t priority)
{
	hw_write(0, PRIORITYR + intid, 1, priority);
	set_target(intid, cpu);
	set_bit(0, ISENABLER, intid);
}

static void set_up_edge(uint32_t intid, unsigned int cpu, uint32_t priority)
{
	set_up(intid, cpu, priority);
	set_edge(intid);
}

static void pulse(uint32_t intid)
{
	hw_wire(0, intid, true);
	hw_wire(0, intid, false);
}

static void expect(unsigned int cpu, uint32_t iar)
{
	hw_drain();
	hw_check();
	assert_int_equal(hw_acknowledge(cpu, false), iar);
	hw_maintain(cpu);
}

static void finish(unsigned int cpu, uint32_t iar)
{
	hw_eoi(cpu, iar);
	hw_drain();
	hw_check();
}

static void expect_and_finish(unsigned int cpu, uint32_t iar)
{
	expect(cpu, iar);
	finish(cpu, iar);
}

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

/* Core 0 is in the handlers of @first and @depth - 1 more, each of the next higher priority. */
static void nest_from(uint32_t first, unsigned int depth, uint32_t priority)
{
	for (uint32_t i = 0; i < depth; i++) {
		set_up_edge(first + i, 0, priority - i * 0x10);
	}
	for (uint32_t i = 0; i < depth; i++) {
		pulse(first + i);
		expect(0, first + i);
	}
}

static void nest(unsigned int depth)
{
	nest_from(32, depth, 0xf0);
}

/* They end, the last one first, and nothing else does. */
static void unnest(unsigned int depth)
{
	for (uint32_t i = depth; i-- > 0;) {
		finish(0, 32 + i);
		assert_int_equal(hw_read(0, ISACTIVER + 4, 4), (1u << i) - 1);
		hw_drain();
	}
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

/* The guest's own timers */

static void test_timer_is_enabled_and_deactivated_physically(void **state)
{
	static const uint8_t timers[] = {INTID_VTIMER, INTID_PTIMER};

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		const uint32_t intid = timers[i];

		start(2);
		hw_timer(1, intid, true);
		expect(1, HW_SPURIOUS);
		assert_true(has_bit(1, ISPENDR, intid));
		assert_false(has_bit(0, ISPENDR, intid));
		set_bit(1, ISENABLER, intid);
		assert_int_equal(hw.core[1].ppi_enabled, 1u << intid);
		assert_int_equal(hw.core[0].ppi_enabled, 0);
		expect(1, intid);
		assert_int_equal(hw.core[1].ppi_active, 1u << intid);
		assert_true(has_bit(1, ISACTIVER, intid));
		finish(1, intid); /* the wire is high: it fires at once */
		expect(1, intid);
		hw_timer(1, intid, false);
		finish(1, intid);
		assert_int_equal(hw.core[1].ppi_active, 0);
		expect(1, HW_SPURIOUS);
		set_bit(1, ICENABLER, intid);
		assert_int_equal(hw.core[1].ppi_enabled, 0);
	}
}

static void test_timer_cleared_by_the_distributor_fires_again(void **state)
{
	(void)state;
	start(1);
	set_bit(0, ISENABLER, TIMER);
	hw_timer(0, TIMER, true);
	expect(0, TIMER);
	set_bit(0, ICACTIVER, TIMER);
	hw_eoi(0, TIMER);
	expect_and_finish(0, TIMER);
	hw_drain();
	set_bit(0, ICPENDR, TIMER);
	expect(0, TIMER);
	hw_timer(0, TIMER, false);
	finish(0, TIMER);
	assert_int_equal(hw.core[0].ppi_active, 0);
}

static void test_timer_merges_with_a_pending_bit(void **state)
{
	(void)state;
	start(1);
	set_bit(0, ISENABLER, TIMER);
	set_bit(0, ISPENDR, TIMER);
	hw_timer(0, TIMER, true);
	expect(0, TIMER);
	hw_timer(0, TIMER, false);
	finish(0, TIMER);
	expect(0, HW_SPURIOUS);
	assert_int_equal(hw.core[0].ppi_active, 0);
}

/* Distributor and groups */

static void test_distributor_off_and_on(void **state)
{
	(void)state;
	start(2);
	hw_write(0, CTLR, 4, 0);
	for (uint32_t i = 0; i < 6; i++) {
		set_up_edge(32 + i, 1, 0x80 + i * 8);
		pulse(32 + i);
	}
	expect(1, HW_SPURIOUS);
	hw_write(0, CTLR, 4, 1);
	expect_and_finish(1, 32);
	hw_drain();
	hw_write(1, CTLR, 4, 0);
	assert_int_equal(hw_acknowledge(1, false), HW_SPURIOUS);
	hw_write(0, CTLR, 4, 1);
	for (uint32_t i = 1; i < 6; i++) {
		expect_and_finish(1, 32 + i);
	}
}

static void test_distributor_forwards_by_group(void **state)
{
	(void)state;
	start(2);
	hw_open(1, GICV_GRP0 | GICV_GRP1 | GICV_ACKCTL);
	hw_write(0, CTLR, 4, 3);
	set_up_edge(32, 1, 0x80);
	set_up_edge(33, 1, 0xa0);
	hw_write(0, IGROUPR + 4, 4, 1);
	pulse(32);
	pulse(33);
	hw_drain();
	hw_write(0, CTLR, 4, 1);
	expect_and_finish(1, 33);
	expect(1, HW_SPURIOUS);
	hw_write(0, CTLR, 4, 2);
	expect_and_finish(1, 32);
	pulse(33);
	expect(1, HW_SPURIOUS);
	hw_write(0, IGROUPR + 4, 1, 3);
	expect_and_finish(1, 33);
}

static void test_group1_by_the_alias(void **state)
{
	(void)state;
	start(1);
	hw_open(0, GICV_GRP0 | GICV_GRP1);
	hw_write(0, CTLR, 4, 3);
	hw_write(0, IGROUPR + 4, 4, 1);
	set_up_edge(32, 0, 0x80);
	pulse(32);
	expect(0, HW_GROUP1);
	assert_int_equal(hw_acknowledge(0, true), 32);
	finish(0, 32);
	hw_write(0, IGROUPR + 4, 4, 0);
	pulse(32);
	hw_drain();
	assert_int_equal(hw_acknowledge(0, true), HW_SPURIOUS);
	expect_and_finish(0, 32);
}

/* Cores that stop and start */

static void test_leave_keeps_what_list_registers_held(void **state)
{
	(void)state;
	start(2);
	for (uint32_t i = 0; i < 3; i++) {
		set_up_edge(32 + i, 1, 0x80 - i * 0x10);
		pulse(32 + i);
	}
	set_bit(1, ISENABLER, TIMER);
	hw_write(0, SGIR, 4, 2u << 16 | 3);
	expect(1, 3); /* priority 0, so it holds back all others */
	hw_timer(1, TIMER, true);
	hw_drain();
	hw_leave(1);
	assert_int_equal(hw.core[1].ppi_enabled, 0);
	assert_int_equal(hw_read(0, ISPENDR + 4, 4), 7);
	hw_drain();
	hw_enter(1);
	hw_open(1, GICV_GRP0);
	assert_int_equal(hw.core[1].ppi_enabled, 1u << TIMER);
	set_bit(1, ICACTIVER, 3);
	expect(1, TIMER); /* fires afresh */
	hw_timer(1, TIMER, false);
	finish(1, TIMER);
	assert_int_equal(hw.core[1].ppi_active, 0);
	for (uint32_t i = 3; i-- > 0;) {
		expect_and_finish(1, 32 + i);
	}
	expect(1, HW_SPURIOUS);
}

static void test_a_core_that_is_off_answers_claims(void **state)
{
	(void)state;
	start(2);
	hw_leave(1);
	set_up_edge(32, 1, 0x80);
	pulse(32);
	hw_drain();
	set_bit(0, ICENABLER, 32);
	set_target(32, 0);
	set_bit(0, ISENABLER, 32);
	expect_and_finish(0, 32);
}

static void test_active_from_before_does_not_get_others_ends(void **state)
{
	(void)state;
	start(1);
	nest_from(64, 8, 0x70);
	hw_leave(0);
	hw_enter(0);
	hw_open(0, GICV_GRP0);
	nest(8);
	unnest(8);
	assert_int_equal(hw_read(0, ISACTIVER + 8, 4), 0xff);
}

static void test_pending_tells_of_this_core_alone(void **state)
{
	(void)state;
	start(2);
	set_up_edge(32, 1, 0xa0);
	pulse(32);
	hw_drain();
	hw.self = 0;
	assert_false(vgic_pending(0));
	hw.self = 1;
	assert_true(vgic_pending(1));
	expect(1, 32);
	hw.self = 1;
	assert_false(vgic_pending(1));
	finish(1, 32);
	set_bit(0, ICENABLER, 32);
	pulse(32);
	hw_drain();
	hw.self = 1;
	assert_false(vgic_pending(1));
}

/* Registers */

static void test_identification(void **state)
{
	(void)state;
	start(3);
	assert_int_equal(hw_read(1, 0x004, 4), 2 | 2u << 5);
	assert_int_equal(hw_read(1, 0x008, 4) & 0xfff, 0x43b);
	assert_int_equal(hw_read(1, 0xfe8, 4) >> 4 & 0xf, 2); /* ICPIDR2.ArchRev */
	assert_int_equal(hw_read(1, 0xff0, 4), 0x0d);
	assert_int_equal(hw_read(1, 0xffc, 4), 0xb1);
	hw_write(1, 0x004, 4, ~0u);
	assert_int_equal(hw_read(1, 0x004, 4), 2 | 2u << 5);
}

static void test_reset_values(void **state)
{
	(void)state;
	hw_reset(3, 2, 4);
	assert_int_equal(hw_read(0, CTLR, 4), 0);
	assert_int_equal(hw_read(0, ISENABLER, 4), 0xffff);
	assert_int_equal(hw_read(0, ISENABLER + 4, 4), 0);
	assert_int_equal(hw_read(0, ICFGR, 4), 0xaaaaaaaa);
	assert_int_equal(hw_read(0, ICFGR + 4, 4), 0);
	assert_int_equal(hw_read(1, TARGETSR + 4, 4), 0x02020202);
	assert_int_equal(hw_read(1, TARGETSR + 32, 4), 0);
}

static void test_nothing_beyond_the_last_intid(void **state)
{
	static const uint16_t ends[] = {0x08c, 0x10c, 0x18c, 0x20c, 0x28c, 0x30c, 0x38c, 0x460, 0x860, 0xc18};

	(void)state;
	start(2);
	for (unsigned int i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		hw_write(0, ends[i], 4, ~0u);
		assert_int_equal(hw_read(0, ends[i], 4), 0);
	}
	hw_drain();
	hw_check();
}

/* 1020 to 1023 are special (2.2.1); the list registers' VirtualID may not be one of them (5.3.8). */
static void test_special_intids_do_not_exist(void **state)
{
	(void)state;
	hw_reset(32, 2, 4);
	hw_open(0, GICV_GRP0);
	hw_write(0, CTLR, 4, 1);
	for (uint32_t block = IGROUPR; block <= ICACTIVER; block += 0x80) {
		hw_write(0, block + 0x7c, 4, ~0u);
		assert_int_equal(hw_read(0, block + 0x7c, 4) & 0xf0000000u, 0);
	}
	hw_write(0, TARGETSR + 1020, 4, 0x01010101);
	hw_write(0, ISENABLER + 0x7c, 4, ~0u);
	hw_write(0, ISPENDR + 0x7c, 4, ~0u);
	hw_drain();
	hw_check();
}

static void test_bytes_of_priority_and_target(void **state)
{
	(void)state;
	start(2);
	hw_write(0, PRIORITYR + 33, 1, 0xff);
	assert_int_equal(hw_read(0, PRIORITYR + 32, 4), 0xf800);
	assert_int_equal(hw_read(0, PRIORITYR + 33, 1), 0xf8);
	hw_write(0, TARGETSR + 34, 2, 0xff02);
	assert_int_equal(hw_read(0, TARGETSR + 32, 4), 0x03020000);
	hw_write(0, TARGETSR, 4, 0);
	assert_int_equal(hw_read(0, TARGETSR, 4), 0x01010101);
}

static void test_one_core_has_no_targets(void **state)
{
	(void)state;
	start(1);
	hw_write(0, TARGETSR + 32, 4, 0);
	assert_int_equal(hw_read(0, TARGETSR + 32, 4), 0);
	assert_int_equal(hw_read(0, TARGETSR, 4), 0);
	set_bit(0, ISENABLER, 33);
	hw_wire(0, 33, true);
	expect(0, 33);
}

static void test_sgis_are_always_enabled_and_edges(void **state)
{
	(void)state;
	start(1);
	hw_write(0, ICENABLER, 4, ~0u);
	hw_write(0, ICFGR, 4, 0);
	assert_int_equal(hw_read(0, ISENABLER, 4), 0xffff);
	assert_int_equal(hw_read(0, ICFGR, 4), 0xaaaaaaaa);
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
		cmocka_unit_test(test_level_comes_again_after_its_end),
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
		cmocka_unit_test(test_timer_is_enabled_and_deactivated_physically),
		cmocka_unit_test(test_timer_cleared_by_the_distributor_fires_again),
		cmocka_unit_test(test_timer_merges_with_a_pending_bit),
		cmocka_unit_test(test_distributor_off_and_on),
		cmocka_unit_test(test_distributor_forwards_by_group),
		cmocka_unit_test(test_group1_by_the_alias),
		cmocka_unit_test(test_leave_keeps_what_list_registers_held),
		cmocka_unit_test(test_a_core_that_is_off_answers_claims),
		cmocka_unit_test(test_active_from_before_does_not_get_others_ends),
		cmocka_unit_test(test_pending_tells_of_this_core_alone),
		cmocka_unit_test(test_identification),
		cmocka_unit_test(test_reset_values),
		cmocka_unit_test(test_nothing_beyond_the_last_intid),
		cmocka_unit_test(test_special_intids_do_not_exist),
		cmocka_unit_test(test_bytes_of_priority_and_target),
		cmocka_unit_test(test_one_core_has_no_targets),
		cmocka_unit_test(test_sgis_are_always_enabled_and_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
