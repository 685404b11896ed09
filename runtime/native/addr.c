/* SPDX-License-Identifier: Apache-2.0 */
/* addr.c - addresses and their texts: IPv4 dotted, IPv6 as RFC 4291 2.2 has it (without a dotted
 * end). Text comes from outside: every step is bounded by its NUL. */
#include "runtime/native/native_internal.h"

int native_endpoint(const struct gw_addr *a, struct net_endpoint *out)
{
	if (a->family != 4)
		return -EAFNOSUPPORT;
	*out = (struct net_endpoint){ .family = 4, .port = a->port };
	memcpy(&out->ip4, a->ip, 4);
	return 0;
}

void native_addr(const struct net_endpoint *e, struct gw_addr *out)
{
	*out = (struct gw_addr){ .family = (uint8_t)e->family, .port = e->port };
	memcpy(out->ip, &e->ip4, 4);
}

void gw_addr_own(struct gw_addr *out)
{
	const struct net_ip4 *ip = net_get_ip4(shard_self()->net);

	*out = (struct gw_addr){ .family = ip->up ? 4 : 0 };
	memcpy(out->ip, &ip->addr, 4);
}

/* ---- parsing; each returns where it stopped, or NULL ---- */

static const char *parse_port(const char *s, uint16_t *port)
{
	uint32_t v = 0, digits = 0;

	for (; *s >= '0' && *s <= '9' && digits < 6; s++, digits++)
		v = v * 10 + (uint32_t)(*s - '0');
	*port = (uint16_t)v;
	return digits != 0 && v <= 65535 && *s == '\0' ? s : NULL;
}

static const char *parse_ip4(const char *s, uint8_t ip[16])
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned v = 0, digits = 0;

		if (i != 0 && *s++ != '.')
			return NULL;
		for (; *s >= '0' && *s <= '9' && digits < 3; s++, digits++)
			v = v * 10 + (unsigned)(*s - '0');
		if (digits == 0 || v > 255)
			return NULL;
		ip[i] = (uint8_t)v;
	}
	return s;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *parse_ip6(const char *s, uint8_t ip[16])
{
	unsigned n = 0, gap = ~0u; /* words; where "::" stood */

	memset(ip, 0, 16);
	if (s[0] == ':' && s[1] == ':') {
		gap = 0;
		s += 2;
	}
	while (n < 8 && hex(*s) >= 0) {
		unsigned v = 0, digits = 0;

		for (; hex(*s) >= 0 && digits < 4; s++, digits++)
			v = v << 4 | (unsigned)hex(*s);
		ip[2 * n] = (uint8_t)(v >> 8);
		ip[2 * n + 1] = (uint8_t)v;
		n++;
		if (*s != ':' || n == 8)
			break;
		s++;
		if (*s == ':') {
			if (gap != ~0u)
				return NULL;
			gap = n;
			s++;
		} else if (hex(*s) < 0) {
			return NULL;
		}
	}
	if ((n == 8) == (gap != ~0u))
		return NULL;
	if (gap != ~0u) { /* what came after the gap belongs to the end */
		memmove(ip + 16 - 2 * (n - gap), ip + 2 * gap, 2 * (n - gap));
		memset(ip + 2 * gap, 0, 2 * (8 - n));
	}
	return s;
}

int gw_addr_parse(const char *text, struct gw_addr *out)
{
	struct gw_addr a = { .family = 4 };
	const char *s = text;

	if (*s == '[') {
		a.family = 6;
		s = parse_ip6(s + 1, a.ip);
		if (s == NULL || s[0] != ']' || s[1] != ':')
			return -EINVAL;
		s += 2;
	} else if (*s == ':') {
		s++;
	} else if (strchr(s, '.') != NULL) {
		s = parse_ip4(s, a.ip);
		if (s == NULL || *s++ != ':')
			return -EINVAL;
	}
	if (parse_port(s, &a.port) == NULL)
		return -EINVAL;
	*out = a;
	return 0;
}

/* ---- text ---- */

static size_t put_ip6(char *to, size_t size, const uint8_t ip[16])
{
	unsigned best = 8, best_n = 1, n; /* the longest run of zero words, if of two at least */
	size_t at = 0;

	for (unsigned i = 0; i < 8; i += n + 1) {
		for (n = 0; i + n < 8 && ip[2 * (i + n)] == 0 && ip[2 * (i + n) + 1] == 0; n++)
			;
		if (n > best_n) {
			best = i;
			best_n = n;
		}
	}
	for (unsigned i = 0; i < 8; i++) {
		if (i == best) {
			at += (size_t)fmt_print(to + at, size - at, "::");
			i += best_n - 1;
			continue;
		}
		at += (size_t)fmt_print(to + at, size - at, "%s%x",
					i != 0 && i != best + best_n ? ":" : "",
					(unsigned)ip[2 * i] << 8 | ip[2 * i + 1]);
	}
	return at;
}

const char *gw_addr_text(const struct gw_addr *a, char to[GW_ADDR_TEXT])
{
	size_t n;

	if (a->family == 6) {
		to[0] = '[';
		n = 1 + put_ip6(to + 1, GW_ADDR_TEXT - 1, a->ip);
		fmt_print(to + n, GW_ADDR_TEXT - n, "]:%u", a->port);
	} else if (a->family == 4) {
		fmt_print(to, GW_ADDR_TEXT, "%u.%u.%u.%u:%u", a->ip[0], a->ip[1], a->ip[2],
			  a->ip[3], a->port);
	} else {
		fmt_print(to, GW_ADDR_TEXT, "none");
	}
	return to;
}
