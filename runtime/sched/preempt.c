/* SPDX-License-Identifier: Apache-2.0 */
/* preempt.c - a program that computes and makes no system call: its ticks, its slice, and the
 * devices meanwhile.
 *
 * While a shard runs, its devices' interrupts are off and its rings are looked at whenever a
 * uthread parks, and by some calls. A program that does neither would delay others' packets until
 * its tick. So a tick that comes some ms after the last look enables the interrupts: from then on
 * a packet interrupts the program, and who waits for it runs. It is TICK_MAX_NS away at most. */
#include "runtime/platform/platform.h"
#include "runtime/sched/sched_internal.h"

#define WATCH_AFTER_NS (4 * NS_PER_MS) /* a busy server looks more often by itself */
#define WATCH_GAP_NS (100 * NS_PER_US) /* a flood interrupts a program no more often */

static void tick_by(struct shard *s, uint64_t limit_ns)
{
	uint64_t deadline = GW_MIN(timers_next(s), limit_ns);

	if (deadline < s->armed_ns) {
		s->armed_ns = deadline;
		gw_call(GW_CALL_TICK_SET, deadline, 0, 0);
	}
}

void sched_tick(struct shard *s)
{
	tick_by(s, clock_now() + (list_empty(&s->runq) ? TICK_MAX_NS : SLICE_NS));
}

/* The interrupted program goes on alone: let the devices interrupt it. Returns by when to look
 * again anyway. */
static uint64_t watch_devices(struct shard *s)
{
	uint64_t deadline = s->now_ns + TICK_MAX_NS;

	if (s->now_ns < s->turned_ns + WATCH_AFTER_NS)
		return s->turned_ns + WATCH_AFTER_NS;
	if (s->now_ns < s->watched_ns + WATCH_GAP_NS)
		return s->watched_ns + WATCH_GAP_NS;
	s->watched_ns = s->now_ns;
	s->nofault++;
	if (pollers_arm(s, &deadline)) /* something came just now: no interrupt will tell */
		deadline = s->now_ns + WATCH_GAP_NS;
	s->nofault--;
	return deadline;
}

void sched_preempt(void)
{
	struct shard *s = shard_self();
	struct uthread *u = s->current;
	uint64_t turned = s->turned_ns;

	s->asked = false;
	shard_turn();
	s->turned_ns = turned;
	if (!list_empty(&s->runq)) {
		if (n_shards > 1)
			balance_share(s);
		if ((s->now_ns >= u->slice_end_ns || s->asked) && !list_empty(&s->runq)) {
			s->stats.preemptions++;
			u->movable = true;
			sched_ready(s, u);
			sched_run(s);
			s = shard_self(); /* it may have moved */
		}
	}
	if (list_empty(&s->runq))
		tick_by(s, watch_devices(s));
	else
		sched_tick(s);
}
