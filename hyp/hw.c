/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's virtio devices: found on its transports, taken over when the guest's tree asks for
 * them. No lock: all of it is constant once the guest runs; each driver has its own.
 */
#include "hw.h"
#include "irq.h"
#include "layout.h"
#include "stage1.h"
#include "timer.h"
#include "boot/early.h"
#include "../drivers/hw/virtio_blk.h"

#define VIRTIO_VA   (DEVICE_VA + 0x10000) /* a page each */
#define DEVICE_ID   0x008u                /* virtio 1.2, 4.2.2 */
#define ID_BLOCK    2u
#define DISKS       4u
#define DEVICES_MAX 8u

static struct hw_disk disks[DISKS];

static struct hw_virtio *taken[DEVICES_MAX];
static unsigned int taken_count;
static bool mapped;

static uintptr_t registers_of(unsigned int transport)
{
	return VIRTIO_VA + transport * PAGE_SIZE + board.virtio[transport].base % PAGE_SIZE;
}

static void map_transports(void)
{
	for (unsigned int i = 0; i < board.virtio_count && !mapped; i++) {
		stage1_map_device(VIRTIO_VA + i * PAGE_SIZE, board.virtio[i].base, PAGE_SIZE);
	}
	mapped = true;
}

/* The transport of the @n-th device with @id; virtio_count: there is none. */
static unsigned int find(uint32_t id, unsigned int n)
{
	unsigned int i;

	map_transports();
	for (i = 0; i < board.virtio_count; i++) {
		if (mmio_read(registers_of(i) + DEVICE_ID) == id && n-- == 0) {
			break;
		}
	}
	return i;
}

/* It was set up at @registers: from here on its interrupts and ticks come. */
static bool attach(struct hw_virtio *device, unsigned int transport)
{
	if (!irq_attach(board.virtio[transport].intid, hw_virtio_irq, device)) {
		return false;
	}
	tick_attach(hw_virtio_tick, device);
	taken[taken_count++] = device;
	return true;
}

struct block_backend *hw_block(unsigned int n)
{
	const unsigned int transport = find(ID_BLOCK, n);

	if (transport == board.virtio_count) {
		return NULL;
	}
	for (struct hw_disk *disk = disks; disk < disks + DISKS; disk++) {
		if (disk->device.registers == registers_of(transport)) {
			return disk->device.state != HW_OFF ? &disk->backend : NULL;
		}
		if (disk->device.registers == 0) {
			return hw_disk_init(disk, registers_of(transport)) &&
					       attach(&disk->device, transport)
				       ? &disk->backend
				       : NULL;
		}
	}
	return NULL;
}

const struct hw_counters *hw_counters(unsigned int i)
{
	return i < taken_count ? &taken[i]->counters : NULL;
}
