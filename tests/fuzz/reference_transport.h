/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio transport of a device with two queues, written a second time from virtio 1.2 4.2 and
 * 4.2.4, to compare with. Bits and offsets by their values. What the device itself does is the
 * includer's: ref_model_reset() and ref_model_notify().
 */
#ifndef TESTS_FUZZ_REFERENCE_TRANSPORT_H
#define TESTS_FUZZ_REFERENCE_TRANSPORT_H

#include "reference_packed.h"

#define QUEUE_SIZE 64u

struct ref_ring {
	bool ready, is_packed;
	uint64_t area[3]; /* as the driver wrote them */
	uint32_t num, align, pfn;
	struct reference_queue split;
	struct reference_packed packed;
};

static struct {
	bool legacy, live, draining, again, deferred;
	uint32_t status, interrupts, device_sel, driver_sel, queue_sel, page_size, in_flight;
	uint64_t features;
	struct ref_ring ring[2];
} ref;

/* Something that a queue gave. */
struct ref_taken {
	unsigned int count;
	struct reference_piece piece[REFERENCE_SIZE_MAX + 1];
	uint16_t head;
	struct reference_buffer buffer;
};

static uint8_t reference_ram[RAM_SIZE];

static void ref_model_reset(void);
static void ref_model_notify(unsigned int n);

static void ref_break(void)
{
	ref.status |= 0x40;
	ref.live = false;
	ref.interrupts |= ref.status & 4 ? 2 : 0;
}

static void ref_reset(void)
{
	unsigned int n;

	ref.draining = ref.again = ref.in_flight != 0;
	if (ref.draining) {
		return;
	}
	ref.live = ref.deferred = false;
	ref.status = ref.interrupts = ref.device_sel = ref.driver_sel = ref.queue_sel = 0;
	ref.features = 0;
	memset(ref.ring, 0, sizeof(ref.ring));
	for (n = 0; n < 2; n++) {
		ref.ring[n].num = ref.legacy ? QUEUE_SIZE : 0;
		ref.ring[n].align = 4096;
	}
	ref_model_reset();
}

static bool ref_running(unsigned int n)
{
	return ref.ring[n].ready && ref.live && !ref.draining;
}

static bool ref_take(unsigned int n, struct ref_taken *taken)
{
	struct ref_ring *ring = &ref.ring[n];
	static struct reference_chain chain;
	bool got;

	if (!ref_running(n)) {
		return false;
	}
	if (ring->is_packed) {
		got = reference_packed_pop(&ring->packed, &taken->buffer);
		taken->count = got ? taken->buffer.count : 0;
		memcpy(taken->piece, taken->buffer.piece, taken->count * sizeof(taken->piece[0]));
	} else {
		got = reference_pop(&ring->split, &chain);
		taken->count = got ? chain.count : 0;
		memcpy(taken->piece, chain.piece, taken->count * sizeof(taken->piece[0]));
		taken->head = chain.head;
	}
	if (ring->split.broken || ring->packed.broken) {
		ref_break();
	}
	return got;
}

static void ref_give(unsigned int n, const struct ref_taken *taken, uint32_t written)
{
	struct ref_ring *ring = &ref.ring[n];

	if (!ring->ready || !ref.live) {
		return;
	}
	if (ring->is_packed) {
		reference_packed_push(&ring->packed, &taken->buffer, written);
	} else {
		reference_push(&ring->split, taken->head, written);
	}
}

static void ref_signal(unsigned int n)
{
	struct ref_ring *ring = &ref.ring[n];

	if (ring->ready && ref.live &&
	    (ring->is_packed ? reference_packed_should_notify(&ring->packed)
			     : reference_should_notify(&ring->split))) {
		ref.interrupts |= 1;
	}
}

static uint64_t ref_offer(void)
{
	return 1ull << 0 | 1ull << 28 | 1ull << 29 |
	       (ref.legacy ? 1ull << 27 : 1ull << 32 | 1ull << 34);
}

static void ref_look(void)
{
	unsigned int n;

	for (n = 0; n < 2; n++) {
		if (ref_running(n)) {
			ref_model_notify(n);
		}
	}
}

static void ref_notify(uint32_t n)
{
	if (n < 2 && ref.ring[n].ready) {
		ref.live = ref.live || (ref.legacy && !(ref.status & 0x40));
		if (ref_running(n)) {
			ref_model_notify(n);
		}
	}
}

static void ref_status_write(uint32_t value)
{
	uint32_t before = ref.status;

	if (value == 0) {
		ref_reset();
		return;
	}
	ref.status |= value & 0x83;
	if (value & 8 && !(ref.features & ~ref_offer()) && ref.features & 1ull << 32) {
		ref.status |= 8;
	}
	if (value & 4 && (ref.legacy || ref.status & 8)) {
		ref.status |= 4;
	}
	if (ref.status & ~before & 4) {
		ref.live = !(ref.status & 0x40);
		ref_look();
	}
}

/* Copies what the driver said of the queue to the format that was negotiated. */
static void ref_start_queue(struct ref_ring *ring)
{
	const uint64_t *area = ring->area;

	ring->is_packed = ref.features & 1ull << 34;
	ring->split = (struct reference_queue){
		.ram = reference_ram,
		.desc = area[0],
		.avail = area[1],
		.used = area[2],
		.num = ring->num,
	};
	ring->packed = (struct reference_packed){
		.ram = reference_ram,
		.desc = area[0],
		.driver = area[1],
		.device = area[2],
		.num = ring->num,
	};
	ring->ready = ring->is_packed ? packed_rings_good(&ring->packed)
				      : reference_rings_good(&ring->split);
	if (!ring->ready) {
		ref_break();
	}
}

/* Features may still change under a legacy queue that is ready and not used yet. */
static void ref_tell_features(void)
{
	unsigned int n;

	for (n = 0; n < 2; n++) {
		ref.ring[n].split.indirect = ref.ring[n].packed.indirect =
			ref.features & 1ull << 28;
		ref.ring[n].split.event_index = ref.ring[n].packed.event_index =
			ref.features & 1ull << 29;
	}
}

static void ref_stop_queue(struct ref_ring *ring)
{
	bool waited = ref.draining;

	if (!ring->ready) {
		return;
	}
	ref.draining = ref.again = ref.in_flight != 0;
	if (!ref.again) {
		ring->ready = false;
		if (waited) {
			ref_look();
		}
	}
}

static void ref_pfn_write(struct ref_ring *ring, uint32_t value, bool setup)
{
	uint64_t end;

	if (value == 0 && ring->ready) {
		if (ref.live || ref.in_flight) {
			ref_reset();
		} else {
			ring->ready = false;
		}
	} else if (value != 0 && setup) {
		ring->pfn = value;
		ring->area[0] = (uint64_t)value * ref.page_size;
		ring->area[1] = ring->area[0] + 16 * ring->num;
		end = ring->area[1] + 4 + 2 * ring->num + 2;
		ring->area[2] = 0; /* nowhere, unless the alignment is a power of two */
		if (__builtin_popcount(ring->align) == 1) {
			ring->area[2] =
				(end / ring->align + (end % ring->align != 0)) * ring->align;
		}
		ref_start_queue(ring);
	}
}

static void set_half(uint64_t *whole, bool high, uint32_t value)
{
	*whole = high ? (*whole & UINT32_MAX) | (uint64_t)value << 32
		      : (*whole & ~(uint64_t)UINT32_MAX) | value;
}

static void ref_features_write(uint32_t value)
{
	if (ref.driver_sel < 2 && !(ref.status & 0x48) && !ref.live) {
		set_half(&ref.features, ref.driver_sel, value);
		ref.features &= ref.legacy ? ref_offer() : UINT64_MAX;
	}
}

static bool ref_num_good(uint32_t num)
{
	return num <= QUEUE_SIZE && (__builtin_popcount(num) == 1 || ref.features & 1ull << 34);
}

/* Of the registers that a version alone has. */
static void ref_write_queue(uint32_t offset, uint32_t value)
{
	struct ref_ring *ring = &ref.ring[ref.queue_sel & 1];
	bool setup =
		!ring->ready && (ref.status & (ref.legacy ? 0x40 : 0x4c)) == (ref.legacy ? 0 : 8);

	if (ref.queue_sel > 1) {
		return;
	}
	if (offset == 0x038 && setup) {
		ring->num = ref_num_good(value) ? value : 0;
	} else if (offset == 0x03c && ref.legacy && setup) {
		ring->align = value;
	} else if (offset == 0x040 && ref.legacy) {
		ref_pfn_write(ring, value, setup);
	} else if (offset == 0x044 && !ref.legacy && value == 0) {
		ref_stop_queue(ring);
	} else if (offset == 0x044 && !ref.legacy && setup) {
		ref_start_queue(ring);
	} else if (offset >= 0x080 && offset < 0x0a8 && (offset & 8) == 0 && !ref.legacy && setup) {
		set_half(&ring->area[(offset - 0x080) / 16], offset & 4, value);
	}
}

static void ref_write(uint32_t offset, uint32_t value)
{
	switch (offset) {
	case 0x014:
		ref.device_sel = value;
		break;
	case 0x020:
		ref_features_write(value);
		break;
	case 0x024:
		ref.driver_sel = value;
		break;
	case 0x028:
		ref.page_size = ref.legacy ? value : 0;
		break;
	case 0x030:
		ref.queue_sel = value;
		break;
	case 0x050:
		ref_notify(value);
		break;
	case 0x064:
		ref.interrupts &= ~value;
		if (ref.deferred) {
			ref.deferred = false;
			ref_look();
		}
		break;
	case 0x070:
		ref_status_write(value);
		break;
	default:
		ref_write_queue(offset, value);
		break;
	}
	ref_tell_features();
}

static uint32_t ref_read(uint32_t offset)
{
	const struct ref_ring *ring = ref.queue_sel < 2 ? &ref.ring[ref.queue_sel] : NULL;

	switch (offset) {
	case 0x000:
		return 0x74726976;
	case 0x004:
		return ref.legacy ? 1 : 2;
	case 0x008:
		return 3;
	case 0x00c:
		return 0x79766962;
	case 0x010:
		return ref.device_sel < 2 ? (uint32_t)(ref_offer() >> 32 * ref.device_sel) : 0;
	case 0x034:
		return ring ? QUEUE_SIZE : 0;
	case 0x040:
		return ring && ref.legacy && ring->ready ? ring->pfn : 0;
	case 0x044:
		return ring && !ref.legacy && ring->ready;
	case 0x060:
		return ref.interrupts;
	case 0x070:
		return ref.status;
	case 0x0b0:
	case 0x0b4:
	case 0x0b8:
	case 0x0bc:
		return ref.legacy ? 0 : UINT32_MAX;
	default:
		return 0;
	}
}

#endif
