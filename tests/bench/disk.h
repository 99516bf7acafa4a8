/* SPDX-License-Identifier: BSD-2-Clause */
/* The bench payload's disk, a virtio one of version 2. */
#ifndef BENCH_DISK_H
#define BENCH_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define DISK_INTID 49u

/* False if there is no such disk. Core 0, once; the GIC is as the caller has set it up. */
bool disk_start(void);

/*
 * Reads @total times 4 KiB, of which up to @depth are in flight. Interrupts are masked, the core
 * sleeps meanwhile. Returns false if a read failed.
 */
bool disk_read(uint32_t depth, uint32_t total);

/* Forgets an interrupt that came for what disk_read() has seen without it. Nothing is in flight. */
void disk_settle(void);

#endif
