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
