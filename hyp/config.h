/* SPDX-License-Identifier: BSD-2-Clause */
/* What the guest's device tree and the board's device tree say, read once and checked. Pure. */
#ifndef HYP_CONFIG_H
#define HYP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define CPUS_MAX             8
#define CONFIG_DEVICES_MAX   64
#define CONFIG_RESERVED_MAX  16
#define DISKS_MAX            4 /* of a guest, of the board's that it uses, and parts and overlays of them */
#define PASSTHROUGH_LIST_MAX 16
#define BOARD_DEVICES_MAX    40
#define BOARD_SEED           32             /* bytes: as many as a SHA-256 has */
#define LOW_RAM_END          0x100000000ull /* what can be reached without an MMU */
#define GUEST_RAM_MAX        0xc0000000ull  /* 3 GiB: the window of HYP's stage 1, see stage1.c */

/* A refusal: where (a node's path, a property or ""), and a sentence: what is wrong, what to do. */
struct config_error {
	char node[96];
	char property[32];
	char text[192];
};

enum device_kind {
	DEVICE_PL011,          /* arm,pl011 */
	DEVICE_VIRTIO_NONE,    /* virtio,mmio without bivy,virtio: an empty transport, DeviceID 0 */
	DEVICE_VIRTIO_CONSOLE, /* virtio,mmio with bivy,virtio = "console" */
	DEVICE_PL031,          /* arm,pl031: the board's clock, or one that starts at 0 */
	DEVICE_VIRTIO_BLOCK,   /* "block" */
	DEVICE_VIRTIO_NET,     /* "net" */
	DEVICE_VIRTIO_RNG,     /* "rng"; an empty transport if the board has no source */
	DEVICE_FLASH,          /* cfi-flash: a bank of it, kept by a disk or by nothing */
	DEVICE_KINDS
};

enum backend_kind {
	BACKEND_ANY,      /* no bivy,backend: what there is */
	BACKEND_UART,     /* "uart": the board's */
	BACKEND_VIRTIO,   /* "virtio0": the board's first virtio device of this kind, by address */
	BACKEND_SD,       /* "sd0": the card in the board's first slot */
	BACKEND_ETHERNET, /* "eth0": the board's first card that is not virtio */
	BACKEND_RAM,      /* "ram0": the bundle's first disk image */
	BACKEND_LOOPBACK, /* "loopback": each frame comes back */
	BACKEND_NONE,     /* "none": a flash that is blank at each start */
	BACKEND_FIRMWARE, /* "firmware": its TRNG, Arm DEN0098 */
};

/* bivy,backend = "NAME[NUMBER][:partN | :START+LENGTH]". */
struct backend_config {
	enum backend_kind kind;
	unsigned int number;
	unsigned int part;      /* partition, from 1; 0: none */
	uint64_t start, length; /* bytes, multiples of 512; length 0: all */
};

struct device_config {
	enum device_kind kind;
	struct backend_config backend;
	uint32_t overlay; /* bivy,overlay: MiB of RAM that take a disk's writes; 0: none */
	bool read_only;   /* bivy,read-only */
	bool legacy;      /* bivy,legacy: a transport of version 1 */
	uint64_t base;    /* IPA */
	uint32_t size;    /* bytes, at least 0x1000 of a PrimeCell, 0x200 of a transport */
	uint32_t intid;   /* 32 to 1019; 0: none, of flash */
	char node[64];    /* path of the node, for messages, shortened at the front if too long */
};

enum reset_policy {
	RESET_BOARD,   /* bivy,reset = "board" or absent: SYSTEM_RESET resets the board */
	RESET_RESTART, /* "restart": the guest starts again, from the bundle in memory */
};

struct guest_config {
	uint64_t ram_base;      /* IPA, 2 MiB aligned */
	uint64_t ram_size;      /* bytes wanted, a multiple of 4 KiB; 0: as much as the board has */
	uint64_t gicd_base;     /* IPA, 4 KiB aligned */
	uint64_t gicc_base;     /* IPA, 4 KiB aligned, mapped onto GICV */
	uint32_t gicc_size;     /* bytes, 4 or 8 KiB; the second page has GICC_DIR */
	unsigned int cpu_count; /* CPU nodes in the tree; 0: as many as the board has */
	uint32_t cpu_mpidr[CPUS_MAX]; /* their reg, if cpu_count is not 0 */
	enum reset_policy reset;
	unsigned int device_count;
	struct device_config device[CONFIG_DEVICES_MAX];
	unsigned int disabled_count; /* nodes that are NODE_UNEMULATED */
	const char *passthrough;     /* bivy,passthrough, in the guest's tree: whole strings */
	uint32_t passthrough_size;   /* bytes of it, 0: none */
};

struct range {
	uint64_t base; /* PA */
	uint64_t size; /* bytes */
};

enum uart_kind { UART_UNKNOWN, UART_PL011, UART_NS16550, UART_EXYNOS, UART_KINDS };

enum board_kind {
	BOARD_VIRTIO,   /* a transport, with or without a device behind it */
	BOARD_SD,       /* PL180, PL181 */
	BOARD_ETHERNET, /* LAN9118 */
	BOARD_CLOCK,    /* PL031; from here on without an interrupt */
	BOARD_SYSREG,   /* system registers of a Versatile Express */
	BOARD_WAKEUP,   /* TI's, which starts the second core */
};

/* A device of the board's for which there is a driver. */
struct board_device {
	uint64_t base;  /* PA; its registers don't cross a page */
	uint32_t intid; /* 32 to 1019; of a clock 0 */
	enum board_kind kind;
};

struct board {
	char model[64];
	struct range ram;       /* that with most below 4 GiB, less what is reserved; bivy in it */
	uint64_t ram_elsewhere; /* bytes of other banks, which bivy doesn't use */
	struct range window; /* of ram, below or above bivy, what its window shows: see early.c */
	struct range bundle; /* /chosen linux,initrd-start and -end; size 0: none */
	uint64_t uart_base; /* of /chosen stdout-path, serial0 or the first PL011; 0: none usable */
	uint32_t uart_size;
	uint32_t uart_intid;
	enum uart_kind uart_kind;
	uint8_t uart_shift;                  /* distance of its registers: its logarithm */
	bool uart_words;                     /* its registers are accessed as words, not bytes */
	struct range gicd, gicc, gich, gicv; /* size 0: the node has no such register range */
	uint32_t maintenance_intid;          /* of GICH */
	uint32_t virtual_timer_intid, physical_timer_intid;
	uint32_t hyp_timer_intid;
	uint32_t timer_frequency; /* Hz, of the tree; 0: not told */
	unsigned int cpu_count;
	uint32_t cpu_mpidr[CPUS_MAX];   /* affinity bits, the boot core not necessarily first */
	uint64_t cpu_release[CPUS_MAX]; /* PA of the word a held core polls for an address; 0: none
					 */
	uint32_t cpu_kind[CPUS_MAX];    /* the same number: the same `compatible` */
	uint8_t seed[BOARD_SEED]; /* the firmware's entropy: the first bytes of /chosen rng-seed */
	bool has_seed;            /* the tree has that many */
	uint32_t tree_size;       /* bytes of the tree without the room at its end */
	bool psci;                /* firmware has PSCI by SMC */
	uint32_t psci_cpu_on;     /* function ID, 0x84000003 unless PSCI 0.1 says otherwise */
	unsigned int device_count;
	struct board_device device[BOARD_DEVICES_MAX]; /* in order of address */
};

/* The first device of a kind, or NULL. */
const struct board_device *board_device(const struct board *board, enum board_kind kind);

/*
 * Reads what bivy needs from the board's device tree. Whatever is missing or malformed is an error
 * with a sentence, except the UART (uart_base 0) and the bundle (size 0). The UART is read first:
 * if it has one, *board names it even when an error is returned, so that the sentence can be
 * printed there.
 * @dtb: 4-byte aligned; at most @limit bytes are read.
 * Returns 0 or a negative errno with *error filled.
 * Runs with the MMU off: no unaligned access, no static pointers to data (the file is compiled
 * position independent), little stack (under 1 KiB).
 */
int board_read(const void *dtb, uint32_t limit, struct board *board, struct config_error *error);

/*
 * Reads and checks the guest's tree: RAM, interrupt controller, timer, CPUs, every device node.
 * @dtb: 4-byte aligned; at most @limit bytes are read.
 * Returns 0 or a negative errno with *error filled. The tree is hostile.
 */
int config_read(const void *dtb, uint32_t limit, struct guest_config *config,
		struct config_error *error);

/*
 * Checks a guest's configuration against the board: enough CPUs and RAM, INTIDs that the GIC has
 * (@intid_limit: number of INTIDs, a multiple of 32), nothing on top of something else.
 */
int config_check(const struct guest_config *config, const struct board *board, uint32_t intid_limit,
		 struct config_error *error);

/* Checks that the bundle has the disks, of which there are @disk_count, that the devices name. */
int config_check_disks(const struct guest_config *config, unsigned int disk_count,
		       struct config_error *error);

/*
 * Where the guest's kernel goes: the bank of flash in which @load lies, else its RAM. @ram_size:
 * bytes.
 */
struct range config_kernel_range(const struct guest_config *config, uint64_t ram_size,
				 uint64_t load);

/* What a node of the guest's tree is to bivy. One that its status switches off is NODE_PLAIN. */
enum guest_node {
	NODE_PLAIN,
	NODE_CHOSEN,
	NODE_MEMORY,
	NODE_CPUS,
	NODE_CPU,
	NODE_GIC,
	NODE_TIMER,
	NODE_PL011,
	NODE_PL031,
	NODE_VIRTIO,
	NODE_FLASH,
	NODE_UNEMULATED, /* has a driver (compatible) and registers, and nothing answers there */
};

/*
 * The guest's windows: RAM, GICD, GICC, then the devices. Returns how a sentence calls number @i,
 * below device_count + 3.
 */
const char *config_window(const struct guest_config *config, const struct board *board,
			  unsigned int i, struct range *range);

struct dt_at;
enum guest_node config_node(const struct dt_at *at);

#endif
