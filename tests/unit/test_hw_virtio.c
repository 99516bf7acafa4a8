/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's virtio devices, whatever they are: transport, virtqueue, lies, time-outs, restarts.
 */
#include "mock_hw_virtio.h"

#define SIZE     16u
#define REQUESTS 16u
#define F_SOME   (1ull << 3)
#define F_OTHER  (1ull << 7)

static struct hw_virtio device;
static struct hw_slot slot[QUEUES][SIZE];
static _Alignas(HW_RING_ALIGN) uint8_t ring[QUEUES][HW_RING_BYTES(SIZE)];
static uint8_t buffer[REQUESTS][64];

static struct request {
	struct io_request io;
	unsigned int ends;
	enum io_status status;
	uint32_t length;
} request[REQUESTS];

static void (*on_done)(void); /* once */
static unsigned int batches, changes;
static struct io_listener listener;

static void done(struct io_request *io, enum io_status status, uint32_t length)
{
	struct request *ended = (struct request *)io;
	void (*hook)(void) = on_done;

	assert_unlocked(&device);
	ended->ends++;
	ended->status = status;
	ended->length = length;
	on_done = NULL;
	if (hook != NULL) {
		hook();
	}
}

static void batch(void *of)
{
	assert_ptr_equal(of, &device);
	assert_unlocked(&device);
	batches++;
}

static void config_changed(struct hw_virtio *changed)
{
	assert_unlocked(changed);
	changes++;
}

static const struct hw_kind kind = {.config_changed = config_changed};

static uint64_t open_device(uint32_t version, uint64_t features)
{
	unsigned int i;

	mock_begin(version, features);
	memset(&device, 0, sizeof(device));
	memset(request, 0, sizeof(request));
	for (i = 0; i < REQUESTS; i++) {
		request[i].io.done = done;
	}
	tick_count = 250;
	batches = changes = 0;
	device.kind = &kind;
	device.queue_count = QUEUES;
	for (i = 0; i < QUEUES; i++) {
		device.queue[i] = (struct hw_queue){
			.ring = ring[i], .slot = slot[i], .size = SIZE, .timed = i == 0};
		memset(slot[i], 0xa5, sizeof(slot[i]));
		memset(ring[i], 0xa5, sizeof(ring[i]));
	}
	listener = (struct io_listener){batch, &device, NULL};
	hw_virtio_listen(&device, &listener);
	return hw_virtio_open(&device, REGISTERS);
}

static void start_device(uint64_t wanted)
{
	device.wanted = wanted;
	spin_lock(&device.lock);
	hw_virtio_start(&device);
	spin_unlock(&device.lock);
}

static void run(uint32_t version, uint64_t features)
{
	open_device(version, features);
	assert_int_equal(device.state, HW_STOPPED);
	start_device(0);
	assert_int_equal(device.state, HW_RUNNING);
}

static int set_up(void **state)
{
	(void)state;
	run(2, VIRTIO_F_EVENT_IDX);
	return 0;
}

/* Request @i: @readable buffers of 8 bytes and then as many writable ones. */
static enum io_status submit(unsigned int queue, unsigned int i, unsigned int each)
{
	enum io_status status;
	unsigned int j;

	spin_lock(&device.lock);
	status = hw_virtio_room(&device, queue, 2 * each);
	if (status == IO_OK) {
		hw_chain_begin(&device.queue[queue]);
		for (j = 0; j < 2 * each; j++) {
			hw_chain_add(&device.queue[queue], buffer[i] + 8 * (j % 8), 8, j >= each);
		}
		hw_virtio_submit(&device, queue, &request[i].io);
	}
	spin_unlock(&device.lock);
	return status;
}

/* The head of the chain that the device gets next. */
static uint16_t popped(unsigned int queue)
{
	struct mock_chain chain;

	assert_true(mock_pop(queue, &chain));
	return chain.head;
}

static void assert_ended(unsigned int i, enum io_status status, uint32_t length)
{
	assert_int_equal(request[i].ends, 1);
	assert_int_equal(request[i].status, status);
	assert_int_equal(request[i].length, length);
}

/* --- set-up --- */

static void set_up_modern(void **state)
{
	uint64_t offered;
	unsigned int i;

	(void)state;
	offered = open_device(2, F_SOME | F_OTHER | VIRTIO_F_EVENT_IDX);
	assert_int_equal(offered, mock.features);
	assert_int_equal(mock.resets, 1);
	start_device(F_SOME);
	assert_int_equal(device.state, HW_RUNNING);
	assert_int_equal(mock.driver_features, F_SOME | VIRTIO_F_EVENT_IDX | VIRTIO_F_VERSION_1);
	assert_int_equal(mock.status, 0xf);
	for (i = 0; i < QUEUES; i++) {
		assert_int_equal(mock.ring[i].ready, 1);
		assert_int_equal(mock.ring[i].num, SIZE);
		assert_ptr_equal(mock_at(mock.ring[i].address[0]), ring[i]);
		assert_true((uint8_t *)(used_ring(i) + 2 + 4 * SIZE + 1) <= ring[i + 1]);
	}
}

static void set_up_legacy(void **state)
{
	uint64_t offered;

	(void)state;
	offered = open_device(1, F_SOME | VIRTIO_F_EVENT_IDX);
	assert_int_equal(offered, mock.features);
	start_device(F_SOME);
	assert_int_equal(device.state, HW_RUNNING);
	assert_int_equal(mock.driver_features, F_SOME | VIRTIO_F_EVENT_IDX);
	assert_int_equal(mock.status, 0x7);
	assert_ptr_equal(mock_at(mock.ring[1].address[0]), ring[1]);
	assert_int_equal(submit(1, 0, 2), IO_OK);
	mock_push(1, popped(1), 16);
	hw_virtio_irq(&device);
	assert_ended(0, IO_OK, 16);
}

static void set_up_refused(void **state)
{
	(void)state;
	assert_int_equal(open_device(3, F_SOME), 0);
	assert_int_equal(device.state, HW_OFF);
	start_device(0);
	assert_int_equal(device.state, HW_OFF);
	assert_int_equal(submit(0, 0, 1), IO_ERROR);

	open_device(2, F_SOME);
	mock.features &= ~VIRTIO_F_VERSION_1;
	start_device(0);
	assert_int_equal(device.state, HW_OFF);

	open_device(2, F_SOME);
	start_device(F_OTHER);
	assert_int_equal(device.state, HW_OFF);

	open_device(2, F_SOME);
	mock.refuses_features = true;
	start_device(F_SOME);
	assert_int_equal(device.state, HW_OFF);
	assert_int_equal(mock.status & VIRTIO_STATUS_DRIVER_OK, 0);

	open_device(2, F_SOME);
	mock.num_max = 0;
	start_device(0);
	assert_int_equal(device.state, HW_OFF);

	open_device(2, F_SOME);
	mock.stuck = true;
	start_device(0);
	assert_int_equal(device.state, HW_OFF);
}

static void queues_as_long_as_the_device_has(void **state)
{
	(void)state;
	open_device(2, 0);
	mock.num_max = 7;
	start_device(0);
	assert_int_equal(mock.ring[0].num, 4);
	assert_int_equal(submit(0, 0, 2), IO_OK);
	assert_int_equal(submit(0, 1, 1), IO_BUSY);
	assert_int_equal(submit(0, 1, 3), IO_ERROR); /* it would never fit */
}

/* --- requests --- */

static void a_chain_as_the_device_sees_it(void **state)
{
	struct mock_chain chain;
	unsigned int i;

	(void)state;
	assert_int_equal(submit(0, 3, 3), IO_OK);
	assert_int_equal(mock.ring[0].notified, 1);
	assert_int_equal(mock.ticks_started, 1);
	assert_true(mock_pop(0, &chain));
	assert_int_equal(chain.count, 6);
	for (i = 0; i < 6; i++) {
		assert_ptr_equal(chain.segment[i].at, buffer[3] + 8 * i);
		assert_int_equal(chain.segment[i].length, 8);
		assert_int_equal(chain.segment[i].writable, i >= 3);
	}
	assert_false(mock_pop(0, &chain));
	mock_push(0, chain.head, 24); /* as much as it may write */
	hw_virtio_irq(&device);
	assert_ended(3, IO_OK, 24);
	assert_int_equal(mock.interrupt_status, 0);
	assert_int_equal(batches, 1);
	assert_int_equal(submit(1, 4, 1), IO_OK);
	assert_int_equal(mock.ticks_started, 1); /* that queue has no time-outs */
}

/* Many times around the ring, with several in flight that end in another order. */
static void around_the_ring(void **state)
{
	uint16_t head[4];
	unsigned int turn, i;

	(void)state;
	for (turn = 0; turn < 30000; turn++) {
		for (i = 0; i < 4; i++) {
			mock_set_avail_event(0, mock.ring[0].last_avail);
			assert_int_equal(submit(0, i, 1 + (turn + i) % 2), IO_OK);
			head[i] = popped(0);
		}
		for (i = 0; i < 4; i++) {
			mock_push(0, head[(i * 3 + turn) % 4], i);
		}
		hw_virtio_irq(&device);
		for (i = 0; i < 4; i++) {
			assert_ended((i * 3 + turn) % 4, IO_OK, i);
			request[(i * 3 + turn) % 4].ends = 0;
		}
	}
	assert_int_equal(device.queue[0].free_count, SIZE);
	assert_int_equal(device.counters.requests, 120000);
	assert_int_equal(device.counters.interrupts, 30000);
	assert_int_equal(device.counters.errors, 0);
	assert_int_equal(mock.ring[0].notified, 120000);
	assert_int_equal(mock.resets, 2);
}

static void full_is_busy(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		assert_int_equal(submit(0, i, 1), IO_OK);
	}
	assert_int_equal(submit(0, 8, 1), IO_BUSY);
	mock_push(0, popped(0), 0);
	hw_virtio_irq(&device);
	assert_int_equal(submit(0, 8, 1), IO_OK);
	assert_int_equal(submit(0, 9, 1), IO_BUSY);
}

static void notifies_when_asked(void **state)
{
	(void)state;
	submit(0, 0, 1);
	submit(0, 1, 1); /* the device still asks for chain 0 only */
	assert_int_equal(mock.ring[0].notified, 1);
	mock_set_avail_event(0, 2);
	submit(0, 2, 1);
	assert_int_equal(mock.ring[0].notified, 2);

	run(2, 0);
	submit(0, 0, 1);
	submit(0, 1, 1);
	assert_int_equal(mock.ring[0].notified, 2);
	used_ring(0)[0] = 1;
	submit(0, 2, 1);
	assert_int_equal(mock.ring[0].notified, 2);
}

static uint16_t late_head;

static void push_late(void)
{
	mock_push(0, late_head, 0);
}

/* One interrupt for a batch: asked for only when the ring is empty, and nothing gets lost then. */
static void interrupts_are_batched(void **state)
{
	(void)state;
	submit(0, 0, 1);
	submit(0, 1, 1);
	assert_int_equal(mock_used_event(0), 0);
	mock_push(0, popped(0), 0);
	late_head = popped(0);
	on_done = push_late;
	hw_virtio_irq(&device);
	assert_ended(1, IO_OK, 0);
	assert_int_equal(mock_used_event(0), 2);
}

/* The device is through with a chain just when the driver asks to be told of it, and does not see
 * that in time. */
static void ends_while_the_driver_asks(void **state)
{
	(void)state;
	submit(0, 0, 1);
	late_head = popped(0);
	on_barrier = push_late;
	barriers = 2; /* behind InterruptACK, behind used_event */
	hw_virtio_irq(&device);
	assert_int_equal(barriers, 0);
	assert_ended(0, IO_OK, 0);
}

/* The bus is slow: what ends after the driver has looked is told all the same. */
static void acknowledgement_that_arrives_late(void **state)
{
	(void)state;
	submit(0, 0, 1);
	submit(0, 1, 1);
	mock_push(0, popped(0), 0);
	hw_virtio_irq(&device);
	mock_push(0, popped(0), 0);
	mock_arrive();
	assert_int_equal(mock.interrupt_status, VIRTIO_INTERRUPT_USED);
}

/* --- devices that do wrong --- */

/* Two requests were in flight: both end, once, and the device starts anew. */
static void assert_restarted(unsigned int resets)
{
	assert_ended(0, IO_ERROR, 0);
	assert_ended(1, IO_ERROR, 0);
	assert_int_equal(mock.resets, resets + 2); /* at once, and in front of set-up */
	assert_int_equal(device.state, HW_RUNNING);
	assert_int_equal(device.counters.errors, 2);
	assert_int_equal(batches, 1);
	request[2].ends = 0;
	assert_int_equal(submit(0, 2, 1), IO_OK);
	mock_push(0, popped(0), 8);
	hw_virtio_irq(&device);
	assert_ended(2, IO_OK, 8);
}

static void lies(void **state)
{
	static const struct {
		const char *what;
		unsigned int pushes, ahead; /* the index runs ahead of the entries */
		int id;                     /* of the entry, less the head */
		uint32_t length;
	} row[] = {
		{"an id beyond the ring", 1, 0, SIZE, 0},
		{"an id far beyond", 1, 0, 0x10000, 0},
		{"the second descriptor of a chain", 1, 0, 1, 0},
		{"a length longer than what is writable", 1, 0, 0, 9},
		{"a length of all bits", 1, 0, 0, ~0u},
		{"an index ahead by one", 1, 2, 0, 0},
		{"an index ahead by a ring and more", 1, SIZE + 1, 0, 0},
		{"an index ahead by half of all", 0, 0x8000, 0, 0},
	};
	unsigned int i, resets;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		run(2, VIRTIO_F_EVENT_IDX);
		submit(0, 0, 1);
		submit(0, 1, 1);
		if (row[i].pushes != 0) {
			mock_push(0, (uint32_t)(popped(0) + row[i].id), row[i].length);
		}
		used_ring(0)[1] = (uint16_t)(used_ring(0)[1] + row[i].ahead);
		resets = mock.resets;
		hw_virtio_irq(&device);
		assert_restarted(resets);
	}
}

/* What has ended can't end again, and what was in flight of the other queue ends, too. */
static void ends_twice(void **state)
{
	uint16_t head;

	(void)state;
	submit(0, 0, 1);
	submit(0, 1, 1);
	submit(1, 2, 1);
	head = popped(0);
	mock_push(0, head, 4);
	mock_push(0, head, 4);
	hw_virtio_irq(&device);
	assert_ended(0, IO_OK, 4);
	assert_ended(1, IO_ERROR, 0);
	assert_ended(2, IO_ERROR, 0);
}

static void says_that_it_needs_a_reset(void **state)
{
	unsigned int resets = mock.resets;

	(void)state;
	submit(0, 0, 1);
	submit(0, 1, 1);
	mock.status |= VIRTIO_STATUS_NEEDS_RESET;
	mock.interrupt_status = VIRTIO_INTERRUPT_CONFIG;
	hw_virtio_irq(&device);
	assert_restarted(resets);
	assert_int_equal(changes, 1);
}

static void a_liar_stays_off(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < HW_LIES_MAX; i++) {
		assert_int_equal(device.state, HW_RUNNING);
		assert_int_equal(submit(0, i, 1), IO_OK);
		mock_push(0, SIZE, 0);
		hw_virtio_irq(&device);
		assert_ended(i, IO_ERROR, 0);
	}
	assert_int_equal(device.state, HW_OFF);
	assert_int_equal(mock.status, 0);
	assert_int_equal(submit(0, 9, 1), IO_ERROR);
	start_device(0);
	assert_int_equal(device.state, HW_OFF);
	hw_virtio_irq(&device);
	assert_false(hw_virtio_tick(&device));
}

/* A device that does not even let itself be reset is off at once. */
static void does_not_reset(void **state)
{
	(void)state;
	submit(0, 0, 1);
	mock.stuck = true;
	mock_push(0, SIZE, 0);
	hw_virtio_irq(&device);
	assert_ended(0, IO_ERROR, 0);
	assert_int_equal(device.state, HW_OFF);
}

/* What was submitted and has not ended, by the test's own books. */
static bool waits[REQUESTS];

/* No descriptor gets lost, and no request ends that was not there, or twice, or too long. */
static void assert_books(void)
{
	unsigned int free_count[QUEUES] = {SIZE, SIZE}, i;

	for (i = 0; i < REQUESTS; i++) {
		assert_in_range(request[i].ends, 0, waits[i]);
		if (request[i].ends != 0) {
			assert_true(request[i].length <= 8 * (1 + i % 3));
			waits[i] = false;
			request[i].ends = 0;
		}
		free_count[i % 2] -= waits[i] ? 2 * (1 + i % 3) : 0;
	}
	for (i = 0; i < QUEUES; i++) {
		assert_int_equal(device.queue[i].free_count, free_count[i]);
	}
}

static void liar_acts(uint32_t random)
{
	unsigned int queue = random % 2;
	struct mock_chain chain;

	if ((random >> 1 & 63) == 0) {
		mock_push(queue, random >> 20 & 31, random >> 8 & 31);
	} else if ((random >> 1 & 63) == 1) {
		used_ring(queue)[1] = (uint16_t)(random >> 8);
	} else if (mock_pop(queue, &chain)) {
		mock_push(queue, chain.head, random >> 8 & 7);
	}
}

static void anything_at_all(void **state)
{
	uint32_t random = 1, step, waiting = 0, i;

	(void)state;
	memset(waits, 0, sizeof(waits));
	for (step = 0; step < 100000; step++) {
		random ^= random << 13;
		random ^= random >> 17;
		random ^= random << 5;
		i = random >> 16 & 15;
		device.lies = 0;
		if ((random >> 24 & 1) != 0 && !waits[i]) {
			waits[i] = submit(i % 2, i, 1 + i % 3) == IO_OK;
		} else if ((random >> 25 & 1) != 0) {
			liar_acts(random);
		}
		tick_count = (uint8_t)(tick_count + ((random >> 26 & 3) == 1));
		if ((random >> 29 & 1) != 0) {
			hw_virtio_irq(&device);
			hw_virtio_tick(&device);
		}
		assert_int_equal(device.state, HW_RUNNING);
		assert_books();
	}
	assert_in_range(device.counters.errors, 1000, device.counters.requests / 2);
	assert_in_range(device.counters.timeouts, 10, 10000);
	for (i = 0; i < REQUESTS; i++) {
		waiting += waits[i];
	}
	spin_lock(&device.lock);
	assert_int_equal(hw_virtio_stop(&device), waiting);
	spin_unlock(&device.lock);
}

/* A wire that is always high, or says nothing by going up, must not keep a core from its guest. */
static void interrupts_without_cause(void **state)
{
	unsigned int i;

	(void)state;
	submit(0, 0, 1);
	submit(0, 1, 1);
	for (i = 0; i < 255; i++) {
		assert_true(hw_virtio_irq(&device));
	}
	mock.interrupt_status = VIRTIO_INTERRUPT_CONFIG;
	assert_true(hw_virtio_irq(&device));
	for (i = 0; i < 254; i++) {
		assert_true(hw_virtio_irq(&device));
	}
	mock_push(0, popped(0), 0);
	for (i = 0; i < 255; i++) {
		assert_true(hw_virtio_irq(&device));
	}
	assert_int_equal(device.state, HW_RUNNING);
	mock.interrupt_status = VIRTIO_INTERRUPT_USED;
	assert_false(hw_virtio_irq(&device));
	assert_int_equal(device.state, HW_OFF);
	assert_ended(0, IO_OK, 0);
	assert_ended(1, IO_ERROR, 0);
}

/* --- time-outs --- */

static void too_late(void **state)
{
	unsigned int i, resets = mock.resets;

	(void)state;
	assert_false(hw_virtio_tick(&device));
	submit(0, 0, 1);
	tick_count++;
	submit(0, 1, 1);
	for (i = 1; i < HW_TIMEOUT; i++) {
		tick_count++;
		assert_true(hw_virtio_tick(&device));
	}
	assert_int_equal(request[0].ends, 0);
	tick_count++;
	batches = 0;
	hw_virtio_tick(&device);
	assert_int_equal(device.counters.timeouts, 1);
	assert_restarted(resets);
	assert_false(hw_virtio_tick(&device));
	assert_int_equal(device.lies, 0);
}

/* Its end comes with the next tick; what can do without time-outs is left to the interrupt. */
static void interrupt_that_never_comes(void **state)
{
	(void)state;
	submit(0, 0, 1);
	submit(1, 1, 1);
	mock_push(0, popped(0), 8);
	mock_push(1, popped(1), 8);
	assert_false(hw_virtio_tick(&device));
	assert_int_equal(request[0].ends, 1);
	assert_int_equal(request[0].status, IO_OK);
	assert_int_equal(request[1].ends, 0);
	assert_int_equal(device.counters.timeouts, 0);
	hw_virtio_irq(&device);
	assert_int_equal(request[1].ends, 1);
}

static void patience_where_none_is_needed(void **state)
{
	unsigned int i;

	(void)state;
	submit(1, 0, 1);
	for (i = 0; i < 1000; i++) {
		tick_count++;
		assert_false(hw_virtio_tick(&device));
	}
	assert_int_equal(request[0].ends, 0);
}

/* --- stop and start --- */

static void stop_device(uint32_t in_flight)
{
	uint32_t given_up;

	spin_lock(&device.lock);
	given_up = hw_virtio_stop(&device);
	spin_unlock(&device.lock);
	assert_int_equal(given_up, in_flight);
}

static void stop_gives_up(void **state)
{
	(void)state;
	submit(0, 0, 1);
	submit(1, 1, 1);
	stop_device(2);
	stop_device(0);
	assert_int_equal(device.state, HW_STOPPED);
	assert_int_equal(mock.status, 0);
	assert_int_equal(submit(0, 2, 1), IO_ERROR);
	mock.interrupt_status = VIRTIO_INTERRUPT_USED;
	hw_virtio_irq(&device);
	start_device(0);
	assert_int_equal(request[0].ends + request[1].ends, 0);
	assert_int_equal(submit(0, 0, 1), IO_OK);
	mock_push(0, popped(0), 0);
	hw_virtio_irq(&device);
	assert_ended(0, IO_OK, 0);
}

static void stop_and_start(void)
{
	stop_device(1);
	start_device(0);
	assert_int_equal(device.state, HW_STARTING);
	assert_int_equal(mock.status, 0);
	assert_int_equal(submit(0, 5, 1), IO_BUSY);
}

/* Another core restarts the device while this one is on its way to a done(). */
static void starts_when_nobody_is_busy(void **state)
{
	(void)state;
	submit(0, 0, 1);
	submit(0, 1, 1);
	mock_push(0, popped(0), 0);
	mock_push(0, popped(0), 0);
	on_done = stop_and_start;
	hw_virtio_irq(&device);
	assert_ended(0, IO_OK, 0);
	assert_int_equal(request[1].ends, 0);
	assert_int_equal(device.state, HW_RUNNING);
	assert_int_equal(batches, 1);
	assert_int_equal(submit(0, 5, 1), IO_OK);
}

static void starts_amid_a_failure(void **state)
{
	(void)state;
	submit(0, 0, 1);
	submit(0, 1, 1);
	mock_push(0, SIZE, 0);
	on_done = stop_and_start;
	hw_virtio_irq(&device);
	assert_ended(0, IO_ERROR, 0);
	assert_int_equal(request[1].ends, 0);
	assert_int_equal(device.state, HW_RUNNING);
}

static void interrupt_amid_a_failure(void)
{
	assert_int_equal(device.state, HW_ENDING);
	assert_int_equal(submit(0, 5, 1), IO_BUSY);
	hw_virtio_irq(&device);
	hw_virtio_tick(&device);
	assert_int_equal(device.state, HW_ENDING);
}

static void another_core_amid_a_failure(void **state)
{
	(void)state;
	submit(0, 0, 1);
	submit(0, 1, 1);
	mock_push(0, SIZE, 0);
	on_done = interrupt_amid_a_failure;
	hw_virtio_irq(&device);
	assert_ended(0, IO_ERROR, 0);
	assert_ended(1, IO_ERROR, 0);
	assert_int_equal(device.state, HW_RUNNING);
	assert_int_equal(device.lies, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(set_up_modern),
		TEST(set_up_legacy),
		TEST(set_up_refused),
		TEST(queues_as_long_as_the_device_has),
		TEST(a_chain_as_the_device_sees_it),
		TEST(around_the_ring),
		TEST(full_is_busy),
		TEST(notifies_when_asked),
		TEST(interrupts_are_batched),
		TEST(ends_while_the_driver_asks),
		TEST(acknowledgement_that_arrives_late),
		TEST(lies),
		TEST(ends_twice),
		TEST(says_that_it_needs_a_reset),
		TEST(a_liar_stays_off),
		TEST(does_not_reset),
		TEST(anything_at_all),
		TEST(interrupts_without_cause),
		TEST(too_late),
		TEST(interrupt_that_never_comes),
		TEST(patience_where_none_is_needed),
		TEST(stop_gives_up),
		TEST(starts_when_nobody_is_busy),
		TEST(starts_amid_a_failure),
		TEST(another_core_amid_a_failure),
	};

	return cmocka_run_group_tests_name("hw_virtio", tests, NULL, NULL);
}
