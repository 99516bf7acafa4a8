/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of the virtqueues' accesses, which no run on one machine shows: each atomic access and
 * fence is noted with its order, and a driver on another core acts in the middle of it.
 */
#include "suite.h"
#include "drivers/lock.h"
#include "drivers/virtio/ring.h"

enum { LOAD, STORE, FENCE };

static struct {
	int kind, order;
} seen[8];
static unsigned int seen_count;
static void (*meanwhile)(int kind); /* the driver, before a store or at a fence; NULL: it sleeps */

static void note(int kind, int order)
{
	assert_true(seen_count < sizeof(seen) / sizeof(seen[0]));
	seen[seen_count].kind = kind;
	seen[seen_count++].order = order;
	if (meanwhile != NULL && kind != LOAD) {
		meanwhile(kind);
	}
}

#define __atomic_load_n(at, order)         (note(LOAD, order), *(at))
#define __atomic_store_n(at, value, order) (note(STORE, order), (void)(*(at) = (value)))
#define __atomic_thread_fence(order)       note(FENCE, order)

#include "drivers/virtio/queue.c"
#include "drivers/virtio/split.c"
#define chain_walk  packed_chain_walk
#define avail_rearm packed_avail_rearm
#include "drivers/virtio/packed.c"
#undef __atomic_load_n
#undef __atomic_store_n
#include "mock_queue.h"

static void assert_seen(unsigned int at, int kind, int order)
{
	assert_true(at < seen_count);
	assert_int_equal(seen[at].kind, kind);
	assert_int_equal(seen[at].order, order);
}

/* There is nothing to take at first, and the driver's chain at the second look. */
static void assert_looks_again(void)
{
	assert_true(virtqueue_pop(queue, &chain));
	assert_int_equal(seen_count, 3);
	assert_seen(0, LOAD, __ATOMIC_ACQUIRE);
	assert_seen(1, FENCE, __ATOMIC_SEQ_CST);
	assert_seen(2, LOAD, __ATOMIC_ACQUIRE);
}

/* The driver hears of the chain, and asks for no interrupt at the last moment. */
static void assert_pushes(uint16_t head, uint32_t written)
{
	virtqueue_push(queue, head, written);
	assert_false(virtqueue_should_notify(queue));
	assert_int_equal(seen_count, 2);
	assert_seen(0, STORE, __ATOMIC_RELEASE);
	assert_seen(1, FENCE, __ATOMIC_SEQ_CST);
}

static void begin(void (*driver)(int kind), bool packed)
{
	start(EVENT);
	if (packed) {
		device.driver_features[1] = (uint32_t)(VIRTIO_F_RING_PACKED >> 32);
		set_rings(DESC(0), AVAIL(0), USED(0), SIZE);
		assert_null(virtqueue_enable(queue));
	}
	seen_count = 0;
	meanwhile = driver;
}

static void offer_buffer(void)
{
	guest_desc(DESC(0), 0, BUFFERS, 16, 0, 0);
	offer(0);
}

static void offer_packed(void)
{
	guest_desc(DESC(0), 0, BUFFERS, 16, 7, DESC_AVAIL);
}

/* It had looked at avail_event before that was written, and so does not notify. */
static void offers_late(int kind)
{
	assert_int_equal(kind, FENCE);
	assert_int_equal(guest_load16(USED(0) + 4 + 8 * SIZE), 0xbeef);
	offer_buffer();
}

static void split_looks_again(void **state)
{
	(void)state;
	begin(offers_late, false);
	queue->last_avail = 0xbeef;
	guest_store16(AVAIL(0) + 2, 0xbeef);
	guest_desc(DESC(0), 0, BUFFERS, 16, 0, 0);
	assert_looks_again();
}

static void offers_packed_late(int kind)
{
	assert_int_equal(kind, FENCE);
	assert_int_equal(guest_load32(USED(0)), EVENT_DESC << EVENT_FLAGS | 1u << EVENT_WRAP);
	offer_packed();
}

static void packed_looks_again(void **state)
{
	(void)state;
	begin(offers_packed_late, true);
	assert_looks_again();
}

/* It sees the index: then also the entry; and while it does, it asks for no interrupt. */
static void sees_used(int kind)
{
	if (kind == STORE) {
		assert_int_equal(guest_load32(USED(0) + 4), 3);
		assert_int_equal(guest_load32(USED(0) + 8), 16);
		assert_int_equal(guest_load16(USED(0) + 2), 0);
	} else {
		assert_int_equal(guest_load16(USED(0) + 2), 1);
		guest_store16(AVAIL(0) + 4 + 2 * SIZE, 1);
	}
}

static void split_entry_before_index_before_wish(void **state)
{
	(void)state;
	begin(sees_used, false);
	assert_pushes(3, 16);
}

static void sees_used_packed(int kind)
{
	const uint32_t done = DESC_AVAIL | DESC_USED | DESC_WRITE;

	if (kind == STORE) {
		assert_int_equal(guest_load32(DESC(0) + 8), 12);
		assert_int_equal(guest_load16(DESC(0) + 14), DESC_AVAIL);
	} else {
		assert_int_equal(guest_load32(DESC(0) + 12), 7 | done << 16);
		guest_store16(AVAIL(0) + 2, EVENT_DISABLE);
	}
}

static void packed_length_before_flags_before_wish(void **state)
{
	(void)state;
	begin(NULL, true);
	offer_packed();
	assert_true(virtqueue_pop(queue, &chain));
	meanwhile = sees_used_packed;
	seen_count = 0;
	assert_pushes(chain.head, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_looks_again),
		cmocka_unit_test(packed_looks_again),
		cmocka_unit_test(split_entry_before_index_before_wish),
		cmocka_unit_test(packed_length_before_flags_before_wish),
	};

	return cmocka_run_group_tests_name("virtqueue_order", tests, NULL, NULL);
}
