/* SPDX-License-Identifier: BSD-2-Clause */
/* Which properties of a device tree refer to other nodes. Pure. */
#ifndef HYP_DTREF_H
#define HYP_DTREF_H

#include "dt.h"

/* An entry of a list that stands for nothing. */
static inline bool dtref_is_hole(uint32_t phandle)
{
	return phandle == 0 || phandle == ~0u;
}

/* A number of cells that a node says of itself; none said or nonsense: none. */
uint32_t dtref_cells(const struct dt_at *at, const char *property);

/* Bytes from a reference of @property that begins with @phandle to the next; 0: it has none. */
uint32_t dtref_stride(const struct dt *dt, const char *property, uint32_t phandle);

/* MSI controllers and IOMMUs, without which a device can do. */
bool dtref_is_dropped(const char *property);

/* One entry of `interrupt-map` (Devicetree Specification v0.3, 2.4.3), its parts in bytes. */
struct interrupt_map_entry {
	uint32_t child;     /* unit address and specifier of who interrupts */
	uint32_t parent;    /* phandle of the controller, behind them; no number of bytes */
	uint32_t address;   /* the unit address there */
	uint32_t specifier; /* and the specifier */
};

/*
 * Reads the entry at @offset of the node's `interrupt-map`, @length bytes at @map. Returns its size
 * in bytes, 0 if it is cut off or leads to no node.
 */
uint32_t dtref_map_entry(const struct dt_at *at, const uint8_t *map, uint32_t length,
			 uint32_t offset, struct interrupt_map_entry *entry);

#endif
