/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed virtqueue against good drivers and bad ones, and on memory that changes meanwhile. */
#include "mock_queue.h"
#include "watch.h"

#define RING        DESC(0)
#define DRIVER_AREA AVAIL(0)
#define DEVICE_AREA USED(0)
#define AVAIL_BIT   0x0080u
#define USED_BIT    0x8000u
#define ODD         5u /* a size that is no power of two */

/* Where the driver is, in descriptors from the start. */
static unsigned int next, size;

static void start_packed(uint32_t features, uint16_t entries)
{
	start(features);
	device.driver_features[1] = (uint32_t)(VIRTIO_F_RING_PACKED >> 32);
	set_rings(RING, DRIVER_AREA, DEVICE_AREA, entries);
	assert_null(virtqueue_enable(queue));
	assert_true(queue->ready);
	size = entries;
	next = 0;
}

static int set_up_packed(void **state)
{
	(void)state;
	start_packed(INDIR | EVENT, ODD);
	return 0;
}

static unsigned int wrap_of(unsigned int place)
{
	return (place / size + 1) & 1;
}

static void put(uint32_t at, uint64_t address, uint32_t length, uint32_t id, uint32_t flags)
{
	guest_desc(at, 0, address, length, id, flags);
}

/* Makes the next descriptor available. */
static void offer_next(uint64_t address, uint32_t length, uint32_t id, uint32_t flags)
{
	flags |= wrap_of(next) ? AVAIL_BIT : USED_BIT;
	put(RING + 16 * (next++ % size), address, length, id, flags);
}

static uint16_t pop_one(void)
{
	assert_true(virtqueue_pop(queue, &chain));
	return chain.head;
}

static void assert_used(unsigned int place, uint32_t id, uint32_t length)
{
	uint32_t at = RING + 16 * (place % size);

	assert_int_equal(guest_load16(at + 12), id);
	assert_int_equal(guest_load32(at + 8), length);
	assert_int_equal(guest_load16(at + 14),
			 (wrap_of(place) ? AVAIL_BIT | USED_BIT : 0) | (length ? WRITE : 0));
}

static void assert_refused(const char *part_of_sentence)
{
	assert_false(virtqueue_pop(queue, &chain));
	assert_int_equal(breaks, 1);
	if (!strstr(device.fault, part_of_sentence)) {
		fail_msg("\"%s\" does not say \"%s\"", device.fault, part_of_sentence);
	}
}

/* --- enabling --- */

static void rings_that_cannot_be(void **state)
{
	static const struct {
		uint64_t ring, driver, device;
	} bad[] = {
		{RING + 8, DRIVER_AREA, DEVICE_AREA},
		{RING, DRIVER_AREA + 2, DEVICE_AREA},
		{RING, DRIVER_AREA, DEVICE_AREA + 2},
		{RAM_END - 64, DRIVER_AREA, DEVICE_AREA},
		{RING, RAM_END, DEVICE_AREA},
		{RING, DRIVER_AREA, RAM_BASE - 4},
		{RING + (1ull << 32), DRIVER_AREA, DEVICE_AREA},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set_rings(bad[i].ring, bad[i].driver, bad[i].device, ODD);
		assert_non_null(virtqueue_enable(queue));
		assert_false(queue->ready);
	}
	set_rings(RAM_END - 16 * ODD, RAM_END - 4, RAM_BASE, ODD);
	assert_null(virtqueue_enable(queue));
}

/* --- good drivers --- */

static void chain_of_two(void **state)
{
	(void)state;
	assert_false(virtqueue_pop(queue, &chain));
	offer_next(BUFFERS, 16, 0xdead, NEXT);
	offer_next(BUFFERS + 16, 32, 0xbeef, WRITE);
	pop_one();
	assert_int_equal(chain.count, 2);
	assert_int_equal(chain.readable, 1);
	assert_int_equal(chain.length, 48);
	assert_segment(0, BUFFERS, 16);
	assert_segment(1, BUFFERS + 16, 32);
	assert_false(virtqueue_pop(queue, &chain));
	virtqueue_push(queue, chain.head, 7);
	assert_used(0, 0xbeef, 7); /* the last descriptor's ID counts */
	assert_int_equal(guest_load16(RING + 16 + 12), 0xbeef);
	offer_next(BUFFERS, 4, 3, 0); /* and the next used one is two further */
	virtqueue_push(queue, pop_one(), 0);
	assert_used(2, 3, 0);
	assert_int_equal(breaks, 0);
}

static void wrap_counters_through_many_laps(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		unsigned int used = next;

		offer_next(BUFFERS, 1, i, i % 3 ? NEXT : 0);
		if (i % 3) {
			assert_true(size > 1);
			offer_next(BUFFERS, 2, i, 0);
		}
		virtqueue_push(queue, pop_one(), i);
		assert_used(used, i, i);
		assert_false(virtqueue_pop(queue, &chain));
	}
	assert_int_equal(breaks, 0);
}

static void chain_as_long_as_the_ring(void **state)
{
	unsigned int lap, i;

	(void)state;
	for (lap = 0; lap < 3; lap++) {
		for (i = 0; i < ODD; i++) {
			offer_next(BUFFERS + i, 1, 9, i < ODD - 1 ? NEXT : 0);
		}
		pop_one();
		assert_int_equal(chain.count, ODD);
		virtqueue_push(queue, chain.head, 0);
		assert_used(lap * ODD, 9, 0);
	}
	assert_int_equal(segment[ODD].length, 0xa5a5a5a5);
}

/* A used descriptor may stand where another chain's begins that the device still has. */
static void completion_in_any_order(void **state)
{
	uint16_t head[3];

	(void)state;
	offer_next(BUFFERS, 1, 10, 0);
	offer_next(BUFFERS, 1, 11, NEXT);
	offer_next(BUFFERS, 1, 11, 0);
	offer_next(BUFFERS, 1, 12, 0);
	head[0] = pop_one();
	head[1] = pop_one();
	head[2] = pop_one();
	virtqueue_push(queue, head[2], 3);
	assert_used(0, 12, 3);
	virtqueue_push(queue, head[1], 2);
	assert_used(1, 11, 2);
	virtqueue_push(queue, head[0], 1);
	assert_used(3, 10, 1);
}

static void chains_that_are_not_started_come_again(void **state)
{
	unsigned int lap;
	struct virtio_chain first;

	(void)state;
	for (lap = 0; lap < 20; lap++) {
		unsigned int used = next;

		offer_next(BUFFERS, 1, 1, 0);
		offer_next(BUFFERS, 2, 2, NEXT);
		offer_next(BUFFERS, 3, 2, 0);
		pop_one();
		first = chain;
		pop_one();
		virtqueue_unpop(queue, &chain);
		assert_int_equal(pop_one(), chain.head);
		assert_int_equal(segment[0].length, 2);
		virtqueue_unpop(queue, &chain);
		virtqueue_unpop(queue, &first);
		virtqueue_push(queue, pop_one(), 5);
		assert_used(used, 1, 5);
		virtqueue_push(queue, pop_one(), 6);
		assert_used(used + 1, 2, 6);
		assert_int_equal(queue->held, 0);
	}
}

static void indirect_table(void **state)
{
	(void)state;
	offer_next(TABLE(0) + 4, 48, 77, INDIRECT | WRITE);
	put(TABLE(0) + 4, BUFFERS, 10, 5, NEXT);
	put(TABLE(0) + 20, BUFFERS + 10, 20, 6, 0);
	put(TABLE(0) + 36, BUFFERS + 30, 30, 7, WRITE);
	pop_one();
	assert_int_equal(chain.count, 3);
	assert_int_equal(chain.readable, 2);
	assert_segment(2, BUFFERS + 30, 30);
	virtqueue_push(queue, chain.head, 1);
	assert_used(0, 77, 1);
	offer_next(BUFFERS, 1, 1, 0);
	virtqueue_push(queue, pop_one(), 0);
	assert_used(1, 1, 0);
}

/* --- notifications --- */

static void set_event(uint32_t place, uint16_t flags)
{
	guest_store16(DRIVER_AREA, (uint16_t)(place % size | wrap_of(place) << 15));
	guest_store16(DRIVER_AREA + 2, flags);
}

static void use(unsigned int count)
{
	while (count-- > 0) {
		offer_next(BUFFERS, 1, 0, 0);
		virtqueue_push(queue, pop_one(), 0);
	}
}

static void interrupts_on_and_off(void **state)
{
	(void)state;
	assert_false(virtqueue_should_notify(queue));
	use(1);
	assert_true(virtqueue_should_notify(queue));
	assert_false(virtqueue_should_notify(queue));
	set_event(0, 1);
	use(1);
	assert_false(virtqueue_should_notify(queue));
	start_packed(0, ODD);
	set_event(3, 2); /* events without their feature */
	use(1);
	assert_true(virtqueue_should_notify(queue));
}

/* The event at each place around batches of each length, from each start. */
static void interrupt_at_an_event(void **state)
{
	unsigned int from, batch, event;

	(void)state;
	for (from = 0; from < 3 * ODD; from++) {
		for (batch = 1; batch <= ODD; batch++) {
			for (event = from; event < from + ODD; event++) {
				start_packed(EVENT, ODD);
				use(from);
				virtqueue_should_notify(queue);
				use(batch);
				set_event(event, 2);
				assert_int_equal(virtqueue_should_notify(queue),
						 event < from + batch);
			}
		}
	}
}

static void asks_for_a_notification_when_empty(void **state)
{
	unsigned int place;

	(void)state;
	for (place = 0; place < 3 * ODD; place++) {
		assert_false(virtqueue_pop(queue, &chain));
		assert_int_equal(guest_load16(DEVICE_AREA), place % ODD | wrap_of(place) << 15);
		assert_int_equal(guest_load16(DEVICE_AREA + 2), 2);
		use(1);
	}
	start_packed(0, ODD);
	guest_store16(DEVICE_AREA + 2, 1);
	assert_false(virtqueue_pop(queue, &chain));
	assert_int_equal(guest_load32(DEVICE_AREA), 0);
}

/* --- hostile drivers --- */

static void loop_around_the_ring(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ODD; i++) {
		offer_next(BUFFERS, 1, 0, NEXT);
	}
	assert_refused("more descriptors than the queue holds");
	assert_int_equal(segment[ODD].length, 0xa5a5a5a5);
}

/* Descriptors that the device has can't be made available again. */
static void more_than_the_ring(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ODD; i++) {
		offer_next(BUFFERS, 1, 0, 0);
		pop_one();
	}
	offer_next(BUFFERS, 1, 0, 0);
	assert_refused("more descriptors than the queue holds");
}

static void bad_descriptors(void **state)
{
	static const struct {
		uint64_t address;
		uint32_t length, flags;
		const char *sentence;
	} bad[] = {
		{BUFFERS, 0, 0, "zero bytes"},
		{RAM_END - 1, 2, WRITE, "not in RAM"},
		{UINT64_MAX, UINT32_MAX, 0, "not in RAM"},
		{TABLE(0), 16, INDIRECT | NEXT, "NEXT"},
		{TABLE(0), 24, INDIRECT, "multiple of 16"},
		{TABLE(0), 0, INDIRECT, "multiple of 16"},
		{TABLE(0) + 2, 16, INDIRECT, "aligned"},
		{RAM_END - 16, 32, INDIRECT, "not in RAM"},
		{TABLE(0), 16 * (ODD + 1), INDIRECT, "longer than the queue"},
		{TABLE(0), 0xfffffff0, INDIRECT, "not in RAM"},
		{TABLE(0) + 0x100, 16, INDIRECT, "inside an indirect"},
		{TABLE(0) + 0x200, 32, INDIRECT, "behind a device-writable"},
	};
	unsigned int i, k;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start_packed(INDIR, ODD);
		for (k = 0; k <= ODD; k++) {
			put(TABLE(0) + 16 * k, BUFFERS, 1, 0, 0);
		}
		put(TABLE(0) + 0x100, TABLE(0), 16, 0, INDIRECT);
		put(TABLE(0) + 0x200, BUFFERS, 1, 0, WRITE);
		put(TABLE(0) + 0x210, BUFFERS, 1, 0, 0);
		offer_next(bad[i].address, bad[i].length, 0, bad[i].flags);
		assert_refused(bad[i].sentence);
		virtqueue_push(queue, 0, 1); /* nothing happens any more */
		virtqueue_unpop(queue, &chain);
		assert_int_equal(queue->last_avail | queue->used_index | queue->held, 0);
	}
}

static void table_at_the_end_of_a_chain(void **state)
{
	(void)state;
	offer_next(BUFFERS, 1, 0, NEXT);
	offer_next(TABLE(0), 16, 0, INDIRECT);
	put(TABLE(0), BUFFERS, 1, 0, 0);
	assert_refused("a chain");
	start_packed(EVENT, ODD);
	offer_next(TABLE(0), 16, 0, INDIRECT);
	assert_refused("not negotiated");
}

#ifdef WATCH_WORKS

static unsigned int order[8], accesses;

/* What was read is worse at once. */
static void spoil(unsigned int offset)
{
	order[accesses++ % 8] = offset;
	mock_at[RING - RAM_BASE + offset] ^= 0xff;
}

static void descriptors_are_read_once_and_flags_first(void **state)
{
	static const unsigned int expected[] = {12, 0, 4, 8, 28, 16, 20, 24};

	(void)state;
	offer_next(BUFFERS, 16, 1, NEXT);
	offer_next(BUFFERS + 16, 32, 2, WRITE);
	accesses = 0;
	watch_begin(guest_at(RING), spoil);
	assert_true(virtqueue_pop(queue, &chain));
	watch_end();
	assert_int_equal(accesses, 8);
	assert_memory_equal(order, expected, sizeof(expected));
	assert_segment(0, BUFFERS, 16);
	assert_segment(1, BUFFERS + 16, 32);
}

static void note(unsigned int offset)
{
	order[accesses++ % 8] = offset;
}

static void flags_are_written_last(void **state)
{
	(void)state;
	offer_next(BUFFERS, 16, 1, 0);
	pop_one();
	accesses = 0;
	watch_begin(guest_at(RING), note);
	virtqueue_push(queue, chain.head, 3);
	watch_end();
	assert_int_equal(accesses, 2);
	assert_int_equal(order[0], 8);
	assert_int_equal(order[1], 12);
}

static void offer_behind_the_event(unsigned int offset)
{
	(void)offset;
	offer_next(BUFFERS, 16, 1, 0);
}

static void buffer_that_races_with_the_event_is_found(void **state)
{
	(void)state;
	watch_begin(guest_at(DEVICE_AREA), offer_behind_the_event);
	assert_true(virtqueue_pop(queue, &chain));
	watch_end();
	assert_int_equal(next, 1);
}

#endif

#define TEST(name) cmocka_unit_test_setup(name, set_up_packed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rings_that_cannot_be),
		TEST(chain_of_two),
		TEST(wrap_counters_through_many_laps),
		TEST(chain_as_long_as_the_ring),
		TEST(completion_in_any_order),
		TEST(chains_that_are_not_started_come_again),
		TEST(indirect_table),
		TEST(interrupts_on_and_off),
		TEST(interrupt_at_an_event),
		TEST(asks_for_a_notification_when_empty),
		TEST(loop_around_the_ring),
		TEST(more_than_the_ring),
		TEST(bad_descriptors),
		TEST(table_at_the_end_of_a_chain),
#ifdef WATCH_WORKS
		TEST(descriptors_are_read_once_and_flags_first),
		TEST(flags_are_written_last),
		TEST(buffer_that_races_with_the_event_is_found),
#endif
	};

	return cmocka_run_group_tests_name("virtqueue_packed", tests, NULL, NULL);
}
