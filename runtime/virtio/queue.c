/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c - the parts of the split virtqueue off the hot path: set-up, chains, doorbells, arming.
 * Trusts the driver above; what the device writes is only compared, never followed. */
#include "runtime/virtio/queue.h"
#include "runtime/base/str.h"
#include "runtime/virtio/dma.h"

struct gw_stripe dma_stripe;

uint64_t dma_of(const void *p)
{
	return gw_stripe_pa(&dma_stripe, va_to_pa(p));
}

/* One block:  | desc[size] | avail, ring[size], used_event | pad to 64 | used, ring[size],
 * avail_event | The pad keeps what the driver writes and what the device writes on different cache
 * lines. */
struct layout {
	size_t avail, used, total;
};

static struct layout ring_layout(uint16_t size)
{
	struct layout l;

	l.avail = (size_t)size * sizeof(struct vring_desc);
	l.used = ROUND_UP(l.avail + 4 + 2 * (size_t)size + 2, (size_t)64);
	l.total = l.used + 4 + sizeof(struct vring_used_elem) * (size_t)size + 2;
	return l;
}

static _Atomic uint16_t *used_event(struct vq *q)
{
	return (_Atomic uint16_t *)(void *)&q->avail->ring[q->mask + 1u];
}

static _Atomic uint16_t *avail_event(struct vq *q)
{
	return (_Atomic uint16_t *)(void *)&q->used->ring[q->mask + 1u];
}

/* Small rings come from the small-object classes (16-byte aligned, inside one page), large ones
 * from whole frames: both are contiguous for the device, with page colours (dma.h) each of the
 * three parts is as long as size is at most 256. */
static void *ring_alloc(size_t len)
{
	uint64_t pa;

	if (len <= 2048)
		return mem_zalloc(len);
	pa = pages_alloc((len + GW_PAGE_SIZE - 1) / GW_PAGE_SIZE, 1);
	if (pa == 0)
		return NULL;
	memset(pa_to_va(pa), 0, len);
	return pa_to_va(pa);
}

static void ring_free(void *mem, size_t len)
{
	if (len <= 2048)
		mem_free(mem, len);
	else
		pages_free(va_to_pa(mem), (len + GW_PAGE_SIZE - 1) / GW_PAGE_SIZE);
}

int vq_init(struct vq *q, uint16_t size, const struct vq_features *f)
{
	struct layout l = ring_layout(size);

	if (size < 2 || size > VQ_SIZE_MAX || (size & (size - 1)) != 0)
		return -EINVAL;
	*q = (struct vq){ .mask = (uint16_t)(size - 1),
			  .n_free = size,
			  .event_idx = f->event_idx,
			  .indirect = f->indirect,
			  .strong = f->strong };
	q->slots = mem_zalloc(size * sizeof(struct vq_slot));
	if (q->slots == NULL)
		return -ENOMEM;
	q->mem_len = l.total;
	q->mem = ring_alloc(l.total);
	if (q->mem == NULL) {
		mem_free(q->slots, size * sizeof(struct vq_slot));
		q->slots = NULL;
		return -ENOMEM;
	}
	q->desc = q->mem;
	q->avail = (void *)((char *)q->mem + l.avail);
	q->used = (void *)((char *)q->mem + l.used);
	for (uint16_t i = 0; i < size; i++)
		q->slots[i].next = (uint16_t)((i + 1u) & q->mask);
	/* No interrupts until armed. With the event index the flag must stay 0 (2.7.7.1): there an
	 * event index far behind says it. */
	if (q->event_idx)
		atomic_store_explicit(used_event(q), 0xffff, memory_order_relaxed);
	else
		atomic_store_explicit(&q->avail->flags, VRING_AVAIL_NO_INTERRUPT,
				      memory_order_relaxed);
	return 0;
}

void vq_destroy(struct vq *q)
{
	if (q->mem == NULL)
		return;
	ring_free(q->mem, q->mem_len);
	mem_free(q->slots, (q->mask + 1u) * sizeof(struct vq_slot));
	*q = (struct vq){ .broken = true };
}

static void fill(struct vring_desc *d, const struct vq_buf *b, bool in, bool more, uint16_t next)
{
	d->addr = b->pa;
	d->len = b->len;
	d->flags = (uint16_t)((in ? VRING_DESC_WRITE : 0) | (more ? VRING_DESC_NEXT : 0));
	d->next = next;
}

int vq_add(struct vq *q, const struct vq_buf *bufs, unsigned n_out, unsigned n_in, void *cookie,
	   struct vring_desc *table)
{
	unsigned n = n_out + n_in;
	unsigned ring_n = n;
	uint32_t in_len = 0;
	uint16_t id = q->free_head;

	if (unlikely(q->broken))
		return -EIO;
	if (table != NULL && q->indirect && n > 1)
		ring_n = 1;
	if (q->n_free < ring_n)
		return -EAGAIN;
	for (unsigned i = n_out; i < n; i++)
		in_len += bufs[i].len;
	if (ring_n != n || n == 1) {
		if (n == 1) {
			vq_add_one(q, bufs[0].pa, bufs[0].len, n_in ? VRING_DESC_WRITE : 0, cookie);
			return id;
		}
		for (unsigned i = 0; i < n; i++)
			fill(&table[i], &bufs[i], i >= n_out, i + 1 < n, (uint16_t)(i + 1));
		vq_add_one(q, dma_of(table), n * (uint32_t)sizeof(*table), VRING_DESC_INDIRECT,
			   cookie);
	} else {
		uint16_t at = id;

		for (unsigned i = 0; i < n; i++) {
			uint16_t next = q->slots[at].next;

			fill(&q->desc[at], &bufs[i], i >= n_out, i + 1 < n, next);
			q->slots[id].tail = at;
			at = next;
		}
		q->free_head = at;
		q->n_free = (uint16_t)(q->n_free - n);
		q->n_inflight++;
		q->slots[id].cookie = cookie;
		q->slots[id].n = (uint16_t)n;
		q->avail->ring[q->avail_next & q->mask] = id;
		q->avail_next++;
	}
	q->slots[id].in_len = in_len;
	return id;
}

void vq_drain(struct vq *q, void (*fn)(void *ctx, void *cookie, uint16_t id), void *ctx)
{
	if (q->slots == NULL)
		return;
	for (uint16_t i = 0; i <= q->mask; i++) {
		void *cookie = q->slots[i].cookie;

		if (cookie == NULL)
			continue;
		q->slots[i].cookie = NULL;
		q->n_inflight--;
		fn(ctx, cookie, i);
	}
}

static void sync_read(struct vq *q)
{
	if (q->bell.wide)
		(void)io_read32(q->bell.sync);
	else
		(void)io_read8(q->bell.sync);
}

bool vq_arm(struct vq *q)
{
	if (q->broken)
		return false;
	if (q->event_idx)
		atomic_store_explicit(used_event(q), q->used_seen, memory_order_relaxed);
	else
		atomic_store_explicit(&q->avail->flags, 0, memory_order_relaxed);
	/* Barrier: store of the event before load of the index. Its partner is the device's,
	 * between its store of used.idx and its load of used_event: one of the two sees the other.
	 * A single-vCPU emulator drops the fence, but not what leaving the translated code for a
	 * register read orders. */
	if (q->strong)
		sync_read(q);
	atomic_thread_fence(memory_order_seq_cst);
	return vq_pending(q);
}

void vq_break(struct vq *q, const char *lie)
{
	if (!q->broken)
		q->lie = lie;
	q->broken = true;
}

void vq_kick(struct vq *q)
{
	uint16_t old = q->kicked, now = q->avail_next;

	q->kicked = now;
	if (unlikely(q->broken))
		return;
	if (!q->strong) {
		/* Barrier: store of avail.idx before load of the event. Its partner is the
		 * device's, between its store of avail_event and its last look at avail.idx. */
		atomic_thread_fence(memory_order_seq_cst);
		if (q->event_idx) {
			uint16_t ev = atomic_load_explicit(avail_event(q), memory_order_relaxed);

			/* 2.7.10.1: kick if the event lies in (old, now] - 1. */
			if ((uint16_t)(now - ev - 1) >= (uint16_t)(now - old))
				return;
		} else if (atomic_load_explicit(&q->used->flags, memory_order_relaxed) &
			   VRING_USED_NO_NOTIFY) {
			return;
		}
	}
	/* A register write is ordered after earlier stores to memory on x86, also for the device.
	 */
	if (q->bell.wide)
		io_write32(q->bell.notify, q->index);
	else
		io_write16(q->bell.notify, q->index);
}
