/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands behind the guest's devices, as its tree asks for it. Boot core, at start-up. */
#ifndef HYP_BACKENDS_H
#define HYP_BACKENDS_H

#include "config.h"
#include "../drivers/block.h"
#include "../drivers/entropy.h"
#include "../drivers/net.h"

/* Each stops with a sentence if the board or the bundle has no such thing. */
struct block_backend *backend_block(const struct device_config *device);
struct block_backend *backend_flash(const struct device_config *device); /* NULL: none is named */
struct net_backend *backend_net(const struct device_config *device);

/* NULL: nothing was named, and there is no source. */
struct entropy_backend *backend_entropy(const struct device_config *device);

/* The guest starts again: what is to be new then. No request is in flight. */
void backends_reset(void);

#endif
