/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest on several cores that does what the architecture allows, in an order that bytes decide:
 * each step goes to hyp/vgic.c on vgic_hw.c and to vgic_ref.c, and both must agree.
 */
#ifndef TESTS_VGIC_STEPS_H
#define TESTS_VGIC_STEPS_H

#include <stdbool.h>
#include <stdint.h>

/* What a guest can do without, in steps.avoid. */
#define STEPS_SET_ACTIVE   1u
#define STEPS_CLEAR_ACTIVE 2u
#define STEPS_REPRIORITIZE 4u
#define STEPS_READ         8u
#define STEPS_CTLR         16u
#define STEPS_POWER        32u
#define STEPS_BPR          64u
#define STEPS_EOIMODE      128u

struct steps {
	uint8_t (*next)(void *source);
	void *source;
	unsigned int words, cores, lrs, avoid;
	bool own_spis;       /* the guest owns some SPIs physically */
	bool active_by_core; /* see struct hw */
};

/* Starts both from reset with the guest's CPU interfaces open, then takes @count steps. */
void steps_run(const struct steps *steps, unsigned int count);

/* What the last steps were, as text for a failure. */
void steps_show_history(void);

#endif
