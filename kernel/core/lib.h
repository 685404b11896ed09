/* SPDX-License-Identifier: Apache-2.0 */
/* lib.h - the few C helpers that the whole kernel uses: memory, error numbers, rounding. */
#ifndef GODWIT_KERNEL_LIB_H
#define GODWIT_KERNEL_LIB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef GW_HOST_TEST
#include <errno.h>
#include <string.h>
#else
enum {
	EPERM = 1,
	ENOMEM = 12,
	EBUSY = 16,
	ENODEV = 19,
	EAGAIN = 11,
	EINVAL = 22,
	ENOSPC = 28,
	ENOSYS = 38
};
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
#endif

#define MUST_CHECK __attribute__((warn_unused_result))
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE_SIZE 4096ULL
#define LARGE_SIZE 0x200000ULL
#define HUGE_SIZE 0x40000000ULL

static inline uint64_t round_up(uint64_t v, uint64_t unit)
{
	return (v + unit - 1) & ~(unit - 1);
}

static inline uint64_t round_down(uint64_t v, uint64_t unit)
{
	return v & ~(unit - 1);
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The kernel's view of physical memory. A host test sets direct_base to its own buffer. */
#ifdef GW_HOST_TEST
extern uint64_t direct_base;
#else
#define direct_base 0xffff800000000000ULL
#endif

static inline void *direct(uint64_t pa)
{
	return (void *)(uintptr_t)(pa + direct_base);
}

static inline uint64_t direct_pa(const void *p)
{
	return (uint64_t)(uintptr_t)p - direct_base;
}

#endif
