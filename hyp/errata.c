/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of errata that bivy acts on, by MIDR. Pure; no state. */
#include "errata.h"

#define MIDR_PART     0xff0ffff0u
#define MIDR_PART_A12 0x410fc0d0u
#define MIDR_PART_A15 0x410fc0f0u
#define MIDR_PART_A17 0x410fc0e0u

/*
 * Sources: Linux' arch/arm/mm/proc-v7-bugs.c (which cores, and by what operation) and
 * arch/arm/Kconfig (773022); Xen's xen/arch/arm/cpuerrata.c (766422).
 */
static const struct {
	uint32_t part;
	uint8_t last; /* variant and revision: r0p4 is 0x04 */
	uint8_t errata;
} rows[] = {
	{MIDR_PART_A12, 0xff, ERRATA_BPIALL},
	{MIDR_PART_A15, 0xff, ERRATA_ICIALLU},
	{MIDR_PART_A15, 0x04, ERRATA_766422 | ERRATA_773022},
	{MIDR_PART_A17, 0xff, ERRATA_BPIALL},
};

uint32_t errata_of(uint32_t midr)
{
	const uint32_t revision = (midr >> 16 & 0xf0) | (midr & 0xf);
	uint32_t errata = 0;

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if ((midr & MIDR_PART) == rows[i].part && revision <= rows[i].last) {
			errata |= rows[i].errata;
		}
	}
	return errata;
}

uint32_t errata_at_exit(uint32_t midr, uint32_t actlr)
{
	return errata_of(midr) & (ERRATA_BPIALL | ((actlr & ACTLR_IBE) != 0 ? ERRATA_ICIALLU : 0));
}

int32_t errata_workaround_1(uint32_t midr, uint32_t actlr)
{
	if (errata_at_exit(midr, actlr) != 0) {
		return 0;
	}
	return (errata_of(midr) & ERRATA_ICIALLU) != 0 ? -1 : 1;
}
