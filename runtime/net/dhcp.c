/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/net/net_internal.h"
void dhcp_input(struct net_stack *s, struct pbuf *payload)
{
	pbuf_free(s->cfg.pool, payload);
}
