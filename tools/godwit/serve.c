/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c - metrics over HTTP. See serve.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/godwit/serve.h"

void serve_init(struct serve *s, const char *program)
{
	*s = (struct serve){ .program = program };
	for (int i = 0; i < SERVE_LISTENERS; i++)
		s->listeners[i] = -1;
	for (int i = 0; i < SERVE_CLIENTS; i++)
		s->clients[i].fd = -1;
}

static int listen_on(struct serve *s, int slot, const struct sockaddr *a, socklen_t len)
{
	int one = 1, fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && a->sa_family == AF_INET)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, a, len) != 0 || listen(fd, SERVE_CLIENTS) != 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	s->listeners[slot] = fd;
	return 0;
}

int serve_tcp(struct serve *s, const char *where)
{
	const char *colon = strrchr(where, ':');
	char addr[16] = "127.0.0.1";
	struct sockaddr_in a = { .sin_family = AF_INET };
	uint64_t port;

	if (colon != NULL) {
		if (colon == where || (size_t)(colon - where) >= sizeof(addr))
			return fail("--metrics %s: write PORT or ADDRESS:PORT", where);
		memcpy(addr, where, (size_t)(colon - where));
		addr[colon - where] = '\0';
	}
	if (parse_u64(colon != NULL ? colon + 1 : where, 1, 65535, &port) != 0 ||
	    inet_pton(AF_INET, addr, &a.sin_addr) != 1)
		return fail("--metrics %s: write PORT or ADDRESS:PORT", where);
	a.sin_port = htons((uint16_t)port);
	if (listen_on(s, 0, (const struct sockaddr *)&a, sizeof(a)) != 0)
		return fail("--metrics %s: %s", where, strerror(errno));
	return 0;
}

char *serve_folder(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char *folder = runtime != NULL && runtime[0] == '/'
			       ? xasprintf("%s/godwit", runtime)
			       : xasprintf("/tmp/godwit-%u", (unsigned int)geteuid());
	struct stat st;

	if ((mkdir(folder, 0700) != 0 && errno != EEXIST) || lstat(folder, &st) != 0)
		fail("cannot make %s: %s", folder, strerror(errno));
	else if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		fail("%s is not a folder of this user alone", folder);
	else
		return folder;
	free(folder);
	return NULL;
}

int serve_local(struct serve *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char *folder = serve_folder();
	int n;

	if (folder == NULL)
		return -1;
	n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/%d.sock", folder, (int)getpid());
	free(folder);
	if (n < 0 || (size_t)n >= sizeof(a.sun_path))
		return fail("the name of the socket for godwit top is too long");
	unlink(a.sun_path); /* of an earlier process with this number */
	if (listen_on(s, 1, (const struct sockaddr *)&a, sizeof(a)) != 0)
		return fail("%s: %s", a.sun_path, strerror(errno));
	s->path = xstrdup(a.sun_path);
	return 0;
}

static void drop(struct serve_client *c)
{
	close(c->fd);
	text_free(&c->answer);
	*c = (struct serve_client){ .fd = -1 };
}

static void respond(struct serve_client *c, const char *status, const char *first, const char *text,
		    size_t n)
{
	c->waiting = false;
	c->end_ns = now_ns() + SERVE_NS;
	text_printf(&c->answer,
		    "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: "
		    "%zu\r\nConnection: "
		    "close\r\n\r\n%s",
		    status, strlen(first) + n, first);
	text_add(&c->answer, text, n);
}

static void refuse(struct serve_client *c, const char *status)
{
	char line[64];

	snprintf(line, sizeof(line), "%s\n", status);
	respond(c, status, "", line, strlen(line));
}

void serve_answer(struct serve *s, const char *text, size_t n)
{
	struct text first = { 0 };

	text_printf(&first, "# HELP godwit_info The machine.\n# TYPE godwit_info "
			    "gauge\ngodwit_info{program=\"");
	for (const char *p = s->program; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			text_add(&first, "\\", 1);
		text_add(&first, (unsigned char)*p < ' ' ? "?" : p, 1);
	}
	text_printf(&first, "\",pid=\"%d\"} 1\n", (int)getpid());
	for (int i = 0; i < SERVE_CLIENTS; i++)
		if (s->clients[i].fd >= 0 && s->clients[i].waiting)
			respond(&s->clients[i], "200 OK", first.data, text, n);
	text_free(&first);
}

static void welcome(struct serve *s, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (int i = 0; fd >= 0 && i < SERVE_CLIENTS; i++) {
		if (s->clients[i].fd < 0) {
			s->clients[i].fd = fd;
			s->clients[i].end_ns = now_ns() + SERVE_NS;
			return;
		}
	}
	if (fd >= 0)
		close(fd);
}

/* Returns whether it asks for the figures. */
static bool read_request(struct serve_client *c)
{
	ssize_t n = read(c->fd, c->request + c->n, sizeof(c->request) - 1 - c->n);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		drop(c);
		return false;
	}
	c->n += (size_t)n;
	c->request[c->n] = '\0';
	if (strstr(c->request, "\r\n\r\n") == NULL && strstr(c->request, "\n\n") == NULL) {
		if (c->n == sizeof(c->request) - 1)
			refuse(c, "431 Request Header Fields Too Large");
		return false;
	}
	if (strncmp(c->request, "GET ", 4) != 0)
		refuse(c, "405 Method Not Allowed");
	else if (strncmp(c->request + 4, "/metrics", 8) != 0 ||
		 strchr(" ?", c->request[12]) == NULL)
		refuse(c, "404 Not Found");
	else
		c->waiting = true;
	return c->waiting;
}

static void write_answer(struct serve_client *c)
{
	ssize_t n = send(c->fd, c->answer.data + c->sent, c->answer.len - c->sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->sent += (size_t)n;
	if (n <= 0 || c->sent == c->answer.len)
		drop(c);
}

bool serve_watch(struct serve *s, struct pollfd *fds)
{
	bool busy = false;

	for (int i = 0; i < SERVE_LISTENERS; i++)
		fds[i] = (struct pollfd){ .fd = s->listeners[i], .events = POLLIN };
	for (int i = 0; i < SERVE_CLIENTS; i++) {
		struct serve_client *c = &s->clients[i];
		short events = c->answer.len != 0 ? POLLOUT : c->waiting ? 0 : POLLIN;

		fds[SERVE_LISTENERS + i] = (struct pollfd){ .fd = c->fd, .events = events };
		busy |= c->fd >= 0;
	}
	return busy;
}

bool serve_move(struct serve *s, const struct pollfd *fds)
{
	uint64_t now = now_ns();
	bool ask = false;

	for (int i = 0; i < SERVE_CLIENTS; i++) {
		struct serve_client *c = &s->clients[i];
		const struct pollfd *p = &fds[SERVE_LISTENERS + i];

		if (c->fd < 0)
			continue;
		if (p->fd == c->fd && (p->revents & (POLLERR | POLLHUP | POLLNVAL)) &&
		    !(p->revents & POLLIN))
			drop(c);
		else if (p->fd == c->fd && p->revents != 0 && c->answer.len != 0)
			write_answer(c);
		else if (p->fd == c->fd && p->revents != 0)
			ask |= read_request(c);
		else if (now >= c->end_ns && c->waiting)
			refuse(c, "503 the machine does not answer");
		else if (now >= c->end_ns)
			drop(c);
	}
	for (int i = 0; i < SERVE_LISTENERS; i++)
		if (fds[i].fd >= 0 && fds[i].revents != 0)
			welcome(s, fds[i].fd);
	return ask;
}

void serve_close(struct serve *s)
{
	for (int i = 0; i < SERVE_LISTENERS; i++)
		if (s->listeners[i] >= 0)
			close(s->listeners[i]);
	for (int i = 0; i < SERVE_CLIENTS; i++)
		if (s->clients[i].fd >= 0)
			drop(&s->clients[i]);
	if (s->path != NULL)
		unlink(s->path);
	free(s->path);
	serve_init(s, s->program);
}
