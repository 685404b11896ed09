/* SPDX-License-Identifier: Apache-2.0 */
/* name.c - socket addresses between the program's layout and ours. */
#include "linux/sockets/socket_internal.h"

static uint16_t swap16(uint16_t v)
{
	return (uint16_t)((v >> 8) | (v << 8));
}

int name_from_program(struct sock_name *n, uint64_t va, uint64_t len)
{
	if (len > sizeof(n->u.raw) || len < sizeof(n->u.family))
		return -EINVAL;
	memset(&n->u, 0, sizeof(n->u));
	n->len = (uint32_t)len;
	return copy_from_program(n->u.raw, va, len);
}

int name_to_program(const struct sock_name *n, uint64_t va, uint64_t len_va)
{
	uint32_t room;

	if (va == 0)
		return 0;
	if (copy_from_program(&room, len_va, sizeof(room)) < 0)
		return -EFAULT;
	if ((int32_t)room < 0)
		return -EINVAL;
	room = GW_MIN(room, n->len);
	if (room != 0 && copy_to_program(va, n->u.raw, room) < 0)
		return -EFAULT;
	return copy_to_program(len_va, &n->len, sizeof(n->len));
}

int name_to_endpoint(const struct sock_name *n, struct net_endpoint *out)
{
	if (n->len < sizeof(struct sockaddr_in4))
		return -EINVAL;
	if (n->u.family != AF_INET)
		return -EAFNOSUPPORT;
	*out = (struct net_endpoint){ .family = 4,
				      .port = swap16(n->u.in.port_be),
				      .ip4 = n->u.in.ip4 };
	return 0;
}

void name_from_endpoint(struct sock_name *n, const struct net_endpoint *e)
{
	n->len = sizeof(struct sockaddr_in4);
	n->u.in = (struct sockaddr_in4){ .family = AF_INET,
					 .port_be = swap16(e->port),
					 .ip4 = e->ip4 };
}
