/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network card written a second time from virtio 1.2 5.1, which follows what the first one did:
 * what the backend got, and where in the guest's memory that lies, must be what the chains say.
 */
#ifndef TESTS_FUZZ_REFERENCE_NET_H
#define TESTS_FUZZ_REFERENCE_NET_H

#include "drivers/virtio/net.h"
#include "tests/unit/mock_net.h"
#include "bytes.h"
#include "reference_queue.h"

#define SLOTS  256u
#define PIECES 4u /* segments_max */

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static uint8_t reference_ram[RAM_SIZE];
static struct mock_net mock;

struct ref_request {
	uint16_t head;
	uint64_t length; /* on the backend's side */
};

struct ref_list {
	unsigned int count;
	struct ref_request request[SLOTS];
};

/* The reference. Queue and list 0 receive, 1 transmits; features are bits of virtio 1.2 5.1.3. */
static struct {
	struct reference_queue queue[2];
	struct ref_list list[2];
	bool running, broken, started, wanted;
	uint32_t interrupts, features;
	unsigned int header, sent, received, dropped;
	unsigned int late;
	struct io_request *late_request[SLOTS];
} ref;

static inline bool has(unsigned int bit)
{
	return ref.features >> bit & 1;
}

static inline void ref_break(void)
{
	ref.broken = true;
	ref.queue[0].broken = ref.queue[1].broken = true;
	ref.interrupts |= 2;
}

/* The pieces of the chain's bytes from @from up to @to; returns how many. */
static inline unsigned int cut(const struct reference_chain *chain, uint64_t from, uint64_t to,
			       struct reference_piece *piece)
{
	unsigned int i, count = 0;
	uint64_t at = 0;

	for (i = 0; i < chain->count; i++) {
		uint64_t end = at + chain->piece[i].length;
		uint64_t low = from > at ? from : at, high = to < end ? to : end;

		if (low < high) {
			piece[count++] =
				(struct reference_piece){chain->piece[i].ipa + (uint32_t)(low - at),
							 (uint32_t)(high - low), false};
		}
		at = end;
	}
	return count;
}

static inline uint64_t total(const struct reference_chain *chain)
{
	uint64_t length = 0;
	unsigned int i;

	for (i = 0; i < chain->count; i++) {
		length += chain->piece[i].length;
	}
	return length;
}

/* The segments are these pieces of the guest's memory, in place. */
static inline void agree_pieces(const struct io_segment *segment,
				const struct reference_piece *piece, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		AGREE((uintptr_t)segment[i].at, (uintptr_t)(ram + (piece[i].ipa - RAM_BASE)));
		AGREE(segment[i].length, piece[i].length);
	}
}

static inline void agree_outside_of_ram(const struct io_segment *segment, uint32_t length)
{
	AGREE(segment->at >= ram && segment->at < ram + RAM_SIZE, false);
	AGREE(segment->length, length);
}

static inline void copy_out(const struct reference_piece *piece, unsigned int count, uint8_t *to)
{
	unsigned int i, k;

	for (i = 0; i < count; i++) {
		for (k = 0; k < piece[i].length; k++) {
			*to++ = (uint8_t)reference_load(reference_ram, piece[i].ipa + k, 1);
		}
	}
}

/* Field by field what a header may ask for; @made is what the backend gets then. */
static inline bool ref_header(const uint8_t *header, uint64_t length, uint8_t *made)
{
	unsigned int kind = header[1] & 0x7f, ecn = header[1] >> 7;
	unsigned int hdr_len = header[2] + 256u * header[3], size = header[4] + 256u * header[5];
	unsigned int start = header[6] + 256u * header[7], offset = header[8] + 256u * header[9];
	bool csum = header[0] & 1, gso = header[1] != 0;
	unsigned int i;

	for (i = 0; i < NET_HEADER; i++) {
		made[i] = i == 0                                         ? csum
			  : (i >= 6 && i < 10 && csum) || (i < 6 && gso) ? header[i]
									 : 0;
	}
	if (csum && (!has(0) || start + offset + 2 > length)) {
		return false;
	}
	if (!gso) {
		return true;
	}
	if (!csum || size == 0 || hdr_len > length) {
		return false;
	}
	if (ecn && (!has(13) || kind == 3)) {
		return false;
	}
	return (kind == 1 && has(11)) || (kind == 4 && has(12)) || (kind == 3 && has(14));
}

static inline void ref_frame(const struct reference_chain *chain)
{
	static struct reference_piece piece[REFERENCE_SIZE_MAX + 1];
	uint8_t header[NET_HEADER] = {0}, made[NET_HEADER];
	uint64_t length = total(chain) - ref.header;
	unsigned int count = cut(chain, 0, ref.header, piece), k;
	struct ref_list *list = &ref.list[1];
	const struct mock_net_request *frame = &mock.frames.request[list->count];

	copy_out(piece, count, header);
	count = cut(chain, ref.header, UINT64_MAX, piece);
	if (length < 14 || length > 65550 || count >= PIECES || !ref_header(header, length, made) ||
	    mock.transmit_status == IO_ERROR) {
		ref.dropped++;
		reference_push(&ref.queue[1], chain->head, 0);
	} else if (mock.transmit_status == IO_OK) {
		ref.sent++;
		reference_push(&ref.queue[1], chain->head, 0);
	} else if (mock.transmit_status == IO_PENDING) {
		list->request[list->count++] = (struct ref_request){chain->head, 12 + length};
		AGREE(mock.frames.count >= list->count, true);
		AGREE(frame->count, count + 1);
		agree_outside_of_ram(frame->segment, NET_HEADER);
		for (k = 0; k < NET_HEADER; k++) {
			AGREE(frame->segment[0].at[k], made[k]);
		}
		agree_pieces(frame->segment + 1, piece, count);
	}
}

static inline void ref_buffer(const struct reference_chain *chain)
{
	static struct reference_piece piece[REFERENCE_SIZE_MAX + 1];
	struct ref_list *list = &ref.list[0];
	const struct mock_net_request *buffer = &mock.buffers.request[list->count];
	unsigned int in_front = cut(chain, 0, ref.header == 10 ? 10 : 0, piece);
	unsigned int own = ref.header == 10;
	unsigned int count =
		in_front + cut(chain, ref.header == 10 ? 10 : 0, UINT64_MAX, piece + in_front);

	if (count + own > PIECES) {
		ref_break();
	} else if (mock.receive_status == IO_PENDING) {
		list->request[list->count++] =
			(struct ref_request){chain->head, total(chain) + 2 * own};
		AGREE(mock.buffers.count >= list->count, true);
		AGREE(buffer->count, count + own);
		agree_pieces(buffer->segment, piece, in_front);
		if (own) {
			agree_outside_of_ram(buffer->segment + in_front, 2);
		}
		agree_pieces(buffer->segment + in_front + own, piece + in_front, count - in_front);
	}
}

static inline void ref_signal(unsigned int n)
{
	if (ref.running && reference_should_notify(&ref.queue[n])) {
		ref.interrupts |= 1;
	}
}

/* After the card did the same. */
static inline void ref_run(unsigned int n)
{
	static struct reference_chain chain;
	struct reference_queue *queue = &ref.queue[n];
	bool stuck = n == 0 ? mock.receive_status != IO_PENDING : mock.transmit_status == IO_BUSY;

	while (ref.started && !ref.broken && ref.list[n].count < SLOTS) {
		unsigned int i, writes = 0, dropped = ref.dropped;

		if (!reference_pop(queue, &chain)) {
			if (queue->broken) {
				ref_break();
			}
			break;
		}
		for (i = 0; i < chain.count; i++) {
			writes += chain.piece[i].write;
		}
		if (n == 0) {
			if (writes != chain.count || total(&chain) <= ref.header) {
				ref_break();
				break;
			}
			ref_buffer(&chain);
		} else {
			if (writes != 0 || total(&chain) < ref.header) {
				ref.dropped++;
				ref_break();
				break;
			}
			ref_frame(&chain);
		}
		if (stuck && dropped == ref.dropped) {
			queue->last--;
			break;
		}
	}
	ref_signal(n);
}

static inline void ref_start(void)
{
	if (ref.wanted && ref.late == 0) {
		ref.started = true;
	}
}

#endif
