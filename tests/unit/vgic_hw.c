/* SPDX-License-Identifier: BSD-2-Clause */
/* The hardware under hyp/vgic.c, and hyp/vgic.c itself with the lock of vgic_lock.h. */
#include "vgic_hw.h"
#include <string.h>
#include "hyp/vgic.c"
#include "hyp/vgic_lr.c"
#include "hyp/vgic_taken.c"
#include "hyp/vgicd.c"

#define HCR_UIE    (1u << 1)
#define BPR_MIN    2u
#define PRI_SHIFT  23
#define LR_STATE   (LR_PENDING | LR_ACTIVE)
#define NESTED_MAX 1000u

struct hw hw;

static struct hw_core *self(void)
{
	return &hw.core[hw.self];
}

unsigned int cpu_self(void)
{
	return hw.self;
}

/* What vgic.c calls */

static uint32_t checked(unsigned int i)
{
	if (i >= hw.lrs) {
		hw_fail("a list register that does not exist");
	}
	return i;
}

void gich_write_lr(unsigned int i, uint32_t value)
{
	self()->lr[checked(i)] = value;
}

void gich_clear_lr(unsigned int i)
{
	gich_write_lr(i, 0);
}

uint32_t gich_read_lr(unsigned int i)
{
	return self()->lr[checked(i)];
}

static uint32_t lr_mask(const struct hw_core *core, uint32_t bits, uint32_t value)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < hw.lrs; i++) {
		mask |= (core->lr[i] & bits) == value ? 1u << i : 0;
	}
	return mask;
}

static uint32_t ended(const struct hw_core *core)
{
	return lr_mask(core, LR_STATE | LR_EOI | LR_HW, LR_EOI);
}

/* GICH_ELRSR0: no state, and no end that is to be told (5.3.7). */
uint32_t gich_empty(void)
{
	return lr_mask(self(), LR_STATE, 0) & ~ended(self());
}

uint32_t gich_ended(void)
{
	return ended(self());
}

void gich_write_hcr(uint32_t value)
{
	self()->hcr = value;
}

uint32_t gich_read_hcr(void)
{
	return self()->hcr;
}

uint32_t gich_read_vmcr(void)
{
	return self()->ctlr | self()->abpr << 18 | self()->bpr << 21 | self()->pmr >> 3 << 27;
}

uint32_t gich_read_apr(void)
{
	return self()->apr;
}

void gich_reset(void)
{
	struct hw_core *core = self();

	memset(core->lr, 0, sizeof(core->lr));
	core->hcr = 0;
	core->apr = 0;
	core->ctlr = 0;
	core->pmr = 0;
	core->bpr = BPR_MIN;
	core->abpr = BPR_MIN + 1;
}

void gicc_deactivate(uint32_t iar)
{
	if (iar < 16 || iar >= 32) {
		hw_fail("a physical interrupt is deactivated that the guest does not own");
	}
	self()->ppi_active &= ~(1u << iar);
}

void gic_kick(uint32_t targets)
{
	for (unsigned int i = 0; i < hw.cores; i++) {
		hw.core[i].kicked |= (targets & vgic.gic_mask[i]) != 0;
	}
}

/* The lowest of the SPIs in *@mask, which loses it; NULL if it is empty. */
static struct hw_spi *next_spi(uint32_t word, uint32_t *mask, uint32_t *intid)
{
	if (*mask == 0) {
		return NULL;
	}
	*intid = word * 32 + (uint32_t)__builtin_ctz(*mask);
	*mask &= *mask - 1;
	if (*intid >= HW_INTIDS || !hw.spi[*intid].owned) {
		hw_fail("a physical SPI that the guest does not own");
	}
	return &hw.spi[*intid];
}

void gic_enable(uint32_t word, uint32_t mask, bool enable)
{
	struct hw_core *core = self();
	struct hw_spi *spi;
	uint32_t intid;

	if (word == 0) {
		core->ppi_enabled = enable ? core->ppi_enabled | mask : core->ppi_enabled & ~mask;
		return;
	}
	while ((spi = next_spi(word, &mask, &intid)) != NULL) {
		spi->enabled = enable;
	}
}

void gic_pend(uint32_t word, uint32_t mask, bool pending)
{
	struct hw_core *core = self();
	struct hw_spi *spi;
	uint32_t intid;

	if (word == 0) {
		core->ppi_latched = pending ? core->ppi_latched | mask : core->ppi_latched & ~mask;
		return;
	}
	while ((spi = next_spi(word, &mask, &intid)) != NULL) {
		spi->pending = pending;
		if (pending && hw.returned != NULL) {
			hw.returned(intid);
		}
	}
}

static bool spi_pending(const struct hw_spi *spi)
{
	return spi->pending || (spi->wire && !spi->edge);
}

uint32_t gic_pending(uint32_t word)
{
	uint32_t pending = 0;

	if (word == 0) {
		return self()->ppi_wire | self()->ppi_latched;
	}
	for (uint32_t n = 0; n < 32; n++) {
		pending |= (spi_pending(&hw.spi[word * 32 + n]) ? 1u : 0u) << n;
	}
	return pending;
}

void gic_deactivate(uint32_t word, uint32_t mask)
{
	struct hw_spi *spi;
	uint32_t intid;

	while ((spi = next_spi(word, &mask, &intid)) != NULL) {
		spi->active = 0;
	}
}

void gic_configure(uint32_t word, uint32_t mask, uint32_t edge)
{
	struct hw_spi *spi;
	uint32_t intid;

	while ((spi = next_spi(word, &mask, &intid)) != NULL) {
		spi->edge = (edge >> intid % 32 & 1) != 0;
	}
}

void gic_target(uint32_t intid, uint32_t cores)
{
	uint32_t mask = 1u << intid % 32;

	next_spi(intid / 32, &mask, &intid)->cores = (uint8_t)cores;
}

void vgic_trap_dir(void)
{
	hw.dir_trapped = true;
}

/* Time passes */

/* GICH_MISR, as far as bivy enables its causes (5.3.3). */
static bool maintenance(const struct hw_core *core)
{
	uint32_t valid = lr_mask(core, LR_STATE, 0) ^ ((1u << hw.lrs) - 1);
	bool pending = false;

	for (unsigned int i = 0; i < hw.lrs; i++) {
		pending |= (core->lr[i] & LR_PENDING) != 0;
	}
	return (core->hcr & GICH_HCR_EN) != 0 &&
	       (ended(core) != 0 || ((core->hcr & HCR_UIE) != 0 && (valid & (valid - 1)) == 0) ||
		((core->hcr & GICH_HCR_LRENPIE) != 0 && (core->hcr & GICH_HCR_EOICOUNT) != 0) ||
		((core->hcr & GICH_HCR_NPIE) != 0 && !pending));
}

static uint32_t firing(const struct hw_core *core)
{
	return (core->ppi_wire | core->ppi_latched) & core->ppi_enabled & ~core->ppi_active;
}

/* The lowest SPI that the distributor signals to the core; 0: none. */
static uint32_t spi_firing(unsigned int cpu)
{
	for (uint32_t word = 1; word < HW_INTIDS / 32; word++) {
		for (uint32_t owned = hw.owned[word]; owned != 0; owned &= owned - 1) {
			const uint32_t intid = word * 32 + (uint32_t)__builtin_ctz(owned);
			const struct hw_spi *spi = &hw.spi[intid];

			if (spi->enabled && spi_pending(spi) &&
			    (spi->cores & vgic.gic_mask[cpu]) != 0 &&
			    (spi->active & (hw.active_by_core ? 1u << cpu : ~0u)) == 0) {
				return intid;
			}
		}
	}
	return 0;
}

bool hw_is_quiet(unsigned int cpu)
{
	return !hw.core[cpu].kicked && firing(&hw.core[cpu]) == 0 && spi_firing(cpu) == 0 &&
	       !maintenance(&hw.core[cpu]);
}

static void take_spi(unsigned int cpu, uint32_t intid)
{
	hw.spi[intid].active |= (uint8_t)(1u << cpu);
	hw.spi[intid].pending = false;
	if (hw.fired != NULL) {
		hw.fired(cpu, intid);
	}
	if (!vgic_forward_spi(cpu, intid)) {
		hw_fail("an SPI is not known as the guest's own");
	}
}

void hw_interrupt(unsigned int cpu)
{
	struct hw_core *core = &hw.core[cpu];
	const unsigned int before = hw.self;

	hw.self = cpu;
	if (core->kicked) {
		core->kicked = false;
		vgic_refresh(cpu);
	} else if (firing(core) != 0) {
		uint32_t intid = (uint32_t)__builtin_ctz(firing(core));

		core->ppi_active |= 1u << intid;
		core->ppi_latched &= ~(1u << intid);
		if (hw.fired != NULL) {
			hw.fired(cpu, intid);
		}
		vgic_forward(cpu, intid);
	} else if (spi_firing(cpu) != 0) {
		take_spi(cpu, spi_firing(cpu));
	} else if (maintenance(core)) {
		vgic_refresh(cpu);
	}
	hw.self = before;
}

/*
 * A core that waits in vgic_claim() sees the others go on: they take the kicks that it sent, some
 * of them more than that, in any order.
 */
void hw_unlocked(void)
{
	if (hw.nested || (hw.exact && vgic.spi[0].claimers == 0)) {
		return;
	}
	if (hw.waits++ > NESTED_MAX) {
		hw_fail("a claim does not end");
	}
	hw.nested = true;
	if (hw.window != NULL && hw.waits == 1) {
		hw.window();
	}
	hw.timing = hw.timing * 1103515245u + 12345u;
	for (unsigned int n = 0; n < hw.cores; n++) {
		unsigned int i = (n + (hw.timing >> 16)) % hw.cores;

		if (i != hw.self &&
		    (hw.core[i].kicked || (!hw.exact && (hw.timing >> (20 + i) & 1) != 0))) {
			hw_interrupt(i);
		}
	}
	hw.nested = false;
}

bool hw_maintenance(unsigned int cpu)
{
	return maintenance(&hw.core[cpu]);
}

void hw_maintain(unsigned int cpu)
{
	const unsigned int before = hw.self;

	if (maintenance(&hw.core[cpu])) {
		hw.self = cpu;
		vgic_refresh(cpu);
		hw.self = before;
	}
}

void hw_drain(void)
{
	const bool nested = hw.nested;
	unsigned int left = 200;
	bool again;

	hw.nested = true;
	do {
		again = false;
		for (unsigned int i = 0; i < hw.cores; i++) {
			if (!hw_is_quiet(i)) {
				hw_interrupt(i);
				hw.rounds++;
				again = true;
			}
		}
		if (left-- == 0) {
			hw_fail("physical interrupts do not end");
		}
	} while (again);
	hw.nested = nested;
}

/* The guest's CPU interface */

static uint32_t lr_priority(uint32_t lr)
{
	return (lr & LR_PRIORITY) >> PRI_SHIFT << 3;
}

uint32_t hw_group_priority(const struct hw_core *core, uint32_t priority, bool group1)
{
	uint32_t bits = group1 ? core->abpr : core->bpr + 1;

	return bits > 7 ? 0 : priority & ~0u << bits;
}

/* GICV_RPR: the group priority of the highest active one (4.4.7). */
static uint32_t running(const struct hw_core *core)
{
	return core->apr == 0 ? 0x100 : (uint32_t)__builtin_ctz(core->apr) << 3;
}

/* The list register that the next acknowledge takes, -1 if none; 4.4.4 and the pseudocode of 3.3.
 */
static int best_lr(const struct hw_core *core)
{
	int best = -1;

	for (unsigned int i = 0; i < hw.lrs; i++) {
		if ((core->lr[i] & LR_STATE) == LR_PENDING &&
		    (best < 0 || lr_priority(core->lr[i]) < lr_priority(core->lr[best]))) {
			best = (int)i;
		}
	}
	if ((core->hcr & GICH_HCR_EN) == 0 || best < 0) {
		return -1;
	}
	if ((core->ctlr & ((core->lr[best] & LR_GROUP1) != 0 ? GICV_GRP1 : GICV_GRP0)) == 0 ||
	    lr_priority(core->lr[best]) >= core->pmr ||
	    hw_group_priority(core, lr_priority(core->lr[best]), core->lr[best] & LR_GROUP1) >=
		    running(core)) {
		return -1;
	}
	return best;
}

static uint32_t iar_of(uint32_t lr)
{
	return (lr & LR_INTID) | ((lr & LR_INTID) < 16 ? lr & LR_CPUID : 0);
}

uint32_t hw_peek(unsigned int cpu, bool alias)
{
	const struct hw_core *core = &hw.core[cpu];
	int i = best_lr(core);
	bool group1;

	if (i < 0) {
		return HW_SPURIOUS;
	}
	group1 = (core->lr[i] & LR_GROUP1) != 0;
	if (alias && !group1) {
		return HW_SPURIOUS;
	}
	if (!alias && group1 && (core->ctlr & GICV_ACKCTL) == 0) {
		return HW_GROUP1;
	}
	return iar_of(core->lr[i]);
}

uint32_t hw_acknowledge(unsigned int cpu, bool alias)
{
	struct hw_core *core = &hw.core[cpu];
	uint32_t iar = hw_peek(cpu, alias);
	uint32_t priority;
	int i;

	if (iar >= HW_GROUP1 && (iar & IAR_INTID) >= HW_GROUP1) {
		return iar;
	}
	i = best_lr(core);
	core->lr[i] ^= LR_STATE;
	priority = hw_group_priority(core, lr_priority(core->lr[i]), core->lr[i] & LR_GROUP1);
	core->apr |= 1u << (priority >> 3);
	return iar;
}

static void end_physical(struct hw_core *core, uint32_t intid)
{
	if (intid < 32) {
		core->ppi_active &= ~(1u << intid);
	} else {
		uint32_t ended = hw.active_by_core ? 1u << (core - hw.core) : 0xff;

		hw.spi[intid].active = (uint8_t)(hw.spi[intid].active & ~ended);
	}
}

/* Returns false if no list register holds the interrupt as active. */
static bool deactivate(struct hw_core *core, uint32_t iar)
{
	for (unsigned int i = 0; i < hw.lrs; i++) {
		if ((core->lr[i] & LR_ACTIVE) != 0 &&
		    (core->lr[i] & LR_INTID) == (iar & IAR_INTID)) {
			core->lr[i] &= ~LR_ACTIVE;
			if ((core->lr[i] & LR_HW) != 0) {
				end_physical(core, core->lr[i] >> LR_PINTID_SHIFT & IAR_INTID);
			}
			return true;
		}
	}
	return false;
}

/* 4.4.5; without a list register for it: 5.3.1, EOICount. */
void hw_eoi(unsigned int cpu, uint32_t iar)
{
	struct hw_core *core = &hw.core[cpu];
	bool drops = core->apr != 0;

	core->apr &= core->apr - 1;
	if ((core->ctlr & VMCR_EOIMODE) == 0 && !deactivate(core, iar) && drops) {
		core->hcr += GICH_HCR_EOICOUNT_1;
	}
}

void hw_dir(unsigned int cpu, uint32_t iar)
{
	struct hw_core *core = &hw.core[cpu];

	if (hw.dir_trapped) {
		hw.self = cpu;
		hw.waits = 0;
		vgic_dir_ops.write(NULL, 0, 4, iar);
	} else if ((core->ctlr & VMCR_EOIMODE) != 0 && !deactivate(core, iar)) {
		core->hcr += GICH_HCR_EOICOUNT_1;
	}
}

void hw_open(unsigned int cpu, uint32_t ctlr)
{
	hw.core[cpu].ctlr = ctlr;
	hw.core[cpu].pmr = 0xf8;
}

/* Everything else that happens to it */

uint32_t hw_read(unsigned int cpu, uint32_t offset, unsigned int size)
{
	uint32_t value;

	hw.self = cpu;
	hw.waits = 0;
	value = vgicd_ops.read(NULL, offset, size);
	return size == 4 ? value : value & ((1u << size * 8) - 1);
}

void hw_write(unsigned int cpu, uint32_t offset, unsigned int size, uint32_t value)
{
	hw.self = cpu;
	hw.waits = 0;
	vgicd_ops.write(NULL, offset, size, value);
}

void hw_wire(unsigned int cpu, uint32_t intid, bool level)
{
	struct hw_spi *spi = &hw.spi[intid];

	hw.self = cpu;
	hw.waits = 0;
	if (!spi->owned) {
		vgic_set_line(intid, level);
		return;
	}
	spi->pending |= level && !spi->wire && spi->edge;
	spi->wire = level;
}

void hw_timer(unsigned int cpu, uint32_t intid, bool level)
{
	uint32_t *wire = &hw.core[cpu].ppi_wire;

	*wire = level ? *wire | 1u << intid : *wire & ~(1u << intid);
}

void hw_leave(unsigned int cpu)
{
	hw.self = cpu;
	hw.waits = 0;
	vgic_leave_cpu(cpu);
}

void hw_enter(unsigned int cpu)
{
	hw.self = cpu;
	hw.waits = 0;
	vgic_enter_cpu(cpu);
}

void hw_reset(unsigned int words, unsigned int cores, unsigned int lrs)
{
	memset(&hw, 0, sizeof(hw));
	hw.cores = cores;
	hw.lrs = lrs;
	memset(&vgic, 0xa5, sizeof(vgic));
	vgic.lock.held = 0;
	vgic_reset(words, cores, lrs);
	for (unsigned int i = 0; i < cores; i++) {
		vgic.gic_mask[i] = (uint8_t)(1u << (i + 3) % 8);
	}
	for (unsigned int i = 0; i < cores; i++) {
		hw_enter(i);
	}
}

void hw_own(uint32_t intid)
{
	hw.self = 0;
	hw.owned[intid / 32] |= 1u << intid % 32;
	hw.spi[intid] = (struct hw_spi){.owned = true,
					.pending = true,
					.enabled = true,
					.edge = true,
					.active = 1,
					.cores = 0xff};
	vgic_own_spi(intid);
}

static void check_lr(unsigned int cpu, unsigned int i)
{
	const uint32_t lr = hw.core[cpu].lr[i], intid = lr & LR_INTID, bit = 1u << intid % 32;
	const struct irq_bank *bank = vgic_bank(cpu, intid / 32);

	if ((lr & LR_STATE) == 0) {
		return;
	}
	if (intid >= vgic.words * 32 || intid >= 1020) {
		hw_fail("a list register holds an INTID that does not exist");
	}
	if ((lr & LR_PENDING) != 0 && (bank->enabled & irq_bank_open(bank) & bit) == 0) {
		hw_fail("a list register holds a disabled interrupt as pending");
	}
	if (((lr & LR_HW) != 0) != (intid == INTID_VTIMER || intid == INTID_PTIMER ||
				    (intid < HW_INTIDS && hw.spi[intid].owned)) ||
	    ((lr & LR_HW) != 0 && (lr >> LR_PINTID_SHIFT & IAR_INTID) != intid)) {
		hw_fail("a list register's HW bit is wrong");
	}
	for (unsigned int c = intid < 32 ? cpu : 0; c <= (intid < 32 ? cpu : hw.cores - 1); c++) {
		for (unsigned int k = 0; k < hw.lrs; k++) {
			uint32_t other = hw.core[c].lr[k];

			if ((c != cpu || k != i) && (other & LR_STATE) != 0 &&
			    (other & LR_INTID) == intid) {
				hw_fail("two list registers hold the same interrupt");
			}
		}
	}
}

void hw_check(void)
{
	for (unsigned int cpu = 0; cpu < hw.cores; cpu++) {
		for (unsigned int i = 0; i < hw.lrs; i++) {
			check_lr(cpu, i);
		}
	}
}
