/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bivy's console and who gets the board's interrupts: whatever is typed, whenever the UART takes or gives a byte, with
 * and without one, whatever 2 ports write and read, up to 3 bytes at once. winsize_take() does what prove_winsize.c
 * proves of it.
 * @sources +hyp/console.c +hyp/irq.c
 * @run -eva-precision 0 -eva-auto-loop-unroll=20 -eva-ilevel=32 -eva-split-return auto -eva-slevel-function=port_write:20,send:20,enqueue:20
 * @split hyp/console.c port==&console.port[0] if (full(port)) {
 * @split hyp/console.c taken done += taken;
 * @split hyp/console.c sent queued = tx_room();
 * @split hyp/console.c queued enqueue(bytes + sent, queued);
 * @plant hyp/console.c s/i < give/i <= give/
 * @plant hyp/console.c s/rx_head % CONSOLE_RX_SIZE/rx_head/
 * @plant hyp/console.c s/number < console.port_count/number <= CONSOLE_PORTS_MAX/
 * @plant hyp/irq.c s/row_count == HANDLERS_MAX/row_count > HANDLERS_MAX/
 */
#include "hyp/console.h"

#undef CONSOLE_PORTS_MAX
#define CONSOLE_PORTS_MAX 2
#include "hyp/console.c"
#include "hyp/irq.c"

#define TEXT 3
#include "drivers/hw/gicv2.h"

bool winsize_take(struct winsize *winsize, uint8_t byte, unsigned int *give)
{
	const bool answered = maybe();

	*give = answered ? 0 : up_to(WINSIZE_HELD);
	winsize->held_count = (uint8_t)up_to(WINSIZE_HELD - 1);
	winsize->asked = maybe();
	return answered;
}

static void uart_init(uintptr_t va, unsigned int shift, bool words)
{
}

static bool uart_put(uint8_t byte)
{
	return maybe();
}

static int uart_get(void)
{
	return maybe() ? (int)up_to(255) : -1;
}

static void uart_interrupts(bool receive, bool transmit)
{
}

const struct uart_driver pl011_driver = {uart_init, uart_put, uart_get, uart_interrupts};
const struct uart_driver ns16550_driver = {uart_init, uart_put, uart_get, uart_interrupts};
const struct uart_driver exynos_uart_driver = {uart_init, uart_put, uart_get, uart_interrupts};

/*@ assigns \nothing; */
void stage1_map_device(uint32_t va, uint64_t pa, uint32_t size);
/*@ requires 32 <= intid < 1020;
    assigns \nothing; */
void gic_enable_spi(uint32_t intid);
/*@ requires word < 32;
    assigns \nothing; */
void gic_enable(uint32_t word, uint32_t mask, bool enable);
/*@ assigns \nothing; */
void say(const char *pattern, ...);

static void event(void *device)
{
}

static void resized(void *device, uint16_t rows, uint16_t columns)
{
}

static bool receives(const void *device)
{
	return maybe();
}

static bool handled(void *argument)
{
	return maybe();
}

static void use(struct console_port *port)
{
	uint8_t bytes[TEXT];
	const size_t length = up_to(TEXT);

	Frama_C_make_unknown((char *)bytes, sizeof(bytes));
	/*@ split length; */
	switch (up_to(3)) {
	case 0:
		port->backend.ops->write(&port->backend, bytes, length);
		break;
	case 1:
		port->backend.ops->read(&port->backend, bytes, length);
		break;
	case 2:
		port->backend.ops->read_ready(&port->backend);
		break;
	default:
		console_write_own((const char *)bytes, length);
	}
}

void main(void)
{
	const struct char_events events = {event, event, resized};
	struct board board = {.uart_kind = (enum uart_kind)up_to(UART_KINDS - 1)};
	const bool wired = maybe();
	struct spinlock lock = {0, 0};
	struct console_port *port = NULL;

	/* A row that nobody filled has no handler, and no interrupt names it, which is too subtle for Eva. */
	for (unsigned int i = 1; i <= HANDLERS_MAX; i++) {
		row[i].handler = handled;
	}
	for (unsigned int i = 0; i <= HANDLERS_MAX; i++) {
		irq_attach(32 + up_to(INTID_SPURIOUS - 33), handled, NULL);
	}
	/*@ split board.uart_kind; */
	/*@ split wired; */
	board.uart_intid = wired ? 32 + up_to(INTID_SPURIOUS - 33) : 0;
	console_init(&board);
	for (unsigned int i = 0; i <= CONSOLE_PORTS_MAX; i++) {
		port = console_add_port("one of them", &events, NULL, &lock, receives) ?: port;
	}
	console_start_interrupts();
	while (maybe()) {
		if (maybe()) {
			irq_handle(32 + up_to(INTID_SPURIOUS - 33));
		} else if (maybe()) {
			use(&console.port[0]);
			use(&console.port[1]);
		} else {
			console_drain();
			console_write_last("the end", 7);
		}
	}
}
