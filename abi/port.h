/* SPDX-License-Identifier: Apache-2.0 */
/* port.h - what a Linux program finds at /dev/port/NAME, the partition's end of a channel.
 *
 * write(2) sends one message, read(2) takes one; neither is ever cut or joined. A message longer
 * than the channel's, or a buffer shorter, is EMSGSIZE and moves nothing. With O_NONBLOCK, EAGAIN
 * where a call would wait: for a message, for room in a queue. Reading a source or writing a
 * destination is EBADF. poll(2): a queue is readable while it has messages, writable while it has
 * room; a sampling port is readable when its message is newer than the one this descriptor read
 * last, and reading it leaves the message there. */
#ifndef GODWIT_ABI_PORT_H
#define GODWIT_ABI_PORT_H

#include <stdint.h>

#define GW_PORT_SOURCE 1u  /* this partition writes it */
#define GW_PORT_QUEUING 2u /* else sampling */

/* ioctl(fd, GW_PORT_STATUS, struct gw_port_status *); /dev/port/status has a line of text for each
 * port. */
#define GW_PORT_STATUS 0x80285001u /* _IOR('P', 1, struct gw_port_status) */
struct gw_port_status {
	uint32_t flags;		/* GW_PORT_* */
	uint32_t message_bytes; /* at most */
	uint32_t depth;		/* queuing: messages that it holds at most */
	uint32_t messages;	/* that it holds now; sampling: 0 until the first is written */
	uint32_t valid; /* sampling: the message is not older than the channel's refresh period */
	uint32_t reserved;
	uint64_t written_ns; /* CLOCK_MONOTONIC of the last write; 0: none */
	uint64_t read_ns; /* CLOCK_MONOTONIC of the write of the message that this descriptor read
			     last; 0: none */
};
_Static_assert(sizeof(struct gw_port_status) == 0x28, "port status layout");

#endif
