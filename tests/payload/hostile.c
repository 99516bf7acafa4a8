/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame of hostile payloads. */
#include "hostile.h"

#define UART      0x09000000u
#define UART_FR   0x09000018u
#define FR_RXFE   (1u << 4)
#define TOLD_MAX  8u
#define PAGE_WORD 1024u

/* A page of code each, so that nobody's is translated anew for another's. */
static uint32_t code[CORES_MAX][PAGE_WORD] __attribute__((aligned(4096)));
static uint32_t state[CORES_MAX];
static uint32_t checks, wrong;

void sow(uint32_t seed)
{
	for (uint32_t i = 0; i < CORES_MAX; i++) {
		state[i] = (seed * 0x9e3779b9u) ^ ((i + 1) * 0x85ebca6bu);
		state[i] = state[i] == 0 ? 1 : state[i];
	}
}

/* Marsaglia's xorshift. */
uint32_t any(void)
{
	uint32_t *x = &state[this_core()->index];

	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

uint32_t below(uint32_t end)
{
	return (any() >> 8) % end;
}

uint32_t nasty(void)
{
	static const uint32_t bases[] = {0,       1,     0x80000000, RAM_BASE,   RAM_END, BIVY,
					 NOWHERE, ARENA, 0x8000,     0xffffffff, 0x10000, 0x100};

	return below(3) == 0 ? any() : PICK(bases) + below(5) - 2;
}

void on_all(void (*job)(void *argument), void *argument)
{
	for (unsigned int i = 1; i < core_count; i++) {
		start_job(i, job, argument);
	}
	job(argument);
	for (unsigned int i = 1; i < core_count; i++) {
		if (!job_done(i, 2 * LIVENESS)) {
			result("all cores come to an end", false, "core %u hangs", i);
			finish();
		}
	}
}

struct context *generate(const uint32_t *words, unsigned int count, uint32_t cpsr)
{
	uint32_t *at = code[this_core()->index];

	for (unsigned int i = 0; i < count; i++) {
		at[i] = words[i];
	}
	at[count] = (cpsr & PSR_T) != 0 ? UDF_THUMB : UDF_ARM;
	asm volatile("dsb\n\tmcr p15, 0, %0, c7, c5, 0\n\tdsb\n\tisb" ::"r"(0) : "memory");
	return prepare((const char *)at, cpsr);
}

struct context *generate_one(uint32_t word, uint32_t cpsr)
{
	return generate(&word, 1, cpsr);
}

bool ended(const struct context *context, unsigned int count)
{
	return reached(context, (const char *)&code[this_core()->index][count]);
}

bool undefined(const struct context *context)
{
	return context->kind == KIND_UNDEFINED &&
	       context->pc == (uint32_t)code[this_core()->index] +
				      ((context->cpsr & PSR_T) != 0 ? 2u : 4u);
}

void check(const char *what, bool good, uint32_t a, uint32_t b, uint32_t c)
{
	__atomic_add_fetch(&checks, 1, __ATOMIC_RELAXED);
	if (!good && __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED) <= TOLD_MAX) {
		result(what, false, "0x%x 0x%x 0x%x", a, b, c);
	}
}

void checked(const char *name)
{
	result(name, wrong == 0 && checks != 0, "%u of %u", wrong, checks);
	print("%u checks\n", checks);
	checks = wrong = 0;
}

static uint32_t receive(void)
{
	while ((read32(UART_FR) & FR_RXFE) != 0) {
		delay(100);
	}
	return read32(UART) & 0xff;
}

uint32_t hostile_begin(void)
{
	uint32_t seed = 0, byte;

	print("send a seed\n");
	while ((byte = receive()) != '\r') {
		seed = seed * 10 + byte - '0';
	}
	print("seed %u\n", seed);
	sow(seed);
	return seed;
}

void hostile_end(void)
{
	print("look at the memory\n");
	receive();
}
