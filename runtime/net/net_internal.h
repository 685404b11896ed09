/* SPDX-License-Identifier: Apache-2.0 */
/* net_internal.h - the stack's state, and what its files share. Never included from outside
 * runtime/net. */
#ifndef GODWIT_NET_INTERNAL_H
#define GODWIT_NET_INTERNAL_H

#include "runtime/base/errno.h"
#include "runtime/net/csum.h"
#include "runtime/net/net.h"
#include "runtime/net/wheel.h"

#define ETH_HLEN 14u
#define ETH_IP4 0x0800
#define ETH_ARP 0x0806
#define ETH_IP6 0x86dd
#define IP4_HLEN 20u
#define IP_ICMP 1
#define IP_TCP 6
#define IP_UDP 17
#define IP4_BROADCAST 0xffffffffu
#define LOOP_QUEUE_MAX 4096u

/* ---- ARP ---- */
#define ARP_SETS 32u
#define ARP_WAYS 4u
#define ARP_QUEUE_MAX 8u /* packets waiting for one address */
#define ARP_QUEUE_TOTAL 64u

enum arp_state {
	ARP_FREE,    /* not in use */
	ARP_PENDING, /* asked, no answer yet: packets queue */
	ARP_OK,	     /* usable */
	ARP_PROBE,   /* usable, being asked again */
	ARP_FAILED,  /* asked in vain: hold off */
};

struct arp_entry {
	uint32_t ip;
	uint8_t mac[6];
	uint8_t eth[16]; /* two bytes of nothing, then the Ethernet header for IPv4 packets to it */
	uint8_t state, tries;
	uint32_t when; /* tick of the last confirmation, or of the next try */
	uint32_t used; /* tick of the last use */
	uint16_t queued;
	bool wanted; /* we sent to it: a flood of strangers does not evict it */
	struct list_node queue;
};

/* ---- fragments ---- */
#define FRAG_DATAGRAMS 16u
#define FRAG_PBUFS 64u

struct frag_key {
	uint8_t addrs[32]; /* source and destination as in the header; IPv4's: 8 bytes, then zeros
			    */
	uint32_t id;
	uint8_t family, proto; /* proto: 0 for IPv6 (RFC 8200 4.5) */
};

struct frag_queue {
	struct frag_key key;
	uint32_t expires;     /* tick; 0: unused */
	uint32_t have, total; /* bytes received; bytes of the whole, 0: unknown */
	uint16_t count;
	uint8_t ecn;		/* 1 << codepoint of each part */
	bool doomed;		/* an overlap was seen: eat the rest of it */
	struct list_node parts; /* by offset (pbuf.seq .. end_seq) */
};

struct udp_sock {
	struct list_node link;
	struct net_stack *stack;
	void *owner;
	struct net_endpoint local, remote;
	bool reuse;
};

struct ip6_state;
struct dhcp;
struct tcp_conn;
struct tcp_listener;
struct tcp_tw;

struct tcp_state_stack { /* TCP's part of a stack */
	struct tcp_conn **hash;
	uint32_t mask, n_conns, n_half;
	uint64_t rcv_growth; /* rx_growth() of all connections */
	uint64_t key[2], pair_key[4];
	struct sip_key secret;
	uint64_t ts_secret;
	struct tcp_callbacks cb;
	struct list_node listeners;
	struct list_node
		blocked; /* connections whose output found the device's ring (or the pool) full */
	struct list_node dead; /* to be freed when no function is using them any more */
	struct tcp_tw **tw_hash;
	struct list_node tw_list; /* oldest first */
	uint32_t n_tw, max_tw, tw_mask;
	struct net_timer tw_timer;
	uint64_t cookie_until;			 /* cookies were sent less than two periods ago */
	uint32_t challenge_tick, challenge_left; /* RFC 5961 section 10: limit */
	uint32_t port_offset;
	struct list_node moving; /* packets waiting for a connection on its way here */
	uint32_t n_moving;
	struct net_timer moving_timer;
};

struct net_stack {
	uint64_t now;
	uint64_t mac48; /* our address as loaded from a header */
	struct net_config cfg;
	struct net_ip4 ip;
	struct ip6_state *v6; /* NULL: only the loopback address */
	struct net_counters n;
	struct net_wheel wheel;
	struct tcp_state_stack tcp;
	struct list_node loop; /* loopback packets not yet delivered */
	uint32_t n_loop;
	struct arp_entry arp[ARP_SETS][ARP_WAYS];
	struct net_timer arp_timer;
	uint32_t arp_queued, arp_tick, arp_left, arp_defended;
	uint32_t relay_tick, relay_left;
	struct frag_queue frags[FRAG_DATAGRAMS];
	uint32_t frag_pbufs;
	struct net_timer frag_timer;
	uint16_t ip_id;
	uint32_t icmp_tick, icmp_left;
	struct list_node udp_socks;
	struct udp_callbacks udp_cb;
	struct dhcp *dhcp;
	struct net_directory *dir;
};

static inline uint32_t now_tick(const struct net_stack *s)
{
	return (uint32_t)(s->now >> WHEEL_SHIFT);
}

static inline void net_timer_by(struct net_stack *s, struct net_timer *t, uint32_t ticks_from_now)
{
	timer_by(&s->wheel, t, (s->now >> WHEEL_SHIFT) + ticks_from_now);
}

static inline bool tick_due(uint32_t now, uint32_t at)
{
	return (int32_t)(now - at) >= 0;
}

static inline void drop(struct net_stack *s, struct pbuf *p, uint64_t *counter)
{
	(*counter)++;
	pbuf_free(s->cfg.pool, p);
}

/* Make the packet's first n bytes lie in its first fragment. false: it is shorter, or they cannot.
 */
bool pbuf_pull(struct net_stack *s, struct pbuf *p, uint32_t n);
/* Cut the packet to n bytes (n <= total). */
void pbuf_trim(struct net_stack *s, struct pbuf *p, uint32_t n);
/* Drop n bytes from the front (n <= total); the head pbuf stays the head. */
void pbuf_skip(struct pbuf *p, uint32_t n);

/* arp.c */
void arp_init(struct net_stack *s);
void arp_input(struct net_stack *s, struct pbuf *p);
struct arp_entry *arp_find(struct net_stack *s, uint32_t ip);
/* Send an IP packet (data at its IP header) to a neighbour; queues it while the address is unknown.
 * Takes it. */
int arp_send(struct net_stack *s, struct pbuf *p, uint32_t next_hop);
/* The entry, when packets can be sent to it at once; NULL otherwise. */
struct arp_entry *arp_usable(struct net_stack *s, uint32_t ip);
/* Nothing comes back from behind this neighbour: ask again whether it is still there (RFC
 * 1122 2.3.2.1). Packets go on to where they went meanwhile. */
void arp_doubt(struct net_stack *s, uint32_t ip);
void arp_announce(struct net_stack *s);
void arp_flush(struct net_stack *s);

/* ip4.c */
enum route {
	ROUTE_NONE,
	ROUTE_LOOP,
	ROUTE_LINK,
	ROUTE_BROADCAST,
};
enum route ip4_route(const struct net_stack *s, uint32_t dst, uint32_t *next_hop);
static inline bool ip4_is_loop(const struct net_stack *s, uint32_t a)
{
	return (a & 0xff) == 127 || (a == s->ip.addr && a != 0);
}
void ip4_input(struct net_stack *s, struct pbuf *p);
void ip4_deliver(struct net_stack *s, struct pbuf *p);
/* Prepend the IP header (packet: L4 header and payload) and send. Fragments when it does not fit.
 * Takes it. */
int ip4_output(struct net_stack *s, struct pbuf *p, uint32_t src, uint32_t dst, uint8_t proto,
	       uint8_t ttl);
/* Hand a frame to the device: its Ethernet header is written before data, which does not count it
 * yet. Takes it. */
static inline int frame_out(struct net_stack *s, struct pbuf *p)
{
	int err;

	p->data -= ETH_HLEN;
	p->len += ETH_HLEN;
	p->total += ETH_HLEN;
	s->n.tx_packets++;
	s->n.tx_bytes += p->total;
	err = s->cfg.tx(s->cfg.ctx, p);
	if (unlikely(err != 0))
		s->n.tx_full++;
	return err;
}

/* Ethernet header and out (data at the IP header, headroom for Ethernet). Takes it. */
int eth_send(struct net_stack *s, struct pbuf *p, const uint8_t mac[6], uint16_t type);
void loop_send(struct net_stack *s, struct pbuf *p);
/* Our address for talking to dst. 0: none. */
uint32_t ip4_source(const struct net_stack *s, uint32_t dst);
static inline uint64_t pseudo_sum(uint32_t src, uint32_t dst, uint8_t proto, uint32_t len)
{
	return (uint64_t)src + dst + ((uint32_t)proto << 8) + be16((uint16_t)len);
}
/* frag.c: takes a fragment; the whole datagram when this completed it, or NULL. */
struct pbuf *frag_input(struct net_stack *s, struct pbuf *p);
void frag_init(struct net_stack *s);

/* icmp.c */
/* May a message that costs so much (an error 10, an echo 1) be sent now? Both families together. */
bool icmp_may_send(struct net_stack *s, uint32_t cost);
void icmp_input(struct net_stack *s, struct pbuf *p);
/* About packet p (data at its IP header; stays the caller's). */
void icmp_error(struct net_stack *s, const struct pbuf *p, uint8_t type, uint8_t code,
		uint32_t arg);

/* udp.c */
void udp_input(struct net_stack *s, struct pbuf *p);
void udp6_input(struct net_stack *s, struct pbuf *p, uint32_t off); /* off: the UDP header */
/* An error about a datagram from src to dst. Returns whether it may have been ours. */
bool udp_icmp(struct net_stack *s, const struct net_endpoint *src, const struct net_endpoint *dst,
	      int err);
/* Of one family. */
int udp_output(struct net_stack *s, struct pbuf *payload, const struct net_endpoint *src,
	       const struct net_endpoint *dst);

/* dhcp.c */
void dhcp_input(struct net_stack *s, struct pbuf *payload);

/* tcp/ */
int tcp_init(struct net_stack *s);
/* A whole frame: true when it was the predicted case and has been taken; otherwise nothing has
 * changed. */
bool tcp_fast_input(struct net_stack *s, struct pbuf *p);
void tcp_input(struct net_stack *s, struct pbuf *p); /* data at the IP header, checked by ip4 */
void tcp_poll(struct net_stack *s);
uint64_t tcp_deadline(const struct net_stack *s);
void tcp_reap(struct net_stack *s);
/* The two addresses of a segment or connection. IPv4: all in the key, as in a received header
 * (source, the remote one, in the low half); six is NULL. IPv6: six has both, source and
 * destination as in a received header, and the key is a keyed hash of them whose high half begins,
 * as loaded, with 255: no IPv4 connection's local address does. */
struct tcp_pair {
	uint64_t key;
	const uint8_t *six;
};

static inline struct tcp_pair pair4(uint32_t remote, uint32_t local)
{
	return (struct tcp_pair){ (uint64_t)local << 32 | remote, NULL };
}

/* From an IPv6 header's addresses on, source first. */
struct tcp_pair pair6(const struct net_stack *s, const uint8_t six[32]);
/* An ICMP error that quotes a segment of ours to the pair's remote. mtu: for fragmentation needed,
 * else 0. Returns the shard that has the connection when it is another, else -1. */
int tcp_icmp(struct net_stack *s, struct tcp_pair addr, const uint8_t *l4, int err, uint32_t mtu,
	     bool hard);
/* A packet from another shard whose connection is not (or not yet) here. */
bool tcp_elsewhere(struct net_stack *s, struct pbuf *p, struct tcp_pair addr, uint32_t port);
/* A frame, of which data is at the IP header, to the other shard's net_input. Takes it. */
void net_forward(struct net_stack *s, struct pbuf *p, uint32_t shard);

#endif
