/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_move.c - a connection used from another shard than its home. It moves to the user, so that a
 * thread and its connections meet on one shard; when it has moved too often lately (two threads
 * share it), the work goes to the connection instead.
 *
 *     user's shard                            home
 *     tcp_away -------- shard_call ---------> move_out: tcp_detach, home = NULL
 *        tcp_attach, home = user <----------- (packets meanwhile are forwarded and wait)
 *
 * The user may itself be moved by the scheduler while it waits, so the landing goes to the shard
 * that was named. */
#include "linux/sockets/tcp.h"

#define MOVES_PERIOD_NS (10 * NS_PER_MS)
#define MOVES_MAX 4u

struct away {
	struct tcp_socket *t;
	tcp_step *step;
	void *arg;
	uint32_t to;
	long result;
	bool done;
};

static void run_step(void *p)
{
	struct away *a = p;

	if (a->t->home == shard_self()) {
		a->result = a->step(a->t, a->arg);
		a->done = true;
	}
}

static void move_out(void *p)
{
	struct away *a = p;

	if (a->t->home != shard_self() || a->t->state != TS_CONNECTED)
		return;
	a->t->ready = tcp_ready(a->t);
	a->t->home = NULL;
	if (tcp_detach(a->t->conn, a->to) == 0)
		a->done = true;
	else
		a->t->home = shard_self(); /* out of memory; the next tries bring the work here
					      instead */
}

static void move_in(void *p)
{
	struct away *a = p;

	a->result = tcp_attach(shard_self()->net, a->t->conn);
	if (a->result < 0)
		return;
	a->t->home = shard_self();
	tcp_publish(a->t);
	waitq_notify(&a->t->s.wq, a->t->ready);
}

/* Bring a detached connection down on its shard. The caller alone is in charge of it. Has no
 * deadline: the connection is nowhere else, and the stack there frees memory and connections in
 * time. */
static void land(struct tcp_socket *t, uint32_t to)
{
	struct away a = { .t = t };

	for (;;) {
		shard_call(shards[to], move_in, &a);
		if (a.result == 0)
			return;
		uthread_sleep_until(clock_now() + NS_PER_MS);
	}
}

static bool may_move(struct tcp_socket *t)
{
	uint64_t now = shard_self()->now_ns;

	if (t->state != TS_CONNECTED)
		return false;
	if (now - t->moves_since_ns > MOVES_PERIOD_NS) {
		t->moves_since_ns = now;
		t->moves = 0;
	}
	return atomic_fetch_add(&t->moves, 1) < MOVES_MAX;
}

long tcp_away(struct tcp_socket *t, tcp_step *step, void *arg)
{
	struct away a = { .t = t, .step = step, .arg = arg };

	for (;;) {
		struct shard *self = shard_self(), *home = t->home;

		if (home == self)
			return step(t, arg);
		if (!home) {
			if (!t->conn)
				return -ENOTCONN;
			uthread_sleep_until(clock_now() + 20 * NS_PER_US);
			continue;
		}
		a.done = false;
		if (may_move(t)) {
			a.to = self->id;
			shard_call(home, move_out, &a);
			if (a.done)
				land(t, a.to);
		} else {
			shard_call(home, run_step, &a);
			if (a.done)
				return a.result;
		}
	}
}
