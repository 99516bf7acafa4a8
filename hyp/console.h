/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical console, shared by bivy's messages and the guest's serial devices. */
#ifndef HYP_CONSOLE_H
#define HYP_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config.h"
#include "../drivers/lock.h"
#include "../drivers/char.h"

#define CONSOLE_PORTS_MAX 4
#define CONSOLE_RX_SIZE   1024 /* bytes, a power of two */

/* A guest's serial device as the console sees it. Rings and flags: console lock. */
struct console_port {
	struct char_backend backend; /* first: the device's backend is this port */
	const struct char_events *events;
	void *device;
	struct spinlock *device_lock;
	bool (*receives)(const void *device);
	const char *name;
	uint8_t rx[CONSOLE_RX_SIZE];
	uint32_t rx_head, rx_tail; /* free-running */
	bool wants_room;           /* a write was refused */
	bool resized;              /* the terminal's size is to be told */
};

/* The board's UART; without one (uart_base 0) nothing is shown. Boot core, before the others run.
 */
void console_init(const struct board *board);

/* A new port for the device; NULL if there are too many. At start-up only. */
struct console_port *console_add_port(const char *name, const struct char_events *events,
				      void *device, struct spinlock *device_lock,
				      bool (*receives)(const void *device));

/* From here on output waits in the ring for the transmit interrupt instead of the processor. */
void console_start_interrupts(void);

/* bivy's own text: waits for the UART before console_start_interrupts(), and never after. Then the
 * guest can't use up the room for it; @length bytes for which there is none all the same are
 * dropped. */
void console_write_own(const char *text, size_t length);

/* Last words: everything in the ring, then this, waiting for the UART; takes no lock, whose holder
 * may never go on. */
void console_write_last(const char *text, size_t length);

/* Everything in the ring goes out, waiting for the UART: before power-off. */
void console_drain(void);

#endif
