/* SPDX-License-Identifier: Apache-2.0 */
/* check_time.c - cores, windows of time and the elastic pool. See check_internal.h. */
#include <stdlib.h>
#include <string.h>

#include "tools/module/check_internal.h"

#define CORE_VCORES 16u /* of all partitions, on one core (kernel/core/core.h) */

/* A window's turn in the frame, while they are sorted. */
struct turn {
	const struct module_window *w;
	uint64_t offset_ns;
};
struct turns {
	struct turn v[GW_BUNDLE_SLOTS];
	size_t n;
};

static uint32_t core_of(const struct module *m, const struct module_partition *p, uint32_t vcore)
{
	return (p->first_core + vcore) % m->o.vcores;
}

static bool is_elastic(const struct module_partition *p)
{
	return p->policy != GW_POLICY_FIXED;
}

static bool runs_on(const struct module *m, const struct module_partition *p, uint32_t core)
{
	for (uint32_t i = 0; i < p->o.vcores; i++)
		if (core_of(m, p, i) == core)
			return true;
	return false;
}

/* Without cores = N there are as many as partitions and windows name. */
static void count_cores(struct module *m, struct diag *d)
{
	uint32_t vcores[GW_MAX_VCORES] = { 0 }, used = 1;

	for (size_t i = 0; i < m->n_partitions; i++)
		if (m->partitions[i].first_core + m->partitions[i].o.vcores > used)
			used = m->partitions[i].first_core + m->partitions[i].o.vcores;
	for (size_t i = 0; i < m->n_windows; i++)
		if (m->windows[i].core >= used)
			used = m->windows[i].core + 1;
	if (m->cores_line == 0)
		m->o.vcores = used < GW_MAX_VCORES ? used : GW_MAX_VCORES;
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		if (p->first_core >= m->o.vcores)
			diag_error(d, p->first_line,
				   "first-core = %u: the machine's cores are 0 to %u",
				   p->first_core, m->o.vcores - 1);
		for (uint32_t k = 0; k < p->o.vcores && !is_elastic(p); k++)
			if (++vcores[core_of(m, p, k)] == CORE_VCORES + 1)
				diag_error(d, p->line,
					   "core %u has more than %u vcores with those of %s",
					   core_of(m, p, k), CORE_VCORES, p->name);
	}
}

/* One window by itself; false: it cannot be placed. */
static bool check_window(struct module *m, struct module_window *w, struct diag *d)
{
	unsigned int before = d->errors;
	int owner = w->owner != NULL ? module_find(m, w->owner) : -1;
	uint64_t room = w->period_ns != 0 ? w->period_ns : m->frame_ns;

	if (w->owner == NULL)
		diag_error(d, w->line, "window %s has no owner (partition = NAME, or pool)",
			   w->name);
	else if (strcmp(w->owner, "pool") == 0)
		w->partition = GW_WINDOW_POOL;
	else if (owner < 0)
		diag_error(d, w->line, "window %s: there is no partition %s", w->name, w->owner);
	else
		w->partition = (uint32_t)owner;
	if (w->core >= m->o.vcores)
		diag_error(d, w->line, "window %s: core %u, and the machine's cores are 0 to %u",
			   w->name, w->core, m->o.vcores - 1);
	else if (owner >= 0 && !is_elastic(&m->partitions[owner]) &&
		 !runs_on(m, &m->partitions[owner], w->core))
		diag_error(d, w->line, "window %s: %s has no vcore on core %u (first-core, vcores)",
			   w->name, w->owner, w->core);
	if (owner >= 0 && is_elastic(&m->partitions[owner]))
		diag_error(d, w->line,
			   "window %s: %s is elastic (policy, line %d): it runs in windows of the "
			   "pool (partition = pool), and has none of its own",
			   w->name, w->owner, m->partitions[owner].policy_line);
	if (w->duration_ns < GW_WINDOW_MIN_NS)
		diag_error(d, w->line, "window %s needs a duration of 10us or more", w->name);
	if (m->frame_ns == 0)
		return false;
	if (w->period_ns != 0 && (w->period_ns > m->frame_ns || m->frame_ns % w->period_ns != 0))
		diag_error(d, w->line,
			   "window %s: its period does not divide the major frame of %.6g ms",
			   w->name, (double)m->frame_ns / 1e6);
	else if (w->duration_ns > room || w->offset_ns > room - w->duration_ns)
		diag_error(d, w->line, "window %s ends %.6g ms behind its %s of %.6g ms", w->name,
			   ((double)w->offset_ns + (double)w->duration_ns - (double)room) / 1e6,
			   w->period_ns != 0 ? "period" : "major frame", (double)room / 1e6);
	return d->errors == before;
}

static int by_time(const void *a, const void *b)
{
	const struct turn *s = a, *t = b;

	if (s->w->core != t->w->core)
		return s->w->core < t->w->core ? -1 : 1;
	if (s->offset_ns != t->offset_ns)
		return s->offset_ns < t->offset_ns ? -1 : 1;
	return s->w->line - t->w->line;
}

static void add_turns(struct module *m, const struct module_window *w, struct turns *t,
		      struct diag *d)
{
	uint64_t period = w->period_ns != 0 ? w->period_ns : m->frame_ns;

	for (uint64_t at = w->offset_ns; at < m->frame_ns; at += period) {
		if (t->n == GW_BUNDLE_SLOTS) {
			diag_error(d, w->line, "with window %s there are more than %u in a frame",
				   w->name, GW_BUNDLE_SLOTS);
			return;
		}
		t->v[t->n++] = (struct turn){ w, at };
	}
}

static void overlaps(const struct turns *t, struct diag *d)
{
	for (size_t i = 1; i < t->n; i++) {
		const struct turn *a = &t->v[i - 1], *b = &t->v[i];
		uint64_t end = a->offset_ns + a->w->duration_ns;

		if (a->w->core == b->w->core && b->offset_ns < end)
			diag_error(
				d, b->w->line,
				"window %s at %.6g ms overlaps window %s (line %d), which ends at "
				"%.6g ms on core %u",
				b->w->name, (double)b->offset_ns / 1e6, a->w->name, a->w->line,
				(double)end / 1e6, b->w->core);
	}
}

static void place_windows(struct module *m, struct diag *d)
{
	uint64_t next[GW_MAX_VCORES] = { 0 };
	struct turns *t = xcalloc(1, sizeof(*t));

	for (size_t i = 0; i < m->n_windows; i++) {
		struct module_window *w = &m->windows[i];

		if (!w->has_offset)
			w->offset_ns = next[w->core];
		next[w->core] = w->offset_ns + w->duration_ns;
		if (check_window(m, w, d))
			add_turns(m, w, t, d);
	}
	qsort(t->v, t->n, sizeof(t->v[0]), by_time);
	overlaps(t, d);
	for (size_t i = 0; i < t->n; i++) {
		const struct module_window *w = t->v[i].w;

		m->slots[i] = (struct gw_bundle_slot){
			.offset_ns = (uint32_t)t->v[i].offset_ns,
			.duration_ns = (uint32_t)w->duration_ns,
			.core = (uint8_t)w->core,
			.partition = (uint8_t)w->partition,
			.flags = (uint16_t)((w->elastic ? GW_WINDOW_ELASTIC : 0) |
					    (w->exact ? GW_WINDOW_EXACT : 0)),
		};
	}
	m->n_slots = (uint32_t)t->n;
	free(t);
}

/* On a core with windows a fixed vcore runs in those of its partition, and in the pool's. */
static void check_runs(const struct module *m, const struct module_partition *p, uint32_t vcore,
		       struct diag *d)
{
	uint32_t core = core_of(m, p, vcore), self = (uint32_t)(p - m->partitions);
	bool windows = false, runs = false, elastic = false;

	for (uint32_t i = 0; i < m->n_slots; i++) {
		const struct gw_bundle_slot *s = &m->slots[i];

		if (s->core != core)
			continue;
		windows = true;
		runs |= s->partition == self || s->partition == GW_WINDOW_POOL;
		elastic |= s->flags & GW_WINDOW_ELASTIC;
	}
	if (windows && !runs && !elastic)
		diag_error(
			d, p->line,
			"vcore %u of %s never runs: core %u has windows, and none of them is its "
			"own or the pool's",
			vcore, p->name, core);
	else if (windows && !runs)
		diag_warning(d, p->line,
			     "vcore %u of %s runs on core %u only while others leave their elastic "
			     "windows",
			     vcore, p->name, core);
}

/* Cores that elastic partitions can be given: kernel/core/pool.c, pool_init. */
static uint32_t pooled_cores(const struct module *m)
{
	uint32_t pool = 0;

	for (uint32_t c = 0; c < m->o.vcores; c++) {
		bool windows = false, shared = false;

		for (uint32_t i = 0; i < m->n_slots; i++) {
			windows |= m->slots[i].core == c;
			shared |=
				m->slots[i].core == c && (m->slots[i].partition == GW_WINDOW_POOL ||
							  m->slots[i].flags & GW_WINDOW_ELASTIC);
		}
		pool += !windows || shared;
	}
	return pool;
}

/* The elastic partitions: cores for them, and guarantees within those. */
static void check_pool(const struct module *m, struct diag *d)
{
	uint32_t guaranteed = 0, pool = pooled_cores(m);
	int line = 0;

	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		if (p->cores_max > p->o.vcores)
			diag_error(d, p->cores_line, "cores: %u at most, and %s has %u vcores",
				   p->cores_max, p->name, p->o.vcores);
		if (p->has_cores && !is_elastic(p))
			diag_warning(d, p->cores_line,
				     "cores counts only with policy = latency or batch");
		if (is_elastic(p) && pool == 0)
			diag_error(d, p->policy_line,
				   "%s is elastic, and no core is left for it: all have windows, "
				   "none of them the pool's or elastic",
				   p->name);
		if (!is_elastic(p))
			continue;
		guaranteed += p->cores_min;
		line = p->cores_min != 0 ? p->cores_line : line;
	}
	if (guaranteed > pool && pool != 0)
		diag_error(d, line, "%u cores are guaranteed in all, and the elastic pool has %u",
			   guaranteed, pool);
}

void check_time(struct module *m, struct diag *d)
{
	count_cores(m, d);
	if (m->n_windows != 0 && m->frame_line == 0)
		diag_error(d, m->windows[0].line,
			   "there are windows, but no frame = DURATION in [module]");
	if (m->n_windows == 0 && m->frame_line != 0)
		diag_warning(d, m->frame_line, "frame without any [window]");
	place_windows(m, d);
	check_pool(m, d);
	for (size_t i = 0; i < m->n_partitions && m->frame_ns != 0; i++)
		for (uint32_t k = 0;
		     k < m->partitions[i].o.vcores && !is_elastic(&m->partitions[i]); k++)
			check_runs(m, &m->partitions[i], k, d);
}
