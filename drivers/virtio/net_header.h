/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header in front of a frame (virtio 1.2, 5.1.6): from the driver's form, which it may cut as
 * it likes, to the backend's (drivers/net.h). Pure, without state: no lock.
 */
#ifndef DRIVERS_VIRTIO_NET_HEADER_H
#define DRIVERS_VIRTIO_NET_HEADER_H

#include "../net.h"
#include "queue.h"

#define NET_HEADER_LEGACY 10u /* bytes: without num_buffers */
#define NET_HEADER_ROOM   2u  /* segments that must be free in front of a chain */

/*
 * Copies a frame's header out of the front of @chain, each byte of the guest's once; what is left
 * is the frame. @header: NET_HEADER bytes, of which those from @size on become zero; @size: bytes.
 * Returns false if the chain is shorter.
 */
bool net_header_take(struct virtio_chain *chain, uint8_t *header, uint32_t size);

/*
 * Leaves in @header what has a meaning, all else becomes zero.
 * @features: of NET_F_*, what the driver accepted; @length: bytes of the frame behind it.
 * Returns false if it asks for what was not accepted, or names bytes outside of the frame.
 * Source: virtio 1.2 5.1.6.2.
 */
bool net_header_check(uint8_t *header, uint64_t features, uint32_t length);

/*
 * Makes a legacy buffer of more than NET_HEADER_LEGACY bytes one for the backend: the end of
 * @header, num_buffers, comes behind the driver's header, wherever that ends. Up to NET_HEADER_ROOM
 * segments are added in front.
 */
void net_header_widen(struct virtio_chain *chain, uint8_t *header);

#endif
