/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A LAN9118 whose registers say anything. Whatever it is: nothing is written outside of the buffers
 * that the driver has, each of them ends once at most, in order, and no call takes long.
 */
#include <string.h>
#include "drivers/hw/lan9118_chip.h"
#include "drivers/tick.h"
#include "bytes.h"

#define REGISTERS  0x1000u
#define REQUESTS   64u
#define READS_MAX  12000u /* of a call: 4 frames, or some registers that do not settle */
#define BUFFER_MAX 3000u

struct buffer {
	struct io_request request; /* first */
	uint8_t *memory;
	uint32_t length;
	bool pending;
};

static struct bytes input;
static struct lan9118 lan;
static struct buffer buffer[REQUESTS];
static unsigned int posted, ended, reads, batches;

uint8_t tick_count;

void tick_start(void)
{
}

void mmio_write(uintptr_t address, uint32_t value)
{
	(void)value;
	AGREE(address - REGISTERS <= 0xa8 && address % 4 == 0, true);
}

/* Lengths mostly as they may be, counts small. */
uint32_t mmio_read(uintptr_t address)
{
	AGREE(address - REGISTERS <= 0xa8 && address % 4 == 0, true);
	AGREE(++reads <= READS_MAX, true);
	switch (address - REGISTERS) {
	case LAN_INT_STS:
		return take8(&input) % 32 == 1 ? ~0u : LAN_INT_RX_FRAMES | LAN_INT_TX_ROOM;
	case LAN_RX_DATA:
		return ~0u;
	case LAN_BYTE_TEST:
		return 0x87654321;
	case LAN_ID_REV:
		return 0x01180001;
	case LAN_HW_CFG:
		return 4u | (take8(&input) == 1);
	case LAN_PMT_CTRL:
		return 1;
	case LAN_MAC_CSR_CMD:
		return take8(&input) == 1 ? 1u << 31 : 0;
	case LAN_RX_STATUS:
		return (take8(&input) % 16 == 1 ? take16(&input) : take8(&input) * 8u) << 16;
	case LAN_RX_FIFO_INF:
		return (uint32_t)take8(&input) << 16;
	default:
		return take8(&input) * 0x01010101u;
	}
}

static void unlocked(void)
{
	AGREE(lan.lock.owner == lan.lock.next, true);
}

static void stop(void)
{
	const uint32_t given_up = lan.backend.ops->stop(&lan.backend);
	unsigned int pending = 0;

	for (unsigned int i = 0; i < REQUESTS; i++) {
		pending += buffer[i].pending;
		buffer[i].pending = false;
		free(buffer[i].memory);
		buffer[i].memory = NULL;
	}
	AGREE(given_up, pending);
	ended = posted;
}

static void done(struct io_request *request, enum io_status status, uint32_t length)
{
	struct buffer *is = (struct buffer *)request;

	unlocked();
	AGREE(status, IO_OK);
	AGREE(is == &buffer[ended++ % REQUESTS] && is->pending, true);
	AGREE(length >= NET_HEADER + 14 && length <= is->length, true);
	AGREE(is->memory[0] == 0, true);
	is->pending = false;
	free(is->memory);
	is->memory = NULL;
	if (take8(&input) % 16 == 1) {
		stop();
	}
}

static void batch(void *device)
{
	(void)device;
	unlocked();
	batches++;
}

static struct net_events events = {{batch, NULL, NULL}, batch};

/* Segments one behind the other in @memory, of @length bytes in all. */
static uint16_t cut(struct io_segment *segment, uint8_t *memory, uint32_t length)
{
	uint16_t count = 0;

	while (length > 0) {
		uint32_t part = 1 + take8(&input) % 64u;

		part = part > length || count == LAN9118_SEGMENTS - 1 ? length : part;
		segment[count++] = (struct io_segment){memory, part};
		memory += part;
		length -= part;
	}
	return count;
}

static void submit(bool transmit)
{
	const uint32_t length = (transmit ? NET_HEADER + 14 : NET_HEADER + 1) +
				take16(&input) % (BUFFER_MAX - 2 * NET_HEADER - 14);
	struct io_segment segment[LAN9118_SEGMENTS];
	struct buffer *is = &buffer[posted % REQUESTS];
	uint8_t *memory = malloc(length);
	const uint16_t count = cut(segment, memory, length);
	enum io_status status;

	if (transmit) {
		memset(memory, 1, length);
		status = lan.backend.ops->transmit(&lan.backend, NULL, segment, count);
		AGREE(status == IO_OK || status == IO_ERROR || status == IO_BUSY, true);
		free(memory);
		return;
	}
	status = lan.backend.ops->receive(&lan.backend, &is->request, segment, count);
	if (status != IO_PENDING) {
		AGREE(status == IO_BUSY ? posted - ended == REQUESTS : lan.state < LAN9118_BROKEN,
		      true);
		free(memory);
		return;
	}
	AGREE(!is->pending, true);
	is->pending = true;
	is->memory = memory;
	is->length = length;
	posted++;
}

static void step(void)
{
	const uint8_t what = take8(&input);

	reads = 0;
	if (what < 16) {
		lan9118_tick(&lan);
	} else if (what < 20) {
		stop();
	} else if (what < 40) {
		lan.backend.ops->start(&lan.backend, 0);
	} else if (what < 80) {
		submit(true);
	} else if (what < 150) {
		submit(false);
	} else {
		lan9118_irq(&lan);
	}
	unlocked();
}

int LLVMFuzzerTestOneInput(const uint8_t *input_bytes, size_t length)
{
	input = (struct bytes){input_bytes, length};
	memset(&lan, 0, sizeof(lan));
	memset(buffer, 0, sizeof(buffer));
	for (unsigned int i = 0; i < REQUESTS; i++) {
		buffer[i].request.done = done;
	}
	posted = ended = reads = 0;
	if (!lan9118_init(&lan, REGISTERS)) {
		return 0;
	}
	lan.backend.events = &events;
	lan.backend.ops->start(&lan.backend, 0);
	while (input.left > 0) {
		step();
	}
	reads = 0;
	stop();
	return 0;
}
