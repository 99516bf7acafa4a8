# SPDX-License-Identifier: BSD-2-Clause
# Tests on QEMU: payloads, which are bare-metal guests, and whole systems. Included by the top-level Makefile.

## make test        make check, then payloads and real guests on QEMU
## make test-install Debian's installer to its end, from packages that this machine downloads, and then the disk boots
## make lint        analysers of C, on all that ships; what they say that is not so is in tests/static/suppressions
## make stack       the deepest that a core's stack gets, and the way there
## make payloads    build the payloads; tests/payload/NAME.c becomes build/payload/NAME.bin and .itb
## make model       every order of steps of cores at the virtual GIC and at a queue, checked by Spin: [SIZE=1]
## make soak        a whole Debian busy on 4 cores, its disks verified, bivy's bookkeeping checked: [TIME=3600] seconds

.PHONY: test test-install payloads model soak lint stack

PAYLOAD := $(BUILD)/payload
payload_shared := start.S payload.c gic.c mmu.c hostile.c
payload_names := $(filter-out payload gic mmu hostile,$(patsubst tests/payload/%.c,%,$(wildcard tests/payload/*.c)))
payload_cflags := -mcpu=cortex-a15 -marm -mfloat-abi=soft -mgeneral-regs-only -mno-unaligned-access -g -O1 \
	-std=gnu11 -ffreestanding -fno-common -fno-tree-loop-distribute-patterns -Wa,-mno-warn-deprecated \
	-Itests/payload
payload_objects := $(payload_shared:%=$(PAYLOAD)/%.o)

payloads: $(payload_names:%=$(PAYLOAD)/%.itb) $(PAYLOAD)/reset-restart.itb $(PAYLOAD)/flush-disk.itb $(PAYLOAD)/longest.so

$(PAYLOAD)/%.o: tests/payload/% Makefile tests/tests.mk | $(BUILD)/.deps-build
	@echo "  CC      $<"
	@mkdir -p $(@D)
	@$(CROSS)gcc $(payload_cflags) $(warnings) -MMD -MP -c -o $@ $<

.SECONDARY: $(payload_objects) $(payload_names:%=$(PAYLOAD)/%.c.o) $(payload_names:%=$(PAYLOAD)/%.elf) \
	$(payload_names:%=$(PAYLOAD)/%.bin)

$(PAYLOAD)/%.elf: $(PAYLOAD)/%.c.o $(payload_objects) tests/payload/payload.ld
	@echo "  LD      $@"
	@$(CROSS)gcc $(payload_cflags) -nostdlib -static -Wl,--build-id=none -Wl,--no-warn-rwx-segments \
		-T tests/payload/payload.ld -o $@ $< $(payload_objects) -lgcc

$(PAYLOAD)/%.bin: $(PAYLOAD)/%.elf
	@$(CROSS)objcopy -O binary $< $@

$(PAYLOAD)/%.itb: $(PAYLOAD)/%.bin tests/payload/guest.dts guest-config/virt.dtsi tools/mkbundle $(BUILD)/checkdt
	@BUILD=$(BUILD) tools/mkbundle --kernel $< --dts tests/payload/guest.dts -o $@

$(PAYLOAD)/hostile_%.itb: $(PAYLOAD)/hostile_%.bin tests/payload/hostile.dts guest-config/virt.dtsi tools/mkbundle $(BUILD)/checkdt
	@BUILD=$(BUILD) tools/mkbundle --kernel $< --dts tests/payload/hostile.dts -o $@

$(PAYLOAD)/%-restart.itb: $(PAYLOAD)/%.bin tests/payload/restart.dts guest-config/virt.dtsi tools/mkbundle $(BUILD)/checkdt
	@BUILD=$(BUILD) tools/mkbundle --kernel $< --dts tests/payload/restart.dts -o $@

$(PAYLOAD)/%-disk.itb: $(PAYLOAD)/%.bin tests/payload/disk.dts guest-config/virt.dtsi tools/mkbundle $(BUILD)/checkdt
	@BUILD=$(BUILD) tools/mkbundle --kernel $< --dts tests/payload/disk.dts -o $@

$(PAYLOAD)/longest.so: tests/qemu/longest.c | $(BUILD)/.deps-build
	@echo "  HOSTCC  $@"
	@mkdir -p $(@D)
	@gcc -std=gnu11 -O2 -fPIC -shared -fvisibility=hidden -Wall -Wextra -Wconversion -Wshadow -Werror -o $@ $<

-include $(wildcard $(PAYLOAD)/*.d)

# The slow ones, which boot real guests, come first; two QEMUs at once.
QEMU_TESTS ?= tests/qemu tests/model tests/proof
test_guests := $(patsubst %,$(BUILD)/guests/%/guest.itb,debian debian-full debian-installer debian-auto u-boot uefi) \
	$(BUILD)/guests/debian-full/disk.img

test: $(BUILD)/bivy.bin $(BUILD)/reset.bin $(BUILD)/checkdt payloads bench-exits $(test_guests) | $(BUILD)/.deps-test $(BUILD)/.deps-card $(BUILD)/.deps-lint $(BUILD)/.deps-proof
	@tools/install-deps debug python3-pytest-xdist u-boot-qemu fdisk qemu-utils spin
	@BUILD=$(BUILD) tests/qemu/all '$(MAKE)' $(QEMU_TESTS)

test-install: $(BUILD)/bivy.bin $(patsubst %,$(BUILD)/guests/%/guest.itb,debian-auto u-boot) | $(BUILD)/.deps-test $(BUILD)/.deps-disk
	@WHOLE=yes BUILD=$(BUILD) /usr/bin/python3 -m pytest -q -p no:cacheprovider --durations=0 \
		tests/qemu/test_installer.py::test_install

lint: $(BUILD)/bivy.bin compile_commands.json | $(BUILD)/.deps-lint
	@tests/static/lint $(BUILD) '$(CROSS)gcc $(cflags)'

stack: $(BUILD)/bivy.bin
	@tests/static/stack $(BUILD)

model: | $(BUILD)/.deps-test
	@tools/install-deps spin
	@SIZE=$(SIZE) /usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/model

SOAK := $(BUILD)/soak

$(SOAK)/guest.itb: tests/soak/soak.dts guest-config/debian-full/guest.dts $(wildcard guest-config/*.dtsi) \
		$(BUILD)/guests/debian-full/.files $(BUILD)/checkdt tools/mkbundle tools/checkguest
	@mkdir -p $(@D)
	@BUILD=$(BUILD) tools/mkbundle --kernel $(BUILD)/guests/debian-full/kernel \
		--initrd $(BUILD)/guests/debian-full/initrd --dts $< -o $@

soak: TIME := 3600
soak: $(BUILD)/bivy.bin $(SOAK)/guest.itb | $(BUILD)/.deps-test $(BUILD)/.deps-disk
	@tools/install-deps debug iperf3
	@BUILD=$(BUILD) tests/soak/soak.py $(TIME)
