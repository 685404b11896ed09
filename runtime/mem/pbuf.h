/* SPDX-License-Identifier: Apache-2.0 */
/* pbuf.h - packet buffers. One pbuf is a fixed block of PBUF_SIZE bytes with its descriptor at the
 * front; a packet is a chain of them.
 *
 *   block:  | struct pbuf | headroom | data .. data+len | tailroom |
 *
 * Blocks come from a per-shard pool and may be freed on another shard (the block then belongs to
 * that shard's pool). Reference counts are plain: a packet is in the hands of one shard at a time.
 */
#ifndef GODWIT_RUNTIME_PBUF_H
#define GODWIT_RUNTIME_PBUF_H

#include "runtime/base/list.h"

#define PBUF_SIZE 2048u
#define PBUF_META 128u /* sizeof(struct pbuf) rounded up */
#define PBUF_ROOM \
	(PBUF_SIZE - PBUF_META) /* 1920: a 1514-byte frame, a 12-byte virtio header, headroom */
/* Default room before data: a sender's note (runtime/net/tcp/rate.c) 16, virtio header 12, Ethernet
 * 14, IPv6 40, TCP with timestamps and three SACK blocks 60. */
#define PBUF_HEADROOM 144u

#define PBUF_CSUM_GOOD 0x1u /* received: the device vouches for the L4 checksum */
#define PBUF_CSUM_PARTIAL                                                                     \
	0x2u /* to send: device sums [csum_start, end) into csum_offset; also received from a \
	      * trusted peer with partial checksum (csum_start/offset valid): treat as good */
#define PBUF_GSO_TCP4 \
	0x4u /* to send: device cuts into gso_size segments; received: was merged by the device */
#define PBUF_GSO_TCP6 0x8u
#define PBUF_LOOPBACK 0x10u
#define PBUF_TRACED 0x40u  /* crosses shards: user[0] is its struct trace_sample */
#define PBUF_RELAYED 0x20u /* received: came by another shard, which has seen it too */

struct pbuf {
	struct pbuf *next;     /* next fragment of this packet, or NULL */
	struct list_node link; /* queue of packets (head fragment only) */
	uint8_t *data;	       /* first byte of this fragment */
	uint32_t len;	       /* bytes in this fragment */
	uint32_t total;	       /* head: bytes in the packet */
	uint32_t refs;
	uint32_t flags; /* PBUF_* of the head */
	uint16_t gso_size, csum_start, csum_offset, hdr_len;
	uint64_t time_ns;      /* when it was received, or first sent */
	uint32_t seq, end_seq; /* TCP's own */
	uint64_t
		user[3]; /* [0] and link: the driver's while it holds the packet; [1], [2]: TCP's */
	struct pbuf *slice_of; /* data lies in this other pbuf, which is referenced */
	uint64_t dma; /* what makes an address in its own block one for devices; the pool's for good
		       */
};
_Static_assert(sizeof(struct pbuf) <= PBUF_META, "pbuf descriptor");

struct pbuf_pool {
	struct list_node free;
	uint32_t n_free, n_total, max_total;
	/* more(ctx, &bytes): a new stretch of page-aligned DMA-able memory (a multiple of
	 * PBUF_SIZE), or NULL */
	void *(*more)(void *ctx, size_t *bytes);
	void *ctx;
	uint64_t (*dma)(const void *p); /* where p is for devices; NULL: at its own address */
};

void pbuf_pool_init(struct pbuf_pool *pool, uint32_t max_total, void *(*more)(void *, size_t *),
		    void *ctx);

/* A fresh single pbuf with len 0 and `headroom` (0..PBUF_ROOM) bytes before data, refs 1.
 * NULL: the pool is at max_total or memory is out. O(1). */
struct pbuf *pbuf_alloc(struct pbuf_pool *pool, uint32_t headroom) MUST_CHECK;
/* Drop one reference of every fragment of the chain; free those that reach 0. */
void pbuf_free(struct pbuf_pool *pool, struct pbuf *p);
/* A descriptor-only pbuf whose data is [off, off+len) of p's own fragment (p gains a reference). */
struct pbuf *pbuf_slice(struct pbuf_pool *pool, struct pbuf *p, uint32_t off,
			uint32_t len) MUST_CHECK;

static inline uint8_t *pbuf_block(struct pbuf *p)
{
	return (uint8_t *)p + PBUF_META;
}

/* The address for devices of a byte of p's own data. */
static inline uint64_t pbuf_dma(const struct pbuf *p, const void *byte)
{
	return (uint64_t)byte + (unlikely(p->slice_of != NULL) ? p->slice_of : p)->dma;
}

static inline uint32_t pbuf_headroom(struct pbuf *p)
{
	return (uint32_t)(p->data - pbuf_block(p));
}

static inline uint32_t pbuf_tailroom(struct pbuf *p)
{
	return (uint32_t)(pbuf_block(p) + PBUF_ROOM - (p->data + p->len));
}

/* Copy n bytes at offset out of the chain; false when it is shorter. */
bool pbuf_copy_out(const struct pbuf *p, uint32_t off, void *to, uint32_t n);

#endif
