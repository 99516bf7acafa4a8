/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The search for a partition: any sectors, a disk of any size that fails when it likes; and the
 * partition that it finds.
 * @sources drivers/block/partition_search.c drivers/block/partition.c
 * @run -DBLOCK=512u -eva-precision 1 -eva-split-return auto
 * @run -DBLOCK=4096u -eva-precision 1 -eva-split-return auto
 * @plant drivers/block/partition_search.c s/offset & -ENTRY_MIN/offset/
 * @plant drivers/block/partition_search.c s/size > search->backend->block_size [|][|]//
 */
#include "drivers/block/partition.h"
#include "drivers/crc32.h"

static struct partition_search search;
static struct partition partition;
static struct block_backend disk;
static bool over;

uint32_t crc32_update(uint32_t crc, const void *bytes, uint32_t length)
{
	/*@ assert in_buffer: \valid_read((const char *)bytes + (0 .. length - 1)); */
	return any();
}

static enum io_status submit(struct block_backend *backend, struct block_request *request)
{
	if (request == &search.request) {
		/*@ assert fits: request->sectors <= PARTITION_BUFFER / BLOCK_SECTOR; */
		Frama_C_make_unknown((char *)search.buffer, PARTITION_BUFFER);
	}
	return (enum io_status)up_to(IO_BUSY);
}

static void listen(struct block_backend *backend, struct io_listener *listener)
{
}

static void ended(struct partition_search *of, const char *fault)
{
	over = true;
	if (!fault && !partition_init(&partition, &disk, of->start, of->sectors)) {
		struct block_request request = {
			.operation = (enum block_operation)up_to(BLOCK_WRITE_ZEROES),
			.sector = any(),
			.sectors = any()};

		partition.backend.ops->listen(&partition.backend, NULL);
		partition.backend.ops->submit(&partition.backend, &request);
	}
}

static const struct block_ops ops = {submit, listen};

void main(void)
{
	disk = (struct block_backend){.ops = &ops,
				      .sectors = (uint64_t)any() << 32 | any(),
				      .block_size = BLOCK,
				      .physical_exponent = (uint8_t)any(),
				      .alignment_offset = (uint8_t)any()};
	partition_find(&search, &disk, 0, ended);
	over = false;
	partition_find(&search, &disk, 1 + up_to(UINT32_MAX - 1), ended);
	while (!over) {
		search.request.io.done(&search.request.io, (enum io_status)up_to(IO_UNSUPPORTED),
				       any());
	}
}
