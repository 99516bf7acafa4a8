/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio transport: setting up queues, notifications and interrupts. */
#include "mock_model.h"

/* --- queues --- */

static void queues_that_do_not_exist(void **state)
{
	static const uint32_t wild[] = {2, 3, 0xffff, 0x10000, 0x80000000, 0xffffffff};
	unsigned int i;

	(void)state;
	driver_negotiate(&device, VIRTIO_F_VERSION_1);
	for (i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		driver_queue(&device, wild[i], QUEUE_SIZE);
		assert_int_equal(rd(QUEUE_NUM_MAX), 0);
		assert_int_equal(rd(QUEUE_READY), 0);
		wr(QUEUE_READY, 0);
	}
	assert_int_equal(rd(STATUS), READY_TO_RUN);
	wr(STATUS, RUNNING);
	for (i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		wr(QUEUE_NOTIFY, wild[i]);
	}
	assert_int_equal(notifies[0] + notifies[1], 0);
}

static void queue_sizes(void **state)
{
	uint32_t size;

	(void)state;
	for (size = 0; size < 100; size++) {
		bool valid = size == 1 || size == 2 || size == 4 || size == 8 || size == 16;

		driver_negotiate(&device, VIRTIO_F_VERSION_1);
		driver_queue(&device, 0, size);
		assert_int_equal(rd(QUEUE_READY), valid);
		assert_int_equal(rd(STATUS), valid ? READY_TO_RUN : READY_TO_RUN | NEEDS_RESET);
		assert_int_equal(device.fault == NULL, valid);
	}
	driver_negotiate(&device, VIRTIO_F_VERSION_1);
	wr(QUEUE_NUM, 8); /* which the next does not leave in force */
	driver_queue(&device, 0, 0x10000 + 16);
	assert_int_equal(rd(QUEUE_READY), 0);
	driver_negotiate(&device, VIRTIO_F_VERSION_1);
	wr(QUEUE_READY, 1); /* no size at all */
	assert_int_equal(rd(QUEUE_READY), 0);
	assert_int_equal(rd(STATUS), READY_TO_RUN | NEEDS_RESET);
	assert_false(mock_line); /* 2.1.2: no notification before DRIVER_OK */
}

static void packed_queue_sizes(void **state)
{
	uint32_t size;

	(void)state;
	for (size = 0; size < 20; size++) {
		bool valid = size != 0 && size <= QUEUE_SIZE;

		driver_negotiate(&device, VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED);
		driver_queue(&device, 0, size);
		assert_int_equal(rd(QUEUE_READY), valid);
		assert_int_equal(device.queue[0].packed, valid);
		assert_int_equal(rd(STATUS), valid ? READY_TO_RUN : READY_TO_RUN | NEEDS_RESET);
	}
	start();
	assert_false(device.queue[0].packed);
}

static void rings_outside_of_ram(void **state)
{
	static const uint32_t area[] = {QUEUE_DESC, QUEUE_DRIVER, QUEUE_DEVICE};
	static const char *const name[] = {"descriptor table", "available ring", "used ring"};
	unsigned int i, half;

	(void)state;
	for (i = 0; i < 3; i++) {
		for (half = 0; half < 8; half += 4) {
			driver_negotiate(&device, VIRTIO_F_VERSION_1);
			driver_queue(&device, 1, QUEUE_SIZE);
			wr(QUEUE_READY, 0);
			wr(area[i] + half, half ? 1 : RAM_END);
			wr(QUEUE_READY, 1);
			assert_int_equal(rd(QUEUE_READY), 0);
			assert_int_equal(rd(STATUS), READY_TO_RUN | NEEDS_RESET);
			assert_non_null(strstr(device.fault, name[i]));
			assert_non_null(strstr(device.fault, "not in RAM"));
			/* Nothing goes on until a reset. */
			wr(area[i] + half, 0);
			wr(QUEUE_READY, 1);
			assert_int_equal(rd(QUEUE_READY), 0);
			wr(STATUS, RUNNING);
			wr(QUEUE_NOTIFY, 1);
			assert_int_equal(notifies[1], 0);
		}
	}
	start();
}

static void queues_are_set_up_between_features_ok_and_driver_ok(void **state)
{
	static const uint32_t phase[] = {0, ACKNOWLEDGE, ACKNOWLEDGE | DRIVER, RUNNING};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(phase) / sizeof(phase[0]); i++) {
		wr(STATUS, 0);
		driver_features(&device, VIRTIO_F_VERSION_1);
		if (phase[i]) {
			wr(STATUS, phase[i]);
		}
		driver_queue(&device, 0, QUEUE_SIZE);
		assert_int_equal(rd(QUEUE_READY), 0);
		assert_int_equal(device.queue[0].size, 0);
		assert_int_equal(device.queue[0].address[VIRTQUEUE_DESC_LOW], 0);
		assert_int_equal(rd(STATUS), phase[i]);
	}
}

static void ready_queue_does_not_move(void **state)
{
	(void)state;
	driver_negotiate(&device, VIRTIO_F_VERSION_1);
	driver_queue(&device, 0, QUEUE_SIZE);
	wr(QUEUE_NUM, 2);
	wr(QUEUE_DESC, 0xffffffff);
	wr(QUEUE_READY, 1);
	assert_int_equal(device.queue[0].size, QUEUE_SIZE);
	assert_int_equal(device.queue[0].address[VIRTQUEUE_DESC_LOW], DESC(0));
	assert_ptr_equal(device.queue[0].desc_at, guest_at(DESC(0)));
	/* The other queue is not meant. */
	wr(QUEUE_SEL, 1);
	assert_int_equal(rd(QUEUE_READY), 0);
}

static void queue_can_be_stopped(void **state)
{
	(void)state;
	start();
	wr(QUEUE_SEL, 1);
	wr(QUEUE_READY, 0);
	assert_int_equal(rd(QUEUE_READY), 0);
	wr(QUEUE_NOTIFY, 1);
	assert_int_equal(notifies[1], 0);
	wr(QUEUE_NOTIFY, 0);
	assert_int_equal(notifies[0], 1);
	wr(QUEUE_READY, 1); /* not after DRIVER_OK */
	assert_int_equal(rd(QUEUE_READY), 0);
	assert_int_equal(rd(STATUS), RUNNING);
}

static void notifications(void **state)
{
	(void)state;
	driver_negotiate(&device, VIRTIO_F_VERSION_1);
	driver_queue(&device, 1, QUEUE_SIZE);
	wr(QUEUE_NOTIFY, 1);
	assert_int_equal(notifies[1], 0);
	/* DRIVER_OK looks at the queues that are there, because of what was not heard before. */
	wr(STATUS, RUNNING);
	assert_int_equal(notifies[0], 0);
	assert_int_equal(notifies[1], 1);
	wr(STATUS, RUNNING);
	assert_int_equal(notifies[1], 1);
	wr(QUEUE_NOTIFY, 1);
	wr(QUEUE_NOTIFY, 0);
	assert_int_equal(notifies[0], 0);
	assert_int_equal(notifies[1], 2);
	virtio_break(&device);
	wr(QUEUE_NOTIFY, 1);
	assert_int_equal(notifies[1], 2);
}

static unsigned int starts;

static void note_start(struct virtio_device *started)
{
	assert_int_equal(started->driver_features[0], (uint32_t)VIRTIO_F_EVENT_IDX);
	assert_false(virtqueue_running(&started->queue[0]));
	starts++;
}

static void model_hears_of_driver_ok(void **state)
{
	struct virtio_model hears = model;

	(void)state;
	hears.started = note_start;
	device.model = &hears;
	driver_start(&device, VIRTIO_F_EVENT_IDX, QUEUE_SIZE);
	assert_int_equal(starts, 1);
	wr(STATUS, RUNNING);
	driver_negotiate(&device, VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX);
	wr(QUEUE_NOTIFY, 0);
	virtio_break(&device);
	wr(STATUS, RUNNING);
	assert_int_equal(starts, 1);
	device.model = &model;
}

/* --- requests in flight --- */

/* Writes, and returns whether the hypervisor has to let the guest write again. */
static bool wr_again(uint32_t offset, uint32_t value)
{
	bool again;

	wr(offset, value);
	again = device.again;
	device.again = false;
	return again;
}

static void reset_waits_for_requests(void **state)
{
	(void)state;
	start();
	resets = 0;
	device.in_flight = 2;
	assert_true(wr_again(STATUS, 0));
	assert_int_equal(rd(STATUS), RUNNING);
	assert_false(virtqueue_running(&device.queue[0]));
	/* An interrupt comes between, whose handler does not wait for the reset. */
	virtqueue_push(&device.queue[0], 0, 0);
	virtio_signal(&device.queue[0]);
	assert_true(mock_line);
	assert_false(wr_again(INTERRUPT_ACK, 1));
	assert_false(mock_line);
	wr(QUEUE_NOTIFY, 0);
	wr(STATUS, RUNNING);
	assert_int_equal(notifies[0], 0);
	device.in_flight = 1;
	assert_true(wr_again(STATUS, 0));
	device.in_flight = 0;
	assert_int_equal(resets, 0);
	assert_false(wr_again(STATUS, 0));
	assert_int_equal(resets, 1);
	assert_int_equal(rd(STATUS), 0);
	start();
	assert_true(virtqueue_running(&device.queue[0]));
}

static void queue_that_stops_waits_for_requests(void **state)
{
	(void)state;
	start();
	device.in_flight = 1;
	wr(QUEUE_SEL, 1);
	assert_true(wr_again(QUEUE_READY, 0));
	assert_int_equal(rd(QUEUE_READY), 1);
	wr(QUEUE_NOTIFY, 0);
	assert_int_equal(notifies[0], 0);
	virtqueue_push(&device.queue[1], 0, 0);
	assert_int_equal(guest_used_index(1), 1);
	device.in_flight = 0;
	assert_false(wr_again(QUEUE_READY, 0));
	assert_int_equal(rd(QUEUE_READY), 0);
	assert_int_equal(notifies[0], 1); /* which was not heard before */
	assert_int_equal(notifies[1], 0);
	assert_true(virtqueue_running(&device.queue[0]));
	/* What is stopped already waits for nothing. */
	device.in_flight = 1;
	assert_false(wr_again(QUEUE_READY, 0));
	assert_true(virtqueue_running(&device.queue[0]));
}

static void broken_device_waits_for_requests(void **state)
{
	(void)state;
	start();
	device.in_flight = 1;
	virtio_break(&device);
	assert_true(wr_again(STATUS, 0));
	wr(STATUS, RUNNING);
	device.in_flight = 0;
	assert_false(wr_again(STATUS, 0));
	assert_int_equal(rd(STATUS), 0);
}

/* --- interrupts --- */

static void used_buffer_interrupt(void **state)
{
	(void)state;
	start();
	virtio_signal(&device.queue[0]);
	assert_false(mock_line); /* nothing was pushed */
	virtqueue_push(&device.queue[0], 0, 0);
	virtio_signal(&device.queue[0]);
	assert_true(mock_line);
	assert_int_equal(mock_line_intid, 47);
	assert_int_equal(rd(INTERRUPT_STATUS), VIRTIO_INTERRUPT_USED);
	assert_int_equal(rd(INTERRUPT_STATUS), VIRTIO_INTERRUPT_USED);
	wr(INTERRUPT_ACK, VIRTIO_INTERRUPT_CONFIG);
	assert_true(mock_line);
	wr(INTERRUPT_STATUS, 0);
	assert_true(mock_line);
	wr(INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	assert_false(mock_line);
	assert_int_equal(rd(INTERRUPT_STATUS), 0);
}

static void line_is_the_or_of_both_causes(void **state)
{
	(void)state;
	start();
	virtqueue_push(&device.queue[1], 0, 0);
	virtio_signal(&device.queue[1]);
	virtio_config_changed(&device);
	assert_int_equal(rd(INTERRUPT_STATUS), 3);
	assert_int_equal(mock_line_rose, 1);
	wr(INTERRUPT_ACK, 1);
	assert_true(mock_line);
	assert_int_equal(mock_line_rose, 2); /* the driver did not see the other one, perhaps */
	assert_int_equal(rd(INTERRUPT_STATUS), 2);
	wr(INTERRUPT_ACK, 0xffffffff);
	assert_false(mock_line);
	assert_int_equal(mock_line_rose, 2);
}

static void deferred_work_goes_on_at_the_acknowledge(void **state)
{
	(void)state;
	start();
	virtio_defer(&device.queue[0]);
	assert_true(mock_line);
	assert_int_equal(notifies[0], 0);
	wr(INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	assert_false(mock_line);
	assert_int_equal(notifies[0], 1);
	wr(INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	assert_int_equal(notifies[0], 1);
	virtio_defer(&device.queue[0]);
	start();
	wr(INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	assert_int_equal(notifies[0], 0);
}

static void configuration_changes(void **state)
{
	(void)state;
	virtio_config_changed(&device);
	assert_int_equal(rd(CONFIG_GENERATION), 1);
	assert_false(mock_line);
	start();
	virtio_config_changed(&device);
	assert_int_equal(rd(CONFIG_GENERATION), 2);
	assert_int_equal(rd(INTERRUPT_STATUS), VIRTIO_INTERRUPT_CONFIG);
	assert_true(mock_line);
	wr(STATUS, 0);
	assert_int_equal(rd(CONFIG_GENERATION), 2);
}

static void broken_device_says_so(void **state)
{
	(void)state;
	start();
	virtio_break(&device);
	assert_int_equal(rd(STATUS), RUNNING | NEEDS_RESET);
	assert_int_equal(rd(INTERRUPT_STATUS), VIRTIO_INTERRUPT_CONFIG);
	assert_true(mock_line);
	virtqueue_push(&device.queue[0], 0, 0);
	virtio_signal(&device.queue[0]);
	assert_int_equal(rd(INTERRUPT_STATUS), VIRTIO_INTERRUPT_CONFIG);
	wr(STATUS, RUNNING); /* the bit cannot be written away */
	assert_int_equal(rd(STATUS), RUNNING | NEEDS_RESET);
	start();
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(queues_that_do_not_exist),
		TEST(queue_sizes),
		TEST(packed_queue_sizes),
		TEST(rings_outside_of_ram),
		TEST(queues_are_set_up_between_features_ok_and_driver_ok),
		TEST(ready_queue_does_not_move),
		TEST(queue_can_be_stopped),
		TEST(notifications),
		TEST(model_hears_of_driver_ok),
		TEST(reset_waits_for_requests),
		TEST(queue_that_stops_waits_for_requests),
		TEST(broken_device_waits_for_requests),
		TEST(used_buffer_interrupt),
		TEST(line_is_the_or_of_both_causes),
		TEST(deferred_work_goes_on_at_the_acknowledge),
		TEST(configuration_changes),
		TEST(broken_device_says_so),
	};

	return cmocka_run_group_tests_name("virtio_mmio_queues", tests, NULL, NULL);
}
