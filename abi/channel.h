/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h - what the host command and a partition's runtime say to each other: the configuration
 * blob of the bundle, and three ports of one virtio-serial device.
 *
 * Configuration blob: NUL-terminated `key=value` strings, one after the other, up to config_len or
 * to an empty string (two NULs in a row), whichever comes first:
 *   program=PATH  arg=...  (repeated, argv[0] first)  env=NAME=VALUE (repeated)  cwd=/  hostname=
 *   uid=0 gid=0   tty=1 (standard input is a terminal)   poll_ns=0
 *   net=dhcp|static|none  net.addr=10.0.2.15/24  net.gw=A.B.C.D  net.dns=A.B.C.D
 *   net6=auto|static|none  net6.addr=2001:db8::2/64  net6.gw=ADDRESS  net6.dns=ADDRESS
 *   root=blk|memory|none  blk: the first virtio-blk device holds the root image (root.h); memory:
 * it follows these strings in the blob, from the first page boundary behind the empty string on
 *   port=NUMBER source|destination sampling|queuing BYTES DEPTH NAME   (repeated) the partition's
 *                        ends of channels: the number for the port calls, the largest message,
 *                        messages a queue holds (sampling: 0), its name
 *   raise=CLASS          (repeated) an end of the program that is an error of this class (bundle.h)
 *                        is raised to the kernel's health monitor
 *   stdin=none           standard input is at its end from the start
 *   set=KEY=VALUE (repeated): a native program's own configuration
 *   host.cores=2,3  host.memory=BYTES  host.net=tap=IF|afxdp=IF|vhost-user=SOCKET  host.shared=1
 * (memory that a back end maps)  host.disk=PATH (repeated)  host.own_address=1
 * host.trust_checksums=1: of a Linux process only
 *   trace=N              follow every Nth received data packet (trace records)
 *
 * Ports are found by number. Number 0 stays unused: QEMU reserves it for `virtconsole`, which drops
 * output when its reader is slow, where `virtserialport` holds the queue until there is room.
 *
 * Port GW_CHANNEL_CONTROL carries lines of text, each ended by '\n', at most GW_CHANNEL_LINE bytes.
 *   runtime to host: boot NAME NS (ns since kernel entry)
 *                    listen tcp|udp|tcp6|udp6 PORT (reachable from outside; 6: by IPv6 alone)
 *                    stat NAME VALUE     enosys NAME-or-NR COUNT
 *                    metric TEXT (a line of Prometheus text; without TEXT: that was all of it)
 *                    trace SHARD TID ADDR:PORT PORT NS T1 .. T10 (a request's life: remote and
 *                        local end, [ADDR] for IPv6; NS of the machine's monotonic clock at the
 *                        first point of enum gw_trace, ns since that for each other; -: not met)
 *                    trace lost N M (N requests that could not be kept, M given up unanswered)
 *                    error TEXT                 signal N NAME (the program died by it)
 *                    exit STATUS (0..255, the last record)
 *   host to runtime: stop (ask the program to end: SIGTERM)   kill (end at once)
 *                    stat (send the stat, enosys and metric records now)
 *                    eof BYTES (standard input ended after BYTES bytes in all)
 * The machine ends as soon as the runtime says so: what it sent before must be used up by the
 * device first, or it is lost. */
#ifndef GODWIT_ABI_CHANNEL_H
#define GODWIT_ABI_CHANNEL_H

#define GW_CHANNEL_CONSOLE 1u /* standard input and output */
#define GW_CHANNEL_STDERR 2u  /* standard error, from the guest */
#define GW_CHANNEL_CONTROL 3u
#define GW_CHANNEL_PORTS 4u /* max_ports of the device, the unused number 0 included */
#define GW_CHANNEL_LINE 1024u

/* The points of a request's life, in order of time. */
enum gw_trace {
	GW_TRACE_RING,	   /* the loop found the device's receive ring filled */
	GW_TRACE_INPUT,	   /* the packet goes into the stack */
	GW_TRACE_QUEUED,   /* its data are in the socket's queue */
	GW_TRACE_WOKEN,	   /* who waits for them was woken */
	GW_TRACE_RUN,	   /* the thread runs; not met: it ran already */
	GW_TRACE_READY,	   /* poll, epoll or select has seen the socket ready; not met: not asked */
	GW_TRACE_READ,	   /* the program's read call */
	GW_TRACE_READ_END, /* its last before the write has the data */
	GW_TRACE_WRITE,	   /* the program's write call */
	GW_TRACE_SENT,	   /* the reply's first packet is in the device's send ring */
	GW_TRACE_BELL,	   /* the device was told */
	GW_TRACE_POINTS
};

/* isa-debug-exit: QEMU's exit status is (status << 1) | 1. */
#define GW_EXIT_PORT 0xf4u
#define GW_EXIT_BAD_BUNDLE 3u
#define GW_EXIT_FAULT 125u

#endif
