/* SPDX-License-Identifier: Apache-2.0 */
/* netdevs.h - the network devices of a Linux process behind runtime/virtio/netdev.h: one is chosen
 * by the configuration's host.net (KIND=NAME). */
#ifndef GODWIT_PLATFORM_LINUX_NETDEVS_H
#define GODWIT_PLATFORM_LINUX_NETDEVS_H

#include "runtime/sched/sched.h"
#include "runtime/virtio/netdev.h"

/* A device's queue begins with this. */
struct netdev_queue {
	int (*tx)(struct netdev_queue *q, struct pbuf *frame);		   /* as netdev_tx */
	const struct netdev_drops *(*drops)(const struct netdev_queue *q); /* as netdev_drops */
};

struct netdev {
	struct netdev_info info;
	struct netdev_queue *(*open)(struct netdev *d, uint32_t q, struct pbuf_pool *pool,
				     void (*input)(void *ctx, struct pbuf *frame), void *ctx);
	/* A port is the program's from now on, or no longer (platform_port); NULL: all are. */
	int (*port)(struct netdev *d, bool udp, uint16_t port, bool take);
	int (*pick_port)(struct netdev *d, bool udp, uint16_t *port); /* NULL: none is needed */
};

/* Find and start the configured device, or none. Ends the process with a message when it does not
 * work. Context: a uthread of shard 0, before net_glue_init. */
void netdevs_init(void);

/* Each takes the name behind KIND= and makes a device for n_shards queues at most, or ends the
 * process with a message. */
struct netdev *tap_start(const char *name);
struct netdev *afxdp_start(const char *name);
struct netdev *vhost_user_start(const char *path);
struct netdev *vhost_back_start(const char *path);

#endif
