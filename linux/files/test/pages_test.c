/* SPDX-License-Identifier: Apache-2.0 */
/* pages_test.c - file contents: paged in from the image, given back when memory is short, own after
 * a write. */
#include <stdlib.h>
#include "linux/files/test/support.h"
#include "tests/unit.h"

#define BIG 1000000
#define OURS(name, ...) support_call(sys_##name, CALL_ARGS(__VA_ARGS__, 0, 0, 0, 0, 0))
#define CALL_ARGS(a, b, c, d, e, f, ...) \
	(uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e), (uint64_t)(f)

static char data[BIG], out[BIG + 8192];
static struct image im;
static struct inode *big;

static void boot(size_t pages)
{
	struct image_file files[] = {
		{ 0, "", S_IFDIR | 0755, NULL, 0 },
		{ 0, "lib", S_IFDIR | 0755, NULL, 0 },
		{ 1, "big", S_IFREG | 0755, data, BIG },
		{ 0, "link", S_IFLNK | 0777, "lib/big", 7 },
	};

	for (size_t k = 0; k < BIG; k++)
		data[k] = (char)(k * 7 + k / 4096);
	free(im.bytes);
	im = image_build(files, ARRAY_SIZE(files));
	CHECK_EQ(support_init(pages, im.bytes, im.len), 0);
	CHECK_EQ(vfs_lookup(NULL, "/link", 0, &big), 0);
	support_disk_reads = 0;
}

TEST(reads_the_image)
{
	boot(1024);
	CHECK_EQ(inode_size(big), BIG);
	CHECK_EQ(inode_read(big, 0, out, sizeof(out)), BIG);
	CHECK(!memcmp(out, data, BIG));
	CHECK(support_disk_reads <= 9); /* read ahead: 245 pages in runs of 32 */
	support_disk_reads = 0;
	CHECK_EQ(inode_read(big, 1234, out, 9000), 9000);
	CHECK(!memcmp(out, data + 1234, 9000));
	CHECK_EQ(support_disk_reads, 0);
	CHECK_EQ(inode_read(big, BIG, out, 1), 0);
	CHECK_EQ(inode_read(big, BIG - 1, out, 10), 1);
}

TEST(last_page_ends_in_zeros)
{
	uint64_t pa;
	const char *p;

	boot(1024);
	CHECK_EQ(inode_page(big, BIG / 4096, false, false, &pa), -EAGAIN);
	CHECK_EQ(inode_page(big, BIG / 4096, false, true, &pa), 0);
	p = pa_to_va(pa);
	for (size_t k = BIG % 4096; k < 4096; k++)
		CHECK_EQ(p[k], 0);
	page_put(pa);
	CHECK_EQ(inode_page(big, BIG / 4096 + 1, false, true, &pa), -ENXIO);
}

TEST(runs_of_pages)
{
	uint64_t pas[16];
	uint32_t n;

	boot(1024);
	CHECK_EQ(inode_pages(big, 34, 16, true, pas, &n), 0);
	CHECK_EQ(n, 16); /* brought in by the same read */
	for (uint32_t k = 0; k < n; k++) {
		CHECK(!memcmp(pa_to_va(pas[k]), data + (34 + k) * 4096ul, 4096));
		CHECK_EQ(page_of(pas[k])->refs, 2);
		page_put(pas[k]);
	}
	CHECK_EQ(inode_pages(big, 60, 16, true, pas, &n), 0);
	CHECK_EQ(n, 4);
	while (n)
		page_put(pas[--n]);
}

TEST(evicts_and_reads_again)
{
	uint64_t held;

	boot(80); /* the file has 245 pages */
	CHECK_EQ(inode_page(big, 3, false, true, &held), 0);
	for (int round = 0; round < 3; round++) {
		memset(out, 0, sizeof(out));
		CHECK_EQ(inode_read(big, 0, out, sizeof(out)), BIG);
		CHECK(!memcmp(out, data, BIG));
	}
	/* A page that somebody holds stays what it is. */
	CHECK(!memcmp(pa_to_va(held), data + 3 * 4096, 4096));
	CHECK_EQ(page_of(held)->refs, 2);
	page_put(held);
	CHECK(pages_reclaim(1000, false) > 40);
	CHECK(mem_free_pages() > 70);
}

static uint64_t unmapped;
static bool unmap(struct inode *i, uint64_t index, uint64_t pa)
{
	CHECK(i == big);
	if (index == 5)
		return false; /* in use */
	unmapped++;
	page_put(pa);
	return true;
}

TEST(mapped_pages_are_asked_for)
{
	uint64_t a, b;

	boot(1024);
	vfs_unmap_page = unmap;
	CHECK_EQ(inode_page(big, 5, false, true, &a), 0);
	CHECK_EQ(inode_page(big, 6, false, true, &b), 0);
	CHECK_EQ(pages_reclaim(1000, false), 31); /* the window, but for page 5 */
	CHECK_EQ(unmapped, 1);
	CHECK(!memcmp(pa_to_va(a), data + 5 * 4096, 4096));
	page_put(a);
	vfs_unmap_page = NULL;
}

TEST(writes_stay)
{
	long fd;

	boot(80);
	fd = OURS(open, "/lib/big", O_RDWR);
	CHECK(fd >= 0);
	CHECK_EQ(OURS(pwrite64, fd, "0123456789", 10, 4090), 10);
	memcpy(data + 4090, "0123456789", 10);
	CHECK_EQ(inode_read(big, 0, out, sizeof(out)), BIG); /* evicts the rest meanwhile */
	CHECK_EQ(inode_read(big, 0, out, sizeof(out)), BIG);
	CHECK(!memcmp(out, data, BIG));
	/* Cut and grown again: zeros, not the image's bytes. */
	CHECK_EQ(OURS(ftruncate, fd, 5000), 0);
	CHECK_EQ(OURS(ftruncate, fd, BIG), 0);
	CHECK_EQ(inode_read(big, 0, out, sizeof(out)), BIG);
	CHECK(!memcmp(out, data, 5000));
	for (size_t k = 5000; k < BIG; k++) {
		if (out[k]) {
			printf("byte %zu is not zero\n", k);
			CHECK(false);
			break;
		}
	}
	OURS(close, fd);
}

TEST(cut_before_it_is_read)
{
	boot(256);
	CHECK_EQ(OURS(truncate, "/lib/big", 10000), 0); /* in the middle of an absent page */
	CHECK_EQ(OURS(truncate, "/lib/big", 20000), 0);
	CHECK_EQ(inode_read(big, 0, out, sizeof(out)), 20000);
	CHECK(!memcmp(out, data, 10000));
	for (size_t k = 10000; k < 20000; k++)
		CHECK_EQ(out[k], 0);
}

TEST(punched_pages_are_zero)
{
	long fd;

	boot(256);
	fd = OURS(open, "/lib/big", O_RDWR);
	CHECK_EQ(OURS(fallocate, fd, 3, 4000, 10000), 0);
	CHECK_EQ(inode_read(big, 0, out, 20000), 20000);
	CHECK(!memcmp(out, data, 4000));
	for (size_t k = 4000; k < 14000; k++)
		CHECK_EQ(out[k], 0);
	CHECK(!memcmp(out + 14000, data + 14000, 6000));
	CHECK_EQ(OURS(lseek, fd, 0, SEEK_HOLE), 4096);
	CHECK_EQ(OURS(lseek, fd, 8192, SEEK_DATA), 12288);
	OURS(close, fd);
}

TEST(no_memory_is_enospc)
{
	long fd, n = 0, r;

	boot(80);
	fd = OURS(open, "/tmp/full", O_RDWR | O_CREAT, 0600);
	while ((r = OURS(write, fd, data, 8192)) > 0)
		n += r;
	CHECK_EQ(r, -ENOSPC);
	CHECK(n > 40 * 4096);
	CHECK(mem_free_pages() >= 20); /* for the program to go on */
	CHECK_EQ(OURS(unlink, "/tmp/full"), 0);
	CHECK_EQ(OURS(close, fd), 0);
	CHECK_EQ(inode_read(big, 0, out, sizeof(out)), BIG); /* and it works again */
}

TEST(sendfile_and_copy)
{
	int64_t off = 100;
	long in, to, fd[2];

	boot(512);
	in = OURS(open, "/lib/big", O_RDONLY);
	to = OURS(open, "/tmp/to", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(OURS(sendfile, to, in, &off, 50000), 50000);
	CHECK_EQ(off, 50100);
	CHECK_EQ(OURS(lseek, in, 0, SEEK_CUR), 0);
	CHECK_EQ(OURS(pread64, to, out, 60000, 0), 50000);
	CHECK(!memcmp(out, data + 100, 50000));
	CHECK_EQ(OURS(copy_file_range, in, 0, to, 0, 10, 0), 10);
	CHECK_EQ(OURS(pread64, to, out, 60000, 50000), 10);
	CHECK(!memcmp(out, data, 10));
	/* Into a pipe that takes 64 KiB: what was not taken was not read. */
	CHECK_EQ(OURS(pipe2, fd, O_NONBLOCK), 0);
	CHECK_EQ(OURS(lseek, in, 0, SEEK_SET), 0);
	CHECK_EQ(OURS(sendfile, ((int *)fd)[1], in, 0, 200000), 65536);
	CHECK_EQ(OURS(lseek, in, 0, SEEK_CUR), 65536);
	CHECK_EQ(OURS(sendfile, ((int *)fd)[1], in, 0, 200000), -EAGAIN);
	CHECK_EQ(OURS(lseek, in, 0, SEEK_CUR), 65536);
}

UNIT_MAIN(CASE(reads_the_image), CASE(last_page_ends_in_zeros), CASE(runs_of_pages),
	  CASE(evicts_and_reads_again), CASE(mapped_pages_are_asked_for), CASE(writes_stay),
	  CASE(cut_before_it_is_read), CASE(punched_pages_are_zero), CASE(no_memory_is_enospc),
	  CASE(sendfile_and_copy))
