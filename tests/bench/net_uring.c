/* SPDX-License-Identifier: Apache-2.0 */
/* net_uring.c - kernel sockets with io_uring, a contender of `make bench-net`: `net_uring echo PORT
 * CORES [poll]`, poll: it never sleeps. One accept that stays, and for each connection a receive,
 * then a send, submitted together with waiting for what comes next; completions are worked off when
 * the ring's owner waits (DEFER_TASKRUN) where the kernel has that. */
#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/net_common.h"

#define CONNS 16384
#define ROOM 16384u

static struct conn {
	char *bytes;
	unsigned n, done;
	bool sending;
} conns[CONNS];
static struct io_uring ring;

static struct io_uring_sqe *next(void)
{
	struct io_uring_sqe *e = io_uring_get_sqe(&ring);

	if (e == NULL) {
		io_uring_submit(&ring);
		e = io_uring_get_sqe(&ring);
	}
	if (e == NULL)
		die("io_uring_get_sqe");
	return e;
}

static void go_on(int s)
{
	struct conn *c = &conns[s];
	struct io_uring_sqe *e = next();

	if (c->sending)
		io_uring_prep_send(e, s, c->bytes + c->done, c->n - c->done, MSG_NOSIGNAL);
	else
		io_uring_prep_recv(e, s, c->bytes, ROOM, 0);
	io_uring_sqe_set_data64(e, (unsigned)s);
}

static void completed(int s, int result)
{
	struct conn *c = &conns[s];

	if (result <= 0) {
		close(s);
		return;
	}
	if (!c->sending) {
		c->n = (unsigned)result;
		c->done = 0;
		c->sending = true;
	} else {
		c->done += (unsigned)result;
		c->sending = c->done < c->n;
	}
	go_on(s);
}

static void accepted(int s)
{
	if (s >= CONNS) {
		close(s);
		return;
	}
	no_delay(s);
	if (conns[s].bytes == NULL && (conns[s].bytes = malloc(ROOM)) == NULL)
		die("malloc");
	conns[s].sending = false;
	go_on(s);
}

static void start_accept(int ls)
{
	struct io_uring_sqe *e = next();

	io_uring_prep_multishot_accept(e, ls, NULL, NULL, 0);
	io_uring_sqe_set_data64(e, 0);
}

int main(int argc, char **argv)
{
	bool poll = argc == 5 && strcmp(argv[4], "poll") == 0;
	int ls;

	if ((argc != 4 && !poll) || strcmp(argv[1], "echo") != 0) {
		fprintf(stderr, "net_uring echo PORT CORES [poll]\n");
		return 2;
	}
	on_cores(argv[3]);
	ls = listener(atoi(argv[2]), 0);
	if (io_uring_queue_init(4096, &ring,
				IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) != 0 &&
	    (errno = -io_uring_queue_init(4096, &ring, 0)) != 0)
		die("io_uring");
	start_accept(ls);
	for (;;) {
		struct io_uring_cqe *e;
		unsigned head, n = 0;

		if (poll)
			io_uring_submit_and_get_events(&ring);
		else
			io_uring_submit_and_wait(&ring, 1);
		io_uring_for_each_cqe(&ring, head, e)
		{
			n++;
			if (e->user_data != 0) {
				completed((int)e->user_data, e->res);
				continue;
			}
			if (e->res >= 0)
				accepted(e->res);
			if (!(e->flags & IORING_CQE_F_MORE))
				start_accept(ls);
		}
		io_uring_cq_advance(&ring, n);
	}
}
