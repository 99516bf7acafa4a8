/* SPDX-License-Identifier: BSD-2-Clause */
/* A PL011 on a backend that the test controls, for its suites. */
#ifndef TESTS_MOCK_PL011_H
#define TESTS_MOCK_PL011_H

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

static inline void line_set(uint32_t intid, bool level)
{
	assert_int_equal(intid, 33);
	line = level;
	line_calls++;
}

static inline int set_up(void **state)
{
	(void)state;
	mock_char_init(&mock);
	memset(&uart, 0xa5, sizeof(uart));
	line = true;
	pl011_init(&uart, &mock.backend, (struct irq_line){line_set, 33});
	assert_false(line);
	return 0;
}

static inline uint32_t read_size(uint32_t offset, uint8_t size)
{
	return pl011_ops.read(&uart, offset, size);
}

static inline void write_size(uint32_t offset, uint8_t size, uint32_t value)
{
	pl011_ops.write(&uart, offset, size, value);
}

static inline uint32_t rd(uint32_t offset)
{
	return read_size(offset, 4);
}

static inline void wr(uint32_t offset, uint32_t value)
{
	write_size(offset, 4, value);
}

static inline void feed(const char *text)
{
	mock_char_feed(&mock, text, strlen(text));
	pl011_events.readable(&uart);
}

/* The line goes on by @bytes. */
static inline void make_room(size_t bytes)
{
	mock.room += bytes;
	pl011_events.writable(&uart);
}

static inline void assert_sent(const char *text)
{
	assert_int_equal(mock.out_length, strlen(text));
	assert_memory_equal(mock.out, text, strlen(text));
}

#endif
