/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The LAN9118 itself: who it is, how it is set up, what its PHY says. Lock: the chip's, held but at
 * the start. Section numbers: its data sheet, DS00002266.
 */
#include "lan9118_chip.h"

#define ID_FIRST        0x115u
#define ID_LAST         0x118u
#define BYTE_TEST_VALUE 0x87654321u
#define HW_SOFT_RESET   (1u << 0)
#define HW_32_BIT       (1u << 2)
#define HW_MUST_BE_ONE  (1u << 20)
#define HW_TX_4608      (5u << 16) /* bytes to send; 10,560 to receive */
#define PMT_READY       (1u << 0)
#define MAC_CSR_BUSY    (1u << 31)
#define MAC_CSR_READ    (1u << 30)
#define TX_ON           (1u << 1)
#define TX_NO_STATUS    (1u << 2)   /* TXSAO: goes on though nobody reads what became of frames */
#define TX_LEVEL        (32u << 24) /* TX_ROOM means 2 KiB, more than a frame takes */

/* 5.4. */
#define MAC_CR   1u
#define ADDRH    2u
#define ADDRL    3u
#define MII_ACC  6u
#define MII_DATA 7u
#define VLAN1    9u

#define MAC_RUN         (1u << 18 | 1u << 3 | 1u << 2) /* PRMS, TXEN, RXEN */
#define MAC_FULL_DUPLEX (1u << 20)
#define MAC_NOT_OWN     (1u << 23) /* RCVOWN: else half duplex hears itself */
#define VLAN_TAG        0x8100u    /* a frame with it may be 4 bytes longer */
#define MII_BUSY        (1u << 0)
#define MII_PHY         (1u << 11) /* the internal one's address is 1 */

/* 5.5 and IEEE 802.3, 22.2.4: registers of the PHY and what counts in them. */
#define PHY_STATUS          1u
#define PHY_PARTNER         5u
#define PHY_LINK            (1u << 2)
#define PARTNER_100         0x180u
#define PARTNER_FULL_OF_100 0x100u
#define PARTNER_FULL_OF_10  0x040u

#define SETTLE_TURNS 250u /* of four reads, of 45 ns at least: more than any register needs */

uint32_t lan_get_late(const struct lan9118 *lan, uint32_t offset)
{
	for (unsigned int i = 0; i < 3; i++) {
		lan_get(lan, LAN_BYTE_TEST);
	}
	return lan_get(lan, offset);
}

static bool falls(const struct lan9118 *lan, uint32_t offset, uint32_t bit)
{
	for (unsigned int i = 0; i < SETTLE_TURNS; i++) {
		if ((lan_get_late(lan, offset) & bit) == 0) {
			return true;
		}
	}
	return false;
}

/* 5.3.20. All bits are set if there was no answer. */
static uint32_t mac_get(const struct lan9118 *lan, uint32_t index)
{
	lan_put(lan, LAN_MAC_CSR_CMD, MAC_CSR_BUSY | MAC_CSR_READ | index);
	return falls(lan, LAN_MAC_CSR_CMD, MAC_CSR_BUSY) ? lan_get(lan, LAN_MAC_CSR_DATA) : ~0u;
}

static bool mac_put(const struct lan9118 *lan, uint32_t index, uint32_t value)
{
	lan_put(lan, LAN_MAC_CSR_DATA, value);
	lan_put(lan, LAN_MAC_CSR_CMD, MAC_CSR_BUSY | index);
	return falls(lan, LAN_MAC_CSR_CMD, MAC_CSR_BUSY);
}

static bool mac_run(const struct lan9118 *lan)
{
	return mac_put(lan, MAC_CR, MAC_RUN | (lan->half_duplex ? MAC_NOT_OWN : MAC_FULL_DUPLEX));
}

static void ask_phy(struct lan9118 *lan, uint8_t index)
{
	lan->asked = index;
	mac_put(lan, MII_ACC, MII_PHY | (uint32_t)index << 6 | MII_BUSY);
}

bool lan_identify(struct lan9118 *lan)
{
	uint32_t low, high;

	if (lan_get(lan, LAN_BYTE_TEST) != BYTE_TEST_VALUE ||
	    (lan_get(lan, LAN_ID_REV) >> 16) - ID_FIRST > ID_LAST - ID_FIRST ||
	    (lan_get(lan, LAN_HW_CFG) & HW_32_BIT) == 0 ||
	    (lan_get(lan, LAN_PMT_CTRL) & PMT_READY) == 0) {
		return false;
	}
	/* As the firmware, or the EEPROM at power-on, left it: a reset may take time to load it. */
	low = mac_get(lan, ADDRL);
	high = mac_get(lan, ADDRH) & 0xffff;
	for (unsigned int i = 0; i < NET_MAC; i++) {
		lan->backend.mac[i] = (uint8_t)((i < 4 ? low : high) >> i % 4 * 8);
	}
	if ((low & 1) == 0 && (low | high) != 0) {
		lan->backend.features |= NET_F_MAC;
	}
	return true;
}

void lan_bring_up(struct lan9118 *lan)
{
	static const struct {
		uint8_t offset;
		uint32_t value;
	} settings[] = {
		{LAN_HW_CFG, HW_MUST_BE_ONE | HW_TX_4608},
		{LAN_FIFO_INT, TX_LEVEL}, /* and RX_FRAMES that there is one */
		{LAN_RX_CFG, LAN_OFFSET << 8},
		{LAN_TX_CFG, TX_ON | TX_NO_STATUS},
		{LAN_IRQ_CFG, LAN_IRQ_ON | LAN_IRQ_PAUSE},
		{LAN_INT_EN, LAN_INT_FAULTS | LAN_INT_RX_FRAMES},
	};

	lan->waiting = 0;
	lan->enabled = LAN_INT_FAULTS | LAN_INT_RX_FRAMES;
	lan->state = LAN9118_BROKEN;
	lan_put(lan, LAN_HW_CFG, HW_SOFT_RESET);
	if (!falls(lan, LAN_HW_CFG, HW_SOFT_RESET)) {
		return;
	}
	for (unsigned int i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		lan_put(lan, settings[i].offset, settings[i].value);
	}
	if (mac_put(lan, VLAN1, VLAN_TAG) && mac_run(lan)) {
		ask_phy(lan, PHY_STATUS);
		lan->state = LAN9118_RUNNING;
	}
}

/* The PHY negotiates by itself from power-on, and offers all that it can (5.5.5). */
void lan_hear_phy(struct lan9118 *lan)
{
	uint8_t next = PHY_STATUS;
	uint32_t answer;

	if ((mac_get(lan, MII_ACC) & MII_BUSY) != 0) {
		return;
	}
	answer = mac_get(lan, MII_DATA);
	if (lan->asked == PHY_PARTNER) {
		answer &= (answer & PARTNER_100) != 0 ? PARTNER_FULL_OF_100 : PARTNER_FULL_OF_10;
		lan->half_duplex = answer == 0;
		lan->backend.link_up = mac_run(lan);
	} else if ((answer & PHY_LINK) == 0) {
		lan->backend.link_up = false;
	} else if (!lan->backend.link_up) {
		next = PHY_PARTNER;
	}
	ask_phy(lan, next);
}
