/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the names in the guest's tree to disks, cards and entropy. No lock: all of it is constant
 * once the guest runs.
 */
#include "backends.h"
#include "fit.h"
#include "hw.h"
#include "print.h"
#include "stage1.h"
#include "trap.h"
#include "vm.h"
#include "../drivers/block/overlay.h"
#include "../drivers/block/partition.h"
#include "../drivers/block/ramdisk.h"
#include "../drivers/net/loopback.h"

static struct ramdisk ramdisks[FIT_DISKS_MAX];
static struct partition partitions[DISKS_MAX];
static struct overlay overlays[DISKS_MAX];
static unsigned int partition_count, overlay_count;
static struct net_loopback loopback;

static _Noreturn void refuse_backend(const struct device_config *device, const char *why)
{
	stop("the guest's device tree: %s: bivy,backend: %s", device->node, why);
}

static struct block_backend *ramdisk(unsigned int n)
{
	const struct fit_image *image = vm_disk(n);

	if (ramdisks[n].at == NULL) {
		ramdisk_init(&ramdisks[n], (uint8_t *)(uintptr_t)image->data,
			     image->size / BLOCK_SECTOR);
	}
	return &ramdisks[n].backend;
}

static struct partition_search search;
static const char *search_fault;
static volatile bool search_over;

static void search_ended(struct partition_search *ended, const char *fault)
{
	(void)ended;
	search_fault = fault;
	search_over = true;
}

/* The disk may be one that answers by interrupt; the guest does not run yet. */
static void find_partition(const struct device_config *device, struct block_backend *disk)
{
	search_over = false;
	partition_find(&search, disk, device->backend.part, search_ended);
	while (!search_over) {
		irq_take();
	}
	if (search_fault != NULL) {
		refuse_backend(device, search_fault);
	}
}

/* The part of @disk that the device asks for. */
static struct block_backend *part_of(const struct device_config *device, struct block_backend *disk)
{
	struct partition *partition = &partitions[partition_count];
	uint64_t start = device->backend.start / BLOCK_SECTOR;
	uint64_t sectors = device->backend.length / BLOCK_SECTOR;
	const char *fault;

	if (device->backend.part == 0 && sectors == 0) {
		return disk;
	}
	if (partition_count++ == DISKS_MAX) {
		refuse_backend(device, "there are more than 4 parts of disks");
	}
	if (device->backend.part != 0) {
		find_partition(device, disk);
		start = search.start;
		sectors = search.sectors;
	}
	fault = partition_init(partition, disk, start, sectors);
	if (fault != NULL) {
		refuse_backend(device, fault);
	}
	return &partition->backend;
}

static struct block_backend *overlaid(const struct device_config *device,
				      struct block_backend *disk)
{
	const size_t size = (size_t)device->overlay << 20;
	struct overlay *overlay = &overlays[overlay_count];
	const char *fault;

	if (size == 0) {
		return disk;
	}
	if (overlay_count++ == DISKS_MAX) {
		refuse_backend(device, "there are more than 4 overlays");
	}
	fault = overlay_init(overlay, disk, window_at(vm_kept(device)), size);
	if (fault != NULL) {
		stop("the guest's device tree: %s: bivy,overlay: %s", device->node, fault);
	}
	return &overlay->backend;
}

struct block_backend *backend_block(const struct device_config *device)
{
	const unsigned int n = device->backend.number;
	struct block_backend *disk = device->backend.kind == BACKEND_RAM  ? ramdisk(n)
				     : device->backend.kind == BACKEND_SD ? hw_sd(n)
									  : hw_block(n);

	if (disk == NULL) {
		refuse_backend(device, "this board has no such disk, or it can't be used");
	}
	return overlaid(device, part_of(device, disk));
}

struct block_backend *backend_flash(const struct device_config *device)
{
	return device->backend.kind == BACKEND_NONE ? NULL : backend_block(device);
}

struct net_backend *backend_net(const struct device_config *device)
{
	static const uint8_t mac[NET_MAC] = {0x02, 'b', 'i', 'v', 'y', 0x01};
	struct net_backend *card;

	if (device->backend.kind == BACKEND_LOOPBACK) {
		if (loopback.backend.ops != NULL) {
			refuse_backend(device, "another card has the loopback");
		}
		net_loopback_init(&loopback, mac);
		return &loopback.backend;
	}
	card = device->backend.kind == BACKEND_ETHERNET ? hw_ethernet(device->backend.number)
							: hw_net(device->backend.number);
	if (card == NULL) {
		refuse_backend(device, "this board has no such card, or it can't be used");
	}
	if (card->events != NULL) {
		refuse_backend(device, "another device has this card");
	}
	return card;
}

struct entropy_backend *backend_entropy(const struct device_config *device)
{
	const enum backend_kind kind = device->backend.kind;
	struct entropy_backend *source = NULL;

	if (kind != BACKEND_FIRMWARE) {
		source = hw_entropy(device->backend.number);
	}
	if (source == NULL && kind != BACKEND_VIRTIO) {
		source = board_trng();
	}
	if (source == NULL && kind != BACKEND_ANY) {
		refuse_backend(device, "this board has no such source of entropy");
	}
	return source;
}

void backends_reset(void)
{
	for (unsigned int i = 0; i < overlay_count; i++) {
		overlay_clear(&overlays[i]);
	}
}
