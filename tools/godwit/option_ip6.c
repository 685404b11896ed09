/* SPDX-License-Identifier: Apache-2.0 */
/* option_ip6.c - the value of --addr6. See options_internal.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/godwit/options_internal.h"

static int bad(const char *value, const char *why)
{
	return fail("--addr6 %s: %s; write auto, none or ADDRESS/LEN[,gw=ADDRESS][,dns=ADDRESS] "
		    "(2001:db8::2/64)",
		    value, why);
}

/* An IPv6 address as everybody writes it, into to. */
static bool ip6(const char *s, char to[IP6_TEXT])
{
	struct in6_addr a;

	return inet_pton(AF_INET6, s, &a) == 1 && inet_ntop(AF_INET6, &a, to, IP6_TEXT) != NULL;
}

/* Can a machine have it? Not "any", loopback, multicast, nor an IPv4-mapped one. */
static bool can_be_own(const char *text)
{
	struct in6_addr a;

	return inet_pton(AF_INET6, text, &a) == 1 && a.s6_addr[0] != 0xff &&
	       !IN6_IS_ADDR_UNSPECIFIED(&a) && !IN6_IS_ADDR_LOOPBACK(&a) &&
	       !IN6_IS_ADDR_V4MAPPED(&a);
}

/* ADDRESS/LEN[,gw=ADDRESS][,dns=ADDRESS] */
static int static_addr6(struct options *o, const char *value)
{
	char copy[200], *p = copy, *part, *slash;
	uint64_t len;

	if (strlen(value) >= sizeof(copy))
		return bad(value, "too long");
	strcpy(copy, value);
	part = strsep(&p, ",");
	slash = strchr(part, '/');
	if (slash == NULL || parse_u64(slash + 1, 1, 128, &len) != 0)
		return bad(value, "the prefix length (/64) is missing or bad");
	*slash = '\0';
	if (!ip6(part, o->addr6))
		return bad(value, "the address is not an IPv6 address");
	if (!can_be_own(o->addr6))
		return bad(value, "no machine can have this address");
	snprintf(o->addr6 + strlen(o->addr6), 5, "/%u", (unsigned int)len);
	while ((part = strsep(&p, ",")) != NULL) {
		char *to = strncmp(part, "gw=", 3) == 0	   ? o->gw6
			   : strncmp(part, "dns=", 4) == 0 ? o->dns6
							   : NULL;

		if (to == NULL)
			return bad(value, "behind the address only gw= and dns= may follow");
		if (!ip6(part + strcspn(part, "=") + 1, to))
			return bad(value, "gateway or name server is not an IPv6 address");
	}
	return 0;
}

int option_addr6(struct options *o, const char *value)
{
	bool none = strcmp(value, "none") == 0;
	int rc = 0;

	o->addr6[0] = o->gw6[0] = o->dns6[0] = '\0';
	o->ip6 = none ? IP6_NONE : IP6_AUTO;
	if (!none && strcmp(value, "auto") != 0) {
		rc = static_addr6(o, value);
		/* A module's other mistakes are looked for all the same: it is as if nothing were
		 * said. */
		o->ip6 = rc == 0 ? IP6_STATIC : IP6_DEFAULT;
		if (rc != 0)
			o->addr6[0] = o->gw6[0] = o->dns6[0] = '\0';
	}
	return rc;
}

const char *options_net6(const struct options *o)
{
	return o->ip6 == IP6_STATIC ? "static" : o->ip6 == IP6_AUTO ? "auto" : "none";
}

void option_net6_defaults(struct options *o, enum ip6_kind otherwise, bool user)
{
	struct in6_addr a;
	char net[IP6_TEXT];

	if (o->ip6 == IP6_DEFAULT)
		o->ip6 = otherwise;
	if (o->ip6 != IP6_STATIC || !user)
		return;
	option_ip6_network(o, net);
	*strchr(net, '/') = '\0';
	inet_pton(AF_INET6, net, &a);
	a.s6_addr[15] = (uint8_t)(a.s6_addr[15] + 2);
	if (o->gw6[0] == '\0')
		inet_ntop(AF_INET6, &a, o->gw6, sizeof(o->gw6));
	a.s6_addr[15]++;
	if (o->dns6[0] == '\0')
		inet_ntop(AF_INET6, &a, o->dns6, sizeof(o->dns6));
}

void option_ip6_network(const struct options *o, char to[IP6_TEXT])
{
	struct in6_addr a;
	char *slash;
	unsigned int len;

	strcpy(to, o->addr6);
	slash = strchr(to, '/');
	len = (unsigned int)atoi(slash + 1);
	*slash = '\0';
	inet_pton(AF_INET6, to, &a);
	for (unsigned int i = len; i < 128; i++)
		a.s6_addr[i / 8] = (uint8_t)(a.s6_addr[i / 8] & ~(0x80u >> i % 8));
	inet_ntop(AF_INET6, &a, to, IP6_TEXT);
	snprintf(to + strlen(to), 5, "/%u", len);
}
