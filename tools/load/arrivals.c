/* SPDX-License-Identifier: Apache-2.0 */
/* arrivals.c - see arrivals.h. */
#include <math.h>

#include "tools/load/arrivals.h"

/* The time at which the integrated rate reaches `count`. */
static uint64_t when(const struct arrivals_spec *s, double count)
{
	double ramp = s->ramp_s * (s->from + s->to) / 2, t;

	if (s->ramp_s > 0 && count < ramp) {
		double slope = (s->to - s->from) / s->ramp_s;

		/* of slope / 2 * t^2 + from * t = count, in the form without cancellation */
		t = 2 * count / (s->from + sqrt(fmax(0, s->from * s->from + 2 * slope * count)));
		if (count <= 0)
			t = 0;
	} else if (s->to > 0) {
		t = s->ramp_s + (count - ramp) / s->to;
	} else {
		return ARRIVALS_END;
	}
	return t > 1e9 ? ARRIVALS_END : (uint64_t)llround(t * 1e9);
}

static void find_next(struct arrivals *a)
{
	const struct arrivals_spec *s = &a->spec;

	if (s->trace != NULL)
		a->next = a->index < s->trace->n ? s->trace->at[a->index] : ARRIVALS_END;
	else if (s->poisson)
		a->next = when(s, a->unit);
	else
		a->next = when(s, (double)(a->index / s->burst) * s->burst);
}

void arrivals_init(struct arrivals *a, const struct arrivals_spec *spec, uint32_t thread,
		   uint32_t threads, uint64_t seed)
{
	*a = (struct arrivals){
		.spec = *spec, .index = thread, .stride = threads, .rng = { seed }
	};
	for (uint32_t i = 0; i <= thread; i++)
		a->rng.state = rng_next(&a->rng);
	if (spec->trace == NULL && spec->poisson) {
		a->spec.from /= threads;
		a->spec.to /= threads;
		a->index = 0;
		a->stride = 1;
		a->unit = -log(rng_unit(&a->rng)) * spec->burst;
	}
	find_next(a);
}

void arrivals_step(struct arrivals *a)
{
	a->index += a->stride;
	a->passed++;
	if (a->spec.poisson && a->spec.trace == NULL && a->index % a->spec.burst == 0)
		a->unit -= log(rng_unit(&a->rng)) * a->spec.burst;
	find_next(a);
}

double arrivals_expected(const struct arrivals_spec *s, uint64_t ns)
{
	double t = (double)ns / 1e9, ramped = fmin(t, s->ramp_s);

	if (s->trace != NULL) {
		size_t low = 0, high = s->trace->n;

		while (low < high) {
			size_t mid = low + (high - low) / 2;

			if (s->trace->at[mid] < ns)
				low = mid + 1;
			else
				high = mid;
		}
		return (double)low;
	}
	if (s->ramp_s <= 0)
		return t * s->to;
	return s->from * ramped + (s->to - s->from) / s->ramp_s * ramped * ramped / 2 +
	       (t - ramped) * s->to;
}
