/* SPDX-License-Identifier: BSD-2-Clause */
/* Who uses the LAN9118 in its tests: one card, with requests that end in order. */
#ifndef TESTS_LAN9118_CARD_H
#define TESTS_LAN9118_CARD_H

#include "mock_lan9118.h"

#define MEMORY 4096u

static struct lan9118 lan;
static uint8_t memory[MEMORY], frame[1600];
static struct io_segment segment[LAN9118_SEGMENTS];
static uint16_t count;

static struct test_request {
	struct io_request io;
	unsigned int ends;
	uint32_t length;
} request[400];

static unsigned int batches, link_changes, ended;
static bool stops, refills;

static inline void assert_unlocked(void)
{
	assert_int_equal(lan.lock.owner, lan.lock.next);
}

static inline void post(unsigned int i, enum io_status status)
{
	assert_int_equal(lan.backend.ops->receive(&lan.backend, &request[i].io, segment, count),
			 status);
}

/* Buffers end in the order in which they were posted. */
static inline void done(struct io_request *io, enum io_status status, uint32_t length)
{
	struct test_request *is = (struct test_request *)io;

	assert_unlocked();
	assert_int_equal(status, IO_OK);
	assert_ptr_equal(is, &request[ended]);
	is->ends++;
	is->length = length;
	ended++;
	if (stops) {
		assert_int_equal(lan.backend.ops->stop(&lan.backend), 1);
	}
	if (refills) {
		post(ended, IO_PENDING);
	}
}

static inline void batch(void *device)
{
	assert_ptr_equal(device, &batches);
	assert_unlocked();
	batches++;
}

static inline void link_changed(void *device)
{
	assert_ptr_equal(device, &batches);
	assert_unlocked();
	link_changes++;
}

static struct net_events events = {{batch, &batches, NULL}, link_changed};

static inline void prepare(void)
{
	mock_begin();
	memset(&lan, 0, sizeof(lan));
	memset(request, 0, sizeof(request));
	for (unsigned int i = 0; i < sizeof(request) / sizeof(request[0]); i++) {
		request[i].io.done = done;
	}
	for (unsigned int i = 0; i < sizeof(frame); i++) {
		frame[i] = (uint8_t)(i * 7 + i / 256);
	}
	batches = link_changes = ended = 0;
	stops = refills = false;
}

static inline void start(void)
{
	lan.backend.events = &events;
	lan.backend.ops->start(&lan.backend, NET_F_MAC | NET_F_STATUS);
	assert_int_equal(lan.state, LAN9118_RUNNING);
}

static inline int set_up(void **state)
{
	(void)state;
	prepare();
	assert_true(lan9118_init(&lan, REGISTERS));
	start();
	return 0;
}

static inline void one_piece(uint32_t length)
{
	segment[0] = (struct io_segment){memory + 2, length};
	count = 1;
}

static inline void pump(void)
{
	for (unsigned int i = 0; mock_wire(); i++) {
		assert_in_range(i, 0, 300);
		assert_true(lan9118_irq(&lan));
		assert_unlocked();
	}
}

static inline void ticks(unsigned int n)
{
	while (n-- > 0) {
		tick_count++;
		assert_true(lan9118_tick(&lan));
		assert_unlocked();
	}
}

static inline enum io_status transmit(void)
{
	return lan.backend.ops->transmit(&lan.backend, &request[0].io, segment, count);
}

#endif
