/* SPDX-License-Identifier: Apache-2.0 */
/* caladan.c - a policy in the manner of Shenango and Caladan: one core does nothing but look, every
 * LOOP_NS, at all queues (also of vcores that run), and gives a core at once to a program that has
 * none and has work, and one more whenever its oldest request has waited longer than the bound.
 * Vcores steal from all queues, also from those of vcores that are parked; one that finds nothing
 * parks. */
#include "tests/elastic/shards.h"

#define LOOP_NS 1000u
#define TICK_CORE CORES_MAX

static bool batch_there, looping;

static uint32_t find_core(void)
{
	uint32_t best = NONE;

	for (uint32_t i = 0; i < n_cores; i++) {
		if (cores[i].state == IDLE)
			return i;
		if (cores[i].to_batch && best == NONE)
			best = i;
	}
	return best;
}

/* A parked vcore: the one with the oldest work, or any. */
static uint32_t find_vcore(void)
{
	uint32_t best = NONE, any = NONE;

	for (uint32_t i = 0; i < n_vcores; i++) {
		if (vcores[i].on != NONE)
			continue;
		any = i;
		if (has_work(&vcores[i]) &&
		    (best == NONE || vcores[i].ready_ns < vcores[best].ready_ns))
			best = i;
	}
	return best != NONE ? best : any;
}

static void look(void)
{
	uint32_t active = 0, waiting = 0;
	uint64_t since = now;

	looping = false;
	for (uint32_t i = 0; i < n_vcores; i++) {
		active += vcores[i].on != NONE;
		waiting += vcores[i].q.n;
		if (vcores[i].q.n != 0 && jobs[vcores[i].q.head].arrived < since)
			since = jobs[vcores[i].q.head].arrived;
	}
	if (waiting == 0)
		return;
	looping = true;
	engine_set(TICK_CORE, 0, now + LOOP_NS);
	if (active == 0 || now - since > BOUND_NS) {
		uint32_t core = find_core(), v = find_vcore();

		if (core != NONE && v != NONE)
			core_move(core, v, false, MOVE_NS);
	}
}

struct result sim_caladan(const struct params *p)
{
	uint32_t job, core, tag;
	struct params rest = *p;
	enum what w;

	engine_begin(p);
	now = 1;
	batch_there = p->batch;
	looping = false;
	steals_parked = true;
	steals_interrupt = false;
	steals_know = STEALS_ALL;
	rest.cores = p->cores - 1;
	shards_begin(rest.cores, &rest);
	while ((w = engine_next(&job, &core, &tag)) != END) {
		if (w == ARRIVAL) {
			struct svcore *v = &vcores[random_below(n_vcores)];

			queue_push(&v->q, job);
			if (v->on == NONE && v->ready_ns == 0)
				v->ready_ns = now;
			if (!looping) {
				looping = true;
				engine_set(TICK_CORE, 0, now);
			}
		} else if (core == TICK_CORE) {
			look();
		} else if (shards_event(core, tag)) {
			core_move(core, NONE, batch_there, MOVE_NS);
		}
	}
	return engine_end();
}
