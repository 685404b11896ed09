/* SPDX-License-Identifier: Apache-2.0 */
/* six.h - IPv6 frames by hand, for host 1 of a simulation: what a router or a neighbour on its link
 * would send, and the last of each kind that it sent itself. */
#ifndef GODWIT_NET_SIX_H
#define GODWIT_NET_SIX_H

#include "runtime/net/test/sim.h"
#include "tests/unit.h"

static struct sim m;

/* An address: its first four bytes, and its last. */
static inline const uint8_t *six(uint32_t first, uint8_t last)
{
	static uint8_t ring[16][16];
	static unsigned at;
	uint8_t *a = ring[at++ % 16];

	memset(a, 0, 16);
	stbe32(a, first);
	a[15] = last;
	return a;
}

#define LINK_LOCAL 0xfe800000u
#define OURS 0xfd000000u /* the prefix of sim_ip6 */

/* From hardware address 02::last of the sender's address. Returns the frame's length. */
static inline size_t six_frame(uint8_t *out, const uint8_t *src, const uint8_t *dst, uint8_t proto,
			       uint8_t hop_limit, const void *l4, size_t len)
{
	static const uint8_t host1[6] = { 2, 0, 0, 0, 0, 2 };

	memset(out, 0, ETH_HLEN + IP6_HLEN);
	if (dst[0] == 0xff) {
		out[0] = out[1] = 0x33;
		memcpy(out + 2, dst + 12, 4);
	} else {
		memcpy(out, host1, 6);
	}
	out[6] = 2;
	out[11] = src[15];
	stbe16(out + 12, ETH_IP6);
	ip6_fill(out + 14, (uint32_t)len, proto, hop_limit);
	memcpy(out + 22, src, 16);
	memcpy(out + 38, dst, 16);
	memcpy(out + 54, l4, len);
	sim_fix_csums(out, 54 + len);
	return 54 + len;
}

static inline void six_give(const void *frame, size_t len)
{
	sim_inject(&m, 1, frame, len);
	sim_run(&m, 2 * MS, NULL, NULL);
}

static inline void six_send(const uint8_t *src, const uint8_t *dst, uint8_t proto,
			    uint8_t hop_limit, const void *l4, size_t len)
{
	uint8_t f[2000];

	six_give(f, six_frame(f, src, dst, proto, hop_limit, l4, len));
}

static inline void run(uint64_t ns)
{
	sim_run(&m, ns, NULL, NULL);
}

/* What host 1 sent, by ICMPv6 type (reports are behind a hop-by-hop header: 143). */
static unsigned sent[256];
static uint8_t last[256][1514];
static unsigned sent_udp;
static uint8_t last_udp[1514];

static inline bool six_look(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	struct ip6_chain c;

	(void)s;
	if (from != 1 || ldbe16(f + 12) != ETH_IP6 ||
	    ip6_walk(f + 14, len - 14, len - 14, &c) != CHAIN_UPPER)
		return false;
	if (c.proto == IP_UDP) {
		sent_udp++;
		memcpy(last_udp, f, GW_MIN(len, sizeof(last_udp)));
	}
	if (c.proto != IP_ICMP6)
		return false;
	sent[f[14 + c.off]]++;
	memcpy(last[f[14 + c.off]], f, GW_MIN(len, sizeof(last[0])));
	return false;
}

/* Nothing of the pools may be left over. */
static inline void six_end(void)
{
	for (int i = 0; i < 2; i++)
		CHECK_EQ(m.host[i].pool.n_free, m.host[i].pool.n_total);
	sim_free(&m);
}

static inline void six_begin(unsigned family)
{
	sim_family = family;
	sim_init(&m, 3, NULL);
	m.host[1].out.tap = six_look;
	memset(sent, 0, sizeof(sent));
	sent_udp = 0;
}

#endif
