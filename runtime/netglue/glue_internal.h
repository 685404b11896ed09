/* SPDX-License-Identifier: Apache-2.0 */
/* glue_internal.h - set-up (glue.c), settings (settings.c), packets between shards (cross.c). */
#ifndef GODWIT_RUNTIME_NETGLUE_INTERNAL_H
#define GODWIT_RUNTIME_NETGLUE_INTERNAL_H

#include "runtime/base/ring.h"
#include "runtime/netglue/glue.h"
#include "runtime/netglue/trace.h"
#include "runtime/virtio/netdev.h"

/* One shard's part. Its own vcore writes it, but for the rings' producer sides. */
struct glue {
	struct poller poller; /* first */
	struct shard *shard;
	struct net_stack *stack;
	struct netdev_queue *queue; /* NULL: frames go out through shard `via` */
	uint32_t via;		    /* GLUE_NO_DEVICE: none */
	uint64_t next_ns;	    /* the stack's next deadline */
	uint64_t notify;	    /* shards that got something since the last flush */
	uint32_t config_seen;	    /* generation of the configuration applied */
	struct ring *in;	    /* [n_shards]: from each other shard; NULL with one shard */
	struct pbuf_pool pool;
	struct net_glue_drops drops;
	struct trace_shard *trace; /* NULL: tracing is off */
};
#define GLUE_NO_DEVICE (~0u)

enum net_mode { NET_NONE, NET_STATIC, NET_DHCP /* of IPv4 */, NET_AUTO /* of IPv6: SLAAC */ };
/* How the configuration wants it; NET_STATIC: *ip is filled in. Without a device, and when the
 * address is bad (warned of), NET_NONE. */
enum net_mode net_settings(bool device, struct net_ip4 *ip);
/* The same of IPv6: NET_STATIC fills in addr[1], gateway and dns[0]; NET_AUTO is the default. */
enum net_mode net6_settings(bool device, struct net_ip6 *ip);
/* The name servers as lines of resolv.conf, NUL-terminated; size > 0. Returns the length. */
size_t net_dns_text(const struct net_ip4 *ip, const struct net_ip6 *ip6, char *to, size_t size);

extern struct glue *glues[SHARD_MAX];
/* Start over, for tests. */
void net_glue_forget(void);

/* What a ring carries: a packet with what to do with it in the low bits (blocks are aligned far
 * beyond that). */
enum cross_what { CROSS_INPUT = 0, CROSS_TX = 1, CROSS_BLOCK = 2 };
#define CROSS_MASK 3ul

/* Rings to and from every other shard. 0, -ENOMEM. */
int cross_init(struct glue *g) MUST_CHECK;
/* Hand a packet over (takes it). 0, or -ENOBUFS: dropped, for the caller to count. */
int cross_send(struct glue *g, uint32_t to, struct pbuf *p, enum cross_what what);
/* As cross_send of a reply that is followed: NULL, or a sample that goes along. */
int cross_send_traced(struct glue *g, uint32_t to, struct pbuf *p, enum cross_what what,
		      struct trace_sample *sample);
/* Take what others sent; returns whether there was anything. Bounded. */
bool cross_poll(struct glue *g);
/* Is something waiting? */
bool cross_pending(struct glue *g);
/* Wake the sleeping among those that got something. */
void cross_flush(struct glue *g);
/* Give blocks that gathered here back to the shard that receives. */
void cross_balance(struct glue *g);

/* trace.c: the configuration's wish, before the rest; then, when trace_every is not 0, for each
 * shard its state (false: out of memory) and the pointers that are to lead through it. */
void trace_configure(void);
bool trace_attach(struct glue *g);
void trace_hook_stack(struct glue *g, struct net_config *c);
void trace_hook_input(struct glue *g, void (*input)(void *ctx, struct pbuf *frame));
void trace_hook_poller(struct glue *g);
int trace_tx(void *ctx, struct pbuf *frame);
/* Send for another shard a frame with its sample. */
void trace_take(struct glue *g, struct pbuf *frame);
void trace_input(void *ctx, struct pbuf *frame);

#endif
