/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c - the kernel calls behind platform.h: address-space batches, interrupts, the end. */
#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/platform/platform.h"
#include "runtime/sched/sched.h"

const struct gw_boot_info *platform_boot(void)
{
	return (const struct gw_boot_info *)GW_BOOT_VA;
}

long gw_call(unsigned nr, uint64_t a, uint64_t b, uint64_t c)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(GW_CALL(nr)), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
}

/* ---- address spaces: entries gather in the calling vcore's batch area, which lasts until the
 * commit: no parking in between ---- */

static int apply(unsigned nr, uint32_t n)
{
	long r = n ? gw_call(nr, n, 0, 0) : 0;

	return r < 0 ? (int)r : 0;
}

static inline void set_map(uint32_t i, uint64_t va, uint64_t pa, uint64_t len, uint32_t flags)
{
	shard_self()->vcore->batch.maps[i] =
		(struct gw_map){ .va = va, .pa = pa, .len = len, .flags = flags };
}

int space_map(uint64_t va, uint64_t pa, uint64_t len, uint32_t flags)
{
	set_map(0, va, pa, len, flags);
	return apply(GW_CALL_SPACE_MAP, 1);
}

int space_protect(uint64_t va, uint64_t len, uint32_t flags)
{
	set_map(0, va, 0, len, flags);
	return apply(GW_CALL_SPACE_PROTECT, 1);
}

void space_batch_init(struct space_batch *b)
{
	b->n = 0;
}

int space_batch_commit(struct space_batch *b)
{
	uint32_t n = b->n;

	b->n = 0;
	return apply(GW_CALL_SPACE_MAP, n);
}

int space_batch_map(struct space_batch *b, uint64_t va, uint64_t pa, uint64_t len, uint32_t flags)
{
	set_map(b->n, va, pa, len, flags);
	if (++b->n == GW_BATCH_MAPS)
		return space_batch_commit(b);
	return 0;
}

static void report(unsigned nr, uint64_t va, uint64_t len,
		   void (*fn)(void *, uint64_t, uint64_t, uint32_t), void *arg)
{
	struct gw_vcore *vc = shard_self()->vcore;
	uint64_t end = va + len;

	while (va < end) {
		long n = gw_call(nr, va, end - va, 0);

		if (n < 0)
			panic("space call %u of %#lx, %#lx bytes: %ld", nr, va, end - va, n);
		va = vc->next_va;
		for (long i = 0; i < n; i++) {
			struct gw_unmapped *u = &vc->batch.unmapped[i];

			fn(arg, u->va, u->pa_flags & ~(uint64_t)(GW_PAGE - 1),
			   u->pa_flags & (GW_PAGE - 1));
		}
	}
}

void space_unmap(uint64_t va, uint64_t len,
		 void (*fn)(void *arg, uint64_t va, uint64_t pa, uint32_t flags), void *arg)
{
	report(GW_CALL_SPACE_UNMAP, va, len, fn, arg);
}

void space_query(uint64_t va, uint64_t len,
		 void (*fn)(void *arg, uint64_t va, uint64_t pa, uint32_t flags), void *arg)
{
	report(GW_CALL_SPACE_QUERY, va, len, fn, arg);
}

int space_create(void)
{
	return (int)gw_call(GW_CALL_SPACE_CREATE, 0, 0, 0);
}

uint32_t space_enter(uint32_t space)
{
	struct shard *s = shard_self();
	uint32_t before = s->space;
	long r;

	if (space == before)
		return before;
	r = gw_call(GW_CALL_SPACE_SWITCH, space, 0, 0);
	if (r < 0)
		panic("no address space %u: %ld", space, r);
	atomic_store_explicit(&s->space, space, memory_order_relaxed);
	return before;
}

void space_move(uint32_t space)
{
	uthread_self()->space = space;
	space_enter(space);
}

/* On a shard where the space is only left over from a uthread that ran before. */
static void leave(void *arg)
{
	if (shard_self()->space == *(const uint32_t *)arg)
		space_enter(0);
}

void space_destroy(uint32_t space)
{
	long r;

	for (uint32_t i = 0; i < n_shards; i++)
		if (shards[i]->space == space)
			shard_call(shards[i], leave, &space);
	do {
		r = gw_call(GW_CALL_SPACE_DESTROY, space, 0, 0);
	} while (r == -EAGAIN);
	if (r < 0)
		panic("space_destroy of %u: %ld", space, r);
}

/* ---- interrupts, the end ---- */

int platform_bind_irq(uint32_t device_index, uint32_t vector)
{
	static uint8_t used[SHARD_MAX]; /* events taken of each vcore; each vcore touches its own */
	uint32_t vcore = shard_self()->id;
	uint64_t event = GW_EVENT_IRQ0 + used[vcore];
	long r;

	if (event > 63)
		return -EBUSY;
	/* four arguments: r10 carries the last */
	register uint64_t r10 __asm__("r10") = event;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(GW_CALL(GW_CALL_IRQ_BIND)), "D"((uint64_t)device_index),
			   "S"((uint64_t)vector), "d"((uint64_t)vcore), "r"(r10)
			 : "rcx", "r11", "memory");
	if (r < 0)
		return (int)r;
	used[vcore]++;
	return (int)event;
}

int platform_port(bool udp, uint16_t port, bool take)
{
	(void)udp;
	(void)port;
	(void)take;
	return 0;
}

int platform_pick_port(bool udp, uint16_t *port)
{
	(void)udp;
	*port = 0;
	return 0;
}

_Noreturn void platform_shutdown(int status)
{
	for (;;)
		gw_call(GW_CALL_SHUTDOWN, (uint64_t)status & 0xff, 0, 0);
}
