/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue against good drivers: set-up, chains, the used ring, event indices. */
#include "mock_queue.h"

/* --- enabling --- */

static void assert_refused(uint64_t desc, uint64_t avail, uint64_t used, const char *ring)
{
	const char *sentence;

	set_rings(desc, avail, used, SIZE);
	sentence = virtqueue_enable(queue);
	assert_non_null(sentence);
	assert_non_null(strstr(sentence, ring));
	assert_false(queue->ready);
}

static void enable_wants_a_size(void **state)
{
	(void)state;
	set_rings(DESC(0), AVAIL(0), USED(0), 0);
	assert_non_null(strstr(virtqueue_enable(queue), "QueueNum"));
	assert_false(queue->ready);
}

static void enable_wants_alignment(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 1; i < 16; i++) {
		assert_refused(DESC(0) + i, AVAIL(0), USED(0), "descriptor table");
	}
	assert_refused(DESC(0), AVAIL(0) + 1, USED(0), "available ring");
	for (i = 1; i < 4; i++) {
		assert_refused(DESC(0), AVAIL(0), USED(0) + i, "used ring");
	}
}

static void enable_wants_whole_rings_in_ram(void **state)
{
	static const uint64_t nowhere[] = {0,
					   RAM_BASE - 16,
					   RAM_END,
					   0x140000000ull,
					   0xfffffffffffffff0ull,
					   0x8000000000000000ull,
					   0xffffffff0ull,
					   RAM_END - 16};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		assert_refused(nowhere[i], AVAIL(0), USED(0), "descriptor table");
		assert_refused(DESC(0), nowhere[i], USED(0), "available ring");
		assert_refused(DESC(0), AVAIL(0), nowhere[i], "used ring");
	}
}

static void enable_takes_rings_that_just_fit(void **state)
{
	const uint32_t avail = 6 + 2 * SIZE, used = 6 + 8 * SIZE;

	(void)state;
	set_rings(RAM_END - 16 * SIZE, RAM_END - avail, RAM_END - used - 2, SIZE);
	assert_null(virtqueue_enable(queue));
	assert_refused(RAM_END - 16 * SIZE + 16, AVAIL(0), USED(0), "descriptor table");
	assert_refused(DESC(0), RAM_END - avail + 2, USED(0), "available ring");
	assert_refused(DESC(0), AVAIL(0), RAM_END - used + 2, "used ring");
}

/* --- good drivers --- */

static void nothing_available(void **state)
{
	(void)state;
	assert_false(virtqueue_pop(queue, &chain));
	assert_false(virtqueue_should_notify(queue));
	assert_int_equal(breaks, 0);
}

static void one_readable_buffer(void **state)
{
	(void)state;
	guest_desc(DESC(0), 5, BUFFERS + 3, 77, 0, 0);
	offer(5);
	assert_true(virtqueue_pop(queue, &chain));
	assert_int_equal(chain.head, 5);
	assert_int_equal(chain.count, 1);
	assert_int_equal(chain.readable, 1);
	assert_segment(0, BUFFERS + 3, 77);
	assert_false(virtqueue_pop(queue, &chain));
	assert_int_equal(breaks, 0);
}

static void readable_then_writable(void **state)
{
	(void)state;
	guest_desc(DESC(0), 1, BUFFERS, 16, NEXT, 7);
	guest_desc(DESC(0), 7, RAM_BASE, 1, NEXT, 0);
	guest_desc(DESC(0), 0, RAM_END - 512, 512, NEXT | WRITE, 2);
	guest_desc(DESC(0), 2, RAM_END - 1, 1, WRITE, 0xffff);
	offer(1);
	assert_true(virtqueue_pop(queue, &chain));
	assert_int_equal(chain.count, 4);
	assert_int_equal(chain.readable, 2);
	assert_segment(0, BUFFERS, 16);
	assert_segment(1, RAM_BASE, 1);
	assert_segment(2, RAM_END - 512, 512);
	assert_segment(3, RAM_END - 1, 1);
}

static void chain_as_long_as_the_queue(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < SIZE; i++) {
		guest_desc(DESC(0), i, BUFFERS + i, 1, i < SIZE - 1 ? NEXT : 0, i + 1);
	}
	offer(0);
	assert_true(virtqueue_pop(queue, &chain));
	assert_int_equal(chain.count, SIZE);
	/* Nothing behind the array's used part was touched. */
	assert_int_equal(segment[SIZE].length, 0xa5a5a5a5);
}

static void full_ring_is_taken_in_order(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < SIZE; i++) {
		guest_desc(DESC(0), i, BUFFERS, i + 1, 0, 0);
		offer((uint16_t)(SIZE - 1 - i));
	}
	for (i = 0; i < SIZE; i++) {
		assert_true(virtqueue_pop(queue, &chain));
		assert_int_equal(chain.head, SIZE - 1 - i);
		assert_int_equal(segment[0].length, SIZE - i);
	}
	assert_false(virtqueue_pop(queue, &chain));
}

/* The old port had no barrier here; a test sees only the order, and that flags stay 0. */
static void used_ring_and_both_indices_wrap(void **state)
{
	unsigned int i;

	(void)state;
	guest_desc(DESC(0), 3, BUFFERS, 4, WRITE, 0);
	for (i = 0; i < 3 * 65536 / 2 + 5; i++) {
		offer(3);
		assert_true(virtqueue_pop(queue, &chain));
		assert_int_equal(guest_used_index(0), i & 0xffff);
		virtqueue_push(queue, chain.head, i);
		assert_int_equal(guest_used_index(0), (i + 1) & 0xffff);
		assert_int_equal(guest_load16(USED(0)), 0);
		assert_int_equal(guest_used_id(0, i % SIZE), 3);
		assert_int_equal(guest_used_length(0, i % SIZE), i);
	}
	/* Nothing behind the last entry. */
	assert_int_equal(guest_load32(USED(0) + 4 + 8 * SIZE), 0);
}

static void only_a_running_queue_works(void **state)
{
	(void)state;
	guest_desc(DESC(0), 0, BUFFERS, 4, 0, 0);
	offer(0);
	device.live = false;
	assert_false(virtqueue_pop(queue, &chain));
	virtqueue_push(queue, 0, 0);
	assert_int_equal(guest_used_index(0), 0);
	device.live = true;
	queue->ready = false;
	assert_false(virtqueue_pop(queue, &chain));
	queue->ready = true;
	assert_true(virtqueue_pop(queue, &chain));
}

/* What a backend still had comes back to the driver, but nothing is taken any more. */
static void draining_queue_gives_back_only(void **state)
{
	(void)state;
	guest_desc(DESC(0), 0, BUFFERS, 4, 0, 0);
	offer(0);
	offer(0);
	assert_true(virtqueue_pop(queue, &chain));
	device.draining = true;
	assert_false(virtqueue_running(queue));
	assert_false(virtqueue_pop(queue, &chain));
	virtqueue_push(queue, 0, 0);
	assert_int_equal(guest_used_index(0), 1);
	assert_true(virtqueue_should_notify(queue));
	device.draining = false;
	assert_true(virtqueue_pop(queue, &chain));
}

static void chains_that_are_not_started_come_again(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		guest_desc(DESC(0), i, BUFFERS, i + 1, 0, 0);
		offer((uint16_t)i);
		assert_true(virtqueue_pop(queue, &chain));
	}
	virtqueue_unpop(queue, &chain);
	virtqueue_unpop(queue, &(struct virtio_chain){.head = 1, .segment = segment});
	virtqueue_push(queue, 0, 0);
	for (i = 1; i < 3; i++) {
		assert_true(virtqueue_pop(queue, &chain));
		assert_int_equal(chain.head, i);
		assert_segment(0, BUFFERS, i + 1);
	}
	assert_false(virtqueue_pop(queue, &chain));
	device.live = false;
	virtqueue_unpop(queue, &chain);
	device.live = true;
	assert_false(virtqueue_pop(queue, &chain));
}

static void notify_unless_told_not_to(void **state)
{
	(void)state;
	virtqueue_push(queue, 0, 0);
	assert_true(virtqueue_should_notify(queue));
	assert_false(virtqueue_should_notify(queue));
	guest_store16(AVAIL(0), 1);
	virtqueue_push(queue, 0, 0);
	assert_false(virtqueue_should_notify(queue));
	/* used_event means nothing without its feature. */
	guest_store16(AVAIL(0), 0);
	guest_store16(AVAIL(0) + 4 + 2 * SIZE, 0x7777);
	virtqueue_push(queue, 0, 0);
	assert_true(virtqueue_should_notify(queue));
}

/* --- event indices --- */

static void set_used_event(uint16_t event)
{
	guest_store16(AVAIL(0) + 4 + 2 * SIZE, event);
}

static void used_event_decides(void **state)
{
	unsigned int i, told = 0;

	(void)state;
	start(EVENT);
	set_used_event(2);          /* tell me when the third is there */
	guest_store16(AVAIL(0), 1); /* the flag means nothing now */
	for (i = 0; i < 6; i++) {
		virtqueue_push(queue, 0, 0);
		told += virtqueue_should_notify(queue);
		assert_int_equal(told, i >= 2);
	}
	set_used_event(8);
	for (i = 6; i < 12; i++) { /* one batch across the event */
		virtqueue_push(queue, 0, 0);
	}
	assert_true(virtqueue_should_notify(queue));
}

/* All 65536 places of the event, with a batch of 3 that wraps, against what the words of 2.7.10
 * say. */
static void used_event_wraps(void **state)
{
	unsigned int event, i;

	(void)state;
	start(EVENT);
	for (event = 0; event < 65536; event++) {
		queue->used_index = 0xfffe;
		for (i = 0; i < 3; i++) {
			virtqueue_push(queue, 0, 0);
		}
		set_used_event((uint16_t)event);
		assert_int_equal(virtqueue_should_notify(queue),
				 event == 0xfffe || event == 0xffff || event == 0);
	}
}

static void avail_event_is_set_when_empty(void **state)
{
	const uint32_t avail_event = USED(0) + 4 + 8 * SIZE;
	unsigned int i;

	(void)state;
	start(EVENT);
	guest_store16(avail_event, 0x5555);
	guest_desc(DESC(0), 0, BUFFERS, 4, 0, 0);
	for (i = 0; i < 3; i++) {
		offer(0);
	}
	for (i = 0; i < 3; i++) {
		assert_true(virtqueue_pop(queue, &chain));
		assert_int_equal(guest_load16(avail_event), 0x5555);
	}
	assert_false(virtqueue_pop(queue, &chain));
	assert_int_equal(guest_load16(avail_event), 3);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(enable_wants_a_size),
		TEST(enable_wants_alignment),
		TEST(enable_wants_whole_rings_in_ram),
		TEST(enable_takes_rings_that_just_fit),
		TEST(nothing_available),
		TEST(one_readable_buffer),
		TEST(readable_then_writable),
		TEST(chain_as_long_as_the_queue),
		TEST(full_ring_is_taken_in_order),
		TEST(used_ring_and_both_indices_wrap),
		TEST(only_a_running_queue_works),
		TEST(draining_queue_gives_back_only),
		TEST(chains_that_are_not_started_come_again),
		TEST(notify_unless_told_not_to),
		TEST(used_event_decides),
		TEST(used_event_wraps),
		TEST(avail_event_is_set_when_empty),
	};

	return cmocka_run_group_tests_name("virtqueue", tests, NULL, NULL);
}
