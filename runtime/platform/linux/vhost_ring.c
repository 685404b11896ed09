/* SPDX-License-Identifier: Apache-2.0 */
/* vhost_ring.c - see vhost_ring.h. Split rings without indirect descriptors or event index: neither
 * is offered. */
#include "runtime/platform/linux/vhost_ring.h"

#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHOW 8u /* completions at most that the front end is not shown yet */

uint8_t *vhost_at(const struct vhost_memory *m, bool front, uint64_t address, uint64_t n)
{
	for (uint32_t i = 0; i < m->n; i++) {
		const struct vhost_region *r = &m->r[i];
		uint64_t off = address - (front ? r->front : r->guest);

		if (off < r->bytes && n <= r->bytes - off)
			return r->at + off;
	}
	return NULL;
}

bool vhost_ring_set(struct vhost_ring *r, const struct vhost_memory *m, uint64_t desc,
		    uint64_t avail, uint64_t used)
{
	uint64_t n = r->num;

	r->avail = NULL;
	if (n == 0 || n > 32768 || (n & (n - 1)) != 0 || (desc & 15) != 0 || (avail & 1) != 0 ||
	    (used & 3) != 0)
		return false;
	r->desc = (const void *)vhost_at(m, true, desc, n * sizeof(*r->desc));
	r->used = (void *)vhost_at(m, true, used, 6 + n * sizeof(struct vring_used_elem));
	if (r->desc == NULL || r->used == NULL)
		return false;
	r->avail = (const void *)vhost_at(m, true, avail, 6 + n * sizeof(uint16_t));
	r->broken = false;
	r->filled = r->seen;
	r->told = r->done;
	return r->avail != NULL;
}

bool vhost_ring_filled(struct vhost_ring *r)
{
	if (r->avail == NULL || r->broken)
		return false;
	if (r->seen == r->filled)
		r->filled = __atomic_load_n(&r->avail->idx, __ATOMIC_ACQUIRE);
	return r->seen != r->filled;
}

/* The next chain's head; false: none. */
static bool next(struct vhost_ring *r, uint16_t *head)
{
	if (!vhost_ring_filled(r))
		return false;
	*head = __atomic_load_n(&r->avail->ring[r->seen & (r->num - 1)], __ATOMIC_RELAXED);
	if (*head >= r->num) {
		r->broken = true;
		return false;
	}
	r->seen++;
	return true;
}

static inline void show(struct vhost_ring *r)
{
	r->told = r->done;
	__atomic_store_n(&r->used->idx, r->done, __ATOMIC_RELEASE);
}

/* Shown some at a time: a store for each would take the line from the other core each time. */
static inline void complete(struct vhost_ring *r, uint16_t head, uint32_t n)
{
	r->used->ring[r->done & (r->num - 1)] = (struct vring_used_elem){ head, n };
	r->done++;
	if ((uint16_t)(r->done - r->told) >= SHOW)
		show(r);
	r->owed = true;
}

/* Descriptor `at` of a chain, copied, and its bytes; NULL: the ring is broken. */
static inline uint8_t *buffer(struct vhost_ring *r, const struct vhost_memory *m, uint16_t at,
			      bool writable, struct vring_desc *d)
{
	uint8_t *p = NULL;

	if (at < r->num) {
		memcpy(d, &r->desc[at], sizeof(*d));
		__asm__ volatile("" : : : "memory"); /* what was copied is what is used */
		if (!(d->flags & VRING_DESC_F_INDIRECT) &&
		    ((d->flags & VRING_DESC_F_WRITE) != 0) == writable)
			p = vhost_at(m, false, d->addr, d->len);
	}
	r->broken |= p == NULL;
	return p;
}

uint32_t vhost_ring_take(struct vhost_ring *r, const struct vhost_memory *m,
			 uint8_t header[VHOST_NET_HEADER], uint8_t *to, uint32_t room)
{
	uint32_t in_header = 0, n = 0, links = 0;
	struct vring_desc d;
	uint16_t head;
	const uint8_t *p;

	if (!next(r, &head))
		return 0;
	p = buffer(r, m, head, false, &d);
	if (p != NULL && !(d.flags & VRING_DESC_F_NEXT) && d.len >= VHOST_NET_HEADER &&
	    d.len - VHOST_NET_HEADER <= room) { /* as most are: in one piece */
		memcpy(header, p, VHOST_NET_HEADER);
		memcpy(to, p + VHOST_NET_HEADER, d.len - VHOST_NET_HEADER);
		complete(r, head, 0);
		return d.len - VHOST_NET_HEADER;
	}
	for (;; p = buffer(r, m, d.next, false, &d)) {
		uint32_t k, copy;

		if (p == NULL || ++links > r->num) {
			r->broken = true;
			return 0;
		}
		k = GW_MIN(d.len, VHOST_NET_HEADER - in_header);
		memcpy(header + in_header, p, k);
		in_header += k;
		copy = n < room ? GW_MIN(d.len - k, room - n) : 0;
		memcpy(to + GW_MIN(n, room), p + k, copy);
		n = d.len - k > ~0u / 2 - n ? ~0u / 2 : n + (d.len - k);
		if (!(d.flags & VRING_DESC_F_NEXT))
			break;
	}
	complete(r, head, 0);
	return in_header == VHOST_NET_HEADER ? n : room + 1;
}

bool vhost_ring_put(struct vhost_ring *r, const struct vhost_memory *m, const struct iovec *pieces,
		    unsigned n)
{
	uint32_t links = 0, all = 0;
	struct vring_desc d;
	size_t done = 0; /* of *pieces */
	uint16_t head;
	uint8_t *p;

	if (!next(r, &head))
		return false;
	p = buffer(r, m, head, true, &d);
	if (p != NULL && n == 2 && pieces[0].iov_len == VHOST_NET_HEADER &&
	    d.len >= VHOST_NET_HEADER && pieces[1].iov_len <= d.len - VHOST_NET_HEADER) {
		memcpy(p, pieces[0].iov_base, VHOST_NET_HEADER);
		memcpy(p + VHOST_NET_HEADER, pieces[1].iov_base, pieces[1].iov_len);
		complete(r, head, VHOST_NET_HEADER + (uint32_t)pieces[1].iov_len);
		return true;
	}
	for (;; p = buffer(r, m, d.next, true, &d)) {
		uint32_t at_byte = 0;

		if (p == NULL || ++links > r->num) {
			r->broken = true;
			return false;
		}
		while (n != 0 && at_byte < d.len) {
			size_t k = GW_MIN(pieces->iov_len - done, (size_t)(d.len - at_byte));

			memcpy(p + at_byte, (const uint8_t *)pieces->iov_base + done, k);
			at_byte += (uint32_t)k;
			all += (uint32_t)k;
			done += k;
			if (done == pieces->iov_len) {
				pieces++;
				n--;
				done = 0;
			}
		}
		if (n == 0 || !(d.flags & VRING_DESC_F_NEXT))
			break;
	}
	complete(r, head, n == 0 ? all : 0);
	return n == 0;
}

void vhost_ring_tell(struct vhost_ring *r)
{
	uint64_t one = 1;

	if (!r->owed || r->avail == NULL)
		return;
	r->owed = false;
	show(r);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* used->idx before the flag (2.7.7.2) */
	if (!(__atomic_load_n(&r->avail->flags, __ATOMIC_RELAXED) & VRING_AVAIL_F_NO_INTERRUPT) &&
	    r->call >= 0)
		(void)!write(r->call, &one, sizeof(one));
}

void vhost_ring_want(struct vhost_ring *r, bool kicks)
{
	if (r->avail == NULL)
		return;
	__atomic_store_n(&r->used->flags, (uint16_t)(kicks ? 0 : VRING_USED_F_NO_NOTIFY),
			 __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the flag before avail->idx (2.7.10) */
}
