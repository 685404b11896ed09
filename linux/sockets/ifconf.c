/* SPDX-License-Identifier: Apache-2.0 */
/* ifconf.c - the interface ioctls that programs read their own addresses with: lo, and eth0 when
 * there is a device. */
#include "linux/sockets/socket_internal.h"
#include "runtime/virtio/netdev.h"

#define IFF_UP 0x1
#define IFF_BROADCAST 0x2
#define IFF_LOOPBACK 0x8
#define IFF_RUNNING 0x40
#define IFF_MULTICAST 0x1000
#define ARPHRD_ETHER 1
#define ARPHRD_LOOPBACK 772
#define LO_MTU 65536

static const char *const names[] = { [INTERFACE_LO] = "lo", [INTERFACE_ETH0] = "eth0" };

struct interface {
	int index; /* 0: none */
	uint32_t addr, mask;
	int32_t mtu;
	const uint8_t *mac;
};

static struct interface interface(int index)
{
	struct interface i = {
		.index = INTERFACE_LO, .addr = 0x0100007f, .mask = 0x000000ff, .mtu = LO_MTU
	};
	struct netdev *d = netdev_get();
	const struct net_ip4 *ip;

	if (index == INTERFACE_LO)
		return i;
	if (index != INTERFACE_ETH0 || !d || !shard_self()->net)
		return (struct interface){ 0 };
	ip = net_get_ip4(shard_self()->net);
	return (struct interface){ INTERFACE_ETH0, ip->addr, ip->mask, netdev_info(d)->mtu,
				   netdev_info(d)->mac };
}

static void put_addr(struct ifreq64 *q, uint32_t ip4)
{
	q->u.addr = (struct sockaddr_in4){ .family = AF_INET, .ip4 = ip4 };
}

static int answer(struct ifreq64 *q, uint32_t cmd, const struct interface *i)
{
	switch (cmd) {
	case SIOCGIFNAME:
		str_copy(q->name, names[i->index], sizeof(q->name));
		return 0;
	case SIOCGIFINDEX:
		q->u.value = i->index;
		return 0;
	case SIOCGIFFLAGS:
		q->u.flags =
			IFF_UP | IFF_RUNNING |
			(i->index == INTERFACE_LO ? IFF_LOOPBACK : IFF_BROADCAST | IFF_MULTICAST);
		return 0;
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
		put_addr(q, i->addr);
		return i->addr ? 0 : -EADDRNOTAVAIL;
	case SIOCGIFNETMASK:
		put_addr(q, i->mask);
		return i->addr ? 0 : -EADDRNOTAVAIL;
	case SIOCGIFBRDADDR:
		put_addr(q, i->index == INTERFACE_LO ? 0 : i->addr | ~i->mask);
		return i->addr ? 0 : -EADDRNOTAVAIL;
	case SIOCGIFMTU:
		q->u.value = i->mtu;
		return 0;
	case SIOCGIFMETRIC:
		q->u.value = 0;
		return 0;
	case SIOCGIFHWADDR:
		memset(q->u.bytes, 0, sizeof(q->u.bytes));
		q->u.bytes[0] = (uint8_t)(i->mac ? ARPHRD_ETHER : ARPHRD_LOOPBACK & 0xff);
		q->u.bytes[1] = (uint8_t)(i->mac ? 0 : ARPHRD_LOOPBACK >> 8);
		if (i->mac)
			memcpy(q->u.bytes + 2, i->mac, 6);
		return 0;
	default:
		return -ENOTTY;
	}
}

/* struct ifconf: the room in bytes and a pointer; NULL asks for the room that is needed. */
static long list_all(uint64_t arg)
{
	struct {
		int32_t len, pad;
		uint64_t to;
	} conf;
	int32_t used = 0;

	if (copy_from_program(&conf, arg, sizeof(conf)) < 0)
		return -EFAULT;
	for (int k = INTERFACE_LO; k <= INTERFACE_ETH0; k++) {
		struct interface i = interface(k);
		struct ifreq64 q = { .name = { 0 } };

		if (i.index == 0 || i.addr == 0)
			continue;
		str_copy(q.name, names[k], sizeof(q.name));
		put_addr(&q, i.addr);
		if (conf.to != 0) {
			if (conf.len - used < (int32_t)sizeof(q))
				break;
			if (copy_to_program(conf.to + (uint32_t)used, &q, sizeof(q)) < 0)
				return -EFAULT;
		}
		used += (int32_t)sizeof(q);
	}
	conf.len = used;
	return copy_to_program(arg, &conf.len, sizeof(conf.len));
}

long socket_if_ioctl(uint64_t cmd, uint64_t arg)
{
	struct ifreq64 q;
	struct interface i = { 0 };
	int r;

	if (cmd == SIOCGIFCONF)
		return list_all(arg);
	if (cmd < SIOCGIFNAME || cmd > SIOCGIFINDEX)
		return -ENOTTY;
	if (copy_from_program(&q, arg, sizeof(q)) < 0)
		return -EFAULT;
	q.name[sizeof(q.name) - 1] = 0;
	for (int k = INTERFACE_LO; k <= INTERFACE_ETH0 && i.index == 0; k++)
		if (cmd == SIOCGIFNAME ? q.u.value == k : strcmp(q.name, names[k]) == 0)
			i = interface(k);
	if (i.index == 0)
		return -ENODEV;
	r = answer(&q, (uint32_t)cmd, &i);
	return r < 0 ? r : copy_to_program(arg, &q, sizeof(q));
}
