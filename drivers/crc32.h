/* SPDX-License-Identifier: BSD-2-Clause */
/* The checksum of GUID partition tables, of images in a FIT and of uImages. */
#ifndef DRIVERS_CRC32_H
#define DRIVERS_CRC32_H

#include <stdint.h>

/* Continues a CRC-32 (IEEE 802.3, as zlib's) over @length bytes; start with @crc = 0. */
uint32_t crc32_update(uint32_t crc, const void *bytes, uint32_t length);

#endif
