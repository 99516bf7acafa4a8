/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's UART: what a driver of one offers. No function waits. */
#ifndef DRIVERS_HW_UART_H
#define DRIVERS_HW_UART_H

#include <stdbool.h>
#include <stdint.h>

#define UART_VA 0x00404000u

struct uart_driver {
	/*
	 * @base: where stage 1 maps it; @shift: logarithm of the distance of its registers, @words:
	 * they are accessed as words, not bytes; a driver of registers that are always words looks
	 * at neither.
	 */
	void (*init)(uintptr_t base, unsigned int shift, bool words);
	bool (*put)(uint8_t byte);                       /* false: the transmit FIFO is full */
	int (*get)(void);                                /* -1: nothing received */
	void (*interrupts)(bool receive, bool transmit); /* which ones it may raise */
};

extern const struct uart_driver pl011_driver, ns16550_driver, exynos_uart_driver;

#endif
