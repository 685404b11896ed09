/* SPDX-License-Identifier: Apache-2.0 */
/* abi.h - the numbers and layouts of the Linux x86-64 socket interface that programs and we agree
 * on. Written out because the personality is built without a C library. Source: Linux UAPI headers.
 */
#ifndef GODWIT_LINUX_SOCKETS_ABI_H
#define GODWIT_LINUX_SOCKETS_ABI_H

#include "runtime/base/base.h"

enum { AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_SEQPACKET = 5 };
#define SOCK_TYPE_MASK 0xfu
#define SOCK_NONBLOCK 04000u /* also O_NONBLOCK */
#define SOCK_CLOEXEC 02000000u

enum { SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2 };

#define MSG_OOB 0x1u
#define MSG_PEEK 0x2u
#define MSG_CTRUNC 0x8u
#define MSG_TRUNC 0x20u
#define MSG_DONTWAIT 0x40u
#define MSG_EOR 0x80u
#define MSG_WAITALL 0x100u
#define MSG_ERRQUEUE 0x2000u
#define MSG_NOSIGNAL 0x4000u
#define MSG_MORE 0x8000u
#define MSG_WAITFORONE 0x10000u
#define MSG_CMSG_CLOEXEC 0x40000000u

enum { SOL_IP = 0, SOL_SOCKET = 1, SOL_TCP = 6, SOL_UDP = 17, SOL_IPV6 = 41 };
enum { IPPROTO_ICMP = 1, IPPROTO_TCP = 6, IPPROTO_UDP = 17 };

enum { /* SOL_SOCKET */
       SO_REUSEADDR = 2,
       SO_TYPE = 3,
       SO_ERROR = 4,
       SO_DONTROUTE = 5,
       SO_BROADCAST = 6,
       SO_SNDBUF = 7,
       SO_RCVBUF = 8,
       SO_KEEPALIVE = 9,
       SO_OOBINLINE = 10,
       SO_PRIORITY = 12,
       SO_LINGER = 13,
       SO_REUSEPORT = 15,
       SO_PASSCRED = 16,
       SO_PEERCRED = 17,
       SO_RCVLOWAT = 18,
       SO_SNDLOWAT = 19,
       SO_RCVTIMEO = 20,
       SO_SNDTIMEO = 21,
       SO_BINDTODEVICE = 25,
       SO_TIMESTAMP = 29,
       SO_ACCEPTCONN = 30,
       SO_SNDBUFFORCE = 32,
       SO_RCVBUFFORCE = 33,
       SO_TIMESTAMPNS = 35,
       SO_MARK = 36,
       SO_PROTOCOL = 38,
       SO_DOMAIN = 39,
       SO_RXQ_OVFL = 40,
       SO_BUSY_POLL = 46,
       SO_MAX_PACING_RATE = 47,
       SO_INCOMING_CPU = 49,
       SO_COOKIE = 57,
};
enum { /* SOL_IP */
       IP_TOS = 1,
       IP_TTL = 2,
       IP_PKTINFO = 8,
       IP_MTU_DISCOVER = 10,
       IP_RECVERR = 11,
       IP_RECVTTL = 12,
       IP_RECVTOS = 13,
       IP_MTU = 14,
       IP_FREEBIND = 15,
       IP_BIND_ADDRESS_NO_PORT = 24,
       IP_MULTICAST_TTL = 33,
       IP_MULTICAST_LOOP = 34,
};
enum { /* SOL_IPV6 */
       IPV6_UNICAST_HOPS = 16,
       IPV6_MULTICAST_HOPS = 18,
       IPV6_MULTICAST_LOOP = 19,
       IPV6_MTU_DISCOVER = 23,
       IPV6_MTU = 24,
       IPV6_RECVERR = 25,
       IPV6_V6ONLY = 26,
       IPV6_RECVPKTINFO = 49,
       IPV6_PKTINFO = 50,
       IPV6_RECVHOPLIMIT = 51,
       IPV6_DONTFRAG = 62,
       IPV6_RECVTCLASS = 66,
       IPV6_TCLASS = 67,
       IPV6_AUTOFLOWLABEL = 70,
       IPV6_FREEBIND = 78,
};
enum { /* SOL_TCP */
       TCP_NODELAY = 1,
       TCP_MAXSEG = 2,
       TCP_CORK = 3,
       TCP_KEEPIDLE = 4,
       TCP_KEEPINTVL = 5,
       TCP_KEEPCNT = 6,
       TCP_SYNCNT = 7,
       TCP_LINGER2 = 8,
       TCP_DEFER_ACCEPT = 9,
       TCP_WINDOW_CLAMP = 10,
       TCP_INFO = 11,
       TCP_QUICKACK = 12,
       TCP_CONGESTION = 13,
       TCP_USER_TIMEOUT = 18,
       TCP_FASTOPEN = 23,
       TCP_NOTSENT_LOWAT = 25,
       TCP_FASTOPEN_CONNECT = 30,
};
enum { SCM_RIGHTS = 1, SCM_CREDENTIALS = 2 };
#define SCM_MAX_FD 253u

#ifndef POLLIN
#define POLLIN 0x1u
#define POLLPRI 0x2u
#define POLLOUT 0x4u
#define POLLERR 0x8u
#define POLLHUP 0x10u
#endif
#ifndef POLLRDHUP
#define POLLRDHUP 0x2000u
#endif
#ifndef POLLRDNORM
#define POLLRDNORM 0x40u
#define POLLWRNORM 0x100u
#endif

#ifndef SIGPIPE
#define SIGPIPE 13
#endif

enum { /* ioctl */
       FIONREAD = 0x541b,
       SIOCATMARK = 0x8905,
       SIOCOUTQ = 0x5411,
       SIOCGIFNAME = 0x8910,
       SIOCGIFCONF = 0x8912,
       SIOCGIFFLAGS = 0x8913,
       SIOCGIFADDR = 0x8915,
       SIOCGIFDSTADDR = 0x8917,
       SIOCGIFBRDADDR = 0x8919,
       SIOCGIFNETMASK = 0x891b,
       SIOCGIFMETRIC = 0x891d,
       SIOCGIFMTU = 0x8921,
       SIOCGIFHWADDR = 0x8927,
       SIOCGIFINDEX = 0x8933,
};

struct sockaddr_in4 {
	uint16_t family, port_be;
	uint32_t ip4; /* network order */
	uint8_t zero[8];
};

/* Written out without the C library's name for the address, which is a macro. RFC 3493 3.3. */
struct sockaddr_in6 {
	uint16_t family, port_be;
	uint32_t flow;
	uint8_t ip6[16];
	uint32_t scope; /* interface index of a link-local address, else 0 */
};
_Static_assert(sizeof(struct sockaddr_in6) == 28, "struct sockaddr_in6");

enum { INTERFACE_LO = 1, INTERFACE_ETH0 = 2 }; /* interface indices */

struct msghdr64 {
	uint64_t name;
	uint32_t namelen, pad0;
	uint64_t iov, iovlen, control, controllen;
	uint32_t flags, pad1;
};
struct mmsghdr64 {
	struct msghdr64 hdr;
	uint32_t len, pad;
};
struct cmsghdr64 {
	uint64_t len;
	int32_t level, type;
};
struct ucred64 {
	int32_t pid;
	uint32_t uid, gid;
};
struct timeval64 {
	int64_t sec, usec;
};
struct in_pktinfo64 {
	int32_t ifindex;
	uint32_t spec_dst, addr;
};

struct in6_pktinfo64 {
	uint8_t addr[16];
	uint32_t ifindex;
};

/* Linux's struct tcp_info up to tcpi_total_retrans (104 bytes), then the byte counters. */
struct tcp_info64 {
	uint8_t state, ca_state, retransmits, probes, backoff, options, wscale, app_limited;
	uint32_t rto, ato, snd_mss, rcv_mss, unacked, sacked, lost, retrans, fackets;
	uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
	uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering;
	uint32_t rcv_rtt, rcv_space, total_retrans;
	uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
};
_Static_assert(sizeof(struct tcp_info64) == 136, "struct tcp_info");

struct ifreq64 {
	char name[16];
	union {
		struct sockaddr_in4 addr;
		uint8_t bytes[24];
		int16_t flags;
		int32_t value;
	} u;
};
_Static_assert(sizeof(struct ifreq64) == 40, "struct ifreq");
#endif
