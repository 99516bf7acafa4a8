/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sees every load and store to one page, in order, and may change the page after each: a second
 * processor whose timing is under control. The page is unmapped; each access faults, is let through
 * by a single step, and is told.
 */
#ifndef TESTS_WATCH_H
#define TESTS_WATCH_H

#ifdef __x86_64__
#define WATCH_WORKS 1

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

#define WATCH_PAGE      4096u
#define WATCH_TRAP_FLAG 0x100 /* EFLAGS.TF */

static struct {
	uint8_t *page;
	unsigned int count[WATCH_PAGE];     /* accesses that began at this byte */
	void (*after)(unsigned int offset); /* called after each, with the page accessible */
	unsigned int offset;
	struct sigaction old_segv, old_trap;
} watch;

static void watch_fault(int number, siginfo_t *fault, void *context)
{
	uint8_t *at = fault->si_addr;
	ucontext_t *registers = context;

	if (at < watch.page || at >= watch.page + WATCH_PAGE) {
		sigaction(number, &watch.old_segv, NULL);
		return;
	}
	watch.offset = (unsigned int)(at - watch.page);
	watch.count[watch.offset]++;
	mprotect(watch.page, WATCH_PAGE, PROT_READ | PROT_WRITE);
	registers->uc_mcontext.gregs[REG_EFL] |= WATCH_TRAP_FLAG;
}

static void watch_step(int number, siginfo_t *trap, void *context)
{
	ucontext_t *registers = context;

	(void)number;
	(void)trap;
	if (watch.after) {
		watch.after(watch.offset);
	}
	mprotect(watch.page, WATCH_PAGE, PROT_NONE);
	registers->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)WATCH_TRAP_FLAG;
}

/* @page: page aligned. Every access until watch_end() is counted. */
static inline void watch_begin(void *page, void (*after)(unsigned int offset))
{
	struct sigaction fault = {.sa_sigaction = watch_fault, .sa_flags = SA_SIGINFO};
	struct sigaction trap = {.sa_sigaction = watch_step, .sa_flags = SA_SIGINFO};
	unsigned int i;

	watch.page = page;
	watch.after = after;
	for (i = 0; i < WATCH_PAGE; i++) {
		watch.count[i] = 0;
	}
	sigaction(SIGSEGV, &fault, &watch.old_segv);
	sigaction(SIGTRAP, &trap, &watch.old_trap);
	mprotect(page, WATCH_PAGE, PROT_NONE);
}

static inline void watch_end(void)
{
	mprotect(watch.page, WATCH_PAGE, PROT_READ | PROT_WRITE);
	sigaction(SIGSEGV, &watch.old_segv, NULL);
	sigaction(SIGTRAP, &watch.old_trap, NULL);
}

#endif
#endif
