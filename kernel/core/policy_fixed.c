/* SPDX-License-Identifier: Apache-2.0 */
/* policy_fixed.c - no elastic cores: the partition's vcores stay on their cores, in its windows or
 * in turn, and the allocator has nothing to do with it. */
#include "kernel/core/elastic.h"

static enum elastic_rank want(const struct elastic_part *p, const struct elastic_load *l)
{
	(void)p, (void)l;
	return ELASTIC_NONE;
}

static enum elastic_rank keep(const struct elastic_part *p, const struct elastic_load *l)
{
	(void)p, (void)l;
	return ELASTIC_GUARANTEE;
}

const struct elastic_policy policy_fixed = { 1000000, false, want, keep };
