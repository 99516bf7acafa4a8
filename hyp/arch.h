/* SPDX-License-Identifier: BSD-2-Clause */
/* Access to the processor's system registers, barriers and cache maintenance (ARM DDI 0406C B3,
 * B4). */
#ifndef HYP_ARCH_H
#define HYP_ARCH_H

#include <stdbool.h>
#include <stdint.h>
#include "field.h"

#define CP15_READ(name, op1, crn, crm, op2)                                                        \
	static inline uint32_t read_##name(void)                                                   \
	{                                                                                          \
		uint32_t value;                                                                    \
		asm volatile("mrc p15, " #op1 ", %0, " #crn ", " #crm ", " #op2 : "=r"(value));    \
		return value;                                                                      \
	}
#define CP15_WRITE(name, op1, crn, crm, op2)                                                       \
	static inline void write_##name(uint32_t value)                                            \
	{                                                                                          \
		asm volatile("mcr p15, " #op1 ", %0, " #crn ", " #crm ", " #op2                    \
			     :                                                                     \
			     : "r"(value)                                                          \
			     : "memory");                                                          \
	}
#define CP15(name, op1, crn, crm, op2)                                                             \
	CP15_READ(name, op1, crn, crm, op2)                                                        \
	CP15_WRITE(name, op1, crn, crm, op2)
#define CP15_64(name, op1, crm)                                                                    \
	static inline uint64_t read_##name(void)                                                   \
	{                                                                                          \
		uint64_t value;                                                                    \
		asm volatile("mrrc p15, " #op1 ", %Q0, %R0, " #crm : "=r"(value));                 \
		return value;                                                                      \
	}                                                                                          \
	static inline void write_##name(uint64_t value)                                            \
	{                                                                                          \
		asm volatile("mcrr p15, " #op1 ", %Q0, %R0, " #crm : : "r"(value) : "memory");     \
	}

/* clang-format off */
CP15_READ(MIDR,     0, c0, c0, 0)
CP15_READ(MPIDR,    0, c0, c0, 5)
CP15_READ(ID_PFR1,  0, c0, c1, 1)
CP15_READ(CTR,      0, c0, c0, 1)
CP15_READ(L2CTLR,   1, c9, c0, 2)
CP15(SCTLR,         0, c1, c0, 0)
CP15(ACTLR,         0, c1, c0, 1)
CP15(CPACR,         0, c1, c0, 2)
CP15(TTBCR,         0, c2, c0, 2)
CP15(DACR,          0, c3, c0, 0)
CP15(DFSR,          0, c5, c0, 0)
CP15(IFSR,          0, c5, c0, 1)
CP15(ADFSR,         0, c5, c1, 0)
CP15(AIFSR,         0, c5, c1, 1)
CP15(DFAR,          0, c6, c0, 0)
CP15(IFAR,          0, c6, c0, 2)
CP15(PMCR,          0, c9, c12, 0)
CP15(PMCNTENCLR,    0, c9, c12, 2)
CP15(PMUSERENR,     0, c9, c14, 0)
CP15(PMINTENCLR,    0, c9, c14, 2)
CP15(PRRR,          0, c10, c2, 0)
CP15(NMRR,          0, c10, c2, 1)
CP15(VBAR,          0, c12, c0, 0)
CP15(CONTEXTIDR,    0, c13, c0, 1)
CP15(TPIDRURW,      0, c13, c0, 2)
CP15(TPIDRURO,      0, c13, c0, 3)
CP15(TPIDRPRW,      0, c13, c0, 4)
CP15(CNTKCTL,       0, c14, c1, 0)
CP15_READ(CNTFRQ,   0, c14, c0, 0)
CP15(CNTP_CTL,      0, c14, c2, 1)
CP15(CNTV_CTL,      0, c14, c3, 1)
CP15(VPIDR,         4, c0, c0, 0)
CP15(VMPIDR,        4, c0, c0, 5)
CP15(HSCTLR,        4, c1, c0, 0)
CP15(HCR,           4, c1, c1, 0)
CP15(HDCR,          4, c1, c1, 1)
CP15(HCPTR,         4, c1, c1, 2)
CP15(HSTR,          4, c1, c1, 3)
CP15(VTCR,          4, c2, c1, 2)
CP15_READ(HSR,      4, c5, c2, 0)
CP15_READ(HDFAR,    4, c6, c0, 0)
CP15_READ(HIFAR,    4, c6, c0, 2)
CP15_READ(HPFAR,    4, c6, c0, 4)
CP15(HVBAR,         4, c12, c0, 0)
CP15(HTPIDR,        4, c13, c0, 2)
CP15(CNTHCTL,       4, c14, c1, 0)
CP15_WRITE(CNTHP_TVAL, 4, c14, c2, 0)
CP15(CNTHP_CTL,     4, c14, c2, 1)
CP15_WRITE(ATS1CPR, 0, c7, c8, 0)
CP15_WRITE(ATS1CPW, 0, c7, c8, 1)
CP15_WRITE(ATS1CUR, 0, c7, c8, 2)
CP15_WRITE(ATS1CUW, 0, c7, c8, 3)
CP15_WRITE(ICIALLU,   0, c7, c5, 0)
CP15_WRITE(ICIALLUIS, 0, c7, c1, 0)
CP15_WRITE(BPIALL,    0, c7, c5, 6)
CP15_WRITE(DCIMVAC,   0, c7, c6, 1)
CP15_WRITE(DCCMVAC,   0, c7, c10, 1)
CP15_WRITE(DCCIMVAC,  0, c7, c14, 1)
CP15_WRITE(TLBIALLH,     4, c8, c7, 0)
CP15_WRITE(TLBIALLNSNH,  4, c8, c7, 4)
CP15_WRITE(TLBIALLNSNHIS, 4, c8, c3, 4)
CP15_64(HTTBR,      4, c2)
CP15_64(VTTBR,      6, c2)
CP15_64(PAR,        0, c7)
CP15_64(TTBR0,      0, c2)
CP15_64(TTBR1,      1, c2)
CP15_64(CNTPCT,     0, c14)
CP15_64(CNTVOFF,    4, c14)
CP15_64(CNTHP_CVAL, 6, c14)
/* clang-format on */

static inline void isb(void)
{
	asm volatile("isb" ::: "memory");
}

static inline void dsb(void)
{
	asm volatile("dsb sy" ::: "memory");
}

static inline void dmb(void)
{
	asm volatile("dmb ish" ::: "memory");
}

static inline void wfi(void)
{
	asm volatile("dsb sy\n\twfi" ::: "memory");
}

/*
 * Device registers. Nothing orders them against normal memory but the DMB or DSB of the caller,
 * which is a barrier to the compiler, too (ARM DDI 0406C A3.8.3).
 */
static inline uint32_t mmio_read(uintptr_t address)
{
	return *(volatile uint32_t *)address;
}

static inline void mmio_write(uintptr_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

/* Program status register (ARM DDI 0406C B1.3.3). */
#define PSR_MODE 0x1fu
#define PSR_USR  0x10u
#define PSR_FIQ  0x11u
#define PSR_IRQ  0x12u
#define PSR_SVC  0x13u
#define PSR_ABT  0x17u
#define PSR_HYP  0x1au
#define PSR_UND  0x1bu
#define PSR_SYS  0x1fu
#define PSR_T    (1u << 5)
#define PSR_F    (1u << 6)
#define PSR_I    (1u << 7)
#define PSR_A    (1u << 8)
#define PSR_E    (1u << 9)
#define PSR_J    (1u << 24)
#define PSR_IT   0x0600fc00u /* IT[1:0] in 26:25, IT[7:2] in 15:10 */
#define PSR_Z    (1u << 30)
#define PSR_NZCV 0xf0000000u

#define MPIDR_AFFINITY 0x00ffffffu

/* Bytes of the smallest data cache line (CTR.DminLine, ARM DDI 0406C B4.1.42). */
static inline uint32_t dcache_line(void)
{
	return 4u << FIELD_GET(0x000f0000u, read_CTR());
}

#endif
