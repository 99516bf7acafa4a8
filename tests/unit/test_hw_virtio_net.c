/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's network cards and entropy sources as backends. */
#include "mock_hw_virtio.h"
#include "drivers/hw/virtio_net.h"
#include "drivers/hw/virtio_rng.h"

#define F_BASIC (NET_F_MAC | NET_F_STATUS | NET_F_CSUM)

enum { RECEIVE, TRANSMIT };

static struct hw_card card;
static struct hw_rng rng;
static uint8_t memory[256];

static struct test_request {
	struct io_request io;
	unsigned int ends;
	enum io_status status;
	uint32_t length;
} request[4];

static unsigned int batches, link_changes;

static void done(struct io_request *io, enum io_status status, uint32_t length)
{
	struct test_request *ended = (struct test_request *)io;

	assert_unlocked(&card.device);
	ended->ends++;
	ended->status = status;
	ended->length = length;
}

static void batch(void *device)
{
	assert_ptr_equal(device, &batches);
	batches++;
}

static void link_changed(void *device)
{
	assert_ptr_equal(device, &batches);
	assert_unlocked(&card.device);
	link_changes++;
}

static struct net_events events = {{batch, &batches, NULL}, link_changed};

static void prepare(uint32_t version, uint64_t features)
{
	static const uint8_t config[12] = {2, 3, 4, 5, 6, 7, 1, 0, 0, 0, 0xdc, 0x05};
	unsigned int i;

	mock_begin(version, features);
	memcpy(mock.config, config, sizeof(config));
	memset(&card, 0, sizeof(card));
	memset(request, 0, sizeof(request));
	memset(memory, 0xee, sizeof(memory));
	for (i = 0; i < 4; i++) {
		request[i].io.done = done;
	}
	batches = link_changes = 0;
}

static void run(uint32_t version, uint64_t features)
{
	prepare(version, features);
	assert_true(hw_card_init(&card, REGISTERS));
	card.backend.events = &events;
	card.backend.ops->start(&card.backend, features);
	assert_int_equal(card.device.state, HW_RUNNING);
}

static int set_up(void **state)
{
	(void)state;
	run(2, F_BASIC);
	return 0;
}

/* The frame's pieces have these lengths, one behind the other in memory; 0 ends them. */
static enum io_status submit(unsigned int queue, unsigned int i, const uint32_t *lengths)
{
	struct io_segment segment[8];
	uint8_t *at = memory;
	uint16_t count;

	for (count = 0; lengths[count] != 0; count++) {
		segment[count] = (struct io_segment){at, lengths[count]};
		at += lengths[count];
	}
	return (queue == RECEIVE ? card.backend.ops->receive : card.backend.ops->transmit)(
		&card.backend, &request[i].io, segment, count);
}

static void assert_ended(unsigned int i, enum io_status status, uint32_t length)
{
	assert_int_equal(request[i].ends, 1);
	assert_int_equal(request[i].status, status);
	assert_int_equal(request[i].length, length);
}

static void abilities(void **state)
{
	static const uint8_t mac[NET_MAC] = {2, 3, 4, 5, 6, 7};

	(void)state;
	prepare(2, F_BASIC | NET_F_MTU | NET_F_MRG_RXBUF | 1ull << 17 | 1ull << 22);
	assert_true(hw_card_init(&card, REGISTERS));
	assert_int_equal(card.backend.features, F_BASIC | NET_F_MTU | NET_F_MRG_RXBUF);
	assert_memory_equal(card.backend.mac, mac, NET_MAC);
	assert_int_equal(card.backend.mtu, 1500);
	assert_true(card.backend.link_up);
	assert_int_equal(mock.status & VIRTIO_STATUS_DRIVER_OK, 0);
	card.backend.events = &events;
	card.backend.ops->start(&card.backend, NET_F_MAC | NET_F_MRG_RXBUF | 1ull << 17);
	assert_int_equal(mock.driver_features, NET_F_MAC | NET_F_MRG_RXBUF | VIRTIO_F_VERSION_1);
	prepare(2, 0);
	assert_true(hw_card_init(&card, REGISTERS));
	assert_int_equal(card.backend.mac[0] + card.backend.mtu, 0);
	assert_true(card.backend.link_up);
}

static void frames_in_place(void **state)
{
	static const uint32_t lengths[] = {12, 60, 5, 0};
	struct mock_chain chain;
	unsigned int queue;

	(void)state;
	for (queue = 0; queue < 2; queue++) {
		assert_int_equal(submit(queue, queue, lengths), IO_PENDING);
		assert_true(mock_pop(queue, &chain));
		assert_int_equal(chain.count, 3);
		assert_ptr_equal(chain.segment[0].at, memory);
		assert_ptr_equal(chain.segment[2].at, memory + 72);
		assert_int_equal(chain.segment[1].length, 60);
		assert_int_equal(chain.segment[1].writable, queue == RECEIVE);
		mock_push(queue, chain.head, queue == RECEIVE ? 40 : 0);
		hw_virtio_irq(&card.device);
		assert_ended(queue, IO_OK, queue == RECEIVE ? 40 : 0);
	}
	assert_int_equal(batches, 2);
	assert_int_equal(mock.ticks_started, 1); /* a buffer may wait for ever, a frame may not */
}

/* Every way to lay out a frame of 20 bytes in up to three pieces. */
static void gap_of_legacy_devices(void **state)
{
	struct mock_chain chain;
	uint32_t lengths[4], i, j, k, total;
	unsigned int queue;

	(void)state;
	for (i = 1; i <= 20; i++) {
		for (j = 0; j <= 20 - i; j++) {
			for (queue = 0; queue < 2; queue++) {
				run(1, F_BASIC);
				lengths[0] = i;
				lengths[1] = j != 0 ? j : 20 - i;
				lengths[2] = j != 0 ? 20 - i - j : 0;
				lengths[3] = 0;
				assert_int_equal(submit(queue, 0, lengths), IO_PENDING);
				assert_true(mock_pop(queue, &chain));
				for (k = total = 0; k < chain.count; k++) {
					assert_ptr_equal(chain.segment[k].at,
							 memory + total + (total >= 10 ? 2 : 0));
					/* The header has descriptors of its own. */
					assert_true(total >= 10 ||
						    total + chain.segment[k].length <= 10);
					total += chain.segment[k].length;
				}
				assert_int_equal(total, 18);
				assert_int_equal(memory[10], queue == RECEIVE ? 1 : 0xee);
				assert_int_equal(memory[11], queue == RECEIVE ? 0 : 0xee);
				mock_push(queue, chain.head, queue == RECEIVE ? 18 : 0);
				hw_virtio_irq(&card.device);
				assert_ended(0, IO_OK, queue == RECEIVE ? 20 : 0);
			}
		}
	}
	run(1, F_BASIC | NET_F_MRG_RXBUF);
	lengths[0] = 20;
	lengths[1] = 0;
	submit(RECEIVE, 0, lengths);
	assert_true(mock_pop(RECEIVE, &chain));
	assert_int_equal(chain.count, 1);
}

static void short_frames(void **state)
{
	static const uint32_t lengths[] = {64, 0};
	struct mock_chain chain;
	uint32_t version, length;

	(void)state;
	for (version = 1; version <= 2; version++) {
		for (length = 0; length < 14; length++) {
			uint32_t header = version == 1 ? 10 : 12;

			run(version, F_BASIC);
			submit(RECEIVE, 0, lengths);
			assert_true(mock_pop(RECEIVE, &chain));
			mock_push(RECEIVE, chain.head, length);
			hw_virtio_irq(&card.device);
			assert_ended(0, length < header ? IO_ERROR : IO_OK,
				     length < header ? 0 : length + 12 - header);
		}
	}
}

/* The last buffer of a frame that fills several has no header, and may be short. */
static void short_rests_of_frames(void **state)
{
	static const uint32_t lengths[] = {64, 0};
	struct mock_chain chain;

	(void)state;
	for (uint32_t length = 0; length < 3; length++) {
		run(2, F_BASIC | NET_F_MRG_RXBUF);
		submit(RECEIVE, 0, lengths);
		assert_true(mock_pop(RECEIVE, &chain));
		mock_push(RECEIVE, chain.head, length);
		hw_virtio_irq(&card.device);
		assert_ended(0, length == 0 ? IO_ERROR : IO_OK, length);
	}
}

static void link(void **state)
{
	(void)state;
	mock.config[6] = 0;
	mock.interrupt_status = VIRTIO_INTERRUPT_CONFIG;
	hw_virtio_irq(&card.device);
	assert_int_equal(link_changes, 1);
	assert_false(card.backend.link_up);
	mock.interrupt_status = VIRTIO_INTERRUPT_CONFIG;
	hw_virtio_irq(&card.device);
	assert_int_equal(link_changes, 1);
	card.backend.ops->stop(&card.backend);
	mock.config[6] = 1;
	mock.interrupt_status = VIRTIO_INTERRUPT_CONFIG;
	hw_virtio_irq(&card.device); /* it can't, and does so all the same */
	assert_int_equal(link_changes, 1);
	card.backend.ops->start(&card.backend, F_BASIC);
	assert_true(card.backend.link_up);
}

static void interrupt_before_anyone_is_there(void **state)
{
	(void)state;
	prepare(2, F_BASIC);
	assert_true(hw_card_init(&card, REGISTERS));
	mock.interrupt_status = VIRTIO_INTERRUPT_CONFIG | VIRTIO_INTERRUPT_USED;
	mock.config[6] = 0;
	hw_virtio_irq(&card.device);
	assert_false(hw_virtio_tick(&card.device));
	assert_int_equal(link_changes + batches, 0);
}

static void stop_and_start(void **state)
{
	static const uint32_t lengths[] = {64, 0};

	(void)state;
	submit(RECEIVE, 0, lengths);
	submit(TRANSMIT, 1, lengths);
	assert_int_equal(card.backend.ops->stop(&card.backend), 2);
	assert_int_equal(mock.status, 0);
	assert_int_equal(submit(TRANSMIT, 2, lengths), IO_ERROR);
	card.backend.ops->start(&card.backend, NET_F_CSUM);
	assert_int_equal(mock.driver_features, NET_F_CSUM | VIRTIO_F_VERSION_1);
	assert_int_equal(request[0].ends + request[1].ends, 0);
	assert_int_equal(card.device.queue[RECEIVE].in_flight, 0);
	assert_int_equal(submit(RECEIVE, 0, lengths), IO_PENDING);
}

static void entropy(void **state)
{
	struct io_segment segment = {memory, 64};
	struct mock_chain chain;
	unsigned int i;

	(void)state;
	prepare(2, VIRTIO_F_EVENT_IDX);
	memset(&rng, 0, sizeof(rng));
	assert_true(hw_rng_init(&rng, REGISTERS));
	rng.backend.ops->listen(&rng.backend, &events.listener);
	for (i = 0; i < 2; i++) {
		assert_int_equal(rng.backend.ops->submit(&rng.backend, &request[i].io, &segment),
				 IO_PENDING);
		assert_true(mock_pop(0, &chain));
		assert_int_equal(chain.count, 1);
		assert_true(chain.segment[0].writable);
		assert_ptr_equal(chain.segment[0].at, memory);
		mock_push(0, chain.head, i == 0 ? 33 : 0);
		hw_virtio_irq(&rng.device);
	}
	assert_ended(0, IO_OK, 33);
	assert_ended(1, IO_ERROR, 0); /* no entropy is no success */
	assert_int_equal(batches, 2);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(abilities),
		TEST(frames_in_place),
		TEST(gap_of_legacy_devices),
		TEST(short_frames),
		TEST(short_rests_of_frames),
		TEST(link),
		TEST(interrupt_before_anyone_is_there),
		TEST(stop_and_start),
		TEST(entropy),
	};

	return cmocka_run_group_tests_name("hw_virtio_net", tests, NULL, NULL);
}
