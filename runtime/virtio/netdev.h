/* SPDX-License-Identifier: Apache-2.0 */
/* netdev.h - a network device: one queue pair a shard (fewer if the device has fewer). Implemented
 * by virtio-net. */
#ifndef GODWIT_RUNTIME_NETDEV_H
#define GODWIT_RUNTIME_NETDEV_H

#include "runtime/mem/pbuf.h"

struct netdev;
struct netdev_info {
	uint8_t mac[6];
	uint16_t mtu;
	bool csum_tx, csum_rx, tso4, tso6, mrg;
	uint32_t queue_pairs; /* in use: 1..n_shards */
	uint32_t rx_frames;   /* of the MTU, that a pair holds while nobody looks; 0: not known */
	bool link_up;
};
/* First network device found and initialised, or NULL. */
struct netdev *netdev_get(void);
const struct netdev_info *netdev_info(const struct netdev *d);

struct netdev_queue;
struct pbuf_pool;
/* Queue pair q (0..queue_pairs-1), to be driven by the calling shard: registers its poller there.
 * Received packets go to input(ctx, frame) with at most 64 a poll. */
struct netdev_queue *netdev_open(struct netdev *d, uint32_t q, struct pbuf_pool *pool,
				 void (*input)(void *ctx, struct pbuf *frame),
				 void *ctx) MUST_CHECK;
/* Queue a frame (takes it; its `link` is ours until it is sent): -ENOBUFS and dropped if the ring
 * and the bounded queue behind it are full. The doorbell rings at the next flush. */
int netdev_tx(struct netdev_queue *q, struct pbuf *frame);

/* Beside what netdev_tx refuses. */
struct netdev_drops {
	uint64_t no_buffer; /* times that no buffer was there to receive into: the device dropped */
	uint64_t device; /* frames lost because the device lied or stopped, or is not worth one */
};
const struct netdev_drops *netdev_drops(const struct netdev_queue *q);
#endif
