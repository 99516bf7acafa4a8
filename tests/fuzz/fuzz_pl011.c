/* SPDX-License-Identifier: BSD-2-Clause */
/* Any accesses to the PL011 with a backend of any speed, against a reference that counts
 * characters. */
#include <string.h>
#include "drivers/emul/pl011.h"
#include "tests/unit/mock_char.h"
#include "bytes.h"

static struct emul_pl011 uart;
static struct mock_char mock;
static bool line;
static uint8_t typed[MOCK_CHAR_SIZE];

/* The reference: queues of characters, and the few registers that matter to them. */
static struct {
	uint8_t fifo[32];
	unsigned int fifo_count;
	uint8_t sent[MOCK_CHAR_SIZE];
	size_t sent_count, room, waiting, read;
	uint32_t lcr_h, cr, ifls, imsc;
	bool tx_raised, loop;
} ref;

static void line_set(uint32_t intid, bool level)
{
	AGREE(intid, 40);
	line = level;
}

static unsigned int ref_level(uint32_t select)
{
	return select == 0 ? 2 : select == 1 ? 4 : select == 2 ? 8 : select == 3 ? 12 : 14;
}

static unsigned int ref_depth(void)
{
	return ref.lcr_h & 0x10 ? 16 : 1;
}

static void ref_tx_changed(void)
{
	unsigned int limit = ref.lcr_h & 0x10 ? ref_level(ref.ifls & 7) : 0;

	ref.tx_raised = ref.loop || ref.fifo_count <= limit;
}

static uint8_t ref_shift(void)
{
	uint8_t first = ref.fifo[0];

	memmove(ref.fifo, ref.fifo + 1, sizeof(ref.fifo) - 1);
	ref.fifo_count--;
	return first;
}

static void ref_drain(void)
{
	bool moved = false;

	while (ref.fifo_count > 0 && ref.room > 0 && !ref.loop) {
		ref.sent[ref.sent_count++] = ref_shift();
		ref.room--;
		moved = true;
	}
	if (moved) {
		ref_tx_changed();
	}
}

static size_t ref_received(void)
{
	return ref.loop ? ref.fifo_count : ref.waiting;
}

static uint32_t ref_flags(void)
{
	unsigned int sending = ref.loop ? 0 : ref.fifo_count;

	return (sending ? 0x08u : 0x80u) | (sending >= ref_depth() ? 0x20u : 0) |
	       (ref_received() >= ref_depth() ? 0x40u : 0) | (ref_received() == 0 ? 0x10u : 0);
}

static uint32_t ref_raw(void)
{
	unsigned int level = ref.lcr_h & 0x10 ? ref_level(ref.ifls >> 3 & 7) : 1;

	return (ref.tx_raised ? 0x20u : 0) | (ref_received() ? 0x40u : 0) |
	       (ref_received() >= level ? 0x10u : 0);
}

static void ref_write(uint32_t offset, uint32_t value)
{
	switch (offset) {
	case 0x00:
		if (ref.fifo_count < ref_depth()) {
			ref.fifo[ref.fifo_count++] = (uint8_t)value;
		} else if (ref.fifo_count == 0) {
			abort();
		}
		ref_drain();
		ref_tx_changed();
		break;
	case 0x2c:
		ref.lcr_h = value & 0xff;
		break;
	case 0x30:
		if ((value ^ ref.cr) & 0x80) {
			ref.fifo_count = 0;
		}
		ref.cr = value & 0xff87;
		ref.loop = value & 0x80;
		break;
	case 0x34:
		ref.ifls = value & 0x3f;
		break;
	case 0x38:
		ref.imsc = value & 0x7ff;
		break;
	case 0x44:
		ref.tx_raised = ref.tx_raised && !(value & 0x20);
		break;
	default:
		break;
	}
}

/* Returns false for a register that the reference does not know. */
static bool ref_read(uint32_t offset, uint32_t *value)
{
	static const uint8_t id[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

	switch (offset) {
	case 0x00:
		*value = 0;
		if (ref.loop && ref.fifo_count) {
			*value = ref_shift();
		} else if (!ref.loop && ref.waiting) {
			*value = typed[ref.read++];
			ref.waiting--;
		}
		return true;
	case 0x18:
		if (ref.fifo_count >= ref_depth() || ref_received()) {
			ref_drain();
		}
		*value = ref_flags();
		return true;
	case 0x2c:
		*value = ref.lcr_h;
		return true;
	case 0x30:
		*value = ref.cr;
		return true;
	case 0x34:
		*value = ref.ifls;
		return true;
	case 0x38:
		*value = ref.imsc;
		return true;
	case 0x3c:
		*value = ref_raw();
		return true;
	case 0x40:
		*value = ref_raw() & ref.imsc;
		return true;
	case 0x20:
	case 0x24:
	case 0x28:
	case 0x48:
		return false;
	default:
		*value = offset >= 0xfe0 && offset % 4 == 0 ? id[(offset - 0xfe0) / 4] : 0;
		return true;
	}
}

static void access_any(struct bytes *in)
{
	uint8_t kind = take8(in);
	const uint32_t size = 1u << kind % 3;
	uint32_t offset = kind & 0x40 ? take16(in) % 0x1000u : take8(in) % 20u * 4;
	uint32_t value, expected;

	offset -= offset % size;
	if (kind & 0x80) {
		value = size == 1 ? take8(in) : take16(in);
		ref_write(offset, value);
		pl011_ops.write(&uart, offset, size, value);
	} else {
		value = pl011_ops.read(&uart, offset, size);
		if (ref_read(offset, &expected)) {
			AGREE(value, expected);
		}
	}
}

static void start(void)
{
	mock_char_init(&mock);
	mock.room = 0;
	memset(&ref, 0, sizeof(ref));
	ref.cr = 0x300;
	ref.ifls = 0x12;
	if (typed[0] == 0) {
		for (size_t i = 0; i < sizeof(typed); i++) {
			typed[i] = (uint8_t)(i * 7 + 1);
		}
	}
	mock.in = typed;
	pl011_init(&uart, &mock.backend, (struct irq_line){line_set, 40});
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct bytes in = {input, length};

	start();
	while (in.left > 0) {
		uint8_t what = take8(&in);

		if (what < 180) {
			access_any(&in);
		} else if (what < 220) {
			mock.room += what % 8;
			ref.room += what % 8;
			ref_drain();
			pl011_events.writable(&uart);
		} else if (what < 250 && ref.read + ref.waiting < MOCK_CHAR_SIZE - 32) {
			mock.in_length += what % 32;
			ref.waiting += what % 32;
			pl011_events.readable(&uart);
		} else {
			pl011_reset(&uart);
			memset(ref.fifo, 0, sizeof(ref.fifo));
			ref.fifo_count = 0;
			ref.lcr_h = ref.imsc = 0;
			ref.cr = 0x300;
			ref.ifls = 0x12;
			ref.tx_raised = ref.loop = false;
		}
		AGREE(line, (ref_raw() & ref.imsc) != 0);
		AGREE(mock.out_length, ref.sent_count);
		AGREE(mock.in_length, ref.waiting);
	}
	AGREE(memcmp(mock.out, ref.sent, ref.sent_count), 0);
	return 0;
}
