/* SPDX-License-Identifier: Apache-2.0 */
/* addr.c - addresses and their texts, with a port. Text comes from outside: every step is bounded
 * by its NUL. */
#include "runtime/base/inet.h"
#include "runtime/native/native_internal.h"

int native_endpoint(const struct gw_addr *a, struct net_endpoint *out)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };

	*out = (struct net_endpoint){ .family = a->family, .port = a->port };
	if (a->family == 4) {
		memcpy(&out->ip4, a->ip, 4);
	} else if (a->family != 6) {
		return -EAFNOSUPPORT;
	} else if (memcmp(a->ip, mapped, sizeof(mapped)) == 0) {
		out->family = 4;
		memcpy(&out->ip4, a->ip + 12, 4);
	} else {
		memcpy(out->ip6, a->ip, 16);
	}
	return 0;
}

unsigned native_listen_at(const struct gw_addr *a, struct net_endpoint at[2])
{
	if (a->family == 0) {
		at[0] = (struct net_endpoint){ .family = 6, .port = a->port };
		at[1] = (struct net_endpoint){ .family = 4, .port = a->port };
		return 2;
	}
	return native_endpoint(a, &at[0]) == 0 ? 1 : 0;
}

void native_addr(const struct net_endpoint *e, struct gw_addr *out)
{
	*out = (struct gw_addr){ .family = (uint8_t)e->family, .port = e->port };
	if (e->family == 6)
		memcpy(out->ip, e->ip6, 16);
	else
		memcpy(out->ip, &e->ip4, 4);
}

void gw_addr_own(struct gw_addr *out)
{
	const struct net_ip4 *ip = net_get_ip4(shard_self()->net);

	*out = (struct gw_addr){ .family = ip->up ? 4 : 0 };
	memcpy(out->ip, &ip->addr, 4);
}

bool gw_addr_own6(unsigned n, struct gw_addr *out)
{
	const struct net_ip6 *ip = net_get_ip6(shard_self()->net);

	for (unsigned i = 0; i < NET_IP6_ADDRS; i++) {
		const struct net_ip6_addr *a = &ip->addr[i];

		if ((a->state != NET_IP6_PREFERRED && a->state != NET_IP6_DEPRECATED) || n-- != 0)
			continue;
		*out = (struct gw_addr){ .family = 6 };
		memcpy(out->ip, a->addr, 16);
		return true;
	}
	return false;
}

static const char *parse_port(const char *s, uint16_t *port)
{
	uint32_t v = 0, digits = 0;

	for (; *s >= '0' && *s <= '9' && digits < 6; s++, digits++)
		v = v * 10 + (uint32_t)(*s - '0');
	*port = (uint16_t)v;
	return digits != 0 && v <= 65535 && *s == '\0' ? s : NULL;
}

int gw_addr_parse(const char *text, struct gw_addr *out)
{
	struct gw_addr a = { .family = 0 };
	const char *s = text;

	if (*s == '[') {
		a.family = 6;
		s = inet_parse6(s + 1, a.ip);
		if (s == NULL || s[0] != ']' || s[1] != ':')
			return -EINVAL;
		s += 2;
	} else if (s[0] == '*' && s[1] == ':') {
		s += 2;
	} else if (*s == ':') {
		s++;
	} else if (strchr(s, '.') != NULL) {
		a.family = 4;
		s = inet_parse4(s, a.ip);
		if (s == NULL || *s++ != ':')
			return -EINVAL;
	}
	if (parse_port(s, &a.port) == NULL)
		return -EINVAL;
	*out = a;
	return 0;
}

const char *gw_addr_text(const struct gw_addr *a, char to[GW_ADDR_TEXT])
{
	size_t n = 1;

	if (a->family == 6) {
		to[0] = '[';
		n += inet_print6(to + 1, a->ip);
		to[n++] = ']';
	} else if (a->family == 4) {
		n = inet_print4(to, a->ip);
	} else {
		to[0] = '*';
	}
	fmt_print(to + n, GW_ADDR_TEXT - n, ":%u", a->port);
	return to;
}
