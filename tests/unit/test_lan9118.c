/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's LAN9118 as a network backend: what it is, and frames both ways. */
#include "lan9118_card.h"

static uint8_t expected[MEMORY];
static uint32_t seed;

static uint32_t random_below(uint32_t limit)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 16) % limit;
}

/* Pieces of @length bytes in all, at odd places with gaps between them; few or many. */
static void lay_out(uint32_t length)
{
	uint8_t *at = memory + random_below(8);
	const uint32_t pieces = 1 + random_below(LAN9118_SEGMENTS);

	for (count = 0; length > 0; count++) {
		const uint32_t most = count + 1u == pieces ? length : 1 + length / 2;
		const uint32_t part = count + 1u == pieces ? length : 1 + random_below(most);

		segment[count] = (struct io_segment){at, part};
		at += part + random_below(6);
		length -= part;
	}
	assert_true(at < memory + MEMORY);
}

/* The bytes of the segments in @image, which is as large as memory. */
static void scatter(uint8_t *image, const uint8_t *bytes)
{
	for (uint16_t i = 0; i < count; i++) {
		memcpy(image + (segment[i].at - memory), bytes, segment[i].length);
		bytes += segment[i].length;
	}
}

static void refused(uint32_t *field, uint32_t value)
{
	prepare();
	*field = value;
	assert_false(lan9118_init(&lan, REGISTERS));
	assert_int_equal(lan.state, LAN9118_OFF);
	assert_int_equal(mock.ticks_started + mock.int_en, 0);
	assert_false(lan9118_tick(&lan));
}

static void who_it_is(void **state)
{
	static const uint8_t mac[NET_MAC] = {2, 3, 4, 5, 6, 7};

	(void)state;
	refused(&mock.byte_test, 0x43218765);
	refused(&mock.id, 0x114);
	refused(&mock.id, 0x119);
	refused(&mock.hw_cfg, 0x00050000); /* a bus of 16 bits */
	refused(&mock.pmt, 0);
	prepare();
	mock.hangs = HANGS_RESET;
	assert_false(lan9118_init(&lan, REGISTERS));
	prepare();
	mock.hangs = HANGS_MAC;
	assert_false(lan9118_init(&lan, REGISTERS));
	prepare();
	assert_true(lan9118_init(&lan, REGISTERS));
	assert_int_equal(lan.state, LAN9118_STOPPED);
	assert_int_equal(lan.backend.features, NET_F_MAC | NET_F_STATUS);
	assert_memory_equal(lan.backend.mac, mac, NET_MAC);
	assert_int_equal(mock.ticks_started, 1);
	assert_false(mock_wire());
	ticks(3); /* nobody is told before start() */
	one_piece(100);
	assert_int_equal(transmit(), IO_ERROR);
	post(0, IO_ERROR);
	/* Without an address of its own; that of a group is none. */
	prepare();
	mock.address[0] = mock.address[1] = 0xffffffff;
	assert_true(lan9118_init(&lan, REGISTERS));
	assert_int_equal(lan.backend.features, NET_F_STATUS);
	prepare();
	mock.address[0] = mock.address[1] = 0;
	assert_true(lan9118_init(&lan, REGISTERS));
	assert_int_equal(lan.backend.features, NET_F_STATUS);
}

static void frames_sent(void **state)
{
	uint8_t bytes[NET_HEADER + sizeof(frame)];

	(void)state;
	memset(bytes, 0xaa, NET_HEADER);
	memcpy(bytes + NET_HEADER, frame, sizeof(frame));
	for (uint32_t length = 14; length <= 1518; length++) {
		lay_out(NET_HEADER + length);
		scatter(memory, bytes);
		assert_int_equal(transmit(), IO_OK);
		assert_int_equal(mock.sent_count, length - 13);
		assert_int_equal(mock.sent.length, length);
		assert_memory_equal(mock.sent.bytes, frame, length);
	}
	one_piece(NET_HEADER + 1519);
	assert_int_equal(transmit(), IO_ERROR);
	for (uint32_t more = 0; more < 16; more++) { /* their sum is a good length */
		segment[0] = segment[1] = (struct io_segment){memory, 0x80000000 + 8 * more};
		count = 2;
		assert_int_equal(transmit(), IO_ERROR);
	}
	assert_int_equal(mock.sent_count, 1505);
	assert_int_equal(batches + ended, 0);
	assert_false(mock_wire());
}

static void frames_received(void **state)
{
	uint8_t bytes[MEMORY] = {[10] = 1};
	unsigned int i = 0;

	(void)state;
	memcpy(bytes + NET_HEADER, frame, sizeof(frame));
	for (uint32_t length = 14; length <= 1518; length += 1 + length / 100, i++) {
		const uint32_t spare = random_below(3) * 100;

		memset(memory, 0xee, MEMORY);
		lay_out(NET_HEADER + length + spare);
		post(i, IO_PENDING);
		memcpy(expected, memory, MEMORY);
		memset(bytes + NET_HEADER + length, 0xee, spare);
		scatter(expected, bytes);
		memcpy(bytes + NET_HEADER, frame, sizeof(frame));
		assert_true(mock_arrive(frame, length, i % 2 << 13));
		pump();
		assert_int_equal(request[i].ends, 1);
		assert_int_equal(request[i].length, NET_HEADER + length);
		assert_memory_equal(memory, expected, MEMORY);
		assert_int_equal(mock.rx_used, 0);
		assert_int_equal(batches, i + 1);
	}
	assert_true(i > 100);
}

/* More buffers than it takes, more frames than buffers, and interrupts of both kinds. */
static void many(void **state)
{
	unsigned int arrived = 0, posted = 0;

	(void)state;
	for (unsigned int edge = 0; edge < 2; edge++) {
		mock.edge = edge;
		one_piece(NET_HEADER + 60);
		while (posted - ended < LAN9118_BUFFERS) {
			post(posted++, IO_PENDING);
		}
		post(posted, IO_BUSY);
		for (unsigned int i = 0; i < 100; i++) {
			arrived += mock_arrive(frame, 60, 0);
		}
		pump();
		assert_int_equal(ended, posted);
		assert_int_equal(mock.rx_status_count, arrived - ended);
		/* They wait for buffers, and do not disturb until there is one. */
		post(posted++, IO_PENDING);
		assert_true(mock_wire());
		while (ended < arrived) {
			pump();
			assert_int_equal(ended, posted);
			post(posted++, IO_PENDING);
		}
		pump();
		assert_int_equal(ended, arrived);
		assert_int_equal(posted, arrived + 1);
	}
	assert_int_equal(ended, 200);
}

/* However many there are, the guest's own interrupts come between. */
static void a_flood(void **state)
{
	(void)state;
	one_piece(NET_HEADER + 60);
	refills = true;
	post(0, IO_PENDING);
	for (unsigned int i = 0; i < 100; i++) {
		assert_true(mock_arrive(frame, 60, 0));
	}
	mock.irq_cfg = 0;
	lan9118_irq(&lan);
	assert_in_range(ended, 1, 8);
	assert_int_equal(batches, 1);
	assert_int_equal(mock.irq_cfg & LAN_IRQ_PAUSE_NOW, LAN_IRQ_PAUSE_NOW);
	assert_true(mock.irq_cfg >> 24 != 0);
	pump();
	assert_int_equal(ended, 100);
}

/* What nobody wants is taken out of the FIFO whole, and the buffer is for the next. */
static void frames_dropped(void **state)
{
	(void)state;
	one_piece(NET_HEADER + 100);
	post(0, IO_PENDING);
	mock_arrive(frame, 80, LAN_RX_STATUS_ERROR | 1 << 1);
	mock_arrive(frame, 101, 0);
	mock_arrive(frame, 1518, 0);
	mock_arrive(frame, 9, 0);
	mock_arrive(frame, 0, 0);
	pump();
	assert_int_equal(ended + mock.rx_used + mock.rx_status_count, 0);
	assert_int_equal(lan.state, LAN9118_RUNNING);
	mock_arrive(frame + 1, 100, 0);
	pump();
	assert_int_equal(request[0].length, NET_HEADER + 100);
	assert_memory_equal(memory + 2 + NET_HEADER, frame + 1, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_it_is),
		cmocka_unit_test_setup(frames_sent, set_up),
		cmocka_unit_test_setup(frames_received, set_up),
		cmocka_unit_test_setup(many, set_up),
		cmocka_unit_test_setup(a_flood, set_up),
		cmocka_unit_test_setup(frames_dropped, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
