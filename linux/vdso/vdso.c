/* SPDX-License-Identifier: Apache-2.0 */
/* vdso.c - the shared object that every program finds mapped: time without a system call. It runs
 * as part of the program, so it trusts its read-only data page and nothing else. Names and version
 * as vdso(7). */
#include "linux/vdso/vdso.h"

#define EXPORT __attribute__((visibility("default")))
#define NS_PER_SEC 1000000000ull
#define CLOCKS_REAL (1u << 0 | 1u << 5) /* REALTIME, REALTIME_COARSE */
#define CLOCKS_MONO                                                                   \
	(1u << 1 | 1u << 4 | 1u << 6 | 1u << 7) /* MONOTONIC, _RAW, _COARSE, BOOTTIME \
						 */
#define SYS_gettimeofday 96
#define SYS_clock_gettime 228
#define SYS_clock_getres 229
#define SYS_getcpu 309

struct timespec64 {
	int64_t sec, nsec;
};
struct timeval64 {
	int64_t sec, usec;
};

extern const volatile struct vdso_data vdso_data
	__attribute__((visibility("hidden"))); /* the page in front */

EXPORT int __vdso_clock_gettime(int clock, struct timespec64 *ts);
EXPORT int __vdso_clock_getres(int clock, struct timespec64 *ts);
EXPORT int __vdso_gettimeofday(struct timeval64 *tv, int *zone);
EXPORT int64_t __vdso_time(int64_t *to);
EXPORT long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

static inline long call(long nr, long a, long b)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(nr), "D"(a), "S"(b), "d"(0)
			 : "rcx", "r11", "memory");
	return r;
}

static inline uint64_t monotonic(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)(((unsigned __int128)(((uint64_t)hi << 32 | lo) - vdso_data.tsc_base) *
			   vdso_data.mult) >>
			  32);
}

int __vdso_clock_gettime(int clock, struct timespec64 *ts)
{
	uint32_t bit = (uint32_t)clock < 32 ? 1u << clock : 0;
	uint64_t ns;

	if ((bit & (CLOCKS_REAL | CLOCKS_MONO)) == 0)
		return (int)call(SYS_clock_gettime, clock, (long)ts);
	ns = monotonic();
	if ((bit & CLOCKS_REAL) != 0)
		ns += vdso_data.epoch_ns;
	ts->sec = (int64_t)(ns / NS_PER_SEC);
	ts->nsec = (int64_t)(ns % NS_PER_SEC);
	return 0;
}

int __vdso_clock_getres(int clock, struct timespec64 *ts)
{
	return (int)call(SYS_clock_getres, clock, (long)ts);
}

int __vdso_gettimeofday(struct timeval64 *tv, int *zone)
{
	uint64_t ns = monotonic() + vdso_data.epoch_ns;

	if (tv != 0) {
		tv->sec = (int64_t)(ns / NS_PER_SEC);
		tv->usec = (int64_t)(ns % NS_PER_SEC / 1000);
	}
	if (zone != 0)
		zone[0] = zone[1] = 0;
	return 0;
}

int64_t __vdso_time(int64_t *to)
{
	int64_t sec = (int64_t)((monotonic() + vdso_data.epoch_ns) / NS_PER_SEC);

	if (to != 0)
		*to = sec;
	return sec;
}

long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	(void)unused;
	if (!vdso_data.one_cpu)
		return call(SYS_getcpu, (long)cpu, (long)node);
	if (cpu != 0)
		*cpu = 0;
	if (node != 0)
		*node = 0;
	return 0;
}

/* The short names that vdso(7) lists as well. */
#define ALIAS(of) __attribute__((weak, alias(of), visibility("default")))
int clock_gettime(int clock, struct timespec64 *ts) ALIAS("__vdso_clock_gettime");
int clock_getres(int clock, struct timespec64 *ts) ALIAS("__vdso_clock_getres");
int gettimeofday(struct timeval64 *tv, int *zone) ALIAS("__vdso_gettimeofday");
int64_t time(int64_t *to) ALIAS("__vdso_time");
long getcpu(unsigned *cpu, unsigned *node, void *unused) ALIAS("__vdso_getcpu");
