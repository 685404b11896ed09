/* SPDX-License-Identifier: Apache-2.0 */
/* ip6_chain.c - an IPv6 packet's extension headers (RFC 8200 4), from the fixed header to the upper
 * layer's or to a fragment header. Packets come from anyone: the walk ends after so many headers,
 * options and bytes (RFC 8504 5.3), whatever they say. */
#include "runtime/net/ip6_internal.h"

#define HEADERS_MAX 8u
#define OPTIONS_MAX 8u /* that are no padding, in one header */

static enum ip6_verdict problem(struct ip6_chain *c, uint8_t code, uint32_t pointer)
{
	c->code = code;
	c->pointer = (uint16_t)pointer;
	return CHAIN_PROBLEM;
}

/* The options in [at, end) (RFC 8200 4.2): we know the paddings; the top bits of the others say
 * what is to be done with who does not know them. CHAIN_UPPER: go on. */
static enum ip6_verdict options(const uint8_t *p, uint32_t at, uint32_t end, struct ip6_chain *c)
{
	unsigned n = 0;

	while (at < end) {
		uint8_t type = p[at];

		if (type == 0) {
			at++;
			continue;
		}
		if (end - at < 2 || p[at + 1] > end - at - 2)
			return CHAIN_SHORT;
		if (type != 1) {
			if (++n > OPTIONS_MAX || type >> 6 == 1)
				return CHAIN_DROP;
			if (type >> 6 != 0) {
				c->even_multicast = type >> 6 == 2;
				return problem(c, 2, at);
			}
		}
		at += 2u + p[at + 1];
	}
	return CHAIN_UPPER;
}

/* The header of type next at c->off, `length` long. CHAIN_UPPER: go on. */
static enum ip6_verdict extension(const uint8_t *p, uint8_t next, uint32_t length,
				  struct ip6_chain *c)
{
	/* No routing type is known to us: it may be passed over only when it has no more to say
	 * (RFC 8200 4.4; type 0 is deprecated, RFC 5095). */
	if (next == IP6_ROUTING)
		return p[c->off + 3] == 0 ? CHAIN_UPPER : problem(c, 0, c->off + 2u);
	return options(p, c->off + 2u, c->off + length, c);
}

enum ip6_verdict ip6_walk(const uint8_t *p, size_t have, size_t total, struct ip6_chain *c)
{
	uint8_t next = p[6];

	*c = (struct ip6_chain){ .off = IP6_HLEN, .prev = 6 };
	for (unsigned n = 0; n <= HEADERS_MAX; n++) {
		enum ip6_verdict v;
		uint32_t length;

		if (next == IP6_NONE)
			return CHAIN_DROP;
		if (next == IP6_HOPOPTS && n != 0) /* RFC 8200 4.1: only at the front */
			return problem(c, 1, c->prev);
		if (next != IP6_HOPOPTS && next != IP6_DSTOPTS && next != IP6_ROUTING &&
		    next != IP6_FRAGMENT) {
			c->proto = next;
			return CHAIN_UPPER;
		}
		if (c->off + 8u > total)
			return CHAIN_SHORT;
		if (c->off + 8u > have)
			return CHAIN_MORE;
		if (next == IP6_FRAGMENT)
			return CHAIN_FRAGMENT;
		length = 8u + p[c->off + 1] * 8u;
		if (c->off + length > total)
			return CHAIN_SHORT;
		if (c->off + length > IP6_CHAIN_MAX)
			return CHAIN_DROP;
		if (c->off + length > have)
			return CHAIN_MORE;
		v = extension(p, next, length, c);
		if (v != CHAIN_UPPER)
			return v;
		next = p[c->off];
		c->prev = c->off;
		c->off = (uint16_t)(c->off + length);
	}
	return CHAIN_DROP;
}
