/* SPDX-License-Identifier: BSD-2-Clause */
/* A network card whose frames come back: through the queues, into buffers of any form. */
#include "mock_transport.h"
#include "drivers/net/loopback.h"
#include "drivers/virtio/net.h"

#define SIZE 16u
#define RX   0u
#define TX   1u

#define TEXT(desc)  (BUFFERS + 0x1000u * (desc))
#define SPACE(desc) (BUFFERS + 0x10000u + 0x1000u * (desc))

static const uint8_t mac[NET_MAC] = {2, 0, 0, 0, 0, 7};
static struct guest_memory memory = {RAM_BASE, RAM_SIZE, mock_ram};
static struct virtio_net net;
static struct net_loopback loopback;
static struct spinlock lock;

static int set_up(void **state)
{
	(void)state;
	mock_line = false;
	memset(&loopback, 0xa5, sizeof(loopback));
	memset(&lock, 0, sizeof(lock));
	net_loopback_init(&loopback, mac);
	virtio_net_init(&net, &loopback.backend,
			&(struct virtio_place){.memory = &memory, .irq = mock_irq, .lock = &lock});
	driver_start(&net.device, 0, SIZE);
	return 0;
}

static void locked_write(uint32_t offset, uint32_t value)
{
	spin_lock(&lock);
	reg_write(&net.device, offset, value);
	spin_unlock(&lock);
}

static void send(uint16_t desc, uint32_t length)
{
	uint32_t i;

	memset(guest_at(TEXT(desc)), 0, NET_HEADER);
	for (i = 0; i < length; i++) {
		*(uint8_t *)guest_at(TEXT(desc) + NET_HEADER + i) = (uint8_t)(desc + 5 * i + 1);
	}
	guest_desc(DESC(TX), desc, TEXT(desc), NET_HEADER + length, 0, 0);
	guest_offer(TX, SIZE, desc);
	locked_write(QUEUE_NOTIFY, TX);
}

static void space(uint16_t desc, uint32_t length)
{
	guest_desc(DESC(RX), desc, SPACE(desc), length, WRITE, 0);
	guest_offer(RX, SIZE, desc);
	locked_write(QUEUE_NOTIFY, RX);
}

static void run(void)
{
	net_loopback_run(&loopback);
	assert_int_equal(lock.owner, lock.next);
	assert_int_equal(loopback.lock.owner, loopback.lock.next);
}

static void assert_received(uint32_t entry, uint32_t head, uint32_t length)
{
	assert_true(guest_used_index(RX) > entry);
	assert_int_equal(guest_used_id(RX, entry), head);
	assert_int_equal(guest_used_length(RX, entry), length);
}

/* @count bytes at @at are those from @from on of frame @desc. */
static void assert_bytes(uint32_t at, uint16_t desc, uint32_t from, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		assert_int_equal(*(uint8_t *)guest_at(at + i),
				 (uint8_t)(desc + 5 * (from + i) + 1));
	}
}

static void frame_comes_back(void **state)
{
	(void)state;
	assert_int_equal(bus_read(&net.device, CONFIG + 5, 1), 7);
	assert_int_equal(bus_read(&net.device, CONFIG + 6, 2), 1);
	space(3, 1526);
	send(0, 100);
	assert_int_equal(guest_used_index(TX), 1);
	assert_int_equal(guest_used_index(RX), 0);
	run();
	assert_received(0, 3, 112);
	assert_bytes(SPACE(3) + NET_HEADER, 0, 0, 100);
	assert_int_equal(guest_load16(SPACE(3) + 10), 1);
	assert_int_equal(loopback.frames, 1);
	assert_int_equal(loopback.copied, 100);
	run();
	assert_int_equal(guest_used_index(RX), 1);
}

static void frames_keep_their_order(void **state)
{
	uint16_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		space(i, 1526);
	}
	for (i = 0; i < 5; i++) {
		send((uint16_t)(4 - i), 60 + i);
	}
	run();
	for (i = 0; i < 5; i++) {
		assert_received(i, i, NET_HEADER + 60 + i);
		assert_bytes(SPACE(i) + NET_HEADER, (uint16_t)(4 - i), 0, 60 + i);
	}
}

static void pieces_of_all_sizes(void **state)
{
	static const uint32_t cuts[] = {1, 10, 2, 30, 7, 100};
	uint32_t at = SPACE(0);
	unsigned int i;

	(void)state;
	for (i = 0; i < 6; i++) {
		guest_desc(DESC(RX), i, at, cuts[i], WRITE | (i < 5 ? NEXT : 0), i + 1);
		at += cuts[i];
	}
	guest_offer(RX, SIZE, 0);
	locked_write(QUEUE_NOTIFY, RX);
	send(1, 138);
	run();
	assert_received(0, 0, 150);
	assert_int_equal(guest_load16(SPACE(0) + 10), 1);
	assert_bytes(SPACE(0) + NET_HEADER, 1, 0, 138);
}

static void nowhere_to_go(void **state)
{
	(void)state;
	send(0, 100);
	space(0, 111);
	space(1, 111);
	send(1, 100);
	run();
	assert_int_equal(guest_used_index(TX), 2);
	assert_int_equal(guest_used_index(RX), 0);
	assert_int_equal(loopback.dropped, 2);
	assert_int_equal(loopback.copied, 0);
	send(2, 99); /* for which the buffer is still there */
	run();
	assert_received(0, 0, 111);
}

static void merged_buffers(void **state)
{
	(void)state;
	driver_start(&net.device, NET_F_MRG_RXBUF, SIZE);
	space(0, 50);
	space(1, 13);
	space(2, 1000);
	space(3, 50);
	send(0, 100);
	send(1, 20);
	run();
	assert_received(0, 0, 50);
	assert_received(1, 1, 13);
	assert_received(2, 2, 49);
	assert_received(3, 3, 32);
	assert_int_equal(guest_load16(SPACE(0) + 10), 3);
	assert_bytes(SPACE(0) + NET_HEADER, 0, 0, 38);
	assert_bytes(SPACE(1), 0, 38, 13);
	assert_bytes(SPACE(2), 0, 51, 49);
	assert_int_equal(guest_load16(SPACE(3) + 10), 1);
	assert_bytes(SPACE(3) + NET_HEADER, 1, 0, 20);
	space(4, 100);
	send(2, 100); /* what is there does not suffice, and stays */
	assert_int_equal(loopback.dropped, 1);
	send(3, 88);
	run();
	assert_received(4, 4, 100);
}

/* The driver names one memory for both directions, shifted. */
static void frame_over_itself(void **state)
{
	(void)state;
	guest_desc(DESC(RX), 0, TEXT(0) + 6, 200, WRITE, 0);
	guest_offer(RX, SIZE, 0);
	locked_write(QUEUE_NOTIFY, RX);
	send(0, 100);
	run();
	assert_received(0, 0, 112);
}

static void reset_forgets_buffers(void **state)
{
	(void)state;
	space(0, 200);
	space(1, 200);
	send(0, 100);
	locked_write(STATUS, 0);
	driver_start(&net.device, 0, SIZE);
	run();
	assert_int_equal(guest_used_index(RX), 0);
	space(2, 200);
	send(1, 50);
	run();
	assert_received(0, 2, 62);
}

/* The card has no more slots; the ring does not rely on that. */
static void no_more_than_the_ring(void **state)
{
	static uint8_t bytes[200];
	const struct io_segment segment = {bytes, sizeof(bytes)};
	struct io_request request = {NULL};
	struct net_backend *backend = &loopback.backend;
	unsigned int i;

	(void)state;
	for (i = 0; i < NET_LOOPBACK_BUFFERS; i++) {
		assert_int_equal(backend->ops->receive(backend, &request, &segment, 1), IO_PENDING);
	}
	assert_int_equal(backend->ops->receive(backend, &request, &segment, 1), IO_BUSY);
	assert_int_equal(backend->ops->stop(backend), NET_LOOPBACK_BUFFERS);
	assert_int_equal(backend->ops->receive(backend, &request, &segment, 1), IO_PENDING);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frame_comes_back),      TEST(frames_keep_their_order),
		TEST(pieces_of_all_sizes),   TEST(nowhere_to_go),
		TEST(merged_buffers),        TEST(frame_over_itself),
		TEST(reset_forgets_buffers), TEST(no_more_than_the_ring),
	};

	return cmocka_run_group_tests_name("net_loopback", tests, NULL, NULL);
}
