/* SPDX-License-Identifier: BSD-2-Clause */
/* Behind a serial device: a terminal that takes and has what it likes. */
#ifndef TESTS_PROOF_TERMINAL_H
#define TESTS_PROOF_TERMINAL_H

#include "drivers/char.h"

static size_t take(struct char_backend *backend, const uint8_t *bytes, size_t length)
{
	/*@ assert taken: \valid_read(bytes + (0 .. length - 1)); */
	return up_to(length);
}

static size_t give(struct char_backend *backend, uint8_t *bytes, size_t length)
{
	/*@ assert given: \valid(bytes + (0 .. length - 1)); */
	*bytes = (uint8_t)any();
	return up_to(length);
}

static size_t waiting(struct char_backend *backend)
{
	return any();
}

static const struct char_ops ops = {take, give, waiting};
static struct char_backend backend = {&ops};

#endif
