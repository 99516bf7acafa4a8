/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of virtio transports, which is read with no exit: what reads find there, whatever their
 * form, and that each write comes to its device. There is one transport, a console.
 */
#include "payload.h"

#define TRANSPORT    0x0a000000u
#define FEATURES     (TRANSPORT + 0x10)
#define FEATURES_SEL (TRANSPORT + 0x14)
#define STATUS       (TRANSPORT + 0x70)
#define HOLE         (TRANSPORT + 0x200)
#define EXTERNAL     0x008u
#define WNR          0x800u
#define FSR          0xe3fu
#define RING_PACKED  4u /* of the upper features word; the lower one has others */

ARM_CODE(read_many, "ldmia r1, {r3-r6}");
ARM_CODE(read_bytes, "ldrb r3, [r1], #1\nldrb r4, [r1], #1\nldrh r5, [r1]");
ARM_CODE(store, "str r3, [r1]");
ARM_CODE(store_post, "str r3, [r1], #4");
ARM_CODE(store_many, "stmia r1, {r3}");
ARM_CODE(store_user, "strt r3, [r1]");
ARM_CODE(store_swap, ".inst 0xe1013093"); /* swp r3, r3, [r1] */
ARM_CODE(store_byte, "strb r3, [r1]");
ARM_CODE(store_half, "strh r3, [r1]");
ARM_CODE(clean_line, "mcr p15, 0, r1, c7, c10, 1");
ARM_CODE(invalidate_line, "mcr p15, 0, r1, c7, c6, 1");
THUMB_CODE(store_narrow, "str r3, [r1]");
THUMB_CODE(store_wide, "str.w r3, [r1]");
THUMB_CODE(store_it, "itt eq\nstreq r3, [r1]\nmoveq r4, #1");

static struct context *run(const char *code, uint32_t cpsr, uint32_t address, uint32_t value)
{
	struct context *c = prepare(code, cpsr | PSR_AIF);

	c->r[1] = address;
	c->r[3] = value;
	execute();
	return c;
}

static void reads(void)
{
	const struct context *c = run(read_many, PSR_SVC, TRANSPORT, 0);

	result("LDM of magic, version, ID, vendor",
	       reached(c, read_many_end) && c->r[3] == 0x74726976 && c->r[4] == 2 && c->r[5] == 3 &&
		       c->r[6] == 0x79766962,
	       "0x%x 0x%x 0x%x 0x%x", c->r[3], c->r[4], c->r[5], c->r[6]);
	c = run(read_bytes, PSR_USR, TRANSPORT, 0);
	result("bytes and a halfword, User mode",
	       reached(c, read_bytes_end) && c->r[3] == 'v' && c->r[4] == 'i' && c->r[5] == 0x7472,
	       "0x%x 0x%x 0x%x", c->r[3], c->r[4], c->r[5]);
	equal("SHMLen", read32(TRANSPORT + 0xb0), 0xffffffff);
	equal("the console's size is of one word", read32(TRANSPORT + 0x100) >> 16 != 0, true);
	equal("nothing behind the transport", read32(HOLE), 0);
	equal("nor at the page's end", read32(TRANSPORT + 0xffc), 0);
}

/* The word at FEATURES is of the selected word at once. @takes: the write counts. */
static void write_form(const char *name, const char *code, const char *end, uint32_t cpsr,
		       bool takes)
{
	const struct context *c;
	uint32_t low, high;

	write32(FEATURES_SEL, 0);
	low = read32(FEATURES);
	c = run(code, cpsr, FEATURES_SEL, 1);
	high = read32(FEATURES);
	result(name,
	       reached(c, end) && ((high & RING_PACKED) != 0) == takes && (high != low) == takes &&
		       low >> 28 != 0,
	       "kind %u, features 0x%x, then 0x%x", c->kind, low, high);
}

#define WRITE_FORM(name, code, cpsr, takes) write_form(name, code, code##_end, cpsr, takes)

static void writes(void)
{
	WRITE_FORM("STR", store, PSR_SVC, true);
	WRITE_FORM("STR, User mode", store, PSR_USR, true);
	WRITE_FORM("STR with writeback", store_post, PSR_SVC, true);
	WRITE_FORM("STM", store_many, PSR_FIQ, true);
	WRITE_FORM("STRT", store_user, PSR_SVC, true);
	WRITE_FORM("SWP", store_swap, PSR_SVC, true);
	WRITE_FORM("STR, Thumb", store_narrow, PSR_SVC | PSR_T, true);
	WRITE_FORM("STR.W, Thumb", store_wide, PSR_SVC | PSR_T, true);
	WRITE_FORM("STREQ in an IT block, which is taken", store_it, PSR_SVC | PSR_T | PSR_Z, true);
	WRITE_FORM("STREQ in an IT block, which is not", store_it, PSR_SVC | PSR_T, false);
	WRITE_FORM("STRB", store_byte, PSR_SVC, false);
	WRITE_FORM("STRH", store_half, PSR_SVC, false);
}

/* str rN, [r1 or r0], made here. */
static void registers(uint32_t mode, const char *name)
{
	static uint32_t made[2] = {0, 0xe7f000f0};
	uint32_t bad = 0;

	for (unsigned int n = 0; n < 15; n++) {
		const unsigned int base = n == 1 ? 0 : 1;
		struct context *c;

		made[0] = 0xe5800000u | base << 16 | n << 12;
		asm volatile("dsb\n\tmcr p15, 0, %0, c7, c5, 0\n\tdsb\n\tisb" ::"r"(0) : "memory");
		write32(FEATURES_SEL, 0);
		c = prepare((const char *)made, mode | PSR_AIF);
		c->r[base] = FEATURES_SEL;
		c->r[n] = 1;
		execute();
		bad |= c->kind == KIND_UNDEFINED && (read32(FEATURES) & RING_PACKED) != 0 ? 0
											  : 1u << n;
	}
	result(name, bad == 0, "stores that went wrong: 0x%x", bad);
}

static void status(void)
{
	write32(STATUS, 0);
	write32(STATUS, 1);
	write32(STATUS, 3);
	equal("Status", read32(STATUS), 3);
	write32(STATUS, 0);
	equal("Status after a reset", read32(STATUS), 0);
	equal("InterruptStatus", read32(TRANSPORT + 0x60), 0);
}

static void nothing_else(void)
{
	const struct context *c;

	write_DFSR(0);
	c = run(store, PSR_SVC, HOLE + 0x14, 1);
	result("STR where no transport is",
	       c->kind == KIND_DATA_ABORT && (read_DFSR() & FSR) == (EXTERNAL | WNR) &&
		       read_DFAR() == HOLE + 0x14,
	       "kind %u, DFSR 0x%x, DFAR 0x%x", c->kind, read_DFSR(), read_DFAR());
	write_IFSR(0);
	c = run((const char *)TRANSPORT, PSR_SVC, 0, 0);
	result("instruction fetch", c->kind == KIND_PREFETCH_ABORT && c->pc == TRANSPORT + 4,
	       "kind %u at 0x%x", c->kind, c->pc);
	c = run(clean_line, PSR_SVC, TRANSPORT, 0);
	result("cache clean", reached(c, clean_line_end), "kind %u", c->kind);
	c = run(invalidate_line, PSR_SVC, TRANSPORT, 0);
	result("cache invalidate", reached(c, invalidate_line_end), "kind %u", c->kind);
	equal("magic, after all that", read32(TRANSPORT), 0x74726976);
}

void payload(void)
{
	reads();
	writes();
	registers(PSR_SVC, "each register of SVC mode");
	registers(PSR_FIQ, "each register of FIQ mode");
	registers(PSR_USR, "each register of User mode");
	status();
	nothing_else();
}
