/* SPDX-License-Identifier: Apache-2.0 */
/* policy_latency.c - cores by delay. A partition without a core gets one at once when it has work,
 * and another one whenever its oldest work has waited longer than the bound that the manifest says;
 * an idle core before that. Within its bound it gives cores above its minimum to those beyond
 * theirs, never to the batch class. */
#include "kernel/core/elastic.h"

static enum elastic_rank want(const struct elastic_part *p, const struct elastic_load *l)
{
	uint32_t held = atomic_load(&p->numbers->cores);

	if (held >= p->max)
		return ELASTIC_NONE;
	if (l->ready != 0 && held < p->min)
		return ELASTIC_GUARANTEE;
	if ((l->ready != 0 && (held == 0 || l->ready_delay_ns > p->delay_ns)) ||
	    (l->helpers != 0 && l->running_delay_ns > p->delay_ns))
		return ELASTIC_LATE;
	return l->ready != 0 ? ELASTIC_SPARE : ELASTIC_NONE;
}

static enum elastic_rank keep(const struct elastic_part *p, const struct elastic_load *l)
{
	if (atomic_load(&p->numbers->cores) <= p->min)
		return ELASTIC_GUARANTEE;
	return elastic_delay(l) > p->delay_ns ? ELASTIC_LATE : ELASTIC_CALM;
}

/* Turns are short: the work of a shard that waits for its turn waits as long. */
const struct elastic_policy policy_latency = { 100000, true, want, keep };
