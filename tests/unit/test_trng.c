/* SPDX-License-Identifier: BSD-2-Clause */
/* The firmware's TRNG as a backend and for the guest, with firmware that has none, or runs dry. */
#include <string.h>
#include "suite.h"
#include "drivers/hw/trng.h"

#define SUCCESS           0u
#define NOT_SUPPORTED     0xffffffffu
#define NO_ENTROPY        0xfffffffdu
#define INVALID_PARAMETER 0xfffffffeu

static struct {
	uint32_t psci, smccc, trng; /* versions */
	unsigned int calls[4];      /* of the TRNG's functions */
	unsigned int strangers;     /* calls before the one that says that they may be made */
	uint32_t bits;              /* of entropy that it has */
	uint8_t next;               /* bytes count up */
} firmware;

static struct trng trng;

/* Gives bytes that count up, the first in the lowest bits. */
static void rnd32(uint32_t r[4])
{
	const uint32_t bits = r[1];
	uint8_t bytes[12] = {0};
	uint32_t i;

	if (bits == 0 || bits > 96) {
		r[0] = INVALID_PARAMETER;
		return;
	}
	r[0] = NO_ENTROPY;
	r[1] = r[2] = r[3] = 0;
	if (bits > firmware.bits) {
		return;
	}
	firmware.bits -= bits;
	for (i = 0; i < bits / 8; i++) {
		bytes[i] = firmware.next++;
	}
	r[0] = SUCCESS;
	for (i = 0; i < 12; i++) {
		r[3 - i / 4] |= (uint32_t)bytes[i] << (8 * (i % 4));
	}
}

static void firmware_call(uint32_t r[4])
{
	const uint32_t function = r[0];

	r[0] = NOT_SUPPORTED;
	if (function == 0x84000000) {
		r[0] = firmware.psci;
	} else if (function == 0x8400000a) {
		firmware.strangers += firmware.psci == NOT_SUPPORTED;
		r[0] = r[1] == 0x80000000 && firmware.smccc != NOT_SUPPORTED ? SUCCESS
									     : NOT_SUPPORTED;
	} else if (function == 0x80000000) {
		firmware.strangers += firmware.smccc == NOT_SUPPORTED;
		r[0] = firmware.smccc;
	} else if (function >= 0x84000050 && function <= 0x84000053) {
		firmware.strangers += firmware.smccc != 0x10001 && firmware.smccc != 0x10002;
		firmware.calls[function - 0x84000050]++;
		if (function == 0x84000050) {
			r[0] = firmware.trng;
		} else if (function == 0x84000053) {
			rnd32(r);
		} else if (function == 0x84000052) {
			r[0] = r[1] = r[2] = r[3] = 0x1d1d1d1d;
		} else {
			r[0] = r[1] == 0x84000053 ? SUCCESS : NOT_SUPPORTED;
		}
	} else {
		firmware.strangers++;
	}
}

static int set_up(void **state)
{
	(void)state;
	memset(&firmware, 0, sizeof(firmware));
	firmware.psci = 0x10001;
	firmware.smccc = 0x10002;
	firmware.trng = 0x10000;
	firmware.bits = 10000;
	memset(&trng, 0xa5, sizeof(trng));
	return 0;
}

static enum io_status submit(uint8_t *at, uint32_t *length)
{
	struct io_request request = {NULL};
	struct io_segment segment = {at, *length};
	enum io_status status = trng.backend.ops->submit(&trng.backend, &request, &segment);

	*length = segment.length;
	return status;
}

static void found_step_by_step(void **state)
{
	static const struct {
		uint32_t psci, smccc, trng;
		bool found;
	} boards[] = {
		{0x10001, 0x10002, 0x10000, true},
		{0x10000, 0x10001, 0x10001, true},
		{NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, false},
		{2, NOT_SUPPORTED, NOT_SUPPORTED, false}, /* PSCI 0.2 */
		{0x10000, NOT_SUPPORTED, NOT_SUPPORTED, false},
		{0x10000, 0x10000, 0x10000, false},
		{0x10001, 0x10002, NOT_SUPPORTED, false},
		{0x10001, 0x10002, 0x0ffff, false},
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(boards) / sizeof(boards[0]); i++) {
		firmware.psci = boards[i].psci;
		firmware.smccc = boards[i].smccc;
		firmware.trng = boards[i].trng;
		assert_int_equal(trng_init(&trng, firmware_call), boards[i].found);
		assert_int_equal(firmware.strangers, 0);
	}
}

static void every_length(void **state)
{
	uint8_t bytes[66];
	uint32_t length, wanted, i;

	(void)state;
	assert_true(trng_init(&trng, firmware_call));
	for (wanted = 1; wanted <= 64; wanted++) {
		firmware.next = 1;
		firmware.bits = 8 * wanted; /* asks for no bit more than it needs */
		memset(bytes, 0, sizeof(bytes));
		length = wanted;
		assert_int_equal(submit(bytes, &length), IO_OK);
		assert_int_equal(length, wanted);
		for (i = 0; i < sizeof(bytes); i++) {
			assert_int_equal(bytes[i], i < wanted ? i + 1 : 0);
		}
	}
}

static void runs_dry(void **state)
{
	uint8_t bytes[64] = {0};
	uint32_t length = 64;

	(void)state;
	assert_true(trng_init(&trng, firmware_call));
	firmware.bits = 200;
	firmware.next = 1;
	assert_int_equal(submit(bytes, &length), IO_OK);
	assert_int_equal(length, 24);
	assert_int_equal(bytes[23], 24);
	assert_int_equal(bytes[24], 0);
	assert_int_equal(firmware.calls[3], 3);
	length = 64;
	assert_int_equal(submit(bytes, &length), IO_ERROR);
	assert_int_equal(length, 0);
}

static void listener_is_never_called(void **state)
{
	struct io_listener listener = {NULL, NULL, NULL};

	(void)state;
	assert_true(trng_init(&trng, firmware_call));
	trng.backend.ops->listen(&trng.backend, &listener);
}

static void calls_of_the_guest(void **state)
{
	uint32_t version[4] = {0x84000050, 1, 2, 3};
	uint32_t features[4] = {0x84000051, 0x84000053, 2, 3};
	uint32_t uuid[4] = {0x84000052, 1, 2, 3};
	uint32_t rnd[4] = {0x84000053, 96, 2, 3};
	uint32_t wrong[4] = {0x84000053, 97, 2, 3};

	(void)state;
	assert_true(trng_init(&trng, firmware_call));
	assert_true(trng_answer(&trng, version));
	assert_int_equal(version[0], 0x10000);
	assert_true(trng_answer(&trng, features));
	assert_int_equal(features[0], SUCCESS);
	assert_true(trng_answer(&trng, uuid));
	assert_int_equal(uuid[3], 0x1d1d1d1d);
	assert_true(trng_answer(&trng, rnd));
	assert_int_equal(rnd[0], SUCCESS);
	assert_int_equal(rnd[3], 0x03020100);
	assert_int_equal(rnd[1], 0x0b0a0908);
	assert_true(trng_answer(&trng, wrong));
	assert_int_equal(wrong[0], INVALID_PARAMETER);
}

/* Nothing but the TRNG's own functions gets to the firmware. */
static void other_calls_of_the_guest(void **state)
{
	static const uint32_t others[] = {0x8400004f, 0x84000054, 0x84000008, 0xc4000053,
					  0x80000000, 0,          UINT32_MAX};
	unsigned int i;

	(void)state;
	assert_true(trng_init(&trng, firmware_call));
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		uint32_t r[4] = {others[i], 1, 2, 3};

		assert_false(trng_answer(&trng, r));
		assert_int_equal(r[0], others[i]);
		assert_int_equal(r[3], 3);
	}
	assert_int_equal(firmware.strangers, 0);
}

static void guest_without_a_source(void **state)
{
	uint32_t r[4] = {0x84000050, 1, 2, 3};

	(void)state;
	firmware.trng = NOT_SUPPORTED;
	assert_false(trng_init(&trng, firmware_call));
	assert_false(trng_answer(&trng, r));
	assert_int_equal(r[0], 0x84000050);
	assert_int_equal(firmware.calls[0], 1);
	/* And before it was looked for. */
	trng = (struct trng){0};
	assert_false(trng_answer(&trng, r));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(found_step_by_step),
		TEST(every_length),
		TEST(runs_dry),
		TEST(listener_is_never_called),
		TEST(calls_of_the_guest),
		TEST(other_calls_of_the_guest),
		TEST(guest_without_a_source),
	};

	return cmocka_run_group_tests_name("trng", tests, NULL, NULL);
}
