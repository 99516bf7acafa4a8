/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's UART: what a driver of one offers. No function waits; @base is where stage 1 maps it.
 */
#ifndef DRIVERS_HW_UART_H
#define DRIVERS_HW_UART_H

#include <stdbool.h>
#include <stdint.h>

#define UART_VA 0x00404000u

struct uart_driver {
	const char *compatible;
	void (*init)(void);
	bool (*put)(uint8_t byte);                       /* false: the transmit FIFO is full */
	int (*get)(void);                                /* -1: nothing received */
	void (*interrupts)(bool receive, bool transmit); /* which ones it may raise */
};

extern const struct uart_driver pl011_driver;

#endif
