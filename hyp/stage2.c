/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stage 2: a 40-bit IPA space from two concatenated level 1 tables (ARM DDI 0406C B3.6.5, table
 * B3-20). Entries are added before the guest runs; those that are ever removed are the GICC_DIR
 * page (vgic_trap_dir) and flash. Lock: none; what changes while the guest runs are entries of its
 * own that each has a lock of its own, in tables that stay.
 */
#include "stage2.h"
#include "arch.h"
#include "layout.h"
#include "mmio.h"
#include "pagetable.h"
#include "print.h"
#include "stage1.h"
#include "vgic.h"

/* T0SZ = -8 with S, SL0 = 1 (start at level 1), inner shareable write-back walks, RES1 bit 31
 * (B4.1.160). */
#define VTCR_BIVY (1u << 31 | 3u << 12 | 1u << 10 | 1u << 8 | 1u << 6 | 1u << 4 | 8u)

#define FLASH_BLOCK 0x200000u /* level 2: what config_read() lets pass is aligned to that */

static uint64_t root[2 * PT_ENTRIES] __attribute__((aligned(2 * PAGE_SIZE)));
static uint64_t dir_page; /* IPA of the mapped GICC_DIR page, 0: none */

static void map(uint64_t ipa, uint64_t pa, uint64_t size, uint64_t attributes)
{
	int error = pt_map(table_allocator(), root, ipa, pa, size, attributes);

	if (error != 0) {
		panic("stage 2: %llx at IPA %llx can't be mapped: error %d", pa, ipa, error);
	}
}

void stage2_map_ram(uint64_t ipa, uint64_t pa, uint64_t size)
{
	map(ipa, pa, size, S2_NORMAL);
}

/*
 * Old entries were invalid, and no TLB holds an invalid one: nothing to invalidate (B3.10.1). The
 * walkers see the new ones after the DSB (B3.10.2).
 */
void stage2_show_flash(uint64_t ipa, uint64_t pa, uint64_t size)
{
	map(ipa, pa, size, S2_ROM);
	dsb();
}

/* After removed entries: B3.10.5; complete on all cores at the DSB. Armv7 has none by IPA. */
static void forget(void)
{
	dsb();
	write_TLBIALLNSNHIS(0);
	dsb();
	isb();
}

static void remove(uint64_t ipa)
{
	unsigned int level;

	*(volatile uint64_t *)pt_find(table_allocator(), root, ipa, &level) = 0;
}

void stage2_hide_flash(uint64_t ipa, uint64_t size)
{
	for (uint64_t at = ipa; at < ipa + size; at += FLASH_BLOCK) {
		remove(at);
	}
	forget();
}

void stage2_map_gicc(uint64_t ipa, uint64_t gicv_pa, uint32_t size)
{
	map(ipa, gicv_pa, size, S2_DEVICE);
	dir_page = size > PAGE_SIZE ? ipa + PAGE_SIZE : 0;
}

void stage2_map_device(uint64_t base, uint64_t size)
{
	int error = pt_map(table_allocator(), root, base, base, size, S2_DEVICE);

	if (error != 0) {
		stop("bivy has no room in its tables for the registers at %llx, %llx bytes, that "
		     "the guest wants passed through; pass less",
		     base, size);
	}
}

bool stage2_show_registers(uint64_t ipa, uint64_t pa)
{
	return pt_map(table_allocator(), root, ipa, pa, PAGE_SIZE, S2_SHOWN) == 0;
}

void vgic_trap_dir(void)
{
	static struct spinlock lock; /* guards dir_page; the last in the order, after vgic.lock */

	if (dir_page == 0) {
		return;
	}
	spin_lock(&lock);
	if (dir_page != 0) {
		remove(dir_page);
		forget();
		dir_page = 0;
	}
	spin_unlock(&lock);
}

void stage2_activate(void)
{
	write_VTCR(VTCR_BIVY);
	write_VTTBR((uintptr_t)root + table_allocator()->to_pa);
	dsb();
	isb();
	write_TLBIALLNSNH(0);
	write_ICIALLU(0);
	write_BPIALL(0);
	dsb();
	isb();
}
