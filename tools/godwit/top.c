/* SPDX-License-Identifier: Apache-2.0 */
/* top.c - `godwit top [--once] [PID]`: finds a running machine by its socket in serve_folder(),
 * asks it for its metrics each second, and shows them with curses, or once as text. */
#include <dirent.h>
#include <errno.h>
#include <ncurses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/godwit/serve.h"
#include "tools/godwit/top.h"

#define ANSWER_MAX (2u << 20)

/* ---- the frame ---- */

static const char *duration(char buf[16], double seconds)
{
	if (seconds < 0)
		snprintf(buf, 16, "-");
	else if (seconds < 1e-6)
		snprintf(buf, 16, "%.0fns", seconds * 1e9);
	else if (seconds < 1e-3)
		snprintf(buf, 16, "%.1fus", seconds * 1e6);
	else if (seconds < 1)
		snprintf(buf, 16, "%.1fms", seconds * 1e3);
	else
		snprintf(buf, 16, "%.2fs", seconds);
	return buf;
}

static void latencies(struct text *out, const struct figures *now, const char *name,
		      const char *shard)
{
	static const char *const points[] = { "quantile=\"0.5\"", "quantile=\"0.99\"",
					      "quantile=\"1\"" };
	char buf[16];

	for (size_t i = 0; i < 3; i++)
		text_printf(out, " %8s",
			    duration(buf, figures_get(now, name, shard, points[i], -1)));
}

struct column {
	const char *title, *name, *label;
};

static const struct column columns[] = { { "pkt in", "packets_total", "direction=\"in\"" },
					 { "pkt out", "packets_total", "direction=\"out\"" },
					 { "wakes", "wakes_total", NULL },
					 { "kernel", "kernel_entries_total", NULL },
					 { "interrupts", "interrupts_total", NULL } };

static void shard_row(struct text *out, const struct figures *now, const struct figures *before,
		      double seconds, const char *number)
{
	char shard[48];
	double accepted, drops = 0;

	snprintf(shard, sizeof(shard), "shard=\"%.8s\"", number);
	accepted = figures_get(now, "connections_total", shard, "kind=\"accepted\"", 0) +
		   figures_get(now, "connections_total", shard, "kind=\"opened\"", 0);
	drops = figures_sum(now, "drops_total", shard);
	text_printf(out, "%5s %7.0f %7.0f %6.0f", number,
		    figures_get(now, "threads", shard, NULL, 0), accepted, drops);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		const struct column *c = &columns[i];
		double v = 0, was = 0;

		/* of several with this name (wakes by source), all */
		if (c->label != NULL) {
			v = figures_get(now, c->name, shard, c->label, 0);
			was = before != NULL ? figures_get(before, c->name, shard, c->label, 0) : 0;
		} else {
			v = figures_sum(now, c->name, shard);
			was = before != NULL ? figures_sum(before, c->name, shard) : 0;
		}
		text_printf(out, " %10.0f",
			    before != NULL && seconds > 0 ? (v - was) / seconds : v);
	}
	text_printf(out, "\n");
}

static const struct trio {
	const char *title, *name;
} trios[][3] = { { { "queued", "queue_delay_seconds" },
		   { "run", "run_seconds" },
		   { "parked", "wait_seconds" } },
		 { { "net receive", "net_receive_seconds" },
		   { "net send", "net_send_seconds" },
		   { "in socket", "socket_receive_wait_seconds" } } };

static void latency_rows(struct text *out, const struct figures *now, const struct trio three[3])
{
	char number[16], shard[48], title[40];

	text_printf(out, "\n%5s", "shard");
	for (size_t i = 0; i < 3; i++) {
		snprintf(title, sizeof(title), "%s p50/p99/max", three[i].title);
		text_printf(out, "  %-26s", title);
	}
	text_printf(out, "\n");
	for (size_t i = 0; i < now->n; i++) {
		if (strcmp(now->v[i].name, "threads") != 0 ||
		    !figure_label(&now->v[i], "shard", number, sizeof(number)))
			continue;
		snprintf(shard, sizeof(shard), "shard=\"%.8s\"", number);
		text_printf(out, "%5s", number);
		for (size_t k = 0; k < 3; k++) {
			text_printf(out, " ");
			latencies(out, now, three[k].name, shard);
		}
		text_printf(out, "\n");
	}
}

static void recorded_rows(struct text *out, const struct figures *now)
{
	static const char *const points[] = { "quantile=\"0.5\"", "quantile=\"0.99\"",
					      "quantile=\"1\"" };
	bool first = true;
	char name[40], pair[56];

	for (size_t i = 0; i < now->n; i++) {
		if (strcmp(now->v[i].name, "recorded_count") != 0 ||
		    !figure_label(&now->v[i], "name", name, sizeof(name)))
			continue;
		if (first)
			text_printf(out, "\n%-32s %10s %10s %10s %10s\n", "recorded", "count",
				    "p50", "p99", "max");
		first = false;
		snprintf(pair, sizeof(pair), "name=\"%s\"", name);
		text_printf(out, "%-32s %10.0f", name, now->v[i].value);
		for (size_t k = 0; k < 3; k++)
			text_printf(out, " %10.0f",
				    figures_get(now, "recorded", pair, points[k], 0));
		text_printf(out, "\n");
	}
}

void top_frame(struct text *out, const struct figures *now, const struct figures *before,
	       double seconds)
{
	double total = figures_get(now, "memory_bytes", "state=\"total\"", NULL, 0),
	       avail = figures_get(now, "memory_bytes", "state=\"free\"", NULL, 0);
	char program[64] = "?", pid[16] = "?", number[16];

	for (size_t i = 0; i < now->n; i++) {
		if (strcmp(now->v[i].name, "info") == 0) {
			(void)figure_label(&now->v[i], "program", program, sizeof(program));
			(void)figure_label(&now->v[i], "pid", pid, sizeof(pid));
		}
	}
	text_printf(out,
		    "%s (godwit %s)  up %.1f s  memory %.1f of %.1f MiB  syscalls %.0f  page "
		    "faults %.0f\n\n",
		    program, pid, figures_get(now, "uptime_seconds", NULL, NULL, 0),
		    (total - avail) / (1 << 20), total / (1 << 20),
		    figures_get(now, "syscalls_total", NULL, NULL, 0),
		    figures_get(now, "page_faults_total", NULL, NULL, 0));
	text_printf(out, "%5s %7s %7s %6s", "shard", "threads", "conns", "drops");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		text_printf(out, " %8s%s", columns[i].title, before != NULL ? "/s" : "  ");
	text_printf(out, "\n");
	for (size_t i = 0; i < now->n; i++)
		if (strcmp(now->v[i].name, "threads") == 0 &&
		    figure_label(&now->v[i], "shard", number, sizeof(number)))
			shard_row(out, now, before, seconds, number);
	for (size_t i = 0; i < sizeof(trios) / sizeof(trios[0]); i++)
		latency_rows(out, now, trios[i]);
	recorded_rows(out, now);
}

/* ---- the machine ---- */

/* Connect to a socket; -1 with errno. */
static int dial(const char *path)
{
	struct timeval limit = { .tv_sec = 5 };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	}
	return fd;
}

/* The only running machine's socket, or that of `pid`. The caller frees it; NULL (fail). */
static char *find(const char *pid)
{
	char *folder = serve_folder(), *path, *only = NULL;
	struct text several = { 0 };
	const struct dirent *e;
	uint32_t n = 0;
	DIR *d;

	if (folder == NULL)
		return NULL;
	if (pid != NULL) {
		path = xasprintf("%s/%s.sock", folder, pid);
		free(folder);
		return path;
	}
	d = opendir(folder);
	while (d != NULL && (e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);
		int fd;

		if (len < 6 || strcmp(e->d_name + len - 5, ".sock") != 0)
			continue;
		path = xasprintf("%s/%s", folder, e->d_name);
		fd = dial(path);
		if (fd < 0 && errno == ECONNREFUSED)
			unlink(path); /* its process is gone */
		if (fd >= 0) {
			close(fd);
			n++;
			text_printf(&several, " %.*s", (int)len - 5, e->d_name);
			free(only);
			only = xstrdup(path);
		}
		free(path);
	}
	if (d != NULL)
		closedir(d);
	if (n != 1) {
		if (n == 0)
			fail("no machine of this user runs (godwit run starts one)");
		else
			fail("several machines run; which one? godwit top PID, of:%s",
			     several.data);
		free(only);
		only = NULL;
	}
	text_free(&several);
	free(folder);
	return only;
}

static int fetch(const char *path, struct figures *f)
{
	static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
	struct text t = { 0 };
	int fd = dial(path);
	const char *body;
	char buf[4096];
	ssize_t n;

	if (fd < 0)
		return fail("the machine is gone (%s: %s)", path, strerror(errno));
	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
		n = -1;
	else
		while ((n = read(fd, buf, sizeof(buf))) > 0 && t.len < ANSWER_MAX)
			text_add(&t, buf, (size_t)n);
	close(fd);
	text_add(&t, "", 1);
	body = strstr(t.data, "\r\n\r\n");
	if (n < 0 || body == NULL || strncmp(t.data, "HTTP/1.1 200", 12) != 0) {
		fail("the machine does not answer%s%.60s", t.len > 1 ? ": " : "", t.data);
		text_free(&t);
		return -1;
	}
	figures_parse(f, body + 4);
	text_free(&t);
	return 0;
}

static int once(const char *path)
{
	struct figures now;
	struct text t = { 0 };

	if (fetch(path, &now) != 0)
		return -1;
	top_frame(&t, &now, NULL, 0);
	fputs(t.data, stdout);
	text_free(&t);
	figures_free(&now);
	return 0;
}

static int live(const char *path)
{
	struct figures now = { 0 }, before = { 0 };
	double then = 0;
	int result = 0;

	if (initscr() == NULL)
		return fail("the terminal cannot show this; try godwit top --once");
	cbreak();
	noecho();
	curs_set(0);
	timeout(1000);
	while ((result = fetch(path, &now)) == 0) {
		double t = (double)now_ns() / 1e9;
		struct text out = { 0 };
		int key;

		top_frame(&out, &now, before.n != 0 ? &before : NULL, t - then);
		erase();
		addnstr(out.data, (int)out.len);
		mvaddstr(LINES - 1, 0, "q: quit");
		refresh();
		text_free(&out);
		figures_free(&before);
		before = now;
		then = t;
		key = getch();
		if (key == 'q' || key == 'Q')
			break;
	}
	endwin();
	figures_free(&before);
	return result;
}

int command_top(int argc, char *const *argv)
{
	const char *pid = NULL;
	bool text = !isatty(STDOUT_FILENO);
	char *path = NULL;
	int result = 0;
	uint64_t n;

	for (int i = 0; i < argc && result == 0; i++) {
		if (strcmp(argv[i], "--once") == 0) {
			text = true;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			printf("godwit top [--once] [PID]   a running machine's figures each "
			       "second; --once: one "
			       "frame as text\nPID is that of godwit run; it may be left out when "
			       "one machine runs.\n");
			return 0;
		} else if (parse_u64(argv[i], 1, INT32_MAX, &n) == 0) {
			pid = argv[i];
		} else {
			result = fail("godwit top takes --once and a process number, not %s",
				      argv[i]);
		}
	}
	if (result == 0) {
		path = find(pid);
		result = path == NULL ? -1 : text ? once(path) : live(path);
	}
	free(path);
	if (result != 0)
		warn("top: %s", fail_text());
	return result != 0 ? STATUS_USAGE : 0;
}
