/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that a disk keeps, by induction: every state of an operation on 2 KiB, in pieces of 1 KiB, one end or one try
 * again, the invariant again: what is left lies in the memory. A disk fails, is busy, or ends when it likes.
 * @sources +drivers/block/mirror.c
 * @run -DBLOCK=512 -eva-precision 1 -eva-slevel 2000 -eva-split-return-function mirror_open:0,proceed:3
 * @run -DBLOCK=1024 -eva-precision 1 -eva-slevel 2000 -eva-split-return-function mirror_open:0,proceed:3
 * @small drivers/block/mirror.c s/(PIECE) 0x10000u/\1 1024u/
 * @assert drivers/block/mirror.c mirror->from+mirror->segment.length<=mirror->to mirror->from += mirror->segment.length
 * @plant drivers/block/mirror.c s/left < PIECE [?] left : PIECE/PIECE/
 * @plant drivers/block/mirror.c s/left != 0 [?] mirror->from/left != 0 ? mirror->to/
 * @plant drivers/block/mirror.c s/disk->sectors < size . BLOCK_SECTOR [|][|]//
 */
#include "drivers/block/mirror.c"

#define SIZE   2048u
#define BLOCKS (SIZE / BLOCK)

static uint8_t array[SIZE];
static struct spinlock lock;
static struct mirror mirror;

static enum io_status take(struct block_backend *backend, struct block_request *request)
{
	if (request->operation != BLOCK_FLUSH) {
		const struct io_segment *segment = request->segment;

		/*@ assert one: request->count == 1 && segment->length == request->sectors * BLOCK_SECTOR; */
		/*@ assert there: request->sector + request->sectors <= SIZE / BLOCK_SECTOR <= backend->sectors; */
		/*@ assert whole: segment->length >= 1 && \valid(segment->at + (0 .. segment->length - 1)); */
		/*@ assert place: segment->at == (uint8_t *)array + request->sector * BLOCK_SECTOR; */
	}
	return (enum io_status)up_to(IO_BUSY);
}

static void listen(struct block_backend *backend, struct io_listener *listener)
{
	/*@ assert whose: listener == &mirror.listener; */
}

static void ended(struct mirror *of, enum io_status status)
{
	/*@ assert over: !of->busy && status <= IO_UNSUPPORTED; */
}

static const struct block_ops ops = {take, listen};

/* An operation with that many blocks behind it, and up to @to; what is in flight, if it is, began by submit(). */
static void goes_on(uint32_t from, uint32_t to, bool in_flight)
{
	const uint32_t left = (to - from) * BLOCK;

	mirror.operation = maybe() ? BLOCK_READ : BLOCK_WRITE;
	mirror.from = from * BLOCK;
	mirror.to = to * BLOCK;
	mirror.flush = maybe();
	mirror.status = in_flight ? IO_OK : (enum io_status)up_to(IO_UNSUPPORTED);
	mirror.busy = true;
	mirror.in_flight = in_flight;
	mirror.segment.length = left < PIECE ? left : PIECE;
	if (in_flight) {
		mirror.request.io.done = done;
		mirror.request.io.done(&mirror.request.io, (enum io_status)up_to(IO_UNSUPPORTED),
				       any());
	}
	mirror.listener.batch(mirror.listener.device);
}

static void begins(uint32_t first, uint32_t last)
{
	mirror.busy = false;
	mirror.in_flight = false;
	spin_lock(&lock);
	mirror_begin(&mirror, maybe() ? BLOCK_READ : BLOCK_WRITE, first * BLOCK + up_to(BLOCK - 1),
		     last * BLOCK + 1 + up_to(BLOCK - 1));
	spin_unlock(&lock);
}

void main(void)
{
	struct block_backend disk = {.ops = &ops,
				     .sectors = any(),
				     .block_size = BLOCK,
				     .read_only = maybe(),
				     .writeback = maybe()};
	uint32_t from, to;

	mirror = (struct mirror){.at = array, .lock = &lock, .ended = ended};
	mirror_begin(&mirror, BLOCK_WRITE, any(), any());
	mirror.disk = &disk;
	if (mirror_open(&mirror, SIZE)) {
		return;
	}
	for (from = 0; from <= BLOCKS; from++) {
		for (to = from; to <= BLOCKS; to++) {
			goes_on(from, to, false);
			goes_on(from, to, true);
			if (to < BLOCKS) {
				begins(from, to);
			}
		}
	}
}
