/* SPDX-License-Identifier: Apache-2.0 */
/* queue.h - the split virtqueue (virtio 1.2, 2.7), with indirect descriptors and event index.
 *
 * The device is not trusted. What it writes (used index, used elements, event fields) is read once,
 * checked against the driver's own books, and the copy used; the books (struct vq, slots) lie in
 * memory the device was not given, and descriptors are never read back. A lie breaks the queue:
 * nothing more is taken or kicked, and the owner stops the device.
 *
 *   driver                        shared memory                          device
 *   slots[id] ---- vq_add ------> desc[id], avail.ring[], avail.idx ---> reads
 *             <--- vq_take ------ used.ring[], used.idx <--------------- writes
 *   vq_arm: avail.used_event: "interrupt me when used.idx passes this"
 *   vq_flush: used.avail_event: "kick me when avail.idx passes this"
 *
 * Users see buffers, cookies and lengths only, no ring layout: a packed ring (2.8) can be put
 * behind the same functions. Context: one caller at a time: the owning shard, or under the owner's
 * lock. */
#ifndef GODWIT_RUNTIME_VIRTIO_QUEUE_H
#define GODWIT_RUNTIME_VIRTIO_QUEUE_H

#include "runtime/base/base.h"
#include "runtime/base/errno.h"
#include "runtime/virtio/io.h"

#define VRING_DESC_NEXT 1u
#define VRING_DESC_WRITE 2u
#define VRING_DESC_INDIRECT 4u
#define VRING_AVAIL_NO_INTERRUPT 1u
#define VRING_USED_NO_NOTIFY 1u
#define VQ_SIZE_MAX 1024u

struct vring_desc { /* written by the driver; little endian, as all of virtio 1 */
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct vring_avail { /* written by the driver */
	_Atomic uint16_t flags;
	_Atomic uint16_t idx;
	uint16_t ring[]; /* [size], then used_event */
};

struct vring_used_elem { /* written by the device */
	_Atomic uint32_t id;
	_Atomic uint32_t len;
};

struct vring_used { /* written by the device */
	_Atomic uint16_t flags;
	_Atomic uint16_t idx;
	struct vring_used_elem ring[]; /* [size], then avail_event */
};

/* The driver's book about descriptor id. */
struct vq_slot {
	void *cookie;	 /* of the chain that starts here; NULL: none does */
	uint32_t in_len; /* bytes of it that the device may write */
	uint16_t next;	 /* next descriptor of the chain, or of the free list */
	uint16_t tail;	 /* last descriptor of the chain */
	uint16_t n;	 /* descriptors in the chain */
};

/* How the transport is reached from a queue; set by queue_start (transport.h). */
struct vq_doorbell {
	uint64_t notify; /* register for kicks */
	uint64_t
		sync; /* a register without side effects: reading it is a barrier under emulation */
	bool wide;    /* 32-bit registers (mmio), else notify 16 and sync 8 bits (pci) */
};

struct vq {
	/* hot */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	struct vq_slot *slots;
	uint16_t mask;	     /* size - 1 */
	uint16_t avail_next; /* where the next chain goes; shown to the device up to `published` */
	uint16_t published;
	uint16_t kicked;    /* avail_next at the last kick decision */
	uint16_t used_seen; /* used elements taken */
	uint16_t free_head;
	uint16_t n_free;     /* descriptors */
	uint16_t n_inflight; /* chains */
	bool broken;
	bool event_idx, indirect; /* negotiated */
	bool strong;	/* emulation drops barriers: sync by register reads, kick always */
	uint16_t index; /* queue number in the device */
	struct vq_doorbell bell;
	const char *lie; /* what broke it, for the one report; NULL: not broken */
	void *mem;
	size_t mem_len;
};

struct vq_buf {
	uint64_t pa;
	uint32_t len;
};

struct vq_done {
	void *cookie;
	uint32_t len; /* bytes the device says it wrote, at most those it was given */
	uint16_t id;
};

struct vq_features {
	bool event_idx, indirect, strong;
};

/* Allocate rings for `size` descriptors (power of two, 2..VQ_SIZE_MAX, with page colours ..256) and
 * clear the books. 0, -ENOMEM, -EINVAL. */
int vq_init(struct vq *q, uint16_t size, const struct vq_features *f) MUST_CHECK;
/* Give the rings back. Only after the device was reset. */
void vq_destroy(struct vq *q);

/* Offer a chain: n_out buffers to read, then n_in to write (n_out + n_in >= 1). cookie is not NULL.
 * table: room for n_out + n_in descriptors that the chain may use instead of the ring's
 * (indirect, 2.7.5.3), owned by the chain until it is taken; NULL, or when not negotiated: not
 * used. Returns the chain's id (0..size-1), or -EAGAIN when the ring is full, -EIO when broken
 * (nothing is changed). The device sees it after vq_publish or vq_flush. O(n). Source: 2.7.13. */
int vq_add(struct vq *q, const struct vq_buf *bufs, unsigned n_out, unsigned n_in, void *cookie,
	   struct vring_desc *table) MUST_CHECK;

/* Take back every chain that the device still holds, without it: fn(ctx, cookie, id) for each.
 * Only after the device was reset or never started. */
void vq_drain(struct vq *q, void (*fn)(void *ctx, void *cookie, uint16_t id), void *ctx);

/* Ask for an interrupt at the next completion, and look again. Returns whether there is something
 * to take: then the caller takes it (the interrupt may come as well). Source: 2.7.10. */
bool vq_arm(struct vq *q);

/* Mark broken; the first caller's text stays. */
void vq_break(struct vq *q, const char *lie);
/* The doorbell decision and write of vq_flush. */
void vq_kick(struct vq *q);

/* Show the added chains to the device.
 * Barrier: release; its partner is the device's acquire of avail.idx (2.7.13.3): it sees
 * descriptors and ring entries of every index it sees. */
static inline void vq_publish(struct vq *q)
{
	q->published = q->avail_next;
	atomic_store_explicit(&q->avail->idx, q->avail_next, memory_order_release);
}

/* Publish and ring the doorbell if anything was added since the last one. */
static inline void vq_flush(struct vq *q)
{
	if (q->avail_next == q->kicked)
		return;
	vq_publish(q);
	vq_kick(q);
}

/* vq_add for the common chain of one buffer. flags: 0 or VRING_DESC_WRITE. The caller checked
 * n_free > 0. */
static inline uint16_t vq_add_one(struct vq *q, uint64_t pa, uint32_t len, uint16_t flags,
				  void *cookie)
{
	uint16_t id = q->free_head;
	struct vq_slot *s = &q->slots[id];
	struct vring_desc *d = &q->desc[id];

	q->free_head = s->next;
	q->n_free--;
	q->n_inflight++;
	s->cookie = cookie;
	s->in_len = flags ? len : 0;
	s->tail = id;
	s->n = 1;
	d->addr = pa;
	d->len = len;
	d->flags = flags;
	q->avail->ring[q->avail_next & q->mask] = id;
	q->avail_next++;
	return id;
}

/* Is there (perhaps) something to take? */
static inline bool vq_pending(const struct vq *q)
{
	return atomic_load_explicit(&q->used->idx, memory_order_relaxed) != q->used_seen &&
	       !q->broken;
}

/* Take one completed chain. false: none, or broken (q->broken tells).
 * Barrier: acquire; its partner is the device's release of used.idx (2.7.8.2): the element and the
 * buffers are written before the index that covers them. */
static inline bool vq_take(struct vq *q, struct vq_done *out)
{
	uint16_t ahead = (uint16_t)(atomic_load_explicit(&q->used->idx, memory_order_acquire) -
				    q->used_seen);
	struct vring_used_elem *e;
	struct vq_slot *s;
	uint32_t id, len;

	if (ahead == 0)
		return false;
	if (unlikely(q->broken))
		return false;
	if (unlikely(ahead > q->n_inflight)) {
		vq_break(q, "used index beyond what was offered");
		return false;
	}
	e = &q->used->ring[q->used_seen & q->mask];
	id = atomic_load_explicit(&e->id, memory_order_relaxed);
	len = atomic_load_explicit(&e->len, memory_order_relaxed);
	if (unlikely(id > q->mask || q->slots[id].cookie == NULL)) {
		vq_break(q, "completion of a chain that was not offered");
		return false;
	}
	s = &q->slots[id];
	if (unlikely(len > s->in_len)) {
		/* Devices are sloppy about chains without writable bytes; there it means nothing.
		 */
		if (s->in_len != 0) {
			vq_break(q, "completion longer than its buffers");
			return false;
		}
		len = 0;
	}
	out->cookie = s->cookie;
	out->len = len;
	out->id = (uint16_t)id;
	s->cookie = NULL;
	q->slots[s->tail].next = q->free_head;
	q->free_head = (uint16_t)id;
	q->n_free = (uint16_t)(q->n_free + s->n);
	q->n_inflight--;
	q->used_seen++;
	return true;
}

#endif
