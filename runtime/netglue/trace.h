/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - a request's life: when sampled packets of TCP connections were in which hands, from the
 * device's receive ring to its send ring. On only when the configuration says trace=N; then the
 * function pointers that a packet passes through (device to stack, stack to device, poller, the
 * socket's operations) lead through here first. Off, nothing on a packet's way looks whether it is
 * on. Each shard has its own state and its own ring of finished samples; there are no locks. */
#ifndef GODWIT_RUNTIME_NETGLUE_TRACE_H
#define GODWIT_RUNTIME_NETGLUE_TRACE_H

#include "abi/channel.h"
#include "runtime/net/net.h"
#include "runtime/sched/sched.h"

/* One sampled request, kept with its connection and used again for the next. Between trace_begin
 * and its end it is active; then those who are on the connection's home shard write its times. */
struct trace_sample {
	struct list_node link;	 /* of its shard: the reply is written, or sent */
	_Atomic uint32_t active; /* ended by the shard that has it in a list */
	uint32_t shard;		 /* where the request was, or is, and whose list */
	bool crossed; /* a copy on its own, which went with the reply to the device's shard */
	struct net_endpoint remote;
	uint16_t local_port;
	uint32_t reply_seq;	      /* of the reply's first byte */
	uint32_t tid;		      /* thread that read */
	uint64_t at[GW_TRACE_POINTS]; /* ns; 0: not met */
};

/* Every how many received data packets one is followed; 0: tracing is off. */
extern uint32_t trace_every;

/* What follows is for when it is on, in the context of the calling shard. */

/* Is the packet that is in the stack's hands, and has given a connection data, to be followed? Not
 * one that did not come from the device. */
bool trace_due(void);
/* Follow it: s is not active, its address stays until trace_end. */
void trace_begin(struct trace_sample *s, const struct net_endpoint *remote,
		 const struct net_endpoint *local);
/* The program begins to write the reply: it will leave from seq on. */
void trace_reply(struct trace_sample *s, uint32_t seq);
/* Nothing will come of an active one whose shard is the caller's: it is counted as unanswered. */
void trace_give_up(struct trace_sample *s);
/* The connection is gone: afterwards nobody here knows s. Any shard; may park. */
void trace_end(struct trace_sample *s);
/* The finished samples of all shards to `each`, oldest first for each shard. Parks in `each` are
 * fine; one caller at a time. Returns how many more there were than the rings could hold, since the
 * last call; *unanswered: those given up. */
uint64_t trace_drain(void (*each)(const struct trace_sample *s), uint64_t *unanswered);
/* Who is to be woken when a ring is half full; NULL: nobody. */
void trace_set_reader(struct uthread *reader);

#endif
