/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UART: any registers in any order, a backend that takes and has what it likes, and resets.
 * @sources drivers/emul/pl011.c
 * @run -eva-precision 2
 * @argued take user_assertion
 *   drain() asks for no more than what lies between held_first and the ring's end: length <= to_end. Seen by test_pl011,
 *   and by fuzz_pl011 with the sanitizers.
 * @plant drivers/emul/pl011.c s/index < PL011_REGISTERS/index <= PL011_REGISTERS/
 */
#include "drivers/emul/pl011.h"
#include "terminal.h"

static struct emul_pl011 uart;

static void wire(uint32_t intid, bool level)
{
	/*@ assert intid == 33; */
}

void main(void)
{
	pl011_init(&uart, &backend, (struct irq_line){wire, 33});
	while (maybe()) {
		switch (up_to(5)) {
		case 0:
			pl011_ops.read(&uart, up_to(0xfff), any());
			break;
		case 1:
			pl011_ops.write(&uart, up_to(0xfff), any(), any());
			break;
		case 2:
			pl011_events.readable(&uart);
			break;
		case 3:
			pl011_events.writable(&uart);
			break;
		case 4:
			pl011_receives(&uart);
			break;
		default:
			pl011_reset(&uart);
		}
	}
}
