/* SPDX-License-Identifier: Apache-2.0 */
/* cross.c - packets between shards: one single-producer ring for each ordered pair. Reference
 * counts of packet buffers are plain, so a packet that shares blocks with its sender (slices of a
 * send queue) is copied first. The receiver is woken only when it sleeps, once for a batch. */
#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/netglue/glue_internal.h"
#include "runtime/platform/platform.h"

#define CROSS_BATCH 64u /* packets taken from one peer a turn */
#define GIVE_BATCH 32u

static uint32_t ring_slots(void)
{
	return n_shards <= 8 ? 256 : 64;
}

int cross_init(struct glue *g)
{
	uint32_t slots = ring_slots();

	if (n_shards == 1)
		return 0;
	g->in = mem_zalloc(n_shards * sizeof(struct ring));
	if (g->in == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n_shards; i++) {
		void **s;

		if (i == g->shard->id)
			continue;
		s = mem_zalloc(slots * sizeof(void *));
		if (s == NULL)
			return -ENOMEM;
		ring_init(&g->in[i], s, slots);
	}
	return 0;
}

static bool shared(const struct pbuf *p)
{
	for (; p != NULL; p = p->next) {
		if (p->refs != 1 || p->slice_of != NULL)
			return true;
	}
	return false;
}

/* A copy in blocks of its own, with the same headroom in the first. NULL: the pool is empty. */
static struct pbuf *copy_packet(struct pbuf_pool *pool, const struct pbuf *p)
{
	struct pbuf *head = NULL, **link = &head;
	uint32_t off = 0, total = p->total;

	do {
		struct pbuf *c = pbuf_alloc(pool, PBUF_HEADROOM);

		if (c == NULL) {
			pbuf_free(pool, head);
			return NULL;
		}
		c->len = GW_MIN(total - off, PBUF_ROOM - PBUF_HEADROOM);
		*link = c;
		link = &c->next;
		if (!pbuf_copy_out(p, off, c->data, c->len)) {
			pbuf_free(pool, head);
			return NULL;
		}
		off += c->len;
	} while (off < total);
	head->total = total;
	head->flags = p->flags;
	head->gso_size = p->gso_size;
	head->csum_start = p->csum_start;
	head->csum_offset = p->csum_offset;
	head->hdr_len = p->hdr_len;
	head->time_ns = p->time_ns;
	return head;
}

int cross_send(struct glue *g, uint32_t to, struct pbuf *p, enum cross_what what)
{
	return cross_send_traced(g, to, p, what, NULL);
}

int cross_send_traced(struct glue *g, uint32_t to, struct pbuf *p, enum cross_what what,
		      struct trace_sample *sample)
{
	struct glue *peer = to < n_shards && to != g->shard->id ? glues[to] : NULL;

	if (peer != NULL && shared(p)) {
		struct pbuf *c = copy_packet(&g->pool, p);

		pbuf_free(&g->pool, p);
		if (c == NULL)
			return -ENOBUFS;
		p = c;
	}
	if (unlikely(sample != NULL)) { /* nobody else has this block */
		p->flags |= PBUF_TRACED;
		p->user[0] = (uint64_t)(uintptr_t)sample;
	}
	if (peer == NULL || !ring_push(&peer->in[g->shard->id], (void *)((uintptr_t)p | what))) {
		pbuf_free(&g->pool, p);
		return -ENOBUFS;
	}
	g->notify |= 1ull << to;
	return 0;
}

static void take(struct glue *g, uintptr_t word)
{
	struct pbuf *p = (struct pbuf *)(word & ~CROSS_MASK);

	switch ((enum cross_what)(word & CROSS_MASK)) {
	case CROSS_INPUT:
		g->shard->rx_ns = p->time_ns; /* until cross_poll is through */
		if (unlikely(g->trace != NULL))
			trace_input(g, p);
		else
			net_input(g->stack, p);
		break;
	case CROSS_TX:
		if (unlikely(p->flags & PBUF_TRACED))
			trace_take(g, p);
		else if (netdev_tx(g->queue, p) !=
			 0) /* who sends through us found that we have one */
			g->drops.ring_full++;
		break;
	case CROSS_BLOCK:
	default:
		pbuf_free(&g->pool, p);
		break;
	}
}

bool cross_poll(struct glue *g)
{
	bool any = false;

	for (uint32_t i = 0; i < n_shards; i++) {
		if (i == g->shard->id)
			continue;
		for (unsigned n = 0; n < CROSS_BATCH; n++) {
			void *word = ring_pop(&g->in[i]);

			if (word == NULL)
				break;
			take(g, (uintptr_t)word);
			any = true;
		}
	}
	g->shard->rx_ns = 0;
	return any;
}

bool cross_pending(struct glue *g)
{
	for (uint32_t i = 0; i < n_shards; i++) {
		if (i != g->shard->id && !ring_empty(&g->in[i]))
			return true;
	}
	return false;
}

void cross_flush(struct glue *g)
{
	uint64_t to = g->notify;

	if (likely(to == 0))
		return;
	g->notify = 0;
	/* Barrier: the ring's tail before the look at `sleeping`. Its partner is the sleeper's,
	 * between its store of `sleeping` and its last look at the rings (poller.arm): one of the
	 * two sees the other. */
	atomic_thread_fence(memory_order_seq_cst);
	for (uint32_t i = 0; to != 0; i++, to >>= 1) {
		if ((to & 1) && atomic_load_explicit(&shards[i]->sleeping, memory_order_relaxed))
			(void)gw_call(GW_CALL_NOTIFY, i, 0, 0);
	}
}

void cross_balance(struct glue *g)
{
	uint32_t to = g->via;

	/* More free blocks than this pool ever made came from elsewhere: packets received there,
	 * freed here. */
	if (likely(g->pool.n_free < g->pool.n_total + 2 * GIVE_BATCH))
		return;
	if (to == GLUE_NO_DEVICE || to == g->shard->id)
		to = g->shard->id == 0 ? 1 : 0;
	for (unsigned n = 0; n < GIVE_BATCH; n++) {
		struct pbuf *p = pbuf_alloc(&g->pool, 0);

		if (p == NULL || cross_send(g, to, p, CROSS_BLOCK) != 0)
			return;
	}
}
