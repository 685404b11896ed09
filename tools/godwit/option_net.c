/* SPDX-License-Identifier: Apache-2.0 */
/* option_net.c - the values of -p, --net, --addr and --congestion. See options_internal.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/godwit/options_internal.h"

#define USER_ADDR "10.0.2.15/24"
#define USER_GW "10.0.2.2"
#define USER_DNS "10.0.2.3"

static bool is_ipv4(const char *s)
{
	struct in_addr a;

	return inet_pton(AF_INET, s, &a) == 1;
}

static int bad_forward(const char *value, const char *why)
{
	return fail("-p %s: %s; write HOST:GUEST or ADDR:HOST:GUEST, with /udp behind for UDP "
		    "(-p 8080:80)",
		    value, why);
}

int option_forward(struct options *o, const char *value)
{
	struct forward f = { .addr = "127.0.0.1" };
	char copy[64], *part[3], *p = copy, *slash;
	uint64_t host, guest;
	size_t n = 0;

	if (strlen(value) >= sizeof(copy))
		return bad_forward(value, "too long");
	strcpy(copy, value);
	slash = strchr(copy, '/');
	if (slash != NULL) {
		if (strcmp(slash, "/udp") != 0 && strcmp(slash, "/tcp") != 0)
			return bad_forward(value, "the protocol is /tcp or /udp");
		f.udp = slash[1] == 'u';
		*slash = '\0';
	}
	for (; n < 3 && p != NULL; n++)
		part[n] = strsep(&p, ":");
	if (p != NULL || n < 2)
		return bad_forward(value, "two ports are needed");
	if (n == 3) {
		if (!is_ipv4(part[0]))
			return bad_forward(value, "the address is not an IPv4 address");
		strcpy(f.addr, part[0]);
	}
	if (parse_u64(part[n - 2], 0, 65535, &host) != 0 ||
	    parse_u64(part[n - 1], 1, 65535, &guest) != 0)
		return bad_forward(value,
				   "a port is a number from 1 to 65535 (host: 0 = any free one)");
	f.host = (uint16_t)host;
	f.guest = (uint16_t)guest;
	for (size_t i = 0; i < o->n_forwards; i++) {
		const struct forward *g = &o->forwards[i];

		if (host != 0 && g->host == f.host && g->udp == f.udp &&
		    strcmp(g->addr, f.addr) == 0)
			return fail("-p %s: host port %u is forwarded twice", value, f.host);
	}
	o->forwards = xrealloc(o->forwards, o->n_forwards + 1, sizeof(f));
	o->forwards[o->n_forwards++] = f;
	return 0;
}

int option_net(struct options *o, const char *value)
{
	if (strcmp(value, "user") == 0) {
		o->net = NET_USER;
	} else if (strcmp(value, "none") == 0) {
		o->net = NET_NONE;
	} else if (strncmp(value, "tap=", 4) == 0 && value[4] != '\0' &&
		   strlen(value + 4) < sizeof(o->tap) && strpbrk(value + 4, ",/ ") == NULL) {
		o->net = NET_TAP;
		strcpy(o->tap, value + 4);
	} else {
		return fail("--net %s: it takes user, none, or tap=IFACE with the name of a tap "
			    "interface",
			    value);
	}
	return 0;
}

static int bad_addr(const char *value, const char *why)
{
	return fail("--addr %s: %s; write dhcp or A.B.C.D/LEN[,gw=A.B.C.D][,dns=A.B.C.D]", value,
		    why);
}

int option_addr(struct options *o, const char *value)
{
	char copy[96], *p = copy, *part, *slash;
	uint64_t len;

	o->dhcp = strcmp(value, "dhcp") == 0;
	o->addr[0] = o->gw[0] = o->dns[0] = '\0';
	if (o->dhcp)
		return 0;
	if (strlen(value) >= sizeof(copy))
		return bad_addr(value, "too long");
	strcpy(copy, value);
	part = strsep(&p, ",");
	slash = strchr(part, '/');
	if (slash == NULL || parse_u64(slash + 1, 1, 31, &len) != 0)
		return bad_addr(value, "the prefix length (/24) is missing or bad");
	*slash = '\0';
	if (!is_ipv4(part))
		return bad_addr(value, "the address is not an IPv4 address");
	snprintf(o->addr, sizeof(o->addr), "%.15s/%u", part, (unsigned int)len);
	while ((part = strsep(&p, ",")) != NULL) {
		char *to = strncmp(part, "gw=", 3) == 0	   ? o->gw
			   : strncmp(part, "dns=", 4) == 0 ? o->dns
							   : NULL;
		const char *address = part + strcspn(part, "=") + 1;

		if (to == NULL)
			return bad_addr(value, "behind the address only gw= and dns= may follow");
		if (!is_ipv4(address))
			return bad_addr(value, "gateway or name server is not an IPv4 address");
		strcpy(to, address);
	}
	return 0;
}

int option_congestion(struct options *o, const char *value)
{
	if (strcmp(value, "cubic") != 0 && strcmp(value, "bbr") != 0)
		return fail("--congestion %s: it takes cubic or bbr", value);
	o->congestion = value[0] == 'b' ? "bbr" : NULL;
	return 0;
}

int option_ecn(struct options *o, const char *value)
{
	o->ecn = strcmp(value, "request") == 0 ? "request"
		 : strcmp(value, "off") == 0   ? "off"
					       : NULL;
	return o->ecn != NULL || strcmp(value, "accept") == 0
		       ? 0
		       : fail("--ecn %s: it takes accept, request or off", value);
}

/* Under user networking the gateway and name server are .2 and .3 of the network unless given. */
static void user_defaults(struct options *o)
{
	struct in_addr a;
	char copy[20];
	uint32_t mask, net;

	strcpy(copy, o->addr);
	mask = ~0u << (32 - (uint32_t)atoi(strchr(copy, '/') + 1));
	*strchr(copy, '/') = '\0';
	inet_pton(AF_INET, copy, &a);
	net = ntohl(a.s_addr) & mask;
	a.s_addr = htonl(net + 2);
	if (o->gw[0] == '\0')
		inet_ntop(AF_INET, &a, o->gw, sizeof(o->gw));
	a.s_addr = htonl(net + 3);
	if (o->dns[0] == '\0')
		inet_ntop(AF_INET, &a, o->dns, sizeof(o->dns));
}

int option_net_defaults(struct options *o)
{
	if (o->n_forwards != 0 && o->net != NET_USER)
		return fail("-p needs --net user: %s",
			    o->net == NET_TAP ? "on a tap the program is reached at its own address"
					      : "with --net none nothing reaches the program");
	if (o->net == NET_NONE && (o->dhcp || o->addr[0] != '\0'))
		return fail("--addr makes no sense with --net none");
	if (o->net == NET_NONE && o->ip6 > IP6_NONE)
		return fail("--addr6 makes no sense with --net none");
	option_net6_defaults(o, o->net == NET_TAP ? IP6_AUTO : IP6_NONE, o->net == NET_USER);
	if (o->net == NET_TAP && o->addr[0] == '\0')
		o->dhcp = true;
	if (o->net == NET_USER && !o->dhcp) {
		if (o->addr[0] == '\0')
			strcpy(o->addr, USER_ADDR);
		user_defaults(o);
	}
	return 0;
}
