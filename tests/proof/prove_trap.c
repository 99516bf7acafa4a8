/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's exits: any syndrome with any registers, whatever the system registers say, and any physical interrupt.
 * @sources +hyp/trap.c +hyp/psci.c +hyp/timer.c hyp/coproc.c hyp/registers.c
 * @sources hyp/inject.c hyp/errata.c drivers/hw/trng.c
 * @run -eva-auto-loop-unroll=256
 * @unreached hyp_panic
 *   It is called for faults of bivy's own, of which there are none to call it.
 * @unreached banked_registers_reset
 *   A core that starts calls it (vcpu.c).
 * @argued access_described shift
 *   HSR.SAS = 3 is reserved (ARM DDI 0406C B3.13.6): the hardware never says so. All others: tests/payload/decode.c.
 * @plant hyp/psci.c s/- PSCI_BASE < PSCI_FUNCTIONS/- PSCI_BASE <= PSCI_FUNCTIONS/
 * @plant hyp/registers.c s/n < 13/n < 14/
 * @plant hyp/trap.c s/MMIO_SHOWN_BYTES % MMIO_SHOWN]/MMIO_SHOWN_BYTES]/
 */
#include "hyp/arch.h"
static unsigned int self;
#define read_HTPIDR() ((uint32_t)&cpus[self])
#include "hyp/cpu.h"

#define CORES 4u
#define RAM   4096

static inline uint32_t gicc_acknowledge(void)
{
	return any();
}

/*@ assigns \nothing; */
void gicc_eoi(uint32_t iar);

#include "hyp/trap.c"
#include "hyp/psci.c"
#include "hyp/timer.c"
#include "hyp/mmio.c"

struct cpu cpus[CPUS_MAX];
struct board board;
struct vgic vgic;
struct vm vm;
static uint8_t ram[RAM];
static struct spinlock lock;

unsigned int cpu_self(void)
{
	return self;
}

/* Elsewhere, and proved there or not of the guest's making. */
/*@ assigns \nothing; */
void gicc_deactivate(uint32_t iar);
/*@ assigns \nothing; */
void gic_enable(uint32_t word, uint32_t mask, bool enable);
/*@ assigns *regs \from \nothing; */
void emulate_transfer(struct guest_regs *regs, uint32_t hsr);
/*@ assigns \nothing; */
void vgic_refresh(unsigned int cpu);
/*@ requires cpu < CPUS_MAX && 16 <= intid < 32;
    assigns \nothing; */
void vgic_forward(unsigned int cpu, uint32_t intid);
/*@ requires cpu < CPUS_MAX && intid < 1020;
    assigns \result \from \nothing;
    ensures \result == 0 || \result == 1; */
bool vgic_forward_spi(unsigned int cpu, uint32_t intid);
/*@ requires intid < 1020;
    assigns \result \from \nothing;
    ensures \result == 0 || \result == 1; */
bool irq_handle(uint32_t intid);
/*@ assigns \result \from \nothing;
    ensures \result == 0 || \result == 1; */
bool vgic_pending(unsigned int cpu);
/*@ assigns \result \from \nothing;
    ensures \result == 0 || \result == 1; */
bool vgic_holds_physical(unsigned int cpu);
/*@ assigns \result \from \nothing;
    ensures \result == 0 || \result == 1; */
bool gic_looks_again(uint32_t intid);
/*@ requires index < CORES;
    assigns \result \from \nothing; */
int32_t vcpu_on(unsigned int index, uint32_t entry, uint32_t context);
/*@ requires index < CORES;
    assigns \result \from \nothing;
    ensures 0 <= \result <= 2; */
int32_t vcpu_state(unsigned int index);
/*@ assigns \result \from \nothing;
    ensures -1 <= \result < CORES; */
int vcpu_find(uint32_t mpidr);
/*@ assigns \nothing;
    ensures \false; */
_Noreturn void vcpu_park(void);
/*@ assigns \nothing; */
void vcpu_restart_all(void);
/*@ assigns \nothing; */
void power_off(void);
/*@ assigns \nothing; */
void power_reset(void);
/*@ requires \valid(r + (0 .. 3));
    assigns r[0 .. 3] \from \nothing;
    ensures \initialized(r + (0 .. 3)); */
void smc_call(uint32_t r[4]);
/*@ assigns \nothing; */
void say(const char *pattern, ...);
/*@ assigns \nothing; */
void console_write_last(const char *text, size_t length);
/*@ requires \false;
    assigns \nothing;
    ensures \false; */
_Noreturn void panic(const char *pattern, ...);

static uint32_t device_read(void *device, uint32_t offset, uint32_t size)
{
	(void)device;
	return any();
}

static void device_write(void *device, uint32_t offset, uint32_t size, uint32_t value)
{
	device_read(device, offset, size);
	(void)value;
}

static void ask_firmware(void)
{
	struct io_segment segment = {ram, up_to(28)};
	struct entropy_backend *backend = board_trng();

	/*@ split segment.length; */
	if (backend != NULL) {
		backend->ops->listen(backend, NULL);
		backend->ops->submit(backend, NULL, &segment);
	}
}

static bool waits(void *argument)
{
	(void)argument;
	if (maybe()) {
		tick_start();
	}
	return maybe();
}

static void start(void)
{
	const struct mmio_ops ops = {device_read, device_write};

	board.psci = true;
	board.hyp_timer_intid = up_to(31);
	board.maintenance_intid = up_to(31);
	vm.memory = (struct guest_memory){0x40000000, RAM, ram};
	vm.config.reset = maybe() ? RESET_BOARD : RESET_RESTART;
	vgic.cpu_count = CORES;
	for (unsigned int i = 0; i < CPUS_MAX; i++) {
		cpus[i].index = i;
		cpus[i].mpidr = any();
	}
	mmio_clear();
	mmio_add(0x1000, 0x1000, &ops, NULL, &lock);
	mmio_add(0x80000, 0x200, &ops, NULL, NULL);
	mmio_add(0x80200, 0x200, &ops, NULL, NULL);
	mmio_show(0x80000);
	board_trng_init();
	tick_attach(waits, NULL);
	timer_init();
}

void main(void)
{
	static struct guest_regs regs;
	uint32_t hsr;

	start();
	while (maybe()) {
		self = up_to(CORES - 1);
		cpus[self].must_park = maybe();
		Frama_C_make_unknown((char *)&regs, sizeof(regs));
		switch (up_to(5)) {
		case 0:
			irq_take();
			break;
		case 1:
			trap_irq(&regs);
			break;
		case 2:
			timer_watch_spi(self);
			break;
		case 3:
			ask_firmware();
			break;
		case 4:
			tick_start();
			break;
		default:
			hsr = any();
			trap_handlers[hsr >> HSR_EC_SHIFT](&regs, hsr);
		}
	}
}
