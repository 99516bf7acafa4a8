# SPDX-License-Identifier: BSD-2-Clause
# Host unit tests and fuzzers: `make check`, `make fuzz TIME=seconds`. Included by the top-level Makefile;
# `make -f tests/unit/unit.mk check` works too.
#
# A test is tests/unit/test_NAME.c and one line here: unit_NAME_sources := the files it tests.
# A fuzzer is tests/fuzz/fuzz_NAME.c and fuzz_NAME_sources. More about one of them, where needed:
#   unit_NAME_cflags  flags of test_NAME.c alone (not of its sources, which tests share)
#   unit_NAME_libs    names of libraries from $(BUILD)/NAME-src: libfdt, libmd (also fuzz_NAME_libs)
#   fuzz_NAME_runs    how many inputs `check` gives it, if not 20000, unless FUZZ_RUNS says; those of
#                     tests/fuzz/corpus/NAME.tar.xz come first
#   unit_NAME_needs   what must exist before the test runs, for instance $(UNIT)/trees/x.dtb, which is made
#                     from tests/unit/trees/x.dts and found by the test as UNIT_DIR "/trees/x.dtb"
# A test or fuzzer whose .c is not there is left out. `make unit-run-NAME` runs one.

unit_decode_sources := hyp/decode.c
unit_mmio_sources := hyp/mmio.c
unit_errata_sources := hyp/errata.c
unit_vgic_sources := tests/unit/vgic_hw.c
unit_vgic_overflow_sources := $(unit_vgic_sources)
unit_vgic_together_sources := $(unit_vgic_sources)
unit_vgic_physical_sources := $(unit_vgic_sources)
unit_vgic_system_sources := $(unit_vgic_sources)
unit_vgic_random_sources := tests/unit/vgic_hw.c tests/unit/vgic_ref.c tests/unit/vgic_steps.c
unit_pagetable_sources := hyp/pagetable.c
unit_pagetable_cflags := -D_GNU_SOURCE
unit_dt_sources := hyp/dt.c hyp/dtmap.c hyp/refuse.c
unit_dt_libs := libfdt
unit_dt_needs = $(addprefix $(UNIT)/trees/,guest.dtb board.dtb)
unit_dtmap_sources := $(unit_dt_sources)
unit_dtmap_libs := libfdt
unit_dtmap_needs = $(unit_dt_needs) $(UNIT)/trees/vexpress.dtb
unit_board_sources := $(unit_dt_sources) hyp/board.c hyp/boardram.c
unit_print_sources := hyp/refuse.c hyp/dt.c
unit_board_libs := libfdt
unit_board_cflags := -D_GNU_SOURCE
unit_board_needs = $(addprefix $(UNIT)/trees/,board.dtb vexpress.dtb)
unit_config_sources := $(unit_dt_sources) hyp/config.c hyp/configcheck.c hyp/backend.c
unit_config_libs := libfdt
unit_config_needs = $(UNIT)/trees/guest.dtb
unit_fit_sources := $(unit_dt_sources) hyp/fit.c hyp/crc32.c hyp/sha256.c
unit_fit_libs := libfdt libmd
unit_fit_needs = $(addprefix $(UNIT)/trees/,bundle.itb bundle-external.itb bundle-position.itb)
unit_kernel_sources := hyp/kernel.c hyp/crc32.c hyp/refuse.c
unit_guestdt_sources := $(unit_config_sources) hyp/guestdt.c hyp/graft.c hyp/passthrough.c hyp/passregs.c hyp/dtref.c hyp/board.c hyp/boardram.c
unit_guestdt_libs := libfdt
unit_passthrough_sources := $(unit_guestdt_sources)
unit_passthrough_libs := libfdt
unit_passthrough_cflags := -D_GNU_SOURCE
unit_passthrough_needs = $(addprefix $(UNIT)/trees/,passboard.dtb passguest.dtb)
unit_guestdt_needs = $(UNIT)/trees/guest.dtb
virtqueue_sources := $(patsubst %,drivers/virtio/%.c,queue split packed)
virtio_sources := drivers/virtio/mmio.c drivers/virtio/device.c $(virtqueue_sources)
unit_virtqueue_sources := $(virtqueue_sources)
unit_virtqueue_hostile_sources := $(virtqueue_sources)
unit_virtqueue_packed_sources := $(virtqueue_sources)
unit_virtqueue_packed_cflags := -D_GNU_SOURCE
unit_virtqueue_race_sources := $(virtqueue_sources)
unit_virtqueue_race_cflags := -D_GNU_SOURCE -pthread
unit_virtio_mmio_sources := $(virtio_sources)
unit_virtio_mmio_queues_sources := $(virtio_sources)
unit_virtio_legacy_sources := $(virtio_sources)
unit_virtio_console_sources := drivers/virtio/console.c $(virtio_sources)
unit_virtio_blk_sources := $(addprefix drivers/,virtio/blk.c virtio/blk_config.c block/segments.c) $(virtio_sources)
unit_virtio_blk_many_sources := $(unit_virtio_blk_sources)
unit_ramdisk_sources := drivers/block/ramdisk.c drivers/block/segments.c
unit_partition_sources := $(addprefix drivers/block/,partition.c partition_search.c ramdisk.c segments.c) hyp/crc32.c
unit_virtio_net_sources := $(addprefix drivers/virtio/,net.c net_header.c) $(virtio_sources)
unit_net_loopback_sources := $(unit_virtio_net_sources) drivers/net/loopback.c
unit_virtio_rng_sources := drivers/virtio/rng.c $(virtio_sources)
unit_trng_sources := drivers/hw/trng.c
unit_hw_virtio_sources := drivers/hw/virtio.c drivers/hw/virtqueue.c
unit_hw_virtio_blk_sources := $(unit_hw_virtio_sources) drivers/hw/virtio_blk.c
unit_hw_virtio_net_sources := $(unit_hw_virtio_sources) drivers/hw/virtio_net.c drivers/hw/virtio_rng.c
unit_uart_sources := drivers/hw/ns16550.c drivers/hw/exynos_uart.c
unit_lan9118_sources := $(addprefix drivers/hw/,lan9118.c lan9118_chip.c lan9118_fifo.c)
unit_lan9118_events_sources := $(unit_lan9118_sources)
unit_sd_sources := $(addprefix drivers/,hw/sd.c hw/pl180.c block/segments.c)
unit_overlay_sources := drivers/block/overlay.c drivers/block/segments.c
unit_pl011_sources := drivers/emul/pl011.c
unit_pl011_drivers_sources := drivers/emul/pl011.c
unit_pl031_sources := drivers/emul/pl031.c
unit_cfi_sources := drivers/emul/cfi.c drivers/block/mirror.c

fuzz_decode_sources := hyp/decode.c
fuzz_pagetable_sources := hyp/pagetable.c
fuzz_pagetable_runs := 2000
fuzz_config_sources := $(unit_dt_sources) hyp/config.c hyp/backend.c
fuzz_config_libs := libfdt
fuzz_config_runs := 2000
fuzz_virtio_sources := drivers/virtio/console.c $(virtio_sources)
fuzz_virtio_runs := 5000
fuzz_net_sources := $(unit_virtio_net_sources)
fuzz_net_runs := 1500
fuzz_virtqueue_sources := $(virtqueue_sources)
fuzz_virtqueue_packed_sources := $(virtqueue_sources)
fuzz_vgic_sources := $(unit_vgic_random_sources)
fuzz_vgic_runs := 200
fuzz_blk_sources := $(unit_virtio_blk_sources)
fuzz_blk_runs := 4000
fuzz_partition_sources := $(unit_partition_sources)
fuzz_partition_runs := 4000
fuzz_pl011_sources := drivers/emul/pl011.c
fuzz_sd_sources := $(unit_sd_sources)
fuzz_sd_runs := 4000
fuzz_cfi_sources := $(unit_cfi_sources)
fuzz_cfi_runs := 2000
fuzz_lan9118_sources := $(unit_lan9118_sources)
fuzz_lan9118_runs := 2000

BUILD := $(or $(BUILD),build)
UNIT := $(BUILD)/unit
FUZZ := $(BUILD)/fuzz
UNIT_CC ?= gcc
FUZZ_CC ?= clang-14
TIME ?= 60

unit_tests := $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
fuzzers := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
ifeq ($(shell command -v $(FUZZ_CC)),)
fuzzers :=
endif

unit_warnings := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wmissing-prototypes -Wundef -Werror
unit_sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all
unit_cflags := -std=gnu11 -g -O1 -fno-omit-frame-pointer $(unit_sanitize) -I. -DUNIT_DIR='"$(UNIT)"'
unit_cflags += -isystem $(BUILD)/libfdt-src -isystem $(BUILD)/libmd-src
libmd_cflags := -DSHA256_ONLY

unit_object = $(patsubst %.c,$(UNIT)/%.o,$(1))
fuzz_object = $(patsubst %.c,$(FUZZ)/%.o,$(1))

.PHONY: check fuzz fuzz-all unit-run suites corpus coverage mutate

# A recipe that runs always and a second make for it, so that one suite that does not compile, or dies,
# does not hide the others. What was given with -j holds; without it, as many as there are processors.
## make check       build and run every host test, and each fuzzer for a moment
check: | $(BUILD)/.deps-test
	@rm -rf $(UNIT)/results && mkdir -p $(UNIT)/results
	@+$(MAKE) --no-print-directory -k -Otarget -f $(firstword $(MAKEFILE_LIST)) \
		$(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) unit-run; \
	sh tests/unit/tally $(UNIT)/results $(unit_tests:%=test_%) $(fuzzers:%=fuzz_%)

# What each suite and fuzzer is made of, for tests/mutate.
suites:
	@$(foreach name,$(unit_tests),echo 'unit $(name) $(unit_$(name)_sources)';)
	@$(foreach name,$(fuzzers),echo 'fuzz $(name) $(fuzz_$(name)_sources)';)

unit-run: $(unit_tests:%=unit-run-%) $(fuzzers:%=fuzz-run-%)

# $(1): the name of a test
define unit_rules
.PHONY: unit-run-$(1)
unit-run-$(1): $(UNIT)/test_$(1) $$(unit_$(1)_needs)
	@mkdir -p $(UNIT)/results; timeout 60 $(UNIT)/test_$(1) >$(UNIT)/results/test_$(1).log 2>&1; \
	echo $$$$? >$(UNIT)/results/test_$(1).status; cat $(UNIT)/results/test_$(1).log

unit_$(1)_objects := $(UNIT)/tests/unit/test_$(1).o $$(call unit_object,$$(unit_$(1)_sources))
$$(unit_$(1)_objects): | $$(patsubst %,$(BUILD)/%-src/.stamp,$$(unit_$(1)_libs))
$(UNIT)/tests/unit/test_$(1).o: unit_own := $$(unit_$(1)_cflags)
$(UNIT)/test_$(1): $$(unit_$(1)_objects) $$(patsubst %,$(UNIT)/%.a,$$(unit_$(1)_libs))
	@echo "  LD      $$@"
	@$(UNIT_CC) $(unit_sanitize) -o $$@ $$^ -lcmocka
endef

# $(1): the name of a fuzzer. `check` runs the kept inputs and the same few more every time, `fuzz` new ones for
# TIME seconds; `corpus` keeps the least of what that learned that reaches as many edges.
define fuzz_rules
.PHONY: fuzz-run-$(1) fuzz-$(1) corpus-$(1)
fuzz-run-$(1): runs = $$(or $$(FUZZ_RUNS),$$(fuzz_$(1)_runs),20000)
fuzz-run-$(1): $(FUZZ)/fuzz_$(1) $(FUZZ)/kept/$(1)/.stamp
	@rm -rf $(FUZZ)/found/$(1); mkdir -p $(UNIT)/results $(FUZZ)/found/$(1)
	@timeout 60 $(FUZZ)/fuzz_$(1) -seed=1 -runs=$$(runs) -max_len=512 -len_control=0 -print_final_stats=1 \
		-artifact_prefix=$(FUZZ)/$(1)- $(FUZZ)/found/$(1) $(FUZZ)/kept/$(1) >$(UNIT)/results/fuzz_$(1).log 2>&1; \
	status=$$$$?; echo $$$$status >$(UNIT)/results/fuzz_$(1).status; rm -rf $(FUZZ)/found/$(1); \
	if [ $$$$status -eq 0 ]; then echo "[   FUZZ   ] $(1): $$(runs) inputs"; \
	else tail -n 60 $(UNIT)/results/fuzz_$(1).log; fi

fuzz-$(1): $(FUZZ)/fuzz_$(1) $(FUZZ)/kept/$(1)/.stamp
	@mkdir -p $(FUZZ)/corpus/$(1)
	$(FUZZ)/fuzz_$(1) -max_total_time=$(TIME) -max_len=4096 -artifact_prefix=$(FUZZ)/$(1)- \
		-print_final_stats=1 $(FUZZ)/corpus/$(1) $(FUZZ)/kept/$(1)

corpus-$(1): $(FUZZ)/fuzz_$(1) $(FUZZ)/kept/$(1)/.stamp
	@rm -rf $(FUZZ)/least/$(1); mkdir -p $(FUZZ)/least/$(1) $(FUZZ)/corpus/$(1) tests/fuzz/corpus
	@$(FUZZ)/fuzz_$(1) -merge=1 -use_counters=0 -max_len=512 $(FUZZ)/least/$(1) $(FUZZ)/kept/$(1) $(FUZZ)/corpus/$(1) \
		2>/dev/null
	@tar -C $(FUZZ)/least/$(1) --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cJf tests/fuzz/corpus/$(1).tar.xz .

$(FUZZ)/kept/$(1)/.stamp: $$(wildcard tests/fuzz/corpus/$(1).tar.xz)
	@rm -rf $$(@D) && mkdir -p $$(@D) && for file in $$^; do tar -C $$(@D) -xJf $$$$file; done && touch $$@

fuzz_$(1)_objects := $(FUZZ)/tests/fuzz/fuzz_$(1).o $$(call fuzz_object,$$(fuzz_$(1)_sources))
$$(fuzz_$(1)_objects): | $$(patsubst %,$(BUILD)/%-src/.stamp,$$(fuzz_$(1)_libs))
$(FUZZ)/fuzz_$(1): $$(fuzz_$(1)_objects) $$(patsubst %,$(FUZZ)/%.a,$$(fuzz_$(1)_libs))
	@echo "  LD      $$@"
	@$(FUZZ_CC) -fsanitize=fuzzer $(unit_sanitize) -o $$@ $$^
endef

$(foreach name,$(unit_tests),$(eval $(call unit_rules,$(name))))
$(foreach name,$(fuzzers),$(eval $(call fuzz_rules,$(name))))

## make fuzz TIME=s run each fuzzer for that many seconds; what it learns stays in build/fuzz/corpus
fuzz: | $(BUILD)/.deps-fuzz
	@+$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) fuzz-all

fuzz-all: $(fuzzers:%=fuzz-%)

## make corpus      keep what the fuzzers learned, as little as reaches the same, in tests/fuzz/corpus
corpus: $(fuzzers:%=corpus-%)

## make coverage    which lines and branches the host tests run; HTML in build/coverage
COVERAGE := $(BUILD)/coverage
coverage: | $(BUILD)/.deps-coverage
	@rm -rf $(COVERAGE)/raw $(COVERAGE)/unit/results
	@+LLVM_PROFILE_FILE=$(abspath $(COVERAGE))/raw/%p.profraw $(MAKE) --no-print-directory -s -k \
		$(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc)) -f tests/unit/unit.mk UNIT=$(COVERAGE)/unit \
		FUZZ=$(COVERAGE)/fuzz UNIT_CC=$(FUZZ_CC) FUZZ_RUNS=0 \
		unit_sanitize='-fprofile-instr-generate -fcoverage-mapping' unit-run >$(BUILD)/coverage.log 2>&1 || true
	@sh tests/unit/tally $(COVERAGE)/unit/results $(unit_tests:%=test_%) $(fuzzers:%=fuzz_%)
	@tests/unit/coverage $(COVERAGE) $(unit_tests:%=$(COVERAGE)/unit/test_%) $(fuzzers:%=$(COVERAGE)/fuzz/fuzz_%)

## make mutate      plant faults into what make coverage measures; 90 % must be noticed: [COUNT=300] [SEED=1] [TIME=s]
mutate: | $(BUILD)/.deps-fuzz
	@tests/mutate/mutate $(COUNT:%=--count %) $(SEED:%=--seed %) \
		$(if $(findstring command,$(origin TIME)),--time $(TIME)) $(BUILD)

# A suite's own code runs once and briefly: not optimized, it compiles in a third of the time.
$(UNIT)/%.o: %.c | $(BUILD)/.deps-test
	@echo "  HOSTCC  $<"
	@mkdir -p $(@D)
	@$(UNIT_CC) $(unit_cflags) $(if $(filter tests/unit/%,$<),-O0) $(unit_warnings) $(unit_own) -MMD -MP -c -o $@ $<

$(FUZZ)/%.o: %.c | $(BUILD)/.deps-test
	@echo "  FUZZCC  $<"
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(unit_cflags) -fsanitize=fuzzer-no-link $(unit_warnings) $(unit_own) -MMD -MP -c -o $@ $<

# The reference GIC is a great part of the time, and nobody's input reaches it unchecked.
$(foreach folder,$(UNIT) $(FUZZ),$(folder)/tests/unit/vgic_ref.o $(folder)/tests/unit/vgic_steps.o): \
	unit_own := -O2 -fno-sanitize=address,undefined

# Foreign sources are compiled without our warnings, but with the sanitizers.
# $(1): folder, $(2): compiler and its flags
define library_rule
$(1)/%.a: $(BUILD)/%-src/.stamp | $(BUILD)/.deps-test
	@echo "  AR      $$@"
	@rm -rf $(1)/$$* $$@ && mkdir -p $(1)/$$*
	@for source in $(BUILD)/$$*-src/*.c; do \
		$(2) $$($$*_cflags) -w -c -o $(1)/$$*/$$$$(basename $$$$source .c).o $$$$source || exit 1; \
	done; ar rcs $$@ $(1)/$$*/*.o
endef

$(eval $(call library_rule,$(UNIT),$(UNIT_CC) $(unit_cflags)))
$(eval $(call library_rule,$(FUZZ),$(FUZZ_CC) $(unit_cflags) -fsanitize=fuzzer-no-link))

$(UNIT)/trees/%.dtb: tests/unit/trees/%.dts | $(BUILD)/.deps-test
	@mkdir -p $(@D)
	@dtc -q -I dts -O dtb -o $@ $<

# The same bundle with its images inside the tree, behind it, and at a position of their own.
$(UNIT)/trees/%.itb $(UNIT)/trees/%-external.itb $(UNIT)/trees/%-position.itb: tests/unit/trees/%.its
	@mkdir -p $(@D)
	@mkimage -f $< $(UNIT)/trees/$*.itb >/dev/null
	@mkimage -E -f $< $(UNIT)/trees/$*-external.itb >/dev/null
	@mkimage -E -p 0x1000 -f $< $(UNIT)/trees/$*-position.itb >/dev/null

ifeq ($(firstword $(MAKEFILE_LIST)),tests/unit/unit.mk)
include tools/tools.mk
endif

-include $(shell find $(UNIT) $(FUZZ) -name '*.d' 2>/dev/null)
