/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device node of the guest's tree asks for. Pure. */
#ifndef HYP_BACKEND_H
#define HYP_BACKEND_H

#include "config.h"

struct dt_at;

/*
 * Fills in what the node's compatible and its properties bivy,* decide: all of @device before base.
 * Returns 0 or a negative errno with the tree's error filled.
 */
int device_read(const struct dt_at *at, struct device_config *device);

#endif
