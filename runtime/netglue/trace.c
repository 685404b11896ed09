/* SPDX-License-Identifier: Apache-2.0 */
/* trace.c - the network's part of a request's life (trace.h).
 *
 *   device ring -> trace_input -> stack -> socket -> ... program ... -> trace_tx -> device ring
 *                  RING, INPUT              (linux/sockets/trace.c)     SENT     -> trace_flush
 * BELL
 *
 * A packet that crosses to another shard's stack is seen by that shard. A reply that crosses to the
 * shard with the device's queue takes a copy of its sample along, which ends there. */
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/netglue/glue_internal.h"
#include "runtime/platform/platform.h"

#define TRACE_RING 256u /* finished samples of a shard, a power of two */
#define IP_AT 14u	/* in a frame: the Ethernet header comes first */

struct trace_shard {
	int (*tx)(void *ctx, struct pbuf *frame);
	void (*input)(void *ctx, struct pbuf *frame);
	struct poller inner;	    /* flush and arm of the glue's own */
	uint64_t ring_ns, input_ns; /* of the packet in the stack's hands; 0: none */
	uint32_t countdown;	    /* data packets to let pass */
	struct list_node written;   /* replies that the stack has, and the device has not */
	struct list_node sent;	    /* replies in the device's ring, before the doorbell */
	uint64_t lost, unanswered;  /* own vcore writes; read by trace_drain */
	uint64_t lost_told, unanswered_told;
	_Atomic uint32_t head, tail; /* of ring: taken, filled */
	struct trace_sample ring[TRACE_RING];
};

uint32_t trace_every;
static struct uthread *reader;

static struct trace_shard *here(void)
{
	return glues[shard_self()->id]->trace;
}

void trace_set_reader(struct uthread *u)
{
	reader = u;
}

/* ---- samples ---- */

bool trace_due(void)
{
	struct trace_shard *t = here();

	if (t->input_ns == 0 || t->countdown-- > 1)
		return false;
	t->countdown = trace_every;
	return true;
}

void trace_begin(struct trace_sample *s, const struct net_endpoint *remote,
		 const struct net_endpoint *local)
{
	const struct trace_shard *t = here();

	memset(s->at, 0, sizeof(s->at));
	s->shard = shard_self()->id;
	s->remote = *remote;
	s->local_port = local->port;
	s->at[GW_TRACE_RING] = t->ring_ns;
	s->at[GW_TRACE_INPUT] = t->input_ns;
	atomic_store_explicit(&s->active, 1, memory_order_relaxed);
}

/* release: the connection may be on another shard by now, and begin the next */
static void over(struct trace_sample *s)
{
	list_del(&s->link);
	atomic_store_explicit(&s->active, 0, memory_order_release);
}

void trace_give_up(struct trace_sample *s)
{
	here()->unanswered++;
	over(s);
}

static void end_here(void *arg)
{
	struct trace_sample *s = arg;

	if (s->active)
		trace_give_up(s);
}

void trace_end(struct trace_sample *s)
{
	shard_call(shards[s->shard], end_here, s);
}

void trace_reply(struct trace_sample *s, uint32_t seq)
{
	s->reply_seq = seq;
	s->shard = shard_self()->id;
	list_add_tail(&here()->written, &s->link);
}

static void finish(struct trace_shard *t, struct trace_sample *s)
{
	uint32_t tail = atomic_load_explicit(&t->tail, memory_order_relaxed);
	/* acquire: partner of trace_drain's release; it has copied what was in the slot */
	uint32_t filled = tail - atomic_load_explicit(&t->head, memory_order_acquire);

	if (filled < TRACE_RING) {
		t->ring[tail % TRACE_RING] = *s;
		/* release: partner of trace_drain's acquire; the slot before the index */
		atomic_store_explicit(&t->tail, tail + 1, memory_order_release);
	} else {
		t->lost++;
	}
	if (s->crossed)
		mem_free(s, sizeof(*s));
	else
		over(s);
	if (filled == TRACE_RING / 2 && reader != NULL)
		uthread_wake(reader);
}

uint64_t trace_drain(void (*each)(const struct trace_sample *s), uint64_t *unanswered)
{
	uint64_t lost = 0;

	*unanswered = 0;
	for (uint32_t i = 0; i < n_shards; i++) {
		struct trace_shard *t = glues[i]->trace;
		uint32_t head = atomic_load_explicit(&t->head, memory_order_relaxed);
		uint64_t now;

		while (head != atomic_load_explicit(&t->tail, memory_order_acquire)) {
			struct trace_sample s = t->ring[head % TRACE_RING];

			atomic_store_explicit(&t->head, ++head, memory_order_release);
			each(&s);
		}
		now = __atomic_load_n(&t->lost, __ATOMIC_RELAXED);
		lost += now - t->lost_told;
		t->lost_told = now;
		now = __atomic_load_n(&t->unanswered, __ATOMIC_RELAXED);
		*unanswered += now - t->unanswered_told;
		t->unanswered_told = now;
	}
	return lost;
}

/* ---- where packets pass ---- */

void trace_input(void *ctx, struct pbuf *frame)
{
	struct trace_shard *t = ((struct glue *)ctx)->trace;

	t->ring_ns = frame->time_ns;
	t->input_ns = clock_now();
	t->input(ctx, frame);
	t->input_ns = 0;
}

static uint16_t port_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The reply that leaves in this frame of ours, or NULL. Headers are in the first fragment. */
static struct trace_sample *reply_in(struct trace_shard *t, const struct pbuf *f)
{
	const uint8_t *ip = f->data + IP_AT, *tcp;
	bool six = port_at(ip - 2) == 0x86dd;
	uint32_t headers = IP_AT + (six ? 40u : 4u * (ip[0] & 15)), seq;

	if (f->len < headers + 20 || (!six && port_at(ip - 2) != 0x0800) || ip[six ? 6 : 9] != 6)
		return NULL;
	tcp = f->data + headers;
	headers += 4u * (tcp[12] >> 4);
	memcpy(&seq, tcp + 4, 4);
	seq = __builtin_bswap32(seq) + f->total - headers; /* behind its last byte */
	list_for_each (n, &t->written) {
		struct trace_sample *s = list_entry(n, struct trace_sample, link);

		if (s->local_port == port_at(tcp) && s->remote.port == port_at(tcp + 2) &&
		    s->remote.family == (six ? 6 : 4) &&
		    memcmp(s->remote.ip6, ip + (six ? 24 : 16), six ? 16 : 4) == 0 &&
		    (int32_t)(seq - s->reply_seq) > 0)
			return s;
	}
	return NULL;
}

static void in_device_ring(struct trace_shard *t, struct trace_sample *s)
{
	s->at[GW_TRACE_SENT] = clock_now();
	list_del(&s->link);
	list_add_tail(&t->sent, &s->link);
}

/* The connection's sample is free for its next request; the copy belongs to who sends. */
static int tx_across(struct glue *g, struct trace_sample *s, struct pbuf *frame)
{
	struct trace_sample *copy = mem_alloc(sizeof(*copy));
	int rc;

	if (copy != NULL) {
		*copy = *s;
		copy->crossed = true;
		list_init(&copy->link);
	}
	rc = cross_send_traced(g, g->via, frame, CROSS_TX, copy);
	if (rc != 0)
		mem_free(copy, sizeof(*copy));
	else if (copy != NULL)
		over(s);
	else
		trace_give_up(s);
	return rc;
}

int trace_tx(void *ctx, struct pbuf *frame)
{
	struct glue *g = ctx;
	struct trace_shard *t = g->trace;
	struct trace_sample *s = list_empty(&t->written) ? NULL : reply_in(t, frame);
	int rc;

	if (s != NULL && g->queue == NULL)
		return tx_across(g, s, frame);
	rc = t->tx(ctx, frame);
	if (s != NULL && rc == 0)
		in_device_ring(t, s);
	return rc;
}

void trace_take(struct glue *g, struct pbuf *frame)
{
	struct trace_sample *s = (struct trace_sample *)(uintptr_t)frame->user[0];

	if (netdev_tx(g->queue, frame) == 0) {
		in_device_ring(g->trace, s);
	} else {
		g->drops.ring_full++;
		g->trace->unanswered++;
		mem_free(s, sizeof(*s));
	}
}

/* The device's poller has rung its doorbell just before. */
static void rung(struct trace_shard *t)
{
	struct list_node *n;
	uint64_t now;

	if (list_empty(&t->sent))
		return;
	now = clock_now();
	while ((n = list_pop(&t->sent)) != NULL) {
		struct trace_sample *s = list_entry(n, struct trace_sample, link);

		list_init(n);
		s->at[GW_TRACE_BELL] = now;
		finish(t, s);
	}
}

static void trace_flush(struct poller *p)
{
	struct trace_shard *t = container_of(p, struct glue, poller)->trace;

	if (t->inner.flush != NULL)
		t->inner.flush(p);
	rung(t);
}

static bool trace_arm(struct poller *p, uint64_t *deadline_ns)
{
	struct trace_shard *t = container_of(p, struct glue, poller)->trace;
	bool work = t->inner.arm(p, deadline_ns);

	rung(t);
	return work;
}

/* ---- set-up ---- */

void trace_configure(void)
{
	const char *s = config_get("trace");
	uint64_t n = 0;

	if (s != NULL && str_to_u64(s, 1u << 30, &n) != 0) {
		log_warn("trace=%s is no number", s);
		n = 0;
	}
	trace_every = (uint32_t)n;
}

bool trace_attach(struct glue *g)
{
	struct trace_shard *t = mem_zalloc(sizeof(*t));

	if (t == NULL)
		return false;
	list_init(&t->written);
	list_init(&t->sent);
	t->countdown = 1;
	g->trace = t;
	return true;
}

void trace_hook_stack(struct glue *g, struct net_config *c)
{
	g->trace->tx = c->tx;
	c->tx = trace_tx;
}

void trace_hook_input(struct glue *g, void (*input)(void *ctx, struct pbuf *frame))
{
	g->trace->input = input;
}

void trace_hook_poller(struct glue *g)
{
	g->trace->inner = g->poller;
	g->poller.flush = trace_flush;
	g->poller.arm = trace_arm;
}
