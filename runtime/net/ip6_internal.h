/* SPDX-License-Identifier: Apache-2.0 */
/* ip6_internal.h - IPv6's part of a stack, and what its files share. A stack has it only once IPv6
 * was asked for; the loopback address works without. */
#ifndef GODWIT_NET_IP6_INTERNAL_H
#define GODWIT_NET_IP6_INTERNAL_H

#include "runtime/net/net_internal.h"

#define IP6_HLEN 40u
#define IP6_MIN_MTU 1280u
#define IP6_HOP_LIMIT 64u
#define IP6_HOPOPTS 0
#define IP6_ROUTING 43
#define IP6_FRAGMENT 44
#define IP6_NONE 59
#define IP6_DSTOPTS 60
#define IP_ICMP6 58
#define IP6_FRAG_HLEN 8u

/* ---- addresses (RFC 4291) ---- */
bool ip6_same(const uint8_t *a, const uint8_t *b);
bool ip6_is_any(const uint8_t *a);
bool ip6_is_loopback(const uint8_t *a);
bool ip6_is_mapped(const uint8_t *a);

static inline bool ip6_is_multicast(const uint8_t *a)
{
	return a[0] == 0xff;
}

static inline bool ip6_is_link_local(const uint8_t *a)
{
	return a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
}

/* A keyed hash of an address, for tables. */
static inline uint64_t ip6_mix(const uint8_t *a, const uint64_t key[2])
{
	unsigned __int128 m = (unsigned __int128)(ld64(a) ^ key[0]) * (ld64(a + 8) ^ key[1]);

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

bool ip6_in_prefix(const uint8_t *a, const uint8_t *prefix, unsigned len);
/* The solicited-node group of an address (RFC 4291 2.7.1). */
void ip6_solicited(const uint8_t *addr, uint8_t group[16]);
extern const uint8_t ip6_all_nodes[16], ip6_all_routers[16], ip6_loopback[16], ip6_zero[16];

/* ---- neighbours (RFC 4861 7.3) ---- */
#define ND_SETS 32u
#define ND_WAYS 4u
#define ND_QUEUE_MAX 8u
#define ND_QUEUE_TOTAL 64u
#define ND_TRIES 3u /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT */

enum nd_state {
	ND_FREE,
	ND_INCOMPLETE, /* asked, no answer yet: packets queue */
	ND_REACHABLE,
	ND_STALE, /* usable, and to be confirmed some time after its next use: */
	ND_DELAY,
	ND_PROBE,  /* being asked */
	ND_FAILED, /* asked in vain: hold off */
};

struct nd_entry {
	uint8_t ip[16];
	uint8_t eth[16]; /* two bytes of nothing, then the Ethernet header for IPv6 packets to it */
	uint8_t state, tries;
	bool wanted; /* we sent to it */
	uint16_t queued;
	uint32_t when; /* tick: REACHABLE until; of the next step in the states that ask */
	uint32_t used;
	struct list_node queue;
};

#define IP6_ROUTERS 4u
#define IP6_PMTUS 8u

struct ip6_how { /* how an address came and where its detection stands */
	bool slaac;
	uint8_t counter; /* RFC 7217 DAD_Counter */
	uint32_t when;	 /* tick: detection ends */
};

struct ip6_router {
	uint8_t addr[16];
	uint64_t until; /* 0: no router */
};

struct ip6_pmtu {
	uint8_t dst[16];
	uint16_t mtu;
	uint32_t until; /* tick */
};

struct dhcp6;

struct ip6_state {
	struct net_ip6 pub;
	struct ip6_how how[NET_IP6_ADDRS];
	uint64_t told; /* digest of pub when configured() was called last */
	bool follow;   /* router advertisements */
	struct ip6_router routers[IP6_ROUTERS];
	uint64_t dns_until[2];
	uint32_t reachable, retrans; /* ticks, as the router wants */
	struct ip6_pmtu pmtu[IP6_PMTUS];
	struct nd_entry nd[ND_SETS][ND_WAYS];
	struct net_timer nd_timer, timer, rs_timer, mld_timer;
	uint32_t nd_queued, nd_tick, nd_left;
	uint32_t relay_tick, relay_left;
	uint32_t rs_wait, solicited; /* ticks to the next solicitation; sent so far */
	uint8_t mld_again, mld_type;
	uint32_t mld_v1_until;
	struct dhcp6 *dhcp;
};

/* ip6_addr.c */
struct ip6_state *ip6_state(struct net_stack *s); /* made when it is not there; NULL: no memory */
/* Ours, and to be used (not tentative). */
bool ip6_is_own(const struct net_stack *s, const uint8_t *a);
/* The place of an address in pub.addr, whatever its state; -1. */
int ip6_find(const struct net_stack *s, const uint8_t *a);
/* A tentative address turned out to be another's (RFC 4862 5.4.5). */
void ip6_duplicate(struct net_stack *s, unsigned i);
/* Form, or keep, an address under an advertised prefix (RFC 4862 5.5.3); seconds. */
void ip6_autoconf(struct net_stack *s, const uint8_t *prefix, uint32_t valid, uint32_t preferred);
/* An address given by configuration or a server. Returns its place, -1: there is no room. */
int ip6_add(struct net_stack *s, const uint8_t *a, unsigned prefix, uint64_t preferred_until,
	    uint64_t valid_until);
/* Something that net_get_ip6 shows changed: bring it up to date and tell. */
void ip6_changed(struct net_stack *s);
/* Look again at all lifetimes by then. */
void ip6_look_at(struct net_stack *s, uint64_t ns);
/* RFC 6724 5: our address for talking to dst. false: none. */
bool ip6_source(const struct net_stack *s, const uint8_t *dst, uint8_t src[16]);

/* ip6_chain.c: extension headers. Reads [p, p+have) of a packet of `total` bytes, both >= 40. */
enum ip6_verdict {
	CHAIN_UPPER,	/* off is where the upper-layer header begins, proto says which */
	CHAIN_FRAGMENT, /* off is where a fragment header begins */
	CHAIN_MORE,	/* it goes on beyond `have` */
	CHAIN_SHORT,	/* lengths that do not fit */
	CHAIN_DROP,	/* nothing follows, or more than we take */
	CHAIN_PROBLEM,	/* parameter problem: code, pointer */
};
struct ip6_chain {
	uint8_t proto, code;
	bool even_multicast;	     /* the problem is to be told of even so */
	uint16_t off, prev, pointer; /* prev: of the byte that names what is at off */
};
#define IP6_CHAIN_MAX 512u /* bytes up to the upper-layer header */
enum ip6_verdict ip6_walk(const uint8_t *p, size_t have, size_t total, struct ip6_chain *out);

/* ip6.c */
void ip6_prepend(struct pbuf *p, const uint8_t *src, const uint8_t *dst, uint8_t proto,
		 uint8_t hop_limit);
void ip6_input(struct net_stack *s, struct pbuf *p);
enum route ip6_route(const struct net_stack *s, const uint8_t *dst, uint8_t hop[16]);
/* Prepend the IP header (packet: L4 header and payload) and send; fragments when it does not fit.
 * Takes it. */
int ip6_output(struct net_stack *s, struct pbuf *p, const uint8_t *src, const uint8_t *dst,
	       uint8_t proto);
/* The same with a hop limit; for messages about the link itself, from any source. */
int ip6_send(struct net_stack *s, struct pbuf *p, const uint8_t *src, const uint8_t *dst,
	     uint8_t proto, uint8_t hop_limit);
uint32_t ip6_mtu(const struct net_stack *s); /* of the link */
uint32_t ip6_path_mtu(const struct net_stack *s, const uint8_t *dst);
void ip6_learn_mtu(struct net_stack *s, const uint8_t *dst, uint32_t mtu);
/* The sum of the pseudo header (RFC 8200 8.1); six: source and destination. */
static inline uint64_t pseudo6_sum(const uint8_t *six, uint8_t proto, uint32_t len)
{
	return csum_add64(csum_bytes(six, 32, 0), ((uint32_t)proto << 8) + be16((uint16_t)len));
}
static inline void ip6_fill(uint8_t *ip, uint32_t payload, uint8_t proto, uint8_t hop_limit)
{
	st32(ip, 0x60);
	stbe16(ip + 4, (uint16_t)payload);
	ip[6] = proto;
	ip[7] = hop_limit;
}
static inline uint8_t ip6_hop_limit(const struct net_stack *s)
{
	return s->v6 != NULL ? s->v6->pub.hop_limit : IP6_HOP_LIMIT;
}
/* frag.c: takes a fragment whose header is at off (prev: the byte that names it); the whole
 * datagram when this completed it, without its fragment header, or NULL. */
struct pbuf *frag6_input(struct net_stack *s, struct pbuf *p, const struct ip6_chain *c);

/* nd.c */
void nd_init(struct net_stack *s);
struct nd_entry *nd_find(const struct net_stack *s, const uint8_t *ip);
static inline bool nd_ready(const struct nd_entry *n, const uint8_t *ip, uint32_t now)
{
	return n != NULL && n->state == ND_REACHABLE && !tick_due(now, n->when) &&
	       ip6_same(n->ip, ip);
}
/* Send an IP packet (data at its IP header) to a neighbour. Takes it. */
int nd_send(struct net_stack *s, struct pbuf *p, const uint8_t *hop);
/* The entry, when packets can be sent to it at once and nothing is to be asked. */
struct nd_entry *nd_usable(struct net_stack *s, const uint8_t *ip);
void nd_doubt(struct net_stack *s, const uint8_t *ip);
/* A neighbour said what its link-layer address is, unasked. make: note it even if it is new. */
void nd_heard(struct net_stack *s, const uint8_t *ip, const uint8_t mac[6], bool make);
/* What nd_input learned of an entry: its address (what waits for it is sent), that it answers. */
void nd_set_mac(struct net_stack *s, struct nd_entry *n, const uint8_t mac[6]);
void nd_reachable(struct net_stack *s, struct nd_entry *n);
/* Solicitation for duplicate address detection. */
void nd_probe_own(struct net_stack *s, const uint8_t *addr);
/* nd_input.c: a neighbour discovery message: data at the IP header, off at the ICMPv6 one; checksum
 * and hop limit are good. The packet stays the caller's. */
void nd_input(struct net_stack *s, const struct pbuf *p, uint32_t off);
/* nd_msg.c */
#define ND_RS 133
#define ND_RA 134
#define ND_NS 135
#define ND_NA 136
#define ND_REDIRECT 137
#define ND_PREFIXES 8u
struct nd_prefix {
	uint8_t prefix[16], len;
	bool on_link, autonomous;
	uint32_t valid, preferred; /* seconds */
};
struct nd_msg {
	uint8_t type, flags; /* flags: as in the message (RA: M, O; NA: R, S, O) */
	uint8_t target[16];
	bool has_mac; /* source (NS, RS, RA) or target (NA) link-layer address */
	uint8_t mac[6];
	uint8_t hop_limit;
	uint16_t lifetime;			/* of the router, s */
	uint32_t reachable_ms, retrans_ms, mtu; /* 0: not said */
	unsigned n_prefixes, n_dns;
	struct nd_prefix prefixes[ND_PREFIXES];
	uint8_t dns[2][16];
	uint32_t dns_lifetime[2];
};
/* A message in [p, p+n), from its type byte on. false: not one, or malformed. Reads nothing
 * outside. O(n). */
bool nd_parse(const uint8_t *p, size_t n, struct nd_msg *out) MUST_CHECK;
/* nd_router.c */
void nd_router_input(struct net_stack *s, const uint8_t *src, const struct nd_msg *m);
void nd_routers_init(struct net_stack *s);
void nd_solicit_routers(struct net_stack *s);
void nd_routers_expire(struct net_stack *s, uint64_t *next);
void nd_pick_router(struct net_stack *s);
int nd_add_router(struct net_stack *s, const uint8_t *addr, uint64_t until);
bool nd_is_router(const struct net_stack *s, const uint8_t *addr);

/* icmp6.c */
void icmp6_input(struct net_stack *s, struct pbuf *p, uint32_t off, bool was_fragments);
/* About packet p (data at its IP header; stays the caller's). */
void icmp6_error(struct net_stack *s, const struct pbuf *p, uint8_t type, uint8_t code,
		 uint32_t arg);
#define ICMP6_UNREACHABLE 1
#define ICMP6_TOO_BIG 2
#define ICMP6_TIME 3
#define ICMP6_PROBLEM 4
/* A message of n bytes: type, code, the rest zero, checksum to be made by icmp6_send. NULL: no
 * memory. */
struct pbuf *icmp6_new(struct net_stack *s, uint8_t type, uint8_t code, uint32_t n) MUST_CHECK;
int icmp6_send(struct net_stack *s, struct pbuf *p, const uint8_t *src, const uint8_t *dst,
	       uint8_t hop_limit);
/* To a neighbour whose link-layer address is known, with a hop limit of 255. */
void icmp6_send_to(struct net_stack *s, struct pbuf *p, const uint8_t *src, const uint8_t *dst,
		   const uint8_t mac[6]);

/* mld.c: multicast listener reports for the groups of our addresses (RFC 3810). */
void mld_init(struct net_stack *s);
void mld_join(struct net_stack *s);
void mld_leave(struct net_stack *s, const uint8_t *addr);
void mld_query(struct net_stack *s, const uint8_t *msg, uint32_t n);

/* dhcp6.c: what an advertisement's flags say (RFC 4861 4.2): M, addresses too; O, only the rest. */
void dhcp6_start(struct net_stack *s, bool managed);
void dhcp6_input(struct net_stack *s, struct pbuf *payload);

/* tcp/ */
void tcp6_input(struct net_stack *s, struct pbuf *p, uint32_t off);

#endif
