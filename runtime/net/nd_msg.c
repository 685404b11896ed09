/* SPDX-License-Identifier: Apache-2.0 */
/* nd_msg.c - the parser of neighbour discovery messages (RFC 4861 4, 6.1, 7.1; RFC 8106 5.1), on
 * its own so that it can be fuzzed on its own. Messages come from anyone on the link: each length
 * is checked, and each option's place in them. */
#include "runtime/net/ip6_internal.h"

/* How long each type is before its options, from RS on. */
static const uint8_t fixed[] = { 8, 16, 24, 24, 40 };

static void take_prefix(struct nd_msg *m, const uint8_t *o)
{
	struct nd_prefix *x = &m->prefixes[m->n_prefixes];

	if (m->n_prefixes == ND_PREFIXES || o[2] > 128)
		return;
	m->n_prefixes++;
	x->len = o[2];
	x->on_link = (o[3] & 0x80) != 0;
	x->autonomous = (o[3] & 0x40) != 0;
	x->valid = ldbe32(o + 4);
	x->preferred = ldbe32(o + 8);
	memcpy(x->prefix, o + 16, 16);
}

static void take_dns(struct nd_msg *m, const uint8_t *o, uint32_t n)
{
	for (uint32_t at = 8; at + 16 <= n && m->n_dns < 2; at += 16) {
		memcpy(m->dns[m->n_dns], o + at, 16);
		m->dns_lifetime[m->n_dns++] = ldbe32(o + 4);
	}
}

/* n: the option's length, at least 8. */
static void take_option(struct nd_msg *m, const uint8_t *o, uint32_t n)
{
	bool of_target = m->type == ND_NA || m->type == ND_REDIRECT;

	if (o[0] == (of_target ? 2 : 1) && n == 8 && !(o[2] & 1)) {
		m->has_mac = true;
		memcpy(m->mac, o + 2, 6);
	} else if (o[0] == 3 && n == 32 && m->type == ND_RA) {
		take_prefix(m, o);
	} else if (o[0] == 5 && n == 8 && m->type == ND_RA) {
		m->mtu = ldbe32(o + 4);
	} else if (o[0] == 25 && n >= 24 && m->type == ND_RA) {
		take_dns(m, o, n);
	}
}

bool nd_parse(const uint8_t *p, size_t n, struct nd_msg *m)
{
	size_t at;

	memset(m, 0, sizeof(*m));
	if (n < 8 || p[0] < ND_RS || p[0] > ND_REDIRECT || p[1] != 0)
		return false;
	at = fixed[p[0] - ND_RS];
	if (n < at)
		return false;
	m->type = p[0];
	if (m->type == ND_RA) {
		m->hop_limit = p[4];
		m->flags = p[5];
		m->lifetime = ldbe16(p + 6);
		m->reachable_ms = ldbe32(p + 8);
		m->retrans_ms = ldbe32(p + 12);
	} else if (m->type != ND_RS) {
		m->flags = p[4];
		memcpy(m->target, p + 8, 16);
		if (ip6_is_multicast(m->target) || ip6_is_any(m->target))
			return false;
	}
	while (at < n) {
		size_t len;

		if (n - at < 8) /* an option is at least that long */
			return false;
		len = (size_t)p[at + 1] * 8;
		if (len == 0 || len > n - at)
			return false;
		take_option(m, p + at, (uint32_t)len);
		at += len;
	}
	return true;
}
