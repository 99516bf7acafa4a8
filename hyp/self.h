/* SPDX-License-Identifier: BSD-2-Clause */
/* Which core runs this, for code that is also tested on the host. */
#ifndef HYP_SELF_H
#define HYP_SELF_H

#if defined(__arm__)
#include "cpu.h"

static inline unsigned int cpu_self(void)
{
	return this_cpu()->index;
}
#else
unsigned int cpu_self(void);
#endif
#endif
