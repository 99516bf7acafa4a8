/* SPDX-License-Identifier: BSD-2-Clause */
/* Random guests on hyp/vgic*.c and on the reference GICv2 (vgic_steps.c). TEST_SEED=n runs one of
 * them alone. */
#include "suite.h"
#include <stdio.h>
#include "vgic_hw.h"
#include "vgic_steps.h"

#define SEEDS 50u
#define STEPS 400u

static uint32_t seed;

_Noreturn void hw_fail(const char *message)
{
	steps_show_history();
	fail_msg("seed %u: %s", seed, message);
	abort();
}

static uint8_t next_random(void *source)
{
	uint32_t *x = source;

	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return (uint8_t)(*x >> 11);
}

static void run_on(unsigned int avoid, unsigned int cores, bool own_spis, bool active_by_core)
{
	const char *only = getenv("TEST_SEED");
	const uint32_t first = only == NULL ? 0 : (uint32_t)strtoul(only, NULL, 10);

	const uint32_t seeds = own_spis ? SEEDS / 3 : SEEDS;

	for (seed = first; seed < (only == NULL ? seeds : first + 1); seed++) {
		uint32_t x = seed * 2654435761u + 88675123u;
		const struct steps steps = {.next = next_random,
					    .source = &x,
					    .words = 3,
					    .cores = cores,
					    .lrs = 4,
					    .avoid = avoid,
					    .own_spis = own_spis,
					    .active_by_core = active_by_core};

		steps_run(&steps, STEPS);
	}
}

static void run(unsigned int avoid, unsigned int cores)
{
	run_on(avoid, cores, false, false);
}

static void test_one_core(void **state)
{
	(void)state;
	run(0, 1);
}

static void test_two_cores(void **state)
{
	(void)state;
	run(0, 2);
}

static void test_four_cores(void **state)
{
	(void)state;
	run(0, 4);
}

/* What Linux does, and no more. */
static void test_plain_guest(void **state)
{
	(void)state;
	run(255, 3);
}

static void test_physical_spis(void **state)
{
	(void)state;
	run_on(255, 2, true, false);
	run_on(0, 1, true, false);
	run_on(0, 3, true, false);
}

static void test_physical_spis_on_qemu(void **state)
{
	(void)state;
	run_on(0, 2, true, true);
	run_on(0, 4, true, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_guest),   cmocka_unit_test(test_one_core),
		cmocka_unit_test(test_two_cores),     cmocka_unit_test(test_four_cores),
		cmocka_unit_test(test_physical_spis), cmocka_unit_test(test_physical_spis_on_qemu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
