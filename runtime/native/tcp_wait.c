/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_wait.c - what tasks wait for on connections: bytes, room, a connection's opening. */
#include "runtime/native/tcp_internal.h"
#include "runtime/platform/platform.h"

#define EV_IN (TCP_EV_READABLE | TCP_EV_HUP | TCP_EV_ERROR)
#define EV_OUT (TCP_EV_WRITABLE | TCP_EV_ERROR)
#define DRAIN_LOOK_NS NS_PER_MS

static int wait_for(struct gw_tcp *c, unsigned events, uint64_t deadline_ns)
{
	uint64_t since = clock_now();
	int err = native_wait(&c->waiting, events, deadline_ns);

	if (MEASURE && err != -EDEADLK)
		latency_record(
			&shard_self()->latency[events & TCP_EV_READABLE ? LATENCY_SOCKET_RECV
									: LATENCY_SOCKET_SEND],
			clock_now() - since);
	return err;
}

int gw_tcp_ready(struct gw_tcp *c, uint64_t deadline_ns)
{
	for (;;) {
		int err;

		if (tcp_rx_available(c->conn) != 0)
			return 0;
		if (tcp_error(c->conn) != 0)
			return tcp_error(c->conn);
		if (tcp_rx_eof(c->conn))
			return 0;
		err = wait_for(c, EV_IN, deadline_ns);
		if (err != 0)
			return err;
	}
}

long gw_tcp_recv(struct gw_tcp *c, void *to, size_t n, uint64_t deadline_ns)
{
	int err = gw_tcp_ready(c, deadline_ns);
	const uint8_t *data;
	size_t done = 0, k;

	if (err != 0)
		return err;
	while (done < n && (k = tcp_rx_peek(c->conn, 0, &data)) != 0) {
		k = GW_MIN(k, n - done);
		memcpy((uint8_t *)to + done, data, k);
		tcp_rx_consume(c->conn, k);
		done += k;
	}
	return (long)done;
}

/* Why nothing can be sent any more, or 0. */
static int cannot_send(const struct gw_tcp *c)
{
	enum tcp_state s = tcp_get_state(c->conn);

	if (tcp_error(c->conn) != 0)
		return tcp_error(c->conn);
	return s == TCP_ESTABLISHED || s == TCP_CLOSE_WAIT ? 0 : -EPIPE;
}

int gw_tcp_wait_space(struct gw_tcp *c, uint64_t deadline_ns)
{
	for (;;) {
		uint8_t *to;
		int err = cannot_send(c);

		if (err != 0)
			return err;
		if (tcp_tx_room(c->conn, &to) != 0) /* also says that we wait for more */
			return 0;
		tcp_tx_push(c->conn);
		err = wait_for(c, EV_OUT, deadline_ns);
		if (err != 0)
			return err;
	}
}

long gw_tcp_send(struct gw_tcp *c, const void *data, size_t n, uint64_t deadline_ns)
{
	const uint8_t *from = data;
	size_t done = 0;

	while (done < n) {
		int err;

		done += gw_tcp_write(c, from + done, n - done);
		if (done == n)
			break;
		err = gw_tcp_wait_space(c, deadline_ns);
		if (err != 0)
			return err;
	}
	if (n != 0 && cannot_send(c) != 0)
		return cannot_send(c);
	gw_tcp_push(c);
	return (long)n;
}

int gw_tcp_drain(struct gw_tcp *c, uint64_t deadline_ns)
{
	tcp_tx_push(c->conn);
	for (;;) {
		struct tcp_stats s;
		int err;

		if (tcp_error(c->conn) != 0)
			return tcp_error(c->conn);
		tcp_get_stats(c->conn, &s);
		if (s.unacked_bytes == 0)
			return 0;
		if (clock_now() >= deadline_ns)
			return -ETIMEDOUT;
		/* acknowledgements make no event */
		err = wait_for(c, TCP_EV_ERROR,
			       GW_MIN(deadline_ns, shard_self()->now_ns + DRAIN_LOOK_NS));
		if (err != 0 && err != -ETIMEDOUT)
			return err;
	}
}

/* ---- connecting ---- */

int gw_tcp_open(const struct gw_addr *to, const struct gw_tcp_ops *ops, void *user,
		struct gw_tcp **out)
{
	struct net_endpoint local = { 0 }, remote;
	struct gw_tcp *c;
	int err = native_endpoint(to, &remote);

	if (err != 0)
		return err;
	c = native_tcp_new(NULL, ops, user);
	if (c == NULL)
		return -ENOMEM;
	err = platform_pick_port(false, &c->port);
	local.family = remote.family;
	local.port = c->port;
	if (err == 0)
		err = tcp_connect(shard_self()->net, &local, &remote, c, &c->conn);
	if (err != 0) {
		c->conn = NULL;
		native_tcp_free(c);
		return err;
	}
	*out = c;
	return 0;
}

int gw_tcp_connect(const struct gw_addr *to, uint64_t deadline_ns, struct gw_tcp **out)
{
	struct gw_tcp *c;
	int err;

	if (!sched_may_park())
		return -EDEADLK;
	err = gw_tcp_open(to, NULL, NULL, &c);
	while (err == 0 && tcp_get_state(c->conn) != TCP_ESTABLISHED &&
	       tcp_get_state(c->conn) != TCP_CLOSE_WAIT) {
		err = tcp_error(c->conn);
		if (err == 0)
			err = wait_for(c, TCP_EV_CONNECTED | TCP_EV_ERROR, deadline_ns);
		if (err != 0) /* nobody else knows c yet */
			gw_tcp_abort(c);
	}
	if (err == 0)
		*out = c;
	return err;
}
