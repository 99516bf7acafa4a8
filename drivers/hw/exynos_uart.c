/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Driver of the UART of Samsung's Exynos (Exynos 5 Dual User's Manual, Universal Asynchronous
 * Receiver and Transmitter); the firmware has set the line's speed. By the manual, never run. Lock:
 * the console's.
 */
#include "access.h"
#include "uart.h"

#define UCON   0x04
#define UFCON  0x08
#define UFSTAT 0x18
#define UTXH   0x20
#define URXH   0x24
#define UINTP  0x30 /* pending: stays until written as 1, and longer while the level is there */
#define UINTM  0x38 /* 1: masked */

#define UCON_POLLED_OR_IRQ (1u | 1u << 2) /* both directions */
#define UCON_TIMEOUT       (1u << 7)      /* a few bytes received are told of, too */
#define UCON_LEVELS        (1u << 8 | 1u << 9)
#define UFCON_ENABLE       1u
#define UFSTAT_RX          (0xffu | 1u << 8) /* count, and full */
#define UFSTAT_TX_FULL     (1u << 24)
#define INT_RX             1u
#define INT_TX             4u
#define INT_ALL            0xfu

static uintptr_t uart;

static void exynos_init(uintptr_t base, unsigned int shift, bool words)
{
	(void)shift;
	(void)words;
	uart = base;
	mmio_write(uart + UINTM, INT_ALL);
	mmio_write(uart + UFCON, UFCON_ENABLE);
	mmio_write(uart + UCON, UCON_POLLED_OR_IRQ | UCON_TIMEOUT | UCON_LEVELS);
	mmio_write(uart + UINTP, INT_ALL);
}

static bool exynos_put(uint8_t byte)
{
	if ((mmio_read(uart + UFSTAT) & UFSTAT_TX_FULL) != 0) {
		mmio_write(uart + UINTP, INT_TX);
		return false;
	}
	mmio_write(uart + UTXH, byte);
	return true;
}

static int exynos_get(void)
{
	if ((mmio_read(uart + UFSTAT) & UFSTAT_RX) == 0) {
		mmio_write(uart + UINTP, INT_ALL & ~INT_TX);
		return -1;
	}
	return (int)(mmio_read(uart + URXH) & 0xff);
}

static void exynos_interrupts(bool receive, bool transmit)
{
	mmio_write(uart + UINTM, INT_ALL & ~((receive ? INT_RX : 0) | (transmit ? INT_TX : 0)));
}

const struct uart_driver exynos_uart_driver = {
	.init = exynos_init,
	.put = exynos_put,
	.get = exynos_get,
	.interrupts = exynos_interrupts,
};
