/* SPDX-License-Identifier: Apache-2.0 */
/* host_address.c - the address and the gateway that an interface has in Linux. See host.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "tools/godwit/host.h"

/* "A.B.C.D/LEN" of one of the interface's addresses; wanted: only if it is this one. */
static bool find(const char *interface, const char *wanted, char *to, size_t size)
{
	struct ifaddrs *all;
	bool found = false;

	if (getifaddrs(&all) != 0)
		return false;
	for (const struct ifaddrs *a = all; a != NULL && !found; a = a->ifa_next) {
		struct in_addr ip, mask;
		char text[INET_ADDRSTRLEN];

		if (a->ifa_addr == NULL || a->ifa_addr->sa_family != AF_INET ||
		    strcmp(a->ifa_name, interface) != 0 || a->ifa_netmask == NULL)
			continue;
		memcpy(&ip, a->ifa_addr->sa_data + 2, sizeof(ip));
		memcpy(&mask, a->ifa_netmask->sa_data + 2, sizeof(mask));
		inet_ntop(AF_INET, &ip, text, sizeof(text));
		if (wanted != NULL &&
		    (strncmp(wanted, text, strlen(text)) != 0 || wanted[strlen(text)] != '/'))
			continue;
		snprintf(to, size, "%s/%d", text, __builtin_popcount(mask.s_addr));
		found = true;
	}
	freeifaddrs(all);
	return found;
}

/* The default route through the interface, from /proc/net/route (numbers as in memory, in hex). */
static void find_gateway(const char *interface, char *to, size_t size)
{
	FILE *f = fopen("/proc/net/route", "re");
	unsigned int dest, gw;
	char line[256], name[32];

	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		struct in_addr a;

		if (sscanf(line, "%31s %x %x", name, &dest, &gw) != 3 || dest != 0 || gw == 0 ||
		    strcmp(name, interface) != 0)
			continue;
		a.s_addr = gw;
		inet_ntop(AF_INET, &a, to, (socklen_t)size);
		break;
	}
	fclose(f);
}

int host_address(struct host_options *h)
{
	struct options *o = &h->base;
	char own[20];

	if (if_nametoindex(h->interface) == 0)
		return fail("--net afxdp=%s: no such interface ('ip link' lists them)",
			    h->interface);
	if (o->addr[0] != '\0') {
		h->own_address = find(h->interface, o->addr, own, sizeof(own));
		return 0;
	}
	if (!find(h->interface, NULL, o->addr, sizeof(o->addr)))
		return fail("--net afxdp=%s: the interface has no IPv4 address; give one with "
			    "--addr A.B.C.D/LEN",
			    h->interface);
	h->own_address = true;
	if (o->gw[0] == '\0')
		find_gateway(h->interface, o->gw, sizeof(o->gw));
	return 0;
}
