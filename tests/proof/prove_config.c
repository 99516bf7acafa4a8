/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's device tree: any tree (trees.h), and what it says against any board and any bundle.
 * @sources hyp/config.c hyp/configcheck.c
 * @run -DPROPERTY=1 -eva-precision=1 -eva-interprocedural-splits
 * @run -DPROPERTY=20 -eva-precision=1 -eva-interprocedural-splits
 * @plant hyp/config.c s/config->cpu_count == CPUS_MAX/false/
 * @plant hyp/config.c s/config->device_count == CONFIG_DEVICES_MAX/false/
 * @plant hyp/configcheck.c s/device_count . 3; i/device_count + 4; i/
 */
#include "tests/proof/trees.h"

/* Proved in prove_backend.c. */
int device_read(const struct dt_at *at, struct device_config *device)
{
	device->kind = (enum device_kind)up_to(DEVICE_KINDS - 1);
	device->backend.kind = (enum backend_kind)up_to(BACKEND_FIRMWARE);
	device->backend.number = up_to(31);
	return maybe() ? 0 : -22;
}

void main(void)
{
	static struct guest_config config;
	static struct board board;
	struct config_error error;

	/*@ widen_hints global:"all", 7, 8, 63, 64; */
	if (config_read(NULL, any(), &config, &error) == 0) {
		/*@ assert config.cpu_count <= CPUS_MAX && config.device_count <= CONFIG_DEVICES_MAX; */
		config_kernel_range(&config, any64(), any64());
		Frama_C_make_unknown((char *)&board, sizeof(board));
		board.cpu_count = up_to(CPUS_MAX);
		config_check(&config, &board, any(), &error);
		config_check_disks(&config, any(), &error);
	}
}
