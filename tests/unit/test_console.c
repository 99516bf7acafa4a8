/* SPDX-License-Identifier: BSD-2-Clause */
/* hyp/console.c: start-up, output, refusals, and that nothing waits for the UART. */
#include "mock_console.h"

static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+";

/* Fills the ring as far as ports may. */
static void fill(struct device *from)
{
	static uint8_t bytes[PORT_ROOM + 1];

	memset(bytes, 'f', sizeof(bytes));
	assert_int_equal(write_port(from, bytes, sizeof(bytes)), PORT_ROOM);
}

/* --- start-up --- */

static void without_a_uart(void **state)
{
	uint8_t byte;

	(void)state;
	start(UART_UNKNOWN, UART_INTID);
	add_port(0);
	console_start_interrupts();
	console_write_own("lost", 4);
	console_write_last("lost", 4);
	console_drain();
	assert_int_equal(write_port(&device[0], text, 5), 5);
	assert_int_equal(read_port(&device[0], &byte, 1), 0);
	assert_int_equal(uart.inits + uart.spis, 0);
	assert_out("");
}

static void own_text_waits_before_interrupts_are_on(void **state)
{
	(void)state;
	start(UART_PL011, UART_INTID);
	uart.give = 3;
	console_write_own("bivy: one\r\n", 11);
	assert_out("bivy: one\r\n");
	console_write_own("bivy: two\r\n", 11);
	assert_out("bivy: two\r\n");
	assert_int_equal(uart.inits, 1);
	assert_false(uart.receive_on || uart.transmit_on);
	console_start_interrupts();
	assert_true(uart.receive_on);
	assert_false(uart.transmit_on);
	assert_int_equal(uart.spis, 1);
}

static void uart_without_an_interrupt(void **state)
{
	(void)state;
	start(UART_PL011, 0);
	console_start_interrupts();
	assert_int_equal(uart.spis, 0);
	assert_false(uart.receive_on || uart.transmit_on);
	uart.give = 1;
	console_write_own("waits still", 11);
	assert_out("waits still");
}

static void ports_are_few(void **state)
{
	(void)state;
	for (unsigned int i = PORTS; i < CONSOLE_PORTS_MAX; i++) {
		assert_non_null(console_add_port("more", NULL, NULL, NULL, NULL));
	}
	assert_null(console_add_port("too many", NULL, NULL, NULL, NULL));
}

/* --- output --- */

static void what_the_uart_takes_goes_out_at_once(void **state)
{
	(void)state;
	uart.room = 5;
	assert_int_equal(write_port(&device[0], text, 5), 5);
	assert_out("01234");
	assert_false(uart.transmit_on);
	assert_int_equal(write_port(&device[0], text, 3), 3);
	assert_out("");
	assert_true(uart.transmit_on);
	uart_sends(2);
	assert_out("01");
	assert_true(uart.transmit_on);
	uart_sends(2);
	assert_out("2");
	assert_false(uart.transmit_on);
	assert_int_equal(device[0].writable, 0); /* nothing was refused */
}

static void output_keeps_its_order(void **state)
{
	(void)state;
	assert_int_equal(write_port(&device[0], "a", 1), 1);
	assert_int_equal(write_port(&device[1], "b", 1), 1);
	console_write_own("c", 1);
	assert_int_equal(write_port(&device[0], "d", 1), 1);
	uart.room = 2;
	console_write_own("e", 1);
	assert_out("ab");
	uart_sends(100);
	assert_out("cde");
}

static void refused_write_is_told_of_room_later(void **state)
{
	(void)state;
	fill(&device[0]);
	assert_int_equal(tx_room(), 0);
	assert_int_equal(write_port(&device[0], "x", 1), 0);
	uart_sends(TX_SIZE / 2 - 1); /* one too few for half of the ring */
	assert_int_equal(device[0].writable, 0);
	assert_true(uart.transmit_on);
	uart_sends(1);
	assert_int_equal(device[0].writable, 1);
	assert_int_equal(device[1].writable, 0); /* was not refused */
	assert_int_equal(tx_room(), TX_SIZE / 2);
	uart_sends(1000);
	assert_int_equal(device[0].writable, 1); /* once is enough */
	all_goes_out();
	assert_int_equal(write_port(&device[0], "x", 1), 1);
	assert_false(uart.transmit_on); /* nobody waits any more */
}

static void writes_again(struct device *from)
{
	fill(from);
}

/* Told with the device's lock held and the console's free: it writes at once, and is refused again.
 */
static void device_writes_when_told(void **state)
{
	(void)state;
	device[1].on_writable = writes_again;
	fill(&device[0]);
	assert_int_equal(write_port(&device[1], "x", 1), 0);
	uart_sends(PORT_ROOM);
	assert_int_equal(device[1].writable, 1);
	assert_int_equal(uart.out_length, PORT_ROOM);
	assert_true(uart.transmit_on);
	assert_int_equal(tx_used(), PORT_ROOM);
	device[1].on_writable = NULL;
	uart_sends(PORT_ROOM);
	assert_int_equal(device[1].writable, 2);
	assert_int_equal(uart.out_length, 2 * PORT_ROOM);
}

static void is_refused(void)
{
	fill(&device[2]);
}

/* Another core is refused between the count of the room and the events: it hears of it all the
 * same. */
static void refused_while_others_are_told(void **state)
{
	(void)state;
	fill(&device[0]);
	uart.room = PORT_ROOM;
	on_console_unlock = is_refused;
	console_irq(NULL);
	assert_null(on_console_unlock);
	all_goes_out();
	assert_in_range(device[2].writable, 1, 2);
}

/* Another core's write finds the UART free and empties the ring: no interrupt would come for it. */
static void room_that_another_write_makes(void **state)
{
	(void)state;
	fill(&device[0]);
	uart.room = OUT_MAX;
	assert_int_equal(write_port(&device[1], "x", 1), 1);
	assert_int_equal(tx_used(), 0);
	assert_true(uart_line());
	take_interrupts();
	assert_int_equal(device[0].writable, 1);
	assert_int_equal(device[1].writable, 0);
	assert_false(uart.transmit_on);
}

static void own_text_has_room_of_its_own(void **state)
{
	char line[100];
	unsigned int kept = OWN_SHARE / sizeof(line);

	(void)state;
	memset(line, 'b', sizeof(line));
	fill(&device[0]);
	for (unsigned int i = 0; i < kept; i++) {
		console_write_own(line, sizeof(line));
		assert_int_equal(tx_used(), PORT_ROOM + (i + 1) * sizeof(line));
	}
	console_write_own(line, sizeof(line)); /* whole, or not at all; and without waiting */
	assert_int_equal(tx_used(), PORT_ROOM + kept * sizeof(line));
	assert_int_equal(tx_room(), 0);
	assert_int_equal(write_port(&device[0], "x", 1), 0);
	all_goes_out();
	assert_int_equal(uart.out_length, PORT_ROOM + kept * sizeof(line));
	assert_int_equal(uart.out[PORT_ROOM - 1], 'f');
	assert_int_equal(uart.out[PORT_ROOM], 'b');
}

static void last_words_wait_for_nothing_but_the_uart(void **state)
{
	(void)state;
	assert_int_equal(write_port(&device[0], "before ", 7), 7);
	console.lock.held = true; /* by a core that is gone */
	uart.give = 1;
	console_write_last("last", 4);
	assert_out("before last");
	console.lock.held = false;
	uart.room = uart.give = 0;
	assert_int_equal(write_port(&device[0], "rest", 4), 4);
	uart.give = 1;
	console_drain();
	assert_out("rest");
}

/* Three ports and bivy, a UART of changing speed: what was taken comes out once, and in order. */
static void random_output(void **state)
{
	static uint8_t wanted[OUT_MAX];
	static char bytes[700];
	size_t length = 0;
	uint32_t x = 1;

	(void)state;
	for (unsigned int i = 0; i < sizeof(bytes); i++) {
		bytes[i] = text[i * 5 % (sizeof(text) - 1)];
	}
	while (length < OUT_MAX - sizeof(bytes)) {
		struct device *from = &device[next_random(&x) % PORTS];
		const size_t offered = next_random(&x) % sizeof(bytes), before = tx_used();
		size_t taken = offered;

		uart.room += next_random(&x) % 700;
		if (next_random(&x) % 8 != 0) {
			taken = write_port(from, bytes, offered);
			assert_true(taken == offered || from->port->wants_room);
		} else if (offered <= TX_SIZE - before) {
			console_write_own(bytes, offered);
		} else {
			taken = 0;
		}
		memcpy(wanted + length, bytes, taken);
		length += taken;
		if (next_random(&x) % 2 != 0) {
			take_interrupts();
		}
	}
	all_goes_out();
	assert_int_equal(uart.out_length, length);
	assert_memory_equal(uart.out, wanted, length);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_uart),
		TEST(own_text_waits_before_interrupts_are_on),
		TEST(uart_without_an_interrupt),
		TEST(ports_are_few),
		TEST(what_the_uart_takes_goes_out_at_once),
		TEST(output_keeps_its_order),
		TEST(refused_write_is_told_of_room_later),
		TEST(device_writes_when_told),
		TEST(refused_while_others_are_told),
		TEST(room_that_another_write_makes),
		TEST(own_text_has_room_of_its_own),
		TEST(last_words_wait_for_nothing_but_the_uart),
		TEST(random_output),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
