/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtio disk (virtio 1.2, 5.2): queues between the guest and a block backend. Pure. */
#ifndef DRIVERS_VIRTIO_BLK_H
#define DRIVERS_VIRTIO_BLK_H

#include "../block.h"
#include "virtio.h"

#define VIRTIO_BLK_QUEUE_SIZE VIRTIO_QUEUE_SIZE_MAX /* entries of each queue */
#define VIRTIO_BLK_REQUESTS   256                   /* that the backend may have at once */
#define VIRTIO_BLK_AT_ONCE    4096u /* sectors of requests that end in submit, of one call */

#define VIRTIO_BLK_F_FLUSH (1u << 9) /* virtio 1.2, 5.2.3 */

/* The configuration space (virtio 1.2, 5.2.4). */
struct virtio_blk_config {
	uint64_t capacity; /* sectors */
	uint32_t size_max, seg_max;
	uint16_t cylinders;
	uint8_t heads, track_sectors;
	uint32_t blk_size; /* bytes */
	uint8_t physical_block_exp, alignment_offset;
	uint16_t min_io_size; /* blocks */
	uint32_t opt_io_size; /* blocks */
	uint8_t writeback, unused0;
	uint16_t num_queues;
	uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
	uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap, unused1[7]; /* of which 4 are past its end */
};

struct virtio_blk;

/* What is known of a chain until its request ends. */
struct virtio_blk_request {
	struct block_request block; /* first: done() gets a pointer to it */
	struct virtio_blk *blk;
	struct virtio_blk_request *next; /* in the list that it is in */
	uint8_t *status;                 /* the last byte that the device may write */
	uint32_t room;                   /* bytes that the device may write before that one */
	uint32_t filled;                 /* bytes of them that success writes */
	uint16_t queue, head;
	bool flush_after; /* a write that has to last when it ends */
};

struct virtio_blk {
	struct virtio_device device; /* first: the model's functions get a pointer to it */
	struct block_backend *backend;
	struct io_listener listener;
	bool read_only;
	bool stalled;                    /* chains may wait in the queues until batch() */
	uint16_t turn;                   /* the queue that goes first then */
	uint32_t at_once;                /* sectors that ended in submit, in this call */
	struct virtio_blk_request *free; /* requests that no chain uses */
	struct virtio_blk_request *held; /* those whose flush found the backend busy */
	struct virtio_blk_config config;
	struct virtio_blk_request request[VIRTIO_BLK_REQUESTS];
	struct io_segment segment[VIRTIO_BLK_QUEUE_SIZE]; /* scratch */
};

/*
 * @backend: outlives the disk, as @queue, @queues of them, does; @read_only: nothing is written,
 * whatever the backend allows. To be called once. Its registers are virtio_mmio_ops with
 * &blk->device.
 */
void virtio_blk_init(struct virtio_blk *blk, struct block_backend *backend, bool read_only,
		     struct virtqueue *queue, uint16_t queues, const struct virtio_place *place);

/* blk.c's own: the features that a disk with @queues queues offers; its configuration space. */
uint32_t virtio_blk_features(const struct virtio_blk *blk, uint16_t queues);
void virtio_blk_config_fill(struct virtio_blk_config *config, const struct block_backend *backend,
			    uint16_t queues);

#endif
