/* SPDX-License-Identifier: BSD-2-Clause */
/* Which core runs this, for code that is also tested on the host. */
#ifndef HYP_SELF_H
#define HYP_SELF_H

#include "vgic.h"

#if defined(__arm__)
#include "cpu.h"

static inline unsigned int cpu_self(void)
{
	return this_cpu()->index;
}

static inline struct vgic_cpu *vgic_self(void)
{
	return this_cpu()->vgic;
}
#else
unsigned int cpu_self(void);

static inline struct vgic_cpu *vgic_self(void)
{
	return &vgic.cpu[cpu_self()];
}
#endif
#endif
