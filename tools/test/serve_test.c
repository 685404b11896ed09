/* SPDX-License-Identifier: Apache-2.0 */
/* serve_test.c - metrics over HTTP: good, bad and silent clients, and who may use the socket's
 * folder. */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit.h"
#include "tools/godwit/serve.h"

static char folder[] = "/tmp/serve_test-XXXXXX";

static bool step(struct serve *s)
{
	struct pollfd fds[SERVE_SLOTS];

	(void)serve_watch(s, fds);
	(void)poll(fds, SERVE_SLOTS, 20);
	return serve_move(s, fds);
}

static int dial(const struct serve *s, const char *request)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(a.sun_path, s->path, sizeof(a.sun_path) - 1);
	CHECK_EQ(connect(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	CHECK_EQ(write(fd, request, strlen(request)), (ssize_t)strlen(request));
	return fd;
}

static const char *answer(struct serve *s, int fd)
{
	static char buf[4096];
	ssize_t n, len = 0;

	for (int i = 0; i < 5; i++)
		(void)step(s);
	while ((n = recv(fd, buf + len, sizeof(buf) - 1 - (size_t)len, MSG_DONTWAIT)) > 0)
		len += n;
	buf[len] = '\0';
	close(fd);
	return buf;
}

static void start(struct serve *s)
{
	setenv("XDG_RUNTIME_DIR", folder, 1);
	serve_init(s, "a\"b");
	fail_clear();
	CHECK_EQ(serve_local(s), 0);
}

TEST(figures)
{
	struct serve s;
	const char *text;
	bool asked = false;
	int fd, other;

	start(&s);
	fd = dial(&s, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	other = dial(&s, "GET /metrics HTTP/1.0\n\n");
	for (int i = 0; i < 4; i++)
		asked |= step(&s);
	CHECK(asked);
	serve_answer(&s, "godwit_x 1\n", 11);
	text = answer(&s, fd);
	CHECK(strncmp(text, "HTTP/1.1 200 OK\r\n", 17) == 0);
	CHECK(strstr(text, "godwit_info{program=\"a\\\"b\",pid=") != NULL);
	CHECK(strstr(text, "} 1\ngodwit_x 1\n") != NULL);
	CHECK(strstr(answer(&s, other), "godwit_x 1\n") != NULL);
	serve_close(&s);
}

TEST(bad_requests)
{
	static char endless[1100];
	struct serve s;
	int fds[SERVE_CLIENTS + 2];

	start(&s);
	CHECK(strstr(answer(&s, dial(&s, "POST /metrics HTTP/1.1\r\n\r\n")), " 405 ") != NULL);
	CHECK(strstr(answer(&s, dial(&s, "GET /metricsx HTTP/1.1\r\n\r\n")), " 404 ") != NULL);
	CHECK(strstr(answer(&s, dial(&s, "\n\n")), " 405 ") != NULL);
	memset(endless, 'x', sizeof(endless) - 1);
	CHECK(strstr(answer(&s, dial(&s, endless)), " 431 ") != NULL);
	/* more clients than there is room for, none of which says anything: the rest is turned away
	 */
	for (int i = 0; i < SERVE_CLIENTS + 2; i++) {
		fds[i] = dial(&s, "GET");
		(void)step(&s);
		(void)step(&s);
	}
	CHECK_STR(answer(&s, fds[SERVE_CLIENTS + 1]), "");
	for (int i = 0; i < SERVE_CLIENTS + 1; i++)
		close(fds[i]);
	for (int i = 0; i < 20; i++)
		(void)step(&s);
	for (int i = 0; i < SERVE_CLIENTS; i++)
		CHECK_EQ(s.clients[i].fd, -1);
	serve_close(&s);
}

TEST(machine_is_silent)
{
	struct serve s;
	int fd;

	start(&s);
	fd = dial(&s, "GET /metrics HTTP/1.1\r\n\r\n");
	for (int i = 0; i < 4; i++)
		(void)step(&s);
	for (int i = 0; i < SERVE_CLIENTS; i++)
		s.clients[i].end_ns = 0; /* its time is over */
	CHECK(strstr(answer(&s, fd), " 503 ") != NULL);
	serve_close(&s);
}

TEST(folders)
{
	struct serve s;
	char *path = xasprintf("%s/godwit", folder);

	start(&s);
	CHECK_EQ(access(s.path, F_OK), 0);
	serve_close(&s);
	CHECK_EQ(chmod(path, 0755), 0); /* somebody else may look in */
	serve_init(&s, "x");
	CHECK_EQ(serve_local(&s), -1);
	CHECK(strstr(fail_text(), "this user alone") != NULL);
	CHECK_EQ(rmdir(path), 0);
	rmdir(folder);
	free(path);
}

TEST(tcp_addresses)
{
	struct serve s;

	serve_init(&s, "x");
	fail_clear();
	CHECK_EQ(serve_tcp(&s, ":80"), -1);
	CHECK_EQ(serve_tcp(&s, "localhost:80"), -1);
	CHECK_EQ(serve_tcp(&s, "127.0.0.1:99999"), -1);
	CHECK_EQ(serve_tcp(&s, "123.123.123.123.123:80"), -1);
	serve_close(&s);
}

static void make_folder(void)
{
	if (mkdtemp(folder) == NULL)
		abort();
}

TEST(set_up)
{
	make_folder();
	CHECK_EQ(access(folder, W_OK), 0);
}

UNIT_MAIN(CASE(set_up), CASE(figures), CASE(bad_requests), CASE(machine_is_silent),
	  CASE(tcp_addresses), CASE(folders))
