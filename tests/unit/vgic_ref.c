/* SPDX-License-Identifier: BSD-2-Clause */
/* The reference GICv2; registers byte by byte, IHI 0048B 4.3. */
#include "vgic_ref.h"
#include <string.h>

#define SPURIOUS 1023u
#define GROUP1   1022u

struct ref ref;

struct ref_irq *ref_irq(unsigned int cpu, uint32_t intid)
{
	return intid < 32 ? &ref.core[cpu].private[intid] : &ref.spi[intid];
}

static bool exists(uint32_t intid)
{
	return intid < ref.words * 32 && intid < 1020;
}

static bool pending(const struct ref_irq *irq)
{
	return irq->latched || irq->sources != 0 || (irq->level && !irq->edge && !irq->hw);
}

bool ref_is_pending(unsigned int cpu, uint32_t intid)
{
	return pending(ref_irq(cpu, intid)) || ref_irq(cpu, intid)->physical;
}

/* The distributor would signal it to @cpu. */
static bool signalled(unsigned int cpu, uint32_t intid)
{
	const struct ref_irq *irq = ref_irq(cpu, intid);

	if (!irq->enabled || irq->active || !pending(irq) ||
	    (ref.ctlr & (irq->group1 ? 2u : 1u)) == 0) {
		return false;
	}
	return intid < 32 || (irq->target != 0 && (unsigned int)__builtin_ctz(irq->target) == cpu);
}

static void remember(void)
{
	for (unsigned int cpu = 0; cpu < ref.cores; cpu++) {
		for (uint32_t intid = 0; intid < ref.words * 32; intid++) {
			struct ref_irq *irq = ref_irq(cpu, intid);

			if (signalled(cpu, intid)) {
				irq->maybe[cpu] = true;
				irq->maybe_sources |= irq->sources;
			}
		}
	}
}

void ref_settled(void)
{
	for (unsigned int cpu = 0; cpu < ref.cores; cpu++) {
		ref.core[cpu].uncounted = 0;
		for (uint32_t intid = 0; intid < ref.words * 32; intid++) {
			struct ref_irq *irq = ref_irq(cpu, intid);

			irq->maybe[cpu] = false;
			irq->maybe_sources = 0;
			irq->again = irq->stale_end = irq->fresh = false;
			irq->raced &= irq->level && !irq->edge; /* its wire hides the latch */
			irq->again_sources = irq->raced_sources = 0;
		}
	}
	remember();
}

static void latch(struct ref_irq *irq)
{
	irq->again |= irq->latched || irq->level;
	irq->latched = true;
}

static uint32_t group_priority(const struct ref_core *core, const struct ref_irq *irq)
{
	uint32_t low = irq->group1 ? core->abpr : core->bpr + 1; /* 3.3.3, table 3-2 */

	return low > 7 ? 0 : (uint32_t)irq->priority >> low << low;
}

static uint32_t running(const struct ref_core *core)
{
	uint32_t priority = 0;

	if (core->apr == 0) {
		return 256;
	}
	while ((core->apr >> priority & 1) == 0) {
		priority++;
	}
	return priority * 8;
}

/* What the acknowledge gives if @irq is the one that the distributor signals (4.4.4). */
static uint32_t outcome(const struct ref_core *core, const struct ref_irq *irq, uint32_t id,
			bool alias)
{
	if ((core->ctlr & (irq->group1 ? 2u : 1u)) == 0 || irq->priority >= core->pmr ||
	    group_priority(core, irq) >= running(core) || (alias && !irq->group1)) {
		return SPURIOUS;
	}
	return !alias && irq->group1 && (core->ctlr & 4) == 0 ? GROUP1 : id;
}

bool ref_may_return(unsigned int cpu, bool alias, uint32_t iar)
{
	const struct ref_core *core = &ref.core[cpu];
	uint32_t best = 256;
	bool allowed = false;

	for (uint32_t intid = 0; intid < ref.words * 32; intid++) {
		if (signalled(cpu, intid) && ref_irq(cpu, intid)->priority < best) {
			best = ref_irq(cpu, intid)->priority;
		}
	}
	if (best == 256) {
		return iar == SPURIOUS;
	}
	for (uint32_t intid = 0; intid < ref.words * 32; intid++) {
		const struct ref_irq *irq = ref_irq(cpu, intid);

		if (!signalled(cpu, intid) || irq->priority != best) {
			continue;
		}
		for (uint32_t source = 0; source < (intid < 16 ? ref.cores : 1); source++) {
			if (intid >= 16 || (irq->sources >> source & 1) != 0) {
				allowed |= outcome(core, irq, intid | source << 10, alias) == iar;
			}
		}
	}
	return allowed;
}

uint32_t ref_expected(unsigned int cpu, bool alias)
{
	for (uint32_t iar = 0; iar < 1u << 13; iar++) {
		if (ref_may_return(cpu, alias, iar)) {
			return iar;
		}
	}
	return SPURIOUS;
}

bool ref_might_return(unsigned int cpu, uint32_t iar)
{
	const uint32_t intid = iar & 0x3ff, source = iar >> 10;
	const struct ref_irq *irq;

	if (intid >= GROUP1) {
		return true;
	}
	if (!exists(intid)) {
		return false;
	}
	irq = ref_irq(cpu, intid);
	return irq->maybe[cpu] && !irq->active && irq->priority < ref.core[cpu].pmr &&
	       (intid >= 16 ? source == 0 : (irq->maybe_sources >> source & 1) != 0);
}

void ref_acknowledge(unsigned int cpu, uint32_t iar)
{
	struct ref_core *core = &ref.core[cpu];
	struct ref_irq *irq = ref_irq(cpu, iar & 0x3ff);

	irq->active = true;
	irq->latched = false;
	irq->raced = irq->again;
	irq->raced_sources |= (uint8_t)(irq->again_sources & 1u << (iar >> 10 & 7));
	irq->sources &= (uint8_t) ~(1u << (iar >> 10 & 7));
	irq->owner = (uint8_t)cpu;
	core->apr |= 1u << group_priority(core, irq) / 8;
	memset(irq->maybe, 0, sizeof(irq->maybe));
	remember();
}

void ref_take_raced(unsigned int cpu, uint32_t intid, uint8_t sources)
{
	struct ref_irq *irq = ref_irq(cpu, intid);
	const uint8_t more = (uint8_t)(sources & ~irq->sources);

	if (intid < 16 ? (more & ~irq->raced_sources) != 0 : !irq->raced || pending(irq)) {
		return;
	}
	if (intid < 16) {
		irq->sources |= more;
	} else {
		irq->latched = true;
	}
	remember();
}

void ref_take_stale(unsigned int cpu, uint32_t intid)
{
	struct ref_irq *irq = ref_irq(cpu, intid);

	if (irq->stale_end && irq->active) {
		ref_deactivate(cpu, intid);
	}
}

void ref_priority_drop(unsigned int cpu)
{
	ref.core[cpu].apr &= ref.core[cpu].apr - 1;
}

void ref_deactivate(unsigned int cpu, uint32_t iar)
{
	ref_irq(cpu, iar & 0x3ff)->active = false;
	remember();
}

void ref_wire(uint32_t intid, bool level)
{
	struct ref_irq *irq = ref_irq(0, intid);

	if (level && !irq->level && irq->edge && irq->hw) {
		irq->physical = true;
	} else if (level && !irq->level && irq->edge) {
		latch(irq);
	}
	irq->level = level;
	remember();
}

void ref_fired(unsigned int cpu, uint32_t intid)
{
	struct ref_irq *irq = ref_irq(cpu, intid);

	if (intid < 32) {
		latch(irq);
	} else {
		irq->twice = irq->latched;
		irq->latched = true;
		irq->physical = false;
		irq->fresh = true;
	}
	remember();
}

void ref_own(uint32_t intid)
{
	ref.spi[intid].hw = true;
}

void ref_returned(uint32_t intid)
{
	struct ref_irq *irq = &ref.spi[intid];

	irq->physical |= irq->latched;
	irq->latched = irq->twice;
	irq->twice = false;
}

/* Registers */

static void write_bit(unsigned int cpu, uint32_t block, uint32_t intid, bool value)
{
	struct ref_irq *irq = ref_irq(cpu, intid);

	if (block == 0x080) {
		irq->group1 = value;
	}
	if (!value) {
		return;
	}
	switch (block) {
	case 0x100:
		irq->enabled = true;
		break;
	case 0x180:
		irq->enabled = intid < 16;
		break;
	case 0x200:
		if (intid >= 32 && irq->hw) {
			irq->physical |= !irq->latched;
		} else if (intid >= 16) {
			latch(irq);
		}
		break;
	case 0x280:
		irq->raced = irq->fresh; /* before that it became pending, or after */
		irq->latched = irq->physical = irq->twice = false;
		break;
	case 0x300:
		for (unsigned int i = 0; i < ref.cores; i++) {
			irq->stale_end |= intid >= 32 && ref.core[i].uncounted == intid;
		}
		if (!irq->active) {
			irq->owner = (uint8_t)cpu;
		}
		irq->active = true;
		break;
	case 0x380:
		irq->active = false;
		break;
	default:
		break;
	}
}

static bool read_bit(unsigned int cpu, uint32_t block, uint32_t intid)
{
	const struct ref_irq *irq = ref_irq(cpu, intid);

	switch (block) {
	case 0x080:
		return irq->group1;
	case 0x100:
	case 0x180:
		return irq->enabled;
	case 0x200:
	case 0x280:
		if (intid >= 32 && irq->hw) {
			return pending(irq) || irq->physical || (irq->level && !irq->edge);
		}
		return pending(irq) || (irq->hw && (ref.core[cpu].wire >> intid & 1) != 0);
	default:
		return irq->active;
	}
}

static void write_config(unsigned int cpu, uint32_t intid, bool edge)
{
	struct ref_irq *irq = ref_irq(cpu, intid);

	if (intid >= 16 && (!irq->hw || intid >= 32)) {
		irq->edge = edge;
	}
}

static void write_byte(unsigned int cpu, uint32_t at, uint8_t value)
{
	uint32_t first = at >= 0xc00 && at < 0xd00 ? (at - 0xc00) * 4 : (at & 0x7f) * 8;
	struct ref_irq *irq;

	if (at == 0) {
		ref.ctlr = value & 3;
	} else if (at >= 0x080 && at < 0x400) {
		for (uint32_t i = 0; i < 8 && exists(first + i); i++) {
			write_bit(cpu, at & ~0x7fu, first + i, value >> i & 1);
		}
	} else if (at >= 0x400 && at < 0x800 && exists(at - 0x400)) {
		ref_irq(cpu, at - 0x400)->priority = value & 0xf8;
	} else if (at >= 0x820 && at < 0xc00 && exists(at - 0x800) && ref.cores > 1) {
		ref_irq(cpu, at - 0x800)->target = value & (uint8_t)((1u << ref.cores) - 1);
	} else if (at >= 0xc00 && at < 0xd00) {
		for (uint32_t i = 0; i < 4 && exists(first + i); i++) {
			write_config(cpu, first + i, value >> (2 * i + 1) & 1);
		}
	} else if (at >= 0xf10 && at < 0xf30) {
		irq = &ref.core[cpu].private[at & 0xf];
		value &= (uint8_t)((1u << ref.cores) - 1);
		irq->sources = at < 0xf20 ? irq->sources & (uint8_t)~value : irq->sources | value;
	}
}

static uint8_t read_byte(unsigned int cpu, uint32_t at)
{
	uint32_t first = at >= 0xc00 ? (at - 0xc00) * 4 : (at & 0x7f) * 8;
	uint8_t value = 0;

	if (at == 0) {
		value = (uint8_t)ref.ctlr;
	} else if (at >= 0x080 && at < 0x400) {
		for (uint32_t i = 0; i < 8 && exists(first + i); i++) {
			value |= (uint8_t)(read_bit(cpu, at & ~0x7fu, first + i) << i);
		}
	} else if (at >= 0x400 && at < 0x800) {
		value = exists(at - 0x400) ? ref_irq(cpu, at - 0x400)->priority : 0;
	} else if (at >= 0x800 && at < 0xc00) {
		value = exists(at - 0x800) && ref.cores > 1 ? ref_irq(cpu, at - 0x800)->target : 0;
	} else if (at >= 0xc00 && at < 0xd00) {
		for (uint32_t i = 0; i < 4 && exists(first + i); i++) {
			value |= (uint8_t)(ref_irq(cpu, first + i)->edge << (2 * i + 1));
		}
	} else if (at >= 0xf10 && at < 0xf30) {
		value = ref.core[cpu].private[at & 0xf].sources;
	}
	return value;
}

static void send_sgi(unsigned int cpu, uint32_t value)
{
	const uint32_t filter = value >> 24 & 3;

	for (unsigned int i = 0; i < ref.cores; i++) {
		if ((filter == 0 && (value >> (16 + i) & 1) != 0) || (filter == 1 && i != cpu) ||
		    (filter == 2 && i == cpu)) {
			struct ref_irq *irq = &ref.core[i].private[value & 0xf];

			irq->again_sources |= (uint8_t)(irq->sources & 1u << cpu);
			irq->sources |= (uint8_t)(1u << cpu);
		}
	}
}

void ref_write(unsigned int cpu, uint32_t offset, unsigned int size, uint32_t value)
{
	if ((offset & ~3u) == 0xf00) {
		send_sgi(cpu, value << (offset & 3) * 8);
	} else {
		for (unsigned int i = 0; i < size; i++) {
			write_byte(cpu, offset + i, (uint8_t)(value >> 8 * i));
		}
	}
	remember();
}

uint32_t ref_read(unsigned int cpu, uint32_t offset, unsigned int size)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < size; i++) {
		value |= (uint32_t)read_byte(cpu, offset + i) << 8 * i;
	}
	return value;
}

void ref_leave(unsigned int cpu)
{
	struct ref_core *core = &ref.core[cpu];

	core->on = false;
	core->apr = 0;
	core->ctlr = 0;
	core->pmr = 0;
}

void ref_enter(unsigned int cpu)
{
	struct ref_core *core = &ref.core[cpu];

	ref_leave(cpu);
	core->on = true;
	core->bpr = 2;
	core->abpr = 3;
	core->private[27].latched = core->private[30].latched = false;
	core->private[27].active = core->private[30].active = false;
	remember();
}

void ref_reset(unsigned int words, unsigned int cores)
{
	memset(&ref, 0, sizeof(ref));
	ref.words = words;
	ref.cores = cores;
	for (unsigned int cpu = 0; cpu < cores; cpu++) {
		for (uint32_t intid = 0; intid < 32; intid++) {
			struct ref_irq *irq = &ref.core[cpu].private[intid];

			irq->enabled = irq->edge = intid < 16;
			irq->hw = intid == 27 || intid == 30;
			irq->target = (uint8_t)(1u << cpu);
		}
	}
	for (uint32_t intid = 32; intid < REF_IRQS; intid++) {
		ref.spi[intid].target = cores == 1;
	}
	for (unsigned int cpu = 0; cpu < cores; cpu++) {
		ref_enter(cpu);
	}
}
