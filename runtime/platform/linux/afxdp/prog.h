/* SPDX-License-Identifier: Apache-2.0 */
/* prog.h - what the XDP program and the process that loads it share. */
#ifndef GODWIT_PLATFORM_LINUX_AFXDP_PROG_H
#define GODWIT_PLATFORM_LINUX_AFXDP_PROG_H

#include <linux/types.h>

#define AFXDP_QUEUES 64

/* Written by the process, read for every frame. */
struct afxdp_rules {
	__u32 addr;	      /* the program's IPv4 address, network order */
	__u32 shared;	      /* 1: it is Linux's too, and ports decide */
	__u64 ports[2][1024]; /* TCP, UDP: bit port & 63 of word port >> 6 */
};

#endif
