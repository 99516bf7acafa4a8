/* SPDX-License-Identifier: BSD-2-Clause */
/* The PrimeCell UART PL011 (ARM DDI 0183) that the guest sees. Pure. */
#ifndef DRIVERS_EMUL_PL011_H
#define DRIVERS_EMUL_PL011_H

#include <stdbool.h>
#include "../char.h"
#include "../irq_line.h"
#include "../mmio.h"

#define PL011_FIFO_SIZE 16 /* characters, each way */
#define PL011_REGISTERS 19 /* up to DMACR, at 0x48 */

struct emul_pl011 {
	struct char_backend *backend;
	struct irq_line irq;
	uint32_t reg[PL011_REGISTERS]; /* by offset / 4; FR and RIS as they were last computed */
	uint8_t held[PL011_FIFO_SIZE]; /* ring: written, and not yet taken by the backend */
	uint8_t held_first, held_count;
	bool looping; /* loopback: what is held is received, not sent */
	bool level;   /* of the interrupt line */
};

/*
 * @backend outlives the device; its events are pl011_events with the device itself. Received
 * characters stay in the backend until the guest reads them.
 */
void pl011_init(struct emul_pl011 *uart, struct char_backend *backend, struct irq_line irq);

/* As at power-on; the interrupt line is low. Characters that the backend has not taken are lost. */
void pl011_reset(struct emul_pl011 *uart);

/*
 * The registers; the device is a struct emul_pl011. Sends whether or not the guest has enabled the
 * UART, as QEMU does.
 */
extern const struct mmio_ops pl011_ops;

extern const struct char_events pl011_events;

/* True if the guest has enabled the UART and its receiver. */
bool pl011_receives(const struct emul_pl011 *uart);

#endif
