/* SPDX-License-Identifier: BSD-2-Clause */
/* Decoding the load or store that faulted when the syndrome is no help (HSR.ISV = 0). Pure. */
#ifndef HYP_DECODE_H
#define HYP_DECODE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What one instruction does to memory: count transfers of size bytes at consecutive addresses, the
 * first at va. Transfer i moves register reg[i] (0 to 15). Whoever applies it reads every register
 * to be stored before changing any, and writes the base back last, once every transfer went well.
 */
struct transfer {
	uint32_t va;              /* guest virtual address of the first transfer */
	uint32_t writeback_value; /* new value of the base register, if writeback */
	uint8_t length;           /* of the instruction: 2 or 4 bytes */
	uint8_t size;             /* of each transfer: 1, 2 or 4 bytes */
	uint8_t count;            /* transfers, 1 to 16 */
	uint8_t reg[16];
	uint8_t base; /* register number of the base, 0 to 15 */
	bool store;
	bool sign_extend; /* loads of 1 or 2 bytes */
	bool writeback;
	bool user_registers; /* LDM ^ without PC, STM ^: the registers (not base) are User mode's */
	bool unprivileged;   /* LDRT and its like: the access is made as User mode */
	bool swap;      /* SWP, SWPB: a load of reg[0], then a store of the old reg[1]; count 1 */
	bool exclusive; /* LDREX and STREX families */
	uint8_t status; /* STREX: register that receives 0 if the store succeeds */
};

/*
 * Decodes a load or store of the Arm or the Thumb instruction set.
 * @insn: Arm: the word. Thumb 16-bit: the halfword. Thumb 32-bit: the first halfword in bits 31:16.
 * @r: r0 to r15 of the trapped mode as the instruction reads them (r15 = the instruction's address
 * + 8 in Arm state, + 4 in Thumb state).
 * @spsr: of the trapped context: T selects the instruction set, C enters an offset shifted by RRX.
 * Whether the condition holds (COND, ITSTATE) is the caller's business.
 * Returns false for anything that is not a load or store of core registers (floating point and
 * SIMD, coprocessor, RFE and SRS, exception-return LDM, table branches, preloads) and for what is
 * UNDEFINED or UNPREDICTABLE (register combinations, should-be bits): the caller injects an abort.
 * *transfer then means nothing.
 * Source: ARM DDI 0406C A5.2, A5.3, A5.5 (Arm), A6.2, A6.3 (Thumb), A8.8.
 */
bool decode_transfer(uint32_t insn, const uint32_t r[16], uint32_t spsr, struct transfer *transfer);

#endif
