# SPDX-License-Identifier: BSD-2-Clause
# Debian's sources, guests and their bundles, and running them. Included by the top-level Makefile
# after it has set BUILD and made $(BUILD)/bivy.bin and $(BUILD)/bivy.elf known.

## make run         boot a guest on QEMU: [GUEST=debian] [BOARD=virt] [CPUS=2] [MEM=512M] [SSH_PORT=2222] [KERNEL=that of freebsd]
##                  [DISK=FILE, a raw image, instead of the guest's own] [QEMUFLAGS=...],
##                  or your own: BUNDLE=guest.itb, which tools/mkbundle makes
## make debug       the same, and QEMU waits for gdb-multiarch, which starts: [GDB_PORT=1234]
## make guest       build a guest's bundle: [GUEST=debian]; guest-config/ has the guests
##                  its disk, build/guests/NAME/disk.img, is made once and kept until make clean
## make elf         build/BOARD-GUEST.elf, which starts a board from reset: [BOARD=virt] [GUEST=debian] [CPUS=2] [MEM=512M]
## make flash       build/BOARD-GUEST.bin, the same for a board's flash
## make sdcard      an SD card's image, build/sdcard/BOARD-GUEST.img: BOARD=name [GUEST=debian]
## make boards      the boards, and what each was run on
## make deps        install the Debian packages that all of this needs

GUEST ?= debian
BOARD ?= virt
CPUS ?= 2
MEM ?= 512M
BUNDLE ?= $(BUILD)/guests/$(GUEST)/guest.itb
QEMUFLAGS ?=
GDB_PORT ?= 1234
SSH_PORT ?= 2222

.PHONY: run debug guest sdcard boards deps elf flash

# What installs packages must not run twice at once, so each group waits for the one before it. A
# rule that needs a group names its stamp as an order-only prerequisite.
DEPS_GROUPS := build guest disk run card debug test fuzz coverage lint proof
deps: $(DEPS_GROUPS:%=$(BUILD)/.deps-%)
$(BUILD)/.deps-%:
	@mkdir -p $(@D)
	@tools/install-deps $*
	@touch $@
$(BUILD)/.deps-guest: | $(BUILD)/.deps-build
$(BUILD)/.deps-run: | $(BUILD)/.deps-guest
$(BUILD)/.deps-disk: | $(BUILD)/.deps-run
$(BUILD)/.deps-card: | $(BUILD)/.deps-disk
$(BUILD)/.deps-debug: | $(BUILD)/.deps-run
$(BUILD)/.deps-test: | $(BUILD)/.deps-guest
$(BUILD)/.deps-fuzz: | $(BUILD)/.deps-test
$(BUILD)/.deps-coverage: | $(BUILD)/.deps-fuzz
$(BUILD)/.deps-lint: | $(BUILD)/.deps-fuzz
$(BUILD)/.deps-proof: | $(BUILD)/.deps-fuzz

# Libraries that bivy links.
$(BUILD)/libfdt-src/.stamp $(BUILD)/libmd-src/.stamp: $(BUILD)/%-src/.stamp: tools/library \
		| $(BUILD)/.deps-build
	@tools/library $* $(@D)

# The checker of guests, for this machine: the code that reads trees and bundles at boot.
CHECKDT_HYP := backend board boardram config configcheck crc32 dt dtmap dtref fit kernel passregs passthrough refuse sha256
CHECKDT_SRC := tools/checkdt.c $(CHECKDT_HYP:%=hyp/%.c)
CHECKDT_LIB := $(addprefix $(BUILD)/libfdt-src/,fdt.c fdt_ro.c) $(BUILD)/libmd-src/sha2.c
$(BUILD)/checkdt: $(CHECKDT_SRC) $(wildcard hyp/*.h) \
		$(BUILD)/libfdt-src/.stamp $(BUILD)/libmd-src/.stamp | $(BUILD)/.deps-guest
	@echo "  HOSTCC  $@"
	@gcc -std=gnu11 -O2 -Wall -Wextra -DSHA256_ONLY -isystem $(BUILD)/libfdt-src \
		-isystem $(BUILD)/libmd-src -o $@ $(CHECKDT_SRC) $(CHECKDT_LIB)

# Guests, see tools/guest for what a folder holds. Folders are prerequisites too: their dates tell
# of what went away.
GUESTS := $(patsubst guest-config/%/guest.dts,%,$(wildcard guest-config/*/guest.dts))

guest: $(BUILD)/guests/$(GUEST)/guest.itb

# $(1): the guest's name; $(2): its folder
define guest_rules
$(BUILD)/guests/$(1)/.files: $(shell find $(2) ! -name '*.dts*' ! -name bootargs) \
		tools/guest tools/fetch tools/debian-kernel tools/mkinitramfs | $(BUILD)/.deps-guest
	@tools/guest fetch $(2) $$(@D)
	@touch $$@

$(BUILD)/guests/$(1)/guest.itb: $(BUILD)/guests/$(1)/.files $(BUILD)/checkdt \
		tools/mkbundle tools/checkguest \
		$(wildcard guest-config/*.dtsi $(2)/*.dts $(2)/*.dtsi $(2)/bootargs $(2)/mkbundle-options)
	@BUILD=$(BUILD) tools/guest bundle $(2) $$(@D)
	@echo "$$@ is ready"
endef
$(foreach guest,$(GUESTS),$(eval $(call guest_rules,$(guest),guest-config/$(guest))))

# A disk is made once: what the user has put on it is not to be lost.
$(BUILD)/guests/%/disk.img: | $(BUILD)/.deps-disk
	@mkdir -p $(@D)
	@tools/guest disk guest-config/$* $(@D)
.PRECIOUS: $(BUILD)/guests/%/disk.img

# What the user named is taken anew each time.
ifdef KERNEL
.PHONY: $(BUILD)/guests/$(GUEST)/.files
endif

$(BUILD)/guests/%/guest.itb:
	@echo "There is no guest-config/$*/guest.dts; the guests are: $(GUESTS)" >&2; exit 1

# Running them. Only a bundle of our own is made here; that of a user is taken as it is.
own_bundle := $(filter $(BUILD)/guests/%/guest.itb,$(BUNDLE))
own_disk := $(patsubst guest-config/%/disk,$(BUILD)/guests/%/disk.img, \
	$(wildcard $(own_bundle:$(BUILD)/guests/%/guest.itb=guest-config/%/disk)))
DISK ?= $(own_disk)
own_dts := $(own_bundle:$(BUILD)/guests/%/guest.itb=guest-config/%/guest.dts)
run_options = --board $(BOARD) --cpus $(CPUS) --mem $(MEM) $(own_dts:%=--dts %) $(DISK:%=--disk %)

run: $(BUILD)/bivy.bin $(BUILD)/checkdt $(own_bundle) $(DISK) | $(BUILD)/.deps-run
	@BUILD=$(BUILD) SSH_PORT=$(SSH_PORT) tools/run $(run_options) $(BUNDLE) $(QEMUFLAGS)

debug: $(BUILD)/bivy.bin $(BUILD)/checkdt $(own_bundle) $(DISK) | $(BUILD)/.deps-debug
	@BUILD=$(BUILD) GDB_PORT=$(GDB_PORT) SSH_PORT=$(SSH_PORT) tools/run --debug $(run_options) \
		$(BUNDLE) $(QEMUFLAGS)

# Images that run from reset.
reset_image := $(BUILD)/$(BOARD)-$(GUEST)
elf: $(reset_image).elf
flash: $(reset_image).bin
$(reset_image).elf $(reset_image).bin: FORCE $(BUILD)/reset.bin $(BUILD)/bivy.bin $(own_bundle) | $(BUILD)/.deps-guest $(BUILD)/.deps-run
	@tools/board-tree $(BOARD) $(BUILD)/$(BOARD).dtb $(CPUS) $(MEM)
	@. tools/boards/$(BOARD) && BUILD=$(BUILD) tools/mkreset $${clock:+--clock $$clock} $(if $(filter %.bin,$@),--raw) --tree $(BUILD)/$(BOARD).dtb --bundle $(BUNDLE) -o $@
	@echo "$@ is ready"
.PHONY: FORCE

# A card is made anew each time: it is quick, and the bundle may be the user's.
sdcard: $(BUILD)/bivy.bin $(own_bundle) $(own_disk) | $(BUILD)/.deps-card
	@BUILD=$(BUILD) tools/mksdcard --board $(BOARD) \
		$(if $(own_bundle),--guest $(dir $(BUNDLE)),--bundle $(BUNDLE)) -o $(BUILD)/sdcard/$(BOARD)-$(GUEST).img

boards:
	@for board in tools/boards/*; do ( . $$board; printf '%-12s  %s\n              run on: %s\n' $${board##*/} "$$name" "$$run"; ) done
