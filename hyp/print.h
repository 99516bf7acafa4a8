/* SPDX-License-Identifier: BSD-2-Clause */
/* bivy's own messages, and its end. */
#ifndef HYP_PRINT_H
#define HYP_PRINT_H

#include <stddef.h>
#include "config.h"

/* One message to the physical console, "bivy: " in front and a line end behind. From any core, no
 * lock held but a device's. */
void say(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* The same, then this core and with it the board stops: what can't be run is told, not tried. */
_Noreturn void stop(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* stop() with the place and the sentence of a refusal. @what: who refused. */
_Noreturn void stop_error(const char *what, const struct config_error *error);

/* bivy's own bug: what, then the registers. */
_Noreturn void panic(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

#endif
