/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's virtio devices: found on its transports, taken over when the guest's tree asks for
 * them. No lock: all of it is constant once the guest runs; each driver has its own.
 */
#include "hw.h"
#include <stddef.h>
#include "irq.h"
#include "layout.h"
#include "stage1.h"
#include "timer.h"
#include "boot/early.h"
#include "../drivers/hw/virtio_blk.h"
#include "../drivers/hw/virtio_net.h"
#include "../drivers/hw/virtio_rng.h"

#define VIRTIO_VA (DEVICE_VA + 0x10000) /* a page each */
#define DEVICE_ID 0x008u                /* virtio 1.2, 4.2.2 */

/* DeviceIDs (virtio 1.2, chapter 5). */
#define ID_NET     1u
#define ID_BLOCK   2u
#define ID_ENTROPY 4u

#define DISKS 4u
#define CARDS 2u
#define RNGS  1u

static struct hw_disk disks[DISKS];
static struct hw_card cards[CARDS];
static struct hw_rng rngs[RNGS];

static struct hw_virtio *taken[DISKS + CARDS + RNGS];
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

/*
 * The @n-th device of a kind, in one of @count structures of @size bytes, which begin with a struct
 * hw_virtio.
 */
static void *take(uint32_t id, unsigned int n, void *structures, unsigned int count, size_t size,
		  bool (*init)(void *structure, uintptr_t registers))
{
	const unsigned int transport = find(id, n);

	if (transport == board.virtio_count) {
		return NULL;
	}
	for (unsigned int i = 0; i < count; i++) {
		struct hw_virtio *device = (void *)((uint8_t *)structures + i * size);

		if (device->registers == registers_of(transport)) {
			return device->state != HW_OFF ? device : NULL;
		}
		if (device->registers == 0) {
			return init(device, registers_of(transport)) && attach(device, transport)
				       ? device
				       : NULL;
		}
	}
	return NULL;
}

static bool disk_init(void *disk, uintptr_t registers)
{
	return hw_disk_init(disk, registers);
}

static bool card_init(void *card, uintptr_t registers)
{
	return hw_card_init(card, registers);
}

static bool rng_init(void *rng, uintptr_t registers)
{
	return hw_rng_init(rng, registers);
}

struct block_backend *hw_block(unsigned int n)
{
	struct hw_disk *disk = take(ID_BLOCK, n, disks, DISKS, sizeof(disks[0]), disk_init);

	return disk != NULL ? &disk->backend : NULL;
}

struct net_backend *hw_net(unsigned int n)
{
	struct hw_card *card = take(ID_NET, n, cards, CARDS, sizeof(cards[0]), card_init);

	return card != NULL ? &card->backend : NULL;
}

struct entropy_backend *hw_entropy(unsigned int n)
{
	struct hw_rng *rng = take(ID_ENTROPY, n, rngs, RNGS, sizeof(rngs[0]), rng_init);

	return rng != NULL ? &rng->backend : NULL;
}

bool hw_uses(const struct range *pages)
{
	bool used = false;

	for (unsigned int i = 0; i < taken_count; i++) {
		const uintptr_t transport = (taken[i]->registers - VIRTIO_VA) / PAGE_SIZE;

		used = used || board.virtio[transport].base - pages->base < pages->size;
	}
	return used;
}
