/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder: any instruction of either set, any registers.
 * @sources hyp/decode.c
 * @run -eva-slevel=300 -eva-slevel-merge-after-loop=multiple -eva-split-return-function=decode_transfer:0:1,multiple:0:1,arm_multiple:0:1,thumb_multiple:0:1,thumb_push_pop:0:1,wide_multiple:0:1
 * @plant hyp/decode.c s/number [|] 1/number + 1/
 * @plant hyp/decode.c s/amount != 0 . value >> amount . value << .32 - amount/true ? value >> amount | value << (32 - amount/
 * @plant hyp/decode.c s/.0, 0, no_transfer, 0, STORE.,//
 */
#include "hyp/decode.h"

void main(void)
{
	struct transfer t;
	uint32_t r[16];

	while (maybe()) {
		for (unsigned int n = 0; n < 16; n++) {
			r[n] = any();
		}
		if (decode_transfer(any(), r, any(), &t)) {
			/*@ assert t.length == 2 || t.length == 4; */
			/*@ assert t.size == 1 || t.size == 2 || t.size == 4; */
			/*@ assert t.count <= 16; */
			/*@ assert t.count >= 1; */
			/*@ assert \forall integer i; 0 <= i < 16 ==> t.reg[i] < 16; */
			/*@ assert t.base < 16 && t.status < 16; */
		}
	}
}
