/* SPDX-License-Identifier: Apache-2.0 */
/* timer.c - time-outs, releases and deadlines: two lists in the order of time, and one tick of the
 * platform for the earliest. Bounded by the number of processes. */
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

static void arm(void)
{
	uint64_t at = GW_NEVER;

	if (!list_empty(&apex.timers))
		at = list_entry(apex.timers.next, struct apex_process, timer)->timer_at;
	if (!list_empty(&apex.deadlines))
		at = GW_MIN(
			at,
			list_entry(apex.deadlines.next, struct apex_process, watch)->deadline_at);
	/* One that is too early only costs a look: leave it. */
	if (at < apex.armed) {
		apex.armed = at;
		plat_timer(at);
	}
}

/* Behind all that are not later: those of one moment keep their order. */
void process_timer(struct apex_process *p, uint64_t at)
{
	struct list_node *n;

	list_del(&p->timer);
	p->timer_at = at;
	if (at == GW_NEVER)
		return;
	n = apex.timers.prev;
	while (n != &apex.timers && list_entry(n, struct apex_process, timer)->timer_at > at)
		n = n->prev;
	list_add_head(n, &p->timer);
	arm();
}

void process_deadline(struct apex_process *p, uint64_t at)
{
	struct list_node *n;

	list_del(&p->watch);
	p->deadline_at = at;
	if (at == GW_NEVER)
		return;
	n = apex.deadlines.prev;
	while (n != &apex.deadlines && list_entry(n, struct apex_process, watch)->deadline_at > at)
		n = n->prev;
	list_add_head(n, &p->watch);
	arm();
}

static void timer_due(struct apex_process *p)
{
	process_timer(p, GW_NEVER);
	if (p->wait == WAIT_QUEUE) {
		process_wake(p, TIMED_OUT);
	} else if (p->wait == WAIT_NONE) {
		p->suspended = p->suspended_itself = false;
		process_wake(p, TIMED_OUT);
	} else {
		process_wake(p, NO_ERROR);
	}
}

static void tick(uint64_t now)
{
	apex.armed = GW_NEVER;
	list_for_each_safe(n, &apex.timers)
	{
		struct apex_process *p = list_entry(n, struct apex_process, timer);

		if (p->timer_at > now)
			break;
		timer_due(p);
	}
	while (!list_empty(&apex.deadlines)) {
		struct apex_process *p =
			list_entry(apex.deadlines.next, struct apex_process, watch);

		if (p->deadline_at > now)
			break;
		list_del(&p->watch); /* DEADLINE_TIME stays what was missed */
		error_raise(p, DEADLINE_MISSED, 0, NULL, 0);
	}
	arm();
}

void apex_events(uint32_t events)
{
	if (apex.mode != NORMAL)
		return;
	if (events & PLAT_TIMER)
		tick(plat_now());
	if (events & PLAT_PORT)
		queuing_ports_poll();
}
