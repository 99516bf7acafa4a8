# SPDX-License-Identifier: BSD-2-Clause
"""What the bench's figures are called, their bars, and what Xen 4.17 and Xvisor 0.3 need.

Theirs are constants: measured the same way, on the same QEMU 7.2, when bivy's bars were set.
"""

# The payload's rows: what they are, Xen, Xvisor, and the bar: instructions besides the native ones.
ROWS = {
    "hvc_version": ("HVC PSCI_VERSION", "558", "469", 60),
    "hvc_unknown": ("HVC, unknown function", "1,916", "stops", 60),
    "gicd_read_typer": ("GICD read, TYPER", "767", "769", 100),
    "gicd_read_isenabler": ("GICD read, ISENABLER", "780", "1,531", 100),
    "gicd_write_ipriorityr": ("GICD write, IPRIORITYR", "772", "1,118", 130),
    "gicd_write_isenabler": ("GICD write, ISENABLER", "837", "2,599", 130),
    "uart_read_fr": ("UART read, FR", "747", "729", 90),
    "sgi": ("SGI to itself, to the handler", "1,288", "lost", 200),
    "spi_edge": ("SPI by ISPENDR, to the handler", "1,416", "2,904", 250),
    "spi_level": ("the same, level-sensitive", "", "", 250),
    "vtimer_busy": ("virtual timer to the handler, busy", "1,215", "2,496", 150),
    "vtimer_wfi": ("virtual timer to the handler, WFI", "9,552", "3,449", 160),
    "ptimer_busy": ("physical timer to the handler, busy", "", "", 150),
    "ptimer_wfi": ("physical timer to the handler, WFI", "", "", 160),
    "gicc_eoi_sgi": ("GICC_EOIR of an SGI", "3-8", "3-7", 0),
    "gicc_eoi_spi_edge": ("GICC_EOIR of an SPI, edge", "3-8", "3-7", 0),
    "gicc_eoi_spi_level": ("GICC_EOIR of an SPI, level", "3-8", "3-7", 0),
    "gicc_iar": ("GICC_IAR", "3-8", "3-7", 0),
    "gicc_read_pmr": ("GICC_PMR read", "3-8", "3-7", 0),
    "gicc_write_pmr": ("GICC_PMR write", "3-8", "3-7", 0),
    "gicc_wfi": ("WFI with an interrupt pending", "3-8", "3-7", 0),
    "cp15_actlr": ("CP15 ACTLR", "509", "461", 80),
    "cp15_pmcr": ("CP15 PMCR", "545", "483", 80),
    "cp14_dbgdidr": ("CP14 DBGDIDR", "", "", None),
    "gicd_read_ldrd": ("GICD read by LDRD (decoded)", "", "", None),
    "gicd_write_ipriorityr_byte": ("GICD write, IPRIORITYR, one byte", "", "", None),
    "gicd_mask_unmask": ("GICD ICENABLER, then ISENABLER", "", "", None),
    "uart_read_postindex": ("UART read, post-index (decoded)", "", "", None),
    "uart_write_imsc": ("UART write, IMSC", "", "", None),
    "uart_write_dr": ("UART write, DR (one character)", "", "", None),
    "sgi_round": ("SGI to itself, there and back", "", "", None),
    "spi_edge_round": ("SPI, there and back, edge", "", "", None),
    "spi_level_round": ("SPI, there and back, level", "", "", None),
    "virtio_console_64": ("virtio console, notify of 64 bytes", "", "", None),
    "ping_pong": ("SGI to another core and back, 2 cores", "", "", None),
}

# Of each read of the payload's disk, the board's and one in RAM, which copies: (what, Xvisor, bar)
DISK_ROWS = {
    "to_interrupt_1": ("virtio-blk, 4 KiB read, notify to interrupt", "", 1500),
    "insns_1": ("the same with its acknowledgement", "", None),
    "insns_32": ("the same, 32 at once", "", 1500),
    "exits_1": ("its exits, one at a time; one is the board's own", "", None),
    "exits_32": ("its exits, 32 at once", "", 0.5),
    "bytes_1": ("its bytes that bivy touched", "", 0),
    "ram_to_interrupt_1": ("the same with a RAM disk, notify to interrupt", "24,300", 1500),
    "ram_insns_1": ("the same with its acknowledgement", "", None),
    "ram_insns_32": ("the same, 32 at once", "", 1500),
    "ram_exits_1": ("its exits, one at a time", "", 2.0),
    "ram_exits_32": ("its exits, 32 at once", "", 0.5),
}

# Classes of exits by the function that is entered; the last one that an exit enters is its class.
CLASSES = {
    "trap_unknown": "other trap", "trap_wait": "other trap", "trap_prefetch_abort": "other trap",
    "trap_irq": "IRQ, other",
    "trap_hvc": "HVC", "trap_cp15": "CP15, CP14", "trap_cp15_64": "CP15, CP14",
    "trap_cp14": "CP15, CP14", "trap_cp14_64": "CP15, CP14", "trap_data_abort": "other device",
    "emulate_transfer": "decoded transfer", "gicd_read": "GICD read", "gicd_write": "GICD write",
    "pl011_read": "PL011", "pl011_write": "PL011", "transport_read": "virtio", "transport_write": "virtio",
    "virtio_queue_notify": "virtio, notify", "virtio_interrupt_ack": "virtio, acknowledge",
    "hw_virtio_irq": "IRQ, virtio",
    "dir_write": "GICC_DIR", "vgic_send_sgi": "GICD, SGI", "vgic_forward": "IRQ, timer",
    "console_irq": "IRQ, UART", "inject_undefined": "fault injected", "inject_data_abort": "fault injected",
    "inject_prefetch_abort": "fault injected",
}

PHASE = "trap_smc"  # by which the payload marks phases

# What bivy's start is made of, by function.
GROUPS = (
    ("copying", r"mem(cpy|move|set)|__aeabi_mem.*|copy.*"),
    ("hashing", r"(SHA|sha).*|crc32.*|be32dec|be64enc"),
    ("cache maintenance", r"cache_.*|flush_.*"),
    ("page tables", r"pt_.*|map.*|stage[12]_.*|make_tables|table_.*"),
    ("trees and bundle", r"dt_.*|fdt_.*|fit_.*|config_.*|guestdt_.*|board_read|read_.*|find_.*|reserve"),
    ("console", r"console_.*|print_.*|say.*|pump|put|enqueue|drain|pl011_.*|format.*|emit.*"),
)

# Other figures: (what, Xen, Xvisor, bar)
OTHERS = {
    "boot_insns": ("Debian to init, HYP instructions", "2.97 M", "2.32 M", 300_000),
    "boot_ratio": ("Debian to init, from guest entry, by native", "", "", 1.001),
    "start_rest": ("reset to guest entry, besides copying, hashing", "95 M", "114 M", 2_000_000),
    "start_insns": ("the same with SHA-256 of the bundle", "", "", None),
    "image": ("image, bytes", "864 KiB", "1,500 KiB", 96 << 10),
    "memory": ("memory kept, bytes", "81 MiB", "31 MiB", 1 << 20),
}
