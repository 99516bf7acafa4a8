/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest does to its interrupts, in words, for the tests of the virtual GIC. One for each
 * program. */
#ifndef TESTS_VGIC_GUEST_H
#define TESTS_VGIC_GUEST_H

#include "suite.h"
#include "vgic_hw.h"

#define TIMER 27u

_Noreturn void hw_fail(const char *message)
{
	fail_msg("%s", message);
	abort();
}

/* A guest on @cores with everything open, and a distributor that forwards group 0. */
static inline void start(unsigned int cores)
{
	hw_reset(3, cores, 4);
	for (unsigned int cpu = 0; cpu < cores; cpu++) {
		hw_open(cpu, GICV_GRP0);
	}
	hw_write(0, CTLR, 4, 1);
}

static inline void set_bit(unsigned int cpu, uint32_t block, uint32_t intid)
{
	hw_write(cpu, block + intid / 32 * 4, 4, 1u << intid % 32);
}

static inline bool has_bit(unsigned int cpu, uint32_t block, uint32_t intid)
{
	uint32_t value;

	hw_drain();
	value = hw_read(cpu, block + intid / 32 * 4, 4);
	hw_drain();
	return (value >> intid % 32 & 1) != 0;
}

static inline void set_edge(uint32_t intid)
{
	uint32_t offset = ICFGR + intid / 16 * 4;

	hw_write(0, offset, 4, hw_read(0, offset, 4) | 2u << intid % 16 * 2);
}

static inline void set_target(uint32_t intid, unsigned int cpu)
{
	hw_write(0, TARGETSR + intid, 1, 1u << cpu);
}

/* Level-sensitive, enabled, to @cpu. */
static inline void set_up(uint32_t intid, unsigned int cpu, uint32_t priority)
{
	hw_write(0, PRIORITYR + intid, 1, priority);
	set_target(intid, cpu);
	set_bit(0, ISENABLER, intid);
}

static inline void set_up_edge(uint32_t intid, unsigned int cpu, uint32_t priority)
{
	set_up(intid, cpu, priority);
	set_edge(intid);
}

static inline void pulse(uint32_t intid)
{
	hw_wire(0, intid, true);
	hw_wire(0, intid, false);
}

static inline void expect(unsigned int cpu, uint32_t iar)
{
	hw_drain();
	hw_check();
	assert_int_equal(hw_acknowledge(cpu, false), iar);
	hw_maintain(cpu);
}

static inline void finish(unsigned int cpu, uint32_t iar)
{
	hw_eoi(cpu, iar);
	hw_drain();
	hw_check();
}

static inline void expect_and_finish(unsigned int cpu, uint32_t iar)
{
	expect(cpu, iar);
	finish(cpu, iar);
}

/* Core 0 is in the handlers of @first and @depth - 1 more, each of the next higher priority. */
static inline void nest_from(uint32_t first, unsigned int depth, uint32_t priority)
{
	for (uint32_t i = 0; i < depth; i++) {
		set_up_edge(first + i, 0, priority - i * 0x10);
	}
	for (uint32_t i = 0; i < depth; i++) {
		pulse(first + i);
		expect(0, first + i);
	}
}

static inline void nest(unsigned int depth)
{
	nest_from(32, depth, 0xf0);
}

/* They end, the last one first, and nothing else does. */
static inline void unnest(unsigned int depth)
{
	for (uint32_t i = depth; i-- > 0;) {
		finish(0, 32 + i);
		assert_int_equal(hw_read(0, ISACTIVER + 4, 4), (1u << i) - 1);
		hw_drain();
	}
}

#endif
