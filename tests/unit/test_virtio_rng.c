/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio entropy device: what is filled and what is told, sources that are slow, busy or lie.
 */
#include "mock_transport.h"
#include "drivers/virtio/rng.h"

#define SIZE        8u
#define SPACE(desc) (BUFFERS + 0x1000u * (desc))

struct kept {
	struct io_request *request;
	struct io_segment segment;
};

static struct guest_memory memory = {RAM_BASE, RAM_SIZE, mock_ram};
static struct virtio_rng rng;
static struct spinlock lock;
static struct io_listener *listener;
static struct kept kept[SIZE];
static unsigned int kept_count, submits;
static enum io_status answer;
static bool another_for_each; /* another processor adds a request for each that is taken */
static uint32_t at_once;      /* bytes that an IO_OK at once leaves */

static enum io_status source_submit(struct entropy_backend *backend, struct io_request *request,
				    struct io_segment *segment)
{
	(void)backend;
	assert_true(lock.owner != lock.next);
	submits++;
	if (another_for_each) {
		guest_offer(0, SIZE, 0);
	}
	if (answer == IO_PENDING) {
		assert_true(kept_count < SIZE);
		kept[kept_count++] = (struct kept){request, *segment};
	} else if (answer == IO_OK) {
		memset(segment->at, 0xe7, at_once < segment->length ? at_once : segment->length);
		segment->length = at_once;
	}
	return answer;
}

static void source_listen(struct entropy_backend *backend, struct io_listener *who)
{
	(void)backend;
	listener = who;
}

static const struct entropy_ops ops = {source_submit, source_listen};
static struct entropy_backend source = {&ops};

static void start(void)
{
	driver_start(&rng.device, VIRTIO_F_INDIRECT_DESC, SIZE);
	assert_int_equal(reg_read(&rng.device, STATUS), RUNNING);
	mock_line_rose = 0;
}

static int set_up(void **state)
{
	(void)state;
	mock_line = false;
	memset(&rng, 0xa5, sizeof(rng));
	memset(&lock, 0, sizeof(lock));
	virtio_rng_init(&rng, &source, &(struct virtio_place){&memory, mock_irq, &lock, false});
	kept_count = 0;
	submits = 0;
	answer = IO_PENDING;
	another_for_each = false;
	start();
	return 0;
}

static void locked_write(uint32_t offset, uint32_t value)
{
	spin_lock(&lock);
	reg_write(&rng.device, offset, value);
	spin_unlock(&lock);
}

static void offer(uint16_t desc, uint32_t length)
{
	guest_desc(DESC(0), desc, SPACE(desc), length, WRITE, 0);
	guest_offer(0, SIZE, desc);
}

static void end(unsigned int i, enum io_status status, uint32_t length)
{
	kept[i].request->done(kept[i].request, status, length);
	assert_int_equal(lock.owner, lock.next);
}

static void batch(void)
{
	kept_count = 0;
	listener->batch(listener->device);
	assert_int_equal(lock.owner, lock.next);
}

static void assert_used(uint32_t entry, uint32_t head, uint32_t length)
{
	assert_int_equal(guest_used_index(0), entry + 1);
	assert_int_equal(guest_used_id(0, entry), head);
	assert_int_equal(guest_used_length(0, entry), length);
}

static void identity(void **state)
{
	(void)state;
	assert_int_equal(reg_read(&rng.device, DEVICE_ID), 4);
	reg_write(&rng.device, QUEUE_SEL, 0);
	assert_int_equal(reg_read(&rng.device, QUEUE_NUM_MAX), VIRTIO_RNG_QUEUE_SIZE);
	reg_write(&rng.device, QUEUE_SEL, 1);
	assert_int_equal(reg_read(&rng.device, QUEUE_NUM_MAX), 0);
	assert_int_equal(reg_read(&rng.device, CONFIG), 0);
}

static void filled_in_place(void **state)
{
	(void)state;
	offer(3, 16);
	locked_write(QUEUE_NOTIFY, 0);
	assert_int_equal(kept_count, 1);
	assert_ptr_equal(kept[0].segment.at, guest_at(SPACE(3)));
	assert_int_equal(kept[0].segment.length, 16);
	assert_int_equal(rng.device.in_flight, 1);
	end(0, IO_OK, 16);
	assert_int_equal(rng.device.in_flight, 0);
	assert_used(0, 3, 16);
	assert_int_equal(mock_line_rose, 0);
	batch();
	assert_int_equal(mock_line_rose, 1);
}

static void no_more_than_a_little_at_once(void **state)
{
	(void)state;
	offer(0, 0x10000);
	guest_desc(DESC(0), 1, SPACE(1), 4, WRITE | NEXT, 2);
	guest_desc(DESC(0), 2, SPACE(2), 4, WRITE, 0);
	guest_offer(0, SIZE, 1);
	locked_write(QUEUE_NOTIFY, 0);
	assert_int_equal(kept[0].segment.length, VIRTIO_RNG_BYTES);
	assert_int_equal(kept[1].segment.length, 4);
	end(1, IO_OK, 3);
	assert_used(0, 1, 3);
	end(0, IO_OK, VIRTIO_RNG_BYTES);
	assert_used(1, 0, VIRTIO_RNG_BYTES);
}

static void source_that_lies_or_fails(void **state)
{
	(void)state;
	offer(0, 16);
	offer(1, 16);
	offer(2, 16);
	locked_write(QUEUE_NOTIFY, 0);
	end(0, IO_OK, 17);
	assert_used(0, 0, 0);
	offer(3, 1000);
	end(1, IO_ERROR, 16);
	assert_used(1, 1, 0);
	end(2, IO_OK, UINT32_MAX);
	assert_used(2, 2, 0);
	locked_write(QUEUE_NOTIFY, 0);
	end(3, IO_OK, VIRTIO_RNG_BYTES + 1); /* more than it was asked for */
	assert_used(3, 3, 0);
}

static void source_that_answers_at_once(void **state)
{
	(void)state;
	answer = IO_OK;
	at_once = 5;
	offer(0, 16);
	offer(1, 16);
	locked_write(QUEUE_NOTIFY, 0);
	assert_used(1, 1, 5);
	assert_int_equal(mock_line_rose, 1);
	assert_int_equal(*(uint8_t *)guest_at(SPACE(0) + 4), 0xe7);
	assert_int_equal(*(uint8_t *)guest_at(SPACE(0) + 5), 0);
	at_once = 17;
	offer(2, 16);
	locked_write(QUEUE_NOTIFY, 0);
	assert_used(2, 2, 0);
	answer = IO_ERROR;
	offer(3, 16);
	locked_write(QUEUE_NOTIFY, 0);
	assert_used(3, 3, 0);
	assert_int_equal(rng.device.in_flight, 0);
}

static void busy_source(void **state)
{
	(void)state;
	answer = IO_BUSY;
	offer(5, 16);
	offer(6, 16);
	locked_write(QUEUE_NOTIFY, 0);
	assert_int_equal(submits, 1);
	assert_int_equal(rng.device.in_flight, 0);
	answer = IO_PENDING;
	batch();
	assert_int_equal(kept_count, 2);
	assert_ptr_equal(kept[0].segment.at, guest_at(SPACE(5)));
}

/* The same buffer more often than the queue has entries. */
static void bounded_in_flight(void **state)
{
	unsigned int i;

	(void)state;
	offer(0, 16);
	for (i = 0; i < SIZE + 3; i++) {
		locked_write(QUEUE_NOTIFY, 0);
		guest_offer(0, SIZE, 0);
	}
	assert_int_equal(kept_count, SIZE);
	assert_int_equal(rng.device.in_flight, SIZE);
	end(2, IO_OK, 1);
	batch();
	assert_int_equal(kept_count, 1);
	assert_int_equal(rng.device.in_flight, SIZE);
}

static void work_of_a_call_is_bounded(void **state)
{
	(void)state;
	answer = IO_OK;
	at_once = 1;
	offer(0, 16);
	another_for_each = true;
	locked_write(QUEUE_NOTIFY, 0);
	assert_int_equal(submits, SIZE);
	another_for_each = false;
	assert_true(mock_line);
	locked_write(INTERRUPT_ACK, VIRTIO_INTERRUPT_USED);
	assert_int_equal(submits, SIZE + 1);
}

/* The reset waits until the source has let go of the guest's memory. */
static void reset_waits_for_the_source(void **state)
{
	(void)state;
	offer(0, 16);
	locked_write(QUEUE_NOTIFY, 0);
	locked_write(STATUS, 0);
	assert_true(rng.device.again);
	rng.device.again = false;
	end(0, IO_OK, 16);
	batch();
	assert_int_equal(kept_count, 0);
	locked_write(STATUS, 0);
	assert_false(rng.device.again);
	start();
	offer(1, 16);
	locked_write(QUEUE_NOTIFY, 0);
	assert_int_equal(kept_count, 1);
	end(0, IO_OK, 16);
	assert_used(0, 1, 16);
}

static void readable_buffer(void **state)
{
	(void)state;
	guest_desc(DESC(0), 0, SPACE(0), 16, NEXT, 1);
	guest_desc(DESC(0), 1, SPACE(1), 16, WRITE, 0);
	guest_offer(0, SIZE, 0);
	locked_write(QUEUE_NOTIFY, 0);
	assert_int_equal(submits, 0);
	assert_int_equal(reg_read(&rng.device, STATUS), RUNNING | NEEDS_RESET);
	assert_non_null(strstr(rng.device.fault, "readable buffer"));
	start();
	offer(0, 16);
	locked_write(QUEUE_NOTIFY, 0);
	assert_int_equal(submits, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(identity),
		TEST(filled_in_place),
		TEST(no_more_than_a_little_at_once),
		TEST(source_that_lies_or_fails),
		TEST(source_that_answers_at_once),
		TEST(busy_source),
		TEST(bounded_in_flight),
		TEST(work_of_a_call_is_bounded),
		TEST(reset_waits_for_the_source),
		TEST(readable_buffer),
	};

	return cmocka_run_group_tests_name("virtio_rng", tests, NULL, NULL);
}
