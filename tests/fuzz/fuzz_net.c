/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network card behind its transport, with any chains and any ends, against a reference of the
 * whole: what the backend gets, where that lies, what the driver is told, and no other byte of RAM.
 */
#include "reference_net.h"

static const struct guest_memory memory = {RAM_BASE, RAM_SIZE, ram};
static struct virtio_net net;
static uint32_t shown[VIRTIO_MMIO_BYTES / 4];
static bool line;

static void line_set(uint32_t intid, bool level)
{
	AGREE(intid, 50);
	line = level;
}

static void write_register(uint32_t offset, uint32_t value)
{
	spin_lock(&mock.lock);
	virtio_mmio_ops.write(&net.device, offset, 4, value);
	spin_unlock(&mock.lock);
}

static void reset(struct bytes *in)
{
	unsigned int i, late = 0;

	if (ref.started) {
		late = mock.frames.count > 0 ? take8(in) % (mock.frames.count + 1) % 3 : 0;
		for (i = 0; i < late; i++) {
			ref.late_request[i] =
				mock.frames.request[mock.frames.count - 1 - i].request;
		}
		mock.late = late;
		ref.late = late;
	}
	ref.started = ref.wanted = ref.running = ref.broken = false;
	ref.interrupts = 0;
	ref.list[0].count = ref.list[1].count = 0;
	memset(ref.queue, 0, sizeof(ref.queue));
	write_register(0x070, 0);
	AGREE(mock.started, false);
}

static uint32_t effective(uint32_t features)
{
	if (!(features & 1)) {
		features &= ~(1u << 11 | 1u << 12 | 1u << 14);
	}
	if (!(features & 2)) {
		features &= ~(1u << 7 | 1u << 8 | 1u << 10);
	}
	features &= features & (1u << 11 | 1u << 12) ? ~0u : ~(1u << 13);
	features &= features & (1u << 7 | 1u << 8) ? ~0u : ~(1u << 9);
	return features & (uint32_t)mock.backend.features;
}

/* The queues as start_driver() makes them: rings at fixed places, buffers anywhere. */
static void set_queue(unsigned int n, uint32_t features, uint32_t num)
{
	uint32_t base = RAM_BASE + 0x800 * n;

	ref.queue[n] = (struct reference_queue){.ram = reference_ram,
						.desc = base,
						.avail = base + 0x400,
						.used = base + 0x500,
						.num = num,
						.indirect = features >> 28 & 1,
						.event_index = features >> 29 & 1};
	write_register(0x030, n);
	write_register(0x038, num);
	write_register(0x080, base);
	write_register(0x090, base + 0x400);
	write_register(0x0a0, base + 0x500);
	write_register(0x044, 1);
	reference_store(ram, base + 0x400, 4, 0);
}

static void start_driver(struct bytes *in)
{
	uint8_t kind = take8(in);
	uint32_t offered = (uint32_t)mock.backend.features | 3u << 28;
	uint32_t features = (kind & 1 ? UINT32_MAX : take32(in)) & offered;
	unsigned int n;

	reset(in);
	write_register(0x070, 3);
	write_register(0x024, 1);
	write_register(0x020, 1);
	write_register(0x024, 0);
	write_register(0x020, features);
	write_register(0x070, 11);
	for (n = 0; n < 2; n++) {
		set_queue(n, features, kind & 2 ? 32 : 4);
	}
	if (kind & 4) {
		net.device.driver_features[1] = 0; /* a legacy driver */
	}
	memcpy(reference_ram, ram, RAM_SIZE);
	ref.features = effective(features);
	ref.header = kind & 4 && !has(15) ? 10 : 12;
	ref.running = ref.wanted = true;
	write_register(0x070, 15);
	ref_start();
	ref_run(0);
	ref_run(1);
}

static void poke(struct bytes *in)
{
	uint32_t at = RAM_BASE + take16(in) % (RAM_SIZE - 16);
	unsigned int i;

	for (i = take8(in) % 16; i > 0; i--) {
		reference_store(ram, at + i, 1, take8(in));
	}
	memcpy(reference_ram, ram, RAM_SIZE);
}

/* A header that is mostly right, where the next frame may begin. */
static uint32_t place_header(struct bytes *in)
{
	uint32_t at = RAM_BASE + 0x1000 + take8(in) * 12u;
	uint8_t kind = take8(in);

	reference_store(ram, at, 8, 0);
	reference_store(ram, at + 8, 4, (uint32_t)kind << 24);
	if (kind & 1) {
		static const uint8_t types[] = {0, 1, 4, 3, 0x81, 0x84, 0x83, 2};

		reference_store(ram, at, 1, kind & 0x80 ? take8(in) : 1);
		reference_store(ram, at + 1, 1, types[kind >> 1 & 7]);
		reference_store(ram, at + 2, 2, take8(in));
		reference_store(ram, at + 4, 2, kind & 0x10 ? take8(in) & 1 : 0x100);
		reference_store(ram, at + 6, 2, take_length(in));
		reference_store(ram, at + 8, 2, take8(in) % 32);
	}
	return at;
}

/* A chain that is mostly right: one to four descriptors in a row. */
static void offer(struct bytes *in)
{
	uint8_t kind = take8(in);
	uint32_t n = kind & 1, base = RAM_BASE + 0x800 * n,
		 num = ref.queue[n].num ? ref.queue[n].num : 4;
	uint32_t head = take8(in) % num, at = place_header(in), i, count = 1 + (kind >> 1 & 3);
	uint64_t index = reference_load(ram, base + 0x402, 2);

	for (i = 0; i < count; i++) {
		uint32_t desc = base + 16 * ((head + i) % num), flags = n ? 0 : 2u;
		uint32_t length = kind & 0x80 ? take_length(in) : 1 + take8(in) % 64u;

		if (i == 0 && kind & 0x30) {
			length = kind & 0x10 ? 12 : 10;
			flags = kind % 19 ? flags : 0;
		}
		flags |= (i + 1 < count) | (kind & 0x40 ? take8(in) & take8(in) & 6u : 0);
		reference_store(ram, desc, 8, at);
		reference_store(ram, desc + 8, 4, length);
		reference_store(ram, desc + 12, 2, flags);
		reference_store(ram, desc + 14, 2, (head + i + 1) % num);
		at += length % 0x400;
	}
	reference_store(ram, base + 0x404 + 2 * (index % num), 2, kind & 8 ? take8(in) : head);
	reference_store(ram, base + 0x402, 2, index + 1);
	memcpy(reference_ram, ram, RAM_SIZE);
}

static void kick(unsigned int n)
{
	if (ref.running) {
		write_register(0x050, n);
		if (!ref.broken) {
			ref_run(n);
		}
	}
}

static void batch(void)
{
	mock_net_batch(&mock);
	ref_run(0);
	ref_run(1);
}

/* The backend writes a little into the buffer first, as a card would. */
static void fill(const struct mock_net_request *buffer, struct bytes *in)
{
	uint32_t at = take8(in) % 64u;
	uint8_t *byte = mock_net_byte(buffer, at);

	if (byte != NULL) {
		*byte = take8(in);
	}
	memcpy(reference_ram, ram, RAM_SIZE);
}

static void end(struct bytes *in, unsigned int n)
{
	struct mock_net_list *kept = n == 0 ? &mock.buffers : &mock.frames;
	struct ref_list *list = &ref.list[n];
	uint8_t kind = take8(in);
	unsigned int i = take8(in), least = has(15) ? 1 : 13;
	uint32_t length, used = 0;
	struct ref_request request;

	AGREE(kept->count, list->count);
	if (list->count == 0) {
		return;
	}
	i %= list->count;
	request = list->request[i];
	length = kind & 2 ? take_length(in) : (uint32_t)(request.length + 1 - take8(in) % 4);
	list->count--;
	memmove(&list->request[i], &list->request[i + 1], (list->count - i) * sizeof(request));
	if (n == 0) {
		fill(&kept->request[i], in);
	}
	mock_net_end(&mock, kept, i, kind & 1 ? IO_ERROR : IO_OK, length);
	if (n == 0 && !(kind & 1) && length >= least && length <= request.length) {
		used = length - (NET_HEADER - ref.header);
		ref.received++;
	} else if (n == 1) {
		ref.sent += !(kind & 1);
		ref.dropped += kind & 1;
	}
	reference_push(&ref.queue[n], request.head, used);
}

static void end_late(void)
{
	struct io_request *request;

	if (ref.late == 0) {
		return;
	}
	request = ref.late_request[--ref.late];
	mock.late--;
	request->done(request, IO_OK, 0);
	ref_start();
	if (ref.running) {
		ref_run(0);
		ref_run(1);
	}
}

static void step(struct bytes *in)
{
	static const enum io_status statuses[] = {IO_PENDING, IO_PENDING, IO_PENDING, IO_PENDING,
						  IO_PENDING, IO_BUSY,    IO_OK,      IO_ERROR};
	uint8_t what = take8(in);

	if (what < 8) {
		start_driver(in);
	} else if (what < 12) {
		reset(in);
	} else if (what < 25) {
		poke(in);
	} else if (what < 110) {
		offer(in);
	} else if (what < 150) {
		kick(what & 1);
	} else if (what < 200) {
		end(in, what & 1);
	} else if (what < 215) {
		batch();
	} else if (what < 225) {
		end_late();
	} else if (what < 240) {
		mock.transmit_status = statuses[take8(in) % 8];
		mock.receive_status = statuses[take8(in) % 8];
	} else if (what < 250) {
		write_register(0x064, what & 3);
		ref.interrupts &= ~(what & 3u);
	} else {
		mock.backend.events->link_changed(&net);
		ref.interrupts |= ref.running ? 2 : 0;
	}
}

/* The input, and behind it bytes that follow from it: a short one gets somewhere, too. */
static struct bytes lengthen(const uint8_t *input, size_t length)
{
	static uint8_t all[1024];
	uint32_t word = 0x9e3779b9u + (uint32_t)length;
	size_t i, taken = length < sizeof(all) ? length : sizeof(all);

	for (i = 0; i < taken; i++) {
		all[i] = input[i];
		word = (word ^ input[i]) * 0x01000193u;
	}
	for (; i < sizeof(all); i++) {
		word ^= word << 13;
		word ^= word >> 17;
		word ^= word << 5;
		all[i] = (uint8_t)(word >> 7);
	}
	return (struct bytes){all, sizeof(all)};
}

/* What the driver reads with no exit is what it would read. A few at a time, all in turn. */
static void check_shown(void)
{
	static uint32_t turn;

	for (uint32_t i = 0; i < 4; i++) {
		const uint32_t offset = turn++ * 4 % VIRTIO_MMIO_BYTES;

		AGREE(shown[offset / 4], virtio_mmio_ops.read(&net.device, offset, 4));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	struct bytes in = lengthen(input, length);

	memset(&ref, 0, sizeof(ref));
	memset(ram, 0, RAM_SIZE);
	mock_net_init(&mock, 0x1ffab);
	mock.backend.segments_max = PIECES;
	virtio_net_init(&net, &mock.backend,
			&(struct virtio_place){
				.memory = &memory, .irq = {line_set, 50}, .lock = &mock.lock});
	virtio_mmio_show(&net.device, shown);
	net.device.shown = shown;
	start_driver(&in);
	while (in.left > 0) {
		step(&in);
		check_shown();
		AGREE(net.device.status & 0x40 ? 1 : 0, ref.broken);
		AGREE(net.device.fault != NULL, ref.broken);
		AGREE(net.device.interrupt_status, ref.interrupts);
		AGREE(line, ref.interrupts != 0);
		AGREE(mock.started, ref.started);
		AGREE(!mock.started || mock.features == ref.features, true);
		AGREE(mock.buffers.count, ref.list[0].count);
		AGREE(mock.frames.count, ref.list[1].count);
		AGREE(net.sent, ref.sent);
		AGREE(net.received, ref.received);
		AGREE(net.dropped, ref.dropped);
		AGREE(memcmp(ram, reference_ram, RAM_SIZE), 0);
	}
	return 0;
}
