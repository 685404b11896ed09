/* SPDX-License-Identifier: Apache-2.0 */
/* figures.h - reading Prometheus text: one entry a line `name{label="value",...} number`. The text
 * comes from a guest: lines that are not so are left out, and only so many are kept. */
#ifndef GODWIT_TOOLS_FIGURES_H
#define GODWIT_TOOLS_FIGURES_H

#include "tools/base/util.h"

#define FIGURES_MAX 8192u

struct figure {
	char name[64];	  /* without godwit_ */
	char labels[120]; /* between the braces */
	double value;
};

struct figures {
	struct figure *v;
	size_t n;
};

void figures_parse(struct figures *f, const char *text);
void figures_free(struct figures *f);
/* figures_with - copies of those that have that label pair; to be freed. */
void figures_with(struct figures *to, const struct figures *from, const char *label);
/* figures_get - the value of the first of that name with all of the label pairs given (`a="b"`,
 * NULL: no more wanted); `none` when there is none. */
double figures_get(const struct figures *f, const char *name, const char *label, const char *other,
		   double none);
/* figures_sum - the sum of all of that name with that label pair. */
double figures_sum(const struct figures *f, const char *name, const char *label);
/* figure_label - copy a label's value; false: it has no such label. */
bool figure_label(const struct figure *f, const char *label, char *to, size_t room);

#endif
