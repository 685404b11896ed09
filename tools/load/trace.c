/* SPDX-License-Identifier: Apache-2.0 */
/* trace.c - recorded arrival times from a file. See arrivals.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/util.h"
#include "tools/load/arrivals.h"
#include "tools/load/units.h"

/* A line as it may be shown: at most n characters, what does not print as '?'. */
static const char *shown(const char *line, size_t n)
{
	static char text[41];
	size_t i = 0;

	for (; i < n && i < sizeof(text) - 1; i++)
		text[i] = (char)(line[i] >= ' ' && line[i] <= '~' ? line[i] : '?');
	text[i] = '\0';
	return text;
}

/* One line's time; 0 taken, 1 nothing on the line, -1 not a time. */
static int read_line(char *line, uint64_t *at)
{
	char *start = line + strspn(line, " \t");

	start[strcspn(start, "#\r\n")] = '\0';
	for (size_t n = strlen(start); n > 0 && strchr(" \t", start[n - 1]) != NULL; n--)
		start[n - 1] = '\0';
	if (*start == '\0')
		return 1;
	return parse_duration(start, at);
}

int trace_read(struct trace *t, const char *path)
{
	char *line = NULL;
	size_t room = 0, number = 0, held = 0;
	ssize_t n;
	FILE *f = fopen(path, "r");
	int rc = 0;

	*t = (struct trace){ 0 };
	if (f == NULL)
		return fail("%s: %s", path, strerror(errno));
	while (rc == 0 && (n = getline(&line, &room, f)) >= 0) {
		uint64_t at;
		bool whole = strlen(line) == (size_t)n; /* no NUL in it */
		int found = whole ? read_line(line, &at) : -1;

		number++;
		if (found < 0)
			rc = fail(
				"%s:%zu: '%s' is not a time (seconds, or with a unit as in 250us)",
				path, number,
				shown(line,
				      whole ? strlen(line) : (size_t)n - (line[n - 1] == '\n')));
		if (found != 0)
			continue;
		if (t->n > 0 && at < t->at[t->n - 1]) {
			rc = fail("%s:%zu: the time goes back (from %s to %s)", path, number,
				  show_ns(t->at[t->n - 1]), show_ns(at));
			continue;
		}
		if (t->n == held) {
			held = held * 2 + 1024;
			t->at = xrealloc(t->at, held, sizeof(*t->at));
		}
		t->at[t->n++] = at;
	}
	if (rc == 0 && ferror(f))
		rc = fail("%s: %s", path, strerror(errno));
	if (rc == 0 && t->n == 0)
		rc = fail("%s: no times in it", path);
	free(line);
	fclose(f);
	if (rc != 0)
		trace_free(t);
	return rc;
}

void trace_free(struct trace *t)
{
	free(t->at);
	*t = (struct trace){ 0 };
}
