/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue against good drivers, hostile ones, and memory that changes while it is read.
 */
#include "suite.h"
#include <pthread.h>
#include "mock_guest.h"
#include "watch.h"

#define SIZE  8u
#define EVENT ((uint32_t)VIRTIO_F_EVENT_IDX)
#define INDIR ((uint32_t)VIRTIO_F_INDIRECT_DESC)

static struct guest_memory memory;
static struct virtio_device device;
static struct virtqueue *const queue = &device.queue[0];
static struct virtio_segment segment[VIRTIO_QUEUE_SIZE_MAX];
static struct virtio_chain chain;
static unsigned int breaks;

/* The transport is not part of this suite. */
void virtio_break(struct virtio_device *broken)
{
	breaks++;
	broken->status |= VIRTIO_STATUS_NEEDS_RESET;
}

static void set_rings(uint64_t desc, uint64_t avail, uint64_t used, uint16_t size)
{
	uint64_t ring[3] = {desc, avail, used};
	unsigned int i;

	for (i = 0; i < 6; i++) {
		queue->address[i] = (uint32_t)(ring[i / 2] >> (i % 2 ? 32 : 0));
	}
	queue->size = size;
	queue->ready = false;
}

/* A running queue with empty rings and the features in @features. */
static void start(uint32_t features)
{
	memset(mock_at, 0, RAM_SIZE);
	memset(&device, 0, sizeof(device));
	memset(segment, 0xa5, sizeof(segment));
	memory = (struct guest_memory){RAM_BASE, RAM_SIZE, mock_at};
	device.memory = &memory;
	device.driver_features[0] = features;
	queue->device = &device;
	chain.segment = segment;
	breaks = 0;
	set_rings(DESC(0), AVAIL(0), USED(0), SIZE);
	assert_null(virtqueue_enable(queue));
	device.status = VIRTIO_STATUS_DRIVER_OK;
}

static int set_up(void **state)
{
	(void)state;
	start(0);
	return 0;
}

static void offer(uint16_t head)
{
	guest_offer(0, SIZE, head);
}

static void assert_broken(const char *part_of_sentence)
{
	assert_false(virtqueue_pop(queue, &chain));
	assert_int_equal(breaks, 1);
	assert_non_null(device.fault);
	if (!strstr(device.fault, part_of_sentence)) {
		fail_msg("\"%s\" does not say \"%s\"", device.fault, part_of_sentence);
	}
	/* And it stays that way, silently. */
	assert_false(virtqueue_pop(queue, &chain));
	virtqueue_push(queue, 0, 0);
	assert_int_equal(guest_used_index(0), queue->used_index);
	assert_false(virtqueue_should_notify(queue));
	assert_int_equal(breaks, 1);
}

static void assert_segment(unsigned int i, uint32_t ipa, uint32_t length)
{
	assert_ptr_equal(segment[i].at, guest_at(ipa));
	assert_int_equal(segment[i].length, length);
}

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
	device.status = VIRTIO_STATUS_FEATURES_OK;
	assert_false(virtqueue_pop(queue, &chain));
	virtqueue_push(queue, 0, 0);
	assert_int_equal(guest_used_index(0), 0);
	device.status = VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET;
	assert_false(virtqueue_pop(queue, &chain));
	device.status = VIRTIO_STATUS_DRIVER_OK;
	queue->ready = false;
	assert_false(virtqueue_pop(queue, &chain));
	queue->ready = true;
	assert_true(virtqueue_pop(queue, &chain));
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
		queue->used_index = queue->signalled = 0xfffe;
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

/* --- hostile drivers --- */

static void head_beyond_the_table(void **state)
{
	(void)state;
	offer(SIZE);
	assert_broken("beyond the table");
}

static void next_beyond_the_table(void **state)
{
	(void)state;
	guest_desc(DESC(0), 0, BUFFERS, 4, NEXT, 0xffff);
	offer(0);
	assert_broken("beyond the table");
}

static void chain_that_is_a_loop(void **state)
{
	(void)state;
	guest_desc(DESC(0), 0, BUFFERS, 4, NEXT, 1);
	guest_desc(DESC(0), 1, BUFFERS, 4, NEXT, 0);
	offer(0);
	assert_broken("loop");
	assert_int_equal(segment[SIZE].length, 0xa5a5a5a5);
}

static void descriptor_that_names_itself(void **state)
{
	(void)state;
	guest_desc(DESC(0), 7, BUFFERS, 4, NEXT, 7);
	offer(7);
	assert_broken("loop");
}

static void buffer_of_zero_bytes(void **state)
{
	(void)state;
	guest_desc(DESC(0), 0, BUFFERS, 4, NEXT, 1);
	guest_desc(DESC(0), 1, BUFFERS, 0, 0, 0);
	offer(0);
	assert_broken("zero bytes");
}

static void buffers_outside_of_ram(void **state)
{
	static const struct {
		uint64_t address;
		uint32_t length;
	} bad[] = {
		{RAM_BASE - 1,              1           },
		{RAM_BASE - 1,              2           },
		{RAM_END,                   1           },
		{RAM_END - 1,               2           },
		{RAM_BASE,                  RAM_SIZE + 1},
		{RAM_BASE,                  UINT32_MAX  },
		{0,			 1           },
		{UINT64_MAX,                1           },
		{UINT64_MAX,                UINT32_MAX  },
		{UINT64_MAX - 0xfff,        0x1000      },
		{UINT64_MAX - 0xfff,        0x2000      },
		{0x100000000ull,            1           },
		{0x100000000ull + RAM_BASE, 4           },
		{RAM_BASE + 1,              UINT32_MAX  },
		{UINT64_MAX - RAM_SIZE,     RAM_SIZE    },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(0);
		guest_desc(DESC(0), 0, bad[i].address, bad[i].length, WRITE, 0);
		offer(0);
		assert_broken("not in RAM");
	}
}

static void readable_behind_writable(void **state)
{
	(void)state;
	guest_desc(DESC(0), 0, BUFFERS, 4, NEXT | WRITE, 1);
	guest_desc(DESC(0), 1, BUFFERS, 4, 0, 0);
	offer(0);
	assert_broken("behind a device-writable");
}

static void available_index_too_far_ahead(void **state)
{
	unsigned int ahead;

	(void)state;
	for (ahead = SIZE + 1; ahead < 65536; ahead = ahead * 3 / 2) {
		start(0);
		guest_desc(DESC(0), 0, BUFFERS, 4, 0, 0);
		guest_store16(AVAIL(0) + 2, (uint16_t)ahead);
		assert_broken("ahead");
	}
	start(0);
	offer(0);
	guest_desc(DESC(0), 0, BUFFERS, 4, 0, 0);
	assert_true(virtqueue_pop(queue, &chain));
	guest_store16(AVAIL(0) + 2, 0); /* the index goes back */
	assert_broken("ahead");
}

/* Lengths are of a RAM of 3 GiB that is not there: nothing may touch it. */
static void total_of_four_gibibytes(void **state)
{
	(void)state;
	memory.size = 0xc0000000u;
	guest_desc(DESC(0), 0, RAM_BASE, 0x80000000u, NEXT, 1);
	guest_desc(DESC(0), 1, RAM_BASE, 0x7fffffffu, 0, 0);
	offer(0);
	assert_true(virtqueue_pop(queue, &chain));
	guest_desc(DESC(0), 1, RAM_BASE, 0x80000000u, 0, 0);
	offer(0);
	assert_broken("4 GiB");
}

/* --- indirect tables --- */

static void indirect_table(void **state)
{
	(void)state;
	start(INDIR);
	guest_desc(DESC(0), 2, TABLE(0) + 4, 3 * 16, INDIRECT, 9);
	guest_desc(TABLE(0) + 4, 0, BUFFERS, 10, NEXT, 2);
	guest_desc(TABLE(0) + 4, 2, BUFFERS + 10, 20, NEXT | WRITE, 1);
	guest_desc(TABLE(0) + 4, 1, BUFFERS + 30, 30, WRITE, 0);
	offer(2);
	assert_true(virtqueue_pop(queue, &chain));
	assert_int_equal(chain.head, 2);
	assert_int_equal(chain.count, 3);
	assert_int_equal(chain.readable, 1);
	assert_segment(0, BUFFERS, 10);
	assert_segment(1, BUFFERS + 10, 20);
	assert_segment(2, BUFFERS + 30, 30);
}

/* 2.7.5.3.2: chained descriptors before the table are fine; WRITE on the one that names it means
 * nothing. */
static void indirect_table_behind_direct_ones(void **state)
{
	(void)state;
	start(INDIR);
	guest_desc(DESC(0), 0, BUFFERS, 1, NEXT, 1);
	guest_desc(DESC(0), 1, TABLE(0), 16, INDIRECT | WRITE, 0);
	guest_desc(TABLE(0), 0, BUFFERS + 1, 2, 0, 0);
	offer(0);
	assert_true(virtqueue_pop(queue, &chain));
	assert_int_equal(chain.count, 2);
	assert_int_equal(chain.readable, 2);
	assert_segment(1, BUFFERS + 1, 2);
}

static void indirect_not_negotiated(void **state)
{
	(void)state;
	start(EVENT);
	guest_desc(DESC(0), 0, TABLE(0), 16, INDIRECT, 0);
	guest_desc(TABLE(0), 0, BUFFERS, 2, 0, 0);
	offer(0);
	assert_broken("not negotiated");
}

static void indirect_in_indirect(void **state)
{
	(void)state;
	start(INDIR);
	guest_desc(DESC(0), 0, TABLE(0), 32, INDIRECT, 0);
	guest_desc(TABLE(0), 0, BUFFERS, 2, NEXT, 1);
	guest_desc(TABLE(0), 1, TABLE(0), 32, INDIRECT, 0);
	offer(0);
	assert_broken("inside an indirect");
}

static void indirect_with_next(void **state)
{
	(void)state;
	start(INDIR);
	guest_desc(DESC(0), 0, TABLE(0), 16, INDIRECT | NEXT, 1);
	guest_desc(DESC(0), 1, BUFFERS, 2, 0, 0);
	offer(0);
	assert_broken("NEXT");
}

static void indirect_tables_that_cannot_be(void **state)
{
	static const struct {
		uint64_t address;
		uint32_t length;
		const char *sentence;
	} bad[] = {
		{TABLE(0),                  0,          "multiple of 16"},
		{TABLE(0),                  8,          "multiple of 16"},
		{TABLE(0),                  17,         "multiple of 16"},
		{TABLE(0),                  UINT32_MAX, "multiple of 16"},
		{TABLE(0) + 1,              16,         "aligned"       },
		{TABLE(0) + 2,              16,         "aligned"       },
		{RAM_END,                   16,         "not in RAM"    },
		{RAM_END - 16,              32,         "not in RAM"    },
		{RAM_BASE - 16,             32,         "not in RAM"    },
		{UINT64_MAX - 15,           16,         "not in RAM"    },
		{UINT64_MAX - 15,           0xfffffff0, "not in RAM"    },
		{TABLE(0),                  0xfffffff0, "not in RAM"    },
		{0x100000000ull + TABLE(0), 16,         "not in RAM"    },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(INDIR);
		guest_desc(DESC(0), 0, bad[i].address, bad[i].length, INDIRECT, 0);
		offer(0);
		assert_broken(bad[i].sentence);
	}
}

static void indirect_chain_leaves_its_table(void **state)
{
	(void)state;
	start(INDIR);
	guest_desc(DESC(0), 0, TABLE(0), 32, INDIRECT, 0);
	guest_desc(TABLE(0), 0, BUFFERS, 2, NEXT, 2);
	guest_desc(TABLE(0), 2, BUFFERS, 2, 0, 0);
	offer(0);
	assert_broken("beyond the table");
}

static void indirect_chain_longer_than_the_queue(void **state)
{
	unsigned int i;

	(void)state;
	start(INDIR);
	guest_desc(DESC(0), 0, TABLE(0), 16 * (SIZE + 1), INDIRECT, 0);
	for (i = 0; i <= SIZE; i++) {
		guest_desc(TABLE(0), i, BUFFERS, 1, i < SIZE ? NEXT : 0, i + 1);
	}
	offer(0);
	assert_broken("longer than the queue");
	assert_int_equal(segment[SIZE].length, 0xa5a5a5a5);
}

static void indirect_loop(void **state)
{
	(void)state;
	start(INDIR);
	guest_desc(DESC(0), 0, TABLE(0), 16, INDIRECT, 0);
	guest_desc(TABLE(0), 0, BUFFERS, 1, NEXT, 0);
	offer(0);
	assert_broken("loop");
}

/* --- memory that changes --- */

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
		{BUFFERS, RAM_END - 1, TABLE(0),       0         }, /* address, low */
		{0,       0,           0,              1         }, /* and high */
		{16,      1,           32,             UINT32_MAX}, /* length */
		{0,       WRITE,       NEXT | 1 << 16, INDIRECT  },
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
		device.status = VIRTIO_STATUS_DRIVER_OK;
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
		TEST(notify_unless_told_not_to),
		TEST(used_event_decides),
		TEST(used_event_wraps),
		TEST(avail_event_is_set_when_empty),
		TEST(head_beyond_the_table),
		TEST(next_beyond_the_table),
		TEST(chain_that_is_a_loop),
		TEST(descriptor_that_names_itself),
		TEST(buffer_of_zero_bytes),
		TEST(buffers_outside_of_ram),
		TEST(readable_behind_writable),
		TEST(available_index_too_far_ahead),
		TEST(total_of_four_gibibytes),
		TEST(indirect_table),
		TEST(indirect_table_behind_direct_ones),
		TEST(indirect_not_negotiated),
		TEST(indirect_in_indirect),
		TEST(indirect_with_next),
		TEST(indirect_tables_that_cannot_be),
		TEST(indirect_chain_leaves_its_table),
		TEST(indirect_chain_longer_than_the_queue),
		TEST(indirect_loop),
#ifdef WATCH_WORKS
		TEST(descriptors_are_read_once),
		TEST(indirect_descriptors_are_read_once),
		TEST(available_ring_is_read_once),
		TEST(used_entry_comes_before_the_index),
		TEST(buffer_that_races_with_avail_event_is_found),
#endif
		TEST(every_chain_under_a_race_lies_in_ram),
	};

	return cmocka_run_group_tests_name("virtqueue", tests, NULL, NULL);
}
