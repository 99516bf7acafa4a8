/* SPDX-License-Identifier: BSD-2-Clause */
/* The LAN9118's registers, and what a frame's bytes are on their way through its FIFOs. */
#ifndef DRIVERS_HW_LAN9118_CHIP_H
#define DRIVERS_HW_LAN9118_CHIP_H

#include "access.h"
#include "lan9118.h"

/* 3.3 and 5.3. */
#define LAN_RX_DATA      0x00u
#define LAN_TX_DATA      0x20u
#define LAN_RX_STATUS    0x40u
#define LAN_ID_REV       0x50u
#define LAN_IRQ_CFG      0x54u
#define LAN_INT_STS      0x58u
#define LAN_INT_EN       0x5cu
#define LAN_BYTE_TEST    0x64u
#define LAN_FIFO_INT     0x68u
#define LAN_RX_CFG       0x6cu
#define LAN_TX_CFG       0x70u
#define LAN_HW_CFG       0x74u
#define LAN_RX_FIFO_INF  0x7cu
#define LAN_TX_FIFO_INF  0x80u
#define LAN_PMT_CTRL     0x84u
#define LAN_MAC_CSR_CMD  0xa4u
#define LAN_MAC_CSR_DATA 0xa8u

/* IRQ_CFG. */
#define LAN_IRQ_ON        (1u << 8 | 1u << 4 | 1u << 0) /* high, push-pull: what a GIC wants */
#define LAN_IRQ_PAUSE     (5u << 24)                    /* INT_DEAS: low for at least 50 us */
#define LAN_IRQ_PAUSE_NOW (1u << 14)

/* INT_STS and INT_EN. */
#define LAN_INT_SOFTWARE   (1u << 31)
#define LAN_INT_RX_ERROR   (1u << 14)
#define LAN_INT_TX_ERROR   (1u << 13)
#define LAN_INT_TX_OVERRUN (1u << 10)
#define LAN_INT_TX_ROOM    (1u << 9) /* TDFA: more than the level in FIFO_INT */
#define LAN_INT_RX_FRAMES  (1u << 3) /* RSFL */
#define LAN_INT_FAULTS     (LAN_INT_RX_ERROR | LAN_INT_TX_ERROR | LAN_INT_TX_OVERRUN)

#define LAN_RX_STATUS_ERROR (1u << 15)

/*
 * Frames begin at byte 2 of their first word, in both directions, as they do in the memory of all
 * who want their IP header aligned. So does a buffer with its NET_HEADER of three words.
 */
#define LAN_OFFSET 2u

static inline uint32_t lan_get(const struct lan9118 *lan, uint32_t offset)
{
	return mmio_read(lan->registers + offset);
}

static inline void lan_put(const struct lan9118 *lan, uint32_t offset, uint32_t value)
{
	mmio_write(lan->registers + offset, value);
}

/* What other accesses change, some time after: three reads of BYTE_TEST are long enough (6.1). */
uint32_t lan_get_late(const struct lan9118 *lan, uint32_t offset);

/* Whether there is a chip that can be used. Gives the backend the chip's address. */
bool lan_identify(struct lan9118 *lan);

/* Resets the chip and sets it up; it is LAN9118_RUNNING afterwards, or LAN9118_BROKEN. */
void lan_bring_up(struct lan9118 *lan);

/*
 * Looks what the PHY says of the link, and asks it anew: an answer takes longer than one may wait,
 * so it is for the next call.
 */
void lan_hear_phy(struct lan9118 *lan);

/* Sends a frame of @length bytes, which begins NET_HEADER bytes into the segments; there is room.
 */
void lan_push(const struct lan9118 *lan, const struct io_segment *segment, uint32_t length);

/*
 * Takes @length bytes, NET_HEADER and the frame's, into segments that have them. The last word of
 * the frame is taken whole.
 */
void lan_pull(const struct lan9118 *lan, const struct io_segment *segment, uint32_t length);

#endif
