/* SPDX-License-Identifier: Apache-2.0 */
/* ideal.c - the two frames of the picture: processor sharing over all cores, which costs nothing
 * and knows no queue (what no system can beat by much), and a fixed half of the cores with one
 * queue. */
#include <string.h>

#include "tests/elastic/sim.h"

/* Every request runs at the same rate min(1, cores / n), so that a request that comes when the
 * common progress is V ends when it is V + service: a heap by that. In units of 1/1024 ns. */
static uint32_t heap[JOBS_MAX], n_heap;
static uint64_t ends[JOBS_MAX], progress, since;

static void sift_up(uint32_t i, uint32_t job)
{
	for (; i > 0 && ends[heap[(i - 1) / 2]] > ends[job]; i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = job;
}

static uint32_t take_first(void)
{
	uint32_t job = heap[0], last = heap[--n_heap], i = 0, k;

	while ((k = 2 * i + 1) < n_heap) {
		if (k + 1 < n_heap && ends[heap[k + 1]] < ends[heap[k]])
			k++;
		if (ends[heap[k]] >= ends[last])
			break;
		heap[i] = heap[k];
		i = k;
	}
	heap[i] = last;
	return job;
}

/* The common progress in t ns, and the ns until it has come to `to`. */
static uint64_t progress_in(uint64_t t, uint32_t cores)
{
	return n_heap <= cores ? t << 10 : (t << 10) * cores / n_heap;
}

static uint64_t ns_until(uint64_t to, uint32_t cores)
{
	uint64_t left = to - progress;

	return ((n_heap <= cores ? left : left * n_heap / cores) >> 10) + 1;
}

struct result sim_sharing(const struct params *p)
{
	uint32_t job, core, tag;
	enum what w;

	engine_begin(p);
	n_heap = 0;
	progress = since = 0;
	while ((w = engine_next(&job, &core, &tag)) != END) {
		progress += progress_in(now - since, p->cores);
		since = now;
		if (w == ARRIVAL) {
			ends[job] = progress + (jobs[job].service << 10);
			sift_up(n_heap++, job);
		}
		while (n_heap > 0 && ends[heap[0]] <= progress)
			job_done(take_first());
		if (n_heap > 0)
			engine_set(0, 0, now + ns_until(ends[heap[0]], p->cores));
		else
			engine_cancel(0, 0);
	}
	return engine_end();
}

struct result sim_static(const struct params *p)
{
	uint32_t job, core, tag, running[CORES_MAX], idle[CORES_MAX], n_idle = 0;
	uint32_t cores = p->cores / 2;
	struct queue q = { 0 };
	struct result r;
	enum what w;

	for (uint32_t i = 0; i < cores; i++)
		idle[n_idle++] = i;
	engine_begin(p);
	while ((w = engine_next(&job, &core, &tag)) != END) {
		if (w == EVENT) {
			job_done(running[core]);
			idle[n_idle++] = core;
		} else {
			queue_push(&q, job);
		}
		while (n_idle > 0 && (job = queue_take(&q)) != NONE) {
			core = idle[--n_idle];
			running[core] = job;
			engine_set(core, 0, now + jobs[job].service);
		}
	}
	r = engine_end();
	r.batch = p->batch ? p->cores - cores : 0;
	return r;
}
