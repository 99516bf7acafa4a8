/* SPDX-License-Identifier: BSD-2-Clause */
/* Every register of the virtio transport and every step of its status, with a model that only takes
 * notes. */
#include "mock_transport.h"

#define QUEUE_SIZE  16u
#define CONFIG_SIZE 10u

#define FEATURES ((1ull << 5) | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX | (1ull << 37))

static struct guest_memory memory = {RAM_BASE, RAM_SIZE, mock_ram};
static struct virtio_device device;
static unsigned int resets, notifies[VIRTIO_QUEUES_MAX];
static uint8_t config[CONFIG_SIZE];

static void note_reset(struct virtio_device *reset)
{
	assert_ptr_equal(reset, &device);
	resets++;
}

static void note_notify(struct virtio_device *notified, uint16_t queue)
{
	assert_ptr_equal(notified, &device);
	assert_in_range(queue, 0, 1);
	notifies[queue]++;
}

static uint8_t read_config(struct virtio_device *from, uint32_t offset)
{
	assert_ptr_equal(from, &device);
	assert_in_range(offset, 0, CONFIG_SIZE - 1);
	return config[offset];
}

static void write_config(struct virtio_device *to, uint32_t offset, uint8_t value)
{
	assert_ptr_equal(to, &device);
	assert_in_range(offset, 0, CONFIG_SIZE - 1);
	config[offset] = value;
}

static const struct virtio_model model = {
	.device_id = 42,
	.queue_count = 2,
	.queue_size = QUEUE_SIZE,
	.features = FEATURES,
	.config_size = CONFIG_SIZE,
	.reset = note_reset,
	.notify = note_notify,
	.config_read = read_config,
	.config_write = write_config,
};

static int set_up(void **state)
{
	unsigned int i;

	(void)state;
	memset(mock_ram, 0, sizeof(mock_ram));
	memset(&device, 0xa5, sizeof(device));
	mock_line = false;
	virtio_init(&device, &model, &memory, mock_irq);
	mock_line_rose = 0;
	resets = 0;
	memset(notifies, 0, sizeof(notifies));
	for (i = 0; i < CONFIG_SIZE; i++) {
		config[i] = (uint8_t)(0x11 * (i + 1));
	}
	return 0;
}

static uint32_t rd(uint32_t offset)
{
	return reg_read(&device, offset);
}

static void wr(uint32_t offset, uint32_t value)
{
	reg_write(&device, offset, value);
}

static void start(void)
{
	driver_start(&device, 0, QUEUE_SIZE);
	assert_int_equal(rd(STATUS), RUNNING);
	memset(notifies, 0, sizeof(notifies));
}

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
		{DEVICE_FEATURES,     (uint32_t)FEATURES},
		{QUEUE_NUM_MAX,       QUEUE_SIZE        },
		{QUEUE_READY,         0                 },
		{INTERRUPT_STATUS,    0                 },
		{STATUS,              0                 },
		{CONFIG_GENERATION,   0                 },
		{SHM_LENGTH,          UINT32_MAX        },
		{SHM_LENGTH + 4,      UINT32_MAX        },
		{SHM_BASE,            UINT32_MAX        },
		{SHM_BASE + 4,        UINT32_MAX        },
 /* Write-only, reserved, of the legacy interface, or not offered. */
		{DEVICE_FEATURES_SEL, 0                 },
		{0x018,               0                 },
		{0x01c,               0                 },
		{DRIVER_FEATURES,     0                 },
		{DRIVER_FEATURES_SEL, 0                 },
		{0x028,               0                 },
		{0x02c,               0                 },
		{QUEUE_SEL,           0                 },
		{QUEUE_NUM,           0                 },
		{0x03c,               0                 },
		{0x040,               0                 },
		{QUEUE_NOTIFY,        0                 },
		{INTERRUPT_ACK,       0                 },
		{QUEUE_DESC,          0                 },
		{QUEUE_DESC + 4,      0                 },
		{QUEUE_DRIVER,        0                 },
		{QUEUE_DRIVER + 4,    0                 },
		{QUEUE_DEVICE,        0                 },
		{QUEUE_DEVICE + 4,    0                 },
		{SHM_SEL,             0                 },
		{QUEUE_RESET,         0                 },
		{0x0f8,               0                 },
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
	assert_memory_equal(config, "\x11\x01\x02\x03\x55\x66\x77\x88\x08\x09", CONFIG_SIZE);
}

static void configuration_that_is_read_only(void **state)
{
	struct virtio_model fixed = model;

	(void)state;
	fixed.config_write = NULL;
	device.model = &fixed;
	bus_write(&device, CONFIG, 4, 0);
	assert_int_equal(bus_read(&device, CONFIG, 4), 0x44332211);
}

static void empty_transport(void **state)
{
	uint32_t offset, value;

	(void)state;
	virtio_init(&device, &virtio_empty, &memory, (struct irq_line){NULL, 0});
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
	assert_int_equal(rd(DEVICE_FEATURES), (FEATURES | VIRTIO_F_VERSION_1) >> 32);
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
		bool offered = (FEATURES | VIRTIO_F_VERSION_1) & feature;

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
	virtio_init(&device, &model, &memory, mock_irq);
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
		uint32_t writes[][2] = {
			{STATUS,              ACKNOWLEDGE         },
                        {STATUS,              ACKNOWLEDGE | DRIVER},
			{DRIVER_FEATURES_SEL, 1                   },
                        {DRIVER_FEATURES,     1                   },
			{STATUS,              READY_TO_RUN        },
                        {QUEUE_SEL,           1                   },
			{QUEUE_NUM,           QUEUE_SIZE          },
                        {QUEUE_DESC,          DESC(1)             },
			{QUEUE_DRIVER,        AVAIL(1)            },
                        {QUEUE_DEVICE,        USED(1)             },
			{QUEUE_READY,         1                   },
                        {STATUS,              RUNNING             }
                };
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
	wr(INTERRUPT_ACK, 1);
	assert_true(mock_line);
	assert_int_equal(rd(INTERRUPT_STATUS), 2);
	wr(INTERRUPT_ACK, 0xffffffff);
	assert_false(mock_line);
	assert_int_equal(mock_line_rose, 1);
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
		TEST(identity),
		TEST(registers_after_init),
		TEST(only_words_below_the_configuration),
		TEST(configuration_space),
		TEST(configuration_that_is_read_only),
		TEST(empty_transport),
		TEST(offered_features),
		TEST(every_feature_bit_by_itself),
		TEST(refused_features_can_be_mended),
		TEST(features_are_fixed_by_features_ok),
		TEST(feature_words_that_do_not_exist),
		TEST(every_status_from_every_status),
		TEST(reset_undoes_everything),
		TEST(reset_at_any_step),
		TEST(queues_that_do_not_exist),
		TEST(queue_sizes),
		TEST(rings_outside_of_ram),
		TEST(queues_are_set_up_between_features_ok_and_driver_ok),
		TEST(ready_queue_does_not_move),
		TEST(queue_can_be_stopped),
		TEST(notifications),
		TEST(used_buffer_interrupt),
		TEST(line_is_the_or_of_both_causes),
		TEST(configuration_changes),
		TEST(broken_device_says_so),
	};

	return cmocka_run_group_tests_name("virtio_mmio", tests, NULL, NULL);
}
