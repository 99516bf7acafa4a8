/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds and verifies the images of the guest bundle, a FIT image. Pure. */
#include <errno.h>
#include <string.h>
#include "dt.h"
#include "fit.h"
#include "refuse.h"
#include "sha256.h"
#include "../drivers/crc32.h"

/*
 * The format: U-Boot, doc/usage/fit/source_file_format.rst. An image is a node under /images with
 * its bytes in `data`, or behind the tree: `data-size` bytes at `data-position` from the bundle's
 * start, or at `data-offset` from the tree's end, rounded up to 4.
 */
#define DISK_SECTOR 512u
#define HASHES_MAX  4 /* of one image: each costs a pass over its bytes */

struct reading {
	struct dt dt;
	const uint8_t *base;
	uint64_t size; /* bytes of the bundle */
	bool disks_used;
};

static int refuse_without(const struct reading *reading, const char *node)
{
	return refuse(reading->dt.error,
		      "the guest bundle has no /%s node; make it with mkbundle, or by mkimage -f",
		      node);
}

/* The configuration to use when none is the default: the only one. */
static int find_only(struct dt_at *at)
{
	struct dt_at only = *at, second;

	if (!dt_next(&only) || only.depth != at->depth + 1) {
		return dt_refuse(
			at, NULL,
			"the guest bundle has no configuration; add one that names kernel and fdt");
	}
	second = only;
	if (dt_skip(&second) && second.depth == only.depth) {
		return dt_refuse(at, "default",
				 "the guest bundle has no default configuration, and more than one "
				 "to choose from");
	}
	*at = only;
	return 0;
}

static int find_configuration(struct reading *reading, struct dt_at *at)
{
	const char *wanted;

	if (!dt_find(at, &reading->dt, "/configurations", 15)) {
		return refuse_without(reading, "configurations");
	}
	wanted = dt_string(&reading->dt, dt_node(at), "default");
	if (wanted == NULL) {
		return find_only(at);
	}
	if (!dt_child(at, wanted, dt_length(wanted))) {
		return refuse(reading->dt.error,
			      "the guest bundle's default configuration %s does not exist", wanted);
	}
	return 0;
}

/* Finds the bytes of an image and checks that they are in the bundle. */
static int find_data(const struct reading *reading, const struct dt_at *at, struct fit_image *image)
{
	const struct dt *dt = &reading->dt;
	uint64_t position = (dt->size + 3) & ~3u;
	uint32_t word;

	image->data = dt_get(dt, dt_node(at), "data", &image->size);
	if (image->data == NULL) {
		if (dt_cell(dt, dt_node(at), "data-position", &word)) {
			position = word;
		} else if (dt_cell(dt, dt_node(at), "data-offset", &word)) {
			position += word;
		} else {
			return dt_refuse(at, "data",
					 "this image has no data: neither data nor data-position "
					 "nor data-offset");
		}
		if (!dt_cell(dt, dt_node(at), "data-size", &image->size)) {
			return dt_refuse(at, "data-size", "this image needs its size, one cell");
		}
		if (position < dt->size) {
			return dt_refuse(at, "data-position",
					 "this image overlaps the bundle's own tree");
		}
		if (position > reading->size || image->size > reading->size - position) {
			return dt_refuse(at, "data-size",
					 "this image ends at %llx, and the bundle already at %llx: "
					 "it is cut off",
					 (unsigned long long)(position + image->size),
					 (unsigned long long)reading->size);
		}
		image->data = reading->base + position;
	}
	if (image->size == 0) {
		return dt_refuse(at, "data", "this image is empty: it has not one byte");
	}
	return 0;
}

/* Verifies one hash node of the image @name. */
static int check_hash(const struct reading *reading, const struct dt_at *at, const char *name,
		      const struct fit_image *image)
{
	const char *algorithm = dt_string(&reading->dt, dt_node(at), "algo");
	uint8_t digest[32];
	uint32_t length, expected;
	const uint8_t *value = dt_get(&reading->dt, dt_node(at), "value", &length);

	if (algorithm == NULL) {
		return dt_refuse(
			at, "algo",
			"this hash does not say its algorithm; sha256 and crc32 are known");
	}
	if (dt_same(algorithm, "sha256")) {
		sha256(image->data, image->size, digest);
		expected = 32;
	} else if (dt_same(algorithm, "crc32")) {
		uint32_t crc = crc32_update(0, image->data, image->size);

		crc = __builtin_bswap32(crc);
		memcpy(digest, &crc, sizeof(crc));
		expected = 4;
	} else {
		return dt_refuse(at, "algo",
				 "the hash algorithm %s is not known; use sha256 or crc32",
				 algorithm);
	}
	if (length != expected) {
		return dt_refuse(at, "value",
				 "a %s has %u bytes, and this one %u; mkimage fills it in",
				 algorithm, (unsigned int)expected, (unsigned int)length);
	}
	if (memcmp(digest, value, expected) != 0) {
		return dt_refuse(at, "value",
				 "the %s of image %s does not match its %u bytes: the bundle was "
				 "damaged; make or copy it again",
				 algorithm, name, (unsigned int)image->size);
	}
	return 0;
}

static int check_hashes(const struct reading *reading, const struct dt_at *at,
			const struct fit_image *image)
{
	struct dt_at child = *at;
	unsigned int count = 0;
	bool more;
	int result;

	for (more = dt_next(&child); more && child.depth > at->depth; more = dt_skip(&child)) {
		if (!dt_begins(dt_name(child.dt, dt_node(&child)), "hash")) {
			continue;
		}
		if (++count > HASHES_MAX) {
			return dt_refuse(&child, NULL,
					 "an image has at most 4 hashes; one is enough");
		}
		result = check_hash(reading, &child, dt_name(at->dt, dt_node(at)), image);
		if (result != 0) {
			return result;
		}
	}
	if (count == 0) {
		return dt_refuse(
			at, NULL,
			"this image has no hash; add a node hash-1 with algo = \"sha256\"");
	}
	return 0;
}

static int read_address(const struct reading *reading, const struct dt_at *at, const char *name,
			bool *has, uint64_t *address)
{
	*has = dt_has(&reading->dt, dt_node(at), name);
	if (*has && !dt_number(&reading->dt, dt_node(at), name, address)) {
		return dt_refuse(at, name, "an address has one or two cells");
	}
	return 0;
}

/* Finds the image @name, which @property of the configuration asks for. */
static int find_image(const struct reading *reading, const struct dt_at *configuration,
		      const char *property, const char *name, struct dt_at *at)
{
	const struct dt *dt = &reading->dt;

	if (!dt_find(at, dt, "/images", 7)) {
		return refuse_without(reading, "images");
	}
	if (!dt_child(at, name, dt_length(name))) {
		return dt_refuse(configuration, property, "there is no image %s under /images",
				 name);
	}
	if (dt_has(dt, dt_node(at), "compression") &&
	    !dt_is(dt, dt_node(at), "compression", "none")) {
		return dt_refuse(at, "compression",
				 "bivy unpacks nothing; pack this image uncompressed, and say "
				 "\"none\" here (Linux unpacks its own kernel and initrd)");
	}
	return 0;
}

/* Reads the image that @property of the configuration names, and verifies it. */
static int read_image(const struct reading *reading, const struct dt_at *configuration,
		      const char *property, struct fit_image *image)
{
	const char *name = dt_string(&reading->dt, dt_node(configuration), property);
	struct dt_at at;

	if (name == NULL) {
		return dt_refuse(configuration, property,
				 "this must name one image (overlays are not applied)");
	}
	return find_image(reading, configuration, property, name, &at)
		       ?: find_data(reading, &at, image)
		       ?: read_address(reading, &at, "load", &image->has_load, &image->load)
		       ?: read_address(reading, &at, "entry", &image->has_entry, &image->entry)
		       ?: check_hashes(reading, &at, image);
}

static int read_disk(const struct reading *reading, const struct dt_at *configuration,
		     const char *name, struct fit_image *disk)
{
	struct dt_at at;
	int result = find_image(reading, configuration, "loadables", name, &at)
			     ?: find_data(reading, &at, disk);

	if (result == 0 && disk->size % DISK_SECTOR != 0) {
		return dt_refuse(&at, "data", "a disk is a multiple of 512 bytes, and this has %u",
				 (unsigned int)disk->size);
	}
	return result == 0 && !reading->disks_used ? check_hashes(reading, &at, disk) : result;
}

/* The images that the configuration calls loadables are disks: ram0 and so on. */
static int read_disks(const struct reading *reading, const struct dt_at *at,
		      struct fit_bundle *bundle)
{
	uint32_t length = 0, start = 0;
	const char *names = (const char *)dt_get(&reading->dt, dt_node(at), "loadables", &length);
	int result = 0;

	if (names == NULL) {
		return 0;
	}
	if (length == 0 || names[length - 1] != '\0') {
		return dt_refuse(at, "loadables", "this must be a list of images, the disks");
	}
	for (; result == 0 && start < length; start += dt_length(names + start) + 1) {
		if (bundle->disk_count == FIT_DISKS_MAX) {
			return dt_refuse(at, "loadables", "a bundle has at most 4 disks");
		}
		result = read_disk(reading, at, names + start, &bundle->disk[bundle->disk_count++]);
	}
	return result;
}

/* Whether two images share bytes of the bundle. */
static bool images_overlap(const struct fit_bundle *bundle)
{
	const struct fit_image *image[3 + FIT_DISKS_MAX] = {&bundle->kernel, &bundle->fdt,
							    &bundle->initrd};
	unsigned int count = 3;

	for (unsigned int i = 0; i < bundle->disk_count; i++) {
		image[count++] = &bundle->disk[i];
	}
	for (unsigned int i = 0; i < count; i++) {
		for (unsigned int j = 0; j < i; j++) {
			const struct fit_image *a = image[i], *b = image[j];

			if (a->data != NULL && b->data != NULL && a->data < b->data + b->size &&
			    b->data < a->data + a->size) {
				return true;
			}
		}
	}
	return false;
}

static int read_bootargs(const struct reading *reading, const struct dt_at *at,
			 struct fit_bundle *bundle)
{
	const char *bootargs;

	bundle->has_bootargs = dt_has(&reading->dt, dt_node(at), "bivy,bootargs");
	if (!bundle->has_bootargs) {
		return 0;
	}
	bootargs = dt_string(&reading->dt, dt_node(at), "bivy,bootargs");
	if (bootargs == NULL || dt_length(bootargs) >= sizeof(bundle->bootargs)) {
		return dt_refuse(at, "bivy,bootargs",
				 "the boot arguments must be one string of at most %u bytes",
				 (unsigned int)sizeof(bundle->bootargs) - 1);
	}
	copy_printable(bundle->bootargs, sizeof(bundle->bootargs), bootargs);
	return 0;
}

int fit_read(const void *fit, uint64_t size, bool disks_used, struct fit_bundle *bundle,
	     struct config_error *error)
{
	struct reading reading = {.base = fit, .size = size, .disks_used = disks_used};
	struct dt_at at;
	int result = dt_open(&reading.dt, fit, size, "the guest bundle", error);

	*bundle = (struct fit_bundle){0};
	result = result ?: find_configuration(&reading, &at)
			?: read_image(&reading, &at, "kernel", &bundle->kernel)
			?: read_image(&reading, &at, "fdt", &bundle->fdt);
	if (result == 0 && dt_has(&reading.dt, dt_node(&at), "ramdisk")) {
		result = read_image(&reading, &at, "ramdisk", &bundle->initrd);
	}
	result = result ?: read_disks(&reading, &at, bundle) ?: read_bootargs(&reading, &at, bundle);
	if (result == 0 && images_overlap(bundle)) {
		return dt_refuse(&at, NULL,
				 "two images of this configuration share bytes of the bundle; make "
				 "it again");
	}
	return result;
}
