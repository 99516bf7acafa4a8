/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of registers by their mask. */
#ifndef HYP_FIELD_H
#define HYP_FIELD_H

/* The field of @value that @mask covers, shifted down. @mask: contiguous bits, a constant. */
#define FIELD_GET(mask, value) (((value) & (mask)) / ((mask) & -(mask)))

/* For what is on the way of every exit, whatever the compiler thinks of its size. */
#define always_inline static inline __attribute__((always_inline))

#endif
