/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's side of a virtqueue for tests: RAM with rings in it, and a driver that can be told to
 * do wrong. */
#ifndef TESTS_MOCK_GUEST_H
#define TESTS_MOCK_GUEST_H

#include <string.h>
#include "drivers/virtio/virtio.h"

#define RAM_BASE 0x40000000u
#define RAM_SIZE 0x40000u
#define RAM_END  (RAM_BASE + RAM_SIZE)

#define NEXT     1u
#define WRITE    2u
#define INDIRECT 4u

/* Where the rings of queue n lie, from RAM_BASE; buffers are from BUFFERS on. */
#define RINGS(n) (RAM_BASE + 0x4000u * (n))
#define DESC(n)  RINGS(n)
#define AVAIL(n) (RINGS(n) + 0x1000u)
#define USED(n)  (RINGS(n) + 0x2000u)
#define TABLE(n) (RINGS(n) + 0x3000u) /* an indirect table */
#define BUFFERS  (RAM_BASE + 0x10000u)

static _Alignas(4096) uint8_t mock_ram[RAM_SIZE];
static uint8_t *mock_at = mock_ram; /* where RAM_BASE is seen */

static inline void *guest_at(uint32_t ipa)
{
	return mock_at + (ipa - RAM_BASE);
}

static inline uint16_t guest_load16(uint32_t ipa)
{
	uint16_t value;

	memcpy(&value, guest_at(ipa), sizeof(value));
	return value;
}

static inline uint32_t guest_load32(uint32_t ipa)
{
	uint32_t value;

	memcpy(&value, guest_at(ipa), sizeof(value));
	return value;
}

static inline void guest_store16(uint32_t ipa, uint16_t value)
{
	memcpy(guest_at(ipa), &value, sizeof(value));
}

/* Writes descriptor @index of the table at @table. */
static inline void guest_desc(uint32_t table, uint32_t index, uint64_t address, uint32_t length,
			      uint32_t flags, uint32_t next)
{
	uint32_t words[4] = {(uint32_t)address, (uint32_t)(address >> 32), length,
			     flags | next << 16};

	memcpy(guest_at(table + 16 * index), words, sizeof(words));
}

/* Puts @head into the available ring of queue @n, of @size entries, and moves the index. */
static inline void guest_offer(uint32_t n, uint32_t size, uint16_t head)
{
	uint16_t index = guest_load16(AVAIL(n) + 2);

	guest_store16(AVAIL(n) + 4 + 2 * (index % size), head);
	guest_store16(AVAIL(n) + 2, (uint16_t)(index + 1));
}

static inline uint16_t guest_used_index(uint32_t n)
{
	return guest_load16(USED(n) + 2);
}

static inline uint32_t guest_used_id(uint32_t n, uint32_t entry)
{
	return guest_load32(USED(n) + 4 + 8 * entry);
}

static inline uint32_t guest_used_length(uint32_t n, uint32_t entry)
{
	return guest_load32(USED(n) + 8 + 8 * entry);
}

#endif
