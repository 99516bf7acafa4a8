/* SPDX-License-Identifier: BSD-2-Clause */
/* Transport, queues and console together, with any accesses and any memory, against a reference of
 * the whole. */
#include "drivers/virtio/console.h"
#include "tests/unit/mock_char.h"
#include "bytes.h"
#include "reference_transport.h"

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static const struct guest_memory memory = {RAM_BASE, RAM_SIZE, ram};
static struct virtio_console console;
static struct mock_char mock;
static bool line;
static uint8_t typed[MOCK_CHAR_SIZE];
static uint32_t shown[VIRTIO_MMIO_BYTES / 4]; /* what the driver reads with no exit */

/* What the reference's console does: what it sends of a chain, and to where it got. */
static struct {
	bool sending;
	struct ref_taken chain;
	uint64_t sent_of_chain;
	uint8_t out[MOCK_CHAR_SIZE];
	size_t out_length, room, typed_from, typed_left;
} port;

static void line_set(uint32_t intid, bool level)
{
	AGREE(intid, 50);
	line = level;
}

static void ref_model_reset(void)
{
	port.sending = false;
}

/* Takes a chain of which all is @writable, or nothing. */
static bool port_take(unsigned int n, bool writable, struct ref_taken *taken)
{
	unsigned int i;

	if (!ref_take(n, taken)) {
		return false;
	}
	for (i = 0; i < taken->count; i++) {
		if (taken->piece[i].write != writable) {
			ref_break();
			return false;
		}
	}
	return true;
}

/* A call that took as many chains as the queue has may have left some. */
static void ref_call_end(unsigned int n, unsigned int chains)
{
	if (chains == QUEUE_SIZE) {
		ref.deferred = true;
		ref.interrupts |= 1;
	} else {
		ref_signal(n);
	}
}

/* Returns where the @position-th byte of the chain is, 0: the chain is shorter. */
static uint32_t ref_byte(const struct ref_taken *chain, uint64_t position)
{
	unsigned int i;

	for (i = 0; i < chain->count; i++) {
		if (position < chain->piece[i].length) {
			return chain->piece[i].ipa + (uint32_t)position;
		}
		position -= chain->piece[i].length;
	}
	return 0;
}

static void ref_transmit(void)
{
	static struct ref_taken taken;
	unsigned int done;
	uint32_t at = 1;

	for (done = 0; done < QUEUE_SIZE && ref_running(1); done++) {
		if (!port.sending) {
			if (!port_take(1, false, &taken)) {
				break;
			}
			port.chain = taken;
			port.sending = true;
			port.sent_of_chain = 0;
		}
		while ((at = ref_byte(&port.chain, port.sent_of_chain)) != 0 && port.room > 0 &&
		       port.out_length < MOCK_CHAR_SIZE) {
			port.out[port.out_length++] = (uint8_t)reference_load(reference_ram, at, 1);
			port.room--;
			port.sent_of_chain++;
		}
		if (at != 0) {
			break;
		}
		port.sending = false;
		ref_give(1, &port.chain, 0);
	}
	ref_call_end(1, done);
}

static void ref_receive(void)
{
	static struct ref_taken taken;
	unsigned int done;

	for (done = 0; done < QUEUE_SIZE && port.typed_left > 0; done++) {
		uint32_t at, written = 0;

		if (!port_take(0, true, &taken)) {
			break;
		}
		while (port.typed_left > 0 && (at = ref_byte(&taken, written)) != 0) {
			reference_store(reference_ram, at, 1, typed[port.typed_from++]);
			port.typed_left--;
			written++;
		}
		ref_give(0, &taken, written);
	}
	ref_call_end(0, done);
}

static void ref_model_notify(unsigned int n)
{
	if (n == 0) {
		ref_receive();
	} else {
		ref_transmit();
	}
}

/* 80 columns, 24 rows, as long as no terminal has told otherwise. */
static uint32_t ref_config(uint32_t offset, uint8_t size)
{
	const uint64_t config =
		offset < 0x108 ? (uint64_t)(24 << 16 | 80) >> 8 * (offset - 0x100) : 0;

	return (uint32_t)(config & ((1ull << 8 * size) - 1));
}

static uint32_t ref_answer(uint32_t offset, uint8_t size)
{
	if (offset >= 0x100) {
		return ref_config(offset, size);
	}
	return size == 4 ? ref_read(offset) : 0;
}

static void access_one(uint32_t offset, uint8_t size, bool is_write, uint32_t value)
{
	if (!is_write) {
		AGREE(virtio_mmio_ops.read(&console.device, offset, size),
		      ref_answer(offset, size));
		return;
	}
	virtio_mmio_ops.write(&console.device, offset, size, value);
	if (size == 4) {
		ref_write(offset, value);
	}
	AGREE(console.device.again, ref.again);
	console.device.again = ref.again = false;
}

static void write_register(uint32_t offset, uint32_t value)
{
	access_one(offset, 4, true, value);
}

/* The console has no requests in flight of its own. */
static void set_in_flight(uint32_t count)
{
	console.device.in_flight = ref.in_flight = count;
}

static void access_any(struct bytes *in)
{
	static const uint16_t interesting[] = {0x020, 0x030, 0x038, 0x044, 0x050, 0x064, 0x070,
					       0x080, 0x090, 0x0a0, 0x084, 0x010, 0x014, 0x024,
					       0x060, 0x028, 0x03c, 0x040, 0x040, 0x070};
	uint8_t kind = take8(in);
	uint8_t size = kind & 0x20 && kind & 0x10 ? (uint8_t)(1u << take8(in) % 3) : 4;
	uint32_t offset = kind & 0x40 ? take16(in) % 0x200u : interesting[take8(in) % 20];
	uint32_t value = take_length(in);

	access_one(offset - offset % size, size, kind & 0x80, value);
}

/* What a good driver does, so that the rest is reached. */
static void start_queue(unsigned int n, uint32_t num)
{
	const uint32_t base = RAM_BASE + 0x800 * n;

	write_register(0x030, n);
	write_register(0x038, num);
	if (ref.legacy) {
		write_register(0x03c, 0x100);
		write_register(0x040, base / 0x800);
	} else {
		write_register(0x080, base);
		write_register(0x090, base + 0x400);
		write_register(0x0a0, base + 0x500);
		write_register(0x044, 1);
	}
}

static void start_driver(struct bytes *in)
{
	uint8_t kind = take8(in);
	bool packed = kind & 8 && !ref.legacy;
	unsigned int n;

	set_in_flight(0);
	write_register(0x070, 0);
	memset(ram, 0, 0x1000);
	memcpy(reference_ram, ram, RAM_SIZE);
	write_register(0x070, 3);
	write_register(0x024, 1);
	write_register(0x020, 1 | (packed ? 4 : 0));
	write_register(0x024, 0);
	write_register(0x020, (kind & 1u) << 28 | (kind >> 2 & 1u) << 29);
	write_register(0x070, 11);
	write_register(0x028, 0x800);
	for (n = 0; n < 2; n++) {
		start_queue(n, packed ? 1u + kind % 9 : kind & 2 ? 64 : 4);
	}
	write_register(0x070, kind & 16 && ref.legacy ? 3 : 15);
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

static void put_descriptor(struct bytes *in, uint64_t at, unsigned int n, uint8_t kind)
{
	reference_store(ram, at, 8, RAM_BASE + 0x1000 + take16(in) % 0xff0);
	reference_store(ram, at + 8, 4, kind & 2 ? take_length(in) : kind >> 4);
	reference_store(ram, at + 12, 4, 0);
	reference_store(ram, at + (ref.ring[n].is_packed ? 14 : 12), 2,
			(n ? 0 : 2u) ^ (kind & 4 ? take8(in) & 7u : 0));
}

/* A chain that is mostly right. */
static void offer(struct bytes *in)
{
	uint8_t kind = take8(in);
	const unsigned int n = kind & 1;
	const struct ref_ring *ring = &ref.ring[n];
	const uint64_t avail = ring->split.avail;
	uint32_t slot = take8(in) % 64;
	uint64_t index, at;

	if (!ring->ready) {
		return;
	}
	if (ring->is_packed) {
		at = packed_at(&ring->packed, ring->packed.next);
		put_descriptor(in, at, n, kind);
		reference_store(ram, at + 12, 2, take16(in));
		reference_store(
			ram, at + 14, 2,
			reference_load(ram, at + 14, 2) |
				(packed_wrap(&ring->packed, ring->packed.next) ? 0x80u : 0x8000u));
	} else {
		slot %= ring->num;
		index = reference_load(ram, avail + 2, 2);
		put_descriptor(in, ring->split.desc + 16 * slot, n, kind);
		reference_store(ram, ring->split.desc + 16 * slot + 14, 2, take8(in) % ring->num);
		reference_store(ram, avail + 4 + 2 * (index % ring->num), 2,
				kind & 8 ? take8(in) : slot);
		reference_store(ram, avail + 2, 2, index + 1);
	}
	memcpy(reference_ram, ram, RAM_SIZE);
}

/* As many chains of a byte as a split queue holds. */
static void offer_full(unsigned int n)
{
	const struct reference_queue *q = &ref.ring[n].split;
	uint64_t index, i;

	if (!ref.ring[n].ready || ref.ring[n].is_packed) {
		return;
	}
	index = reference_load(ram, q->avail + 2, 2);
	reference_store(ram, q->desc, 8, RAM_BASE + 0x1000);
	reference_store(ram, q->desc + 8, 4, 1);
	reference_store(ram, q->desc + 12, 4, n ? 0 : 2);
	for (i = 0; i < q->num; i++) {
		reference_store(ram, q->avail + 4 + 2 * i, 2, 0);
	}
	reference_store(ram, q->avail + 2, 2, index + q->num);
	memcpy(reference_ram, ram, RAM_SIZE);
}

static void start(bool legacy)
{
	memset(&console, 0, sizeof(console));
	memset(&ref, 0, sizeof(ref));
	memset(&port, 0, sizeof(port));
	ref.legacy = legacy;
	memset(ram, 0, RAM_SIZE);
	memset(reference_ram, 0, RAM_SIZE);
	mock_char_init(&mock);
	mock.room = 0;
	if (typed[0] == 0) {
		for (size_t i = 0; i < sizeof(typed); i++) {
			typed[i] = (uint8_t)(i * 7 + 1);
		}
	}
	mock.in = typed;
	virtio_console_init(
		&console, &mock.backend,
		&(struct virtio_place){.memory = &memory, .irq = {line_set, 50}, .legacy = legacy});
	virtio_mmio_show(&console.device, shown);
	console.device.shown = shown;
	ref_reset();
}

/* A few at a time, all in turn. */
static void check_shown(void)
{
	static uint32_t turn;

	for (uint32_t i = 0; i < 4; i++) {
		const uint32_t offset = turn++ * 4 % VIRTIO_MMIO_BYTES;

		AGREE(shown[offset / 4], ref_answer(offset, 4));
	}
}

/* What waits for requests in flight: Status, QueueReady, QueuePFN. */
static const uint16_t in_the_way[] = {0x070, 0x044, 0x040};

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct bytes in = {input, length};

	start(take8(&in) % 4 == 0);
	start_driver(&in);
	while (in.left > 0) {
		uint8_t what = take8(&in);

		if (what < 60) {
			access_any(&in);
		} else if (what < 70) {
			start_driver(&in);
		} else if (what < 90) {
			poke(&in);
		} else if (what < 155) {
			offer(&in);
		} else if (what < 160) {
			offer_full(what & 1);
		} else if (what < 165) {
			set_in_flight(what & 1);
			write_register(in_the_way[take8(&in) % 3], 0);
		} else if (what < 200) {
			write_register(0x050, what & 1);
		} else if (what < 225) {
			mock.room += 4 * (what % 32);
			port.room += 4 * (what % 32);
			virtio_console_events.writable(&console);
			ref_transmit();
		} else if (port.typed_from + port.typed_left < MOCK_CHAR_SIZE - 128) {
			mock.in_length += 4 * (what % 32);
			port.typed_left += 4 * (what % 32);
			virtio_console_events.readable(&console);
			ref_receive();
		}
		check_shown();
		AGREE(console.device.status, ref.status);
		AGREE(console.device.live, ref.live);
		AGREE(console.device.draining, ref.draining);
		AGREE(console.device.deferred, ref.deferred);
		AGREE(console.device.driver_features[0], (uint32_t)ref.features);
		AGREE(console.device.driver_features[1], ref.features >> 32);
		AGREE(console.device.interrupt_status, ref.interrupts);
		AGREE(console.device.fault != NULL, (ref.status & 0x40) != 0);
		AGREE(line, ref.interrupts != 0);
		AGREE(virtio_console_receives(&console), ref_running(0));
		AGREE(mock.out_length, port.out_length);
		AGREE(mock.in_length, port.typed_left);
		AGREE(memcmp(ram, reference_ram, RAM_SIZE), 0);
	}
	AGREE(memcmp(mock.out, port.out, port.out_length), 0);
	return 0;
}
