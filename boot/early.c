/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C before the MMU: check the processor, read the board's tree, move bivy to its place, make
 * the first tables. Compiled position independent; every pointer here is a physical address. Runs
 * on the boot core alone, all memory Strongly-ordered: no unaligned access, no static pointers.
 */
#include <libfdt.h>
#include <string.h>
#include "boot/early.h"
#include "hyp/arch.h"
#include "hyp/dt.h"
#include "hyp/cache.h"
#include "drivers/hw/access.h"

#define BOARD_TREE_MAX 0x200000u
#define PLACE_ALIGN    0x2000u /* bytes, for the root of stage 2 (ARM DDI 0406C B3.6.5) */

/* To write to a UART by polling: when a status register's bit is as @ready says. Register numbers.
 */
static const struct {
	uint8_t status, mask, ready, out;
} polled[UART_KINDS] = {
	[UART_PL011] = {0x18, 1u << 5, 0, 0},           /* FR.TXFF (ARM DDI 0183G 3.3.3) */
	[UART_NS16550] = {5, 1u << 5, 1u << 5, 0},      /* LSR.THRE */
	[UART_EXYNOS] = {0x10, 1u << 1, 1u << 1, 0x20}, /* UTRSTAT, transmit buffer empty */
};

struct board board;
uint32_t image_pa;
uint32_t board_tree[BOARD_TREE_KEPT / 4];
uint64_t boot_l1[4] __attribute__((aligned(32)));
uint64_t hyp_l1[4] __attribute__((aligned(32)));
uint64_t table_pool[PT_POOL_TABLES][PT_ENTRIES] __attribute__((aligned(PAGE_SIZE)));
unsigned int table_pool_used;

uint32_t early_place(const void *tree, uint32_t cpsr);
void early_map(void);

static void say(const char *text)
{
	const unsigned int kind = board.uart_kind, size = board.uart_words ? 4 : 1;
	const uint32_t base = (uint32_t)board.uart_base;
	const uint32_t status = base + ((uint32_t)polled[kind].status << board.uart_shift);
	const uint32_t out = base + ((uint32_t)polled[kind].out << board.uart_shift);

	for (; kind != UART_UNKNOWN && *text != '\0'; text++) {
		while ((mmio_read_size(status, size) & polled[kind].mask) != polled[kind].ready) {
		}
		mmio_write_size(out, size, (uint8_t)*text);
	}
}

static _Noreturn void stop(const char *sentence, const struct config_error *error)
{
	if (board.uart_base == 0) {
		board.uart_base = FALLBACK_UART;
		board.uart_kind = UART_PL011;
		board.uart_words = true;
	}
	say("bivy: ");
	say(sentence);
	if (error != NULL) {
		say(" ");
		say(error->node);
		say(" ");
		say(error->property);
		say(": ");
		say(error->text);
	}
	say("\r\nbivy: stopped\r\n");
	for (;;) {
		wfi();
	}
}

/* The start of what is free below @limit if [start, start + size) may not be touched, for KEEP_SIZE
 * bytes. */
static uint64_t below(uint64_t place, uint64_t start, uint64_t size)
{
	if (size == 0 || place + KEEP_SIZE <= start || place >= start + size) {
		return place;
	}
	return (start & ~(uint64_t)(PLACE_ALIGN - 1)) - KEEP_SIZE;
}

/* Whether bivy may run @here, and the bundle is above it, in RAM that goes on above 4 GiB. */
static bool may_stay(uint32_t here)
{
	return here % PLACE_ALIGN == 0 && here >= board.ram.base &&
	       board.bundle.base >= here + (uint64_t)KEEP_SIZE;
}

/*
 * Highest place in RAM for bivy that spares the bundle and the board's tree; the image where it
 * runs now, too, unless that is the place already. The window gets what is below. But code that
 * runs before the MMU needs a place below 4 GiB: if RAM goes on there, bivy stays where it was
 * loaded, which is near the bottom, and the window gets what is above.
 */
static uint32_t find_place(uint32_t here, uint32_t tree, uint32_t tree_size)
{
	const uint64_t most = (board.ram.base & ~0x1fffffull) + GUEST_RAM_MAX;
	uint64_t end = (board.ram.base + board.ram.size) & ~(uint64_t)(PLACE_ALIGN - 1);
	uint64_t place, wanted;

	if (end > most) {
		end = most;
	}
	if (board.ram.size < 4ull * KEEP_SIZE) {
		stop("this board has less than 4 MiB of RAM below 4 GiB; bivy needs more", NULL);
	}
	if (end > LOW_RAM_END) {
		if (may_stay(here)) {
			board.window.base = here + KEEP_SIZE;
			board.window.size = end - board.window.base;
			return here;
		}
		end = LOW_RAM_END;
	}
	wanted = end - KEEP_SIZE;
	for (unsigned int i = 0; i < 4; i++) {
		wanted = below(wanted, board.bundle.base, board.bundle.size);
		wanted = below(wanted, tree, tree_size);
	}
	place = wanted == here ? wanted : below(wanted, here, KEEP_SIZE);
	if (place != wanted) {
		place = below(below(place, board.bundle.base, board.bundle.size), tree, tree_size);
	}
	if (place < board.ram.base || place > end) {
		stop("the bundle, the board's device tree and bivy leave no room in RAM; load them "
		     "apart from each other",
		     NULL);
	}
	board.window.base = (board.ram.base + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	board.window.size = place - board.window.base;
	return (uint32_t)place;
}

static void check_processor(uint32_t cpsr)
{
	if (FIELD_GET(0xf000u, read_ID_PFR1()) == 0) {
		stop("this processor has no Virtualization Extensions (QEMU: "
		     "virtualization=on); bivy needs a Cortex-A15, A7 or A17",
		     NULL);
	}
	if ((cpsr & PSR_MODE) != PSR_HYP) {
		stop("not started in HYP mode; use firmware that hands over in HYP (QEMU: "
		     "secure=off,virtualization=on)",
		     NULL);
	}
}

/* One mapping of the image: VA and offset from HYP_VA are the same thing. */
static void map_image(struct pt_pool *pool, uint64_t *root, const char *start, const char *end,
		      uint64_t attributes)
{
	uint32_t offset = (uint32_t)(start - _image_start);

	if (pt_map(pool, root, HYP_VA + offset, image_pa + offset, (uint32_t)(end - start),
		   attributes) != 0) {
		stop("bivy's own image can't be mapped", NULL);
	}
}

/* What the linker's @symbol is in the image at @place. */
static void *in_image(uint32_t place, const void *symbol)
{
	return (void *)(place + (uint32_t)((const char *)symbol - _image_start));
}

/*
 * Puts the image, bss cleared, to @place. The cache first: neither dirty nor stale lines that the
 * firmware left can reach this memory while it is used uncached, or be hit once caches are on; and
 * while they are off, none gets in (ARM DDI 0406C B2.2.6, B3.2.1).
 */
static void move_image(uint32_t place)
{
	const struct board found = board;

	cache_flush((void *)place, (uint32_t)(_image_end - _image_start));
	if (place != (uint32_t)_image_start) {
		memcpy((void *)place, _image_start, (size_t)(_image_file_end - _image_start));
		dsb(); /* written before it may be fetched (B2.2.9) */
		write_ICIALLU(0);
		write_BPIALL(0);
		dsb();
		isb();
	}
	memset(in_image(place, _bss_start), 0, (size_t)(_bss_end - _bss_start));
	*(struct board *)in_image(place, &board) = found;
}

/* Keeps the tree for bivy's later, without the room at its end. */
static void keep_tree(const uint32_t *tree, uint32_t place)
{
	uint32_t *kept = in_image(place, board_tree);

	if (board.tree_size <= BOARD_TREE_KEPT) {
		memcpy(kept, tree, board.tree_size);
		kept[1] = cpu_to_fdt32(board.tree_size);
	}
}

/*
 * Reads the board's tree at @tree, and puts the image where it has to run. @cpsr: as at entry.
 * Returns that place.
 */
uint32_t early_place(const void *tree, uint32_t cpsr)
{
	const uint32_t here = (uint32_t)_image_start;
	struct config_error error;
	uint32_t place;
	int refused;

	board.uart_base = 0; /* for stop(), until the tree is read */
	if ((uintptr_t)tree - here < KEEP_SIZE) {
		stop("the board's device tree (in r2) lies inside bivy's image; load it elsewhere",
		     NULL);
	}
	refused = board_read(tree, BOARD_TREE_MAX, &board, &error);
	check_processor(cpsr); /* first: without HYP mode the tree may lack what it stands for */
	if (refused != 0) {
		stop("the board's device tree (in r2) can't be used:", &error);
	}
	if (board.bundle.base < here + (uint64_t)(_image_end - _image_start) &&
	    here < board.bundle.base + board.bundle.size) {
		stop("the guest bundle overlaps bivy, which needs 1 MiB where it is loaded; load "
		     "them apart from each other",
		     NULL);
	}
	place = find_place(here, (uint32_t)(uintptr_t)tree, fdt_totalsize(tree));
	move_image(place);
	keep_tree(tree, place);
	return place;
}

/* Makes the tables of HYP's stage 1, for the image where it is. */
void early_map(void)
{
	struct pt_pool pool = {.tables = table_pool, .limit = PT_POOL_TABLES, .to_pa = 0};
	const uint32_t here = (uint32_t)_image_start, gib = here >> 30;

	image_pa = here;
	if (gib == HYP_VA >> 30) {
		stop("RAM below 1 GiB is not supported", NULL);
	}
	map_image(&pool, hyp_l1, _image_start, _text_end, S1_CODE);
	map_image(&pool, hyp_l1, _text_end, _rodata_end, S1_CONST);
	map_image(&pool, hyp_l1, _bss_start, _bss_end, S1_DATA);
	for (const char *slot = _stacks; slot < _image_end; slot += STACK_SLOT) {
		map_image(&pool, hyp_l1, slot + PAGE_SIZE, slot + STACK_SLOT, S1_DATA);
	}
	boot_l1[HYP_VA >> 30] = hyp_l1[HYP_VA >> 30];
	/* a block, read-only: no page is writable and executable */
	boot_l1[gib] = (uint64_t)gib << 30 | S1_CODE | 1;
	table_pool_used = pool.used;
}
