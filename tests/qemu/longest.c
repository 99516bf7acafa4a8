/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin for QEMU's TCG: the most instructions that a core was in HYP mode at a stretch, from the
 * guest's entry on. Interrupts are masked there, so it is how long bivy's console may wait.
 * Each exception begins a stretch, as does what a parked core does after a WFI. Waiting for other
 * cores does not count, for a lock or in vgic_claim(): it takes as long as their stretches, and as
 * the host has their threads wait.
 *
 * Arguments: entry=HEX, the guest's; end=HEX, where bivy's code ends, which begins at HYP_VA (the
 * guest runs nothing there); vectors=HEX and claim=HEX, its vectors and vgic_claim(); out=FILE gets
 * a line "CORE INSTRUCTIONS ADDRESS" for each core, ADDRESS: of its longest's last block. QEMU's
 * interface is declared here, see tests/bench/hypcount.c.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*tb_callback)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*exec_callback)(unsigned int vcpu, void *argument);
typedef void (*exit_callback)(uint64_t id, void *argument);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_callback callback);
void qemu_plugin_register_atexit_cb(uint64_t id, exit_callback callback, void *argument);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_callback callback,
					  int registers, void *argument);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(uint64_t id, const void *qemu, int count, char **arguments);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

#define HYP_VA      0x200000u
#define CORES       8u
#define VECTORS     32u  /* bytes */
#define CLAIM_BYTES 256u /* about */
#define WFI_THUMB   0xbf30u
#define WFI_ARM     0xe320f003u

static struct {
	uint64_t now, longest, at;
} core[CORES];
static uint64_t end, entry, vectors, claim;
static bool started, entered;
static const char *out_path;

/* @argument: the block's address and its length, in 32 bits each. */
static void in_bivy(unsigned int vcpu, void *argument)
{
	const uint64_t block = (uint64_t)argument;

	started = true;
	if ((block & 0xffffffff) - vectors < VECTORS) {
		core[vcpu % CORES].now = 0;
	}
	core[vcpu % CORES].now += block >> 32;
	if (entered && core[vcpu % CORES].now > core[vcpu % CORES].longest) {
		core[vcpu % CORES].longest = core[vcpu % CORES].now;
		core[vcpu % CORES].at = block & 0xffffffff;
	}
}

static void elsewhere(unsigned int vcpu, void *argument)
{
	core[vcpu % CORES].now = 0;
	entered |= started && (uintptr_t)argument == entry; /* QEMU puts bivy there, too */
}

static uint32_t word_at(const struct qemu_plugin_tb *tb, size_t index)
{
	const struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, index);
	uint32_t word = 0;

	memcpy(&word, qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
	return word;
}

static bool has_wfi(const struct qemu_plugin_tb *tb)
{
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		if (word_at(tb, i) == WFI_ARM || word_at(tb, i) == WFI_THUMB) {
			return true;
		}
	}
	return false;
}

/* spin_lock()'s LDRH, TEQ, BNE, Arm or Thumb; vgic_claim()'s inner loop, two blocks like that. */
static bool waits(const struct qemu_plugin_tb *tb)
{
	return qemu_plugin_tb_n_insns(tb) == 3 && ((word_at(tb, 1) & 0xfff00000) == 0xe1300000 ||
						   (word_at(tb, 1) & 0xfff0) == 0xea90 ||
						   qemu_plugin_tb_vaddr(tb) - claim < CLAIM_BYTES);
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *tb)
{
	const uint64_t va = qemu_plugin_tb_vaddr(tb);
	const bool ours = va - HYP_VA < end - HYP_VA;

	(void)id;
	if (ours && waits(tb)) {
		return;
	}
	if (ours && !has_wfi(tb)) {
		qemu_plugin_register_vcpu_tb_exec_cb(
			tb, in_bivy, 0, (void *)(qemu_plugin_tb_n_insns(tb) << 32 | va));
	} else {
		qemu_plugin_register_vcpu_tb_exec_cb(tb, elsewhere, 0, (void *)va);
	}
}

static void on_exit_of_qemu(uint64_t id, void *argument)
{
	FILE *out = fopen(out_path, "w");

	(void)id;
	(void)argument;
	for (unsigned int i = 0; out != NULL && i < CORES; i++) {
		fprintf(out, "%u %" PRIu64 " %" PRIx64 "\n", i, core[i].longest, core[i].at);
	}
	if (out != NULL) {
		fclose(out);
	}
}

EXPORT int qemu_plugin_install(uint64_t id, const void *qemu, int count, char **arguments)
{
	(void)qemu;
	for (int i = 0; i < count; i++) {
		if (strncmp(arguments[i], "end=", 4) == 0) {
			end = strtoull(arguments[i] + 4, NULL, 16);
		} else if (strncmp(arguments[i], "entry=", 6) == 0) {
			entry = strtoull(arguments[i] + 6, NULL, 16);
		} else if (strncmp(arguments[i], "vectors=", 8) == 0) {
			vectors = strtoull(arguments[i] + 8, NULL, 16);
		} else if (strncmp(arguments[i], "claim=", 6) == 0) {
			claim = strtoull(arguments[i] + 6, NULL, 16) & ~1ull;
		} else if (strncmp(arguments[i], "out=", 4) == 0) {
			out_path = strdup(arguments[i] + 4);
		}
	}
	if (out_path == NULL || end <= HYP_VA) {
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
