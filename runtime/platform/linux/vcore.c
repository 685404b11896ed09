/* SPDX-License-Identifier: Apache-2.0 */
/* vcore.c - vcores as threads, and the kernel calls that the runtime makes of them.
 *
 * A vcore that waits sleeps in epoll on an eventfd, which others write to wake it, and on its
 * devices' descriptors, level-triggered. The protocol is the kernel's (abi/call.h): who notifies
 * sets the bit in `pending` first, and a wait returns at once when a bit is set.
 *
 * A wait's deadline is a timerfd, which is set when none is set that fires before: a server's
 * deadline moves on with each packet, and arming a timer for each sleep (and disarming it at each
 * wake-up) would cost as much as the sleep. So a vcore wakes up too early now and then, finds
 * nothing, and sets it anew. */
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
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "runtime/platform/linux/hosted.h"
#include "runtime/sched/sched.h"

#define EVENTS 16

static struct vcore {
	int wake; /* eventfd */
	int epoll, timer;
	uint64_t timer_ns; /* when it fires; GW_NEVER: not set */
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

int hosted_watch_note(int fd, unsigned event)
{
	return watch(&vcores[self()], fd, event);
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
#define TAG_TIMER (~1ull)

void hosted_vcore_init(uint32_t i)
{
	struct vcore *v = &vcores[i];

	v->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	v->epoll = epoll_create1(EPOLL_CLOEXEC);
	v->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	v->timer_ns = GW_NEVER;
	if (v->wake < 0 || v->epoll < 0 || v->timer < 0 || watch(v, v->wake, TAG_WAKE) != 0 ||
	    watch(v, v->timer, TAG_TIMER) != 0)
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

static void set_timer(struct vcore *v, uint64_t deadline)
{
	uint64_t now = clock_now(), left = deadline > now ? deadline - now : 0;
	struct itimerspec t = { .it_value = { (time_t)(left / NS_PER_SEC),
					      (long)(left % NS_PER_SEC) } };

	if (left == 0)
		t.it_value.tv_nsec = 1; /* 0 would stop it */
	v->timer_ns = timerfd_settime(v->timer, 0, &t, NULL) == 0 ? deadline : GW_NEVER;
}

/* Sleep until an event is pending, a device has something, or the deadline. */
static long wait(uint64_t deadline)
{
	struct vcore *v = &vcores[self()];
	struct gw_vcore *a = area(self());
	struct epoll_event e[EVENTS];
	uint64_t count, bits = 0;
	int n;

	if (atomic_load_explicit(&a->pending, memory_order_seq_cst) != 0)
		return 0;
	if (deadline < v->timer_ns)
		set_timer(v, deadline);
	n = epoll_wait(v->epoll, e, EVENTS, -1);
	for (int i = 0; i < n; i++) {
		uint64_t tag = e[i].data.u64;

		if (tag == TAG_WAKE) {
			(void)!read(v->wake, &count, sizeof(count));
		} else if (tag == TAG_TIMER) {
			(void)!read(v->timer, &count, sizeof(count));
			v->timer_ns = GW_NEVER;
			bits |= 1ull << GW_EVENT_TICK;
		} else if (tag != 0) {
			if (tag >> 8 != 0)
				(void)!read((int)(tag >> 8), &count, sizeof(count));
			bits |= 1ull << (tag & 63);
		}
	}
	if (bits != 0)
		atomic_fetch_or_explicit(&a->pending, bits, memory_order_relaxed);
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
