/* SPDX-License-Identifier: Apache-2.0 */
/* net_queue.c - a queue pair of virtio-net (virtio 1.2, 5.1.6): receiving, polling, stopping. One
 * shard owns a queue pair. Received data stays where the device wrote it; headers, lengths and
 * buffer counts are read once and checked. */
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/virtio/net_internal.h"

static inline struct netdev_queue *of_poller(struct poller *p)
{
	return container_of(p, struct netdev_queue, poller);
}

/* ---- stop ---- */

static void drop_rx(void *ctx, void *cookie, uint16_t id)
{
	(void)id;
	pbuf_free(((struct netdev_queue *)ctx)->pool, cookie);
}

static void drop_tx(void *ctx, void *cookie, uint16_t id)
{
	struct netdev_queue *q = ctx;

	if (q->table_of[id] != NULL)
		q->tables[q->n_tables++] = q->table_of[id];
	q->table_of[id] = NULL;
	q->drops.device++;
	pbuf_free(q->pool, cookie);
}

const struct netdev_drops *netdev_drops(const struct netdev_queue *q)
{
	return &q->drops;
}

void netq_stop(struct netdev_queue *q)
{
	const char *lie = q->rx.lie != NULL ? q->rx.lie : q->tx.lie;
	bool reset = vdev_stop(&q->dev->v, lie != NULL ? lie : "stopped");

	if (q->open)
		q->shard->vcore->packets_come = q->shard->vcore->packets_seen = 0;
	vq_break(&q->rx, "stopped");
	vq_break(&q->tx, "stopped");
	q->dev->info.link_up = false;
	while (q->n_backlog != 0) {
		q->n_backlog--;
		q->drops.device++;
		pbuf_free(q->pool, list_entry(list_pop(&q->backlog), struct pbuf, link));
	}
	if (reset && q->open) {
		vq_drain(&q->rx, drop_rx, q);
		vq_drain(&q->tx, drop_tx, q);
	}
	q->open = false;
}

/* ---- receive ---- */

static void refill(struct netdev_queue *q)
{
	while (q->rx.n_free != 0) {
		struct pbuf *p = pbuf_alloc(q->pool, NET_RX_AT + NET_HDR_LEN);

		if (unlikely(p == NULL)) {
			q->drops.no_buffer++;
			break;
		}
		vq_add_one(&q->rx, (uint64_t)(pbuf_block(p) + NET_RX_AT) + p->dma, NET_RX_LEN,
			   VRING_DESC_WRITE, p);
	}
	vq_flush(&q->rx);
}

static __attribute__((noinline)) void rx_merged(struct netdev_queue *q, struct pbuf *p,
						const struct net_hdr *h)
{
	unsigned type = h->gso_type & ~NET_GSO_ECN;

	if (type == NET_GSO_TCPV4 && q->dev->guest_tso4)
		p->flags |= PBUF_GSO_TCP4;
	else if (type == NET_GSO_TCPV6 && q->dev->guest_tso6)
		p->flags |= PBUF_GSO_TCP6;
	else
		return;
	p->gso_size = h->gso_size;
}

/* Offload words of a received packet. What was not negotiated or does not fit the packet is
 * ignored: then TCP/IP checks the sum itself. */
static void rx_offload(struct netdev_queue *q, struct pbuf *p, const struct net_hdr *h)
{
	if (!q->dev->info.csum_rx)
		return;
	if (h->flags & NET_HDR_NEEDS_CSUM) {
		if ((uint32_t)h->csum_start + h->csum_offset + 2u > p->total)
			return;
		p->flags |= PBUF_CSUM_PARTIAL;
		p->csum_start = h->csum_start;
		p->csum_offset = h->csum_offset;
	} else if (h->flags & NET_HDR_DATA_VALID) {
		p->flags |= PBUF_CSUM_GOOD;
	}
	if (unlikely(h->gso_type != 0))
		rx_merged(q, p, h);
}

/* The further n buffers of a packet merged by the device (5.1.6.4): all were completed together, so
 * one that is missing is a lie. */
static bool rx_merge(struct netdev_queue *q, struct pbuf *head, uint32_t n)
{
	struct pbuf *last = head;
	struct vq_done done;

	for (uint32_t i = 0; i < n; i++) {
		struct pbuf *p;

		if (!vq_take(&q->rx, &done)) {
			vq_break(&q->rx, "merged packet is missing buffers");
			return false;
		}
		p = done.cookie;
		p->data = pbuf_block(p) + NET_RX_AT;
		p->len = p->total = done.len;
		last->next = p;
		last = p;
		head->total += done.len;
	}
	return true;
}

static __attribute__((noinline)) bool netq_rx(struct netdev_queue *q)
{
	uint64_t now = q->shard->now_ns;
	struct vq_done done;
	unsigned n = 0;

	q->shard->rx_ns = now;
	while (n < NET_RX_BATCH && vq_take(&q->rx, &done)) {
		struct pbuf *p = done.cookie;
		struct net_hdr h;

		n++;
		__builtin_memcpy(&h, pbuf_block(p) + NET_RX_AT,
				 NET_HDR_LEN); /* read once; no call */
		if (unlikely(done.len < NET_HDR_LEN)) {
			q->drops.device++;
			pbuf_free(q->pool, p);
			vq_break(&q->rx, "received packet without its header");
			break;
		}
		p->len = p->total = done.len - NET_HDR_LEN;
		p->time_ns = now;
		if (unlikely(q->mrg && h.num_buffers != 1)) {
			uint32_t more = h.num_buffers - 1u;

			if (h.num_buffers == 0)
				vq_break(&q->rx, "merged packet of no buffers");
			if (h.num_buffers == 0 || !rx_merge(q, p, more)) {
				q->drops.device++;
				pbuf_free(q->pool, p);
				break;
			}
		}
		if (h.flags | h.gso_type)
			rx_offload(q, p, &h);
		q->input(q->ctx, p);
	}
	q->shard->rx_ns = 0;
	if (unlikely(q->rx.broken)) {
		netq_stop(q);
		return true;
	}
	if (q->rx.n_free >= q->refill_at)
		refill(q);
	return n != 0;
}

/* ---- poller ---- */

static bool netq_poll(struct poller *p)
{
	struct netdev_queue *q = of_poller(p);

	if (unlikely(q->n_backlog != 0))
		netq_reclaim(q);
	if (vq_pending(&q->rx))
		return netq_rx(q);
	if (unlikely(q->rx.n_inflight == 0 && q->open))
		refill(q); /* the pool was empty */
	if (unlikely(atomic_load_explicit(&q->dev->v.stopped, memory_order_relaxed) && q->open))
		netq_stop(q);
	return false;
}

static void netq_flush(struct poller *p)
{
	vq_flush(&of_poller(p)->tx);
}

/* When to look again although no interrupt will tell; 0: no need. */
static inline uint64_t recheck_ns(const struct netdev_queue *q)
{
	if (unlikely(q->polled || q->rx.n_inflight == 0))
		return NS_PER_MS;
	return unlikely(q->n_backlog != 0) ? NET_BACKLOG_NS : 0;
}

/* Before sleeping: take back what was sent, kick what was not, let the interrupt line fall, ask for
 * the next interrupt. */
static bool netq_arm(struct poller *p, uint64_t *deadline_ns)
{
	struct netdev_queue *q = of_poller(p);
	uint64_t recheck;

	if (unlikely(!q->open))
		return false;
	if (q->tx.n_inflight != 0) {
		netq_reclaim(q);
		vq_flush(&q->tx);
	}
	recheck = recheck_ns(q);
	if (unlikely(recheck != 0))
		*deadline_ns = GW_MIN(*deadline_ns, q->shard->now_ns + recheck);
	vdev_ack(&q->dev->v);
	return vq_arm(&q->rx);
}

void netq_start(struct netdev_queue *q)
{
	q->poller = (struct poller){ .poll = netq_poll, .flush = netq_flush, .arm = netq_arm };
	list_init(&q->backlog);
	q->open = true;
	q->shard->vcore->packets_come = (uint64_t)&q->rx.used->idx;
	q->shard->vcore->packets_seen = (uint64_t)&q->rx.used_seen;
	refill(q);
	shard_add_poller(&q->poller);
}
