/* SPDX-License-Identifier: Apache-2.0 */
/* timers.c - POSIX timers, alarm and the real interval timer: all are slots of one table, each used
 * by one process; each expiry sends a signal. A slot's timer is armed on the shard of the thread
 * that set it; its callback runs there. */
#include "linux/process/process.h"

#define TIMERS 64u
#define SIGEV_SIGNAL 0
#define SIGEV_NONE 1
#define SIGEV_THREAD_ID 4

struct posix_timer {
	struct timer timer; /* first: fire() gets it */
	struct process *of; /* NULL: free */
	bool alarm; /* the one that alarm(2) and setitimer(ITIMER_REAL) share, as in Linux */
	int clock, sig, notify, tid;
	uint64_t value;			   /* sigval */
	uint64_t interval_ns, deadline_ns; /* deadline 0: disarmed */
	uint32_t overrun;
};

struct itimerspec64 {
	struct timespec64 interval, value;
};
struct itimerval64 {
	struct timeval64 interval, value;
};

static struct posix_timer *slots;
static struct spinlock lock; /* what slots say; not held when signals are sent */

SYSCALL_FN(timer_create);
SYSCALL_FN(timer_settime);
SYSCALL_FN(timer_gettime);
SYSCALL_FN(timer_getoverrun);
SYSCALL_FN(timer_delete);
SYSCALL_FN(alarm);
SYSCALL_FN(setitimer);
SYSCALL_FN(getitimer);

static void fire(struct timer *base)
{
	struct posix_timer *p = (struct posix_timer *)(void *)base;
	struct siginfo64 info = { .code = SI_TIMER };
	uint64_t now = clock_now(), next = 0;
	struct process *of;
	int tid;

	spin_lock(&lock);
	if (p->of == NULL || p->deadline_ns == 0) {
		spin_unlock(&lock);
		return;
	}
	p->overrun = 0;
	if (p->interval_ns != 0) {
		uint64_t missed =
			now > p->deadline_ns ? (now - p->deadline_ns) / p->interval_ns : 0;

		p->overrun = (uint32_t)GW_MIN(missed, 0x7fffffffull);
		next = p->deadline_ns + (missed + 1) * p->interval_ns;
	}
	p->deadline_ns = next;
	info.signo = p->notify == SIGEV_NONE ? 0 : p->sig;
	info.u.timer.tid = (int32_t)(p - slots);
	info.u.timer.overrun = (int32_t)p->overrun;
	info.u.timer.value = p->value;
	tid = p->notify == SIGEV_THREAD_ID ? p->tid : 0;
	if (p->alarm)
		info.code = SI_KERNEL;
	of = p->of; /* it stays while its timer may fire: posix_timers_drop */
	spin_unlock(&lock);
	if (next != 0)
		(void)timer_arm(base, next);
	if (info.signo != 0)
		(void)(tid != 0 ? signal_queue_tid(of, tid, &info) : signal_queue(of, NULL, &info));
}

void posix_timers_init(void)
{
	slots = mem_zalloc(TIMERS * sizeof(*slots));
	if (slots == NULL)
		panic("no memory for the timer table");
	for (uint32_t i = 0; i < TIMERS; i++)
		timer_init(&slots[i].timer, fire);
}

/* Read a timer: time left and interval. */
static void get(struct posix_timer *p, uint64_t *left, uint64_t *interval)
{
	uint64_t now = clock_now();

	spin_lock(&lock);
	*interval = p->interval_ns;
	*left = p->deadline_ns == 0 ? 0 : p->deadline_ns > now ? p->deadline_ns - now : 1;
	spin_unlock(&lock);
}

/* deadline 0: disarm. */
static long set(struct posix_timer *p, uint64_t deadline, uint64_t interval)
{
	spin_lock(&lock);
	p->deadline_ns = 0;
	spin_unlock(&lock);
	timer_cancel_sync(&p->timer);
	spin_lock(&lock);
	p->interval_ns = interval;
	p->deadline_ns = deadline;
	p->overrun = 0;
	spin_unlock(&lock);
	return deadline != 0 ? timer_arm(&p->timer, deadline) : 0;
}

static struct posix_timer *slot_of(const struct process *p, uint64_t id)
{
	return id < TIMERS && slots[id].of == p && !slots[id].alarm ? &slots[id] : NULL;
}

/* A free slot for p, or NULL. Lock held. */
static struct posix_timer *slot_take(struct process *p, bool is_alarm, int sig)
{
	for (uint32_t i = 0; i < TIMERS; i++) {
		struct posix_timer *s = &slots[i];

		if (s->of != NULL)
			continue;
		s->of = p;
		s->alarm = is_alarm;
		s->sig = sig;
		s->notify = SIGEV_SIGNAL;
		s->clock = CLOCK_MONOTONIC;
		s->deadline_ns = s->interval_ns = 0;
		return s;
	}
	return NULL;
}

static void slot_drop(struct posix_timer *p)
{
	(void)set(p, 0, 0);
	spin_lock(&lock);
	p->of = NULL;
	spin_unlock(&lock);
}

void posix_timers_drop(struct process *p, bool all)
{
	for (uint32_t i = 0; i < TIMERS; i++)
		if (slots[i].of == p && (all || !slots[i].alarm))
			slot_drop(&slots[i]);
}

/* The process's alarm; NULL: it has never set one, and (make) none is left. */
static struct posix_timer *alarm_of(struct process *p, bool make)
{
	struct posix_timer *found = NULL;

	spin_lock(&lock);
	for (uint32_t i = 0; i < TIMERS && found == NULL; i++)
		if (slots[i].of == p && slots[i].alarm)
			found = &slots[i];
	if (found == NULL && make)
		found = slot_take(p, true, SIGALRM);
	spin_unlock(&lock);
	return found;
}

SYSCALL_FN(timer_create)
{
	struct {
		uint64_t value;
		int32_t sig, notify, tid;
	} ev = { 0, SIGALRM, SIGEV_SIGNAL, 0 };
	struct posix_timer *p;
	uint64_t deadline;
	int32_t id;

	if (clock_deadline((int32_t)r->rdi, 1, false, &deadline) != 0)
		return (int32_t)r->rdi == CLOCK_PROCESS_CPUTIME_ID ||
				       (int32_t)r->rdi == CLOCK_THREAD_CPUTIME_ID
			       ? -EOPNOTSUPP
			       : -EINVAL;
	if (r->rsi != 0 && copy_from_program(&ev, r->rsi, sizeof(ev)) != 0)
		return -EFAULT;
	if (ev.notify != SIGEV_NONE &&
	    (ev.sig < 1 || ev.sig > NSIG ||
	     (ev.notify != SIGEV_SIGNAL && ev.notify != SIGEV_THREAD_ID)))
		return -EINVAL;
	spin_lock(&lock);
	p = slot_take(t->process, false, ev.sig);
	if (p != NULL) {
		id = (int32_t)(p - slots);
		p->clock = (int)r->rdi;
		p->notify = ev.notify;
		p->tid = ev.tid;
		p->value = r->rsi != 0 ? ev.value : (uint64_t)id;
	}
	spin_unlock(&lock);
	if (p == NULL)
		return -EAGAIN;
	return copy_to_program(r->rdx, &id, sizeof(id));
}

SYSCALL_FN(timer_settime)
{
	struct posix_timer *p = slot_of(t->process, r->rdi);
	struct itimerspec64 its, old;
	uint64_t value, interval, left, old_interval, deadline = 0;
	long err;

	if (p == NULL)
		return -EINVAL;
	if (copy_from_program(&its, r->rdx, sizeof(its)) != 0)
		return -EFAULT;
	if (timespec_ns(&its.value, &value) != 0 || timespec_ns(&its.interval, &interval) != 0)
		return -EINVAL;
	get(p, &left, &old_interval);
	if (value != 0) {
		err = clock_deadline(p->clock, value, (r->rsi & 1) != 0, &deadline);
		if (err != 0)
			return err;
		deadline = deadline == 0 ? 1 : deadline;
	}
	err = set(p, deadline, interval);
	if (err != 0 || r->r10 == 0)
		return err;
	old = (struct itimerspec64){ timespec_of(old_interval), timespec_of(left) };
	return copy_to_program(r->r10, &old, sizeof(old));
}

SYSCALL_FN(timer_gettime)
{
	struct posix_timer *p = slot_of(t->process, r->rdi);
	struct itimerspec64 its;
	uint64_t left, interval;

	if (p == NULL)
		return -EINVAL;
	get(p, &left, &interval);
	its = (struct itimerspec64){ timespec_of(interval), timespec_of(left) };
	return copy_to_program(r->rsi, &its, sizeof(its));
}

SYSCALL_FN(timer_getoverrun)
{
	struct posix_timer *p = slot_of(t->process, r->rdi);

	return p == NULL ? -EINVAL : (long)p->overrun;
}

SYSCALL_FN(timer_delete)
{
	struct posix_timer *p = slot_of(t->process, r->rdi);

	if (p == NULL)
		return -EINVAL;
	slot_drop(p);
	return 0;
}

SYSCALL_FN(alarm)
{
	struct posix_timer *p = alarm_of(t->process, true);
	uint64_t left, interval, sec = (uint32_t)r->rdi;

	if (p == NULL)
		return -ENOMEM;
	get(p, &left, &interval);
	if (set(p, sec != 0 ? clock_now() + sec * NS_PER_SEC : 0, 0) != 0)
		return -ENOMEM;
	return (long)((left + NS_PER_SEC / 2) / NS_PER_SEC + (left != 0 && left < NS_PER_SEC / 2));
}

static struct itimerval64 alarm_value(struct process *of)
{
	struct posix_timer *p = alarm_of(of, false);
	uint64_t left = 0, interval = 0;

	if (p != NULL)
		get(p, &left, &interval);
	return (struct itimerval64){ timeval_of(interval),
				     timeval_of(left != 0 && left < 1000 ? 1000 : left) };
}

static bool timeval_ns(const struct timeval64 *tv, uint64_t *ns)
{
	struct timespec64 ts = { tv->sec, tv->usec * 1000 };

	return tv->usec >= 0 && tv->usec < 1000000 && timespec_ns(&ts, ns) == 0;
}

/* Only ITIMER_REAL: CPU-time interval timers are not offered. */
SYSCALL_FN(setitimer)
{
	struct itimerval64 v = { 0 }, old = alarm_value(t->process);
	uint64_t value, interval;
	struct posix_timer *p;
	long err;

	if (r->rdi != 0)
		return -EINVAL;
	if (r->rsi != 0 && copy_from_program(&v, r->rsi, sizeof(v)) != 0)
		return -EFAULT;
	if (!timeval_ns(&v.value, &value) || !timeval_ns(&v.interval, &interval))
		return -EINVAL;
	p = alarm_of(t->process, true);
	if (p == NULL)
		return -ENOMEM;
	err = set(p, value != 0 ? clock_now() + value : 0, interval);
	return err != 0 || r->rdx == 0 ? err : copy_to_program(r->rdx, &old, sizeof(old));
}

SYSCALL_FN(getitimer)
{
	struct itimerval64 v = alarm_value(t->process);

	return r->rdi != 0 ? -EINVAL : copy_to_program(r->rsi, &v, sizeof(v));
}
