/* SPDX-License-Identifier: Apache-2.0 */
/* life.c - see life.h. In the trace file each connection is a track; on it lies a bar for each
 * request, and on that one for each stage. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/godwit/life.h"

#define PID 1u

struct request {
	uint64_t shard, tid, start_ns, local_port;
	char remote[LIFE_REMOTE];
	bool met[GW_TRACE_POINTS];
	uint64_t at[GW_TRACE_POINTS]; /* since start_ns */
};

/* What the time before each point is. */
static const char *const stages[LIFE_STAGES] = {
	[GW_TRACE_RING] = "request",	       [GW_TRACE_INPUT] = "receive ring",
	[GW_TRACE_QUEUED] = "TCP/IP in",       [GW_TRACE_WOKEN] = "wake",
	[GW_TRACE_RUN] = "run queue",	       [GW_TRACE_READY] = "poll",
	[GW_TRACE_READ] = "program to read",   [GW_TRACE_READ_END] = "read",
	[GW_TRACE_WRITE] = "program to write", [GW_TRACE_SENT] = "write, TCP/IP out",
	[GW_TRACE_BELL] = "send ring",
};

int life_open(struct life *l, const char *path, const char *program)
{
	*l = (struct life){ .lost = 0 };
	if (perfetto_open(&l->out, path) != 0)
		return -1;
	l->connections = xcalloc(LIFE_CONNECTIONS, sizeof(*l->connections));
	perfetto_process(&l->out, PID, program);
	perfetto_thread(&l->out, PID, 0, "more connections");
	return 0;
}

/* ---- records ---- */

static char *next_word(char **p)
{
	char *word = *p + strspn(*p, " ");

	*p = word + strcspn(word, " ");
	if (**p != '\0')
		*(*p)++ = '\0';
	return word;
}

static int number(char **p, uint64_t max, uint64_t *out)
{
	return parse_u64(next_word(p), 0, max, out);
}

static int parse_lost(struct life *l, char *rest)
{
	uint64_t lost, unanswered;

	if (number(&rest, UINT32_MAX, &lost) != 0 || number(&rest, UINT32_MAX, &unanswered) != 0)
		return -1;
	l->lost += lost;
	l->unanswered += unanswered;
	return 0;
}

static int parse(struct request *r, char *rest)
{
	const uint64_t day = 86400ull * 1000000000;
	uint64_t before = 0;
	const char *word;

	if (number(&rest, 1023, &r->shard) != 0 || number(&rest, UINT32_MAX, &r->tid) != 0)
		return -1;
	word = next_word(&rest);
	if (word[0] == '\0' || strlen(word) >= sizeof(r->remote))
		return -1;
	strcpy(r->remote, word);
	if (number(&rest, 65535, &r->local_port) != 0 ||
	    number(&rest, UINT64_MAX / 4, &r->start_ns) != 0)
		return -1;
	r->met[GW_TRACE_RING] = true;
	for (uint32_t i = 1; i < GW_TRACE_POINTS; i++) {
		word = next_word(&rest);
		if (strcmp(word, "-") == 0)
			continue;
		if (parse_u64(word, before, day, &r->at[i]) != 0)
			return -1;
		r->met[i] = true;
		before = r->at[i];
	}
	return r->met[GW_TRACE_BELL] && *rest == '\0' ? 0 : -1;
}

/* ---- the table's figures ---- */

static void keep(struct life *l, uint32_t stage, uint64_t ns)
{
	if (l->n[stage] == LIFE_MAX)
		return;
	if (l->n[stage] == l->room[stage]) {
		l->room[stage] = l->room[stage] == 0 ? 1024 : 2 * l->room[stage];
		l->ns[stage] = xrealloc(l->ns[stage], l->room[stage], sizeof(uint64_t));
	}
	l->ns[stage][l->n[stage]++] = ns;
	l->total_ns[stage] += ns;
}

/* ---- the file ---- */

/* A connection's track: from 1; 0 for those that came too late for one of their own. */
static uint32_t track_of(struct life *l, const char *remote)
{
	for (uint32_t i = 0; i < l->n_connections; i++)
		if (strcmp(l->connections[i], remote) == 0)
			return i + 1;
	if (l->n_connections == LIFE_CONNECTIONS)
		return 0;
	strcpy(l->connections[l->n_connections++], remote);
	perfetto_thread(&l->out, PID, l->n_connections, remote);
	return l->n_connections;
}

static void take(struct life *l, const struct request *r)
{
	const struct perfetto_arg args[] = { { .key = "port", .number = r->local_port },
					     { .key = "thread", .number = r->tid },
					     { .key = "shard", .number = r->shard },
					     { .key = NULL } };
	uint32_t track = track_of(l, r->remote);
	uint64_t before = 0;

	keep(l, 0, r->at[GW_TRACE_BELL]);
	perfetto_slice(&l->out, PID, track, stages[0], r->start_ns, r->at[GW_TRACE_BELL], args);
	for (uint32_t i = 1; i < GW_TRACE_POINTS; i++) {
		if (!r->met[i])
			continue;
		keep(l, i, r->at[i] - before);
		perfetto_slice(&l->out, PID, track, stages[i], r->start_ns + before,
			       r->at[i] - before, NULL);
		before = r->at[i];
	}
}

int life_add(struct life *l, const char *text)
{
	char copy[GW_CHANNEL_LINE];
	struct request r = { .shard = 0 };

	if (strlen(text) >= sizeof(copy))
		return -1;
	strcpy(copy, text);
	if (strncmp(copy, "lost ", 5) == 0)
		return parse_lost(l, copy + 5);
	if (parse(&r, copy) != 0)
		return -1;
	take(l, &r);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The least value that at least `percent` of the sorted n are not above. */
static double point_us(const uint64_t *sorted, size_t n, unsigned int percent)
{
	size_t rank = (n * percent + 99) / 100;

	return (double)sorted[rank == 0 ? 0 : rank - 1] / 1e3;
}

static void row(const struct life *l, uint32_t i, struct text *out)
{
	size_t n = l->n[i];

	if (n == 0)
		return;
	qsort(l->ns[i], n, sizeof(uint64_t), by_value);
	text_printf(out, "  %-18s %8zu %10.2f %10.2f %6.1f %%\n", i == 0 ? "total" : stages[i], n,
		    point_us(l->ns[i], n, 50), point_us(l->ns[i], n, 99),
		    l->total_ns[0] == 0 ? 0.0
					: 100.0 * (double)l->total_ns[i] / (double)l->total_ns[0]);
}

void life_table(const struct life *l, struct text *out)
{
	text_printf(out,
		    "godwit: requests followed: %zu (%" PRIu64 " given up unanswered, %" PRIu64
		    " lost), trace in %s\n",
		    l->n[0], l->unanswered, l->lost, l->out.path);
	if (l->n[0] == 0)
		return;
	text_printf(out, "  %-18s %8s %10s %10s %8s\n", "stage", "count", "p50 us", "p99 us",
		    "share");
	for (uint32_t i = 1; i < LIFE_STAGES; i++)
		row(l, i, out);
	row(l, 0, out);
}

int life_close(struct life *l)
{
	for (uint32_t i = 0; i < LIFE_STAGES; i++)
		free(l->ns[i]);
	free(l->connections);
	l->connections = NULL;
	return perfetto_close(&l->out);
}
