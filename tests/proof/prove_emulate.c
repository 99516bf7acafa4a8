/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads and stores that the syndrome does not describe: whatever the decoder can say of an instruction (what that is,
 * prove_decode.c proves), whatever the guest's tables, its code and its memory say at each look.
 * @sources +hyp/emulate.c hyp/registers.c hyp/inject.c
 * @unreached banked_registers_reset of prove_trap.c
 * @unreached inject_undefined of prove_trap.c
 * @unreached inject_prefetch_abort of prove_trap.c
 * @run -eva-interprocedural-splits
 * @argued emulate_transfer initialization
 *   What loaded[i] is read for i < count alone and if nothing is stored, and then each was loaded before, or the
 *   function has returned: tests/payload/decode.c runs each form and compares what is in the registers.
 * @plant hyp/emulate.c s/if .at == NULL. .$/if (at == NULL \&\& is_write) {/
 * @plant hyp/emulate.c s/loaded.t.count - 1./loaded[t.count]/
 * @plant hyp/registers.c s/n > 12/n == 14/
 */
#include "hyp/decode.h"

static bool any_transfer(uint32_t insn, const uint32_t r[16], uint32_t spsr, struct transfer *t)
{
	Frama_C_make_unknown((char *)t, sizeof(*t));
	t->length = maybe() ? 2 : 4;
	t->count = (uint8_t)Frama_C_unsigned_int_interval(1, 16);
	t->size = (uint8_t)(1u << up_to(2));
	for (unsigned int i = 0; i < 16; i++) {
		t->reg[i] = (uint8_t)up_to(15);
	}
	t->base = (uint8_t)up_to(15);
	t->status = (uint8_t)up_to(15);
	t->store = maybe();
	t->sign_extend = maybe();
	t->writeback = maybe();
	t->user_registers = maybe();
	t->unprivileged = maybe();
	t->swap = maybe();
	t->exclusive = maybe();
	/*@ split t->size; */
	return maybe();
}

#define decode_transfer any_transfer
#include "hyp/emulate.c"

#define RAM 64

struct vm vm;
static uint8_t ram[RAM];

/*@ assigns regs->cpsr \from regs->cpsr; */
void advance_it(struct guest_regs *regs);

bool mmio_read_ipa(uint64_t ipa, uint32_t size, uint32_t *read)
{
	/*@ assert size == 1 || size == 2 || size == 4; */
	*read = any();
	return maybe();
}

bool mmio_write_ipa(uint64_t ipa, uint32_t size, uint32_t written)
{
	/*@ assert size == 1 || size == 2 || size == 4; */
	return maybe();
}

void main(void)
{
	struct guest_regs regs;

	vm.memory = (struct guest_memory){0x40000000, RAM, ram};
	Frama_C_make_unknown((char *)ram, RAM);
	Frama_C_make_unknown((char *)&regs, sizeof(regs));
	emulate_transfer(&regs, any());
}
