/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest bundle: mkimage's are read, and every broken one gets its own sentence. */
#include "suite.h"
#include "tree.h"
#include "drivers/crc32.h"
#include "hyp/fit.h"
#include "hyp/sha256.h"

#define KERNEL "/images/kernel-1"
#define INITRD "/images/initrd-1"
#define CONF   "/configurations/conf-1"

static uint8_t *bundle, *external, *position;
static size_t bundle_size, external_size, position_size;

static int load(void **state)
{
	(void)state;
	bundle = tree_load("bundle.itb", &bundle_size);
	external = tree_load("bundle-external.itb", &external_size);
	position = tree_load("bundle-position.itb", &position_size);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	free(bundle);
	free(external);
	free(position);
	return 0;
}

static void test_crc32(void **state)
{
	(void)state;
	assert_int_equal(crc32_update(0, "", 0), 0);
	assert_int_equal(crc32_update(0, "123456789", 9), 0xcbf43926);
	assert_int_equal(crc32_update(crc32_update(0, "1234", 4), "56789", 5), 0xcbf43926);
}

/* FIPS 180-4's examples as NIST publishes them, and a message longer than a block. */
static void test_sha256(void **state)
{
	static const struct {
		const char *text;
		uint32_t repeat;
		const char *digest;
	} row[] = {
		/* clang-format off */
		{"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
		/* clang-format on */
	};
	uint8_t digest[32];
	char hex[65];
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		size_t length = strlen(row[i].text);
		char *message = malloc(length * row[i].repeat + 1);

		for (j = 0; j < row[i].repeat; j++) {
			memcpy(message + j * length, row[i].text, length);
		}
		sha256(message, (uint32_t)(length * row[i].repeat), digest);
		for (j = 0; j < 32; j++) {
			snprintf(hex + 2 * j, 3, "%02x", digest[j]);
		}
		assert_string_equal(hex, row[i].digest);
		free(message);
	}
}

static void assert_image(const struct fit_image *image, const char *text, size_t size)
{
	assert_int_equal(image->size, size);
	assert_memory_equal(image->data, text, size);
}

static void assert_bundle(const void *fit, size_t size)
{
	struct fit_bundle found;
	struct config_error error;

	if (fit_read(fit, size, false, &found, &error) != 0) {
		fail_msg("%s: %s: %s", error.node, error.property, error.text);
	}
	assert_image(&found.kernel, "these are the bytes of a kernel", 32);
	assert_image(&found.fdt, "these are the bytes of a tree", 30);
	assert_image(&found.initrd, "these are the bytes of an initrd", 33);
	assert_true(found.kernel.has_load && found.kernel.has_entry);
	assert_int_equal(found.kernel.load, 0x40010000);
	assert_int_equal(found.kernel.entry, 0x40010004);
	assert_false(found.initrd.has_load || found.initrd.has_entry);
	assert_true(found.has_bootargs);
	assert_string_equal(found.bootargs, "console=ttyAMA0");
}

static void test_mkimage(void **state)
{
	(void)state;
	assert_bundle(bundle, bundle_size);
	assert_bundle(external, external_size);
	assert_bundle(position, position_size);
}

static void read_changed(const struct change *change, unsigned int count, struct fit_bundle *found)
{
	struct config_error error;
	size_t size;
	void *changed = tree_changed(bundle, change, count, &size);

	if (fit_read(changed, size, false, found, &error) != 0) {
		fail_msg("%s: %s: %s", error.node, error.property, error.text);
	}
	free(changed);
}

static void test_variants(void **state)
{
	struct fit_bundle found;

	(void)state;
	read_changed((const struct change[]){DROP(CONF, "ramdisk"), DROP(CONF, "bivy,bootargs")}, 2,
		     &found);
	assert_null(found.initrd.data);
	assert_false(found.has_bootargs);
	assert_string_equal(found.bootargs, "");
	read_changed((const struct change[]){DROP("/configurations", "default")}, 1, &found);
	assert_int_equal(found.kernel.size, 32);
	read_changed((const struct change[]){DROP(KERNEL, "compression")}, 1, &found);
	read_changed((const struct change[]){DROP(KERNEL, "load"),
					     CELLS(KERNEL, "entry", 1, 0x80000000)},
		     2, &found);
	assert_false(found.kernel.has_load);
	assert_int_equal(found.kernel.entry, 0x180000000);
	read_changed((const struct change[]){STRING(CONF, "bivy,bootargs", "")}, 1, &found);
	assert_true(found.has_bootargs);
	read_changed((const struct change[]){STRING("/configurations/conf-2", "kernel", "nothing")},
		     1, &found);
	read_changed(
		(const struct change[]){STRING(KERNEL "/signature-1", "algo", "sha256,rsa2048")}, 1,
		&found);
}

/* The initrd becomes a disk of two sectors, of this list of names. */
static void *with_disk(const char *names, int length, size_t *size)
{
	static uint8_t sectors[1024];
	const uint32_t crc = crc32_update(0, sectors, sizeof(sectors));
	const struct change change[] = {
		DROP(CONF, "ramdisk"),
		{CONF, "loadables", CHANGE_BYTES, names, length, {0}},
		{INITRD, "data", CHANGE_BYTES, (const char *)sectors, sizeof(sectors), {0}},
		STRING(INITRD "/hash-1", "algo", "crc32"),
		CELLS(INITRD "/hash-1", "value", crc),
	};

	return tree_changed(bundle, change, 5, size);
}

static void test_disks(void **state)
{
	struct fit_bundle found;
	struct config_error error;
	size_t size;
	uint8_t *changed = with_disk("initrd-1", 9, &size);

	(void)state;
	assert_int_equal(fit_read(changed, size, false, &found, &error), 0);
	assert_int_equal(found.disk_count, 1);
	assert_int_equal(found.disk[0].size, 1024);
	assert_null(found.initrd.data);
	changed[found.disk[0].data - changed + 1000] ^= 1; /* a guest wrote to it */
	assert_int_equal(fit_read(changed, size, true, &found, &error), 0);
	assert_int_equal(found.disk_count, 1);
	assert_refused(fit_read(changed, size, false, &found, &error), &error, "a used disk",
		       "crc32 of image initrd-1 does not match");
	free(changed);
	changed = with_disk("initrd-1\0initrd-1", 18, &size);
	assert_refused(fit_read(changed, size, false, &found, &error), &error, "one disk twice",
		       "share bytes");
	free(changed);
	changed = with_disk("initrd-1\0initrd-1\0initrd-1\0initrd-1\0initrd-1", 45, &size);
	assert_refused(fit_read(changed, size, false, &found, &error), &error, "five disks",
		       "at most 4 disks");
	free(changed);
}

static const struct refusal {
	const char *what, *node, *part;
	struct change change[3];
} refusals[] = {
	/* clang-format off */
	{"no images", "", "no /images", {DROP("/images", NULL)}},
	{"no configurations", "", "no /configurations", {DROP("/configurations", NULL)}},
	{"an empty list of configurations", "/configurations", "no configuration;", {DROP(CONF, NULL), DROP("/configurations", "default")}},
	{"an empty list in front of the images", "/configurations", "no configuration;", {DROP("/configurations", NULL), ADD("/configurations")}},
	{"no default among two", "/configurations", "no default configuration", {STRING("/configurations/conf-2", "kernel", "kernel-1"), DROP("/configurations", "default")}},
	{"a default that is not there", "", "default configuration conf-7 does", {STRING("/configurations", "default", "conf-7")}},
	{"a default with an escape", "", "configuration ?[2J does", {STRING("/configurations", "default", "\x1b[2J")}},
	{"no kernel", CONF, "must name one image", {DROP(CONF, "kernel")}},
	{"no tree", CONF, "must name one image", {DROP(CONF, "fdt")}},
	{"two trees", CONF, "overlays are not applied", {STRING(CONF, "fdt", "fdt-1\0fdt-2")}},
	{"a kernel that is not there", CONF, "no image kernel-2", {STRING(CONF, "kernel", "kernel-2")}},
	{"an initrd that is not there", CONF, "no image initrd-2", {STRING(CONF, "ramdisk", "initrd-2")}},
	{"an initrd that is no name", CONF, "must name one image", {CELLS(CONF, "ramdisk", 1)}},
	{"a compressed kernel", KERNEL, "uncompressed", {STRING(KERNEL, "compression", "gzip")}},
	{"a compressed initrd", "/images/initrd-1", "uncompressed", {STRING("/images/initrd-1", "compression", "lz4")}},
	{"a compression of a number", KERNEL, "uncompressed", {CELLS(KERNEL, "compression", 0)}},
	{"no data", KERNEL, "has no data", {DROP(KERNEL, "data")}},
	{"empty data", KERNEL, "is empty", {EMPTY(KERNEL, "data")}},
	{"no hash", KERNEL, "has no hash", {DROP(KERNEL "/hash-1", NULL), DROP(KERNEL "/hash-2", NULL)}},
	{"no hash but what sounds like one", "/images/initrd-1", "has no hash", {DROP("/images/initrd-1/hash-1", NULL), STRING("/images/initrd-1/has-1", "algo", "md5"), STRING("/images/initrd-1/xash-1", "algo", "md5")}},
	{"no algorithm", KERNEL "/hash-1", "does not say its algorithm", {DROP(KERNEL "/hash-1", "algo")}},
	{"an unknown algorithm", KERNEL "/hash-2", "md5 is not known", {STRING(KERNEL "/hash-2", "algo", "md5")}},
	{"sha1", KERNEL "/hash-1", "sha1 is not known", {STRING(KERNEL "/hash-1", "algo", "sha1")}},
	{"no value", KERNEL "/hash-1", "a sha256 has 32 bytes, and this one 0", {DROP(KERNEL "/hash-1", "value")}},
	{"half a sha256", KERNEL "/hash-1", "a sha256 has 32 bytes, and this one 16", {CELLS(KERNEL "/hash-1", "value", 1, 2, 3, 4)}},
	{"a crc32 of eight bytes", KERNEL "/hash-2", "a crc32 has 4 bytes, and this one 8", {CELLS(KERNEL "/hash-2", "value", 1, 2)}},
	{"a wrong sha256", KERNEL "/hash-1", "sha256 of image kernel-1 does not match", {CELLS(KERNEL "/hash-1", "value", 1, 2, 3, 4, 5, 6, 7, 8)}},
	{"a wrong crc32", KERNEL "/hash-2", "crc32 of image kernel-1 does not match", {CELLS(KERNEL "/hash-2", "value", 1)}},
	{"a crc32 with another first byte", KERNEL "/hash-2", "crc32 of image kernel-1 does not match", {CELLS(KERNEL "/hash-2", "value", 0x455f413a)}},
	{"a crc32 with another last byte", KERNEL "/hash-2", "crc32 of image kernel-1 does not match", {CELLS(KERNEL "/hash-2", "value", 0x355f413b)}},
	{"a wrong crc32 of the tree", "/images/fdt-1/hash-1", "crc32 of image fdt-1 does not match", {CELLS("/images/fdt-1/hash-1", "value", 0)}},
	{"other bytes", "/images/initrd-1/hash-1", "sha256 of image initrd-1 does not match its 6", {STRING("/images/initrd-1", "data", "other")}},
	{"no size", KERNEL, "needs its size", {DROP(KERNEL, "data"), CELLS(KERNEL, "data-position", 0x1000)}},
	{"a size of two cells", KERNEL, "needs its size", {DROP(KERNEL, "data"), CELLS(KERNEL, "data-position", 0x1000), CELLS(KERNEL, "data-size", 0, 1)}},
	{"in the tree itself", KERNEL, "overlaps the bundle's own tree", {DROP(KERNEL, "data"), CELLS(KERNEL, "data-position", 0), CELLS(KERNEL, "data-size", 4)}},
	{"behind the bundle", KERNEL, "cut off", {DROP(KERNEL, "data"), CELLS(KERNEL, "data-position", 0x10000), CELLS(KERNEL, "data-size", 4)}},
	{"at the end of memory", KERNEL, "cut off", {DROP(KERNEL, "data"), CELLS(KERNEL, "data-position", 0xffffffff), CELLS(KERNEL, "data-size", 0xffffffff)}},
	{"an offset that wraps", KERNEL, "cut off", {DROP(KERNEL, "data"), CELLS(KERNEL, "data-offset", 0xfffffff0), CELLS(KERNEL, "data-size", 0x20)}},
	{"a position of 2^63", KERNEL, "has no data", {DROP(KERNEL, "data"), CELLS(KERNEL, "data-position", 0x80000000, 0), CELLS(KERNEL, "data-size", 4)}},
	{"one image twice", CONF, "share bytes", {STRING(CONF, "fdt", "kernel-1")}},
	{"load of three cells", KERNEL, "one or two cells", {CELLS(KERNEL, "load", 0, 0, 1)}},
	{"entry without cells", KERNEL, "one or two cells", {EMPTY(KERNEL, "entry")}},
	{"disks that are no list", CONF, "a list of images", {CELLS(CONF, "loadables", 1)}},
	{"no disks in the list", CONF, "a list of images", {EMPTY(CONF, "loadables")}},
	{"a disk that is not there", CONF, "no image disk-1", {STRING(CONF, "loadables", "disk-1")}},
	{"a disk without a name", CONF, "no image ", {STRING(CONF, "loadables", "")}},
	{"a disk of no whole sectors", INITRD, "multiple of 512 bytes, and this has 33", {STRING(CONF, "loadables", "initrd-1")}},
	{"bootargs that are no string", CONF, "boot arguments", {CELLS(CONF, "bivy,bootargs", 0x61616161)}},
	{"two bootargs", CONF, "boot arguments", {STRING(CONF, "bivy,bootargs", "a\0b")}},
	/* clang-format on */
};

static void test_refusals(void **state)
{
	struct fit_bundle found;
	struct config_error error;
	size_t i, size;

	(void)state;
	for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *row = &refusals[i];
		void *changed = tree_changed(bundle, row->change, 3, &size);

		error_fill(&error);
		assert_refused(fit_read(changed, size, false, &found, &error), &error, row->what,
			       row->part);
		if (strcmp(error.node, row->node) != 0) {
			fail_msg("%s: at %s", row->what, error.node);
		}
		free(changed);
	}
	print_message("%zu bundles refused, each with its place and its sentence\n", i);
}

/* Each hash costs a pass over the image, so their number has a bound. */
static void test_many_hashes(void **state)
{
	static const struct change change[] = {
		STRING(KERNEL "/hash-3", "algo", "crc32"),
		CELLS(KERNEL "/hash-3", "value", 0x355f413a),
		STRING(KERNEL "/hash@4", "algo", "crc32"),
		CELLS(KERNEL "/hash@4", "value", 0x355f413a),
		STRING(KERNEL "/hash-5", "algo", "crc32"),
		CELLS(KERNEL "/hash-5", "value", 0x355f413a),
	};
	struct fit_bundle found;
	struct config_error error;
	size_t size;
	void *changed = tree_changed(bundle, change, 6, &size);

	(void)state;
	read_changed(change, 4, &found);
	assert_refused(fit_read(changed, size, false, &found, &error), &error, "hashes",
		       "at most 4 hashes");
	free(changed);
}

static void test_long_bootargs(void **state)
{
	struct change change = {CONF, "bivy,bootargs", CHANGE_BYTES, NULL, 0, {0}};
	struct fit_bundle found;
	struct config_error error;
	char text[1025];
	size_t size;
	void *changed;

	(void)state;
	memset(text, 'b', sizeof(text));
	text[1023] = '\0';
	change.bytes = text;
	change.size = 1024;
	read_changed(&change, 1, &found);
	assert_string_equal(found.bootargs, text);
	text[1023] = 'b';
	text[1024] = '\0';
	change.size = 1025;
	changed = tree_changed(bundle, &change, 1, &size);
	assert_refused(fit_read(changed, size, false, &found, &error), &error, "bootargs",
		       "at most 1023 bytes");
	free(changed);
}

/* Images behind the tree that share bytes, though their hashes match. */
static void test_overlap(void **state)
{
	static const struct change change[] = {
		CELLS("/images/initrd-1", "data-offset", 0),
		CELLS("/images/initrd-1", "data-size", 32),
		STRING("/images/initrd-1/hash-1", "algo", "crc32"),
		CELLS("/images/initrd-1/hash-1", "value", 0x355f413a),
	};
	struct fit_bundle found;
	struct config_error error;
	uint8_t *room = malloc(TREE_ROOM);
	size_t size = fdt_totalsize(external), align = (size + 3) & ~3ul, i;

	(void)state;
	assert_int_equal(fdt_open_into(external, room, TREE_ROOM), 0);
	for (i = 0; i < 4; i++) {
		tree_change(room, &change[i]);
	}
	fdt_pack(room);
	size = (fdt_totalsize(room) + 3) & ~3u;
	memcpy(room + size, external + align, external_size - align);
	assert_refused(fit_read(room, size + external_size - align, false, &found, &error), &error,
		       "overlap", "share bytes");
	free(room);
}

static void test_no_bundle(void **state)
{
	uint8_t bytes[64] = {0x1f, 0x8b};
	struct fit_bundle found;
	struct config_error error;

	(void)state;
	assert_refused(fit_read(bytes, sizeof(bytes), false, &found, &error), &error, "gzip",
		       "does not begin");
	assert_refused(fit_read(bytes, 0, false, &found, &error), &error, "nothing", "cut off");
	assert_refused(fit_read(bundle + 2, bundle_size - 2, false, &found, &error), &error,
		       "unaligned", "multiple of 4");
}

static void truncate_all(const uint8_t *fit, size_t size)
{
	struct fit_bundle found;
	struct config_error error;
	size_t i;

	for (i = 0; i < size; i += i + 64 < size ? 64 : 1) {
		void *cut = tree_exact(fit, i);

		error_fill(&error);
		if (fit_read(cut, i, false, &found, &error) == 0) {
			assert_true(i > size - 4); /* only the padding is gone */
		} else {
			assert_refused(-1, &error, "truncated", "cut off");
		}
		free(cut);
	}
}

static void test_truncated(void **state)
{
	(void)state;
	truncate_all(bundle, bundle_size);
	truncate_all(external, external_size);
	truncate_all(position, position_size);
}

/* Spoilt bytes anywhere; what is accepted still has its hashes, so its images are the old ones. */
static void test_spoilt(void **state)
{
	uint32_t random = 5, i, accepted = 0;
	struct fit_bundle found;
	struct config_error error;

	(void)state;
	for (i = 0; i < 20000; i++) {
		const uint8_t *from = i % 2 == 0 ? bundle : external;
		size_t size = i % 2 == 0 ? bundle_size : external_size;
		uint8_t *spoilt = tree_exact(from, size);

		tree_spoil(spoilt, size, &random);
		error_fill(&error);
		if (fit_read(spoilt, size, false, &found, &error) != 0) {
			assert_refused(-1, &error, "spoilt", "");
		} else {
			assert_image(&found.kernel, "these are the bytes of a kernel", 32);
			assert_image(&found.fdt, "these are the bytes of a tree", 30);
			accepted++;
		}
		free(spoilt);
	}
	print_message("%u of %u spoilt bundles were accepted\n", accepted, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc32),       cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_mkimage),     cmocka_unit_test(test_variants),
		cmocka_unit_test(test_disks),       cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_many_hashes), cmocka_unit_test(test_long_bootargs),
		cmocka_unit_test(test_overlap),     cmocka_unit_test(test_no_bundle),
		cmocka_unit_test(test_truncated),   cmocka_unit_test(test_spoilt),
	};

	return cmocka_run_group_tests_name("fit", tests, load, unload);
}
