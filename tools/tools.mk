# SPDX-License-Identifier: BSD-2-Clause
# Libraries from Debian's sources, guests, bundles, and running them. Included by the top-level Makefile.

LIBFDT_SRC := $(BUILD)/libfdt-src
LIBMD_SRC  := $(BUILD)/libmd-src

$(LIBFDT_SRC)/.stamp $(LIBMD_SRC)/.stamp: $(BUILD)/%-src/.stamp: tools/library
	tools/library $* $(@D)
