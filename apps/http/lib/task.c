/* SPDX-License-Identifier: Apache-2.0 */
/* task.c - handlers that may wait: each runs as a task of its own, which keeps the exchange when
 * the connection goes away. */
#include "apps/http/lib/http_internal.h"

static void run(void *arg)
{
	struct http *x = arg;
	struct http_conn *c;
	struct http_shard *s = x->c != NULL ? x->c->shard : NULL;

	if (s != NULL) {
		x->route->handler(x);
		if (x->c != NULL && !x->begun)
			(void)http_error(x, 500);
		if (x->c != NULL && !x->ended)
			http_end(x);
	}
	c = x->c;
	x->task = false;
	if (c == NULL) { /* the client left; nobody else knows x */
		gw_free(x->copy, x->copy_size);
		gw_free(x->decoded, x->decoded_size);
		gw_free(x->gathered, x->gathered_cap);
		gw_free(x, sizeof(*x));
		return;
	}
	conn_run(c);
}

void task_start(struct http *x)
{
	x->task = true;
	if (gw_spawn(run, x, GW_STACK_DEFAULT) == 0)
		return;
	x->task = false;
	(void)http_error(x, 503);
}

long http_read(struct http *x, void *to, size_t n)
{
	if (!gw_may_wait())
		return -EDEADLK;
	while (x->c != NULL && !x->c->dead && !x->in_failed) {
		struct http_conn *c = x->c;
		const uint8_t *p;
		long got = x->in == IN_STREAM ? body_next(x, &p) : BODY_DONE;

		if (got == BODY_DONE) {
			x->in = IN_NONE;
			return 0;
		}
		if (got < 0) {
			x->in_failed = true;
			x->in_error = got == -413 ? -EMSGSIZE : -EINVAL;
			x->in = IN_NONE;
			x->keep = false;
			c->closing = true;
			break;
		}
		if (got > 0) {
			n = MIN(n, (size_t)got);
			memcpy(to, p, n);
			body_take(x, n);
			return (long)n;
		}
		if (c->shard->now - c->waited_ns > GW_SEC)
			c->wait_ns = 0;
		wait_begin(c, WAIT_IN);
		io_push(c);
		(void)gw_wait(&x->waiters, GW_NEVER_NS);
		if (x->c != NULL) {
			c->waiting = WAIT_NONE;
			c->waited_ns = c->shard->now;
		}
	}
	return x->in_failed ? x->in_error : -EPIPE;
}
