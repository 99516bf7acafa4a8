/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses to where nothing is, or what is not the guest's: each a proper abort, however it is
 * taken. */
#include "mmu.h"
#include "payload.h"

#define SCTLR_A       (1u << 1)
#define SCTLR_V       (1u << 13)
#define SCTLR_EE      (1u << 25)
#define SCTLR_TE      (1u << 30)
#define EXTERNAL      0x008u /* status, short descriptors */
#define LONG_EXTERNAL 0x210u
#define WNR           0x800u
#define STATUS        0xe3fu      /* of DFSR: WnR, LPAE, FS; not ExT and domain */
#define NOWHERE       0x48000000u /* above the 128 MiB that the tests run with */
#define SVC_MODE      (PSR_SVC | PSR_AIF)

static uint32_t ram_end; /* bivy keeps the last MiB */

ARM_CODE(load, "ldr r3, [r1]");
ARM_CODE(load_byte, "ldrb r3, [r1]");
ARM_CODE(store, "str r3, [r1]");
ARM_CODE(store_half, "strh r3, [r1]");
ARM_CODE(load_double, "ldrd r4, r5, [r1]");
ARM_CODE(load_many, "ldmia r1!, {r3-r6}");
ARM_CODE(store_many, "stmdb r1!, {r3-r6}");
ARM_CODE(load_post, "ldr r3, [r1], #4");
ARM_CODE(load_post_byte, "ldrb r3, [r1], #1");
ARM_CODE(swap, ".inst 0xe1013093"); /* swp r3, r3, [r1] */
ARM_CODE(load_exclusive, "ldrex r3, [r1]");
ARM_CODE(load_vfp, ".inst 0xed910b00"); /* vldr d0, [r1] */
ARM_CODE(preload, "pld [r1]");
ARM_CODE(clean_line, "mcr p15, 0, r1, c7, c10, 1");
ARM_CODE(invalidate_line, "mcr p15, 0, r1, c7, c6, 1");
THUMB_CODE(load_thumb, "ldr r3, [r1]");
THUMB_CODE(store_thumb, "str.w r3, [r1]");
THUMB_CODE(load_it, "itt eq\nldreq r3, [r1]\nmoveq r4, #1");

/* The data abort that @code, whose first instruction it is, must have caused. */
static bool aborted(const struct context *c, const char *code, uint32_t cpsr, uint32_t status,
		    uint32_t address)
{
	return c->kind == KIND_DATA_ABORT && c->pc == (uint32_t)code + 8 && c->cpsr == cpsr &&
	       (read_DFSR() & STATUS) == status && read_DFAR() == address &&
	       (c->taken_cpsr & (PSR_A | PSR_I | 0x1f)) == (PSR_A | PSR_I | PSR_ABT);
}

static void report(const char *name, bool good, const struct context *c)
{
	result(name, good,
	       "kind %u, LR 0x%x, SPSR 0x%x, CPSR 0x%x, DFSR 0x%x, DFAR 0x%x, IFSR 0x%x, IFAR 0x%x",
	       c->kind, c->pc, c->cpsr, c->taken_cpsr, read_DFSR(), read_DFAR(), read_IFSR(),
	       read_IFAR());
}

static void aborts(const char *name, const char *code, uint32_t cpsr, uint32_t address,
		   uint32_t status)
{
	struct context *c = prepare(code, cpsr);

	c->r[1] = address;
	write_DFSR(0);
	write_DFAR(0);
	execute();
	report(name, aborted(c, code, cpsr, status, address) && c->r[1] == address, c);
}

static void fetch_aborts(const char *name, uint32_t cpsr, uint32_t address, uint32_t status)
{
	struct context *c = prepare((const char *)address, cpsr);

	write_IFSR(0);
	write_IFAR(0);
	execute();
	report(name,
	       c->kind == KIND_PREFETCH_ABORT && c->pc == address + 4 && c->cpsr == cpsr &&
		       read_IFAR() == address && (read_IFSR() & 0x63f) == status &&
		       (c->taken_cpsr & (PSR_A | PSR_I | 0x1f)) == (PSR_A | PSR_I | PSR_ABT),
	       c);
}

static void runs(const char *name, const char *code, const char *end, uint32_t address)
{
	struct context *c = prepare(code, SVC_MODE);

	c->r[1] = address;
	execute();
	report(name, reached(c, end), c);
}

/* Every way to touch one address. @external: the status. */
static void all_accesses(uint32_t address, uint32_t external)
{
	aborts("LDR", load, SVC_MODE, address, external);
	aborts("LDRB", load_byte, SVC_MODE, address + 3, external);
	aborts("STR", store, SVC_MODE, address, external | WNR);
	aborts("STRH", store_half, SVC_MODE, address + 2, external | WNR);
	aborts("LDRD", load_double, SVC_MODE, address, external);
	aborts("LDM with writeback", load_many, SVC_MODE, address, external);
	aborts("LDR with writeback", load_post, SVC_MODE, address, external);
	aborts("LDRB with writeback, User mode", load_post_byte, PSR_USR | PSR_AIF, address + 1,
	       external);
	aborts("LDREX", load_exclusive, SVC_MODE, address, external);
	aborts("LDR, Thumb", load_thumb, SVC_MODE | PSR_T, address, external);
	aborts("STR.W, Thumb", store_thumb, SVC_MODE | PSR_T, address, external | WNR);
	aborts("LDR, User mode", load, PSR_USR | PSR_AIF, address, external);
	aborts("LDR, FIQ mode", load, PSR_FIQ | PSR_AIF, address, external);
	fetch_aborts("instruction fetch", SVC_MODE, address, external);
	fetch_aborts("instruction fetch, Thumb", SVC_MODE | PSR_T, address + 2, external);
	fetch_aborts("instruction fetch, User mode", PSR_USR | PSR_AIF, address, external);
}

/* Sensitive places under bivy that a guest must not reach. */
static void bivys_places(void)
{
	static const uint32_t places[] = {
		0x00000000, /* flash on the board */
		0x08020000, /* between the GIC's pages */
		0x08030000, /* GICH of the board */
		0x08040000, /* GICV of the board */
		0x09001000, /* behind the PL011 */
		0x09020000, /* fw-cfg of the board */
		0x0a001000, /* virtio of the board */
		0x10000000, 0x3f000000, 0xfffff000,
	};

	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		all_accesses(places[i], EXTERNAL);
	}
	for (uint32_t offset = 0; offset < 0x100000; offset += 0x10000) {
		all_accesses(ram_end + offset, EXTERNAL);
	}
	fetch_aborts("instruction fetch from the PL011", SVC_MODE, 0x09000000, EXTERNAL);
	fetch_aborts("instruction fetch from the GIC", SVC_MODE, 0x08000000, EXTERNAL);
	runs("cache clean of bivy's memory", clean_line, clean_line_end, ram_end);
	runs("cache invalidate of bivy's memory", invalidate_line, invalidate_line_end, ram_end);
	runs("preload of bivy's memory", preload, preload_end, ram_end);
	runs("cache clean of the PL011", clean_line, clean_line_end, 0x09000000);
}

static void it_block(void)
{
	struct context *c = prepare(load_it, SVC_MODE | PSR_T | PSR_Z);

	c->r[1] = NOWHERE;
	execute();
	report("abort in an IT block: SPSR has IT, CPSR not",
	       c->kind == KIND_DATA_ABORT && c->pc == (uint32_t)load_it + 10 &&
		       (c->cpsr & 0x0600fc00) == 0x00000400 && (c->taken_cpsr & 0x0600fc00) == 0,
	       c);
}

/* Across the end of a device, and of RAM: the abort names the first address that isn't there; the
 * base stays. */
static void crossing(void)
{
	struct context *c = prepare(load_many, SVC_MODE);

	c->r[1] = 0x09000ff8;
	execute();
	report("LDM across the end of the PL011",
	       aborted(c, load_many, SVC_MODE, EXTERNAL, 0x09001000) && c->r[1] == 0x09000ff8, c);
	c = prepare(store_many, SVC_MODE);
	c->r[1] = ram_end + 8;
	execute();
	report("STM across the end of RAM",
	       aborted(c, store_many, SVC_MODE, EXTERNAL | WNR, ram_end) && c->r[1] == ram_end + 8,
	       c);
	c = prepare(load_many, SVC_MODE);
	c->r[1] = ram_end - 8;
	execute();
	report("LDM across the end of RAM",
	       aborted(c, load_many, SVC_MODE, EXTERNAL, ram_end) && c->r[1] == ram_end - 8, c);
	write32(ram_end - 4, 0xf000bf00); /* nop; the first half of a wide instruction */
	c = prepare((const char *)ram_end - 2, SVC_MODE | PSR_T);
	execute();
	report("instruction across the end of RAM",
	       c->kind == KIND_PREFETCH_ABORT && c->pc == ram_end + 2 && read_IFAR() == ram_end, c);
}

static void unaligned(void)
{
	if (under_bivy) { /* QEMU lets unaligned accesses to devices pass, the architecture does not
			   */
		struct context *c = prepare(load, SVC_MODE);
		uint32_t status;

		c->r[1] = 0x09000001;
		execute();
		status = read_DFSR() & STATUS;
		report("unaligned LDR of a device",
		       c->kind == KIND_DATA_ABORT && read_DFAR() == 0x09000001 &&
			       (status == 1 || status == EXTERNAL),
		       c);
	}
	write_SCTLR(read_SCTLR() | SCTLR_A);
	aborts("unaligned LDR with SCTLR.A", load, SVC_MODE, 0x40100001, 0x001);
	write_SCTLR(read_SCTLR() & ~SCTLR_A);
}

/* A copy of the vectors whose data abort entry looks like that of SVC, so that it shows which one
 * was used. */
static uint32_t other_vectors[1024] __attribute__((aligned(4096)));

static void copy_vectors(void)
{
	memcpy(other_vectors, vectors, sizeof(other_vectors));
	other_vectors[4] = other_vectors[2] - 2; /* the branch is relative */
	asm volatile("dsb\n\tmcr p15, 0, %0, c7, c5, 0\n\tdsb\n\tisb" ::"r"(0) : "memory");
}

static void takes(const char *name, uint32_t kind)
{
	struct context *c = prepare(load, SVC_MODE);

	c->r[1] = NOWHERE;
	execute();
	report(name, c->kind == kind && c->pc == (uint32_t)load + 8 && read_DFAR() == NOWHERE, c);
}

static void where_taken(void)
{
	struct context *c;

	copy_vectors();
	write_VBAR((uint32_t)other_vectors);
	takes("VBAR elsewhere", KIND_SVC);
	write_VBAR((uint32_t)vectors);
	takes("VBAR back", KIND_DATA_ABORT);

	write_VBAR((uint32_t)thumb_vectors);
	write_SCTLR(read_SCTLR() | SCTLR_TE);
	takes("SCTLR.TE: vectors in Thumb", KIND_DATA_ABORT);
	fetch_aborts("SCTLR.TE: prefetch abort", SVC_MODE, NOWHERE, EXTERNAL);
	write_SCTLR(read_SCTLR() & ~SCTLR_TE);
	write_VBAR((uint32_t)vectors);

	write_SCTLR(read_SCTLR() | SCTLR_EE);
	c = prepare(load, SVC_MODE);
	c->r[1] = NOWHERE;
	execute();
	report("SCTLR.EE: the abort is taken big-endian",
	       c->kind == KIND_DATA_ABORT && (c->taken_cpsr & PSR_E) != 0 && (c->cpsr & PSR_E) == 0,
	       c);
	write_SCTLR(read_SCTLR() & ~SCTLR_EE);
	c = prepare(load, SVC_MODE | PSR_E);
	c->r[1] = NOWHERE;
	execute();
	report("an abort of big-endian code is taken little-endian",
	       c->kind == KIND_DATA_ABORT && (c->taken_cpsr & PSR_E) == 0 && (c->cpsr & PSR_E) != 0,
	       c);
}

/* One walk status: at the level where QEMU alone says it; bivy can't know the level. */
static bool walk_status(uint32_t status, uint32_t exact, uint32_t first)
{
	return status == exact || (under_bivy && status == first);
}

static void with_short_descriptors(void)
{
	const uint32_t high_nibble = under_bivy ? 8 : 2; /* PA[39:36]; QEMU has its PCI at 8 */
	struct context *c;

	mmu_short();
	all_accesses(NOWHERE, EXTERNAL);
	short_table[0xfff] = (uint32_t)short_pages | SHORT_TABLE;
	short_pages[0xf0] = (uint32_t)other_vectors | SHORT_PAGE;
	short_table[0x900] = 0;
	short_table[0x901] = (NOWHERE + 0x2000) | SHORT_TABLE;
	for (unsigned int i = 0; i < 16; i++) {
		short_table[0xa00 + i] = 0x09000000 | SHORT_SUPERSECTION | SHORT_DEVICE;
		short_table[0xa10 + i] = high_nibble << 5 | SHORT_SUPERSECTION | SHORT_DEVICE;
	}
	mmu_flush();
	aborts("the guest's own translation fault", load, SVC_MODE, 0x90000000, 0x005);
	c = prepare(store, SVC_MODE);
	c->r[1] = 0x90100000;
	execute();
	report("walk of a table that is nowhere",
	       c->kind == KIND_DATA_ABORT && c->pc == (uint32_t)store + 8 &&
		       read_DFAR() == 0x90100000 && walk_status(read_DFSR() & 0x60f, 0x00e, 0x00c),
	       c);
	c = prepare((const char *)0x90100000, SVC_MODE);
	execute();
	report("instruction fetch by a table that is nowhere",
	       c->kind == KIND_PREFETCH_ABORT && c->pc == 0x90100004 && read_IFAR() == 0x90100000 &&
		       walk_status(read_IFSR() & 0x60f, 0x00e, 0x00c),
	       c);
	c = prepare(load_post, SVC_MODE);
	c->r[1] = 0xa0000fe0;
	execute();
	report("LDR with writeback of the PL011 by a supersection",
	       reached(c, load_post_end) && c->r[3] == 0x11 && c->r[1] == 0xa0000fe4, c);
	all_accesses(0xa1000000, EXTERNAL); /* 40 bits of address */
	write_SCTLR(read_SCTLR() | SCTLR_V);
	takes("SCTLR.V: high vectors", KIND_SVC);
	write_SCTLR(read_SCTLR() & ~SCTLR_V);
	mmu_off();
}

static void with_long_descriptors(void)
{
	struct context *c;

	mmu_long();
	long_blocks[0] = (under_bivy ? 0x8000000000 : 0x2000000000) | LONG_DEVICE;
	long_blocks[1] = 0x09000000 | LONG_DEVICE;
	long_blocks[2] = 0xffffe00000 | LONG_DEVICE;
	long_blocks[3] = (NOWHERE + 0x3000) | LONG_TABLE;
	long_blocks[4] = NOWHERE | LONG_BLOCK;
	mmu_flush();
	all_accesses(0x80000000, LONG_EXTERNAL);
	if (under_bivy) {
		all_accesses(0x80400000, LONG_EXTERNAL);
	}
	all_accesses(0x80800000, LONG_EXTERNAL);
	aborts("the guest's own translation fault, LPAE", load, SVC_MODE, 0x80a00000, 0x206);
	c = prepare(load, SVC_MODE);
	c->r[1] = 0x80600000;
	execute();
	report("walk of a table that is nowhere, LPAE",
	       c->kind == KIND_DATA_ABORT && c->pc == (uint32_t)load + 8 &&
		       read_DFAR() == 0x80600000 && walk_status(read_DFSR() & 0x63f, 0x217, 0x215),
	       c);
	c = prepare(load_double, PSR_USR | PSR_AIF);
	c->r[1] = 0x80200fe0;
	execute();
	report("LDRD of the PL011 by a block, User mode",
	       reached(c, load_double_end) && c->r[4] == 0x11 && c->r[5] == 0x10, c);
	mmu_off();
}

static void on_another_core(void *argument)
{
	(void)argument;
	all_accesses(under_bivy ? ram_end : NOWHERE, EXTERNAL);
}

void payload(void)
{
	ram_end = under_bivy ? NOWHERE - 0x100000 : NOWHERE;
	all_accesses(NOWHERE, EXTERNAL);
	all_accesses(0xe0000000, EXTERNAL);
	if (under_bivy) {
		bivys_places();
		crossing();
	}
	it_block();
	unaligned();
	where_taken();
	with_short_descriptors();
	with_long_descriptors();
	if (core_count > 1) {
		run_on(1, on_another_core, NULL);
	}
}
