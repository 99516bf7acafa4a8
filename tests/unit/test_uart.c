/* SPDX-License-Identifier: BSD-2-Clause */
/* Drivers of a board's UARTs on models of their registers; an access that they don't have fails. */
#include <stdbool.h>
#include "suite.h"
#include "drivers/hw/access.h"
#include "drivers/hw/uart.h"

#define BASE     0x1300u
#define DEPTH_RX 16u
#define THRE     0x20u
#define READY    1u

/* What both have: two FIFOs and an interrupt that some access ends. */
static struct {
	unsigned int shift, size; /* of its registers */
	unsigned int tx, tx_depth;
	uint32_t sent;
	uint8_t rx[DEPTH_RX];
	unsigned int rx_count;
	uint32_t enabled, pending;
	uint32_t iir;
	bool fifo, gate;
	bool late; /* a byte comes when the driver asks which interrupt it is */
} uart;

static uint32_t pop(void)
{
	const uint8_t byte = uart.rx[0];

	if (uart.rx_count != 0) {
		uart.rx_count--;
		for (unsigned int i = 0; i < uart.rx_count; i++) {
			uart.rx[i] = uart.rx[i + 1];
		}
	}
	return byte;
}

static void push(uint8_t byte)
{
	assert_in_range(uart.tx, 0, uart.tx_depth - 1); /* the driver writes into a full FIFO */
	uart.tx++;
	uart.sent = uart.sent << 8 | byte;
}

static uint32_t read_8250(unsigned int number)
{
	uint32_t value;

	switch (number) {
	case 0:
		uart.iir = uart.iir == 0xc ? 1 : uart.iir;
		return pop();
	case 2:
		value = uart.late ? 0xc : uart.iir;
		uart.rx_count += uart.late;
		uart.late = false;
		return value | 0xc0;
	case 5:
		return (uart.tx == 0 ? THRE : 0) | (uart.rx_count != 0 ? READY : 0) | 0x40;
	case 31:
		uart.iir = uart.iir == 7 ? 1 : uart.iir;
		return 0;
	default:
		fail_msg("read of register %u", number);
		return 0;
	}
}

static void write_8250(unsigned int number, uint32_t value)
{
	switch (number) {
	case 0:
		push((uint8_t)value);
		break;
	case 1:
		uart.enabled = value;
		break;
	case 2:
		assert_int_equal(value & 0xc0, 0); /* the lowest level */
		uart.fifo = (value & 1) != 0;
		break;
	case 4:
		uart.gate = (value & 8) != 0;
		break;
	default:
		fail_msg("write of register %u", number);
	}
}

uint32_t mmio_read_size(uintptr_t at, unsigned int size)
{
	assert_int_equal(size, uart.size);
	assert_int_equal((at - BASE) % (1u << uart.shift), 0);
	return read_8250((unsigned int)(at - BASE) >> uart.shift);
}

void mmio_write_size(uintptr_t at, unsigned int size, uint32_t value)
{
	assert_int_equal(size, uart.size);
	assert_int_equal((at - BASE) % (1u << uart.shift), 0);
	write_8250((unsigned int)(at - BASE) >> uart.shift, value);
}

/* Exynos: levels are latched in UINTP, masked or not. */
static void latch(void)
{
	uart.pending |= (uart.rx_count != 0 ? 1u : 0) | (uart.tx == 0 ? 4u : 0);
}

uint32_t mmio_read(uintptr_t at)
{
	switch (at - BASE) {
	case 0x18:
		return uart.rx_count % 256 | uart.tx % 256 << 16 |
		       (uart.tx == uart.tx_depth ? 1u << 24 : 0);
	case 0x24:
		return pop();
	default:
		fail_msg("read at %#lx", (unsigned long)(at - BASE));
		return 0;
	}
}

void mmio_write(uintptr_t at, uint32_t value)
{
	switch (at - BASE) {
	case 0x04:
		assert_int_equal(value, 0x385);
		uart.gate = true;
		break;
	case 0x08:
		uart.fifo = value == 1;
		break;
	case 0x20:
		push((uint8_t)value);
		break;
	case 0x30:
		uart.pending &= ~value;
		latch();
		break;
	case 0x38:
		uart.enabled = ~value & 0xf;
		break;
	default:
		fail_msg("write at %#lx", (unsigned long)(at - BASE));
	}
}

static void start(const struct uart_driver *driver, unsigned int shift, bool words,
		  unsigned int tx_depth)
{
	const unsigned int size = words ? 4 : 1;

	uart = (typeof(uart)){
		.shift = shift, .size = size, .tx_depth = tx_depth, .enabled = 0xf, .iir = 1};
	driver->init(BASE, shift, words);
	assert_true(uart.fifo && uart.gate);
	assert_int_equal(uart.enabled, 0);
}

static void input_and_output(const struct uart_driver *driver)
{
	uart.tx = uart.tx_depth; /* what the firmware said last */
	assert_false(driver->put('x'));
	uart.tx = 0;
	for (unsigned int i = 0; i < uart.tx_depth; i++) {
		assert_true(driver->put((uint8_t)i));
	}
	assert_false(driver->put('x'));
	assert_int_equal(uart.tx, uart.tx_depth);
	assert_int_equal(uart.sent & 0xffff, (uart.tx_depth - 2) << 8 | (uart.tx_depth - 1));
	assert_int_equal(driver->get(), -1);
	uart.rx[0] = 0xff;
	uart.rx[1] = 0;
	uart.rx_count = 2;
	assert_int_equal(driver->get(), 0xff);
	assert_int_equal(driver->get(), 0);
	assert_int_equal(driver->get(), -1);
}

static void ns16550(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		start(&ns16550_driver, i % 3, i > 1, 16);
		input_and_output(&ns16550_driver);
		for (unsigned int on = 0; on < 4; on++) {
			ns16550_driver.interrupts(on % 2 != 0, on > 1);
			assert_int_equal(uart.enabled, on);
		}
	}
}

/* Interrupts that would come for ever. */
static void ns16550_interrupts_end(void **state)
{
	(void)state;
	start(&ns16550_driver, 2, true, 16);
	uart.iir = 0xc;
	assert_int_equal(ns16550_driver.get(), -1);
	assert_int_equal(uart.iir, 1);
	uart.iir = 7;
	assert_int_equal(ns16550_driver.get(), -1);
	assert_int_equal(uart.iir, 1);
	uart.iir = 0xc; /* of something */
	uart.rx_count = 1;
	assert_int_equal(ns16550_driver.get(), uart.rx[0]);
	assert_int_equal(uart.rx_count, 0);
	uart.late = true;
	uart.rx[0] = 'r';
	assert_int_equal(ns16550_driver.get(), 'r');
}

static void exynos(void **state)
{
	(void)state;
	start(&exynos_uart_driver, 0, true, 64);
	input_and_output(&exynos_uart_driver);
	assert_int_equal(uart.pending, 0); /* each level that fell was acknowledged */
	exynos_uart_driver.interrupts(true, false);
	assert_int_equal(uart.enabled, 1);
	exynos_uart_driver.interrupts(true, true);
	assert_int_equal(uart.enabled, 5);
	uart.tx = 0;
	uart.rx_count = 1;
	latch();
	assert_int_equal(uart.pending, 5);
	exynos_uart_driver.get();
	assert_int_equal(exynos_uart_driver.get(), -1);
	assert_int_equal(uart.pending, 4); /* that of the other direction is left alone */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ns16550),
		cmocka_unit_test(ns16550_interrupts_end),
		cmocka_unit_test(exynos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
