/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Banks of flash in RAM that is kept for them. The guest reads and executes the array with no exit:
 * stage 2 shows it for as long as reads return it. Lock: each bank's device has one.
 */
#include "flash.h"
#include <stddef.h>
#include <string.h>
#include "backends.h"
#include "cache.h"
#include "print.h"
#include "stage1.h"
#include "stage2.h"
#include "trap.h"
#include "vm.h"

#define BANKS_MAX 4u

static struct bank {
	struct emul_cfi flash;
	const struct device_config *device;
} banks[BANKS_MAX];

static unsigned int bank_count;

static void show(struct emul_cfi *flash, bool array)
{
	const struct device_config *device = ((struct bank *)flash)->device;

	if (array) {
		stage2_show_flash(device->base, vm_kept(device), device->size);
	} else {
		stage2_hide_flash(device->base, device->size);
	}
}

static enum io_status load_status;

static void load_ended(struct mirror *array, enum io_status status)
{
	(void)array;
	load_status = status;
}

/* The disk may be one that answers by interrupt; the guest does not run yet. */
static void load(struct bank *bank)
{
	struct mirror *array = &bank->flash.array;
	const char *fault = mirror_open(array, bank->device->size);

	if (fault == NULL) {
		array->ended = load_ended;
		spin_lock(array->lock);
		load_status = mirror_begin(array, BLOCK_READ, 0, bank->device->size);
		spin_unlock(array->lock);
		while (load_status == IO_PENDING) {
			irq_take();
		}
		fault = load_status != IO_OK ? "the disk can't be read" : NULL;
	}
	if (fault != NULL) {
		stop("the guest's device tree: %s: bivy,backend: %s", bank->device->node, fault);
	}
}

struct emul_cfi *flash_create(const struct device_config *device, struct spinlock *lock)
{
	static const struct cfi_host host = {.show = show, .clean = cache_flush};
	struct bank *bank = &banks[bank_count];
	struct emul_cfi *flash = &bank->flash;

	if (bank_count++ == BANKS_MAX) {
		stop("the guest's device tree: %s: there are more than 4 banks of flash; remove "
		     "some",
		     device->node);
	}
	bank->device = device;
	flash->host = &host;
	flash->size = device->size;
	flash->array.at = window_at(vm_kept(device));
	flash->array.lock = lock;
	flash->array.disk = backend_flash(device);
	memset(flash->array.at, 0xff, device->size);
	if (flash->array.disk != NULL) {
		load(bank);
	}
	cache_flush(flash->array.at, device->size);
	cfi_init(flash);
	return flash;
}

uint8_t *flash_at(uint64_t ipa, uint64_t size)
{
	for (unsigned int i = 0; i < bank_count; i++) {
		const struct device_config *device = banks[i].device;

		if (ipa >= device->base && size <= device->size &&
		    ipa - device->base <= device->size - size) {
			return banks[i].flash.array.at + (ipa - device->base);
		}
	}
	return NULL;
}
