/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device's node asks for: any strings, at any node of any tree (trees.h).
 * @sources hyp/backend.c
 * @run -DPROPERTY=4 -DTEXT=10 -eva-slevel=1000 -eva-split-return-function=take:full,take_number:full
 * @plant hyp/backend.c s/digit_of.\*\*text. < radix/true/
 * @plant hyp/backend.c s/text == NULL [|][|] //
 * @plant hyp/backend.c s/.kind->backends & MAY.backend->kind.. == 0/(kind->backends \& MAY(backend->number)) == 0/
 */
#include "tests/proof/trees.h"
#include "hyp/backend.h"

void main(void)
{
	static struct dt dt;
	static struct device_config device;
	struct dt_at at;

	go(&at, &dt, 0);
	if (device_read(&at, &device) == 0) {
		/*@ assert device.kind < DEVICE_KINDS && device.backend.kind <= BACKEND_FIRMWARE; */
	}
}
