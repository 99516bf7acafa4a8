# SPDX-License-Identifier: BSD-2-Clause
# Proofs that what guests, files and devices write can't make the code go wrong. Included by the top-level Makefile.

## make proof       Frama-C's Eva over what handles a guest's words: [PROOF=NAMES, of tests/proof/prove_NAME.c]
## make proof-plant plant a fault or more for each proof, which must then fail

.PHONY: proof proof-plant
proof proof-plant: $(BUILD)/libfdt-src/.stamp $(BUILD)/libmd-src/.stamp | $(BUILD)/.deps-proof
	@BUILD=$(BUILD) tests/proof/prove $(if $(filter %-plant,$@),--plant) $(PROOF)
