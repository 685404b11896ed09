/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd.c - timers as files. Expirations are counted when the shard's timer fires; an interval is
 * kept in the monotonic clock, so setting the real-time clock does not move a running timer
 * (TFD_TIMER_CANCEL_ON_SET is accepted, and nothing is ever cancelled). */
#include "linux/files/files_internal.h"

#define TFD_ABSTIME 1u
#define TFD_CANCEL_ON_SET 2u

struct timerfd {
	struct timer timer;
	struct spinlock lock;		      /* ticks, next_ns, interval_ns */
	struct mutex set;		      /* settime: one at a time */
	uint64_t ticks, next_ns, interval_ns; /* next_ns 0: disarmed */
	bool realtime;
	struct waitq wq;
};

static void fire(struct timer *t)
{
	struct timerfd *d = container_of(t, struct timerfd, timer);
	uint64_t now = clock_now(), next = 0;

	spin_lock(&d->lock);
	if (d->next_ns && d->next_ns <= now) {
		uint64_t n = 1;

		if (d->interval_ns) {
			n += (now - d->next_ns) / d->interval_ns;
			d->next_ns += n * d->interval_ns;
		} else {
			d->next_ns = 0;
		}
		d->ticks += n;
	}
	next = d->next_ns;
	spin_unlock(&d->lock);
	if (next && timer_arm(t, next))
		log_warn("timerfd: cannot be armed again"); /* a timer armed before always can */
	waitq_notify(&d->wq, POLLIN);
}

static long timerfd_read(struct file *f, struct uio *u, int64_t off)
{
	struct timerfd *d = f->object;
	uint64_t n;
	int r;

	if (off >= 0)
		return -ESPIPE;
	if (u->left < 8)
		return -EINVAL;
	for (;;) {
		spin_lock(&d->lock);
		n = d->ticks;
		d->ticks = 0;
		spin_unlock(&d->lock);
		r = n ? uio_put(u, &n, 8) : file_wait(f, POLLIN, GW_NEVER);
		if (n || r)
			return r ? r : 8;
	}
}

static uint32_t timerfd_poll(struct file *f)
{
	return ((struct timerfd *)f->object)->ticks ? POLLIN | POLLRDNORM : 0;
}

static void timerfd_release(struct file *f)
{
	struct timerfd *d = f->object;

	timer_cancel_sync(&d->timer);
	mem_free(d, sizeof(*d));
}

static const struct file_ops timerfd_ops = { .read = timerfd_read,
					     .poll = timerfd_poll,
					     .release = timerfd_release,
					     .kind = "anon_inode:[timerfd]" };

SYS(timerfd_create)
{
	uint32_t clock = lo32(r->rdi), flags = lo32(r->rsi);
	struct timerfd *d;
	struct file *f;

	/* REALTIME, MONOTONIC, BOOTTIME and the alarm clocks */
	if (flags & ~(O_CLOEXEC | O_NONBLOCK) || !(clock <= 1 || (clock >= 7 && clock <= 9)))
		return -EINVAL;
	d = mem_zalloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	timer_init(&d->timer, fire);
	mutex_init(&d->set);
	waitq_init(&d->wq);
	d->realtime = clock == 0 || clock == 8;
	f = file_create(&timerfd_ops, O_RDWR | (flags & O_NONBLOCK), d, &d->wq);
	if (!f) {
		mem_free(d, sizeof(*d));
		return -ENOMEM;
	}
	return fd_give(f, flags);
}

static struct itimerspec64 remaining(struct timerfd *d)
{
	uint64_t now = clock_now(), left;
	struct itimerspec64 its;

	spin_lock(&d->lock);
	left = !d->next_ns ? 0 : d->next_ns > now ? d->next_ns - now : 1;
	its.interval = (struct timespec64){ (int64_t)(d->interval_ns / NS_PER_SEC),
					    (int64_t)(d->interval_ns % NS_PER_SEC) };
	spin_unlock(&d->lock);
	its.value =
		(struct timespec64){ (int64_t)(left / NS_PER_SEC), (int64_t)(left % NS_PER_SEC) };
	return its;
}

static bool valid(const struct timespec64 *t)
{
	return t->sec >= 0 && t->nsec >= 0 && t->nsec < (int64_t)NS_PER_SEC;
}

static uint64_t to_ns(const struct timespec64 *t)
{
	return t->sec > 9000000000ll ? GW_NEVER / 2
				     : (uint64_t)t->sec * NS_PER_SEC + (uint64_t)t->nsec;
}

static int set_time(struct timerfd *d, const struct itimerspec64 *its, bool absolute)
{
	uint64_t value = to_ns(&its->value), now = clock_now(),
		 base = d->realtime ? clock_epoch_ns() : 0;
	int r = 0;

	timer_cancel_sync(&d->timer);
	spin_lock(&d->lock);
	d->ticks = 0;
	d->interval_ns = to_ns(&its->interval);
	if (!value)
		d->next_ns = 0;
	else if (absolute) /* a time that has passed fires at once */
		d->next_ns = value > base + 1 ? value - base : 1;
	else
		d->next_ns = now + value;
	value = d->next_ns;
	spin_unlock(&d->lock);
	if (value)
		r = timer_arm(&d->timer, GW_MAX(value, now));
	return r;
}

static struct file *timer_file(uint64_t fd, int *r)
{
	struct file *f = fd_get(fd_arg(fd));

	*r = !f ? -EBADF : f->ops != &timerfd_ops ? -EINVAL : 0;
	if (*r && f)
		file_drop(f);
	return *r ? NULL : f;
}

SYS(timerfd_settime)
{
	struct itimerspec64 its, old;
	struct timerfd *d;
	struct file *f;
	int n;

	if (lo32(r->rsi) & ~(TFD_ABSTIME | TFD_CANCEL_ON_SET))
		return -EINVAL;
	if (copy_from_program(&its, r->rdx, sizeof(its)))
		return -EFAULT;
	if (!valid(&its.interval) || !valid(&its.value))
		return -EINVAL;
	f = timer_file(r->rdi, &n);
	if (!f)
		return n;
	d = f->object;
	mutex_lock(&d->set);
	old = remaining(d);
	n = set_time(d, &its, (r->rsi & TFD_ABSTIME) != 0);
	mutex_unlock(&d->set);
	if (!n && r->r10)
		n = copy_to_program(r->r10, &old, sizeof(old));
	file_drop(f);
	return n;
}

SYS(timerfd_gettime)
{
	struct itimerspec64 its;
	struct file *f;
	int n;

	f = timer_file(r->rdi, &n);
	if (!f)
		return n;
	its = remaining(f->object);
	file_drop(f);
	return copy_to_program(r->rsi, &its, sizeof(its));
}
