/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of hyp/vgic*.c: timers, groups, cores that stop and start, registers. */
#include "vgic_guest.h"

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

/*
 * The boot core takes the board's interrupts while it runs no guest, too. Nobody could claim what
 * it had in a list register then, as it does not look at kicks.
 */
static void test_a_core_that_is_off_raises_a_wire(void **state)
{
	(void)state;
	start(2);
	set_up(32, 1, 0x80);
	hw_leave(1);
	hw_wire(1, 32, true);
	assert_int_equal(hw.core[1].lr[0], 0);
	assert_true(has_bit(0, ISPENDR, 32));
	assert_int_equal(hw.core[1].lr[0], 0);
	set_target(32, 0);
	expect(0, 32);
	hw_wire(1, 32, false);
	finish(0, 32);
	set_target(32, 1);
	hw_wire(1, 32, true);
	hw_enter(1);
	hw_open(1, GICV_GRP0);
	expect(1, 32);
	hw_wire(1, 32, false);
	finish(1, 32);
	expect(1, HW_SPURIOUS);
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
	static const uint16_t ends[] = {0x08c, 0x10c, 0x18c, 0x20c, 0x28c,
					0x30c, 0x38c, 0x460, 0x860, 0xc18};

	(void)state;
	start(2);
	for (unsigned int i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		hw_write(0, ends[i], 4, ~0u);
		assert_int_equal(hw_read(0, ends[i], 4), 0);
	}
	hw_drain();
	hw_check();
}

/* 1020 to 1023 are special (2.2.1); the list registers' VirtualID may not be one of them (5.3.8).
 */
static void test_special_intids_do_not_exist(void **state)
{
	(void)state;
	hw_reset(31, 2, 4);
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

/* IHI 0048B 4.1.2, table 4-1: reserved, or not there without the Security Extensions: RAZ/WI. */
static void test_reserved_registers(void **state)
{
	static const uint16_t offset[] = {0x00c, 0x020, 0x040, 0x07c, 0xd00,
					  0xd04, 0xe00, 0xe7c, 0xf04, 0xf0c,
					  0xf30, 0xf7c, 0xf80, 0xfcc, 0xffc - 0x40};

	(void)state;
	start(2);
	set_up_edge(40, 1, 0xa0);
	hw_write(0, SPENDSGIR + 4, 1, 2);
	for (unsigned int i = 0; i < sizeof(offset) / sizeof(offset[0]); i++) {
		hw_write(0, offset[i], 4, ~0u);
		assert_int_equal(hw_read(0, offset[i], 4), 0);
		hw_write(0, offset[i] + 1, 1, 0xff);
		assert_int_equal(hw_read(0, offset[i] + 1, 1), 0);
	}
	hw_write(0, 1, 1, 0xff); /* GICD_CTLR has two bits */
	hw_write(0, 2, 2, 0xffff);
	hw_write(0, 4, 4, 0);
	assert_int_equal(hw_read(0, CTLR, 4), 1);
	assert_int_equal(hw_read(0, 4, 4), 2 | 1 << 5);
	assert_int_equal(hw_read(0, SPENDSGIR + 4, 4), 2);
	assert_int_equal(hw_read(0, SPENDSGIR, 4) | hw_read(0, SPENDSGIR + 8, 4), 0);
	assert_int_equal(hw_read(0, SGIR, 4), 0);
	assert_int_equal(hw_read(0, TARGETSR + 40, 4), 2);
	assert_int_equal(hw_read(0, ISENABLER + 4, 4), 1u << 8);
}

/* Only a word at the start of the page is GICC_DIR, and only of what there is. */
static void test_deactivation_is_one_register(void **state)
{
	static const uint32_t access[][3] = {{4, 4, 40},   {0, 2, 40},     {0, 1, 40},
					     {0, 4, 1023}, {0, 4, 96 + 8}, {0, 4, 41}};

	(void)state;
	start(1);
	set_up_edge(40, 0, 0xa0);
	hw.core[0].ctlr |= VMCR_EOIMODE;
	pulse(40);
	expect(0, 40);
	hw_eoi(0, 40);
	hw_drain();
	hw.self = 0;
	for (unsigned int i = 0; i < sizeof(access) / sizeof(access[0]); i++) {
		vgic_dir_ops.write(NULL, access[i][0], access[i][1], access[i][2]);
		assert_true(has_bit(0, ISACTIVER, 40));
	}
	assert_int_equal(vgic_dir_ops.read(NULL, 0, 4), 0);
	hw.self = 0;
	vgic_dir_ops.write(NULL, 0, 4, 40);
	assert_false(has_bit(0, ISACTIVER, 40));
}

static void test_bounds_of_lines_and_list_registers(void **state)
{
	(void)state;
	hw_reset(3, 1, 4);
	hw.self = 0;
	vgic_set_line(31, true);
	vgic_set_line(96, true);
	for (unsigned int word = 0; word < 3; word++) {
		assert_int_equal(hw_read(0, ISPENDR + 4 * word, 4), 0);
	}
	vgic_reset(3, 1, 200);
	assert_int_equal(vgic.lr_count, VGIC_LRS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timer_is_enabled_and_deactivated_physically),
		cmocka_unit_test(test_timer_cleared_by_the_distributor_fires_again),
		cmocka_unit_test(test_timer_merges_with_a_pending_bit),
		cmocka_unit_test(test_distributor_off_and_on),
		cmocka_unit_test(test_distributor_forwards_by_group),
		cmocka_unit_test(test_group1_by_the_alias),
		cmocka_unit_test(test_leave_keeps_what_list_registers_held),
		cmocka_unit_test(test_a_core_that_is_off_answers_claims),
		cmocka_unit_test(test_a_core_that_is_off_raises_a_wire),
		cmocka_unit_test(test_active_from_before_does_not_get_others_ends),
		cmocka_unit_test(test_pending_tells_of_this_core_alone),
		cmocka_unit_test(test_identification),
		cmocka_unit_test(test_reset_values),
		cmocka_unit_test(test_nothing_beyond_the_last_intid),
		cmocka_unit_test(test_special_intids_do_not_exist),
		cmocka_unit_test(test_bytes_of_priority_and_target),
		cmocka_unit_test(test_one_core_has_no_targets),
		cmocka_unit_test(test_sgis_are_always_enabled_and_edges),
		cmocka_unit_test(test_reserved_registers),
		cmocka_unit_test(test_deactivation_is_one_register),
		cmocka_unit_test(test_bounds_of_lines_and_list_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
