/* SPDX-License-Identifier: Apache-2.0 */
/* callbacks.c - TCP and UDP by callbacks, with handles instead of copies. */
#include "tests/native/probe/probe.h"

static unsigned opened, ended, errors;
static struct gw_waiters changed;

static void more(struct gw_tcp *c)
{
	struct gw_buf *b = gw_tcp_user(c);

	gw_tcp_set_user(c, NULL);
	while (b != NULL || (b = gw_tcp_take(c)) != NULL) {
		if (gw_tcp_give(c, b) == -EAGAIN) {
			gw_tcp_set_user(c, b);
			break;
		}
		b = NULL;
	}
	gw_tcp_push(c);
	if (gw_tcp_eof(c) && gw_tcp_user(c) == NULL) {
		ended++;
		gw_tcp_close(c); /* in its own callback */
		gw_signal(&changed, true);
	}
}

static void was_opened(struct gw_tcp *c)
{
	(void)c;
	opened++;
	gw_signal(&changed, true);
}

static void was_closed(struct gw_tcp *c, int error)
{
	if (gw_tcp_user(c) != NULL)
		gw_buf_release(gw_tcp_user(c));
	errors += error == -ECONNRESET || error == -ECONNREFUSED;
	gw_tcp_close(c);
	gw_signal(&changed, true);
}

static const struct gw_tcp_ops ops = {
	.opened = was_opened, .received = more, .writable = more, .closed = was_closed
};

static void await(unsigned *what, unsigned n)
{
	uint64_t end = gw_now() + 20 * GW_SEC;

	while (*what < n && gw_now() < end)
		(void)gw_wait(&changed, end);
	CHECK(*what == n);
}

void try_tcp_callbacks(const struct gw_addr *at)
{
	struct gw_listener *l;
	struct gw_addr nobody = *at;
	struct gw_tcp *c;

	CHECK(gw_tcp_listen(at, &(struct gw_tcp_service){ .ops = ops, .nodelay = true }, &l) == 0);
	try_connect(at, 1);
	try_connect(at, 2000000);
	await(&ended, 2);
	CHECK(opened == 2);
	CHECK(gw_tcp_connect(at, gw_now() + 10 * GW_SEC, &c) == 0);
	await(&opened, 3);
	gw_tcp_abort(c); /* the other side is told */
	await(&errors, 1);
	nobody.port = 1;
	CHECK(gw_tcp_open(&nobody, &ops, NULL, &c) == 0);
	await(&errors, 2);
	gw_listener_close(l);
}

/* ---- UDP ---- */

static unsigned datagrams;

static void datagram(struct gw_udp *u, struct gw_buf *b, const struct gw_addr *from)
{
	datagrams += gw_udp_user(u) == &datagrams;
	CHECK(!gw_may_wait());
	(void)gw_udp_give(u, b, from);
}

static void one_datagram(struct gw_udp *u, const struct gw_addr *to, size_t n)
{
	static uint8_t out[60000], in[60000];
	struct gw_addr from;
	long got;

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(i * 7 + n);
	CHECK(gw_udp_send(u, out, n, to) == 0);
	got = gw_udp_recv(u, in, sizeof(in), &from, gw_now() + 5 * GW_SEC);
	CHECK(got == (long)n && memcmp(in, out, n) == 0 && from.port == to->port);
}

void try_udp(const struct gw_addr *at)
{
	struct gw_addr any = { .family = at->family }, own;
	struct gw_udp *server, *client, *other;
	struct gw_buf *b = gw_buf_new();
	char bytes[8];

	datagrams = 0;
	CHECK(gw_udp_open(at, datagram, &datagrams, &server) == 0);
	CHECK(gw_udp_open(at, datagram, NULL, &other) == -EADDRINUSE);
	CHECK(gw_udp_open(&any, NULL, NULL, &client) == 0);
	gw_udp_local(client, &own);
	CHECK(own.port != 0);
	one_datagram(client, at, 0);
	one_datagram(client, at, 1);
	one_datagram(client, at, 1472);
	one_datagram(client, at, 3000); /* in fragments, or in one piece over loopback */
	CHECK(gw_udp_send(client, bytes, 70000, at) == -EMSGSIZE);
	CHECK(b != NULL && gw_buf_room(b) >= GW_BUF_ROOM);
	memcpy(gw_buf_data(b), "abcdef", 6);
	gw_buf_set_len(b, 6);
	gw_buf_skip(b, 2);
	CHECK(gw_udp_give(client, b, at) == 0);
	CHECK(gw_udp_recv(client, bytes, sizeof(bytes), NULL, gw_now() + 5 * GW_SEC) == 4 &&
	      memcmp(bytes, "cdef", 4) == 0);
	CHECK(datagrams == 5);
	CHECK(gw_udp_recv(client, bytes, 1, NULL, gw_now() + GW_MS) == -ETIMEDOUT);
	gw_udp_close(server);
	gw_udp_close(client);
}
