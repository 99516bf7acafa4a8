/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes record after record to the virtio disk, with up to DEPTH writes at once, and after a few
 * of them a flush; prints how many records are there for good when the flush has ended. The test
 * kills QEMU at any moment and looks for them (virtio 1.2, 4.2.2, 5.2). MMU and caches are off:
 * memory is strongly ordered.
 */
#include "payload.h"

#define SIZE 64u
#include "virtio_disk.h"

#define F_FLUSH (1u << 9)

#define TYPE_OUT   1u
#define TYPE_FLUSH 4u

#define DEPTH   16u
#define APART   128u /* sectors: each record is in a cluster of its own */
#define RECORDS 16000u

static struct request {
	uint32_t type, reserved, sector, sector_high;
	uint32_t record[128];
	volatile uint32_t status;
} requests[DEPTH];

/* Request @i; its descriptors are 3 * @i and the next two. */
static void begin(uint32_t i, uint32_t type, uint32_t record)
{
	struct request *request = &requests[i];
	struct desc *d = &descs[3 * i];
	const uint16_t status = (uint16_t)(3 * i + 2);

	request->type = type;
	request->sector = type == TYPE_OUT ? record * APART : 0;
	request->status = 0xff;
	for (uint32_t k = 0; k < 128; k++) {
		request->record[k] = record + 1;
	}
	d[0] = (struct desc){address_of(&request->type), 0, 16, DESC_NEXT,
			     type == TYPE_OUT ? (uint16_t)(3 * i + 1) : status};
	d[1] = (struct desc){address_of(request->record), 0, 512, DESC_NEXT, status};
	d[2] = (struct desc){address_of(&request->status), 0, 1, DESC_WRITE, 0};
	avail.ring[avail.index % SIZE] = (uint16_t)(3 * i);
	avail.index = (uint16_t)(avail.index + 1);
	put(DISK + NOTIFY, 0);
}

/* Waits until all that was begun has ended. Returns false if something failed. */
static bool settle(void)
{
	bool good = true;

	while (used.index != avail.index) {
	}
	for (uint32_t i = 0; i < DEPTH; i++) {
		good = good && (requests[i].status & 0xff) == 0;
	}
	return good;
}

void payload(void)
{
	uint32_t record = 0, round = 0;

	/* With descriptors that are nowhere the disk stops, and bivy says why; a reset helps. */
	if (start_queue(F_FLUSH, NULL) || !start_queue(F_FLUSH, descs)) {
		result("there is a disk", false,
		       "no disk of version 2, or one that takes any table");
		return;
	}
	while (record < RECORDS) {
		const uint32_t count = 1 + round++ * 7 % DEPTH;

		for (uint32_t i = 0; i < count; i++) {
			begin(i, TYPE_OUT, record + i);
		}
		if (!settle()) {
			result("writes end well", false, "a record from %u on", record);
			return;
		}
		begin(0, TYPE_FLUSH, 0);
		if (!settle()) {
			result("flushes end well", false, "after record %u", record);
			return;
		}
		record += count;
		print("flushed %u\r\n", record);
	}
	result("all records were written", true, "");
}
