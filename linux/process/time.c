/* SPDX-License-Identifier: Apache-2.0 */
/* time.c - clocks and sleeping. */
#include "linux/memory/elf.h"
#include "linux/process/process.h"

#define TIMER_ABSTIME 1u
#define LONG_SECONDS (1ll << 33) /* longer times saturate here: 272 years */

SYSCALL_FN(clock_gettime);
SYSCALL_FN(clock_getres);
SYSCALL_FN(clock_settime);
SYSCALL_FN(clock_nanosleep);
SYSCALL_FN(nanosleep);
SYSCALL_FN(gettimeofday);
SYSCALL_FN(settimeofday);
SYSCALL_FN(time);
SYSCALL_FN(times);

int timespec_ns(const struct timespec64 *ts, uint64_t *ns)
{
	int64_t sec = ts->sec < LONG_SECONDS ? ts->sec : LONG_SECONDS;

	if (ts->sec < 0 || ts->nsec < 0 || ts->nsec >= (int64_t)NS_PER_SEC)
		return -EINVAL;
	*ns = (uint64_t)sec * NS_PER_SEC + (uint64_t)ts->nsec;
	return 0;
}

int timespec_from_program(uint64_t va, uint64_t *ns)
{
	struct timespec64 ts;

	return copy_from_program(&ts, va, sizeof(ts)) != 0 ? -EFAULT : timespec_ns(&ts, ns);
}

uint64_t thread_cpu_ns(const struct thread *t)
{
	const struct uthread *u = t->uthread;
	uint64_t ns;

	if (u == NULL)
		return 0;
	ns = u->cpu_ns;
	if (u->state == UT_RUNNING && clock_now() > u->run_since_ns)
		ns += clock_now() - u->run_since_ns;
	return ns;
}

int clock_read(int64_t id, uint64_t *ns)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		*ns = clock_now() + clock_epoch_ns();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ns = clock_now();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*ns = process_cpu_of(process_self());
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ns = thread_cpu_ns(thread_self());
		return 0;
	default:
		break;
	}
	/* Negative: CPU clocks of a process or thread, ~number << 3 | kind, bit 2: a thread. */
	if (id < 0 && (id & 3) != 3) {
		int who = (int)(~id >> 3);
		struct process *p;
		struct thread *t;

		if ((id & 4) == 0) {
			p = process_of(who != 0 ? who : process_self()->pid);
			*ns = p != NULL ? process_cpu_of(p) : 0;
			if (p != NULL)
				process_put(p);
			return p != NULL ? 0 : -EINVAL;
		}
		p = process_self();
		spin_lock(&p->lock);
		t = who == 0 ? thread_self() : thread_find(p, who);
		*ns = t != NULL ? thread_cpu_ns(t) : 0;
		spin_unlock(&p->lock);
		return t != NULL ? 0 : -EINVAL;
	}
	return -EINVAL;
}

int clock_deadline(int64_t id, uint64_t ns, bool absolute, uint64_t *deadline)
{
	uint64_t epoch = clock_epoch_ns();

	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		*deadline = absolute ? (ns > epoch ? ns - epoch : 0) : clock_now() + ns;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*deadline = absolute ? ns : clock_now() + ns;
		return 0;
	default:
		return -EINVAL;
	}
}

SYSCALL_FN(clock_gettime)
{
	struct timespec64 ts;
	uint64_t ns;
	int err = clock_read((int32_t)r->rdi, &ns);

	(void)t;
	if (err != 0)
		return err;
	ts = timespec_of(ns);
	return copy_to_program(r->rsi, &ts, sizeof(ts));
}

SYSCALL_FN(clock_getres)
{
	const struct timespec64 ts = { 0, 1 };
	uint64_t ns;
	int err = clock_read((int32_t)r->rdi, &ns);

	(void)t;
	return err != 0 || r->rsi == 0 ? err : copy_to_program(r->rsi, &ts, sizeof(ts));
}

static long set_realtime(struct thread *t, uint64_t ns)
{
	uint64_t now = clock_now();

	if (t->process->euid != 0)
		return -EPERM;
	if (ns < now)
		return -EINVAL;
	clock_set_epoch(ns - now);
	vdso_update();
	return 0;
}

SYSCALL_FN(clock_settime)
{
	uint64_t ns;
	int err = timespec_from_program(r->rsi, &ns);

	if (r->rdi != CLOCK_REALTIME)
		return -EINVAL;
	return err != 0 ? err : set_realtime(t, ns);
}

static long sleep_until(uint64_t deadline, uint64_t remaining_va)
{
	for (;;) {
		int err = thread_park(deadline);
		struct timespec64 left;

		if (err == -ETIMEDOUT || (err == 0 && clock_now() >= deadline))
			return 0;
		if (err == 0)
			continue;
		if (remaining_va == 0)
			return -EINTR;
		left = timespec_of(deadline > clock_now() ? deadline - clock_now() : 0);
		return copy_to_program(remaining_va, &left, sizeof(left)) != 0 ? -EFAULT : -EINTR;
	}
}

SYSCALL_FN(clock_nanosleep)
{
	bool absolute = (r->rsi & TIMER_ABSTIME) != 0;
	uint64_t ns, deadline;
	int err = timespec_from_program(r->rdx, &ns);

	(void)t;
	if (err == 0)
		err = clock_deadline((int32_t)r->rdi, ns, absolute, &deadline);
	if (err != 0)
		return err;
	return sleep_until(deadline, absolute ? 0 : r->r10);
}

SYSCALL_FN(nanosleep)
{
	uint64_t ns;
	int err = timespec_from_program(r->rdi, &ns);

	(void)t;
	return err != 0 ? err : sleep_until(clock_now() + ns, r->rsi);
}

SYSCALL_FN(gettimeofday)
{
	struct timeval64 tv = timeval_of(clock_now() + clock_epoch_ns());
	const int32_t zone[2] = { 0, 0 };

	(void)t;
	if (r->rdi != 0 && copy_to_program(r->rdi, &tv, sizeof(tv)) != 0)
		return -EFAULT;
	return r->rsi != 0 ? copy_to_program(r->rsi, zone, sizeof(zone)) : 0;
}

SYSCALL_FN(settimeofday)
{
	struct timeval64 tv;

	if (r->rdi == 0)
		return 0;
	if (copy_from_program(&tv, r->rdi, sizeof(tv)) != 0)
		return -EFAULT;
	if (tv.sec < 0 || tv.sec > LONG_SECONDS || tv.usec < 0 || tv.usec >= 1000000)
		return -EINVAL;
	return set_realtime(t, (uint64_t)tv.sec * NS_PER_SEC + (uint64_t)tv.usec * 1000);
}

SYSCALL_FN(time)
{
	int64_t sec = (int64_t)((clock_now() + clock_epoch_ns()) / NS_PER_SEC);

	(void)t;
	if (r->rdi != 0 && copy_to_program(r->rdi, &sec, sizeof(sec)) != 0)
		return -EFAULT;
	return sec;
}

SYSCALL_FN(times)
{
	int64_t v[4] = { (int64_t)(process_cpu_of(process_self()) / (NS_PER_SEC / 100)), 0, 0, 0 };

	(void)t;
	if (r->rdi != 0 && copy_to_program(r->rdi, v, sizeof(v)) != 0)
		return -EFAULT;
	return (long)(clock_now() / (NS_PER_SEC / 100));
}
