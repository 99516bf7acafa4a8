# SPDX-License-Identifier: BSD-2-Clause
# `make bench`: what exits, the start and a boot of Debian cost, beside the bars and other hypervisors.
# Included by the top-level Makefile after tools/tools.mk.

## make bench       measure exits, start, boot and a disk's requests on QEMU; the figures go to build/bench/bench.json
## make bench-io    disk and network of a whole Debian, natively and under bivy in turn; wants a quiet host

BENCH := $(BUILD)/bench
bench_cflags := -mcpu=cortex-a15 -marm -mfloat-abi=soft -mgeneral-regs-only -mno-unaligned-access -O2 -g \
	-std=gnu11 -ffreestanding -fno-tree-loop-distribute-patterns -nostdlib -static -Wl,--build-id=none \
	-Wl,--no-warn-rwx-segments
bench_warnings := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wmissing-prototypes -Wundef -Werror
bench_trees := $(wildcard tests/bench/*.dts guest-config/*.dtsi)
# The same command line with and without bivy. quiet comes first: earlycon shows what was said before it. /bench
# tells the time and powers off (tests/bench/init.c).
bench_bootargs := quiet console=ttyAMA0 earlycon rdinit=/bench

.PHONY: bench bench-io
bench: $(BUILD)/bivy.bin $(addprefix $(BENCH)/,payload.bin payload.itb payload-ram.itb debian.itb native.dtb hypcount.so) \
		| $(BUILD)/.deps-run
	@BUILD=$(BUILD) tests/bench/bench.py --kernel $(BUILD)/guests/debian/kernel \
		--initrd $(BENCH)/initrd --bootargs "$(bench_bootargs)" $(BENCHFLAGS)

bench-io: $(BUILD)/bivy.bin $(BUILD)/checkdt $(BENCH)/io.initrd $(BUILD)/guests/debian-full/disk.img | $(BUILD)/.deps-run
	@command -v iperf3 >/dev/null || tools/install-deps iperf3
	@BUILD=$(BUILD) tests/bench/io.py --kernel $(BUILD)/guests/debian-full/kernel --initrd $(BENCH)/io.initrd \
		--disk $(BUILD)/guests/debian-full/disk.img $(BENCHFLAGS)

$(BENCH)/payload.elf: $(addprefix tests/bench/,start.S payload.c disk.c disk.h payload.ld) tests/payload/virtio_disk.h | $(BUILD)/.deps-build
	@echo "  CC      $@"
	@mkdir -p $(@D)
	@$(CROSS)gcc $(bench_cflags) $(bench_warnings) -T tests/bench/payload.ld -o $@ $(filter %.S %.c,$^)

$(BENCH)/payload.bin: $(BENCH)/payload.elf
	@$(CROSS)objcopy -O binary $< $@

$(BENCH)/payload.itb: $(BENCH)/payload.bin $(BUILD)/checkdt $(bench_trees) tools/mkbundle tools/checkguest
	@BUILD=$(BUILD) tools/mkbundle --kernel $< --dts tests/bench/payload.dts -o $@

# 4 MiB, as many as tests/bench/disk.c reads of.
$(BENCH)/payload-ram.itb: $(BENCH)/payload.bin $(BUILD)/checkdt $(bench_trees) tools/mkbundle tools/checkguest
	@truncate -s 4M $(BENCH)/zeroes
	@BUILD=$(BUILD) tools/mkbundle --kernel $< --dts tests/bench/payload-ram.dts --disk $(BENCH)/zeroes -o $@

# Debian's initrd, and one program more behind it.
$(BENCH)/root/bench: tests/bench/init.c | $(BUILD)/.deps-build
	@echo "  CC      $@"
	@mkdir -p $(@D)
	@$(CROSS)gcc $(bench_cflags) $(bench_warnings) -s -Wl,-Ttext=0x10000 -o $@ $<

$(BENCH)/initrd: $(BUILD)/guests/debian/.files $(BENCH)/root/bench tools/mkinitramfs
	@tools/mkinitramfs --root $(BENCH)/root -o $(BENCH)/root.cpio
	@cat $(BUILD)/guests/debian/initrd $(BENCH)/root.cpio >$@

$(BENCH)/debian.itb: $(BENCH)/initrd $(BUILD)/checkdt $(bench_trees) tests/bench/bench.mk tools/mkbundle \
		tools/checkguest
	@BUILD=$(BUILD) tools/mkbundle --kernel $(BUILD)/guests/debian/kernel --initrd $< \
		--dts tests/bench/bench.dts --bootargs "$(bench_bootargs)" -o $@

$(BENCH)/native.dtb: tests/bench/native.dts $(bench_trees) $(BUILD)/checkdt tools/checkguest
	@mkdir -p $(@D)
	@BUILD=$(BUILD) tools/checkguest $< --compile $@

# Debian's whole system is the guest that has fio and iperf3; its initramfs gets another /init.
$(BENCH)/io.initrd: $(BUILD)/guests/debian-full/.files tests/bench/io/init tools/mkinitramfs
	@mkdir -p $(BENCH)/io-root
	@cp tests/bench/io/init $(BENCH)/io-root
	@tools/mkinitramfs --root $(BENCH)/io-root -o $(BENCH)/io.cpio
	@cat $(BUILD)/guests/debian-full/initrd $(BENCH)/io.cpio >$@

$(BENCH)/hypcount.so: tests/bench/hypcount.c | $(BUILD)/.deps-build
	@echo "  HOSTCC  $@"
	@mkdir -p $(@D)
	@gcc -std=gnu11 -O2 -fPIC -shared -fvisibility=hidden -Wall -Wextra -Wconversion -Wshadow -Werror -o $@ $<
