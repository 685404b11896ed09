/* SPDX-License-Identifier: Apache-2.0 */
/* session_guest.c - what a session does for each of its partitions: output by lines, restarts,
 * metrics with the partition's name. What comes is not trusted. See session_internal.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/godwit/session_internal.h"

#define METRICS_MAX (1u << 20)
#define METRICS_NS 1000000000ull /* for a partition to send its own */
#define READ_BYTES 512u		 /* at once: at most so many lines */

bool session_read(int *fd, char *buf, size_t room, size_t *n)
{
	ssize_t got = read(*fd, buf, room);

	*n = got > 0 ? (size_t)got : 0;
	if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
		return true;
	close(*fd);
	*fd = -1;
	return false;
}

/* A read may end READ_BYTES lines, each with a name, and a long one from before. */
bool session_has_room(const struct pump *p)
{
	return p->to_failed ||
	       PUMP_BYTES - p->len >=
		       SESSION_LINE +
			       READ_BYTES * (sizeof(((struct gw_bundle_partition *)0)->name) + 3);
}

static void put_line(const struct session_guest *g, struct session_lines *l, struct pump *p)
{
	if (!p->to_failed) {
		(void)!pump_put(p, g->name, strlen(g->name));
		(void)!pump_put(p, ": ", 2);
		(void)!pump_put(p, l->line, l->n);
		(void)!pump_put(p, "\n", 1);
	}
	l->n = 0;
}

void session_lines(struct session_guest *g, enum stream stream, struct pump *p)
{
	struct session_lines *l = &g->lines[stream == STREAM_STDERR];
	char buf[READ_BYTES];
	size_t n;

	if (!session_read(&g->fds[stream], buf, sizeof(buf), &n) && l->n != 0)
		put_line(g, l, p);
	for (size_t i = 0; i < n; i++) {
		if (buf[i] != '\n')
			l->line[l->n++] = buf[i];
		if (buf[i] == '\n' || l->n == sizeof(l->line))
			put_line(g, l, p);
	}
}

/* NAME: CLASS at ADDRESS, ...: ACTION, as kernel/core/health.c says it. */
static void note_error(struct session *s, const char *line)
{
	const char *class = strstr(line, ": "), *end, *action = strrchr(line, ':');
	size_t n = class != NULL ? (size_t)(class - line) : 0;

	if (class == NULL || (end = strstr(class + 2, " at ")) == NULL)
		return;
	class += 2;
	for (size_t i = 0; i < s->n_guests; i++) {
		struct session_guest *g = &s->guests[i];

		if (strlen(g->name) != n || strncmp(g->name, line, n) != 0)
			continue;
		g->errors++;
		snprintf(g->error, sizeof(g->error), "%.*s", (int)(end - class), class);
		snprintf(g->action, sizeof(g->action), "%s", action + strspn(action, ": "));
	}
}

void session_health(struct session *s, const char *bytes, size_t n)
{
	static const char start[] = "godwit: health: ";

	for (size_t i = 0; i < n && s->guests[0].name != NULL; i++) {
		if (bytes[i] != '\n') {
			if (s->log_n < sizeof(s->log_line) - 1 && (unsigned char)bytes[i] >= ' ')
				s->log_line[s->log_n++] = bytes[i];
			continue;
		}
		s->log_line[s->log_n] = '\0';
		s->log_n = 0;
		if (strncmp(s->log_line, start, sizeof(start) - 1) != 0)
			continue;
		note_error(s, s->log_line + sizeof(start) - 1);
		if (!verbose)
			warn("%s", s->log_line + 8);
	}
}

void session_boot(struct session_guest *g)
{
	struct records *r = &g->records;
	struct record last = r->boot.v[r->boot.n - 1];

	if (strcmp(last.name, "runtime") != 0 || ++g->starts == 1)
		return;
	memset(&r->listen, 0, sizeof(r->listen));
	memset(&r->stats, 0, sizeof(r->stats));
	memset(&r->enosys, 0, sizeof(r->enosys));
	r->boot.v[0] = last;
	r->boot.n = 1;
	r->exited = false;
	r->signal = 0;
	r->error[0] = '\0';
	text_free(&g->metrics);
	text_free(&g->status);
}

/* A line of Prometheus text with the partition's name among its labels. */
static void add_named(struct text *out, const char *line, const char *name)
{
	size_t n = strcspn(line, "{ ");

	if (line[0] == '#')
		text_printf(out, "%s\n", line);
	else if (line[n] == '{')
		text_printf(out, "%.*s{partition=\"%s\",%s\n", (int)n, line, name, line + n + 1);
	else
		text_printf(out, "%.*s{partition=\"%s\"}%s\n", (int)n, line, name, line + n);
}

/* A line of the kernel's status, which says owner="NUMBER": with that partition's name. */
static void add_status(const struct session *s, struct text *out, const char *line)
{
	static const char key[] = "owner=\"";
	const char *owner = strstr(line, key), *end;
	unsigned long number;
	char *rest;

	if (owner == NULL)
		return;
	end = owner + sizeof(key) - 1;
	number = strtoul(end, &rest, 10);
	if (rest == end)
		text_printf(out, "%.*spartition=\"%s\n", (int)(owner - line), line, end);
	else if (number < s->n_guests)
		text_printf(out, "%.*spartition=\"%s%s\n", (int)(owner - line), line,
			    s->guests[number].name, rest);
}

static bool is_status(const char *line)
{
	return strncmp(line, "godwit_window_", 14) == 0 ||
	       strncmp(line, "godwit_elastic_", 15) == 0;
}

/* What is known here of a module's partitions. */
static void add_partitions(const struct session *s, struct text *out)
{
	static const struct {
		const char *name, *type, *help;
	} heads[] = { { "running", "gauge", "1: it has not ended." },
		      { "starts_total", "counter", "Starts of its program; 0: it does not tell." },
		      { "errors_total", "counter", "Health errors told, at most 16 a class." } };

	for (size_t k = 0; k < sizeof(heads) / sizeof(heads[0]); k++) {
		text_printf(out, "# HELP godwit_partition_%s %s\n# TYPE godwit_partition_%s %s\n",
			    heads[k].name, heads[k].help, heads[k].name, heads[k].type);
		for (size_t i = 0; i < s->n_guests; i++) {
			const struct session_guest *g = &s->guests[i];
			uint32_t v = k == 0 ? !g->records.exited : k == 1 ? g->starts : g->errors;

			text_printf(out, "godwit_partition_%s{partition=\"%s\"} %u\n",
				    heads[k].name, g->name, v);
		}
	}
	for (size_t i = 0; i < s->n_guests; i++)
		if (s->guests[i].errors != 0)
			text_printf(out,
				    "godwit_partition_error{partition=\"%s\",error=\"%s\","
				    "action=\"%s\"} 1\n",
				    s->guests[i].name, s->guests[i].error, s->guests[i].action);
}

static void answer(struct session *s)
{
	struct text all = { 0 };
	bool told = false;

	for (size_t i = 0; i < s->n_guests; i++) {
		struct session_guest *g = &s->guests[i];

		text_add(&all, g->metrics.data != NULL ? g->metrics.data : "", g->metrics.len);
		/* one has told all of it */
		if (!told && g->metrics_done && g->status.len != 0) {
			text_add(&all, g->status.data, g->status.len);
			told = true;
		}
		text_free(&g->metrics);
		text_free(&g->status);
		g->metrics_done = false;
	}
	if (s->guests[0].name != NULL)
		add_partitions(s, &all);
	serve_answer(&s->serve, all.len != 0 ? all.data : "", all.len);
	text_free(&all);
	s->metrics_ns = 0;
}

void session_metric(struct session *s, struct session_guest *g)
{
	const char *line = g->records.metric;

	if (line[0] != '\0') {
		if (g->metrics.len + g->status.len >= METRICS_MAX)
			return;
		if (g->name == NULL) {
			text_printf(&g->metrics, "%s\n", line);
		} else if (is_status(line)) {
			add_status(s, &g->status, line);
		} else if (line[0] != '#' || g == &s->guests[0]) {
			add_named(&g->metrics, line, g->name);
		}
		return;
	}
	g->metrics_done = true;
	for (size_t i = 0; i < s->n_guests; i++)
		if (!s->guests[i].metrics_done && !s->guests[i].absent &&
		    !s->guests[i].records.exited)
			return;
	answer(s);
}

void session_metrics_late(struct session *s)
{
	if (s->n_guests > 1 && s->metrics_ns != 0 && now_ns() - s->metrics_ns > METRICS_NS)
		answer(s);
}
