/* SPDX-License-Identifier: Apache-2.0 */
/* zipf.c - see zipf.h. h is the density's hull, H its integral, both in forms that are stable near
 * theta = 1. */
#include <math.h>

#include "tools/load/zipf.h"

/* log(1 + x) / x */
static double log1p_over(double x)
{
	return fabs(x) > 1e-8 ? log1p(x) / x : 1 - x * (0.5 - x * (1.0 / 3 - x / 4));
}

/* (e^x - 1) / x */
static double expm1_over(double x)
{
	return fabs(x) > 1e-8 ? expm1(x) / x : 1 + x / 2 * (1 + x / 3 * (1 + x / 4));
}

static double hull(const struct zipf *z, double x)
{
	return exp(-z->theta * log(x));
}

static double integral(const struct zipf *z, double x)
{
	double l = log(x);

	return expm1_over((1 - z->theta) * l) * l;
}

static double integral_inverse(const struct zipf *z, double x)
{
	double t = x * (1 - z->theta);

	return exp(log1p_over(t < -1 ? -1 : t) * x);
}

void zipf_init(struct zipf *z, uint64_t n, double theta)
{
	z->n = (double)n;
	z->theta = theta;
	z->first = integral(z, 1.5) - 1;
	z->last = integral(z, z->n + 0.5);
	z->cut = 2 - integral_inverse(z, integral(z, 2.5) - hull(z, 2));
}

uint64_t zipf_next(const struct zipf *z, struct rng *r)
{
	for (;;) { /* accepts more than 7 of 10 */
		double u = z->last + rng_unit(r) * (z->first - z->last);
		double x = integral_inverse(z, u);
		double k = floor(x + 0.5);

		k = k < 1 ? 1 : k > z->n ? z->n : k;
		if (k - x <= z->cut || u >= integral(z, k + 0.5) - hull(z, k))
			return (uint64_t)k - 1;
	}
}
