/* SPDX-License-Identifier: BSD-2-Clause */
/* A split virtqueue written a second time from virtio 1.2 2.7, slowly, byte by byte, to compare
 * with. */
#ifndef TESTS_FUZZ_REFERENCE_QUEUE_H
#define TESTS_FUZZ_REFERENCE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define RAM_BASE 0x40000000u
#define RAM_SIZE 0x2000u
#define RAM_END  (RAM_BASE + RAM_SIZE)

#define REFERENCE_SIZE_MAX 256

struct reference_piece {
	uint32_t ipa, length;
	bool write;
};

struct reference_queue {
	uint8_t *ram;
	uint64_t desc, avail, used;
	uint32_t num;
	uint16_t last, used_index, asked;
	bool indirect, event_index, broken;
};

struct reference_chain {
	uint16_t head;
	unsigned int count;
	struct reference_piece piece[REFERENCE_SIZE_MAX + 1];
};

static inline bool reference_in_ram(uint64_t ipa, uint64_t length)
{
	unsigned __int128 end = (unsigned __int128)ipa + length;

	return ipa >= RAM_BASE && end <= RAM_END;
}

static inline uint64_t reference_load(const uint8_t *ram, uint64_t ipa, unsigned int size)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < size; i++) {
		value |= (uint64_t)ram[ipa - RAM_BASE + i] << (8 * i);
	}
	return value;
}

static inline void reference_store(uint8_t *ram, uint64_t ipa, unsigned int size, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < size; i++) {
		ram[ipa - RAM_BASE + i] = (uint8_t)(value >> (8 * i));
	}
}

static inline bool reference_rings_good(const struct reference_queue *q)
{
	return q->num != 0 && q->desc % 16 == 0 && q->avail % 2 == 0 && q->used % 4 == 0 &&
	       reference_in_ram(q->desc, 16 * (uint64_t)q->num) &&
	       reference_in_ram(q->avail, 6 + 2 * (uint64_t)q->num) &&
	       reference_in_ram(q->used, 6 + 8 * (uint64_t)q->num);
}

/* Follows the chain, then looks whether what it got is allowed. */
static inline bool reference_walk(const struct reference_queue *q, struct reference_chain *chain)
{
	uint64_t table = q->desc, entries = q->num, total = 0;
	bool inside = false, writes = false;
	uint32_t i = chain->head, n;

	for (chain->count = 0;;) {
		uint64_t address, length, flags;

		if (i >= entries) {
			return false;
		}
		address = reference_load(q->ram, table + 16 * i, 8);
		length = reference_load(q->ram, table + 16 * i + 8, 4);
		flags = reference_load(q->ram, table + 16 * i + 12, 2);
		i = (uint32_t)reference_load(q->ram, table + 16 * i + 14, 2);
		if (flags & 4) {
			if (!q->indirect || inside || flags & 1 || length % 16 || length == 0 ||
			    address % 4 || !reference_in_ram(address, length)) {
				return false;
			}
			inside = true;
			table = address;
			entries = length / 16;
			i = 0;
			continue;
		}
		if (chain->count == q->num || length == 0 || !reference_in_ram(address, length)) {
			return false;
		}
		chain->piece[chain->count++] = (struct reference_piece){
			(uint32_t)address, (uint32_t)length, (flags & 2) != 0};
		if (!(flags & 1)) {
			break;
		}
	}
	for (n = 0; n < chain->count; n++) {
		if (writes && !chain->piece[n].write) {
			return false;
		}
		writes = chain->piece[n].write;
		total += chain->piece[n].length;
	}
	return total < 0x100000000;
}

/* Returns whether there was a chain; q->broken says if there was something worse. */
static inline bool reference_pop(struct reference_queue *q, struct reference_chain *chain)
{
	uint16_t index, ahead;

	if (q->broken) {
		return false;
	}
	index = (uint16_t)reference_load(q->ram, q->avail + 2, 2);
	ahead = (uint16_t)(index - q->last);
	if (ahead == 0) {
		if (q->event_index) {
			/* The rings may lie on top of each other: look again. */
			reference_store(q->ram, q->used + 4 + 8 * q->num, 2, q->last);
			index = (uint16_t)reference_load(q->ram, q->avail + 2, 2);
			ahead = (uint16_t)(index - q->last);
		}
		if (ahead == 0) {
			return false;
		}
	}
	chain->head = (uint16_t)reference_load(q->ram, q->avail + 4 + 2 * (q->last % q->num), 2);
	if (ahead > q->num || !reference_walk(q, chain)) {
		q->broken = true;
		return false;
	}
	q->last++;
	return true;
}

static inline void reference_push(struct reference_queue *q, uint16_t head, uint32_t written)
{
	uint64_t entry = q->used + 4 + 8 * (q->used_index % q->num);

	if (q->broken) {
		return;
	}
	reference_store(q->ram, entry, 4, head);
	reference_store(q->ram, entry + 4, 4, written);
	q->used_index++;
	reference_store(q->ram, q->used, 2, 0);
	reference_store(q->ram, q->used + 2, 2, q->used_index);
}

/* One interrupt for everything that was pushed since this was last asked. */
static inline bool reference_should_notify(struct reference_queue *q)
{
	uint16_t i, event;
	bool crossed = false;

	if (q->broken || q->used_index == q->asked) {
		return false;
	}
	event = (uint16_t)reference_load(q->ram, q->avail + 4 + 2 * q->num, 2);
	for (i = q->asked; i != q->used_index; i++) {
		crossed = crossed || i == event;
	}
	q->asked = q->used_index;
	return q->event_index ? crossed : !(reference_load(q->ram, q->avail, 2) & 1);
}

#endif
