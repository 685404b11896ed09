/* SPDX-License-Identifier: Apache-2.0 */
/* net.h - TCP/IP, one stack instance per shard with no shared mutable state but the flow directory.
 *
 * Context of every function: the stack's own shard (loop or uthread of it), never re-entered from
 * its own callbacks except where a callback's contract says so. Nothing here blocks or touches
 * program memory. Portable C: the same files run on the host under test, with time and devices
 * simulated. Nothing received is trusted: every length is checked against the bytes that arrived.
 */
#ifndef GODWIT_RUNTIME_NET_H
#define GODWIT_RUNTIME_NET_H

#include "runtime/mem/pbuf.h"

struct net_stack;

/* An address and port. Addresses in network byte order, ports in host order. The address is all
 * zero for "any". A stack has one link, so that link-local addresses need no zone; never an
 * IPv4-mapped address (RFC 4291 2.5.5.2): the edges make family 4 of those. */
struct net_endpoint {
	uint16_t family; /* 4 or 6; 0: unspecified */
	uint16_t port;
	union {
		uint32_t ip4;
		uint8_t ip6[16];
	};
};

/* What the functions below do with families: a listener, a UDP socket and a connection are of one,
 * that of the (local, for tcp_connect the remote) endpoint they were made with; "any" is any
 * address of that family, and the same port can be taken in both: who wants both registers two. An
 * endpoint of another family where one is given is -EAFNOSUPPORT, as is a family that is neither. A
 * multicast address is -ENETUNREACH to tcp_connect; UDP sends to it, unrouted. */
static inline bool net_endpoint_is_any(const struct net_endpoint *e)
{
	static const uint8_t any[16];

	return e->family == 6 ? __builtin_memcmp(e->ip6, any, 16) == 0 : e->ip4 == 0;
}

/* The same family and address, whatever the ports. */
static inline bool net_endpoint_same_address(const struct net_endpoint *a,
					     const struct net_endpoint *b)
{
	return a->family == b->family &&
	       (a->family == 6 ? __builtin_memcmp(a->ip6, b->ip6, 16) == 0 : a->ip4 == b->ip4);
}

/* Explicit congestion notification (RFC 3168): used when the peer asks, as Linux does by default;
 * asked for, too; not used. */
enum net_ecn { NET_ECN_ACCEPT, NET_ECN_REQUEST, NET_ECN_OFF };

struct net_config {
	uint8_t mac[6];
	uint16_t mtu; /* IP bytes, 576..9216 (RFC 791: 68 is the floor; we ask for 576) */
	bool csum_tx, csum_rx, tso4, tso6, gro_rx; /* what the device does */
	/* Segments that arrive in order are acknowledged by net_poll, all of a batch at once, as if
	 * the device had merged them. For one that does not. */
	bool ack_batch;
	uint32_t shard, n_shards;
	uint32_t max_conns;		 /* connections of this stack, bounded memory */
	uint32_t sndbuf_max, rcvbuf_max; /* bytes per connection */
	/* Receive buffers grow by themselves up to so many bytes in all, beyond what each begins
	 * with: what the device can hold while nobody looks. 0: no bound. */
	uint64_t rcv_growth_max;
	uint32_t congestion; /* enum tcp_congestion, of new connections */
	/* Interface identifiers: RFC 7217's with a secret that stays the same from boot to boot;
	 * all zero: EUI-64 of the MAC (RFC 4291 appendix A). */
	uint64_t ip6_secret[2];
	uint32_t ecn; /* enum net_ecn, of new connections */
	struct pbuf_pool *pool;
	void *(*alloc)(size_t n); /* zeroed; NULL when out of memory */
	void (*free)(void *p, size_t n);
	void *ctx; /* for the callbacks below */
	/* Send an Ethernet frame: takes the packet (always), drops it and returns -ENOBUFS when the
	 * ring is full. Between net_hold/net_release style batching is the device's business. */
	int (*tx)(void *ctx, struct pbuf *frame);
	/* Hand a received packet to the stack of another shard (its net_input). */
	void (*forward)(void *ctx, uint32_t shard, struct pbuf *frame);
	/* DHCP finished or changed, or a static address became usable: addr/gw/dns can be read. May
	 * be NULL. */
	void (*configured)(void *ctx);
};

/* Zero result: out of memory. now_ns: monotonic. */
struct net_stack *net_create(const struct net_config *config, uint64_t now_ns) MUST_CHECK;
/* Every entry below uses the stack's clock: set it before (cheap: one store). */
void net_set_now(struct net_stack *s, uint64_t now_ns);

/* Static IPv4 configuration (network byte order; prefix 0..32), or start DHCP (RFC 2131: discover,
 * request, renew, rebind, expiry; options 1, 3, 6, 12, 51, 54, 58, 59). */
void net_set_ip4(struct net_stack *s, uint32_t addr, unsigned prefix, uint32_t gateway,
		 uint32_t dns);
void net_start_dhcp(struct net_stack *s, const char *hostname);
struct net_ip4 {
	uint32_t addr, mask, gateway, dns[2];
	bool up;
};
const struct net_ip4 *net_get_ip4(const struct net_stack *s);

/* ---- IPv6 (RFC 8200). Both ways may be used together, and with IPv4. ---- */
#define NET_IP6_ADDRS 8u
enum net_ip6_state {
	NET_IP6_FREE,	    /* no address in this place */
	NET_IP6_TENTATIVE,  /* duplicate address detection is on: not to be used yet */
	NET_IP6_DUPLICATE,  /* somebody else has it: never used */
	NET_IP6_PREFERRED,  /* for all */
	NET_IP6_DEPRECATED, /* for what uses it already (RFC 4862 5.5.4) */
};
struct net_ip6_addr {
	uint8_t addr[16];
	uint8_t prefix, state;
	uint64_t preferred_until, valid_until; /* ns of the stack's clock; GW_NEVER: for ever */
};
#define NET_IP6_PREFIXES 8u
struct net_ip6_prefix { /* neighbours: what is reached without a router */
	uint8_t addr[16];
	uint8_t len;
	uint64_t until; /* 0: no prefix in this place */
};
struct net_ip6 {
	struct net_ip6_addr addr[NET_IP6_ADDRS]; /* [0]: the link-local one */
	uint8_t gateway[16];			 /* all zero: none */
	uint8_t dns[2][16];			 /* all zero: none */
	struct net_ip6_prefix on_link[NET_IP6_PREFIXES];
	uint16_t mtu; /* of the link, for IPv6 */
	uint8_t hop_limit;
	bool up; /* there is an address beyond the link-local one that can be used */
};
/* Static configuration: the address (prefix 0..128), gateway and name server (NULL: none; the
 * gateway may be link-local), beside a link-local address. Duplicate address detection comes first
 * (RFC 4862 5.4: a second), then configured() is called; a duplicate is warned of and not used.
 * Router advertisements are not listened to unless net_start_ip6 is called, too. */
void net_set_ip6(struct net_stack *s, const uint8_t addr[16], unsigned prefix,
		 const uint8_t gateway[16], const uint8_t dns[16]);
/* Configure from the link: link-local address, router solicitations, addresses, routes and name
 * servers from advertisements (RFC 4861 6.3, 4862 5.5, 8106), and what these send to DHCPv6 for.
 * configured() is called whenever something that net_get_ip6 shows changed. */
void net_start_ip6(struct net_stack *s);
const struct net_ip6 *net_get_ip6(const struct net_stack *s);
/* Take over what another shard's stack has configured for the same link: addresses are used as they
 * are, without detection. Advertisements are left to the other one. */
void net_adopt_ip6(struct net_stack *s, const struct net_ip6 *from);

/* Is it one of this stack's own addresses, the loopback ones included? Any: no. */
bool net_is_own(const struct net_stack *s, const struct net_endpoint *e);
/* The address that would be used to talk to to's (RFC 6724 5 for IPv6), port 0. -ENETUNREACH;
 * -EAFNOSUPPORT. */
int net_source(const struct net_stack *s, const struct net_endpoint *to,
	       struct net_endpoint *out) MUST_CHECK;

/* One received Ethernet frame; takes it. */
void net_input(struct net_stack *s, struct pbuf *frame);
/* Run what is due: timers, delayed acks, queued loopback packets, batched output. Call once per
 * loop turn. Returns the next deadline (monotonic ns) or GW_NEVER. O(due). */
uint64_t net_poll(struct net_stack *s);
/* Are loopback packets queued, sent since the last net_poll? Then it is too early to sleep. */
bool net_loop_pending(const struct net_stack *s);

/* ---- TCP ---- */
struct tcp_conn;
struct tcp_listener;

/* Events given to the owner. Several may come at once; level changes only (a READABLE comes when
 * data arrives on an empty queue or more than before; the owner asks tcp_* for the state). */
#define TCP_EV_READABLE 0x1u /* data, or end of stream, can be read */
#define TCP_EV_WRITABLE \
	0x2u /* send space grew from below the low-water mark (a third of the buffer) */
#define TCP_EV_CONNECTED 0x4u /* active open done */
#define TCP_EV_HUP 0x8u	      /* peer's FIN was taken in */
#define TCP_EV_ERROR \
	0x10u /* tcp_error() says which; the connection is dead but still the owner's */

#define TCP_EV_URGENT 0x20u /* urgent data was announced where there was none: tcp_rx_urgent */

struct tcp_callbacks {
	/* May call the tcp_ functions of this connection except tcp_close/tcp_abort. */
	void (*event)(struct tcp_conn *c, void *owner, unsigned events);
	/* A connection finished its handshake on this listener; the callee owns it (gives it an
	 * owner by tcp_set_owner) and returns true, or returns false (backlog full: it is reset).
	 */
	bool (*accepted)(struct tcp_listener *l, void *owner, struct tcp_conn *c);
};
void tcp_set_callbacks(struct net_stack *s, const struct tcp_callbacks *cb);

/* Listen on local. backlog bounds half-open connections; above it SYN cookies (RFC
 * 4987) answer. reuse: allow other listeners' TIME_WAIT leftovers. -EADDRINUSE, -ENOMEM,
 * -EAFNOSUPPORT. Register on every stack. */
int tcp_listen(struct net_stack *s, const struct net_endpoint *local, unsigned backlog, void *owner,
	       struct tcp_listener **out) MUST_CHECK;
void tcp_unlisten(struct net_stack *s, struct tcp_listener *l);

/* Active open. local may be unspecified (family 0, NULL, any; port 0: ephemeral, RFC 6056).
 * -EADDRINUSE, -EADDRNOTAVAIL, -ENETUNREACH, -ENOMEM, -EAFNOSUPPORT. Completion by event CONNECTED
 * or ERROR. */
int tcp_connect(struct net_stack *s, const struct net_endpoint *local,
		const struct net_endpoint *remote, void *owner, struct tcp_conn **out) MUST_CHECK;
void tcp_set_owner(struct tcp_conn *c, void *owner);
void *tcp_owner(const struct tcp_conn *c);

/* Reading: look at the next bytes in place, then consume. tcp_rx_peek gives the contiguous stretch
 * at byte offset off of the receive queue; 0 = nothing there. tcp_rx_available: bytes queued.
 * tcp_rx_eof: FIN reached and queue empty. */
size_t tcp_rx_peek(const struct tcp_conn *c, size_t off, const uint8_t **data);
size_t tcp_rx_available(const struct tcp_conn *c);
bool tcp_rx_eof(const struct tcp_conn *c);
void tcp_rx_consume(struct tcp_conn *c, size_t n);
/* Bytes from the next one to read up to the end of what the peer calls urgent, which is in the
 * stream like any other (RFC 6093); 0: none. */
size_t tcp_rx_urgent(const struct tcp_conn *c);
/* Take the next stretch out of the receive queue as a packet buffer of its own (total = len), which
 * the caller frees into the stack's pool. NULL: nothing there. */
struct pbuf *tcp_rx_take(struct tcp_conn *c) MUST_CHECK;

/* Writing: get room at the tail of the send queue (contiguous), fill it, commit. tcp_tx_room: 0 =
 * full (a WRITABLE event will come) or closed. The stretch stays valid until the next call on this
 * connection, or net_input or net_poll of its stack. push: send what may be sent now (Nagle and
 * cork permitting); otherwise wait for more. */
size_t tcp_tx_space(const struct tcp_conn *c);
/* TCP_EV_READABLE: at least lowat bytes are queued. TCP_EV_WRITABLE: there is room; without it, and
 * while the connection may send, that event will come. */
unsigned tcp_readiness(struct tcp_conn *c, size_t lowat);
size_t tcp_tx_room(struct tcp_conn *c, uint8_t **data);
void tcp_tx_commit(struct tcp_conn *c, size_t n, bool push);
void tcp_tx_push(struct tcp_conn *c);
/* Append a single buffer's bytes (len 1..; no `next`) to the send queue, not pushed: without a copy
 * where it is the caller's alone and has the headroom that headers need, else by copying. 0: taken.
 * -EAGAIN: the queue is full (a WRITABLE event will come), -EPIPE: nothing can be sent any more,
 * both not taken. -ENOBUFS: as -EAGAIN, the pool is empty. */
int tcp_tx_append(struct tcp_conn *c, struct pbuf *p) MUST_CHECK;
/* All that was written so far is urgent (RFC 9293 3.8.5). Pushes. */
void tcp_tx_urgent(struct tcp_conn *c);
/* The sequence number that the next byte written will have. */
uint32_t tcp_tx_seq(const struct tcp_conn *c);

/* shutdown(2): stop sending (FIN after the queue) and/or receiving. */
void tcp_shutdown_tx(struct tcp_conn *c);
void tcp_shutdown_rx(struct tcp_conn *c);
/* Give the connection up: FIN after the queue (orderly; RST if unread data remains, RFC 2525 2.17),
 * the stack frees it after TIME_WAIT or FIN_WAIT_2 timeout (60 s). No events follow. linger_ns as
 * SO_LINGER. */
void tcp_close(struct tcp_conn *c);
void tcp_abort(struct tcp_conn *c); /* RST, free at once */

enum tcp_state {
	TCP_CLOSED,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_TIME_WAIT,
};
enum tcp_state tcp_get_state(const struct tcp_conn *c);
int tcp_error(const struct tcp_conn
		      *c); /* alive: 0. Else 0 or -ECONNRESET, -ETIMEDOUT, -ECONNREFUSED, ... */
void tcp_local(const struct tcp_conn *c, struct net_endpoint *out);
void tcp_remote(const struct tcp_conn *c, struct net_endpoint *out);

enum tcp_opt {
	TCP_OPT_NODELAY,
	TCP_OPT_CORK,
	TCP_OPT_KEEPALIVE,
	TCP_OPT_KEEPIDLE_S,
	TCP_OPT_KEEPINTVL_S,
	TCP_OPT_KEEPCNT,
	TCP_OPT_SNDBUF,
	TCP_OPT_RCVBUF,
	TCP_OPT_USER_TIMEOUT_MS,
	TCP_OPT_MAXSEG,
	TCP_OPT_QUICKACK,
	TCP_OPT_LINGER_S /* -1: off */,
	TCP_OPT_CONGESTION, /* enum tcp_congestion; -ENOMEM */
	TCP_OPT_TOS,	    /* 0..255; the two bits of ECN are the stack's */
	TCP_OPT_TTL,	    /* 1..255 */
};
enum tcp_congestion { TCP_CUBIC, TCP_BBR };
int tcp_set_opt(struct tcp_conn *c, enum tcp_opt opt, int value) MUST_CHECK; /* -EINVAL */
int tcp_get_opt(const struct tcp_conn *c, enum tcp_opt opt);
/* For TCP_INFO and /proc. */
struct tcp_stats {
	uint32_t srtt_us, rttvar_us, rto_ms, cwnd_bytes, ssthresh_bytes, mss, retransmits,
		unacked_bytes;
	/* -errno of the latest ICMP error about the connection, which goes on; 0: none since the
	 * present trouble began (RFC 9293 MUST-47). */
	int soft_error;
	uint64_t bytes_in, bytes_out;
};
void tcp_get_stats(const struct tcp_conn *c, struct tcp_stats *out);

/* Move a connection to another shard's stack: detach on the old shard, carry the pointer by a ring,
 * attach on the new one. Packets that arrive in between are forwarded and wait there. */
int tcp_detach(struct tcp_conn *c, uint32_t to_shard) MUST_CHECK; /* -ENOMEM: nothing has changed */
int tcp_attach(struct net_stack *s, struct tcp_conn *c) MUST_CHECK; /* -ENOMEM: still detached */
struct net_stack *tcp_stack(const struct tcp_conn *c);

/* ---- UDP ---- */
struct udp_sock;
struct udp_callbacks {
	/* A datagram's payload (headers stripped, which udp_ends can still find); takes the packet.
	 */
	void (*input)(struct udp_sock *u, void *owner, struct pbuf *payload,
		      const struct net_endpoint *from, const struct net_endpoint *to);
	/* ICMP error for a connected socket: -ECONNREFUSED and such. */
	void (*error)(struct udp_sock *u, void *owner, int err);
};
void udp_set_callbacks(struct net_stack *s, const struct udp_callbacks *cb);
/* The endpoints of a datagram that the input callback got, read again from its headers: for who
 * keeps it in a queue. Its seq, end_seq, data and the bytes before data must be as they were. */
void udp_ends(const struct pbuf *payload, struct net_endpoint *from, struct net_endpoint *to);
/* For the input callback: the payload is not wanted. Takes it. */
void udp_refuse(struct udp_sock *u, struct pbuf *payload);
int udp_bind(struct net_stack *s, const struct net_endpoint *local, bool reuse, void *owner,
	     struct udp_sock **out) MUST_CHECK; /* port 0: ephemeral. -EADDRINUSE -EADDRNOTAVAIL
						 * -EAFNOSUPPORT */
void udp_connect(struct udp_sock *u, const struct net_endpoint *remote); /* family 0: disconnect */
void udp_local(const struct udp_sock *u, struct net_endpoint *out);
/* Takes the payload (chain, headroom in the first for headers). -EMSGSIZE (beyond 65,507 bytes with
 * IPv4, 65,527 with IPv6), -ENETUNREACH, -ENOBUFS, -EAFNOSUPPORT. */
int udp_send(struct udp_sock *u, struct pbuf *payload, const struct net_endpoint *to);
void udp_close(struct udp_sock *u);

/* ---- counters ---- */
struct net_counters {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	/* Packets that went no further, each counted once. */
	uint64_t drop_short, /* lengths that do not fit each other, or the bytes that came */
		drop_csum, drop_proto,
		drop_addr,   /* to another's address, or from one that cannot be */
		drop_noport, /* nobody listens */
		drop_nomem, drop_frag, drop_arp,
		drop_seq,     /* TCP: not in the window, or not what the state takes */
		drop_dup,     /* TCP: data that had come before */
		drop_closed,  /* TCP: data behind shutdown(SHUT_RD) */
		drop_queue,   /* a bounded queue of the stack is full */
		drop_socket,  /* UDP: the socket's buffer is full, or shut */
		drop_backlog, /* a connection that its listener has no room for */
		drop_rate,    /* more echo requests than are answered */
		drop_route;   /* to send, and no way there */
	uint64_t tx_full;     /* to send, and the device's ring and queue are full */
	uint64_t conns_accepted, conns_opened, conns_reset, retransmits, syn_cookies, rst_sent,
		forwarded, ecn_marked, /* data that a router marked */
		ecn_slowed;	       /* windows made smaller because the peer told of marks */
};
const struct net_counters *net_counters(const struct net_stack *s);

/* The flow directory: which shard holds a connection, consulted only when a packet misses in its
 * stack. One per partition, given to each stack when n_shards > 1; short bucket locks inside. */
struct net_directory;
struct net_directory *net_directory_create(void *(*alloc)(size_t), uint32_t buckets) MUST_CHECK;
void net_set_directory(struct net_stack *s, struct net_directory *d);

#endif
