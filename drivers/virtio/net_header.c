/* SPDX-License-Identifier: BSD-2-Clause */
/* The header in front of a frame: taken from the guest, checked, or completed for the backend. */
#include "net_header.h"
#include <string.h>

/* Offsets (5.1.6). From hdr_len on a field has two bytes, little-endian. */
enum { FLAGS = 0, GSO_TYPE = 1, HDR_LEN = 2, GSO_SIZE = 4, CSUM_START = 6, CSUM_OFFSET = 8 };

#define NEEDS_CSUM 0x01u
#define GSO_NONE   0u
#define GSO_ECN    0x80u /* with a TCP type */

/* By gso_type without GSO_ECN; 0: there is no such type. */
static const uint16_t gso_features[] = {
	[1] = NET_F_HOST_TSO4,
	[3] = NET_F_HOST_UFO,
	[4] = NET_F_HOST_TSO6,
};

bool net_header_take(struct virtio_chain *chain, uint8_t *header, uint32_t size)
{
	uint32_t i;

	memset(header, 0, NET_HEADER);
	for (i = 0; i < size; i++) {
		struct io_segment *first = chain->segment;

		if (chain->count == 0) {
			return false;
		}
		header[i] = *(const volatile uint8_t *)first->at++;
		if (--first->length == 0) {
			chain->segment++;
			chain->count--;
		}
	}
	return true;
}

static uint32_t half_word(const uint8_t *header, unsigned int offset)
{
	return header[offset] | (uint32_t)header[offset + 1] << 8;
}

static bool gso_check(const uint8_t *header, uint64_t features, uint32_t length)
{
	uint32_t type = header[GSO_TYPE] & ~GSO_ECN;
	uint64_t needed =
		type < sizeof(gso_features) / sizeof(*gso_features) ? gso_features[type] : 0;

	if (needed == 0 || half_word(header, GSO_SIZE) == 0 ||
	    half_word(header, HDR_LEN) > length) {
		return false;
	}
	if (header[GSO_TYPE] & GSO_ECN) {
		if (needed == NET_F_HOST_UFO) {
			return false;
		}
		needed |= NET_F_HOST_ECN;
	}
	return (features & needed) == needed;
}

bool net_header_check(uint8_t *header, uint64_t features, uint32_t length)
{
	if (!(header[FLAGS] & NEEDS_CSUM)) {
		bool plain = header[GSO_TYPE] == GSO_NONE;

		memset(header, 0, NET_HEADER);
		return plain;
	}
	if (!(features & NET_F_CSUM) ||
	    half_word(header, CSUM_START) + half_word(header, CSUM_OFFSET) + 2 > length) {
		return false;
	}
	header[FLAGS] = NEEDS_CSUM;
	memset(header + NET_HEADER_LEGACY, 0, NET_HEADER - NET_HEADER_LEGACY);
	if (header[GSO_TYPE] == GSO_NONE) {
		memset(header + HDR_LEN, 0, CSUM_START - HDR_LEN);
		return true;
	}
	return gso_check(header, features, length);
}

void net_header_widen(struct virtio_chain *chain, uint8_t *header)
{
	struct io_segment *from = chain->segment;
	uint32_t left = NET_HEADER_LEGACY; /* bytes of the header in from[whole] */
	uint16_t whole = 0, more;

	while (left >= from[whole].length) {
		left -= from[whole++].length;
	}
	more = left == 0 ? 1 : 2;
	chain->segment -= more;
	chain->count = (uint16_t)(chain->count + more);
	memmove(chain->segment, from, (whole + more - 1u) * sizeof(*from));
	chain->segment[whole + more - 1u] =
		(struct io_segment){header + NET_HEADER_LEGACY, NET_HEADER - NET_HEADER_LEGACY};
	if (left != 0) {
		chain->segment[whole].length = left;
		from[whole].at += left;
		from[whole].length -= left;
	}
}
