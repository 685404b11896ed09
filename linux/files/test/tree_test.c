/* SPDX-License-Identifier: Apache-2.0 */
/* tree_test.c - names and files against the real thing: random operations go both to files/ and to
 * a directory of the host, and must return the same and leave the same behind. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "linux/files/test/support.h"
#include "tests/unit.h"

#define AREA 300000

static uint64_t seed = 88172645463325252ull;
static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16) % n;
}

static const char *const names[] = {
	"a",	  "b",	     "c",
	"d1",	  "d2",	     "d1/a",
	"d1/b",	  "d1/d3",   "d1/d3/x",
	"d2/a",	  "d2/d1",   "d2/d1/a",
	"./a",	  "d1/../a", "d1/.",
	"d1/..",  "d2/",     "a/",
	"l1",	  "l2",	     "l1/a",
	"l2/",	  "l1/.",    "nope/x",
	"a/x",	  "d1//b",   "d1/d3/../../b",
	"",	  ".",	     "..x",
	"d1/d3/",
};

static const char *pick(void)
{
	return names[rnd(ARRAY_SIZE(names))];
}

#define OURS(name, ...) support_call(sys_##name, CALL_ARGS(__VA_ARGS__, 0, 0, 0, 0, 0))
#define CALL_ARGS(a, b, c, d, e, f, ...) \
	(uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e), (uint64_t)(f)
static long host_result(long r)
{
	return r < 0 ? -errno : r;
}
#define HOST(name, ...) host_result(syscall(SYS_##name, __VA_ARGS__))

static long ops_done;
#define BOTH(name, ...)                                                                            \
	do {                                                                                       \
		long ours = OURS(name, __VA_ARGS__), theirs = HOST(name, __VA_ARGS__);             \
		ops_done++;                                                                        \
		if (ours != theirs) {                                                              \
			printf("op %ld: " #name " (%s, %s): ours %ld, host %ld\n", ops_done, p, q, \
			       ours, theirs);                                                      \
			CHECK(false);                                                              \
		}                                                                                  \
	} while (0)

static void file_op(const char *p, const char *q)
{
	static const uint32_t modes[] = { O_RDONLY,
					  O_WRONLY,
					  O_RDWR,
					  O_RDWR | O_CREAT,
					  O_WRONLY | O_CREAT | O_TRUNC,
					  O_RDWR | O_CREAT | O_EXCL,
					  O_RDWR | O_APPEND,
					  O_RDONLY | O_DIRECTORY,
					  O_RDWR | O_NOFOLLOW,
					  O_RDONLY | O_CREAT };
	uint32_t flags = modes[rnd(ARRAY_SIZE(modes))];
	long ours = OURS(open, p, flags, 0644), theirs = HOST(open, p, flags, 0644);
	static char in[AREA], a[AREA], b[AREA];

	ops_done++;
	if ((ours < 0 ? ours : 0) != (theirs < 0 ? theirs : 0)) {
		printf("op %ld: open(%s, %x): ours %ld, host %ld\n", ops_done, p, flags, ours,
		       theirs);
		CHECK(false);
	}
	for (uint32_t k = rnd(6); k && ours >= 0 && theirs >= 0; k--) {
		uint32_t one, n = rnd(3) ? rnd(9000) : rnd(60000),
			      off = rnd(3) ? rnd(20000) : rnd(200000);
		long x = 0, y = 0;

		switch (rnd(9)) {
		case 0:
		case 1:
			for (uint32_t i = 0; i < n; i++)
				in[i] = (char)rnd(256);
			x = OURS(pwrite64, ours, in, n, off);
			y = HOST(pwrite64, theirs, in, n, off);
			break;
		case 2:
			x = OURS(write, ours, in, n);
			y = HOST(write, theirs, in, n);
			break;
		case 3:
			x = OURS(ftruncate, ours, off);
			y = HOST(ftruncate, theirs, off);
			break;
		case 4:
			x = OURS(lseek, ours, off, rnd(2) * 2);
			y = HOST(lseek, theirs, off, 0);
			y = x; /* directories' positions differ */
			OURS(lseek, ours, 0, 0);
			HOST(lseek, theirs, 0, 0);
			break;
		case 5:
			one = rnd(3);
			x = OURS(fallocate, ours, one == 2 ? 3 : one, off,
				 n + 1u); /* allocate, without changing the size, punch */
			y = HOST(fallocate, theirs, one == 2 ? 3 : one, off, n + 1u);
			break;
		default:
			x = OURS(pread64, ours, a, n, off);
			y = HOST(pread64, theirs, b, n, off);
			if (x == y && x > 0)
				CHECK(!memcmp(a, b, (size_t)x));
		}
		ops_done++;
		if (x != y) {
			printf("op %ld: on %s %x: ours %ld, host %ld\n", ops_done, p, flags, x, y);
			CHECK(false);
		}
	}
	if (ours >= 0)
		OURS(close, ours);
	if (theirs >= 0)
		close((int)theirs);
	(void)q;
}

static void compare_stat(const char *p, const char *q)
{
	struct stat64 a, b;
	long ours = OURS(lstat, p, &a), theirs = HOST(lstat, p, &b);

	if (ours != theirs || (!ours && a.mode != b.mode)) {
		printf("lstat %s: ours %ld %o, host %ld %o\n", p, ours, ours ? 0 : a.mode, theirs,
		       theirs ? 0 : b.mode);
		CHECK(false);
	}
	if (!ours && !theirs) {
		if (S_ISREG(a.mode))
			CHECK_EQ(a.size, b.size);
		if (a.nlink != b.nlink) {
			printf("nlink of %s: %d, host %d\n", p, (int)a.nlink, (int)b.nlink);
			CHECK(false);
		}
	}
	(void)q;
}

static void random_op(void)
{
	const char *p = pick(), *q = pick();
	uint32_t one = rnd(2);
	char a[64], b[64];

	switch (rnd(13)) {
	case 0:
		BOTH(mkdir, p, 0755);
		break;
	case 1:
		BOTH(rmdir, p);
		break;
	case 2:
		BOTH(unlink, p);
		break;
	case 3:
	case 4:
		BOTH(rename, p, q);
		break;
	case 5:
		BOTH(link, p, q);
		break;
	case 6:
		q = rnd(2) ? "l1" : "l2";
		BOTH(symlink, p, q);
		break;
	case 7:
		BOTH(renameat2, AT_FDCWD, p, AT_FDCWD, q, one ? RENAME_EXCHANGE : RENAME_NOREPLACE);
		break;
	case 8: {
		long ours = OURS(readlink, p, a, 64), theirs = HOST(readlink, p, b, 64);

		if (ours != theirs)
			printf("readlink(%s): ours %ld, host %ld\n", p, ours, theirs);
		CHECK_EQ(ours, theirs);
		if (ours > 0 && ours == theirs)
			CHECK(!memcmp(a, b, (size_t)ours));
		break;
	}
	case 9:
		BOTH(chmod, p, one ? 0644 : 0755);
		break;
	case 10:
		compare_stat(p, q);
		break;
	default:
		file_op(p, q);
	}
}

/* Empty a directory of ours. */
static void wipe(const char *path)
{
	char buf[2048], child[512];
	long fd = OURS(open, path, O_RDONLY | O_DIRECTORY), n;

	while ((n = OURS(getdents64, fd, buf, sizeof(buf))) > 0) {
		uint16_t len;

		for (long at = 0; at < n; at += len) {
			const char *name = buf + at + 19;

			memcpy(&len, buf + at + 16, 2);
			if (!strcmp(name, ".") || !strcmp(name, ".."))
				continue;
			snprintf(child, sizeof(child), "%.200s/%.255s", path, name);
			if (buf[at + 18] == 4) {
				wipe(child);
				CHECK_EQ(OURS(rmdir, child), 0);
			} else {
				CHECK_EQ(OURS(unlink, child), 0);
			}
		}
	}
	OURS(close, fd);
}

TEST(random_against_host)
{
	char dir[] = "/dev/shm/godwit-tree-XXXXXX";
	char command[64];
	size_t before;

	if (!mkdtemp(dir) || chdir(dir)) {
		printf("no directory on the host's tmpfs\n");
		CHECK(false);
		return;
	}
	CHECK_EQ(support_init(8192, NULL, 0), 0);
	syscall(SYS_umask, 022);
	CHECK_EQ(OURS(mkdir, "/tmp/w", 0700), 0);
	CHECK_EQ(OURS(chdir, "/tmp/w"), 0);
	before = mem_free_pages();
	for (int k = 0; k < 30000 && !unit_failures; k++)
		random_op();
	for (size_t k = 0; k < ARRAY_SIZE(names) && !unit_failures; k++)
		compare_stat(names[k], "");
	/* Everything away: all pages come back. */
	wipe(".");
	CHECK_EQ(mem_free_pages(), before);
	CHECK(chdir("/") == 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK(system(command) == 0);
}

TEST(names_and_limits)
{
	char name[300], path[4200], buf[64];

	CHECK_EQ(support_init(256, NULL, 0), 0);
	memset(name, 'n', 299);
	name[256] = 0;
	CHECK_EQ(OURS(mkdir, name, 0755), -ENAMETOOLONG);
	name[255] = 0;
	CHECK_EQ(OURS(mkdir, name, 0755), 0);
	memset(path, '/', 4199);
	path[4199] = 0;
	CHECK_EQ(OURS(mkdir, path, 0755), -ENAMETOOLONG);
	path[4095] = 0;
	CHECK_EQ(OURS(mkdir, path, 0755), -EEXIST);
	CHECK_EQ(OURS(symlink, "loop", "loop"), 0);
	CHECK_EQ(OURS(open, "loop", O_RDONLY), -ELOOP);
	CHECK_EQ(OURS(symlink, "/tmp", "t"), 0);
	CHECK_EQ(OURS(chdir, "t/../tmp/."), 0);
	CHECK_EQ(OURS(getcwd, buf, 64), 5);
	CHECK_STR(buf, "/tmp");
	CHECK_EQ(OURS(getcwd, buf, 4), -ERANGE);
	CHECK_EQ(OURS(open, 8, O_RDONLY), -EFAULT);
	CHECK_EQ(OURS(mkdir, "/proc/x", 0755), -EACCES);
	CHECK_EQ(OURS(chroot, "/tmp"), -EPERM);
}

TEST(descriptors)
{
	long fd, other;

	CHECK_EQ(support_init(256, NULL, 0), 0);
	fd = OURS(open, "/tmp/f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK_EQ(fd, 3);
	CHECK_EQ(OURS(fcntl, 3, 1), 1);
	other = OURS(fcntl, 3, 0, 500);
	CHECK_EQ(other, 500);
	CHECK_EQ(OURS(fcntl, 500, 1), 0);
	CHECK_EQ(OURS(write, 500, "hello", 5), 5);
	CHECK_EQ(OURS(lseek, 3, 0, 1), 5); /* the position is shared */
	CHECK_EQ(OURS(dup2, 3, 4), 4);
	CHECK_EQ(OURS(dup2, 4, 4), 4);
	CHECK_EQ(OURS(dup3, 4, 4, 0), -EINVAL);
	CHECK_EQ(OURS(dup2, 3, 5000), -EBADF); /* beyond the limit */
	CHECK_EQ(OURS(close, 3), 0);
	CHECK_EQ(OURS(close, 3), -EBADF);
	CHECK_EQ(OURS(dup, 4), 3); /* the lowest */
	CHECK_EQ(OURS(close_range, 3, 1000, 0), 0);
	CHECK_EQ(OURS(read, 500, 0, 0), -EBADF);
	for (int k = 3; k < 1024; k++)
		CHECK_EQ(OURS(open, "/tmp/f", O_RDONLY), k);
	CHECK_EQ(OURS(open, "/tmp/f", O_RDONLY), -EMFILE);
	CHECK_EQ(OURS(close, 77), 0);
	CHECK_EQ(OURS(open, "/tmp/f", O_PATH), 77);
	CHECK_EQ(OURS(read, 77, 0, 1), -EBADF);
	CHECK_EQ(OURS(close_range, 0, ~0u, 0), 0);
}

/* Read a generated file whole. */
static long slurp(const char *path, char *buf, size_t size)
{
	long fd = OURS(open, path, O_RDONLY), n = 0, r;

	if (fd < 0)
		return fd;
	while ((r = OURS(read, fd, buf + n, GW_MIN(size - 1 - (size_t)n, 7u))) > 0)
		n += r;
	buf[n] = 0;
	OURS(close, fd);
	return r < 0 ? r : n;
}

TEST(generated_files)
{
	char buf[4096];
	struct {
		uint64_t ino, off;
		uint16_t len;
		uint8_t type;
		char name[];
	} __attribute__((packed)) * d;
	int seen = 0;
	long n, fd;

	CHECK_EQ(support_init(256, NULL, 0), 0);
	for (uint32_t k = 0; k < synth_count; k++) {
		char path[128];
		struct stat64 st;

		snprintf(path, sizeof(path), "/%s", synth_table[k].path);
		if (strstr(path, "@pid"))
			snprintf(path, sizeof(path), "/proc/7%s",
				 strstr(synth_table[k].path, "@pid") + 4);
		CHECK_EQ(OURS(lstat, path, &st), 0);
		if (S_ISREG(st.mode) && (st.mode & 0444) && !strstr(path, "/environ") &&
		    !strstr(path, "/cmdline") && !strstr(path, "cwd"))
			if (slurp(path, buf, sizeof(buf)) <= 0) {
				printf("nothing in %s\n", path);
				CHECK(false);
			}
	}
	CHECK(slurp("/proc/self/stat", buf, sizeof(buf)) > 0);
	CHECK(!strncmp(buf, "7 (test) R", 10));
	shard_self()->net = (struct net_stack *)buf; /* never looked into */
	CHECK(slurp("/proc/net/if_inet6", buf, sizeof(buf)) > 0);
	shard_self()->net = NULL;
	CHECK_STR(buf, "00000000000000000000000000000001 01 80 10 80       lo\n"
		       "fe800000000000000000000000000005 02 40 20 80     eth0\n"
		       "20010000000000000000000000000005 02 38 00 20     eth0\n");
	CHECK_EQ(slurp("/proc/sys/vm/overcommit_memory", buf, sizeof(buf)), 2);
	CHECK_STR(buf, "1\n");
	CHECK(slurp("/proc/self/task/7/status", buf, sizeof(buf)) > 0);
	CHECK_EQ(OURS(open, "/proc/self/task/7/task", O_RDONLY),
		 -ENOENT); /* else a walk of /proc never ends */
	CHECK_EQ(slurp("/proc/self/task/8/status", buf, sizeof(buf)), -ENOENT);
	CHECK_EQ(OURS(readlink, "/proc/self/fd/1", buf, 64), 12);
	CHECK(!memcmp(buf, "/dev/console", 12));
	fd = OURS(open, "/dev/stderr", O_WRONLY);
	CHECK_EQ(fd, 3);
	CHECK_EQ(OURS(open, "/proc/self/oom_score_adj", O_WRONLY), 4);
	CHECK_EQ(OURS(write, 4, "-17\n", 4), 4);
	CHECK_EQ(slurp("/proc/7/oom_score_adj", buf, sizeof(buf)), 4);
	CHECK_STR(buf, "-17\n");
	CHECK_EQ(OURS(open, "/proc/version", O_WRONLY), -EACCES);
	CHECK_EQ(OURS(open, "/dev/shm/seg", O_RDWR | O_CREAT, 0600), 5);
	fd = OURS(open, "/proc/self/fd", O_RDONLY | O_DIRECTORY);
	CHECK_EQ(fd, 6);
	while ((n = OURS(getdents64, fd, buf, 100)) > 0) {
		for (long at = 0; at < n; at += d->len, seen++)
			d = (void *)(buf + at);
	}
	CHECK_EQ(n, 0);
	CHECK_EQ(seen, 9); /* . .. 0-6 */
}

TEST(lists_directories)
{
	char buf[4096], name[32];
	static bool found[500];
	int n_found = 0;
	long fd, n;

	CHECK_EQ(support_init(512, NULL, 0), 0);
	CHECK_EQ(OURS(chdir, "/tmp"), 0);
	for (int k = 0; k < 500; k++) {
		snprintf(name, sizeof(name), "file%d", k);
		CHECK_EQ(OURS(mknod, name, S_IFREG | 0600), 0);
	}
	fd = OURS(open, ".", O_RDONLY);
	memset(found, 0, sizeof(found));
	while ((n = OURS(getdents64, fd, buf, 1000)) > 0) {
		for (long at = 0; at < n;) {
			uint16_t len;
			int k;

			memcpy(&len, buf + at + 16, 2);
			if (sscanf(buf + at + 19, "file%d", &k) == 1) {
				CHECK(!found[k]);
				found[k] = true;
				n_found++;
				if (k % 3 == 0) /* taken away while the list is read */
					CHECK_EQ(OURS(unlink, buf + at + 19), 0);
			}
			at += len;
		}
	}
	CHECK_EQ(n, 0);
	CHECK_EQ(n_found, 500);
	CHECK_EQ(OURS(lseek, fd, 0, 0), 0);
	CHECK_EQ(OURS(getdents64, fd, buf, 20), -EINVAL);
	CHECK_EQ(OURS(getdents64, 1, buf, 200), -ENOTDIR);
}

TEST(unlinked_files_live)
{
	char buf[16] = "";
	long fd;
	size_t before, bytes;

	CHECK_EQ(support_init(256, NULL, 0), 0);
	CHECK_EQ(OURS(mknod, "/tmp/warm", S_IFREG | 0600), 0);
	CHECK_EQ(OURS(unlink, "/tmp/warm"), 0);
	fd = OURS(open, "/tmp/warm", O_RDWR | O_CREAT,
		  0600); /* grows what stays: directory and descriptor tables */
	OURS(close, fd);
	OURS(unlink, "/tmp/warm");
	before = mem_free_pages();
	bytes = support_bytes;
	fd = OURS(open, "/tmp/f", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(OURS(write, fd, "content", 7), 7);
	CHECK_EQ(OURS(unlink, "/tmp/f"), 0);
	CHECK_EQ(OURS(open, "/tmp/f", O_RDONLY), -ENOENT);
	CHECK_EQ(OURS(pread64, fd, buf, 16, 0), 7);
	CHECK_STR(buf, "content");
	CHECK_EQ(OURS(close, fd), 0);
	fd = OURS(open, "/tmp", O_RDWR | O_TMPFILE, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(OURS(write, fd, "content", 7), 7);
	CHECK_EQ(OURS(close, fd), 0);
	CHECK_EQ(mem_free_pages(), before);
	CHECK_EQ(support_bytes, bytes);
}

UNIT_MAIN(CASE(random_against_host), CASE(names_and_limits), CASE(descriptors),
	  CASE(generated_files), CASE(lists_directories), CASE(unlinked_files_live))
