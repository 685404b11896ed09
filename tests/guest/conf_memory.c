/* SPDX-License-Identifier: Apache-2.0 */
/* conf_memory - the address space: mmap and friends, brk, faults as signals, large maps. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/unit.h"

static sigjmp_buf trap;
static volatile sig_atomic_t trap_sig, trap_code;
static void *volatile trap_addr;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	trap_sig = sig;
	trap_code = si->si_code;
	trap_addr = si->si_addr;
	siglongjmp(trap, 1);
}

/* The signal a read or write of p raises; 0 = none. */
static int touch(volatile char *p, int write)
{
	trap_sig = 0;
	if (sigsetjmp(trap, 1) == 0) {
		if (write)
			*p = 1;
		else
			(void)*p;
	}
	return trap_sig;
}

static char *anon(size_t n, int prot)
{
	return mmap(NULL, n, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

TEST(anonymous)
{
	char *p = anon(1 << 20, PROT_READ | PROT_WRITE);

	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < 1 << 20; i += 4096)
		CHECK_EQ(p[i], 0);
	memset(p, 0x5a, 1 << 20);
	CHECK_EQ(p[123456], 0x5a);
	CHECK_EQ(munmap(p + 4096, 4096), 0);
	CHECK_EQ(touch(p + 4096, 0), SIGSEGV);
	CHECK_EQ(trap_code, SEGV_MAPERR);
	CHECK(trap_addr == p + 4096);
	CHECK_EQ(p[0], 0x5a);
	CHECK_EQ(p[8192], 0x5a);
	CHECK_EQ(munmap(p, 1 << 20), 0);
	CHECK_EQ(munmap(p, 1 << 20), 0); /* nothing there: fine */
}

TEST(bad_arguments)
{
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 999, 0) == MAP_FAILED);
	CHECK_EQ(errno, EBADF);
	CHECK(mmap((void *)1, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK(mmap(NULL, 1UL << 62, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK_EQ(errno, ENOMEM);
	CHECK_EQ(munmap((void *)1, 4096), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(mprotect((void *)0x10000, 4096, PROT_READ), -1);
	CHECK_EQ(errno, ENOMEM);
}

TEST(protection)
{
	char *p = anon(3 * 4096, PROT_READ | PROT_WRITE);

	memset(p, 7, 3 * 4096);
	CHECK_EQ(mprotect(p + 4096, 4096, PROT_READ), 0);
	CHECK_EQ(touch(p + 4096, 0), 0);
	CHECK_EQ(touch(p + 4096, 1), SIGSEGV);
	CHECK_EQ(trap_code, SEGV_ACCERR);
	CHECK_EQ(mprotect(p + 4096, 4096, PROT_NONE), 0);
	CHECK_EQ(touch(p + 4096, 0), SIGSEGV);
	CHECK_EQ(mprotect(p, 3 * 4096, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(touch(p + 4096, 1), 0);
	CHECK_EQ(p[4097], 7); /* contents survive */
	munmap(p, 3 * 4096);
	/* reserve, then commit, as allocators do */
	p = anon(64 << 20, PROT_NONE);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(mprotect(p + (32 << 20), 1 << 20, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(touch(p + (32 << 20) + 5000, 1), 0);
	CHECK_EQ(touch(p, 0), SIGSEGV);
	munmap(p, 64 << 20);
}

TEST(fixed)
{
	char *p = anon(4 * 4096, PROT_READ | PROT_WRITE), *q;

	memset(p, 1, 4 * 4096);
	q = mmap(p + 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0);
	CHECK(q == p + 4096);
	CHECK_EQ(p[4096], 0);
	CHECK_EQ(p[0], 1);
	CHECK_EQ(p[8192], 1);
	q = mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK(q == MAP_FAILED);
	CHECK_EQ(errno, EEXIST);
	munmap(p, 4 * 4096);
}

TEST(remap)
{
	char *p = anon(8192, PROT_READ | PROT_WRITE), *q;

	p[0] = 'a';
	p[8191] = 'z';
	q = mremap(p, 8192, 1 << 20, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	CHECK_EQ(q[0], 'a');
	CHECK_EQ(q[8191], 'z');
	CHECK_EQ(q[8192], 0);
	q[(1 << 20) - 1] = 'e';
	char *r = mremap(q, 1 << 20, 4096, 0);
	CHECK(r == q);
	CHECK_EQ(touch(q + 4096, 0), SIGSEGV);
	char *to = anon(4096, PROT_NONE);
	r = mremap(q, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	CHECK(r == to);
	CHECK_EQ(r[0], 'a');
	CHECK_EQ(touch(q, 0), SIGSEGV);
	munmap(r, 4096);
	p = anon(4 * 4096, PROT_READ | PROT_WRITE);
	munmap(p + 8192, 4096);
	CHECK(mremap(p, 8192, 3 * 4096, 0) != MAP_FAILED); /* the hole is free */
	CHECK(mremap(p, 3 * 4096, 5 * 4096, 0) == MAP_FAILED);
	CHECK_EQ(errno, ENOMEM);
	munmap(p, 4 * 4096);
}

TEST(advice)
{
	char *p = anon(1 << 20, PROT_READ | PROT_WRITE);

	memset(p, 9, 1 << 20);
	CHECK_EQ(madvise(p + 4096, 8192, MADV_DONTNEED), 0);
	CHECK_EQ(p[4096], 0);
	CHECK_EQ(p[0], 9);
	CHECK_EQ(p[4096 + 8192], 9);
	CHECK_EQ(madvise(p, 1 << 20, MADV_WILLNEED), 0);
	CHECK_EQ(madvise(p, 1 << 20, MADV_FREE), 0);
	CHECK_EQ(madvise(p, 1 << 20, 12345), -1);
	CHECK_EQ(errno, EINVAL);
	unsigned char vec[2];
	p[0] = 1;
	CHECK_EQ(mincore(p, 4096, vec), 0);
	CHECK(vec[0] & 1);
	CHECK_EQ(mlock(p, 4096), 0);
	CHECK_EQ(munlock(p, 4096), 0);
	munmap(p, 1 << 20);
}

TEST(heap_break)
{
	char *b = sbrk(0), *n;

	n = sbrk(1 << 20);
	CHECK(n == b || n > b);
	n = sbrk(0);
	n[-1] = 5;
	CHECK_EQ(brk(b), 0);
	CHECK(sbrk(0) == b);
	sbrk(4096);
	CHECK_EQ(b[0], 0);
	sbrk(-4096);
}

TEST(file_maps)
{
	char name[] = "/tmp/conf-mem-XXXXXX";
	int fd = mkstemp(name);

	unlink(name);
	for (int i = 0; i < 10; i++) {
		char page[4096];
		memset(page, 'a' + i, sizeof(page));
		CHECK_EQ(write(fd, page, 4096), 4096);
	}
	CHECK_EQ(write(fd, "tail", 4), 4);
	char *p = mmap(NULL, 12 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4096);
	CHECK_EQ(p[0], 'b');
	CHECK_EQ(p[8 * 4096], 'j');
	CHECK_EQ(p[9 * 4096], 't');
	CHECK_EQ(p[9 * 4096 + 4], 0); /* zero to the end of the page */
	CHECK_EQ(touch(p + 10 * 4096, 0), SIGBUS);
	CHECK_EQ(trap_code, BUS_ADRERR);
	p[0] = 'X';
	char c;
	CHECK_EQ(pread(fd, &c, 1, 4096), 1);
	CHECK_EQ(c, 'b');
	CHECK_EQ(ftruncate(fd, 4096), 0);
	CHECK_EQ(touch(p + 5 * 4096, 0), SIGBUS);
	munmap(p, 12 * 4096);
	close(fd);
}

TEST(code_pages)
{
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 }; /* mov $42,%eax; ret */
	unsigned char *p = (unsigned char *)anon(4096, PROT_READ | PROT_WRITE);

	memcpy(p, code, sizeof(code));
	trap_sig = 0;
	if (sigsetjmp(trap, 1) == 0)
		((int (*)(void))(uintptr_t)p)();
	CHECK_EQ(trap_sig, SIGSEGV); /* no exec */
	CHECK_EQ(mprotect(p, 4096, PROT_READ | PROT_EXEC), 0);
	CHECK_EQ(((int (*)(void))(uintptr_t)p)(), 42);
	munmap(p, 4096);
}

TEST(large)
{
	size_t n = 24u << 20;
	char *p = anon(n, PROT_READ | PROT_WRITE);

	for (size_t i = 0; i < n; i += 65536)
		p[i] = (char)(i >> 16);
	int bad = 0;
	for (size_t i = 0; i < n; i += 65536)
		bad += p[i] != (char)(i >> 16);
	CHECK_EQ(bad, 0);
	CHECK_EQ(munmap(p + (8 << 20) + 4096, 4096), 0);
	CHECK_EQ(touch(p + (8 << 20) + 4096, 0), SIGSEGV);
	CHECK_EQ(p[8 << 20], (char)(8 << 4));
	CHECK_EQ(mprotect(p + (4 << 20), 4096, PROT_READ), 0);
	CHECK_EQ(touch(p + (4 << 20), 1), SIGSEGV);
	CHECK_EQ(touch(p + (4 << 20) + 4096, 1), 0);
	munmap(p, n);
}

TEST(many_maps)
{
	enum { N = 1000 };
	static char *p[N];

	for (int i = 0; i < N; i++) {
		p[i] = anon(8192, i & 1 ? PROT_READ | PROT_WRITE : PROT_READ);
		CHECK(p[i] != MAP_FAILED);
		if (i & 1)
			p[i][0] = (char)i;
	}
	for (int i = 1; i < N; i += 2)
		CHECK_EQ(p[i][0], (char)i);
	for (int i = 0; i < N; i++)
		munmap(p[i], 8192);
}

TEST(stack_grows)
{
	volatile char deep[3 << 20];

	for (size_t i = 0; i < sizeof(deep); i += 4096)
		deep[sizeof(deep) - 1 - i] = 1;
	CHECK_EQ(deep[sizeof(deep) - 1], 1);
	struct rlimit rl;
	CHECK_EQ(getrlimit(RLIMIT_STACK, &rl), 0);
	CHECK(rl.rlim_cur >= 8u << 20);
}

/* What libnuma asks: the policy is the default one, node 0 may be used, a mask that has no room for
 * the machine's nodes is refused. */
TEST(numa)
{
	unsigned long mask[17] = { 0 };
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int mode = 77;

	memset(mask, 0xff, sizeof(mask));
	CHECK_EQ(syscall(SYS_get_mempolicy, &mode, mask, 1025, NULL, 0), 0);
	CHECK_EQ(mode, 0);
	for (int i = 0; i < 16; i++)
		CHECK_EQ(mask[i], 0);
	CHECK_EQ(mask[16], ~0ul);
	CHECK_EQ(syscall(SYS_get_mempolicy, NULL, mask, 1025, NULL, 4), 0);
	CHECK_EQ(mask[0] & 1, 1);
	CHECK_EQ(syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0), 0);
	CHECK_EQ(syscall(SYS_get_mempolicy, NULL, mask, 0, NULL, 0), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(syscall(SYS_get_mempolicy, (void *)8, NULL, 0, NULL, 0), -1);
	CHECK_EQ(errno, EFAULT);
	CHECK_EQ(syscall(SYS_set_mempolicy, 0, NULL, 0), 0);
	CHECK_EQ(syscall(SYS_set_mempolicy, 99, NULL, 0), -1);
	CHECK_EQ(errno, EINVAL);
	CHECK_EQ(syscall(SYS_mbind, page, 4096, 0, NULL, 0, 0), 0);
	munmap(page, 4096);
}

TEST(null_and_wild)
{
	CHECK_EQ(touch((char *)8, 0), SIGSEGV);
	CHECK_EQ(touch((char *)0x710000000000UL, 0), SIGSEGV);
	CHECK_EQ(touch((char *)0x7fffffffe000UL - (64UL << 30), 0), SIGSEGV);
	CHECK_EQ(touch((char *)0xffffffff80000000UL, 1), SIGSEGV);
}

int main(void)
{
	static const struct unit_case cases[] = {
		CASE(anonymous),     CASE(bad_arguments), CASE(protection), CASE(fixed),
		CASE(remap),	     CASE(advice),	  CASE(heap_break), CASE(file_maps),
		CASE(code_pages),    CASE(large),	  CASE(many_maps),  CASE(stack_grows),
		CASE(null_and_wild), CASE(numa),
	};
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	return unit_run(cases, sizeof(cases) / sizeof(cases[0]));
}
