# SPDX-License-Identifier: BSD-2-Clause
# bivy: `make help` lists what there is. Everything that is made goes to $(BUILD).

BUILD := $(or $(BUILD),build)
CROSS ?= arm-none-eabi-
LIBFDT_SRC := $(BUILD)/libfdt-src
LIBMD_SRC := $(BUILD)/libmd-src

MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := bivy
.DELETE_ON_ERROR:
.PHONY: bivy clean help

include tools/tools.mk
include tests/unit/unit.mk
-include tests/tests.mk tests/bench/bench.mk tests/proof/proof.mk

# The code that runs before the MMU, at whatever address it was loaded.
early_sources := boot/early.c hyp/board.c hyp/boardram.c hyp/cache.c hyp/dt.c hyp/dtmap.c hyp/pagetable.c hyp/refuse.c
sources := boot/head.S hyp/vectors.S $(early_sources) \
	$(filter-out $(early_sources),$(wildcard hyp/*.c drivers/*/*.c))
foreign_sources := $(patsubst %,$(LIBFDT_SRC)/%.c,fdt fdt_sw) $(LIBMD_SRC)/sha2.c
objects := $(patsubst %,$(BUILD)/obj/%.o,$(sources) $(notdir $(foreign_sources)))

# Tuned for the A7 because that costs fewer instructions: for the A15 a push is a row of STRDs.
cflags := -mcpu=cortex-a15 -mtune=cortex-a7 -mfloat-abi=soft -mgeneral-regs-only -mno-unaligned-access \
	-g -std=gnu11 -ffreestanding -fno-common -ffunction-sections -fdata-sections \
	-fno-jump-tables -I. -isystem $(LIBFDT_SRC) -isystem $(LIBMD_SRC)
# What each exit runs is compiled for speed, and what the start runs for each line of cache; the rest for size. Thumb
# code is a third smaller, and costs an exit hardly more: but for the shortest ways, where an instruction counts.
fast := $(patsubst %,$(BUILD)/obj/hyp/%.c.o,trap mmio vgicd psci registers coproc vgic vgic_lr cache) \
	$(BUILD)/obj/drivers/emul/pl011.c.o
arm := %.S.o $(BUILD)/obj/boot/reset.c.o $(patsubst %,$(BUILD)/obj/hyp/%.c.o,trap mmio) $(BUILD)/obj/drivers/emul/pl011.c.o
small := -Os -fno-move-loop-invariants -fno-tree-loop-im -fno-ipa-sra
# What runs only at the start may branch more.
start := $(patsubst %,$(BUILD)/obj/hyp/%.c.o,backend backends board boardram config configcheck dt dtmap dtref fit graft \
	guestdt kernel main passregs passthrough vm)
optimize = $(if $(filter $(fast),$@),-O2,$(small) $(if $(filter $(start),$@),-fno-thread-jumps -fno-tree-tail-merge -fno-reorder-blocks)) $(if $(filter $(arm),$@),-marm,-mthumb)
warnings := -Wall -Wextra -Wconversion -Wshadow -Wvla -Wmissing-prototypes -Wundef -Werror
# A Cortex-A8 has no HYP mode: no veneers for its errata.
ldflags := -nostdlib -static -Wl,--no-fix-cortex-a8 -Wl,--gc-sections -Wl,--build-id=none -Wl,--no-warn-rwx-segments

## make             build/bivy.bin, the image, and build/bivy.elf, its symbols
bivy: $(BUILD)/bivy.bin compile_commands.json

$(BUILD)/bivy.bin: $(BUILD)/bivy.elf
	@echo "  OBJCOPY $@"
	@$(CROSS)objcopy -O binary $< $@

# Names the sources, and is made again when one came or went.
ifneq ($(file <$(BUILD)/.sources),$(sources))
.PHONY: $(BUILD)/.sources
endif
$(BUILD)/.sources:
	@mkdir -p $(@D)
	@echo '$(sources)' >$@

$(BUILD)/bivy.elf: $(objects) $(BUILD)/bivy.ld $(BUILD)/.sources
	@echo "  LD      $@"
	@$(CROSS)gcc $(cflags) $(ldflags) -T $(BUILD)/bivy.ld -o $@ $(objects) -lc -lgcc

# Comes before bivy where nothing else does; reads the board's tree by the same code.
reset_objects := $(patsubst %,$(BUILD)/obj/%.c.o,boot/reset $(addprefix hyp/,board boardram dt dtmap errata refuse))
$(BUILD)/obj/boot/reset.c.o: cflags += -fpie -fvisibility=hidden
$(BUILD)/reset.elf: $(reset_objects) linker/reset.ld
	@echo "  LD      $@"
	@$(CROSS)gcc $(cflags) $(ldflags) -T linker/reset.ld -o $@ $(reset_objects) -lc -lgcc
$(BUILD)/reset.bin: $(BUILD)/reset.elf
	@$(CROSS)objcopy -O binary $< $@

$(BUILD)/bivy.ld: linker/bivy.ld.S hyp/layout.h Makefile | $(BUILD)/.deps-build
	@mkdir -p $(@D)
	@$(CROSS)cpp -P -I. -undef -D__ASSEMBLER__ $< -o $@

$(patsubst %,$(BUILD)/obj/%.o,$(early_sources)): cflags += -fpie -fvisibility=hidden
$(BUILD)/obj/%.o: % Makefile | $(BUILD)/.deps-build $(LIBFDT_SRC)/.stamp $(LIBMD_SRC)/.stamp
	@echo "  CC      $<"
	@mkdir -p $(@D)
	@$(CROSS)gcc $(cflags) $(optimize) $(warnings) -fstack-usage -MMD -MP -c -o $@ $<

# Foreign sources: their warnings are not ours to mend.
$(BUILD)/obj/%.o: $(LIBFDT_SRC)/.stamp $(LIBMD_SRC)/.stamp Makefile | $(BUILD)/.deps-build
	@mkdir -p $(@D)
	@$(CROSS)gcc $(cflags) -mthumb -Os -w -DSHA256_ONLY -c -o $@ $(filter %/$*,$(foreign_sources))

compile_commands.json: Makefile tools/compile-commands $(BUILD)/.sources | $(BUILD)/.deps-build
	@tools/compile-commands '$(CROSS)gcc $(cflags)' $(sources) >$@

## make clean       delete build/ (what was downloaded stays in the cache)
clean:
	rm -rf $(BUILD) compile_commands.json

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

-include $(patsubst %.o,%.d,$(objects) $(BUILD)/obj/boot/reset.c.o)
