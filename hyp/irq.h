/* SPDX-License-Identifier: BSD-2-Clause */
/* Who takes the interrupts of the board's devices. */
#ifndef HYP_IRQ_H
#define HYP_IRQ_H

#include <stdbool.h>
#include <stdint.h>

/*
 * From here on @handler is called with @argument for each interrupt of the SPI, on the boot core,
 * with no lock held; it makes the device lower its wire, or returns false, and no more come.
 * @intid: 32 to 1019. Returns false, and nothing happens, if the SPI has a handler already or there
 * are too many. Boot core, at start-up.
 */
bool irq_attach(uint32_t intid, bool (*handler)(void *argument), void *argument);

/* Calls the handler. Returns false if nobody attached one. @intid: 32 to 1019. */
bool irq_handle(uint32_t intid);

#endif
