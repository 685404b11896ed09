/* SPDX-License-Identifier: Apache-2.0 */
/* base.h - what every runtime file may use: small macros, checked types, spin locks. No
 * dependencies. */
#ifndef GODWIT_RUNTIME_BASE_H
#define GODWIT_RUNTIME_BASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
/* Built small in a file that is built fast: what no request passes through. */
#define COLD __attribute__((cold))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define GW_MIN(a, b) ((a) < (b) ? (a) : (b))
#define GW_MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, to) (((x) + ((to)-1)) & ~((__typeof__(x))(to)-1)) /* to: power of two */
#define ROUND_DOWN(x, to) ((x) & ~((__typeof__(x))(to)-1))
#define GW_PAGE_SIZE 4096ul
#define NS_PER_SEC 1000000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull
#define GW_NEVER (~0ull) /* a deadline that does not come */

/* A short lock between vcores. Taken with upcalls masked (the runtime always is), never held while
 * parking, touching program memory, or calling out. */
struct spinlock {
	_Atomic uint32_t held;
};

static inline void spin_lock(struct spinlock *l)
{
	while (unlikely(atomic_exchange_explicit(&l->held, 1, memory_order_acquire))) {
		while (atomic_load_explicit(&l->held, memory_order_relaxed))
			__builtin_ia32_pause();
	}
}

static inline void spin_unlock(struct spinlock *l)
{
	atomic_store_explicit(&l->held, 0, memory_order_release);
}

/* Provided by the platform (platform/godwit/log.c: the kernel's debug UART; host tests: stderr).
 * log_*: a line of text. panic: a broken invariant; stops the partition with the text. */
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
_Noreturn void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
