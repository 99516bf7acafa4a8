/* SPDX-License-Identifier: BSD-2-Clause */
/* The PL011 register by register: FIFOs, trigger levels, interrupts, loopback. */
#include "mock_pl011.h"

/* --- registers --- */

static void registers_after_reset(void **state)
{
	static const struct {
		uint32_t offset, value;
	} all[] = {{DR, 0},       {RSR, 0},      {0x08, 0},     {0x14, 0},     {FR, TXFE | RXFE},
		   {0x1c, 0},     {ILPR, 0},     {IBRD, 0},     {FBRD, 0},     {LCR_H, 0},
		   {CR, 0x300},   {IFLS, 0x12},  {IMSC, 0},     {RIS, 0},      {MIS, 0},
		   {ICR, 0},      {DMACR, 0},    {0x4c, 0},     {0x80, 0},     {0xfdc, 0},
		   {0xfe0, 0x11}, {0xfe4, 0x10}, {0xfe8, 0x14}, {0xfec, 0x00}, {0xff0, 0x0d},
		   {0xff4, 0xf0}, {0xff8, 0x05}, {0xffc, 0xb1}};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(rd(all[i].offset), all[i].value);
		assert_int_equal(read_size(all[i].offset, 2), all[i].value);
		assert_int_equal(read_size(all[i].offset, 1) & 0xff, all[i].value & 0xff);
	}
	assert_false(pl011_receives(&uart));
}

static void settings_are_kept(void **state)
{
	static const struct {
		uint32_t offset, bits;
	} all[] = {{ILPR, 0xff}, {IBRD, 0xffff}, {FBRD, 0x3f},  {LCR_H, 0xff},
		   {CR, 0xff87}, {IFLS, 0x3f},   {IMSC, 0x7ff}, {DMACR, 0x7}};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		wr(all[i].offset, 0xffffffff);
		assert_int_equal(rd(all[i].offset), all[i].bits);
		wr(all[i].offset, 0);
		assert_int_equal(rd(all[i].offset), 0);
		write_size(all[i].offset, 2, 0x2105);
		assert_int_equal(rd(all[i].offset), 0x2105 & all[i].bits);
	}
	pl011_reset(&uart);
	registers_after_reset(state);
}

/* Every offset and size of the page: nothing but the registers is there, nothing is refused. */
static void whole_page(void **state)
{
	uint32_t offset;

	(void)state;
	for (offset = 0; offset < 0x1000; offset++) {
		if (offset % 4 != 0 || (offset > DMACR && offset < 0xfe0)) {
			assert_int_equal(read_size(offset, 1), 0);
			write_size(offset, 1, 0xff);
		}
		if (offset % 2 == 0 && (offset % 4 != 0 || (offset > DMACR && offset < 0xfe0))) {
			assert_int_equal(read_size(offset, 2), 0);
			write_size(offset, 2, 0xffff);
		}
	}
	assert_int_equal(rd(0x1000), 0); /* of a larger region */
	assert_int_equal(rd(0xfffffffc), 0);
	for (offset = 0xfe0; offset < 0x1000; offset += 4) {
		wr(offset, 0xff);
	}
	wr(FR, 0);
	wr(RIS, 0xff);
	wr(MIS, 0xff);
	wr(RSR, 0xff);
	assert_sent("");
	registers_after_reset(state);
}

static void receives_only_when_enabled(void **state)
{
	(void)state;
	wr(CR, UARTEN | TXE);
	assert_false(pl011_receives(&uart));
	wr(CR, RXE | TXE);
	assert_false(pl011_receives(&uart));
	wr(CR, UARTEN | RXE);
	assert_true(pl011_receives(&uart));
	pl011_reset(&uart);
	assert_false(pl011_receives(&uart));
}

/* --- transmit --- */

static void fifo_is_16_deep(void **state)
{
	unsigned int i;

	(void)state;
	wr(LCR_H, FEN);
	mock.room = 0;
	for (i = 0; i < 16; i++) {
		assert_int_equal(rd(FR), (i ? BUSY : TXFE) | RXFE);
		wr(DR, 'a' + i);
	}
	assert_int_equal(rd(FR), BUSY | TXFF | RXFE);
	wr(DR, 'X'); /* lost, as on hardware */
	make_room(1);
	assert_int_equal(rd(FR), BUSY | RXFE);
	wr(DR, 'q');
	assert_int_equal(rd(FR), BUSY | TXFF | RXFE);
	make_room(100);
	assert_sent("abcdefghijklmnopq");
	assert_int_equal(rd(FR), TXFE | RXFE);
}

static void holding_register_without_fifo(void **state)
{
	(void)state;
	mock.room = 0;
	assert_int_equal(rd(FR), TXFE | RXFE);
	wr(DR, 'a');
	assert_int_equal(rd(FR), BUSY | TXFF | RXFE);
	wr(DR, 'b');
	make_room(2);
	assert_sent("a");
	assert_int_equal(rd(FR), TXFE | RXFE);
}

static void fifo_switched_off_with_characters_in_it(void **state)
{
	(void)state;
	wr(LCR_H, FEN);
	mock.room = 0;
	wr(DR, 'a');
	wr(DR, 'b');
	assert_int_equal(rd(FR), BUSY | RXFE);
	wr(LCR_H, 0);
	assert_int_equal(rd(FR), BUSY | TXFF | RXFE);
	make_room(9);
	assert_sent("ab");
}

static void transmit_interrupt_at_each_trigger_level(void **state)
{
	static const unsigned int level[] = {2, 4, 8, 12, 14, 14, 14, 14};
	unsigned int select, i;

	(void)state;
	for (select = 0; select < 8; select++) {
		pl011_reset(&uart);
		wr(LCR_H, FEN);
		wr(IFLS, select);
		mock.room = 0;
		assert_int_equal(rd(RIS), 0);
		for (i = 1; i <= 16; i++) {
			wr(DR, 'x');
			assert_int_equal(rd(RIS), i <= level[select] ? TXI : 0);
		}
		for (i = 15; i < 16; i--) {
			make_room(1);
			assert_int_equal(rd(RIS), i <= level[select] ? TXI : 0);
		}
	}
}

static void transmit_interrupt_can_be_cleared(void **state)
{
	(void)state;
	wr(LCR_H, FEN);
	wr(IMSC, TXI);
	assert_false(line); /* the quirk: nothing written, no interrupt */
	wr(DR, 'a');
	assert_true(line);
	assert_int_equal(rd(MIS), TXI);
	wr(ICR, RXI);
	assert_true(line);
	wr(ICR, TXI);
	assert_false(line);
	assert_int_equal(rd(RIS), 0);
	make_room(1); /* nothing was held, so nothing happened */
	assert_false(line);
	wr(DR, 'b');
	assert_true(line);
	wr(IMSC, 0);
	assert_false(line);
	assert_int_equal(rd(RIS), TXI);
	assert_int_equal(rd(MIS), 0);
}

static void line_is_told_only_when_it_changes(void **state)
{
	unsigned int i;

	(void)state;
	wr(IMSC, TXI);
	line_calls = 0;
	for (i = 0; i < 10; i++) {
		wr(DR, 'a');
	}
	assert_int_equal(line_calls, 1);
}

/* --- receive --- */

static void receive_interrupt_at_each_trigger_level(void **state)
{
	static const unsigned int level[] = {2, 4, 8, 12, 14, 14, 14, 14};
	static const char text[] = "0123456789abcdefgh";
	unsigned int select, i;

	(void)state;
	for (select = 0; select < 8; select++) {
		pl011_reset(&uart);
		wr(LCR_H, FEN);
		wr(IFLS, select << 3);
		wr(IMSC, RXI);
		for (i = 1; i <= 18; i++) {
			mock_char_feed(&mock, text, i);
			pl011_events.readable(&uart);
			assert_int_equal(rd(RIS), RTI | (i >= level[select] ? RXI : 0));
			assert_int_equal(line, i >= level[select]);
			assert_int_equal(rd(FR), TXFE | (i >= 16 ? RXFF : 0));
		}
		for (i = 18; i > 0; i--) {
			assert_int_equal(line, i >= level[select]);
			assert_int_equal(rd(DR), (uint8_t)text[18 - i]);
		}
		assert_int_equal(rd(RIS), 0);
		assert_int_equal(rd(FR), TXFE | RXFE);
		assert_false(line);
	}
}

static void receive_timeout_until_drained(void **state)
{
	(void)state;
	wr(LCR_H, FEN);
	wr(IMSC, RTI);
	feed("ab");
	assert_true(line);
	wr(ICR, 0x7ff); /* does not make the characters go away, so it does not hide them */
	assert_true(line);
	assert_int_equal(rd(MIS), RTI);
	assert_int_equal(rd(DR), 'a');
	assert_true(line);
	assert_int_equal(read_size(DR, 1), 'b');
	assert_false(line);
	assert_int_equal(rd(DR), 0);
}

static void receive_without_fifo(void **state)
{
	(void)state;
	wr(IMSC, RXI);
	feed("ab");
	assert_int_equal(rd(FR), TXFE | RXFF);
	assert_true(line);
	assert_int_equal(rd(DR), 'a');
	assert_true(line);
	assert_int_equal(rd(DR), 'b');
	assert_false(line);
}

/* Characters typed before the driver came are there when it enables its interrupt. */
static void typed_ahead(void **state)
{
	(void)state;
	feed("root\n");
	assert_false(line);
	wr(LCR_H, FEN);
	wr(CR, UARTEN | TXE | RXE);
	wr(IMSC, RXI | RTI);
	assert_true(line);
}

/* The console's focus moved on: another device read what was waiting here. */
static void characters_that_went_elsewhere(void **state)
{
	(void)state;
	wr(IMSC, RTI);
	feed("ab");
	assert_true(line);
	mock_char_feed(&mock, "", 0);
	assert_int_equal(rd(FR), TXFE | RXFE);
	assert_int_equal(rd(RIS), 0);
	assert_false(line);
	feed("c");
	mock_char_feed(&mock, "", 0);
	assert_int_equal(rd(MIS), 0);
	assert_false(line);
}

/* --- loopback --- */

static void loopback(void **state)
{
	unsigned int i;

	(void)state;
	wr(LCR_H, FEN);
	wr(CR, UARTEN | TXE | RXE | LBE);
	wr(IMSC, RTI);
	for (i = 0; i < 18; i++) {
		wr(DR, 'A' + i);
	}
	assert_int_equal(rd(FR), TXFE | RXFF);
	assert_true(line);
	assert_int_equal(rd(RIS), RXI | RTI | TXI);
	make_room(1);
	for (i = 0; i < 16; i++) {
		assert_int_equal(rd(DR), 'A' + i);
	}
	assert_int_equal(rd(FR), TXFE | RXFE);
	assert_false(line);
	assert_int_equal(rd(DR), 0);
	wr(DR, 'x');
	wr(CR, UARTEN | TXE | RXE);
	assert_int_equal(rd(FR), TXFE | RXFE);
	wr(DR, 'y');
	assert_sent("y");
}

/* SYSTEM_RESET with a restart: the line falls, nothing of the old guest is left. */
static void reset_in_the_middle(void **state)
{
	(void)state;
	wr(LCR_H, 0x60 | FEN);
	wr(CR, UARTEN | TXE | RXE);
	mock.room = 0;
	wr(DR, 'a');
	wr(IMSC, TXI);
	assert_true(line);
	pl011_reset(&uart);
	assert_false(line);
	make_room(10);
	assert_sent("");
	registers_after_reset(state);
	/* What was typed meanwhile is for the next guest. */
	feed("z");
	pl011_reset(&uart);
	assert_int_equal(rd(FR), TXFE | RXFF);
	assert_int_equal(rd(DR), 'z');
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(registers_after_reset),
		TEST(settings_are_kept),
		TEST(whole_page),
		TEST(receives_only_when_enabled),
		TEST(fifo_is_16_deep),
		TEST(holding_register_without_fifo),
		TEST(fifo_switched_off_with_characters_in_it),
		TEST(transmit_interrupt_at_each_trigger_level),
		TEST(transmit_interrupt_can_be_cleared),
		TEST(line_is_told_only_when_it_changes),
		TEST(receive_interrupt_at_each_trigger_level),
		TEST(receive_timeout_until_drained),
		TEST(receive_without_fifo),
		TEST(typed_ahead),
		TEST(characters_that_went_elsewhere),
		TEST(loopback),
		TEST(reset_in_the_middle),
	};

	return cmocka_run_group_tests_name("pl011", tests, NULL, NULL);
}
