/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any accesses to a bank of flash, with a disk that is as slow and as bad as it likes, against a
 * reference that keeps the array as the datasheet's tables say; and what the guest was told is done
 * is on the disk.
 */
#include <string.h>
#include "drivers/emul/cfi.h"
#include "bytes.h"

#define SIZE (2 * CFI_SECTOR)

static uint8_t array[SIZE], disk[SIZE];
static struct emul_cfi flash;
static struct spinlock lock;
static bool shown;

/* The disk: one request at a time, ended when the input says so. */
static struct block_request *pending;
static uint8_t *from; /* of the pending write */
static uint32_t length;
static bool full;
static struct io_listener *listener;

static struct {
	uint8_t array[SIZE], buffer[CFI_BUFFER];
	enum { ARRAY, STATUS, ID, QUERY } reading;
	enum { NONE, WORD, SECTOR, LOCKS, COUNT, FILL, CONFIRM } next;
	uint32_t left, window;
	uint8_t status, failure;
	uint32_t dirty, dirty_end; /* what the disk has not got yet; equal: it is not busy */
	bool flushing;
} ref;

static enum io_status submit(struct block_backend *backend, struct block_request *request)
{
	(void)backend;
	AGREE(pending == NULL, true);
	AGREE(lock.owner != lock.next, true);
	if (full) {
		return IO_BUSY;
	}
	pending = request;
	AGREE(request->operation, ref.flushing ? BLOCK_FLUSH : BLOCK_WRITE);
	if (request->operation == BLOCK_WRITE) {
		AGREE(request->count, 1);
		from = request->segment->at;
		length = request->segment->length;
		AGREE(length, request->sectors * BLOCK_SECTOR);
		AGREE(from - array, request->sector * BLOCK_SECTOR);
		AGREE(request->sector * BLOCK_SECTOR, ref.dirty);
		AGREE(length > 0 && length <= ref.dirty_end - ref.dirty, true);
	}
	return IO_PENDING;
}

static void listen(struct block_backend *backend, struct io_listener *new)
{
	(void)backend;
	listener = new;
}

static const struct block_ops ops = {submit, listen};
static struct block_backend backend;

static void end(enum io_status status)
{
	struct block_request *request = pending;

	if (request == NULL) {
		return;
	}
	pending = NULL;
	if (status != IO_OK) {
		ref.status |= ref.failure;
		ref.dirty = ref.dirty_end = 0;
		ref.flushing = false;
	} else if (ref.flushing) {
		ref.flushing = false;
		ref.dirty = ref.dirty_end = 0;
	} else {
		memcpy(disk + ref.dirty, from, length);
		ref.dirty += length;
		ref.flushing = ref.dirty == ref.dirty_end;
	}
	request->io.done(&request->io, status, 0);
	if (status == IO_OK && ref.dirty_end == 0) {
		AGREE(memcmp(disk, array, SIZE), 0);
	} else if (status != IO_OK) {
		memcpy(disk, array, SIZE); /* nobody was told that it lasts */
	}
}

static void show(struct emul_cfi *which, bool is)
{
	AGREE(which == &flash && is != shown, true);
	shown = is;
}

static void clean(const void *start, uint32_t size)
{
	const uint32_t at = (uint32_t)((const uint8_t *)start - array);

	AGREE(at < SIZE && size <= SIZE - at, true);
}

static void ref_changed(uint32_t at, uint32_t size, uint8_t failure)
{
	ref.dirty = at & ~511u;
	ref.dirty_end = (at + size + 511) & ~511u;
	ref.failure = failure;
}

static void ref_program(uint32_t at, const uint8_t *bytes, uint32_t size)
{
	uint32_t i;

	for (i = 0; i < size; i++) {
		ref.array[at + i] = ref.array[at + i] & bytes[i];
	}
	ref_changed(at, size, 0x10);
}

static void ref_first(uint8_t byte)
{
	static const struct {
		uint8_t command, reading, next;
	} table[] = {
		{0x40, STATUS, WORD},  {0x10, STATUS, WORD},  {0x20, STATUS, SECTOR},
		{0x60, STATUS, LOCKS}, {0xe8, STATUS, COUNT}, {0x70, STATUS, NONE},
		{0x90, ID, NONE},      {0x98, QUERY, NONE},
	};
	unsigned int i;

	if (byte == 0x50) {
		ref.status = 0x80;
		return;
	}
	ref.reading = ARRAY;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].command == byte) {
			ref.reading = table[i].reading;
			ref.next = table[i].next;
		}
	}
}

/* The second cycle, or a later one. Returns false if it is a wrong one. */
static bool ref_next(uint32_t at, uint32_t size, uint32_t value)
{
	const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
				  (uint8_t)(value >> 24)};
	const unsigned int next = ref.next;

	ref.next = NONE;
	if (next == WORD) {
		ref_program(at, bytes, size);
	} else if (next == SECTOR && bytes[0] == 0xd0) {
		memset(ref.array + at / CFI_SECTOR * CFI_SECTOR, 0xff, CFI_SECTOR);
		ref_changed(at / CFI_SECTOR * CFI_SECTOR, CFI_SECTOR, 0x20);
	} else if (next == LOCKS) {
		return bytes[0] == 0xd0 || bytes[0] == 0x01;
	} else if (next == COUNT) {
		ref.left = (value & 0xffff) + 1;
		ref.window = UINT32_MAX;
		memset(ref.buffer, 0xff, sizeof(ref.buffer));
		ref.next = FILL;
		return ref.left <= CFI_BUFFER / 4;
	} else if (next == FILL) {
		ref.window = ref.window == UINT32_MAX ? at / CFI_BUFFER : ref.window;
		if (ref.window != at / CFI_BUFFER) {
			return false;
		}
		memcpy(ref.buffer + at % CFI_BUFFER, bytes, size);
		ref.next = --ref.left > 0 ? FILL : CONFIRM;
	} else if (next == CONFIRM && bytes[0] == 0xd0) {
		ref_program(ref.window * CFI_BUFFER, ref.buffer, CFI_BUFFER);
	} else {
		return false;
	}
	return true;
}

static void ref_write(uint32_t at, uint32_t size, uint32_t value)
{
	if (ref.dirty_end != 0) {
		return;
	}
	if (ref.next == NONE) {
		ref_first((uint8_t)value);
	} else if (!ref_next(at, size, value)) {
		ref.next = NONE;
		ref.status |= 0x30;
	}
}

static void check_read(uint32_t at, uint32_t size)
{
	const uint32_t mask = size == 4 ? UINT32_MAX : (1u << 8 * size) - 1;
	uint32_t value, expected = 0;

	spin_lock(&lock);
	value = cfi_ops.read(&flash, at, size) & mask;
	spin_unlock(&lock);
	if (ref.reading == ARRAY) {
		memcpy(&expected, ref.array + at, size);
	} else if (ref.reading == STATUS) {
		expected = (ref.dirty_end != 0 ? 0u : ref.status * 0x10001u) >> at % 4 * 8 & mask;
	} else {
		AGREE(value & 0xff00ff00 >> at % 4 * 8, 0); /* the suite knows the tables */
		return;
	}
	AGREE(value, expected);
}

/* Mostly commands, and near enough to each other. */
static void access_flash(struct bytes *bytes)
{
	static const uint8_t commands[] = {0xff, 0x40, 0x10, 0x20, 0xd0, 0xe8, 0x60, 0x70,
					   0x50, 0x90, 0x98, 0x01, 0xd0, 0xd0, 0x00, 0x03};
	const uint8_t how = take8(bytes);
	const uint32_t size = 1u << how % 3;
	uint32_t at = take16(bytes), value;

	at = (how & 8 ? at * 8 % SIZE : at % (2 * CFI_BUFFER)) & ~(size - 1);
	if (how & 0x10) {
		check_read(at, size);
		return;
	}
	value = how & 0x20 ? take32(bytes) : commands[how >> 6 | take8(bytes) % 4 * 4];
	value = size == 4 ? value : value & ((1u << 8 * size) - 1);
	ref_write(at, size, value);
	spin_lock(&lock);
	cfi_ops.write(&flash, at, size, value);
	spin_unlock(&lock);
}

static void step(struct bytes *bytes)
{
	const uint8_t what = take8(bytes);

	if (what < 200) {
		access_flash(bytes);
	} else if (what < 235) {
		end(what >= 228 ? IO_ERROR : IO_OK);
		listener->batch(listener->device);
	} else if (what < 245) {
		full = what & 1;
		listener->batch(listener->device);
	} else {
		spin_lock(&lock);
		if (cfi_reset(&flash)) {
			AGREE(ref.dirty_end, 0);
			ref.next = NONE;
			ref.reading = ARRAY;
			ref.status = 0x80;
		} else {
			AGREE(ref.dirty_end != 0, true);
		}
		spin_unlock(&lock);
	}
	AGREE(shown, ref.reading == ARRAY);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static const struct cfi_host host = {show, clean};
	struct bytes bytes = {input, size};

	memset(array, 0x5a, SIZE);
	memset(disk, 0x5a, SIZE);
	memset(&ref, 0, sizeof(ref));
	memset(ref.array, 0x5a, SIZE);
	ref.status = 0x80;
	pending = NULL;
	full = shown = false;
	backend = (struct block_backend){.ops = &ops,
					 .sectors = SIZE / BLOCK_SECTOR,
					 .block_size = BLOCK_SECTOR,
					 .writeback = true};
	flash = (struct emul_cfi){.array = {.at = array, .disk = &backend, .lock = &lock},
				  .host = &host,
				  .size = SIZE};
	AGREE(mirror_open(&flash.array, SIZE) == NULL, true);
	cfi_init(&flash);
	while (bytes.left > 0) {
		step(&bytes);
	}
	AGREE(memcmp(array, ref.array, SIZE), 0);
	return 0;
}
