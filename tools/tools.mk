# SPDX-License-Identifier: BSD-2-Clause
# Debian's sources, guests and their bundles, and running them. Included by the top-level Makefile after it has set
# BUILD and made $(BUILD)/bivy.bin and $(BUILD)/bivy.elf known.

## make run [GUEST=debian] [CPUS=2] [MEM=512M]     boot a guest on QEMU
## make run BUNDLE=guest.itb [QEMUFLAGS=...]       boot your own bundle (tools/mkbundle makes one)
## make debug [the same variables]                 QEMU waits for gdb-multiarch, which starts
## make guest [GUEST=debian]                       build a guest's bundle, build/guests/GUEST/guest.itb
## make deps                                       install the Debian packages for all of this

GUEST ?= debian
CPUS ?= 2
MEM ?= 512M
BUNDLE ?= $(BUILD)/guests/$(GUEST)/guest.itb
QEMUFLAGS ?=

.PHONY: run debug guest deps

# What installs packages must not run twice at once, so each group waits for the one before it. A rule that needs a
# group names its stamp as an order-only prerequisite.
DEPS_GROUPS := build guest run debug test fuzz
deps: $(DEPS_GROUPS:%=$(BUILD)/.deps-%)
$(BUILD)/.deps-%:
	@mkdir -p $(@D)
	@tools/install-deps $*
	@touch $@
$(BUILD)/.deps-guest: | $(BUILD)/.deps-build
$(BUILD)/.deps-run: | $(BUILD)/.deps-guest
$(BUILD)/.deps-debug: | $(BUILD)/.deps-run
$(BUILD)/.deps-test: | $(BUILD)/.deps-guest
$(BUILD)/.deps-fuzz: | $(BUILD)/.deps-test

# Libraries that bivy links.
$(BUILD)/libfdt-src/.stamp $(BUILD)/libmd-src/.stamp: $(BUILD)/%-src/.stamp: tools/library | $(BUILD)/.deps-build
	@tools/library $* $(@D)

# The checker of guests, for this machine: the code that reads trees and bundles at boot.
CHECKDT_HYP := board config crc32 dt dtmap fit kernel refuse sha256
CHECKDT_SRC := tools/checkdt.c $(CHECKDT_HYP:%=hyp/%.c)
CHECKDT_LIB := $(addprefix $(BUILD)/libfdt-src/,fdt.c fdt_ro.c) $(BUILD)/libmd-src/sha2.c
$(BUILD)/checkdt: $(CHECKDT_SRC) $(wildcard hyp/*.h) \
		$(BUILD)/libfdt-src/.stamp $(BUILD)/libmd-src/.stamp | $(BUILD)/.deps-guest
	@gcc -std=gnu11 -O2 -Wall -Wextra -DSHA256_ONLY -isystem $(BUILD)/libfdt-src -isystem $(BUILD)/libmd-src \
		-o $@ $(CHECKDT_SRC) $(CHECKDT_LIB)

# Guests, see tools/guest for what a folder holds. Folders are prerequisites too: their dates tell of what went away.
GUESTS := $(patsubst guest-config/%/guest.dts,%,$(wildcard guest-config/*/guest.dts))

guest: $(BUILD)/guests/$(GUEST)/guest.itb

# $(1): the guest's name; $(2): its folder
define guest_rules
$(BUILD)/guests/$(1)/.files: $(shell find $(2) ! -name '*.dts*' ! -name bootargs) \
		tools/guest tools/fetch tools/mkinitramfs | $(BUILD)/.deps-guest
	@tools/guest fetch $(2) $$(@D)
	@touch $$@

$(BUILD)/guests/$(1)/guest.itb: $(BUILD)/guests/$(1)/.files $(BUILD)/checkdt tools/mkbundle tools/checkguest \
		$(wildcard guest-config/*.dtsi $(2)/*.dts $(2)/*.dtsi $(2)/bootargs)
	@BUILD=$(BUILD) tools/guest bundle $(2) $$(@D)
	@echo "$$@ is ready"
endef
$(foreach guest,$(GUESTS),$(eval $(call guest_rules,$(guest),guest-config/$(guest))))

$(BUILD)/guests/%/guest.itb:
	@echo "There is no guest-config/$*/guest.dts; the guests are: $(GUESTS)" >&2; exit 1

# Running them.
RUN = BUILD=$(BUILD) tools/run --cpus $(CPUS) --mem $(MEM) \
	$(if $(filter $(BUILD)/guests/$(GUEST)/guest.itb,$(BUNDLE)),--dts guest-config/$(GUEST)/guest.dts)

run: $(BUILD)/bivy.bin $(filter $(BUILD)/guests/%,$(BUNDLE)) $(BUILD)/checkdt | $(BUILD)/.deps-run
	@$(RUN) $(BUNDLE) $(QEMUFLAGS)

debug: $(BUILD)/bivy.bin $(BUILD)/bivy.elf $(filter $(BUILD)/guests/%,$(BUNDLE)) $(BUILD)/checkdt | $(BUILD)/.deps-debug
	@$(RUN) --debug $(BUNDLE) $(QEMUFLAGS)
