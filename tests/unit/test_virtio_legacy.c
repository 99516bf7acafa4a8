/* SPDX-License-Identifier: BSD-2-Clause */
/* The legacy virtio transport, version 1 (virtio 1.2 4.2.4): its registers and what its drivers do.
 */
#include "mock_model.h"

enum {
	GUEST_PAGE_SIZE = 0x028,
	QUEUE_ALIGN = 0x03c,
	QUEUE_PFN = 0x040,
};

#define PAGE      4096u
#define PFN(n)    (RINGS(n) / PAGE)
#define LEGACY_OK (ACKNOWLEDGE | DRIVER | DRIVER_OK)
#define OFFERED                                                                                    \
	((uint32_t)(MODEL_FEATURES | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | 1u << 27))

static unsigned int starts;

static void note_start(struct virtio_device *started)
{
	assert_ptr_equal(started, &device);
	assert_false(started->live);
	starts++;
}

static struct virtio_model legacy_model;

static int set_up_legacy(void **state)
{
	set_up(state);
	legacy_model = model;
	legacy_model.started = note_start;
	place.legacy = true;
	virtio_init(&device, &legacy_model, &place, queues, QUEUES, MODEL_FEATURES);
	resets = 0;
	starts = 0;
	return 0;
}

static void legacy_queue(uint32_t n, uint32_t size)
{
	wr(QUEUE_SEL, n);
	wr(QUEUE_NUM, size);
	wr(QUEUE_ALIGN, PAGE);
	wr(QUEUE_PFN, PFN(n));
}

/* Everything but DRIVER_OK. */
static void prepare(void)
{
	memset(mock_ram, 0, sizeof(mock_ram));
	wr(STATUS, 0);
	wr(STATUS, ACKNOWLEDGE);
	wr(STATUS, ACKNOWLEDGE | DRIVER);
	wr(GUEST_PAGE_SIZE, PAGE);
	legacy_queue(0, QUEUE_SIZE);
	legacy_queue(1, QUEUE_SIZE);
	memset(notifies, 0, sizeof(notifies));
	resets = 0;
}

static void start_legacy(void)
{
	prepare();
	wr(STATUS, LEGACY_OK);
	assert_int_equal(rd(STATUS), LEGACY_OK);
	memset(notifies, 0, sizeof(notifies));
}

static void registers(void **state)
{
	uint32_t offset;

	(void)state;
	assert_false(virtio_is_modern(&device));
	assert_int_equal(rd(MAGIC), 0x74726976);
	assert_int_equal(rd(VERSION), 1);
	assert_int_equal(rd(DEVICE_ID), 42);
	assert_memory_equal(&(uint32_t){rd(VENDOR_ID)}, "bivy", 4);
	assert_int_equal(rd(QUEUE_NUM_MAX), QUEUE_SIZE);
	virtio_config_changed(&device);
	start_legacy();
	for (offset = 0; offset < CONFIG; offset += 4) { /* what version 2 has */
		if (offset == QUEUE_READY || offset >= QUEUE_DESC) {
			wr(offset, 0);
			wr(offset, 1);
			assert_int_equal(rd(offset), 0);
		}
	}
	assert_int_equal(rd(STATUS), LEGACY_OK);
	assert_true(virtqueue_running(&queues[0]));
	assert_int_equal(bus_read(&device, CONFIG + 2, 2), 0x4433);
}

static void features(void **state)
{
	(void)state;
	assert_int_equal(rd(DEVICE_FEATURES), OFFERED);
	wr(DEVICE_FEATURES_SEL, 1);
	assert_int_equal(rd(DEVICE_FEATURES), 0);
	driver_features(&device, UINT64_MAX);
	assert_int_equal(device.driver_features[0], OFFERED);
	assert_int_equal(device.driver_features[1], 0);
	driver_features(&device, VIRTIO_F_EVENT_IDX);
	assert_int_equal(device.driver_features[0], VIRTIO_F_EVENT_IDX);
	start_legacy();
	driver_features(&device, UINT64_MAX);
	assert_int_equal(device.driver_features[0], 0);
	virtio_break(&device);
	driver_features(&device, UINT64_MAX);
	assert_int_equal(device.driver_features[0], 0);
}

/* There is no FEATURES_OK, and DRIVER_OK needs nothing before it. */
static void status(void **state)
{
	uint32_t value;

	(void)state;
	for (value = 1; value < 256; value++) {
		wr(STATUS, 0);
		wr(STATUS, value);
		assert_int_equal(rd(STATUS), value & (LEGACY_OK | FAILED));
	}
}

static uint64_t ring(enum virtqueue_address low)
{
	return queues[0].address[low] | (uint64_t)queues[0].address[low + 1] << 32;
}

static void rings_follow_each_other(void **state)
{
	static const struct {
		uint32_t page, num, align, used;
	} all[] = {
		{4096, 16, 4096, 4096}, {4096, 16, 64, 320},  {4096, 8, 4, 152},
		{512, 1, 4096, 4096},   {4096, 16, 256, 512}, {65536, 16, 4096, 4096},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint32_t pfn = RAM_BASE / all[i].page;

		wr(STATUS, 0);
		wr(GUEST_PAGE_SIZE, all[i].page);
		wr(QUEUE_NUM, all[i].num);
		wr(QUEUE_ALIGN, all[i].align);
		assert_int_equal(rd(QUEUE_PFN), 0);
		wr(QUEUE_PFN, pfn);
		assert_int_equal(rd(QUEUE_PFN), pfn);
		assert_int_equal(ring(VIRTQUEUE_DESC_LOW), RAM_BASE);
		assert_int_equal(ring(VIRTQUEUE_DRIVER_LOW), RAM_BASE + 16 * all[i].num);
		assert_int_equal(ring(VIRTQUEUE_DEVICE_LOW), RAM_BASE + all[i].used);
		assert_false(queues[0].packed);
		wr(QUEUE_NUM, 2); /* too late */
		wr(QUEUE_ALIGN, 2);
		wr(QUEUE_PFN, pfn + 1);
		assert_int_equal(rd(QUEUE_PFN), pfn);
		assert_int_equal(queues[0].size, all[i].num);
	}
	wr(QUEUE_SEL, 2);
	wr(QUEUE_PFN, 5);
	assert_int_equal(rd(QUEUE_PFN), 0);
}

/* A driver that says neither how many entries nor what alignment gets the largest and a page. */
static void defaults(void **state)
{
	(void)state;
	wr(GUEST_PAGE_SIZE, PAGE);
	wr(QUEUE_PFN, PFN(0));
	assert_int_equal(queues[0].size, QUEUE_SIZE);
	assert_int_equal(ring(VIRTQUEUE_DEVICE_LOW), RINGS(0) + PAGE);
}

static void queues_that_cannot_be(void **state)
{
	static const struct {
		uint32_t page, num, align, pfn;
	} bad[] = {
		{PAGE, 16, PAGE, RAM_END / PAGE},
		{PAGE, 16, PAGE, 1},
		{PAGE, 16, PAGE, UINT32_MAX},
		{UINT32_MAX, 16, UINT32_MAX, UINT32_MAX},
		{0, 16, PAGE, PFN(0)},
		{PAGE, 16, 0, PFN(0)},
		{PAGE, 16, 0x80000000, PFN(0)},
		{PAGE, 3, PAGE, PFN(0)},
		{PAGE, 32, PAGE, PFN(0)},
		{PAGE, 0, PAGE, PFN(0)},
		{PAGE, 16, PAGE, RAM_END / PAGE - 1},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		wr(STATUS, 0);
		wr(STATUS, LEGACY_OK);
		wr(GUEST_PAGE_SIZE, bad[i].page);
		wr(QUEUE_NUM, bad[i].num);
		wr(QUEUE_ALIGN, bad[i].align);
		wr(QUEUE_PFN, bad[i].pfn);
		assert_int_equal(rd(QUEUE_PFN), 0);
		assert_int_equal(rd(STATUS), LEGACY_OK | NEEDS_RESET);
		assert_non_null(device.fault);
		wr(QUEUE_NOTIFY, 0);
		assert_int_equal(notifies[0], 0);
		assert_false(device.live);
	}
	start_legacy();
	assert_true(device.live);
}

static void buffers_come_and_go(void **state)
{
	const uint32_t avail = RINGS(0) + 16 * QUEUE_SIZE, used = RINGS(0) + PAGE;
	struct io_segment segment[QUEUE_SIZE];
	struct virtio_chain chain = {.segment = segment};

	(void)state;
	start_legacy();
	guest_desc(RINGS(0), 3, BUFFERS, 5, 0, 0);
	guest_store16(avail + 4, 3);
	guest_store16(avail + 2, 1);
	wr(QUEUE_NOTIFY, 0);
	assert_int_equal(notifies[0], 1);
	assert_true(virtqueue_pop(&queues[0], &chain));
	assert_int_equal(segment[0].length, 5);
	virtqueue_push(&queues[0], chain.head, 7);
	virtio_signal(&queues[0]);
	assert_int_equal(guest_load16(used + 2), 1);
	assert_int_equal(guest_load32(used + 4), 3);
	assert_int_equal(guest_load32(used + 8), 7);
	assert_int_equal(rd(INTERRUPT_STATUS), VIRTIO_INTERRUPT_USED);
	wr(INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	assert_false(mock_line);
}

/* Linux tells its page size once, when it finds the transport, and resets the device after that. */
static void page_size_outlives_a_reset(void **state)
{
	(void)state;
	wr(GUEST_PAGE_SIZE, PAGE);
	wr(STATUS, 0);
	legacy_queue(0, 4);
	assert_int_equal(rd(QUEUE_PFN), PFN(0));
	assert_null(device.fault);
}

/* Old drivers use the device first and set DRIVER_OK later. */
static void queue_in_use_before_driver_ok(void **state)
{
	(void)state;
	prepare();
	assert_false(virtqueue_running(&queues[0]));
	assert_int_equal(starts, 0);
	wr(QUEUE_NOTIFY, 0);
	assert_int_equal(notifies[0], 1);
	assert_int_equal(notifies[1], 0);
	assert_int_equal(starts, 1);
	assert_true(virtqueue_running(&queues[1]));
	virtqueue_push(&queues[0], 0, 0);
	virtio_signal(&queues[0]);
	assert_true(mock_line);
	wr(STATUS, LEGACY_OK);
	assert_int_equal(notifies[1], 1);
	assert_int_equal(starts, 1);
	/* A queue that is not there makes nothing live. */
	wr(STATUS, 0);
	wr(QUEUE_NOTIFY, 0);
	wr(QUEUE_NOTIFY, 9);
	assert_false(device.live);
	assert_int_equal(starts, 1);
	/* Nor does one of a device that is broken. */
	prepare();
	virtio_break(&device);
	wr(QUEUE_NOTIFY, 0);
	wr(STATUS, LEGACY_OK);
	assert_int_equal(notifies[0], 0);
	assert_int_equal(starts, 1);
}

static void queue_from_after_driver_ok(void **state)
{
	(void)state;
	wr(STATUS, LEGACY_OK);
	wr(GUEST_PAGE_SIZE, PAGE);
	legacy_queue(1, 4);
	wr(QUEUE_NOTIFY, 1);
	assert_int_equal(notifies[1], 1);
	assert_int_equal(starts, 1);
}

static void queue_that_is_given_up_in_setup(void **state)
{
	(void)state;
	prepare();
	wr(QUEUE_PFN, 0);
	assert_int_equal(rd(QUEUE_PFN), 0);
	assert_int_equal(resets, 0);
	assert_int_equal(rd(STATUS), ACKNOWLEDGE | DRIVER);
	wr(QUEUE_SEL, 0);
	assert_int_equal(rd(QUEUE_PFN), PFN(0));
	legacy_queue(1, 2);
	assert_int_equal(rd(QUEUE_PFN), PFN(1));
	assert_int_equal(queues[1].size, 2);
}

static bool wr_again(uint32_t offset, uint32_t value)
{
	bool again;

	wr(offset, value);
	again = device.again;
	device.again = false;
	return again;
}

static void queue_in_use_that_is_given_up(void **state)
{
	(void)state;
	start_legacy();
	device.in_flight = 1;
	assert_true(wr_again(QUEUE_PFN, 0));
	assert_int_equal(rd(QUEUE_PFN), PFN(1));
	assert_false(virtqueue_running(&queues[0]));
	device.in_flight = 0;
	assert_false(wr_again(QUEUE_PFN, 0));
	assert_int_equal(resets, 1);
	assert_int_equal(rd(STATUS), 0);
	assert_false(wr_again(QUEUE_PFN, 0));
	assert_int_equal(resets, 1);
	/* Broken is not the same as idle. */
	start_legacy();
	device.in_flight = 1;
	virtio_break(&device);
	assert_true(wr_again(QUEUE_PFN, 0));
	assert_true(wr_again(STATUS, 0));
	device.in_flight = 0;
	assert_false(wr_again(STATUS, 0));
	assert_int_equal(rd(STATUS), 0);
}

static void reset_undoes_everything(void **state)
{
	struct virtio_device fresh;

	(void)state;
	wr(GUEST_PAGE_SIZE, PAGE);
	fresh = device;
	start_legacy();
	virtio_break(&device);
	wr(STATUS, 0);
	assert_memory_equal(&device, &fresh, sizeof(device));
	assert_int_equal(queues[0].size, QUEUE_SIZE);
	assert_int_equal(queues[0].align, PAGE);
	assert_int_equal(queues[0].pfn, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up_legacy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(registers),
		TEST(features),
		TEST(status),
		TEST(rings_follow_each_other),
		TEST(defaults),
		TEST(queues_that_cannot_be),
		TEST(buffers_come_and_go),
		TEST(page_size_outlives_a_reset),
		TEST(queue_in_use_before_driver_ok),
		TEST(queue_from_after_driver_ok),
		TEST(queue_that_is_given_up_in_setup),
		TEST(queue_in_use_that_is_given_up),
		TEST(reset_undoes_everything),
	};

	return cmocka_run_group_tests_name("virtio_legacy", tests, NULL, NULL);
}
