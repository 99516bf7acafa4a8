/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio network card: frames and buffers in place, busy and lying backends, resets, wrong
 * drivers. */
#include "mock_transport.h"
#include "mock_net.h"
#include "drivers/virtio/net.h"

#define SIZE 16u
#define RX   0u
#define TX   1u

#define TEXT(desc)  (BUFFERS + 0x800u * (desc))
#define SPACE(desc) (BUFFERS + 0x10000u + 0x800u * (desc))

#define ALL                                                                                        \
	(NET_F_CSUM | NET_F_GUEST_CSUM | NET_F_MTU | NET_F_MAC | NET_F_GUEST_TSO4 |                \
	 NET_F_GUEST_TSO6 | NET_F_GUEST_ECN | NET_F_GUEST_UFO | NET_F_HOST_TSO4 |                  \
	 NET_F_HOST_TSO6 | NET_F_HOST_ECN | NET_F_HOST_UFO | NET_F_MRG_RXBUF | NET_F_STATUS)

static struct guest_memory memory = {RAM_BASE, RAM_SIZE, mock_ram};
static struct virtio_net net;
static struct mock_net mock;

static void start_with(uint64_t features)
{
	driver_start(&net.device, features, SIZE);
	assert_int_equal(reg_read(&net.device, STATUS), RUNNING);
}

static int set_up(void **state)
{
	(void)state;
	mock_line = false;
	mock_net_init(&mock, ALL);
	memset(&net, 0xa5, sizeof(net));
	virtio_net_init(&net, &mock.backend,
			&(struct virtio_place){&memory, mock_irq, &mock.lock, false});
	start_with(NET_F_MAC | NET_F_STATUS);
	mock_line_rose = 0;
	return 0;
}

/* As the bus does it. */
static void locked_write(uint32_t offset, uint32_t value)
{
	spin_lock(&mock.lock);
	reg_write(&net.device, offset, value);
	spin_unlock(&mock.lock);
}

static void kick(uint32_t queue)
{
	locked_write(QUEUE_NOTIFY, queue);
}

static bool interrupted(void)
{
	bool was = reg_read(&net.device, INTERRUPT_STATUS) & VIRTIO_INTERRUPT_USED;

	reg_write(&net.device, INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	return was;
}

/* Writes a header of 12 bytes, or less, and a frame of @length bytes behind it. */
static void write_frame(uint32_t at, const uint8_t *header, uint32_t header_bytes, uint32_t length)
{
	uint32_t i;

	memcpy(guest_at(at), header, header_bytes);
	for (i = 0; i < length; i++) {
		*(uint8_t *)guest_at(at + header_bytes + i) = (uint8_t)(at / 0x800 + 3 * i);
	}
}

static const uint8_t plain[NET_HEADER];

/* A frame whose header and bytes are in one descriptor. */
static void offer_frame(uint16_t desc, uint32_t length)
{
	write_frame(TEXT(desc), plain, NET_HEADER, length);
	guest_desc(DESC(TX), desc, TEXT(desc), NET_HEADER + length, 0, 0);
	guest_offer(TX, SIZE, desc);
}

static void offer_space(uint16_t desc, uint32_t length)
{
	guest_desc(DESC(RX), desc, SPACE(desc), length, WRITE, 0);
	guest_offer(RX, SIZE, desc);
}

static void assert_used(uint32_t queue, uint32_t entry, uint32_t head, uint32_t length)
{
	assert_true(guest_used_index(queue) > entry);
	assert_int_equal(guest_used_id(queue, entry), head);
	assert_int_equal(guest_used_length(queue, entry), length);
}

static void assert_frame(unsigned int i, const uint8_t *header, uint16_t desc, uint32_t length)
{
	const struct mock_net_request *frame = &mock.frames.request[i];
	uint32_t k;

	assert_true(i < mock.frames.count);
	for (k = 0; k < NET_HEADER; k++) {
		assert_int_equal(*mock_net_byte(frame, k), header[k]);
	}
	for (k = 0; k < length; k++) {
		assert_int_equal(*mock_net_byte(frame, NET_HEADER + k),
				 (uint8_t)(TEXT(desc) / 0x800 + 3 * k));
	}
	assert_null(mock_net_byte(frame, NET_HEADER + length));
}

/* --- what it is --- */

static void identity(void **state)
{
	static const uint8_t expected[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56,
					   1,    0,    0,    0,    0xdc, 0x05};
	uint32_t i;

	(void)state;
	assert_int_equal(reg_read(&net.device, DEVICE_ID), 1);
	assert_int_equal(reg_read(&net.device, QUEUE_NUM_MAX), VIRTIO_NET_QUEUE_SIZE);
	reg_write(&net.device, QUEUE_SEL, 2);
	assert_int_equal(reg_read(&net.device, QUEUE_NUM_MAX), 0);
	assert_int_equal(reg_read(&net.device, DEVICE_FEATURES) & 0x00ffffff, ALL);
	for (i = 0; i < 16; i++) {
		assert_int_equal(bus_read(&net.device, CONFIG + i, 1), i < 12 ? expected[i] : 0);
	}
	assert_int_equal(bus_read(&net.device, CONFIG + 10, 2), 1500);
	mock.backend.link_up = false;
	assert_int_equal(bus_read(&net.device, CONFIG + 6, 2), 0);
}

static void offers_no_more_than_the_backend(void **state)
{
	(void)state;
	mock_net_init(&mock, NET_F_MAC | 1ull << 17 | 1ull << 22 | 1ull << 63);
	virtio_net_init(&net, &mock.backend,
			&(struct virtio_place){&memory, mock_irq, &mock.lock, false});
	assert_int_equal(reg_read(&net.device, DEVICE_FEATURES) & 0x00ffffff, NET_F_MAC);
	reg_write(&net.device, DEVICE_FEATURES_SEL, 1);
	assert_int_equal(reg_read(&net.device, DEVICE_FEATURES) & 0x80000000, 0);
}

/* What needs another feature that the driver left out is not passed on (5.1.3.1). */
static void starts_with_what_counts(void **state)
{
	static const struct {
		uint64_t accepted, started;
	} cases[] = {
		{0, 0},
		{ALL, ALL},
		{ALL & ~NET_F_CSUM, ALL & ~(NET_F_CSUM | NET_F_HOST_TSO4 | NET_F_HOST_TSO6 |
					    NET_F_HOST_UFO | NET_F_HOST_ECN)},
		{ALL & ~NET_F_GUEST_CSUM,
		 ALL & ~(NET_F_GUEST_CSUM | NET_F_GUEST_TSO4 | NET_F_GUEST_TSO6 | NET_F_GUEST_UFO |
			 NET_F_GUEST_ECN)},
		{NET_F_CSUM | NET_F_HOST_ECN | NET_F_HOST_UFO, NET_F_CSUM | NET_F_HOST_UFO},
		{NET_F_CSUM | NET_F_HOST_ECN | NET_F_HOST_TSO6,
		 NET_F_CSUM | NET_F_HOST_ECN | NET_F_HOST_TSO6},
		{NET_F_GUEST_CSUM | NET_F_GUEST_ECN, NET_F_GUEST_CSUM},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_with(cases[i].accepted | VIRTIO_F_INDIRECT_DESC);
		assert_int_equal(mock.starts, i + 2);
		assert_int_equal(mock.stops, i + 1);
		assert_int_equal(mock.features, cases[i].started);
	}
}

/* --- transmit --- */

static void frame_goes_in_place(void **state)
{
	const struct mock_net_request *frame = &mock.frames.request[0];

	(void)state;
	offer_frame(3, 100);
	kick(TX);
	assert_frame(0, plain, 3, 100);
	assert_int_equal(frame->count, 2);
	assert_int_equal(frame->segment[0].length, NET_HEADER);
	assert_ptr_equal(frame->segment[1].at, guest_at(TEXT(3) + NET_HEADER));
	assert_true(frame->segment[0].at != guest_at(TEXT(3)));
	assert_int_equal(guest_used_index(TX), 0);
	mock_net_end(&mock, &mock.frames, 0, IO_OK, 0);
	assert_used(TX, 0, 3, 0);
	assert_int_equal(mock_line_rose, 0);
	mock_net_batch(&mock);
	assert_true(interrupted());
	assert_int_equal(net.sent, 1);
}

/* The header and the frame in any pieces: the lengths, 0-terminated, of each. */
static void header_in_any_pieces(void **state)
{
	static const uint8_t cuts[][16] = {
		{12, 60},
		{72},
		{5, 67},
		{5, 7, 60},
		{5, 7, 1, 59},
		{11, 61},
		{13, 59},
		{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 60},
		{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 58},
		{6, 6, 10, 10, 10, 10, 10, 10},
	};
	unsigned int i, k;

	(void)state;
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		uint32_t at = TEXT(0);

		start_with(0);
		write_frame(TEXT(0), plain, NET_HEADER, 60);
		for (k = 0; cuts[i][k]; k++) {
			guest_desc(DESC(TX), k, at, cuts[i][k], cuts[i][k + 1] ? NEXT : 0, k + 1);
			at += cuts[i][k];
		}
		guest_offer(TX, SIZE, 0);
		kick(TX);
		assert_int_equal(mock.frames.count, 1);
		assert_frame(0, plain, 0, 60);
	}
}

/* What was checked is what the backend gets, whatever the driver writes afterwards. */
static void header_is_read_once(void **state)
{
	(void)state;
	offer_frame(0, 60);
	kick(TX);
	memset(guest_at(TEXT(0)), 0xff, NET_HEADER);
	assert_frame(0, plain, 0, 60);
}

static void headers(void **state)
{
	static const struct {
		uint64_t features;
		bool good;
		uint8_t header[NET_HEADER], expected[NET_HEADER];
	} cases[] = {
		/* flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers */
		{0, true, {0}, {0}},
		{ALL, true, {0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9}, {0}},
		{ALL, true, {0xfe, 0}, {0}},
		{0, false, {1, 0, 0, 0, 0, 0, 14}, {0}},
		{ALL,
		 true,
		 {0xff, 0, 9, 9, 9, 9, 34, 0, 16, 0, 9, 9},
		 {1, 0, 0, 0, 0, 0, 34, 0, 16}},
		{ALL, true, {1, 0, 0, 0, 0, 0, 98, 0, 0}, {1, 0, 0, 0, 0, 0, 98}},
		{ALL, false, {1, 0, 0, 0, 0, 0, 99, 0, 0}, {0}},
		{ALL, false, {1, 0, 0, 0, 0, 0, 34, 0, 65}, {0}},
		{ALL, false, {1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, {0}},
		{ALL, false, {1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, {0}},
		{ALL, true, {1, 1, 54, 0, 0, 1, 34, 0, 16, 0, 1}, {1, 1, 54, 0, 0, 1, 34, 0, 16}},
		{ALL, true, {1, 1, 100, 0, 8, 0, 34, 0, 16}, {1, 1, 100, 0, 8, 0, 34, 0, 16}},
		{ALL, false, {1, 1, 101, 0, 8, 0, 34, 0, 16}, {0}},
		{ALL, false, {1, 1, 54, 0, 0, 0, 34, 0, 16}, {0}},
		{ALL, false, {0, 1, 54, 0, 8, 0, 34, 0, 16}, {0}},
		{ALL & ~NET_F_HOST_TSO4, false, {1, 1, 54, 0, 8, 0, 34, 0, 16}, {0}},
		{ALL, true, {1, 4, 54, 0, 8, 0, 34, 0, 16}, {1, 4, 54, 0, 8, 0, 34, 0, 16}},
		{ALL & ~NET_F_HOST_TSO6, false, {1, 4, 54, 0, 8, 0, 34, 0, 16}, {0}},
		{ALL, true, {1, 3, 54, 0, 8, 0, 34, 0, 16}, {1, 3, 54, 0, 8, 0, 34, 0, 16}},
		{ALL & ~NET_F_HOST_UFO, false, {1, 3, 54, 0, 8, 0, 34, 0, 16}, {0}},
		{ALL, false, {1, 2, 54, 0, 8, 0, 34, 0, 16}, {0}},
		{ALL, false, {1, 5, 54, 0, 8, 0, 34, 0, 16}, {0}},
		{ALL, false, {1, 0x7f, 54, 0, 8, 0, 34, 0, 16}, {0}},
		{ALL, true, {1, 0x81, 54, 0, 8, 0, 34, 0, 16}, {1, 0x81, 54, 0, 8, 0, 34, 0, 16}},
		{ALL, true, {1, 0x84, 54, 0, 8, 0, 34, 0, 16}, {1, 0x84, 54, 0, 8, 0, 34, 0, 16}},
		{ALL & ~NET_F_HOST_ECN, false, {1, 0x81, 54, 0, 8, 0, 34, 0, 16}, {0}},
		{ALL, false, {1, 0x83, 54, 0, 8, 0, 34, 0, 16}, {0}},
		{ALL, false, {1, 0x80, 54, 0, 8, 0, 34, 0, 16}, {0}},
		{ALL & ~NET_F_CSUM, false, {1, 1, 54, 0, 8, 0, 34, 0, 16}, {0}},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_with(cases[i].features);
		write_frame(TEXT(1), cases[i].header, NET_HEADER, 100);
		guest_desc(DESC(TX), 1, TEXT(1), NET_HEADER + 100, 0, 0);
		guest_offer(TX, SIZE, 1);
		kick(TX);
		assert_int_equal(reg_read(&net.device, STATUS), RUNNING);
		assert_int_equal(mock.frames.count, cases[i].good);
		if (cases[i].good) {
			assert_frame(0, cases[i].expected, 1, 100);
		} else {
			assert_used(TX, 0, 1, 0);
		}
	}
}

/* Dropped, and the next one goes. */
static void frames_of_wrong_length(void **state)
{
	(void)state;
	start_with(VIRTIO_F_INDIRECT_DESC);
	offer_frame(0, 13);
	guest_desc(TABLE(TX), 0, TEXT(9), NET_HEADER, NEXT, 1);
	guest_desc(TABLE(TX), 1, BUFFERS, 65550, NEXT, 2);
	guest_desc(TABLE(TX), 2, BUFFERS, 1, 0, 0);
	guest_desc(DESC(TX), 1, TABLE(TX), 48, INDIRECT, 0);
	guest_offer(TX, SIZE, 1);
	offer_frame(2, 14);
	kick(TX);
	assert_used(TX, 0, 0, 0);
	assert_used(TX, 1, 1, 0);
	assert_int_equal(guest_used_index(TX), 2);
	assert_int_equal(net.dropped, 2);
	assert_int_equal(mock.frames.count, 1);
	assert_frame(0, plain, 2, 14);
	assert_int_equal(mock_line_rose, 1);
	guest_desc(TABLE(TX), 1, BUFFERS, 65550, 0, 0);
	guest_offer(TX, SIZE, 1);
	kick(TX);
	assert_int_equal(mock.frames.count, 2);
}

static void frame_in_too_many_pieces(void **state)
{
	(void)state;
	mock.backend.segments_max = 3;
	guest_desc(DESC(TX), 0, TEXT(0), 20, NEXT, 1);
	guest_desc(DESC(TX), 1, TEXT(0) + 20, 20, NEXT, 2);
	guest_desc(DESC(TX), 2, TEXT(0) + 40, 20, 0, 0);
	guest_offer(TX, SIZE, 0);
	guest_offer(TX, SIZE, 1);
	kick(TX);
	assert_used(TX, 0, 0, 0);
	assert_int_equal(guest_used_index(TX), 1);
	assert_int_equal(mock.frames.count, 1);
}

static void frames_end_in_any_order(void **state)
{
	(void)state;
	offer_frame(0, 60);
	offer_frame(1, 61);
	offer_frame(2, 62);
	kick(TX);
	assert_int_equal(mock.frames.count, 3);
	mock_net_end(&mock, &mock.frames, 1, IO_OK, 0);
	mock_net_end(&mock, &mock.frames, 1, IO_ERROR, 0);
	mock_net_end(&mock, &mock.frames, 0, IO_OK, 77);
	assert_used(TX, 0, 1, 0);
	assert_used(TX, 1, 2, 0);
	assert_used(TX, 2, 0, 0);
	assert_int_equal(mock_line_rose, 0);
	mock_net_batch(&mock);
	assert_int_equal(mock_line_rose, 1);
	assert_int_equal(net.sent, 2);
	assert_int_equal(net.dropped, 1);
}

static void backend_that_ends_at_once(void **state)
{
	(void)state;
	mock.transmit_status = IO_OK;
	offer_frame(0, 60);
	offer_frame(1, 61);
	kick(TX);
	assert_used(TX, 1, 1, 0);
	assert_int_equal(mock_line_rose, 1);
	mock.transmit_status = IO_ERROR;
	offer_frame(2, 61);
	kick(TX);
	assert_used(TX, 2, 2, 0);
	assert_int_equal(net.sent, 2);
	assert_int_equal(net.dropped, 1);
}

static void busy_backend_gets_frames_later(void **state)
{
	(void)state;
	mock.transmit_status = IO_BUSY;
	offer_frame(0, 60);
	offer_frame(1, 61);
	kick(TX);
	kick(TX);
	assert_int_equal(guest_used_index(TX), 0);
	mock.transmit_status = IO_PENDING;
	mock_net_batch(&mock);
	assert_int_equal(mock.frames.count, 2);
	assert_frame(0, plain, 0, 60);
	assert_frame(1, plain, 1, 61);
}

/* The same chain again and again, more often than there are slots. */
static void no_more_than_the_slots(void **state)
{
	unsigned int i;

	(void)state;
	offer_frame(5, 60);
	kick(TX);
	for (i = 1; i < VIRTIO_NET_QUEUE_SIZE + 8; i++) {
		guest_offer(TX, SIZE, 5);
		kick(TX);
	}
	assert_int_equal(mock.frames.count, VIRTIO_NET_QUEUE_SIZE);
	assert_int_equal(reg_read(&net.device, STATUS), RUNNING);
	mock_net_end(&mock, &mock.frames, 0, IO_OK, 0);
	mock_net_end(&mock, &mock.frames, 0, IO_OK, 0);
	assert_int_equal(mock.frames.count, VIRTIO_NET_QUEUE_SIZE - 2);
	mock_net_batch(&mock);
	assert_int_equal(mock.frames.count, VIRTIO_NET_QUEUE_SIZE);
}

static void offer_one_more(void)
{
	guest_offer(TX, SIZE, 0);
}

/* Another processor adds a frame for each that is sent: the call ends, and goes on afterwards. */
static void work_of_a_call_is_bounded(void **state)
{
	(void)state;
	mock.transmit_status = IO_OK;
	mock.on_transmit = offer_one_more;
	offer_frame(0, 60);
	kick(TX);
	assert_int_equal(net.sent, VIRTIO_NET_QUEUE_SIZE);
	mock.on_transmit = NULL;
	assert_true(mock_line);
	locked_write(INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	assert_int_equal(net.sent, VIRTIO_NET_QUEUE_SIZE + 1);
}

/* --- receive --- */

static void buffer_is_filled_in_place(void **state)
{
	const struct mock_net_request *buffer = &mock.buffers.request[0];

	(void)state;
	offer_space(4, 1526);
	kick(RX);
	assert_int_equal(buffer->count, 1);
	assert_ptr_equal(buffer->segment[0].at, guest_at(SPACE(4)));
	assert_int_equal(buffer->segment[0].length, 1526);
	mock_net_end(&mock, &mock.buffers, 0, IO_OK, 72);
	assert_used(RX, 0, 4, 72);
	assert_int_equal(mock_line_rose, 0);
	mock_net_batch(&mock);
	assert_true(interrupted());
	assert_int_equal(net.received, 1);
}

static void buffers_keep_their_pieces_and_order(void **state)
{
	(void)state;
	guest_desc(DESC(RX), 0, SPACE(0), 12, WRITE | NEXT, 1);
	guest_desc(DESC(RX), 1, SPACE(1), 1514, WRITE, 0);
	guest_offer(RX, SIZE, 0);
	offer_space(2, 1526);
	kick(RX);
	assert_int_equal(mock.buffers.request[0].count, 2);
	assert_ptr_equal(mock.buffers.request[0].segment[0].at, guest_at(SPACE(0)));
	assert_ptr_equal(mock.buffers.request[0].segment[1].at, guest_at(SPACE(1)));
	assert_ptr_equal(mock.buffers.request[1].segment[0].at, guest_at(SPACE(2)));
	mock_net_end(&mock, &mock.buffers, 0, IO_OK, 1526);
	mock_net_end(&mock, &mock.buffers, 0, IO_OK, 13);
	mock_net_batch(&mock);
	assert_used(RX, 0, 0, 1526);
	assert_used(RX, 1, 2, 13);
	assert_int_equal(mock_line_rose, 1);
}

static void lengths_that_can_not_be(void **state)
{
	static const struct {
		uint64_t features;
		enum io_status status;
		uint32_t length, used;
	} cases[] = {
		{0, IO_OK, 100, 100},
		{0, IO_OK, 101, 0},
		{0, IO_OK, UINT32_MAX, 0},
		{0, IO_OK, 0, 0},
		{0, IO_OK, 12, 0},
		{0, IO_OK, 13, 13},
		{0, IO_ERROR, 100, 0},
		{0, IO_UNSUPPORTED, 100, 0},
		{NET_F_MRG_RXBUF, IO_OK, 0, 0},
		{NET_F_MRG_RXBUF, IO_OK, 1, 1},
		{NET_F_MRG_RXBUF, IO_OK, 100, 100},
		{NET_F_MRG_RXBUF, IO_OK, 101, 0},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start_with(cases[i].features);
		offer_space(1, 100);
		kick(RX);
		mock_net_end(&mock, &mock.buffers, 0, cases[i].status, cases[i].length);
		assert_used(RX, 0, 1, cases[i].used);
	}
}

/* A buffer that is not taken waits in the queue, however the backend says it. */
static void backend_that_takes_no_buffers(void **state)
{
	static const enum io_status refusal[] = {IO_BUSY, IO_ERROR, IO_OK, IO_UNSUPPORTED};
	unsigned int i;

	(void)state;
	offer_space(0, 100);
	offer_space(1, 100);
	for (i = 0; i < 4; i++) {
		mock.receive_status = refusal[i];
		kick(RX);
		assert_int_equal(guest_used_index(RX), 0);
	}
	mock.receive_status = IO_PENDING;
	mock_net_batch(&mock);
	assert_int_equal(mock.buffers.count, 2);
	assert_ptr_equal(mock.buffers.request[0].segment[0].at, guest_at(SPACE(0)));
}

/* --- legacy drivers --- */

/* What a driver of version 1 has accepted, by the registers of version 2. */
static void start_legacy(uint64_t features)
{
	memset(mock_ram, 0, sizeof(mock_ram));
	driver_negotiate(&net.device, features | VIRTIO_F_VERSION_1);
	driver_queue(&net.device, RX, SIZE);
	driver_queue(&net.device, TX, SIZE);
	net.device.driver_features[1] = 0;
	reg_write(&net.device, STATUS, RUNNING);
}

static void legacy_frames(void **state)
{
	static const uint8_t header[NET_HEADER] = {1, 0, 0, 0, 0, 0, 34, 0, 16, 0, 0, 0};
	uint32_t size;

	(void)state;
	for (size = 10; size <= 12; size += 2) {
		start_legacy(NET_F_CSUM | (size == 12 ? NET_F_MRG_RXBUF : 0));
		write_frame(TEXT(0), header, size, 60);
		guest_desc(DESC(TX), 0, TEXT(0), size, NEXT, 1);
		guest_desc(DESC(TX), 1, TEXT(0) + size, 60, 0, 0);
		guest_offer(TX, SIZE, 0);
		kick(TX);
		assert_frame(0, header, 0, 60);
	}
}

/* However the driver cuts its buffer, the backend's frame is in it but for the header's last two
 * bytes. */
static void legacy_buffers(void **state)
{
	static const uint8_t cuts[][13] = {{10, 90},
					   {100},
					   {4, 96},
					   {4, 6, 90},
					   {4, 6, 1, 89},
					   {9, 91},
					   {11, 89},
					   {9, 2, 89},
					   {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 90},
					   {1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 89},
					   {5, 95}};
	unsigned int i, k;

	(void)state;
	for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		uint32_t at = SPACE(0);

		start_legacy(0);
		for (k = 0; cuts[i][k]; k++) {
			guest_desc(DESC(RX), k, at, cuts[i][k], WRITE | (cuts[i][k + 1] ? NEXT : 0),
				   k + 1);
			at += cuts[i][k];
		}
		guest_offer(RX, SIZE, 0);
		kick(RX);
		for (k = 0; mock_net_byte(&mock.buffers.request[0], k); k++) {
			*mock_net_byte(&mock.buffers.request[0], k) = (uint8_t)(k + 1);
		}
		assert_int_equal(k, 102);
		mock_net_end(&mock, &mock.buffers, 0, IO_OK, i % 2 ? 102 : 13);
		assert_used(RX, 0, 0, i % 2 ? 100 : 11);
		for (k = 0; k < 100; k++) {
			assert_int_equal(*(uint8_t *)guest_at(SPACE(0) + k),
					 k < 10 ? k + 1 : k + 3);
		}
		assert_int_equal(*(uint8_t *)guest_at(SPACE(0) + 100), 0);
	}
}

static void legacy_merged_buffers_are_as_they_are(void **state)
{
	(void)state;
	start_legacy(NET_F_MRG_RXBUF);
	offer_space(0, 100);
	kick(RX);
	assert_int_equal(mock.buffers.request[0].count, 1);
	mock_net_end(&mock, &mock.buffers, 0, IO_OK, 100);
	assert_used(RX, 0, 0, 100);
}

/* --- resets --- */

static void reset_gives_everything_up(void **state)
{
	(void)state;
	offer_space(0, 100);
	offer_frame(0, 60);
	kick(RX);
	kick(TX);
	locked_write(STATUS, 0);
	assert_false(mock.started);
	assert_int_equal(mock.stops, 1);
	mock_net_batch(&mock);
	assert_false(mock_line);
	start_with(0);
	assert_int_equal(mock.starts, 2);
	offer_frame(1, 60);
	kick(TX);
	assert_frame(0, plain, 1, 60);
	mock_net_end(&mock, &mock.frames, 0, IO_OK, 0);
	assert_used(TX, 0, 1, 0);
	reg_write(&net.device, STATUS, 0);
	reg_write(&net.device, STATUS, 0);
	assert_int_equal(mock.stops, 2);
}

/* Another core has taken two frames from the backend, but not yet called done(), when one resets.
 */
/* A driver need not reset a card to have its buffers back (virtio 1.2, 4.2.2.2). */
static void queue_that_stops_gives_everything_up(void **state)
{
	(void)state;
	start_with(ALL);
	offer_space(0, 100);
	kick(RX);
	assert_int_equal(mock.buffers.count, 1);
	reg_write(&net.device, QUEUE_SEL, RX);
	locked_write(QUEUE_READY, 0);
	assert_int_equal(reg_read(&net.device, QUEUE_READY), 0);
	assert_false(mock.started);
	assert_int_equal(mock.buffers.count, 0);
	offer_frame(0, 60);
	kick(TX);
	assert_int_equal(mock.frames.count, 0);
	start_with(ALL);
	assert_true(mock.started);
}

static void late_ends_are_of_the_driver_before(void **state)
{
	struct io_request *late[2];

	(void)state;
	offer_frame(0, 60);
	offer_frame(1, 60);
	offer_frame(2, 60);
	offer_space(0, 100);
	kick(TX);
	kick(RX);
	late[0] = mock.frames.request[1].request;
	late[1] = mock.frames.request[2].request;
	mock.late = 2;
	locked_write(STATUS, 0);
	start_with(0);
	locked_write(STATUS, 0);
	start_with(NET_F_MAC);
	offer_frame(3, 60);
	kick(TX);
	mock_net_batch(&mock);
	assert_int_equal(mock.starts, 1);
	mock.late--;
	late[0]->done(late[0], IO_OK, 0);
	assert_int_equal(mock.starts, 1);
	mock.late--;
	late[1]->done(late[1], IO_OK, 0);
	assert_int_equal(mock.starts, 2);
	assert_int_equal(mock.features, NET_F_MAC);
	assert_int_equal(guest_used_index(TX), 0);
	assert_int_equal(guest_used_index(RX), 0);
	assert_frame(0, plain, 3, 60); /* whose notification came before */
	mock_net_end(&mock, &mock.frames, 0, IO_OK, 0);
	assert_used(TX, 0, 3, 0);
	assert_int_equal(guest_used_index(TX), 1);
}

static void late_end_without_a_new_driver(void **state)
{
	struct io_request *late;

	(void)state;
	offer_frame(0, 60);
	kick(TX);
	late = mock.frames.request[0].request;
	mock.late = 1;
	locked_write(STATUS, 0);
	mock.late = 0;
	late->done(late, IO_OK, 0);
	mock_net_batch(&mock);
	assert_int_equal(mock.starts, 1);
	start_with(0);
	assert_int_equal(mock.starts, 2);
}

static void buffers_from_before_driver_ok(void **state)
{
	(void)state;
	driver_negotiate(&net.device, VIRTIO_F_VERSION_1);
	memset(mock_ram, 0, sizeof(mock_ram));
	driver_queue(&net.device, RX, SIZE);
	driver_queue(&net.device, TX, SIZE);
	offer_space(0, 100);
	offer_frame(0, 60);
	kick(RX);
	kick(TX);
	assert_int_equal(mock.starts, 1);
	locked_write(STATUS, RUNNING);
	assert_int_equal(mock.starts, 2);
	assert_int_equal(mock.frames.count, 1);
	assert_int_equal(mock.buffers.count, 1);
	locked_write(STATUS, RUNNING);
	assert_int_equal(mock.starts, 2);
}

/* --- link --- */

static void link_goes_down(void **state)
{
	uint32_t generation = reg_read(&net.device, CONFIG_GENERATION);

	(void)state;
	mock.backend.link_up = false;
	mock.backend.events->link_changed(mock.backend.events->listener.device);
	assert_false(mock_net_locked(&mock));
	assert_int_equal(reg_read(&net.device, INTERRUPT_STATUS), VIRTIO_INTERRUPT_CONFIG);
	assert_true(mock_line);
	assert_int_equal(reg_read(&net.device, CONFIG_GENERATION), generation + 1);
	assert_int_equal(bus_read(&net.device, CONFIG + 6, 2), 0);
}

/* --- hostile drivers --- */

static void assert_broken(uint32_t queue, const char *sentence)
{
	kick(queue);
	assert_int_equal(reg_read(&net.device, STATUS), RUNNING | NEEDS_RESET);
	assert_non_null(strstr(net.device.fault, sentence));
	assert_int_equal(mock.frames.count + mock.buffers.count, 0);
	mock_net_batch(&mock);
	assert_int_equal(guest_used_index(queue), 0);
	start_with(0);
	offer_frame(0, 60);
	kick(TX);
	assert_frame(0, plain, 0, 60);
}

static void writable_buffer_to_transmit(void **state)
{
	(void)state;
	guest_desc(DESC(TX), 0, TEXT(0), 72, NEXT, 1);
	guest_desc(DESC(TX), 1, TEXT(0), 72, WRITE, 0);
	guest_offer(TX, SIZE, 0);
	assert_broken(TX, "writable buffer");
}

static void frame_shorter_than_its_header(void **state)
{
	(void)state;
	guest_desc(DESC(TX), 0, TEXT(0), 6, NEXT, 1);
	guest_desc(DESC(TX), 1, TEXT(0), 5, 0, 0);
	guest_offer(TX, SIZE, 0);
	assert_broken(TX, "shorter than its header");
}

static void readable_buffer_to_receive(void **state)
{
	(void)state;
	guest_desc(DESC(RX), 0, SPACE(0), 12, NEXT, 1);
	guest_desc(DESC(RX), 1, SPACE(1), 1514, WRITE, 0);
	guest_offer(RX, SIZE, 0);
	assert_broken(RX, "readable buffer");
}

static void buffer_without_room(void **state)
{
	(void)state;
	offer_space(0, 12);
	assert_broken(RX, "no room");
	start_legacy(0);
	mock.frames.count = 0;
	offer_space(0, 10);
	assert_broken(RX, "no room");
	start_legacy(0);
	offer_space(0, 11);
	kick(RX);
	assert_int_equal(mock.buffers.count, 1);
}

static void buffer_in_too_many_pieces(void **state)
{
	(void)state;
	mock.backend.segments_max = 2;
	guest_desc(DESC(RX), 0, SPACE(0), 12, WRITE | NEXT, 1);
	guest_desc(DESC(RX), 1, SPACE(0), 12, WRITE | NEXT, 2);
	guest_desc(DESC(RX), 2, SPACE(0), 12, WRITE, 0);
	guest_offer(RX, SIZE, 0);
	assert_broken(RX, "too many pieces");
}

static void ends_after_a_break_count_for_nothing(void **state)
{
	(void)state;
	offer_frame(0, 60);
	offer_space(0, 100);
	kick(TX);
	kick(RX);
	guest_offer(TX, SIZE, 0xffff);
	kick(TX);
	assert_int_equal(reg_read(&net.device, STATUS), RUNNING | NEEDS_RESET);
	mock_net_end(&mock, &mock.frames, 0, IO_OK, 0);
	mock_net_end(&mock, &mock.buffers, 0, IO_OK, 60);
	mock_net_batch(&mock);
	assert_int_equal(guest_used_index(TX) + guest_used_index(RX), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(identity),
		TEST(offers_no_more_than_the_backend),
		TEST(starts_with_what_counts),
		TEST(frame_goes_in_place),
		TEST(header_in_any_pieces),
		TEST(header_is_read_once),
		TEST(headers),
		TEST(frames_of_wrong_length),
		TEST(frame_in_too_many_pieces),
		TEST(frames_end_in_any_order),
		TEST(backend_that_ends_at_once),
		TEST(busy_backend_gets_frames_later),
		TEST(no_more_than_the_slots),
		TEST(work_of_a_call_is_bounded),
		TEST(buffer_is_filled_in_place),
		TEST(buffers_keep_their_pieces_and_order),
		TEST(lengths_that_can_not_be),
		TEST(backend_that_takes_no_buffers),
		TEST(legacy_frames),
		TEST(legacy_buffers),
		TEST(legacy_merged_buffers_are_as_they_are),
		TEST(reset_gives_everything_up),
		TEST(queue_that_stops_gives_everything_up),
		TEST(late_ends_are_of_the_driver_before),
		TEST(late_end_without_a_new_driver),
		TEST(buffers_from_before_driver_ok),
		TEST(link_goes_down),
		TEST(writable_buffer_to_transmit),
		TEST(frame_shorter_than_its_header),
		TEST(readable_buffer_to_receive),
		TEST(buffer_without_room),
		TEST(buffer_in_too_many_pieces),
		TEST(ends_after_a_break_count_for_nothing),
	};

	return cmocka_run_group_tests_name("virtio_net", tests, NULL, NULL);
}
