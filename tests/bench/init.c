/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's first program when its boot is measured (rdinit=/bench): says how many ticks of CNTVCT
 * have passed since reset, and powers off. Linux on Arm, EABI system calls, no library.
 */
#include <stdint.h>

#define SYS_WRITE  4
#define SYS_REBOOT 88

#define REBOOT_MAGIC1    0xfee1dead
#define REBOOT_MAGIC2    672274793
#define REBOOT_POWER_OFF 0x4321fedc

void _start(void);

static long call(long number, long a0, long a1, long a2)
{
	register long r0 asm("r0") = a0;
	register long r1 asm("r1") = a1;
	register long r2 asm("r2") = a2;
	register long r7 asm("r7") = number;

	asm volatile("svc #0" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r7) : "memory");
	return r0;
}

void _start(void)
{
	char text[] = "bench: init at 0000000000 ticks\n";
	char *digit = text + sizeof("bench: init at 000000000") - 1;
	uint32_t low, high;

	asm volatile("mrrc p15, 1, %0, %1, c14" : "=r"(low), "=r"(high));
	(void)high; /* 2^32 ticks are 68 s */
	for (; low != 0; low /= 10) {
		*digit-- = (char)('0' + low % 10);
	}
	call(SYS_WRITE, 1, (long)text, sizeof(text) - 1);
	call(SYS_REBOOT, (long)REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT_POWER_OFF);
	for (;;) {
	}
}
