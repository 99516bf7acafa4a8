/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's LAN9118 when something happens: faults, lies, no room, a driver that goes, the link.
 */
#include "lan9118_card.h"

/* It is off until the next tick, with its buffers; frames to send are lost. */
static void broken_until_tick(unsigned int i)
{
	const unsigned int resets = mock.resets, changes = link_changes;
	const bool up = lan.backend.link_up;

	assert_true(mock_wire());
	assert_true(lan9118_irq(&lan));
	assert_int_equal(lan.state, LAN9118_BROKEN);
	assert_int_equal(mock.resets, resets);
	assert_false(mock_wire());
	assert_int_equal(link_changes, changes + up);
	assert_false(lan.backend.link_up);
	one_piece(NET_HEADER + 100);
	assert_int_equal(transmit(), IO_ERROR);
	post(i + 1, IO_PENDING);
	mock.stuck = 0;
	ticks(1);
	assert_int_equal(mock.resets, resets + 1);
	assert_int_equal(transmit(), IO_OK);
	mock_arrive(frame, 100, 0);
	pump();
	assert_int_equal(ended, i + 1);
}

static void faults_and_lies(void **state)
{
	static const uint32_t causes[] = {LAN_INT_RX_ERROR, LAN_INT_TX_ERROR, LAN_INT_TX_OVERRUN};
	unsigned int i;

	(void)state;
	one_piece(NET_HEADER + 100);
	post(0, IO_PENDING);
	ticks(2);
	assert_true(lan.backend.link_up);
	for (i = 0; i < 3; i++) {
		mock.stuck = causes[i];
		broken_until_tick(i);
	}
	/* A length that can't be. */
	for (unsigned int k = 0; k < 3; k++) {
		mock_arrive(frame, 100, 0);
	}
	mock.rx_status[0] = 0x3fff0000;
	broken_until_tick(i++);
	/* The reset takes more than one tick. */
	mock.stuck = LAN_INT_RX_ERROR;
	assert_true(lan9118_irq(&lan));
	mock.hangs = HANGS_RESET;
	ticks(2);
	assert_int_equal(lan.state, LAN9118_BROKEN);
	mock.hangs = 0;
	mock.stuck = 0;
	ticks(1);
	mock_arrive(frame, 100, 0);
	pump();
	assert_int_equal(ended, i + 1);
}

static void a_stuck_wire(void **state)
{
	unsigned int irqs = 0;

	(void)state;
	ticks(2);
	mock.stuck = LAN_INT_SOFTWARE;
	for (; lan9118_irq(&lan); irqs++) {
		assert_in_range(irqs, 0, 300);
	}
	assert_int_equal(mock.int_en, 0);
	assert_int_equal(link_changes, 2);
	assert_false(lan9118_tick(&lan));
	one_piece(NET_HEADER + 100);
	assert_int_equal(transmit(), IO_ERROR);
	post(0, IO_ERROR);
	lan.backend.ops->start(&lan.backend, 0);
	assert_int_equal(lan.backend.ops->stop(&lan.backend), 0);
	assert_int_equal(lan.state, LAN9118_OFF);
}

static void no_room_to_send(void **state)
{
	unsigned int sent;

	(void)state;
	one_piece(NET_HEADER + 1500);
	mock.tx_stops = true;
	for (sent = 0; transmit() == IO_OK; sent++) {
		assert_in_range(sent, 0, 3);
	}
	assert_int_equal(sent, 3);
	assert_false(mock_wire());
	mock.tx_used = 0;
	pump();
	assert_int_equal(batches, 1);
	assert_int_equal(transmit(), IO_OK);
	ticks(20);
	assert_int_equal(batches, 1);
	mock.tx_used = 0;
	for (sent = 0; transmit() == IO_OK; sent++) {
	}
	assert_int_equal(sent, 3);
	/* The tick looks, too, and in the end it is not waited for any more. */
	ticks(9);
	assert_int_equal(batches, 10);
	assert_int_equal(mock.resets, 2);
	assert_int_equal(transmit(), IO_BUSY);
	ticks(2);
	assert_int_equal(mock.resets, 3);
	assert_int_equal(batches, 12);
	assert_int_equal(transmit(), IO_OK);
	ticks(20);
	assert_int_equal(batches, 12);
	assert_int_equal(mock.resets, 3);
}

static void stopped_in_flight(void **state)
{
	(void)state;
	one_piece(NET_HEADER + 60);
	for (unsigned int i = 0; i < 3; i++) {
		post(i, IO_PENDING);
	}
	mock_arrive(frame, 60, 0);
	assert_int_equal(lan.backend.ops->stop(&lan.backend), 3);
	assert_false(mock_wire());
	assert_int_equal(transmit(), IO_ERROR);
	assert_true(lan9118_irq(&lan)); /* was on its way */
	assert_int_equal(ended, 0);
	start();
	assert_int_equal(mock.rx_status_count, 0);
	/* Within a done(): that one is not given up. */
	post(0, IO_PENDING);
	post(1, IO_PENDING);
	mock_arrive(frame, 60, 0);
	mock_arrive(frame, 60, 0);
	stops = true;
	pump();
	assert_int_equal(ended, 1);
	assert_int_equal(lan.state, LAN9118_STOPPED);
	stops = false;
	start();
	post(1, IO_PENDING);
	mock_arrive(frame, 60, 0);
	pump();
	assert_int_equal(ended, 2);
}

static void the_link(void **state)
{
	(void)state;
	assert_false(lan.backend.link_up);
	ticks(1);
	assert_false(lan.backend.link_up);
	ticks(1);
	assert_true(lan.backend.link_up);
	assert_int_equal(link_changes, 1);
	assert_int_equal(mock.mac_cr & 0x900000, 0x100000);
	mock.phy[1] = 0;
	ticks(2);
	assert_false(lan.backend.link_up);
	assert_int_equal(link_changes, 2);
	/* An answer that takes its time; a partner that knows no full duplex, a slow one that does.
	 */
	mock.phy[1] = 4;
	mock.phy[5] = 0xa0;
	mock.mii_busy = true;
	ticks(3);
	mock.mii_acc |= 1;
	ticks(3);
	assert_false(lan.backend.link_up);
	mock.mii_busy = false;
	mock.mii_acc &= ~1u;
	ticks(3);
	assert_true(lan.backend.link_up);
	assert_int_equal(mock.mac_cr & 0x900000, 0x800000);
	start(); /* it stays as it was */
	assert_true(lan.backend.link_up);
	assert_int_equal(mock.mac_cr & 0x900000, 0x800000);
	mock.phy[1] = 0;
	ticks(1);
	mock.phy[1] = 4;
	mock.phy[5] = 0x60;
	ticks(2);
	assert_int_equal(mock.mac_cr & 0x900000, 0x100000);
	assert_int_equal(link_changes, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(faults_and_lies, set_up),
		cmocka_unit_test_setup(a_stuck_wire, set_up),
		cmocka_unit_test_setup(no_room_to_send, set_up),
		cmocka_unit_test_setup(stopped_in_flight, set_up),
		cmocka_unit_test_setup(the_link, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
