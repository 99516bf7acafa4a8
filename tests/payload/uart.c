/* SPDX-License-Identifier: BSD-2-Clause */
/* The PL011's receiver by interrupt: 4 KiB that the test types must come whole and in order. */
#include "gic.h"

#define UART_DR    0x09000000u
#define UART_FR    0x09000018u
#define UART_LCR_H 0x0900002cu
#define UART_CR    0x09000030u
#define UART_IMSC  0x09000038u
#define UART_MIS   0x09000040u
#define UART_ICR   0x09000044u
#define FR_RXFE    (1u << 4)
#define RECEIVE    0x50u /* RXRIS and RTRIS */
#define BYTES      4096u

static volatile uint32_t received;
static uint8_t bytes[BYTES];

static void receive(uint32_t iar)
{
	write32(UART_ICR, RECEIVE);
	while ((read32(UART_FR) & FR_RXFE) == 0) {
		uint32_t byte = read32(UART_DR);

		if (received < BYTES) {
			bytes[received] = (uint8_t)byte;
		}
		received++;
	}
	write32(GICC_EOIR, iar);
}

void payload(void)
{
	uint32_t wrong = 0;

	gic_reset();
	gic_log()->hook = receive;
	write32(UART_CR, 0);
	write32(UART_LCR_H, 0x70); /* 8 bits, FIFOs on */
	write32(UART_CR, 0x301);
	equal("nothing received at first", read32(UART_FR) & FR_RXFE, FR_RXFE);
	equal("no interrupt at first", read32(UART_MIS), 0);
	write8(GICD_ITARGETSR + INTID_UART, 1);
	gic_enable(INTID_UART, 0x80);
	write32(UART_IMSC, RECEIVE);
	irq_enable();
	print("send 4096 bytes\n");
	result("all of them come", wait_for(&received, BYTES, 60000), "%u", received);
	delay(20000);
	irq_disable();
	equal("and no more", received, BYTES);
	for (uint32_t i = 0; i < BYTES; i++) {
		wrong += bytes[i] != 33 + i * 7 % 90;
	}
	equal("in order", wrong, 0);
	equal("the FIFO is empty", read32(UART_FR) & FR_RXFE, FR_RXFE);
	equal("the interrupt is down", read32(UART_MIS), 0);
}
