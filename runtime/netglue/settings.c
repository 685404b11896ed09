/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c - what the bundle's configuration says of the network (net=, net.addr=, net.gw=,
 * net.dns=, and the same of IPv6 as net6=). The texts come from whoever wrote the bundle: a bad one
 * is named in a warning and not used. */
#include "runtime/base/inet.h"
#include "runtime/base/str.h"
#include "runtime/netglue/glue_internal.h"
#include "runtime/platform/platform.h"

typedef const char *parse_fn(const char *s, uint8_t *to);

/* The address that key says, into to. False: there is none, and to is as before. */
static bool parse_key(const char *key, const char *s, parse_fn *parse, void *to)
{
	uint8_t ip[16];
	const char *end = s == NULL ? NULL : parse(s, ip);

	if (end != NULL && *end == '\0') {
		memcpy(to, ip, parse == inet_parse6 ? 16 : 4);
		return true;
	}
	if (s != NULL)
		log_warn("net: bad %s=%s", key, s);
	return false;
}

/* "ADDRESS/PREFIX" or the address alone. */
static bool parse_prefixed(const char *key, parse_fn *parse, void *to, uint64_t most,
			   uint64_t *prefix)
{
	const char *s = config_get(key);
	const char *end = s == NULL ? NULL : parse(s, to);

	if (end != NULL &&
	    (*end == '\0' || (*end == '/' && str_to_u64(end + 1, most, prefix) == 0)))
		return true;
	log_warn("net: bad %s=%s", key, s == NULL ? "" : s);
	return false;
}

static bool read_static(struct net_ip4 *ip)
{
	uint64_t prefix = 24;
	size_t cursor = 0;
	unsigned n = 0;
	const char *s;

	if (!parse_prefixed("net.addr", inet_parse4, &ip->addr, 32, &prefix))
		return false;
	ip->mask = __builtin_bswap32(prefix == 0 ? 0 : ~0u << (32 - prefix));
	(void)parse_key("net.gw", config_get("net.gw"), inet_parse4, &ip->gateway);
	while (n < ARRAY_SIZE(ip->dns) && (s = config_next("net.dns", &cursor)) != NULL)
		n += parse_key("net.dns", s, inet_parse4, &ip->dns[n]);
	ip->up = true;
	return true;
}

enum net_mode net_settings(bool device, struct net_ip4 *ip)
{
	const char *s = config_get("net");

	if (!device || (s != NULL && strcmp(s, "none") == 0))
		return NET_NONE;
	if (s != NULL && strcmp(s, "static") == 0)
		return read_static(ip) ? NET_STATIC : NET_NONE;
	if (s != NULL && strcmp(s, "dhcp") != 0)
		log_warn("net: unknown net=%s, using dhcp", s);
	return NET_DHCP;
}

enum net_mode net6_settings(bool device, struct net_ip6 *ip)
{
	const char *s = config_get("net6");
	uint64_t prefix = 64;

	if (!device || (s != NULL && strcmp(s, "none") == 0))
		return NET_NONE;
	if (s != NULL && strcmp(s, "static") == 0) {
		if (!parse_prefixed("net6.addr", inet_parse6, ip->addr[1].addr, 128, &prefix))
			return NET_NONE;
		ip->addr[1].prefix = (uint8_t)prefix;
		(void)parse_key("net6.gw", config_get("net6.gw"), inet_parse6, ip->gateway);
		(void)parse_key("net6.dns", config_get("net6.dns"), inet_parse6, ip->dns[0]);
		return NET_STATIC;
	}
	if (s != NULL && strcmp(s, "auto") != 0)
		log_warn("net: unknown net6=%s, using auto", s);
	return NET_AUTO;
}

/* One more line, if it fits whole. */
static size_t add_server(char *to, size_t n, size_t size, const char *address)
{
	size_t k = (size_t)fmt_print(to + n, size - n, "nameserver %s\n", address);

	if (k < size - n)
		return n + k;
	to[n] = '\0';
	return n;
}

size_t net_dns_text(const struct net_ip4 *ip, const struct net_ip6 *ip6, char *to, size_t size)
{
	static const uint8_t none[16];
	char text[INET_TEXT];
	size_t n = 0;

	to[0] = '\0';
	for (unsigned i = 0; i < ARRAY_SIZE(ip->dns); i++) {
		(void)inet_print4(text, (const uint8_t *)&ip->dns[i]);
		if (ip->dns[i] != 0)
			n = add_server(to, n, size, text);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(ip6->dns); i++) {
		size_t k = inet_print6(text, ip6->dns[i]);

		if (ip6->dns[i][0] == 0xfe && (ip6->dns[i][1] & 0xc0) == 0x80 && k + 6 < INET_TEXT)
			memcpy(text + k, "%eth0", 6); /* resolvers want the zone */
		if (memcmp(ip6->dns[i], none, 16) != 0)
			n = add_server(to, n, size, text);
	}
	return n;
}
