/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flash and its mirror on a disk: any commands in any order, a disk that fails, is busy, or ends
 * when it likes.
 * @sources drivers/emul/cfi.c drivers/block/mirror.c
 * @plant drivers/emul/cfi.c s/offset - flash->buffer_start >= CFI_BUFFER/offset < flash->buffer_start/
 * @plant drivers/emul/cfi.c s/at < sizeof.query_table./at <= sizeof(query_table)/
 * @plant drivers/block/mirror.c s/left < PIECE [?] left : PIECE/PIECE/
 */
#include "drivers/emul/cfi.h"

#define SIZE (2 * CFI_SECTOR)

static uint8_t array[SIZE];
static struct block_backend disk;
static struct spinlock lock;
static struct emul_cfi flash;

static void show(struct emul_cfi *shown, bool whether)
{
}

static void clean(const void *start, uint32_t size)
{
	/*@ assert \valid_read((const char *)start + (0 .. size - 1)); */
}

static enum io_status submit(struct block_backend *backend, struct block_request *request)
{
	if (request->operation != BLOCK_FLUSH) {
		/*@ assert begin: \valid(request->segment->at); */
		/*@ assert end: \valid(request->segment->at + request->segment->length - 1); */
	}
	return (enum io_status)up_to(IO_BUSY);
}

static void listen(struct block_backend *backend, struct io_listener *listener)
{
}

static const struct block_ops ops = {submit, listen};
static const struct cfi_host host = {show, clean};

/* What the disk has in flight ends, or it has room again. */
static void disk_moves(void)
{
	if (!flash.array.disk) {
		return;
	}
	if (flash.array.in_flight) {
		flash.array.request.io.done(&flash.array.request.io, (enum io_status)up_to(IO_UNSUPPORTED), any());
	}
	flash.array.listener.batch(flash.array.listener.device);
}

static void guest(uint32_t offset, uint32_t size)
{
	spin_lock(&lock);
	switch (up_to(2)) {
	case 0:
		cfi_ops.read(&flash, offset, size);
		break;
	case 1:
		cfi_ops.write(&flash, offset, size, any());
		break;
	default:
		cfi_reset(&flash);
	}
	spin_unlock(&lock);
}

void main(void)
{
	disk = (struct block_backend){.ops = &ops, .sectors = any(), .block_size = 512u << up_to(9),
				      .read_only = maybe(), .writeback = maybe()};
	flash.array.at = array;
	flash.array.lock = &lock;
	flash.host = &host;
	flash.size = SIZE;
	if (maybe()) {
		flash.array.disk = &disk;
		if (mirror_open(&flash.array, SIZE)) {
			return;
		}
		mirror_begin(&flash.array, BLOCK_READ, 0, SIZE);
	}
	cfi_init(&flash);
	/*@ dynamic_split flash.setup; */
	while (maybe()) {
		uint32_t size = 1u << up_to(2);

		/*@ split size; */
		guest(up_to(SIZE / size - 1) * size, size);
		disk_moves();
	}
}
