/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.c - windows, turns, and the switch between vcores. A window's owner is chosen by the
 * clock alone: nothing that another partition does moves it. */
#include "kernel/core/schedule.h"

#include "kernel/core/arch.h"
#include "kernel/core/call.h"
#include "kernel/core/log.h"
#include "kernel/core/pool.h"
#include "kernel/core/restart.h"
#include "kernel/core/trace.h"

static struct gw_bundle_slot slots[GW_BUNDLE_SLOTS];
static struct gw_status *status;
static uint64_t frame_len;

uint64_t schedule_status_bytes(const struct gw_bundle *b)
{
	bool elastic = false;

	for (uint32_t i = 0; i < b->n_partitions; i++)
		elastic |= b->partitions[i].policy != GW_POLICY_FIXED;
	return b->n_slots == 0 && !elastic
		       ? 0
		       : sizeof(*status) + b->n_slots * sizeof(struct gw_status_window);
}

void schedule_init(const struct gw_bundle *b, struct gw_status *s, uint64_t start_ns)
{
	status = s;
	frame_len = b->frame_ns;
	for (uint32_t i = 0; i < b->n_slots; i++) {
		struct core *c = cores[b->slots[i].core];

		slots[i] = b->slots[i];
		if (c->n_windows++ == 0)
			c->first_window = i;
		s->windows[i].core = slots[i].core;
		s->windows[i].partition = slots[i].partition;
		s->windows[i].offset_ns = slots[i].offset_ns;
		s->windows[i].duration_ns = slots[i].duration_ns;
	}
	for (uint32_t i = 0; i < n_cores; i++) {
		struct core *c = cores[i];

		c->frame_ns = start_ns;
		c->slice_end_ns = 0;
		c->in_gap = c->n_windows != 0; /* the one before the first window, maybe empty */
		c->window = 0;
		c->window_end_ns = c->in_gap ? start_ns + slots[c->first_window].offset_ns : ~0ULL;
	}
	if (s == NULL)
		return;
	s->magic = GW_STATUS_MAGIC;
	s->size = (uint32_t)schedule_status_bytes(b);
	s->n_windows = b->n_slots;
	s->frame_ns = frame_len;
	s->start_ns = start_ns;
	s->n_partitions = b->n_partitions;
	s->n_cores = n_cores;
}

static const struct gw_bundle_slot *slot_of(const struct core *c)
{
	return &slots[c->first_window + c->window];
}

static struct gw_status_window *numbers_of(const struct core *c)
{
	return &status->windows[c->first_window + c->window];
}

void schedule_late(struct core *c, uint64_t now)
{
	struct gw_status_window *w = numbers_of(c);
	uint64_t late = now - c->window_ns;

	c->window_fresh = false;
	w->starts++;
	w->late_sum += late;
	w->late_max = max_u64(w->late_max, late);
	w->late[gw_status_bucket(late)]++;
}

/* The next window, or the gap before it, from the end of the last one. */
static void window_next(struct core *c)
{
	uint64_t at = c->window_end_ns, start;

	if (c->window_fresh)
		numbers_of(c)->missed++;
	if (!c->in_gap && ++c->window == c->n_windows) {
		c->window = 0;
		c->frame_ns += frame_len;
	}
	start = c->frame_ns + slot_of(c)->offset_ns;
	c->in_gap = at < start;
	c->window_fresh = !c->in_gap;
	c->window_ns = at;
	c->window_end_ns = c->in_gap ? start : start + slot_of(c)->duration_ns;
	c->slice_end_ns = 0;
	trace(c, c->in_gap ? GW_TRACE_GAP : GW_TRACE_WINDOW, NULL, c->first_window + c->window);
}

static void windows_advance(struct core *c, uint64_t now)
{
	uint64_t behind = now - c->window_end_ns;

	if (now >= c->window_end_ns && behind > 2 * frame_len) {
		/* The machine stood still: whole frames are passed over, not counted one by one. */
		behind -= behind % frame_len;
		c->frame_ns += behind;
		c->window_end_ns += behind;
	}
	while (now >= c->window_end_ns)
		window_next(c);
}

/* The one whose turn it is, among those of the owner (or all of them), or NULL. In time of the pool
 * that has a turn beside the core's own vcores. */
static inline __attribute__((always_inline)) struct vcore *in_turn(struct core *c, uint32_t owner,
								   bool pool, uint64_t now)
{
	bool over = now >= c->slice_end_ns;
	uint32_t first = c->turn + over, n = c->n_vcores + pool;

	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = (first + k) % n;
		struct vcore *v = i < c->n_vcores ? c->vcores[i] : pool_pick(c, now);

		if (v == NULL)
			continue;
		if (!v->floats) {
			if ((owner != GW_WINDOW_POOL && v->part->number != owner) ||
			    !vcore_runnable(v))
				continue;
			if (i != c->turn || over)
				c->slice_end_ns = now + SLICE_NS;
		}
		c->turn = i;
		return v;
	}
	return NULL;
}

/* schedule_pick in time of the pool; v is the window's owner's, who comes first. */
static struct vcore *pick_pooled(struct core *c, struct vcore *v, uint64_t now, uint64_t *wake)
{
	*wake = min_u64(*wake, pool_deadlines(c, now));
	if (v == NULL) {
		pool_look(c, now);
		v = in_turn(c, GW_WINDOW_POOL, true, now);
	}
	if (v != NULL && !v->floats)
		pool_leave(c);
	else
		*wake = min_u64(*wake, pool_watch(c, now));
	return v;
}

struct vcore *schedule_pick(struct core *c, uint64_t now, uint64_t *wake_ns)
{
	uint32_t owner = GW_WINDOW_POOL, others = GW_WINDOW_POOL;
	struct vcore *v = NULL;
	uint64_t wake;

	windows_advance(c, now);
	c->switch_ns = wake = c->window_end_ns;
	if (c->n_windows != 0 && !c->in_gap) {
		owner = slot_of(c)->partition;
		others = slot_of(c)->flags & GW_WINDOW_ELASTIC ? GW_WINDOW_POOL : owner;
	}
	for (uint32_t i = 0; i < c->n_vcores && !c->in_gap; i++)
		if (others == GW_WINDOW_POOL || c->vcores[i]->part->number == owner)
			wake = min_u64(wake, vcore_deadline(c->vcores[i], now));
	if (!c->in_gap && (owner != GW_WINDOW_POOL || !c->pooled))
		v = in_turn(c, owner, false, now);
	if (c->pooled && !c->in_gap && others == GW_WINDOW_POOL)
		v = pick_pooled(c, v, now, &wake);
	else if (c->pooled)
		pool_leave(c);
	else if (v == NULL && !c->in_gap && others != owner)
		v = in_turn(c, others, false, now);
	if (v != NULL && (c->n_vcores > 1 || c->pooled))
		c->switch_ns = min_u64(c->switch_ns, c->slice_end_ns);
	*wake_ns = min_u64(wake, c->switch_ns);
	return v;
}

bool schedule_due(const struct vcore *v)
{
	const struct core *c = v->core;

	return c->shared && (arch_now_ns() >= c->switch_ns || (v->floats && pool_revoked(v)));
}

/* Nobody runs, until an interrupt; the log's rest goes out meanwhile. */
static void idle(struct core *c)
{
	if (c->window_fresh)
		schedule_late(c, arch_now_ns());
	if (!log_drain(8))
		arch_idle();
}

static void go_on(struct core *c, struct vcore *v, struct trap *t)
{
	uint64_t exact_ns;

	atomic_store(&v->waiting, 0);
	if (v->again != 0)
		v->again = 0;
	else if (atomic_load(&v->area->masked) == 0 && atomic_load(&v->area->pending) != 0 &&
		 v->upcall_entry != 0)
		upcall_event(v, t);
	if (v->floats)
		pool_served(c);
	if (!c->window_fresh)
		return;
	if ((slot_of(c)->flags & GW_WINDOW_EXACT) == 0) {
		schedule_late(c, arch_now_ns());
		return;
	}
	exact_ns = c->window_ns + GW_WINDOW_EXACT_NS;
	schedule_late(c, max_u64(arch_now_ns(), exact_ns));
	arch_enter_at(t, exact_ns);
}

void schedule(struct core *c, struct trap *t)
{
	for (;;) {
		struct vcore *from = c->current, *to;

		arch_flush_poll(c);
		to = schedule_pick(c, arch_now_ns(), &c->wake_ns);
		if (c->pooled && pool_moved(c, to))
			continue;
		if (to == NULL)
			to = &c->idle;
		if (to != from && from != &c->idle)
			arch_context_save(from, t);
		/* Pairs with arch_flush: it changes tables, then looks at current. */
		if (to != from) {
			atomic_store(&c->current, to);
			trace(c, GW_TRACE_SWITCH, to, 0);
		}
		if (to != from && to != &c->idle)
			arch_context_load(c, to, t);
		else if (to != from)
			arch_context_rest(c);
		if (to != from && from->floats && pool_release(c, from))
			continue;
		if (!arch_timer_arm(c, c->wake_ns))
			continue;
		if (to == &c->idle) {
			idle(c);
		} else if (atomic_load(&to->part->state) == PARTITION_RESTARTING) {
			if (c->window_fresh)
				schedule_late(c, arch_now_ns());
			restart_step(to);
			if (to->floats && atomic_load(&c->current) != to)
				atomic_store(&to->on, 0); /* it begins anew, anywhere */
		} else {
			go_on(c, to, t);
			return;
		}
	}
}

void schedule_print(void)
{
	for (uint32_t i = 0; status != NULL && i < status->n_windows; i++) {
		const struct gw_status_window *w = &status->windows[i];

		log_text("godwit: window %u core %u partition %u at %lu for %lu ns: %lu starts, "
			 "%lu missed, late mean %lu max %lu ns\n",
			 i, w->core, w->partition, w->offset_ns, w->duration_ns, w->starts,
			 w->missed, w->starts != 0 ? w->late_sum / w->starts : 0, w->late_max);
	}
	for (uint32_t i = 0; status != NULL && i < status->n_partitions; i++) {
		const struct gw_status_partition *p = &status->partitions[i];

		if (p->cores_max != 0)
			log_text("godwit: elastic partition %u: %lu grants, %lu revokes, "
				 "moves mean %lu max %lu ns\n",
				 i, p->grants, p->revokes,
				 p->grants != 0 ? p->move_sum / p->grants : 0, p->move_max);
	}
}
