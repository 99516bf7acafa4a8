/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The board's own devices as backends: of virtio, SD cards, Ethernet. @n counts those of a kind in
 * order of address, from 0. A device is taken over when it is asked for; others are left alone.
 * NULL: the board has none of that number, it can't be used, or too many are in use. Asking again
 * gives the same backend. Boot core, at start-up, after the GIC's and the timer's.
 */
#ifndef HYP_HW_H
#define HYP_HW_H

#include <stdbool.h>
#include "config.h"
#include "../drivers/block.h"
#include "../drivers/entropy.h"
#include "../drivers/net.h"

struct block_backend *hw_block(unsigned int n);
struct net_backend *hw_net(unsigned int n);
struct entropy_backend *hw_entropy(unsigned int n);
struct block_backend *hw_sd(unsigned int n);
struct net_backend *hw_ethernet(unsigned int n);

/* Whether a device that was taken over has registers within these pages. */
bool hw_uses(const struct range *pages);

#endif
