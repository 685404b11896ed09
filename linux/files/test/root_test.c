/* SPDX-License-Identifier: Apache-2.0 */
/* root_test.c - the root image's index: a good one is taken, anything wrong in it is refused with a
 * reason. */
#include <stdlib.h>
#include "linux/files/test/support.h"
#include "tests/unit.h"

static const struct image_file good[] = {
	{ 0, "", S_IFDIR | 0755, NULL, 0 },	 { 0, "bin", S_IFDIR | 0755, NULL, 0 },
	{ 1, "sh", S_IFREG | 0755, "hello", 5 }, { 0, "lib", S_IFLNK | 0777, "usr/lib", 7 },
	{ 0, "empty", S_IFREG | 0644, "", 0 },
};

static int check(const struct image *im)
{
	struct root_image r;
	char why[128] = "";
	int n = root_check_header((const void *)im->bytes, im->len, why, sizeof(why));

	if (!n)
		n = root_check_index(im->bytes, ((const struct gw_root *)im->bytes)->index_len, &r,
				     why, sizeof(why));
	CHECK((n != 0) == (why[0] != 0)); /* a refusal has a reason */
	return n;
}

TEST(good_image)
{
	struct image im = image_build(good, ARRAY_SIZE(good));

	CHECK_EQ(check(&im), 0);
	free(im.bytes);
}

TEST(links_children)
{
	struct image im = image_build(good, ARRAY_SIZE(good));
	struct root_image r;
	uint32_t first[5], next[5];
	char why[128];

	CHECK_EQ(root_check_index(im.bytes, ((struct gw_root *)im.bytes)->index_len, &r, why,
				  sizeof(why)),
		 0);
	r.first_child = first;
	r.next = next;
	root_link(&r);
	CHECK_EQ(first[0], 1);
	CHECK_EQ(next[1], 3);
	CHECK_EQ(next[3], 4);
	CHECK_EQ(next[4], 0);
	CHECK_EQ(first[1], 2);
	free(im.bytes);
}

TEST(any_flipped_byte_is_found)
{
	struct image im = image_build(good, ARRAY_SIZE(good));
	size_t index = ((struct gw_root *)im.bytes)->index_len;

	for (size_t k = 0; k < index; k += k < 4600 ? 1 : 97) {
		im.bytes[k] ^= 0x10;
		if (check(&im) == 0) {
			printf("flip at %zu was not found\n", k);
			CHECK(false);
		}
		im.bytes[k] ^= 0x10;
	}
	free(im.bytes);
}

/* With a right checksum, each field by itself. */
static int with_entry(uint32_t n, size_t field, uint64_t value, size_t width)
{
	struct image im = image_build(good, ARRAY_SIZE(good));
	int r;

	memcpy(im.bytes + 4096 + n * sizeof(struct gw_root_entry) + field, &value, width);
	image_seal(&im);
	r = check(&im);
	free(im.bytes);
	return r;
}

static int with_header(size_t field, uint64_t value, size_t width)
{
	struct image im = image_build(good, ARRAY_SIZE(good));
	int r;

	memcpy(im.bytes + field, &value, width);
	image_seal(&im);
	r = check(&im);
	free(im.bytes);
	return r;
}

#define ENTRY(n, field, value)                                      \
	with_entry(n, offsetof(struct gw_root_entry, field), value, \
		   sizeof(((struct gw_root_entry *)0)->field))
#define HEADER(field, value) \
	with_header(offsetof(struct gw_root, field), value, sizeof(((struct gw_root *)0)->field))

TEST(bad_entries)
{
	CHECK(ENTRY(1, parent, 1)); /* its own parent */
	CHECK(ENTRY(1, parent, 4));
	CHECK(ENTRY(3, parent, 2)); /* a file as parent */
	CHECK(ENTRY(2, name, 0));   /* empty name */
	CHECK(ENTRY(2, name, 1000000));
	CHECK(ENTRY(2, name, 0xffffffff));
	CHECK(ENTRY(2, mode, S_IFCHR | 0644));
	CHECK(ENTRY(2, mode, 0));
	CHECK(ENTRY(2, mode, 0x10000 | S_IFREG));
	CHECK(ENTRY(2, size, 5000000)); /* beyond the image */
	CHECK(ENTRY(2, size, ~0ull));
	CHECK(ENTRY(2, data, 4096));	 /* in the index */
	CHECK(ENTRY(2, data, 8192 + 1)); /* not aligned */
	CHECK(ENTRY(2, data, ~0ull - 4095));
	CHECK(ENTRY(3, size, 0)); /* link without target */
	CHECK(ENTRY(3, size, 8)); /* runs over its end */
	CHECK(ENTRY(3, data, ~0ull));
	CHECK(ENTRY(3, data, 1000000));
	CHECK(ENTRY(0, mode, S_IFREG | 0644));
	CHECK(ENTRY(0, parent, 1));
	CHECK_EQ(ENTRY(4, data, 12345), 0); /* an empty file's data does not matter */
}

TEST(bad_headers)
{
	CHECK(HEADER(magic, 1));
	CHECK(HEADER(version, 2));
	CHECK(HEADER(size, 1ull << 50));
	CHECK(HEADER(size, 100));
	CHECK(HEADER(index_len, 0));
	CHECK(HEADER(index_len, 4097));
	CHECK(HEADER(index_len, 1ull << 63));
	CHECK(HEADER(n_entries, 0));
	CHECK(HEADER(n_entries, 0xffffffff));
	CHECK(HEADER(entries_offset, 0));
	CHECK(HEADER(entries_offset, 4097));
	CHECK(HEADER(entries_offset, ~7ull));
	CHECK(HEADER(names_offset, 4096));
	CHECK(HEADER(names_offset, ~0ull));
	CHECK(HEADER(names_len, 0));
	CHECK(HEADER(names_len, 0xffffffff));
}

static int with_name(const char *name)
{
	struct image_file files[2] = { { 0, "", S_IFDIR | 0755, NULL, 0 },
				       { 0, name, S_IFREG | 0644, "", 0 } };
	struct image im = image_build(files, 2);
	int r = check(&im);

	free(im.bytes);
	return r;
}

TEST(bad_names)
{
	char longest[257];

	memset(longest, 'a', 256);
	longest[256] = 0;
	CHECK(with_name(longest));
	longest[255] = 0;
	CHECK_EQ(with_name(longest), 0);
	CHECK(with_name("a/b"));
	CHECK(with_name("."));
	CHECK(with_name(".."));
	CHECK_EQ(with_name("..."), 0);
	CHECK_EQ(with_name(".a"), 0);
}

TEST(unterminated_names)
{
	struct image im = image_build(good, ARRAY_SIZE(good));
	struct gw_root *h = (void *)im.bytes;

	im.bytes[h->names_offset + h->names_len - 1] = 'x';
	image_seal(&im);
	CHECK(check(&im));
	free(im.bytes);
}

TEST(loads_from_disk)
{
	struct image im = image_build(good, ARRAY_SIZE(good));

	CHECK_EQ(support_init(64, im.bytes, im.len), 0);
	CHECK_EQ(support_init(64, im.bytes, im.len - 4096), -EINVAL); /* cut short */
	CHECK_EQ(support_init(64, im.bytes, 512), -EINVAL);
	CHECK_EQ(support_init(1, im.bytes, im.len), -ENOMEM);
	free(im.bytes);
}

UNIT_MAIN(CASE(good_image), CASE(links_children), CASE(any_flipped_byte_is_found),
	  CASE(bad_entries), CASE(bad_headers), CASE(bad_names), CASE(unterminated_names),
	  CASE(loads_from_disk))
