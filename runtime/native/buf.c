/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - packet buffers as godwit.h's handles, and memory. A gw_buf is a struct pbuf. */
#include "runtime/native/native_internal.h"

_Static_assert(PBUF_ROOM - PBUF_HEADROOM >= GW_BUF_ROOM, "a fresh buffer's promise");

static inline struct pbuf *pbuf_of(const struct gw_buf *b)
{
	return (struct pbuf *)(uintptr_t)b;
}

struct gw_buf *gw_buf_new(void)
{
	return (struct gw_buf *)pbuf_alloc(shard_self()->pbufs, PBUF_HEADROOM);
}

void gw_buf_release(struct gw_buf *b)
{
	pbuf_free(shard_self()->pbufs, pbuf_of(b));
}

uint8_t *gw_buf_data(struct gw_buf *b)
{
	return pbuf_of(b)->data;
}

size_t gw_buf_len(const struct gw_buf *b)
{
	return pbuf_of(b)->len;
}

struct gw_buf *gw_buf_next(const struct gw_buf *b)
{
	return (struct gw_buf *)pbuf_of(b)->next;
}

/* Who else reads the block must not see it change behind what they know of: nobody does beyond len.
 */
size_t gw_buf_room(const struct gw_buf *b)
{
	struct pbuf *p = pbuf_of(b);

	return p->slice_of == NULL && p->refs == 1 ? pbuf_tailroom(p) : 0;
}

void gw_buf_set_len(struct gw_buf *b, size_t n)
{
	struct pbuf *p = pbuf_of(b);

	if (n > p->len + gw_buf_room(b))
		panic("gw_buf_set_len: %zu bytes do not fit", n);
	p->len = p->total = (uint32_t)n;
}

void gw_buf_skip(struct gw_buf *b, size_t n)
{
	struct pbuf *p = pbuf_of(b);

	if (n > p->len)
		panic("gw_buf_skip: %zu bytes of %u", n, p->len);
	p->data += n;
	p->len -= (uint32_t)n;
	p->total -= (uint32_t)n;
}

/* ---- memory ---- */

void *gw_alloc(size_t n)
{
	return mem_alloc(n);
}

void *gw_zalloc(size_t n)
{
	return mem_zalloc(n);
}

void *gw_resize(void *p, size_t old_n, size_t new_n)
{
	return mem_resize(p, old_n, new_n);
}

void gw_free(void *p, size_t n)
{
	mem_free(p, n);
}

uint64_t gw_memory_total(void)
{
	return mem_total_pages() * GW_PAGE_SIZE;
}

uint64_t gw_memory_free(void)
{
	return mem_free_pages() * GW_PAGE_SIZE;
}
