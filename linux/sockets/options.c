/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - setsockopt and getsockopt. Most options are one integer: the table says where it is
 * kept and what values it takes, and the family is told of a change. What has no meaning here (one
 * network device, no congestion modules, no fast open) is kept and given back, which is all that
 * programs look at. */
#include "linux/sockets/socket_internal.h"
#include "runtime/netglue/glue.h"

struct int_option {
	uint8_t level, opt, index;
	bool boolean;
	int32_t initial, min, max;
};

#define BOOL(level, opt, index)                                  \
	{                                                        \
		level, opt, index, true, 0, INT32_MIN, INT32_MAX \
	}
#define INT(level, opt, index, initial, min, max)           \
	{                                                   \
		level, opt, index, false, initial, min, max \
	}
static const struct int_option table[] = {
	BOOL(SOL_SOCKET, SO_REUSEADDR, SI_REUSEADDR),
	BOOL(SOL_SOCKET, SO_DONTROUTE, SI_DONTROUTE),
	BOOL(SOL_SOCKET, SO_BROADCAST, SI_BROADCAST),
	BOOL(SOL_SOCKET, SO_KEEPALIVE, SI_KEEPALIVE),
	BOOL(SOL_SOCKET, SO_OOBINLINE, SI_OOBINLINE),
	INT(SOL_SOCKET, SO_PRIORITY, SI_PRIORITY, 0, 0, INT32_MAX),
	BOOL(SOL_SOCKET, SO_REUSEPORT, SI_REUSEPORT),
	BOOL(SOL_SOCKET, SO_PASSCRED, SI_PASSCRED),
	INT(SOL_SOCKET, SO_RCVLOWAT, SI_RCVLOWAT, 1, 0, INT32_MAX),
	BOOL(SOL_SOCKET, SO_TIMESTAMP, SI_TIMESTAMP),
	BOOL(SOL_SOCKET, SO_TIMESTAMPNS, SI_TIMESTAMPNS),
	INT(SOL_SOCKET, SO_MARK, SI_MARK, 0, INT32_MIN, INT32_MAX),
	BOOL(SOL_SOCKET, SO_RXQ_OVFL, SI_RXQ_OVFL),
	INT(SOL_SOCKET, SO_BUSY_POLL, SI_BUSY_POLL, 0, 0, INT32_MAX),
	INT(SOL_SOCKET, SO_MAX_PACING_RATE, SI_PACING, -1, INT32_MIN, INT32_MAX),
	INT(SOL_IP, IP_TOS, SI_TOS, 0, 0, 255),
	INT(SOL_IP, IP_TTL, SI_TTL, 64, 1, 255),
	BOOL(SOL_IP, IP_PKTINFO, SI_PKTINFO),
	INT(SOL_IP, IP_MTU_DISCOVER, SI_MTU_DISCOVER, 1, 0, 5),
	BOOL(SOL_IP, IP_RECVERR, SI_RECVERR),
	BOOL(SOL_IP, IP_RECVTTL, SI_RECVTTL),
	BOOL(SOL_IP, IP_RECVTOS, SI_RECVTOS),
	BOOL(SOL_IP, IP_FREEBIND, SI_FREEBIND),
	BOOL(SOL_IP, IP_BIND_ADDRESS_NO_PORT, SI_NO_PORT),
	INT(SOL_IP, IP_MULTICAST_TTL, SI_MCAST_TTL, 1, 0, 255),
	BOOL(SOL_IP, IP_MULTICAST_LOOP, SI_MCAST_LOOP),
	INT(SOL_IPV6, IPV6_UNICAST_HOPS, SI_UNICAST_HOPS, -1, -1, 255),
	INT(SOL_IPV6, IPV6_MULTICAST_HOPS, SI_MCAST_HOPS, 1, -1, 255),
	INT(SOL_IPV6, IPV6_MULTICAST_LOOP, SI_MCAST_LOOP6, 1, 0, 1),
	INT(SOL_IPV6, IPV6_MTU_DISCOVER, SI_MTU_DISCOVER6, 1, 0, 5),
	BOOL(SOL_IPV6, IPV6_RECVERR, SI_RECVERR6),
	BOOL(SOL_IPV6, IPV6_V6ONLY, SI_V6ONLY),
	BOOL(SOL_IPV6, IPV6_RECVPKTINFO, SI_PKTINFO6),
	BOOL(SOL_IPV6, IPV6_RECVHOPLIMIT, SI_RECVHOPLIMIT),
	BOOL(SOL_IPV6, IPV6_DONTFRAG, SI_DONTFRAG),
	BOOL(SOL_IPV6, IPV6_RECVTCLASS, SI_RECVTCLASS),
	INT(SOL_IPV6, IPV6_TCLASS, SI_TCLASS, 0, -1, 255),
	BOOL(SOL_IPV6, IPV6_AUTOFLOWLABEL, SI_AUTOFLOWLABEL),
	BOOL(SOL_IPV6, IPV6_FREEBIND, SI_FREEBIND),
	BOOL(SOL_TCP, TCP_NODELAY, SI_NODELAY),
	INT(SOL_TCP, TCP_MAXSEG, SI_MAXSEG, 0, 88, 32767),
	BOOL(SOL_TCP, TCP_CORK, SI_CORK),
	INT(SOL_TCP, TCP_KEEPIDLE, SI_KEEPIDLE, 7200, 1, 32767),
	INT(SOL_TCP, TCP_KEEPINTVL, SI_KEEPINTVL, 75, 1, 32767),
	INT(SOL_TCP, TCP_KEEPCNT, SI_KEEPCNT, 9, 1, 127),
	INT(SOL_TCP, TCP_SYNCNT, SI_SYNCNT, 6, 1, 127),
	INT(SOL_TCP, TCP_LINGER2, SI_LINGER2, 60, INT32_MIN, INT32_MAX),
	INT(SOL_TCP, TCP_DEFER_ACCEPT, SI_DEFER_ACCEPT, 0, 0, INT32_MAX),
	INT(SOL_TCP, TCP_WINDOW_CLAMP, SI_WINDOW_CLAMP, 0, 0, INT32_MAX),
	INT(SOL_TCP, TCP_QUICKACK, SI_QUICKACK, 1, INT32_MIN, INT32_MAX),
	INT(SOL_TCP, TCP_USER_TIMEOUT, SI_USER_TIMEOUT, 0, 0, INT32_MAX),
	INT(SOL_TCP, TCP_FASTOPEN, SI_FASTOPEN, 0, 0, INT32_MAX),
	INT(SOL_TCP, TCP_NOTSENT_LOWAT, SI_NOTSENT_LOWAT, 0, INT32_MIN, INT32_MAX),
	BOOL(SOL_TCP, TCP_FASTOPEN_CONNECT, SI_FASTOPEN_CONNECT),
	INT(SOL_TCP, TCP_CONGESTION, SI_CONGESTION, TCP_CUBIC, TCP_CUBIC, TCP_BBR),
};

#define HOPS_DEFAULT 64 /* -1 was asked for: the stack's own */
#define BUF_DEFAULT 212992
#define BUF_MAX 16777216 /* net.core.wmem_max and rmem_max of a server's setting */
#define SNDBUF_MIN 4608
#define RCVBUF_MIN 2304

void socket_default_options(struct socket *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		s->ints[table[i].index] = table[i].initial;
	s->ints[SI_MCAST_LOOP] = s->ints[SI_AUTOFLOWLABEL] = 1;
	s->ints[SI_CONGESTION] = (int32_t)net_default_congestion();
	s->ints[SI_SNDBUF] = s->ints[SI_RCVBUF] = BUF_DEFAULT;
}

void socket_apply_options(struct socket *s)
{
	if (!s->ops->option || s->changed == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (s->changed & (1ull << table[i].index))
			(void)s->ops->option(s, table[i].level, table[i].opt,
					     s->ints[table[i].index]);
	if (s->changed & (1ull << SI_SNDBUF))
		(void)s->ops->option(s, SOL_SOCKET, SO_SNDBUF, s->ints[SI_SNDBUF]);
	if (s->changed & (1ull << SI_RCVBUF))
		(void)s->ops->option(s, SOL_SOCKET, SO_RCVBUF, s->ints[SI_RCVBUF]);
}

static const struct int_option *find(const struct socket *s, int level, int opt)
{
	if ((level == SOL_TCP && s->protocol != IPPROTO_TCP) ||
	    (level == SOL_IP && s->domain != AF_INET && s->domain != AF_INET6) ||
	    (level == SOL_IPV6 && s->domain != AF_INET6))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].level == level && table[i].opt == opt)
			return &table[i];
	return NULL;
}

static int set_int(struct socket *s, const struct int_option *o, int32_t value)
{
	int r = 0;

	if (o->boolean)
		value = value != 0;
	else if ((o->index == SI_TTL || o->index == SI_TCLASS || o->index == SI_MCAST_HOPS) &&
		 value == -1)
		value = o->initial;
	else if (o->index == SI_MAXSEG && value == 0)
		value = 0; /* back to the route's */
	else if (value < o->min || value > o->max)
		return -EINVAL;
	if (o->index == SI_RCVLOWAT && value == 0)
		value = 1;
	if (s->ops->option)
		r = s->ops->option(s, o->level, o->opt, value);
	if (r == 0) {
		s->ints[o->index] = value;
		s->changed |= 1ull << o->index;
	}
	return r;
}

/* Linux keeps twice what is asked for, its own bookkeeping counted in. */
static int set_buffer(struct socket *s, bool send, int32_t value)
{
	int32_t least = send ? SNDBUF_MIN : RCVBUF_MIN;
	unsigned index = send ? SI_SNDBUF : SI_RCVBUF;

	value = value < 0 || value > BUF_MAX / 2 ? BUF_MAX : value * 2;
	s->ints[index] = GW_MAX(value, least);
	s->changed |= 1ull << index;
	return s->ops->option
		       ? s->ops->option(s, SOL_SOCKET, send ? SO_SNDBUF : SO_RCVBUF, s->ints[index])
		       : 0;
}

static int set_timeout(struct socket *s, bool send, uint64_t va, uint32_t len)
{
	struct timeval64 tv;
	uint64_t ns;

	if (len < sizeof(tv))
		return -EINVAL;
	if (copy_from_program(&tv, va, sizeof(tv)) < 0)
		return -EFAULT;
	if (tv.usec < 0 || tv.usec >= 1000000)
		return -EDOM;
	if (tv.sec < 0) /* as Linux: does not wait at all */
		ns = 1;
	else if (tv.sec > 1000000000)
		ns = 0;
	else
		ns = (uint64_t)tv.sec * NS_PER_SEC + (uint64_t)tv.usec * NS_PER_US;
	*(send ? &s->sndtimeo_ns : &s->rcvtimeo_ns) = ns;
	return 0;
}

static int set_linger(struct socket *s, uint64_t va, uint32_t len)
{
	int32_t lg[2]; /* l_onoff, l_linger */
	int seconds;

	if (len < sizeof(lg))
		return -EINVAL;
	if (copy_from_program(lg, va, sizeof(lg)) < 0)
		return -EFAULT;
	seconds = lg[0] ? (int)GW_MIN((uint32_t)lg[1], 32767u) : -1;
	s->linger_s = seconds;
	return s->ops->option ? s->ops->option(s, SOL_SOCKET, SO_LINGER, seconds) : 0;
}

static int set_text(struct socket *s, int level, uint64_t va, uint32_t len)
{
	char text[17] = { 0 };

	len = GW_MIN(len, (uint32_t)sizeof(text) - 1);
	if (len != 0 && copy_from_program(text, va, len) < 0)
		return -EFAULT;
	if (level == SOL_SOCKET) /* SO_BINDTODEVICE */
		return text[0] == 0 || strcmp(text, "eth0") == 0 || strcmp(text, "lo") == 0
			       ? 0
			       : -ENODEV;
	if (strcmp(text, "bbr") == 0)
		return set_int(s, find(s, level, TCP_CONGESTION), TCP_BBR);
	if (strcmp(text, "cubic") == 0 || strcmp(text, "reno") == 0)
		return set_int(s, find(s, level, TCP_CONGESTION), TCP_CUBIC);
	return -ENOENT;
}

int socket_setopt(struct socket *s, int level, int opt, uint64_t va, uint32_t len)
{
	const struct int_option *o;
	int32_t value = 0;

	if ((int32_t)len < 0)
		return -EINVAL;
	if (level == SOL_SOCKET && (opt == SO_RCVTIMEO || opt == SO_SNDTIMEO))
		return set_timeout(s, opt == SO_SNDTIMEO, va, len);
	if (level == SOL_SOCKET && opt == SO_LINGER)
		return set_linger(s, va, len);
	if ((level == SOL_SOCKET && opt == SO_BINDTODEVICE) ||
	    (level == SOL_TCP && opt == TCP_CONGESTION && s->protocol == IPPROTO_TCP))
		return set_text(s, level, va, len);
	if (level == SOL_IP && len >= 1 && len < sizeof(value)) {
		uint8_t byte;

		if (copy_from_program(&byte, va, 1) < 0)
			return -EFAULT;
		value = byte;
	} else {
		if (len < sizeof(value))
			return -EINVAL;
		if (copy_from_program(&value, va, sizeof(value)) < 0)
			return -EFAULT;
	}
	if (level == SOL_SOCKET && (opt == SO_SNDBUF || opt == SO_SNDBUFFORCE))
		return set_buffer(s, true, value);
	if (level == SOL_SOCKET && (opt == SO_RCVBUF || opt == SO_RCVBUFFORCE))
		return set_buffer(s, false, value);
	if (level == SOL_SOCKET && opt == SO_INCOMING_CPU)
		return 0; /* a hint; the shard that reads takes the connection */
	o = find(s, level, opt);
	return o ? set_int(s, o, value) : -ENOPROTOOPT;
}

/* SOL_SOCKET values that are not in the table: the number, or -ENOPROTOOPT. */
static int get_socket_value(struct socket *s, int opt, int32_t *out)
{
	switch (opt) {
	case SO_TYPE:
		*out = s->type;
		return 0;
	case SO_DOMAIN:
		*out = s->domain;
		return 0;
	case SO_PROTOCOL:
		*out = s->protocol;
		return 0;
	case SO_ERROR:
		*out = -socket_take_error(s);
		return 0;
	case SO_SNDBUF:
		*out = s->ints[SI_SNDBUF];
		return 0;
	case SO_RCVBUF:
		*out = s->ints[SI_RCVBUF];
		return 0;
	case SO_SNDLOWAT:
		*out = 1;
		return 0;
	case SO_INCOMING_CPU:
		*out = (int32_t)shard_self()->id;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* Options with a layout of their own: fills buf, *len from the room to the length. */
static int get_structured(struct socket *s, int level, int opt, void *buf, uint32_t *len)
{
	if (level == SOL_SOCKET && (opt == SO_RCVTIMEO || opt == SO_SNDTIMEO)) {
		uint64_t ns = opt == SO_SNDTIMEO ? s->sndtimeo_ns : s->rcvtimeo_ns;
		struct timeval64 tv = { (int64_t)(ns / NS_PER_SEC),
					(int64_t)(ns % NS_PER_SEC / NS_PER_US) };

		*len = sizeof(tv);
		memcpy(buf, &tv, sizeof(tv));
		return 0;
	}
	if (level == SOL_SOCKET && opt == SO_LINGER) {
		int32_t lg[2] = { s->linger_s >= 0, s->linger_s >= 0 ? s->linger_s : 0 };

		*len = sizeof(lg);
		memcpy(buf, lg, sizeof(lg));
		return 0;
	}
	if (level == SOL_SOCKET && opt == SO_BINDTODEVICE) {
		*len = 0;
		return 0;
	}
	if (level == SOL_SOCKET && opt == SO_COOKIE) {
		uint64_t cookie = (uint64_t)(uintptr_t)s >> 4;

		*len = sizeof(cookie);
		memcpy(buf, &cookie, sizeof(cookie));
		return 0;
	}
	if (level == SOL_TCP && opt == TCP_CONGESTION && s->protocol == IPPROTO_TCP) {
		*len = 16;
		memset(buf, 0, 16);
		memcpy(buf, s->ints[SI_CONGESTION] == TCP_BBR ? "bbr\0" : "cubic", 5);
		return 0;
	}
	return s->ops->get_special ? s->ops->get_special(s, level, opt, buf, len) : -ENOPROTOOPT;
}

int socket_getopt(struct socket *s, int level, int opt, uint64_t va, uint64_t len_va)
{
	const struct int_option *o = find(s, level, opt);
	uint8_t buf[160];
	uint32_t room, len = sizeof(int32_t);
	int32_t value;
	int r = 0;

	if (copy_from_program(&room, len_va, sizeof(room)) < 0)
		return -EFAULT;
	if ((int32_t)room < 0)
		return -EINVAL;
	if (o && o->index != SI_CONGESTION) /* that one is text */
		value = o->index == SI_UNICAST_HOPS && s->ints[SI_UNICAST_HOPS] < 0
				? HOPS_DEFAULT
				: s->ints[o->index];
	else
		r = level == SOL_SOCKET ? get_socket_value(s, opt, &value) : -ENOPROTOOPT;
	if (r == 0) {
		memcpy(buf, &value, sizeof(value));
	} else {
		len = sizeof(buf);
		r = get_structured(s, level, opt, buf, &len);
		if (r < 0)
			return r;
	}
	len = GW_MIN(len, room);
	if (len != 0 && copy_to_program(va, buf, len) < 0)
		return -EFAULT;
	return copy_to_program(len_va, &len, sizeof(len));
}
