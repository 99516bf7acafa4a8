/* SPDX-License-Identifier: BSD-2-Clause */
/* A part of a disk as a disk of its own. No lock: nothing changes after start-up. */
#include "partition.h"

static enum io_status partition_submit(struct block_backend *backend, struct block_request *request)
{
	struct partition *partition = (struct partition *)backend;
	struct block_backend *parent = partition->parent;
	uint64_t sector = request->sector;
	enum io_status status;

	if (request->operation == BLOCK_FLUSH) {
		return parent->ops->submit(parent, request);
	}
	if (sector > backend->sectors || request->sectors > backend->sectors - sector) {
		return IO_ERROR;
	}
	request->sector = partition->start + sector;
	status = parent->ops->submit(parent, request);
	if (status == IO_BUSY) {
		request->sector = sector;
	}
	return status;
}

static void partition_listen(struct block_backend *backend, struct io_listener *listener)
{
	struct block_backend *parent = ((struct partition *)backend)->parent;

	parent->ops->listen(parent, listener);
}

static const struct block_ops partition_ops = {partition_submit, partition_listen};

/* The first aligned block is another one when counted from the start of the partition. */
static void alignment_shift(struct block_backend *backend, uint64_t start)
{
	uint32_t blocks = (uint32_t)(start >> __builtin_ctz(backend->block_size / BLOCK_SECTOR));

	if (backend->physical_exponent > 8) { /* more than alignment_offset can say */
		backend->physical_exponent = 0;
	}
	backend->alignment_offset = (uint8_t)((backend->alignment_offset - blocks) &
					      ((1u << backend->physical_exponent) - 1));
}

const char *partition_init(struct partition *partition, struct block_backend *parent,
			   uint64_t start, uint64_t sectors)
{
	if (sectors == 0 || start > parent->sectors || sectors > parent->sectors - start) {
		return "the range is empty or ends behind the disk";
	}
	if ((start | sectors) & (parent->block_size / BLOCK_SECTOR - 1)) {
		return "the range begins or ends inside of a block of the disk";
	}
	partition->backend = *parent;
	partition->backend.ops = &partition_ops;
	partition->backend.sectors = sectors;
	partition->parent = parent;
	partition->start = start;
	alignment_shift(&partition->backend, start);
	return NULL;
}
