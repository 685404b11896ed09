/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - monotonic time from the time stamp counter, with the kernel's scale; wall time as an
 * offset to it. */
#include "runtime/platform/platform.h"
#include "runtime/sched/sched_internal.h"

static struct gw_clock scale;
static _Atomic uint64_t epoch_ns;

void clock_init(const struct gw_clock *clock)
{
	scale = *clock;
	atomic_store_explicit(&epoch_ns, clock->epoch_ns, memory_order_relaxed);
}

uint64_t clock_now(void)
{
	return shard_self()->now_ns = clock_ns_of(&scale, __builtin_ia32_rdtsc());
}

uint64_t clock_epoch_ns(void)
{
	return atomic_load_explicit(&epoch_ns, memory_order_relaxed);
}

void clock_set_epoch(uint64_t ns)
{
	atomic_store_explicit(&epoch_ns, ns, memory_order_relaxed);
}
