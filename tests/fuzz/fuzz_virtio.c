/* SPDX-License-Identifier: BSD-2-Clause */
/* Transport, queues and console together, with any accesses and any memory, against a reference of
 * the whole. */
#include "drivers/virtio/console.h"
#include "tests/unit/mock_char.h"
#include "bytes.h"
#include "reference_queue.h"

#define QUEUE_SIZE 64u

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static uint8_t reference_ram[RAM_SIZE];
static const struct guest_memory memory = {RAM_BASE, RAM_SIZE, ram};
static struct virtio_console console;
static struct mock_char mock;
static bool line;
static uint8_t typed[MOCK_CHAR_SIZE];

/* The reference. Status bits by their values in virtio 1.2 2.1. */
static struct {
	uint32_t status, interrupts, device_sel, driver_sel, queue_sel;
	uint64_t features;
	bool ready[2], deferred;
	struct reference_queue queue[2];
	bool sending;
	struct reference_chain chain;
	uint64_t sent_of_chain;
	uint8_t out[MOCK_CHAR_SIZE];
	size_t out_length, room, typed_from, typed_left;
} ref;

static void line_set(uint32_t intid, bool level)
{
	AGREE(intid, 50);
	line = level;
}

static void ref_break(void)
{
	ref.status |= 0x40;
	ref.interrupts |= ref.status & 4 ? 2 : 0;
	ref.queue[0].broken = ref.queue[1].broken = true;
}

static void ref_reset(void)
{
	ref.status = ref.interrupts = ref.device_sel = ref.driver_sel = ref.queue_sel = 0;
	ref.features = 0;
	ref.ready[0] = ref.ready[1] = false;
	memset(ref.queue, 0, sizeof(ref.queue));
	ref.queue[0].ram = ref.queue[1].ram = reference_ram;
	ref.sending = ref.deferred = false;
}

static bool ref_running(unsigned int n)
{
	return ref.ready[n] && (ref.status & 0x44) == 4;
}

static bool ref_take(unsigned int n, bool writable)
{
	unsigned int i;

	if (!ref_running(n)) {
		return false;
	}
	if (!reference_pop(&ref.queue[n], &ref.chain)) {
		if (ref.queue[n].broken) {
			ref_break();
		}
		return false;
	}
	for (i = 0; i < ref.chain.count; i++) {
		if (ref.chain.piece[i].write != writable) {
			ref_break();
			return false;
		}
	}
	return true;
}

static void ref_signal(unsigned int n)
{
	if (ref_running(n) && reference_should_notify(&ref.queue[n])) {
		ref.interrupts |= 1;
	}
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
static uint32_t ref_byte(const struct reference_chain *chain, uint64_t position)
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
	static struct reference_chain current;
	unsigned int done;
	uint32_t at = 1;

	for (done = 0; done < QUEUE_SIZE && ref_running(1); done++) {
		if (!ref.sending) {
			if (!ref_take(1, false)) {
				break;
			}
			current = ref.chain;
			ref.sending = true;
			ref.sent_of_chain = 0;
		}
		while ((at = ref_byte(&current, ref.sent_of_chain)) != 0 && ref.room > 0 &&
		       ref.out_length < MOCK_CHAR_SIZE) {
			ref.out[ref.out_length++] = (uint8_t)reference_load(reference_ram, at, 1);
			ref.room--;
			ref.sent_of_chain++;
		}
		if (at != 0) {
			break;
		}
		ref.sending = false;
		reference_push(&ref.queue[1], current.head, 0);
	}
	ref_call_end(1, done);
}

static void ref_receive(void)
{
	unsigned int done;

	for (done = 0; done < QUEUE_SIZE && ref.typed_left > 0; done++) {
		uint32_t at, written = 0;

		if (!ref_take(0, true)) {
			break;
		}
		while (ref.typed_left > 0 && (at = ref_byte(&ref.chain, written)) != 0) {
			reference_store(reference_ram, at, 1, typed[ref.typed_from++]);
			ref.typed_left--;
			written++;
		}
		reference_push(&ref.queue[0], ref.chain.head, written);
	}
	ref_call_end(0, done);
}

static void ref_notify(uint32_t n)
{
	if (n == 0 && ref_running(0)) {
		ref_receive();
	} else if (n == 1 && ref_running(1)) {
		ref_transmit();
	}
}

static void ref_status_write(uint32_t value)
{
	const uint64_t offered = 1ull << 28 | 1ull << 29 | 1ull << 32;
	uint32_t before = ref.status;

	if (value == 0) {
		ref_reset();
		return;
	}
	ref.status |= value & 0x83;
	if (value & 8 && !(ref.features & ~offered) && ref.features & 1ull << 32) {
		ref.status |= 8;
	}
	if (value & 4 && ref.status & 8) {
		ref.status |= 4;
	}
	ref.queue[0].indirect = ref.queue[1].indirect = ref.features & 1ull << 28;
	ref.queue[0].event_index = ref.queue[1].event_index = ref.features & 1ull << 29;
	if (ref.status & ~before & 4) {
		ref_notify(0);
		ref_notify(1);
	}
}

static void ref_ready_write(uint32_t value, bool setup)
{
	struct reference_queue *q = &ref.queue[ref.queue_sel & 1];

	if (ref.queue_sel > 1) {
		return;
	}
	if (value == 0) {
		ref.ready[ref.queue_sel] = false;
	} else if (setup) {
		if (!reference_rings_good(q)) {
			ref_break();
			return;
		}
		q->last = q->used_index = q->asked = 0;
		ref.ready[ref.queue_sel] = true;
	}
}

static void set_half(uint64_t *whole, bool high, uint32_t value)
{
	*whole = high ? (*whole & UINT32_MAX) | (uint64_t)value << 32
		      : (*whole & ~(uint64_t)UINT32_MAX) | value;
}

static void ref_write(uint32_t offset, uint32_t value)
{
	struct reference_queue *q = &ref.queue[ref.queue_sel & 1];
	bool setup = ref.queue_sel < 2 && !ref.ready[ref.queue_sel & 1] && (ref.status & 0x4c) == 8;

	switch (offset) {
	case 0x014:
		ref.device_sel = value;
		break;
	case 0x020:
		if (ref.driver_sel < 2 && !(ref.status & 8)) {
			set_half(&ref.features, ref.driver_sel, value);
		}
		break;
	case 0x024:
		ref.driver_sel = value;
		break;
	case 0x030:
		ref.queue_sel = value;
		break;
	case 0x038:
		if (setup) {
			q->num = value <= 64 && __builtin_popcount(value) == 1 ? value : 0;
		}
		break;
	case 0x044:
		ref_ready_write(value, setup);
		break;
	case 0x050:
		ref_notify(value);
		break;
	case 0x064:
		ref.interrupts &= ~value;
		if (ref.deferred) {
			ref.deferred = false;
			ref_notify(0);
			ref_notify(1);
		}
		break;
	case 0x070:
		ref_status_write(value);
		break;
	case 0x080:
	case 0x084:
	case 0x090:
	case 0x094:
	case 0x0a0:
	case 0x0a4:
		if (setup) {
			set_half(offset < 0x90   ? &q->desc
				 : offset < 0xa0 ? &q->avail
						 : &q->used,
				 offset & 4, value);
		}
		break;
	default:
		break;
	}
}

static uint32_t ref_read(uint32_t offset)
{
	switch (offset) {
	case 0x000:
		return 0x74726976;
	case 0x004:
		return 2;
	case 0x008:
		return 3;
	case 0x00c:
		return 0x79766962;
	case 0x010:
		return ref.device_sel == 0 ? 3u << 28 : ref.device_sel == 1 ? 5 : 0;
	case 0x034:
		return ref.queue_sel < 2 ? 64 : 0;
	case 0x044:
		return ref.queue_sel < 2 && ref.ready[ref.queue_sel];
	case 0x060:
		return ref.interrupts;
	case 0x070:
		return ref.status;
	case 0x0b0:
	case 0x0b4:
	case 0x0b8:
	case 0x0bc:
		return UINT32_MAX;
	default:
		return 0;
	}
}

static void access_one(uint32_t offset, uint8_t size, bool is_write, uint32_t value)
{
	if (!is_write) {
		AGREE(virtio_mmio_ops.read(&console.device, offset, size),
		      size == 4 ? ref_read(offset) : 0);
		return;
	}
	virtio_mmio_ops.write(&console.device, offset, size, value);
	if (size == 4) {
		ref_write(offset, value);
	}
}

static void write_register(uint32_t offset, uint32_t value)
{
	access_one(offset, 4, true, value);
}

static void access_any(struct bytes *in)
{
	static const uint16_t interesting[] = {0x020, 0x030, 0x038, 0x044, 0x050, 0x064,
					       0x070, 0x070, 0x080, 0x090, 0x0a0, 0x084,
					       0x010, 0x014, 0x024, 0x060};
	uint8_t kind = take8(in);
	uint8_t size = kind & 0x20 && kind & 0x10 ? (uint8_t)(1u << take8(in) % 3) : 4;
	uint32_t offset = kind & 0x40 ? take16(in) % 0x200u : interesting[kind & 15];
	uint32_t value = take_length(in);

	access_one(offset - offset % size, size, kind & 0x80, value);
}

/* What a good driver does, so that the rest is reached. */
static void start_driver(struct bytes *in)
{
	uint8_t kind = take8(in);
	unsigned int n, i;

	write_register(0x070, 0);
	write_register(0x070, 3);
	write_register(0x024, 1);
	write_register(0x020, 1);
	write_register(0x024, 0);
	write_register(0x020, (kind & 1u) << 28 | (kind >> 2 & 1u) << 29);
	write_register(0x070, 11);
	for (n = 0; n < 2; n++) {
		uint32_t ring[3] = {RAM_BASE + 0x800 * n, RAM_BASE + 0x800 * n + 0x400,
				    RAM_BASE + 0x800 * n + 0x500};

		write_register(0x030, n);
		write_register(0x038, kind & 2 ? 64 : 4);
		for (i = 0; i < 3; i++) {
			write_register(0x080 + 0x10 * i, ring[i]);
		}
		write_register(0x044, 1);
		reference_store(ram, ring[1], 4, 0);
	}
	memcpy(reference_ram, ram, RAM_SIZE);
	write_register(0x070, 15);
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

/* A chain that is mostly right, in the queue that start_driver() made. */
static void offer(struct bytes *in)
{
	uint8_t kind = take8(in);
	uint32_t n = kind & 1, base = RAM_BASE + 0x800 * n,
		 num = ref.queue[n].num ? ref.queue[n].num : 4;
	uint32_t head = take8(in) % num, at = base + 16 * head;
	uint64_t index = reference_load(ram, base + 0x402, 2);

	reference_store(ram, at, 8, RAM_BASE + 0x1000 + take16(in) % 0xff0);
	reference_store(ram, at + 8, 4, kind & 2 ? take_length(in) : kind >> 4);
	reference_store(ram, at + 12, 2, (n ? 0 : 2u) ^ (kind & 4 ? take8(in) & 7u : 0));
	reference_store(ram, at + 14, 2, take8(in) % num);
	reference_store(ram, base + 0x404 + 2 * (index % num), 2, kind & 8 ? take8(in) : head);
	reference_store(ram, base + 0x402, 2, index + 1);
	memcpy(reference_ram, ram, RAM_SIZE);
}

static void start(void)
{
	memset(&console, 0, sizeof(console));
	memset(&ref, 0, sizeof(ref));
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
	virtio_console_init(&console, &mock.backend,
			    &(struct virtio_place){.memory = &memory, .irq = {line_set, 50}});
	ref_reset();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct bytes in = {input, length};

	start();
	start_driver(&in);
	while (in.left > 0) {
		uint8_t what = take8(&in);

		if (what < 60) {
			access_any(&in);
		} else if (what < 70) {
			start_driver(&in);
		} else if (what < 90) {
			poke(&in);
		} else if (what < 160) {
			offer(&in);
		} else if (what < 200) {
			write_register(0x050, what & 1);
		} else if (what < 225) {
			mock.room += what % 32;
			ref.room += what % 32;
			virtio_console_events.writable(&console);
			ref_transmit();
		} else if (ref.typed_from + ref.typed_left < MOCK_CHAR_SIZE - 32) {
			mock.in_length += what % 32;
			ref.typed_left += what % 32;
			virtio_console_events.readable(&console);
			ref_receive();
		}
		AGREE(console.device.status, ref.status);
		AGREE(console.device.interrupt_status, ref.interrupts);
		AGREE(console.device.fault != NULL, (ref.status & 0x40) != 0);
		AGREE(line, ref.interrupts != 0);
		AGREE(virtio_console_receives(&console), ref_running(0));
		AGREE(mock.out_length, ref.out_length);
		AGREE(mock.in_length, ref.typed_left);
		AGREE(memcmp(ram, reference_ram, RAM_SIZE), 0);
	}
	AGREE(memcmp(mock.out, ref.out, ref.out_length), 0);
	return 0;
}
