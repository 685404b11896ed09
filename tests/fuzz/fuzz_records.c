/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_records.c - what a guest may send to the host command: lines of records, in one piece and in
 * parts, its trace records and its metrics. */
#include <stdlib.h>
#include <string.h>

#include "tools/godwit/figures.h"
#include "tools/godwit/life.h"
#include "tools/godwit/records.h"
#include "tools/godwit/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct life life;

static void seen(void *context, enum record_kind kind)
{
	const struct records *r = context;
	struct figures f;

	if (kind == RECORD_TRACE)
		(void)life_add(&life, r->trace);
	if (kind == RECORD_METRIC) {
		figures_parse(&f, r->metric);
		figures_free(&f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct records *whole = calloc(1, sizeof(*whole)), *parts = calloc(1, sizeof(*parts));
	struct text t = { 0 };

	if (whole == NULL || parts == NULL || life_open(&life, "/dev/null", "p") != 0)
		abort();
	records_input(whole, (const char *)data, (uint32_t)size, seen, whole);
	for (size_t at = 0; at < size; at++)
		records_input(parts, (const char *)data + at, 1, NULL, NULL);
	if (whole->bad != parts->bad || whole->stats.n != parts->stats.n ||
	    whole->line_len != parts->line_len)
		abort();
	report_summary(&t, "program", whole);
	life_table(&life, &t);
	if (life.n[0] != 0)
		for (uint32_t i = 1; i < LIFE_STAGES; i++)
			if (life.n[i] > life.n[0])
				abort();
	text_free(&t);
	(void)life_close(&life);
	free(whole);
	free(parts);
	return 0;
}
