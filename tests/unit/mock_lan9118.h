/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A LAN9118 as its driver sees it. It looks whether the driver waits where the data sheet wants it
 * (6.1), and whether what it sends is well-formed; it lies when the test says so.
 */
#ifndef TESTS_MOCK_LAN9118_H
#define TESTS_MOCK_LAN9118_H

#include "suite.h"
#include <stdbool.h>
#include <string.h>
#include "drivers/hw/lan9118_chip.h"
#include "drivers/tick.h"

#define REGISTERS  0xf0000000u
#define FRAMES_MAX 150u
#define TX_BYTES   4608u
#define RX_WORDS   2640u

enum { HANGS_RESET = 1, HANGS_MAC = 2 };

struct mock_frame {
	uint32_t length;
	uint8_t bytes[1600];
};

static struct {
	/* The test's. */
	uint32_t byte_test, id, hw_cfg, pmt, address[2], phy[32];
	bool edge;      /* RSFL says that a frame came, as in QEMU; else that there is one */
	uint8_t hangs;  /* no reset, or no access of the MAC, ends */
	bool mii_busy;  /* since the last question */
	bool tx_stops;  /* nothing leaves the FIFO */
	uint32_t stuck; /* causes that no write takes back */
	/* The chip's. */
	uint32_t int_sts, int_en, irq_cfg, fifo_int, rx_cfg, tx_cfg, mac_cr, mac_data, mii_acc,
		vlan;
	uint32_t tx_used, tx_command[2], tx_words;
	struct mock_frame sent;
	unsigned int sent_count, resets, ticks_started;
	uint32_t rx_status[FRAMES_MAX], rx_status_count, rx_head, rx_used, rx[RX_WORDS];
	unsigned int settled; /* reads of BYTE_TEST since something that takes time */
} mock;

uint8_t tick_count;

void tick_start(void)
{
	mock.ticks_started++;
}

static inline void mock_update(void)
{
	if (!mock.edge && mock.rx_status_count > (mock.fifo_int & 0xff)) {
		mock.int_sts |= LAN_INT_RX_FRAMES;
	}
	if (TX_BYTES - mock.tx_used > (mock.fifo_int >> 24) * 64) {
		mock.int_sts |= LAN_INT_TX_ROOM;
	}
	mock.int_sts |= mock.stuck;
}

static inline bool mock_wire(void)
{
	mock_update();
	assert_int_equal(mock.irq_cfg & LAN_IRQ_ON, LAN_IRQ_ON);
	return (mock.int_sts & mock.int_en) != 0;
}

static inline void mock_reset(void)
{
	mock.resets++;
	mock.int_sts = mock.int_en = mock.fifo_int = mock.rx_cfg = mock.tx_cfg = mock.mac_cr = 0;
	mock.tx_used = mock.tx_words = mock.rx_status_count = mock.rx_used = mock.mii_acc = 0;
	mock.hw_cfg = 0x00050004;
	mock.vlan = 0;
}

static inline void mac_access(uint32_t command)
{
	uint32_t *const registers[] = {[1] = &mock.mac_cr,
				       [2] = &mock.address[1],
				       [3] = mock.address,
				       [6] = &mock.mii_acc,
				       [7] = &mock.phy[mock.mii_acc >> 6 & 31],
				       [9] = &mock.vlan};
	const uint32_t index = command & 0xf;

	assert_in_range(index, 1, 9);
	assert_non_null(registers[index]);
	assert_int_equal(command & 0x80000000, 0x80000000);
	if (command & 1u << 30) {
		mock.mac_data = *registers[index];
		return;
	}
	*registers[index] = mock.mac_data;
	if (index == 6) {
		assert_int_equal(mock.mac_data & 0xf803, 0x801); /* reads of PHY 1 */
		mock.mii_acc = mock.mii_busy ? mock.mac_data : mock.mac_data & ~1u;
	}
}

static inline void tx_push(uint32_t value)
{
	const uint32_t offset = mock.tx_command[0] >> 16 & 31, size = mock.tx_command[0] & 0x7ff;

	assert_int_equal(mock.tx_cfg & 6, 6);
	assert_int_equal(mock.mac_cr & 0xc, 0xc);
	mock.tx_used += 4;
	assert_in_range(mock.tx_used, 0, TX_BYTES);
	if (mock.tx_words++ < 2) {
		mock.tx_command[mock.tx_words - 1] = value;
		mock.sent.length = 0;
		return;
	}
	assert_int_equal(mock.tx_command[0] & 0x3000, 0x3000);
	assert_int_equal(mock.tx_command[1], size);
	assert_in_range(size, 14, 1518);
	for (uint32_t i = mock.tx_words == 3 ? offset : 0; i < 4 && mock.sent.length < size; i++) {
		mock.sent.bytes[mock.sent.length++] = (uint8_t)(value >> 8 * i);
	}
	if (mock.sent.length == size) {
		mock.sent_count++;
		mock.tx_words = 0;
		mock.tx_used = mock.tx_stops ? mock.tx_used : 0;
	}
}

void mmio_write(uintptr_t address, uint32_t value)
{
	const uint32_t offset = (uint32_t)(address - REGISTERS);

	mock.settled = 0;
	switch (offset) {
	case LAN_TX_DATA:
		tx_push(value);
		break;
	case LAN_IRQ_CFG:
		mock.irq_cfg = value;
		break;
	case LAN_INT_STS:
		mock.int_sts &= ~value;
		break;
	case LAN_INT_EN:
		mock.int_sts |= value & ~mock.int_en & LAN_INT_SOFTWARE;
		mock.int_en = value;
		break;
	case LAN_FIFO_INT:
		mock.fifo_int = value;
		break;
	case LAN_RX_CFG:
		mock.rx_cfg = value;
		break;
	case LAN_TX_CFG:
		mock.tx_cfg = value;
		break;
	case LAN_HW_CFG:
		if (value & 1) {
			mock_reset();
		}
		mock.hw_cfg = value | 4;
		mock.hw_cfg = mock.hangs & HANGS_RESET ? mock.hw_cfg : mock.hw_cfg & ~1u;
		break;
	case LAN_MAC_CSR_CMD:
		mac_access(value);
		break;
	case LAN_MAC_CSR_DATA:
		mock.mac_data = value;
		break;
	default:
		fail_msg("write of register %x", offset);
	}
}

static inline uint32_t rx_pop(void)
{
	const uint32_t word = mock.rx[mock.rx_head % RX_WORDS];

	if (mock.rx_used == 0) {
		mock.int_sts |= LAN_INT_RX_ERROR;
		return 0xdeadbeef;
	}
	mock.rx_head++;
	mock.rx_used--;
	return word;
}

static inline uint32_t rx_status_pop(void)
{
	const uint32_t status = mock.rx_status[0];

	assert_int_not_equal(mock.rx_status_count, 0);
	memmove(mock.rx_status, mock.rx_status + 1, sizeof(mock.rx_status) - 4);
	mock.rx_status_count--;
	return status;
}

static inline uint32_t mock_settled(uint32_t value, unsigned int reads)
{
	assert_in_range(mock.settled, reads, UINT32_MAX);
	return value;
}

uint32_t mmio_read(uintptr_t address)
{
	const uint32_t offset = (uint32_t)(address - REGISTERS);

	mock_update();
	switch (offset) {
	case LAN_RX_DATA:
		mock.settled = 0;
		return rx_pop();
	case LAN_RX_STATUS:
		mock.settled = 0;
		return rx_status_pop();
	case LAN_ID_REV:
		return mock.id << 16 | 2;
	case LAN_INT_STS:
		return mock.int_sts;
	case LAN_BYTE_TEST:
		mock.settled++;
		return mock.byte_test;
	case LAN_HW_CFG:
		return mock_settled(mock.hw_cfg, 1);
	case LAN_RX_FIFO_INF:
		return mock_settled(mock.rx_status_count << 16 | mock.rx_used * 4, 3);
	case LAN_TX_FIFO_INF:
		return mock_settled(TX_BYTES - mock.tx_used, 3);
	case LAN_PMT_CTRL:
		return mock.pmt;
	case LAN_MAC_CSR_CMD:
		return mock_settled(mock.hangs & HANGS_MAC ? 1u << 31 : 0, 1);
	case LAN_MAC_CSR_DATA:
		return mock.mac_data;
	default:
		fail_msg("read of register %x", offset);
		return 0;
	}
}

static inline void mock_rx_byte(uint32_t at, uint8_t byte)
{
	uint32_t *word = &mock.rx[(mock.rx_head + mock.rx_used + at / 4) % RX_WORDS];

	*word = (at % 4 == 0 ? 0x5a5a5a5a & ~0xffu : *word & ~(0xffu << at % 4 * 8)) |
		(uint32_t)byte << at % 4 * 8;
}

/* A frame comes in with these bits in its status. Returns false if there is no room. */
static inline bool mock_arrive(const uint8_t *bytes, uint32_t length, uint32_t bits)
{
	const uint32_t offset = mock.rx_cfg >> 8 & 31, words = (offset + length + 4 + 3) / 4;

	assert_int_equal(mock.mac_cr & 0x40004, 0x40004);
	if (RX_WORDS - mock.rx_used < words || mock.rx_status_count == FRAMES_MAX) {
		return false;
	}
	for (uint32_t i = 0; i < 4 * words; i++) {
		const bool inside = i >= offset && i - offset < length;

		mock_rx_byte(i, inside ? bytes[i - offset] : 0xcc);
	}
	mock.rx_used += words;
	mock.rx_status[mock.rx_status_count++] = (length + 4) << 16 | bits;
	mock.int_sts |= LAN_INT_RX_FRAMES;
	return true;
}

/* A chip with an address and a link to another one that has all modes, as a firmware left it. */
static inline void mock_begin(void)
{
	memset(&mock, 0, sizeof(mock));
	mock_reset();
	mock.resets = 0;
	mock.byte_test = 0x87654321;
	mock.id = 0x118;
	mock.pmt = 1;
	mock.address[0] = 0x05040302;
	mock.address[1] = 0xffff0706;
	mock.phy[1] = 4;
	mock.phy[5] = 0x1e0;
	mock.settled = 1;
}

#endif
