/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_trace.c - the program's part of a request's life (runtime/netglue/trace.h): operations of TCP
 * sockets that note the time around the plain ones. Sockets have them only when tracing is on. A
 * request is what a connection receives while nothing of it is followed, until the first reply that
 * the program writes has left. */
#include "linux/sockets/sockets.h"
#include "linux/sockets/tcp.h"
#include "runtime/base/inet.h"
#include "runtime/netglue/trace.h"
#include "runtime/virtio/console.h"

#define GIVE_UP_NS (10 * NS_PER_SEC) /* a request without a reply, when the next comes */
#define REPORT_NS (250 * NS_PER_MS)

static struct mutex reporting;

/* The active sample of a connection that lives here: it stays so until the caller parks. */
static struct trace_sample *active_here(const struct tcp_socket *t)
{
	struct trace_sample *s = t->home == shard_self() ? t->trace : NULL;

	return s != NULL && atomic_load_explicit(&s->active, memory_order_acquire) ? s : NULL;
}

/* ---- from the stack ---- */

static struct trace_sample *begin(struct tcp_socket *t)
{
	struct trace_sample *s = active_here(t);

	if (t->s.file == NULL || tcp_rx_available(t->conn) == 0)
		return NULL; /* not accepted yet (traced_release ends what begins here); only a FIN
			      */
	if (s != NULL && s->shard == shard_self()->id &&
	    clock_now() - s->at[GW_TRACE_INPUT] > GIVE_UP_NS)
		trace_give_up(s);
	else if (s != NULL)
		return NULL;
	if (!trace_due())
		return NULL;
	if (t->trace == NULL) {
		t->trace = mem_zalloc(sizeof(*t->trace));
		if (t->trace == NULL)
			return NULL;
		list_init(&t->trace->link);
	}
	trace_begin(t->trace, &t->remote, &t->local);
	return t->trace;
}

static void traced_event(struct tcp_conn *c, void *owner, unsigned events)
{
	struct tcp_socket *t = owner;
	struct trace_sample *s = events & TCP_EV_READABLE ? begin(t) : NULL;

	if (s != NULL)
		s->at[GW_TRACE_QUEUED] = clock_now();
	tcp_socket_event(c, owner, events);
	if (s != NULL)
		s->at[GW_TRACE_WOKEN] = clock_now();
}

/* ---- from the program ---- */

/* The thread is known to run: since when, unless it ran when the request came. */
static void note_run(struct trace_sample *s)
{
	uint64_t since = uthread_self()->run_since_ns;

	if (s->at[GW_TRACE_RUN] == 0 && since >= s->at[GW_TRACE_WOKEN])
		s->at[GW_TRACE_RUN] = since;
}

static uint32_t traced_poll(struct file *f)
{
	struct tcp_socket *t = f->object;
	uint32_t ready = tcp_ops.file.poll(f);
	struct trace_sample *s = active_here(t);

	if (s != NULL && ready & POLLIN && s->at[GW_TRACE_READY] == 0 &&
	    s->at[GW_TRACE_READ] == 0) {
		note_run(s);
		s->at[GW_TRACE_READY] = clock_now();
	}
	return ready;
}

/* A read that began at `since` has got data. */
static void note_read(struct tcp_socket *t, uint64_t since)
{
	struct trace_sample *s = active_here(t);

	if (s == NULL || s->at[GW_TRACE_WRITE] != 0)
		return;
	note_run(s);
	if (s->at[GW_TRACE_READ] == 0) { /* a call that waited for the data: from there on */
		s->at[GW_TRACE_READ] = GW_MAX(since, s->at[GW_TRACE_WOKEN]);
		s->at[GW_TRACE_READ] = GW_MAX(s->at[GW_TRACE_READ], s->at[GW_TRACE_RUN]);
		s->at[GW_TRACE_READ] = GW_MAX(s->at[GW_TRACE_READ], s->at[GW_TRACE_READY]);
		s->tid = (uint32_t)thread_self()->tid;
	}
	s->at[GW_TRACE_READ_END] = clock_now();
}

static void note_write(struct tcp_socket *t)
{
	struct trace_sample *s = active_here(t);

	if (s == NULL || s->at[GW_TRACE_READ_END] == 0 || s->at[GW_TRACE_WRITE] != 0)
		return;
	s->at[GW_TRACE_WRITE] = clock_now();
	trace_reply(s, tcp_tx_seq(t->conn));
}

static long traced_read(struct file *f, struct uio *u, int64_t off)
{
	uint64_t since = clock_now();
	long n = tcp_ops.file.read(f, u, off);

	if (n > 0)
		note_read(f->object, since);
	return n;
}

static long traced_recv(struct socket *s, struct sock_msg *m)
{
	uint64_t since = clock_now();
	long n = tcp_ops.recv(s, m);

	if (n > 0 && !(m->flags & MSG_PEEK))
		note_read(to_tcp(s), since);
	return n;
}

static long traced_write(struct file *f, struct uio *u, int64_t off)
{
	note_write(f->object);
	return tcp_ops.file.write(f, u, off);
}

static long traced_send(struct socket *s, struct sock_msg *m)
{
	note_write(to_tcp(s));
	return tcp_ops.send(s, m);
}

static void traced_release(struct file *f)
{
	struct tcp_socket *t = f->object;

	if (t == NULL)
		return;
	if (t->trace != NULL && t->conn != NULL)
		tcp_give_up(t, t->s.linger_s == 0); /* no event of it begins another */
	if (t->trace != NULL) {
		trace_end(t->trace);
		mem_free(t->trace, sizeof(*t->trace));
	}
	tcp_ops.file.release(f);
}

/* ---- to the host ---- */

static void report_one(const struct trace_sample *s)
{
	char text[GW_TRACE_POINTS * 12], ip[INET_TEXT];
	bool six = s->remote.family == 6;
	size_t len = 0;

	for (uint32_t i = GW_TRACE_RING + 1; i < GW_TRACE_POINTS; i++) {
		if (s->at[i] == 0)
			str_copy(text + len, " -", sizeof(text) - len);
		else
			fmt_print(text + len, sizeof(text) - len, " %lu",
				  s->at[i] - s->at[GW_TRACE_RING]);
		len += strlen(text + len);
	}
	(void)(six ? inet_print6 : inet_print4)(ip, s->remote.ip6);
	control_line("trace %u %u %s%s%s:%u %u %lu%s", s->shard, s->tid, six ? "[" : "", ip,
		     six ? "]" : "", s->remote.port, s->local_port, s->at[GW_TRACE_RING], text);
}

void sockets_trace_report(void)
{
	uint64_t lost, unanswered;

	if (trace_every == 0)
		return;
	mutex_lock(&reporting);
	lost = trace_drain(report_one, &unanswered);
	if (lost + unanswered != 0)
		control_line("trace lost %lu %lu", lost, unanswered);
	mutex_unlock(&reporting);
}

static void reporter(void *arg)
{
	(void)arg;
	for (;;) {
		(void)uthread_park(clock_now() + REPORT_NS);
		sockets_trace_report();
	}
}

static struct socket_ops traced_ops;

int tcp_trace_init(void)
{
	struct uthread *u;

	if (trace_every == 0)
		return 0;
	traced_ops = tcp_ops;
	traced_ops.send = traced_send;
	traced_ops.recv = traced_recv;
	traced_ops.file.read = traced_read;
	traced_ops.file.write = traced_write;
	traced_ops.file.poll = traced_poll;
	traced_ops.file.release = traced_release;
	tcp_ops_used = &traced_ops;
	mutex_init(&reporting);
	if (uthread_create(&u, shards[0], reporter, NULL, "trace", false, NULL) != 0)
		return -ENOMEM;
	trace_set_reader(u);
	return 0;
}

void tcp_trace_shard(struct net_stack *n)
{
	static const struct tcp_callbacks callbacks = { .event = traced_event,
							.accepted = tcp_listener_accepted };

	if (trace_every != 0)
		tcp_set_callbacks(n, &callbacks);
}
