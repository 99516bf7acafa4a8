/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole IPA space of 40 bits, by both formats of stage 1: where nothing of the guest's is, each
 * access of each form is an external abort. Loads and stores made at random on devices. Code that
 * changes, caches flushed by set and way, MMUs switched. All of it on all cores at once.
 */
#include "hostile.h"
#include "mmu.h"

#define STATUS        0x63fu /* of DFSR and IFSR with EAE: LPAE, status */
#define SHORT_STATUS  0x60fu
#define LONG_EXTERNAL 0x210u
#define EXTERNAL      0x008u
#define WALK          0x014u /* LPAE: external abort on a walk, but for its level */
#define BLOCK         0x200000u
#define WINDOW        0x80000000u /* long_blocks */
#define SLOTS         128u        /* blocks of each core's own */
#define SCTLR_CACHES  0x1004u
#define ROUNDS        600u

enum shape { LOAD, STORE, FETCH, THUMB };

/* r1 is the address. */
static const struct {
	uint32_t word;
	enum shape shape;
} accesses[] = {
	{0xe5913000, LOAD},  /* ldr r3, [r1] */
	{0xe5d13000, LOAD},  /* ldrb */
	{0xe1d130b0, LOAD},  /* ldrh */
	{0xe1d130f0, LOAD},  /* ldrsh */
	{0xe1c140d0, LOAD},  /* ldrd r4, r5, [r1] */
	{0xe8b10078, LOAD},  /* ldmia r1!, {r3-r6} */
	{0xe4913004, LOAD},  /* ldr r3, [r1], #4 */
	{0xe4b13004, LOAD},  /* ldrt r3, [r1], #4 */
	{0xe1913f9f, LOAD},  /* ldrex r3, [r1] */
	{0xe1b14f9f, LOAD},  /* ldrexd r4, r5, [r1] */
	{0xe1013093, LOAD},  /* swp r3, r3, [r1] */
	{0xe5813000, STORE}, /* str */
	{0xe5c13000, STORE}, /* strb */
	{0xe1c130b0, STORE}, /* strh */
	{0xe1c140f0, STORE}, /* strd r4, r5, [r1] */
	{0xe8a10078, STORE}, /* stmia r1!, {r3-r6} */
	{0xe4813004, STORE}, /* str r3, [r1], #4 */
	{0, FETCH},          {0, THUMB},
};

/*
 * What the guest has: emulated, mapped, or read with no exit. With more than 32 bits, too: QEMU
 * 7.2's HPFAR has only those.
 */
static bool is_there(uint64_t page)
{
	static const uint32_t places[] = {0x08000000, 0x08010000, 0x08011000,
					  0x09000000, 0x09010000, 0x0a000000};

	for (unsigned int i = 0; i < COUNT_OF(places); i++) {
		if ((uint32_t)page == places[i]) {
			return true;
		}
	}
	return page >= RAM_BASE && page < RAM_END;
}

/* A page of 40 bits: any, or one beside a boundary. */
static uint64_t some_page(void)
{
	static const uint32_t edges[] = {0x08000000, 0x08010000, 0x08020000, 0x08030000, 0x08040000,
					 0x09000000, 0x09010000, 0x0a000000, RAM_BASE,   RAM_END,
					 BIVY,       NOWHERE,    0x10000000, 0x3f000000};
	const uint32_t kind = below(4);
	uint64_t page = (uint64_t)(any() & 0xff) << 32 | (any() & 0xfffff000);

	if (kind == 0) {
		page = (1ull << (12 + below(29))) - 0x1000 * below(3);
	} else if (kind == 1) {
		page = PICK(edges) + (uint64_t)0x1000 * below(17) - 0x8000;
		page |= below(4) == 0 ? (uint64_t)(1u << below(8)) << 32 : 0;
	} else if (kind == 2) {
		page &= 0x1ffffffff; /* where QEMU has more than nothing */
	}
	return page & 0xfffffff000;
}

static struct context *touch(unsigned int access, uint32_t va)
{
	const enum shape shape = accesses[access].shape;
	const uint32_t mode = below(8) == 0 ? PSR_USR : below(2) != 0 ? PSR_SVC : PSR_FIQ;
	struct context *c;

	if (shape == LOAD || shape == STORE) {
		c = generate_one(accesses[access].word, mode | PSR_AIF);
		c->r[1] = va;
	} else {
		c = prepare((const char *)va, mode | PSR_AIF | (shape == THUMB ? PSR_T : 0));
	}
	write_DFSR(0);
	write_IFSR(0);
	execute();
	return c;
}

/* Only an external abort may come of it, and at that place. */
static void nothing_there(uint64_t page, uint32_t va, uint32_t mask, uint32_t status)
{
	const unsigned int access = below(COUNT_OF(accesses));
	const bool fetch = accesses[access].shape >= FETCH;
	const uint32_t at = va + 8 * below(500);
	const struct context *c = touch(access, at);

	if (fetch) {
		check("a fetch is aborted",
		      c->kind == KIND_PREFETCH_ABORT && c->pc == at + 4 &&
			      (read_IFSR() & mask) == status && read_IFAR() == at,
		      (uint32_t)(page >> 12), c->kind, read_IFSR());
	} else {
		check("an access is aborted",
		      c->kind == KIND_DATA_ABORT && (read_DFSR() & mask) == status &&
			      read_DFAR() == at && c->r[1] == at &&
			      (accesses[access].word == 0xe1013093 ||
			       (read_DFSR() >> 11 & 1) == (accesses[access].shape == STORE)),
		      (uint32_t)(page >> 12), accesses[access].word, read_DFSR() | c->kind << 16);
	}
}

static void all_ipas(void *argument)
{
	const uint32_t self = this_core()->index, first = self * SLOTS;

	(void)argument;
	mmu_long();
	for (uint32_t i = 0; i < 5 * ROUNDS; i++) {
		const uint64_t page = some_page();
		const uint32_t slot = first + i % SLOTS;

		if (is_there(page)) {
			continue;
		}
		long_blocks[slot] = (page & ~(uint64_t)(BLOCK - 1)) |
				    (below(2) != 0 ? LONG_BLOCK : LONG_DEVICE);
		mmu_flush();
		nothing_there(page, WINDOW + slot * BLOCK + (uint32_t)(page & (BLOCK - 1)), STATUS,
			      LONG_EXTERNAL);
	}
	mmu_off();
}

/* Supersections of 40 bits, in a table that all cores share: each has its own. */
static void all_supersections(void *argument)
{
	const uint32_t self = this_core()->index, first = 0xa00 + self * 0x40;

	(void)argument;
	mmu_short_on();
	for (uint32_t i = 0; i < ROUNDS; i++) {
		const uint64_t page = some_page();
		const uint32_t high = (uint32_t)(page >> 32), slot = first + i % 4 * 16;

		if (is_there(page)) {
			continue;
		}
		for (unsigned int n = 0; n < 16; n++) {
			short_table[slot + n] = ((uint32_t)page & 0xff000000) | (high & 15) << 20 |
						high >> 4 << 5 | SHORT_SUPERSECTION | SHORT_DEVICE;
		}
		mmu_flush();
		nothing_there(page, (slot << 20) + ((uint32_t)page & 0xffffff), SHORT_STATUS,
			      EXTERNAL);
	}
	mmu_off();
}

/* Tables of the guest that lie where it has no memory, or devices. */
static void all_walks(void *argument)
{
	const uint32_t slot = this_core()->index * SLOTS;

	(void)argument;
	mmu_long();
	for (uint32_t i = 0; i < ROUNDS; i++) {
		const uint64_t page = some_page();
		const struct context *c;

		/* QEMU forgets the upper 8 bits of a table's address */
		if (page >> 32 != 0 || (page >= RAM_BASE && page < RAM_END)) {
			continue;
		}
		long_blocks[slot] = page | LONG_TABLE;
		mmu_flush();
		c = touch(below(COUNT_OF(accesses)), WINDOW + slot * BLOCK + 8 * below(0x400));
		check("a walk of what is no memory is aborted",
		      (c->kind == KIND_DATA_ABORT || c->kind == KIND_PREFETCH_ABORT) &&
			      (is_there(page) ||
			       ((c->kind == KIND_DATA_ABORT ? read_DFSR() : read_IFSR()) & 0x3c) ==
				       WALK),
		      (uint32_t)(page >> 12), c->kind, read_DFSR());
	}
	mmu_off();
}

/*
 * A load or store of random bits, which does not load PC, with r1 as base (ARM DDI 0406C A5.3,
 * A5.2.8, A5.5, A6.3.5 to A6.3.10). Each row: what it is, which bits are at random.
 */
static uint32_t some_transfer(bool thumb)
{
	static const uint32_t arm[][2] = {
		{0xe4010000, 0x01f00fff}, /* LDR, STR, bytes; an offset */
		{0xe6010000, 0x01f00fef}, /* a shifted register */
		{0xe0010090, 0x01f00f6f}, /* halfwords, signed, doubles, exclusive */
		{0xe8010000, 0x01f07fff}, /* LDM, STM */
		{0xed010b00, 0x00b0e01e}, /* VFP */
	};
	static const uint32_t wide[][2] = {
		{0xf8010000, 0x01f00fff}, /* LDR, STR of all sizes */
		{0xe8410400, 0x01b000ff}, /* doubles, exclusive */
		{0xe8810000, 0x00305fff}, /* LDMIA, STMIA */
		{0xe9010000, 0x00305fff}, /* LDMDB, STMDB */
		{0xed010b00, 0x00b0e01e},
	};
	const uint32_t *row = thumb ? PICK(wide) : PICK(arm);
	const bool list = (row[1] & 0xf000) != 0;

	return row[0] | (any() & row[1]) | (list ? 0 : (2 + below(11)) << 12);
}

static const uint32_t devices[] = {0x08000100, 0x08000420, 0x08000c08, 0x08010000, 0x08011000,
				   0x09000020, 0x09000fe0, 0x09010000, 0x0a000000, 0x0a000210,
				   0x0a000470, 0x0a000ff8, 0x08000f00, NOWHERE,    0x08020000};

static void strange_instructions(void *argument)
{
	(void)argument;
	for (uint32_t i = 0; i < 10 * ROUNDS; i++) {
		const bool thumb = below(2) != 0;
		const uint32_t word = some_transfer(thumb);
		struct context *c = generate_one(thumb ? word << 16 | word >> 16 : word,
						 (below(2) != 0 ? PSR_SVC : PSR_FIQ) | PSR_AIF |
							 (thumb ? PSR_T : 0));

		for (unsigned int n = 0; n < 15; n++) {
			c->r[n] = below(4) * 4;
		}
		c->r[1] = PICK(devices) + below(5) - (below(2) != 0 ? 0 : 2);
		execute();
		check("an instruction on a device ends, or is aborted",
		      c->kind == KIND_UNDEFINED || c->kind == KIND_DATA_ABORT, word, c->kind,
		      c->pc);
	}
}

/* Data cache operations by set and way, all of them (CCSIDR, B4.2.1). */
static void flush_by_way(uint32_t round)
{
	for (uint32_t set = 0; set < 64; set++) {
		const uint32_t way = (set + round) << 30 | set << 6;

		asm volatile("mcr p15, 0, %0, c7, c6, 2\n\tmcr p15, 0, %0, c7, c10, 2\n\t"
			     "mcr p15, 0, %0, c7, c14, 2\n\tmcr p15, 0, %1, c7, c14, 2" ::"r"(way),
			     "r"(way | 2)
			     : "memory");
	}
	asm volatile("dsb" ::: "memory");
}

/* Code that returns what was last written into it; the MMU by turns on. */
static void changing_code(void *argument)
{
	static void (*const mmu[3])(void) = {mmu_off, mmu_long, mmu_off};
	uint32_t *kept = (uint32_t *)(ARENA + this_core()->index * 0x1000);

	(void)argument;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		const uint32_t value = below(0x10000);
		const uint32_t words[2] = {0xe3000000u | value >> 12 << 16 | (value & 0xfff),
					   below(2) != 0 ? 0xe2800000u : 0xe1a00000u};
		const struct context *c;

		mmu[i % 3]();
		write_SCTLR(read_SCTLR() ^ (i % 3 == 1 ? SCTLR_CACHES : 0));
		kept[i % 64] = value;
		c = generate(words, 2, SVC_MODE);
		flush_by_way(i);
		execute();
		check("code is what was last written", ended(c, 2) && c->r[0] == value, value,
		      c->r[0], c->kind);
		check("data is what was last written", kept[i % 64] == value, value, kept[i % 64],
		      i);
		write_SCTLR(read_SCTLR() & ~SCTLR_CACHES);
	}
	mmu_off();
}

void payload(void)
{
	hostile_begin();
	on_all(all_ipas, NULL);
	checked("the IPA space, LPAE");
	mmu_short();
	mmu_off();
	on_all(all_supersections, NULL);
	checked("the IPA space, supersections");
	on_all(all_walks, NULL);
	checked("walks of what is no memory");
	on_all(strange_instructions, NULL);
	checked("loads and stores of any form on devices");
	on_all(changing_code, NULL);
	checked("code that changes, caches, MMU on and off");
	hostile_end();
}
