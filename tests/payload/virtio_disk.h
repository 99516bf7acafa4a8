/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bare-metal driver's view of the guest's virtio disk, version 2, and its one split queue
 * (virtio 1.2, 2.7, 4.2.2). Who includes it defines SIZE before: entries of the queue.
 */
#ifndef TESTS_VIRTIO_DISK_H
#define TESTS_VIRTIO_DISK_H

#include <stdbool.h>
#include <stdint.h>

#define DISK          0x0a000200u
#define DEVICE_ID     0x008
#define FEATURES      0x020
#define FEATURES_SEL  0x024
#define QUEUE_SEL     0x030
#define QUEUE_NUM     0x038
#define QUEUE_READY   0x044
#define NOTIFY        0x050
#define INTERRUPT     0x060
#define INTERRUPT_ACK 0x064
#define STATUS        0x070
#define QUEUE_DESC    0x080
#define QUEUE_AVAIL   0x090
#define QUEUE_USED    0x0a0

#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u

struct desc {
	uint32_t address, address_high, length;
	uint16_t flags, next;
};

static struct desc descs[SIZE] __attribute__((aligned(16)));

static volatile struct {
	uint16_t flags, index, ring[SIZE], used_event;
} avail __attribute__((aligned(4)));

static volatile struct {
	uint16_t flags, index;
	struct {
		uint32_t id, length;
	} ring[SIZE];
	uint16_t avail_event;
} used __attribute__((aligned(4)));

static uint32_t get(uint32_t address)
{
	return *(volatile uint32_t *)(uintptr_t)address;
}

static void put(uint32_t address, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)address = value;
}

static uint32_t address_of(const volatile void *at)
{
	return (uint32_t)(uintptr_t)at;
}

static void set_ring(uint32_t offset, const volatile void *at)
{
	put(DISK + offset, address_of(at));
	put(DISK + offset + 4, 0);
}

/* @features: of the low word, besides VERSION_1; @table: where the disk is told descs are. */
static bool start_queue(uint32_t features, const struct desc *table)
{
	if (get(DISK) != 0x74726976u || get(DISK + DEVICE_ID) != 2) {
		return false;
	}
	put(DISK + STATUS, 0);
	put(DISK + STATUS, 3);
	put(DISK + FEATURES_SEL, 0);
	put(DISK + FEATURES, features);
	put(DISK + FEATURES_SEL, 1);
	put(DISK + FEATURES, 1); /* VERSION_1 */
	put(DISK + STATUS, 11);
	put(DISK + QUEUE_SEL, 0);
	put(DISK + QUEUE_NUM, SIZE);
	set_ring(QUEUE_DESC, table);
	set_ring(QUEUE_AVAIL, &avail);
	set_ring(QUEUE_USED, &used);
	put(DISK + QUEUE_READY, 1);
	put(DISK + STATUS, 15);
	return get(DISK + STATUS) == 15;
}

#endif
