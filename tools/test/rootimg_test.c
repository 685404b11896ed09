/* SPDX-License-Identifier: Apache-2.0 */
/* rootimg_test.c - the tree and the root image: written from real files and read back. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/root.h"
#include "tests/unit.h"
#include "tools/bundle/crc32c.h"
#include "tools/bundle/rootimg.h"

static uint8_t *write_image(struct tree *t, size_t *len)
{
	int fd = memfd_create("root", MFD_CLOEXEC);
	uint64_t size = 0;
	uint8_t *bytes;

	fail_clear();
	CHECK_EQ(rootimg_write(fd, t, &size), 0);
	bytes = malloc((size_t)size);
	CHECK_EQ(read_all(fd, bytes, (size_t)size, 0), 0);
	*len = (size_t)size;
	close(fd);
	return bytes;
}

/* The entry at a path without symlinks, by walking the image itself. */
static const struct gw_root_entry *find(const uint8_t *image, const char *path)
{
	const struct gw_root *h = (const void *)image;
	const struct gw_root_entry *e = (const void *)(image + h->entries_offset);
	const char *names = (const char *)image + h->names_offset;
	uint32_t at = 0;

	for (path++; *path != '\0';) {
		size_t n = strcspn(path, "/");
		uint32_t i = 1;

		while (i < h->n_entries && !(e[i].parent == at && strlen(names + e[i].name) == n &&
					     strncmp(names + e[i].name, path, n) == 0))
			i++;
		if (i == h->n_entries)
			return NULL;
		at = i;
		path += n + (path[n] == '/');
	}
	return &e[at];
}

TEST(read_back)
{
	struct tree t;
	struct stat st;
	struct text listing = { 0 };
	const struct gw_root_entry *e;
	uint8_t *image;
	size_t len;

	tree_init(&t);
	CHECK_EQ(stat("/proc/self/exe", &st), 0);
	CHECK_EQ(tree_add_symlink(&t, "/lib", "usr/lib"), 0);
	CHECK_EQ(tree_add_file(&t, "/lib/prog", "/proc/self/exe", &st), 0);
	CHECK_EQ(tree_add_bytes(&t, "/etc/hostname", "me\n", 3), 0);
	CHECK_EQ(tree_add_bytes(&t, "/etc/empty", "", 0), 0);
	image = write_image(&t, &len);
	CHECK_EQ(rootimg_check(image, len), 0);
	e = find(image, "/usr/lib/prog");
	CHECK(e != NULL);
	if (e != NULL) {
		uint8_t *self = malloc((size_t)st.st_size);
		int fd = open("/proc/self/exe", O_RDONLY);

		CHECK_EQ(e->size, st.st_size);
		CHECK_EQ(e->data % 4096, 0);
		CHECK_EQ(read_all(fd, self, (size_t)st.st_size, 0), 0);
		CHECK_EQ(memcmp(image + e->data, self, (size_t)st.st_size), 0);
		CHECK_EQ(e->mode, S_IFREG | (st.st_mode & 07777));
		close(fd);
		free(self);
	}
	e = find(image, "/etc/hostname");
	CHECK(e != NULL && e->size == 3 && memcmp(image + e->data, "me\n", 3) == 0);
	e = find(image, "/etc/empty");
	CHECK(e != NULL && e->size == 0);
	e = find(image, "/lib");
	CHECK(e != NULL && S_ISLNK(e->mode) && e->size == 7);
	CHECK(e != NULL &&
	      strcmp((char *)image + ((struct gw_root *)(void *)image)->names_offset + e->data,
		     "usr/lib") == 0);
	CHECK(find(image, "/nothing") == NULL);
	rootimg_show(image, &listing);
	CHECK(strstr(listing.data, "/usr/lib/prog\n") != NULL);
	CHECK(strstr(listing.data, "/lib -> usr/lib\n") != NULL);
	text_free(&listing);
	free(image);
	tree_free(&t);
}

TEST(paths)
{
	struct tree t;
	bool ok;

	tree_init(&t);
	fail_clear();
	CHECK_EQ(tree_add_bytes(&t, "/a/../b/./c", "1", 1), 0);
	CHECK(tree_find(&t, "/b/c") != NULL);
	CHECK_EQ(tree_add_bytes(&t, "/../../d", "1", 1), 0); /* the root's parent is the root */
	CHECK(tree_find(&t, "/d") != NULL);
	CHECK_EQ(tree_add_symlink(&t, "/loop", "loop"), 0);
	CHECK_EQ(tree_add_bytes(&t, "/loop/x", "1", 1), -1);
	CHECK(strstr(fail_text(), "too many levels") != NULL);
	fail_clear();
	CHECK_EQ(tree_add_bytes(&t, "/d/x", "1", 1), -1);
	CHECK(strstr(fail_text(), "through a file") != NULL);
	fail_clear();
	CHECK_EQ(tree_add_bytes(&t, "/b", "1", 1), -1);
	CHECK(strstr(fail_text(), "directory already") != NULL);
	fail_clear();
	CHECK_EQ(tree_add_dir(&t, "/d", NULL), -1);
	CHECK(strstr(fail_text(), "file already") != NULL);
	fail_clear();
	CHECK_EQ(tree_add_symlink(&t, "/abs", "/b"), 0);
	CHECK_EQ(tree_add_bytes(&t, "/abs/e", "two", 3), 0);
	CHECK_EQ(tree_add_bytes(&t, "/abs/e", "three", 5), 0); /* replaced */
	ok = tree_find(&t, "/b/e") != NULL && tree_find(&t, "/b/e")->size == 5;
	CHECK(ok);
	CHECK_EQ(t.n_bytes, 3 * 4096);
	tree_free(&t);
}

TEST(many)
{
	struct tree t;
	char path[64];
	uint8_t *image;
	size_t len;

	tree_init(&t);
	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof(path), "/d%d/f%d", i % 70, i);
		CHECK_EQ(tree_add_bytes(&t, path, &i, sizeof(i)), 0);
	}
	CHECK_EQ(t.n_nodes, 1 + 70 + 5000);
	image = write_image(&t, &len);
	CHECK_EQ(rootimg_check(image, len), 0);
	for (int i = 0; i < 5000; i += 613) {
		const struct gw_root_entry *e;

		snprintf(path, sizeof(path), "/d%d/f%d", i % 70, i);
		e = find(image, path);
		CHECK(e != NULL && memcmp(image + e->data, &i, sizeof(i)) == 0);
	}
	free(image);
	tree_free(&t);
}

TEST(sparse)
{
	char name[] = "/tmp/godwit-test-XXXXXX";
	int fd = mkstemp(name), out = memfd_create("root", MFD_CLOEXEC);
	struct tree t;
	struct stat st;
	uint64_t size;
	char buf[4];

	CHECK_EQ(ftruncate(fd, 64 << 20), 0);
	CHECK_EQ(write_all(fd, "tail", 4, (64 << 20) - 4), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	tree_init(&t);
	fail_clear();
	CHECK_EQ(tree_add_file(&t, "/big", name, &st), 0);
	CHECK_EQ(rootimg_write(out, &t, &size), 0);
	CHECK_EQ(read_all(out, buf, 4, size - 4), 0);
	CHECK_EQ(memcmp(buf, "tail", 4), 0);
	CHECK_EQ(fstat(out, &st), 0);
	CHECK(st.st_blocks < 2048); /* the hole stayed one */
	CHECK_EQ(ftruncate(fd, 100), 0);
	CHECK_EQ(rootimg_write(out, &t, &size), -1);
	CHECK(strstr(fail_text(), "changed while") != NULL);
	unlink(name);
	fail_clear();
	CHECK_EQ(rootimg_write(out, &t, &size), -1);
	CHECK(strstr(fail_text(), "cannot read") != NULL);
	tree_free(&t);
	close(fd);
	close(out);
}

TEST(bad_images)
{
	struct tree t;
	size_t len;
	uint8_t *good, *bad;
	struct gw_root *h;
	struct gw_root_entry *e;

	tree_init(&t);
	tree_add_bytes(&t, "/f", "x", 1);
	tree_add_symlink(&t, "/l", "f");
	good = write_image(&t, &len);
	bad = malloc(len);
	h = (void *)bad;
	e = (void *)(bad + 4096);

#define BAD(change, part)                                 \
	do {                                              \
		memcpy(bad, good, len);                   \
		change;                                   \
		h->crc = 0;                               \
		h->crc = crc32c(0, bad, 8192);            \
		fail_clear();                             \
		CHECK_EQ(rootimg_check(bad, len), -1);    \
		CHECK(strstr(fail_text(), part) != NULL); \
	} while (0)

	BAD(h->magic++, "not a root image");
	BAD(h->size++, "truncated");
	BAD(h->n_entries = 1000, "out of bounds");
	BAD(h->names_offset = ~0ull, "out of bounds");
	BAD(e[1].parent = 1, "entry 1");
	BAD(e[1].name = 1u << 30, "entry 1");
	BAD(e[1].data = 1u << 30, "outside");
	BAD(e[1].data = 1, "outside");
	BAD(e[2].data = 1u << 20, "outside");
	BAD(e[2].mode = 0, "mode");
	memcpy(bad, good, len);
	bad[5000] ^= 1;
	fail_clear();
	CHECK_EQ(rootimg_check(bad, len), -1);
	CHECK(strstr(fail_text(), "checksum") != NULL);
	free(good);
	free(bad);
	tree_free(&t);
}

UNIT_MAIN(CASE(read_back), CASE(paths), CASE(many), CASE(sparse), CASE(bad_images))
