/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin for QEMU's TCG: counts the instructions of bivy's image by their address, from reset to
 * the guest's first entry and after it, each exit's instructions and GIC accesses by class, and
 * what phases that the guest marks cost in all.
 *
 * A block of instructions, Arm or Thumb, is bivy's if it lies in a place where the image runs and
 * all its bytes are the image's: the guest may use the same addresses.
 *
 * Arguments:
 * - image=FILE   bivy.bin
 * - marks=FILE   lines of "OFFSET KIND", hexadecimal offset into the image; KIND: v a vector, r an
 *   ERET to the guest, p the mark of a phase, or a number from 1 to 31, the class of the exit that
 *   comes by here (the last one counts)
 * - out=FILE     gets lines: "insn OFFSET BOOT RUN",
 *   "exit CLASS COUNT INSTRUCTIONS MIN MAX GICD GICC GICH UART", and at each mark of a phase
 *   "phase INSTRUCTIONS EXITS BYTES GICD GICC GICH UART" so far, BYTES: that bivy read and wrote in
 *   DATA; then the exits by how often they accessed the GIC, from 0 to 31, and the instructions of
 *   each class
 * - base=HEX     a place where the image runs; up to four
 * - data=HEX     DATA: from this address on 1 MiB, as bivy sees it
 *
 * QEMU's header is not packaged by Debian; what is used of its interface is declared here
 * (documented in docs/devel/tcg-plugins.rst of QEMU, interface version 1).
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
typedef void (*memory_callback)(unsigned int vcpu, uint32_t what, uint64_t va, void *argument);
typedef void (*exit_callback)(uint64_t id, void *argument);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_callback callback);
void qemu_plugin_register_atexit_cb(uint64_t id, exit_callback callback, void *argument);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_callback callback,
					    int registers, void *argument);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int operation,
						void *counter, uint64_t add);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, memory_callback callback,
				      int registers, int directions, void *argument);
unsigned int qemu_plugin_mem_size_shift(uint32_t what);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
int qemu_plugin_install(uint64_t id, const void *qemu, int count, char **arguments);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

#define IMAGE_MAX   0x40000
#define INSNS_MAX   (IMAGE_MAX / 2)
#define BASES_MAX   4
#define CLASSES_MAX 32
#define PHASES_MAX  128
#define CPUS_MAX    8
#define DEVICES     4
#define GIC_DEVICES 3 /* the first ones */
#define GIC_MAX     32
#define DATA_SIZE   0x100000
#define DEVICE_VA                                                                                  \
	0x400000 /* pages in this order: GICD, GICC, its second, GICH, UART; hyp/layout.h */

static uint8_t image[IMAGE_MAX];
static size_t image_size;

/* By the half of the offset into the image: a Thumb instruction may have two bytes. */
static struct {
	char kind; /* 'v', 'r', 'p', 'c' or 0 */
	unsigned int class;
	uint64_t count, boot;
} insns[INSNS_MAX];

static struct {
	uint64_t count, insns, min, max, device[DEVICES];
} exits[CLASSES_MAX];

/* by_gic: exits by how often they accessed the GIC. */
static struct {
	uint64_t insns, exits, bytes, device[DEVICES], by_gic[GIC_MAX], by_class[CLASSES_MAX];
} phases[PHASES_MAX], so_far;

/* The exit that a core is in. Instructions are counted for all cores at once, so an exit has those
 * of others where QEMU changes cores amid it. */
static struct {
	uint64_t start, device[DEVICES];
	unsigned int class;
	bool inside;
} cpus[CPUS_MAX];

static uint64_t bases[BASES_MAX];
static unsigned int base_count, phase_count;
static uint64_t data_start;
static const char *out_path;
static uint64_t total;
static bool booted;

/* A vector was reached, or a function that tells what exit this is. */
static void at_mark(unsigned int vcpu, void *argument)
{
	const size_t i = (size_t)argument;

	if (insns[i].kind == 'v') {
		memset(&cpus[vcpu], 0, sizeof(cpus[vcpu]));
		cpus[vcpu].start = total;
		cpus[vcpu].inside = true;
		so_far.exits++;
	} else if (insns[i].kind == 'p' && phase_count < PHASES_MAX) {
		so_far.insns = total;
		phases[phase_count++] = so_far;
	} else {
		cpus[vcpu].class = insns[i].class;
	}
}

static void count_exit(unsigned int class, uint64_t taken, const uint64_t *device)
{
	uint64_t gic = 0;

	exits[class].min =
		exits[class].count == 0 || taken < exits[class].min ? taken : exits[class].min;
	exits[class].max = taken > exits[class].max ? taken : exits[class].max;
	exits[class].count++;
	exits[class].insns += taken;
	so_far.by_class[class] += taken;
	for (unsigned int i = 0; i < DEVICES; i++) {
		exits[class].device[i] += device[i];
		so_far.device[i] += device[i];
		gic += i < GIC_DEVICES ? device[i] : 0;
	}
	so_far.by_gic[gic < GIC_MAX ? gic : GIC_MAX - 1]++;
}

/* ERET, not yet counted itself. The first one is the guest's first instruction. */
static void at_eret(unsigned int vcpu, void *argument)
{
	(void)argument;
	if (!booted) {
		for (size_t i = 0; i < INSNS_MAX; i++) {
			insns[i].boot = insns[i].count;
		}
		booted = true;
	}
	if (cpus[vcpu].inside) {
		cpus[vcpu].inside = false;
		count_exit(cpus[vcpu].class, total - cpus[vcpu].start + 1, cpus[vcpu].device);
	}
}

static void at_access(unsigned int vcpu, uint32_t what, uint64_t va, void *argument)
{
	static const uint8_t device_of[5] = {0, 1, 1, 2, 3};
	const uint64_t page = (va - DEVICE_VA) >> 12;

	(void)argument;
	if (va - data_start < DATA_SIZE) {
		so_far.bytes += 1u << qemu_plugin_mem_size_shift(what);
	}
	if (page < sizeof(device_of)) {
		cpus[vcpu].device[device_of[page]]++;
	}
}

/* The instruction's index in insns[], or INSNS_MAX. */
static size_t index_of(const struct qemu_plugin_insn *insn)
{
	const uint64_t va = qemu_plugin_insn_vaddr(insn);
	const size_t size = qemu_plugin_insn_size(insn);

	for (unsigned int i = 0; i < base_count; i++) {
		const uint64_t offset = va - bases[i];

		if (offset < image_size && size <= image_size - offset &&
		    memcmp(image + offset, qemu_plugin_insn_data(insn), size) == 0) {
			return offset / 2;
		}
	}
	return INSNS_MAX;
}

static bool is_ours(const struct qemu_plugin_tb *tb)
{
	for (size_t n = 0; n < qemu_plugin_tb_n_insns(tb); n++) {
		if (index_of(qemu_plugin_tb_get_insn(tb, n)) == INSNS_MAX) {
			return false;
		}
	}
	return true;
}

/* The order matters: marks look at the total before it counts their own instruction. */
static void on_translation(uint64_t id, struct qemu_plugin_tb *tb)
{
	const size_t count = is_ours(tb) ? qemu_plugin_tb_n_insns(tb) : 0;

	(void)id;
	for (size_t n = 0; n < count; n++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, n);
		const size_t i = index_of(insn);

		qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &insns[i].count, 1);
		qemu_plugin_register_vcpu_insn_exec_inline(insn, 0, &total, 1);
		if (insns[i].kind == 'r') {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_eret, 0, NULL);
		} else if (insns[i].kind != 0) {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark, 0, (void *)i);
		}
		qemu_plugin_register_vcpu_mem_cb(insn, at_access, 0, 3, NULL);
	}
}

static void print_all(FILE *out, const uint64_t *values, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		fprintf(out, " %" PRIu64, values[i]);
	}
}

static void on_exit_of_qemu(uint64_t id, void *argument)
{
	FILE *out = fopen(out_path, "w");

	(void)id;
	(void)argument;
	if (out == NULL) {
		return;
	}
	for (size_t i = 0; i < INSNS_MAX; i++) {
		if (insns[i].count != 0) {
			fprintf(out, "insn %zx %" PRIu64 " %" PRIu64 "\n", i * 2, insns[i].boot,
				insns[i].count - insns[i].boot);
		}
	}
	for (unsigned int i = 0; i < CLASSES_MAX; i++) {
		const uint64_t values[] = {exits[i].count, exits[i].insns, exits[i].min,
					   exits[i].max};

		fprintf(out, "exit %u", i);
		print_all(out, values, 4);
		print_all(out, exits[i].device, DEVICES);
		fprintf(out, "\n");
	}
	for (unsigned int i = 0; i < phase_count; i++) {
		fprintf(out, "phase");
		print_all(out, (const uint64_t *)&phases[i], sizeof(phases[i]) / sizeof(uint64_t));
		fprintf(out, "\n");
	}
	fclose(out);
}

static bool read_image(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		return false;
	}
	image_size = fread(image, 1, IMAGE_MAX, file);
	fclose(file);
	return image_size != 0;
}

static bool read_marks(const char *path)
{
	FILE *file = fopen(path, "r");
	uint32_t offset;
	char kind[8];

	if (file == NULL) {
		return false;
	}
	while (fscanf(file, "%" SCNx32 " %7s", &offset, kind) == 2 && offset < IMAGE_MAX) {
		insns[offset / 2].class = (unsigned int)atoi(kind) % CLASSES_MAX;
		insns[offset / 2].kind = strchr("vrp", kind[0]) != NULL ? kind[0] : 'c';
	}
	fclose(file);
	return true;
}

EXPORT int qemu_plugin_install(uint64_t id, const void *qemu, int count, char **arguments)
{
	bool good = true;

	(void)qemu;
	for (int i = 0; i < count; i++) {
		const char *value = strchr(arguments[i], '=');

		value = value == NULL ? "" : value + 1;
		if (strncmp(arguments[i], "image=", 6) == 0) {
			good = good && read_image(value);
		} else if (strncmp(arguments[i], "marks=", 6) == 0) {
			good = good && read_marks(value);
		} else if (strncmp(arguments[i], "out=", 4) == 0) {
			out_path = strdup(value);
		} else if (strncmp(arguments[i], "base=", 5) == 0 && base_count < BASES_MAX) {
			bases[base_count++] = strtoull(value, NULL, 16);
		} else if (strncmp(arguments[i], "data=", 5) == 0) {
			data_start = strtoull(value, NULL, 16);
		}
	}
	if (!good || out_path == NULL || image_size == 0) {
		return 1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}
