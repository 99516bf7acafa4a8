/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maintenance of the caches (ARM DDI 0406C B2.2). Set/way operations act on the core that runs them
 * alone.
 */
#include "cache.h"
#include "arch.h"

#define CLIDR_LOUIS 0x00e00000u
#define CLIDR_LOC   0x07000000u

CP15_READ(CLIDR, 1, c0, c0, 1)
CP15_READ(CCSIDR, 1, c0, c0, 0)
CP15(CSSELR, 2, c0, c0, 0)
CP15_WRITE(DCCISW, 0, c7, c14, 2)

void cache_flush(const void *start, uint32_t size)
{
	const uint32_t line = dcache_line();
	uint32_t at = (uint32_t)(uintptr_t)start & ~(line - 1);
	uint32_t lines = ((uint32_t)(uintptr_t)start - at + size + line - 1) >> __builtin_ctz(line);

#pragma GCC unroll 8
	for (; lines != 0; lines--, at += line) {
		write_DCCIMVAC(at);
	}
	dsb();
}

/* One level: every line by set and way; the way is left-aligned in the operand (B4.2.1). */
static void flush_level(uint32_t level)
{
	uint32_t ccsidr, ways, sets, line_shift, way_shift;

	write_CSSELR(level << 1);
	isb();
	ccsidr = read_CCSIDR();
	line_shift = (ccsidr & 7) + 4;
	ways = (ccsidr >> 3 & 0x3ff) + 1;
	sets = (ccsidr >> 13 & 0x7fff) + 1;
	way_shift = ways > 1 ? (uint32_t)__builtin_clz(ways - 1) : 0;
	for (uint32_t way = 0; way < ways; way++) {
		uint32_t line = way << way_shift | level << 1;

#pragma GCC unroll 8
		for (uint32_t left = sets; left != 0; left--, line += 1u << line_shift) {
			write_DCCISW(line);
		}
	}
	dsb();
}

static void flush_levels(uint32_t count)
{
	const uint32_t clidr = read_CLIDR(), selected = read_CSSELR();

	dmb();
	for (uint32_t level = 0; level < count; level++) {
		/* has data: a data, separate or unified cache */
		if ((clidr >> 3 * level & 7) >= 2) {
			flush_level(level);
		}
	}
	write_CSSELR(selected);
	isb();
}

void cache_flush_core(void)
{
	flush_levels(FIELD_GET(CLIDR_LOUIS, read_CLIDR()));
}

void cache_flush_all(void)
{
	flush_levels(FIELD_GET(CLIDR_LOC, read_CLIDR()));
}
