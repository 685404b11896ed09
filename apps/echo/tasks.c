/* SPDX-License-Identifier: Apache-2.0 */
/* tasks.c - echo with tasks: one for each connection, and one for each shard's datagrams. */
#include "apps/echo/echo.h"

static void serve(struct gw_tcp *c, void *arg)
{
	char bytes[4096];
	long n;

	(void)arg;
	while ((n = gw_tcp_recv(c, bytes, sizeof(bytes), GW_NEVER_NS)) > 0)
		if (gw_tcp_send(c, bytes, (size_t)n, GW_NEVER_NS) < 0)
			break;
}

static void datagrams(void *arg)
{
	struct gw_udp *u = arg;
	struct gw_addr from;
	char bytes[2048];
	long n;

	while ((n = gw_udp_recv(u, bytes, sizeof(bytes), &from, GW_NEVER_NS)) >= 0)
		if (n <= (long)sizeof(bytes))
			(void)gw_udp_send(u, bytes, (size_t)n, &from);
}

int echo_with_tasks(const struct gw_addr *at)
{
	struct gw_udp *u;
	int err = gw_tcp_listen(at, &(struct gw_tcp_service){ .serve = serve, .nodelay = true },
				NULL);

	if (err == 0)
		err = gw_udp_open(at, NULL, NULL, &u);
	for (unsigned i = 0; err == 0 && i < gw_shards(); i++)
		err = gw_spawn_on(i, datagrams, u, GW_STACK_DEFAULT);
	return err;
}
