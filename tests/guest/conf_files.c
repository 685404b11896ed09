/* SPDX-License-Identifier: Apache-2.0 */
/* conf_files - the file family: descriptors, paths, directories, pipes, stat, positions, links. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "tests/unit.h"

static char dir[64] = "/tmp/conf-files-XXXXXX";

TEST(create_write_read)
{
	char buf[32] = "";
	int fd = open("a", O_CREAT | O_EXCL | O_RDWR, 0640);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "hello world", 11), 11);
	CHECK_EQ(lseek(fd, 6, SEEK_SET), 6);
	CHECK_EQ(read(fd, buf, sizeof(buf)), 5);
	CHECK_STR(buf, "world");
	CHECK_EQ(read(fd, buf, 1), 0);
	CHECK_EQ(pwrite(fd, "HELLO", 5, 0), 5);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(pread(fd, buf, 5, 0), 5);
	CHECK_STR(buf, "HELLO");
	CHECK_EQ(lseek(fd, 0, SEEK_END), 11);
	CHECK_EQ(lseek(fd, -1, SEEK_SET), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(close(fd), 0);
	CHECK_EQ(close(fd), -1);
	CHECK_EQ(errno, EBADF);
	CHECK_EQ(open("a", O_CREAT | O_EXCL | O_RDWR, 0640), -1);
	CHECK_EQ(errno, EEXIST);
}

TEST(vectors)
{
	char x[4] = "", y[8] = "";
	struct iovec out[2] = { { (void *)"abc", 3 }, { (void *)"defgh", 5 } };
	struct iovec in[2] = { { x, 3 }, { y, 5 } };
	int fd = open("v", O_CREAT | O_RDWR | O_TRUNC, 0600);

	CHECK_EQ(writev(fd, out, 2), 8);
	lseek(fd, 0, SEEK_SET);
	CHECK_EQ(readv(fd, in, 2), 8);
	CHECK_STR(x, "abc");
	CHECK_STR(y, "defgh");
	CHECK_EQ(preadv(fd, in, 2, 1), 7);
	CHECK_STR(x, "bcd");
	CHECK_EQ(pwritev(fd, out, 1, 5), 3);
	close(fd);
	struct stat st;
	CHECK_EQ(stat("v", &st), 0);
	CHECK_EQ(st.st_size, 8);
}

TEST(append_and_truncate)
{
	struct stat st;
	char c = 1;
	int fd = open("t", O_CREAT | O_WRONLY | O_APPEND, 0600);
	int rd = open("t", O_RDONLY);

	CHECK_EQ(write(fd, "12345", 5), 5);
	lseek(fd, 0, SEEK_SET);
	CHECK_EQ(write(fd, "6", 1), 1);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 6);
	CHECK_EQ(ftruncate(fd, 3), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_size, 3);
	CHECK_EQ(truncate("t", 100000), 0);
	CHECK_EQ(pread(rd, &c, 1, 99999), 1);
	CHECK_EQ(c, 0);
	CHECK_EQ(pread(rd, &c, 1, 3), 1);
	CHECK_EQ(c, 0);
	CHECK_EQ(write(rd, "x", 1), -1);
	CHECK_EQ(errno, EBADF);
	CHECK_EQ(read(fd, &c, 1), -1);
	CHECK_EQ(errno, EBADF);
	close(fd);
	close(rd);
}

TEST(big_file)
{
	enum { N = 3 << 20 };
	unsigned char *p = malloc(N), *q = malloc(N);
	int fd = open("big", O_CREAT | O_RDWR, 0600);

	for (int i = 0; i < N; i++)
		p[i] = (unsigned char)(i * 7 + (i >> 9));
	CHECK_EQ(write(fd, p, N), N);
	CHECK_EQ(pread(fd, q, N, 0), N);
	CHECK(memcmp(p, q, N) == 0);
	CHECK_EQ(pwrite(fd, "zz", 2, 4095), 2);
	CHECK_EQ(pread(fd, q, 4, 4094), 4);
	CHECK(q[0] == p[4094] && q[1] == 'z' && q[2] == 'z' && q[3] == p[4097]);
	CHECK_EQ(unlink("big"), 0);
	CHECK_EQ(pread(fd, q, N, 0), N); /* lives on while open */
	close(fd);
	free(p);
	free(q);
	CHECK_EQ(access("big", F_OK), -1);
	CHECK_EQ(errno, ENOENT);
}

TEST(directories)
{
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_EQ(mkdir("d", 0755), -1);
	CHECK_EQ(errno, EEXIST);
	CHECK_EQ(mkdir("d/e", 0755), 0);
	CHECK_EQ(rmdir("d"), -1);
	CHECK_EQ(errno, ENOTEMPTY);
	for (int i = 0; i < 300; i++) {
		char name[32];
		snprintf(name, sizeof(name), "d/f%d", i);
		int fd = open(name, O_CREAT | O_WRONLY, 0600);
		CHECK(fd >= 0);
		close(fd);
	}
	DIR *d = opendir("d");
	CHECK(d != NULL);
	int n = 0, dots = 0;
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			dots++;
		else
			n++;
		if (strcmp(e->d_name, "e") == 0)
			CHECK_EQ(e->d_type, DT_DIR);
	}
	CHECK_EQ(n, 301);
	CHECK_EQ(dots, 2);
	if (d)
		closedir(d);
	char name[32];
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "d/f%d", i);
		CHECK_EQ(unlink(name), 0);
	}
	CHECK_EQ(unlink("d/e"), -1);
	CHECK_EQ(errno, EISDIR);
	CHECK_EQ(rmdir("d/e"), 0);
	CHECK_EQ(rmdir("d"), 0);
	CHECK_EQ(open("nodir/x", O_CREAT | O_WRONLY, 0600), -1);
	CHECK_EQ(errno, ENOENT);
	CHECK_EQ(open("a/x", O_RDONLY), -1);
	CHECK_EQ(errno, ENOTDIR);
	CHECK_EQ(open(".", O_WRONLY), -1);
	CHECK_EQ(errno, EISDIR);
}

TEST(rename_and_links)
{
	struct stat a, b;
	char buf[64] = "";
	int fd = open("r1", O_CREAT | O_WRONLY, 0600);

	close(fd);
	CHECK_EQ(rename("r1", "r2"), 0);
	CHECK_EQ(access("r1", F_OK), -1);
	CHECK_EQ(link("r2", "r3"), 0);
	CHECK_EQ(stat("r2", &a), 0);
	CHECK_EQ(stat("r3", &b), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(a.st_nlink, 2);
	CHECK_EQ(symlink("r3", "s"), 0);
	CHECK_EQ(readlink("s", buf, sizeof(buf)), 2);
	CHECK_STR(buf, "r3");
	CHECK_EQ(lstat("s", &a), 0);
	CHECK(S_ISLNK(a.st_mode));
	CHECK_EQ(stat("s", &a), 0);
	CHECK_EQ(a.st_ino, b.st_ino);
	CHECK_EQ(open("s", O_RDONLY | O_NOFOLLOW), -1);
	CHECK_EQ(errno, ELOOP);
	CHECK_EQ(symlink("loop2", "loop1"), 0);
	CHECK_EQ(symlink("loop1", "loop2"), 0);
	CHECK_EQ(open("loop1", O_RDONLY), -1);
	CHECK_EQ(errno, ELOOP);
	CHECK_EQ(mkdir("rd", 0700), 0);
	CHECK_EQ(rename("r3", "rd/r3"), 0);
	CHECK_EQ(rename("rd", "rd/sub"), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(renameat2(AT_FDCWD, "rd/r3", AT_FDCWD, "r2", RENAME_NOREPLACE), -1);
	CHECK_EQ(errno, EEXIST);
	CHECK_EQ(rename("rd/r3", "r2"), 0); /* one inode: nothing happens */
	CHECK_EQ(access("rd/r3", F_OK), 0);
	CHECK_EQ(unlink("rd/r3"), 0);
	CHECK_EQ(rmdir("rd"), 0);
	CHECK_EQ(unlink("r2"), 0);
}

TEST(at_calls)
{
	struct stat st;
	int d;

	CHECK_EQ(mkdir("at", 0755), 0);
	d = open("at", O_RDONLY | O_DIRECTORY);
	CHECK(d >= 0);
	int fd = openat(d, "x", O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0);
	CHECK_EQ(fchmod(fd, 0600), 0);
	CHECK_EQ(fstatat(d, "x", &st, 0), 0);
	CHECK_EQ(st.st_mode & 0777, 0600);
	CHECK_EQ(fchmodat(d, "x", 0644, 0), 0);
	CHECK_EQ(fstatat(fd, "", &st, AT_EMPTY_PATH), 0);
	CHECK_EQ(st.st_mode & 0777, 0644);
	CHECK_EQ(faccessat(d, "x", R_OK, 0), 0);
	struct statx sx;
	CHECK_EQ(statx(d, "x", 0, STATX_ALL, &sx), 0);
	CHECK_EQ(sx.stx_size, 0);
	struct timespec ts[2] = { { 1000, 5 }, { 2000, 7 } };
	CHECK_EQ(utimensat(d, "x", ts, 0), 0);
	CHECK_EQ(fstat(fd, &st), 0);
	CHECK_EQ(st.st_mtim.tv_sec, 2000);
	CHECK_EQ(unlinkat(d, "x", 0), 0);
	close(fd);
	close(d);
	CHECK_EQ(unlinkat(AT_FDCWD, "at", AT_REMOVEDIR), 0);
}

TEST(cwd)
{
	char buf[PATH_MAX], want[PATH_MAX];

	CHECK(getcwd(buf, sizeof(buf)) != NULL);
	CHECK_STR(buf, dir);
	CHECK_EQ(mkdir("cwd", 0755), 0);
	CHECK_EQ(chdir("cwd"), 0);
	snprintf(want, sizeof(want), "%s/cwd", dir);
	CHECK(getcwd(buf, sizeof(buf)) != NULL);
	CHECK_STR(buf, want);
	CHECK_EQ(syscall(SYS_getcwd, buf, 3), -1);
	CHECK_EQ(errno, ERANGE);
	CHECK_EQ(chdir(".."), 0);
	CHECK_EQ(chdir("nowhere"), -1);
	CHECK_EQ(rmdir("cwd"), 0);
	CHECK(realpath(".", buf) != NULL);
	CHECK_STR(buf, dir);
}

TEST(descriptors)
{
	int fd = open("dup", O_CREAT | O_RDWR, 0600), two, hi;
	char c;

	two = dup(fd);
	CHECK_EQ(write(fd, "ab", 2), 2);
	lseek(two, 0, SEEK_SET);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, 'a'); /* one position */
	CHECK_EQ(dup2(fd, 77), 77);
	CHECK_EQ(fcntl(77, F_GETFD), 0);
	CHECK_EQ(dup3(fd, 78, O_CLOEXEC), 78);
	CHECK_EQ(fcntl(78, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(dup3(fd, fd, 0), -1);
	CHECK_EQ(errno, EINVAL);
	hi = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	CHECK(hi >= 100);
	CHECK_EQ(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK), 0);
	CHECK_EQ(fcntl(two, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE),
		 O_APPEND | O_NONBLOCK | O_RDWR);
	CHECK_EQ(flock(fd, LOCK_EX), 0);
	CHECK_EQ(flock(fd, LOCK_UN), 0);
	struct flock lk = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	CHECK_EQ(fcntl(fd, F_SETLK, &lk), 0);
	CHECK_EQ(close_range(77, 78, 0), 0);
	CHECK_EQ(fcntl(77, F_GETFD), -1);
	close(fd);
	close(two);
	close(hi);
	CHECK_EQ(read(-1, &c, 1), -1);
	CHECK_EQ(errno, EBADF);
	CHECK_EQ(read(100000, &c, 1), -1);
	CHECK_EQ(errno, EBADF);
}

TEST(pipes)
{
	int p[2];
	char buf[70000];

	CHECK_EQ(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
	CHECK_EQ(read(p[0], buf, 1), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(write(p[1], "xyz", 3), 3);
	int avail = 0;
	CHECK_EQ(ioctl(p[0], FIONREAD, &avail), 0);
	CHECK_EQ(avail, 3);
	CHECK_EQ(read(p[0], buf, sizeof(buf)), 3);
	memset(buf, 'q', sizeof(buf));
	CHECK_EQ(write(p[1], buf, sizeof(buf)), 65536);
	CHECK_EQ(write(p[1], buf, 1), -1);
	CHECK_EQ(errno, EAGAIN);
	struct pollfd pf = { p[1], POLLOUT, 0 };
	CHECK_EQ(poll(&pf, 1, 0), 0);
	CHECK_EQ(read(p[0], buf, 65536), 65536);
	CHECK_EQ(poll(&pf, 1, 0), 1);
	CHECK_EQ(lseek(p[0], 0, SEEK_SET), -1);
	CHECK_EQ(errno, ESPIPE);
	close(p[1]);
	CHECK_EQ(read(p[0], buf, 1), 0);
	pf = (struct pollfd){ p[0], POLLIN, 0 };
	CHECK_EQ(poll(&pf, 1, 0), 1);
	CHECK(pf.revents & POLLHUP);
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	CHECK_EQ(pipe(p), 0);
	close(p[0]);
	CHECK_EQ(write(p[1], "x", 1), -1);
	CHECK_EQ(errno, EPIPE);
	close(p[1]);
}

TEST(fifo)
{
	struct stat st;
	char c;

	CHECK_EQ(mkfifo("fifo", 0600), 0);
	CHECK_EQ(stat("fifo", &st), 0);
	CHECK(S_ISFIFO(st.st_mode));
	int rd = open("fifo", O_RDONLY | O_NONBLOCK), wr = open("fifo", O_WRONLY);
	CHECK(rd >= 0 && wr >= 0);
	CHECK_EQ(write(wr, "f", 1), 1);
	CHECK_EQ(read(rd, &c, 1), 1);
	close(rd);
	close(wr);
	CHECK_EQ(open("fifo", O_WRONLY | O_NONBLOCK), -1);
	CHECK_EQ(errno, ENXIO);
}

TEST(bad_addresses)
{
	int fd = open("a", O_RDWR), p[2];

	CHECK_EQ(read(fd, (void *)8, 4), -1);
	CHECK_EQ(errno, EFAULT);
	CHECK_EQ(write(fd, (void *)8, 4), -1);
	CHECK_EQ(errno, EFAULT);
	CHECK_EQ(syscall(SYS_read, fd, 0x710000000000UL, 4), -1);
	CHECK_EQ(errno, EFAULT);
	CHECK_EQ(syscall(SYS_write, fd, 0xffff800000000000UL, 4), -1);
	CHECK_EQ(errno, EFAULT);
	CHECK_EQ(syscall(SYS_open, 8UL, 0), -1);
	CHECK_EQ(errno, EFAULT);
	CHECK_EQ(syscall(SYS_stat, "a", 8UL), -1);
	CHECK_EQ(errno, EFAULT);
	CHECK_EQ(pipe(p), 0);
	CHECK_EQ(write(p[1], "abc", 3), 3);
	CHECK_EQ(read(p[0], (void *)8, 3), -1);
	CHECK_EQ(errno, EFAULT);
	close(p[0]);
	close(p[1]);
	/* a read only page as the target */
	char *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(pread(fd, ro, 4, 0), -1);
	CHECK_EQ(errno, EFAULT);
	/* half good */
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(two + 4096, 4096);
	CHECK_EQ(open(two + 4096, O_RDONLY), -1);
	CHECK_EQ(errno, EFAULT);
	close(fd);
}

TEST(names)
{
	char longname[300];

	memset(longname, 'n', sizeof(longname));
	longname[299] = 0;
	CHECK_EQ(open(longname, O_CREAT | O_WRONLY, 0600), -1);
	CHECK_EQ(errno, ENAMETOOLONG);
	longname[255] = 0;
	int fd = open(longname, O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(unlink(longname), 0);
	CHECK_EQ(open("", O_RDONLY), -1);
	CHECK_EQ(errno, ENOENT);
	CHECK_EQ(open("a/", O_RDONLY), -1);
	CHECK_EQ(errno, ENOTDIR);
	CHECK_EQ(access("../../../../../../../../etc/passwd", R_OK), 0);
	CHECK_EQ(access("/etc/../etc/./passwd", R_OK), 0);
}

TEST(special_files)
{
	char buf[64];
	int fd = open("/dev/zero", O_RDONLY);

	memset(buf, 1, sizeof(buf));
	CHECK_EQ(read(fd, buf, 64), 64);
	CHECK(buf[0] == 0 && buf[63] == 0);
	close(fd);
	fd = open("/dev/null", O_RDWR);
	CHECK_EQ(write(fd, buf, 64), 64);
	CHECK_EQ(read(fd, buf, 64), 0);
	close(fd);
	fd = open("/dev/full", O_WRONLY);
	CHECK_EQ(write(fd, buf, 1), -1);
	CHECK_EQ(errno, ENOSPC);
	close(fd);
	fd = open("/dev/urandom", O_RDONLY);
	CHECK_EQ(read(fd, buf, 64), 64);
	unsigned sum = 0;
	for (int i = 0; i < 64; i++)
		sum |= (unsigned char)buf[i];
	CHECK(sum != 0);
	close(fd);
}

TEST(proc)
{
	static const char *const files[] = { "/proc/self/stat",
					     "/proc/self/status",
					     "/proc/self/maps",
					     "/proc/self/cmdline",
					     "/proc/meminfo",
					     "/proc/cpuinfo",
					     "/proc/stat",
					     "/proc/uptime",
					     "/proc/loadavg",
					     "/proc/version",
					     "/proc/mounts",
					     "/proc/sys/vm/overcommit_memory",
					     "/proc/sys/net/core/somaxconn",
					     "/proc/sys/kernel/pid_max",
					     "/proc/sys/kernel/random/uuid",
					     "/proc/self/limits",
					     "/proc/self/statm",
					     "/proc/self/smaps",
					     "/proc/filesystems",
					     "/proc/self/environ",
					     "/proc/self/comm",
					     "/sys/devices/system/cpu/online" };
	char buf[4096];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd = open(files[i], O_RDONLY);
		ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
		if (n <= 0 && strcmp(files[i], "/proc/self/environ") != 0) {
			printf("%s: %s\n", files[i], fd < 0 ? "missing" : "empty");
			CHECK(0);
		}
		if (fd >= 0)
			close(fd);
	}
	ssize_t n = readlink("/proc/self/exe", buf, sizeof(buf));
	CHECK(n > 0 && buf[0] == '/');
	int fd = open("a", O_RDONLY);
	char link[64], want[128];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	memset(buf, 0, sizeof(buf));
	CHECK(readlink(link, buf, sizeof(buf)) > 0);
	snprintf(want, sizeof(want), "%s/a", dir);
	CHECK_STR(buf, want);
	int again = open(link, O_RDONLY);
	CHECK(again >= 0);
	close(again);
	close(fd);
	fd = open("/proc/self/stat", O_RDONLY);
	memset(buf, 0, sizeof(buf));
	CHECK(read(fd, buf, sizeof(buf) - 1) > 0);
	CHECK_EQ(atoi(buf), getpid());
	close(fd);
}

TEST(copying)
{
	char buf[16] = "";
	int in = open("a", O_RDONLY), out = open("copy", O_CREAT | O_RDWR, 0600);

	CHECK_EQ(sendfile(out, in, NULL, 5), 5);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 5);
	off_t off = 0;
	CHECK_EQ(sendfile(out, in, &off, 5), 5);
	CHECK_EQ(off, 5);
	CHECK_EQ(pread(out, buf, 10, 0), 10);
	CHECK_STR(buf, "HELLOHELLO");
	CHECK_EQ(fsync(out), 0);
	CHECK_EQ(fdatasync(out), 0);
	CHECK_EQ(posix_fallocate(out, 0, 5000), 0);
	struct stat st;
	CHECK_EQ(fstat(out, &st), 0);
	CHECK_EQ(st.st_size, 5000);
	close(in);
	close(out);
}

TEST(mapped_files)
{
	int fd = open("m", O_CREAT | O_RDWR | O_TRUNC, 0600);
	char c;

	CHECK_EQ(ftruncate(fd, 8192), 0);
	char *sh = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *pr = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(sh != MAP_FAILED && pr != MAP_FAILED);
	sh[0] = 'S';
	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	CHECK_EQ(c, 'S');
	CHECK_EQ(pwrite(fd, "W", 1, 4096), 1);
	CHECK_EQ(sh[4096], 'W');
	CHECK_EQ(pr[0], 'S');
	pr[0] = 'P';
	CHECK_EQ(sh[0], 'S');
	sh[1] = 'T';
	CHECK_EQ(pr[0], 'P');
	CHECK_EQ(msync(sh, 8192, MS_SYNC), 0);
	CHECK_EQ(munmap(sh, 8192), 0);
	CHECK_EQ(munmap(pr, 8192), 0);
	close(fd);
	int ro = open("m", O_RDONLY);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0) == MAP_FAILED);
	CHECK_EQ(errno, EACCES);
	close(ro);
	int mfd = memfd_create("mem", MFD_CLOEXEC);
	CHECK(mfd >= 0);
	CHECK_EQ(write(mfd, "mem", 3), 3);
	close(mfd);
}

TEST(fs_stats)
{
	struct statfs sf;
	struct stat st;

	CHECK_EQ(statfs("/tmp", &sf), 0);
	CHECK(sf.f_bsize > 0);
	CHECK_EQ(stat("/", &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	CHECK_EQ(fstat(1, &st), 0);
	CHECK_EQ(stat("/dev/null", &st), 0);
	CHECK(S_ISCHR(st.st_mode));
	mode_t old = umask(022);
	CHECK_EQ(umask(old), 022);
}

int main(void)
{
	static const struct unit_case cases[] = {
		CASE(create_write_read),
		CASE(vectors),
		CASE(append_and_truncate),
		CASE(big_file),
		CASE(directories),
		CASE(rename_and_links),
		CASE(at_calls),
		CASE(cwd),
		CASE(descriptors),
		CASE(pipes),
		CASE(fifo),
		CASE(bad_addresses),
		CASE(names),
		CASE(special_files),
		CASE(proc),
		CASE(copying),
		CASE(mapped_files),
		CASE(fs_stats),
	};

	if (!mkdtemp(dir) || chdir(dir) != 0) {
		perror(dir);
		return 1;
	}
	return unit_run(cases, sizeof(cases) / sizeof(cases[0]));
}
