/* SPDX-License-Identifier: BSD-2-Clause */
/* What the virtio disk says of itself: features and configuration space. No state, no lock. */
#include "blk.h"

/* Features (virtio 1.2, 5.2.3). */
#define F_SEG_MAX      (1u << 2)
#define F_RO           (1u << 5)
#define F_BLK_SIZE     (1u << 6)
#define F_TOPOLOGY     (1u << 10)
#define F_MQ           (1u << 12)
#define F_DISCARD      (1u << 13)
#define F_WRITE_ZEROES (1u << 14)

_Static_assert(offsetof(struct virtio_blk_config, blk_size) == 20 &&
		       offsetof(struct virtio_blk_config, num_queues) == 34 &&
		       offsetof(struct virtio_blk_config, write_zeroes_may_unmap) == 56,
	       "virtio 1.2, 5.2.4");

uint32_t virtio_blk_features(const struct virtio_blk *blk, uint16_t queues)
{
	const struct block_backend *backend = blk->backend;
	const struct {
		bool offered;
		uint32_t feature;
	} optional[] = {
		{blk->read_only, F_RO},
		{backend->writeback, VIRTIO_BLK_F_FLUSH},
		{queues > 1, F_MQ},
		{!blk->read_only && backend->discard_max > 0, F_DISCARD},
		{!blk->read_only && backend->write_zeroes_max > 0, F_WRITE_ZEROES},
	};
	uint32_t features = F_SEG_MAX | F_BLK_SIZE | F_TOPOLOGY;
	unsigned int i;

	for (i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
		features |= optional[i].offered ? optional[i].feature : 0;
	}
	return features;
}

void virtio_blk_config_fill(struct virtio_blk_config *config, const struct block_backend *backend,
			    uint16_t queues)
{
	const uint32_t segments = VIRTIO_BLK_QUEUE_SIZE - 2; /* besides header and status byte */

	*config = (struct virtio_blk_config){
		.capacity = backend->sectors,
		.seg_max = backend->segments_max < segments ? backend->segments_max : segments,
		.blk_size = backend->block_size,
		.physical_block_exp = backend->physical_exponent,
		.alignment_offset = backend->alignment_offset,
		.min_io_size = backend->minimum_io,
		.opt_io_size = backend->optimal_io,
		.num_queues = queues,
		.max_discard_sectors = backend->discard_max,
		.max_discard_seg = 1,
		.discard_sector_alignment = backend->discard_alignment,
		.max_write_zeroes_sectors = backend->write_zeroes_max,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = backend->write_zeroes_may_unmap,
	};
}
