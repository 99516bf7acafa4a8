/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks a guest on the build machine with the code that reads it at boot.
 *
 *   checkdt [--bundle] GUEST [BOARD]
 *
 * GUEST: a device tree blob or a bundle (FIT), with --bundle a bundle whatever it looks like;
 * BOARD: a device tree blob. Exit status: 0 if bivy would accept the guest; 1 if it would refuse
 * it, 3 if it would refuse the board, then stdout has one line "NODE<tab>PROPERTY<tab>SENTENCE"; 2
 * if a file can't be read. Called by tools/checkguest, which adds the line of the .dts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libfdt.h>
#include "../hyp/config.h"
#include "../hyp/fit.h"
#include "../hyp/passthrough.h"

#define FILE_SIZE_MAX (512u << 20)
#define TREE_SIZE_MAX (1u << 20) /* what is larger holds a kernel */
#define INTIDS_MAX    1024 /* GICv2 IHI 0048B 2.2.1; what the board's GIC has, its registers tell */

struct file {
	uint8_t *bytes; /* malloc'ed, so aligned for anything */
	uint32_t size;
};

static int fail(const char *path, const char *why)
{
	fprintf(stderr, "checkdt: %s: %s\n", path, why);
	return 2;
}

/* Reads a whole file. Returns 0, or the exit status after a sentence on stderr. */
static int read_file(const char *path, struct file *file)
{
	FILE *stream = fopen(path, "rb");
	long size;

	if (stream == NULL) {
		return fail(path, strerror(errno));
	}
	if (fseek(stream, 0, SEEK_END) != 0 || (size = ftell(stream)) < 0) {
		fclose(stream);
		return fail(path, "not a regular file");
	}
	if (size == 0 || size > (long)FILE_SIZE_MAX) {
		fclose(stream);
		return fail(path, "the file is empty, or larger than 512 MiB");
	}
	rewind(stream);
	file->size = (uint32_t)size;
	file->bytes = malloc(file->size);
	if (file->bytes == NULL || fread(file->bytes, file->size, 1, stream) != 1) {
		fclose(stream);
		return fail(path, "the file could not be read to its end");
	}
	fclose(stream);
	return 0;
}

static int refuse(const struct config_error *error)
{
	printf("%s\t%s\t%s\n", error->node, error->property, error->text);
	return 1;
}

static bool is_bundle(const struct file *file)
{
	if (file->size < sizeof(struct fdt_header) || fdt_check_header(file->bytes) != 0) {
		return false;
	}
	if (fdt_totalsize(file->bytes) > file->size) {
		/* Cut off: only its size can tell. */
		return fdt_totalsize(file->bytes) > TREE_SIZE_MAX;
	}
	return fdt_path_offset(file->bytes, "/images") >= 0;
}

/* Makes @tree the bundle's device tree, aligned, after the check of the rest of the bundle. */
static int open_bundle(const struct file *bundle, struct fit_bundle *fit, struct file *tree)
{
	struct config_error error = {0};

	if (fit_read(bundle->bytes, bundle->size, false, fit, &error) != 0) {
		return refuse(&error);
	}
	tree->size = fit->fdt.size;
	tree->bytes = malloc(tree->size + 1);
	if (tree->bytes == NULL) {
		return fail("the bundle's tree", strerror(errno));
	}
	memcpy(tree->bytes, fit->fdt.data, tree->size);
	return 0;
}

/* @board_tree may be empty; @fit all zero if there is no bundle. */
static int check(const struct file *tree, const struct fit_bundle *fit,
		 const struct file *board_tree)
{
	static struct guest_config config;
	static struct board board = {.ram = {.size = GUEST_RAM_MAX}};
	static struct kernel_layout layout;
	static struct passthrough passed;
	struct config_error error = {0};
	struct range place;

	if (config_read(tree->bytes, tree->size, &config, &error) != 0) {
		return refuse(&error);
	}
	if (board_tree->bytes != NULL) {
		if (board_read(board_tree->bytes, board_tree->size, &board, &error) != 0) {
			refuse(&error);
			return 3;
		}
		if (config_check(&config, &board, INTIDS_MAX, &error) != 0 ||
		    passthrough_resolve(&passed, board_tree->bytes, board_tree->size, &config,
					&board, INTIDS_MAX, &error) != 0) {
			return refuse(&error);
		}
		if (passed.masters && config.ram_base - board.ram.base >= board.ram.size) {
			snprintf(error.text, sizeof(error.text),
				 "memory: a device that is passed through masters the bus, so this "
				 "must begin where the board has RAM, from %llx on",
				 (unsigned long long)board.ram.base);
			return refuse(&error);
		}
	}
	if (fit->kernel.data != NULL && config_check_disks(&config, fit->disk_count, &error) != 0) {
		return refuse(&error);
	}
	config_window(&config, &board, 0, &place);
	place = config_kernel_range(&config, place.size,
				    fit->kernel.has_load ? fit->kernel.load : config.ram_base);
	if (fit->kernel.data != NULL &&
	    kernel_identify(&fit->kernel, place.base, place.size, &layout, &error) != 0) {
		return refuse(&error);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct fit_bundle fit;
	struct file guest = {0}, tree, board = {0};
	bool bundle = argc > 1 && strcmp(argv[1], "--bundle") == 0;
	int status;

	argc -= bundle;
	argv += bundle;
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: checkdt [--bundle] GUEST [BOARD]\n");
		return 2;
	}
	status = read_file(argv[1], &guest);
	if (status == 0 && argc == 3) {
		status = read_file(argv[2], &board);
	}
	tree = guest;
	if (status == 0 && (bundle || is_bundle(&guest))) {
		status = open_bundle(&guest, &fit, &tree);
	}
	if (status == 0) {
		status = check(&tree, &fit, &board);
	}
	if (tree.bytes != guest.bytes) {
		free(tree.bytes);
	}
	free(guest.bytes);
	free(board.bytes);
	return status;
}
