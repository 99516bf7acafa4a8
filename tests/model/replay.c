/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does to hyp/vgic*.c what a simulation of vgic.pml tells on standard input, step by step, and
 * compares: what is acknowledged, the list registers, the board's distributor, and the kicks under
 * way. Arguments: list registers, whether the SPI is edge-triggered, whether it is the guest's own.
 */
#include <stdio.h>
#include <string.h>
#include "tests/unit/vgic_hw.h"

#define SPI 33u

static unsigned int line_number, compared;
static uint32_t handler[2][2]; /* what each core acknowledged */
static unsigned int depth[2];

_Noreturn void hw_fail(const char *message)
{
	fprintf(stderr, "line %u: %s\n", line_number, message);
	exit(1);
}

static void start(unsigned int lrs, bool edge, bool own)
{
	hw_reset(3, 2, lrs);
	hw.exact = true;
	if (own) {
		hw_own(SPI);
	}
	hw_open(0, GICV_GRP0);
	hw_open(1, GICV_GRP0);
	hw_write(0, PRIORITYR + SPI, 1, 0x80);
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		hw_write(cpu, PRIORITYR + 1, 1, 0x90);
	}
	hw_write(0, ICFGR + 8, 4, edge ? 8 : 0);
	hw_write(0, TARGETSR + SPI, 1, 1);
	hw_write(0, ISENABLER + 4, 4, 2);
	hw_write(0, 0, 4, 1);
	hw_drain();
}

static void access_distributor(unsigned int cpu, const char *name)
{
	static const struct {
		const char *name;
		uint32_t offset;
	} registers[] = {
		{"write_set_enable", ISENABLER + 4}, {"write_clear_enable", ICENABLER + 4},
		{"write_set_pending", ISPENDR + 4},  {"write_clear_pending", ICPENDR + 4},
		{"write_set_active", ISACTIVER + 4}, {"write_clear_active", ICACTIVER + 4},
	};

	if (strcmp(name, "read_pending") == 0) {
		hw_read(cpu, ISPENDR + 4, 4);
		return;
	}
	if (strcmp(name, "write_target") == 0) {
		hw_write(cpu, TARGETSR + SPI, 1, hw_read(cpu, TARGETSR + SPI, 1) ^ 3);
		return;
	}
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		if (strcmp(name, registers[i].name) == 0) {
			hw_write(cpu, registers[i].offset, 4, 2);
			return;
		}
	}
	hw_fail("the model has an access that is not known here");
}

static void acknowledge(unsigned int cpu, uint32_t told)
{
	const uint32_t iar = hw_acknowledge(cpu, false);

	if (iar != told || depth[cpu] == 2) {
		hw_fail("the code gives another interrupt than the model");
	}
	handler[cpu][depth[cpu]++] = iar;
}

static void compare(const char *told)
{
	char state[64];
	int length = snprintf(state, sizeof(state), "%d %d %d%d", hw.core[0].kicked,
			      hw.core[1].kicked, hw.spi[SPI].pending, hw.spi[SPI].active != 0);

	for (unsigned int i = 0; i < hw.lrs; i++) {
		for (unsigned int cpu = 0; cpu < 2; cpu++) {
			const uint32_t lr = hw.core[cpu].lr[i];
			const bool holds = (lr & (LR_PENDING | LR_ACTIVE | LR_EOI)) != 0;

			length += snprintf(state + length, sizeof(state) - (size_t)length,
					   " %d%d%d%d", holds && (lr & LR_INTID) == SPI,
					   (lr & LR_PENDING) != 0, (lr & LR_ACTIVE) != 0,
					   (lr & LR_EOI) != 0);
		}
	}
	if (strncmp(state, told, strlen(state)) != 0) {
		fprintf(stderr, "model %scode  %s\n", told, state);
		hw_fail("the code's state is not the model's");
	}
	compared++;
}

static void step(const char *verb, unsigned int cpu, const char *what)
{
	if (strcmp(verb, "interrupt") == 0) {
		hw_interrupt(cpu);
	} else if (strcmp(verb, "acknowledge") == 0) {
		acknowledge(cpu, (uint32_t)atoi(what));
	} else if (strcmp(verb, "end") == 0) {
		hw_eoi(cpu, handler[cpu][--depth[cpu]]);
	} else if (strcmp(verb, "raise") == 0 || strcmp(verb, "lower") == 0) {
		hw_wire(cpu, SPI, verb[0] == 'r');
	} else if (strcmp(verb, "send") == 0) {
		hw_write(cpu, SGIR, 4, 1u << (16 + atoi(what)) | 1);
	} else if (strcmp(verb, "access") == 0) {
		access_distributor(cpu, what);
	} else {
		hw_fail("the model does what is not known here");
	}
}

int main(int argc, char **argv)
{
	char line[128], verb[16], what[32];
	unsigned int cpu;

	if (argc != 4) {
		return 2;
	}
	start((unsigned int)atoi(argv[1]), argv[2][0] == '1', argv[3][0] == '1');
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line_number++;
		what[0] = '\0';
		if (strncmp(line, "state ", 6) == 0) {
			compare(line + 6);
		} else if (sscanf(line, "%15s %u %31s", verb, &cpu, what) >= 2 && cpu < 2) {
			step(verb, cpu, what);
		}
	}
	printf("%u\n", compared);
	return 0;
}
