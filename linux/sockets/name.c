/* SPDX-License-Identifier: Apache-2.0 */
/* name.c - socket addresses between the program's layout and ours. The one place where IPv4-mapped
 * IPv6 addresses (RFC 3493 3.7) are made and taken apart: the stack knows none. */
#include "linux/sockets/socket_internal.h"

#define IN6_OLD_SIZE                                                                 \
	24u /* struct sockaddr_in6 of RFC 2133, without a scope: taken as Linux does \
	     */

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

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

bool endpoint_is_link_local(const struct net_endpoint *e)
{
	return e->family == 6 && e->ip6[0] == 0xfe && (e->ip6[1] & 0xc0) == 0x80;
}

bool endpoint_is_loopback(const struct net_endpoint *e)
{
	static const uint8_t one[16] = { [15] = 1 };

	return e->family == 6 ? memcmp(e->ip6, one, 16) == 0 : (e->ip4 & 0xff) == 127;
}

void endpoint_default(struct net_endpoint *e)
{
	if (!net_endpoint_is_any(e))
		return;
	if (e->family == 6)
		e->ip6[15] = 1;
	else
		e->ip4 = 0x0100007f; /* 127.0.0.1 */
}

static int from_in6(const struct sock_name *n, struct net_endpoint *out)
{
	const struct sockaddr_in6 *a = &n->u.in6;

	if (n->len < IN6_OLD_SIZE)
		return -EINVAL;
	if (a->family != AF_INET6)
		return -EAFNOSUPPORT;
	*out = (struct net_endpoint){ .family = 6, .port = swap16(a->port_be) };
	if (memcmp(a->ip6, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		out->family = 4;
		memcpy(&out->ip4, a->ip6 + 12, 4);
		return 0;
	}
	memcpy(out->ip6, a->ip6, 16);
	/* ipv6(7): a link-local address says by its scope which interface is meant. */
	if (endpoint_is_link_local(out) && a->scope != INTERFACE_ETH0)
		return a->scope == 0 ? -EINVAL : -ENODEV;
	return 0;
}

int name_to_endpoint(const struct socket *s, const struct sock_name *n, struct net_endpoint *out)
{
	/* IPv6 datagram sockets take IPv4 names, too (Linux: connect and sendto) */
	if (s->domain == AF_INET6 && (s->type != SOCK_DGRAM || n->u.family != AF_INET))
		return from_in6(n, out);
	if (n->len < sizeof(struct sockaddr_in4))
		return -EINVAL;
	if (n->u.family != AF_INET)
		return -EAFNOSUPPORT;
	*out = (struct net_endpoint){ .family = 4,
				      .port = swap16(n->u.in.port_be),
				      .ip4 = n->u.in.ip4 };
	return 0;
}

void endpoint_to_in6(const struct net_endpoint *e, uint8_t ip6[16])
{
	if (e->family == 6) {
		memcpy(ip6, e->ip6, 16);
	} else {
		memcpy(ip6, mapped_prefix, sizeof(mapped_prefix));
		memcpy(ip6 + 12, &e->ip4, 4);
	}
}

void name_from_endpoint(const struct socket *s, struct sock_name *n, const struct net_endpoint *e)
{
	if (s->domain == AF_INET6) {
		n->len = sizeof(struct sockaddr_in6);
		n->u.in6 = (struct sockaddr_in6){ .family = AF_INET6, .port_be = swap16(e->port) };
		endpoint_to_in6(e, n->u.in6.ip6);
		if (endpoint_is_link_local(e))
			n->u.in6.scope = INTERFACE_ETH0;
		return;
	}
	n->len = sizeof(struct sockaddr_in4);
	n->u.in = (struct sockaddr_in4){ .family = AF_INET,
					 .port_be = swap16(e->port),
					 .ip4 = e->ip4 };
}
