/* SPDX-License-Identifier: BSD-2-Clause */
/* The distributor and the CPU interface on one core (GICv2 IHI 0048B 3, 4). */
#include "gic.h"

#define SPI(n) (SPI_FIRST + (n))

static uint32_t last_intid(void)
{
	return ((read32(GICD_TYPER) & 0x1f) + 1) * 32;
}

/* Registers */

static void reset_values(void)
{
	if (!under_bivy) {
		return; /* QEMU's own boot code leaves its traces */
	}
	equal("GICD_CTLR after reset", read32(GICD_CTLR), 0);
	equal("GICC_CTLR after reset", read32(GICC_CTLR), 0);
	equal("GICC_PMR after reset", read32(GICC_PMR), 0);
	for (uint32_t word = 0; word < last_intid() / 32; word++) {
		equal("ISENABLER after reset", read32(GICD_ISENABLER + 4 * word),
		      word == 0 ? 0xffff : 0);
		equal("ISPENDR after reset", read32(GICD_ISPENDR + 4 * word), 0);
		equal("ISACTIVER after reset", read32(GICD_ISACTIVER + 4 * word), 0);
		equal("IGROUPR after reset", read32(GICD_IGROUPR + 4 * word), 0);
	}
	for (uint32_t intid = 0; intid < last_intid(); intid += 4) {
		uint32_t priority = read32(GICD_IPRIORITYR + intid);

		if (priority != 0) {
			equal("IPRIORITYR after reset", priority, 0);
		}
	}
	equal("GICD_IIDR says who made it", read32(GICD_IIDR) != 0, true);
}

static void identification(void)
{
	const uint32_t typer = read32(GICD_TYPER);

	result("bug: TYPER shift precedence",
	       (typer >> 5 & 7) == core_count - 1 && (typer & 0x1f) >= 2, "0x%x", typer);
	write32(GICD_TYPER, ~typer);
	equal("TYPER is read-only", read32(GICD_TYPER), typer);
	equal("PIDR2 says GICv2", read32(0x08000fe8) >> 4 & 0xf, 2);
	equal("CIDR0", read32(0x08000ff0), 0x0d);
	equal("CIDR1", read32(0x08000ff4), 0xf0);
	equal("CIDR2", read32(0x08000ff8), 0x05);
	equal("CIDR3", read32(0x08000ffc), 0xb1);
	equal("SGIR reads as zero", read32(GICD_SGIR), 0);
	equal("what is reserved reads as zero", read32(0x0800000c) | read32(0x08000f34), 0);
}

static void bit_registers(void)
{
	const uint32_t word = SPI_FIRST / 32 * 4;

	write32(GICD_ICENABLER, 0xffff);
	equal("SGIs stay enabled", read32(GICD_ISENABLER) & 0xffff, 0xffff);
	write32(GICD_ISENABLER + word, 0x00f00000);
	equal("ISENABLER sets", read32(GICD_ISENABLER + word), 0x00f00000);
	equal("ICENABLER reads the same", read32(GICD_ICENABLER + word), 0x00f00000);
	write32(GICD_ICENABLER + word, 0x00300000);
	equal("ICENABLER clears", read32(GICD_ISENABLER + word), 0x00c00000);
	write32(GICD_ICENABLER + word, ~0u);
	write8(GICD_ISENABLER + word + 2, 0x81);
	equal("a byte of ISENABLER", read32(GICD_ISENABLER + word), 0x00810000);
	equal("a byte of ISENABLER, read", read8(GICD_ISENABLER + word + 2), 0x81);
	write32(GICD_ICENABLER + word, ~0u);
	write32(GICD_IGROUPR + word, 0x00ff0000);
	equal("IGROUPR keeps", read32(GICD_IGROUPR + word), 0x00ff0000);
	write32(GICD_IGROUPR + word, 0);
	gic_set(GICD_ISPENDR, SPI(3));
	equal("ISPENDR sets", read32(GICD_ISPENDR + word), 1u << SPI(3) % 32);
	equal("ICPENDR reads the same", read32(GICD_ICPENDR + word), 1u << SPI(3) % 32);
	gic_set(GICD_ICPENDR, SPI(3));
	equal("ICPENDR clears", read32(GICD_ISPENDR + word), 0);
	gic_set(GICD_ISACTIVER, SPI(4));
	equal("ISACTIVER sets", read32(GICD_ISACTIVER + word), 1u << SPI(4) % 32);
	equal("ICACTIVER reads the same", read32(GICD_ICACTIVER + word), 1u << SPI(4) % 32);
	gic_set(GICD_ICACTIVER, SPI(4));
	equal("ICACTIVER clears", read32(GICD_ISACTIVER + word), 0);
	write32(GICD_ISPENDR, 0xffff);
	equal("SGIs are not made pending by ISPENDR", read32(GICD_ISPENDR) & 0xffff, 0);
}

static void byte_registers(void)
{
	const uint32_t at = GICD_IPRIORITYR + SPI(0);
	const uint32_t target = GICD_ITARGETSR + SPI(0);
	const uint32_t all = core_count == 1 ? 0 : (1u << core_count) - 1;

	write32(at, 0xffffffff);
	result("bug: IPRIORITYR missing", (read32(at) & 0xf8f8f8f8) == 0xf8f8f8f8, "0x%x",
	       read32(at));
	write32(at, 0x10203040);
	equal("IPRIORITYR word", read32(at), 0x10203040);
	equal("IPRIORITYR byte", read8(at + 2), 0x20);
	equal("IPRIORITYR halfword", *(volatile uint16_t *)(at + 2), 0x1020);
	write8(at + 1, 0x98);
	equal("IPRIORITYR byte written", read32(at), 0x10209840);
	*(volatile uint16_t *)(at + 2) = 0xb8c8;
	equal("IPRIORITYR halfword written", read32(at), 0xb8c89840);
	write8(GICD_IPRIORITYR + 2, 0x48);
	equal("IPRIORITYR of an SGI", read8(GICD_IPRIORITYR + 2), 0x48);
	write8(GICD_IPRIORITYR + INTID_VTIMER, 0x50);
	equal("IPRIORITYR of a PPI", read8(GICD_IPRIORITYR + INTID_VTIMER), 0x50);
	equal("ITARGETSR0 is this core", read32(GICD_ITARGETSR), core_count == 1 ? 0 : 0x01010101);
	write32(GICD_ITARGETSR, 0x02020202);
	equal("ITARGETSR0 is read-only", read32(GICD_ITARGETSR), core_count == 1 ? 0 : 0x01010101);
	write32(target, 0xffffffff);
	if (under_bivy) { /* QEMU keeps the others, too */
		equal("ITARGETSR has the cores that there are", read32(target), all * 0x01010101);
	}
	write8(target + 1, 1);
	equal("ITARGETSR byte written", read8(target + 1), all & 1);
}

static void configuration(void)
{
	equal("ICFGR0: SGIs are edge-triggered", read32(GICD_ICFGR), 0xaaaaaaaa);
	write32(GICD_ICFGR + 8, 0);
	write32(GICD_ICFGR + 12, 0);
	write32(GICD_ICFGR + 8, 2u << 2 * 1);
	result("bug: ICFGR index by 1 for 16",
	       read32(GICD_ICFGR + 8) == 0x8 && read32(GICD_ICFGR + 12) == 0,
	       "INTID 33 edge: 0x%x 0x%x", read32(GICD_ICFGR + 8), read32(GICD_ICFGR + 12));
	write32(GICD_ICFGR + 8, 0x80000000);
	write32(GICD_ICFGR + 12, 2);
	result("bug: ICFGR index by 1 for 16 (47 and 48)",
	       read32(GICD_ICFGR + 8) == 0x80000000 && read32(GICD_ICFGR + 12) == 2, "0x%x 0x%x",
	       read32(GICD_ICFGR + 8), read32(GICD_ICFGR + 12));
	write32(GICD_ICFGR + 8, 0);
	write32(GICD_ICFGR + 12, 0);
}

static void bounds(void)
{
	const uint32_t end = last_intid();

	gic_set(GICD_ISENABLER, end - 1);
	result("the last interrupt can be enabled", gic_test(GICD_ISENABLER, end - 1), "INTID %u",
	       end - 1);
	gic_set(GICD_ICENABLER, end - 1);
	write8(GICD_IPRIORITYR + end - 1, 0xb8);
	equal("the last interrupt has a priority", read8(GICD_IPRIORITYR + end - 1), 0xb8);
	if (end < 1024) {
		write32(GICD_ISENABLER + end / 8, ~0u);
		write32(GICD_ISPENDR + end / 8, ~0u);
		write32(GICD_IGROUPR + end / 8, ~0u);
		write32(GICD_IPRIORITYR + end, ~0u);
		write32(GICD_ITARGETSR + end, ~0u);
		write32(GICD_ICFGR + end / 4, ~0u);
		result("bug: distributor bound off by one",
		       (read32(GICD_ISENABLER + end / 8) | read32(GICD_ISPENDR + end / 8) |
			read32(GICD_IGROUPR + end / 8) | read32(GICD_IPRIORITYR + end) |
			read32(GICD_ITARGETSR + end) | read32(GICD_ICFGR + end / 4)) == 0,
		       "something is kept for INTID %u on", end);
	}
	write32(GICD_ISENABLER + 0x7c, ~0u);
	equal("INTIDs 1020 to 1023 are no interrupts", read32(GICD_ISENABLER + 0x7c) >> 28, 0);
}

/* Delivery */

static void cpu_interface(void)
{
	gic_reset();
	write32(GICC_PMR, 0xa8);
	write32(GICC_BPR, 3);
	result("bug: VMCR left zero",
	       read32(GICC_PMR) == 0xa8 && read32(GICC_BPR) == 3 && read32(GICC_CTLR) == 1,
	       "PMR 0x%x, BPR 0x%x, CTLR 0x%x", read32(GICC_PMR), read32(GICC_BPR),
	       read32(GICC_CTLR));
	write32(GICC_BPR, 0);
	write32(GICC_PMR, 0xf8);
	equal("nothing pending: IAR is 1023", read32(GICC_IAR), 1023);
	equal("nothing pending: HPPIR is 1023", read32(GICC_HPPIR), 1023);
	equal("nothing running: RPR is idle", read32(GICC_RPR) >= 0xf8, true);
}

static void one_interrupt(void)
{
	struct gic_log *log = gic_log();

	gic_reset();
	gic_enable(SPI(0), 0x40);
	gic_set(GICD_ISPENDR, SPI(0));
	equal("HPPIR names it", read32(GICC_HPPIR), SPI(0));
	gic_take();
	result("one SPI comes once", log->count == 1 && log->taken[0].iar == SPI(0), "%u, IAR 0x%x",
	       log->count, log->taken[0].iar);
	equal("RPR is its priority", log->taken[0].rpr, 0x40);
	equal("it is pending no more", gic_test(GICD_ISPENDR, SPI(0)), false);
	equal("it is active no more", gic_test(GICD_ISACTIVER, SPI(0)), false);
	write32(GICC_PMR, 0x40);
	gic_set(GICD_ISPENDR, SPI(0));
	gic_take();
	equal("PMR masks its own priority", log->count, 1);
	write32(GICC_PMR, 0x48);
	gic_take();
	equal("and lets higher ones pass", log->count, 2);
	write32(GICC_PMR, 0xf8);
	write32(GICC_CTLR, 0);
	gic_set(GICD_ISPENDR, SPI(0));
	gic_take();
	equal("GICC_CTLR off: none", log->count, 2);
	write32(GICC_CTLR, 1);
	gic_take();
	equal("GICC_CTLR on: it comes", log->count, 3);
	write32(GICD_CTLR, 0);
	gic_set(GICD_ISPENDR, SPI(0));
	gic_take();
	equal("GICD_CTLR off: none", log->count, 3);
	equal("but it is pending", gic_test(GICD_ISPENDR, SPI(0)), true);
	write32(GICD_CTLR, 1);
	gic_take();
	equal("GICD_CTLR on: it comes", log->count, 4);
}

/* Sixteen at once; @step says in which order they are made pending. */
static void priority_order(uint32_t step, bool same)
{
	struct gic_log *log = gic_log();
	uint32_t wrong = 0, came = 0;

	gic_reset();
	for (uint32_t i = 0; i < SPI_COUNT; i++) {
		gic_enable(SPI(i), same ? 0x80 : 8 * (i * 7 % 16));
	}
	for (uint32_t i = 0; i < SPI_COUNT; i++) {
		gic_set(GICD_ISPENDR, SPI(i * step % SPI_COUNT));
	}
	gic_take();
	for (uint32_t i = 0; i < SPI_COUNT; i++) {
		uint32_t wanted = same ? i : i * 7 % 16; /* 7 * 7 = 1 mod 16: its own inverse */

		wrong += log->taken[i].iar != SPI(wanted);
		came |= 1u << (log->taken[i].iar - SPI(0));
	}
	/* Which of equals comes first is the implementation's choice (IHI 0048B 3.3.1). */
	result(same ? "16 of the same priority come" : "16 pending come by priority",
	       (same || wrong == 0) && log->count == SPI_COUNT && came == 0xffff,
	       "%u came, %u of them out of order", log->count, wrong);
}

static void late_and_urgent(void)
{
	struct gic_log *log = gic_log();

	gic_reset();
	for (uint32_t i = 0; i < 8; i++) {
		gic_enable(SPI(i), 0x80 - 8 * i);
		gic_set(GICD_ISPENDR, SPI(i));
	}
	write8(GICD_IPRIORITYR + SPI(2), 0x10);
	gic_take();
	result("a priority raised while pending counts",
	       log->count == 8 && log->taken[0].iar == SPI(2) && log->taken[1].iar == SPI(7) &&
		       log->taken[7].iar == SPI(0),
	       "%u, first 0x%x, then 0x%x, last 0x%x", log->count, log->taken[0].iar,
	       log->taken[1].iar, log->taken[7].iar);
}

/* Each handler raises the next, more urgent one, and waits for it. */
#define DEPTH 8u
static uint32_t nest_rpr[DEPTH + 1];
static uint32_t nest_active;

static void nest(uint32_t iar)
{
	const uint32_t level = iar - SPI(0);

	if (level + 1 < DEPTH) {
		gic_set(GICD_ISPENDR, iar + 1);
		irq_enable();
		wait_for(&gic_log()->count, DEPTH, LIVENESS);
		delay(100);
		irq_disable();
	} else {
		nest_active = read32(GICD_ISACTIVER + SPI_FIRST / 32 * 4) >> SPI_FIRST % 32;
	}
	nest_rpr[level] = read32(GICC_RPR);
	write32(GICC_EOIR, iar);
}

static void nesting(void)
{
	struct gic_log *log = gic_log();
	uint32_t wrong = 0;

	gic_reset();
	for (uint32_t i = 0; i < DEPTH; i++) {
		gic_enable(SPI(i), 0xa0 - 8 * i);
	}
	log->hook = nest;
	gic_set(GICD_ISPENDR, SPI(0));
	gic_take();
	for (uint32_t i = 0; i < DEPTH; i++) {
		wrong += log->taken[i].iar != SPI(i) || log->taken[i].rpr != 0xa0 - 8 * i ||
			 nest_rpr[i] != 0xa0 - 8 * i;
	}
	result("preemption, 8 deep", log->count == DEPTH && wrong == 0, "%u came, %u wrong",
	       log->count, wrong);
	equal("all 8 are active at the innermost", nest_active, (1u << DEPTH) - 1);
	equal("none is active afterwards", read32(GICD_ISACTIVER + SPI_FIRST / 32 * 4), 0);
	log->hook = NULL;
	for (uint32_t i = 0; i < DEPTH; i++) {
		gic_set(GICD_ISPENDR, SPI(i));
	}
	gic_take();
	equal("all of them can come again", log->count, 2 * DEPTH);
}

static void binary_point(void)
{
	struct gic_log *log = gic_log();

	gic_reset();
	write32(GICC_BPR, 7); /* no preemption at all */
	gic_enable(SPI(0), 0xa0);
	gic_enable(SPI(1), 0x20);
	gic_set(GICD_ISPENDR, SPI(0));
	equal("IAR", read32(GICC_IAR), SPI(0));
	gic_set(GICD_ISPENDR, SPI(1));
	gic_take();
	equal("BPR 7: no preemption", log->count, 0);
	write32(GICC_EOIR, SPI(0));
	gic_take();
	equal("after the EOI it comes", log->count, 1);
	write32(GICC_BPR, 0);
}

static void active_state(void)
{
	struct gic_log *log = gic_log();

	gic_reset();
	gic_enable(SPI(0), 0x80);
	gic_set(GICD_ISACTIVER, SPI(0));
	gic_set(GICD_ISPENDR, SPI(0));
	gic_take();
	equal("set active by hand: does not come", log->count, 0);
	equal("and is pending and active",
	      gic_test(GICD_ISPENDR, SPI(0)) && gic_test(GICD_ISACTIVER, SPI(0)), true);
	gic_set(GICD_ICACTIVER, SPI(0));
	gic_take();
	equal("cleared by hand: comes", log->count, 1);
	gic_set(GICD_ISPENDR, SPI(0));
	equal("acknowledged", read32(GICC_IAR), SPI(0));
	equal("active after IAR", gic_test(GICD_ISACTIVER, SPI(0)), true);
	gic_set(GICD_ISPENDR, SPI(0));
	equal("pending again while active", gic_test(GICD_ISPENDR, SPI(0)), true);
	gic_set(GICD_ICACTIVER, SPI(0));
	equal("ended by ICACTIVER", gic_test(GICD_ISACTIVER, SPI(0)), false);
	write32(GICC_EOIR, SPI(0));
	equal("RPR is idle again", read32(GICC_RPR) >= 0xf8, true);
	gic_take();
	equal("it comes again", log->count, 2);
}

static void again_while_active(void)
{
	struct gic_log *log = gic_log();

	gic_reset();
	gic_enable(SPI(5), 0x80);
	gic_set(GICD_ISPENDR, SPI(5));
	equal("acknowledged", read32(GICC_IAR), SPI(5));
	gic_set(GICD_ISPENDR, SPI(5));
	gic_set(GICD_ISPENDR, SPI(5));
	gic_take();
	equal("an edge while active waits", log->count, 0);
	write32(GICC_EOIR, SPI(5));
	gic_take();
	equal("and comes once after the EOI", log->count, 1);
}

static void disabled_in_a_list_register(void)
{
	struct gic_log *log = gic_log();

	gic_reset();
	gic_enable(SPI(0), 0x80);
	gic_set(GICD_ISPENDR, SPI(0)); /* goes to a list register: IRQs are masked */
	gic_set(GICD_ICENABLER, SPI(0));
	gic_take();
	equal("disabled while pending: does not come", log->count, 0);
	equal("it is still pending", gic_test(GICD_ISPENDR, SPI(0)), true);
	gic_set(GICD_ISENABLER, SPI(0));
	gic_take();
	equal("enabled again: comes", log->count, 1);
	gic_set(GICD_ISPENDR, SPI(0));
	gic_set(GICD_ICPENDR, SPI(0));
	gic_take();
	equal("pending taken back: does not come", log->count, 1);
}

/* The PL011's transmit interrupt is a wire that the test holds: IMSC decides. */
#define UART_DR   0x09000000u
#define UART_IMSC 0x09000038u
#define UART_ICR  0x09000044u
static uint32_t level_left;

static void level_hook(uint32_t iar)
{
	if (level_left == 0 || --level_left == 0) {
		write32(UART_IMSC, 0);
	}
	write32(GICC_EOIR, iar);
}

static void level_or_edge(bool edge)
{
	struct gic_log *log = gic_log();

	gic_reset();
	write32(GICD_ICFGR + 8, edge ? 2u << 2 : 0);
	write8(GICD_ITARGETSR + INTID_UART, 1);
	print("level or edge\n"); /* so that the transmit interrupt is there, masked */
	gic_enable(INTID_UART, 0x80);
	log->hook = level_hook;
	level_left = edge ? 9 : 3;
	write32(UART_IMSC, 0x20);
	gic_take();
	if (edge) {
		equal("edge: a wire that stays up comes once", log->count, 1);
		write32(UART_IMSC, 0);
		write32(UART_IMSC, 0x20);
		gic_take();
		equal("edge: again when it rises again", log->count, 2);
	} else {
		equal("level: comes again until the wire falls", log->count, 3);
		write32(UART_IMSC, 0x20);
		equal("level: pending while it is up", gic_test(GICD_ISPENDR, INTID_UART), true);
		gic_set(GICD_ICPENDR, INTID_UART);
		equal("level: ICPENDR does not clear it", gic_test(GICD_ISPENDR, INTID_UART), true);
		write32(UART_IMSC, 0);
		equal("level: not pending once it is down", gic_test(GICD_ISPENDR, INTID_UART),
		      false);
		gic_take();
		equal("level: fell before it was taken, does not come", log->count, 3);
		gic_set(GICD_ISPENDR, INTID_UART);
		gic_take();
		equal("level: by ISPENDR it comes once", log->count, 4);
	}
	write32(UART_IMSC, 0);
	gic_set(GICD_ICENABLER, INTID_UART);
	gic_set(GICD_ICPENDR, INTID_UART);
	write32(GICD_ICFGR + 8, 0);
}

/* EOImode 1: priority drop by EOIR, deactivation by DIR in any order, with more active than list
 * registers. */
static void split_eoi(uint32_t count)
{
	struct gic_log *log = gic_log();
	const uint32_t word = SPI_FIRST / 32 * 4;
	uint32_t active = (1u << count) - 1, wrong = 0;

	gic_reset();
	write32(GICC_CTLR, GICC_CTLR_GRP0 | GICC_CTLR_EOIMODE);
	for (uint32_t i = 0; i < count; i++) {
		gic_enable(SPI(i), 0x80);
		gic_set(GICD_ISPENDR, SPI(i));
	}
	gic_take();
	equal("EOImode 1: all come", log->count, count);
	equal("EOImode 1: all active", read32(GICD_ISACTIVER + word) >> SPI_FIRST % 32, active);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t n = i * 3 % count; /* count is no multiple of 3 */

		gic_set(GICD_ISPENDR, SPI(n));
		write32(GICC_DIR, SPI(n));
		active &= ~(1u << n);
		wrong += read32(GICD_ISACTIVER + word) >> SPI_FIRST % 32 != active;
	}
	equal("EOImode 1: DIR ends the one that it names", wrong, 0);
	gic_take();
	equal("EOImode 1: all come again", log->count, 2 * count);
	for (uint32_t i = count; i-- > 0;) {
		write32(GICC_DIR, SPI(i));
	}
	equal("EOImode 1: none active", read32(GICD_ISACTIVER + word), 0);
	write32(GICC_CTLR, GICC_CTLR_GRP0);
}

static void groups(void)
{
	struct gic_log *log = gic_log();

	gic_reset();
	write32(GICD_CTLR, 3);
	gic_set(GICD_ISENABLER, SPI(0));
	gic_enable(SPI(1), 0x80);
	write32(GICD_IGROUPR + SPI_FIRST / 32 * 4, 1u << SPI(1) % 32);
	write32(GICC_CTLR, GICC_CTLR_GRP0 | GICC_CTLR_GRP1 | GICC_CTLR_FIQ);
	gic_set(GICD_ISPENDR, SPI(0));
	gic_take();
	equal("group 0 is a FIQ: not while F masks", log->count, 0);
	asm volatile("cpsie f\n\tisb");
	delay(300);
	asm volatile("cpsid f");
	result("group 0 comes as a FIQ",
	       log->count == 1 && log->taken[0].fiq == 1 && log->taken[0].iar == SPI(0),
	       "%u, IAR 0x%x, FIQ %u", log->count, log->taken[0].iar, log->taken[0].fiq);
	gic_set(GICD_ISPENDR, SPI(1));
	equal("group 1: HPPIR of group 0 says 1022", read32(GICC_HPPIR), 1022);
	equal("group 1: IAR says 1022", read32(GICC_IAR), 1022);
	write32(GICC_CTLR, GICC_CTLR_GRP0 | GICC_CTLR_GRP1 | 1u << 2);
	gic_take();
	result("AckCtl: IAR takes group 1, as an IRQ",
	       log->count == 2 && log->taken[1].fiq == 0 && log->taken[1].iar == SPI(1),
	       "%u, IAR 0x%x, FIQ %u", log->count, log->taken[1].iar, log->taken[1].fiq);
	write32(GICC_CTLR, GICC_CTLR_GRP0);
	gic_set(GICD_ISPENDR, SPI(1));
	gic_take();
	equal("group 1 off: does not come", log->count, 2);
	write32(GICD_CTLR, 1);
}

static void own_sgi(void)
{
	struct gic_log *log = gic_log();

	gic_reset();
	write32(GICD_SGIR, SGIR_SELF | 7);
	equal("SGI to itself: pending", read8(GICD_SPENDSGIR + 7), 1);
	gic_take();
	result("SGI to itself", log->count == 1 && log->taken[0].iar == 7, "%u, IAR 0x%x",
	       log->count, log->taken[0].iar);
	write32(GICD_SGIR, SGIR_LIST(1) | 0);
	gic_take();
	result("SGI to a list with itself", log->count == 2 && log->taken[1].iar == 0, "%u",
	       log->count);
	write32(GICD_SGIR, SGIR_OTHERS | 3);
	gic_take();
	equal("bug: SGI pending on the sender", log->count, 2);
	equal("bug: SGI pending on the sender (SPENDSGIR)", read32(GICD_SPENDSGIR), 0);
	write8(GICD_SPENDSGIR + 9, 1);
	equal("SPENDSGIR sets", read8(GICD_CPENDSGIR + 9), 1);
	write8(GICD_CPENDSGIR + 9, 1);
	gic_take();
	equal("CPENDSGIR takes it back", log->count, 2);
	write8(GICD_SPENDSGIR + 9, 1);
	gic_take();
	equal("SPENDSGIR: it comes", log->count, 3);
	for (uint32_t sgi = 0; sgi < 16; sgi++) {
		write32(GICD_SGIR, SGIR_SELF | sgi);
	}
	gic_take();
	equal("16 SGIs at once", log->count, 19);
}

/* Thousands of interrupts, seven at a time. */
static void long_series(void)
{
	struct gic_log *log = gic_log();

	gic_reset();
	for (uint32_t i = 0; i < 7; i++) {
		gic_enable(SPI(i), 0x80 + 8 * i);
	}
	irq_enable();
	for (uint32_t round = 0; round < 1000; round++) {
		write32(GICD_ISPENDR + SPI_FIRST / 32 * 4, 0x7fu << SPI_FIRST % 32);
		if (!wait_for(&log->count, 7 * (round + 1), LIVENESS)) {
			break;
		}
	}
	irq_disable();
	equal("bug: EISR and MISR (7,000 interrupts, 7 at a time)", log->count, 7000);
	equal("none of them spurious", log->spurious, 0);
}

void payload(void)
{
	reset_values();
	identification();
	gic_reset();
	bit_registers();
	byte_registers();
	configuration();
	bounds();
	cpu_interface();
	one_interrupt();
	for (uint32_t step = 1; step < SPI_COUNT; step += 2) {
		priority_order(step, false);
		priority_order(step, true);
	}
	late_and_urgent();
	nesting();
	binary_point();
	active_state();
	again_while_active();
	disabled_in_a_list_register();
	level_or_edge(false);
	level_or_edge(true);
	own_sgi();
	groups();
	long_series();
	split_eoi(4);
	split_eoi(10);
	nesting();
	long_series();
}
