/* SPDX-License-Identifier: Apache-2.0 */
/* timer.c - time-outs, releases and deadlines: of each core two lists in the order of time, and one
 * tick of the platform for the earliest. Bounded by the number of processes. */
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

/* Another core arms its own. */
static void arm(uint32_t c)
{
	struct apex_core *core = &apex.cores[c];
	uint64_t at = GW_NEVER;

	if (!list_empty(&core->timers))
		at = list_entry(core->timers.next, struct apex_process, timer)->timer_at;
	if (!list_empty(&core->deadlines))
		at = GW_MIN(
			at,
			list_entry(core->deadlines.next, struct apex_process, watch)->deadline_at);
	/* One that is too early only costs a look: leave it. */
	if (at >= core->armed)
		return;
	if (c != plat_core()) {
		core_kick(c);
		return;
	}
	core->armed = at;
	plat_timer(at);
}

/* Behind all that are not later: those of one moment keep their order. */
void process_timer(struct apex_process *p, uint64_t at)
{
	struct list_node *timers = &apex.cores[p->home].timers, *n;

	list_del(&p->timer);
	p->timer_at = at;
	if (at == GW_NEVER)
		return;
	n = timers->prev;
	while (n != timers && list_entry(n, struct apex_process, timer)->timer_at > at)
		n = n->prev;
	list_add_head(n, &p->timer);
	arm(p->home);
}

void process_deadline(struct apex_process *p, uint64_t at)
{
	struct list_node *deadlines = &apex.cores[p->home].deadlines, *n;

	list_del(&p->watch);
	p->deadline_at = at;
	if (at == GW_NEVER)
		return;
	n = deadlines->prev;
	while (n != deadlines && list_entry(n, struct apex_process, watch)->deadline_at > at)
		n = n->prev;
	list_add_head(n, &p->watch);
	arm(p->home);
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

static void tick(struct apex_core *core, uint64_t now)
{
	core->armed = GW_NEVER;
	list_for_each_safe(n, &core->timers)
	{
		struct apex_process *p = list_entry(n, struct apex_process, timer);

		if (p->timer_at > now)
			break;
		timer_due(p);
	}
	while (!list_empty(&core->deadlines)) {
		struct apex_process *p =
			list_entry(core->deadlines.next, struct apex_process, watch);

		if (p->deadline_at > now)
			break;
		list_del(&p->watch); /* DEADLINE_TIME stays what was missed */
		error_raise(p, DEADLINE_MISSED, 0, NULL, 0);
	}
}

void apex_events(uint32_t events)
{
	uint32_t self = plat_core();

	if (apex.mode != NORMAL)
		return;
	if (events & PLAT_KICK)
		apex.cores[self].kicked = false;
	if (events & PLAT_TIMER)
		tick(&apex.cores[self], plat_now());
	if (events & (PLAT_TIMER | PLAT_KICK))
		arm(self);
	if (events & PLAT_PORT)
		queuing_ports_poll();
}
