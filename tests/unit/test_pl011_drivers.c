/* SPDX-License-Identifier: BSD-2-Clause */
/* The PL011 as payloads, early consoles and Linux drive it. */
#include "mock_pl011.h"

static void payload_that_only_writes_dr(void **state)
{
	(void)state;
	write_size(DR, 1, 'H');
	write_size(DR, 2, 'i');
	wr(DR, 0xffffff00u | '!');
	assert_sent("Hi!");
	assert_int_equal(rd(FR), TXFE | RXFE);
}

/* Linux's and others' earlycon: wait for !TXFF, write, wait for !BUSY. */
static void earlycon(void **state)
{
	static const char text[] = "Booting Linux on physical CPU 0x0\n";
	const char *next = text;
	unsigned int turns = 0;

	(void)state;
	mock.room = 0;
	while (*next || rd(FR) & BUSY) {
		assert_in_range(turns++, 0, 1000);
		if (*next && !(rd(FR) & TXFF)) {
			write_size(DR, 1, (uint8_t)*next++);
			continue;
		}
		/* The line is slow, and nobody tells the device: it looks itself when the guest
		 * polls. */
		mock.room += turns % 3 == 0;
		if (!*next) {
			pl011_events.writable(&uart);
		}
	}
	assert_sent(text);
	assert_int_equal(rd(FR), TXFE | RXFE);
}

/* --- as Linux drives it --- */

static const char *to_send;
static unsigned int mask;
static char got[256];
static size_t got_length;

/* Fills from the interrupt without a look at TXFF: half of the FIFO is free, or the interrupt lied.
 */
static void kernel_transmit(bool from_interrupt)
{
	unsigned int count = 8;

	while (*to_send) {
		if (from_interrupt && count-- == 0) {
			return;
		}
		if (!from_interrupt && rd(FR) & TXFF) {
			mask |= TXI;
			wr(IMSC, mask);
			return;
		}
		wr(DR, (uint8_t)*to_send++);
	}
	mask &= ~TXI;
	wr(IMSC, mask);
}

static void kernel_interrupt(void)
{
	uint32_t status = rd(RIS) & mask;
	unsigned int passes = 256;

	while (status != 0 && passes-- != 0) {
		wr(ICR, status & ~(TXI | RXI | RTI));
		if (status & (RXI | RTI)) {
			while (!(rd(FR) & RXFE)) {
				got[got_length++] = (char)rd(DR);
			}
		}
		if (status & TXI) {
			kernel_transmit(true);
		}
		status = rd(RIS) & mask;
	}
}

static void kernel_open(uint32_t line_control)
{
	wr(CR, 0);
	wr(IFLS, 0x12);
	wr(ICR, 0x7ff);
	wr(FBRD, 1);
	wr(IBRD, 13);
	wr(LCR_H, line_control);
	wr(CR, UARTEN | TXE | RXE);
	mask = RXI | RTI;
	wr(IMSC, mask);
	got_length = 0;
}

static char long_text[5001];

static void kernel_prints_at_every_speed(void **state)
{
	size_t per_turn, i;

	(void)state;
	for (i = 0; i < sizeof(long_text) - 1; i++) {
		long_text[i] = (char)('!' + i % 90);
	}
	for (per_turn = 1; per_turn < 40; per_turn++) {
		set_up(NULL);
		kernel_open(0x60 | FEN);
		mock.room = per_turn;
		to_send = long_text;
		kernel_transmit(false);
		for (i = 0; i < sizeof(long_text) && (*to_send || rd(FR) & BUSY); i++) {
			make_room(per_turn);
			if (line) {
				kernel_interrupt();
			}
		}
		assert_sent(long_text);
		assert_false(line);
	}
}

static void kernel_reads_and_echoes(void **state)
{
	(void)state;
	kernel_open(0x60 | FEN);
	feed("echo hello; this is more than the FIFO holds\n");
	assert_true(line);
	kernel_interrupt();
	assert_memory_equal(got, "echo hello; this is more than the FIFO holds\n", 45);
	assert_int_equal(got_length, 45);
	assert_false(line);
	feed("x");
	assert_true(line);
	kernel_interrupt();
	assert_int_equal(got_length, 46);
	assert_false(line);
}

static void kernel_without_fifo(void **state)
{
	unsigned int turns;

	(void)state;
	kernel_open(0x60);
	mock.room = 0;
	to_send = "one at a time";
	wr(DR, (uint8_t)*to_send++);
	mask |= TXI;
	wr(IMSC, mask);
	for (turns = 0; *to_send && turns < 100; turns++) {
		make_room(1);
		assert_true(line);
		assert_int_equal(rd(MIS), TXI);
		wr(DR, (uint8_t)*to_send++);
		assert_false(line);
	}
	make_room(1);
	assert_sent("one at a time");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(payload_that_only_writes_dr),  TEST(earlycon),
		TEST(kernel_prints_at_every_speed), TEST(kernel_reads_and_echoes),
		TEST(kernel_without_fifo),
	};

	return cmocka_run_group_tests_name("pl011_drivers", tests, NULL, NULL);
}
