/* SPDX-License-Identifier: Apache-2.0 */
/* poll.c - poll and select: a waiter on each file's queue for as long as the call lasts. */
#include "linux/files/files_internal.h"

#define FEW 8u
#define POLL_MAX 1048576u

struct poll_entry {
	struct waiter w;
	struct file *file; /* referenced; NULL: not open (revents POLLNVAL) or fd < 0 */
	uint32_t events, revents;
	bool invalid;
};

/* ---- temporary signal masks ---- */
int sigmask_enter(struct thread *t, uint64_t va, uint64_t size)
{
	sigset64 mask;

	if (!va)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (copy_from_program(&mask, va, sizeof(mask)))
		return -EFAULT;
	t->saved_sigmask = t->sigmask;
	t->restore_sigmask = true;
	signal_set_mask(t, mask);
	return 0;
}

long sigmask_leave(struct thread *t, long result)
{
	/* A signal that came in is delivered under the temporary mask; its return restores the
	 * saved one. */
	if (t->restore_sigmask && !thread_interrupted(t)) {
		t->restore_sigmask = false;
		signal_set_mask(t, t->saved_sigmask);
	}
	return result;
}

int deadline_from_timespec(uint64_t va, uint64_t *out)
{
	struct timespec64 ts;

	*out = GW_NEVER;
	if (!va)
		return 0;
	if (copy_from_program(&ts, va, sizeof(ts)))
		return -EFAULT;
	if (ts.sec < 0 || ts.nsec < 0 || ts.nsec >= (int64_t)NS_PER_SEC)
		return -EINVAL;
	*out = ts.sec > 9000000000ll ? GW_NEVER
				     : deadline_in(ts.sec * (int64_t)NS_PER_SEC + ts.nsec);
	return 0;
}

/* ---- the wait that poll and select share ---- */
static uint32_t scan(struct poll_entry *e, uint32_t n)
{
	uint32_t ready = 0;

	for (uint32_t k = 0; k < n; k++) {
		struct file *f = e[k].file;

		e[k].revents = e[k].invalid ? POLLNVAL : 0;
		if (f)
			e[k].revents = (f->ops->poll ? f->ops->poll(f)
						     : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM) &
				       (e[k].events | POLLERR | POLLHUP);
		ready += e[k].revents != 0;
	}
	return ready;
}

/* How many entries are ready; 0 at the deadline; -EINTR. */
static long wait_entries(struct poll_entry *e, uint32_t n, uint64_t deadline)
{
	uint32_t ready = scan(e, n);
	int r = 0;

	if (ready)
		return ready;
	if (!deadline) {
		shard_turn();
		return scan(e, n);
	}
	for (uint32_t k = 0; k < n; k++) {
		if (e[k].file && e[k].file->waitq) {
			e[k].w = (struct waiter){ .uthread = uthread_self(),
						  .events = e[k].events | POLLERR | POLLHUP };
			waitq_add(e[k].file->waitq, &e[k].w);
		}
	}
	while (!(ready = scan(e, n)) && !r)
		r = thread_park(deadline);
	for (uint32_t k = 0; k < n; k++)
		if (e[k].file && e[k].file->waitq)
			waitq_del(e[k].file->waitq, &e[k].w);
	return ready ? (long)ready : r == -ETIMEDOUT ? 0 : -EINTR;
}

static void entry_set(struct poll_entry *e, int fd, uint32_t events)
{
	*e = (struct poll_entry){ .events = events };
	if (fd >= 0) {
		e->file = fd_get(fd);
		e->invalid = !e->file;
	}
}

static void entries_put(struct poll_entry *e, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++)
		if (e[k].file)
			file_drop(e[k].file);
}

/* ---- poll ---- */
static long do_poll(uint64_t va, uint64_t count, uint64_t deadline)
{
	struct poll_entry few[FEW], *e = few;
	struct pollfd64 p = { 0 };
	uint32_t n = lo32(count), done;
	long ready = 0;

	if (n > POLL_MAX)
		return -EINVAL;
	if (n > FEW) {
		e = mem_alloc(n * sizeof(*e));
		if (!e)
			return -ENOMEM;
	}
	for (done = 0; done < n && !ready; done++) {
		ready = copy_from_program(&p, va + done * sizeof(p), sizeof(p));
		if (ready)
			break;
		entry_set(&e[done], p.fd, p.events);
	}
	if (!ready)
		ready = wait_entries(e, n, deadline);
	for (uint32_t k = 0; ready >= 0 && k < done; k++) {
		uint16_t revents = (uint16_t)e[k].revents;

		if (copy_to_program(va + k * sizeof(p) + offsetof(struct pollfd64, revents),
				    &revents, 2))
			ready = -EFAULT;
	}
	entries_put(e, done);
	if (e != few)
		mem_free(e, n * sizeof(*e));
	return ready;
}

SYS(poll)
{
	int32_t ms = (int32_t)lo32(r->rdx);

	return do_poll(r->rdi, r->rsi, deadline_in(ms < 0 ? -1 : (int64_t)ms * (int64_t)NS_PER_MS));
}

/* What is left until the deadline, for calls that tell. */
static void give_left(uint64_t va, uint64_t deadline, uint64_t unit_ns)
{
	uint64_t now = clock_now(), left = deadline > now ? deadline - now : 0;
	uint64_t ts[2] = { left / NS_PER_SEC, left % NS_PER_SEC / unit_ns };

	if (va && deadline != GW_NEVER && copy_to_program(va, ts, sizeof(ts))) {
		/* as Linux: a read-only timeout is no error */
	}
}

SYS(ppoll)
{
	uint64_t deadline;
	long n = deadline_from_timespec(r->rdx, &deadline);

	if (!n)
		n = sigmask_enter(t, r->r10, r->r8);
	if (n)
		return n;
	n = sigmask_leave(t, do_poll(r->rdi, r->rsi, deadline));
	give_left(r->rdx, deadline, 1);
	return n;
}

/* ---- select ---- */
#define SET_WORDS 1024u / 64u * 16u /* 16,384 descriptors a call */
static const uint32_t set_events[3] = { POLLIN | POLLRDNORM | POLLRDBAND,
					POLLOUT | POLLWRNORM | POLLWRBAND, POLLPRI };
/* What makes a set report a descriptor: errors and hang-ups count as readable or writable. */
static const uint32_t set_report[3] = { POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
					POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR, POLLPRI };

static uint32_t wanted(uint64_t *const sets[3], uint32_t fd)
{
	uint32_t events = 0;

	for (int s = 0; s < 3; s++)
		if (sets[s] && sets[s][fd / 64] >> fd % 64 & 1)
			events |= set_events[s];
	return events;
}

/* Wait for the descriptors in sets, and leave the ready ones in them. */
static long select_sets(uint32_t nfds, uint64_t *const sets[3], uint64_t deadline)
{
	uint32_t n = 0, k = 0;
	struct poll_entry few[FEW], *e = few;
	long ready, bits = 0;

	for (uint32_t fd = 0; fd < nfds; fd++)
		n += wanted(sets, fd) != 0;
	if (n > FEW) {
		e = mem_alloc(n * sizeof(*e));
		if (!e)
			return -ENOMEM;
	}
	ready = 0;
	for (uint32_t fd = 0; fd < nfds; fd++) {
		uint32_t events = wanted(sets, fd);

		if (events) {
			entry_set(&e[k], (int)fd, events);
			if (e[k].invalid)
				ready = -EBADF;
			k++;
		}
	}
	if (!ready)
		ready = wait_entries(e, n, deadline);
	k = 0;
	for (uint32_t fd = 0; ready >= 0 && fd < nfds; fd++) {
		if (!wanted(sets, fd))
			continue;
		for (int s = 0; s < 3; s++) {
			if (!sets[s] || !(sets[s][fd / 64] >> fd % 64 & 1))
				continue;
			if (e[k].revents & set_report[s])
				bits++;
			else
				sets[s][fd / 64] &= ~(1ull << fd % 64);
		}
		k++;
	}
	entries_put(e, n);
	if (e != few)
		mem_free(e, n * sizeof(*e));
	return ready < 0 ? ready : bits;
}

static long do_select(struct gw_regs *r, uint64_t deadline)
{
	uint32_t nfds = lo32(r->rdi), bytes;
	uint64_t va[3] = { r->rsi, r->rdx, r->r10 }, *sets[3] = { NULL, NULL, NULL }, *words;
	long n = 0;

	if ((int32_t)nfds < 0)
		return -EINVAL;
	nfds = GW_MIN(nfds, SET_WORDS * 64);
	bytes = (nfds + 63) / 64 * 8;
	words = mem_zalloc(3 * bytes + 8);
	if (!words)
		return -ENOMEM;
	for (int s = 0; s < 3; s++) {
		if (va[s]) {
			sets[s] = words + (size_t)s * (bytes / 8);
			if (copy_from_program(sets[s], va[s], bytes))
				n = -EFAULT;
		}
	}
	if (!n)
		n = select_sets(nfds, sets, deadline);
	for (int s = 0; n >= 0 && s < 3; s++)
		if (va[s] && copy_to_program(va[s], sets[s], bytes))
			n = -EFAULT;
	mem_free(words, 3 * bytes + 8);
	return n;
}

SYS(select)
{
	struct timeval64 tv;
	uint64_t deadline = GW_NEVER;
	long n;

	if (r->r8) {
		if (copy_from_program(&tv, r->r8, sizeof(tv)))
			return -EFAULT;
		if (tv.sec < 0 || tv.usec < 0)
			return -EINVAL;
		if (tv.sec < 9000000000ll && tv.usec < 9000000000000000ll)
			deadline = deadline_in(tv.sec * (int64_t)NS_PER_SEC +
					       tv.usec * (int64_t)NS_PER_US);
	}
	n = do_select(r, deadline);
	give_left(r->r8, deadline, NS_PER_US);
	return n;
}

SYS(pselect6)
{
	uint64_t deadline, sig[2] = { 0, 0 };
	long n = deadline_from_timespec(r->r8, &deadline);

	if (!n && r->r9 && copy_from_program(sig, r->r9, sizeof(sig)))
		n = -EFAULT;
	if (!n)
		n = sigmask_enter(t, sig[0], sig[1]);
	if (n)
		return n;
	n = sigmask_leave(t, do_select(r, deadline));
	give_left(r->r8, deadline, 1);
	return n;
}
