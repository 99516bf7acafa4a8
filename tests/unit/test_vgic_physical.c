/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of hyp/vgic*.c: SPIs that the guest owns physically, and what is on its way meanwhile. */
#include "vgic_guest.h"

#define SPI 40u

static const struct hw_spi *physical(void)
{
	return &hw.spi[SPI];
}

/* A guest on two cores that owns SPI, which goes to core 0. */
static void begin(void)
{
	start(2);
	hw_own(SPI);
	set_up(SPI, 0, 0xa0);
}

/* What core @cpu acknowledged while others changed its settings. */
static void take(unsigned int cpu)
{
	hw.spi[SPI].active = (uint8_t)(1u << cpu);
	hw.self = cpu;
	assert_true(vgic_forward_spi(cpu, SPI));
}

static void test_reset(void **state)
{
	(void)state;
	start(2);
	hw_own(SPI);
	assert_false(physical()->enabled || physical()->pending || physical()->edge);
	assert_int_equal(physical()->active, 0);
	assert_int_equal(physical()->cores, 0);
	assert_false(vgic_forward_spi(0, SPI + 1));
	assert_false(vgic_forward_spi(0, 1000));
	assert_false(vgic_forward_spi(0, INTID_VTIMER)); /* late, on a parked core */
	start(1);
	hw_own(SPI);
	assert_int_equal(physical()->cores, vgic.gic_mask[0]);
}

static void test_settings(void **state)
{
	(void)state;
	begin();
	assert_true(physical()->enabled);
	assert_int_equal(physical()->cores, vgic.gic_mask[0]);
	set_edge(SPI);
	hw_write(0, TARGETSR + SPI, 1, 2);
	assert_true(physical()->edge);
	assert_int_equal(physical()->cores, vgic.gic_mask[1]);
	set_bit(1, ICENABLER, SPI);
	assert_false(physical()->enabled);
}

static void test_level(void **state)
{
	(void)state;
	begin();
	hw_wire(0, SPI, true);
	for (unsigned int i = 0; i < 3; i++) {
		expect(0, SPI);
		assert_int_equal(physical()->active, 1);
		assert_true(has_bit(0, ISPENDR, SPI));
		finish(0, SPI);
	}
	expect(0, SPI);
	hw_wire(0, SPI, false);
	finish(0, SPI);
	assert_int_equal(physical()->active, 0);
	expect(0, HW_SPURIOUS);
}

static void test_retargeted_while_active(void **state)
{
	(void)state;
	for (unsigned int qemu = 0; qemu < 2; qemu++) {
		begin();
		hw.active_by_core = qemu != 0;
		hw_wire(0, SPI, true);
		expect(0, SPI);
		set_target(SPI, 1);
		expect(1, HW_SPURIOUS);
		finish(0, SPI);
		expect_and_finish(1, SPI);
		set_target(SPI, 0);
		expect_and_finish(0, SPI);
	}
}

static void test_retargeted_on_its_way(void **state)
{
	(void)state;
	begin();
	set_edge(SPI);
	set_target(SPI, 1);
	take(0);
	expect_and_finish(1, SPI);
	expect(0, HW_SPURIOUS);
	assert_int_equal(physical()->active, 0);
}

static void test_disabled_on_its_way(void **state)
{
	(void)state;
	begin();
	set_bit(1, ICENABLER, SPI);
	take(0);
	expect(0, HW_SPURIOUS);
	assert_true(has_bit(1, ISPENDR, SPI));
	set_bit(1, ISENABLER, SPI);
	expect_and_finish(0, SPI);
	assert_int_equal(physical()->active, 0);
	expect(0, HW_SPURIOUS);
}

static void test_fires_while_it_runs(void **state)
{
	(void)state;
	begin();
	hw_wire(0, SPI, true);
	expect(0, SPI);
	hw_wire(0, SPI, false);
	take(0);
	assert_true(physical()->pending);
	expect(0, HW_SPURIOUS);
	finish(0, SPI);
	expect_and_finish(0, SPI);
	expect(0, HW_SPURIOUS);
}

static void fires_on_core_0(void)
{
	const unsigned int self = hw.self;

	take(0);
	hw.self = self;
}

/* Before core 0 has seen the kick for core 1's claim of what its list register had last. */
static void test_fires_while_claimed(void **state)
{
	(void)state;
	begin();
	set_edge(SPI);
	pulse(SPI);
	expect_and_finish(0, SPI);
	hw_drain();
	hw.window = fires_on_core_0;
	hw_read(1, ISPENDR + 4, 4);
	hw.window = NULL;
	expect_and_finish(0, SPI);
	assert_int_equal(physical()->active, 0);
	expect(0, HW_SPURIOUS);
}

static void test_target_is_off(void **state)
{
	(void)state;
	for (unsigned int move = 0; move < 2; move++) {
		begin();
		hw_leave(0);
		hw_wire(0, SPI, true);
		hw_drain(); /* and no more after the first, though its level stays */
		assert_int_equal(physical()->active, 1);
		for (unsigned int i = 0; i < hw.lrs; i++) {
			assert_int_equal(hw.core[0].lr[i], 0);
		}
		if (move != 0) {
			hw_write(1, TARGETSR + SPI, 1, 2);
			expect(1, SPI);
		} else {
			hw_enter(0);
			hw_open(0, GICV_GRP0);
			expect(0, SPI);
		}
	}
}

static void test_restart(void **state)
{
	(void)state;
	begin();
	hw_wire(0, SPI, true);
	expect(0, SPI);
	hw_leave(0);
	hw_leave(1);
	vgic_reset(3, 2, 4);
	vgic_own_spi(SPI);
	assert_false(physical()->enabled);
	assert_int_equal(physical()->active | physical()->cores, 0);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		hw_enter(cpu);
		hw_open(cpu, GICV_GRP0);
	}
	hw_write(0, CTLR, 4, 1);
	set_up(SPI, 1, 0xa0);
	expect(1, SPI);
}

static bool holds(unsigned int cpu)
{
	hw_drain();
	hw.self = cpu;
	return vgic_holds_physical(cpu);
}

/* From when the board's distributor gave it away until its end; what bivy itself makes never
 * counts. */
static void test_held(void **state)
{
	(void)state;
	begin();
	set_up_edge(SPI + 1, 0, 0xa0);
	pulse(SPI + 1);
	assert_false(holds(0) || holds(1));
	expect(0, SPI + 1);
	assert_false(holds(0));
	finish(0, SPI + 1);
	hw_wire(0, SPI, true);
	assert_true(holds(0));
	assert_false(holds(1));
	expect(0, SPI);
	hw_wire(0, SPI, false);
	assert_true(holds(0));
	finish(0, SPI);
	assert_false(holds(0));
	set_bit(1, ISENABLER, TIMER);
	hw_timer(1, TIMER, true);
	assert_true(holds(1));
	assert_false(holds(0));
	expect(1, TIMER);
	hw_timer(1, TIMER, false);
	assert_true(holds(1));
	finish(1, TIMER);
	assert_false(holds(1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_retargeted_while_active),
		cmocka_unit_test(test_retargeted_on_its_way),
		cmocka_unit_test(test_disabled_on_its_way),
		cmocka_unit_test(test_fires_while_it_runs),
		cmocka_unit_test(test_fires_while_claimed),
		cmocka_unit_test(test_target_is_off),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
