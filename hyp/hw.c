/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's devices: found by its tree, taken over when the guest's tree asks for them. No lock:
 * all of it is constant once the guest runs; each driver has its own.
 */
#include "hw.h"
#include <stddef.h>
#include "irq.h"
#include "layout.h"
#include "stage1.h"
#include "timer.h"
#include "trap.h"
#include "boot/early.h"
#include "../drivers/hw/lan9118.h"
#include "../drivers/hw/sd.h"
#include "../drivers/hw/virtio_blk.h"
#include "../drivers/hw/virtio_net.h"
#include "../drivers/hw/virtio_rng.h"

#define BOARD_VA  (DEVICE_VA + 0x10000) /* a page each */
#define DEVICE_ID 0x008u                /* virtio 1.2, 4.2.2 */

/* DeviceIDs (virtio 1.2, chapter 5). */
#define ID_NET     1u
#define ID_BLOCK   2u
#define ID_ENTROPY 4u

#define CARDS 2u
#define RNGS  1u
#define SDS   2u

static struct hw_disk disks[DISKS_MAX];
static struct hw_card cards[CARDS];
static struct hw_rng rngs[RNGS];
static struct lan9118 ethernet;
static struct hw_sd sds[SDS];

static bool taken[BOARD_DEVICES_MAX], mapped; /* by index in board.device */

static uintptr_t registers_of(unsigned int device)
{
	return BOARD_VA + device * PAGE_SIZE + board.device[device].base % PAGE_SIZE;
}

static void map_devices(void)
{
	for (unsigned int i = 0; i < board.device_count && !mapped; i++) {
		stage1_map_device(BOARD_VA + i * PAGE_SIZE, board.device[i].base, PAGE_SIZE);
	}
	mapped = true;
}

/* The @n-th device of a kind, of transports: with @id behind it; device_count: there is none. */
static unsigned int find(enum board_kind kind, uint32_t id, unsigned int n)
{
	unsigned int i;

	map_devices();
	for (i = 0; i < board.device_count; i++) {
		if (board.device[i].kind == kind &&
		    (kind != BOARD_VIRTIO || mmio_read(registers_of(i) + DEVICE_ID) == id) &&
		    n-- == 0) {
			break;
		}
	}
	return i;
}

/* It was set up: from here on its interrupts and ticks come. */
static bool attach(unsigned int device, bool (*irq)(void *), bool (*tick)(void *), void *argument)
{
	if (!irq_attach(board.device[device].intid, irq, argument)) {
		return false;
	}
	tick_attach(tick, argument);
	taken[device] = true;
	return true;
}

/*
 * The @n-th device of a kind, in one of @count structures of @size bytes, which begin with a struct
 * hw_virtio.
 */
static void *take(uint32_t id, unsigned int n, void *structures, unsigned int count, size_t size,
		  bool (*init)(void *structure, uintptr_t registers))
{
	const unsigned int transport = find(BOARD_VIRTIO, id, n);

	if (transport == board.device_count) {
		return NULL;
	}
	for (unsigned int i = 0; i < count; i++) {
		struct hw_virtio *device = (void *)((uint8_t *)structures + i * size);

		if (device->registers == registers_of(transport)) {
			return device->state != HW_OFF ? device : NULL;
		}
		if (device->registers == 0) {
			return init(device, registers_of(transport)) &&
					       attach(transport, hw_virtio_irq, hw_virtio_tick,
						      device)
				       ? device
				       : NULL;
		}
	}
	return NULL;
}

struct block_backend *hw_block(unsigned int n)
{
	struct hw_disk *disk = take(ID_BLOCK, n, disks, DISKS_MAX, sizeof(disks[0]), hw_disk_init);

	return disk != NULL ? &disk->backend : NULL;
}

struct net_backend *hw_net(unsigned int n)
{
	struct hw_card *card = take(ID_NET, n, cards, CARDS, sizeof(cards[0]), hw_card_init);

	return card != NULL ? &card->backend : NULL;
}

struct entropy_backend *hw_entropy(unsigned int n)
{
	struct hw_rng *rng = take(ID_ENTROPY, n, rngs, RNGS, sizeof(rngs[0]), hw_rng_init);

	return rng != NULL ? &rng->backend : NULL;
}

/* At start-up alone. */
static void pause(void)
{
	const uint64_t end = read_CNTPCT() + read_CNTFRQ() / 500;

	while (read_CNTPCT() < end) {
	}
}

/* It is identified by interrupts; the guest does not run yet. */
struct block_backend *hw_sd(unsigned int n)
{
	const unsigned int controller = find(BOARD_SD, 0, n);
	struct hw_sd *sd;

	if (controller == board.device_count || n >= SDS) {
		return NULL;
	}
	sd = &sds[n];
	if (sd->mci.registers == 0) {
		hw_sd_init(sd, registers_of(controller), pause);
		if (attach(controller, hw_sd_irq, hw_sd_tick, sd)) {
			hw_sd_identify(sd);
		}
	}
	while (sd->step != SD_IDLE) {
		irq_take();
	}
	return sd->known ? &sd->backend : NULL;
}

struct net_backend *hw_ethernet(unsigned int n)
{
	const unsigned int chip = find(BOARD_ETHERNET, 0, n);

	if (chip == board.device_count) {
		return NULL;
	}
	if (ethernet.registers == 0 && lan9118_init(&ethernet, registers_of(chip))) {
		attach(chip, lan9118_irq, lan9118_tick, &ethernet);
	}
	return taken[chip] ? &ethernet.backend : NULL;
}

bool hw_uses(const struct range *pages)
{
	bool used = false;

	for (unsigned int i = 0; i < board.device_count; i++) {
		used = used || (taken[i] && board.device[i].base - pages->base < pages->size);
	}
	return used;
}
