/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives the bench's virtio disk (virtio 1.2, 4.2.2, 5.2) the way Linux does: an indirect table a
 * request, the event index for notifications and interrupts, and one notification for all that an
 * interrupt let begin. MMU and caches are off: memory is strongly ordered.
 */
#include "disk.h"

#define SIZE 32u /* requests, too */
#include "../payload/virtio_disk.h"

#define GICC 0x08010000u
#define IAR  (GICC + 0x0c)
#define EOIR (GICC + 0x10)

#define ICPENDR  0x08000280u
#define SPURIOUS 1020u

#define INDIRECT_EVENT (3u << 28)

/* The plugin counts what bivy touches here (DATA in bench.py). */
#define DATA        0x48000000u
#define BLOCK       4096u
#define SECTORS     (BLOCK / 512)
#define DISK_BLOCKS 1024u

static struct request {
	struct desc table[3];
	uint32_t type, reserved, sector, sector_high;
	volatile uint8_t status;
} requests[SIZE] __attribute__((aligned(16)));

static uint32_t begun;
static uint16_t notified; /* avail.index when the disk was last told, or need not be */

static void set_up(uint32_t i)
{
	struct request *request = &requests[i];

	request->table[0] = (struct desc){address_of(&request->type), 0, 16, DESC_NEXT, 1};
	request->table[1] = (struct desc){DATA + i * BLOCK, 0, BLOCK, DESC_NEXT | DESC_WRITE, 2};
	request->table[2] = (struct desc){address_of(&request->status), 0, 1, DESC_WRITE, 0};
	descs[i] = (struct desc){address_of(request->table), 0, sizeof(request->table),
				 DESC_INDIRECT, 0};
}

bool disk_start(void)
{
	for (uint32_t i = 0; i < SIZE; i++) {
		set_up(i);
	}
	return start_queue(INDIRECT_EVENT, descs);
}

static void begin(uint32_t i)
{
	requests[i].sector = begun++ * 7919 % DISK_BLOCKS * SECTORS;
	requests[i].status = 0xff;
	avail.ring[avail.index % SIZE] = (uint16_t)i;
	avail.index = (uint16_t)(avail.index + 1);
}

/* What we wrote is seen before we look at what the disk wrote (virtio 1.2, 2.7.13.4.1). QEMU's host
 * may reorder the two, whatever memory is here. */
static void order(void)
{
	asm volatile("dmb" ::: "memory");
}

/* virtio 1.2, 2.7.7.2: the disk's wish is one of those that were added. */
static void notify(void)
{
	const uint16_t added = (uint16_t)(avail.index - notified);
	uint16_t distance;

	order();
	distance = (uint16_t)(avail.index - used.avail_event - 1);
	if (distance < added) {
		put(DISK + NOTIFY, 0);
	}
	notified = avail.index;
}

/* Another interrupt may come, such as the one that made this core work. */
static void await_interrupt(void)
{
	uint32_t iar = get(IAR);

	for (; (iar & 0x3ff) != DISK_INTID; iar = get(IAR)) {
		if ((iar & 0x3ff) < SPURIOUS) {
			put(EOIR, iar);
		}
		asm volatile("wfi" ::: "memory");
	}
	put(DISK + INTERRUPT_ACK, get(DISK + INTERRUPT));
	put(EOIR, iar);
}

void disk_settle(void)
{
	put(DISK + INTERRUPT_ACK, get(DISK + INTERRUPT));
	put(ICPENDR + DISK_INTID / 32 * 4, 1u << DISK_INTID % 32);
}

bool disk_read(uint32_t depth, uint32_t total)
{
	uint16_t seen = used.index;
	uint32_t ended = 0;

	begun = 0;
	for (uint32_t i = 0; i < depth; i++) {
		begin(i);
	}
	notify();
	while (ended != total) {
		await_interrupt();
		do {
			for (; seen != used.index; seen++) {
				const uint32_t i = used.ring[seen % SIZE].id;

				if (i >= SIZE || requests[i].status != 0) {
					return false;
				}
				ended++;
				if (begun != total) {
					begin(i);
				}
			}
			avail.used_event = seen;
			order();
		} while (seen != used.index);
		notify();
	}
	return true;
}
