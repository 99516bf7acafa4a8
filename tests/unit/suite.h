/* SPDX-License-Identifier: BSD-2-Clause */
/* What cmocka wants included before itself, in the order that it wants. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#endif
