# SPDX-License-Identifier: BSD-2-Clause
# Debian's sources, guests and their bundles, and running them. Included by the top-level Makefile
# after it has set BUILD and made $(BUILD)/bivy.bin and $(BUILD)/bivy.elf known.

## make run         boot a guest on QEMU: [GUEST=debian] [CPUS=2] [MEM=512M] [QEMUFLAGS=...],
##                  or your own: BUNDLE=guest.itb, which tools/mkbundle makes
## make debug       the same, and QEMU waits for gdb-multiarch, which starts: [GDB_PORT=1234]
## make guest       build a guest's bundle: [GUEST=debian]; guest-config/ has the guests
## make deps        install the Debian packages that all of this needs

GUEST ?= debian
CPUS ?= 2
MEM ?= 512M
BUNDLE ?= $(BUILD)/guests/$(GUEST)/guest.itb
QEMUFLAGS ?=
GDB_PORT ?= 1234

.PHONY: run debug guest deps

# What installs packages must not run twice at once, so each group waits for the one before it. A
# rule that needs a group names its stamp as an order-only prerequisite.
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
$(BUILD)/libfdt-src/.stamp $(BUILD)/libmd-src/.stamp: $(BUILD)/%-src/.stamp: tools/library \
		| $(BUILD)/.deps-build
	@tools/library $* $(@D)

# The checker of guests, for this machine: the code that reads trees and bundles at boot.
CHECKDT_HYP := backend board config configcheck crc32 dt dtmap dtref fit kernel passthrough refuse sha256
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
		tools/guest tools/fetch tools/mkinitramfs | $(BUILD)/.deps-guest
	@tools/guest fetch $(2) $$(@D)
	@touch $$@

$(BUILD)/guests/$(1)/guest.itb: $(BUILD)/guests/$(1)/.files $(BUILD)/checkdt \
		tools/mkbundle tools/checkguest \
		$(wildcard guest-config/*.dtsi $(2)/*.dts $(2)/*.dtsi $(2)/bootargs)
	@BUILD=$(BUILD) tools/guest bundle $(2) $$(@D)
	@echo "$$@ is ready"
endef
$(foreach guest,$(GUESTS),$(eval $(call guest_rules,$(guest),guest-config/$(guest))))

$(BUILD)/guests/%/guest.itb:
	@echo "There is no guest-config/$*/guest.dts; the guests are: $(GUESTS)" >&2; exit 1

# Running them. Only a bundle of our own is made here; that of a user is taken as it is.
own_bundle := $(filter $(BUILD)/guests/%/guest.itb,$(BUNDLE))
own_dts := $(own_bundle:$(BUILD)/guests/%/guest.itb=guest-config/%/guest.dts)
run_options = --cpus $(CPUS) --mem $(MEM) $(own_dts:%=--dts %)

run: $(BUILD)/bivy.bin $(BUILD)/checkdt $(own_bundle) | $(BUILD)/.deps-run
	@BUILD=$(BUILD) tools/run $(run_options) $(BUNDLE) $(QEMUFLAGS)

debug: $(BUILD)/bivy.bin $(BUILD)/checkdt $(own_bundle) | $(BUILD)/.deps-debug
	@BUILD=$(BUILD) GDB_PORT=$(GDB_PORT) tools/run --debug $(run_options) $(BUNDLE) $(QEMUFLAGS)
