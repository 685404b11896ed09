/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c - what the bundle's configuration says of the network (net=, net.addr=, net.gw=,
 * net.dns=). The texts come from whoever wrote the bundle: a bad one is named in a warning and not
 * used. */
#include "runtime/base/str.h"
#include "runtime/netglue/glue_internal.h"
#include "runtime/platform/platform.h"

/* "a.b.c.d" up to end, in network byte order. Returns where it stopped, or NULL. */
static const char *parse_ip4(const char *s, uint32_t *out)
{
	uint8_t bytes[4];

	for (unsigned i = 0; i < 4; i++) {
		unsigned v = 0, digits = 0;

		if (i != 0 && *s++ != '.')
			return NULL;
		for (; *s >= '0' && *s <= '9' && digits < 3; s++, digits++)
			v = v * 10 + (unsigned)(*s - '0');
		if (digits == 0 || v > 255)
			return NULL;
		bytes[i] = (uint8_t)v;
	}
	memcpy(out, bytes, 4);
	return s;
}

static bool parse_key(const char *key, const char *s, uint32_t *out)
{
	const char *end = s == NULL ? NULL : parse_ip4(s, out);

	if (end != NULL && *end == '\0')
		return true;
	if (s != NULL)
		log_warn("net: bad %s=%s", key, s);
	return false;
}

static bool read_static(struct net_ip4 *ip)
{
	const char *s = config_get("net.addr");
	const char *end = s == NULL ? NULL : parse_ip4(s, &ip->addr);
	uint64_t prefix = 24;
	size_t cursor = 0;
	unsigned n = 0;

	if (end == NULL ||
	    (*end != '\0' && (*end != '/' || str_to_u64(end + 1, 32, &prefix) != 0))) {
		log_warn("net: bad net.addr=%s", s == NULL ? "" : s);
		return false;
	}
	ip->mask = __builtin_bswap32(prefix == 0 ? 0 : ~0u << (32 - prefix));
	(void)parse_key("net.gw", config_get("net.gw"), &ip->gateway);
	while (n < ARRAY_SIZE(ip->dns) && (s = config_next("net.dns", &cursor)) != NULL)
		n += parse_key("net.dns", s, &ip->dns[n]);
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

size_t net_dns_text(const struct net_ip4 *ip, char *to, size_t size)
{
	size_t n = 0;

	to[0] = '\0';
	for (unsigned i = 0; i < ARRAY_SIZE(ip->dns); i++) {
		uint8_t b[4];

		memcpy(b, &ip->dns[i], 4);
		if (ip->dns[i] != 0 && n < size - 1)
			n += (size_t)fmt_print(to + n, size - n, "nameserver %u.%u.%u.%u\n", b[0],
					       b[1], b[2], b[3]);
	}
	return GW_MIN(n, size - 1);
}
