/* SPDX-License-Identifier: Apache-2.0 */
/* prog.bpf.c - runs in Linux's kernel for every frame that a card received, and says which are the
 * program's; all others go on to Linux untouched.
 *
 *   an address of its own:   what is sent to it, and ARP about it
 *   Linux's address shared:  TCP and UDP to the ports that the program took, and ICMP errors about
 *                            them. ARP, ping, fragments, everything else: Linux's. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <stddef.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "runtime/platform/linux/afxdp/prog.h"

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, AFXDP_QUEUES);
	__type(key, __u32);
	__type(value, __u32);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct afxdp_rules);
} rules SEC(".maps");

static inline int is_ours(const struct afxdp_rules *r, __u8 proto, __be16 port)
{
	__u16 p = bpf_ntohs(port);

	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return 0;
	return r->ports[proto == IPPROTO_UDP][p >> 6] >> (p & 63) & 1;
}

/* An ICMP error quotes the packet that it is about: one of ours, if its source port is. */
static inline int icmp_ours(const struct afxdp_rules *r, const __u8 *icmp, const void *end)
{
	const struct iphdr *quoted = (const void *)(icmp + 8);
	const __be16 *ports;

	if ((const void *)(quoted + 1) > end)
		return 0;
	if (icmp[0] != 3 && icmp[0] != 11 && icmp[0] != 12) /* RFC 792 */
		return 0;
	ports = (const void *)((const __u8 *)quoted + quoted->ihl * 4);
	if ((const void *)(ports + 2) > end)
		return 0;
	return is_ours(r, quoted->protocol, ports[0]);
}

static inline int ip_ours(const struct afxdp_rules *r, const struct iphdr *ip, const void *end)
{
	const __be16 *ports;

	if ((const void *)(ip + 1) > end || ip->daddr != r->addr)
		return 0;
	if (!r->shared)
		return 1;
	if (ip->frag_off & bpf_htons(0x3fff))
		return 0;
	ports = (const void *)((const __u8 *)ip + ip->ihl * 4);
	if ((const void *)(ports + 2) > end)
		return 0;
	if (ip->protocol == IPPROTO_ICMP)
		return icmp_ours(r, (const __u8 *)ports, end);
	return is_ours(r, ip->protocol, ports[1]);
}

/* RFC 826: the target's address is at 24. */
static inline int arp_ours(const struct afxdp_rules *r, const __u8 *arp, const void *end)
{
	__u32 target;

	if (r->shared || (const void *)(arp + 28) > end)
		return 0;
	__builtin_memcpy(&target, arp + 24, 4);
	return target == r->addr;
}

SEC("xdp")
int godwit_xdp(struct xdp_md *ctx)
{
	const void *end = (const void *)(long)ctx->data_end;
	const struct ethhdr *eth = (const void *)(long)ctx->data;
	const struct afxdp_rules *r;
	__u32 zero = 0;
	int ours = 0;

	r = bpf_map_lookup_elem(&rules, &zero);
	if (r == NULL || (const void *)(eth + 1) > end)
		return XDP_PASS;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		ours = ip_ours(r, (const void *)(eth + 1), end);
	else if (eth->h_proto == bpf_htons(ETH_P_ARP))
		ours = arp_ours(r, (const void *)(eth + 1), end);
	return ours ? bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS) : XDP_PASS;
}

char godwit_license[] SEC("license") = "Apache-2.0";
