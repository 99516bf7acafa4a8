/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hyp/console.c on a UART that the test controls, with devices behind its ports that only take
 * notes. The locks see what one thread, which plays all cores, must never do: take one that is
 * held, take a device's lock with the console's held, or ask a UART again that has just refused.
 */
#ifndef TESTS_MOCK_CONSOLE_H
#define TESTS_MOCK_CONSOLE_H

#include "suite.h"
#include <stdbool.h>
#include <string.h>

#define DRIVERS_LOCK_H
struct spinlock {
	bool held;
};

static inline void spin_lock(struct spinlock *lock);
static inline void spin_unlock(struct spinlock *lock);

#include "hyp/console.c"
#include "hyp/winsize.c"

#define UART_INTID 33u
#define PORTS      3u /* of set_up() */
#define OUT_MAX    200000u
#define PORT_ROOM  (TX_SIZE - OWN_SHARE) /* of an empty ring, to a port */

static struct {
	size_t room;  /* bytes that it takes before it refuses */
	size_t give;  /* room that a refusal makes: of a UART that someone waits for */
	bool refused; /* since the console's lock was taken */
	uint8_t out[OUT_MAX];
	size_t out_length;
	uint8_t in[OUT_MAX];
	size_t in_length, in_read;
	bool receive_on, transmit_on;
	unsigned int inits, spis;
} uart;

static struct device {
	struct console_port *port;
	struct spinlock lock;
	bool receives;
	unsigned int readable, writable; /* calls */
	void (*on_writable)(struct device *device);
} device[PORTS];

static void (*on_console_unlock)(void); /* what other cores do then, once */

static inline void spin_lock(struct spinlock *lock)
{
	assert_false(lock->held);
	assert_false(console.lock.held); /* the last one in the order */
	lock->held = true;
	uart.refused = false;
}

static inline void spin_unlock(struct spinlock *lock)
{
	void (*others)(void) = on_console_unlock;

	assert_true(lock->held);
	lock->held = false;
	if (lock == &console.lock && others != NULL) {
		on_console_unlock = NULL;
		others();
	}
}

static inline void uart_init(uintptr_t base, unsigned int shift, bool words)
{
	assert_int_equal(base, UART_VA + 0x40);
	assert_int_equal(shift, 2);
	assert_true(words);
	uart.inits++;
}

static inline bool uart_put(uint8_t byte)
{
	if (uart.room == 0) {
		if (console.interrupts && uart.give == 0) {
			assert_false(uart.refused); /* it is waited for */
		}
		uart.refused = true;
		uart.room = uart.give;
		return false;
	}
	assert_in_range(uart.out_length, 0, OUT_MAX - 1);
	uart.room--;
	uart.out[uart.out_length++] = byte;
	return true;
}

static inline int uart_get(void)
{
	assert_true(console.lock.held);
	return uart.in_read < uart.in_length ? uart.in[uart.in_read++] : -1;
}

static inline void uart_interrupts(bool receive, bool transmit)
{
	assert_true(console.lock.held);
	uart.receive_on = receive;
	uart.transmit_on = transmit;
}

const struct uart_driver pl011_driver = {
	.init = uart_init,
	.put = uart_put,
	.get = uart_get,
	.interrupts = uart_interrupts,
};

void stage1_map_device(uint32_t va, uint64_t pa, uint32_t size)
{
	assert_int_equal(va, UART_VA);
	assert_int_equal(pa, 0x109000040);
	assert_int_equal(size, PAGE_SIZE);
}

bool irq_attach(uint32_t intid, bool (*handler)(void *argument), void *argument)
{
	assert_int_equal(intid, UART_INTID);
	assert_ptr_equal(handler, console_irq);
	assert_null(argument);
	uart.spis++;
	return true;
}

static inline bool device_receives(const void *of)
{
	return ((const struct device *)of)->receives;
}

static inline void device_readable(void *of)
{
	struct device *told = of;

	assert_true(told->lock.held);
	told->readable++;
}

static inline void device_writable(void *of)
{
	struct device *told = of;

	assert_true(told->lock.held);
	told->writable++;
	if (told->on_writable != NULL) {
		told->on_writable(told);
	}
}

const struct uart_driver ns16550_driver, exynos_uart_driver;

/* What a device asks of its port, with its lock held. */
static inline size_t write_port(struct device *from, const void *bytes, size_t length)
{
	struct char_backend *backend = &from->port->backend;
	const bool held = from->lock.held;
	size_t taken;

	from->lock.held = true;
	taken = backend->ops->write(backend, bytes, length);
	from->lock.held = held;
	assert_in_range(taken, 0, length);
	return taken;
}

static inline size_t read_port(struct device *to, void *bytes, size_t length)
{
	const struct char_ops *ops = to->port->backend.ops;
	size_t ready = ops->read_ready(&to->port->backend), got;

	to->lock.held = true;
	got = ops->read(&to->port->backend, bytes, length);
	to->lock.held = false;
	assert_int_equal(got, length < ready ? length : ready);
	return got;
}

static inline bool uart_line(void)
{
	return (uart.receive_on && uart.in_read < uart.in_length) ||
	       (uart.transmit_on && uart.room > 0);
}

/* The interrupt, as long as the line is up: it must fall, for the boot core to go on. */
static inline void take_interrupts(void)
{
	for (unsigned int i = 0; uart_line(); i++) {
		assert_in_range(i, 0, 1000);
		console_irq(NULL);
	}
}

/* The UART sends: room for @bytes comes back. */
static inline void uart_sends(size_t bytes)
{
	uart.room = bytes;
	take_interrupts();
}

static inline void uart_receives(const void *bytes, size_t length)
{
	assert_in_range(length, 0, OUT_MAX - uart.in_length);
	memcpy(uart.in + uart.in_length, bytes, length);
	uart.in_length += length;
	take_interrupts();
}

static inline void type(const char *text)
{
	uart_receives(text, strlen(text));
}

static inline void assert_out(const char *text)
{
	assert_int_equal(uart.out_length, strlen(text));
	assert_memory_equal(uart.out, text, strlen(text));
	uart.out_length = 0;
}

static inline void assert_read(struct device *from, const char *text)
{
	char bytes[256];
	size_t got = read_port(from, bytes, sizeof(bytes));

	assert_int_equal(got, strlen(text));
	assert_memory_equal(bytes, text, got);
}

static inline struct console_port *add_port(unsigned int i)
{
	static const struct char_events events = {device_readable, device_writable, NULL};
	static const char *const names[PORTS] = {"first", "second", "third"};

	device[i].port =
		console_add_port(names[i], &events, &device[i], &device[i].lock, device_receives);
	return device[i].port;
}

static inline void start(enum uart_kind kind, uint32_t intid)
{
	const struct board board = {.uart_kind = kind,
				    .uart_base = 0x109000040,
				    .uart_intid = intid,
				    .uart_shift = 2,
				    .uart_words = true};

	memset(&console, 0, sizeof(console));
	memset(&uart, 0, sizeof(uart));
	memset(device, 0, sizeof(device));
	on_console_unlock = NULL;
	console_init(&board);
}

/* Interrupts on, three ports, a UART that is stuck. */
static inline int set_up(void **state)
{
	(void)state;
	start(UART_PL011, UART_INTID);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_non_null(add_port(i));
	}
	console_start_interrupts();
	return 0;
}

/* Nothing is left that anyone waits for in vain: the UART works, and all goes out. */
static inline void all_goes_out(void)
{
	uart_sends(OUT_MAX);
	assert_int_equal(tx_used(), 0);
	assert_false(uart.transmit_on);
	for (unsigned int i = 0; i < PORTS; i++) {
		assert_false(device[i].port->wants_room);
	}
}

static inline uint32_t next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

#endif
