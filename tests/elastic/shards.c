/* SPDX-License-Identifier: Apache-2.0 */
/* shards.c - cores that run vcores, which run requests to their end or to that of a turn, and steal
 * when they have none. */
#include <string.h>

#include "tests/elastic/shards.h"

struct svcore vcores[CORES_MAX];
struct score cores[CORES_MAX];
uint32_t n_vcores, n_cores;
bool steals_parked, steals_interrupt;
enum steals steals_know;

void shards_begin(uint32_t n, const struct params *p)
{
	memset(vcores, 0, sizeof(vcores));
	memset(cores, 0, sizeof(cores));
	n_vcores = n_cores = n;
	for (uint32_t i = 0; i < n; i++) {
		vcores[i].running = vcores[i].on = NONE;
		vcores[i].last = i;
		cores[i].vcore = NONE;
		if (p->batch)
			core_move(i, NONE, true, 0);
	}
}

/* A request is ready from when its runtime first sees it: that is what can be published. */
void shard_look(struct svcore *v)
{
	uint32_t job = v->q.head;

	for (uint32_t i = 0; i < v->q.n && i < 64; i++, job = jobs[job].next)
		if (jobs[job].seen == 0)
			jobs[job].seen = now;
	v->n_seen = v->q.n;
	v->published_ns = v->q.n != 0 ? jobs[v->q.head].seen : 0;
}

bool shard_unseen(const struct svcore *v)
{
	return v->q.n != 0 && jobs[v->q.tail].seen == 0;
}

bool has_work(const struct svcore *v)
{
	return v->running != NONE || v->q.n != 0;
}

void core_stop(uint32_t core)
{
	struct score *c = &cores[core];

	engine_cancel(core, 0);
	if (c->state == BATCH)
		batch_ran(now - c->since);
	if (c->state == BUSY)
		jobs[vcores[c->vcore].running].left = c->end > now ? c->end - now : 0;
	if (c->vcore != NONE) {
		struct svcore *v = &vcores[c->vcore];

		v->on = NONE;
		v->last = core;
		v->ready_ns = has_work(v) ? now : 0;
	}
	c->state = IDLE;
	c->vcore = NONE;
}

void core_move(uint32_t core, uint32_t v, bool batch, uint64_t cost)
{
	struct score *c = &cores[core];

	core_stop(core);
	if (v == NONE && !batch)
		return;
	if (v != NONE) {
		vcores[v].on = core;
		vcores[v].ready_ns = 0;
	}
	c->vcore = v;
	c->to_batch = batch;
	c->state = MOVING;
	engine_set(core, 0, now + cost);
	if (cost == MOVE_NS)
		moved();
}

static uint32_t known(const struct svcore *v)
{
	if (steals_know == STEALS_ALL || v->q.n <= v->n_seen)
		return v->q.n;
	return v->n_seen + (steals_know == STEALS_COUNTED);
}

/* The fullest queue that v may take from, as far as it knows. */
static uint32_t victim(uint32_t v)
{
	uint32_t most = 0, best = NONE;

	for (uint32_t i = 0; i < n_vcores; i++)
		if (i != v && known(&vcores[i]) > most && (steals_parked || vcores[i].on != NONE)) {
			most = known(&vcores[i]);
			best = i;
		}
	return best;
}

bool core_serve(uint32_t core)
{
	struct score *c = &cores[core];
	struct svcore *v = &vcores[c->vcore];
	uint64_t cost = 0;

	if (v->running == NONE)
		v->running = queue_take(&v->q);
	if (v->running == NONE) {
		uint32_t from = victim(c->vcore);

		if (from != NONE) {
			v->running = queue_take(&vcores[from].q);
			cost = STEAL_NS;
			if (steals_interrupt) { /* by a message, which interrupts the other */
				shard_look(&vcores[from]);
				core_delay(vcores[from].on, EVENT_NS);
			}
			if (vcores[from].on == NONE && !has_work(&vcores[from]))
				vcores[from].ready_ns = 0;
		}
	}
	shard_look(v);
	c->state = BUSY;
	if (v->running == NONE) {
		c->state = MOVING; /* its loop's turn is over: nothing to do */
		return false;
	}
	c->end = now + cost + jobs[v->running].left;
	engine_set(core, 0, c->end);
	return true;
}

bool shards_event(uint32_t core, uint32_t tag)
{
	struct score *c = &cores[core];

	if (tag != 0 || c->state == IDLE || c->state == BATCH)
		return false;
	if (c->state == MOVING && c->to_batch) {
		c->state = BATCH;
		c->since = now;
		return false;
	}
	if (c->state == BUSY) {
		job_done(vcores[c->vcore].running);
		vcores[c->vcore].running = NONE;
	}
	return !core_serve(core);
}

void core_delay(uint32_t core, uint64_t ns)
{
	struct score *c = &cores[core];

	if (c->state == BATCH)
		c->since += ns <= now - c->since ? ns : now - c->since;
	if (c->state == BUSY) {
		c->end += ns;
		engine_set(core, 0, c->end);
	}
}
