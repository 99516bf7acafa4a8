# SPDX-License-Identifier: BSD-2-Clause
# `make bench`: what exits, the start, a boot of Debian and interrupts cost, beside the bars and other hypervisors.
# Included by the top-level Makefile after tools/tools.mk.

## make bench       measure exits, start, a disk's requests, latencies, and how they grow, on QEMU: 4 minutes; the figures go to
##                  build/bench/bench.json, plots of them to build/bench/plots; BENCHFLAGS=--no-boot: exits alone
## make bench-xen   the same payload under Debian's Xen, beside bivy
## make bench-io    disk and network of a whole Debian, natively and under bivy in turn; wants a quiet host
## make bench-compare BASE=rev [HEAD=rev]  exits of two commits; fails if one costs over 2 % more
## make bench-baseline  write tests/bench/exits.json, with which make test compares

BENCH := $(BUILD)/bench
bench_cflags := -mcpu=cortex-a15 -marm -mfloat-abi=soft -mgeneral-regs-only -mno-unaligned-access -O2 -g \
	-std=gnu11 -ffreestanding -fno-tree-loop-distribute-patterns -nostdlib -static -Wl,--build-id=none \
	-Wl,--no-warn-rwx-segments
bench_warnings := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wmissing-prototypes -Wundef -Werror
bench_trees := $(wildcard tests/bench/*.dts guest-config/*.dtsi)
# The same command line with and without bivy. quiet comes first: earlycon shows what was said before it. /bench
# tells the time and powers off (tests/bench/init.c).
bench_bootargs := quiet console=ttyAMA0 earlycon rdinit=/bench
latency_exact_dts := tests/bench/bench.dts
latency_real_dts := tests/bench/payload.dts
latency_bootargs := quiet console=ttyAMA0 loglevel=1

.PHONY: bench bench-io bench-exits bench-compare bench-baseline bench-plots bench-xen
bench-exits: $(BUILD)/bivy.bin $(addprefix $(BENCH)/,payload.bin payload.itb payload-ram.itb hypcount.so) | $(BUILD)/.deps-run

bench: bench-exits $(addprefix $(BENCH)/,growth.itb debian.itb native.dtb latency-exact.itb latency-real.itb)
	@BUILD=$(BUILD) tests/bench/bench.py --kernel $(BUILD)/guests/debian/kernel --initrd $(BENCH)/initrd \
		--bootargs "$(bench_bootargs)" --latency-bootargs "$(latency_bootargs)" $(BENCHFLAGS)
	@tests/bench/lines.py
	@$(if $(BENCHFLAGS),,tools/install-deps python3-matplotlib && tests/bench/plots.py $(BENCH)/bench.json $(BENCH)/plots)

bench-baseline: bench-exits
	@BUILD=$(BUILD) tests/bench/bench.py --baseline tests/bench/exits.json

# Those that the README shows, by the last make bench.
bench-plots:
	@tools/install-deps python3-matplotlib
	@tests/bench/plots.py $(BENCH)/bench.json tests/bench/plots

bench-xen: bench-exits $(BENCH)/growth.itb $(BENCH)/xen $(BENCH)/xen.bin
	@BUILD=$(BUILD) tests/bench/xen.py

$(BENCH)/xen:
	@mkdir -p $(@D)
	@dpkg-deb --fsys-tarfile $$(tools/fetch armhf xen-hypervisor-4.17-armhf) | tar -x -O ./boot/xen-4.17-armhf >$@

bench-compare:
	@tests/bench/compare $(BASE) $(HEAD)

bench-io: $(BUILD)/bivy.bin $(BUILD)/checkdt $(BENCH)/io.initrd $(BUILD)/guests/debian-full/disk.img | $(BUILD)/.deps-run
	@command -v iperf3 >/dev/null || tools/install-deps iperf3
	@BUILD=$(BUILD) tests/bench/io.py --kernel $(BUILD)/guests/debian-full/kernel --initrd $(BENCH)/io.initrd \
		--disk $(BUILD)/guests/debian-full/disk.img $(BENCHFLAGS)

$(BENCH)/xen.elf: bench_cflags += -DBY_COUNTER -Wl,--defsym=BASE=0x50010000
$(BENCH)/payload.elf $(BENCH)/xen.elf: $(addprefix tests/bench/,start.S payload.c disk.c disk.h payload.ld) \
		tests/payload/virtio_disk.h | $(BUILD)/.deps-build
	@echo "  CC      $@"
	@mkdir -p $(@D)
	@$(CROSS)gcc $(bench_cflags) $(bench_warnings) -T tests/bench/payload.ld -o $@ $(filter %.S %.c,$^)

$(BENCH)/payload.bin $(BENCH)/xen.bin: %.bin: %.elf
	@$(CROSS)objcopy -O binary $< $@

$(BENCH)/payload.itb $(BENCH)/growth.itb: $(BENCH)/%.itb: tests/bench/%.dts $(BENCH)/payload.bin $(BUILD)/checkdt \
		$(bench_trees) tools/mkbundle tools/checkguest
	@BUILD=$(BUILD) tools/mkbundle --kernel $(BENCH)/payload.bin --dts $< -o $@

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

# Debian's initrd, and cyclictest and hackbench with what they need, behind it.
$(BENCH)/latency.initrd: $(BUILD)/guests/debian/.files tests/bench/latency/init tests/bench/bench.mk tools/mkinitramfs
	@rm -rf $(BENCH)/latency-root $(BENCH)/rt && mkdir -p $(BENCH)/latency-root/usr/bin
	@tools/fetch armhf libc6 libgcc-s1 libnuma1 rt-tests | xargs -I DEB dpkg-deb --extract DEB $(BENCH)/rt
	@cp -a $(BENCH)/rt/lib $(BENCH)/rt/usr/lib/*/libnuma.* $(BENCH)/latency-root
	@mv $(BENCH)/latency-root/libnuma.* $(BENCH)/latency-root/lib
	@cp $(BENCH)/rt/usr/bin/cyclictest $(BENCH)/rt/usr/bin/hackbench $(BENCH)/latency-root/usr/bin
	@cp tests/bench/latency/init $(BENCH)/latency-root
	@tools/mkinitramfs --root $(BENCH)/latency-root -o $(BENCH)/latency.cpio
	@cat $(BUILD)/guests/debian/initrd $(BENCH)/latency.cpio >$@

$(BENCH)/latency-%.itb: $(BENCH)/latency.initrd $(BUILD)/checkdt $(bench_trees) tests/bench/bench.mk tools/mkbundle tools/checkguest
	@BUILD=$(BUILD) tools/mkbundle --kernel $(BUILD)/guests/debian/kernel --initrd $< \
		--dts $(latency_$*_dts) --bootargs "$(latency_bootargs)$(if $(filter exact,$*), unit=ns)" -o $@

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
