/* SPDX-License-Identifier: Apache-2.0 */
/* arp.c - ARP where the address is Linux's too. Linux answers who asks for it; the answers to our
 * own questions go to Linux, which ignores them, and a packet socket shows them to us as well. Only
 * replies to this card from other machines are taken; the stack checks the rest. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/platform/linux/afxdp/afxdp_internal.h"

#define ARP_FRAME 42u /* Ethernet 14, ARP 28 */
#define ARP_REPLY 2
#define TAKE_MAX 32u

int xdp_arp_open(unsigned ifindex)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ARP));
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ARP),
				  .sll_ifindex = (int)ifindex };

	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	log_warn("no packet socket (%s): only machines that speak first are reached",
		 strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

void xdp_arp_take(struct xdp_shard *s)
{
	uint8_t bytes[64];

	for (uint32_t i = 0; i < TAKE_MAX; i++) {
		struct sockaddr_ll from = { 0 };
		socklen_t len = sizeof(from);
		struct pbuf *p;
		ssize_t n = recvfrom(s->arp_fd, bytes, sizeof(bytes), MSG_DONTWAIT,
				     (struct sockaddr *)&from, &len);

		if (n < 0)
			return;
		if (n < (ssize_t)ARP_FRAME || from.sll_pkttype != PACKET_HOST || bytes[20] != 0 ||
		    bytes[21] != ARP_REPLY)
			continue;
		p = pbuf_alloc(s->pool, PBUF_HEADROOM);
		if (p == NULL)
			return;
		memcpy(p->data, bytes, ARP_FRAME);
		p->len = p->total = ARP_FRAME;
		s->input(s->ctx, p);
	}
}
