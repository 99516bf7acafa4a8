/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one bounds check between a guest address and a pointer: what it returns is NULL, or the whole
 * range lies in RAM, wherever that begins and whatever the guest asks for.
 * @sources +drivers/guestmem.h
 * @run -eva-precision 1
 * @plant drivers/guestmem.h s/offset > size - length/offset > size/
 * @plant drivers/guestmem.h s/length > size [|][|]//
 */
#include "drivers/guestmem.h"

#define RAM 64

static uint8_t ram[RAM];

void main(void)
{
	const struct guest_memory memory = {(uint64_t)any() << 32 | any(), RAM, ram};
	const uint64_t ipa = (uint64_t)any() << 32 | any();
	const uint32_t length = any();
	uint8_t *at;

	if (length <= RAM && length != 0) {
		/*@ split length; */
		at = guest_memory_at(&memory, ipa, length);
		if (at) {
			/*@ assert \valid(at + (0 .. length - 1)); */
		}
	} else if (length > RAM) {
		at = guest_memory_at(&memory, ipa, length);
		/*@ assert at == \null; */
	}
}
