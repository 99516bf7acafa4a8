/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures what one exit costs a guest, in instructions, natively and under a hypervisor alike.
 *
 * Meant for QEMU's -icount shift=0,sleep=off, where an instruction is one nanosecond of virtual
 * time. PMCCNTR counts those nanoseconds there, in HYP mode too if PMCCFILTR.NSH is set; so the
 * difference of two reads is the exact number of instructions between them, and each shot can stand
 * alone. CNTVCT, of 16 ns, is the same clock: "clock" and "phase" are the proof, 16000 and 15 if
 * all is well.
 *
 * With BY_COUNTER, for hypervisors that don't give PMCCNTR, all is by CNTVCT, and the mean of all
 * shots.
 *
 * Latencies are from the store that raises, or from CNTV_CVAL passing, to the first instruction at
 * the guest's IRQ vector. Output: "row NAME MIN MEDIAN MAX", in instructions, without those that
 * read the time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "disk.h"

#define SHOTS 501

#define GICD 0x08000000u
#define GICC 0x08010000u
#define UART 0x09000000u

#define GICD_CTLR       0x000
#define GICD_TYPER      0x004
#define GICD_ISENABLER  0x100
#define GICD_ICENABLER  0x180
#define GICD_ISPENDR    0x200
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR  0x800
#define GICD_ICFGR      0xc00
#define GICD_SGIR       0xf00
#define GICC_CTLR       0x00
#define GICC_PMR        0x04
#define GICC_IAR        0x0c
#define GICC_EOIR       0x10
#define UART_DR         0x00
#define UART_FR         0x18
#define UART_IMSC       0x38

#define SPURIOUS     1020u
#define SGI_SELF     1u
#define SGI_PING     2u
#define SGI_WORK     3u
#define INTID_VTIMER 27u
#define INTID_PTIMER 30u
#define SPI_EDGE     72u /* nothing is connected to these two */
#define SPI_LEVEL    73u

/* The virtio console (virtio 1.2, 4.2.2, 5.3), if there is one. */
#define VIRTIO             0x0a000000u
#define VIRTIO_DEVICE_ID   0x008
#define VIRTIO_FEATURES    0x020
#define VIRTIO_SELECT      0x024
#define VIRTIO_QUEUE_SEL   0x030
#define VIRTIO_QUEUE_NUM   0x038
#define VIRTIO_QUEUE_READY 0x044
#define VIRTIO_NOTIFY      0x050
#define VIRTIO_STATUS      0x070
#define VIRTIO_DESC        0x080
#define VIRTIO_AVAIL       0x090
#define VIRTIO_USED        0x0a0
#define TRANSMIT           1u

#define PSCI_VERSION    0x84000000u
#define PSCI_CPU_ON     0x84000003u
#define PSCI_SYSTEM_OFF 0x84000008u
#define PSCI_UNKNOWN    0x8400ff00u

#define DISK_READS 4096u
#define WORK_READS 256u

void bench_main(void);
void other_main(void);
void other_start(void);
void irq_handler(void);
void unexpected(uint32_t vector, uint32_t address);

static uint32_t epoch;    /* PMCCNTR when CNTVCT was 0 */
static uint32_t overhead; /* of an empty shot */
static uint32_t shot_start;
static bool exact;  /* time is instructions */
static bool hosted; /* by bivy: there is a virtio console */
static volatile uint32_t arrival, arrivals, other_ready, working, batches;
static uint32_t samples[SHOTS];

/* Registers */

static inline uint32_t get(uint32_t address)
{
	return *(volatile uint32_t *)(uintptr_t)address;
}

static inline void put(uint32_t address, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)address = value;
}

static inline uint64_t counter(void)
{
	uint64_t value;

	asm volatile("mrrc p15, 1, %Q0, %R0, c14" : "=r"(value)::"memory");
	return value;
}

/* Reads the clock; what it counts of, and where start.S keeps the time of arrival. */
#ifdef BY_COUNTER
#define READ_CLOCK(to) "mrrc p15, 1, " to ", r2, c14"
#define CLOCK_UNIT     16u
#define READ_ARRIVAL   "mrc p15, 0, %0, c13, c0, 3"
#else
#define READ_CLOCK(to) "mrc p15, 0, " to ", c9, c13, 0"
#define CLOCK_UNIT     1u
#define READ_ARRIVAL   "mrc p15, 0, %0, c13, c0, 4"
#endif

static inline uint32_t now(void)
{
	uint32_t value;

	asm volatile(READ_CLOCK("%0") : "=r"(value)::"r2", "memory");
	return value * CLOCK_UNIT;
}

static uint32_t psci(uint32_t function, uint32_t a1, uint32_t a2, uint32_t a3)
{
	register uint32_t r0 asm("r0") = function;
	register uint32_t r1 asm("r1") = a1;
	register uint32_t r2 asm("r2") = a2;
	register uint32_t r3 asm("r3") = a3;

	asm volatile("hvc #0" : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)::"memory");
	return r0;
}

static inline void irq_on(void)
{
	asm volatile("cpsie i" ::: "memory");
}

static inline void irq_off(void)
{
	asm volatile("cpsid i" ::: "memory");
}

/* Output */

static void print(const char *text)
{
	for (; *text != '\0'; text++) {
		while ((get(UART + UART_FR) & 0x20) != 0) {
		}
		put(UART + UART_DR, (uint8_t)*text);
	}
}

static void print_number(uint32_t value)
{
	char digits[11], *at = &digits[10];

	*at = '\0';
	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	print(at);
}

/* Prints a name and a number. */
static void print_pair(const char *name, uint32_t value)
{
	print(name);
	print(" ");
	print_number(value);
}

void unexpected(uint32_t vector, uint32_t address)
{
	print_pair("failed: vector", vector);
	print_pair(" address", address);
	print("\r\n");
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
}

/* The handler: notes when it was reached and silences the source */

void irq_handler(void)
{
	uint32_t at, iar = get(GICC + GICC_IAR);

	asm volatile(READ_ARRIVAL : "=r"(at));
	at *= CLOCK_UNIT;
	if ((iar & 0x3ff) == INTID_VTIMER) {
		asm volatile("mcr p15, 0, %0, c14, c3, 1\n\tisb" ::"r"(0));
	} else if ((iar & 0x3ff) == INTID_PTIMER) {
		asm volatile("mcr p15, 0, %0, c14, c2, 1\n\tisb" ::"r"(0));
	}
	if ((iar & 0x3ff) < SPURIOUS) {
		put(GICC + GICC_EOIR, iar);
		arrival = at;
		arrivals++;
	}
}

/* One shot of an instruction sequence. r0 and r1 are inputs, r4 is an address; r0 to r3 are
 * clobbered. */
#define SHOT(name, address, first, second, code)                                                   \
	static uint32_t name(void)                                                                 \
	{                                                                                          \
		register uint32_t r0 asm("r0") = (first);                                          \
		register uint32_t r1 asm("r1") = (second);                                         \
		register uint32_t r4 asm("r4") = (address);                                        \
		register uint32_t r5 asm("r5"), r6 asm("r6");                                      \
                                                                                                   \
		asm volatile(READ_CLOCK("r5") "\n\t" code "\n\t" READ_CLOCK("r6")                  \
			     : "+r"(r0), "+r"(r1), "+r"(r4), "=r"(r5), "=r"(r6)                    \
			     :                                                                     \
			     : "r2", "r3", "cc", "memory");                                        \
		shot_start = r5 * CLOCK_UNIT;                                                      \
		return (r6 - r5) * CLOCK_UNIT - overhead;                                          \
	}

#define SPI_WORD(intid) ((intid) / 32 * 4)
#define SPI_BIT(intid)  (1u << (intid) % 32)
#define LOAD            "ldr r0, [r4]"
#define STORE           "str r0, [r4]"

SHOT(nothing, 0, 0, 0, "")
SHOT(hvc_version, 0, PSCI_VERSION, 0, "hvc #0")
SHOT(hvc_unknown, 0, PSCI_UNKNOWN, 0, "hvc #0")
SHOT(gicd_read_typer, GICD + GICD_TYPER, 0, 0, LOAD)
SHOT(gicd_read_isenabler, GICD + GICD_ISENABLER + SPI_WORD(SPI_EDGE), 0, 0, LOAD)
SHOT(gicd_read_ldrd, GICD + GICD_ISENABLER, 0, 0, "ldrd r0, r1, [r4]")
SHOT(gicd_write_ipriorityr, GICD + GICD_IPRIORITYR + SPI_EDGE, 0xa0a0a0a0u, 0, STORE)
SHOT(gicd_write_ipriorityr_byte, GICD + GICD_IPRIORITYR + SPI_EDGE, 0xa0, 0, "strb r0, [r4]")
SHOT(gicd_write_isenabler, GICD + GICD_ISENABLER + SPI_WORD(SPI_EDGE), SPI_BIT(SPI_EDGE), 0, STORE)
SHOT(gicd_mask_unmask, GICD + GICD_ISENABLER + SPI_WORD(SPI_EDGE), SPI_BIT(SPI_EDGE), 0,
     "str r0, [r4, #0x80]\n\tstr r0, [r4]")
SHOT(uart_read_fr, UART + UART_FR, 0, 0, LOAD)
SHOT(uart_read_postindex, UART + UART_FR, 0, 0, "ldr r0, [r4], #4")
SHOT(uart_write_imsc, UART + UART_IMSC, 0, 0, STORE)
SHOT(uart_write_dr, UART + UART_DR, '.', 0, STORE)
SHOT(gicc_read_pmr, GICC + GICC_PMR, 0, 0, LOAD)
SHOT(gicc_write_pmr, GICC + GICC_PMR, 0xf0, 0, STORE)
SHOT(cp15_actlr, 0, 0, 0, "mrc p15, 0, r0, c1, c0, 1")
SHOT(cp15_pmcr, 0, 0, 0, "mrc p15, 0, r0, c9, c12, 0")
SHOT(cp14_dbgdidr, 0, 0, 0, "mrc p14, 0, r0, c0, c0, 0")
SHOT(raise_sgi, GICD + GICD_SGIR, 2u << 24 | SGI_SELF, 0, STORE)
SHOT(raise_spi_edge, GICD + GICD_ISPENDR + SPI_WORD(SPI_EDGE), SPI_BIT(SPI_EDGE), 0, STORE)
SHOT(raise_spi_level, GICD + GICD_ISPENDR + SPI_WORD(SPI_LEVEL), SPI_BIT(SPI_LEVEL), 0, STORE)
SHOT(wait, 0, 0, 0, "wfi")
SHOT(acknowledge, GICC + GICC_IAR, 0, 0, LOAD)
SHOT(end_sgi, GICC + GICC_EOIR, SGI_SELF, 0, STORE)
SHOT(end_spi_edge, GICC + GICC_EOIR, SPI_EDGE, 0, STORE)
SHOT(end_spi_level, GICC + GICC_EOIR, SPI_LEVEL, 0, STORE)
SHOT(notify, VIRTIO + VIRTIO_NOTIFY, TRANSMIT, 0, STORE)

/* The store with interrupts on: until the handler is reached, and until the next instruction after
 * it. */

static uint32_t round_trip(uint32_t (*raise)(void))
{
	uint32_t before = arrivals, taken;

	irq_on();
	taken = raise();
	for (uint32_t i = 0; i < 1000000 && arrivals == before; i++) {
	}
	irq_off();
	return arrivals == before + 1 ? taken : UINT32_MAX;
}

static uint32_t to_handler(uint32_t (*raise)(void))
{
	return round_trip(raise) == UINT32_MAX ? UINT32_MAX : arrival - shot_start - overhead;
}

#define RAISE(name, raise)                                                                         \
	static uint32_t name(void)                                                                 \
	{                                                                                          \
		return to_handler(raise);                                                          \
	}                                                                                          \
	static uint32_t name##_round(void)                                                         \
	{                                                                                          \
		return round_trip(raise);                                                          \
	}

RAISE(sgi, raise_sgi)
RAISE(spi_edge, raise_spi_edge)
RAISE(spi_level, raise_spi_level)

/* The parts of an interrupt's life at the CPU interface, with interrupts off */

static uint32_t gicc_wfi(void)
{
	uint32_t taken;

	raise_sgi();
	taken = wait();
	put(GICC + GICC_EOIR, get(GICC + GICC_IAR));
	return taken;
}

static uint32_t gicc_iar(void)
{
	uint32_t taken;

	raise_sgi();
	taken = acknowledge();
	end_sgi();
	return taken;
}

#define EOI(name, raise, end)                                                                      \
	static uint32_t name(void)                                                                 \
	{                                                                                          \
		raise();                                                                           \
		acknowledge();                                                                     \
		return end();                                                                      \
	}

EOI(gicc_eoi_sgi, raise_sgi, end_sgi)
EOI(gicc_eoi_spi_edge, raise_spi_edge, end_spi_edge)
EOI(gicc_eoi_spi_level, raise_spi_level, end_spi_level)

/* Timers: from CVAL to the handler */

static uint32_t timer(bool is_virtual, bool sleep)
{
	const uint32_t before = arrivals;
	const uint64_t deadline = counter() + 60 + (before & 3);

	if (is_virtual) {
		asm volatile(
			"mcrr p15, 3, %Q0, %R0, c14\n\tmcr p15, 0, %1, c14, c3, 1\n\tisb" ::"r"(
				deadline),
			"r"(1));
	} else {
		asm volatile(
			"mcrr p15, 2, %Q0, %R0, c14\n\tmcr p15, 0, %1, c14, c2, 1\n\tisb" ::"r"(
				deadline),
			"r"(1));
	}
	irq_on();
	while (arrivals == before) {
		if (sleep) {
			asm volatile("wfi" ::: "memory");
		}
	}
	irq_off();
	return arrival - (epoch + (uint32_t)deadline * 16);
}

static uint32_t vtimer_busy(void)
{
	return timer(true, false);
}

static uint32_t vtimer_wfi(void)
{
	return timer(true, true);
}

static uint32_t ptimer_busy(void)
{
	return timer(false, false);
}

static uint32_t ptimer_wfi(void)
{
	return timer(false, true);
}

/* An SGI to the other core, which sends one back; both sleep meanwhile */

static uint32_t await_interrupt(void)
{
	uint32_t iar;

	do {
		asm volatile("wfi" ::: "memory");
		iar = get(GICC + GICC_IAR);
	} while ((iar & 0x3ff) >= SPURIOUS);
	put(GICC + GICC_EOIR, iar);
	return iar;
}

static uint32_t ping_pong(void)
{
	uint32_t start = now();

	put(GICD + GICD_SGIR, 2u << 16 | SGI_PING);
	await_interrupt();
	return now() - start - overhead;
}

void other_main(void)
{
	put(GICC + GICC_PMR, 0xf0);
	put(GICC + GICC_CTLR, 1);
	other_ready = 1;
	for (;;) {
		if ((await_interrupt() & 0x3ff) == SGI_PING) {
			put(GICD + GICD_SGIR, 1u << 16 | SGI_PING);
		}
		while (working == 1 && disk_read(32, WORK_READS)) {
			batches++;
		}
		working = 0;
	}
}

/* 64 bytes to the virtio console */

static struct {
	struct {
		uint32_t address, address_high, length;
		uint16_t flags, next;
	} desc[2];
	uint16_t avail_flags, avail_index, avail_ring[2], used_event, pad[7];
	uint16_t used_flags, used_index;
	uint32_t used_ring[4], avail_event;
} queue __attribute__((aligned(16)));

static const char line[64] = "sixty-four bytes, a line of text and its end, are one notify..\r\n";

static void virtio_ring(uint32_t offset, volatile void *address)
{
	put(VIRTIO + offset, (uint32_t)(uintptr_t)address);
	put(VIRTIO + offset + 4, 0);
}

static bool virtio_start(void)
{
	if (!hosted) {
		return false;
	}
	put(VIRTIO + VIRTIO_STATUS, 3);
	put(VIRTIO + VIRTIO_SELECT, 1);
	put(VIRTIO + VIRTIO_FEATURES, 1); /* VERSION_1 */
	put(VIRTIO + VIRTIO_STATUS, 11);
	put(VIRTIO + VIRTIO_QUEUE_SEL, TRANSMIT);
	put(VIRTIO + VIRTIO_QUEUE_NUM, 2);
	virtio_ring(VIRTIO_DESC, queue.desc);
	virtio_ring(VIRTIO_AVAIL, &queue.avail_flags);
	virtio_ring(VIRTIO_USED, &queue.used_flags);
	put(VIRTIO + VIRTIO_QUEUE_READY, 1);
	put(VIRTIO + VIRTIO_STATUS, 15);
	queue.desc[0].address = (uint32_t)(uintptr_t)line;
	queue.desc[0].length = sizeof(line);
	queue.avail_flags = 1; /* no interrupt */
	return (get(VIRTIO + VIRTIO_STATUS) & 0xff) == 15;
}

static uint32_t virtio_console_64(void)
{
	uint16_t used = *(volatile uint16_t *)&queue.used_index;
	uint32_t taken;

	*(volatile uint16_t *)&queue.avail_index = (uint16_t)(queue.avail_index + 1);
	taken = notify();
	return *(volatile uint16_t *)&queue.used_index == (uint16_t)(used + 1) ? taken : UINT32_MAX;
}

/* The plugin counts from one SMC to the next. Without bivy there may be no SMC. */
static void phase(void)
{
	register uint32_t r0 asm("r0") = PSCI_UNKNOWN;

	if (hosted) {
		asm volatile(".arch_extension sec\n\tsmc #0"
			     : "+r"(r0)::"r1", "r2", "r3", "memory");
	}
}

/* The first phase is empty, the others are reads one at a time and 32 at once. */
static void disk_phases(void)
{
	bool good;

	phase();
	phase();
	good = disk_read(1, DISK_READS);
	phase();
	good = good && disk_read(32, DISK_READS);
	phase();
	disk_settle();
	if (good) {
		print_pair("\r\ndisk: reads", DISK_READS);
		print("\r\n");
	}
}

/* The table */

struct row {
	const char *name;
	uint32_t (*shot)(void);
};

#define ROW(name)                                                                                  \
	{                                                                                          \
#name, name                                                                        \
	}

static const struct row rows[] = {
	ROW(hvc_version),
	ROW(hvc_unknown),
	ROW(gicd_read_typer),
	ROW(gicd_read_isenabler),
	ROW(gicd_write_ipriorityr),
	ROW(gicd_write_ipriorityr_byte),
	ROW(gicd_write_isenabler),
	ROW(gicd_mask_unmask),
	ROW(uart_read_fr),
	ROW(uart_write_imsc),
	ROW(uart_write_dr),
	ROW(cp15_actlr),
	ROW(cp15_pmcr),
	ROW(cp14_dbgdidr),
	ROW(gicc_read_pmr),
	ROW(gicc_write_pmr),
	ROW(gicc_iar),
	ROW(gicc_wfi),
	ROW(gicc_eoi_sgi),
	ROW(gicc_eoi_spi_edge),
	ROW(gicc_eoi_spi_level),
	ROW(sgi),
	ROW(sgi_round),
	ROW(spi_edge),
	ROW(spi_edge_round),
	ROW(spi_level),
	ROW(spi_level_round),
	ROW(vtimer_busy),
	ROW(vtimer_wfi),
	ROW(ptimer_busy),
	ROW(ptimer_wfi),
	/* Xen does not decode all of these. */
	ROW(gicd_read_ldrd),
	ROW(uart_read_postindex),
};
#define ROWS (sizeof(rows) / sizeof(rows[0]) - (CLOCK_UNIT == 1 ? 0 : 2))

static void sort(uint32_t *values, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		uint32_t value = values[i], at = i;

		for (; at > 0 && values[at - 1] > value; at--) {
			values[at] = values[at - 1];
		}
		values[at] = value;
	}
}

static uint32_t mean(const uint32_t *values, uint32_t count)
{
	uint32_t sum = count / 2;

	for (uint32_t i = 0; i < count; i++) {
		sum += values[i];
	}
	return sum / count;
}

/* The mean of a clock of 16 instructions is exact if shots begin in all of its phases. */
static void change_phase(uint32_t i)
{
	if (CLOCK_UNIT == 1) {
		return;
	}
	for (uint32_t left = i / 2 % 8; left != 0; left--) {
		asm volatile("");
	}
	if ((i & 1) != 0) {
		asm volatile("nop");
	}
}

static void measure(const struct row *row, uint32_t shots)
{
	phase();
	for (uint32_t i = 0; i < shots; i++) {
		change_phase(i);
		samples[i] = row->shot();
	}
	phase();
	sort(samples, shots);
	print("\r\nrow ");
	print_pair(row->name, samples[0]);
	print_pair("", CLOCK_UNIT == 1 ? samples[shots / 2] : mean(samples, shots));
	print_pair("", samples[shots - 1]);
	print("\r\n");
}

/*
 * What an interrupt takes while the other core reads the disk. Not by instructions: QEMU runs the
 * cores in turn then, and the latency would be how long a turn is.
 */
static void measure_beside_work(void)
{
	static const struct row beside[] = {
		{"spi_edge_io", spi_edge},
		{"vtimer_busy_io", vtimer_busy},
		{"vtimer_wfi_io", vtimer_wfi},
	};

	put(GICD + GICD_ITARGETSR + DISK_INTID / 4 * 4, 0x02020202u);
	working = 1;
	put(GICD + GICD_SGIR, 2u << 16 | SGI_WORK);
	for (uint32_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
		measure(&beside[i], SHOTS);
	}
	print_pair("disk: worked", batches);
	print("\r\n");
	working = 2;
	while (working != 0) {
		asm volatile("yield");
	}
}

/* Of an empty shot. */
static uint32_t least_overhead(void)
{
	uint32_t least = UINT32_MAX;

	for (uint32_t i = 0; i < 64; i++) {
		const uint32_t taken = nothing();

		least = taken < least ? taken : least;
	}
	return least;
}

/*
 * PMCCNTR - 16 * CNTVCT shows CNTVCT's phase, 0 to 15, above what PMCCNTR was at 0; the least of
 * many reads in all phases is that.
 */
static void calibrate(void)
{
	uint32_t least = UINT32_MAX, most = 0, first = now() - (uint32_t)counter() * 16 - 64;

	for (uint32_t i = 0; i < 1024; i++) {
		uint32_t time = now(), phase = time - (uint32_t)counter() * 16 - first;

		least = phase < least ? phase : least;
		most = phase > most ? phase : most;
		for (volatile uint32_t wait_for = i % 7; wait_for != 0; wait_for = wait_for - 1) {
		}
		if ((i & 1) != 0) {
			asm volatile("nop");
		}
	}
	epoch = first + least + 1; /* CNTVCT was read one instruction later */
	if (CLOCK_UNIT != 1) {
		epoch = 0;
		return;
	}
	print_pair("phase", most - least);
	overhead = least_overhead();
	exact = most - least == 15 && overhead == 1;
	print_pair(" overhead", overhead);
	print("\r\n");
}

static void start_counters(void)
{
	asm volatile("mcr p15, 0, %0, c9, c12, 5\n\t" /* PMSELR: the cycle counter's filter */
		     "isb\n\t"
		     "mcr p15, 0, %1, c9, c13, 1\n\t" /* PMXEVTYPER: in HYP mode, too */
		     "mcr p15, 0, %2, c9, c12, 1\n\t" /* PMCNTENSET */
		     "mcr p15, 0, %3, c9, c12, 0\n\t" /* PMCR: enable, reset */
		     "isb" ::"r"(31),
		     "r"(1u << 27), "r"(1u << 31), "r"(5));
}

static void start_interrupts(void)
{
	put(GICD + GICD_CTLR, 1);
	for (uint32_t i = 0; i < 8; i++) {
		put(GICD + GICD_IPRIORITYR + 4 * i, 0xa0a0a0a0u);
	}
	put(GICD + GICD_IPRIORITYR + SPI_EDGE, 0xa0a0a0a0u);
	put(GICD + GICD_ITARGETSR + SPI_EDGE, 0x01010101u);
	put(GICD + GICD_ICFGR + SPI_EDGE / 16 * 4, 2u << SPI_EDGE % 16 * 2);
	put(GICD + GICD_ISENABLER + SPI_WORD(SPI_EDGE), SPI_BIT(SPI_EDGE) | SPI_BIT(SPI_LEVEL));
	put(GICD + GICD_IPRIORITYR + DISK_INTID / 4 * 4, 0xa0a0a0a0u);
	put(GICD + GICD_ITARGETSR + DISK_INTID / 4 * 4, 0x01010101u);
	put(GICD + GICD_ICFGR + DISK_INTID / 16 * 4, 2u << DISK_INTID % 16 * 2);
	put(GICD + GICD_ISENABLER + SPI_WORD(DISK_INTID), SPI_BIT(DISK_INTID));
	put(GICD + GICD_ISENABLER, 0xffffu | 1u << INTID_VTIMER | 1u << INTID_PTIMER);
	put(GICC + GICC_PMR, 0xf0);
	put(GICC + GICC_CTLR, 1);
}

void bench_main(void)
{
	static const struct row console = ROW(virtio_console_64), other = ROW(ping_pong);
	bool disk;

	hosted = get(VIRTIO) == 0x74726976u && get(VIRTIO + 4) == 2 &&
		 get(VIRTIO + VIRTIO_DEVICE_ID) == 3;
	print("bench: start\r\n");
	start_counters();
	start_interrupts();
	calibrate();
	for (uint32_t i = 0; i < ROWS; i++) {
		measure(&rows[i], SHOTS);
	}
	if (virtio_start()) {
		measure(&console, 51);
	}
	disk = disk_start();
	if (disk) {
		disk_phases();
	}
	if (psci(PSCI_CPU_ON, 1, (uint32_t)(uintptr_t)other_start, 0) == 0) {
		while (other_ready == 0) {
			asm volatile("yield");
		}
		measure(&other, SHOTS);
		if (disk && !exact) {
			measure_beside_work();
		}
	}
	print("bench: end\r\n");
	psci(PSCI_SYSTEM_OFF, 0, 0, 0);
}
