/* SPDX-License-Identifier: Apache-2.0 */
/* zipf.h - numbers of a Zipf distribution: k has a probability proportional to 1 / (k + 1)^theta.
 * Rejection-inversion (W. Hoermann and G. Derflinger, 1996): no table, the same time for any n,
 * exact for any theta > 0. */
#ifndef GODWIT_LOAD_ZIPF_H
#define GODWIT_LOAD_ZIPF_H

#include "tools/load/rng.h"

struct zipf {
	double n, theta, first, last, cut;
};

/* n > 0, 0 < theta <= 100. */
void zipf_init(struct zipf *z, uint64_t n, double theta);
uint64_t zipf_next(const struct zipf *z, struct rng *r); /* 0 .. n-1, 0 most often */

#endif
