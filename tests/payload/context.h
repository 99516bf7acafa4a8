/* SPDX-License-Identifier: BSD-2-Clause */
/* Offsets that start.S and payload.h share, in struct core. */
#ifndef PAYLOAD_CONTEXT_H
#define PAYLOAD_CONTEXT_H

#define CONTEXT_PC         60
#define CONTEXT_CPSR       64
#define CONTEXT_KIND       68
#define CONTEXT_TAKEN_CPSR 72
#define CORE_SAVED_SP      76
#define CORE_ENTRY_CPSR    80
#define CORE_ENTRY_SCTLR   84
#define CORE_STACKS        128
#define STACK_BYTES        4096

#define KIND_UNDEFINED      1
#define KIND_SVC            2
#define KIND_PREFETCH_ABORT 3
#define KIND_DATA_ABORT     4

#endif
