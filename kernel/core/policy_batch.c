/* SPDX-License-Identifier: Apache-2.0 */
/* policy_batch.c - whatever the others leave: idle cores, and a guaranteed minimum. Several batch
 * partitions take turns. */
#include "kernel/core/elastic.h"

static enum elastic_rank want(const struct elastic_part *p, const struct elastic_load *l)
{
	uint32_t held = atomic_load(&p->numbers->cores);

	if (held >= p->max || l->ready == 0)
		return ELASTIC_NONE;
	return held < p->min ? ELASTIC_GUARANTEE : ELASTIC_SPARE;
}

static enum elastic_rank keep(const struct elastic_part *p, const struct elastic_load *l)
{
	(void)l;
	return atomic_load(&p->numbers->cores) <= p->min ? ELASTIC_GUARANTEE : ELASTIC_SPARE;
}

const struct elastic_policy policy_batch = { 1000000, false, want, keep };
