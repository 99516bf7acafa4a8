/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's emulated devices, made from the configuration: a slot with a lock each.
 * Lock: the slot's own guards the model; MMIO dispatch, the console's events and what a backend
 * calls take it.
 */
#include "backends.h"
#include "cache.h"
#include "clock.h"
#include "console.h"
#include "flash.h"
#include "mmio.h"
#include "print.h"
#include "stage1.h"
#include "stage2.h"
#include "trap.h"
#include "vgic.h"
#include "vm.h"
#include "boot/early.h"
#include "../drivers/emul/pl011.h"
#include "../drivers/emul/pl031.h"
#include "../drivers/net/loopback.h"
#include "../drivers/virtio/blk.h"
#include "../drivers/virtio/console.h"
#include "../drivers/virtio/net.h"
#include "../drivers/virtio/rng.h"

#define SHOWN_VA (DEVICE_VA + 0x9000)

struct slot {
	struct spinlock lock;
	const struct device_config *config;
	struct virtio_device *virtio; /* NULL: none */
	struct emul_pl011 *pl011;     /* NULL: none */
	struct emul_cfi *flash;       /* NULL: none */
};

static struct slot slots[CONFIG_DEVICES_MAX];

static struct emul_pl011 pl011s[CONSOLE_PORTS_MAX];
static struct virtio_console consoles[CONSOLE_PORTS_MAX];
static struct virtio_blk disks[DISKS_MAX];
static struct virtqueue disk_queues[DISKS_MAX][CPUS_MAX];
static struct virtio_net cards[2];
static struct virtio_rng rngs[1];
static struct emul_pl031 clocks[1];

static uint8_t used[DEVICE_KINDS];

/* All empty transports are the same, and hold nothing that a driver could change for another. */
static struct virtio_device empty_transport;
static struct spinlock empty_lock;

/* The number of the next device of the slot's kind, of which there are @limit. */
static unsigned int next_of_kind(const struct slot *slot, unsigned int limit)
{
	uint8_t *number = &used[slot->config->kind];

	if (*number == limit) {
		stop("the guest's device tree: %s: there are more than %u of this kind; remove "
		     "some",
		     slot->config->node, limit);
	}
	return (*number)++;
}

#define NEXT(pool, slot) (&(pool)[next_of_kind(slot, sizeof(pool) / sizeof((pool)[0]))])

static void add(const struct slot *slot, const struct mmio_ops *ops, void *device,
		struct spinlock *lock)
{
	const struct device_config *config = slot->config;
	const uint32_t size = (config->size + 255) & ~255u;

	if (mmio_add(config->base, size, ops, device, lock) != 0) {
		stop("the guest's device tree: %s: no room for its registers at %llx; move it",
		     config->node, config->base);
	}
}

static struct irq_line line_of(const struct slot *slot)
{
	return (struct irq_line){vgic_set_line, slot->config->intid};
}

static struct virtio_place place_of(struct slot *slot)
{
	return (struct virtio_place){.memory = &vm.memory,
				     .irq = line_of(slot),
				     .lock = &slot->lock,
				     .legacy = slot->config->legacy};
}

/* A driver that broke its device hears of it by DEVICE_NEEDS_RESET; why, only the user can read. */
static void tell_fault(struct virtio_device *device)
{
	unsigned int i = 0;

	while (slots[i].virtio != device) {
		i++;
	}
	say("the guest's %s needs a reset by its driver: %s", slots[i].config->node, device->fault);
	device->fault = NULL;
}

/* A write that waits for requests in flight waits in the guest, see virtio_reset(). */
static void virtio_write(void *opaque, uint32_t offset, uint32_t size, uint32_t value)
{
	struct virtio_device *device = opaque;

	virtio_mmio_ops.write(device, offset, size, value);
	if (device->fault != NULL) {
		tell_fault(device);
	}
	if (device->again) {
		device->again = false;
		spin_unlock(device->place.lock);
		trap_again();
	}
}

static void add_transport(struct slot *slot, struct virtio_device *device)
{
	const struct mmio_ops ops = {.read = virtio_mmio_ops.read, .write = virtio_write};

	slot->virtio = device;
	add(slot, &ops, device, device->place.lock);
}

static bool pl011_port_receives(const void *device)
{
	return pl011_receives(device);
}

static bool virtio_port_receives(const void *device)
{
	return virtio_console_receives(device);
}

static void make_pl011(struct slot *slot)
{
	struct emul_pl011 *uart = NEXT(pl011s, slot);
	struct console_port *port = console_add_port("the PL011", &pl011_events, uart, &slot->lock,
						     pl011_port_receives);

	pl011_init(uart, &port->backend, line_of(slot));
	slot->pl011 = uart;
	add(slot, &pl011_ops, uart, &slot->lock);
}

static void make_pl031(struct slot *slot)
{
	struct emul_pl031 *clock = NEXT(clocks, slot);

	pl031_init(clock, clock_open(&slot->lock), line_of(slot));
	add(slot, &pl031_ops, clock, &slot->lock);
}

static void make_none(struct slot *slot)
{
	add_transport(slot, &empty_transport);
	slot->virtio = NULL;
}

static void make_console(struct slot *slot)
{
	struct virtio_console *console = NEXT(consoles, slot);
	struct console_port *port = console_add_port("the virtio console", &virtio_console_events,
						     console, &slot->lock, virtio_port_receives);
	const struct virtio_place place = place_of(slot);

	virtio_console_init(console, &port->backend, &place);
	add_transport(slot, &console->device);
}

static void make_disk(struct slot *slot)
{
	struct virtio_blk *disk = NEXT(disks, slot);
	const struct virtio_place place = place_of(slot);

	virtio_blk_init(disk, backend_block(slot->config), slot->config->read_only,
			disk_queues[disk - disks], (uint16_t)vgic.cpu_count, &place);
	add_transport(slot, &disk->device);
}

/* The loopback gives frames back after the access that sent them, with no lock held. */
static void loopback_write(void *opaque, uint32_t offset, uint32_t size, uint32_t value)
{
	struct virtio_net *card = opaque;

	spin_lock(card->device.place.lock);
	virtio_write(&card->device, offset, size, value);
	spin_unlock(card->device.place.lock);
	net_loopback_run((struct net_loopback *)card->backend);
}

static uint32_t loopback_read(void *opaque, uint32_t offset, uint32_t size)
{
	struct virtio_net *card = opaque;
	uint32_t value;

	spin_lock(card->device.place.lock);
	value = virtio_mmio_ops.read(&card->device, offset, size);
	spin_unlock(card->device.place.lock);
	return value;
}

static void make_card(struct slot *slot)
{
	static const struct mmio_ops loopback_ops = {loopback_read, loopback_write};
	struct virtio_net *card = NEXT(cards, slot);
	const struct virtio_place place = place_of(slot);

	virtio_net_init(card, backend_net(slot->config), &place);
	if (slot->config->backend.kind == BACKEND_LOOPBACK) {
		slot->virtio = &card->device;
		add(slot, &loopback_ops, card, NULL);
	} else {
		add_transport(slot, &card->device);
	}
}

static void make_rng(struct slot *slot)
{
	struct entropy_backend *source = backend_entropy(slot->config);
	const struct virtio_place place = place_of(slot);
	struct virtio_rng *rng;

	if (source == NULL) {
		make_none(slot);
		return;
	}
	rng = NEXT(rngs, slot);
	virtio_rng_init(rng, source, &place);
	add_transport(slot, &rng->device);
}

static void make_flash(struct slot *slot)
{
	slot->flash = flash_create(slot->config, &slot->lock);
	add(slot, &cfi_ops, slot->flash, &slot->lock);
}

static void (*const makers[DEVICE_KINDS])(struct slot *slot) = {
	[DEVICE_PL011] = make_pl011,       [DEVICE_PL031] = make_pl031,
	[DEVICE_VIRTIO_NONE] = make_none,  [DEVICE_VIRTIO_CONSOLE] = make_console,
	[DEVICE_VIRTIO_BLOCK] = make_disk, [DEVICE_VIRTIO_NET] = make_card,
	[DEVICE_VIRTIO_RNG] = make_rng,    [DEVICE_FLASH] = make_flash,
};

/*
 * The guest reads the registers of its transports with no exit: they stand in a page of bivy's,
 * which stage 2 maps read-only, each kept true by its device. Eight of QEMU's share a page; where
 * there is none, it reads as zero. Only one page, and none besides flash: see mmio_shown. Device
 * memory on both sides, so that no mismatched attributes meet (ARM DDI 0406C A3.5.7); what the
 * firmware left of it in caches goes first. A write there is done before another core hears of the
 * interrupt by the DSB of its kick, and for this core's guest by program order (A3.8.3).
 */
static void show_transports(void)
{
	volatile uint32_t *const shown = (volatile uint32_t *)SHOWN_VA;
	const uint64_t pa = image_pa + SHOWN_PAGE;
	uint64_t page = 0;

	for (unsigned int i = vm.config.device_count; i-- != 0;) {
		if (slots[i].flash != NULL) {
			return;
		}
		page = slots[i].virtio != NULL ? slots[i].config->base & ~0xfffull : page;
	}
	if (page == 0 || !stage2_show_registers(page, pa)) {
		return;
	}
	mmio_show(page);
	stage1_map_device(SHOWN_VA, pa, PAGE_SIZE);
	cache_flush((const void *)SHOWN_VA, PAGE_SIZE);
	for (uint32_t offset = 0; offset < PAGE_SIZE; offset += 4) {
		uint32_t value = 0;

		mmio_read_ipa(page + offset, 4, &value);
		shown[offset / 4] = value;
	}
	for (unsigned int i = 0; i < vm.config.device_count; i++) {
		const uint64_t offset = slots[i].config->base - page;

		if (slots[i].virtio != NULL && offset < PAGE_SIZE) {
			slots[i].virtio->shown = shown + offset / 4;
		}
	}
}

void devices_create(void)
{
	virtio_init(&empty_transport, &virtio_empty, &(struct virtio_place){.lock = &empty_lock},
		    NULL, 0, 0);
	mmio_clear();
	if (mmio_add(vm.config.gicd_base, 0x1000, &vgicd_ops, NULL, NULL) != 0 ||
	    mmio_add(vm.config.gicc_base + 0x1000, 0x1000, &vgic_dir_ops, NULL, NULL) != 0) {
		stop("the guest's device tree: the interrupt controller's registers overlap; move "
		     "them apart");
	}
	for (unsigned int i = 0; i < vm.config.device_count; i++) {
		slots[i].config = &vm.config.device[i];
		makers[slots[i].config->kind](&slots[i]);
	}
	show_transports();
}

/*
 * Lock: the device's, held; released while requests are in flight, whose interrupts this core takes
 * as long as no vCPU runs.
 */
static void wait_outside(struct spinlock *lock)
{
	spin_unlock(lock);
	irq_take();
	spin_lock(lock);
}

void devices_reset(void)
{
	for (unsigned int i = 0; i < vm.config.device_count; i++) {
		struct slot *slot = &slots[i];

		spin_lock(&slot->lock);
		while ((slot->virtio != NULL && !virtio_reset(slot->virtio)) ||
		       (slot->flash != NULL && !cfi_reset(slot->flash))) {
			wait_outside(&slot->lock);
		}
		if (slot->pl011 != NULL) {
			pl011_reset(slot->pl011);
		} else if (slot->config->kind == DEVICE_PL031) {
			pl031_reset(&clocks[0]);
		}
		spin_unlock(&slot->lock);
	}
	backends_reset();
}
