/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's UARTs: registers that say anything, and any use. That of the PL011 has a page at a fixed address.
 * @sources drivers/hw/ns16550.c drivers/hw/exynos_uart.c drivers/hw/pl011.c
 * @run -absolute-valid-range 0x00404000-0x00404fff
 * @plant drivers/hw/ns16550.c s/number << uart.shift/number << uart.base/
 */
#include "registers.h"
#include "drivers/hw/uart.h"

void main(void)
{
	const struct uart_driver *const drivers[] = {&pl011_driver, &ns16550_driver,
						     &exynos_uart_driver};
	const uint32_t which = up_to(2), shift = up_to(2);
	const struct uart_driver *driver;

	/*@ split which; */
	/*@ split shift; */
	driver = drivers[which];
	driver->init(REGISTERS, shift, maybe());
	while (maybe()) {
		driver->interrupts(maybe(), maybe());
		driver->put((uint8_t)any());
		const int byte = driver->get();

		/*@ assert a_byte: -1 <= byte && byte <= 255; */
	}
}
