/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of all devices written at random, at all sizes, by all cores at once; virtqueues whose
 * rings the other cores rewrite while they are used; storms of interrupts. What devices write lands
 * where a descriptor may be, the arena; afterwards everything works as before.
 */
#include "hostile.h"

#define MAGIC     0x74726976u
#define SLOT(n)   (0x0a000000u + 0x200 * (n))
#define SLOTS     6u
#define LEGACY    4u /* slot */
#define UART      0x09000000u
#define UART_CR   0x09000030u
#define UART_IMSC 0x09000038u

#define FEATURES      0x010u
#define FEATURES_SEL  0x014u
#define DRIVER        0x020u
#define DRIVER_SEL    0x024u
#define PAGE_SIZE_REG 0x028u
#define QUEUE_SEL     0x030u
#define QUEUE_NUM_MAX 0x034u
#define QUEUE_NUM     0x038u
#define QUEUE_ALIGN   0x03cu
#define QUEUE_PFN     0x040u
#define QUEUE_READY   0x044u
#define NOTIFY        0x050u
#define INTERRUPT     0x060u
#define ACKNOWLEDGE   0x064u
#define STATUS        0x070u
#define QUEUE_DESC    0x080u

#define SIZE        64u /* entries of a ring */
#define RING_BYTES  0x1000u
#define RINGS(slot) (ARENA + 0x10000 * (slot)) /* desc, avail and used, a page each, and tables */
#define BUFFERS     (ARENA + 0x100000)
#define BUFFERS_END (ARENA + ARENA_SIZE)

#define LONG_WRITE 0x8000u /* bytes */

static const uint32_t bases[] = {0x08000000, 0x09010000, UART,    SLOT(0), SLOT(1),
				 SLOT(2),    SLOT(3),    SLOT(4), SLOT(5)};
static const uint32_t registers[] = {
	FEATURES_SEL, DRIVER,      DRIVER_SEL, PAGE_SIZE_REG, QUEUE_SEL, QUEUE_NUM, QUEUE_ALIGN,
	QUEUE_PFN,    QUEUE_READY, NOTIFY,     ACKNOWLEDGE,   STATUS,    0x80,      0x84,
	0x90,         0x94,        0xa0,       0xa4,          0x100,     0x11c};

/* An address for a ring or a buffer: mostly in the arena, else where it must not be. */
static uint32_t some_address(void)
{
	static const uint32_t edges[] = {0,          RAM_BASE,       RAM_END - 8,     RAM_END,
					 BIVY,       BIVY + 0x2c000, NOWHERE,         0x08000000,
					 0x0a000000, 0xfffffff0,     BUFFERS_END - 16};
	const uint32_t edge = PICK(edges);

	/* RAM_BASE - n: nothing of the payload's is there */
	return below(4) == 0 ? (edge == RAM_BASE ? edge - below(64) : edge)
			     : BUFFERS + below((BUFFERS_END - BUFFERS) / 16) * 16;
}

static uint32_t some_length(void)
{
	static const uint32_t lengths[] = {0,    1,       12,         16,        512,
					   4096, 0x10000, 0x7fffffff, 0xffffffff};

	return below(4) == 0 ? PICK(lengths) : below(1024);
}

/* All that is written is safe for the payload: addresses of rings are of the arena, or nowhere. */
static uint32_t some_value(uint32_t offset)
{
	if (offset >= QUEUE_DESC && offset < 0xb0) {
		return (offset & 4) != 0 ? below(16) == 0
		       : below(4) == 0   ? some_address()
					 : RINGS(below(SLOTS)) + below(4) * RING_BYTES;
	}
	return offset == QUEUE_PFN       ? (below(4) == 0 ? some_address() : RINGS(LEGACY)) / 4096
	       : offset == PAGE_SIZE_REG ? 4096
	       : offset == STATUS        ? below(16)
	       : below(2) != 0           ? below(8)
					 : nasty();
}

static void access(uint32_t address, uint32_t bytes, bool write, uint32_t value)
{
	static const uint32_t words[2][3] = {{0xe5d13000, 0xe1d130b0, 0xe5913000},
					     {0xe5c13000, 0xe1c130b0, 0xe5813000}};
	struct context *c = generate_one(words[write][bytes], SVC_MODE);

	c->r[1] = address;
	c->r[3] = value;
	execute();
	check("an access of a device ends, or is aborted",
	      ended(c, 1) || c->kind == KIND_DATA_ABORT, address, bytes, value);
}

static void random_registers(void *argument)
{
	(void)argument;
	for (uint32_t i = 0; i < 600; i++) {
		const uint32_t base = PICK(bases);
		const bool transport = base >= SLOT(0), write = below(4) != 0;
		const uint32_t offset = transport && below(4) != 0
						? PICK(registers)
						: below(transport ? 0x200 : 0x1000);
		const uint32_t bytes = transport && below(8) != 0 ? 2 : below(3);

		/* what would print or take the test's own bytes */
		if (base != UART || offset >= 4) {
			access(base + offset, bytes, write,
			       transport ? some_value(offset & ~3u) : nasty());
		}
	}
}

static void put(unsigned int slot, uint32_t offset, uint32_t value)
{
	write32(SLOT(slot) + offset, value);
}

/* The page shows what the registers are, and only a word's write counts. */
static void page_is_read_only(void)
{
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		put(slot, STATUS, 0);
		check("a reset takes", read32(SLOT(slot) + STATUS) == 0, slot, 0, 0);
		for (uint32_t offset = 0; offset < 0x70; offset += 4) {
			const uint32_t was = read32(SLOT(slot) + offset);

			*(volatile uint8_t *)(SLOT(slot) + offset) = (uint8_t)~was;
			*(volatile uint16_t *)(SLOT(slot) + offset + 2) = (uint16_t) ~(was >> 16);
			if (offset < 0x10) {
				put(slot, offset, ~was);
			}
			check("what is shown can't be written", read32(SLOT(slot) + offset) == was,
			      slot, offset, was);
		}
		check("magic", read32(SLOT(slot)) == MAGIC, slot, 0, 0);
	}
}

/* One entry of a table of descriptors, split (virtio 1.2, 2.7.5) or packed (2.8.13). */
static void some_descriptor(uint32_t at, bool packed)
{
	const uint32_t flags =
		below(8) == 0 ? any() : below(2) | below(2) << 1 | (below(4) == 0 ? 4u : 0);

	write32(at, below(16) == 0 ? RINGS(below(SLOTS)) : some_address());
	write32(at + 4, below(32) == 0);
	write32(at + 8, (flags & 4) != 0 ? 16 * below(20) : some_length());
	write32(at + 12, packed ? below(SIZE) | (flags | (below(2) << 7 | below(2) << 15)) << 16
				: (flags & 0xffff) | (below(32) == 0 ? any() : below(SIZE)) << 16);
}

/* What another core does to the rings of a slot, at any time. */
static void rewrite(unsigned int slot, bool packed)
{
	const uint32_t rings = RINGS(slot), kind = below(8);

	if (kind < 4) {
		some_descriptor(rings + 16 * below(SIZE), packed);
	} else if (kind < 6) {
		*(volatile uint16_t *)(rings + RING_BYTES + 4 + 2 * below(SIZE)) =
			(uint16_t)(below(16) == 0 ? any() : below(SIZE));
	} else if (kind == 6) { /* more is available; seldom what can't be */
		volatile uint16_t *index = (volatile uint16_t *)(rings + RING_BYTES + 2);

		*index = (uint16_t)(below(64) == 0 ? any() : *index + below(4));
	} else if (packed) { /* event suppression of both sides */
		write32(rings + RING_BYTES * (1 + below(2)), any());
	} else {
		some_descriptor(BUFFERS + 16 * below(64), false);
	}
}

/* As a driver that means well. */
static void set_up(unsigned int slot, bool packed)
{
	static const uint8_t queues[SLOTS] = {2, 1, 2, 1, 1, 2};
	const bool legacy = slot == LEGACY;

	put(slot, STATUS, 0);
	put(slot, STATUS, 3);
	for (uint32_t word = 0; word < 2; word++) { /* the upper one: VERSION_1, RING_PACKED */
		put(slot, FEATURES_SEL, word);
		put(slot, DRIVER_SEL, word);
		put(slot, DRIVER,
		    read32(SLOT(slot) + FEATURES) & (word == 0 ? any() | 1u << 28
						     : packed  ? 5u
							       : 1u));
	}
	put(slot, STATUS, 11);
	put(slot, PAGE_SIZE_REG, 4096);
	for (uint32_t queue = 0; queue < queues[slot]; queue++) {
		put(slot, QUEUE_SEL, queue);
		put(slot, QUEUE_NUM,
		    read32(SLOT(slot) + QUEUE_NUM_MAX) < SIZE ? read32(SLOT(slot) + QUEUE_NUM_MAX)
							      : SIZE);
		if (legacy) {
			put(slot, QUEUE_ALIGN, 4096);
			put(slot, QUEUE_PFN, RINGS(slot) / 4096);
			continue;
		}
		for (uint32_t ring = 0; ring < 3; ring++) {
			put(slot, QUEUE_DESC + 16 * ring, RINGS(slot) + ring * RING_BYTES);
			put(slot, QUEUE_DESC + 16 * ring + 4, 0);
		}
		put(slot, QUEUE_READY, 1);
	}
	put(slot, STATUS, 15);
	check("the device takes its queues",
	      (read32(SLOT(slot) + STATUS) | (legacy ? 8u : 0)) >= 15, slot, packed,
	      read32(SLOT(slot) + STATUS));
}

static volatile bool ringing, packed_now;

/* Core 0 and 1 set up and notify devices, the others rewrite their rings. */
static void rings(void *argument)
{
	const uint32_t self = this_core()->index;

	(void)argument;
	while (self >= 2 && ringing) {
		for (uint32_t i = 0; i < 16; i++) {
			rewrite(below(SLOTS), packed_now);
		}
	}
	for (uint32_t i = 0; self < 2 && i < 40; i++) {
		const unsigned int slot = self + 2 * below(SLOTS / 2);

		for (uint32_t n = 0; n < SIZE; n++) {
			some_descriptor(RINGS(slot) + 16 * n, packed_now);
		}
		write32(RINGS(slot) + RING_BYTES, 0);
		set_up(slot, packed_now);
		for (uint32_t n = 0; n < 16; n++) {
			rewrite(slot, packed_now);
			put(slot, NOTIFY, below(3));
			put(slot, ACKNOWLEDGE, 3);
		}
		check("the device is still there", read32(SLOT(slot)) == MAGIC, slot, i, 0);
	}
	if (self == 0) {
		ringing = false;
	}
}

static void race(bool packed)
{
	packed_now = packed;
	ringing = true;
	on_all(rings, NULL);
	for (unsigned int slot = 0; slot < SLOTS; slot++) {
		put(slot, STATUS, 0);
	}
	page_is_read_only();
}

/* More for the console than bivy takes at once; each acknowledge has it go on. The test counts how
 * long it was away. */
static void write_much(void)
{
	const uint32_t rings = RINGS(0), used = rings + 2 * RING_BYTES;
	uint32_t calls = 0;

	memset((void *)BUFFERS, '.', LONG_WRITE);
	memcpy((void *)rings, (const uint32_t[]){BUFFERS, 0, LONG_WRITE, 0}, 16);
	write32(rings + RING_BYTES + 4, 0);
	write32(rings + RING_BYTES, 1u << 16);
	write32(used, 0);
	set_up(0, false);
	put(0, NOTIFY, 1);
	for (; read32(used) == 0 && calls < LONG_WRITE; calls++) {
		put(0, ACKNOWLEDGE, 1);
	}
	check("all of it is written", read32(used) == 1u << 16 && calls != 0, read32(used), calls,
	      0);
	put(0, STATUS, 0);
}

/* Ends whatever came, the timers' by setting them off, and makes more of it. */
static void answer_storm(uint32_t iar)
{
	const uint32_t intid = iar & 0x3ff;

	if (intid == INTID_VTIMER) {
		write_CNTV_CTL(below(2));
	} else if (intid == INTID_PTIMER) {
		write_CNTP_CTL(below(2));
	} else if (intid == INTID_UART) { /* its level would leave no time for anything else */
		write32(UART_IMSC, 0);
	}
	write32(GICC_EOIR, iar);
}

static void storm(void *argument)
{
	(void)argument;
	gic_cpu_on();
	gic_log()->hook = answer_storm;
	write32(GICD_ISENABLER, 0xffffffff);
	irq_enable();
	for (uint32_t i = 0; i < 100; i++) {
		const uint32_t word = 4 * (1 + below(8));

		switch (below(8)) {
		case 0:
			write32(GICD_SGIR, SGIR_LIST(0xff) | below(16));
			break;
		case 1:
			write32(GICD_ISPENDR + word, ~0u);
			break;
		case 2:
			write32(GICD_ISENABLER + word, any());
			break;
		case 3:
			write32(GICD_ITARGETSR + 32 + 4 * below(64), any());
			break;
		case 4:
			write32(GICD_IPRIORITYR + 4 * below(72), any());
			break;
		case 5:
			write32(UART_IMSC, any() & 0x7ef);
			break;
		case 6:
			write_CNTV_TVAL(0);
			write_CNTV_CTL(1);
			break;
		default:
			write_CNTP_TVAL(below(2));
			write_CNTP_CTL(1);
			write32(below(2) != 0 ? GICD_ICFGR + 8 + 4 * below(16)
					      : GICD_ICACTIVER + word,
				any());
		}
	}
	irq_disable();
	write_CNTV_CTL(0);
	write_CNTP_CTL(0);
}

/* GIC as after reset, as far as what follows wants it; all that is pending or active is not. */
static void calm(void *argument)
{
	(void)argument;
	gic_cpu_on();
	if (this_core()->index == 0) {
		write32(UART_IMSC, 0);
		for (uint32_t word = 4; word <= 32; word += 4) {
			write32(GICD_ICENABLER + word, ~0u);
			write32(GICD_ICPENDR + word, ~0u);
			write32(GICD_ICACTIVER + word, ~0u);
		}
	}
	write32(GICD_ICENABLER, 0xffff0000);
	write32(GICD_ICPENDR, ~0u);
	write32(GICD_ICACTIVER, ~0u);
	for (uint32_t sgi = 0; sgi < 16; sgi++) {
		write8(GICD_CPENDSGIR + sgi, 0xff);
		write8(GICD_IPRIORITYR + sgi, 0xa0);
	}
	write32(GICD_IGROUPR, 0);
	for (uint32_t i = 0; i < 32; i++) { /* what a list register still had */
		const uint32_t iar = read32(GICC_IAR);

		if ((iar & 0x3ff) < 1020) {
			write32(GICC_EOIR, iar);
		}
	}
}

static void listen(void *argument)
{
	(void)argument;
	gic_cpu_on();
	irq_enable();
}

static void silence(void *argument)
{
	(void)argument;
	irq_disable();
}

static void storms(void)
{
	gic_reset();
	on_all(storm, NULL);
	on_all(calm, NULL);
	gic_reset();
	on_all(listen, NULL);
	write32(GICD_SGIR, SGIR_LIST(0xff) | 7);
	for (unsigned int core = 0; core < core_count; core++) {
		check("an SGI comes as before",
		      gic_wait(core, 1) && gic_logs[core].taken[0].iar == 7, core,
		      gic_logs[core].count, gic_logs[core].taken[0].iar);
	}
	on_all(silence, NULL);
}

void payload(void)
{
	hostile_begin();
	on_all(random_registers, NULL);
	write32(UART_CR, 0x301);
	page_is_read_only();
	checked("registers of all devices");
	race(false);
	checked("split rings that other cores rewrite");
	race(true);
	checked("packed rings that other cores rewrite");
	write_much();
	checked("a long write to the console");
	storms();
	checked("storms of interrupts");
	hostile_end();
}
