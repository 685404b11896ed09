/* SPDX-License-Identifier: Apache-2.0 */
/* port.h - the partition's ends of channels (abi/bundle.h), by the names in its configuration. The
 * kernel copies messages through the calling vcore's area; none of these functions parks. */
#ifndef GODWIT_RUNTIME_PORT_H
#define GODWIT_RUNTIME_PORT_H

#include "runtime/base/base.h"
#include "runtime/sched/sched.h"

struct port {
	const char *name;
	uint32_t number;    /* for the kernel's calls */
	uint32_t bytes;	    /* of a message, at most */
	uint32_t depth;	    /* queuing: messages; 0: sampling */
	bool source;	    /* this partition writes it */
	struct waitq waitq; /* notified, with all bits, when a message or room may have come to any
			       port that was used */
};

struct port_state {
	uint32_t count;	  /* messages it holds */
	bool valid;	  /* sampling: not older than the refresh period */
	uint64_t time_ns; /* port_read: of the message; port_status: of the last write; 0: none */
};

/* ports_init - read the configuration's port= lines; bad ones are left out with a log line. Once,
 * before the others. 0, -ENOMEM. */
int ports_init(void) MUST_CHECK;
uint32_t port_count(void);
struct port *port_at(uint32_t i); /* i < port_count(); it stays */

/* port_write - send n bytes (1..bytes). 0; -EAGAIN: the queue is full, the waitq is notified when
 * there is room; -EINVAL, -EPERM as the kernel has it.
 * port_read - take one message into to, which has room for p->bytes. Its length; -EAGAIN: none.
 * port_status - what there is, without taking it. 0 or -EPERM.
 * Any shard, context of a uthread or of the loop. Source: abi/call.h, ARINC 653-1 3.6. */
int port_write(struct port *p, const void *message, size_t n) MUST_CHECK;
long port_read(struct port *p, void *to, struct port_state *s) MUST_CHECK;
int port_status(struct port *p, struct port_state *s) MUST_CHECK;

#endif
