/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flash, by induction: any state that keeps the invariant, one access or one end of what the disk does, the invariant
 * again: a buffer that is full has a place in the array. What keeps the array fails, or takes its time.
 * @sources +drivers/emul/cfi.c
 * @run -DBYTES=1
 * @run -DBYTES=2
 * @run -DBYTES=4
 * @assert drivers/emul/cfi.c flash->buffer_start<=0x80000-512&&flash->buffer_start%512==0 flash->setup = --flash
 * @plant drivers/emul/cfi.c s/offset & ~.CFI_BUFFER - 1./offset/
 * @plant drivers/emul/cfi.c s/at < sizeof.query_table./at <= sizeof(query_table)/
 * @plant drivers/emul/cfi.c s/offset & ~.CFI_SECTOR - 1./offset/
 * @plant drivers/emul/cfi.c s/flash->array.busy\) \{/false) {/
 */
#include "drivers/emul/cfi.c"

#define SIZE (2 * CFI_SECTOR)

static uint8_t array[SIZE];
static struct spinlock lock;
static struct emul_cfi flash;

enum io_status mirror_begin(struct mirror *mirror, enum block_operation operation, uint32_t from,
			    uint32_t to)
{
	const enum io_status status = (enum io_status)up_to(IO_PENDING);

	/*@ assert idle: !mirror->busy; */
	/*@ assert in_array: to <= SIZE; */
	mirror->busy = status == IO_PENDING;
	return status;
}

static void show(struct emul_cfi *shown, bool whether)
{
}

static void clean(const void *start, uint32_t size)
{
	/*@ assert in_array: \valid_read((const char *)start + (0 .. size - 1)); */
}

static const struct cfi_host host = {show, clean};

static const uint8_t setups[] = {0, PROGRAM, ERASE, LOCK, BUFFER, BUFFER_FILL, BUFFER_CONFIRM};

static void any_state(void)
{
	Frama_C_make_unknown((char *)array, sizeof(array));
	Frama_C_make_unknown((char *)flash.buffer, sizeof(flash.buffer));
	flash.reading = (uint8_t)any();
	flash.setup = setups[up_to(sizeof(setups) - 1)];
	flash.status = (uint8_t)any();
	flash.failure = (uint8_t)any();
	flash.words_left = any();
	flash.buffer_start = up_to(SIZE / CFI_BUFFER - 1) * CFI_BUFFER;
}

static void guest(uint32_t offset, uint32_t size)
{
	switch (up_to(3)) {
	case 0:
		cfi_ops.read(&flash, offset, size);
		break;
	case 1:
		cfi_ops.write(&flash, offset, size, any());
		break;
	case 2:
		cfi_reset(&flash);
		break;
	default:
		flash.array.busy = false;
		flash.array.ended(&flash.array, (enum io_status)up_to(IO_UNSUPPORTED));
	}
}

void main(void)
{
	flash.array.at = array;
	flash.array.lock = &lock;
	flash.host = &host;
	flash.size = SIZE;
	cfi_init(&flash);
	/*@ assert nothing_begun: flash.setup == 0; */
	any_state();
	flash.array.busy = maybe();
	/*@ split flash.setup; */
	if (flash.setup != BUFFER_CONFIRM && maybe()) {
		flash.buffer_start = NOWHERE;
	}
	guest(up_to(SIZE / BYTES - 1) * BYTES, BYTES);
}
