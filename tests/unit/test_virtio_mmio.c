/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio transport: every register, feature bit and step of the status. */
#include "mock_model.h"

/* --- registers --- */

static void identity(void **state)
{
	(void)state;
	assert_int_equal(rd(MAGIC), 0x74726976);
	assert_int_equal(rd(VERSION), 2);
	assert_int_equal(rd(DEVICE_ID), 42);
	assert_memory_equal(&(uint32_t){rd(VENDOR_ID)}, "bivy", 4);
	wr(MAGIC, 1);
	wr(VERSION, 1);
	wr(DEVICE_ID, 1);
	assert_int_equal(rd(MAGIC), 0x74726976);
	assert_int_equal(rd(VERSION), 2);
	assert_int_equal(rd(DEVICE_ID), 42);
}

static void registers_after_init(void **state)
{
	static const struct {
		uint32_t offset, value;
	} all[] = {
		{DEVICE_FEATURES, (uint32_t)FEATURES},
		{QUEUE_NUM_MAX, QUEUE_SIZE},
		{QUEUE_READY, 0},
		{INTERRUPT_STATUS, 0},
		{STATUS, 0},
		{CONFIG_GENERATION, 0},
		{SHM_LENGTH, UINT32_MAX},
		{SHM_LENGTH + 4, UINT32_MAX},
		{SHM_BASE, UINT32_MAX},
		{SHM_BASE + 4, UINT32_MAX},
		/* Write-only, reserved, of the legacy interface, or not offered. */
		{DEVICE_FEATURES_SEL, 0},
		{0x018, 0},
		{0x01c, 0},
		{DRIVER_FEATURES, 0},
		{DRIVER_FEATURES_SEL, 0},
		{0x028, 0},
		{0x02c, 0},
		{QUEUE_SEL, 0},
		{QUEUE_NUM, 0},
		{0x03c, 0},
		{0x040, 0},
		{QUEUE_NOTIFY, 0},
		{INTERRUPT_ACK, 0},
		{QUEUE_DESC, 0},
		{QUEUE_DESC + 4, 0},
		{QUEUE_DRIVER, 0},
		{QUEUE_DRIVER + 4, 0},
		{QUEUE_DEVICE, 0},
		{QUEUE_DEVICE + 4, 0},
		{SHM_SEL, 0},
		{QUEUE_RESET, 0},
		{0x0f8, 0},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(rd(all[i].offset), all[i].value);
	}
	assert_false(mock_line);
}

static void only_words_below_the_configuration(void **state)
{
	uint32_t offset;

	(void)state;
	for (offset = 0; offset < CONFIG; offset++) {
		assert_int_equal(bus_read(&device, offset, 1), 0);
		bus_write(&device, offset, 1, 0xff);
		if (offset % 2 == 0) {
			assert_int_equal(bus_read(&device, offset, 2), 0);
			bus_write(&device, offset, 2, 0xffff);
		}
	}
	assert_int_equal(rd(STATUS), 0);
	assert_int_equal(resets, 0);
	start();
	bus_write(&device, STATUS, 1, 0);
	bus_write(&device, STATUS, 2, 0);
	bus_write(&device, QUEUE_NOTIFY, 1, 0);
	assert_int_equal(rd(STATUS), RUNNING);
	assert_int_equal(notifies[0], 0);
}

static void configuration_space(void **state)
{
	(void)state;
	assert_int_equal(bus_read(&device, CONFIG, 1), 0x11);
	assert_int_equal(bus_read(&device, CONFIG + 9, 1), 0xaa);
	assert_int_equal(bus_read(&device, CONFIG + 2, 2), 0x4433);
	assert_int_equal(bus_read(&device, CONFIG + 4, 4), 0x88776655);
	assert_int_equal(bus_read(&device, CONFIG + 8, 4), 0x0000aa99);
	assert_int_equal(bus_read(&device, CONFIG + 10, 2), 0);
	assert_int_equal(bus_read(&device, CONFIG + 0xe00, 4), 0);
	bus_write(&device, CONFIG + 1, 1, 0xffffff01);
	bus_write(&device, CONFIG + 2, 2, 0x0302);
	bus_write(&device, CONFIG + 8, 4, 0xeeee0908);
	bus_write(&device, CONFIG + 12, 4, 0xffffffff);
	assert_int_equal(bus_read(&device, CONFIG, 4), 0x44332211); /* it can't be written */
	assert_int_equal(bus_read(&device, CONFIG + 8, 2), 0xaa99);
}

static void empty_transport(void **state)
{
	uint32_t offset, value;

	(void)state;
	virtio_init(&device, &virtio_empty, &place, NULL, 0, 0);
	for (offset = 0; offset < 0x200; offset += 4) {
		value = offset == MAGIC ? 0x74726976 : offset == VERSION ? 2 : 0;
		wr(offset, 0xffffffff);
		assert_int_equal(rd(offset), value);
		bus_write(&device, offset, 1, 0xff);
		assert_int_equal(bus_read(&device, offset, 1), 0);
	}
	wr(STATUS, 0);
	assert_int_equal(resets, 0);
}

/* --- features --- */

static void offered_features(void **state)
{
	(void)state;
	wr(DEVICE_FEATURES_SEL, 1);
	assert_int_equal(rd(DEVICE_FEATURES), FEATURES >> 32);
	wr(DEVICE_FEATURES_SEL, 0);
	assert_int_equal(rd(DEVICE_FEATURES), (uint32_t)FEATURES);
	wr(DEVICE_FEATURES_SEL, 2);
	assert_int_equal(rd(DEVICE_FEATURES), 0);
	wr(DEVICE_FEATURES_SEL, UINT32_MAX);
	assert_int_equal(rd(DEVICE_FEATURES), 0);
}

static void every_feature_bit_by_itself(void **state)
{
	unsigned int bit;

	(void)state;
	for (bit = 0; bit < 64; bit++) {
		uint64_t feature = 1ull << bit;
		bool offered = FEATURES & feature;

		driver_negotiate(&device, feature | VIRTIO_F_VERSION_1);
		assert_int_equal(rd(STATUS), offered ? READY_TO_RUN : ACKNOWLEDGE | DRIVER);
		driver_negotiate(&device, (FEATURES | feature) & ~VIRTIO_F_VERSION_1);
		assert_int_equal(rd(STATUS), ACKNOWLEDGE | DRIVER);
	}
}

static void refused_features_can_be_mended(void **state)
{
	(void)state;
	driver_negotiate(&device, 0);
	assert_int_equal(rd(STATUS), ACKNOWLEDGE | DRIVER);
	driver_features(&device, VIRTIO_F_VERSION_1);
	wr(STATUS, READY_TO_RUN);
	assert_int_equal(rd(STATUS), READY_TO_RUN);
}

static void features_are_fixed_by_features_ok(void **state)
{
	(void)state;
	driver_negotiate(&device, VIRTIO_F_VERSION_1);
	driver_features(&device, VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX);
	assert_int_equal(device.driver_features[0], 0);
	wr(STATUS, RUNNING);
	driver_features(&device, 0);
	assert_int_equal(device.driver_features[1], 1);
}

static void feature_words_that_do_not_exist(void **state)
{
	(void)state;
	driver_features(&device, VIRTIO_F_VERSION_1);
	wr(DRIVER_FEATURES_SEL, 2);
	wr(DRIVER_FEATURES, UINT32_MAX);
	wr(DRIVER_FEATURES_SEL, UINT32_MAX);
	wr(DRIVER_FEATURES, UINT32_MAX);
	wr(STATUS, READY_TO_RUN);
	assert_int_equal(rd(STATUS), READY_TO_RUN);
}

/* --- status --- */

/* Every value written to Status from every state that can be reached. */
static void every_status_from_every_status(void **state)
{
	static const uint32_t mine = ACKNOWLEDGE | DRIVER | DRIVER_OK | FEATURES_OK | FAILED;
	uint32_t from, to, expected;

	(void)state;
	for (from = 0; from < 256; from++) {
		for (to = 1; to < 256; to++) {
			wr(STATUS, 0);
			assert_int_equal(rd(STATUS), 0);
			driver_features(&device, VIRTIO_F_VERSION_1);
			wr(STATUS, from ? from : 0x100);
			expected = from & mine;
			if (!(expected & FEATURES_OK)) {
				expected &= ~DRIVER_OK;
			}
			assert_int_equal(rd(STATUS), expected);
			wr(STATUS, to);
			expected |= to & mine;
			if (!(expected & FEATURES_OK)) {
				expected &= ~DRIVER_OK;
			}
			assert_int_equal(rd(STATUS), expected);
		}
	}
}

static void reset_undoes_everything(void **state)
{
	struct virtio_device fresh;

	(void)state;
	virtio_init(&device, &model, &place, queues, QUEUES, MODEL_FEATURES);
	fresh = device;
	resets = 0;
	driver_start(&device, FEATURES, QUEUE_SIZE);
	wr(DEVICE_FEATURES_SEL, 1);
	virtqueue_push(&device.queue[0], 0, 0);
	virtio_signal(&device.queue[0]);
	virtio_break(&device);
	assert_true(mock_line);
	wr(STATUS, 0);
	assert_false(mock_line);
	assert_int_equal(resets, 2); /* driver_start() does one */
	assert_memory_equal(&device, &fresh, sizeof(device));
}

static void reset_at_any_step(void **state)
{
	unsigned int step;

	(void)state;
	for (step = 0; step < 20; step++) {
		uint32_t writes[][2] = {{STATUS, ACKNOWLEDGE},    {STATUS, ACKNOWLEDGE | DRIVER},
					{DRIVER_FEATURES_SEL, 1}, {DRIVER_FEATURES, 1},
					{STATUS, READY_TO_RUN},   {QUEUE_SEL, 1},
					{QUEUE_NUM, QUEUE_SIZE},  {QUEUE_DESC, DESC(1)},
					{QUEUE_DRIVER, AVAIL(1)}, {QUEUE_DEVICE, USED(1)},
					{QUEUE_READY, 1},         {STATUS, RUNNING}};
		unsigned int i;

		for (i = 0; i < sizeof(writes) / sizeof(writes[0]) && i < step; i++) {
			wr(writes[i][0], writes[i][1]);
		}
		wr(STATUS, 0);
		assert_int_equal(rd(STATUS), 0);
		assert_int_equal(rd(QUEUE_READY), 0);
		assert_int_equal(rd(QUEUE_NUM_MAX), QUEUE_SIZE);
		start();
	}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(identity),
		TEST(registers_after_init),
		TEST(only_words_below_the_configuration),
		TEST(configuration_space),
		TEST(empty_transport),
		TEST(offered_features),
		TEST(every_feature_bit_by_itself),
		TEST(refused_features_can_be_mended),
		TEST(features_are_fixed_by_features_ok),
		TEST(feature_words_that_do_not_exist),
		TEST(every_status_from_every_status),
		TEST(reset_undoes_everything),
		TEST(reset_at_any_step),
	};

	return cmocka_run_group_tests_name("virtio_mmio", tests, NULL, NULL);
}
