/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Driver of a board's 16550 and its kin (TL16C550D data sheet; DW_apb_uart databook for what that
 * adds); the firmware has set the line's speed. Lock: the console's.
 */
#include "access.h"
#include "uart.h"

/* Register numbers */
#define DATA 0
#define IER  1
#define IIR  2 /* to read, and FCR to write */
#define MCR  4
#define LSR  5
#define USR  31 /* DW_apb_uart's */

#define IER_RX        1u
#define IER_TX        2u
#define IIR_ID        0xfu
#define IIR_TIMEOUT   0xcu
#define IIR_BUSY      0x7u /* DW_apb_uart's, ended by a read of USR */
#define FCR_ENABLE    1u   /* and an interrupt for each byte received */
#define MCR_DTR_RTS   3u
#define MCR_INTERRUPT 8u /* OUT2, which is the interrupt's gate on many boards */
#define LSR_READY     0x01u
#define LSR_THRE      0x20u
#define FIFO          16u /* bytes that an empty one takes at least */

static struct {
	uintptr_t base;
	unsigned int shift, size;
	unsigned int room; /* bytes that it takes without another look */
} uart;

static uint32_t read(unsigned int number)
{
	return mmio_read_size(uart.base + (number << uart.shift), uart.size);
}

static void write(unsigned int number, uint32_t value)
{
	mmio_write_size(uart.base + (number << uart.shift), uart.size, value);
}

static void ns16550_init(uintptr_t base, unsigned int shift, bool words)
{
	uart.base = base;
	uart.shift = shift;
	uart.size = words ? 4 : 1;
	uart.room = 0;
	write(IER, 0);
	write(IIR, FCR_ENABLE);
	write(MCR, MCR_DTR_RTS | MCR_INTERRUPT);
}

static bool ns16550_put(uint8_t byte)
{
	if (uart.room == 0) {
		if ((read(LSR) & LSR_THRE) == 0) {
			return false;
		}
		uart.room = FIFO;
	}
	uart.room--;
	write(DATA, byte);
	return true;
}

/*
 * When there is nothing, an interrupt that stays for that reason is ended. By a read of data, if it
 * is the time-out's: so a byte that came meanwhile is looked for once more before.
 */
static int ns16550_get(void)
{
	uint32_t id;

	if ((read(LSR) & LSR_READY) == 0) {
		id = read(IIR) & IIR_ID;
		if (id == IIR_BUSY) {
			read(USR);
		}
		if (id != IIR_TIMEOUT) {
			return -1;
		}
		if ((read(LSR) & LSR_READY) == 0) {
			read(DATA);
			return -1;
		}
	}
	return (int)(read(DATA) & 0xff);
}

static void ns16550_interrupts(bool receive, bool transmit)
{
	write(IER, (receive ? IER_RX : 0) | (transmit ? IER_TX : 0));
}

const struct uart_driver ns16550_driver = {
	.init = ns16550_init,
	.put = ns16550_put,
	.get = ns16550_get,
	.interrupts = ns16550_interrupts,
};
