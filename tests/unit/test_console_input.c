/* SPDX-License-Identifier: BSD-2-Clause */
/* hyp/console.c: who gets input, the escape, and full rings. */
#include "mock_console.h"

#define ESC "\x1d"

static void first_receiving_port_gets_it(void **state)
{
	(void)state;
	device[1].receives = device[2].receives = true;
	type("abc");
	assert_read(&device[0], "");
	assert_read(&device[1], "abc");
	assert_read(&device[2], "");
	assert_int_equal(device[1].readable, 1);
	assert_int_equal(device[0].readable + device[2].readable, 0);
	device[0].receives = true;
	type("d");
	assert_read(&device[0], "d");
	assert_int_equal(device[0].readable, 1);
	device[0].receives = device[1].receives = false;
	type("e");
	assert_read(&device[2], "e");
}

static void typed_ahead_waits_in_the_first_port(void **state)
{
	(void)state;
	type("early");
	assert_int_equal(device[0].readable, 1);
	device[1].receives = true;
	type("late");
	assert_read(&device[0], "early");
	assert_read(&device[1], "late");
}

static void read_in_pieces(void **state)
{
	char bytes[3];

	(void)state;
	type("abcdefg");
	assert_int_equal(read_port(&device[0], bytes, 3), 3);
	assert_memory_equal(bytes, "abc", 3);
	assert_int_equal(read_port(&device[0], bytes, 0), 0);
	assert_read(&device[0], "defg");
	assert_read(&device[0], "");
}

static void without_ports_input_is_nobodys(void **state)
{
	(void)state;
	start(UART_PL011, UART_INTID);
	console_start_interrupts();
	uart.room = 1000;
	type("abc" ESC "1" ESC ESC);
	assert_int_equal(uart.in_read, uart.in_length);
	assert_int_equal(uart.out_length,
			 strlen("\r\nbivy: after Ctrl-] comes the number of a console, "
				"or Ctrl-] again to send one\r\n"));
}

static void escape_chooses(void **state)
{
	(void)state;
	device[0].receives = true;
	uart.room = 1000;
	type("a" ESC "2b" ESC "1c" ESC "3");
	assert_out("\r\nbivy: input goes to second\r\n\r\nbivy: input goes to first\r\n"
		   "\r\nbivy: input goes to third\r\n");
	type("d");
	assert_read(&device[0], "ac");
	assert_read(&device[1], "b");
	assert_read(&device[2], "d"); /* its driver need not listen: the user has said so */
	type("e");
	assert_read(&device[2], "e");
	assert_read(&device[0], "");
}

static void escape_twice_is_sent_once(void **state)
{
	(void)state;
	uart.room = 1000;
	type("a" ESC ESC "1" ESC ESC ESC ESC);
	assert_read(&device[0], "a" ESC "1" ESC ESC);
	assert_out("");
}

static void unknown_commands_change_nothing(void **state)
{
	static const char commands[] = "0456789aZ \r:/\xff";

	(void)state;
	device[1].receives = true;
	uart.room = 1000;
	for (const char *command = commands; *command != '\0'; command++) {
		const char typed[] = {ESC[0], *command, 'x', '\0'};

		type(typed);
		assert_out("\r\nbivy: after Ctrl-] comes the number of a console, "
			   "or Ctrl-] again to send one\r\n");
		assert_read(&device[1], "x");
		uart.room = 1000;
	}
}

static void escape_and_command_come_apart(void **state)
{
	(void)state;
	uart.room = 1000;
	type("a");
	type(ESC);
	assert_read(&device[0], "a");
	assert_out("");
	type("2");
	assert_out("\r\nbivy: input goes to second\r\n");
	type(ESC);
	type(ESC);
	assert_read(&device[1], ESC);
}

/* The answers wait for the UART as all output does, and are refused like it, whole. */
static void answers_do_not_wait(void **state)
{
	static uint8_t bytes[PORT_ROOM];
	const size_t answer_length = strlen("\r\nbivy: input goes to second\r\n");

	(void)state;
	assert_int_equal(write_port(&device[0], bytes, PORT_ROOM), PORT_ROOM);
	type(ESC "2");
	assert_int_equal(tx_used(), PORT_ROOM + answer_length);
	for (unsigned int i = 0; i < 2 * OWN_SHARE / answer_length; i++) {
		type(ESC "2");
	}
	assert_in_range(tx_used(), TX_SIZE - answer_length, TX_SIZE);
	assert_ptr_equal(console.chosen, device[1].port);
	all_goes_out();
}

static void fill_ring(void)
{
	char bytes[CONSOLE_RX_SIZE];

	memset(bytes, 'f', sizeof(bytes));
	uart_receives(bytes, sizeof(bytes));
}

static void full_ring_stops_input_until_it_is_read(void **state)
{
	char bytes[CONSOLE_RX_SIZE];

	(void)state;
	fill_ring();
	type("xyz");
	assert_false(uart.receive_on); /* so that the line falls; its sender waits */
	assert_int_equal(uart.in_length - uart.in_read, 3);
	assert_int_equal(read_port(&device[0], bytes, 2), 2);
	assert_true(uart.receive_on);
	take_interrupts();
	assert_false(uart.receive_on);
	assert_int_equal(uart.in_length - uart.in_read, 1);
	assert_int_equal(read_port(&device[0], bytes, sizeof(bytes)), CONSOLE_RX_SIZE);
	assert_memory_equal(bytes + CONSOLE_RX_SIZE - 3, "fxy", 3);
	take_interrupts();
	assert_read(&device[0], "z");
	assert_true(uart.receive_on);
}

/* Receiving stopped, sending goes on. */
static void full_ring_leaves_output_alone(void **state)
{
	(void)state;
	fill_ring();
	type("x");
	assert_int_equal(write_port(&device[0], "output", 6), 6);
	assert_true(uart.transmit_on);
	assert_false(uart.receive_on);
	uart_sends(6);
	assert_out("output");
	assert_false(uart.receive_on || uart.transmit_on);
	assert_int_equal(uart.in_length - uart.in_read, 1);
}

/* Its interrupt is switched off then; bytes in between show that there is someone. */
static void wire_that_never_falls(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < EMPTY_MAX - 1; i++) {
		assert_true(console_irq(NULL));
	}
	type("x");
	for (unsigned int i = 0; i < EMPTY_MAX - 1; i++) {
		assert_true(console_irq(NULL));
	}
	assert_false(console_irq(NULL));
}

/* The port that is full lost its driver: whoever gets input now must not wait for it for ever. */
static void full_ring_of_another_port(void **state)
{
	(void)state;
	device[0].receives = true;
	fill_ring();
	type("xy");
	assert_read(&device[1], "");
	take_interrupts();
	assert_false(uart.receive_on); /* the first one is still to get it */
	device[0].receives = false;
	device[1].receives = true;
	assert_read(&device[1], "");
	assert_true(uart.receive_on);
	take_interrupts();
	assert_read(&device[1], "xy");
}

/* As fast as it comes, against a device that reads when it likes. */
static void random_input(void **state)
{
	static uint8_t typed[OUT_MAX / 2], got[OUT_MAX / 2];
	size_t sent = 0, read = 0;
	uint32_t x = 1;

	(void)state;
	device[1].receives = true;
	for (size_t i = 0; i < sizeof(typed); i++) {
		typed[i] = (uint8_t)(next_random(&x) | 0x80); /* no escape */
	}
	while (read < sizeof(typed)) {
		size_t more = next_random(&x) % 600, want = next_random(&x) % 500;

		more = more < sizeof(typed) - sent ? more : sizeof(typed) - sent;
		want = want < sizeof(typed) - read ? want : sizeof(typed) - read;
		uart_receives(typed + sent, more);
		sent += more;
		if (next_random(&x) % 4 != 0) {
			read += read_port(&device[1], got + read, want);
		}
		take_interrupts();
		assert_true(uart.receive_on || uart.in_read < uart.in_length);
	}
	assert_memory_equal(got, typed, sizeof(typed));
	assert_true(uart.receive_on);
	assert_int_equal(device[0].readable + device[2].readable, 0);
}

static unsigned int resizes;
static uint16_t size_told[2];

static void device_resized(void *of, uint16_t rows, uint16_t columns)
{
	assert_true(((struct device *)of)->lock.held);
	size_told[0] = rows;
	size_told[1] = columns;
	resizes++;
}

/* The second device has a use for the terminal's size. */
static void choose_sized(void)
{
	static const struct char_events events = {device_readable, device_writable, device_resized};

	device[1].port->events = &events;
	resizes = 0;
	uart.room = 1000;
	type(ESC "2");
}

static void chosen_console_learns_the_size(void **state)
{
	const size_t length = strlen(WINSIZE_QUERY);

	(void)state;
	choose_sized();
	assert_memory_equal(uart.out + uart.out_length - length, WINSIZE_QUERY, length);
	type("ab\033[50;");
	type("132Rcd");
	assert_int_equal(resizes, 1);
	assert_int_equal(size_told[0], 50);
	assert_int_equal(size_told[1], 132);
	assert_read(&device[1], "abcd");
	type("\033[7;8R"); /* to somebody else's question */
	assert_int_equal(resizes, 1);
	assert_read(&device[1], "\033[7;8R");
	uart.out_length = 0;
	type(ESC "1");
	assert_int_equal(uart.out_length, strlen("\r\nbivy: input goes to first\r\n"));
}

static void keys_are_no_size(void **state)
{
	static const char *const typed[] = {"\033[A",       "\033[B\033[C",    "\033",
					    "\033[",        "\033[12;",        "\033[;5R",
					    "\033[1000;5R", "\033[5;0R",       "\033[5R",
					    "\033[5;6;7R",  "\033[05;0000006R"};
	char bytes[64], all[64] = "";

	(void)state;
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		choose_sized();
		type(typed[i]);
		type("xyzxyzxyzx");
		strcpy(all, typed[i]);
		strcat(all, "xyzxyzxyzx");
		assert_int_equal(read_port(&device[1], bytes, sizeof(bytes)), strlen(all));
		assert_memory_equal(bytes, all, strlen(all));
		assert_int_equal(resizes, 0);
		assert_true(console.winsize.asked);
		type("\033[1;999R"); /* it comes late */
		assert_int_equal(resizes, 1);
		assert_int_equal(size_told[1], 999);
		assert_read(&device[1], "");
	}
}

static void full_ring_holds_what_may_be_a_size(void **state)
{
	char bytes[CONSOLE_RX_SIZE];

	(void)state;
	choose_sized();
	memset(bytes, 'a', sizeof(bytes));
	for (unsigned int i = 0; i < CONSOLE_RX_SIZE / 128; i++) {
		uart_receives(bytes, i == 0 ? 126 : 128);
	}
	take_interrupts();
	type("\033[x");
	assert_false(uart.receive_on);
	assert_int_equal(read_port(&device[1], bytes, sizeof(bytes)), CONSOLE_RX_SIZE - 2);
	take_interrupts();
	assert_read(&device[1], "\033[x");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(first_receiving_port_gets_it),
		TEST(typed_ahead_waits_in_the_first_port),
		TEST(read_in_pieces),
		TEST(without_ports_input_is_nobodys),
		TEST(escape_chooses),
		TEST(escape_twice_is_sent_once),
		TEST(unknown_commands_change_nothing),
		TEST(escape_and_command_come_apart),
		TEST(answers_do_not_wait),
		TEST(full_ring_stops_input_until_it_is_read),
		TEST(full_ring_leaves_output_alone),
		TEST(wire_that_never_falls),
		TEST(full_ring_of_another_port),
		TEST(random_input),
		TEST(chosen_console_learns_the_size),
		TEST(keys_are_no_size),
		TEST(full_ring_holds_what_may_be_a_size),
	};

	return cmocka_run_group_tests_name("console_input", tests, NULL, NULL);
}
