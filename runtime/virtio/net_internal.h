/* SPDX-License-Identifier: Apache-2.0 */
/* net_internal.h - virtio-net: what set-up (net.c) and the packet path (net_queue.c: receive and
 * poll; net_tx.c: send) share. */
#ifndef GODWIT_RUNTIME_VIRTIO_NET_INTERNAL_H
#define GODWIT_RUNTIME_VIRTIO_NET_INTERNAL_H

#include "runtime/sched/sched.h"
#include "runtime/virtio/netdev.h"
#include "runtime/virtio/transport.h"

enum { /* virtio 1.2, 5.1.3 */
       NET_F_CSUM = 0,
       NET_F_GUEST_CSUM = 1,
       NET_F_MTU = 3,
       NET_F_MAC = 5,
       NET_F_GUEST_TSO4 = 7,
       NET_F_GUEST_TSO6 = 8,
       NET_F_HOST_TSO4 = 11,
       NET_F_HOST_TSO6 = 12,
       NET_F_MRG_RXBUF = 15,
       NET_F_STATUS = 16,
       NET_F_CTRL_VQ = 17,
       NET_F_MQ = 22,
};

/* struct virtio_net_hdr, 5.1.6. */
struct net_hdr {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
};
#define NET_HDR_LEN 12u
_Static_assert(sizeof(struct net_hdr) == NET_HDR_LEN, "virtio_net_hdr");
#define NET_HDR_NEEDS_CSUM 1u
#define NET_HDR_DATA_VALID 2u
#define NET_GSO_TCPV4 1u
#define NET_GSO_TCPV6 4u
#define NET_GSO_ECN 0x80u

/* A posted buffer:  | struct pbuf | 52 | header 12 | frame ... | ; a later buffer of a merged
 * packet has frame bytes in place of the header. */
#define NET_RX_AT (64u - NET_HDR_LEN)
#define NET_RX_LEN (PBUF_ROOM - NET_RX_AT)
#define NET_RX_BATCH 64u /* packets a poll */
#define NET_TX_TABLE \
	64u /* descriptors of an indirect table: a 64 KB packet in 1.4 KB pieces fits */
#define NET_TX_TABLES 16u
#define NET_BACKLOG 256u		/* frames; more are dropped */
#define NET_BACKLOG_NS (50 * NS_PER_US) /* how often a full ring is looked at */

struct netdev;
struct netdev_queue {
	struct poller poller; /* first */
	struct vq rx, tx;
	struct netdev *dev;
	struct shard *shard;
	struct pbuf_pool *pool;
	void (*input)(void *ctx, struct pbuf *frame);
	void *ctx;
	uint16_t refill_at;  /* free rx descriptors that make a refill worth its while */
	uint16_t reclaim_at; /* tx chains in flight from which completions are looked for */
	bool open, mrg;
	bool polled;		 /* no interrupt */
	struct net_hdr *tx_hdrs; /* [tx size]: headers for frames without headroom */
	struct vring_desc *tables[NET_TX_TABLES]; /* free indirect tables */
	uint32_t n_tables;
	struct vring_desc **table_of; /* [tx size]: the table that a chain uses */
	struct list_node backlog;     /* frames that wait for room in the tx ring, oldest first */
	uint32_t n_backlog;
	struct netdev_drops drops;
};

struct netdev {
	struct vdev v;
	struct netdev_info info;
	bool guest_tso4, guest_tso6;
	struct vq ctrl;
	bool has_ctrl;
	struct spinlock lock; /* open count, ctrl */
	uint32_t n_open;
	struct netdev_queue *queues;
};

void netq_start(struct netdev_queue *q);
/* This queue, or another shard's of the device, met a lie: nothing more goes in or out. Buffers
 * come back only when the device is known to have let go of them. */
void netq_stop(struct netdev_queue *q);
/* Take back what was sent, and move waiting frames into the room. */
void netq_reclaim(struct netdev_queue *q);

#endif
