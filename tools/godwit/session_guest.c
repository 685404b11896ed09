/* SPDX-License-Identifier: Apache-2.0 */
/* session_guest.c - what a session does for each of its partitions: output by lines, restarts,
 * metrics with the partition's name. What comes is not trusted. See session_internal.h. */
#include <errno.h>
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

void session_health(struct session *s, const char *bytes, size_t n)
{
	static const char start[] = "godwit: health: ";

	for (size_t i = 0; i < n && s->guests[0].name != NULL && !verbose; i++) {
		if (bytes[i] != '\n') {
			if (s->log_n < sizeof(s->log_line) - 1 && (unsigned char)bytes[i] >= ' ')
				s->log_line[s->log_n++] = bytes[i];
			continue;
		}
		s->log_line[s->log_n] = '\0';
		if (strncmp(s->log_line, start, sizeof(start) - 1) == 0)
			warn("%s", s->log_line + 8);
		s->log_n = 0;
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

static void answer(struct session *s)
{
	struct text all = { 0 };

	for (size_t i = 0; i < s->n_guests; i++) {
		struct session_guest *g = &s->guests[i];

		text_add(&all, g->metrics.data != NULL ? g->metrics.data : "", g->metrics.len);
		text_free(&g->metrics);
		g->metrics_done = false;
	}
	serve_answer(&s->serve, all.len != 0 ? all.data : "", all.len);
	text_free(&all);
	s->metrics_ns = 0;
}

void session_metric(struct session *s, struct session_guest *g)
{
	const char *line = g->records.metric;

	if (line[0] != '\0') {
		if (g->metrics.len < METRICS_MAX && g->name == NULL)
			text_printf(&g->metrics, "%s\n", line);
		else if (g->metrics.len < METRICS_MAX && (line[0] != '#' || g == &s->guests[0]))
			add_named(&g->metrics, line, g->name);
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
