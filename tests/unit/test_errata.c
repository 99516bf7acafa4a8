/* SPDX-License-Identifier: BSD-2-Clause */
/* Which cores have which errata, and what follows for exits and for SMCCC_ARCH_WORKAROUND_1. */
#include "suite.h"
#include "hyp/errata.h"

static const struct {
	uint32_t midr, errata;
} cores[] = {
	{0x410fc070, 0}, /* Cortex-A7 r0p0 and r0p5 */
	{0x410fc075, 0},
	{0x410fc0d0, ERRATA_BPIALL}, /* A12 r0p0 and r0p1 */
	{0x410fc0d1, ERRATA_BPIALL},
	{0x411fc0e1, ERRATA_BPIALL},                                  /* A17 r1p1 */
	{0x41ffc0ef, ERRATA_BPIALL},                                  /* and whatever comes */
	{0x410fc0f0, ERRATA_ICIALLU | ERRATA_766422 | ERRATA_773022}, /* A15 r0p0 */
	{0x410fc0f4, ERRATA_ICIALLU | ERRATA_766422 | ERRATA_773022}, /* Exynos 5250 */
	{0x410fc0f5, ERRATA_ICIALLU},
	{0x411fc0f4, ERRATA_ICIALLU}, /* r1p4: the variant counts, too */
	{0x412fc0f1, ERRATA_ICIALLU},
	{0x414fc0f0, ERRATA_ICIALLU}, /* QEMU's, r4p0 */
	{0x420fc0f0, 0},              /* not Arm's */
	{0x410ec0f0, 0},              /* no CPUID scheme */
	{0x410fd0f0, 0},              /* another part */
	{0, 0},
	{0xffffffff, 0},
};

static void errata_by_midr(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(cores) / sizeof(cores[0]); i++) {
		assert_int_equal(errata_of(cores[i].midr), cores[i].errata);
	}
}

/* ICIALLU forgets branches only if the firmware said so. */
static void exits(void **state)
{
	(void)state;
	assert_int_equal(errata_at_exit(0x410fc075, ~0u), 0);
	assert_int_equal(errata_at_exit(0x411fc0e1, 0), ERRATA_BPIALL);
	assert_int_equal(errata_at_exit(0x411fc0e1, ~0u), ERRATA_BPIALL);
	assert_int_equal(errata_at_exit(0x412fc0f1, ~ACTLR_IBE), 0);
	assert_int_equal(errata_at_exit(0x412fc0f1, ACTLR_IBE), ERRATA_ICIALLU);
	assert_int_equal(errata_at_exit(0x410fc0f4, ACTLR_IBE), ERRATA_ICIALLU);
}

static void workaround_1(void **state)
{
	(void)state;
	assert_int_equal(errata_workaround_1(0x410fc075, ~0u), 1);
	assert_int_equal(errata_workaround_1(0x410fc0d1, 0), 0);
	assert_int_equal(errata_workaround_1(0x414fc0f0, ACTLR_IBE), 0);
	assert_int_equal(errata_workaround_1(0x414fc0f0, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errata_by_midr),
		cmocka_unit_test(exits),
		cmocka_unit_test(workaround_1),
	};

	return cmocka_run_group_tests_name("errata", tests, NULL, NULL);
}
