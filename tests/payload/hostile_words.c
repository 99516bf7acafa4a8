/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random words as instructions, on all cores at once: in User mode, Arm and Thumb, with registers
 * that point at memory, at devices and at nothing; and in the other modes, of words that neither
 * load nor store nor go elsewhere. Each has to end in one of the guest's own vectors. An interrupt
 * is always pending, so that no WFI lasts.
 */
#include "hostile.h"
#include "mmu.h"

#define WORDS 6000u /* of each kind, on each core */
#define MIB   20

#define USER     (SHORT_SECTION | 0x10u) /* never executed */
#define PRIVATE  (USER & ~0x800u)        /* not in User mode */
#define PAGE_OWN 0x52u                   /* small page, normal: the payload's, no User mode */
#define PAGE_RUN 0x62u                   /* and read-only there */
#define PAGES    256u

#define FPEXC_EN (1u << 30)

/* Code that User mode may run, all else of the first MiB is the payload's alone; what lies before
 * is nowhere. */
static void build_tables(void)
{
	const uint32_t code = generate_one(UDF_ARM, SVC_MODE)->pc;

	mmu_short();
	for (uint32_t i = 0; i < COUNT_OF(short_table); i++) {
		const bool arena = i - (ARENA >> MIB) < ARENA_SIZE >> MIB;
		const bool ram = i - (RAM_BASE >> MIB) < (RAM_END - RAM_BASE) >> MIB;
		const bool precious = (ram && !arena) || i == 0x080 || i == 0x090; /* GIC, UART */

		short_table[i] = i << MIB | (precious ? PRIVATE : USER) |
				 (ram ? SHORT_NORMAL : SHORT_DEVICE);
	}
	for (uint32_t i = 16; i < PAGES; i++) {
		const uint32_t at = RAM_BASE + i * 4096;

		short_pages[i] = at | (at - code < CORES_MAX * 4096 ? PAGE_RUN : PAGE_OWN);
	}
	short_table[RAM_BASE >> MIB] = (uint32_t)short_pages | SHORT_TABLE;
	mmu_flush();
}

static void leave(uint32_t iar)
{
	write_CNTV_CTL(0);
	write32(GICC_EOIR, iar);
}

/* The MMU, floating point, and an interrupt that waits. */
static void prepare_core(void *argument)
{
	(void)argument;
	mmu_short_on();
	asm volatile(
		"mcr p15, 0, %0, c1, c0, 2\n\tisb\n\tmcr p10, 7, %1, c8, c0, 0" ::"r"(0xfu << 20),
		"r"(FPEXC_EN));
	gic_cpu_on();
	gic_log()->hook = leave;
	gic_enable(INTID_VTIMER, 0x80);
	write_CNTV_TVAL(0);
}

static uint32_t some_pointer(bool user)
{
	static const uint32_t devices[] = {0x0a000000, 0x0a000200, 0x0a000600, 0x0a000c00,
					   0x0a000ffc, 0x0b000000, 0x0c000000, 0x00001000,
					   0x50000000, 0xc0000000, 0x08000000};
	const uint32_t kind = below(4);

	return !user || kind == 0 ? ARENA + below(ARENA_SIZE / 2)
	       : kind == 1        ? PICK(devices) + below(64) * 4
				  : nasty();
}

/* Loops that nothing ends: a branch of 16 bits to itself or just before, BLX into the other state.
 */
static bool is_loop(uint32_t word, bool thumb)
{
	for (uint32_t half = word; thumb && half != 0; half >>= 16) {
		if ((half & 0xf800) == 0xe000 ||
		    ((half & 0xf000) == 0xd000 && (half & 0xe00) != 0xe00)) {
			return true;
		}
	}
	return !thumb && (word >> 25 == 0x7d || word == 0xeafffffe);
}

/*
 * In privileged modes: what accesses neither memory nor a coprocessor, and goes on behind itself
 * (ARM DDI 0406C A5.1 to A5.7).
 */
static bool is_tame(uint32_t word)
{
	const uint32_t top = word >> 24, op = top >> 1 & 7;

	if (top >= 0xf0) {
		return top <= 0xf3 || top == 0xf5 || top == 0xf7;
	}
	if (op < 2) {
		const bool accesses = op == 0 && (word & 0x90) == 0x90 && (word & 0x01000060) != 0;

		return !accesses && (word >> 12 & 15) != 15;
	}
	return (op == 3 && (word & 0x10) != 0 && (word >> 12 & 15) != 15) || (top & 15) == 15;
}

static void one_word(uint32_t word, uint32_t cpsr)
{
	const uint32_t sctlr = read_SCTLR(), vbar = read_VBAR(), ttbr = read_TTBR0();
	const bool user = (cpsr & 0x1f) == PSR_USR;
	struct context *c = generate_one(word, cpsr);

	for (unsigned int n = 0; n < 15; n++) {
		c->r[n] = some_pointer(user);
	}
	write_CNTV_CTL(1);
	execute();
	check("a word ends in a vector", c->kind >= KIND_UNDEFINED && c->kind <= KIND_DATA_ABORT,
	      word, cpsr, c->kind);
	check("User mode stays itself, and nobody gets HYP mode",
	      user ? (c->cpsr & 0x1f) == PSR_USR
		   : (c->cpsr & 0x1f) != 0x1a && (c->cpsr & 0x1f) != 0x16,
	      word, cpsr, c->cpsr);
	check("its MMU and vectors stay",
	      sctlr == read_SCTLR() && vbar == read_VBAR() && ttbr == read_TTBR0(), word, cpsr,
	      read_SCTLR());
}

static void user_words(void *argument)
{
	const uint32_t state = *(const uint32_t *)argument;
	const uint32_t udf = state != 0 ? UDF_THUMB : UDF_ARM;
	uint32_t *page = (uint32_t *)generate_one(udf, PSR_USR)->pc;

	for (uint32_t i = 0; i < PAGES * 4; i++) {
		page[i] = udf;
	}
	for (uint32_t i = 0; i < WORDS; i++) {
		const uint32_t word = any();

		if (!is_loop(word, state != 0)) {
			one_word(word, PSR_USR | PSR_AIF | state);
		}
	}
}

static void privileged_words(void *argument)
{
	static const uint32_t modes[] = {PSR_SVC, PSR_SVC, PSR_SYS, PSR_FIQ, PSR_IRQ};

	(void)argument;
	for (uint32_t i = 0; i < WORDS; i++) {
		const uint32_t word = below(3) == 0   ? any()
				      : below(2) == 0 ? 0xe1000000 | (any() & 0x01ffffff)
						      : 0xf1000000 | (any() & 0xffffff);

		if (is_tame(word)) {
			one_word(word, PICK(modes) | PSR_AIF);
		}
	}
}

void payload(void)
{
	uint32_t state = 0;

	hostile_begin();
	gic_reset();
	build_tables();
	on_all(prepare_core, NULL);
	on_all(user_words, &state);
	checked("Arm words in User mode");
	state = PSR_T;
	on_all(user_words, &state);
	checked("Thumb words in User mode");
	on_all(privileged_words, NULL);
	checked("words in other modes");
	hostile_end();
}
