/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest: from the bundle to RAM. All of it runs on the boot core while no vCPU does; struct vm
 * is constant for the others. Layout of the parts as QEMU's -M virt loads them, so that what boots
 * there boots here.
 */
#include "vm.h"
#include <string.h>
#include "cache.h"
#include "cpu.h"
#include "fit.h"
#include "flash.h"
#include "guestdt.h"
#include "hw.h"
#include "print.h"
#include "sha256.h"
#include "stage1.h"
#include "stage2.h"
#include "vcpu.h"
#include "vgic.h"
#include "boot/early.h"

#define TREE_GROWTH       0x4000u /* bytes that completing the guest's tree may add */
#define TREE_MAX          0x100000u
#define INITRD_OFFSET_MAX 0x8000000u  /* 128 MiB: QEMU's hw/arm/boot.c */
#define BLOCK             0x200000ull /* what stage 2 maps at once */
#define PAGE_UP(x)        (((x) + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1))

struct vm vm;

static uint8_t entropy[BOARD_SEED]; /* the board's seed at first, see next_seed() */

static struct config_error error;
static struct fit_bundle fit;
static struct passthrough passed;

static uint64_t window_end(void)
{
	return board.window.base + board.window.size;
}

/* Moves the bundle to the end of RAM, out of the way of what it will be unpacked to. */
static void move_bundle(void)
{
	const uint64_t end = window_end();
	uint64_t place;

	if (board.bundle.size == 0) {
		stop("no guest: load a bundle as bivy's initrd (QEMU: -initrd guest.itb; see "
		     "tools/mkbundle)");
	}
	if (board.bundle.base < board.window.base || board.bundle.base + board.bundle.size > end) {
		stop("the guest bundle at %llx, %llu KiB, is not in RAM below %llx; load it lower, "
		     "or give the board more RAM",
		     board.bundle.base, board.bundle.size >> 10, end);
	}
	place = (end - board.bundle.size) & ~(uint64_t)(PAGE_SIZE - 1);
	memmove(window_at(place), window_at(board.bundle.base), (size_t)board.bundle.size);
	vm.bundle = (struct range){place, board.bundle.size};
}

/* Bytes of RAM that are kept for a device. */
static uint64_t keep_size(const struct device_config *device)
{
	return device->kind == DEVICE_FLASH ? device->size : (uint64_t)device->overlay << 20;
}

/* Flash first: stage 2 shows it by blocks of 2 MiB. */
uint64_t vm_kept(const struct device_config *device)
{
	uint64_t pa = vm.kept.base;

	for (unsigned int i = 0; i < vm.config.device_count; i++) {
		const struct device_config *other = &vm.config.device[i];

		if ((other->kind == device->kind && other < device) ||
		    (other->kind == DEVICE_FLASH && device->kind != DEVICE_FLASH)) {
			pa += keep_size(other);
		}
	}
	return pa;
}

/* Whether the guest's RAM may not take the bundle's; and the RAM that its overlays and flash want.
 */
static uint64_t reserve_top(void)
{
	uint64_t end;

	vm.keeps_bundle = vm.config.reset == RESET_RESTART;
	for (unsigned int i = 0; i < vm.config.device_count; i++) {
		const uint64_t size = keep_size(&vm.config.device[i]);

		vm.keeps_bundle |= vm.config.device[i].backend.kind == BACKEND_RAM || size != 0;
		vm.kept.size += size;
	}
	end = vm.keeps_bundle ? vm.bundle.base : window_end();
	if (vm.kept.size + BLOCK > end - board.window.base) {
		stop("this board has RAM for %llu MiB of overlays and flash, and the guest's tree "
		     "wants %llu MiB; give it less",
		     (end - board.window.base) >> 20, vm.kept.size >> 20);
	}
	vm.kept.base = (end - vm.kept.size) & ~(vm.kept.size != 0 ? BLOCK - 1 : 0);
	return vm.kept.base;
}

/* Where the guest's RAM is: at its own address if the board has RAM there, else at the start of the
 * board's. */
static void place_ram(void)
{
	const uint64_t end = reserve_top();
	const uint64_t start = (board.window.base + BLOCK - 1) & ~(BLOCK - 1);
	const uint64_t wanted = vm.config.ram_size;

	vm.ram_pa = vm.config.ram_base >= start && vm.config.ram_base < end ? vm.config.ram_base
									    : start;
	if (end <= vm.ram_pa || end - vm.ram_pa < (wanted != 0 ? wanted : 0x100000)) {
		stop("this board has RAM for %llu KiB of guest, and the guest's tree wants %llu "
		     "KiB; give it less",
		     end > vm.ram_pa ? (end - vm.ram_pa) >> 10 : 0, wanted >> 10);
	}
	if (passed.masters && vm.ram_pa != vm.config.ram_base) {
		stop("a device that is passed through masters the bus, so the guest's RAM must be "
		     "where the board has RAM, within %llx to %llx, and it is to be at %llx",
		     start, end, vm.config.ram_base);
	}
	vm.memory.base = vm.config.ram_base;
	vm.memory.size = wanted != 0 ? wanted : end - vm.ram_pa;
	vm.memory.at = window_at(vm.ram_pa);
}

/* A part's place in the guest's RAM or flash; stops if it isn't all in there, or on top of the
 * bundle. */
static uint8_t *place_for(const char *what, uint64_t ipa, uint64_t size)
{
	const uint64_t end = ipa - vm.memory.base + vm.ram_pa + size;
	uint8_t *at = flash_at(ipa, size);

	if (at != NULL) {
		return at;
	}
	at = size > UINT32_MAX ? NULL : guest_memory_at(&vm.memory, ipa, (uint32_t)size);
	if (at == NULL || end > vm.bundle.base) {
		stop("RAM is too small: the guest's %s, %llu KiB at %llx, doesn't fit beside the "
		     "bundle; give the board more RAM",
		     what, (size + 1023) >> 10, ipa);
	}
	return at;
}

static uint64_t load_kernel(uint64_t *kernel_start)
{
	static struct kernel_layout layout;
	const struct range place = config_kernel_range(
		&vm.config, vm.memory.size, fit.kernel.has_load ? fit.kernel.load : vm.memory.base);
	uint64_t end = 0;

	*kernel_start = UINT64_MAX;
	if (kernel_identify(&fit.kernel, place.base, place.size, &layout, &error) != 0) {
		stop_error("the guest's kernel", &error);
	}
	for (unsigned int i = 0; i < layout.segment_count; i++) {
		const struct kernel_segment *segment = &layout.segment[i];
		uint8_t *at = place_for("kernel", segment->ipa, segment->memory_size);

		memcpy(at, fit.kernel.data + segment->file_offset, segment->file_size);
		memset(at + segment->file_size, 0,
		       (size_t)segment->memory_size - segment->file_size);
		cache_flush(at, (uint32_t)segment->memory_size);
		if (segment->ipa + segment->memory_size > end) {
			end = segment->ipa + segment->memory_size;
		}
		if (segment->ipa < *kernel_start) {
			*kernel_start = segment->ipa;
		}
	}
	vm.entry = (uint32_t)layout.entry | (layout.thumb_entry ? 1 : 0);
	return end;
}

/* Returns the end of the initrd; if there is none, where it would have been. */
static uint64_t load_initrd(uint64_t kernel_end, uint64_t *start)
{
	uint64_t offset =
		vm.memory.size / 2 < INITRD_OFFSET_MAX ? vm.memory.size / 2 : INITRD_OFFSET_MAX;
	uint8_t *at;

	*start = PAGE_UP(vm.memory.base + offset);
	if (*start < kernel_end) {
		*start = PAGE_UP(kernel_end);
	}
	if (fit.initrd.has_load) {
		*start = fit.initrd.load;
	}
	if (fit.initrd.data != NULL) {
		at = place_for("initrd", *start, fit.initrd.size);
		memcpy(at, fit.initrd.data, fit.initrd.size);
		cache_flush(at, fit.initrd.size);
	}
	return *start + fit.initrd.size;
}

/* A seed for this start of the guest, and another for the next: neither tells the other. */
static const uint8_t *next_seed(uint8_t seed[BOARD_SEED])
{
	uint8_t input[BOARD_SEED + 1];

	if (!board.has_seed) {
		return NULL;
	}
	memcpy(input, entropy, BOARD_SEED);
	input[BOARD_SEED] = 0;
	sha256(input, sizeof(input), seed);
	input[BOARD_SEED] = 1;
	sha256(input, sizeof(input), entropy);
	return seed;
}

static void load_tree(uint64_t ipa, uint64_t initrd_start)
{
	static uint8_t seed[BOARD_SEED];
	struct guestdt_facts facts = {
		.ram_base = vm.memory.base,
		.ram_size = vm.memory.size,
		.initrd_start = initrd_start,
		.initrd_end = initrd_start + fit.initrd.size,
		.bootargs = fit.has_bootargs ? fit.bootargs : NULL,
		.seed = next_seed(seed),
		.seed_size = sizeof(seed),
		.passed = passed.node_count != 0 ? &passed : NULL,
	};
	const uint32_t size =
		fit.fdt.size + TREE_GROWTH + (passed.node_count != 0 ? 2 * passed.dt.used : 0);
	uint8_t *at = place_for("device tree", ipa, size);
	uint32_t used;

	for (unsigned int i = 0; i < vgic.cpu_count; i++) {
		if (vcpu_is_online(i)) {
			facts.cpu_mpidr[facts.cpu_count++] = cpus[i].mpidr;
		}
	}
	if (guestdt_complete(fit.fdt.data, at, size, &facts, &used, &error) != 0) {
		stop_error("the guest's device tree", &error);
	}
	cache_flush(at, size);
	vm.tree = (uint32_t)ipa;
}

static void read_bundle(bool again)
{
	if (fit_read(window_at(vm.bundle.base), vm.bundle.size, again, &fit, &error) != 0) {
		stop_error("the guest bundle", &error);
	}
}

void vm_load(void)
{
	uint64_t kernel_start, kernel_end, initrd_start, initrd_end, tree;

	kernel_end = load_kernel(&kernel_start);
	initrd_end = load_initrd(kernel_end, &initrd_start);
	tree = PAGE_UP(initrd_end);
	if (fit.fdt.has_load) {
		tree = fit.fdt.load;
	}
	load_tree(tree, initrd_start);
	if (!vm.keeps_bundle) { /* no line of the bundle may be written back into
						   the guest's RAM later */
		cache_flush(window_at(vm.bundle.base), (uint32_t)vm.bundle.size);
	}
}

/* The SPIs that the guest owns physically, as after reset. */
static void own_spis(void)
{
	for (uint32_t intid = 0; intid < vgic.words * 32; intid++) {
		if ((passed.spi[intid / 32] >> intid % 32 & 1) != 0) {
			vgic_own_spi(intid);
		}
	}
}

/*
 * The devices first: what ends until they are reset moves their wires, on whichever core a tick is,
 * and writes to the guest's RAM, which no dirty line may reach once the guest runs without caches.
 */
void vm_restart(void)
{
	say("the guest starts again");
	devices_reset();
	own_spis(); /* none comes while the vGIC's state is made anew, without its lock */
	vgic_reset(vgic.words, vgic.cpu_count, vgic.lr_count);
	own_spis();
	cache_flush_all();
	read_bundle(true);
	vm_load();
}

/*
 * Puts the cores that the guest's tree names in front, and returns their number: if it names none,
 * those of one kind are there. The others are never started.
 */
static unsigned int order_cpus(void)
{
	const struct guest_config *config = &vm.config;
	unsigned int next = 1;
	bool boot_named = false;

	if (config->cpu_count == 0) {
		return cpu_alike;
	}
	for (unsigned int i = 0; i < config->cpu_count; i++) {
		const uint32_t wanted = config->cpu_mpidr[i];
		unsigned int j = 0;

		while (j < cpu_count && cpus[j].mpidr != wanted) {
			j++;
		}
		if (j == cpu_count) {
			stop("the guest's device tree names CPU %x, which this board does not "
			     "have; remove its node",
			     (unsigned int)wanted);
		}
		if (j == 0) {
			boot_named = true;
		} else {
			cpus[j].mpidr = cpus[next].mpidr;
			cpus[next++].mpidr = wanted;
		}
	}
	if (!boot_named) {
		stop("the guest's device tree does not name CPU %lx, which this board starts with; "
		     "add its node",
		     cpus[0].mpidr);
	}
	return config->cpu_count;
}

const struct fit_image *vm_disk(unsigned int n)
{
	return &fit.disk[n];
}

static void pass_through(void)
{
	if (vm.config.passthrough_size != 0 && board.tree_size > BOARD_TREE_KEPT) {
		stop("the board's device tree has %lu bytes, and bivy can keep only %u for "
		     "bivy,passthrough; leave out what is not needed",
		     board.tree_size, BOARD_TREE_KEPT);
	}
	if (passthrough_resolve(&passed, board_tree, BOARD_TREE_KEPT, &vm.config, &board,
				vgic.words * 32, &error) != 0) {
		stop_error("the board's device tree", &error);
	}
	for (unsigned int i = 0; i < passed.range_count; i++) {
		stage2_map_device(passed.range[i].base, passed.range[i].size);
	}
}

/* Backends that bivy took over are known only once all devices are there. */
static void check_passed(void)
{
	for (unsigned int i = 0; i < passed.range_count; i++) {
		if (hw_uses(&passed.range[i])) {
			stop("bivy,passthrough: a device that bivy uses for the guest lies in the "
			     "pages at %llx that are passed through; name another backend",
			     passed.range[i].base);
		}
	}
}

void vm_create(void)
{
	memcpy(entropy, board.seed, sizeof(entropy));
	move_bundle();
	cache_flush_all(); /* no line that the firmware or the move left may land in the guest's RAM
			      later */
	read_bundle(false);
	if (config_read(fit.fdt.data, fit.fdt.size, &vm.config, &error) != 0 ||
	    config_check(&vm.config, &board, vgic.words * 32, &error) != 0 ||
	    config_check_disks(&vm.config, fit.disk_count, &error) != 0) {
		stop_error("the guest's device tree", &error);
	}
	pass_through();
	place_ram();
	stage2_map_ram(vm.memory.base, vm.ram_pa, vm.memory.size);
	stage2_map_gicc(vm.config.gicc_base, board.gicv.base, vm.config.gicc_size);
	vgic_reset(vgic.words, order_cpus(), vgic.lr_count);
	own_spis();
	devices_create();
	check_passed();
}
