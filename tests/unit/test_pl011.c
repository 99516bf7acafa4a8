/* SPDX-License-Identifier: BSD-2-Clause */
/* The PL011 as kernels, firmware and bare-metal payloads use it. */
#include "suite.h"
#include "drivers/emul/pl011.h"
#include "mock_char.h"

enum {
	DR = 0x00,
	RSR = 0x04,
	FR = 0x18,
	ILPR = 0x20,
	IBRD = 0x24,
	FBRD = 0x28,
	LCR_H = 0x2c,
	CR = 0x30,
	IFLS = 0x34,
	IMSC = 0x38,
	RIS = 0x3c,
	MIS = 0x40,
	ICR = 0x44,
	DMACR = 0x48,
};

#define BUSY 0x08u
#define RXFE 0x10u
#define TXFF 0x20u
#define RXFF 0x40u
#define TXFE 0x80u

#define RXI 0x10u
#define TXI 0x20u
#define RTI 0x40u

#define FEN    0x10u
#define LBE    0x80u
#define UARTEN 0x001u
#define TXE    0x100u
#define RXE    0x200u

static struct emul_pl011 uart;
static struct mock_char mock;
static bool line;
static unsigned int line_calls;

static void line_set(uint32_t intid, bool level)
{
	assert_int_equal(intid, 33);
	line = level;
	line_calls++;
}

static int set_up(void **state)
{
	(void)state;
	mock_char_init(&mock);
	memset(&uart, 0xa5, sizeof(uart));
	line = true;
	pl011_init(&uart, &mock.backend, (struct irq_line){line_set, 33});
	assert_false(line);
	return 0;
}

static uint32_t read_size(uint32_t offset, uint8_t size)
{
	struct mmio_access access = {.offset = offset, .value = 0xdeadbeef, .size = size};

	assert_true(pl011_access(&uart, &access));
	return access.value;
}

static void write_size(uint32_t offset, uint8_t size, uint32_t value)
{
	struct mmio_access access = {offset, value, size, true};

	assert_true(pl011_access(&uart, &access));
}

static uint32_t rd(uint32_t offset)
{
	return read_size(offset, 4);
}

static void wr(uint32_t offset, uint32_t value)
{
	write_size(offset, 4, value);
}

static void feed(const char *text)
{
	mock_char_feed(&mock, text, strlen(text));
	pl011_events.readable(&uart);
}

/* The line goes on by @bytes. */
static void make_room(size_t bytes)
{
	mock.room += bytes;
	pl011_events.writable(&uart);
}

static void assert_sent(const char *text)
{
	assert_int_equal(mock.out_length, strlen(text));
	assert_memory_equal(mock.out, text, strlen(text));
}

/* --- registers --- */

static void registers_after_reset(void **state)
{
	static const struct {
		uint32_t offset, value;
	} all[] = {
		{DR,    0          },
                {RSR,   0          },
                {0x08,  0          },
                {0x14,  0          },
                {FR,    TXFE | RXFE},
		{0x1c,  0          },
                {ILPR,  0          },
                {IBRD,  0          },
                {FBRD,  0          },
                {LCR_H, 0          },
		{CR,    0x300      },
                {IFLS,  0x12       },
                {IMSC,  0          },
                {RIS,   0          },
                {MIS,   0          },
		{ICR,   0          },
                {DMACR, 0          },
                {0x4c,  0          },
                {0x80,  0          },
                {0xfdc, 0          },
		{0xfe0, 0x11       },
                {0xfe4, 0x10       },
                {0xfe8, 0x14       },
                {0xfec, 0x00       },
                {0xff0, 0x0d       },
		{0xff4, 0xf0       },
                {0xff8, 0x05       },
                {0xffc, 0xb1       }
        };
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
	} all[] = {
		{ILPR,  0xff  },
                {IBRD,  0xffff},
                {FBRD,  0x3f  },
                {LCR_H, 0xff  },
		{CR,    0xff87},
                {IFLS,  0x3f  },
                {IMSC,  0x7ff },
                {DMACR, 0x7   }
        };
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

/* SYSTEM_RESET with a restart: the line falls, nothing of the old guest is left. */
static void reset_in_the_middle(void **state)
{
	(void)state;
	kernel_open(0x60 | FEN);
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
		TEST(payload_that_only_writes_dr),
		TEST(earlycon),
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
		TEST(kernel_prints_at_every_speed),
		TEST(kernel_reads_and_echoes),
		TEST(kernel_without_fifo),
		TEST(reset_in_the_middle),
	};

	return cmocka_run_group_tests_name("pl011", tests, NULL, NULL);
}
