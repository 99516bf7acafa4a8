/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What test payloads share. A payload defines payload(), which runs on the boot core and reports
 * each test by result() or equal(), as a line "ok NAME" or "FAIL NAME: why".
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "context.h"

#define CORES_MAX 8

/* Milliseconds: what has not come by then never will, however busy the host is. */
#define LIVENESS 30000u

#define PSR_USR 0x10u
#define PSR_FIQ 0x11u
#define PSR_IRQ 0x12u
#define PSR_SVC 0x13u
#define PSR_ABT 0x17u
#define PSR_UND 0x1bu
#define PSR_SYS 0x1fu
#define PSR_T   (1u << 5)
#define PSR_F   (1u << 6)
#define PSR_I   (1u << 7)
#define PSR_A   (1u << 8)
#define PSR_E   (1u << 9)
#define PSR_Z   (1u << 30)
#define PSR_C   (1u << 29)
#define PSR_AIF (PSR_A | PSR_I | PSR_F)

/* What execute() runs, and what came of it. */
struct context {
	uint32_t r[15];
	uint32_t pc;         /* in: where to start; out: LR of the exception's mode */
	uint32_t cpsr;       /* in: to start with; out: SPSR of the exception's mode */
	uint32_t kind;       /* out: KIND_... */
	uint32_t taken_cpsr; /* out: CPSR at the vector */
};

struct core {
	struct context context;
	uint32_t saved_sp, entry_cpsr, entry_sctlr;
	uint32_t index, mpidr;
	void (*volatile job)(void *argument);
	void *argument;
	volatile uint32_t entries; /* how often this core came out of CPU_ON */
	uint32_t reserved[4];
	uint8_t stacks[2][STACK_BYTES] __attribute__((aligned(8)));
};

_Static_assert(offsetof(struct context, pc) == CONTEXT_PC, "start.S");
_Static_assert(offsetof(struct context, taken_cpsr) == CONTEXT_TAKEN_CPSR, "start.S");
_Static_assert(offsetof(struct core, saved_sp) == CORE_SAVED_SP, "start.S");
_Static_assert(offsetof(struct core, entry_sctlr) == CORE_ENTRY_SCTLR, "start.S");
_Static_assert(offsetof(struct core, stacks) == CORE_STACKS, "start.S");

extern struct core cores[CORES_MAX];
extern unsigned int core_count; /* that PSCI knows of */
extern bool under_bivy;         /* else on QEMU's own machine */
extern const char *tree;        /* the device tree, as r2 had it */
extern char vectors[], thumb_vectors[], _end[];

void payload(void);

/* Replaced by payloads that take interrupts; runs in SYS mode with IRQ and FIQ masked. */
void interrupt(uint32_t fiq);

/* %s %u %x, no widths. Cores may print at the same time: lines stay whole. */
void print(const char *format, ...);

/* One line: ok, or FAIL with the reason. */
void result(const char *name, bool passed, const char *format, ...);
void equal(const char *name, uint32_t got, uint32_t wanted);
_Noreturn void finish(void);
/* An exception that no test asked for. */
_Noreturn void unexpected(void);

static inline struct core *this_core(void)
{
	struct core *core;

	asm volatile("mrc p15, 0, %0, c13, c0, 4" : "=r"(core));
	return core;
}

/* A context to start @code with: r0 to r14 are 0x08080808 times their number. @cpsr: mode, T,
 * flags. */
struct context *prepare(const char *code, uint32_t cpsr);
void execute(void);
/* Whether @context came to the end marker of its code (ARM_CODE, THUMB_CODE). */
bool reached(const struct context *context, const char *end);

/* A piece of code NAME that ends with an undefined instruction at NAME_end. */
#define PAYLOAD_CODE(set, name, text)                                                              \
	extern const char name[], name##_end[];                                                    \
	asm(".syntax unified\n.pushsection .text.code, \"ax\"\n" set "\n.balign 4\n.global " #name \
	    ", " #name "_end\n" #name ":\n" text "\n" #name                                        \
	    "_end: udf #0\n.balign 4\n.arm\n.popsection\n.syntax divided")
#define ARM_CODE(name, text)   PAYLOAD_CODE(".arm", name, text)
#define THUMB_CODE(name, text) PAYLOAD_CODE(".thumb", name, text)

#define CP15(name, op1, crn, crm, op2)                                                             \
	static inline uint32_t read_##name(void)                                                   \
	{                                                                                          \
		uint32_t value;                                                                    \
		asm volatile("mrc p15, " #op1 ", %0, " #crn ", " #crm ", " #op2 : "=r"(value));    \
		return value;                                                                      \
	}                                                                                          \
	static inline void write_##name(uint32_t value)                                            \
	{                                                                                          \
		asm volatile("mcr p15, " #op1 ", %0, " #crn ", " #crm ", " #op2 "\n\tisb"          \
			     :                                                                     \
			     : "r"(value)                                                          \
			     : "memory");                                                          \
	}
/* clang-format off */
CP15(MIDR,     0, c0, c0, 0)
CP15(MPIDR,    0, c0, c0, 5)
CP15(SCTLR,    0, c1, c0, 0)
CP15(ACTLR,    0, c1, c0, 1)
CP15(TTBR0,    0, c2, c0, 0)
CP15(TTBCR,    0, c2, c0, 2)
CP15(DACR,     0, c3, c0, 0)
CP15(DFSR,     0, c5, c0, 0)
CP15(IFSR,     0, c5, c0, 1)
CP15(DFAR,     0, c6, c0, 0)
CP15(IFAR,     0, c6, c0, 2)
CP15(TLBIALL,  0, c8, c7, 0)
CP15(MAIR0,    0, c10, c2, 0)
CP15(VBAR,     0, c12, c0, 0)
CP15(CNTFRQ,   0, c14, c0, 0)
CP15(CNTP_TVAL, 0, c14, c2, 0)
CP15(CNTP_CTL, 0, c14, c2, 1)
CP15(CNTV_TVAL, 0, c14, c3, 0)
CP15(CNTV_CTL, 0, c14, c3, 1)
/* clang-format on */

static inline uint64_t read_CNTPCT(void)
{
	uint64_t value;

	asm volatile("isb\n\tmrrc p15, 0, %Q0, %R0, c14" : "=r"(value)::"memory");
	return value;
}

static inline uint64_t read_CNTVCT(void)
{
	uint64_t value;

	asm volatile("isb\n\tmrrc p15, 1, %Q0, %R0, c14" : "=r"(value)::"memory");
	return value;
}

int memcmp(const void *a, const void *b, size_t length);
void *memcpy(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);

static inline uint32_t read32(uint32_t address)
{
	return *(volatile uint32_t *)address;
}

static inline void write32(uint32_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

static inline void irq_enable(void)
{
	asm volatile("cpsie i" ::: "memory");
}

static inline void irq_disable(void)
{
	asm volatile("cpsid i" ::: "memory");
}

static inline void wfi(void)
{
	asm volatile("dsb\n\twfi" ::: "memory");
}

/* PSCI by HVC. */
#define PSCI_VERSION           0x84000000u
#define PSCI_CPU_SUSPEND       0x84000001u
#define PSCI_CPU_OFF           0x84000002u
#define PSCI_CPU_ON            0x84000003u
#define PSCI_AFFINITY_INFO     0x84000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF        0x84000008u
#define PSCI_SYSTEM_RESET      0x84000009u
#define PSCI_FEATURES          0x8400000au
int32_t hvc(uint32_t function, uint32_t a1, uint32_t a2, uint32_t a3);
int32_t smc(uint32_t function, uint32_t a1, uint32_t a2, uint32_t a3);

extern char secondary_entry[], secondary_entry_thumb[];
/* Starts the core if it is off; runs @job there with interrupts masked. Returns at once. */
void start_job(unsigned int core, void (*job)(void *argument), void *argument);
/* Waits up to @milliseconds. Returns false if it still runs. */
bool job_done(unsigned int core, uint32_t milliseconds);
/* Both, with an answer line if it never ends. */
void run_on(unsigned int core, void (*job)(void *argument), void *argument);

/* Waits until *@word is @wanted, up to @milliseconds. */
bool wait_for(const volatile uint32_t *word, uint32_t wanted, uint32_t milliseconds);
void delay(uint32_t microseconds);

#endif
