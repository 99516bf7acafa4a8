/* SPDX-License-Identifier: BSD-2-Clause */
/* What test payloads share: output, results, contexts, the other cores. */
#include "payload.h"
#include <stdarg.h>

#define UART         0x09000000u
#define UART_FR      0x18
#define UART_FR_TXFF (1u << 5)
#define TREE_LOOK    0x8000u /* bytes of the device tree that are searched */

struct core cores[CORES_MAX];
unsigned int core_count;
bool under_bivy;
const char *tree;

static unsigned int passed, failed;
static volatile uint8_t print_lock;

_Noreturn void payload_main(const char *device_tree);
_Noreturn void secondary_main(struct core *core);
void *memset(void *to, int value, size_t length)
{
	for (volatile uint8_t *at = to; length != 0; length--) {
		*at++ = (uint8_t)value;
	}
	return to;
}

void *memcpy(void *to, const void *from, size_t length)
{
	const uint8_t *source = from;

	for (volatile uint8_t *at = to; length != 0; length--) {
		*at++ = *source++;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
	const volatile uint8_t *x = a, *y = b;

	for (; length != 0; length--, x++, y++) {
		if (*x != *y) {
			return *x - *y;
		}
	}
	return 0;
}

static void put(char c)
{
	while ((read32(UART + UART_FR) & UART_FR_TXFF) != 0) {
	}
	write32(UART, (uint8_t)c);
}

static void put_string(const char *string)
{
	while (*string != '\0') {
		put(*string++);
	}
}

static void put_number(uint32_t value, uint32_t base)
{
	char digits[10];
	unsigned int count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	while (count != 0) {
		put(digits[--count]);
	}
}

static void print_list(const char *format, va_list arguments)
{
	for (; *format != '\0'; format++) {
		if (*format != '%') {
			if (*format == '\n') {
				put('\r');
			}
			put(*format);
		} else if (*++format == 's') {
			put_string(va_arg(arguments, const char *));
		} else {
			put_number(va_arg(arguments, uint32_t), *format == 'x' ? 16 : 10);
		}
	}
}

static void lock(void)
{
	while (__atomic_test_and_set(&print_lock, __ATOMIC_ACQUIRE)) {
	}
}

static void unlock(void)
{
	__atomic_clear(&print_lock, __ATOMIC_RELEASE);
}

void print(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	lock();
	print_list(format, arguments);
	unlock();
	va_end(arguments);
}

void result(const char *name, bool good, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	lock();
	*(good ? &passed : &failed) += 1;
	put_string(good ? "ok " : "FAIL ");
	for (; *name != '\0'; name++) { /* it may be lines of assembly */
		*name == '\n' ? put_string("; ") : put(*name);
	}
	if (!good) {
		put_string(": ");
		print_list(format, arguments);
	}
	put_string("\r\n");
	unlock();
	va_end(arguments);
}

void equal(const char *name, uint32_t got, uint32_t wanted)
{
	result(name, got == wanted, "0x%x instead of 0x%x", got, wanted);
}

_Noreturn void finish(void)
{
	print("done %u ok, %u failed\n", passed, failed);
	hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;) {
		wfi();
	}
}

_Noreturn void unexpected(void)
{
	static const char *const kinds[] = {"?", "undefined instruction", "SVC", "prefetch abort",
					    "data abort"};
	const struct core *core = this_core();
	const struct context *c = &core->context;

	print_lock = 0;
	result("no unexpected exception", false,
	       "core %u: %s, LR 0x%x, SPSR 0x%x, DFSR 0x%x, DFAR 0x%x, IFSR 0x%x, IFAR 0x%x, lr "
	       "0x%x",
	       core->index, kinds[c->kind], c->pc, c->cpsr, read_DFSR(), read_DFAR(), read_IFSR(),
	       read_IFAR(), c->r[14]);
	finish();
}

__attribute__((weak)) void interrupt(uint32_t fiq)
{
	print_lock = 0;
	result("no unexpected interrupt", false, "fiq %u", fiq);
	finish();
}

struct context *prepare(const char *code, uint32_t cpsr)
{
	struct context *c = &this_core()->context;

	for (unsigned int i = 0; i < 15; i++) {
		c->r[i] = 0x08080808u * i;
	}
	c->pc = (uint32_t)code;
	c->cpsr = cpsr;
	c->kind = 0;
	return c;
}

bool reached(const struct context *context, const char *end)
{
	uint32_t length = (context->cpsr & PSR_T) != 0 ? 2 : 4;

	return context->kind == KIND_UNDEFINED && context->pc == (uint32_t)end + length;
}

int32_t hvc(uint32_t function, uint32_t a1, uint32_t a2, uint32_t a3)
{
	register uint32_t r0 asm("r0") = function;
	register uint32_t r1 asm("r1") = a1;
	register uint32_t r2 asm("r2") = a2;
	register uint32_t r3 asm("r3") = a3;

	asm volatile(".arch_extension virt\n\thvc #0"
		     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)::"memory");
	return (int32_t)r0;
}

int32_t smc(uint32_t function, uint32_t a1, uint32_t a2, uint32_t a3)
{
	register uint32_t r0 asm("r0") = function;
	register uint32_t r1 asm("r1") = a1;
	register uint32_t r2 asm("r2") = a2;
	register uint32_t r3 asm("r3") = a3;

	asm volatile(".arch_extension sec\n\tsmc #0"
		     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)::"memory");
	return (int32_t)r0;
}

/* Each read of the counter takes QEMU's big lock: without a pause other cores starve. */
static void pause(void)
{
	for (volatile uint32_t i = 0; i < 200; i++) {
	}
}

void delay(uint32_t microseconds)
{
	const uint64_t end = read_CNTVCT() + (uint64_t)read_CNTFRQ() / 1000 * microseconds / 1000;

	while (read_CNTVCT() < end) {
		pause();
	}
}

bool wait_for(const volatile uint32_t *word, uint32_t wanted, uint32_t milliseconds)
{
	const uint64_t end = read_CNTVCT() + (uint64_t)(read_CNTFRQ() / 1000) * milliseconds;

	while (*word != wanted) {
		if (read_CNTVCT() > end) {
			return *word == wanted;
		}
		pause();
	}
	return true;
}

void start_job(unsigned int index, void (*job)(void *argument), void *argument)
{
	struct core *core = &cores[index];
	/* First of all: the job itself may switch the core off. */
	const bool off = hvc(PSCI_AFFINITY_INFO, core->mpidr, 0, 0) == 1;

	core->argument = argument;
	__atomic_store_n(&core->job, job, __ATOMIC_RELEASE);
	asm volatile("dsb\n\tsev" ::: "memory");
	if (off) {
		hvc(PSCI_CPU_ON, core->mpidr, (uint32_t)secondary_entry, (uint32_t)core);
	}
}

bool job_done(unsigned int index, uint32_t milliseconds)
{
	return wait_for((const volatile uint32_t *)&cores[index].job, 0, milliseconds);
}

void run_on(unsigned int index, void (*job)(void *argument), void *argument)
{
	start_job(index, job, argument);
	if (!job_done(index, 2 * LIVENESS)) {
		result("the other core's part ends", false, "core %u hangs", index);
		finish();
	}
}

_Noreturn void secondary_main(struct core *core)
{
	core->entries++;
	for (;;) {
		void (*job)(void *argument) = __atomic_load_n(&core->job, __ATOMIC_ACQUIRE);

		if (job == NULL) {
			asm volatile("wfe" ::: "memory");
			continue;
		}
		job(core->argument);
		__atomic_store_n(&core->job, NULL, __ATOMIC_RELEASE);
	}
}

/* Whether the device tree has this text somewhere. */
static bool tree_has(const char *text)
{
	const uint32_t total = __builtin_bswap32(*(const uint32_t *)(const void *)(tree + 4));
	const uint32_t size = total < TREE_LOOK ? total : TREE_LOOK;
	const uint32_t length = (uint32_t)__builtin_strlen(text);

	for (uint32_t i = 0; i + length < size; i++) {
		if (memcmp(tree + i, text, length) == 0) {
			return true;
		}
	}
	return false;
}

_Noreturn void payload_main(const char *device_tree)
{
	tree = device_tree;
	under_bivy = tree_has("bivy virtual platform");
	for (core_count = 0; core_count < CORES_MAX; core_count++) {
		if (hvc(PSCI_AFFINITY_INFO, core_count, 0, 0) < 0) {
			break;
		}
		cores[core_count].index = core_count;
		cores[core_count].mpidr = core_count;
	}
	print("payload on %s, %u cores\n", under_bivy ? "bivy" : "QEMU", core_count);
	payload();
	finish();
}
