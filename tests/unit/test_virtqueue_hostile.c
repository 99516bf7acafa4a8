/* SPDX-License-Identifier: BSD-2-Clause */
/* The split virtqueue against drivers that break the rules, with and without indirect tables. */
#include "mock_queue.h"

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
		{RAM_BASE - 1, 1},
		{RAM_BASE - 1, 2},
		{RAM_END, 1},
		{RAM_END - 1, 2},
		{RAM_BASE, RAM_SIZE + 1},
		{RAM_BASE, UINT32_MAX},
		{0, 1},
		{UINT64_MAX, 1},
		{UINT64_MAX, UINT32_MAX},
		{UINT64_MAX - 0xfff, 0x1000},
		{UINT64_MAX - 0xfff, 0x2000},
		{0x100000000ull, 1},
		{0x100000000ull + RAM_BASE, 4},
		{RAM_BASE + 1, UINT32_MAX},
		{UINT64_MAX - RAM_SIZE, RAM_SIZE},
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
		{TABLE(0), 0, "multiple of 16"},
		{TABLE(0), 8, "multiple of 16"},
		{TABLE(0), 17, "multiple of 16"},
		{TABLE(0), UINT32_MAX, "multiple of 16"},
		{TABLE(0) + 1, 16, "aligned"},
		{TABLE(0) + 2, 16, "aligned"},
		{RAM_END, 16, "not in RAM"},
		{RAM_END - 16, 32, "not in RAM"},
		{RAM_BASE - 16, 32, "not in RAM"},
		{UINT64_MAX - 15, 16, "not in RAM"},
		{UINT64_MAX - 15, 0xfffffff0, "not in RAM"},
		{TABLE(0), 0xfffffff0, "not in RAM"},
		{0x100000000ull + TABLE(0), 16, "not in RAM"},
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

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests_name("virtqueue_hostile", tests, NULL, NULL);
}
