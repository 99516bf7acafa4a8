/* SPDX-License-Identifier: BSD-2-Clause */
/* Driver of the board's PL011 (ARM DDI 0183G 3.3); the firmware has set the line's speed. */
#include "uart.h"
#include "../../hyp/arch.h"

#define DR    0x00
#define FR    0x18
#define LCR_H 0x2c
#define CR    0x30
#define IFLS  0x34
#define IMSC  0x38
#define ICR   0x44

#define FR_RXFE           (1u << 4)
#define FR_TXFF           (1u << 5)
#define LCR_FEN           (1u << 4)
#define LCR_8N1           (3u << 5)
#define CR_UARTEN_TXE_RXE 0x301u
#define INT_RX            (1u << 4 | 1u << 6) /* FIFO level and time-out */
#define INT_TX            (1u << 5)

static void pl011_init(uintptr_t base, unsigned int shift, bool words)
{
	(void)base; /* it has its page for itself */
	(void)shift;
	(void)words;
	mmio_write(UART_VA + IMSC, 0);
	mmio_write(UART_VA + ICR, 0x7ff);
	if ((mmio_read(UART_VA + CR) & CR_UARTEN_TXE_RXE) != CR_UARTEN_TXE_RXE) {
		mmio_write(UART_VA + LCR_H, LCR_FEN | LCR_8N1);
	}
	mmio_write(UART_VA + IFLS, 0); /* interrupt at 1/8 full, with 7/8 of the FIFO to spare */
	mmio_write(UART_VA + CR, CR_UARTEN_TXE_RXE);
}

static bool pl011_put(uint8_t byte)
{
	if ((mmio_read(UART_VA + FR) & FR_TXFF) != 0) {
		return false;
	}
	mmio_write(UART_VA + DR, byte);
	return true;
}

static int pl011_get(void)
{
	if ((mmio_read(UART_VA + FR) & FR_RXFE) != 0) {
		return -1;
	}
	return (int)(mmio_read(UART_VA + DR) & 0xff);
}

static void pl011_interrupts(bool receive, bool transmit)
{
	mmio_write(UART_VA + IMSC, (receive ? INT_RX : 0) | (transmit ? INT_TX : 0));
}

const struct uart_driver pl011_driver = {
	.init = pl011_init,
	.put = pl011_put,
	.get = pl011_get,
	.interrupts = pl011_interrupts,
};
