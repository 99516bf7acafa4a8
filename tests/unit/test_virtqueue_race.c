/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue on memory that changes while it is read. */
#include <pthread.h>
#include "mock_queue.h"
#include "watch.h"

#ifdef WATCH_WORKS

static void spoil(unsigned int offset)
{
	/* What was read is worse at once: a second look would find an address outside, a loop, a
	 * huge length. */
	mock_at[DESC(0) - RAM_BASE + offset] ^= 0xff;
}

static void descriptors_are_read_once(void **state)
{
	unsigned int i;

	(void)state;
	guest_desc(DESC(0), 2, BUFFERS, 16, NEXT, 4);
	guest_desc(DESC(0), 4, BUFFERS + 16, 32, NEXT | WRITE, 6);
	guest_desc(DESC(0), 6, BUFFERS + 48, 64, WRITE, 0);
	offer(2);
	watch_begin(guest_at(DESC(0)), spoil);
	assert_true(virtqueue_pop(queue, &chain));
	watch_end();
	assert_int_equal(chain.count, 3);
	assert_int_equal(chain.readable, 1);
	assert_segment(0, BUFFERS, 16);
	assert_segment(1, BUFFERS + 16, 32);
	assert_segment(2, BUFFERS + 48, 64);
	for (i = 0; i < 16 * SIZE; i++) {
		unsigned int desc = i / 16;

		assert_int_equal(watch.count[i],
				 i % 4 == 0 && (desc == 2 || desc == 4 || desc == 6));
	}
}

static void spoil_table(unsigned int offset)
{
	mock_at[TABLE(0) - RAM_BASE + offset] ^= 0xff;
}

static void indirect_descriptors_are_read_once(void **state)
{
	unsigned int i;

	(void)state;
	start(INDIR);
	guest_desc(DESC(0), 0, TABLE(0), 32, INDIRECT, 0);
	guest_desc(TABLE(0), 0, BUFFERS, 16, NEXT, 1);
	guest_desc(TABLE(0), 1, BUFFERS + 16, 32, WRITE, 0);
	offer(0);
	watch_begin(guest_at(TABLE(0)), spoil_table);
	assert_true(virtqueue_pop(queue, &chain));
	watch_end();
	assert_int_equal(chain.count, 2);
	assert_segment(0, BUFFERS, 16);
	assert_segment(1, BUFFERS + 16, 32);
	for (i = 0; i < 48; i++) {
		assert_int_equal(watch.count[i], i % 4 == 0 && i < 32);
	}
}

static void spoil_avail(unsigned int offset)
{
	mock_at[AVAIL(0) - RAM_BASE + offset] ^= 0xff;
}

static void available_ring_is_read_once(void **state)
{
	unsigned int i;

	(void)state;
	guest_desc(DESC(0), 6, BUFFERS, 16, 0, 0);
	offer(6);
	watch_begin(guest_at(AVAIL(0)), spoil_avail);
	assert_true(virtqueue_pop(queue, &chain));
	watch_end();
	assert_int_equal(chain.head, 6);
	assert_segment(0, BUFFERS, 16);
	for (i = 0; i < 64; i++) {
		assert_int_equal(watch.count[i], i == 2 || i == 4);
	}
}

static unsigned int used_order[64], used_stores;

static void note_used(unsigned int offset)
{
	used_order[used_stores++ % 64] = offset;
	/* A guest that writes into the used ring spoils its own view, never ours. */
	memset(mock_at + (USED(0) - RAM_BASE), 0xee, 4 + 8 * SIZE);
}

/* The entry is stored before the index, and nothing is ever read from the used ring. */
static void used_entry_comes_before_the_index(void **state)
{
	(void)state;
	virtqueue_push(queue, 1, 1);
	used_stores = 0;
	watch_begin(guest_at(USED(0)), note_used);
	virtqueue_push(queue, 2, 3);
	watch_end();
	assert_int_equal(used_stores, 3);
	assert_true(used_order[0] >= 12 && used_order[1] >= 12);
	assert_int_equal(used_order[2], 0);
	virtqueue_push(queue, 4, 5);
	assert_int_equal(guest_load32(USED(0)), 3u << 16);
}

static void offer_behind_the_event(unsigned int offset)
{
	/* The driver makes a buffer available just before it could see the new avail_event. */
	if (offset == 4 + 8 * SIZE) {
		offer(0);
	}
}

static void buffer_that_races_with_avail_event_is_found(void **state)
{
	(void)state;
	start(EVENT);
	guest_desc(DESC(0), 0, BUFFERS, 16, 0, 0);
	watch_begin(guest_at(USED(0)), offer_behind_the_event);
	assert_true(virtqueue_pop(queue, &chain));
	watch_end();
	assert_int_equal(chain.head, 0);
}

#endif

static volatile int racing;

/* Rewrites the ring as fast as it can, with good and bad contents mixed. */
static void *racer(void *unused)
{
	static const uint32_t values[4][4] = {
		{BUFFERS, RAM_END - 1, TABLE(0), 0}, /* address, low */
		{0, 0, 0, 1},                        /* and high */
		{16, 1, 32, UINT32_MAX},             /* length */
		{0, WRITE, NEXT | 1 << 16, INDIRECT},
	};
	uint32_t seed = 1;

	(void)unused;
	while (racing) {
		uint32_t which = (seed >> 8) % (4 * SIZE);
		volatile uint32_t *word = guest_at(DESC(0) + 4 * which);

		*word = values[which % 4][seed >> 30];
		seed = seed * 1664525 + 1013904223;
	}
	return NULL;
}

static void assert_segments_in_ram(void)
{
	unsigned int i;

	for (i = 0; i < chain.count; i++) {
		uint64_t from = (uint64_t)(segment[i].at - mock_at);

		assert_true(from < RAM_SIZE && segment[i].length <= RAM_SIZE - from);
		assert_int_not_equal(segment[i].length, 0);
	}
}

/* Until both kinds were seen; how soon depends on the machine, so there is an end to it. */
static void every_chain_under_a_race_lies_in_ram(void **state)
{
	unsigned int i, good = 0, bad = 0;
	pthread_t thread;

	(void)state;
	start(INDIR);
	guest_desc(TABLE(0), 0, BUFFERS, 16, 0, 0);
	racing = 1;
	assert_int_equal(pthread_create(&thread, NULL, racer, NULL), 0);
	for (i = 0; i < 3000000 && (i < 300000 || good == 0 || bad == 0); i++) {
		device.live = true;
		queue->last_avail = guest_load16(AVAIL(0) + 2);
		offer((uint16_t)(i % SIZE));
		if (virtqueue_pop(queue, &chain)) {
			good++;
			assert_segments_in_ram();
		} else {
			bad++;
		}
	}
	racing = 0;
	pthread_join(thread, NULL);
	print_message("%u chains were good, %u bad\n", good, bad);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef WATCH_WORKS
		TEST(descriptors_are_read_once),
		TEST(indirect_descriptors_are_read_once),
		TEST(available_ring_is_read_once),
		TEST(used_entry_comes_before_the_index),
		TEST(buffer_that_races_with_avail_event_is_found),
#endif
		TEST(every_chain_under_a_race_lies_in_ram),
	};

	return cmocka_run_group_tests_name("virtqueue_race", tests, NULL, NULL);
}
