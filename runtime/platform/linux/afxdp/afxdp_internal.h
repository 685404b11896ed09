/* SPDX-License-Identifier: Apache-2.0 */
/* afxdp_internal.h - a card by AF_XDP: start (afxdp.c), packet path (queue.c), shared ports
 * (ports.c), shared ARP (arp.c). */
#ifndef GODWIT_PLATFORM_LINUX_AFXDP_INTERNAL_H
#define GODWIT_PLATFORM_LINUX_AFXDP_INTERNAL_H

#include <xdp/xsk.h>

#include "runtime/platform/linux/afxdp/prog.h"
#include "runtime/platform/linux/netdevs.h"

#define RING_SIZE 1024u /* descriptors of a card's queue to send */
/* To receive: what some hundred connections send at once comes while a shard does something else.
 */
#define RX_RING_SIZE 4096u

/* One queue of the card. */
struct xdp_queue {
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons rx, comp;
	int fd;
	uint32_t n_sending; /* descriptors given to tx and not completed */
	uint32_t n_unkicked;
	uint32_t fill_max; /* blocks in the fill ring at most: a quarter of a small pool */
};

/* One shard's queues: card queue i belongs to shard i % queue_pairs. Sends through the first. */
struct xdp_shard {
	struct netdev_queue q; /* first */
	struct poller poller;
	struct shard *shard;
	struct pbuf_pool *pool;
	void (*input)(void *ctx, struct pbuf *frame);
	void *ctx;
	struct xdp_queue **queues;
	uint32_t n_queues;
	int arp_fd;			 /* copies of ARP replies, or -1 */
	uint64_t arp_ns;		 /* when it was looked at last */
	struct netdev_drops drops, told; /* told: with the kernel's */
};

struct xdp_device {
	struct netdev dev; /* first */
	const char *name;
	unsigned ifindex;
	uint32_t n_queues; /* of the card */
	bool shared, trust_checksums;
	struct xdp_queue queues[AFXDP_QUEUES];
	struct xdp_queue *order[AFXDP_QUEUES];
	struct xdp_shard shards[SHARD_MAX];
	struct afxdp_rules *rules; /* what the XDP program reads */
	struct bpf_object *object; /* these three stay until the process ends */
	struct bpf_link *link;
	struct xsk_umem *umem;
};
extern struct xdp_device xdp;

/* queue.c */
struct netdev_queue *xdp_open(struct netdev *d, uint32_t i, struct pbuf_pool *pool,
			      void (*input)(void *ctx, struct pbuf *frame), void *ctx);

/* ports.c: xdp.dev.port and .pick_port. */
int xdp_port(struct netdev *d, bool udp, uint16_t port, bool take);
int xdp_pick_port(struct netdev *d, bool udp, uint16_t *port);

/* arp.c: a socket that sees what Linux sees of ARP; -1 with a warning. */
int xdp_arp_open(unsigned ifindex);
/* ARP replies to us among it, as frames to input. */
void xdp_arp_take(struct xdp_shard *s);

#endif
