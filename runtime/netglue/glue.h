/* SPDX-License-Identifier: Apache-2.0 */
/* glue.h - joins the network device, the TCP/IP stacks and the shards: one stack and packet pool a
 * shard, the device's queue pairs, and packet rings between shards. */
#ifndef GODWIT_RUNTIME_NETGLUE_H
#define GODWIT_RUNTIME_NETGLUE_H

#include "runtime/net/net.h"
#include "runtime/sched/sched.h"
#include "runtime/virtio/netdev.h"

/* Create every shard's stack (shard->net) and pool (shard->pbufs), configured as the bundle says:
 *   net=dhcp (default with a device) | static | none     net.addr=10.0.2.15/24  net.gw=10.0.2.2
 *   net.dns=10.0.2.3 (at most two)                        hostname=NAME
 *   net6=auto (default with a device: SLAAC) | static | none   net6.addr=2001:db8::2/64
 *   net6.gw=ADDRESS  net6.dns=ADDRESS
 *   net.congestion=cubic (default) | bbr                  net.ecn=accept (default) | request | off
 * Context: a uthread of shard 0, once, after virtio_init and shards_start. Panics when not even the
 * stacks fit into memory. Without a device, loopback works. */
void net_glue_init(void);

/* Is there an IPv4 address: static, by DHCP, or none wanted? IPv6 is not waited for. Any shard. */
bool net_glue_ready(void);
/* Park until net_glue_ready, at most until deadline_ns. 0, -ETIMEDOUT. */
int net_glue_wait(uint64_t deadline_ns) MUST_CHECK;

/* enum tcp_congestion of new connections. */
uint32_t net_default_congestion(void);

/* The text of resolv.conf as of now; returns its length (at most size - 1, always terminated). size
 * > 0. Any shard. */
size_t net_config_text(char *to, size_t size);

/* What was dropped between a shard's stack and the device or another shard, beside what the stack
 * counts (net_counters). */
struct net_glue_drops {
	uint64_t shard_full; /* received, for a connection on another shard whose ring is full */
	uint64_t ring_full;  /* sent by another shard's stack, and the device's ring is full here */
};
/* Any shard: each value is whole. NULL before net_glue_init. */
const struct net_glue_drops *net_glue_drops(uint32_t shard);
/* The device queue that this shard drives; NULL: none. */
const struct netdev_drops *net_glue_device_drops(uint32_t shard);

#endif
