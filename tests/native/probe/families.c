/* SPDX-License-Identifier: Apache-2.0 */
/* families.c - IPv6, and listeners and sockets of both families. */
#include "tests/native/probe/probe.h"

static struct gw_addr addr(const char *text)
{
	struct gw_addr a;

	CHECK(gw_addr_parse(text, &a) == 0);
	return a;
}

static void echo(struct gw_tcp *c)
{
	struct gw_buf *b;

	while (gw_tcp_space(c) != 0 && (b = gw_tcp_take(c)) != NULL)
		(void)!gw_tcp_give(c, b);
	gw_tcp_push(c);
	if (gw_tcp_eof(c))
		gw_tcp_close(c);
}

static void closed(struct gw_tcp *c, int error)
{
	(void)error;
	gw_tcp_close(c);
}

static const struct gw_tcp_service service = {
	.ops = { .received = echo, .writable = echo, .closed = closed }
};

/* Who it is connected to, as both ends see it. */
static void ends(const char *to, const char *host)
{
	struct gw_addr at = addr(to), local, remote;
	char text[GW_ADDR_TEXT];
	struct gw_tcp *c;

	CHECK(gw_tcp_connect(&at, gw_now() + 10 * GW_SEC, &c) == 0);
	gw_tcp_remote(c, &remote);
	gw_tcp_local(c, &local);
	CHECK(remote.port == at.port && local.port != 0);
	local.port = remote.port = 0;
	CHECK(strcmp(gw_addr_text(&remote, text), host) == 0);
	CHECK(strcmp(gw_addr_text(&local, text), host) == 0);
	gw_tcp_close(c);
}

static void refused(const char *to)
{
	struct gw_addr at = addr(to);
	struct gw_tcp *c;

	CHECK(gw_tcp_connect(&at, gw_now() + 10 * GW_SEC, &c) == -ECONNREFUSED);
}

static void listeners(void)
{
	struct gw_addr both = addr("*:7005"), four = addr("0.0.0.0:7005"), six = addr("[::]:7005"),
		       any = addr("127.0.0.1:7005"), one = addr("[::1]:7005");
	struct gw_listener *l, *other;

	CHECK(gw_tcp_listen(&both, &service, &l) == 0);
	try_connect(&any, 100000);
	try_connect(&one, 100000);
	ends("[::1]:7005", "[::1]:0");
	ends("[::ffff:127.0.0.1]:7005", "127.0.0.1:0"); /* never IPv4-mapped inside */
	CHECK(gw_tcp_listen(&four, &service, &other) == -EADDRINUSE);
	CHECK(gw_tcp_listen(&six, &service, &other) == -EADDRINUSE);
	gw_listener_close(l);
	refused("[::1]:7005");
	refused("127.0.0.1:7005");
	CHECK(gw_tcp_listen(&six, &service, &l) == 0);
	refused("127.0.0.1:7005");
	CHECK(gw_tcp_listen(&both, &service, &other) == -EADDRINUSE);
	CHECK(gw_tcp_listen(&four, &service, &other) == 0);
	try_connect(&any, 1000);
	try_connect(&one, 1000);
	gw_listener_close(l);
	refused("[::1]:7005");
	try_connect(&any, 1000);
	gw_listener_close(other);
	six = addr("[2001:db8::99]:7005");
	CHECK(gw_tcp_open(&six, &service.ops, NULL, &(struct gw_tcp *){ NULL }) != 0);
	six.family = 5;
	CHECK(gw_tcp_listen(&six, &service, &other) == -EAFNOSUPPORT);
	CHECK(gw_tcp_open(&both, &service.ops, NULL, &(struct gw_tcp *){ NULL }) == -EAFNOSUPPORT);
}

static void send_back(struct gw_udp *u, struct gw_buf *b, const struct gw_addr *from)
{
	(void)!gw_udp_give(u, b, from);
}

static void datagram(struct gw_udp *u, const char *to, const char *host)
{
	struct gw_addr at = addr(to), from;
	char in[16], text[GW_ADDR_TEXT];

	CHECK(gw_udp_send(u, "datagram", 8, &at) == 0);
	CHECK(gw_udp_recv(u, in, sizeof(in), &from, gw_now() + 5 * GW_SEC) == 8);
	CHECK(memcmp(in, "datagram", 8) == 0);
	CHECK(strcmp(gw_addr_text(&from, text), host) == 0);
}

static void datagrams(void)
{
	struct gw_addr both = addr("*:7006"), any = addr("*:0"), four = addr("0.0.0.0:7006"), local;
	struct gw_udp *server, *client, *other;
	char big[1];

	CHECK(gw_udp_open(&both, send_back, NULL, &server) == 0);
	CHECK(gw_udp_open(&four, send_back, NULL, &other) == -EADDRINUSE);
	CHECK(gw_udp_open(&any, NULL, NULL, &client) == 0);
	gw_udp_local(client, &local);
	CHECK(local.family == 0 && local.port != 0);
	datagram(client, "127.0.0.1:7006", "127.0.0.1:7006");
	datagram(client, "[::1]:7006", "[::1]:7006");
	datagram(client, "[::ffff:127.0.0.1]:7006", "127.0.0.1:7006");
	CHECK(gw_udp_send(client, big, 65528, &four) == -EMSGSIZE);
	gw_udp_close(client);
	four.port = 0;
	CHECK(gw_udp_open(&four, NULL, NULL, &client) == 0);
	both = addr("[::1]:7006"); /* an IPv4 socket has no way there */
	CHECK(gw_udp_send(client, big, 1, &both) == -EAFNOSUPPORT);
	gw_udp_close(client);
	gw_udp_close(server);
}

void try_families(void)
{
	struct gw_addr six = addr("[::1]:7011");

	try_tcp(&six);
	six.port = 7013;
	try_udp(&six);
	listeners();
	datagrams();
}
