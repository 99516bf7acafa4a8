/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hostile payloads share: numbers from a seed that the test sends, instructions made at run
 * time, which may do whatever they like, and checks without a line for each.
 */
#ifndef PAYLOAD_HOSTILE_H
#define PAYLOAD_HOSTILE_H

#include "gic.h"

#define SVC_MODE   (PSR_SVC | PSR_AIF)
#define RAM_BASE   0x40000000u
#define RAM_END    0x47800000u /* hostile.dts */
#define BIVY       0x47f00000u /* the last MiB of the board's 128 */
#define NOWHERE    0x48000000u
#define ARENA      0x42000000u /* memory for devices and others to write to */
#define ARENA_SIZE 0x00400000u
#define UDF_ARM    0xe7f000f0u
#define UDF_THUMB  0xde00de00u

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PICK(array)     ((array)[below(COUNT_OF(array))])

/* The seed of all cores' numbers, each core's its own. */
void sow(uint32_t seed);
uint32_t any(void);
/* 0 to @end - 1 */
uint32_t below(uint32_t end);
/* A number as bounds checks like them least. */
uint32_t nasty(void);

/* Runs @job on all cores at once, until the last has ended. */
void on_all(void (*job)(void *argument), void *argument);

/* This core's context with @count words of code, at most 6, in front of an undefined instruction.
 */
struct context *generate(const uint32_t *words, unsigned int count, uint32_t cpsr);
struct context *generate_one(uint32_t word, uint32_t cpsr);
/* Whether the code of generate() came to its end. */
bool ended(const struct context *context, unsigned int count);
/* Whether its first instruction was UNDEFINED. */
bool undefined(const struct context *context);

/* Counts; a few of those that fail are told. @what: a literal. */
void check(const char *what, bool good, uint32_t a, uint32_t b, uint32_t c);
/* One line for all checks since the last. */
void checked(const char *name);

/* Both wait for the test: for the seed, and for its look at the memory. */
uint32_t hostile_begin(void); /* the seed */
void hostile_end(void);

#endif
