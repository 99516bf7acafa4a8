/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transport: any registers in any order, by a model that does what a model may. The queues are
 * here what prove_queue shows of them: ready if they like the driver's rings.
 * @sources drivers/virtio/mmio.c drivers/virtio/device.c
 * @run -DLEGACY=0 -DMODEL=model -eva-precision 1
 * @run -DLEGACY=1 -DMODEL=model -eva-precision 1
 * @run -DLEGACY=0 -DMODEL=virtio_empty -eva-precision 1
 * @split drivers/virtio/mmio.c offset row = row_at(
 * @split drivers/virtio/mmio.c device->queue_sel<2 struct virtqueue *queue = virtio_queue_at(
 * @split drivers/virtio/device.c index<2 const struct virtqueue *queue = virtio_queue_at(
 * @split drivers/virtio/device.c device->in_flight==0 if (!drained(device)) {
 * @plant drivers/virtio/transport.h s/index < device->queue_count/index <= device->queue_count/
 * @plant drivers/virtio/mmio.c s/offset . 4 < device->registers->count/offset \/ 4 <= device->registers->count/
 * @plant drivers/virtio/mmio.c s/value <= device->model->queue_size [?]/value <= 65535 ?/
 */
#include "drivers/virtio/ring.h"

#define QUEUES 2
#define SIZE   8
#define CONFIG 6u

static uint8_t ram[64];
static struct guest_memory memory = {0x40000000, sizeof(ram), ram};
static struct virtio_device device;
static struct virtqueue queue[QUEUES];
static struct spinlock lock;
static volatile uint32_t shown[VIRTIO_MMIO_BYTES / 4];

const char *virtqueue_enable(struct virtqueue *enabled)
{
	/*@ assert size: enabled->size <= SIZE; */
	enabled->ready = maybe();
	return enabled->ready ? NULL : "a fault";
}

bool virtqueue_running(const struct virtqueue *running)
{
	return running->ready && running->device->live && !running->device->draining;
}

bool virtqueue_should_notify(struct virtqueue *told)
{
	return maybe();
}

static void reset(struct virtio_device *of)
{
	/*@ assert idle: of->in_flight == 0; */
}

static void started(struct virtio_device *of)
{
}

static void notify(struct virtio_device *of, uint16_t index)
{
	/*@ assert index < QUEUES; */
	of->in_flight = up_to(3);
	switch (up_to(3)) {
	case 0:
		virtio_break(of);
		break;
	case 1:
		virtio_defer(&of->queue[index]);
		break;
	default:
		virtio_signal(&of->queue[index]);
	}
}

static uint8_t config_read(struct virtio_device *of, uint32_t offset)
{
	/*@ assert offset < CONFIG; */
	return (uint8_t)any();
}

static void wire(uint32_t intid, bool level)
{
	/*@ assert intid == 48; */
}

static const struct virtio_model model = {.device_id = 1,
					  .queue_size = SIZE,
					  .config_size = CONFIG,
					  .reset = reset,
					  .started = started,
					  .stopped = started,
					  .notify = notify,
					  .config_read = config_read};

void main(void)
{
	const struct virtio_place place = {&memory, {wire, 48}, &lock, LEGACY};

	virtio_init(&device, &MODEL, &place, queue, QUEUES, any());
	if (maybe()) {
		device.shown = shown;
	}
	while (maybe()) {
		uint32_t size = 1u << up_to(2), offset;

		/*@ split size; */
		offset = up_to(VIRTIO_MMIO_BYTES / size - 1) * size;
		switch (up_to(4)) {
		case 0:
			virtio_mmio_ops.read(&device, offset, size);
			break;
		case 1:
			virtio_mmio_ops.write(&device, offset, size, any());
			break;
		case 2:
			virtio_config_changed(&device);
			break;
		case 3:
			device.in_flight = 0;
			break;
		default:
			virtio_reset(&device);
		}
	}
}
