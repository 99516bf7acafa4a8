/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio console from the driver to the backend: full backends, missing buffers, resets, wrong
 * buffers. */
#include "mock_transport.h"
#include "drivers/virtio/console.h"
#include "mock_char.h"

#define SIZE 8u
#define RX   0u
#define TX   1u

#define TEXT(desc)  (BUFFERS + 0x1000u * (desc))
#define SPACE(desc) (BUFFERS + 0x10000u + 0x1000u * (desc))

static struct guest_memory memory = {RAM_BASE, RAM_SIZE, mock_ram};
static struct virtio_console console;
static struct mock_char mock;

static int set_up(void **state)
{
	(void)state;
	mock_char_init(&mock);
	mock_line = false;
	memset(&console, 0xa5, sizeof(console));
	virtio_console_init(&console, &mock.backend,
			    &(struct virtio_place){.memory = &memory, .irq = mock_irq});
	driver_start(&console.device, VIRTIO_F_INDIRECT_DESC, SIZE);
	assert_int_equal(reg_read(&console.device, STATUS), RUNNING);
	mock_line_rose = 0;
	return 0;
}

static void size_of_the_terminal(void **state)
{
	(void)state;
	assert_int_equal(bus_read(&console.device, CONFIG, 2), 80);
	assert_int_equal(bus_read(&console.device, CONFIG + 2, 2), 24);
	virtio_console_events.resized(&console, 50, 132);
	assert_int_equal(mock_line_rose, 1);
	assert_int_equal(reg_read(&console.device, INTERRUPT_STATUS), VIRTIO_INTERRUPT_CONFIG);
	assert_int_equal(bus_read(&console.device, CONFIG, 4), 50 << 16 | 132);
	assert_int_equal(bus_read(&console.device, CONFIG + 4, 4), 0);
	reg_write(&console.device, INTERRUPT_ACK, VIRTIO_INTERRUPT_CONFIG);
	virtio_console_events.resized(&console, 50, 132); /* as before: no news */
	assert_int_equal(mock_line_rose, 1);
}

static void kick(uint32_t queue)
{
	reg_write(&console.device, QUEUE_NOTIFY, queue);
}

/* Puts @text into a buffer of its own and makes it available, in one descriptor. */
static void offer_text(uint16_t desc, const char *text)
{
	uint32_t at = TEXT(desc);

	memcpy(guest_at(at), text, strlen(text));
	guest_desc(DESC(TX), desc, at, (uint32_t)strlen(text), 0, 0);
	guest_offer(TX, SIZE, desc);
}

static void offer_space(uint16_t desc, uint32_t length)
{
	guest_desc(DESC(RX), desc, SPACE(desc), length, WRITE, 0);
	guest_offer(RX, SIZE, desc);
}

static void assert_sent(const char *text)
{
	assert_int_equal(mock.out_length, strlen(text));
	assert_memory_equal(mock.out, text, strlen(text));
}

static void feed(const char *text)
{
	mock_char_feed(&mock, text, strlen(text));
	virtio_console_events.readable(&console);
}

static void assert_received(uint32_t entry, uint16_t desc, const char *text)
{
	assert_int_equal(guest_used_id(RX, entry), desc);
	assert_int_equal(guest_used_length(RX, entry), strlen(text));
	assert_memory_equal(guest_at(SPACE(desc)), text, strlen(text));
}

static bool interrupted(void)
{
	bool was = reg_read(&console.device, INTERRUPT_STATUS) & VIRTIO_INTERRUPT_USED;

	assert_int_equal(mock_line, was);
	reg_write(&console.device, INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	assert_false(mock_line);
	return was;
}

static void identity(void **state)
{
	(void)state;
	assert_int_equal(reg_read(&console.device, DEVICE_ID), 3);
	assert_int_equal(reg_read(&console.device, QUEUE_NUM_MAX), VIRTIO_CONSOLE_QUEUE_SIZE);
	reg_write(&console.device, QUEUE_SEL, 2);
	assert_int_equal(reg_read(&console.device, QUEUE_NUM_MAX), 0);
}

/* --- transmit --- */

static void line_of_text(void **state)
{
	(void)state;
	offer_text(2, "Hello, world\n");
	assert_sent("");
	kick(TX);
	assert_sent("Hello, world\n");
	assert_int_equal(guest_used_index(TX), 1);
	assert_int_equal(guest_used_id(TX, 0), 2);
	assert_int_equal(guest_used_length(TX, 0), 0);
	assert_true(interrupted());
}

static void batch_makes_one_interrupt(void **state)
{
	(void)state;
	offer_text(0, "one ");
	offer_text(1, "two ");
	offer_text(2, "three");
	kick(TX);
	assert_sent("one two three");
	assert_int_equal(guest_used_index(TX), 3);
	assert_int_equal(mock_line_rose, 1);
	assert_true(interrupted());
	kick(TX);
	assert_false(interrupted());
}

static void text_in_several_descriptors(void **state)
{
	(void)state;
	memcpy(guest_at(BUFFERS), "abcdef", 6);
	guest_desc(DESC(TX), 3, BUFFERS, 2, NEXT, 0);
	guest_desc(DESC(TX), 0, BUFFERS + 2, 1, NEXT, 1);
	guest_desc(DESC(TX), 1, TABLE(TX), 32, INDIRECT, 0);
	guest_desc(TABLE(TX), 0, BUFFERS + 3, 1, NEXT, 1);
	guest_desc(TABLE(TX), 1, BUFFERS + 4, 2, 0, 0);
	guest_offer(TX, SIZE, 3);
	kick(TX);
	assert_sent("abcdef");
	assert_int_equal(guest_used_id(TX, 0), 3);
}

/* Room comes back one byte at a time: nothing is lost, repeated, or completed too early. */
static void backend_that_is_full(void **state)
{
	static const char text[] = "The quick brown fox jumps";
	unsigned int i;

	(void)state;
	mock.room = 0;
	memcpy(guest_at(BUFFERS), text, 4);
	memcpy(guest_at(BUFFERS + 0x100), text + 4, 6);
	guest_desc(DESC(TX), 0, BUFFERS, 4, NEXT, 1);
	guest_desc(DESC(TX), 1, BUFFERS + 0x100, 6, 0, 0);
	guest_offer(TX, SIZE, 0);
	offer_text(2, text + 10);
	kick(TX);
	for (i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(mock.out_length, i);
		assert_int_equal(guest_used_index(TX), i >= 10 ? 1 : 0);
		assert_int_equal(interrupted(), i == 10);
		kick(TX); /* an impatient driver changes nothing */
		mock.room = 1;
		virtio_console_events.writable(&console);
	}
	assert_sent(text);
	assert_int_equal(guest_used_index(TX), 2);
	assert_true(interrupted());
	mock.room = 100;
	virtio_console_events.writable(&console);
	assert_sent(text);
	assert_false(interrupted());
}

/* What the chain was when it was taken counts; the driver's later scribbles on its descriptors do
 * not. */
static void pending_chain_is_not_read_again(void **state)
{
	(void)state;
	mock.room = 2;
	offer_text(0, "pending");
	kick(TX);
	guest_desc(DESC(TX), 0, 0, UINT32_MAX, NEXT, 0xffff);
	guest_store16(AVAIL(TX) + 4, 0x7777);
	mock.room = 100;
	virtio_console_events.writable(&console);
	assert_sent("pending");
	assert_int_equal(guest_used_id(TX, 0), 0);
	assert_int_equal(reg_read(&console.device, STATUS), RUNNING);
}

static void reset_forgets_what_is_pending(void **state)
{
	(void)state;
	mock.room = 2;
	offer_text(0, "pending");
	kick(TX);
	reg_write(&console.device, STATUS, 0);
	mock.room = 100;
	virtio_console_events.writable(&console);
	assert_sent("pe");
	driver_start(&console.device, 0, SIZE);
	virtio_console_events.writable(&console);
	assert_sent("pe");
	offer_text(0, "ace");
	kick(TX);
	assert_sent("peace");
	assert_int_equal(guest_used_index(TX), 1);
}

static void stopped_queue_sends_no_more(void **state)
{
	(void)state;
	mock.room = 2;
	offer_text(0, "pending");
	kick(TX);
	reg_write(&console.device, QUEUE_SEL, TX);
	reg_write(&console.device, QUEUE_READY, 0);
	mock.room = 100;
	virtio_console_events.writable(&console);
	assert_sent("pe");
	assert_int_equal(guest_used_index(TX), 0);
}

static void broken_device_sends_no_more(void **state)
{
	(void)state;
	mock.room = 2;
	offer_text(0, "pending");
	kick(TX);
	guest_offer(RX, SIZE, 0xffff);
	feed("x");
	assert_int_equal(reg_read(&console.device, STATUS), RUNNING | NEEDS_RESET);
	mock.room = 100;
	virtio_console_events.writable(&console);
	assert_sent("pe");
}

static void offer_one_more(void)
{
	guest_offer(TX, SIZE, 0);
}

/*
 * Another processor adds a buffer whenever one is sent: the call ends all the same. With EVENT_IDX
 * there is no notification for what is left, and the driver wants no interrupt.
 */
static void work_of_a_call_is_bounded(void **state)
{
	(void)state;
	driver_start(&console.device, VIRTIO_F_EVENT_IDX, SIZE);
	guest_store16(AVAIL(TX) + 4 + 2 * SIZE, 0x7fff);
	offer_text(0, "x");
	mock.on_write = offer_one_more;
	kick(TX);
	assert_int_equal(mock.out_length, VIRTIO_CONSOLE_QUEUE_SIZE);
	assert_int_equal(guest_used_index(TX), VIRTIO_CONSOLE_QUEUE_SIZE);
	mock.on_write = NULL;
	assert_true(interrupted()); /* and acknowledged */
	assert_int_equal(guest_used_index(TX), VIRTIO_CONSOLE_QUEUE_SIZE + 1);
	assert_false(interrupted());
}

/* Nor is a backend that is never full kept busy by one call. What is left goes on by interrupt. */
static void bytes_of_a_call_are_bounded(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		((uint8_t *)guest_at(BUFFERS))[i] = (uint8_t)(i * 7 / 5);
	}
	guest_desc(DESC(TX), 0, BUFFERS, 5000, NEXT, 1);
	guest_desc(DESC(TX), 1, BUFFERS + 5000, 15000, 0, 0);
	guest_offer(TX, SIZE, 0);
	mock.room = 1 << 20;
	kick(TX);
	for (i = 1; i < 10; i++) {
		assert_int_equal(mock.out_length, i * 2048);
		assert_int_equal(guest_used_index(TX), 0);
		assert_true(mock_line);
		reg_write(&console.device, INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	}
	assert_int_equal(mock.out_length, 20000);
	assert_memory_equal(mock.out, guest_at(BUFFERS), 20000);
	assert_int_equal(guest_used_index(TX), 1);
	assert_true(interrupted());
	assert_false(interrupted());
}

/* --- receive --- */

static void typed_text(void **state)
{
	(void)state;
	offer_space(0, 4096);
	kick(RX);
	assert_int_equal(guest_used_index(RX), 0);
	feed("ls\n");
	assert_int_equal(guest_used_index(RX), 1);
	assert_received(0, 0, "ls\n");
	assert_true(interrupted());
	assert_int_equal(mock.in_length, 0);
}

static void text_waits_for_buffers(void **state)
{
	(void)state;
	feed("abcdefgh");
	assert_int_equal(mock.in_length, 8);
	assert_false(interrupted());
	offer_space(1, 3);
	kick(RX);
	assert_received(0, 1, "abc");
	assert_int_equal(mock.in_length, 5);
	assert_true(interrupted());
	offer_space(2, 3);
	offer_space(3, 3);
	offer_space(4, 3);
	kick(RX);
	assert_received(1, 2, "def");
	assert_received(2, 3, "gh");
	assert_int_equal(guest_used_index(RX), 3); /* the fourth stays with us */
	feed("i");
	assert_received(3, 4, "i");
}

static void text_over_several_descriptors(void **state)
{
	(void)state;
	guest_desc(DESC(RX), 0, SPACE(0), 2, WRITE | NEXT, 1);
	guest_desc(DESC(RX), 1, SPACE(0) + 2, 2, WRITE | NEXT, 2);
	guest_desc(DESC(RX), 2, SPACE(0) + 4, 2, WRITE, 0);
	guest_offer(RX, SIZE, 0);
	feed("12345");
	assert_received(0, 0, "12345");
	assert_int_equal(*(uint8_t *)guest_at(SPACE(0) + 5), 0);
}

static void type_more(void)
{
	mock_char_feed(&mock, "456", 3);
	mock.on_read = NULL;
}

/* Bytes that come while a chain is filled must not leave a hole in it. */
static void text_that_comes_meanwhile(void **state)
{
	(void)state;
	guest_desc(DESC(RX), 0, SPACE(0), 4, WRITE | NEXT, 1);
	guest_desc(DESC(RX), 1, SPACE(0) + 4, 4, WRITE, 0);
	guest_offer(RX, SIZE, 0);
	offer_space(2, 8);
	mock.on_read = type_more;
	feed("123");
	assert_received(0, 0, "123");
	assert_received(1, 2, "456");
}

static void buffers_from_before_driver_ok(void **state)
{
	(void)state;
	reg_write(&console.device, STATUS, 0);
	memset(mock_ram, 0, sizeof(mock_ram));
	feed("early");
	driver_negotiate(&console.device, VIRTIO_F_VERSION_1);
	driver_queue(&console.device, RX, SIZE);
	driver_queue(&console.device, TX, SIZE);
	offer_space(0, 100);
	offer_text(0, "late");
	kick(RX);
	kick(TX);
	virtio_console_events.readable(&console);
	virtio_console_events.writable(&console);
	assert_int_equal(guest_used_index(RX), 0);
	assert_sent("");
	reg_write(&console.device, STATUS, RUNNING);
	assert_received(0, 0, "early");
	assert_sent("late");
}

static void receives_when_the_driver_is_there(void **state)
{
	(void)state;
	assert_true(virtio_console_receives(&console));
	reg_write(&console.device, QUEUE_SEL, RX);
	reg_write(&console.device, QUEUE_READY, 0);
	assert_false(virtio_console_receives(&console));
	driver_start(&console.device, 0, SIZE);
	assert_true(virtio_console_receives(&console));
	virtio_break(&console.device);
	assert_false(virtio_console_receives(&console));
	driver_negotiate(&console.device, VIRTIO_F_VERSION_1);
	driver_queue(&console.device, RX, SIZE);
	assert_false(virtio_console_receives(&console));
}

/* --- hostile drivers --- */

static void assert_broken(const char *part_of_sentence)
{
	assert_int_equal(reg_read(&console.device, STATUS), RUNNING | NEEDS_RESET);
	assert_int_equal(reg_read(&console.device, INTERRUPT_STATUS) & VIRTIO_INTERRUPT_CONFIG,
			 VIRTIO_INTERRUPT_CONFIG);
	assert_true(mock_line);
	assert_non_null(strstr(console.device.fault, part_of_sentence));
	/* And it can be mended. */
	driver_start(&console.device, 0, SIZE);
	assert_null(console.device.fault);
	offer_text(0, "mended");
	mock.out_length = 0;
	kick(TX);
	assert_sent("mended");
}

static void writable_buffer_to_transmit(void **state)
{
	(void)state;
	offer_text(0, "first ");
	guest_desc(DESC(TX), 1, BUFFERS, 4, NEXT, 2);
	guest_desc(DESC(TX), 2, BUFFERS, 4, WRITE, 0);
	guest_offer(TX, SIZE, 1);
	kick(TX);
	assert_sent("first ");
	assert_broken("writable buffer in the console's transmit queue");
}

static void readable_buffer_to_receive(void **state)
{
	(void)state;
	guest_desc(DESC(RX), 1, BUFFERS, 4, NEXT, 2);
	guest_desc(DESC(RX), 2, BUFFERS, 4, WRITE, 0);
	guest_offer(RX, SIZE, 1);
	feed("x");
	assert_int_equal(guest_used_index(RX), 0);
	assert_int_equal(mock.in_length, 1); /* the next driver gets it */
	assert_broken("readable buffer in the console's receive queue");
}

static void broken_ring_stops_only_this_device(void **state)
{
	(void)state;
	guest_store16(AVAIL(TX) + 2, SIZE + 1);
	kick(TX);
	assert_sent("");
	assert_broken("ahead");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(identity),
		TEST(line_of_text),
		TEST(batch_makes_one_interrupt),
		TEST(text_in_several_descriptors),
		TEST(backend_that_is_full),
		TEST(pending_chain_is_not_read_again),
		TEST(reset_forgets_what_is_pending),
		TEST(stopped_queue_sends_no_more),
		TEST(broken_device_sends_no_more),
		TEST(work_of_a_call_is_bounded),
		TEST(bytes_of_a_call_are_bounded),
		TEST(typed_text),
		TEST(text_waits_for_buffers),
		TEST(text_over_several_descriptors),
		TEST(text_that_comes_meanwhile),
		TEST(buffers_from_before_driver_ok),
		TEST(receives_when_the_driver_is_there),
		TEST(writable_buffer_to_transmit),
		TEST(readable_buffer_to_receive),
		TEST(broken_ring_stops_only_this_device),
		TEST(size_of_the_terminal),
	};

	return cmocka_run_group_tests_name("virtio_console", tests, NULL, NULL);
}
