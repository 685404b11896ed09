/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c - TCP by tasks: listening, connecting, every way to send and receive, every way to end. */
#include "tests/native/probe/probe.h"

#define CHUNK 3000u

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8));
}

struct transfer {
	struct gw_tcp *c;
	size_t bytes;
	struct gw_waiters done;
	bool sent;
};

static void sender(void *arg)
{
	struct transfer *t = arg;
	uint8_t bytes[CHUNK];

	for (size_t at = 0; at < t->bytes;) {
		size_t n = t->bytes - at < CHUNK ? t->bytes - at : CHUNK;

		for (size_t i = 0; i < n; i++)
			bytes[i] = pattern(at + i);
		if (gw_tcp_send(t->c, bytes, n, gw_now() + 60 * GW_SEC) != (long)n)
			break;
		at += n;
	}
	t->sent = true;
	gw_signal(&t->done, true);
}

static bool receive(struct gw_tcp *c, size_t n)
{
	uint8_t bytes[CHUNK];
	long k;

	for (size_t at = 0; at < n; at += (size_t)k) {
		k = gw_tcp_recv(c, bytes, sizeof(bytes), gw_now() + 60 * GW_SEC);
		if (k <= 0)
			return false;
		for (long i = 0; i < k; i++)
			if (bytes[i] != pattern(at + (size_t)i))
				return false;
	}
	return true;
}

void try_connect(const struct gw_addr *to, size_t bytes)
{
	struct transfer t = { .bytes = bytes };
	char byte;

	CHECK(gw_tcp_connect(to, gw_now() + 20 * GW_SEC, &t.c) == 0);
	if (failed != 0)
		return;
	CHECK(gw_spawn(sender, &t, GW_STACK_DEFAULT) == 0);
	CHECK(receive(t.c, bytes));
	while (!t.sent)
		(void)gw_wait(&t.done, GW_NEVER_NS);
	CHECK(gw_tcp_drain(t.c, gw_now() + 20 * GW_SEC) == 0 && gw_tcp_unacked(t.c) == 0);
	gw_tcp_shutdown(t.c);
	CHECK(gw_tcp_recv(t.c, &byte, 1, gw_now() + 20 * GW_SEC) == 0 && gw_tcp_eof(t.c));
	CHECK(gw_tcp_send(t.c, &byte, 1, GW_NEVER_NS) == -EPIPE);
	gw_tcp_close(t.c);
}

static void serve(struct gw_tcp *c, void *arg)
{
	char bytes[2000];
	long n;

	(*(unsigned *)arg)++;
	while ((n = gw_tcp_recv(c, bytes, sizeof(bytes), GW_NEVER_NS)) > 0)
		if (gw_tcp_send(c, bytes, (size_t)n, GW_NEVER_NS) < 0)
			break;
}

static int answer;
static struct gw_waiters answered;

static void waits_for_ever(void *arg)
{
	answer = gw_tcp_ready(arg, GW_NEVER_NS);
	gw_signal(&answered, true);
}

/* One task closes what another waits on. */
static void closed_by_another(struct gw_tcp *c)
{
	uint64_t end = gw_now() + 10 * GW_SEC;

	CHECK(gw_spawn(waits_for_ever, c, GW_STACK_DEFAULT) == 0);
	gw_sleep(GW_MS);
	gw_tcp_close(c);
	while (answer == 0 && gw_now() < end)
		(void)gw_wait(&answered, end);
	CHECK(answer == -EPIPE);
}

static void accepting(const struct gw_addr *at)
{
	struct gw_addr to = *at, local, remote;
	struct gw_listener *l;
	struct gw_tcp *a, *b;
	char byte = 'x';

	to.port = (uint16_t)(at->port + 50);
	CHECK(gw_tcp_listen(&to, &(struct gw_tcp_service){ .max_conns = 1 }, &l) == 0);
	CHECK(gw_tcp_accept(l, gw_now() + GW_MS, &b) == -ETIMEDOUT);
	CHECK(gw_tcp_connect(&to, gw_now() + 10 * GW_SEC, &a) == 0);
	CHECK(gw_tcp_accept(l, gw_now() + 10 * GW_SEC, &b) == 0);
	CHECK(gw_listener_open(l) == 1);
	gw_tcp_local(a, &local);
	gw_tcp_remote(b, &remote);
	CHECK(local.port == remote.port && memcmp(local.ip, remote.ip, 16) == 0);
	CHECK(gw_tcp_recv(b, &byte, 1, gw_now() + 2 * GW_MS) == -ETIMEDOUT);
	CHECK(gw_tcp_set_nodelay(a, true) == 0 && gw_tcp_set_buffers(a, 1, 1) == -EINVAL &&
	      gw_tcp_set_buffers(a, 65536, 65536) == 0);
	CHECK(gw_tcp_write(a, &byte, 1) == 1);
	gw_tcp_push(a);
	CHECK(gw_tcp_ready(b, gw_now() + 10 * GW_SEC) == 0 && gw_tcp_available(b) == 1);
	gw_tcp_consume(b, 1);
	gw_tcp_abort(a);
	CHECK(gw_tcp_recv(b, &byte, 1, gw_now() + 10 * GW_SEC) == -ECONNRESET);
	CHECK(gw_tcp_error(b) == -ECONNRESET);
	gw_tcp_close(b);
	gw_listener_close(l);
	CHECK(gw_tcp_connect(&to, gw_now() + 10 * GW_SEC, &a) == -ECONNREFUSED);
}

void try_tcp(const struct gw_addr *at)
{
	unsigned served = 0;
	struct gw_tcp_service s = { .serve = serve, .arg = &served };
	struct gw_listener *l, *other;
	struct gw_tcp *c;

	CHECK(gw_tcp_listen(at, &s, &l) == 0);
	CHECK(gw_tcp_listen(at, &s, &other) == -EADDRINUSE);
	try_connect(at, 1);
	try_connect(at, 100000);
	try_connect(at, 3000000);
	CHECK(gw_tcp_connect(at, gw_now() + 10 * GW_SEC, &c) == 0);
	closed_by_another(c);
	CHECK(served == 4);
	gw_listener_close(l);
	CHECK(gw_tcp_listen(at, &s, &l) == 0);
	gw_listener_close(l);
	accepting(at);
}
