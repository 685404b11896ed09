/* SPDX-License-Identifier: Apache-2.0 */
/* outputs.c - the files that options ask for. See report.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/hdr_log.h"
#include "tools/load/plot.h"
#include "tools/load/report.h"

static int open_one(FILE **f, const char *path)
{
	if (path == NULL)
		return 0;
	*f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	return *f != NULL ? 0 : fail("%s: %s", path, strerror(errno));
}

int outputs_open(struct outputs *o, const struct load_config *c)
{
	*o = (struct outputs){ 0 };
	if (open_one(&o->hgrm, c->hgrm) != 0 || open_one(&o->csv, c->csv) != 0 ||
	    open_one(&o->json, c->json) != 0 || open_one(&o->log, c->log) != 0 ||
	    open_one(&o->svg, c->svg) != 0)
		return -1;
	return 0;
}

static int close_one(FILE *f, const char *path)
{
	bool failed;

	if (f == NULL)
		return 0;
	errno = 0;
	failed = fflush(f) != 0 || ferror(f);
	if (f != stdout && fclose(f) != 0)
		failed = true;
	if (failed)
		say("%s could not be written: %s", path,
		    errno != 0 ? strerror(errno) : "an earlier write failed");
	return failed ? -1 : 0;
}

/* The plot is drawn from the JSON form, as the command plot does. */
static void write_svg(FILE *f, const struct load_config *c, const struct load_result *r)
{
	char *text = NULL;
	size_t n = 0;
	FILE *memory = open_memstream(&text, &n);
	struct json j = { 0 };

	if (memory == NULL)
		return;
	report_json(memory, c, r);
	fclose(memory);
	if (json_parse(&j, need(text)) != 0 || plot_runs(f, &j, 1) != 0)
		say("%s: %s", c->svg, fail_text());
	json_free(&j);
	free(text);
}

int outputs_write(struct outputs *o, const struct load_config *c, const struct load_result *r)
{
	int rc = 0;

	if (o->hgrm != NULL)
		hgrm_write(o->hgrm, &r->corrected);
	if (o->csv != NULL)
		report_csv(o->csv, c, r);
	if (o->json != NULL)
		report_json(o->json, c, r);
	if (o->svg != NULL)
		write_svg(o->svg, c, r);
	rc |= close_one(o->hgrm, c->hgrm);
	rc |= close_one(o->csv, c->csv);
	rc |= close_one(o->json, c->json);
	rc |= close_one(o->log, c->log);
	rc |= close_one(o->svg, c->svg);
	*o = (struct outputs){ 0 };
	return rc;
}
