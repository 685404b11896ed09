/* SPDX-License-Identifier: Apache-2.0 */
/* afxdp.c - a network card by AF_XDP: the interface's facts, the XDP program, a socket for each of
 * the card's queues. The program is attached by a link, which goes with this process however it
 * ends. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/platform/linux/afxdp/afxdp_internal.h"
#include "runtime/platform/linux/hosted.h"

#define MTU_MAX 1600u /* a frame must fit into a block (queue.c) */

struct xdp_device xdp;

extern const uint8_t afxdp_prog_begin[], afxdp_prog_end[]; /* image.S */

static _Noreturn void cannot(const char *what, int err)
{
	hosted_fail("--net afxdp=%s: %s: %s%s", xdp.name, what, strerror(err < 0 ? -err : err),
		    err == EPERM || err == -EPERM || err == EACCES || err == -EACCES
			    ? " (it needs root, or CAP_NET_ADMIN, CAP_BPF and CAP_NET_RAW)"
			    : "");
}

/* ---- the interface ---- */

static void read_interface(void)
{
	struct netdev_info *info = &xdp.dev.info;
	struct ethtool_channels ch = { .cmd = ETHTOOL_GCHANNELS };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { 0 };

	xdp.ifindex = if_nametoindex(xdp.name);
	if (s < 0 || xdp.ifindex == 0)
		cannot("interface", errno);
	str_copy(r.ifr_name, xdp.name, IFNAMSIZ);
	if (ioctl(s, SIOCGIFHWADDR, &r) != 0)
		cannot("address", errno);
	memcpy(info->mac, r.ifr_hwaddr.sa_data, 6);
	if (ioctl(s, SIOCGIFMTU, &r) != 0)
		cannot("MTU", errno);
	if (r.ifr_mtu < 576 || r.ifr_mtu > (int)MTU_MAX)
		hosted_fail("--net afxdp=%s: its MTU is %d; it must be 576 to %u (ip link set %s "
			    "mtu 1500)",
			    xdp.name, r.ifr_mtu, MTU_MAX, xdp.name);
	info->mtu = (uint16_t)r.ifr_mtu;
	if (ioctl(s, SIOCGIFFLAGS, &r) == 0 && !(r.ifr_flags & IFF_UP))
		log_warn("the interface %s is down: ip link set %s up", xdp.name, xdp.name);
	r.ifr_data = (char *)&ch;
	xdp.n_queues = 1;
	if (ioctl(s, SIOCETHTOOL, &r) == 0 && ch.combined_count + ch.rx_count != 0)
		xdp.n_queues = ch.combined_count + ch.rx_count;
	close(s);
	if (xdp.n_queues > AFXDP_QUEUES)
		hosted_fail("--net afxdp=%s: it has %u queues, at most %u are used (ethtool -L %s "
			    "combined %u)",
			    xdp.name, xdp.n_queues, AFXDP_QUEUES, xdp.name, n_shards);
	info->queue_pairs = GW_MIN(xdp.n_queues, n_shards);
	if (xdp.n_queues < n_shards)
		log_warn("%s has %u queues for %u shards: the others get their packets from those "
			 "(ethtool -L %s combined %u)",
			 xdp.name, xdp.n_queues, n_shards, xdp.name, n_shards);
	info->link_up = true;
}

/* ---- the program in Linux's kernel ---- */

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

/* Load it, fill in the rules, attach it. Returns the map of sockets. */
static struct bpf_map *load_program(void)
{
	size_t len = (size_t)(afxdp_prog_end - afxdp_prog_begin), rules_len;
	struct bpf_object *o = bpf_object__open_mem(afxdp_prog_begin, len, NULL);
	struct bpf_program *prog =
		o != NULL ? bpf_object__find_program_by_name(o, "godwit_xdp") : NULL;
	struct bpf_map *sockets, *rules;
	int err;

	if (prog == NULL)
		cannot("the XDP program", errno);
	err = bpf_object__load(o);
	if (err != 0)
		cannot("the XDP program is not accepted", err);
	sockets = bpf_object__find_map_by_name(o, "sockets");
	rules = bpf_object__find_map_by_name(o, "rules");
	rules_len = ROUND_UP(sizeof(struct afxdp_rules), GW_PAGE_SIZE);
	xdp.rules =
		mmap(NULL, rules_len, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(rules), 0);
	if (xdp.rules == MAP_FAILED)
		cannot("its rules", errno);
	xdp.rules->shared = xdp.shared;
	xdp.object = o;
	xdp.link = bpf_program__attach_xdp(prog, (int)xdp.ifindex);
	if (xdp.link == NULL) {
		if (errno == EBUSY)
			hosted_fail("--net afxdp=%s: it has an XDP program already (ip link set %s "
				    "xdp off)",
				    xdp.name, xdp.name);
		cannot("the XDP program cannot be attached", errno);
	}
	return sockets;
}

static uint32_t read_addr(void)
{
	const char *s = config_get("net.addr");
	uint8_t b[4] = { 0 };
	uint32_t addr;

	for (unsigned i = 0; s != NULL && i < 4; i++) {
		unsigned v = 0;

		for (; *s >= '0' && *s <= '9' && v < 256; s++)
			v = v * 10 + (unsigned)(*s - '0');
		b[i] = (uint8_t)v;
		s += *s == '.';
	}
	memcpy(&addr, b, 4);
	return addr;
}

/* ---- sockets ---- */

static void open_queues(struct bpf_map *sockets)
{
	const struct xsk_umem_config uc = { .fill_size = RX_RING_SIZE,
					    .comp_size = RING_SIZE,
					    .frame_size = PBUF_SIZE,
					    .frame_headroom = PBUF_META };
	const struct xsk_socket_config sc = { .rx_size = RX_RING_SIZE,
					      .tx_size = RING_SIZE,
					      .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
					      .bind_flags = XDP_USE_NEED_WAKEUP };
	struct xdp_queue *q = xdp.queues;
	int err = xsk_umem__create(&xdp.umem, hosted_memory.base, hosted_memory.bytes, &q->fill,
				   &q->comp, &uc);

	if (err != 0)
		cannot("its memory", err);
	for (uint32_t i = 0; i < xdp.n_queues; i++, q++) {
		err = xsk_socket__create_shared(&q->xsk, xdp.name, i, xdp.umem, &q->rx, &q->tx,
						&q->fill, &q->comp, &sc);
		if (err == -EBUSY)
			hosted_fail("--net afxdp=%s: another program uses its queue %u", xdp.name,
				    i);
		if (err != 0)
			cannot("a socket", err);
		q->fd = xsk_socket__fd(q->xsk);
		err = bpf_map__update_elem(sockets, &i, sizeof(i), &q->fd, sizeof(q->fd), 0);
		if (err != 0)
			cannot("a socket for the XDP program", err);
	}
}

struct netdev *afxdp_start(const char *name)
{
	xdp.name = name;
	xdp.shared = config_get("host.own_address") != NULL;
	xdp.trust_checksums = config_get("host.trust_checksums") != NULL;
	libbpf_set_print(quiet);
	read_interface();
	open_queues(load_program());
	xdp.rules->addr = read_addr(); /* from here on packets come */
	xdp.dev.info.csum_rx = xdp.trust_checksums;
	xdp.dev.info.rx_frames = RX_RING_SIZE;
	xdp.dev.open = xdp_open;
	xdp.dev.port = xdp_port;
	xdp.dev.pick_port = xdp_pick_port;
	return &xdp.dev;
}
