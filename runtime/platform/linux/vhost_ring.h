/* SPDX-License-Identifier: Apache-2.0 */
/* vhost_ring.h - the device's side of virtqueues (virtio 1.2, 2.7) in a front end's memory. The
 * front end is not trusted: every address it names is looked up in the memory that it gave, every
 * chain is bounded, and what is decided on is copied first. That memory stays as long as the front
 * end's file has it: one that cuts it off ends this process (SIGBUS), as with every vhost-user back
 * end. */
#ifndef GODWIT_PLATFORM_LINUX_VHOST_RING_H
#define GODWIT_PLATFORM_LINUX_VHOST_RING_H

#include "runtime/base/base.h"

#define VHOST_REGIONS 8u
#define VHOST_NET_HEADER 12u /* struct virtio_net_hdr_mrg_rxbuf */

struct vhost_region {
	uint64_t guest, front, bytes; /* physical address and the front end's own, of `at` */
	uint8_t *at;
	void *map; /* what was mapped for it */
	size_t map_bytes;
};

struct vhost_memory {
	uint32_t n;
	struct vhost_region r[VHOST_REGIONS];
};

struct vring_desc;
struct vring_avail;
struct vring_used;
struct vhost_ring {
	uint32_t num;	       /* a power of two */
	uint16_t seen;	       /* next of avail */
	uint16_t done;	       /* next of used */
	uint16_t filled, told; /* avail's index as last read; used's as last written: both lines are
				* the other core's too */
	const struct vring_desc *desc;
	const struct vring_avail *avail; /* NULL: not set up */
	struct vring_used *used;
	int kick, call; /* eventfds, or -1 */
	bool owed;	/* something was completed, and the front end has not been told */
	bool broken;	/* it named what is not there; nothing more is taken */
};

/* n bytes at a physical address, or (front) at an address of the front end's; NULL: not inside. */
uint8_t *vhost_at(const struct vhost_memory *m, bool front, uint64_t address, uint64_t n);
/* Set up the three parts, at the front end's addresses. false: they are not inside, or num is 0. */
bool vhost_ring_set(struct vhost_ring *r, const struct vhost_memory *m, uint64_t desc,
		    uint64_t avail, uint64_t used) MUST_CHECK;
/* Is there a chain that was not taken? */
bool vhost_ring_filled(struct vhost_ring *r);
/* Copy out the next chain, a frame behind its header, and complete it. Its bytes; 0: there is none,
 * or it is broken; more than `room`: it was longer, and nothing of it is right. */
uint32_t vhost_ring_take(struct vhost_ring *r, const struct vhost_memory *m,
			 uint8_t header[VHOST_NET_HEADER], uint8_t *to, uint32_t room);
/* Fill the next chain with a header and pieces, and complete it. false: there is none, or it is too
 * short (then it goes back empty). */
struct iovec;
bool vhost_ring_put(struct vhost_ring *r, const struct vhost_memory *m, const struct iovec *pieces,
		    unsigned n) MUST_CHECK;
/* Show the front end all that was completed (it sees most of it before), and tell it, if it wants
 * to know. */
void vhost_ring_tell(struct vhost_ring *r);
/* Whether the front end is to kick when it fills the ring. */
void vhost_ring_want(struct vhost_ring *r, bool kicks);

#endif
