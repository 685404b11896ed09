/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_internal.h - TCP's connection and what its files share.
 *
 * Send queue: a list of pbufs, each exactly one (past or future) segment, payload at a fixed place:
 *
 *    tx_head                     tx_next                 tx_tail
 *      v                           v                        v
 *    [sent][sent, sacked][sent] [unsent]     ...         [unsent, may grow]
 *    ^snd_una                  ^snd_nxt                             ^snd_end
 *
 * A pbuf is wholly sent or wholly unsent; when a window ends inside one it is split first.
 * seq..end_seq say what it holds; data/len/next/flags are set for each transmission and belong to
 * the device then. */
#ifndef GODWIT_TCP_INTERNAL_H
#define GODWIT_TCP_INTERNAL_H

#include "runtime/net/ip6_internal.h"

#define TH_FIN 0x01
#define TH_SYN 0x02
#define TH_RST 0x04
#define TH_PSH 0x08
#define TH_ACK 0x10
#define TH_URG 0x20
#define TH_ECE 0x40
#define TH_CWR 0x80

#define TCP_HLEN 20u
#define TCP_TS_LEN 12u
#define TCP_TX_OFF PBUF_HEADROOM /* payload's place in a send pbuf */
#define TCP_TX_CAP (PBUF_ROOM - TCP_TX_OFF)
#define TCP_TSO_BYTES 61440u
#define TCP_TSO_FRAGS 42u
#define TCP_MIN_MSS 64u /* a peer asking for less gets this (a bound on per-byte cost) */
#define TCP_DEF_MSS 536u
#define TCP_DEF_MSS6 1220u /* RFC 9293 3.7.1 */
#define TCP_MAX_MSS 9160u
#define TCP_MIN_MTU 552u /* as Linux: below that, somebody is playing */
#define TCP_HOLE_MTU 1064u
#define TCP_RTO_MIN WHEEL_MS(200)
#define TCP_RTO_MAX WHEEL_MS(60000)
#define TCP_RTO_INIT WHEEL_MS(1000)
#define TCP_PTO_MIN WHEEL_MS(10)
#define TCP_PTO_DELACK WHEEL_MS(100) /* how long a peer may delay an acknowledgement, and some */
#define TCP_LONE (TCP_PTO_MIN + TCP_PTO_DELACK) /* a lone segment's first timer */
#define TCP_DELACK WHEEL_MS(38)
#define TCP_SYN_TRIES 7	   /* 183 s (RFC 9293 MUST-23) */
#define TCP_SYNACK_TRIES 6 /* 123 s: what is half open costs memory */
#define TCP_DATA_TRIES 15
#define TCP_TW_TICKS WHEEL_MS(60000)
#define TCP_ORPHAN_TICKS WHEEL_MS(60000)
#define TCP_TS_WORD 0x0a080101u /* NOP NOP TS 10, as loaded */
#define TCP_INIT_BUF 65536u

/* conn.flags */
#define TF_TS 0x1u
#define TF_SACK 0x2u
#define TF_NODELAY 0x4u
#define TF_CORK 0x8u
#define TF_KEEPALIVE 0x10u
#define TF_QUICKACK 0x20u
#define TF_OWNED 0x40u	     /* an owner wants events */
#define TF_LISTENED 0x80u    /* came from a listener, not yet accepted: counts as half-open */
#define TF_FIN_QUEUED 0x100u /* owner will send no more */
#define TF_FIN_SENT 0x200u
#define TF_RX_FIN 0x400u /* peer's FIN taken in */
#define TF_ACK_NOW 0x800u
#define TF_NOSPACE 0x1000u /* owner waits for WRITABLE */
#define TF_CWND_LIMITED 0x2000u
#define TF_HASHED 0x4000u
#define TF_LOOP 0x8000u
#define TF_SNDBUF_SET 0x10000u
#define TF_RCVBUF_SET 0x20000u
#define TF_DETACHED 0x40000u
#define TF_RTT_SEEN 0x80000u
#define TF_SAY 0x100000u     /* ecn has something to say: never on the short ways */
#define TF_PERSIST 0x200000u /* rto_at is the persist timer */
#define TF_RX_SHUT 0x400000u
#define TF_OOO 0x800000u     /* out-of-order data is held */
#define TF_LOSS 0x1000000u   /* scoreboard not clean: recovery, sacked data or duplicate acks */
#define TF_ACTIVE 0x2000000u /* opened by us */
#define TF_FORCE \
	0x4000000u /* send small segments regardless (persist, cork timeout, push after close) */
#define TF_FIN_SEEN 0x8000000u	 /* fin_seq is known */
#define TF_TLP 0x10000000u	 /* a tail probe is out, up to tlp_end */
#define TF_TLP_RTX 0x20000000u	 /* it repeats what was sent */
#define TF_REORDERED 0x40000000u /* the path does so */
#define TF_PACED 0x80000000u	 /* BBR: never on the short ways, bbr is set */
#define TF_SLOW (TF_RX_SHUT | TF_OOO | TF_LOSS | TF_RX_FIN | TF_TLP | TF_PACED)

/* segment marks, in a send pbuf's user[2] (low half) */
#define SEG_SACKED 0x1u
#define SEG_LOST 0x2u
#define SEG_RETRANS 0x4u      /* retransmission is on its way */
#define SEG_EVER_RETRANS 0x8u /* Karn: no RTT sample */
#define SEG_PUSH 0x10u
#define SEG_APP 0x20u /* sent when the owner had no more: no measure of the path */

/* conn.ecn; beside them TH_ECE: tell the peer of marks, TH_CWR: tell it that we slowed down */
#define ECN_ON 0x1u    /* agreed */
#define ECN_ASKED 0x2u /* by our SYN */
#define URG_SAY 0x4u   /* what is sent up to snd_up is urgent */
#define URG_HEARD 0x8u /* rcv_up is set */

/* conn.tos, as in the IP header: differentiated services, and what new data is sent as */
#define TOS_ECN 0x3u
#define TOS_ECT0 0x2u
#define TOS_CE 0x3u

enum tcp_cong { /* up to CONG_CWR nothing is known to be lost */
		CONG_OPEN,
		CONG_CWR, /* slowed down because of a mark, until recover is acknowledged */
		CONG_RECOVERY,
		CONG_LOSS,
};

#define PAIR6_MARK (0xffull << 32) /* see struct tcp_pair */

/* What an IPv6 connection has beside. */
struct tcp_six {
	uint8_t pair[32]; /* remote, local */
	uint8_t next_hop[16];
	struct nd_entry *nd; /* of this stack's cache, as arp of an IPv4 connection */
};

struct tcp_conn {
	struct tcp_conn *hash_next;
	uint64_t key_addr; /* tcp_pair.key */
	uint32_t key_port;
	uint8_t state, snd_scale, rcv_scale, hdr_len;
	struct net_stack *stack;
	void *owner;
	uint32_t flags;
	uint32_t rcv_nxt; /* next expected */
	uint32_t rcv_wup; /* acknowledged up to here */
	uint32_t rcv_adv; /* right edge promised */
	uint32_t ts_recent, ts_off;
	struct pbuf *rx_head, *rx_tail;
	uint32_t rx_bytes, rcvbuf;
	uint32_t snd_una, snd_nxt, snd_end;
	uint32_t snd_wnd, snd_wl1, snd_wl2;
	struct pbuf *tx_head, *tx_tail, *tx_next;
	struct pbuf *tx_spare; /* room given out and not committed yet */
	uint32_t sndbuf, tx_count;
	uint32_t cwnd, ssthresh;
	uint32_t sacked, lost, retrans;	     /* bytes so marked */
	uint32_t srtt, rttvar;		     /* microseconds (1.024), scaled by 8 and 4 */
	uint32_t rtt_tick;		     /* tick of the latest sample */
	uint32_t rto;			     /* ticks, without backoff */
	uint32_t rto_at, delack_at, keep_at; /* ticks; 0: off */
	uint32_t pto_at, tlp_end;	     /* tick of the loss probe, 0: off; what it covers */
	uint32_t last_rx;		     /* tick */
	uint16_t ip_sum, ph_sum;
	uint8_t tos, ecn, ttl;
	uint32_t rcv_up;
	union {
		struct arp_entry *arp;
		struct tcp_six *six; /* IPv6: the connection's own */
	};
	uint32_t next_hop;	/* IPv4 */
	uint16_t mss, peer_mss; /* payload we may send; what the peer's option said */
	uint16_t rcv_mss;	/* largest segment seen */
	uint16_t rt_mtu;
	uint8_t backoff, cong, dupacks, keep_tries;
	int16_t error; /* alive: the latest soft one */
	uint16_t shard;
	struct net_timer timer;
	struct list_node work;	      /* in tcp.blocked or tcp.dead */
	struct pbuf *ooo;	      /* out-of-order packets by seq, linked by user[1] */
	uint32_t ooo_count, ooo_last; /* packets; seq of the newest, for the first SACK block */
	uint32_t dup_from, dup_to; /* came twice, to be reported once (RFC 2883); equal: nothing */
	uint32_t recover, high_sacked;
	uint64_t rack_time; /* RFC 8985: newest send time among delivered segments; */
	uint32_t rack_end, rack_rtt, rack_wait; /* its end, round trip; ticks to look again */
	uint32_t reo_round;			/* of the reordering window's last growth */
	uint32_t min_rtt, min_rtt_tick;		/* us, over the last 10 s */
	uint8_t reo_mult, reo_left;
	uint8_t hs_samples, hs_css;
	uint32_t last_rtt; /* us, the latest sample */
	uint32_t iss, irs, max_wnd, fin_seq;
	union {
		struct { /* CUBIC */
			uint32_t w_max, cubic_k, epoch, w_est;
		};
		struct { /* HyStart++, until the first slow start ends */
			uint32_t hs_end, hs_last, hs_now, hs_base;
		};
	};
	uint32_t tune_seq, tune_tick;	    /* receive buffer tuning */
	uint32_t retransmits, user_timeout; /* ticks */
	uint32_t rtx_tick;		    /* tick of the latest retransmission */
	uint32_t first_rto;		    /* tick when the present run of timeouts began */
	uint16_t keepidle_s, keepintvl_s, maxseg;
	int16_t linger_s;
	uint8_t keepcnt, syn_tries;
	uint32_t snd_up; /* behind the urgent data, both ways */
	uint64_t bytes_in, bytes_out;
	struct tcp_listener *listener;
	struct tcp_conn *dir_next;
	struct tcp_bbr *bbr; /* with TF_PACED */
};
_Static_assert(sizeof(struct tcp_conn) <= 488, "connections stay small");

enum bbr_mode { BBR_STARTUP, BBR_DRAIN, BBR_PROBE_BW, BBR_PROBE_RTT };

struct bbr_sample {
	uint64_t bw; /* bytes a second */
	uint32_t round;
};

struct tcp_bbr { /* times in units of 1.024 us, wrapping, unless named otherwise */
	/* delivery rate: bytes delivered, when, when the newest delivered segment was sent */
	uint64_t delivered;
	uint32_t delivered_us, first_us;
	uint64_t app_limited; /* samples up to this much delivered say little; 0: none */
	/* of the newest segment that this acknowledgement delivered */
	uint64_t prior_delivered;
	uint32_t prior_us, send_us;
	bool sampled, prior_app;
	/* the model */
	bool round_start, full, conserve;
	uint8_t mode, phase, full_rounds;
	uint32_t round, phase_us;
	uint64_t next_round; /* begins when what is sent from here on is delivered */
	struct bbr_sample bw[3];
	uint64_t full_bw;
	uint32_t min_rtt, min_rtt_tick; /* ticks */
	uint32_t probe_end;		/* tick; 0: not yet down */
	uint32_t saved_cwnd;
	uint64_t rate;	  /* bytes a second */
	uint64_t next_ns; /* when the next segment may go */
};

struct tcp_listener {
	struct list_node link;
	struct net_stack *stack;
	void *owner;
	struct net_endpoint at;
	uint32_t backlog, half;
};

struct tcp_tw { /* a connection in TIME_WAIT, its owner gone */
	struct tcp_tw *hash_next;
	struct list_node link;
	uint64_t key_addr;
	uint32_t key_port;
	uint32_t snd_nxt, rcv_nxt, rcv_wnd, ts_recent, ts_off, ts_tick, expires;
	bool ts;
	uint8_t six[]; /* IPv6: 32 bytes */
};

struct tcp_opts {
	uint32_t tsval, tsecr;
	uint16_t mss;
	uint8_t wscale, n_sack;
	bool has_ts, has_wscale, sack_ok;
	bool ecn; /* a cookie says that the SYN asked for it */
	uint32_t sack[4][2];
};

struct tcp_seg {	/* a received segment, for the general path */
	struct pbuf *p; /* data at the IP header until tcp_seg_data */
	const uint8_t *th;
	struct tcp_pair addr;
	uint32_t port;
	uint32_t seq, ack, len, wnd, hdr; /* hdr: IP and TCP header bytes */
	uint8_t flags;
	bool ce; /* marked by a router */
	struct tcp_opts o;
};

/* The largest segment that the sender of a SYN takes. */
static inline uint16_t seg_peer_mss(const struct tcp_seg *g)
{
	if (g->o.mss != 0)
		return g->o.mss;
	return g->addr.six != NULL ? TCP_DEF_MSS6 : TCP_DEF_MSS;
}

#define SEQ_LT(a, b) ((int32_t)((a) - (b)) < 0)
#define SEQ_LE(a, b) ((int32_t)((a) - (b)) <= 0)
#define SEQ_GT(a, b) ((int32_t)((a) - (b)) > 0)
#define SEQ_GE(a, b) ((int32_t)((a) - (b)) >= 0)

/* ---- send pbuf accessors (user[1], user[2]) ---- */
static inline struct pbuf *seg_next(const struct pbuf *p)
{
	return (struct pbuf *)(uintptr_t)p->user[1];
}

static inline void seg_set_next(struct pbuf *p, struct pbuf *n)
{
	p->user[1] = (uintptr_t)n;
}

static inline uint32_t seg_marks(const struct pbuf *p)
{
	return (uint32_t)p->user[2];
}

static inline void seg_mark(struct pbuf *p, uint32_t set, uint32_t clear)
{
	p->user[2] = (p->user[2] & ~(uint64_t)clear) | set;
}

static inline uint8_t *seg_payload(struct pbuf *p)
{
	return pbuf_block(p) + (p->user[2] >> 32);
}

static inline uint32_t seg_len(const struct pbuf *p)
{
	return p->end_seq - p->seq;
}

/* ---- conn helpers ---- */
static inline uint32_t tcp_hash_of(const struct net_stack *s, uint64_t addr, uint32_t port)
{
	unsigned __int128 m = (unsigned __int128)(addr ^ s->tcp.key[0]) * (port ^ s->tcp.key[1]);

	return (uint32_t)((uint64_t)m ^ (uint64_t)(m >> 64)) & s->tcp.mask;
}

static inline struct tcp_conn *tcp_lookup(const struct net_stack *s, uint64_t addr, uint32_t port)
{
	struct tcp_conn *c = s->tcp.hash[tcp_hash_of(s, addr, port)];

	while (c != NULL && (c->key_addr != addr || c->key_port != port))
		c = c->hash_next;
	return c;
}

static inline bool key_is6(uint64_t key)
{
	return (uint8_t)(key >> 32) == 0xff;
}

static inline bool conn_is6(const struct tcp_conn *c)
{
	return key_is6(c->key_addr);
}

/* IP header and TCP header without options. */
static inline uint32_t conn_headers(const struct tcp_conn *c)
{
	return conn_is6(c) ? IP6_HLEN + TCP_HLEN : IP4_HLEN + TCP_HLEN;
}

static inline struct tcp_pair conn_pair(const struct tcp_conn *c)
{
	return (struct tcp_pair){ c->key_addr, conn_is6(c) ? c->six->pair : NULL };
}

/* Whatever family; six of the pair must be that of the key's family. */
static inline bool conn_is(const struct tcp_conn *c, struct tcp_pair a, uint32_t port)
{
	return c->key_addr == a.key && c->key_port == port &&
	       (a.six == NULL || memcmp(c->six->pair, a.six, 32) == 0);
}

static inline uint32_t conn_remote_ip(const struct tcp_conn *c)
{
	return (uint32_t)c->key_addr;
}

static inline uint32_t conn_local_ip(const struct tcp_conn *c)
{
	return (uint32_t)(c->key_addr >> 32);
}

static inline uint16_t conn_local_port(const struct tcp_conn *c)
{
	return be16((uint16_t)(c->key_port >> 16));
}

static inline uint32_t key_port_of(uint16_t remote, uint16_t local)
{
	return (uint32_t)be16(local) << 16 | be16(remote);
}

static inline uint32_t conn_ts_now(const struct tcp_conn *c)
{
	return now_tick(c->stack) + c->ts_off;
}

static inline uint32_t conn_flight(const struct tcp_conn *c)
{
	return c->snd_nxt - c->snd_una - c->sacked - c->lost + c->retrans;
}

/* Bytes in the send queue, sent or not. */
static inline uint32_t conn_queued(const struct tcp_conn *c)
{
	int32_t n = (int32_t)(c->snd_end - c->snd_una);

	return n > 0 ? (uint32_t)n : 0;
}

/* See to it that the connection's timer fires by the tick. */
static inline void conn_arm(struct tcp_conn *c, uint32_t tick)
{
	struct net_stack *s = c->stack;
	uint64_t now = s->now >> WHEEL_SHIFT;

	timer_by(&s->wheel, &c->timer, now + (uint64_t)(int64_t)(int32_t)(tick - (uint32_t)now));
}

/* For all that it waits for. */
static inline void conn_arm_all(struct tcp_conn *c)
{
	if (c->rto_at != 0)
		conn_arm(c, c->rto_at);
	if (c->pto_at != 0)
		conn_arm(c, c->pto_at);
	if (c->delack_at != 0)
		conn_arm(c, c->delack_at);
	if (c->keep_at != 0)
		conn_arm(c, c->keep_at);
}

static inline uint32_t tick_in(const struct net_stack *s, uint32_t ticks)
{
	return (now_tick(s) + ticks) | 1; /* 0 means off */
}

static inline void conn_set_rto(struct tcp_conn *c)
{
	uint32_t ticks = c->rto << c->backoff;

	if (unlikely(c->backoff > 8 || ticks > TCP_RTO_MAX))
		ticks = TCP_RTO_MAX;
	c->rto_at = tick_in(c->stack, ticks);
	conn_arm(c, c->rto_at);
}

/* What its receive buffer has grown by. */
static inline uint32_t rx_growth(const struct tcp_conn *c)
{
	return c->rcvbuf > TCP_INIT_BUF ? c->rcvbuf - TCP_INIT_BUF : 0;
}

static inline void tcp_event(struct tcp_conn *c, unsigned events)
{
	if (c->flags & TF_OWNED)
		c->stack->tcp.cb.event(c, c->owner, events);
}

/* conn.c */
struct tcp_conn *conn_new(struct net_stack *s, struct tcp_pair addr, uint32_t port);
int conn_insert(struct tcp_conn *c);  /* -ENOMEM: the table could not be made */
void conn_remove(struct tcp_conn *c); /* out of the tables, timers off */
void conn_purge_tx(struct tcp_conn *c);
void conn_purge_rx(struct tcp_conn *c);
/* The connection is over: err 0 or -errno. An owner hears of it and keeps the shell; an orphan is
 * freed soon. */
void conn_done(struct tcp_conn *c, int err);
void conn_bury(struct tcp_conn *c); /* free when nobody is using it any more */
void conn_set_mss(struct tcp_conn *c);
bool conn_route(struct tcp_conn *c);
void conn_established(struct tcp_conn *c);
uint32_t tcp_isn(struct net_stack *s, struct tcp_pair addr, uint32_t port);
uint32_t tcp_ts_offset(struct net_stack *s, struct tcp_pair addr);

/* listen.c */
/* For a connection whose local end has the pair's address and this port. */
struct tcp_listener *listener_find(struct net_stack *s, struct tcp_pair addr, uint16_t port);
void listen_input(struct net_stack *s, struct tcp_listener *l,
		  struct tcp_seg *g);	 /* does not take the packet */
void syn_answer(struct tcp_conn *c);	 /* SYN, or SYN and ACK */
bool listen_promote(struct tcp_conn *c); /* handshake done: offer it to the listener's owner */
void listen_forget(struct tcp_conn *c);	 /* leaves the half-open count */
/* cookie.c */
uint32_t cookie_make(struct net_stack *s, const struct tcp_seg *g, uint32_t *tsval);
bool cookie_check(struct net_stack *s, const struct tcp_seg *g, struct tcp_opts *out);

/* input.c */
bool tcp_parse_opts(const uint8_t *th, uint32_t hl, struct tcp_opts *o);
/* segment.c */
void tcp_segment(struct tcp_conn *c, struct tcp_seg *g); /* takes the packet (g->p) */
void tcp_after_input(struct tcp_conn *c);
void tcp_challenge(struct tcp_conn *c);
/* ack.c */
void tcp_ack(struct tcp_conn *c, const struct tcp_seg *g);
void tcp_rtt_sample(struct tcp_conn *c, uint32_t us);
/* Free what is acknowledged up to ack. Returns bytes of data newly acknowledged. */
uint32_t tcp_clean_acked(struct tcp_conn *c, uint32_t ack);
void tcp_space_event(struct tcp_conn *c);
void tcp_mark_all_lost(struct tcp_conn *c);
void tcp_enter_loss(struct tcp_conn *c);
/* Time has passed since something arrived behind a hole: what is overdue is lost. */
void tcp_reorder_timeout(struct tcp_conn *c);
/* sack.c */
bool sack_take(struct tcp_conn *c, const struct tcp_seg *g);
unsigned sack_blocks(struct tcp_conn *c, uint32_t out[][2], unsigned max);
/* rack.c. delivered: p is acknowledged or selectively so, before it is marked. duplicate: the peer
 * reports data it had. */
void rack_delivered(struct tcp_conn *c, struct pbuf *p);
void rack_duplicate(struct tcp_conn *c);
void rack_recovered(struct tcp_conn *c);
bool rack_detect(struct tcp_conn *c);
/* ecn.c. wanted: a SYN with these header flags asks, and we agree. syn: bits that our SYN (or SYN
 * and ACK) gets. answered: the peer's SYN came. take: in-window data. cut: the window was made
 * smaller. echoed: the peer was told of a mark. */
void ecn_set(struct tcp_conn *c, uint8_t set, uint8_t clear);
bool ecn_wanted(const struct net_stack *s, uint8_t flags);
uint8_t ecn_syn(struct tcp_conn *c);
void ecn_answered(struct tcp_conn *c, uint8_t flags);
void ecn_take(struct tcp_conn *c, const struct tcp_seg *g);
void ecn_cut(struct tcp_conn *c);
void ecn_echoed(struct tcp_conn *c, uint32_t flight);
/* urgent.c */
void urgent_take(struct tcp_conn *c, const struct tcp_seg *g);
void urgent_say(struct tcp_conn *c, uint8_t *th, uint32_t seq);
/* cubic.c */
void cc_init(struct tcp_conn *c);
void cc_acked(struct tcp_conn *c, uint32_t bytes);
void cc_loss(struct tcp_conn *c);		     /* sets ssthresh */
void cc_marked(struct tcp_conn *c, uint32_t flight); /* sets both windows */
void cc_resume(struct tcp_conn *c);
/* What the owner may queue follows the window: so many of them. */
void cc_fit_sndbuf(struct tcp_conn *c, uint32_t windows);
/* bbr.c: for connections with TF_PACED. start: -ENOMEM. acked: after an acknowledgement; flight and
 * delivered before it, and whether it showed a loss. hold: not yet; it will be tried again. */
int bbr_start(struct tcp_conn *c);
void bbr_acked(struct tcp_conn *c, uint32_t prior_flight, uint64_t prior_delivered, bool lost);
void bbr_loss(struct tcp_conn *c, bool timeout);
void bbr_marked(struct tcp_conn *c);
void bbr_recovered(struct tcp_conn *c);
bool bbr_hold(struct tcp_conn *c);
void bbr_sent(struct tcp_conn *c, uint32_t bytes);
uint32_t bbr_quantum(const struct tcp_conn *c);
/* rate.c: for the same. sent, delivered: a segment, before it is marked; idle: the owner has no
 * more; copy: p's data moves to another pbuf. */
static inline uint32_t rate_us(uint64_t ns)
{
	return (uint32_t)(ns >> 10);
}
void rate_sent(struct tcp_conn *c, struct pbuf *p);
void rate_delivered(struct tcp_conn *c, struct pbuf *p);
void rate_idle(struct tcp_conn *c);
void rate_copy(struct pbuf *to, struct pbuf *from);
/* reass.c: takes in-window data; p's data is the payload, seq/end_seq set. Returns true when
 * rcv_nxt moved. */
void rx_queue(struct tcp_conn *c, struct pbuf *p);
void ooo_add(struct tcp_conn *c, struct pbuf *p);
bool ooo_drain(struct tcp_conn *c);
void rx_tune(struct tcp_conn *c, uint32_t consumed_to);
/* xmit.c */
uint32_t tcp_window(struct tcp_conn *c);
int tcp_xmit_chain(struct tcp_conn *c, struct pbuf *p, uint32_t n, uint32_t bytes, uint8_t flags);
int tcp_xmit_fresh(struct tcp_conn *c, struct pbuf *p, uint32_t len);
int tcp_xmit_copy(struct tcp_conn *c, struct pbuf *p, uint8_t flags);
int tcp_send_ctl(struct tcp_conn *c, uint32_t seq, uint8_t flags);
void tcp_send_ack(struct tcp_conn *c);
int tcp_send_syn(struct tcp_conn *c);
void tcp_send_rst(struct tcp_conn *c);
/* A segment that belongs to no connection. ts: NULL or tsval, tsecr. */
void tcp_send_raw(struct net_stack *s, struct tcp_pair addr, uint32_t port, uint32_t seq,
		  uint32_t ack, uint32_t wnd, uint8_t flags, const uint32_t *ts,
		  const uint8_t *opts, uint32_t n_opts);
/* six.c: IPv6 below a connection. */
struct tcp_conn *tcp_lookup_pair(const struct net_stack *s, struct tcp_pair addr, uint32_t port);
bool six_route(struct tcp_conn *c);
/* Nothing comes back: another router, perhaps; and is the neighbour still there? */
void six_doubt(struct tcp_conn *c);
/* As finish in xmit.c: checksum, IP and Ethernet headers, and out. */
int six_finish(struct tcp_conn *c, struct pbuf *p, uint8_t *th, uint32_t len, uint8_t tos);
/* output.c */
void tcp_output(struct tcp_conn *c);
void tcp_probe_tail(struct tcp_conn *c);
void conn_block(struct tcp_conn *c); /* try again in net_poll */
/* timer.c */
void conn_timer(struct net_stack *s, struct net_timer *t);
/* Set (or clear) the loss probe timer: something was sent, or an acknowledgement leaves some of it
 * outstanding. After rto_at is set. */
void conn_arm_probe(struct tcp_conn *c);
void conn_keepalive_arm(struct tcp_conn *c);
/* timewait.c */
void tw_enter(struct tcp_conn *c);
struct tcp_tw *tw_lookup(struct net_stack *s, struct tcp_pair addr, uint32_t port);
/* Takes no packet. Returns true when the segment is a new SYN and the old pair may be used again.
 */
bool tw_input(struct net_stack *s, struct tcp_tw *tw, const struct tcp_seg *g);
void tw_fire(struct net_stack *s, struct net_timer *t);
int tw_init(struct net_stack *s);
void tw_drop(struct net_stack *s, struct tcp_tw *tw);
static inline struct tcp_pair tw_pair(const struct tcp_tw *tw)
{
	return (struct tcp_pair){ tw->key_addr, key_is6(tw->key_addr) ? tw->six : NULL };
}
/* migrate.c */
void dir_add(struct tcp_conn *c);
void dir_del(struct tcp_conn *c);
/* Which shard has it? -1: none. */
int dir_find(struct net_directory *d, struct tcp_pair addr, uint32_t port);

#endif
