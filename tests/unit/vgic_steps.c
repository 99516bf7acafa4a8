/* SPDX-License-Identifier: BSD-2-Clause */
/* Random steps of a guest on hyp/vgic.c and on the reference, and their comparison. */
#include "vgic_hw.h"
#include "vgic_steps.h"
#include <stdio.h>
#include <string.h>
#include "vgic_ref.h"

#define HISTORY    48u
#define ACTIVE_MAX 40u

static const uint16_t intids[32] = {0,  1,  15, 16, 27, 30, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41,
				    42, 63, 64, 65, 66, 94, 95, 32, 33, 34, 35, 36, 27, 0,  1,  2};

/* What each core acknowledged: not yet ended, and (EOImode 1) ended but not deactivated. */
struct guest_core {
	uint32_t taken[ACTIVE_MAX], ended[ACTIVE_MAX];
	unsigned int taken_count, ended_count;
};

/* Those that the guest owns physically, and neighbours of some that it does not. */
static const uint8_t own_spis[] = {33, 35, 38, 39, 63, 64, 95};

static struct guest_core guest[CPUS_MAX];
static const struct steps *steps;
static bool settled; /* both know all that happened */
static bool no_end;  /* nothing may end during this step */
static char history[HISTORY][72];
static unsigned int history_count;

#define NOTE(...) snprintf(history[history_count++ % HISTORY], sizeof(history[0]), __VA_ARGS__)

void steps_show_history(void)
{
	unsigned int first = history_count > HISTORY ? history_count - HISTORY : 0;

	for (unsigned int i = first; i < history_count; i++) {
		fprintf(stderr, "  %u: %s\n", i, history[i % HISTORY]);
	}
	for (unsigned int cpu = 0; cpu < hw.cores; cpu++) {
		fprintf(stderr, "  cpu %u: hcr %08x apr %08x ctlr %x pmr %x lr", cpu,
			hw.core[cpu].hcr, hw.core[cpu].apr, hw.core[cpu].ctlr, hw.core[cpu].pmr);
		for (unsigned int i = 0; i < hw.lrs; i++) {
			fprintf(stderr, " %08x", hw.core[cpu].lr[i]);
		}
		fprintf(stderr, "\n");
	}
}

static uint8_t next(void)
{
	return steps->next(steps->source);
}

static uint32_t next32(void)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < 4; i++) {
		value = value << 8 | next();
	}
	return value;
}

static uint32_t next_intid(void)
{
	uint32_t intid = intids[next() % 32];

	return intid < steps->words * 32 ? intid : 32;
}

static void disagree(const char *what, unsigned int cpu, uint32_t intid, uint32_t got,
		     uint32_t expected)
{
	static char message[160];

	snprintf(message, sizeof(message), "%s: core %u, INTID %u: bivy has %#x, the reference %#x",
		 what, cpu, intid, got, expected);
	hw_fail(message);
}

/* Comparison */

struct shown {
	bool pending, active;
	uint8_t sources;
};

static void add_list_registers(unsigned int cpu, uint32_t intid, struct shown *shown)
{
	for (unsigned int i = 0; i < hw.lrs; i++) {
		uint32_t lr = hw.core[cpu].lr[i];

		if ((lr & LR_INTID) != intid) {
			continue;
		}
		if ((lr & LR_PENDING) != 0) {
			shown->pending = true;
			shown->sources |=
				(uint8_t)(1u << (lr >> LR_CPUID_SHIFT & 7)); /* if an SGI */
		}
		shown->active |= (lr & LR_ACTIVE) != 0;
	}
}

/* An interrupt's state as bivy has it, looked at from outside. */
static struct shown look(unsigned int cpu, uint32_t intid)
{
	const uint32_t bit = 1u << intid % 32;
	const struct irq_bank *bank =
		intid < 32 ? &vgic.cpu[cpu].private : &vgic.spi[intid / 32 - 1];
	struct shown shown = {
		.pending = ((bank->latched | (bank->level & ~bank->edge)) & bit) != 0,
		.active = (bank->active & bit) != 0,
		.sources = intid < 16 ? vgic.cpu[cpu].sgi_source[intid] : 0,
	};

	if (intid < 32) {
		shown.pending |= (hw.core[cpu].ppi_latched & bit) != 0;
		add_list_registers(cpu, intid, &shown);
		return shown;
	}
	shown.pending |= hw.spi[intid].pending;
	for (unsigned int i = 0; i < hw.cores; i++) {
		add_list_registers(i, intid, &shown);
	}
	return shown;
}

static bool is_silenced(unsigned int cpu, uint32_t intid)
{
	const struct ref_irq *irq = ref_irq(cpu, intid);
	const bool active = intid < 32 ? (hw.core[cpu].ppi_active >> intid & 1) != 0
				       : hw.spi[intid].active != 0;

	return active && !irq->active && !irq->latched;
}

/* The board's distributor should have signalled it, if bivy had set it up as the guest did. */
static bool is_forgotten(const struct ref_irq *irq)
{
	return irq->enabled && irq->target != 0 && !irq->active && !irq->latched &&
	       (irq->physical || (irq->level && !irq->edge));
}

static void compare_core(unsigned int cpu)
{
	for (uint32_t intid = 0; intid < steps->words * 32; intid++) {
		const struct ref_irq *irq = ref_irq(cpu, intid);
		struct shown shown = look(cpu, intid);

		if (shown.pending != ref_is_pending(cpu, intid)) {
			disagree("pending", cpu, intid, shown.pending, ref_is_pending(cpu, intid));
		}
		if (shown.active != irq->active) {
			disagree("active", cpu, intid, shown.active, irq->active);
		}
		if (intid < 16 && shown.sources != irq->sources) {
			disagree("sources", cpu, intid, shown.sources, irq->sources);
		}
		if (irq->hw && is_silenced(cpu, intid)) {
			disagree("a physical interrupt is silenced for ever", cpu, intid, 1, 0);
		}
		if (irq->hw && intid >= 32 && is_forgotten(irq)) {
			disagree("a physical interrupt does not come", cpu, intid, 0, 1);
		}
	}
	for (unsigned int alias = 0; ref.core[cpu].on && alias < 2; alias++) {
		if (!ref_may_return(cpu, alias != 0, hw_peek(cpu, alias != 0))) {
			disagree(alias != 0 ? "GICC_AIAR would give" : "GICC_IAR would give", cpu,
				 0, hw_peek(cpu, alias != 0), ref_expected(cpu, alias != 0));
		}
	}
}

/* Where two orders of events were possible, the reference follows. */
static void follow_races(void)
{
	for (unsigned int cpu = 0; cpu < steps->cores; cpu++) {
		for (uint32_t intid = 0; intid < steps->words * 32; intid++) {
			struct shown shown = look(cpu, intid);

			if (shown.pending) {
				ref_take_raced(cpu, intid, shown.sources);
			}
			if (!shown.active) {
				ref_take_stale(cpu, intid);
			}
		}
	}
}

static void settle(void)
{
	hw_drain();
	hw_check();
	follow_races();
	ref_settled();
	for (unsigned int cpu = 0; cpu < steps->cores; cpu++) {
		compare_core(cpu);
	}
	settled = true;
}

/* Steps */

static void both_write(unsigned int cpu, uint32_t offset, unsigned int size, uint32_t value)
{
	NOTE("core %u writes GICD + %#x, %u bytes: %#x", cpu, offset, size, value);
	settled = false;
	no_end = offset >= 0x300 && offset < 0x380; /* an end just before it would count or not */
	hw_write(cpu, offset, size, value);
	no_end = false;
	ref_write(cpu, offset, size, value);
}

static void step_read(unsigned int cpu)
{
	static const uint16_t blocks[] = {0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380};
	const unsigned int size = 1u << next() % 3, what = next() % 11;
	const uint32_t intid = next_intid();
	uint32_t offset, got, expected;

	if (what < 7) {
		offset = blocks[what] + intid / 8;
	} else if (what < 9) {
		offset = (what == 7 ? 0x400 : 0x800) + intid;
	} else {
		offset = what == 9 ? 0xc00 + intid / 4 : 0xf10u + (next() & 0x1f);
	}
	offset &= ~(size - 1);
	if (!settled) {
		settle();
	}
	no_end = true;
	got = hw_read(cpu, offset, size);
	no_end = false;
	settled = false;
	expected = ref_read(cpu, offset, size);
	NOTE("core %u reads GICD + %#x, %u bytes: %#x", cpu, offset, size, got);
	if (got != expected) {
		disagree("a register", cpu, offset, got, expected);
	}
}

/* A timer made pending by software while active: bivy tells the guest at its next exit, not before.
 */
static uint32_t active_timers(unsigned int cpu)
{
	return (ref_irq(cpu, INTID_VTIMER)->active ? 1u << INTID_VTIMER : 0) |
	       (ref_irq(cpu, INTID_PTIMER)->active ? 1u << INTID_PTIMER : 0);
}

static void step_write_bits(unsigned int cpu)
{
	static const uint16_t blocks[] = {0x080, 0x100, 0x100, 0x180, 0x200,
					  0x200, 0x280, 0x300, 0x380};
	const uint32_t block = blocks[next() % 9], intid = next_intid();
	const uint8_t kind = next();
	uint32_t value = 1u << intid % 32;

	if ((block == 0x300 && (steps->avoid & STEPS_SET_ACTIVE) != 0) ||
	    (block == 0x380 && (steps->avoid & STEPS_CLEAR_ACTIVE) != 0)) {
		return;
	}
	if (block == 0x080) { /* the neighbours keep their group, mostly */
		value ^= kind > 16 ? ref_read(cpu, 0x80 + intid / 32 * 4, 4) : next32();
	} else if (kind < 16) {
		value |= next32();
	}
	if (block == 0x200 && intid < 32) {
		value &= ~active_timers(cpu);
	}
	if (kind < 128) {
		both_write(cpu, block + intid / 32 * 4, 4, value);
	} else {
		both_write(cpu, block + intid / 8, 1, value >> intid % 32 / 8 * 8 & 0xff);
	}
}

static void step_write_bytes(unsigned int cpu)
{
	const unsigned int size = 1u << next() % 3;
	const uint32_t offset = (next() & 1) != 0 ? 0x400 : 0x800,
		       intid = next_intid() & ~(size - 1);
	uint32_t value = next32();

	if (offset == 0x400) {
		if ((steps->avoid & STEPS_REPRIORITIZE) != 0) {
			return;
		}
		value &= 0x70f070f0u; /* few values, so that some are equal */
	}
	both_write(cpu, offset + intid, size, size == 4 ? value : value & ((1u << size * 8) - 1));
}

static void step_write_other(unsigned int cpu)
{
	const uint8_t what = next();
	const uint32_t value = next();

	if (what < 32 && (steps->avoid & STEPS_CTLR) == 0) {
		both_write(cpu, 0, 4, (value & 7) == 0 ? value >> 3 & 3 : 3);
	} else if (what < 64) {
		both_write(cpu, 0xc00 + next_intid() / 4, 1, value);
	} else if (what < 192) {
		both_write(cpu, 0xf00, 4,
			   (value & 3) << 24 | (uint32_t)next() << 16 | value >> 2 % 3);
	} else {
		both_write(cpu, (what < 224 ? 0xf10 : 0xf20) + (value & 3), 1, next());
	}
}

static void step_wire(unsigned int cpu)
{
	const uint32_t intid = next_intid();
	bool level = (next() & 1) != 0;

	settled = false;
	if (intid >= 32) {
		NOTE("core %u drives wire %u to %u", cpu, intid, level);
		hw_wire(cpu, intid, level);
		ref_wire(intid, level);
	} else if (intid >= 16) {
		NOTE("core %u: its timer's wire %u to %u", cpu, (intid & 3) == 2 ? 30 : 27, level);
		hw_timer(cpu, (intid & 3) == 2 ? 30 : 27, level);
		ref.core[cpu].wire = hw.core[cpu].ppi_wire;
	}
}

static void acknowledge(unsigned int cpu, bool alias)
{
	struct guest_core *core = &guest[cpu];
	uint32_t iar;

	if (core->taken_count == ACTIVE_MAX || core->ended_count == ACTIVE_MAX) {
		return;
	}
	iar = hw_acknowledge(cpu, alias);
	NOTE("core %u acknowledges: %#x%s", cpu, iar, settled ? "" : " (unsettled)");
	if (settled ? !ref_may_return(cpu, alias, iar) : !ref_might_return(cpu, iar)) {
		disagree("GICC_IAR gave", cpu, iar & IAR_INTID, iar, ref_expected(cpu, alias));
	}
	if ((iar & IAR_INTID) < HW_GROUP1) {
		settled = false;
		core->taken[core->taken_count++] = iar;
		ref_acknowledge(cpu, iar);
	}
}

static void end_of_interrupt(unsigned int cpu)
{
	struct guest_core *core = &guest[cpu];
	uint32_t iar;

	if (core->taken_count == 0) {
		return;
	}
	iar = core->taken[--core->taken_count];
	NOTE("core %u ends %#x", cpu, iar);
	settled = false;
	hw_eoi(cpu, iar);
	ref_priority_drop(cpu);
	if ((hw.core[cpu].ctlr & VMCR_EOIMODE) != 0) {
		core->ended[core->ended_count++] = iar;
	} else if (ref_irq(cpu, iar & IAR_INTID)->owner == cpu) {
		ref_deactivate(cpu, iar);
		if (hw.core[cpu].hcr >= GICH_HCR_EOICOUNT_1) {
			ref.core[cpu].uncounted = iar & IAR_INTID;
		}
	} else { /* cleared by ICACTIVER, and another core's since: the end may count, or not */
		ref_irq(cpu, iar & IAR_INTID)->stale_end = true;
	}
}

static void step_deactivate(unsigned int cpu)
{
	struct guest_core *core = &guest[cpu];
	unsigned int i;
	uint32_t iar;

	if (core->ended_count == 0) {
		return;
	}
	i = next() % core->ended_count;
	iar = core->ended[i];
	core->ended[i] = core->ended[--core->ended_count];
	if (ref_irq(cpu, iar & IAR_INTID)->owner != cpu) {
		return; /* cleared by ICACTIVER, and another core's since */
	}
	NOTE("core %u deactivates %#x", cpu, iar);
	settled = false;
	hw_dir(cpu, iar);
	ref_deactivate(cpu, iar);
}

static void open(unsigned int cpu, uint32_t ctlr, uint32_t pmr)
{
	hw.core[cpu].ctlr = ref.core[cpu].ctlr = ctlr;
	hw.core[cpu].pmr = ref.core[cpu].pmr = pmr;
}

/* The guest's CPU interface, without an exit. */
static void step_interface(unsigned int cpu)
{
	const uint8_t what = next();
	uint32_t ctlr = hw.core[cpu].ctlr;

	if (what < 16 && (steps->avoid & STEPS_BPR) == 0 && guest[cpu].taken_count == 0) {
		hw.core[cpu].bpr = ref.core[cpu].bpr = 2 + (what & 3);
		hw.core[cpu].abpr = ref.core[cpu].abpr = 3 + (what >> 2 & 3);
	} else if (what < 96 && (steps->avoid & STEPS_EOIMODE) == 0 &&
		   guest[cpu].taken_count == 0 && guest[cpu].ended_count == 0) {
		ctlr ^= VMCR_EOIMODE;
	} else if (what < 128) {
		ctlr ^= GICV_ACKCTL;
	} else if (what < 144) {
		ctlr = (ctlr & ~3u) | (what & 3);
	} else if (what < 160) {
		open(cpu, ctlr, next() & 0xf8);
		return;
	} else {
		ctlr |= 3;
	}
	NOTE("core %u: GICC_CTLR %#x", cpu, ctlr);
	open(cpu, ctlr, 0xf8);
}

static void step_power(unsigned int cpu)
{
	if (next() > 32 || (steps->avoid & STEPS_POWER) != 0) {
		return;
	}
	settled = false;
	NOTE("core %u %s", cpu, ref.core[cpu].on ? "leaves" : "enters");
	memset(&guest[cpu], 0, sizeof(guest[cpu]));
	if (ref.core[cpu].on) {
		hw_leave(cpu);
		ref_leave(cpu);
	} else {
		hw_enter(cpu);
		ref_enter(cpu);
		open(cpu, 3, 0xf8);
	}
}

/* While one core waits for the lock, another's guest goes on. */
static void window(void)
{
	const unsigned int cpu = next() % steps->cores;
	const bool was = settled;

	if (cpu == hw.self || !ref.core[cpu].on || hw_maintenance(cpu)) {
		return;
	}
	settled = false;
	if ((next() & 1) != 0) {
		acknowledge(cpu, false);
	} else if (!no_end) {
		end_of_interrupt(cpu);
	}
	settled = was && settled;
}

static void step(void)
{
	const unsigned int cpu = next() % steps->cores;
	const uint8_t what = next();

	if (!ref.core[cpu].on) {
		step_power(cpu);
		return;
	}
	hw_maintain(cpu);
	ref.core[cpu].uncounted = 0;
	if (what < 60) {
		acknowledge(cpu, what < 4);
	} else if (what < 100) {
		end_of_interrupt(cpu);
	} else if (what < 115) {
		step_deactivate(cpu);
	} else if (what < 150) {
		step_wire(cpu);
	} else if (what < 180) {
		step_write_bits(cpu);
	} else if (what < 195) {
		step_write_bytes(cpu);
	} else if (what < 225) {
		step_write_other(cpu);
	} else if (what < 240 && (steps->avoid & STEPS_READ) == 0) {
		step_read(cpu);
	} else if (what < 252) {
		step_interface(cpu);
	} else {
		step_power(cpu);
	}
}

void steps_run(const struct steps *run, unsigned int count)
{
	steps = run;
	history_count = 0;
	memset(guest, 0, sizeof(guest));
	hw_reset(run->words, run->cores, run->lrs);
	ref_reset(run->words, run->cores);
	hw.window = window;
	hw.fired = ref_fired;
	hw.returned = ref_returned;
	hw.active_by_core = run->active_by_core;
	for (unsigned int i = 0; i < sizeof(own_spis) && run->own_spis; i++) {
		if (own_spis[i] < run->words * 32) {
			hw_own(own_spis[i]);
			ref_own(own_spis[i]);
		}
	}
	hw.timing = next32();
	for (unsigned int cpu = 0; cpu < run->cores; cpu++) {
		open(cpu, 3, 0xf8);
		both_write(cpu, 0x100, 4, next32());
	}
	both_write(0, 0, 4, 3);
	for (unsigned int word = 1; word < run->words; word++) {
		both_write(0, 0x100 + 4 * word, 4, next32() | next32());
		for (uint32_t intid = word * 32; intid < word * 32 + 32; intid += 4) {
			both_write(0, 0x800 + intid, 4,
				   next32() & 0x01010101u * (uint32_t)((1u << run->cores) - 1));
		}
	}
	for (unsigned int i = 0; i < count; i++) {
		step();
		if ((next() & 3) != 0) {
			settle();
		}
	}
}
