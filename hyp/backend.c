/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device node of the guest's tree asks for: its kind, what stands behind it. Pure. */
#include "backend.h"
#include "dt.h"
#include "refuse.h"

#define SECTOR      512u
#define OVERLAY_MAX 2048u /* MiB */

#define MAY(kind)     (1u << (kind))
#define DISK_BACKENDS (MAY(BACKEND_VIRTIO) | MAY(BACKEND_SD) | MAY(BACKEND_RAM))

static const struct virtio_kind {
	const char *name;
	enum device_kind kind;
	uint16_t backends;    /* MAY() of them */
	const char *examples; /* for a sentence */
} virtio_kinds[] = {
	{"console", DEVICE_VIRTIO_CONSOLE, MAY(BACKEND_ANY) | MAY(BACKEND_UART), "\"uart\""},
	{"block", DEVICE_VIRTIO_BLOCK, DISK_BACKENDS,
	 "\"virtio0\", \"virtio0:part1\", \"virtio0:0x100000+0x200000\", \"sd0\" or \"ram0\""},
	{"net", DEVICE_VIRTIO_NET,
	 MAY(BACKEND_VIRTIO) | MAY(BACKEND_ETHERNET) | MAY(BACKEND_LOOPBACK),
	 "\"virtio0\", \"eth0\" or \"loopback\""},
	{"rng", DEVICE_VIRTIO_RNG, MAY(BACKEND_ANY) | MAY(BACKEND_VIRTIO) | MAY(BACKEND_FIRMWARE),
	 "\"virtio0\" or \"firmware\""},
};

static const struct virtio_kind flash_kind = {
	"flash", DEVICE_FLASH, MAY(BACKEND_NONE) | DISK_BACKENDS,
	"\"none\", \"virtio0\", \"virtio0:part1\", \"sd0\" or \"ram0\""};

static const struct {
	const char *name;
	enum backend_kind kind;
	bool numbered;
} backends[] = {
	{"uart", BACKEND_UART, false},
	{"virtio", BACKEND_VIRTIO, true},
	{"sd", BACKEND_SD, true},
	{"eth", BACKEND_ETHERNET, true},
	{"ram", BACKEND_RAM, true},
	{"loopback", BACKEND_LOOPBACK, false},
	{"firmware", BACKEND_FIRMWARE, false},
	{"none", BACKEND_NONE, false},
};

/* Takes @word from the text's front. */
static bool take(const char **text, const char *word)
{
	const char *at = *text;

	while (*word != '\0' && *at == *word) {
		at++;
		word++;
	}
	if (*word == '\0') {
		*text = at;
	}
	return *word == '\0';
}

static unsigned int digit_of(char c)
{
	if (c >= '0' && c <= '9') {
		return (unsigned int)(c - '0');
	}
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (unsigned int)((c | 0x20) - 'a' + 10) : 16;
}

/* Takes a number up to @max from the text's front, decimal or hexadecimal with 0x. */
static bool take_number(const char **text, uint64_t max, uint64_t *number)
{
	const unsigned int radix = take(text, "0x") ? 16 : 10;
	bool any = false;

	for (*number = 0; digit_of(**text) < radix; (*text)++) {
		const unsigned int digit = digit_of(**text);

		if (*number > (max - digit) / radix) {
			return false;
		}
		*number = *number * radix + digit;
		any = true;
	}
	return any;
}

/* ":partN" or ":START+LENGTH". */
static bool take_range(const char **text, struct backend_config *backend)
{
	uint64_t part;

	if (take(text, "part")) {
		if (!take_number(text, 255, &part)) {
			return false;
		}
		backend->part = (unsigned int)part;
		return part != 0;
	}
	return take_number(text, INT64_MAX, &backend->start) && take(text, "+") &&
	       take_number(text, INT64_MAX, &backend->length) && backend->length != 0 &&
	       backend->start % SECTOR == 0 && backend->length % SECTOR == 0;
}

static bool parse(const char *text, struct backend_config *backend)
{
	uint64_t number = 0;

	for (unsigned int i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
		if (!take(&text, backends[i].name)) {
			continue;
		}
		backend->kind = backends[i].kind;
		if (backends[i].numbered && !take_number(&text, 31, &number)) {
			return false;
		}
		backend->number = (unsigned int)number;
		if (backends[i].numbered && take(&text, ":") && !take_range(&text, backend)) {
			return false;
		}
		return *text == '\0';
	}
	return false;
}

static int read_backend(const struct dt_at *at, const struct virtio_kind *kind,
			struct backend_config *backend)
{
	const char *text = dt_string(at->dt, dt_node(at), "bivy,backend");

	if (dt_has(at->dt, dt_node(at), "bivy,backend") &&
	    (text == NULL || !parse(text, backend) || backend->kind == BACKEND_ANY)) {
		return dt_refuse(at, "bivy,backend",
				 "there is no such backend; this device can have %s",
				 kind->examples);
	}
	if ((kind->backends & MAY(backend->kind)) == 0) {
		return dt_refuse(at, "bivy,backend",
				 "this device needs a backend that it can have: %s",
				 kind->examples);
	}
	if ((backend->part != 0 || backend->length != 0) && kind->kind != DEVICE_VIRTIO_BLOCK &&
	    kind->kind != DEVICE_FLASH) {
		return dt_refuse(at, "bivy,backend", "only a disk has partitions and ranges");
	}
	return 0;
}

static int read_disk(const struct dt_at *at, struct device_config *device)
{
	const struct dt *dt = at->dt;
	const uint32_t node = dt_node(at);

	device->read_only = dt_has(dt, node, "bivy,read-only");
	if (dt_has(dt, node, "bivy,overlay") &&
	    (!dt_cell(dt, node, "bivy,overlay", &device->overlay) || device->overlay == 0 ||
	     device->overlay > OVERLAY_MAX)) {
		return dt_refuse(at, "bivy,overlay",
				 "this must be the MiB of RAM that take the writes, 1 to %u",
				 OVERLAY_MAX);
	}
	return 0;
}

static int read_virtio(const struct dt_at *at, struct device_config *device)
{
	const struct dt *dt = at->dt;
	const uint32_t node = dt_node(at);
	int result;

	device->kind = DEVICE_VIRTIO_NONE;
	device->legacy = dt_has(dt, node, "bivy,legacy");
	if (!dt_has(dt, node, "bivy,virtio")) {
		return !dt_has(dt, node, "bivy,backend")
			       ? 0
			       : dt_refuse(at, "bivy,backend",
					   "an empty transport has no backend; say what it is by "
					   "bivy,virtio");
	}
	for (unsigned int i = 0; i < sizeof(virtio_kinds) / sizeof(virtio_kinds[0]); i++) {
		if (dt_is(dt, node, "bivy,virtio", virtio_kinds[i].name)) {
			device->kind = virtio_kinds[i].kind;
			result = read_backend(at, &virtio_kinds[i], &device->backend);
			return result == 0 && device->kind == DEVICE_VIRTIO_BLOCK
				       ? read_disk(at, device)
				       : result;
		}
	}
	return dt_refuse(at, "bivy,virtio",
			 "there is no such virtio device; bivy has \"console\", \"block\", \"net\" "
			 "and \"rng\"");
}

int device_read(const struct dt_at *at, struct device_config *device)
{
	if (dt_compatible(at->dt, dt_node(at), "virtio,mmio")) {
		return read_virtio(at, device);
	}
	if (dt_compatible(at->dt, dt_node(at), "arm,pl031")) {
		device->kind = DEVICE_PL031;
		return 0;
	}
	if (dt_compatible(at->dt, dt_node(at), "cfi-flash")) {
		device->kind = DEVICE_FLASH;
		return read_backend(at, &flash_kind, &device->backend);
	}
	device->kind = DEVICE_PL011;
	return read_backend(at, &virtio_kinds[0], &device->backend);
}
