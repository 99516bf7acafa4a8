/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every form of load and store of core registers on emulated devices. The processor is the oracle:
 * what an instruction does with GICD_IPRIORITYR, which keeps what is written to the upper five bits
 * of each byte, it must also do with the same words in RAM.
 */
#include "payload.h"

#define DEVICE   0x08000420u /* IPRIORITYR of INTIDs 32 on */
#define WORDS    24u
#define MIDDLE   32u         /* bytes: bases point here, so that offsets may be negative */
#define LANDING  0x40080800u /* an address whose bytes IPRIORITYR keeps, for loads of the PC */
#define SVC_MODE (PSR_SVC | PSR_AIF)

struct form {
	const char *name, *code, *end;
	bool thumb;
};

/* The base is r1, an index is r2 (= 8 or so), data in r3 to r12 and the rest. */
/* clang-format off */
#define ARM_FORMS(form)                                                                            \
	form(a_ldr, "ldr r3, [r1]") form(a_ldr_imm, "ldr r3, [r1, #4]")                            \
	form(a_ldr_neg, "ldr r3, [r1, #-8]") form(a_ldr_reg, "ldr r3, [r1, r2]")                   \
	form(a_ldr_lsl, "ldr r3, [r1, r2, lsl #1]") form(a_ldr_lsr, "ldr r3, [r1, r2, lsr #1]")    \
	form(a_ldr_asr, "ldr r3, [r1, -r2, asr #1]") form(a_ldr_pre, "ldr r3, [r1, #4]!")          \
	form(a_ldr_pre_neg, "ldr r3, [r1, #-12]!") form(a_ldr_post, "ldr r3, [r1], #4")            \
	form(a_ldr_post_reg, "ldr r3, [r1], r2") form(a_ldr_post_neg, "ldr r3, [r1], -r2, lsl #2") \
	form(a_ldr_pre_reg, "ldr r3, [r1, r2]!") form(a_ldrt, "ldrt r3, [r1]")                     \
	form(a_ldrt_post, "ldrt r3, [r1], #4") form(a_ldrb, "ldrb r3, [r1, #1]")                   \
	form(a_ldrb_post, "ldrb r3, [r1], #1") form(a_ldrbt, "ldrbt r3, [r1], #3")                 \
	form(a_ldrb_reg, "ldrb r3, [r1, r2, lsr #3]") form(a_ldrh, "ldrh r3, [r1, #2]")            \
	form(a_ldrh_post, "ldrh r3, [r1], #2") form(a_ldrh_reg, "ldrh r3, [r1, r2]")               \
	form(a_ldrh_pre, "ldrh r3, [r1, #-2]!") form(a_ldrht, "ldrht r3, [r1], #2")                \
	form(a_ldrsb, "ldrsb r3, [r1, #3]") form(a_ldrsb_post, "ldrsb r3, [r1], #1")               \
	form(a_ldrsb_reg, "ldrsb r3, [r1, r2]!") form(a_ldrsbt, "ldrsbt r3, [r1], #1")             \
	form(a_ldrsh, "ldrsh r3, [r1, #2]") form(a_ldrsh_pre, "ldrsh r3, [r1, #6]!")               \
	form(a_ldrsht, "ldrsht r3, [r1], #2") form(a_ldrd, "ldrd r4, r5, [r1]")                    \
	form(a_ldrd_imm, "ldrd r6, r7, [r1, #-16]") form(a_ldrd_pre, "ldrd r4, r5, [r1, #8]!")     \
	form(a_ldrd_post, "ldrd r4, r5, [r1], #8") form(a_ldrd_reg, "ldrd r10, r11, [r1, r2]")     \
	form(a_ldrd_post_reg, "ldrd r4, r5, [r1], r2") form(a_ldmia, "ldmia r1, {r3-r6}")          \
	form(a_ldmia_w, "ldmia r1!, {r3, r5, r9, r12, lr}") form(a_ldmdb, "ldmdb r1!, {r0, r4}")   \
	form(a_ldmib, "ldmib r1, {r3, r8}") form(a_ldmda, "ldmda r1!, {r3-r7}")                    \
	form(a_ldm_base, "ldmia r1, {r1-r4}") form(a_ldm_all, "ldmia r1, {r0, r2-r12, sp, lr}")    \
	form(a_ldm_one, "ldmia r1!, {r7}") form(a_ldr_pc, "ldr pc, [r1, #24]")                     \
	form(a_ldm_pc, "ldmib r1, {r3-r7, pc}") form(a_ldm_pc_w, "ldmia r1!, {r2-r7, pc}")         \
	form(a_ldrex, "ldrex r3, [r1]") form(a_ldrexb, "ldrexb r3, [r1]")                          \
	form(a_ldrexh, "ldrexh r3, [r1]") form(a_ldrexd, "ldrexd r4, r5, [r1]")                    \
	form(a_swp, "swp r3, r4, [r1]") form(a_swpb, "swpb r3, r4, [r1]")                          \
	form(a_swp_same, "swp r3, r3, [r1]") form(a_str, "str r3, [r1]")                           \
	form(a_str_imm, "str r3, [r1, #-4]") form(a_str_reg, "str r3, [r1, r2, lsl #1]")           \
	form(a_str_pre, "str r3, [r1, #4]!") form(a_str_post, "str r3, [r1], #-4")                 \
	form(a_str_post_reg, "str r3, [r1], r2") form(a_strt, "strt r3, [r1], #4")                 \
	form(a_strb, "strb r3, [r1, #1]") form(a_strb_post, "strb r3, [r1], #1")                   \
	form(a_strbt, "strbt r3, [r1], #1") form(a_strh, "strh r3, [r1, #2]")                      \
	form(a_strh_pre, "strh r3, [r1, #2]!") form(a_strh_post, "strh r3, [r1], r2")              \
	form(a_strht, "strht r3, [r1], #2") form(a_strd, "strd r4, r5, [r1]")                      \
	form(a_strd_pre, "strd r4, r5, [r1, #-8]!") form(a_strd_post, "strd r4, r5, [r1], #8")     \
	form(a_strd_reg, "strd r4, r5, [r1, r2]") form(a_stmia, "stmia r1, {r3-r6}")               \
	form(a_stmia_w, "stmia r1!, {r3, r5, r9, r12, lr}") form(a_stmdb, "stmdb r1!, {r0, r4}")   \
	form(a_stmib, "stmib r1!, {r3-r5}") form(a_stmda, "stmda r1, {r3-r7}")                     \
	form(a_stm_all, "stmia r1, {r0, r2-r12, sp, lr}")                                          \
	form(a_strex, "strex r5, r4, [r1]") form(a_strexd, "strexd r8, r4, r5, [r1]")              \
	form(a_push, "mov sp, r1\npush {r3-r6}\nmov r1, sp\nmov sp, #0")                           \
	form(a_pop, "mov sp, r1\npop {r3-r6}\nmov r1, sp\nmov sp, #0")                             \
	form(a_push_one, "mov sp, r1\npush {r3}\nmov r1, sp\nmov sp, #0")                          \
	form(a_pop_pc, "mov sp, r1\npop {r2-r7, pc}")

#define THUMB_FORMS(form)                                                                          \
	form(t_ldr, "ldr r3, [r1]") form(t_ldr_reg, "ldr r3, [r1, r2]")                            \
	form(t_ldrb, "ldrb r3, [r1, #1]") form(t_ldrb_reg, "ldrb r3, [r1, r2]")                    \
	form(t_ldrh, "ldrh r3, [r1, #2]") form(t_ldrh_reg, "ldrh r3, [r1, r2]")                    \
	form(t_ldrsb_reg, "ldrsb r3, [r1, r2]") form(t_ldrsh_reg, "ldrsh r3, [r1, r2]")            \
	form(t_str, "str r3, [r1, #4]") form(t_strb, "strb r3, [r1, #1]")                          \
	form(t_strh, "strh r3, [r1, #2]") form(t_str_reg, "str r3, [r1, r2]")                      \
	form(t_ldm, "ldmia r1!, {r3-r5}") form(t_stm, "stmia r1!, {r3-r5}")                        \
	form(t_ldm_base, "ldmia r1, {r0, r1, r3}")                                                 \
	form(t_push, "mov sp, r1\npush {r3, r5, lr}\nmov r1, sp\nmovw r0, #0\nmov sp, r0")         \
	form(t_pop, "mov sp, r1\npop {r3, r5, r7}\nmov r1, sp\nmovw r0, #0\nmov sp, r0")           \
	form(t_ldr_sp, "mov sp, r1\nldr r3, [sp, #8]\nmovw r0, #0\nmov sp, r0")                    \
	form(t_str_sp, "mov sp, r1\nstr r3, [sp, #4]\nmovw r0, #0\nmov sp, r0")                    \
	form(t_ldr_w, "ldr.w r9, [r1, #12]") form(t_ldr_w_neg, "ldr.w r9, [r1, #-12]")             \
	form(t_ldr_w_reg, "ldr.w r9, [r1, r2, lsl #1]") form(t_ldr_w_pre, "ldr.w r9, [r1, #4]!")   \
	form(t_ldr_w_post, "ldr.w r9, [r1], #-4") form(t_ldrt, "ldrt r3, [r1, #4]")                \
	form(t_ldrb_w, "ldrb.w r9, [r1, #-3]") form(t_ldrb_w_post, "ldrb.w r9, [r1], #1")          \
	form(t_ldrh_w_pre, "ldrh.w r9, [r1, #2]!") form(t_ldrsb_w, "ldrsb.w r9, [r1, #5]")         \
	form(t_ldrsb_w_pre, "ldrsb.w r9, [r1, #5]!") form(t_ldrsh_w, "ldrsh.w r9, [r1, #6]")       \
	form(t_ldrsh_w_post, "ldrsh.w r9, [r1], #2") form(t_ldrbt, "ldrbt r3, [r1, #1]")           \
	form(t_ldrht, "ldrht r3, [r1, #2]") form(t_ldrsbt, "ldrsbt r3, [r1, #3]")                  \
	form(t_ldrsht, "ldrsht r3, [r1, #2]") form(t_strt, "strt r3, [r1, #4]")                    \
	form(t_str_w, "str.w r9, [r1, #-4]") form(t_str_w_pre, "str.w r9, [r1, #4]!")              \
	form(t_str_w_post, "str.w r9, [r1], #8") form(t_str_w_reg, "str.w r9, [r1, r2, lsl #2]")   \
	form(t_strb_w_pre, "strb.w r9, [r1, #-1]!") form(t_strh_w_post, "strh.w r9, [r1], #2")     \
	form(t_ldrd, "ldrd r3, r8, [r1, #8]") form(t_ldrd_pre, "ldrd r3, r8, [r1, #-8]!")          \
	form(t_ldrd_post, "ldrd r9, r4, [r1], #16") form(t_strd, "strd r3, r8, [r1, #8]")          \
	form(t_strd_pre, "strd r3, r8, [r1, #-8]!") form(t_strd_post, "strd r9, r4, [r1], #16")    \
	form(t_ldm_w, "ldmia.w r1!, {r3, r9, r12, lr}") form(t_ldmdb, "ldmdb r1!, {r3, r9}")       \
	form(t_stm_w, "stmia.w r1!, {r3, r9, r12, lr}") form(t_stmdb, "stmdb r1!, {r3, r9}")       \
	form(t_push_w, "mov sp, r1\npush.w {r3, r9}\nmov r1, sp\nmovw r0, #0\nmov sp, r0")         \
	form(t_ldrex, "ldrex r3, [r1, #4]") form(t_ldrexb, "ldrexb r3, [r1]")                      \
	form(t_ldrexd, "ldrexd r3, r9, [r1]")                                                      \
	form(t_strex, "strex r5, r4, [r1]")                                                        \
	form(t_it_ldr, "cmp r2, #8\nittt eq\nldreq r3, [r1, #4]\nldmiaeq r1!, {r4, r5}\nmoveq r6, r5") \
	form(t_it_ldr_not, "cmp r2, #8\nitte ne\nldrne r3, [r1, #4]\nldmiane r1!, {r4, r5}\nmoveq r6, r4") \
	form(t_it_str, "cmp r2, #8\nitet eq\nstrheq r3, [r1, #4]\nstrdne r4, r5, [r1], #8\nstrdeq r6, r7, [r1], #8") \
	form(t_ldr_pc, "ldr.w pc, [r1, #24]") form(t_pop_pc, "mov sp, r1\npop {r2-r7, pc}")        \
	form(t_ldmdb_pc, "mov r0, r1\nadd.w r0, r0, #28\nldmdb r0, {r5, r6, pc}")
/* clang-format on */

#define ARM_CODE_OF(name, text)   ARM_CODE(name, text);
#define THUMB_CODE_OF(name, text) THUMB_CODE(name, text);
#define ARM_ROW(name, text)       {text, name, name##_end, false},
#define THUMB_ROW(name, text)     {text, name, name##_end, true},
ARM_FORMS(ARM_CODE_OF)
THUMB_FORMS(THUMB_CODE_OF)
static const struct form forms[] = {ARM_FORMS(ARM_ROW) THUMB_FORMS(THUMB_ROW)};

static uint32_t memory[WORDS];

/* Bytes that IPRIORITYR keeps, all different and half of them negative. Word 14 and 15 lead to the
 * landing. */
static uint32_t pattern(unsigned int i)
{
	uint32_t byte = i * 32;

	if (i * 4 == MIDDLE + 24) {
		return LANDING;
	}
	return (byte + 8) % 256 | (0xa0 + byte) % 256 << 8 | (byte + 0x58) % 256 << 16 |
	       (byte + 0xf0) % 256 << 24;
}

static void fill(uint32_t base)
{
	for (unsigned int i = 0; i < WORDS; i++) {
		write32(base + 4 * i, pattern(i));
	}
}

struct outcome {
	struct context context;
	uint32_t memory[WORDS];
};

static void perform(const struct form *form, uint32_t mode, uint32_t base, struct outcome *outcome)
{
	struct context *c = prepare(form->code, mode | PSR_AIF | (form->thumb ? PSR_T : 0));

	fill(base);
	c->r[0] = 0x40;
	c->r[1] = base + MIDDLE;
	c->r[2] = 8;
	c->r[13] = 0xe8d8c8b8;
	execute();
	outcome->context = *c;
	for (unsigned int i = 0; i < WORDS; i++) {
		outcome->memory[i] = read32(base + 4 * i);
	}
}

/* A register that holds an address differs by the bases. */
static bool same(uint32_t on_device, uint32_t in_ram)
{
	return on_device == in_ram || on_device - DEVICE == in_ram - (uint32_t)memory;
}

static void compare(const struct form *form, uint32_t mode, const char *set)
{
	static struct outcome device, ram;
	const struct context *d = &device.context, *r = &ram.context;

	perform(form, mode, (uint32_t)memory, &ram);
	perform(form, mode, DEVICE, &device);
	if (d->kind != KIND_UNDEFINED || d->pc != r->pc || d->cpsr != r->cpsr) {
		result(form->name, false,
		       "%s: kind %u at 0x%x, in RAM kind %u at 0x%x; CPSR 0x%x and 0x%x", set,
		       d->kind, d->pc, r->kind, r->pc, d->cpsr, r->cpsr);
		return;
	}
	for (unsigned int i = 0; i < 15; i++) {
		if (!same(d->r[i], r->r[i])) {
			result(form->name, false, "%s: r%u is 0x%x instead of 0x%x", set, i,
			       d->r[i], r->r[i]);
			return;
		}
	}
	for (unsigned int i = 0; i < WORDS; i++) {
		if (device.memory[i] != ram.memory[i]) {
			result(form->name, false, "%s: word %u is 0x%x instead of 0x%x", set, i,
			       device.memory[i], ram.memory[i]);
			return;
		}
	}
	result(form->name, true, "");
}

/* Each register as the target and as the source of a word, by code made here: ldr/str rN, [r1 or
 * r0]. */
static uint32_t made[2];

static bool register_in_mode(unsigned int n, uint32_t mode, bool store)
{
	const unsigned int base = n == 1 ? 0 : 1;
	struct context *c;

	made[0] = (store ? 0xe5800000u : 0xe5900000u) | base << 16 | n << 12;
	made[1] = 0xe7f000f0;
	asm volatile("dsb\n\tmcr p15, 0, %0, c7, c5, 0\n\tdsb\n\tisb" ::"r"(0) : "memory");
	write32(DEVICE, 0x98b8d8f8);
	c = prepare((const char *)made, mode | PSR_AIF);
	c->r[base] = DEVICE;
	c->r[n] = 0x50607080u + n * 0x08080808u;
	execute();
	if (c->kind != KIND_UNDEFINED || c->pc != (uint32_t)&made[2]) {
		return false;
	}
	return store ? read32(DEVICE) == 0x50607080u + n * 0x08080808u : c->r[n] == 0x98b8d8f8;
}

static void registers(void)
{
	static const uint32_t modes[] = {PSR_USR, PSR_FIQ, PSR_IRQ, PSR_SVC, PSR_ABT, PSR_SYS};
	static const char *const names[] = {"User", "FIQ", "IRQ", "SVC", "ABT", "System"};

	for (unsigned int m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
		uint32_t bad = 0;

		for (unsigned int n = 0; n < 15; n++) {
			bad |= register_in_mode(n, modes[m], false) ? 0 : 1u << n;
			bad |= register_in_mode(n, modes[m], true) ? 0 : 0x10000u << n;
		}
		result("bug: register table without R4 (all registers, all modes)", bad == 0,
		       "%s mode, loads and stores that went wrong: 0x%x", names[m], bad);
	}
}

ARM_CODE(store_word, "str r3, [r1]");
ARM_CODE(load_sb, "ldrsb r3, [r1]");
ARM_CODE(load_sh, "ldrsh r3, [r1]");
ARM_CODE(load_b, "ldrb r3, [r1]");
ARM_CODE(load_h, "ldrh r3, [r1]");
THUMB_CODE(load_sb_thumb, "ldrsb.w r3, [r1]");

static uint32_t one(const char *code, uint32_t state)
{
	struct context *c = prepare(code, SVC_MODE | state);

	c->r[1] = DEVICE;
	c->r[3] = 0xf8f0e8e0;
	execute();
	return c->r[3];
}

static void old_bugs(void)
{
	write32(DEVICE, 0);
	one(store_word, 0);
	equal("bug: mask of 4 bytes", read32(DEVICE), 0xf8f0e8e0);
	equal("bug: sign extension unused, LDRSB", one(load_sb, 0), 0xffffffe0);
	equal("bug: sign extension unused, LDRSH", one(load_sh, 0), 0xffffe8e0);
	equal("bug: sign extension unused, Thumb LDRSB", one(load_sb_thumb, PSR_T), 0xffffffe0);
	equal("LDRB is not extended by sign", one(load_b, 0), 0xe0);
	equal("LDRH is not extended by sign", one(load_h, 0), 0xe8e0);
}

/* LDM and STM of User mode's registers, from modes that have their own. */
ARM_CODE(ldm_user, "ldmia r1, {r3, r8-r12, sp, lr}^");
ARM_CODE(stm_user, "stmia r1, {r3, r8-r12, sp, lr}^");

static void user_registers(uint32_t mode, const char *name)
{
	static struct outcome device, ram;
	const struct form load = {name, ldm_user, ldm_user_end, false};
	const struct form store = {name, stm_user, stm_user_end, false};
	uint32_t sp_lr[2];

	perform(&load, mode, (uint32_t)memory, &ram);
	perform(&load, mode, DEVICE, &device);
	asm volatile("stmia %0, {sp, lr}^" ::"r"(sp_lr) : "memory");
	result(name,
	       sp_lr[0] == pattern(MIDDLE / 4 + 6) && sp_lr[1] == pattern(MIDDLE / 4 + 7) &&
		       memcmp(device.context.r + 2, ram.context.r + 2, sizeof(uint32_t) * 13) == 0,
	       "SP_usr 0x%x, LR_usr 0x%x, r8 0x%x and in RAM 0x%x", sp_lr[0], sp_lr[1],
	       device.context.r[8], ram.context.r[8]);
	perform(&store, mode, (uint32_t)memory, &ram);
	perform(&store, mode, DEVICE, &device);
	for (unsigned int i = 0; i < WORDS; i++) {
		if (device.memory[i] !=
		    (ram.memory[i] & 0xf8f8f8f8)) { /* SP and LR may be anything */
			result(name, false, "word %u: 0x%x and in RAM 0x%x", i, device.memory[i],
			       ram.memory[i]);
			return;
		}
	}
	result(name, true, "");
}

/*
 * A pair on a device either stores and says 0 or leaves it alone and says 1: what of it exclusive
 * accesses to Device memory do is the implementation's choice (ARM DDI 0406C A3.4.5).
 */
ARM_CODE(exclusive, "ldrex r3, [r1]\nstrex r5, r4, [r1]");

static void exclusive_pair(void)
{
	static struct outcome device;
	const struct form form = {"LDREX and STREX of a device", exclusive, exclusive_end, false};
	const struct context *c = &device.context;

	perform(&form, PSR_SVC, DEVICE, &device);
	result(form.name,
	       reached(c, exclusive_end) && c->r[3] == pattern(MIDDLE / 4) &&
		       device.memory[MIDDLE / 4] == (c->r[5] == 0 ? c->r[4] : c->r[3]),
	       "r3 0x%x, r5 0x%x, memory 0x%x", c->r[3], c->r[5], device.memory[MIDDLE / 4]);
}

/* Byte lanes and widths of the PL011's registers: IBRD and FBRD keep values. */
static void uart_widths(void)
{
	write32(0x09000024, 0x1234);
	equal("UART: word", read32(0x09000024), 0x1234);
	equal("UART: halfword", *(volatile uint16_t *)0x09000024, 0x1234);
	equal("UART: byte", *(volatile uint8_t *)0x09000024, 0x34);
	*(volatile uint16_t *)0x09000024 = 0x4321;
	equal("UART: halfword written", read32(0x09000024), 0x4321);
	equal("UART: PeriphID0", *(volatile uint8_t *)0x09000fe0, 0x11);
}

void payload(void)
{
	write32(LANDING, 0xe7f000f0); /* udf #0 in Arm state */
	for (unsigned int i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		compare(&forms[i], PSR_SVC, forms[i].thumb ? "Thumb, SVC mode" : "Arm, SVC mode");
		compare(&forms[i], PSR_FIQ, forms[i].thumb ? "Thumb, FIQ mode" : "Arm, FIQ mode");
		compare(&forms[i], PSR_USR, forms[i].thumb ? "Thumb, User mode" : "Arm, User mode");
	}
	registers();
	old_bugs();
	user_registers(PSR_FIQ, "LDM and STM of User mode's registers from FIQ mode");
	user_registers(PSR_SVC, "LDM and STM of User mode's registers from SVC mode");
	user_registers(PSR_ABT, "LDM and STM of User mode's registers from ABT mode");
	exclusive_pair();
	uart_widths();
}
