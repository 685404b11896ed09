/* SPDX-License-Identifier: Apache-2.0 */
/* pbuf.c - the packet buffer pool: a last-in first-out list of fixed blocks, so that the block just
 * freed (and still in the cache) is the next one used. Trusts its callers; receives nothing from
 * outside. */
#include "runtime/mem/pbuf.h"
#include "abi/vcore.h"
#include "runtime/base/str.h"

void pbuf_pool_init(struct pbuf_pool *pool, uint32_t max_total, void *(*more)(void *, size_t *),
		    void *ctx)
{
	list_init(&pool->free);
	pool->n_free = pool->n_total = 0;
	pool->max_total = max_total;
	pool->more = more;
	pool->ctx = ctx;
	pool->dma = NULL;
}

static bool pool_grow(struct pbuf_pool *pool)
{
	size_t bytes = 0;
	uint8_t *mem;

	if (pool->n_total >= pool->max_total)
		return false;
	mem = pool->more(pool->ctx, &bytes);
	if (mem == NULL || bytes < PBUF_SIZE)
		return false;
	for (size_t off = 0; off + PBUF_SIZE <= bytes; off += PBUF_SIZE) {
		struct pbuf *p = (struct pbuf *)(void *)(mem + off);
		uint64_t at = pool->dma != NULL ? pool->dma(p) : (uint64_t)p - GW_MEM_BASE;

		p->dma = at - (uint64_t)p;
		list_add_tail(&pool->free, &p->link);
		pool->n_free++;
		pool->n_total++;
	}
	return true;
}

struct pbuf *pbuf_alloc(struct pbuf_pool *pool, uint32_t headroom)
{
	struct list_node *n = pool->free.next;
	struct pbuf *p;

	if (unlikely(n == &pool->free)) {
		if (!pool_grow(pool))
			return NULL;
		n = pool->free.next;
	}
	pool->free.next = n->next;
	n->next->prev = &pool->free;
	pool->n_free--;
	p = list_entry(n, struct pbuf, link);
	p->next = NULL;
	list_init(&p->link);
	p->data = pbuf_block(p) + headroom;
	p->len = p->total = 0;
	p->refs = 1;
	p->flags = 0;
	p->gso_size = p->csum_start = p->csum_offset = p->hdr_len = 0;
	p->slice_of = NULL;
	return p;
}

static void put_block(struct pbuf_pool *pool, struct pbuf *p)
{
	list_add_head(&pool->free, &p->link);
	pool->n_free++;
}

void pbuf_free(struct pbuf_pool *pool, struct pbuf *p)
{
	while (p != NULL) {
		struct pbuf *next = p->next;

		if (--p->refs == 0) {
			struct pbuf *of = p->slice_of;

			/* A slice is taken of a fragment alone, so one reference of that one
			 * fragment goes. */
			if (unlikely(of != NULL) && --of->refs == 0)
				put_block(pool, of);
			put_block(pool, p);
		}
		p = next;
	}
}

struct pbuf *pbuf_slice(struct pbuf_pool *pool, struct pbuf *p, uint32_t off, uint32_t len)
{
	struct pbuf *s = pbuf_alloc(pool, 0);

	if (s == NULL)
		return NULL;
	s->data = p->data + off;
	s->len = s->total = len;
	/* A slice of a slice refers to the block itself: freeing never has to follow a chain. */
	s->slice_of = p->slice_of != NULL ? p->slice_of : p;
	s->slice_of->refs++;
	return s;
}

bool pbuf_copy_out(const struct pbuf *p, uint32_t off, void *to, uint32_t n)
{
	uint8_t *out = to;

	for (; p != NULL && n > 0; p = p->next) {
		uint32_t k;

		if (off >= p->len) {
			off -= p->len;
			continue;
		}
		k = GW_MIN(p->len - off, n);
		memcpy(out, p->data + off, k);
		out += k;
		n -= k;
		off = 0;
	}
	return n == 0;
}
