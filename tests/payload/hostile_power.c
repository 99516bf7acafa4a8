/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI's races: all cores start and stop each other, suspend themselves, wake each other and ask
 * how they are, while the disk reads, until some of them restart the guest, at any moment. After
 * each restart it is as after the first start, and nothing of the reads arrives any more. The last
 * power-off comes amid reads, too.
 */
#include "hostile.h"

#define SIZE 64u
#include "virtio_disk.h"

#define KEPT                                                                                       \
	((volatile uint32_t *)(ARENA + 0x300000)) /* magic, seed, boots: no restart loads these */
#define MAGIC   0x706f7765u
#define BOOTS   30u
#define STEPS   300u /* of all cores together, before a restart */
#define READS   16u
#define BYTES   4096u
#define PATTERN 0xa5a5a5a5u
#define WAKES   3u /* SGI */

#define ALREADY_ON -4
#define ON_PENDING -5

static uint32_t loaded = 1; /* in the image: as the bundle has it after each start */
static volatile uint32_t steps;

/* Reads of the disk into the arena, all at once; nobody waits for them. */
static void read_disk(void)
{
	static struct {
		uint32_t type, reserved, sector, sector_high;
	} headers[READS];
	static volatile uint32_t status[READS];

	check("the disk is there", start_queue(0, descs), get(DISK), get(DISK + STATUS), 0);
	for (uint32_t i = 0; i < READS; i++) {
		headers[i].sector = below(4096);
		descs[3 * i] = (struct desc){address_of(&headers[i]), 0, 16, DESC_NEXT,
					     (uint16_t)(3 * i + 1)};
		descs[3 * i + 1] = (struct desc){ARENA + BYTES * i, 0, BYTES,
						 DESC_NEXT | DESC_WRITE, (uint16_t)(3 * i + 2)};
		descs[3 * i + 2] = (struct desc){address_of(&status[i]), 0, 1, DESC_WRITE, 0};
		avail.ring[i] = (uint16_t)(3 * i);
	}
	avail.index = READS;
	put(DISK + NOTIFY, 0);
}

/* Until its timer, or another core's SGI. Standby and power-down, of all levels, are the same. */
static void suspend(uint32_t self)
{
	const uint32_t state = below(2) << 16 | below(4) << 24 | below(0x10000);
	int32_t answer;

	write32(GICD_ISENABLER, 1u << INTID_VTIMER);
	write_CNTV_TVAL(below(5000));
	write_CNTV_CTL(1);
	answer = (below(2) != 0 ? hvc : smc)(PSCI_CPU_SUSPEND, state, (uint32_t)secondary_entry,
					     (uint32_t)&cores[self]);
	check("CPU_SUSPEND ends", answer == 0, self, state, (uint32_t)answer);
	write_CNTV_CTL(0);
	write32(GICD_ICPENDR, 1u << INTID_VTIMER);
	write8(GICD_CPENDSGIR + WAKES, 0xff);
}

/* Runs on each core; one that is started again begins anew. */
static void race(void *argument)
{
	const uint32_t self = this_core()->index;

	(void)argument;
	for (;;) {
		const uint32_t other = below(core_count);
		int32_t answer;

		switch (below(6)) {
		case 0:
			answer = hvc(PSCI_AFFINITY_INFO, other, 0, 0);
			check("a core is on, off, or about to be on", answer >= 0 && answer <= 2,
			      other, (uint32_t)answer, 0);
			break;
		case 1:
			if (self != 0) {
				hvc(PSCI_CPU_OFF, 0, 0, 0);
				check("CPU_OFF does not return", false, self, 0, 0);
			}
			break;
		case 2:
			suspend(self);
			break;
		case 3:
			write32(GICD_SGIR, SGIR_LIST(1u << other) | WAKES);
			break;
		default:
			answer = (below(2) != 0 ? hvc : smc)(PSCI_CPU_ON, other,
							     (uint32_t)secondary_entry,
							     (uint32_t)&cores[other]);
			check("CPU_ON", answer == 0 || answer == ALREADY_ON || answer == ON_PENDING,
			      other, (uint32_t)answer, 0);
			check("oneself is on", other != self || answer == ALREADY_ON, self,
			      (uint32_t)answer, 0);
		}
		if (__atomic_add_fetch(&steps, 1, __ATOMIC_RELAXED) >= STEPS && below(4) == 0) {
			hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
			check("SYSTEM_RESET does not return", false, self, 0, 0);
		}
	}
}

/* As it is after the first start. */
static void look_around(void)
{
	uint32_t foreign = 0;

	check("the image is as it was loaded", loaded == 1 && steps == 0, loaded, steps, 0);
	check("MMU and caches are off", (read_SCTLR() & 0x3005) == 0, read_SCTLR(), 0, 0);
	check("the timer is off", read_CNTV_CTL() == 0, read_CNTV_CTL(), 0, 0);
	check("the disk is reset", get(DISK + STATUS) == 0, get(DISK + STATUS), 0, 0);
	for (uint32_t core = 1; core < core_count; core++) {
		check("other cores are off", hvc(PSCI_AFFINITY_INFO, core, 0, 0) == 1, core, 0, 0);
	}
	for (uint32_t at = ARENA; at < ARENA + READS * BYTES; at += 4) {
		write32(at, PATTERN);
	}
	delay(2000);
	for (uint32_t at = ARENA; at < ARENA + READS * BYTES; at += 4) {
		foreign += read32(at) != PATTERN;
	}
	check("nothing arrives that was read before", foreign == 0, foreign, 0, 0);
}

void payload(void)
{
	if (KEPT[0] != MAGIC) {
		KEPT[1] = hostile_begin();
		KEPT[2] = 0;
		KEPT[0] = MAGIC;
	}
	KEPT[2]++;
	sow(KEPT[1] * 1000 + KEPT[2]);
	look_around();
	checked("as after the first start");
	read_disk();
	if (KEPT[2] < BOOTS) {
		loaded = 2;
		for (uint32_t core = 1; core < core_count; core++) {
			start_job(core, race, NULL);
		}
		race(NULL);
	}
	hostile_end();
	read_disk();
}
