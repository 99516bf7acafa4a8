/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The entropy device: any chains, and a source that answers what it likes, at once or later.
 * @sources drivers/virtio/rng.c
 * @run -eva-precision 1 -eva-split-return auto
 * @plant drivers/virtio/rng.c s/i < VIRTIO_RNG_QUEUE_SIZE; i\+\+/i <= VIRTIO_RNG_QUEUE_SIZE; i++/
 */
#include "drivers/virtio/rng.h"
#include "rings.h"

static struct virtio_rng rng;

static enum io_status submit(struct entropy_backend *backend, struct io_request *request,
			     struct io_segment *segment)
{
	/*@ assert room: segment->length <= VIRTIO_RNG_BYTES && \valid(segment->at + (0 .. VIRTIO_RNG_BYTES - 1)); */
	segment->length = any();
	return (enum io_status)up_to(IO_BUSY);
}

static void listen(struct entropy_backend *backend, struct io_listener *listener)
{
}

static const struct entropy_ops ops = {submit, listen};
static struct entropy_backend backend = {&ops};

void main(void)
{
	const struct virtio_place place = PLACE;

	virtio_rng_init(&rng, &backend, &place);
	while (maybe()) {
		struct virtio_rng_slot *slot = &rng.slot[up_to(VIRTIO_RNG_QUEUE_SIZE - 1)];

		if (slot->busy) {
			slot->request.done(&slot->request, (enum io_status)up_to(IO_UNSUPPORTED),
					   any());
		}
		rng.listener.batch(rng.listener.device);
		transport_calls(&rng.device);
	}
}
