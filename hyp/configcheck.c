/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the guest's configuration against the board, and its parts against each other. Pure. */
#include "config.h"
#include "refuse.h"

#define IPA_LIMIT (1ull << 40) /* ARM DDI 0406C B3.6.1: 40-bit addresses */
#define PAGE      0x1000u
#define FIRST_SPI 32

const char *config_window(const struct guest_config *config, const struct board *board,
			  unsigned int i, struct range *range)
{
	if (i == 0) {
		range->base = config->ram_base;
		range->size = config->ram_size;
		if (range->size == 0) {
			range->size =
				board->ram.size < GUEST_RAM_MAX ? board->ram.size : GUEST_RAM_MAX;
		}
		return "the memory";
	}
	if (i == 1) {
		range->base = config->gicd_base;
		range->size = PAGE;
		return "the interrupt distributor";
	}
	if (i == 2) {
		range->base = config->gicc_base;
		range->size = config->gicc_size;
		return "the interrupt controller's CPU interface";
	}
	range->base = config->device[i - 3].base;
	range->size = config->device[i - 3].size;
	return config->device[i - 3].node;
}

static int check_overlaps(const struct guest_config *config, const struct board *board,
			  struct config_error *error)
{
	unsigned int i, j;
	struct range a, b;

	for (i = 1; i < config->device_count + 3; i++) {
		const char *name = config_window(config, board, i, &a);

		for (j = 0; j < i; j++) {
			const char *other = config_window(config, board, j, &b);

			if (a.base < b.base + b.size && b.base < a.base + a.size) {
				return refuse(error, "%s at %llx overlaps %s at %llx", name,
					      (unsigned long long)a.base, other,
					      (unsigned long long)b.base);
			}
		}
	}
	return 0;
}

static int check_intids(const struct guest_config *config, uint32_t intid_limit,
			struct config_error *error)
{
	unsigned int i, j;

	for (i = 0; i < config->device_count; i++) {
		const struct device_config *device = &config->device[i];

		if (device->intid >= intid_limit) {
			return refuse(error,
				      "%s has SPI %u, and the board's interrupt controller ends at "
				      "SPI %u",
				      device->node, (unsigned int)(device->intid - FIRST_SPI),
				      (unsigned int)(intid_limit - FIRST_SPI - 1));
		}
		for (j = 0; j < i; j++) {
			if (device->intid != 0 && device->intid == config->device[j].intid) {
				return refuse(error, "%s and %s share SPI %u; give each its own",
					      config->device[j].node, device->node,
					      (unsigned int)(device->intid - FIRST_SPI));
			}
		}
	}
	return 0;
}

static int check_cpus(const struct guest_config *config, const struct board *board,
		      struct config_error *error)
{
	unsigned int i, j;

	if (config->cpu_count > board->cpu_count) {
		return refuse(error,
			      "the guest's device tree has %u CPUs, and the board %u; remove some, "
			      "or all to get as many as there are",
			      config->cpu_count, board->cpu_count);
	}
	for (i = 0; i < config->cpu_count; i++) {
		for (j = 0; j < board->cpu_count && board->cpu_mpidr[j] != config->cpu_mpidr[i];
		     j++) {
		}
		if (j == board->cpu_count) {
			return refuse(error,
				      "the guest's device tree names CPU %x, which this board does "
				      "not have; remove its node",
				      (unsigned int)config->cpu_mpidr[i]);
		}
	}
	return 0;
}

int config_check(const struct guest_config *config, const struct board *board, uint32_t intid_limit,
		 struct config_error *error)
{
	struct range ram;
	int result = check_cpus(config, board, error);

	if (result != 0) {
		return result;
	}
	config_window(config, board, 0, &ram);
	if (ram.size > board->ram.size) {
		return refuse(error,
			      "the guest's device tree wants %llx bytes of memory, and the board "
			      "has %llx; size 0 takes what there is",
			      (unsigned long long)ram.size, (unsigned long long)board->ram.size);
	}
	if (ram.size > IPA_LIMIT - ram.base) {
		return refuse(error, "the guest's memory of %llx bytes at %llx ends beyond 1 TiB",
			      (unsigned long long)ram.size, (unsigned long long)ram.base);
	}
	if (config->gicc_size > board->gicv.size) {
		return refuse(
			error, "the guest's GICC has %x bytes, and the board's GICV only %llx",
			(unsigned int)config->gicc_size, (unsigned long long)board->gicv.size);
	}
	return check_overlaps(config, board, error) ?: check_intids(config, intid_limit, error);
}

int config_check_disks(const struct guest_config *config, unsigned int disk_count,
		       struct config_error *error)
{
	for (unsigned int i = 0; i < config->device_count; i++) {
		const struct device_config *device = &config->device[i];

		if (device->backend.kind == BACKEND_RAM && device->backend.number >= disk_count) {
			return refuse(error,
				      "%s has the backend ram%u, and the bundle has %u disks; add "
				      "one (tools/mkbundle --disk)",
				      device->node, device->backend.number, disk_count);
		}
	}
	return 0;
}
