/* SPDX-License-Identifier: Apache-2.0 */
/* abi.h - Linux x86-64 constants and layouts that files/ exchanges with programs. Values of the
 * Linux user-space ABI (man 2 pages); kept here because freestanding code has no libc headers and
 * host tests must not take others. */
#ifndef GODWIT_LINUX_FILES_ABI_H
#define GODWIT_LINUX_FILES_ABI_H

#include <stdint.h>

#define O_ACCMODE 3u
#define O_RDONLY 0u
#define O_WRONLY 1u
#define O_RDWR 2u
#define O_CREAT 0x40u
#define O_EXCL 0x80u
#define O_NOCTTY 0x100u
#define O_TRUNC 0x200u
#define O_APPEND 0x400u
#define O_NONBLOCK 0x800u
#define O_DSYNC 0x1000u
#define O_ASYNC 0x2000u
#define O_DIRECT 0x4000u
#define O_LARGEFILE 0x8000u
#define O_DIRECTORY 0x10000u
#define O_NOFOLLOW 0x20000u
#define O_NOATIME 0x40000u
#define O_CLOEXEC 0x80000u
#define O_PATH 0x200000u
#define O_TMPFILE (0x400000u | O_DIRECTORY)

#define S_IFMT 0170000u
#define S_IFSOCK 0140000u
#define S_IFLNK 0120000u
#define S_IFREG 0100000u
#define S_IFBLK 0060000u
#define S_IFDIR 0040000u
#define S_IFCHR 0020000u
#define S_IFIFO 0010000u
#define S_ISUID 04000u
#define S_ISGID 02000u
#define S_ISVTX 01000u
#define S_ISREG(m) (((m)&S_IFMT) == S_IFREG)
#define S_ISDIR(m) (((m)&S_IFMT) == S_IFDIR)
#define S_ISLNK(m) (((m)&S_IFMT) == S_IFLNK)

#define AT_FDCWD (-100)
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_REMOVEDIR 0x200u
#define AT_SYMLINK_FOLLOW 0x400u
#define AT_EMPTY_PATH 0x1000u
#define RENAME_NOREPLACE (1 << 0) /* spelled as glibc has them: host tests see both */
#define RENAME_EXCHANGE (1 << 1)

#define POLLIN 1u
#define POLLPRI 2u
#define POLLOUT 4u
#define POLLERR 8u
#define POLLHUP 16u
#define POLLNVAL 32u
#define POLLRDNORM 0x40u
#define POLLRDBAND 0x80u
#define POLLWRNORM 0x100u
#define POLLWRBAND 0x200u
#define POLLRDHUP 0x2000u

#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP (1u << 29)
#define EPOLLONESHOT (1u << 30)
#define EPOLLET (1u << 31)

#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define SEEK_DATA 3
#define SEEK_HOLE 4

#define PATH_MAX 4096u
#define NAME_MAX 255u
#define IOV_MAX 1024u
#define RW_MAX 0x7ffff000ull /* the most one read or write moves */

#define SIGPIPE 13

struct timespec64 {
	int64_t sec, nsec;
};
struct timeval64 {
	int64_t sec, usec;
};
struct itimerspec64 {
	struct timespec64 interval, value;
};
struct epoll_event64 {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));
struct pollfd64 {
	int32_t fd;
	uint16_t events, revents;
};

#endif
