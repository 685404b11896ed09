/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c - runs the vcores of elastic partitions on the cores that they are given, and tells the
 * allocator how they do. A core claims a vcore by a compare and swap; a partition's vcores go in
 * turn, the one first that has waited longest. */
#include "kernel/core/pool.h"

#include "kernel/core/arch.h"
#include "kernel/core/log.h"
#include "kernel/core/trace.h"

#define HELP_NS 100000ULL /* a vcore is not got up for others' work more often */

static struct elastic pool;
static struct vcore *floating[POOL_VCORES];
static uint32_t n_floating;
static struct core *keeper;	 /* has no windows: it looks after ticks of those that have */
static _Atomic uint32_t watcher; /* the core that looks after delays; ELASTIC_NOBODY */
static uint64_t look_ns;	 /* when it looks again; the watcher's */

_Static_assert(POOL_VCORES >= GW_BUNDLE_PARTITIONS * GW_MAX_VCORES, "room for all");
_Static_assert(GW_BUNDLE_PARTITIONS <= ELASTIC_PARTS && GW_MAX_VCORES <= ELASTIC_CORES, "room");

/* A vcore's interrupts go to one core for good, away from windows if there is such a core. */
static void float_vcores(struct partition *p)
{
	for (uint32_t i = 0; i < p->n_vcores; i++) {
		struct vcore *v = p->vcores[i];

		v->index = n_floating;
		v->irq_core = v->core->n_windows == 0 || keeper == NULL ? v->core : keeper;
		floating[n_floating++] = v;
	}
}

void pool_init(const struct gw_bundle *b, struct gw_status *status)
{
	static const struct elastic_policy *const policies[GW_POLICIES] = {
		[GW_POLICY_LATENCY] = &policy_latency,
		[GW_POLICY_BATCH] = &policy_batch,
	};
	uint32_t sum = 0, pooled = 0;

	keeper = NULL;
	n_floating = 0;
	look_ns = 0;
	atomic_store(&watcher, ELASTIC_NOBODY);
	elastic_init(&pool, n_cores, b->n_partitions);
	for (uint32_t i = 0; i < n_cores; i++) {
		cores[i]->pooled = cores[i]->n_windows == 0;
		if (keeper == NULL && cores[i]->pooled)
			keeper = cores[i];
	}
	for (uint32_t i = 0; i < b->n_slots; i++)
		if (b->slots[i].partition == GW_WINDOW_POOL ||
		    b->slots[i].flags & GW_WINDOW_ELASTIC)
			cores[b->slots[i].core]->pooled = true;
	for (uint32_t i = 0; i < n_cores; i++)
		pooled += cores[i]->pooled;
	for (uint32_t i = 0; i < b->n_partitions && status != NULL; i++) {
		const struct gw_bundle_partition *m = &b->partitions[i];
		struct elastic_part *p = &pool.parts[i];

		*p = (struct elastic_part){ &policy_fixed, 0, 0, 0, &status->partitions[i] };
		p->numbers->policy = m->policy;
		if (!partitions[i]->vcores[0]->floats)
			continue;
		p->policy = policies[m->policy];
		p->min = p->numbers->cores_min = m->cores_min;
		p->max = (uint32_t)min_u64(m->cores_max != 0 ? m->cores_max : m->vcores, pooled);
		p->numbers->cores_max = p->max;
		p->delay_ns = m->delay_ns;
		sum += p->min;
		float_vcores(partitions[i]);
	}
	for (uint32_t i = 0; i < n_cores; i++)
		cores[i]->pooled &= n_floating != 0;
	if (sum > pooled || (n_floating != 0 && pooled == 0))
		fail(STATUS_CONFIG,
		     "the partitions' cores_min are %u cores, the elastic pool has %u", sum,
		     pooled);
}

static uint64_t older(uint64_t since, uint64_t at)
{
	return at != 0 && at < since ? at : since;
}

static uint32_t counter(const struct vcore *v, uint64_t va)
{
	uint64_t pa = va - GW_MEM_BASE;

	if (pa % 2 != 0 || !partition_owns(v->part, pa, 2))
		return 0;
	return *(const volatile uint16_t *)direct(gw_stripe_pa(&v->part->pool.stripe, pa));
}

/* Since when packets wait that v's runtime has not seen, as far as somebody has looked; 0: none. */
static uint64_t unseen(struct vcore *v, uint64_t now)
{
	const volatile struct gw_vcore *a = v->area;

	if (counter(v, a->packets_come) == counter(v, a->packets_seen))
		atomic_store(&v->unseen_ns, 0);
	else if (atomic_load(&v->unseen_ns) == 0)
		atomic_store(&v->unseen_ns, now);
	return atomic_load(&v->unseen_ns);
}

/* One that waits, and has not just found that there is nothing that it could take. */
static bool may_help(const struct vcore *v, uint64_t now)
{
	return atomic_load(&v->state) == VCORE_RUNNING && now - v->helped_ns > HELP_NS;
}

void elastic_load(uint32_t part, uint64_t now, struct elastic_load *l)
{
	const struct partition *p = partitions[part];
	uint64_t since = now, ready = now;

	*l = (struct elastic_load){ 0 };
	for (uint32_t i = 0; i < p->n_vcores; i++) {
		struct vcore *v = p->vcores[i];
		const volatile struct gw_vcore *a = v->area;

		if (atomic_load(&v->on) != 0) {
			l->running++;
			since = older(since, a->ready_ns);
			if (a->packets_come != 0)
				since = older(since, unseen(v, now));
		} else if (vcore_runnable(v)) {
			l->ready++;
			ready = older(ready, atomic_load(&v->ready_ns));
		} else if (may_help(v, now)) {
			l->helpers++;
		}
	}
	l->ready_delay_ns = now - ready;
	l->running_delay_ns = now - since;
}

void elastic_kick(uint32_t core)
{
	if (cores[core] != arch_vcore()->core)
		arch_kick(cores[core]);
}

static void became_ready(struct vcore *v, uint64_t now)
{
	uint64_t none = 0;

	atomic_compare_exchange_strong(&v->ready_ns, &none, now);
}

bool pool_wake(struct vcore *v)
{
	uint32_t on = atomic_load(&v->on), self = arch_vcore()->core->id;
	uint64_t now;

	if (on != 0) {
		elastic_kick(on - 1);
		return on - 1 == self;
	}
	now = arch_now_ns();
	became_ready(v, now);
	return elastic_want(&pool, v->part->number, v->core->id, now) == self;
}

bool pool_revoked(const struct vcore *v)
{
	return elastic_owner(&pool, v->core->id) != v->part->number;
}

/* ---- what a core runs ---- */

static bool take(struct core *c, struct vcore *v)
{
	uint32_t nobody = 0;

	if (!atomic_compare_exchange_strong(&v->on, &nobody, c->id + 1))
		return false;
	/* Pairs with restart_others_gone: it changes the partition's state, then looks at on. */
	if (!vcore_runnable(v)) {
		atomic_store(&v->on, 0);
		return false;
	}
	atomic_store(&v->ready_ns, 0);
	return true;
}

/* The one that has waited longest, since before `before`, if it can be had. */
static struct vcore *take_oldest(struct core *c, const struct partition *p, uint64_t before)
{
	for (uint32_t k = 0; k < p->n_vcores; k++) {
		struct vcore *best = NULL;
		uint64_t since = before;

		for (uint32_t i = 0; i < p->n_vcores; i++) {
			struct vcore *v = p->vcores[i];
			uint64_t at = atomic_load(&v->ready_ns);

			if (at < since && atomic_load(&v->on) == 0 && vcore_runnable(v)) {
				best = v;
				since = at;
			}
		}
		if (best == NULL || take(c, best))
			return best;
	}
	return NULL;
}

/* The core was given for the work of others: one that waits gets up, to take some of it. */
static struct vcore *take_helper(struct core *c, const struct partition *p, uint64_t now)
{
	for (uint32_t i = 0; i < p->n_vcores; i++) {
		struct vcore *v = p->vcores[i];

		if (atomic_load(&v->on) != 0 || !may_help(v, now))
			continue;
		v->helped_ns = now;
		atomic_fetch_or(&v->area->pending, 1ULL << GW_EVENT_NOTIFY);
		if (take(c, v))
			return v;
	}
	return NULL;
}

static struct vcore *take_any(struct core *c, const struct partition *p, uint64_t now, bool over)
{
	struct vcore *current = atomic_load(&c->current), *v = NULL;
	bool goes_on = current->part == p && vcore_runnable(current);

	if (goes_on && !over)
		return current;
	/* Within its bound the allocator will find it a core of its own. */
	v = take_oldest(c, p, goes_on ? now - pool.parts[p->number].delay_ns : ~0ULL);
	if (v == NULL && goes_on)
		v = current;
	if (v == NULL && elastic_given(&pool, c->id) && pool.parts[p->number].policy->watched)
		v = take_helper(c, p, now);
	return v;
}

struct vcore *pool_pick(struct core *c, uint64_t now)
{
	uint32_t part = elastic_owner(&pool, c->id);
	bool over = now >= c->slice_end_ns;

	if (over || part >= ELASTIC_PARTS)
		part = elastic_turn(&pool, c->id, now);
	for (uint32_t i = 0; i < GW_BUNDLE_PARTITIONS && part < ELASTIC_PARTS; i++) {
		struct vcore *v = take_any(c, partitions[part], now, over);

		if (v != NULL) {
			if (over || v != atomic_load(&c->current))
				c->slice_end_ns = now + pool.parts[part].policy->slice_ns;
			return v;
		}
		part = elastic_next(&pool, c->id, now);
	}
	return NULL;
}

bool pool_moved(struct core *c, struct vcore *v)
{
	uint32_t owner = elastic_owner(&pool, c->id);

	if (owner >= ELASTIC_PARTS || (v != NULL && v->part->number == owner))
		return false;
	if (v != NULL && v != atomic_load(&c->current)) {
		became_ready(v, arch_now_ns());
		atomic_store(&v->on, 0);
	}
	return true;
}

void pool_leave(struct core *c)
{
	uint32_t self = c->id;

	if (elastic_owner(&pool, self) == ELASTIC_AWAY)
		return;
	elastic_leave(&pool, self);
	atomic_compare_exchange_strong(&watcher, &self, ELASTIC_NOBODY);
}

bool pool_release(struct core *c, struct vcore *v)
{
	uint64_t now = arch_now_ns();
	bool was_ready = vcore_runnable(v);

	if (atomic_load(&v->tick_ns) != ~0ULL) {
		struct core *k = c->n_windows == 0 || keeper == NULL ? c : keeper;

		atomic_store(&v->core, k);
		atomic_fetch_or(&k->timed[v->index / 64], 1ULL << v->index % 64);
		if (k != c)
			arch_kick(k);
	}
	if (was_ready)
		became_ready(v, now);
	atomic_store(&v->on, 0);
	/* Pairs with elastic_next: a core that has become idle since did not see v; and with
	 * pool_wake, which has only kicked c. */
	if (!vcore_runnable(v) || (was_ready && elastic_idle(&pool) == ELASTIC_NOBODY))
		return false;
	became_ready(v, now);
	return elastic_want(&pool, v->part->number, c->id, now) == c->id;
}

void pool_served(const struct core *c)
{
	if (elastic_given(&pool, c->id))
		trace(c, GW_TRACE_GRANT, c->current, elastic_served(&pool, c->id, arch_now_ns()));
}

/* ---- ticks and the watch ---- */

uint64_t pool_deadlines(struct core *c, uint64_t now)
{
	struct vcore *current = atomic_load(&c->current);
	uint64_t wake =
		current->area != NULL && current->floats ? vcore_deadline(current, now) : ~0ULL;

	for (uint32_t w = 0; w * 64 < n_floating; w++) {
		for (uint64_t bits = atomic_load(&c->timed[w]); bits != 0; bits &= bits - 1) {
			struct vcore *v = floating[w * 64 + (uint32_t)__builtin_ctzll(bits)];
			uint64_t at = atomic_load(&v->core) == c ? vcore_deadline(v, now) : ~0ULL;

			wake = min_u64(wake, at);
			if (at != ~0ULL)
				continue;
			atomic_fetch_and(&c->timed[w], ~(bits & -bits));
			/* Pairs with pool_release, which hands it over: core, then the bit. */
			if (atomic_load(&v->core) == c && atomic_load(&v->tick_ns) != ~0ULL)
				atomic_fetch_or(&c->timed[w], bits & -bits);
			if (atomic_load(&v->on) == 0 && vcore_runnable(v))
				(void)pool_wake(v); /* c picks after this in any case */
		}
	}
	return wake;
}

/* Who watches best: an idle core, then one whose partition has no delays, then any. */
static uint32_t watch_rank(uint32_t core)
{
	uint32_t owner = elastic_owner(&pool, core);

	if (owner >= ELASTIC_PARTS)
		return owner == ELASTIC_IDLE ? 0 : 3;
	return pool.parts[owner].policy->watched ? 2 : 1;
}

void pool_look(struct core *c, uint64_t now)
{
	if (atomic_load(&watcher) != c->id || now < look_ns)
		return;
	look_ns = now + ELASTIC_WATCH_NS;
	if (!elastic_given(&pool, c->id)) /* else somebody waits for this very core */
		look_ns = now + min_u64(elastic_look(&pool, c->id, now), ELASTIC_WATCH_NS);
}

uint64_t pool_watch(struct core *c, uint64_t now)
{
	uint32_t was = atomic_load(&watcher), w = was;

	if (!elastic_watched(&pool)) {
		if (w == c->id)
			atomic_store(&watcher, ELASTIC_NOBODY);
		return ~0ULL;
	}
	if (w == ELASTIC_NOBODY)
		w = elastic_idle(&pool);
	if (w == ELASTIC_NOBODY || (w != c->id && watch_rank(c->id) < watch_rank(w)))
		w = c->id;
	if (w != was)
		atomic_store(&watcher, w);
	if (was == ELASTIC_NOBODY)
		elastic_kick(w);
	if (w != c->id)
		return ~0ULL;
	pool_look(c, now); /* if it has just become it */
	return look_ns;
}
