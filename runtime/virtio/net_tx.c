/* SPDX-License-Identifier: Apache-2.0 */
/* net_tx.c - the sending half of virtio-net (virtio 1.2, 5.1.6.2): frames go into the ring as they
 * lie, or wait in a bounded backlog; completions are taken back in batches. */
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/virtio/dma.h"
#include "runtime/virtio/net_internal.h"

static int drop(struct netdev_queue *q, struct pbuf *frame)
{
	pbuf_free(q->pool, frame);
	return -ENOBUFS;
}

static inline void fill_hdr(struct net_hdr *h, const struct pbuf *f)
{
	*h = (struct net_hdr){ 0 };
	if (f->flags & PBUF_CSUM_PARTIAL) {
		h->flags = NET_HDR_NEEDS_CSUM;
		h->csum_start = f->csum_start;
		h->csum_offset = f->csum_offset;
		if (f->flags & (PBUF_GSO_TCP4 | PBUF_GSO_TCP6)) {
			h->gso_type = f->flags & PBUF_GSO_TCP4 ? NET_GSO_TCPV4 : NET_GSO_TCPV6;
			h->gso_size = f->gso_size;
			h->hdr_len = f->hdr_len;
		}
	}
}

/* May the header be written before the frame's first byte? Not into a block that the frame only
 * borrows. */
static inline bool hdr_fits(struct pbuf *f)
{
	return f->slice_of == NULL && pbuf_headroom(f) >= NET_HDR_LEN;
}

/* A frame of several fragments, or without headroom. 0, -EAGAIN (no room, nothing is changed),
 * -ENOBUFS (dropped). */
static __attribute__((noinline)) int put_chain(struct netdev_queue *q, struct pbuf *f)
{
	struct vq_buf bufs[NET_TX_TABLE];
	struct vring_desc *table = NULL;
	struct net_hdr *h;
	struct pbuf *p = f;
	unsigned n = 0;
	int id;

	if (hdr_fits(f)) {
		h = (struct net_hdr *)(void *)(f->data - NET_HDR_LEN);
		bufs[n++] = (struct vq_buf){ pbuf_dma(f, h), f->len + NET_HDR_LEN };
		p = f->next;
	} else {
		h = &q->tx_hdrs[q->tx.free_head]; /* free with the chain's head descriptor */
		bufs[n++] = (struct vq_buf){ dma_of(h), NET_HDR_LEN };
	}
	for (; p != NULL; p = p->next) {
		if (n == NET_TX_TABLE)
			return drop(q, f);
		if (p->len != 0)
			bufs[n++] = (struct vq_buf){ pbuf_dma(p, p->data), p->len };
	}
	if (n > q->tx.mask + 1u) /* 2.7.5.3.1: no chain is longer than the queue */
		return drop(q, f);
	if (n > 2 && q->n_tables != 0)
		table = q->tables[q->n_tables - 1];
	if (q->tx.n_free < (table != NULL ? 1u : n))
		return -EAGAIN;
	fill_hdr(h, f);
	id = vq_add(&q->tx, bufs, n, 0, f, table);
	if (unlikely(id < 0))
		return drop(q, f);
	if (table != NULL) {
		q->n_tables--;
		q->table_of[id] = table;
	}
	return 0;
}

static inline int put(struct netdev_queue *q, struct pbuf *f)
{
	if (unlikely(q->tx.n_free == 0))
		return -EAGAIN;
	if (likely(f->next == NULL && hdr_fits(f))) {
		struct net_hdr *h = (struct net_hdr *)(void *)(f->data - NET_HDR_LEN);

		fill_hdr(h, f);
		vq_add_one(&q->tx, (uint64_t)h + f->dma, f->len + NET_HDR_LEN, 0, f);
		return 0;
	}
	return put_chain(q, f);
}

void netq_reclaim(struct netdev_queue *q)
{
	struct vq_done done;

	while (vq_take(&q->tx, &done)) {
		struct vring_desc *table = q->table_of[done.id];

		if (unlikely(table != NULL)) {
			q->tables[q->n_tables++] = table;
			q->table_of[done.id] = NULL;
		}
		pbuf_free(q->pool, done.cookie);
	}
	if (unlikely(q->tx.broken)) {
		netq_stop(q);
		return;
	}
	while (unlikely(q->n_backlog != 0)) {
		struct list_node *n = q->backlog.next;

		list_del(n); /* before put: the frame may be dropped */
		if (put(q, list_entry(n, struct pbuf, link)) == -EAGAIN) {
			list_add_head(&q->backlog, n);
			break;
		}
		q->n_backlog--;
	}
}

/* The ring is full, or others wait already. The device gets going on what it has. */
static __attribute__((noinline)) int tx_wait(struct netdev_queue *q, struct pbuf *f)
{
	if (q->tx.broken || q->n_backlog == NET_BACKLOG)
		return drop(q, f);
	vq_flush(&q->tx);
	list_add_tail(&q->backlog, &f->link);
	q->n_backlog++;
	return 0;
}

int netdev_tx(struct netdev_queue *q, struct pbuf *f)
{
	int rc;

	if (unlikely(q->tx.n_inflight >= q->reclaim_at))
		netq_reclaim(q);
	if (unlikely(q->tx.broken || q->n_backlog != 0))
		return tx_wait(q, f);
	rc = put(q, f);
	return likely(rc != -EAGAIN) ? rc : tx_wait(q, f);
}
