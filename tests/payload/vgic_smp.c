/* SPDX-License-Identifier: BSD-2-Clause */
/* The GIC between cores: SGIs and their sources, SPIs and their targets, states that another core
 * holds. */
#include "gic.h"

#define SPI(n) (SPI_FIRST + (n))
#define ALL    ((1u << core_count) - 1)

static volatile uint32_t go;

/* What other cores do. */

static void listen(void *argument)
{
	(void)argument;
	gic_cpu_on();
	for (uint32_t sgi = 0; sgi < 16; sgi++) {
		write8(GICD_IPRIORITYR + sgi, 0xa0);
	}
	irq_enable();
}

static void forget(void *argument)
{
	(void)argument;
	gic_forget();
}

static void send(void *argument)
{
	write32(GICD_SGIR, *(uint32_t *)argument);
}

static uint32_t answer;

static void read_word(void *argument)
{
	answer = read32(*(uint32_t *)argument);
}

static uint32_t remote_read(unsigned int core, uint32_t address)
{
	run_on(core, read_word, &address);
	return answer;
}

static void all_forget(void)
{
	gic_reset();
	for (unsigned int core = 1; core < core_count; core++) {
		run_on(core, forget, NULL);
	}
}

/* The counts of all cores as a hexadecimal number, core 0 last. */
static uint32_t counts(void)
{
	uint32_t number = 0;

	for (unsigned int core = core_count; core-- > 0;) {
		number = number << 4 | (gic_logs[core].count & 0xf);
	}
	return number;
}

static uint32_t ones(uint32_t mask)
{
	uint32_t number = 0;

	for (unsigned int core = core_count; core-- > 0;) {
		number = number << 4 | (mask >> core & 1);
	}
	return number;
}

static void wait_for_each(uint32_t mask)
{
	for (unsigned int core = 0; core < core_count; core++) {
		if ((mask >> core & 1) != 0) {
			gic_wait(core, 1);
		}
	}
	delay(2000);
}

static void sgi(const char *name, uint32_t value, uint32_t wanted)
{
	all_forget();
	irq_enable();
	write32(GICD_SGIR, value);
	wait_for_each(wanted);
	irq_disable();
	equal(name, counts(), ones(wanted));
	for (unsigned int core = 0; core < core_count; core++) {
		if ((wanted >> core & 1) != 0) {
			equal("its IAR: source and number", gic_logs[core].taken[0].iar,
			      value & 0xf);
		}
	}
}

static void targets(void)
{
	sgi("SGI to all others", SGIR_OTHERS | 2, ALL & ~1u);
	sgi("SGI to a list", SGIR_LIST(ALL & 0xa) | 9, ALL & 0xa);
	sgi("SGI to everyone by the list", SGIR_LIST(0xff) | 15, ALL);
	sgi("SGI to itself alone", SGIR_SELF | SGIR_LIST(0xff) | 1, 1);
	sgi("SGI to nobody", SGIR_LIST(0) | 1, 0);
}

/* The same SGI from each core, while this one has interrupts masked. */
static void sources(void)
{
	struct gic_log *log = gic_log();
	uint32_t value = SGIR_LIST(1) | 5, seen = 0;

	all_forget();
	for (unsigned int core = 1; core < core_count; core++) {
		run_on(core, send, &value);
	}
	equal("SPENDSGIR has every source", read8(GICD_SPENDSGIR + 5), ALL & ~1u);
	equal("ISPENDR has the SGI", read32(GICD_ISPENDR) & 0xffff, 1u << 5);
	write8(GICD_CPENDSGIR + 5, 2);
	equal("CPENDSGIR takes one source away", read8(GICD_SPENDSGIR + 5), ALL & ~3u);
	write8(GICD_SPENDSGIR + 5, 1);
	equal("SPENDSGIR adds one", read8(GICD_SPENDSGIR + 5), ALL & ~2u);
	equal("neighbours are not touched", read32(GICD_SPENDSGIR) | read8(GICD_SPENDSGIR + 6), 0);
	gic_take();
	equal("one interrupt for each source", log->count, core_count - 1);
	for (uint32_t i = 0; i < log->count; i++) {
		equal("its number", log->taken[i].iar & 0x3ff, 5);
		seen |= 1u << (log->taken[i].iar >> 10);
	}
	equal("from each source once", seen, ALL & ~2u);
	equal("none is left", read8(GICD_SPENDSGIR + 5), 0);
	value = SGIR_LIST(1) | 6;
	for (unsigned int i = 0; i < 5; i++) {
		run_on(1, send, &value);
	}
	gic_take();
	equal("the same SGI from the same source is one", log->count, core_count);
}

static void banked(void)
{
	const uint32_t self = remote_read(1, GICD_ITARGETSR);

	equal("ITARGETSR0 of core 1", self, 0x02020202);
	gic_set(GICD_ISENABLER, INTID_VTIMER);
	equal("PPIs are enabled for one core", remote_read(1, GICD_ISENABLER) >> INTID_VTIMER & 1,
	      0);
	gic_set(GICD_ICENABLER, INTID_VTIMER);
	gic_set(GICD_ISPENDR, 20);
	equal("PPIs are pending for one core", remote_read(1, GICD_ISPENDR) >> 20 & 1, 0);
	if (under_bivy) { /* QEMU forgets it */
		equal("and for this one", gic_test(GICD_ISPENDR, 20), true);
	}
	gic_set(GICD_ICPENDR, 20);
	gic_enable(SPI(0), 0x88);
	equal("SPIs are enabled for all",
	      remote_read(1, GICD_ISENABLER + SPI(0) / 32 * 4) >> SPI(0) % 32 & 1, 1);
}

static void spi_targets(void)
{
	for (unsigned int target = 0; target < core_count; target++) {
		uint32_t wrong = 0;

		all_forget();
		for (uint32_t i = 0; i < SPI_COUNT; i++) {
			write8(GICD_ITARGETSR + SPI(i), 1u << target);
			gic_enable(SPI(i), 0x80 + 8 * (i % 8));
		}
		irq_enable();
		write32(GICD_ISPENDR + SPI_FIRST / 32 * 4, 0xffffu << SPI_FIRST % 32);
		gic_wait(target, SPI_COUNT);
		delay(1000);
		irq_disable();
		for (unsigned int core = 0; core < core_count; core++) {
			wrong += gic_logs[core].count != (core == target ? SPI_COUNT : 0);
		}
		result("bug: SPI bitmap (16 SPIs reach their target and no one else)", wrong == 0,
		       "target %u: %x of %u", target, gic_logs[target].count, SPI_COUNT);
	}
}

static void retarget(void)
{
	all_forget();
	gic_enable(SPI(1), 0x80);
	gic_set(GICD_ISPENDR, SPI(1)); /* in this core's list registers, masked */
	write8(GICD_ITARGETSR + SPI(1), 2);
	gic_wait(1, 1);
	gic_take();
	equal("a pending SPI follows its target", counts(), 0x10);
	write8(GICD_ITARGETSR + SPI(1), 0);
	gic_set(GICD_ISPENDR, SPI(1));
	delay(2000);
	equal("an SPI without a target stays", counts(), 0x10);
	equal("and is pending", gic_test(GICD_ISPENDR, SPI(1)), true);
	write8(GICD_ITARGETSR + SPI(1), 2);
	gic_wait(1, 2);
	equal("until it gets one", counts(), 0x20);
}

/* Core 1 holds an SPI active while core 0 looks and acts. */

static volatile uint32_t holding, released;

static void hold(uint32_t iar)
{
	holding = iar;
	wait_for(&go, 1, 2 * LIVENESS); /* longer than core 0 needs to look */
	write32(GICC_EOIR, iar);
	holding = 0;
	released++;
}

static void set_hold(void *argument)
{
	gic_log()->hook = argument != NULL ? hold : NULL;
}

static void held_elsewhere(void)
{
	const uint32_t word = SPI_FIRST / 32 * 4, bit = 1u << SPI(2) % 32;

	all_forget();
	run_on(1, set_hold, (void *)1);
	write8(GICD_ITARGETSR + SPI(2), 2);
	gic_enable(SPI(2), 0x80);
	go = 0;
	gic_set(GICD_ISPENDR, SPI(2));
	wait_for(&holding, SPI(2), LIVENESS);
	equal("core 1 holds it", holding, SPI(2));
	equal("core 0 reads it as active", read32(GICD_ISACTIVER + word) & bit, bit);
	equal("and as not pending", read32(GICD_ISPENDR + word) & bit, 0);
	gic_set(GICD_ISPENDR, SPI(2));
	equal("and as pending after it made it so", read32(GICD_ISPENDR + word) & bit, bit);
	gic_set(GICD_ICPENDR, SPI(2));
	equal("and as not pending after it took that back", read32(GICD_ISPENDR + word) & bit, 0);
	gic_set(GICD_ISPENDR, SPI(2));
	gic_set(GICD_ICENABLER, SPI(2));
	equal("active while disabled", read32(GICD_ISACTIVER + word) & bit, bit);
	gic_set(GICD_ISENABLER, SPI(2));
	go = 1;
	gic_wait(1, 2);
	wait_for(&released, 2, LIVENESS);
	delay(1000);
	equal("after its EOI it comes once more", gic_logs[1].count, 2);
	equal("and is over", (read32(GICD_ISACTIVER + word) | read32(GICD_ISPENDR + word)) & bit,
	      0);

	go = 0;
	gic_set(GICD_ISPENDR, SPI(2));
	wait_for(&holding, SPI(2), LIVENESS);
	gic_set(GICD_ICACTIVER, SPI(2));
	equal("core 0 ends what core 1 holds", read32(GICD_ISACTIVER + word) & bit, 0);
	go = 1;
	wait_for(&holding, 0, LIVENESS);
	gic_set(GICD_ISPENDR, SPI(2));
	gic_wait(1, 4);
	equal("and it comes again", gic_logs[1].count, 4);
	run_on(1, set_hold, NULL);
}

/* All cores read and write the distributor and interrupt each other at once: nobody may hang or
 * lose one. */
#define STORM                                                                                      \
	(core_count <= 2 ? 200u : 20u) /* more cores than the host has take turns at its pace */

static void storm(void *argument)
{
	const unsigned int self = this_core()->index;
	const unsigned int next = (self + 1) % core_count;

	(void)argument;
	irq_enable();
	for (uint32_t i = 1; i <= STORM; i++) {
		write32(GICD_SGIR, SGIR_LIST(1u << next) | 3);
		write8(GICD_IPRIORITYR + SPI(self), 0x80 + 8 * (i & 3));
		gic_set(GICD_ISPENDR, SPI(self));
		(void)read32(GICD_ISACTIVER + SPI_FIRST / 32 * 4);
		(void)read32(GICD_ISPENDR + SPI_FIRST / 32 * 4);
		/* Its SPI goes to the next core: wait until both of ours have come there. */
		if (!wait_for(&gic_logs[next].count, 2 * i, LIVENESS)) {
			break;
		}
	}
	wait_for(&gic_logs[self].count, 2 * STORM, LIVENESS);
}

static void everybody(void)
{
	all_forget();
	for (uint32_t i = 0; i < core_count; i++) {
		write8(GICD_ITARGETSR + SPI(i), 1u << (i + 1) % core_count);
		gic_enable(SPI(i), 0x80);
	}
	for (unsigned int core = 1; core < core_count; core++) {
		start_job(core, storm, NULL);
	}
	storm(NULL);
	irq_disable();
	for (unsigned int core = 1; core < core_count; core++) {
		result("the storm ends", job_done(core, 3 * LIVENESS),
		       "core %u hangs after %u interrupts", core, gic_logs[core].count);
	}
	for (unsigned int core = 0; core < core_count; core++) {
		equal("no interrupt of the storm is lost", gic_logs[core].count, 2 * STORM);
	}
}

void payload(void)
{
	gic_reset();
	for (unsigned int core = 1; core < core_count; core++) {
		run_on(core, listen, NULL);
	}
	targets();
	sources();
	banked();
	spi_targets();
	if (under_bivy) { /* QEMU's pending interrupts stay where they are */
		retarget();
	}
	held_elsewhere();
	everybody();
}
