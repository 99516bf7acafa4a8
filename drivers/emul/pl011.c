/* SPDX-License-Identifier: BSD-2-Clause */
/* The PL011 (ARM DDI 0183G, chapter 3): registers, a transmit FIFO before the backend, interrupts.
 */
#include "pl011.h"

/* Indices of registers. */
enum {
	DR = 0x00 / 4,
	FR = 0x18 / 4,
	ILPR = 0x20 / 4,
	IBRD = 0x24 / 4,
	FBRD = 0x28 / 4,
	LCR_H = 0x2c / 4,
	CR = 0x30 / 4,
	IFLS = 0x34 / 4,
	IMSC = 0x38 / 4,
	RIS = 0x3c / 4,
	MIS = 0x40 / 4,
	ICR = 0x44 / 4,
	DMACR = 0x48 / 4,
	ID = 0xfe0 / 4, /* the first of 8 */
};

#define FR_BUSY 0x008u
#define FR_RXFE 0x010u
#define FR_TXFF 0x020u
#define FR_RXFF 0x040u
#define FR_TXFE 0x080u

#define LCR_H_FEN 0x010u

#define CR_UARTEN 0x001u
#define CR_LBE    0x080u
#define CR_TXE    0x100u
#define CR_RXE    0x200u

#define INTERRUPT_RX 0x010u
#define INTERRUPT_TX 0x020u
#define INTERRUPT_RT 0x040u

#define IFLS_RESET 0x12u /* half full, both ways */

/* A register. A write stores the writable bits first; NULL: nothing more than that. */
struct row {
	uint32_t (*read)(struct emul_pl011 *uart, uint32_t index);
	void (*write)(struct emul_pl011 *uart, uint32_t value);
};

/* PeriphID 0x00141011 (Linux: Arm's, 16 deep) and PCellID, by index - ID. */
static const uint8_t ids[] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static uint32_t fifo_depth(const struct emul_pl011 *uart)
{
	return uart->reg[LCR_H] & LCR_H_FEN ? PL011_FIFO_SIZE : 1;
}

/* Characters at a trigger level of IFLS (DDI 0183G 3.3.9); reserved ones are the highest. */
static uint32_t trigger(uint32_t level)
{
	static const uint8_t characters[8] = {2, 4, 8, 12, 14, 14, 14, 14};

	return characters[level & 7];
}

/* Characters that the guest could read now. */
static size_t received(const struct emul_pl011 *uart)
{
	return uart->looping ? uart->held_count : uart->backend->ops->read_ready(uart->backend);
}

/* Computes FR, RIS and the line from what is held, what waits to be received, and RIS.TXRIS. */
static void settle(struct emul_pl011 *uart)
{
	bool fifo = uart->reg[LCR_H] & LCR_H_FEN;
	uint32_t sending = uart->looping ? 0 : uart->held_count;
	size_t waiting = received(uart);
	size_t rx_trigger = fifo ? trigger(uart->reg[IFLS] >> 3) : 1;
	uint32_t flags = sending ? FR_BUSY : FR_TXFE;
	uint32_t raw = uart->reg[RIS] & INTERRUPT_TX;
	bool level;

	flags |= sending >= fifo_depth(uart) ? FR_TXFF : 0;
	flags |= waiting >= fifo_depth(uart) ? FR_RXFF : 0;
	flags |= waiting == 0 ? FR_RXFE : 0;
	/* Hardware waits 32 bit times first, and ICR clears both: so nothing can get stuck. */
	raw |= waiting > 0 ? INTERRUPT_RT : 0;
	raw |= waiting >= rx_trigger ? INTERRUPT_RX : 0;
	uart->reg[FR] = flags;
	uart->reg[RIS] = raw;
	level = (raw & uart->reg[IMSC]) != 0;
	if (level != uart->level) {
		uart->level = level;
		irq_line_set(&uart->irq, level);
	}
}

/* TXRIS after characters came or went: at or below the trigger level (DDI 0183G 2.8.3). */
static void transmit_interrupt(struct emul_pl011 *uart)
{
	uint32_t limit = uart->reg[LCR_H] & LCR_H_FEN ? trigger(uart->reg[IFLS]) : 0;

	uart->reg[RIS] &= ~INTERRUPT_TX;
	if (uart->looping || uart->held_count <= limit) {
		uart->reg[RIS] |= INTERRUPT_TX;
	}
}

/* Gives the backend what is held, as far as it has room. */
static void drain(struct emul_pl011 *uart)
{
	struct char_backend *backend = uart->backend;
	uint8_t before = uart->held_count;

	while (uart->held_count != 0 && !uart->looping) {
		size_t to_end = (size_t)PL011_FIFO_SIZE - uart->held_first;
		size_t length = uart->held_count < to_end ? uart->held_count : to_end;
		size_t taken = backend->ops->write(backend, &uart->held[uart->held_first], length);

		if (taken == 0) {
			break;
		}
		uart->held_first = (uint8_t)((uart->held_first + taken) % PL011_FIFO_SIZE);
		uart->held_count = (uint8_t)(uart->held_count - taken);
	}
	if (uart->held_count != before) {
		transmit_interrupt(uart);
	}
}

static void data_write(struct emul_pl011 *uart, uint32_t value)
{
	struct char_backend *backend = uart->backend;
	uint8_t byte = (uint8_t)value;

	if (uart->held_count == 0 && !uart->looping &&
	    backend->ops->write(backend, &byte, 1) == 1) {
		/* The usual case; nothing else has changed if the interrupt was already there. */
		if (uart->reg[RIS] & INTERRUPT_TX) {
			return;
		}
	} else if (uart->held_count < fifo_depth(uart)) {
		uart->held[(uart->held_first + uart->held_count) % PL011_FIFO_SIZE] = byte;
		uart->held_count++;
		drain(uart);
	}
	/* Else the FIFO is full: the character is lost, as on hardware. */
	transmit_interrupt(uart);
	settle(uart);
}

static uint32_t data_read(struct emul_pl011 *uart, uint32_t index)
{
	uint8_t byte = 0;

	(void)index;
	if (!uart->looping) {
		uart->backend->ops->read(uart->backend, &byte, 1);
	} else if (uart->held_count != 0) {
		byte = uart->held[uart->held_first];
		uart->held_first = (uint8_t)((uart->held_first + 1) % PL011_FIFO_SIZE);
		uart->held_count--;
	}
	settle(uart);
	return byte;
}

static uint32_t flags_read(struct emul_pl011 *uart, uint32_t index)
{
	uint32_t flags = uart->reg[FR];

	(void)index;
	/* Only a full FIFO, or characters that another reader may have taken, are worth a look. */
	if ((flags & (FR_RXFE | FR_TXFF)) == FR_RXFE) {
		return flags;
	}
	drain(uart);
	settle(uart);
	return uart->reg[FR];
}

/* What was stored, or was always zero. */
static uint32_t plain_read(struct emul_pl011 *uart, uint32_t index)
{
	return uart->reg[index];
}

static uint32_t raw_status_read(struct emul_pl011 *uart, uint32_t index)
{
	settle(uart);
	return uart->reg[index];
}

static uint32_t masked_status_read(struct emul_pl011 *uart, uint32_t index)
{
	(void)index;
	settle(uart);
	return uart->reg[RIS] & uart->reg[IMSC];
}

static void clear_write(struct emul_pl011 *uart, uint32_t value)
{
	uart->reg[RIS] &= ~value;
	settle(uart);
}

/* LCR_H, CR, IFLS or IMSC were stored. */
static void setting_write(struct emul_pl011 *uart, uint32_t value)
{
	bool looping = uart->reg[CR] & CR_LBE;

	(void)value;
	if (looping != uart->looping) {
		uart->looping = looping;
		uart->held_count = 0;
	}
	settle(uart);
}

/* DDI 0183G 3.2. RSR/ECR, at 0x04, reads as zero: there are no errors. */
/* clang-format off */
static const struct row rows[PL011_REGISTERS] = {
	[DR] = {data_read, data_write},
	[DR + 1 ... FR - 1] = {plain_read, NULL},
	[FR] = {flags_read, NULL},
	[FR + 1 ... LCR_H - 1] = {plain_read, NULL},
	[LCR_H] = {plain_read, setting_write},
	[CR] = {plain_read, setting_write},
	[IFLS] = {plain_read, setting_write},
	[IMSC] = {plain_read, setting_write},
	[RIS] = {raw_status_read, NULL},
	[MIS] = {masked_status_read, NULL},
	[ICR] = {plain_read, clear_write},
	[DMACR] = {plain_read, NULL},
};
/* clang-format on */

/* The bits that a write stores. */
static const uint16_t writable[PL011_REGISTERS] = {
	[ILPR] = 0xff, [IBRD] = 0xffff, [FBRD] = 0x3f,  [LCR_H] = 0xff,
	[CR] = 0xff87, [IFLS] = 0x3f,   [IMSC] = 0x7ff, [DMACR] = 0x7,
};

/* One rotation instead of two checks: what is not a multiple of 4 lands beyond all registers. */
static uint32_t register_index(uint32_t offset)
{
	return offset >> 2 | offset << 30;
}

static uint32_t pl011_read(void *device, uint32_t offset, uint32_t size)
{
	struct emul_pl011 *uart = device;
	uint32_t index = register_index(offset);

	(void)size;
	if (index < PL011_REGISTERS) {
		return rows[index].read(uart, index);
	}
	return index - ID < sizeof(ids) ? ids[index - ID] : 0;
}

static void pl011_write(void *device, uint32_t offset, uint32_t size, uint32_t value)
{
	struct emul_pl011 *uart = device;
	uint32_t index = register_index(offset);

	(void)size;
	if (index >= PL011_REGISTERS) {
		return;
	}
	if (writable[index]) {
		uart->reg[index] = value & writable[index];
	}
	if (rows[index].write) {
		rows[index].write(uart, value);
	}
}

const struct mmio_ops pl011_ops = {.read = pl011_read, .write = pl011_write};

void pl011_reset(struct emul_pl011 *uart)
{
	unsigned int i;

	for (i = 0; i < PL011_REGISTERS; i++) {
		uart->reg[i] = 0;
	}
	uart->reg[CR] = CR_TXE | CR_RXE;
	uart->reg[IFLS] = IFLS_RESET;
	uart->held_first = 0;
	uart->held_count = 0;
	uart->looping = false;
	uart->level = false;
	irq_line_set(&uart->irq, false);
	settle(uart);
}

void pl011_init(struct emul_pl011 *uart, struct char_backend *backend, struct irq_line irq)
{
	uart->backend = backend;
	uart->irq = irq;
	pl011_reset(uart);
}

bool pl011_receives(const struct emul_pl011 *uart)
{
	const uint32_t both = CR_UARTEN | CR_RXE;

	return (uart->reg[CR] & both) == both;
}

static void pl011_readable(void *uart)
{
	settle(uart);
}

static void pl011_writable(void *uart)
{
	drain(uart);
	settle(uart);
}

const struct char_events pl011_events = {
	.readable = pl011_readable,
	.writable = pl011_writable,
};
