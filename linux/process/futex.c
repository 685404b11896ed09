/* SPDX-License-Identifier: Apache-2.0 */
/* futex.c - waiting on a word of program memory. Waiters hang in hashed buckets under short locks;
 * the word is compared with the bucket locked (without parking: a page that is not there is brought
 * in with the lock released), so that a wake on another shard cannot fall between comparison and
 * sleep. A word is named by its address space and address, or, in a shared mapping, by the file and
 * the place in it. */
#include "linux/process/process.h"

#define BUCKETS 64u
#define CMD_MASK 0x7fu
#define PRIVATE_FLAG 0x80u
#define CLOCK_REALTIME_FLAG 0x100u
#define MATCH_ANY 0xffffffffu

struct bucket {
	struct spinlock lock;
	struct list_node waiters;
};

struct key {
	const void *object; /* struct mm or inode */
	uint64_t at;
};

struct futex_waiter {
	struct list_node link;
	struct key key;
	uint32_t bitset;
	bool woken; /* under the bucket's lock */
	struct uthread *uthread;
	struct bucket *_Atomic bucket; /* changes by requeue */
};

static struct bucket buckets[BUCKETS];

SYSCALL_FN(futex);

void futex_init(void)
{
	for (uint32_t i = 0; i < BUCKETS; i++)
		list_init(&buckets[i].waiters);
}

/* private: the program says that it is in no shared mapping. Otherwise may park. */
static struct key key_of(struct mm *mm, uint64_t va, bool private)
{
	struct key k = { mm, va };

	if (!private)
		mm_futex_key(mm, va, &k.object, &k.at);
	return k;
}

static bool same(const struct key *a, const struct key *b)
{
	return a->at == b->at && a->object == b->object;
}

static struct bucket *bucket_of(const struct key *k)
{
	return &buckets[(uint32_t)(((k->at >> 2) + ((uint64_t)k->object >> 4)) *
					   0x9e3779b97f4a7c15ull >>
				   32) %
			BUCKETS];
}

/* With the bucket locked; nothing of w may be used afterwards: its owner may return at once. */
static void wake_one(struct futex_waiter *w)
{
	struct uthread *u = w->uthread;

	list_del(&w->link);
	w->woken = true;
	uthread_wake(u);
}

static uint32_t wake_locked(struct bucket *b, const struct key *k, uint32_t n, uint32_t bitset)
{
	uint32_t woken = 0;

	list_for_each_safe(node, &b->waiters)
	{
		struct futex_waiter *w = list_entry(node, struct futex_waiter, link);

		if (woken >= n)
			break;
		if (same(&w->key, k) && (w->bitset & bitset) != 0) {
			wake_one(w);
			woken++;
		}
	}
	return woken;
}

static uint32_t wake_key(const struct key *k, uint32_t n, uint32_t bitset)
{
	struct bucket *b = bucket_of(k);
	uint32_t woken;

	spin_lock(&b->lock);
	woken = wake_locked(b, k, n, bitset);
	spin_unlock(&b->lock);
	return woken;
}

uint32_t futex_wake(struct mm *mm, uint64_t va, uint32_t n, uint32_t bitset)
{
	struct key k = key_of(mm, va, false);

	return wake_key(&k, n, bitset);
}

static void lock_two(struct bucket *a, struct bucket *b)
{
	spin_lock(a < b ? &a->lock : &b->lock);
	if (a != b)
		spin_lock(a < b ? &b->lock : &a->lock);
}

static void unlock_two(struct bucket *a, struct bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

/* Remove w wherever it is now. Returns whether it had been woken. */
static bool withdraw(struct futex_waiter *w)
{
	for (;;) {
		struct bucket *b = w->bucket;
		bool woken;

		spin_lock(&b->lock);
		if (b != w->bucket) { /* requeued just now */
			spin_unlock(&b->lock);
			continue;
		}
		woken = w->woken;
		if (!woken)
			list_del(&w->link);
		spin_unlock(&b->lock);
		return woken;
	}
}

static bool was_woken(struct futex_waiter *w)
{
	for (;;) {
		struct bucket *b = w->bucket;
		bool woken;

		spin_lock(&b->lock);
		woken = w->woken;
		spin_unlock(&b->lock);
		if (b == w->bucket)
			return woken;
	}
}

static long wait(struct thread *t, uint64_t va, const struct key *k, uint32_t expect,
		 uint32_t bitset, uint64_t deadline)
{
	struct futex_waiter w = {
		.key = *k, .bitset = bitset, .uthread = t->uthread, .bucket = bucket_of(k)
	};
	struct bucket *b = w.bucket;
	uint32_t now;
	int r;

	if (bitset == 0)
		return -EINVAL;
	for (;;) {
		spin_lock(&b->lock);
		if (copy_from_program_nofault(&now, va, sizeof(now)) == sizeof(now))
			break;
		spin_unlock(&b->lock);
		if (fault_in_program(va, sizeof(now), false) != 0)
			return -EFAULT;
	}
	if (now != expect) {
		spin_unlock(&b->lock);
		return -EAGAIN;
	}
	list_add_tail(&b->waiters, &w.link);
	spin_unlock(&b->lock);
	do {
		r = thread_park(deadline);
	} while (r == 0 && !was_woken(&w));
	return withdraw(&w) ? 0 : r;
}

static long requeue(uint64_t va, const struct key *from, const struct key *to, uint32_t n_wake,
		    uint32_t n_move, bool compare, uint32_t expect)
{
	struct bucket *a = bucket_of(from), *b = bucket_of(to);
	uint32_t now, done, moved = 0;

	for (;;) {
		lock_two(a, b);
		if (!compare || copy_from_program_nofault(&now, va, sizeof(now)) == sizeof(now))
			break;
		unlock_two(a, b);
		if (fault_in_program(va, sizeof(now), false) != 0)
			return -EFAULT;
	}
	if (compare && now != expect) {
		unlock_two(a, b);
		return -EAGAIN;
	}
	done = wake_locked(a, from, n_wake, MATCH_ANY);
	list_for_each_safe(node, &a->waiters)
	{
		struct futex_waiter *w = list_entry(node, struct futex_waiter, link);

		if (moved >= n_move)
			break;
		if (!same(&w->key, from) || same(from, to))
			continue;
		list_del(&w->link);
		w->key = *to;
		w->bucket = b;
		list_add_tail(&b->waiters, &w->link);
		moved++;
	}
	unlock_two(a, b);
	return (long)done + (long)moved;
}

/* FUTEX_WAKE_OP: *va2 = *va2 OP arg atomically; wake at va, and at va2 if the old value compares. A
 * waiter that looked before the change is in its bucket and is woken; one that looks later sees the
 * new value. */
static long wake_op(const struct key *k, const struct key *k2, uint64_t va2, uint32_t n,
		    uint32_t n2, uint32_t code)
{
	uint32_t op = code >> 28 & 7, cmp = code >> 24 & 15, old, desired, seen;
	int32_t arg = (int32_t)(code << 8) >> 20, cmp_arg = (int32_t)(code << 20) >> 20;
	bool also;
	uint32_t woken;

	if ((code >> 31) != 0)
		arg = 1 << (arg & 31);
	if (program_load_u32(va2, &old) != 0)
		return -EFAULT;
	for (;;) {
		switch (op) {
		case 0:
			desired = (uint32_t)arg;
			break;
		case 1:
			desired = old + (uint32_t)arg;
			break;
		case 2:
			desired = old | (uint32_t)arg;
			break;
		case 3:
			desired = old & ~(uint32_t)arg;
			break;
		case 4:
			desired = old ^ (uint32_t)arg;
			break;
		default:
			return -ENOSYS;
		}
		if (program_cmpxchg_u32(va2, old, desired, &seen) != 0)
			return -EFAULT;
		if (seen == old)
			break;
		old = seen;
	}
	switch (cmp) {
	case 0:
		also = (int32_t)old == cmp_arg;
		break;
	case 1:
		also = (int32_t)old != cmp_arg;
		break;
	case 2:
		also = (int32_t)old < cmp_arg;
		break;
	case 3:
		also = (int32_t)old <= cmp_arg;
		break;
	case 4:
		also = (int32_t)old > cmp_arg;
		break;
	case 5:
		also = (int32_t)old >= cmp_arg;
		break;
	default:
		return -ENOSYS;
	}
	woken = wake_key(k, n, MATCH_ANY);
	if (also)
		woken += wake_key(k2, n2, MATCH_ANY);
	return woken;
}

SYSCALL_FN(futex)
{
	uint64_t va = r->rdi, deadline = GW_NEVER, ns;
	uint32_t op = (uint32_t)r->rsi, cmd = op & CMD_MASK, val = (uint32_t)r->rdx;
	bool realtime = (op & CLOCK_REALTIME_FLAG) != 0, private = (op & PRIVATE_FLAG) != 0;
	struct mm *mm = t->process->mm;
	struct key k, k2;
	int err;

	if (va % 4 != 0)
		return -EINVAL;
	k = key_of(mm, va, private);
	switch (cmd) {
	case 0: /* FUTEX_WAIT: relative */
	case 9: /* FUTEX_WAIT_BITSET: absolute */
		if (r->r10 != 0) {
			err = timespec_from_program(r->r10, &ns);
			if (err == 0)
				err = clock_deadline(cmd == 9 && realtime ? CLOCK_REALTIME
									  : CLOCK_MONOTONIC,
						     ns, cmd == 9, &deadline);
			if (err != 0)
				return err;
		}
		err = (int)wait(t, va, &k, val, cmd == 9 ? (uint32_t)r->r9 : MATCH_ANY, deadline);
		/* A relative wait cannot be restarted with its full time. */
		return err == -ERESTARTSYS && cmd == 0 && deadline != GW_NEVER ? -EINTR : err;
	case 1: /* FUTEX_WAKE */
		return wake_key(&k, val, MATCH_ANY);
	case 10: /* FUTEX_WAKE_BITSET */
		return (uint32_t)r->r9 == 0 ? -EINVAL : (long)wake_key(&k, val, (uint32_t)r->r9);
	case 3: /* FUTEX_REQUEUE */
	case 4: /* FUTEX_CMP_REQUEUE */
		if (r->r8 % 4 != 0 || (int32_t)val < 0 || (int32_t)r->r10 < 0)
			return -EINVAL;
		k2 = key_of(mm, r->r8, private);
		return requeue(va, &k, &k2, val, (uint32_t)r->r10, cmd == 4, (uint32_t)r->r9);
	case 5:
		if (r->r8 % 4 != 0)
			return -EINVAL;
		k2 = key_of(mm, r->r8, private);
		return wake_op(&k, &k2, r->r8, val, (uint32_t)r->r10, (uint32_t)r->r9);
	default: /* priority inheritance, FUTEX_FD */
		return -ENOSYS;
	}
}

/* ---- robust lists ---- */

#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK 0x3fffffffu

static void owner_died(const struct thread *t, uint64_t va)
{
	uint32_t v, seen;

	if (va % 4 != 0 || program_load_u32(va, &v) != 0)
		return;
	while ((v & FUTEX_TID_MASK) == (uint32_t)t->tid) {
		if (program_cmpxchg_u32(va, v, (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen) != 0)
			return;
		if (seen == v) {
			if ((v & FUTEX_WAITERS) != 0)
				futex_wake(mm_current(), va, 1, MATCH_ANY);
			return;
		}
		v = seen;
	}
}

/* set_robust_list(2): locks that the ending thread holds. */
void robust_list_walk(struct thread *t)
{
	struct {
		uint64_t next;
		int64_t offset;
		uint64_t pending;
	} head;
	uint64_t at;

	if (t->robust_list == 0 || copy_from_program(&head, t->robust_list, sizeof(head)) != 0)
		return;
	at = head.next;
	for (int i = 0; i < 2048 && at != t->robust_list && at != 0; i++) {
		uint64_t next;

		if (copy_from_program(&next, at & ~1ull, sizeof(next)) != 0)
			break;
		if (at != head.pending)
			owner_died(t, (at & ~1ull) + (uint64_t)head.offset);
		at = next;
	}
	if (head.pending != 0)
		owner_died(t, (head.pending & ~1ull) + (uint64_t)head.offset);
}
