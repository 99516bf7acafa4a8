/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network card behind its transport, with any chains and any ends, against a reference of the
 * whole: what the backend gets, where that lies, what the driver is told, and no other byte of RAM.
 */
#include "drivers/virtio/net.h"
#include "tests/unit/mock_net.h"
#include "bytes.h"
#include "reference_queue.h"

#define SLOTS  256u
#define PIECES 8u /* segments_max */

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static uint8_t reference_ram[RAM_SIZE];
static const struct guest_memory memory = {RAM_BASE, RAM_SIZE, ram};
static struct virtio_net net;
static struct mock_net mock;
static bool line;

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

static void line_set(uint32_t intid, bool level)
{
	AGREE(intid, 50);
	line = level;
}

static bool has(unsigned int bit)
{
	return ref.features >> bit & 1;
}

static void ref_break(void)
{
	ref.broken = true;
	ref.queue[0].broken = ref.queue[1].broken = true;
	ref.interrupts |= 2;
}

/* The pieces of the chain's bytes from @from up to @to; returns how many. */
static unsigned int cut(const struct reference_chain *chain, uint64_t from, uint64_t to,
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

static uint64_t total(const struct reference_chain *chain)
{
	uint64_t length = 0;
	unsigned int i;

	for (i = 0; i < chain->count; i++) {
		length += chain->piece[i].length;
	}
	return length;
}

/* The segments are these pieces of the guest's memory, in place. */
static void agree_pieces(const struct io_segment *segment, const struct reference_piece *piece,
			 unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		AGREE((uintptr_t)segment[i].at, (uintptr_t)(ram + (piece[i].ipa - RAM_BASE)));
		AGREE(segment[i].length, piece[i].length);
	}
}

static void agree_outside_of_ram(const struct io_segment *segment, uint32_t length)
{
	AGREE(segment->at >= ram && segment->at < ram + RAM_SIZE, false);
	AGREE(segment->length, length);
}

static void copy_out(const struct reference_piece *piece, unsigned int count, uint8_t *to)
{
	unsigned int i, k;

	for (i = 0; i < count; i++) {
		for (k = 0; k < piece[i].length; k++) {
			*to++ = (uint8_t)reference_load(reference_ram, piece[i].ipa + k, 1);
		}
	}
}

/* Field by field what a header may ask for; @made is what the backend gets then. */
static bool ref_header(const uint8_t *header, uint64_t length, uint8_t *made)
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

static void ref_frame(const struct reference_chain *chain)
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

static void ref_buffer(const struct reference_chain *chain)
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

static void ref_signal(unsigned int n)
{
	if (ref.running && reference_should_notify(&ref.queue[n])) {
		ref.interrupts |= 1;
	}
}

/* After the card did the same. */
static void ref_run(unsigned int n)
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

static void ref_start(void)
{
	if (ref.wanted && ref.late == 0) {
		ref.started = true;
	}
}

static void write_register(uint32_t offset, uint32_t value)
{
	spin_lock(&mock.lock);
	virtio_mmio_ops.write(&net.device, offset, 4, value);
	spin_unlock(&mock.lock);
}

static void reset(struct bytes *in)
{
	unsigned int i, late = 0;

	if (ref.started) {
		late = mock.frames.count > 0 ? take8(in) % (mock.frames.count + 1) % 3 : 0;
		for (i = 0; i < late; i++) {
			ref.late_request[i] =
				mock.frames.request[mock.frames.count - 1 - i].request;
		}
		mock.late = late;
		ref.late = late;
	}
	ref.started = ref.wanted = ref.running = ref.broken = false;
	ref.interrupts = 0;
	ref.list[0].count = ref.list[1].count = 0;
	memset(ref.queue, 0, sizeof(ref.queue));
	write_register(0x070, 0);
	AGREE(mock.started, false);
}

static uint32_t effective(uint32_t features)
{
	if (!(features & 1)) {
		features &= ~(1u << 11 | 1u << 12 | 1u << 14);
	}
	if (!(features & 2)) {
		features &= ~(1u << 7 | 1u << 8 | 1u << 10);
	}
	features &= features & (1u << 11 | 1u << 12) ? ~0u : ~(1u << 13);
	features &= features & (1u << 7 | 1u << 8) ? ~0u : ~(1u << 9);
	return features & (uint32_t)mock.backend.features;
}

/* The queues as start_driver() makes them: rings at fixed places, buffers anywhere. */
static void set_queue(unsigned int n, uint32_t features, uint32_t num)
{
	uint32_t base = RAM_BASE + 0x800 * n;

	ref.queue[n] = (struct reference_queue){.ram = reference_ram,
						.desc = base,
						.avail = base + 0x400,
						.used = base + 0x500,
						.num = num,
						.indirect = features >> 28 & 1,
						.event_index = features >> 29 & 1};
	write_register(0x030, n);
	write_register(0x038, num);
	write_register(0x080, base);
	write_register(0x090, base + 0x400);
	write_register(0x0a0, base + 0x500);
	write_register(0x044, 1);
	reference_store(ram, base + 0x400, 4, 0);
}

static void start_driver(struct bytes *in)
{
	uint8_t kind = take8(in);
	uint32_t offered = (uint32_t)mock.backend.features | 3u << 28;
	uint32_t features = (kind & 1 ? UINT32_MAX : take32(in)) & offered;
	unsigned int n;

	reset(in);
	write_register(0x070, 3);
	write_register(0x024, 1);
	write_register(0x020, 1);
	write_register(0x024, 0);
	write_register(0x020, features);
	write_register(0x070, 11);
	for (n = 0; n < 2; n++) {
		set_queue(n, features, kind & 2 ? 32 : 4);
	}
	if (kind & 4) {
		net.device.driver_features[1] = 0; /* a legacy driver */
	}
	memcpy(reference_ram, ram, RAM_SIZE);
	ref.features = effective(features);
	ref.header = kind & 4 && !has(15) ? 10 : 12;
	ref.running = ref.wanted = true;
	write_register(0x070, 15);
	ref_start();
	ref_run(0);
	ref_run(1);
}

static void poke(struct bytes *in)
{
	uint32_t at = RAM_BASE + take16(in) % (RAM_SIZE - 16);
	unsigned int i;

	for (i = take8(in) % 16; i > 0; i--) {
		reference_store(ram, at + i, 1, take8(in));
	}
	memcpy(reference_ram, ram, RAM_SIZE);
}

/* A header that is mostly right, where the next frame may begin. */
static uint32_t place_header(struct bytes *in)
{
	uint32_t at = RAM_BASE + 0x1000 + take8(in) * 12u;
	uint8_t kind = take8(in);

	reference_store(ram, at, 8, 0);
	reference_store(ram, at + 8, 4, 0);
	if (kind & 1) {
		static const uint8_t types[] = {0, 1, 4, 3, 0x81, 0x84, 0x83, 2};

		reference_store(ram, at, 1, kind & 0x80 ? take8(in) : 1);
		reference_store(ram, at + 1, 1, types[kind >> 1 & 7]);
		reference_store(ram, at + 2, 2, take_length(in));
		reference_store(ram, at + 4, 2, kind & 0x10 ? 0 : 1000);
		reference_store(ram, at + 6, 2, take_length(in));
		reference_store(ram, at + 8, 2, take8(in) % 32);
	}
	return at;
}

/* A chain that is mostly right: one to four descriptors in a row. */
static void offer(struct bytes *in)
{
	uint8_t kind = take8(in);
	uint32_t n = kind & 1, base = RAM_BASE + 0x800 * n,
		 num = ref.queue[n].num ? ref.queue[n].num : 4;
	uint32_t head = take8(in) % num, at = place_header(in), i, count = 1 + (kind >> 1 & 3);
	uint64_t index = reference_load(ram, base + 0x402, 2);

	for (i = 0; i < count; i++) {
		uint32_t desc = base + 16 * ((head + i) % num);
		uint32_t length = kind & 0x80 ? take_length(in) : 1 + take8(in) % 64u;

		reference_store(ram, desc, 8, at);
		reference_store(ram, desc + 8, 4, length);
		reference_store(ram, desc + 12, 2,
				(n ? 0 : 2u) | (i + 1 < count) |
					(kind & 0x40 ? take8(in) & 6u : 0));
		reference_store(ram, desc + 14, 2, (head + i + 1) % num);
		at += length % 0x400;
	}
	reference_store(ram, base + 0x404 + 2 * (index % num), 2, kind & 8 ? take8(in) : head);
	reference_store(ram, base + 0x402, 2, index + 1);
	memcpy(reference_ram, ram, RAM_SIZE);
}

static void kick(unsigned int n)
{
	if (ref.running) {
		write_register(0x050, n);
		if (!ref.broken) {
			ref_run(n);
		}
	}
}

static void batch(void)
{
	mock_net_batch(&mock);
	ref_run(0);
	ref_run(1);
}

/* The backend writes a little into the buffer first, as a card would. */
static void fill(const struct mock_net_request *buffer, struct bytes *in)
{
	uint32_t at = take8(in) % 64u;
	uint8_t *byte = mock_net_byte(buffer, at);

	if (byte != NULL) {
		*byte = take8(in);
	}
	memcpy(reference_ram, ram, RAM_SIZE);
}

static void end(struct bytes *in, unsigned int n)
{
	struct mock_net_list *kept = n == 0 ? &mock.buffers : &mock.frames;
	struct ref_list *list = &ref.list[n];
	uint8_t kind = take8(in);
	unsigned int i = take8(in), least = has(15) ? 1 : 13;
	uint32_t length, used = 0;
	struct ref_request request;

	AGREE(kept->count, list->count);
	if (list->count == 0) {
		return;
	}
	i %= list->count;
	request = list->request[i];
	length = kind & 2 ? take_length(in) : (uint32_t)(request.length - take8(in) % 4);
	list->count--;
	memmove(&list->request[i], &list->request[i + 1], (list->count - i) * sizeof(request));
	if (n == 0) {
		fill(&kept->request[i], in);
	}
	mock_net_end(&mock, kept, i, kind & 1 ? IO_ERROR : IO_OK, length);
	if (n == 0 && !(kind & 1) && length >= least && length <= request.length) {
		used = length - (NET_HEADER - ref.header);
		ref.received++;
	} else if (n == 1) {
		ref.sent += !(kind & 1);
		ref.dropped += kind & 1;
	}
	reference_push(&ref.queue[n], request.head, used);
}

static void end_late(void)
{
	struct io_request *request;

	if (ref.late == 0) {
		return;
	}
	request = ref.late_request[--ref.late];
	mock.late--;
	request->done(request, IO_OK, 0);
	ref_start();
	if (ref.running) {
		ref_run(0);
		ref_run(1);
	}
}

static void step(struct bytes *in)
{
	static const enum io_status statuses[] = {IO_PENDING, IO_PENDING, IO_PENDING, IO_PENDING,
						  IO_PENDING, IO_BUSY,    IO_OK,      IO_ERROR};
	uint8_t what = take8(in);

	if (what < 8) {
		start_driver(in);
	} else if (what < 12) {
		reset(in);
	} else if (what < 25) {
		poke(in);
	} else if (what < 110) {
		offer(in);
	} else if (what < 150) {
		kick(what & 1);
	} else if (what < 200) {
		end(in, what & 1);
	} else if (what < 215) {
		batch();
	} else if (what < 225) {
		end_late();
	} else if (what < 240) {
		mock.transmit_status = statuses[take8(in) % 8];
		mock.receive_status = statuses[take8(in) % 8];
	} else if (what < 250) {
		write_register(0x064, what & 3);
		ref.interrupts &= ~(what & 3u);
	} else {
		mock.backend.events->link_changed(&net);
		ref.interrupts |= ref.running ? 2 : 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct bytes in = {input, length};

	memset(&ref, 0, sizeof(ref));
	memset(ram, 0, RAM_SIZE);
	mock_net_init(&mock, 0x1ffab);
	mock.backend.segments_max = PIECES;
	virtio_net_init(&net, &mock.backend,
			&(struct virtio_place){
				.memory = &memory, .irq = {line_set, 50}, .lock = &mock.lock});
	start_driver(&in);
	while (in.left > 0) {
		step(&in);
		AGREE(net.device.status & 0x40 ? 1 : 0, ref.broken);
		AGREE(net.device.fault != NULL, ref.broken);
		AGREE(net.device.interrupt_status, ref.interrupts);
		AGREE(line, ref.interrupts != 0);
		AGREE(mock.started, ref.started);
		AGREE(!mock.started || mock.features == ref.features, true);
		AGREE(mock.buffers.count, ref.list[0].count);
		AGREE(mock.frames.count, ref.list[1].count);
		AGREE(net.sent, ref.sent);
		AGREE(net.received, ref.received);
		AGREE(net.dropped, ref.dropped);
		AGREE(memcmp(ram, reference_ram, RAM_SIZE), 0);
	}
	return 0;
}
