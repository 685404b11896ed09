/* SPDX-License-Identifier: Apache-2.0 */
/* godwit.c - the kernel's allocator in the simulated machine. What stands here is what
 * kernel/core/pool.c does there: which vcore a core takes up, wake-ups, turns, the watch. */
#include <string.h>

#include "kernel/core/elastic.h"
#include "tests/elastic/shards.h"

#define LATENCY 0u
#define BATCHES 1u /* the other partition */
#define HELP_NS 100000u
#define TICK_CORE CORES_MAX /* the event of the watch */

static struct elastic pool;
static struct gw_status_partition numbers[2];
static bool batch_there, watching;
static enum { AT_ONCE, COUNTED, BLIND } sees; /* packets that come while a program runs */
static uint32_t watcher;

/* As pool.c: from the first look at the counters on. */
static uint64_t unseen(struct svcore *v, uint64_t at)
{
	if (sees != COUNTED || !shard_unseen(v))
		v->unseen_ns = 0;
	else if (v->unseen_ns == 0)
		v->unseen_ns = at;
	return v->unseen_ns;
}

void elastic_load(uint32_t part, uint64_t at, struct elastic_load *l)
{
	uint64_t ready = at, since = at;

	*l = (struct elastic_load){ 0 };
	if (part == BATCHES) {
		for (uint32_t i = 0; i < n_cores; i++)
			l->running += cores[i].to_batch &&
				      (cores[i].state == BATCH || cores[i].state == MOVING);
		l->ready = batch_there ? n_cores - l->running : 0;
		return;
	}
	for (uint32_t i = 0; i < n_vcores; i++) {
		struct svcore *v = &vcores[i];

		if (v->on != NONE)
			l->running++;
		else if (has_work(v))
			l->ready++;
		else if (at - v->helped_ns > HELP_NS)
			l->helpers++;
		if (v->on != NONE && v->published_ns != 0)
			since = min_u64(since, v->published_ns);
		if (v->on != NONE && unseen(v, at) != 0)
			since = min_u64(since, v->unseen_ns);
		if (v->on == NONE && v->ready_ns != 0)
			ready = min_u64(ready, v->ready_ns);
	}
	l->ready_delay_ns = at - ready;
	l->running_delay_ns = at - since;
}

/* The one that has waited longest, since before `before`. */
static struct svcore *take_oldest(uint64_t before)
{
	struct svcore *best = NULL;

	for (uint32_t i = 0; i < n_vcores; i++) {
		struct svcore *v = &vcores[i];

		if (v->on == NONE && has_work(v) && v->ready_ns < before &&
		    (best == NULL || v->ready_ns < best->ready_ns))
			best = v;
	}
	return best;
}

static struct svcore *take_helper(void)
{
	for (uint32_t i = 0; i < n_vcores; i++)
		if (vcores[i].on == NONE && now - vcores[i].helped_ns > HELP_NS) {
			vcores[i].helped_ns = now;
			return &vcores[i];
		}
	return NULL;
}

/* Core goes through its scheduler. over: its turn is. */
static void pick(uint32_t core, bool over)
{
	struct score *c = &cores[core];
	uint32_t part = elastic_owner(&pool, core), was = part;
	bool goes_on = c->vcore != NONE && has_work(&vcores[c->vcore]);

	if (over || part >= ELASTIC_PARTS)
		part = elastic_turn(&pool, core, now);
	for (uint32_t i = 0; i < 4 && part < ELASTIC_PARTS; i++) {
		bool came = atomic_load(&pool.grant[core]) >> 8 != 0;
		struct svcore *v = NULL;

		if (part == BATCHES) {
			c->slice_end = now + policy_batch.slice_ns;
			if (!(c->to_batch && c->state != IDLE))
				core_move(core, NONE, true, MOVE_NS);
			break;
		}
		if (goes_on && !over)
			return;
		v = take_oldest(goes_on ? now - BOUND_NS : ~0ULL);
		if (v == NULL && goes_on) {
			c->slice_end = now + policy_latency.slice_ns;
			engine_set(core, 1, c->slice_end);
			return;
		}
		if (v == NULL && came)
			v = take_helper();
		if (v != NULL) {
			c->slice_end = now + policy_latency.slice_ns;
			core_move(core, (uint32_t)(v - vcores), false,
				  was == part && c->vcore != NONE ? SWITCH_NS : MOVE_NS);
			break;
		}
		part = elastic_next(&pool, core, now);
	}
	if (part >= ELASTIC_PARTS)
		core_stop(core);
	else
		engine_set(core, 1, c->slice_end);
	elastic_served(&pool, core, now + 1);
}

void elastic_kick(uint32_t core)
{
	pick(core, false);
}

/* The watch: an idle core's affair, else a batch core's, else anyone's. */
static uint32_t who_watches(void)
{
	uint32_t best = elastic_idle(&pool);

	for (uint32_t i = 0; best == ELASTIC_NOBODY && i < n_cores; i++)
		if (cores[i].state == BATCH)
			best = i;
	return best != ELASTIC_NOBODY ? best : 0;
}

static void watch_begin(void)
{
	if (watching || !elastic_watched(&pool))
		return;
	watching = true;
	watcher = who_watches();
	engine_set(TICK_CORE, 0, now);
}

static void watch(void)
{
	uint64_t next;

	watching = false;
	if (!elastic_watched(&pool))
		return;
	watcher = who_watches();
	core_delay(watcher, LOOK_NS);
	next = elastic_look(&pool, watcher, now);
	watching = true;
	engine_set(TICK_CORE, 0, now + min_u64(next, ELASTIC_WATCH_NS));
}

static void arrive(uint32_t job)
{
	uint32_t i = random_below(n_vcores);
	struct svcore *v = &vcores[i];

	queue_push(&v->q, job);
	if (v->on != NONE) { /* its runtime sees it, or will see it at its loop's next turn */
		if (sees == AT_ONCE)
			shard_look(v);
		return;
	}
	if (v->ready_ns == 0)
		v->ready_ns = now;
	(void)elastic_want(&pool, LATENCY, v->last, now);
}

static struct result run(const struct params *p)
{
	uint32_t job, core, tag;
	enum what w;

	engine_begin(p);
	now = 1;
	memset(&pool, 0, sizeof(pool));
	memset(numbers, 0, sizeof(numbers));
	elastic_init(&pool, p->cores, 2);
	pool.parts[LATENCY] =
		(struct elastic_part){ &policy_latency, 0, p->cores, BOUND_NS, &numbers[LATENCY] };
	pool.parts[BATCHES] =
		(struct elastic_part){ &policy_batch, 0, p->cores, 0, &numbers[BATCHES] };
	batch_there = p->batch;
	watching = false;
	steals_parked = false;
	steals_interrupt = sees != AT_ONCE;
	steals_know = sees == AT_ONCE ? STEALS_ALL : sees == COUNTED ? STEALS_COUNTED : STEALS_SEEN;
	shards_begin(p->cores, &(struct params){ 0 });
	for (uint32_t i = 0; i < n_cores; i++)
		pick(i, true);
	while ((w = engine_next(&job, &core, &tag)) != END) {
		if (w == ARRIVAL)
			arrive(job);
		else if (core == TICK_CORE)
			watch();
		else if (tag == 1)
			pick(core, true);
		else if (shards_event(core, tag))
			pick(core, false);
		watch_begin();
	}
	return engine_end();
}

struct result sim_counted(const struct params *p)
{
	sees = COUNTED;
	return run(p);
}

struct result sim_godwit(const struct params *p)
{
	sees = AT_ONCE;
	return run(p);
}

struct result sim_blind(const struct params *p)
{
	sees = BLIND;
	return run(p);
}
