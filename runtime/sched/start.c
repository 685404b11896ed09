/* SPDX-License-Identifier: Apache-2.0 */
/* start.c - the first shard on the boot stack, then one for every further vcore, each with a
 * uthread of its own that starts the loop. */
#include "runtime/base/errno.h"
#include "runtime/mem/mem.h"
#include "runtime/platform/platform.h"
#include "runtime/sched/sched_internal.h"
#include "runtime/sched/upcall.h"

struct shard *shards[SHARD_MAX];
uint32_t n_shards;

void shard_setup(struct shard *s, uint32_t id, struct uthread *boot)
{
	s->id = id;
	s->vcore = (struct gw_vcore *)GW_VCORE_VA(id);
	s->current = boot;
	s->armed_ns = GW_NEVER;
	s->idle_ns = TICK_MAX_NS;
	list_init(&s->runq);
	list_init(&s->pollers);
	list_init(&s->flushers);
	list_init(&s->dead);
	atomic_store_explicit(&boot->state, UT_RUNNING, memory_order_relaxed);
	atomic_store_explicit(&s->n_uthreads, 1, memory_order_relaxed);
}

static int latencies_init(struct shard *s)
{
	s->latency = mem_alloc(LATENCY_KINDS * sizeof(*s->latency));
	for (uint32_t k = 0; s->latency && k < LATENCY_KINDS; k++)
		latency_init(&s->latency[k]);
	return s->latency ? 0 : -ENOMEM;
}

void shard_vcore_init(struct shard *s)
{
	struct gw_vcore *vc = s->vcore;

	vc->user[VU_SHARD] = (uint64_t)s;
	vc->user[VU_STACK_TOP] = (uint64_t)uthread_top(s->current);
	if (gw_call(GW_CALL_UPCALL_SET, (uint64_t)upcall_syscall_entry, (uint64_t)upcall_entry, 0) <
	    0)
		panic("upcall_set failed");
	clock_now();
}

void sched_boot(const struct gw_boot_info *boot, uint8_t *boot_stack)
{
	static struct uthread boot_uthread;
	static struct shard shard0;

	clock_init(&boot->clock);
	shards[0] = &shard0;
	n_shards = 1;
	uthread_setup(&boot_uthread, &shard0, boot_stack, UTHREAD_STACK, "boot");
	shard_setup(&shard0, 0, &boot_uthread);
	shard_vcore_init(&shard0);
	mem_init(boot);
	if (timers_init(&shard0) < 0 || latencies_init(&shard0) < 0)
		panic("no memory for the scheduler");
	boot_uthread.run_since_ns = shard0.now_ns;
}

static struct {
	shard_hook init;
	_Atomic uint32_t up;
	struct uthread *starter;
} starting;

_Noreturn void shard_secondary(struct shard *s)
{
	shard_vcore_init(s);
	s->current->run_since_ns = s->now_ns;
	if (starting.init)
		starting.init(s);
	atomic_fetch_add_explicit(&starting.up, 1, memory_order_release);
	uthread_wake(starting.starter);
	uthread_exit(); /* its stack runs the loop until another is ready */
}

void shards_start(uint32_t n, shard_hook init)
{
	starting.init = init;
	starting.starter = uthread_self();
	n = GW_MIN(n, SHARD_MAX);
	for (uint32_t i = 1; i < n; i++) {
		struct shard *s = mem_zalloc(sizeof(*s));
		struct uthread *u = mem_alloc(sizeof(*u));
		uint64_t stack = pages_alloc(UTHREAD_STACK / GW_PAGE_SIZE, 1);

		if (!s || !u || !stack || timers_init(s) < 0 || latencies_init(s) < 0 ||
		    mem_shard_init(s) < 0)
			panic("no memory for vcore %u", i);
		uthread_setup(u, s, pa_to_va(stack), UTHREAD_STACK, "boot");
		shard_setup(s, i, u);
		shards[i] = s;
		s->vcore->user[VU_STACK_TOP] = (uint64_t)uthread_top(u);
		if (gw_call(GW_CALL_VCORE_START, i, (uint64_t)shard_entry, (uint64_t)s) < 0)
			panic("vcore %u does not start", i);
	}
	while (atomic_load_explicit(&starting.up, memory_order_acquire) < n - 1)
		(void)uthread_park(GW_NEVER);
	atomic_store_explicit((_Atomic uint32_t *)&n_shards, n, memory_order_release);
}
