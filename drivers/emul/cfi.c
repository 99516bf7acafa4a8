/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state machine of a bank of flash. Both chips go together: the low byte of what is written is
 * the command. A program or an erase changes the array at once, and is busy until the disk, if one
 * keeps the array, has it: what the guest was told is done lasts.
 *
 * Lock: its owner's (array.lock), around all of it. Sources: JEDEC JESD68.01; JEP137 (the IDs);
 * Intel StrataFlash Memory (J3) datasheet, "Device Commands" and the write state machine's states.
 */
#include <stddef.h>
#include <string.h>
#include "cfi.h"

/* Commands. */
#define READ_ARRAY    0xff
#define READ_ID       0x90
#define READ_QUERY    0x98
#define READ_STATUS   0x70
#define CLEAR_STATUS  0x50
#define PROGRAM       0x40
#define PROGRAM_OTHER 0x10
#define ERASE         0x20
#define LOCK          0x60 /* blocks have no locks here */
#define BUFFER        0xe8
#define CONFIRM       0xd0
#define LOCK_SET      0x01

/* More of struct emul_cfi's setup. */
#define BUFFER_FILL    0x01
#define BUFFER_CONFIRM 0x02

/* The status register. */
#define READY         0x80u
#define ERASE_ERROR   0x20u
#define PROGRAM_ERROR 0x10u

#define NOWHERE     UINT32_MAX
#define BOTH(value) ((value)*0x00010001u) /* a chip's answer, from both */

#define QUERY_START 0x10u

/* From QUERY_START on. 0: see query(). */
static const uint8_t query_table[] = {
	'Q',  'R',  'Y',  0x01, 0x00, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, /* command set */
	0x45, 0x55, 0x00, 0x00,                                           /* 4.5 to 5.5 V, no Vpp */
	0x0a, 0x0a, 0x0a, 0x00, 0x0c, 0x0c, 0x04, 0x00, /* 1 ms to 4 s; erase 1 s to 16 s */
	0x00, 0x02, 0x00,                               /* size; 8 or 16 bits wide */
	0x08, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02,       /* buffer; regions: sectors, of 128 KiB */
	'P',  'R',  'I',  '1',  '1',                    /* 0x31: no optional features */
};

_Static_assert(CFI_BUFFER == 2 << 0x08, "query_table's 0x2a, for two chips");
_Static_assert(CFI_SECTOR == 2 * 0x200 * 256, "query_table's 0x2f, for two chips");

static uint32_t query(const struct emul_cfi *flash, uint32_t at)
{
	const uint32_t sectors = flash->size / CFI_SECTOR - 1;

	switch (at) {
	case 0x27:
		return (uint32_t)__builtin_ctz(flash->size / 2);
	case 0x2d:
		return sectors & 0xff;
	case 0x2e:
		return sectors >> 8;
	default:
		at -= QUERY_START;
		return at < sizeof(query_table) ? query_table[at] : 0;
	}
}

/* What a chip answers at a word of its own. */
static uint32_t answer(const struct emul_cfi *flash, uint32_t word)
{
	switch (flash->reading) {
	case READ_QUERY:
		return query(flash, word);
	case READ_ID:
		return word == 0 ? 0x89 : word == 1 ? 0x18 : 0; /* Intel; no block is locked */
	default:
		return flash->array.busy ? 0 : flash->status;
	}
}

static uint32_t cfi_read(void *device, uint32_t offset, uint32_t size)
{
	const struct emul_cfi *flash = device;
	uint32_t value = 0;

	if (flash->reading != READ_ARRAY) {
		return BOTH(answer(flash, offset / 4)) >> 8 * (offset & 3);
	}
	memcpy(&value, flash->array.at + offset, size);
	return value;
}

static void read_as(struct emul_cfi *flash, uint8_t reading)
{
	const bool was = flash->reading == READ_ARRAY, is = reading == READ_ARRAY;

	flash->reading = reading;
	if (was != is) {
		flash->host->show(flash, is);
	}
}

static void ended(struct mirror *array, enum io_status status)
{
	struct emul_cfi *flash =
		(struct emul_cfi *)((uint8_t *)array - offsetof(struct emul_cfi, array));

	if (status != IO_OK) {
		flash->status |= (uint8_t)flash->failure;
	}
}

/* @failure: the status if it can't be kept. */
static void changed(struct emul_cfi *flash, uint32_t from, uint32_t length, uint8_t failure)
{
	enum io_status status;

	flash->host->clean(flash->array.at + from, length);
	flash->failure = failure;
	status = mirror_begin(&flash->array, BLOCK_WRITE, from, from + length);
	if (status != IO_PENDING) {
		ended(&flash->array, status);
	}
}

/* Programming makes ones into zeroes, and never back. */
static void program(struct emul_cfi *flash, uint32_t from, const uint8_t *bytes, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++) {
		flash->array.at[from + i] &= bytes[i];
	}
	changed(flash, from, length, PROGRAM_ERROR);
}

static void erase(struct emul_cfi *flash, uint32_t offset)
{
	const uint32_t from = offset & ~(CFI_SECTOR - 1);

	memset(flash->array.at + from, 0xff, CFI_SECTOR);
	changed(flash, from, CFI_SECTOR, ERASE_ERROR);
}

/* One word of a buffered program. Returns false if it is not where it could be. */
static bool fill(struct emul_cfi *flash, uint32_t offset, uint32_t size, uint32_t value)
{
	if (flash->buffer_start == NOWHERE) {
		flash->buffer_start = offset & ~(CFI_BUFFER - 1);
	}
	if (offset - flash->buffer_start >= CFI_BUFFER) {
		return false;
	}
	memcpy(flash->buffer + offset % CFI_BUFFER, &value, size);
	flash->setup = --flash->words_left != 0 ? BUFFER_FILL : BUFFER_CONFIRM;
	return true;
}

static bool begin_buffer(struct emul_cfi *flash, uint32_t words)
{
	memset(flash->buffer, 0xff, sizeof(flash->buffer));
	flash->buffer_start = NOWHERE;
	flash->words_left = words;
	flash->setup = BUFFER_FILL;
	return words <= CFI_BUFFER / 4;
}

/* The cycle after a command that has several. Returns false if it is none that fits. */
static bool next_cycle(struct emul_cfi *flash, uint32_t offset, uint32_t size, uint32_t value)
{
	const uint8_t setup = flash->setup, command = (uint8_t)value;

	flash->setup = 0;
	switch (setup) {
	case PROGRAM:
		program(flash, offset, (const uint8_t *)&value, size);
		return true;
	case BUFFER:
		return begin_buffer(flash, (value & 0xffff) + 1);
	case BUFFER_FILL:
		return fill(flash, offset, size, value);
	case LOCK:
		return command == CONFIRM || command == LOCK_SET;
	default:
		break;
	}
	if (command != CONFIRM) {
		return false;
	}
	if (setup == ERASE) {
		erase(flash, offset);
	} else {
		program(flash, flash->buffer_start, flash->buffer, CFI_BUFFER);
	}
	return true;
}

static void first_cycle(struct emul_cfi *flash, uint8_t command)
{
	switch (command) {
	case CLEAR_STATUS:
		flash->status = READY;
		return;
	case PROGRAM_OTHER:
		command = PROGRAM;
		/* fall through */
	case PROGRAM:
	case BUFFER:
	case ERASE:
	case LOCK:
		flash->setup = command;
		/* fall through */
	case READ_STATUS:
		read_as(flash, READ_STATUS);
		return;
	case READ_ID:
	case READ_QUERY:
		read_as(flash, command);
		return;
	default:
		read_as(flash, READ_ARRAY);
	}
}

static void cfi_write(void *device, uint32_t offset, uint32_t size, uint32_t value)
{
	struct emul_cfi *flash = device;

	if (flash->array.busy) {
		return; /* it hears nothing but reads of the status, which there are anyway */
	}
	if (flash->setup == 0) {
		first_cycle(flash, (uint8_t)value);
	} else if (!next_cycle(flash, offset, size, value)) {
		flash->setup = 0;
		flash->status |= ERASE_ERROR | PROGRAM_ERROR;
	}
}

const struct mmio_ops cfi_ops = {.read = cfi_read, .write = cfi_write};

bool cfi_reset(struct emul_cfi *flash)
{
	if (flash->array.busy) {
		return false;
	}
	flash->setup = 0;
	flash->status = READY;
	read_as(flash, READ_ARRAY);
	return true;
}

void cfi_init(struct emul_cfi *flash)
{
	flash->array.ended = ended;
	flash->reading = READ_STATUS;
	cfi_reset(flash);
}
