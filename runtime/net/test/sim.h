/* SPDX-License-Identifier: Apache-2.0 */
/* sim.h - two (or more) stacks on a simulated wire, in simulated time: loss, reordering,
 * duplication, corruption, delay, rate, a small MTU, black holes. Deterministic: same seed, same
 * run. The device side computes partial checksums and cuts TSO packets as hardware does, and checks
 * what the stack hands it. */
#ifndef GODWIT_NET_SIM_H
#define GODWIT_NET_SIM_H

#include "runtime/net/ip6_internal.h"
#include "runtime/net/tcp/tcp_internal.h"

#define SIM_HOSTS 2
#define MS NS_PER_MS
#define SEC NS_PER_SEC

struct sim;

struct sim_link {				/* one direction, as seen by the sender */
	unsigned loss, reorder, dup, corrupt;	/* per 10,000 */
	uint64_t delay_ns, jitter_ns, rate_bps; /* rate 0: infinite */
	uint32_t queue_bytes;			/* 0: no bound */
	bool black_hole;
	uint32_t drop_over; /* drop frames longer than this; with icmp: answer with fragmentation
			       needed */
	bool icmp;
	uint64_t busy_until, last_at;
	uint64_t dropped; /* frames lost on the way */
	uint64_t mark_ns; /* what waits longer in the queue is marked; 0: nothing */
	uint64_t marked, unmarkable;
	/* may look at (and swallow, by returning true) each frame on its way */
	bool (*tap)(struct sim *m, unsigned from, uint8_t *frame, size_t len);
};

struct sim_frame {
	struct sim_frame *next;
	uint64_t at, order;
	unsigned to;
	bool good; /* checksum vouched for by the device */
	size_t len;
	uint8_t data[];
};

struct sim_host {
	struct sim *sim;
	unsigned index;
	struct net_stack *stack;
	struct net_config cfg;
	struct pbuf_pool pool;
	void *chunks[1024];
	unsigned n_chunks;
	struct sim_link out;
	uint64_t deadline, frames_out, gso_out, max_frame;
	unsigned tx_fail; /* refuse this many transmissions */
	bool hold_tx;	  /* the device keeps frames it sent: */
	struct pbuf *held[64];
	unsigned n_held;
	unsigned configured;
	/* test's own */
	struct tcp_listener *listener;
	struct tcp_conn *accepted;
	unsigned n_accepted;
	bool refuse;
	void *(*on_accept)(struct sim_host *h, struct tcp_conn *c); /* gives the owner */
};

struct sim {
	uint64_t now, rng, order;
	struct sim_host host[SIM_HOSTS];
	struct sim_frame *frames;
	uint64_t delivered;
	size_t mem; /* bytes allocated by the stacks */
};

/* An application end: sends tx_total bytes of a pattern, checks what it receives against the
 * peer's. */
struct sim_app {
	struct tcp_conn *c;
	uint64_t tx_total, tx_done, rx_done, rx_limit; /* rx_limit: stop reading there */
	uint8_t tx_seed, rx_seed;
	bool close_when_sent, connected, eof, error, bad,
		lazy; /* lazy: pumped by sim_app_pump only */
	bool shut;
	int err;
	unsigned events, hups;
	size_t chunk;	/* at most this per commit; 0: all the room */
	bool echo_mode; /* answer each request of echo_size bytes with as many */
	size_t echo_size;
	uint64_t requests;
};

void sim_init(struct sim *m, uint64_t seed, void (*tune)(struct sim *m));
void sim_free(struct sim *m);
uint32_t sim_rand(struct sim *m);
/* Run until done(arg), or the time is up. Returns done's value. */
bool sim_run(struct sim *m, uint64_t for_ns, bool (*done)(void *), void *arg);
void sim_inject(struct sim *m, unsigned to, const void *frame, size_t len);
/* Give a frame to a stack at once. parts: cut into a chain of pbufs of that size (0: one). */
struct pbuf *sim_pbuf(struct sim_host *h, const void *frame, size_t len, size_t part);

void sim_app_pump(struct sim_app *a);
int sim_listen(struct sim *m, unsigned host, uint16_t port, unsigned backlog);
int sim_connect(struct sim *m, unsigned from, uint16_t port, struct sim_app *a);
uint32_t sim_ip(unsigned host);
/* Which family sim_listen, sim_connect and the frames by hand are of: 4, or 6 (set it before
 * sim_init, which gives the hosts addresses of both then). */
extern unsigned sim_family;
void sim_ip6(unsigned host, uint8_t out[16]); /* fd00::1, fd00::2 */
struct net_endpoint sim_end(unsigned host, uint16_t port);
struct net_endpoint sim_any(uint16_t port);
/* As if from another host of the link: the last byte of its address. */
void sim_set_source(uint8_t *frame, size_t len, unsigned last);
/* Where TCP begins in a frame of that family, without extension headers. */
static inline size_t sim_l4(void)
{
	return sim_family == 6 ? ETH_HLEN + IP6_HLEN : ETH_HLEN + IP4_HLEN;
}
static inline bool sim_is_tcp(const uint8_t *frame)
{
	return sim_family == 6 ? ldbe16(frame + 12) == ETH_IP6 && frame[20] == IP_TCP
			       : ldbe16(frame + 12) == ETH_IP4 && frame[23] == IP_TCP;
}

/* Build a TCP frame by hand. */
size_t sim_tcp_frame(uint8_t *out, unsigned from, unsigned to, uint16_t sport, uint16_t dport,
		     uint32_t seq, uint32_t ack, uint8_t flags, uint16_t wnd, const void *opts,
		     size_t n_opts, const void *data, size_t len);
size_t sim_ip_frame(uint8_t *out, unsigned from, unsigned to, uint8_t proto, const void *l4,
		    size_t len);
void sim_fix_csums(uint8_t *frame, size_t len);

#endif
