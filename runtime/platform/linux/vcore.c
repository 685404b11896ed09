/* SPDX-License-Identifier: Apache-2.0 */
/* vcore.c - vcores as threads, and the kernel calls that the runtime makes of them.
 *
 * A vcore that waits sleeps in epoll on an eventfd, which others write to wake it, and on its
 * devices' descriptors, level-triggered. The protocol is the kernel's (abi/call.h): who notifies
 * sets the bit in `pending` first, and a wait returns at once when a bit is set. */
#include <asm/prctl.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/platform/linux/hosted.h"
#include "runtime/sched/sched.h"

#define EVENTS 16

static struct vcore {
	int wake; /* eventfd */
	int epoll;
	uint64_t entry, arg;
	_Atomic bool started;
} vcores[GW_MAX_VCORES];

static struct gw_vcore *area(uint32_t i)
{
	return (struct gw_vcore *)GW_VCORE_VA(i);
}

static uint32_t self(void)
{
	uint64_t id;

	__asm__ volatile("movq %%gs:0x38, %0" : "=r"(id));
	return (uint32_t)id;
}

static int watch(struct vcore *v, int fd, uint64_t tag)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = tag };

	return epoll_ctl(v->epoll, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : -errno;
}

int hosted_watch(int fd, unsigned event)
{
	return watch(&vcores[self()], fd, event != 0 ? (uint64_t)fd << 8 | event : 0);
}

static void pin(uint32_t i)
{
	int core = hosted_core(i);
	cpu_set_t set;

	if (core < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET((unsigned)core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		hosted_fail("--cores: cannot run on core %d: %s", core, strerror(errno));
}

#define TAG_WAKE (~0ull)

void hosted_vcore_init(uint32_t i)
{
	struct vcore *v = &vcores[i];

	v->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	v->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (v->wake < 0 || v->epoll < 0 || watch(v, v->wake, TAG_WAKE) != 0)
		hosted_fail("no descriptors for vcore %u: %s", i, strerror(errno));
	area(i)->id = i;
	/* Nothing here interrupts the runtime: others need not look further than `pending`. */
	atomic_store_explicit(&area(i)->masked, 1, memory_order_relaxed);
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, GW_VCORE_VA(i)) != 0)
		hosted_fail("this system does not set GS base: %s", strerror(errno));
	(void)prctl(PR_SET_TIMERSLACK, 1ul); /* ns */
	pin(i);
	hosted_stack_guard(i);
}

void hosted_notify(uint32_t i)
{
	uint64_t one = 1;

	atomic_fetch_or_explicit(&area(i)->pending, 1ull << GW_EVENT_NOTIFY, memory_order_seq_cst);
	(void)!write(vcores[i].wake, &one, sizeof(one));
}

static void *thread_main(void *arg)
{
	struct vcore *v = arg;
	uint32_t i = (uint32_t)(v - vcores);
	/* shard_setup wrote the area's words before; hosted_vcore_init leaves them */
	void (*entry)(uint64_t) = (void (*)(uint64_t))v->entry;

	char name[16];

	snprintf(name, sizeof(name), "shard %u", i); /* godwit host --move finds it by that */
	(void)prctl(PR_SET_NAME, name);
	hosted_vcore_init(i);
	entry(v->arg);
	return NULL;
}

static long start(uint32_t i, uint64_t entry, uint64_t arg)
{
	pthread_t t;

	if (i == 0 || i >= platform_boot()->vcores)
		return -EINVAL;
	if (atomic_exchange(&vcores[i].started, true))
		return -EBUSY;
	vcores[i].entry = entry;
	vcores[i].arg = arg;
	return -pthread_create(&t, NULL, thread_main, &vcores[i]);
}

/* epoll_pwait2 (Linux 5.11), or where that is missing its elder, which counts milliseconds. */
static int sleep_until(int epoll, struct epoll_event *e, uint64_t deadline)
{
	static _Atomic bool missing;
	uint64_t now = clock_now(), left = deadline > now ? deadline - now : 0;
	struct timespec ts = { (time_t)(left / NS_PER_SEC), (long)(left % NS_PER_SEC) };
	int ms = -1;

	if (!atomic_load_explicit(&missing, memory_order_relaxed)) {
		int n = (int)syscall(SYS_epoll_pwait2, epoll, e, EVENTS,
				     deadline != GW_NEVER ? &ts : NULL, NULL, 0ul);

		if (n >= 0 || errno != ENOSYS)
			return n;
		atomic_store_explicit(&missing, true, memory_order_relaxed);
	}
	if (deadline != GW_NEVER)
		ms = (int)GW_MIN((left + NS_PER_MS - 1) / NS_PER_MS, 1000000ul);
	return epoll_wait(epoll, e, EVENTS, ms);
}

/* Sleep until an event is pending, a device has something, or the deadline. */
static long wait(uint64_t deadline)
{
	struct vcore *v = &vcores[self()];
	struct gw_vcore *a = area(self());
	struct epoll_event e[EVENTS];
	uint64_t count;
	int n;

	if (atomic_load_explicit(&a->pending, memory_order_seq_cst) != 0)
		return 0;
	n = sleep_until(v->epoll, e, deadline);
	if (n == 0)
		atomic_fetch_or_explicit(&a->pending, 1ull << GW_EVENT_TICK, memory_order_relaxed);
	for (int i = 0; i < n; i++) {
		if (e[i].data.u64 == TAG_WAKE) {
			(void)!read(v->wake, &count, sizeof(count));
		} else if (e[i].data.u64 != 0) {
			(void)!read((int)(e[i].data.u64 >> 8), &count, sizeof(count));
			atomic_fetch_or_explicit(&a->pending, 1ull << (e[i].data.u64 & 63),
						 memory_order_relaxed);
		}
	}
	return 0;
}

long gw_call(unsigned nr, uint64_t a, uint64_t b, uint64_t c)
{
	switch ((enum gw_call)nr) {
	case GW_CALL_WAIT:
		return wait(a);
	case GW_CALL_YIELD:
		return sched_yield();
	case GW_CALL_NOTIFY:
		if (a >= platform_boot()->vcores)
			return -EINVAL;
		hosted_notify((uint32_t)a);
		return 0;
	case GW_CALL_VCORE_START:
		return start((uint32_t)a, b, c);
	case GW_CALL_UPCALL_SET: /* no programs: nothing enters there */
	case GW_CALL_TICK_SET:	 /* interrupts programs; the loop looks at the clock itself */
		return 0;
	default:
		panic("kernel call %u in a Linux process", nr);
	}
}
