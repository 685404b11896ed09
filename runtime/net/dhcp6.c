/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/net/ip6_internal.h"
void dhcp6_start(struct net_stack *s, bool managed)
{
	(void)s;
	(void)managed;
}
void dhcp6_input(struct net_stack *s, struct pbuf *payload)
{
	pbuf_free(s->cfg.pool, payload);
}
