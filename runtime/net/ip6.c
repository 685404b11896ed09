/* SPDX-License-Identifier: Apache-2.0 */
/* ip6.c - IPv6 addresses of a stack (so far only kept). */
#include "runtime/net/net_internal.h"

void net_set_ip6(struct net_stack *s, const uint8_t addr[16], unsigned prefix,
		 const uint8_t gateway[16], const uint8_t dns[16])
{
	struct net_ip6_addr *a = &s->ip6.addr[1];

	memcpy(a->addr, addr, 16);
	a->prefix = (uint8_t)GW_MIN(prefix, 128u);
	a->state = NET_IP6_TENTATIVE;
	a->preferred_until = a->valid_until = GW_NEVER;
	if (gateway != NULL)
		memcpy(s->ip6.gateway, gateway, 16);
	if (dns != NULL)
		memcpy(s->ip6.dns[0], dns, 16);
}

void net_start_ip6(struct net_stack *s)
{
	log_warn("net: IPv6 cannot be configured from the link yet");
	(void)s;
}

void net_adopt_ip6(struct net_stack *s, const struct net_ip6 *from)
{
	s->ip6 = *from;
}
