/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The physical console. Output of all ports and of bivy goes out in the order in which it came;
 * input goes to one port: the first whose guest driver listens, until the user chooses by Ctrl-]
 * and its number.
 *
 * Lock: console.lock guards everything here but the function pointers. Order: a device's lock, then
 * this, then vgic.lock; so events are told to devices with this lock released. No loop waits for
 * the UART but in console_write_last(), console_drain() and before interrupts are on: a full ring
 * refuses ports, and drops text of bivy's own once that has used up its share, too.
 */
#include "console.h"
#include <string.h>
#include "irq.h"
#include "layout.h"
#include "print.h"
#include "stage1.h"
#include "winsize.h"
#include "../drivers/hw/uart.h"

#define TX_SIZE   8192 /* bytes, a power of two */
#define OWN_SHARE 1024 /* of them, kept free of what ports write */
#define EMPTY_MAX 10000
#define ESCAPE    0x1d /* Ctrl-] */
#define CHUNK     256  /* bytes copied with the lock held */

static const struct uart_driver *const uart_drivers[UART_KINDS] = {
	[UART_PL011] = &pl011_driver,
	[UART_NS16550] = &ns16550_driver,
	[UART_EXYNOS] = &exynos_uart_driver,
};

static struct {
	struct spinlock lock;
	const struct uart_driver *uart;
	uint32_t intid;
	uint8_t tx[TX_SIZE];
	uint32_t tx_head, tx_tail; /* free-running */
	bool interrupts, receive_on, transmit_on;
	bool refused; /* a port is to be told of room: until then the transmit interrupt stays on */
	bool escaped; /* the last byte was the escape */
	unsigned int empty; /* interrupts in a row that brought nothing */
	struct winsize winsize;
	struct console_port *chosen;
	struct console_port port[CONSOLE_PORTS_MAX];
	unsigned int port_count;
} console;

static void set_interrupts(bool receive, bool transmit)
{
	if (console.interrupts &&
	    (receive != console.receive_on || transmit != console.transmit_on)) {
		console.receive_on = receive;
		console.transmit_on = transmit;
		console.uart->interrupts(receive, transmit);
	}
}

static size_t tx_used(void)
{
	return console.tx_head - console.tx_tail;
}

/* The transmit interrupt asks for what waits, and tells of room. */
static void ask_for_rest(void)
{
	set_interrupts(console.receive_on, tx_used() != 0 || console.refused);
}

/* Moves what the UART takes at once. */
static void move(void)
{
	while (tx_used() != 0 && console.uart->put(console.tx[console.tx_tail % TX_SIZE])) {
		console.tx_tail++;
	}
}

static void pump(void)
{
	move();
	ask_for_rest();
}

/* Bytes that a port may write. */
static size_t tx_room(void)
{
	return tx_used() < TX_SIZE - OWN_SHARE ? TX_SIZE - OWN_SHARE - tx_used() : 0;
}

/* @length: no more than there is room. */
static void enqueue(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		console.tx[console.tx_head++ % TX_SIZE] = bytes[i];
	}
}

static void enqueue_own(const char *text, size_t length)
{
	if (length <= TX_SIZE - tx_used()) {
		enqueue((const uint8_t *)text, length);
	}
}

/* The backend of a port */

static struct console_port *port_of(struct char_backend *backend)
{
	return (struct console_port *)backend;
}

/* A port asked for more than there was: it is told when there is room again. */
static void refuse(struct console_port *port)
{
	port->wants_room = true;
	console.refused = true;
}

/* Returns how many bytes went to the UART, after all that waited, or into the ring. Lock held. */
static size_t send(struct console_port *port, const uint8_t *bytes, size_t length)
{
	size_t sent = 0, queued;

	move();
	while (tx_used() == 0 && sent < length && console.uart->put(bytes[sent])) {
		sent++;
	}
	if (sent < length) {
		queued = tx_room();
		queued = queued < length - sent ? queued : length - sent;
		enqueue(bytes + sent, queued);
		sent += queued;
	}
	if (sent < length) {
		refuse(port);
	}
	ask_for_rest();
	return sent;
}

static size_t port_write(struct char_backend *backend, const uint8_t *bytes, size_t length)
{
	size_t done = 0, taken, chunk;

	if (console.uart == NULL) {
		return length;
	}
	do {
		chunk = length - done < CHUNK ? length - done : CHUNK;
		spin_lock(&console.lock);
		taken = send(port_of(backend), bytes + done, chunk);
		spin_unlock(&console.lock);
		done += taken;
	} while (taken == chunk && done < length);
	return done;
}

/* Who gets input. */
static struct console_port *focus(void)
{
	if (console.chosen != NULL) {
		return console.chosen;
	}
	for (unsigned int i = 0; i < console.port_count; i++) {
		if (console.port[i].receives(console.port[i].device)) {
			return &console.port[i];
		}
	}
	return console.port_count != 0 ? &console.port[0] : NULL;
}

/* @port: NULL if there is none, which takes all. */
static bool full(const struct console_port *port)
{
	return port != NULL &&
	       port->rx_head - port->rx_tail + console.winsize.held_count >= CONSOLE_RX_SIZE;
}

static size_t port_read(struct char_backend *backend, uint8_t *bytes, size_t length)
{
	struct console_port *port = port_of(backend);
	size_t count = 0;

	spin_lock(&console.lock);
	while (count < length && port->rx_tail != port->rx_head) {
		bytes[count++] = port->rx[port->rx_tail++ % CONSOLE_RX_SIZE];
	}
	if (count != 0) {
		set_interrupts(true, console.transmit_on);
	}
	spin_unlock(&console.lock);
	return count;
}

/* Input stopped for a port that was full. It goes on if another has the focus now. */
static void look_again(void)
{
	spin_lock(&console.lock);
	if (!full(focus())) {
		set_interrupts(true, console.transmit_on);
	}
	spin_unlock(&console.lock);
}

static size_t port_read_ready(struct char_backend *backend)
{
	const struct console_port *port = port_of(backend);
	/* Only the device, whose lock is held, takes bytes out: what is counted here stays. */
	const uint32_t ready = __atomic_load_n(&port->rx_head, __ATOMIC_ACQUIRE) - port->rx_tail;

	if (ready == 0 && !__atomic_load_n(&console.receive_on, __ATOMIC_RELAXED)) {
		look_again();
	}
	return ready;
}

static const struct char_ops port_ops = {
	.write = port_write,
	.read = port_read,
	.read_ready = port_read_ready,
};

/* Input */

static void answer(const char *text)
{
	enqueue_own(text, strlen(text));
}

/* The terminal may have another size by now. One that does not answer is none. */
static void ask_for_size(void)
{
	if (console.chosen->events->resized != NULL) {
		answer(WINSIZE_QUERY);
		console.winsize.asked = true;
	}
}

/* The byte after the escape: a port's number chooses it, the escape again is sent as it is. */
static bool escape_command(uint8_t byte)
{
	unsigned int number = byte - '1';

	if (byte == ESCAPE) {
		return false;
	}
	if (number < console.port_count) {
		console.chosen = &console.port[number];
		answer("\r\nbivy: input goes to ");
		answer(console.chosen->name);
		answer("\r\n");
		ask_for_size();
	} else {
		answer("\r\nbivy: after Ctrl-] comes the number of a console, or Ctrl-] again to "
		       "send one\r\n");
	}
	return true;
}

static void input(struct console_port *port, uint8_t byte)
{
	port->rx[port->rx_head % CONSOLE_RX_SIZE] = byte;
	__atomic_store_n(&port->rx_head, port->rx_head + 1, __ATOMIC_RELEASE);
}

/* A byte that may belong to the terminal's answer about its size. */
static void sized_byte(struct console_port *port, uint8_t byte)
{
	unsigned int give;

	port->resized |= winsize_take(&console.winsize, byte, &give);
	for (unsigned int i = 0; i < give; i++) {
		input(port, console.winsize.held[i]);
	}
}

static void receive_byte(struct console_port *port, uint8_t byte)
{
	if (console.escaped) {
		console.escaped = false;
		if (escape_command(byte)) {
			return;
		}
	} else if (byte == ESCAPE) {
		console.escaped = true;
		return;
	}
	if (port != NULL && console.winsize.asked) {
		sized_byte(port, byte);
	} else if (port != NULL) {
		input(port, byte);
	}
}

/*
 * Takes what the UART has; while the port is full it stays in the UART, whose sender then waits.
 * Returns false if there was nothing.
 */
static bool receive(void)
{
	for (unsigned int i = 0; i < CONSOLE_RX_SIZE; i++) {
		struct console_port *port = focus();
		int byte;

		if (full(port)) {
			set_interrupts(false, console.transmit_on);
			return true;
		}
		byte = console.uart->get();
		if (byte < 0) {
			return i != 0;
		}
		receive_byte(port, (uint8_t)byte);
	}
	return true;
}

/* The UART's interrupt. One that comes for nothing again and again is a wire that never falls. */
static bool console_irq(void *unused)
{
	const size_t before = console.tx_tail;
	bool room;

	(void)unused;
	spin_lock(&console.lock);
	console.empty = receive() ? 0 : console.empty + 1;
	pump();
	console.empty = console.tx_tail != before ? 0 : console.empty;
	room = tx_room() >= TX_SIZE / 2;
	if (room && console.refused) {
		console.refused = false;
		set_interrupts(console.receive_on, tx_used() != 0);
	}
	spin_unlock(&console.lock);

	for (unsigned int i = 0; i < console.port_count; i++) {
		struct console_port *port = &console.port[i];

		spin_lock(port->device_lock);
		if (port_read_ready(&port->backend) != 0) {
			port->events->readable(port->device);
		}
		if (room && port->wants_room) {
			port->wants_room = false;
			port->events->writable(port->device);
		}
		if (port->resized) {
			port->resized = false;
			port->events->resized(port->device, console.winsize.rows,
					      console.winsize.columns);
		}
		spin_unlock(port->device_lock);
	}
	return console.empty < EMPTY_MAX;
}

/* Start-up */

void console_init(const struct board *board)
{
	console.uart = uart_drivers[board->uart_kind];
	if (console.uart != NULL) {
		stage1_map_device(UART_VA, board->uart_base, PAGE_SIZE);
		console.intid = board->uart_intid;
		console.uart->init(UART_VA + (uint32_t)board->uart_base % PAGE_SIZE,
				   board->uart_shift, board->uart_words);
	}
}

struct console_port *console_add_port(const char *name, const struct char_events *events,
				      void *device, struct spinlock *device_lock,
				      bool (*receives)(const void *device))
{
	struct console_port *port;

	if (console.port_count == CONSOLE_PORTS_MAX) {
		return NULL;
	}
	port = &console.port[console.port_count++];
	port->backend.ops = &port_ops;
	port->name = name;
	port->events = events;
	port->device = device;
	port->device_lock = device_lock;
	port->receives = receives;
	return port;
}

void console_start_interrupts(void)
{
	if (console.uart != NULL && console.intid != 0) {
		spin_lock(&console.lock);
		console.interrupts = true;
		set_interrupts(true, false);
		spin_unlock(&console.lock);
		irq_attach(console.intid, console_irq, NULL);
	}
}

/* bivy's own output */

static void drain(void)
{
	while (tx_used() != 0) {
		pump();
	}
}

void console_write_own(const char *text, size_t length)
{
	if (console.uart == NULL) {
		return;
	}
	spin_lock(&console.lock);
	enqueue_own(text, length);
	if (console.interrupts) {
		pump();
	} else {
		drain();
	}
	spin_unlock(&console.lock);
}

void console_write_last(const char *text, size_t length)
{
	if (console.uart == NULL) {
		return;
	}
	drain();
	for (size_t i = 0; i < length; i++) {
		while (!console.uart->put((uint8_t)text[i])) {
		}
	}
}

void console_drain(void)
{
	if (console.uart != NULL) {
		spin_lock(&console.lock);
		drain();
		spin_unlock(&console.lock);
	}
}
