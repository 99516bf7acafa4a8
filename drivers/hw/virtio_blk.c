/* SPDX-License-Identifier: BSD-2-Clause */
/* The board's virtio disks. Lock: the device's (virtio.h). */
#include "virtio_blk.h"

/* virtio 1.2, 5.2.3. */
#define F_SEG_MAX      (1ull << 2)
#define F_RO           (1ull << 5)
#define F_BLK_SIZE     (1ull << 6)
#define F_FLUSH        (1ull << 9)
#define F_TOPOLOGY     (1ull << 10)
#define F_DISCARD      (1ull << 13)
#define F_WRITE_ZEROES (1ull << 14)
#define F_KNOWN        (F_SEG_MAX | F_RO | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY | F_DISCARD | F_WRITE_ZEROES)

/* The configuration space (virtio 1.2, 5.2.4). */
#define CAPACITY               0u
#define SEG_MAX                12u
#define BLK_SIZE               20u
#define PHYSICAL_EXPONENT      24u
#define ALIGNMENT_OFFSET       25u
#define MINIMUM_IO             26u
#define OPTIMAL_IO             28u
#define DISCARD_MAX            36u
#define DISCARD_ALIGNMENT      44u
#define WRITE_ZEROES_MAX       48u
#define WRITE_ZEROES_MAY_UNMAP 56u

#define CONFIG_READS 8u /* of a configuration that changes all the time */

/* virtio 1.2, 5.2.6. */
#define TYPE_GET_ID  8u
#define UNMAP        1u
#define STATUS_OK    0u
#define STATUS_UNSUP 2u
#define STATUS_NONE  0xffu /* none that a device writes */

#define HEADER_BYTES   16u
#define RANGE_BYTES    16u
#define DESCRIPTORS(n) ((n) + 2u) /* of a request with n segments */

_Static_assert(sizeof(struct hw_disk_header) == HEADER_BYTES + RANGE_BYTES, "virtio 1.2, 5.2.6");
_Static_assert(offsetof(struct hw_disk, device) == 0, "disk_of() casts");

static const uint8_t types[] = {
	[BLOCK_READ] = 0,     [BLOCK_WRITE] = 1,         [BLOCK_FLUSH] = 4,
	[BLOCK_DISCARD] = 11, [BLOCK_WRITE_ZEROES] = 13,
};

static struct hw_disk *disk_of(struct block_backend *backend)
{
	return (struct hw_disk *)((uint8_t *)backend - offsetof(struct hw_disk, backend));
}

/*
 * Gives the request whose header is that of the next chain, with its data, to the device. Lock
 * held, and there is room.
 */
static void send(struct hw_disk *disk, struct io_request *request, const struct io_segment *segment,
		 uint16_t count, bool read)
{
	struct hw_queue *queue = &disk->device.queue[0];
	uint8_t *status;

	hw_chain_begin(queue);
	status = &disk->status[queue->head];
	*status = STATUS_NONE;
	hw_chain_add(queue, &disk->header[queue->head], HEADER_BYTES, false);
	for (uint16_t i = 0; i < count; i++) {
		hw_chain_add(queue, segment[i].at, segment[i].length, read);
	}
	hw_chain_add(queue, status, 1, true);
	hw_virtio_submit(&disk->device, 0, request);
}

/* Fills in the range of a discard or of write zeroes. Returns it as data. */
static struct io_segment range_of(struct hw_disk_header *header,
				  const struct block_request *request)
{
	header->range_sector = request->sector;
	header->range_sectors = request->sectors;
	header->range_flags =
		request->unmap && request->operation == BLOCK_WRITE_ZEROES ? UNMAP : 0;
	return (struct io_segment){(uint8_t *)&header->range_sector, RANGE_BYTES};
}

static enum io_status submit_locked(struct hw_disk *disk, struct block_request *request)
{
	const enum block_operation operation = request->operation;
	const bool ranged = operation >= BLOCK_DISCARD;
	const uint16_t count = ranged ? 1 : operation == BLOCK_FLUSH ? 0 : request->count;
	const enum io_status status = hw_virtio_room(&disk->device, 0, DESCRIPTORS(count));
	const struct io_segment *segment = request->segment;
	struct hw_disk_header *header;
	struct io_segment range;

	if (status != IO_OK) {
		return status;
	}
	header = &disk->header[disk->device.queue[0].free];
	header->type = types[operation];
	header->sector = operation <= BLOCK_WRITE ? request->sector : 0;
	if (ranged) {
		range = range_of(header, request);
		segment = &range;
	}
	send(disk, &request->io, segment, count, operation == BLOCK_READ);
	return IO_PENDING;
}

static enum io_status disk_submit(struct block_backend *backend, struct block_request *request)
{
	struct hw_disk *disk = disk_of(backend);
	enum io_status status;

	spin_lock(&disk->device.lock);
	status = submit_locked(disk, request);
	spin_unlock(&disk->device.lock);
	return status;
}

static void disk_listen(struct block_backend *backend, struct io_listener *listener)
{
	hw_virtio_listen(&disk_of(backend)->device, listener);
}

static const struct block_ops disk_ops = {.submit = disk_submit, .listen = disk_listen};

/* The status byte alone says how it ended. Some legacy devices tell no length. */
static enum io_status disk_finish(struct hw_virtio *device, const struct hw_slot *slot,
				  uint32_t *length)
{
	struct hw_disk *disk = (struct hw_disk *)device;
	const uint8_t status = *(volatile uint8_t *)&disk->status[slot - disk->slot];

	*length = slot->writable - 1;
	return status == STATUS_OK ? IO_OK : status == STATUS_UNSUP ? IO_UNSUPPORTED : IO_ERROR;
}

static const struct hw_kind disk_kind = {.finish = disk_finish};

/* @field: of the feature @bit, @absent without it. */
static uint32_t config(const struct hw_virtio *device, uint64_t bit, uint32_t field,
		       unsigned int size, uint32_t absent)
{
	return (device->wanted & bit) != 0 ? hw_virtio_config(device, field, size) : absent;
}

static void read_config(const struct hw_virtio *device, struct block_backend *backend)
{
	backend->sectors = (uint64_t)hw_virtio_config(device, CAPACITY + 4, 4) << 32 |
			   hw_virtio_config(device, CAPACITY, 4);
	backend->block_size = config(device, F_BLK_SIZE, BLK_SIZE, 4, BLOCK_SECTOR);
	backend->physical_exponent = (uint8_t)config(device, F_TOPOLOGY, PHYSICAL_EXPONENT, 1, 0);
	backend->alignment_offset = (uint8_t)config(device, F_TOPOLOGY, ALIGNMENT_OFFSET, 1, 0);
	backend->minimum_io = (uint16_t)config(device, F_TOPOLOGY, MINIMUM_IO, 2, 0);
	backend->optimal_io = config(device, F_TOPOLOGY, OPTIMAL_IO, 4, 0);
	backend->segments_max = (uint16_t)config(device, F_SEG_MAX, SEG_MAX, 4, 1);
	backend->discard_max = config(device, F_DISCARD, DISCARD_MAX, 4, 0);
	backend->discard_alignment = config(device, F_DISCARD, DISCARD_ALIGNMENT, 4, 0);
	backend->write_zeroes_max = config(device, F_WRITE_ZEROES, WRITE_ZEROES_MAX, 4, 0);
	backend->write_zeroes_may_unmap =
		config(device, F_WRITE_ZEROES, WRITE_ZEROES_MAY_UNMAP, 1, 0) != 0;
}

/* What the models rely on, whatever the device says. */
static bool config_sound(struct block_backend *backend, uint16_t queue_size)
{
	const uint32_t size = backend->block_size;
	const uint16_t most = (uint16_t)(queue_size - DESCRIPTORS(0));

	if (backend->segments_max == 0 || backend->segments_max > most) {
		backend->segments_max = most;
	}
	return size >= BLOCK_SECTOR && (size & (size - 1)) == 0 && queue_size > DESCRIPTORS(0) &&
	       backend->sectors <= UINT64_MAX / BLOCK_SECTOR;
}

static void identified(struct io_request *request, enum io_status status, uint32_t length)
{
	struct hw_disk *disk =
		(struct hw_disk *)((uint8_t *)request - offsetof(struct hw_disk, identify));

	(void)length;
	for (unsigned int i = 0; i < BLOCK_ID_LENGTH && status != IO_OK; i++) {
		disk->id[i] = '\0';
	}
}

/* What the device does not fill in is 0 already. */
static void identify(struct hw_disk *disk)
{
	const struct io_segment id = {(uint8_t *)disk->id, BLOCK_ID_LENGTH};

	disk->identify.done = identified;
	disk->header[disk->device.queue[0].free].type = TYPE_GET_ID;
	send(disk, &disk->identify, &id, 1, true);
}

bool hw_disk_init(void *opaque, uintptr_t registers)
{
	struct hw_disk *disk = opaque;
	struct hw_virtio *device = &disk->device;
	struct block_backend *backend = &disk->backend;
	uint32_t generation;
	unsigned int reads = 0;

	device->kind = &disk_kind;
	device->queue_count = 1;
	device->queue[0] = (struct hw_queue){
		.ring = disk->ring, .slot = disk->slot, .size = HW_DISK_DESCRIPTORS, .timed = true};
	device->wanted = hw_virtio_open(device, registers) & F_KNOWN;
	do {
		generation = hw_virtio_generation(device);
		read_config(device, backend);
	} while (generation != hw_virtio_generation(device) && ++reads < CONFIG_READS);
	backend->ops = &disk_ops;
	backend->id = disk->id;
	backend->read_only = (device->wanted & F_RO) != 0;
	backend->writeback = (device->wanted & F_FLUSH) != 0;
	spin_lock(&device->lock);
	hw_virtio_start(device);
	if (!config_sound(backend, device->queue[0].size) || device->state != HW_RUNNING) {
		hw_virtio_stop(device);
		device->state = HW_OFF;
	} else {
		identify(disk);
	}
	spin_unlock(&device->lock);
	return device->state != HW_OFF;
}
