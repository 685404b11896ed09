/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c - time, arrivals, events and measured latencies of the simulator. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/elastic/sim.h"

#define TAGS 2u
#define SLOTS ((CORES_MAX + 1) * TAGS)
#define RAMP_NS 20000u

uint64_t now;
struct job *jobs;
static const struct params *p;
static uint64_t state, arrival_ns, measured_from, n_arrived, n_done, n_moves, batch_ns;
static uint64_t *latencies;
static uint32_t free_jobs, n_jobs;
static bool full;
/* Events: a heap of slots by time; where[slot] is its place + 1. */
static uint64_t at[SLOTS];
static uint32_t heap[SLOTS], where[SLOTS], n_heap;

static uint64_t random64(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static double uniform(void)
{
	return (double)((random64() >> 11) + 1) / 9007199254740993.0;
}

uint32_t random_below(uint32_t n)
{
	return (uint32_t)((random64() >> 32) * n >> 32);
}

static uint64_t service(void)
{
	if (p->service == EXPONENTIAL)
		return (uint64_t)(-log(uniform()) * p->mean_ns) + 1;
	return (uint64_t)(uniform() < p->longs ? p->long_ns : p->short_ns);
}

static double mean(void)
{
	if (p->service == EXPONENTIAL)
		return p->mean_ns;
	return p->long_ns * p->longs + p->short_ns * (1 - p->longs);
}

/* Of all cores, at a time. */
static double load_at(uint64_t t)
{
	uint64_t in = p->step_period_ns != 0 ? t % p->step_period_ns : 0;

	if (p->step_period_ns == 0)
		return p->load;
	if (in < p->step_period_ns / 2)
		return p->load / 10;
	in -= p->step_period_ns / 2;
	return in >= RAMP_NS ? p->load : p->load * (0.1 + 0.9 * (double)in / RAMP_NS);
}

/* Poisson, thinned where the load is less. */
static void next_arrival(void)
{
	double gap = mean() / (p->load * p->cores);

	do
		arrival_ns += (uint64_t)(-log(uniform()) * gap) + 1;
	while (uniform() * p->load > load_at(arrival_ns));
}

/* ---- events ---- */

static void place(uint32_t i, uint32_t slot)
{
	heap[i] = slot;
	where[slot] = i + 1;
}

static void sift(uint32_t i)
{
	uint32_t slot = heap[i];

	while (i > 0 && at[heap[(i - 1) / 2]] > at[slot]) {
		place(i, heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		uint32_t k = 2 * i + 1;

		if (k + 1 < n_heap && at[heap[k + 1]] < at[heap[k]])
			k++;
		if (k >= n_heap || at[heap[k]] >= at[slot])
			break;
		place(i, heap[k]);
		i = k;
	}
	place(i, slot);
}

void engine_cancel(uint32_t core, uint32_t tag)
{
	uint32_t slot = core * TAGS + tag, i = where[slot];

	if (i == 0)
		return;
	where[slot] = 0;
	if (--n_heap == i - 1)
		return;
	place(i - 1, heap[n_heap]);
	sift(i - 1);
}

void engine_set(uint32_t core, uint32_t tag, uint64_t when)
{
	uint32_t slot = core * TAGS + tag;

	engine_cancel(core, tag);
	at[slot] = when;
	place(n_heap++, slot);
	sift(n_heap - 1);
}

/* ---- a run ---- */

void engine_begin(const struct params *params)
{
	p = params;
	state = p->seed;
	now = arrival_ns = n_arrived = n_done = n_moves = batch_ns = 0;
	n_heap = n_jobs = 0;
	full = false;
	measured_from = 0;
	memset(where, 0, sizeof(where));
	jobs = calloc(JOBS_MAX, sizeof(*jobs));
	latencies = malloc(p->requests * sizeof(*latencies));
	if (jobs == NULL || latencies == NULL)
		abort();
	free_jobs = 0;
	for (uint32_t i = 0; i < JOBS_MAX; i++)
		jobs[i].next = i + 1 < JOBS_MAX ? i + 1 : NONE;
	next_arrival();
}

enum what engine_next(uint32_t *job, uint32_t *core, uint32_t *tag)
{
	if (n_done >= p->requests + p->requests / 10 || full)
		return END;
	if (n_heap == 0 || arrival_ns <= at[heap[0]]) {
		now = arrival_ns;
		*job = free_jobs;
		if (free_jobs == NONE) {
			full = true;
			return END;
		}
		free_jobs = jobs[*job].next;
		jobs[*job].arrived = now;
		jobs[*job].service = jobs[*job].left = service();
		jobs[*job].seen = 0;
		jobs[*job].next = NONE;
		n_arrived++;
		next_arrival();
		return ARRIVAL;
	}
	now = at[heap[0]];
	*core = heap[0] / TAGS;
	*tag = heap[0] % TAGS;
	engine_cancel(*core, *tag);
	return EVENT;
}

void job_done(uint32_t job)
{
	uint64_t warm = p->requests / 10;

	if (n_done == warm) {
		measured_from = now;
		batch_ns = n_moves = 0;
	}
	if (n_done >= warm && n_done < warm + p->requests)
		latencies[n_done - warm] = now - jobs[job].arrived;
	n_done++;
	jobs[job].next = free_jobs;
	free_jobs = job;
}

void queue_push(struct queue *q, uint32_t job)
{
	jobs[job].next = NONE;
	if (q->n++ == 0)
		q->head = job;
	else
		jobs[q->tail].next = job;
	q->tail = job;
}

uint32_t queue_take(struct queue *q)
{
	uint32_t job = q->head;

	if (q->n == 0)
		return NONE;
	q->n--;
	q->head = jobs[job].next;
	return job;
}

void batch_ran(uint64_t ns)
{
	batch_ns += ns;
}

void moved(void)
{
	n_moves++;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

struct result engine_end(void)
{
	double span = (double)(now - measured_from);
	struct result r = { .unstable = full };
	uint64_t n = p->requests;

	if (!full) {
		qsort(latencies, n, sizeof(*latencies), compare);
		r.p50 = latencies[n / 2];
		r.p99 = latencies[n * 99 / 100];
		r.p999 = latencies[n * 999 / 1000];
		r.max = latencies[n - 1];
		r.batch = (double)batch_ns / span;
		r.moves = (double)n_moves * 1e6 / span;
	}
	free(jobs);
	free(latencies);
	return r;
}
