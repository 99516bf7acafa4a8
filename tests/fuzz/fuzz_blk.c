/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio disk with any requests, over a backend that ends them in any order, or is busy, or
 * fails, against a second disk written from virtio 1.2 5.2: each byte of memory and disk, each used
 * entry, status byte and interrupt must be as that one says.
 */
#include "drivers/virtio/blk.h"
#include "tests/unit/mock_block.h"
#include "bytes.h"
#include "reference_queue.h"

#define QUEUES  2u
#define SIZE    8u /* entries that the driver chooses */
#define SECTORS 16u

#define PLACES (RAM_BASE + 0x1000u) /* where chains usually are */

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static uint8_t reference_ram[RAM_SIZE];
static const struct guest_memory memory = {RAM_BASE, RAM_SIZE, ram};
static struct virtio_blk blk;
static struct virtqueue queues[QUEUES];
static struct spinlock lock;
static struct mock_block mock;
static bool line;

/* A request of the second disk. */
struct ref_request {
	struct reference_chain chain;
	unsigned int queue, operation;
	uint64_t sector, data_at, room, filled, status_at; /* _at: bytes of the chain */
	uint32_t sectors;
	bool lasting; /* a flush comes after it */
};

static struct {
	uint32_t status, interrupts;
	struct reference_queue queue[QUEUES];
	uint8_t disk[SECTORS * BLOCK_SECTOR];
	struct ref_request pending[2 * SIZE * QUEUES + 8], held[2 * SIZE * QUEUES + 8];
	unsigned int pending_count, held_count, turn;
	enum io_status answer;
	unsigned int room;
	bool stalled, deferred, draining, flushes, read_only;
	uint64_t features;
} ref;

static void line_set(uint32_t intid, bool level)
{
	AGREE(intid, 50);
	line = level;
}

static void ref_break(void)
{
	ref.status |= 0x40;
	ref.interrupts |= 2;
	ref.queue[0].broken = ref.queue[1].broken = true;
}

/* Where the @position-th byte of the chain is. */
static uint32_t ref_at(const struct reference_chain *chain, uint64_t position)
{
	unsigned int i;

	for (i = 0; position >= chain->piece[i].length; i++) {
		position -= chain->piece[i].length;
	}
	return chain->piece[i].ipa + (uint32_t)position;
}

static uint64_t ref_load(const struct reference_chain *chain, uint64_t position, unsigned int size)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < size; i++) {
		value |= reference_load(reference_ram, ref_at(chain, position + i), 1) << (8 * i);
	}
	return value;
}

static void ref_store(const struct reference_chain *chain, uint64_t position, uint8_t value)
{
	reference_store(reference_ram, ref_at(chain, position), 1, value);
}

/* What a good end does. */
static void ref_do(const struct ref_request *request)
{
	uint8_t *at = ref.disk + (request->sectors > 0 ? request->sector * 512 : 0);
	uint64_t i;

	for (i = 0; i < request->sectors * 512ull; i++) {
		switch (request->operation) {
		case 0:
			ref_store(&request->chain, request->data_at + i, at[i]);
			break;
		case 1:
			at[i] = (uint8_t)ref_load(&request->chain, request->data_at + i, 1);
			break;
		case 11:
			at[i] = 0xdd;
			break;
		default:
			at[i] = 0;
			break;
		}
	}
}

/* Takes it, ends it or is busy, as the mock. */
static enum io_status ref_submit(const struct ref_request *request)
{
	if (ref.room == 0) {
		return IO_BUSY;
	}
	if (ref.answer == IO_PENDING) {
		ref.room--;
		ref.pending[ref.pending_count++] = *request;
	} else if (ref.answer == IO_OK) {
		ref_do(request);
	}
	return ref.answer;
}

static void ref_settle(struct ref_request request, enum io_status status)
{
	uint64_t written;

	if (status == IO_OK && request.lasting) {
		request.operation = 4;
		request.sectors = 0;
		request.lasting = false;
		status = ref_submit(&request);
		if (status == IO_BUSY) {
			request.lasting = true;
			ref.held[ref.held_count++] = request;
		}
	}
	if (status == IO_PENDING || status == IO_BUSY) {
		return;
	}
	written = status == IO_OK ? request.filled : 0;
	ref_store(&request.chain, request.status_at, (uint8_t)status);
	reference_push(&ref.queue[request.queue], request.chain.head,
		       (uint32_t)(written == request.room ? written + 1 : written));
}

/* Whether the sectors exist, in whole blocks. */
static bool ref_exist(const struct ref_request *request)
{
	uint32_t block = mock.backend.block_size / 512;

	return request->sector <= SECTORS && request->sector + request->sectors <= SECTORS &&
	       request->sector % block == 0 && request->sectors % block == 0;
}

static enum io_status ref_transfer(struct ref_request *request, uint64_t length,
				   unsigned int segments)
{
	request->sectors = (uint32_t)(length / 512);
	if (length % 512 != 0 || segments > mock.backend.segments_max || !ref_exist(request)) {
		return IO_ERROR;
	}
	request->lasting = request->operation == 1 && request->sectors > 0 && !ref.flushes &&
			   mock.backend.writeback;
	return request->sectors == 0 ? IO_OK : ref_submit(request);
}

static enum io_status ref_range(struct ref_request *request, uint64_t length)
{
	bool zero = request->operation == 13;
	uint32_t max = zero ? mock.backend.write_zeroes_max : mock.backend.discard_max;
	uint64_t flags;

	if (max == 0 || ref.read_only) {
		return IO_UNSUPPORTED;
	}
	if (length != 16) {
		return IO_ERROR;
	}
	request->sector = ref_load(&request->chain, 16, 8);
	request->sectors = (uint32_t)ref_load(&request->chain, 24, 4);
	flags = ref_load(&request->chain, 28, 4);
	if (flags > 1 || (flags == 1 && !zero)) {
		return IO_UNSUPPORTED;
	}
	if (request->sectors > max || !ref_exist(request)) {
		return IO_ERROR;
	}
	request->lasting = request->sectors > 0 && !ref.flushes && mock.backend.writeback;
	return request->sectors == 0 ? IO_OK : ref_submit(request);
}

/* Pieces that have a byte between @from and @to. */
static unsigned int ref_pieces(const struct reference_chain *chain, uint64_t from, uint64_t to)
{
	uint64_t position = 0;
	unsigned int i, count = 0;

	for (i = 0; i < chain->count; i++) {
		count += position < to && position + chain->piece[i].length > from;
		position += chain->piece[i].length;
	}
	return from < to ? count : 0;
}

static enum io_status ref_start(struct ref_request *request, uint64_t readable, uint64_t total)
{
	uint64_t i;

	switch (request->operation) {
	case 0:
		request->filled = request->room;
		return ref_transfer(request, request->room,
				    ref_pieces(&request->chain, readable, total - 1));
	case 1:
		request->data_at = 16;
		return ref.read_only ? IO_ERROR
				     : ref_transfer(request, readable - 16,
						    ref_pieces(&request->chain, 16, readable));
	case 4:
		return mock.backend.writeback ? ref_submit(request) : IO_OK;
	case 8:
		for (i = 0; i < 20 && i < request->room; i++) {
			ref_store(&request->chain, readable + i, (uint8_t)mock.backend.id[i]);
		}
		request->filled = i;
		return IO_OK;
	case 11:
	case 13:
		return ref_range(request, readable - 16);
	default:
		return IO_UNSUPPORTED;
	}
}

/* Returns false if the queue has to wait. */
static bool ref_take(unsigned int n)
{
	static struct ref_request request;
	uint64_t readable = 0, total = 0;
	enum io_status status;
	unsigned int i;

	if ((ref.status & 0x44) != 4 || ref.draining) {
		return false;
	}
	memset(&request, 0, offsetof(struct ref_request, chain.piece));
	if (!reference_pop(&ref.queue[n], &request.chain)) {
		if (ref.queue[n].broken) {
			ref_break();
		}
		return false;
	}
	for (i = 0; i < request.chain.count; i++) {
		total += request.chain.piece[i].length;
		readable += request.chain.piece[i].write ? 0 : request.chain.piece[i].length;
	}
	if (readable < 16 || readable == total) {
		ref_break();
		return false;
	}
	request.queue = n;
	request.operation = (unsigned int)ref_load(&request.chain, 0, 4);
	request.sector = ref_load(&request.chain, 8, 8);
	request.data_at = readable;
	request.room = total - readable - 1;
	request.filled = 0;
	request.status_at = total - 1;
	request.sectors = 0;
	request.lasting = false;
	status = ref_start(&request, readable, total);
	if (status == IO_BUSY) {
		ref.queue[n].last--;
		ref.stalled = true;
		return false;
	}
	if (status != IO_PENDING) {
		ref_settle(request, status);
	}
	return true;
}

static void ref_signal(unsigned int n)
{
	if (reference_should_notify(&ref.queue[n])) {
		ref.interrupts |= 1;
	}
}

static void ref_notify(unsigned int n)
{
	unsigned int taken = 0;

	if ((ref.status & 0x44) != 4 || ref.draining) {
		return;
	}
	while (taken < 256 && ref_take(n)) {
		taken++;
	}
	if (taken == 256) {
		ref.deferred = true;
		ref.interrupts |= 1;
	} else {
		ref_signal(n);
	}
}

static void ref_end(unsigned int n, enum io_status status)
{
	static struct ref_request request;

	request = ref.pending[n];
	ref.pending_count--;
	ref.room++;
	memmove(&ref.pending[n], &ref.pending[n + 1],
		(ref.pending_count - n) * sizeof(ref.pending[0]));
	if (status == IO_OK) {
		ref_do(&request);
	}
	ref_settle(request, status);
}

static void ref_batch(void)
{
	static struct ref_request held[sizeof(ref.held) / sizeof(ref.held[0])];
	unsigned int count = ref.held_count, i;
	bool stalled = ref.stalled;

	memcpy(held, ref.held, count * sizeof(held[0]));
	ref.held_count = 0;
	for (i = count; i > 0; i--) {
		ref_settle(held[i - 1], IO_OK);
	}
	ref.stalled = false;
	ref.turn++;
	for (i = 0; i < QUEUES; i++) {
		unsigned int n = (ref.turn + i) % QUEUES;

		if (stalled && (ref.status & 0x44) == 4 && !ref.draining) {
			ref_notify(n);
		} else {
			ref_signal(n);
		}
	}
}

static void write_register(uint32_t offset, uint32_t value)
{
	spin_lock(&lock);
	virtio_mmio_ops.write(&blk.device, offset, 4, value);
	spin_unlock(&lock);
}

static void both_store(uint32_t at, unsigned int size, uint64_t value)
{
	reference_store(ram, at, size, value);
	reference_store(reference_ram, at, size, value);
}

static void end_one(struct bytes *in)
{
	unsigned int n = take8(in) % ref.pending_count;
	uint8_t kind = take8(in);
	enum io_status status = kind < 200 ? IO_OK : kind < 230 ? IO_ERROR : IO_UNSUPPORTED;

	mock_block_end(&mock, n, status);
	ref_end(n, status);
}

static void batch(void)
{
	mock_block_batch(&mock);
	ref_batch();
}

/* A driver that resets, and tries again until what is in flight has ended. */
static void reset(struct bytes *in)
{
	unsigned int tries;

	write_register(0x070, 0);
	for (tries = 0; blk.device.again; tries++) {
		AGREE(tries < 200, true);
		AGREE(ref.pending_count + ref.held_count > 0, true);
		ref.draining = true;
		blk.device.again = false;
		if (ref.pending_count > 0) {
			end_one(in);
		}
		mock.room += 4;
		ref.room += 4;
		batch();
		write_register(0x070, 0);
	}
	AGREE(ref.pending_count + ref.held_count, 0);
	ref.draining = ref.deferred = ref.stalled = false;
	ref.status = ref.interrupts = 0;
}

static void start_driver(struct bytes *in)
{
	uint8_t kind = take8(in);
	uint32_t n, i;

	ref.flushes = kind & 1 && mock.backend.writeback;
	ref.features = (kind >> 1 & 3u) << 28 | (ref.flushes ? 1u << 9 : 0);
	reset(in);
	write_register(0x070, 3);
	write_register(0x024, 1);
	write_register(0x020, 1);
	write_register(0x024, 0);
	write_register(0x020, (uint32_t)ref.features);
	write_register(0x070, 11);
	for (n = 0; n < QUEUES; n++) {
		uint32_t ring[3] = {RAM_BASE + 0x800 * n, RAM_BASE + 0x800 * n + 0x400,
				    RAM_BASE + 0x800 * n + 0x500};

		ref.queue[n] = (struct reference_queue){
			.ram = reference_ram,
			.desc = ring[0],
			.avail = ring[1],
			.used = ring[2],
			.num = SIZE,
			.indirect = ref.features & 1u << 28,
			.event_index = ref.features & 1u << 29,
		};
		write_register(0x030, n);
		write_register(0x038, SIZE);
		for (i = 0; i < 3; i++) {
			write_register(0x080 + 0x10 * i, ring[i]);
		}
		both_store(ring[1], 4, 0);
		write_register(0x044, 1);
	}
	write_register(0x070, 15);
	ref.status = 15;
	ref_notify(0);
	ref_notify(1);
}

static void poke(struct bytes *in)
{
	uint32_t at = RAM_BASE + take16(in) % (RAM_SIZE - 16);
	unsigned int i;

	for (i = take8(in) % 16; i > 0; i--) {
		both_store(at + i, 1, take8(in));
	}
}

/* A length that is mostly whole sectors. */
static uint32_t any_length(struct bytes *in)
{
	uint8_t kind = take8(in);

	return kind < 128 ? (kind % 6u + 1) * 512 : kind < 200 ? kind % 40u : take16(in) % 0x900u;
}

/* Cuts @total bytes at @at into descriptors of the table; returns the next one's index. */
static uint32_t cut(struct bytes *in, uint32_t table, uint32_t index, uint32_t at, uint32_t total,
		    uint32_t flags)
{
	while (total > 0) {
		uint8_t kind = take8(in);
		uint32_t part = kind < 150 ? total : kind < 200 ? 16 : take16(in) % 600u + 1;

		part = part < total && index < SIZE - 2 ? part : total;
		both_store(table + 16 * index, 8, at);
		both_store(table + 16 * index + 8, 4, part);
		both_store(table + 16 * index + 12, 4, flags | 1u | (index + 1) << 16);
		index++;
		at += part;
		total -= part;
	}
	return index;
}

/* A request that is mostly right, and its chain, in a queue's own descriptors or a table. */
static void offer(struct bytes *in)
{
	static const uint8_t type[] = {0, 1, 0, 1, 4, 8, 11, 13};
	uint8_t kind = take8(in), odd = take8(in);
	uint32_t n = kind & 1, base = RAM_BASE + 0x800 * n, place = PLACES + take16(in) % 0xa00u;
	uint32_t table = kind & 2 ? base + 0x200 : base;
	uint32_t what = odd < 16 ? take8(in) : type[kind >> 2 & 7], length = any_length(in);
	bool range = what == 11 || what == 13, writes = what == 1 || range;
	uint64_t index = reference_load(ram, base + 0x402, 2);
	uint32_t end;

	both_store(place, 4, what);
	both_store(place + 8, 8, odd & 0x10 ? take8(in) % 20u : take8(in) % SECTORS & ~1u);
	if (range) {
		length = odd & 0x20 ? length : 16;
		both_store(place + 16, 8, take8(in) % 20u);
		both_store(place + 24, 4, take8(in) % 8u);
		both_store(place + 28, 4, odd & 0x40 ? take8(in) % 4u : 0);
	}
	end = cut(in, table, 0, place, odd >= 16 && odd < 20 ? odd : writes ? 16 + length : 16, 0);
	end = cut(in, table, end, place + 0x100, writes ? 1 + (odd == 32) : 1 + length, 2);
	both_store(table + 16 * (end - 1) + 12, 2, odd == 33 ? 1 : odd == 34 ? 0 : 2);
	if (kind & 2) {
		both_store(base, 8, table);
		both_store(base + 8, 4, 16 * end);
		both_store(base + 12, 2, 4);
	}
	both_store(base + 0x404 + 2 * (index % SIZE), 2, 0);
	both_store(base + 0x402, 2, index + 1);
	if (!(kind & 0x80)) {
		write_register(0x050, n);
		ref_notify(n);
	}
}

static void start(struct bytes *in)
{
	uint8_t kind = take8(in);

	memset(&ref, 0, offsetof(typeof(ref), pending));
	ref.pending_count = ref.held_count = ref.turn = 0;
	ref.stalled = ref.deferred = ref.draining = false;
	memset(ram, 0, RAM_SIZE);
	memset(reference_ram, 0, RAM_SIZE);
	lock = (struct spinlock){0};
	mock.count = 0;
	mock.listeners = NULL;
	mock.submitter = &lock;
	mock.answer = ref.answer = IO_PENDING;
	mock.room = ref.room = 8;
	memset(mock.disk, 0x5a, sizeof(ref.disk));
	memcpy(ref.disk, mock.disk, sizeof(ref.disk));
	mock.backend.sectors = SECTORS;
	mock.backend.block_size = kind & 1 ? 1024 : 512;
	mock.backend.writeback = kind & 2;
	mock.backend.segments_max = 4;
	mock.backend.discard_max = kind & 4 ? 4 : 0;
	mock.backend.write_zeroes_max = kind & 8 ? 6 : 0;
	ref.read_only = (kind & 0x70) == 0;
	virtio_blk_init(
		&blk, &mock.backend, ref.read_only, queues, QUEUES,
		&(struct virtio_place){.memory = &memory, .irq = {line_set, 50}, .lock = &lock});
}

static void step(struct bytes *in)
{
	uint8_t what = take8(in);

	if (what < 10) {
		start_driver(in);
	} else if (what < 20) {
		poke(in);
	} else if (what < 130) {
		offer(in);
	} else if (what < 190) {
		if (ref.pending_count > 0) {
			end_one(in);
		}
	} else if (what < 220) {
		batch();
	} else if (what < 230) {
		mock.room = ref.room = what % 5;
	} else if (what < 240) {
		mock.answer = ref.answer = what < 236 ? IO_PENDING : what < 239 ? IO_OK : IO_ERROR;
	} else if (what < 250) {
		write_register(0x050, what & 1);
		ref_notify(what & 1);
	} else {
		write_register(0x064, 3);
		ref.interrupts = 0;
		if (ref.deferred) {
			ref.deferred = false;
			ref_notify(0);
			ref_notify(1);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct bytes in = {input, length};

	if (mock.backend.sectors == 0) {
		mock_block_init(&mock);
	}
	start(&in);
	start_driver(&in);
	while (in.left > 0) {
		step(&in);
		AGREE(blk.device.status, ref.status);
		AGREE(blk.device.interrupt_status, ref.interrupts);
		AGREE(line, ref.interrupts != 0);
		AGREE(blk.device.fault != NULL, (ref.status & 0x40) != 0);
		AGREE(blk.device.in_flight, ref.pending_count + ref.held_count);
		AGREE(blk.device.deferred, ref.deferred);
		AGREE(mock.count, ref.pending_count);
		AGREE(memcmp(ram, reference_ram, RAM_SIZE), 0);
		AGREE(memcmp(mock.disk, ref.disk, sizeof(ref.disk)), 0);
	}
	return 0;
}
