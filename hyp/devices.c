/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's emulated devices: one slot each, with its lock, made from the configuration.
 * Lock: the slot's own guards the model; MMIO dispatch and the console's events take it.
 */
#include "console.h"
#include "mmio.h"
#include "print.h"
#include "trap.h"
#include "vgic.h"
#include "vm.h"
#include "../drivers/emul/pl011.h"
#include "../drivers/virtio/console.h"

#define SERIALS_MAX CONSOLE_PORTS_MAX

struct serial_slot {
	struct spinlock lock;
	enum device_kind kind;
	union {
		struct emul_pl011 pl011;
		struct virtio_console console;
	};
};

static struct serial_slot serials[SERIALS_MAX];
static unsigned int serial_count;

/* All empty transports are the same, and hold nothing that a driver could change for another. */
static struct virtio_device empty_transport;
static struct spinlock empty_lock;

static bool pl011_port_receives(const void *device)
{
	return pl011_receives(device);
}

static bool virtio_port_receives(const void *device)
{
	return virtio_console_receives(device);
}

static void add(const struct device_config *config, const struct mmio_ops *ops, void *device,
		struct spinlock *lock)
{
	const uint32_t size = (config->size + 255) & ~255u;

	if (mmio_add(config->base, size, ops, device, lock) != 0) {
		stop("the guest's device tree: %s: no room for its registers at %llx; move it",
		     config->node, config->base);
	}
}

static struct serial_slot *new_serial(const struct device_config *config)
{
	if (serial_count == SERIALS_MAX) {
		stop("the guest's device tree: %s: more than %d serial devices; remove some",
		     config->node, SERIALS_MAX);
	}
	serials[serial_count].kind = config->kind;
	return &serials[serial_count++];
}

static void add_pl011(const struct device_config *config)
{
	struct serial_slot *slot = new_serial(config);
	struct console_port *port = console_add_port("the PL011", &pl011_events, &slot->pl011,
						     &slot->lock, pl011_port_receives);

	pl011_init(&slot->pl011, &port->backend, (struct irq_line){vgic_set_line, config->intid});
	add(config, &pl011_ops, &slot->pl011, &slot->lock);
}

static struct virtio_place place_of(const struct device_config *config, struct spinlock *lock)
{
	return (struct virtio_place){
		.memory = &vm.memory, .irq = {vgic_set_line, config->intid}, .lock = lock};
}

/* A write that waits for requests in flight waits in the guest, see virtio_reset(). */
static void transport_write(void *opaque, uint32_t offset, uint32_t size, uint32_t value)
{
	struct virtio_device *device = opaque;

	virtio_mmio_ops.write(device, offset, size, value);
	if (device->again) {
		device->again = false;
		spin_unlock(device->place.lock);
		trap_again();
	}
}

static void add_transport(const struct device_config *config, struct virtio_device *device)
{
	const struct mmio_ops ops = {.read = virtio_mmio_ops.read, .write = transport_write};

	add(config, &ops, device, device->place.lock);
}

static void add_virtio_console(const struct device_config *config)
{
	struct serial_slot *slot = new_serial(config);
	struct console_port *port =
		console_add_port("the virtio console", &virtio_console_events, &slot->console,
				 &slot->lock, virtio_port_receives);
	const struct virtio_place place = place_of(config, &slot->lock);

	virtio_console_init(&slot->console, &port->backend, &place);
	add_transport(config, &slot->console.device);
}

static void add_virtio_none(const struct device_config *config)
{
	add_transport(config, &empty_transport);
}

static void (*const makers[])(const struct device_config *config) = {
	[DEVICE_PL011] = add_pl011,
	[DEVICE_VIRTIO_NONE] = add_virtio_none,
	[DEVICE_VIRTIO_CONSOLE] = add_virtio_console,
};

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
		const struct device_config *device = &vm.config.device[i];

		if (device->kind >= sizeof(makers) / sizeof(makers[0])) {
			stop("the guest's device tree: %s: this bivy has no such device yet",
			     device->node);
		}
		makers[device->kind](device);
	}
}

/*
 * Lock: the device's, held; released while requests are in flight, whose interrupts this core takes
 * as long as no vCPU runs.
 */
static void reset_virtio(struct virtio_device *device)
{
	while (!virtio_reset(device)) {
		spin_unlock(device->place.lock);
		irq_take();
		spin_lock(device->place.lock);
	}
}

void devices_reset(void)
{
	for (unsigned int i = 0; i < serial_count; i++) {
		struct serial_slot *slot = &serials[i];

		spin_lock(&slot->lock);
		if (slot->kind == DEVICE_PL011) {
			pl011_reset(&slot->pl011);
		} else {
			reset_virtio(&slot->console.device);
		}
		spin_unlock(&slot->lock);
	}
}
