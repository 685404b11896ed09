/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c - the packet path by AF_XDP. The partition's whole memory is the UMEM, cut into chunks
 * that are packet buffers' blocks: what arrives lies in a block's data, behind its descriptor, and
 * a buffer of any pool can be sent. Trusts the kernel, which owns the rings' other ends.
 *
 *   chunk, 2,048 bytes:  | struct pbuf | 256: XDP's headroom | frame, up to 1,664 bytes | */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "runtime/platform/linux/afxdp/afxdp_internal.h"
#include "runtime/platform/linux/hosted.h"

#define BATCH 64u
#define SEND_ROUNDS 40u		     /* a kick sends 32 frames where the driver copies */
#define ARP_LOOK_NS (10 * NS_PER_MS) /* by a shard that never sleeps */
#define ARP_EVENT (GW_EVENT_IRQ0 + 2)

static inline uint64_t umem_addr(const void *p)
{
	return (uint64_t)((const uint8_t *)p - (const uint8_t *)hosted_memory.base);
}

static inline struct pbuf *block_at(uint64_t addr)
{
	return (struct pbuf *)(void *)((uint8_t *)hosted_memory.base +
				       (addr & ~(uint64_t)(PBUF_SIZE - 1)));
}

/* ---- receive ---- */

static void refill(struct xdp_shard *s, struct xdp_queue *q)
{
	uint32_t want = RX_RING_SIZE - q->fill_max + BATCH, at, done = 0;

	if (xsk_prod_nb_free(&q->fill, want) < want ||
	    xsk_ring_prod__reserve(&q->fill, BATCH, &at) != BATCH)
		return;
	for (; done < BATCH; done++) {
		struct pbuf *p = pbuf_alloc(s->pool, 0);

		if (p == NULL) {
			s->drops.no_buffer++;
			break;
		}
		*xsk_ring_prod__fill_addr(&q->fill, at + done) = umem_addr(p);
	}
	q->fill.cached_prod -= BATCH - done; /* what was reserved and not filled */
	xsk_ring_prod__submit(&q->fill, done);
}

static bool receive(struct xdp_shard *s, struct xdp_queue *q)
{
	uint32_t at, n = xsk_ring_cons__peek(&q->rx, BATCH, &at);

	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&q->rx, at + i);
		struct pbuf *p = block_at(d->addr);

		p->data = (uint8_t *)hosted_memory.base + d->addr;
		p->len = p->total = d->len;
		p->time_ns = s->shard->now_ns;
		if (xdp.trust_checksums)
			p->flags = PBUF_CSUM_GOOD;
		s->input(s->ctx, p);
	}
	if (n != 0)
		xsk_ring_cons__release(&q->rx, n);
	refill(s, q);
	if (xsk_ring_prod__needs_wakeup(&q->fill))
		(void)recvfrom(q->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	return n != 0;
}

/* ---- send ---- */

/* Buffers whose frames are out. */
static void reclaim(struct xdp_shard *s, struct xdp_queue *q)
{
	uint32_t at, n;

	while ((n = xsk_ring_cons__peek(&q->comp, BATCH, &at)) != 0) {
		for (uint32_t i = 0; i < n; i++)
			pbuf_free(s->pool, block_at(*xsk_ring_cons__comp_addr(&q->comp, at + i)));
		xsk_ring_cons__release(&q->comp, n);
		q->n_sending -= n;
	}
}

static void kick(struct xdp_shard *s, struct xdp_queue *q)
{
	for (uint32_t i = 0; i < SEND_ROUNDS && xsk_ring_prod__needs_wakeup(&q->tx); i++) {
		if (sendto(q->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 || errno != EAGAIN)
			break;
		reclaim(s, q);
	}
	q->n_unkicked = 0;
}

/* One buffer that holds the whole frame: itself, or a copy (which replaces it). NULL: dropped. */
static struct pbuf *one_piece(struct xdp_shard *s, struct pbuf *f)
{
	struct pbuf *c;

	if (likely(f->next == NULL && f->slice_of == NULL))
		return f;
	c = f->total <= PBUF_ROOM ? pbuf_alloc(s->pool, 0) : NULL;
	if (c != NULL && pbuf_copy_out(f, 0, c->data, f->total))
		c->len = c->total = f->total;
	pbuf_free(s->pool, f);
	return c;
}

/* With what the kernel dropped before this process saw it. Any shard. */
static const struct netdev_drops *xdp_drops(const struct netdev_queue *nq)
{
	struct xdp_shard *s = (struct xdp_shard *)nq;
	uint64_t device = 0, empty = 0;

	for (uint32_t i = 0; i < s->n_queues; i++) {
		struct xdp_statistics x = { 0 };
		socklen_t n = sizeof(x);

		if (getsockopt(s->queues[i]->fd, SOL_XDP, XDP_STATISTICS, &x, &n) != 0)
			continue;
		device += x.rx_invalid_descs + x.tx_invalid_descs + x.rx_ring_full;
		empty += x.rx_dropped; /* no block in the fill ring, mostly */
	}
	s->told.device = s->drops.device + device;
	s->told.no_buffer = s->drops.no_buffer + empty;
	return &s->told;
}

static int xdp_tx(struct netdev_queue *nq, struct pbuf *f)
{
	struct xdp_shard *s = (struct xdp_shard *)nq;
	struct xdp_queue *q = s->queues[0];
	struct xdp_desc *d;
	uint32_t at;

	f = one_piece(s, f);
	if (unlikely(f == NULL))
		return -ENOBUFS;
	if (q->n_sending >= RING_SIZE / 2)
		reclaim(s, q);
	if (unlikely(xsk_ring_prod__reserve(&q->tx, 1, &at) != 1)) {
		kick(s, q);
		reclaim(s, q);
		if (xsk_ring_prod__reserve(&q->tx, 1, &at) != 1) {
			pbuf_free(s->pool, f);
			return -ENOBUFS;
		}
	}
	d = xsk_ring_prod__tx_desc(&q->tx, at);
	d->addr = umem_addr(f->data);
	d->len = f->len;
	d->options = 0;
	xsk_ring_prod__submit(&q->tx, 1);
	q->n_sending++;
	q->n_unkicked++;
	return 0;
}

/* ---- poller ---- */

static bool xdp_poll(struct poller *p)
{
	struct xdp_shard *s = container_of(p, struct xdp_shard, poller);
	bool any = false;

	for (uint32_t i = 0; i < s->n_queues; i++)
		any |= receive(s, s->queues[i]);
	if (s->arp_fd >= 0 && ((s->shard->events & 1ull << ARP_EVENT) != 0 ||
			       s->shard->now_ns - s->arp_ns >= ARP_LOOK_NS)) {
		s->arp_ns = s->shard->now_ns;
		xdp_arp_take(s);
	}
	return any;
}

static void xdp_flush(struct poller *p)
{
	struct xdp_shard *s = container_of(p, struct xdp_shard, poller);
	struct xdp_queue *q = s->queues[0];

	if (q->n_unkicked != 0) {
		kick(s, q);
		reclaim(s, q);
	}
}

struct netdev_queue *xdp_open(struct netdev *d, uint32_t i, struct pbuf_pool *pool,
			      void (*input)(void *ctx, struct pbuf *frame), void *ctx)
{
	struct xdp_shard *s = &xdp.shards[i];
	uint32_t pairs = d->info.queue_pairs, n = 0;

	s->q = (struct netdev_queue){ xdp_tx, xdp_drops };
	s->shard = shard_self();
	s->pool = pool;
	s->input = input;
	s->ctx = ctx;
	s->arp_fd = -1;
	s->queues = &xdp.order[i * ((xdp.n_queues + pairs - 1) / pairs)];
	for (uint32_t k = i; k < xdp.n_queues; k += pairs) {
		struct xdp_queue *q = &xdp.queues[k];

		s->queues[n++] = q;
		q->fill_max = GW_MIN(RX_RING_SIZE, GW_MAX(pool->max_total / 4, 2 * BATCH));
		for (uint32_t r = 0; r < q->fill_max / BATCH; r++)
			refill(s, q);
		if (hosted_watch(q->fd, 0) != 0)
			return NULL;
	}
	s->n_queues = n;
	if (i == 0 && xdp.shared) {
		s->arp_fd = xdp_arp_open(xdp.ifindex);
		if (s->arp_fd >= 0 && hosted_watch_note(s->arp_fd, ARP_EVENT) != 0)
			return NULL;
	}
	s->poller = (struct poller){ .poll = xdp_poll, .flush = xdp_flush };
	shard_add_poller(&s->poller);
	return &s->q;
}
